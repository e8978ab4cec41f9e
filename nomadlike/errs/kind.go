package errs

import "net/http"

// A Kind is a class of errors that some caller branches on. It travels between
// processes by its name, so names are never reused for something else.
type Kind string

// The kinds.
const (
	Invalid      Kind = "invalid"      // the request makes no sense, whoever sends it
	NotFound     Kind = "not found"    // the thing named does not exist, or may not be seen
	Permission   Kind = "permission"   // the caller is known, and may not
	Unauthorized Kind = "unauthorized" // the caller is not known
	Conflict     Kind = "conflict"     // the thing has changed, or exists already
	NotLeader    Kind = "not leader"   // this server does not lead; another may
	NoLeader     Kind = "no leader"    // no server leads at present
	Unavailable  Kind = "unavailable"  // the other side cannot be reached, or is not ready; try again
	Unsupported  Kind = "unsupported"  // this build, driver or server cannot do that
	TooLarge     Kind = "too large"    // the request or its answer is above a limit
	RateLimited  Kind = "rate limited" // too many requests; try again later
	Internal     Kind = "internal"     // everything else: a fault of ours
	Canceled     Kind = "canceled"     // the caller went away
	Timeout      Kind = "timeout"      // the caller's deadline passed
)

// Kinds lists every kind.
var Kinds = []Kind{
	Invalid, NotFound, Permission, Unauthorized, Conflict, NotLeader, NoLeader, Unavailable,
	Unsupported, TooLarge, RateLimited, Internal, Canceled, Timeout,
}

// HTTP returns the status code that answers a request which failed with this
// kind. A kind that a newer process invented is a 500.
func (k Kind) HTTP() int {
	switch k {
	case Invalid:
		return http.StatusBadRequest
	case NotFound:
		return http.StatusNotFound
	case Permission:
		return http.StatusForbidden
	case Unauthorized:
		return http.StatusUnauthorized
	case Conflict:
		return http.StatusConflict
	case Unavailable:
		return http.StatusServiceUnavailable
	case Unsupported:
		return http.StatusNotImplemented
	case TooLarge:
		return http.StatusRequestEntityTooLarge
	case RateLimited:
		return http.StatusTooManyRequests
	case Timeout:
		return http.StatusGatewayTimeout
	case Canceled:
		return 499 // nobody is left to read it; the customary code in access logs
	case NotLeader, NoLeader, Internal:
		return http.StatusInternalServerError
	}
	return http.StatusInternalServerError
}

// text is what the user reads when an error of this kind brings no text.
func (k Kind) text() string {
	switch k {
	case NotLeader, NoLeader:
		return "No cluster leader" // what existing tools look for
	case Permission:
		return "Permission denied"
	case "":
		return "unknown error"
	}
	return string(k)
}
