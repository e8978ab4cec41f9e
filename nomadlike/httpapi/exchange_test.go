package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"reflect"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/prometheus/client_golang/prometheus"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
	"github.com/nomadlike/nomadlike/nomadlike/errs"
)

// TestExchanges plays the files of testdata/exchange: requests as they are on
// the wire, what reached the Caller, and the answer.
//
//	answer            the JSON of what the next calls return (default: empty)
//	fail kind=K       the next calls fail with the text below
//	ask               a request: "VERB target", headers, an empty line, the body
func TestExchanges(t *testing.T) {
	datadriven.Walk(t, "testdata/exchange", func(t *testing.T, path string) {
		p := &player{}
		p.handler = New(Options{
			Caller: p, Headers: map[string]string{"X-House": "ours"}, Limits: Limits{MaxBody: 1 << 20},
			Metrics: registry(), PrometheusFormat: true,
			Health: func(context.Context) n.AgentHealth {
				return n.AgentHealth{Server: &n.PartHealth{OK: true, Message: "ok"}, Client: &n.PartHealth{Message: "no known servers"}}
			},
		})
		datadriven.RunTest(t, path, p.play)
	})
}

func registry() prometheus.Gatherer {
	r := prometheus.NewRegistry()
	g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "nomadlike_broker_ready", Help: "Evaluations that wait."}, []string{"type"})
	g.WithLabelValues("service").Set(3)
	r.MustRegister(g)
	return r
}

type player struct {
	handler http.Handler
	answer  string
	err     error
	saw     strings.Builder
}

func (p *player) play(t *testing.T, d *datadriven.TestData) string {
	switch d.Cmd {
	case "answer":
		p.answer, p.err = d.Input, nil
		return ""
	case "fail":
		var kind string
		d.ScanArgs(t, "kind", &kind)
		p.err = errs.New(errs.Kind(strings.ReplaceAll(kind, "-", " ")), d.Input)
		return ""
	case "ask":
		return p.ask(d.Input)
	}
	t.Fatalf("%s: what is %q?", d.Pos, d.Cmd)
	return ""
}

func (p *player) ask(input string) string {
	head, body, _ := strings.Cut(input, "\n\n")
	lines := strings.Split(head, "\n")
	verb, target, _ := strings.Cut(lines[0], " ")
	r := httptest.NewRequest(verb, target, strings.NewReader(body))
	for _, l := range lines[1:] {
		name, value, _ := strings.Cut(l, ": ")
		r.Header.Set(name, value)
	}
	p.saw.Reset()
	res := ask(p.handler, r).Result()
	dump, err := httputil.DumpResponse(res, true)
	if err != nil {
		return err.Error()
	}
	dump = bytes.ReplaceAll(dump, []byte("\r\n"), []byte("\n"))
	if strings.HasPrefix(target, "/v1/metrics") {
		_, rest, _ := strings.Cut(string(dump), `"Timestamp":`)
		if rest != "" {
			_, rest, _ = strings.Cut(rest, ",")
			dump = []byte("…" + rest)
		}
	}
	return p.saw.String() + string(dump)
}

func (p *player) Call(_ context.Context, r *api.Row, req any) (any, error) {
	p.note(r, req)
	if p.err != nil {
		return nil, p.err
	}
	resp := r.NewResp()
	if p.answer == "" {
		return resp, nil
	}
	return resp, json.Unmarshal([]byte(p.answer), resp)
}

func (p *player) Stream(_ context.Context, r *api.Row, req any, send func(any) error) error {
	p.note(r, req)
	for line := range strings.Lines(p.answer) {
		frame := r.NewResp()
		if err := json.Unmarshal([]byte(line), frame); err != nil {
			return err
		}
		if err := send(frame); err != nil {
			return err
		}
	}
	return p.err
}

// note writes down the call and the fields of its request that are set.
func (p *player) note(r *api.Row, req any) {
	fmt.Fprintf(&p.saw, "-> %s", r.Name)
	for _, f := range reflect.VisibleFields(r.Req) {
		v := reflect.ValueOf(req).Elem().FieldByIndex(f.Index)
		if f.Anonymous || v.IsZero() {
			continue
		}
		if job, ok := v.Interface().(*n.Job); ok {
			fmt.Fprintf(&p.saw, " Job=%s/%s", job.Namespace, job.ID)
			continue
		}
		fmt.Fprintf(&p.saw, " %s=%v", f.Name, reflect.Indirect(v).Interface())
	}
	p.saw.WriteString("\n")
}
