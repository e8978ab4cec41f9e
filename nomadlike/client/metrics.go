package client

import (
	"cmp"
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// measureWithin bounds how long somebody who asks for metrics waits.
const measureWithin = 3 * time.Second

// metrics measures when somebody asks. Names and labels are those that existing
// dashboards look for.
type metrics struct {
	c    *Client
	node prometheus.Labels
}

// registerMetrics publishes what the configuration says.
func (c *Client) registerMetrics() {
	if c.config.Metrics == nil {
		return
	}
	c.config.Metrics.MustRegister(&metrics{c, prometheus.Labels{
		"node_id": string(c.id), "datacenter": c.config.Datacenter, "node_pool": c.config.NodePool,
		"node_class": cmp.Or(c.config.NodeClass, "none"),
	}})
}

// Describe says nothing: what there is depends on the node and its allocations.
func (m *metrics) Describe(chan<- *prometheus.Desc) {}

// Collect measures.
func (m *metrics) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), measureWithin)
	defer cancel()
	m.allocations(out)
	if m.c.config.NodeMetrics {
		m.host(ctx, out)
	}
	if m.c.config.AllocMetrics {
		m.usages(out)
	}
}

func gauge(out chan<- prometheus.Metric, name, help string, labels prometheus.Labels, value float64) {
	out <- prometheus.MustNewConstMetric(prometheus.NewDesc(name, help, nil, labels), prometheus.GaugeValue, value)
}

func (m *metrics) allocations(out chan<- prometheus.Metric) {
	var pending, running, terminal float64
	for _, e := range m.c.allocs.all() {
		switch status := e.runner.Observed().ClientStatus; {
		case status.Terminal():
			terminal++
		case status == n.ClientRunning:
			running++
		default:
			pending++
		}
	}
	gauge(out, "nomad_client_allocations_pending", "Allocations that do not run yet.", m.node, pending)
	gauge(out, "nomad_client_allocations_running", "Allocations that run.", m.node, running)
	gauge(out, "nomad_client_allocations_terminal", "Allocations that have ended and are still on the disk.", m.node, terminal)
	gauge(out, "nomadlike_client_heartbeat_seconds", "Unix time of the last answer to a heartbeat; 0 before the first.", m.node,
		float64(m.c.vital.heard.Load())/float64(time.Second))
}

func (m *metrics) host(ctx context.Context, out chan<- prometheus.Metric) {
	stats, err := m.c.host.measure(ctx, m.c.config.AllocDir)
	if err != nil {
		m.c.log.Debug("the host can not be measured", "error", err)
		return
	}
	gauge(out, "nomad_client_uptime", "Seconds since the host started.", m.node, float64(stats.Uptime))
	gauge(out, "nomad_client_host_memory_total", "Bytes.", m.node, float64(stats.Memory.Total))
	gauge(out, "nomad_client_host_memory_available", "Bytes.", m.node, float64(stats.Memory.Available))
	gauge(out, "nomad_client_host_memory_used", "Bytes.", m.node, float64(stats.Memory.Used))
	gauge(out, "nomad_client_host_memory_free", "Bytes.", m.node, float64(stats.Memory.Free))
	gauge(out, "nomad_client_host_cpu_total_ticks_count", "MHz in use.", m.node, stats.CPUTicksConsumed)
	for _, core := range stats.CPU {
		labels := with(m.node, "cpu", core.CPU)
		gauge(out, "nomad_client_host_cpu_total_percent", "Percent of the core.", labels, core.TotalPercent)
		gauge(out, "nomad_client_host_cpu_user", "Percent of the core.", labels, core.User)
		gauge(out, "nomad_client_host_cpu_system", "Percent of the core.", labels, core.System)
		gauge(out, "nomad_client_host_cpu_idle", "Percent of the core.", labels, core.Idle)
	}
	for _, d := range stats.DiskStats {
		labels := with(m.node, "disk", d.Device)
		gauge(out, "nomad_client_host_disk_size", "Bytes.", labels, float64(d.Size))
		gauge(out, "nomad_client_host_disk_used", "Bytes.", labels, float64(d.Used))
		gauge(out, "nomad_client_host_disk_available", "Bytes.", labels, float64(d.Available))
		gauge(out, "nomad_client_host_disk_used_percent", "Percent.", labels, d.UsedPercent)
		gauge(out, "nomad_client_host_disk_inodes_percent", "Percent.", labels, d.InodesUsedPercent)
	}
}

// usages measures all allocations at the same time, since the first measurement
// of each takes a while.
func (m *metrics) usages(out chan<- prometheus.Metric) {
	var all sync.WaitGroup
	for _, e := range m.c.allocs.all() {
		if _, done := e.isDone(); done {
			continue
		}
		all.Go(func() {
			usage, err := e.runner.Stats()
			if err != nil {
				return // it does not run
			}
			a, _ := e.spec()
			for task, u := range usage.Tasks {
				labels := prometheus.Labels{
					"job": string(a.JobID), "task_group": a.TaskGroup, "alloc_id": string(a.ID), "task": task, "namespace": a.Namespace,
				}
				r := u.ResourceUsage
				gauge(out, "nomad_client_allocs_memory_usage", "Bytes.", labels, float64(r.MemoryStats.Usage))
				gauge(out, "nomad_client_allocs_memory_rss", "Bytes.", labels, float64(r.MemoryStats.RSS))
				gauge(out, "nomad_client_allocs_memory_max_usage", "Bytes.", labels, float64(r.MemoryStats.MaxUsage))
				gauge(out, "nomad_client_allocs_cpu_total_percent", "Percent of one core.", labels, r.CpuStats.Percent)
				gauge(out, "nomad_client_allocs_cpu_total_ticks", "MHz.", labels, r.CpuStats.TotalTicks)
			}
		})
	}
	all.Wait()
}

func with(labels prometheus.Labels, name, value string) prometheus.Labels {
	out := prometheus.Labels{name: value}
	for k, v := range labels {
		out[k] = v
	}
	return out
}
