package httpapi

import (
	"net/http"
	"strings"

	"github.com/nomadlike/nomadlike/nomadlike/errs"
)

// statusOf returns the code of an answer that is an error.
func statusOf(err error) int {
	code := errs.KindOf(err).HTTP()
	if code == 499 { // for logs only; a client that still listens gets a real one
		return http.StatusServiceUnavailable
	}
	return code
}

// kindOf is the way back: what a status code and its text mean.
func kindOf(code int, text string) errs.Kind {
	switch code {
	case http.StatusBadRequest, http.StatusMethodNotAllowed, http.StatusUnprocessableEntity:
		return errs.Invalid
	case http.StatusUnauthorized:
		return errs.Unauthorized
	case http.StatusForbidden:
		return errs.Permission
	case http.StatusNotFound:
		return errs.NotFound
	case http.StatusConflict:
		return errs.Conflict
	case http.StatusRequestEntityTooLarge:
		return errs.TooLarge
	case http.StatusTooManyRequests:
		return errs.RateLimited
	case http.StatusNotImplemented:
		return errs.Unsupported
	case http.StatusBadGateway, http.StatusServiceUnavailable:
		return errs.Unavailable
	case http.StatusGatewayTimeout:
		return errs.Timeout
	}
	switch {
	case strings.Contains(text, "No cluster leader"):
		return errs.NoLeader
	case strings.Contains(text, "not found"): // other servers answer writes so
		return errs.NotFound
	}
	return errs.Internal
}
