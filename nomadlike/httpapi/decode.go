package httpapi

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/errs"
)

// decode reads a request of the shape. What stands in the path and the query
// string wins over the body.
func (sh *shape) decode(w http.ResponseWriter, r *http.Request, maxBody int64) (any, error) {
	req := sh.row.NewReq()
	if sh.body || sh.raw != nil {
		if err := sh.readBody(w, r, req, maxBody); err != nil {
			return nil, err
		}
	}
	if err := sh.setPath(r, req); err != nil {
		return nil, err
	}
	// Of all parameters the region alone yields to the body.
	opts := req.(n.Request).Common()
	region := opts.Region
	values := r.URL.Query()
	for _, p := range sh.query {
		if given, ok := values[p.name]; ok {
			if err := setParam(p.field(req), p.name, given, sh.row.Name); err != nil {
				return nil, err
			}
		}
	}
	if region != "" {
		opts.Region = region
	}
	opts.AuthToken = token(r)
	settle(req, opts)
	return req, check(req, values)
}

// readBody reads the whole body before the call starts, so that a slow sender
// holds a connection and nothing else.
func (sh *shape) readBody(w http.ResponseWriter, r *http.Request, req any, limit int64) error {
	rc := http.NewResponseController(w)
	_ = rc.SetReadDeadline(time.Now().Add(bodyTimeout)) // tests' writers have none
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	_ = rc.SetReadDeadline(time.Time{})
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return errs.Newf(errs.TooLarge, "request body is larger than %s, the most that this agent accepts", size(limit))
	case err != nil:
		return errs.Newf(errs.Invalid, "failed to read the request body: %v", err)
	case sh.raw != nil:
		sh.raw.field(req).SetBytes(b)
		return nil
	case len(b) == 0 && sh.needed:
		return errs.New(errs.Invalid, "Request body is empty")
	case len(b) == 0:
		return nil
	}
	if err := decodeJSON(b, req); err != nil {
		return errs.As(errs.Invalid, err)
	}
	return nil
}

// setPath fills in the variables of the path. A body that names something else
// is a mistake worth telling.
func (sh *shape) setPath(r *http.Request, req any) error {
	for _, p := range sh.path {
		value, field := r.PathValue(p.name), p.field(req)
		if value == "" {
			continue // this route of the call has no such variable
		}
		if had := field.String(); had != "" && had != value {
			return errs.Newf(errs.Invalid, "%s ID does not match", strings.TrimSuffix(p.name, "ID"))
		}
		field.SetString(value)
	}
	return nil
}

// settle decides on region and namespace.
func settle(req any, opts *n.RequestOptions) {
	if job := jobOf(req); job != nil {
		if opts.Namespace == "" {
			opts.Namespace = job.Namespace
		}
		if opts.Region == "" {
			opts.Region = job.Region
		}
		if opts.Region == n.DefaultRegion {
			opts.Region = "" // in a job file it means the agent's own
		}
	}
	if opts.Namespace == "" {
		opts.Namespace = n.DefaultNamespace
	}
	if job := jobOf(req); job != nil {
		job.Namespace = opts.Namespace
	}
}

// jobOf returns the job that a request carries.
func jobOf(req any) *n.Job {
	if f := reflect.ValueOf(req).Elem().FieldByName("Job"); f.IsValid() {
		job, _ := f.Interface().(*n.Job)
		return job
	}
	return nil
}

// token returns the caller's secret.
func token(r *http.Request) string {
	if t := strings.TrimSpace(r.Header.Get("X-Nomad-Token")); t != "" {
		return t
	}
	words := strings.Fields(r.Header.Get("Authorization"))
	if len(words) > 1 && strings.EqualFold(words[0], "Bearer") {
		return words[1]
	}
	return ""
}

// size writes a limit as people do.
func size(bytes int64) string {
	if bytes%(1<<20) == 0 {
		return fmt.Sprintf("%d MiB", bytes>>20)
	}
	return fmt.Sprintf("%d bytes", bytes)
}
