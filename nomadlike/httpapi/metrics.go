package httpapi

import (
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"
)

// A metricsSummary is the JSON form of /v1/metrics.
type metricsSummary struct {
	Timestamp       string
	Gauges          []gauge
	PrecisionGauges []gauge
	Points          []gauge
	Counters        []sample
	Samples         []sample
}

type gauge struct {
	Name   string
	Value  float64
	Labels map[string]string
}

type sample struct {
	Name                              string
	Count                             uint64
	Sum, Min, Max, Mean, Stddev, Rate float64
	Labels                            map[string]string
}

func (s *server) metrics(w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Get("format") == "prometheus" {
		if s.Metrics == nil || !s.PrometheusFormat {
			plain(w, http.StatusUnsupportedMediaType, "Prometheus is not enabled")
			return
		}
		promhttp.HandlerFor(s.Metrics, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError}).ServeHTTP(w, r)
		return
	}
	var families []*dto.MetricFamily
	if s.Metrics != nil {
		var err error
		if families, err = s.Metrics.Gather(); err != nil && len(families) == 0 {
			s.fail(w, r, err)
			return
		}
	}
	if err := sendJSON(w, r, http.StatusOK, summarize(families, time.Now())); err != nil {
		s.fail(w, r, err)
	}
}

func summarize(families []*dto.MetricFamily, now time.Time) *metricsSummary {
	sum := &metricsSummary{
		Timestamp: now.UTC().Truncate(time.Second).Format("2006-01-02 15:04:05 -0700 MST"),
		Gauges:    []gauge{}, PrecisionGauges: []gauge{}, Points: []gauge{}, Counters: []sample{}, Samples: []sample{},
	}
	for _, f := range families {
		name := strings.ReplaceAll(f.GetName(), "_", ".")
		for _, m := range f.GetMetric() {
			sum.add(name, f.GetType(), m)
		}
	}
	return sum
}

func (s *metricsSummary) add(name string, kind dto.MetricType, m *dto.Metric) {
	labels := map[string]string{}
	for _, l := range m.GetLabel() {
		labels[l.GetName()] = l.GetValue()
	}
	switch kind {
	case dto.MetricType_COUNTER:
		v := m.GetCounter().GetValue()
		s.Counters = append(s.Counters, newSample(name, uint64(v), v, labels))
	case dto.MetricType_GAUGE:
		s.Gauges = append(s.Gauges, gauge{name, m.GetGauge().GetValue(), labels})
	case dto.MetricType_UNTYPED:
		s.Gauges = append(s.Gauges, gauge{name, m.GetUntyped().GetValue(), labels})
	case dto.MetricType_SUMMARY:
		s.Samples = append(s.Samples, newSample(name, m.GetSummary().GetSampleCount(), m.GetSummary().GetSampleSum(), labels))
	case dto.MetricType_HISTOGRAM, dto.MetricType_GAUGE_HISTOGRAM:
		s.Samples = append(s.Samples, newSample(name, m.GetHistogram().GetSampleCount(), m.GetHistogram().GetSampleSum(), labels))
	}
}

// newSample fills in what a registry knows: count and sum since the start.
func newSample(name string, count uint64, sum float64, labels map[string]string) sample {
	s := sample{Name: name, Count: count, Sum: sum, Labels: labels}
	if count > 0 {
		s.Mean = sum / float64(count)
	}
	return s
}
