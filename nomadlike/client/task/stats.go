package task

import (
	"context"
	"strconv"
	"sync"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/plugins/drivers"
)

const (
	measureEvery = time.Second
	// interest is how long a task is measured after somebody last asked. Nobody
	// asks about most tasks most of the time, and measuring is not free.
	interest = time.Minute
	// patient is how long the first measurement may take.
	patient = 2 * time.Second
)

// A meter measures a run while somebody is interested.
type meter struct {
	mu     sync.Mutex
	driver drivers.Stats
	id     string
	cancel context.CancelFunc // of the measuring; nil when there is none
	asked  time.Time
	last   *n.TaskUsage
	fresh  chan struct{} // closed at the first measurement
}

// use says which run to measure; none when d is nil.
func (m *meter) use(d drivers.Driver, id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.stop()
	m.driver, _ = d.(drivers.Stats)
	m.id = id
}

func (m *meter) close() { m.use(nil, "") }

func (m *meter) stop() {
	if m.cancel != nil {
		m.cancel()
	}
	m.cancel, m.last = nil, nil
}

// Usage returns what the task uses, or nil when it does not run or its driver
// can not tell.
func (r *Runner) Usage(ctx context.Context) *n.TaskUsage { return r.usage.read(ctx) }

func (m *meter) read(ctx context.Context) *n.TaskUsage {
	m.mu.Lock()
	m.asked = time.Now()
	if m.driver == nil {
		m.mu.Unlock()
		return nil
	}
	if m.cancel == nil {
		var run context.Context
		run, m.cancel = context.WithCancel(context.Background())
		m.fresh = make(chan struct{})
		go m.measure(run, m.driver, m.id, m.fresh)
	}
	fresh := m.fresh
	m.mu.Unlock()
	select {
	case <-fresh:
	case <-time.After(patient):
	case <-ctx.Done():
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.last
}

func (m *meter) measure(ctx context.Context, d drivers.Stats, id string, fresh chan struct{}) {
	var once sync.Once
	defer once.Do(func() { close(fresh) })
	usages, err := d.TaskStats(ctx, id, measureEvery)
	if err != nil {
		return
	}
	for u := range usages {
		m.mu.Lock()
		if ctx.Err() == nil {
			m.last = usage(u)
		}
		bored := time.Since(m.asked) > interest
		if bored && ctx.Err() == nil {
			m.stop()
		}
		m.mu.Unlock()
		once.Do(func() { close(fresh) })
	}
}

// usage translates a driver's measurement into the words of the API.
func usage(u drivers.Usage) *n.TaskUsage {
	out := &n.TaskUsage{ResourceUsage: resourceUsage(u), Timestamp: u.Time.UnixNano()}
	for pid, p := range u.Pids {
		if out.Pids == nil {
			out.Pids = map[string]*n.ResourceUsage{}
		}
		r := resourceUsage(p)
		out.Pids[strconv.Itoa(pid)] = &r
	}
	return out
}

func resourceUsage(u drivers.Usage) n.ResourceUsage {
	c, m := u.CPU, u.Memory
	return n.ResourceUsage{
		CpuStats: n.CPUStats{
			SystemMode: c.System, UserMode: c.User, Percent: c.Percent, TotalTicks: c.TotalTicks,
			ThrottledPeriods: c.ThrottledPeriods, ThrottledTime: c.ThrottledTime, Measured: c.Measured,
		},
		MemoryStats: n.MemoryStats{
			RSS: m.RSS, Cache: m.Cache, Swap: m.Swap, MappedFile: m.MappedFile, Usage: m.Usage, MaxUsage: m.MaxUsage,
			KernelUsage: m.KernelUsage, KernelMaxUsage: m.KernelMaxUsage, Measured: m.Measured,
		},
		DeviceStats: []n.Raw{},
	}
}
