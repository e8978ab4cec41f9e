package httpapi

import (
	"compress/gzip"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
)

// What answers may be.
type (
	bodied  interface{ Body() any }
	meta    interface{ Meta() *n.QueryMeta }
	indexed interface{ WriteIndex() uint64 }
)

// answer sends what a call returned.
func (s *server) answer(w http.ResponseWriter, r *http.Request, row *api.Row, resp any) error {
	setHeaders(w.Header(), resp)
	if _, empty := resp.(*n.Empty); empty {
		return nil // net/http adds Content-Length: 0
	}
	body := resp
	if b, ok := resp.(bodied); ok {
		body = b.Body()
		if v := reflect.ValueOf(body); v.Kind() == reflect.Pointer && v.IsNil() {
			if text := missingText[row.Name]; text != "" {
				plain(w, http.StatusNotFound, text)
				return nil
			}
			body = nil
		}
	}
	return sendJSON(w, r, http.StatusOK, body)
}

// setHeaders tells of the state that an answer was made from.
func setHeaders(h http.Header, resp any) {
	if x, ok := resp.(indexed); ok {
		h.Set("X-Nomad-Index", strconv.FormatUint(x.WriteIndex(), 10))
		return
	}
	m, ok := resp.(meta)
	if !ok {
		return
	}
	q := m.Meta()
	h.Set("X-Nomad-Index", strconv.FormatUint(q.Index, 10))
	h.Set("X-Nomad-Knownleader", strconv.FormatBool(q.KnownLeader))
	h.Set("X-Nomad-Lastcontact", strconv.FormatInt(q.LastContact.Milliseconds(), 10))
	if q.NextToken != "" {
		h.Set("X-Nomad-Nexttoken", q.NextToken)
	}
}

// missingText is what a read answers with 404 when the one thing it is about
// does not exist. A call that is not listed answers null.
var missingText = map[string]string{
	"Job.Get": "job not found", "Job.Summary": "job not found", "Job.Submission": "job source not found",
	"Alloc.Get": "alloc not found", "Client.AllocStats": "alloc not found",
	"Eval.Get": "eval not found", "Deployment.Get": "deployment not found",
	"Node.Get": "node not found", "Client.Stats": "node not found",
}

func sendJSON(w http.ResponseWriter, r *http.Request, code int, v any) error {
	b, err := encodeJSON(v, wantsPretty(r.URL.Query()))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	send(w, r, code, b)
	return nil
}

// compressFrom is the size from which compression saves a packet.
const compressFrom = 1400

var gzips = sync.Pool{New: func() any {
	z, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // the level is a valid one
	return z
}}

// send writes a whole body, compressed if the client likes. A client that does
// not read it in time loses its connection.
func send(w http.ResponseWriter, r *http.Request, code int, body []byte) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeTimeout))
	if len(body) < compressFrom || !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") || r.Header.Get("Upgrade") != "" {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.WriteHeader(code)
		_, _ = w.Write(body)
		return
	}
	w.Header().Set("Content-Encoding", "gzip")
	w.WriteHeader(code)
	z := gzips.Get().(*gzip.Writer)
	defer gzips.Put(z)
	z.Reset(w)
	_, _ = z.Write(body)
	_ = z.Close()
}
