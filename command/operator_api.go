package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"

	"github.com/nomadlike/nomadlike/nomadlike/httpapi"
)

func operatorAPI() *verb {
	return &verb{
		name: "operator api", args: "<path>", min: 1, max: 1,
		synopsis: "Ask the HTTP API directly",
		help: `
Makes one request to the HTTP API, with the address, token and certificates that all
commands use, and prints the body of the answer. What is piped in is sent as the
body, and makes the request a POST.`,
		examples: []string{
			"# Who leads?", Name + " operator api /v1/status/leader", "",
			"# Send a job", Name + " job run -output example.nomad.hcl | " + Name + " operator api /v1/jobs",
		},
		bind: func(f *flags) action {
			verb := f.String("X", "", "the `method`; GET, or POST when there is a body")
			filter := f.String("filter", "", "an `expression` for the parameter filter")
			return func(e *env, args []string) error {
				path, err := apiPath(args[0], *filter)
				if err != nil {
					return err
				}
				body, piped := pipedIn(e.In)
				method := strings.ToUpper(*verb)
				if method == "" {
					method = "GET"
					if piped {
						method = "POST"
					}
				}
				return e.raw(method, path, body)
			}
		},
	}
}

// apiPath is the path and query of what may be a whole URL.
func apiPath(s, filter string) (string, error) {
	u, err := url.Parse(s)
	if err != nil {
		return "", failf("Error parsing path: %v", err)
	}
	path := "/" + strings.TrimPrefix(u.EscapedPath(), "/")
	q := u.Query()
	if filter != "" {
		q.Set("filter", filter)
	}
	if len(q) > 0 {
		path += "?" + q.Encode()
	}
	return path, nil
}

// pipedIn is what another program hands over, and whether there is one.
func pipedIn(in io.Reader) (io.Reader, bool) {
	f, ok := in.(*os.File)
	if !ok {
		return in, in != nil
	}
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice != 0 {
		return nil, false
	}
	return f, info.Mode()&os.ModeNamedPipe != 0 || info.Size() > 0
}

// raw prints the answer to a request, whatever its status.
func (e *env) raw(method, path string, body io.Reader) error {
	cl, err := e.client()
	if err != nil {
		return err
	}
	answer, err := cl.Raw(e.ctx, method, withDefaults(cl, path), body)
	var status *httpapi.StatusError
	switch {
	case errors.As(err, &status):
		e.print(status.Text)
		return nil
	case errors.Is(err, context.Canceled):
		return err
	case err != nil:
		return e.trouble("Error performing request", err)
	}
	fmt.Fprint(e.Out, string(answer))
	return nil
}

// withDefaults adds region and namespace, which other commands send as well.
func withDefaults(cl *httpapi.Client, path string) string {
	base, query, _ := strings.Cut(path, "?")
	q, err := url.ParseQuery(query)
	if err != nil {
		return path
	}
	for name, value := range map[string]string{"region": cl.Region, "namespace": cl.Namespace} {
		if value != "" && !q.Has(name) {
			q.Set(name, value)
		}
	}
	if len(q) == 0 {
		return base
	}
	return base + "?" + q.Encode()
}
