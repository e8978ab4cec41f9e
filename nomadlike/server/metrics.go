package server

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/nomadlike/nomadlike/nomadlike/errs"
)

// metrics counts what the server does. Names of gauges that others own are
// registered by those.
type metrics struct {
	calls *prometheus.HistogramVec
}

func newMetrics(r prometheus.Registerer) *metrics {
	m := &metrics{calls: prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "nomadlike_server_call_seconds", Help: "Time that calls took on this server, by call and kind of error (empty for none).",
		Buckets: []float64{.0005, .002, .01, .05, .25, 1, 5, 30},
	}, []string{"call", "error"})}
	if r != nil {
		r.MustRegister(m.calls)
	}
	return m
}

func (m *metrics) measure(call string, begin time.Time, err *error) {
	m.calls.WithLabelValues(call, string(errs.KindOf(*err))).Observe(time.Since(begin).Seconds())
}
