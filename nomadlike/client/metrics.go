package client

import (
	"github.com/prometheus/client_golang/prometheus"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// registerMetrics publishes gauges, which are read when somebody asks.
func (c *Client) registerMetrics() {
	if c.config.Metrics == nil {
		return
	}
	gauge := func(name, help string, value func() float64) {
		c.config.Metrics.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value))
	}
	for _, status := range []n.ClientStatus{n.ClientPending, n.ClientRunning, n.ClientComplete, n.ClientFailed} {
		gauge("nomad_client_allocations_"+string(status), "Allocations on this node that are "+string(status)+".", func() float64 {
			return float64(c.count(status))
		})
	}
	gauge("nomadlike_client_heartbeat_seconds", "Unix time of the last answer to a heartbeat; 0 before the first.", func() float64 {
		return float64(c.vital.heard.Load()) / 1e9
	})
}

func (c *Client) count(status n.ClientStatus) (count int) {
	for _, e := range c.allocs.all() {
		if e.runner.Observed().ClientStatus == status {
			count++
		}
	}
	return count
}
