package httpapi

import (
	"net/http"
	"strings"
)

// crossOrigin reports the routes that a page from another address may use: the
// web UI of one agent reads files and logs from another.
func crossOrigin(path string) bool {
	for _, prefix := range []string{"/v1/client/fs/", "/v1/client/stats", "/v1/client/allocation/", "/v1/client/metadata", "/v1/client/identity"} {
		if strings.HasPrefix(path, prefix) {
			return true
		}
	}
	return path == "/v1/vars" || strings.HasPrefix(path, "/v1/var/")
}

// allowOrigin adds the headers that let such a page read the answer. It answers
// preflights itself, and says so.
func allowOrigin(w http.ResponseWriter, r *http.Request) (answered bool) {
	if r.Header.Get("Origin") == "" {
		return false
	}
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Allow-Credentials", "true")
	method := r.Header.Get("Access-Control-Request-Method")
	if r.Method != http.MethodOptions || method == "" {
		return false
	}
	h.Set("Access-Control-Allow-Methods", method)
	if asked := r.Header.Get("Access-Control-Request-Headers"); asked != "" {
		h.Set("Access-Control-Allow-Headers", asked)
	}
	h.Set("Vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers")
	w.WriteHeader(http.StatusNoContent)
	return true
}
