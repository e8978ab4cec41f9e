package docker

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/nomadlike/nomadlike/plugins/drivers"
)

// What is measured, as the API names it.
var (
	measuredCPU      = []string{"Throttled Periods", "Throttled Time", "Percent", "System Mode", "User Mode"}
	measuredMemoryV1 = []string{"RSS", "Cache", "Swap", "Usage", "Max Usage"}
	measuredMemoryV2 = []string{"RSS", "Cache", "Usage"}
	measuredWindows  = []string{"RSS", "Usage", "Max Usage"}
)

// TaskStats measures a container.
func (d *Driver) TaskStats(ctx context.Context, id string, interval time.Duration) (<-chan drivers.Usage, error) {
	t, err := d.task(id)
	if err != nil {
		return nil, err
	}
	if interval <= 0 {
		return nil, fmt.Errorf("interval %s must be positive", interval)
	}
	engine, err := d.facts(ctx)
	if err != nil {
		return nil, err
	}
	_, agent, err := d.current()
	if err != nil {
		return nil, err
	}
	mhz := float64(agent.TotalCompute) / float64(max(engine.CPUs, 1))
	out := make(chan drivers.Usage)
	go func() {
		defer close(out)
		d.measure(ctx, t, interval, mhz, out)
	}()
	return out, nil
}

func (d *Driver) measure(ctx context.Context, t *task, interval time.Duration, mhz float64, out chan<- drivers.Usage) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	var last *container.StatsResponse
	for {
		now, err := d.sample(ctx, t.container)
		if err == nil {
			u := usage(now, last, mhz)
			last = now
			select {
			case out <- u:
			case <-t.exited:
				return
			case <-ctx.Done():
				return
			}
		}
		select {
		case <-ticker.C:
		case <-t.exited:
			return
		case <-ctx.Done():
			return
		}
	}
}

// sampleTime bounds a measurement, which old engines take a second or two for.
const sampleTime = 30 * time.Second

func (d *Driver) sample(ctx context.Context, id string) (*container.StatsResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, sampleTime)
	defer cancel()
	r, err := d.client.Load().ContainerStats(ctx, id, client.ContainerStatsOptions{})
	if err != nil {
		return nil, err
	}
	defer r.Body.Close()
	var s container.StatsResponse
	if err := json.NewDecoder(r.Body).Decode(&s); err != nil {
		return nil, err
	}
	if s.Read.IsZero() || s.Read.Year() <= 1 {
		return nil, fmt.Errorf("container %s does not run", id)
	}
	return &s, nil
}

// usage is computed from one measurement to the next; the first, without last,
// has no CPU use.
func usage(now, last *container.StatsResponse, mhz float64) drivers.Usage {
	u := drivers.Usage{Time: now.Read, CPU: drivers.CPUUsage{
		ThrottledPeriods: now.CPUStats.ThrottlingData.ThrottledPeriods,
		ThrottledTime:    now.CPUStats.ThrottlingData.ThrottledTime,
		Measured:         measuredCPU,
	}}
	if last != nil {
		unit := time.Nanosecond
		if now.OSType == windows {
			unit = 100 * time.Nanosecond
		}
		percent := func(now, before uint64, elapsed time.Duration) float64 {
			if elapsed <= 0 || now < before {
				return 0
			}
			return 100 * float64(now-before) * float64(unit) / float64(elapsed)
		}
		elapsed := now.Read.Sub(last.Read)
		a, b := now.CPUStats.CPUUsage, last.CPUStats.CPUUsage
		u.CPU.Percent = percent(a.TotalUsage, b.TotalUsage, elapsed)
		u.CPU.System = percent(a.UsageInKernelmode, b.UsageInKernelmode, elapsed)
		u.CPU.User = percent(a.UsageInUsermode, b.UsageInUsermode, elapsed)
		u.CPU.TotalTicks = u.CPU.Percent / 100 * mhz
	}
	u.Memory = memoryUsage(now)
	return u
}

func memoryUsage(s *container.StatsResponse) drivers.MemoryUsage {
	m := &s.MemoryStats
	if s.OSType == windows || m.PrivateWorkingSet > 0 {
		return drivers.MemoryUsage{RSS: m.PrivateWorkingSet, Usage: m.Commit, MaxUsage: m.CommitPeak, Measured: measuredWindows}
	}
	if _, v1 := m.Stats["total_rss"]; v1 {
		return drivers.MemoryUsage{
			RSS: m.Stats["total_rss"], Cache: m.Stats["total_cache"], Swap: m.Stats["total_swap"], MappedFile: m.Stats["total_mapped_file"],
			Usage: m.Usage, MaxUsage: m.MaxUsage, Measured: measuredMemoryV1,
		}
	}
	return drivers.MemoryUsage{
		RSS: m.Stats["anon"], Cache: m.Stats["file"], MappedFile: m.Stats["file_mapped"], Usage: m.Usage, Measured: measuredMemoryV2,
	}
}
