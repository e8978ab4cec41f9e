package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"syscall"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
)

// A story is what is done with a cluster, and measured.
type story struct {
	*options
	cluster  *cluster
	fleet    *fleet
	profiles sync.WaitGroup // that are being recorded
}

// record writes down what the first server's processors do.
func (s *story) record(ctx context.Context, file string, seconds int) {
	if err := s.cluster.servers[0].profile(ctx, s.profile, file, fmt.Sprint("profile?seconds=", seconds)); err != nil {
		fmt.Println("no profile:", err)
	}
}

// register makes the nodes known.
func (s *story) register(ctx context.Context) error {
	before, err := s.cluster.used()
	if err != nil {
		return err
	}
	began := time.Now()
	if err := s.fleet.begin(ctx); err != nil {
		return err
	}
	took := time.Since(began)
	after, err := s.cluster.used()
	if err != nil {
		return err
	}
	fmt.Printf("%d nodes registered in %.2f s, server CPU %.2f s, resident %d MiB\n", s.nodes, took.Seconds(), (after.cpu - before.cpu).Seconds(), after.resident>>10)
	return nil
}

// rest watches servers that have nothing to do.
func (s *story) rest(ctx context.Context, what string) error {
	const settle, watch = 5 * time.Second, time.Minute
	if err := pause(ctx, settle); err != nil {
		return err
	}
	before, err := s.cluster.used()
	if err != nil {
		return err
	}
	if s.profile != "" {
		s.profiles.Go(func() { s.record(ctx, "idle.prof", 55) })
	}
	if err := pause(ctx, watch); err != nil {
		return err
	}
	after, err := s.cluster.used()
	if err != nil {
		return err
	}
	cpu := after.cpu - before.cpu
	fmt.Printf("%s: server CPU %.2f s in a minute, %.1f%% of a core, resident %d MiB\n", what, cpu.Seconds(), cpu.Seconds()/watch.Seconds()*100, after.resident>>10)
	return nil
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// job asks for the figures' allocations.
func job(number, count int) *n.Job {
	j := &n.Job{}
	d := n.Defaults{JobType: n.JobTypeService}
	d.Fill(j)
	j.ID = n.JobID(fmt.Sprintf("scale-%04d", number))
	j.Name, j.Datacenters = string(j.ID), []string{"dc1", "dc2", "dc3"}
	g := n.Group{}
	d.Job = j
	d.Fill(&g)
	g.Name, g.Count, g.EphemeralDisk.SizeMB = "g", count, 10
	g.Update.MaxParallel = 0 // no deployment
	g.Tasks = []n.Task{{
		Name: "t", Driver: "raw_exec", Config: rawConfig, Resources: &n.Resources{CPU: 10, MemoryMB: 10},
		LogConfig: &n.LogConfig{MaxFiles: 1, MaxFileSizeMB: 1}, RestartPolicy: g.RestartPolicy,
	}}
	j.TaskGroups = []n.Group{g}
	return j
}

var rawConfig = func() n.Raw {
	raw, err := n.NewRaw(map[string]string{"command": "/bin/true"})
	if err != nil {
		panic(err)
	}
	return raw
}()

// load places the allocations and waits until all run.
func (s *story) load(ctx context.Context) error {
	leader := s.cluster.servers[0]
	heapBefore, err := leader.heap(ctx)
	if err != nil {
		return err
	}
	if err := s.cluster.forgetPeak(); err != nil {
		return err
	}
	before, err := s.cluster.used()
	if err != nil {
		return err
	}
	if s.profile != "" {
		s.profiles.Go(func() { s.record(ctx, "load.prof", s.seconds) })
	}
	own := ownCPU()
	began := time.Now()
	counts, err := s.submit(ctx)
	if err != nil {
		return err
	}
	if err := s.all(ctx, counts, func(g *n.GroupSummary) int { return g.Running + g.Starting }); err != nil {
		return err
	}
	placed := time.Since(began)
	atPlaced, err := s.cluster.used()
	if err != nil {
		return err
	}
	if err := s.all(ctx, counts, func(g *n.GroupSummary) int { return g.Running }); err != nil {
		return err
	}
	running := time.Since(began)
	after, err := s.cluster.used()
	if err != nil {
		return err
	}
	rate := func(d time.Duration) float64 { return float64(s.allocs) / d.Seconds() }
	fmt.Printf("%d allocations in %d jobs placed in %.2f s (%.0f a second), running in %.2f s (%.0f a second)\n", s.allocs, len(counts), placed.Seconds(), rate(placed), running.Seconds(), rate(running))
	fmt.Printf("server CPU %.2f s to placed, %.2f s to running; nodes' CPU %.2f s; peak %d MiB (resident before: %d MiB)\n",
		(atPlaced.cpu - before.cpu).Seconds(), (after.cpu - before.cpu).Seconds(), (ownCPU() - own).Seconds(), after.peak>>10, before.resident>>10)
	heapAfter, err := leader.heap(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("server heap %d MiB before, %d MiB after: %d bytes an allocation; sessions lost: %d\n",
		heapBefore>>20, heapAfter>>20, (heapAfter-heapBefore)/int64(s.allocs), s.fleet.lost.Load())
	if s.profile != "" {
		return leader.profile(ctx, s.profile, "heap.prof", "heap?gc=1")
	}
	return nil
}

// submit registers the jobs and returns the count of each.
func (s *story) submit(ctx context.Context) (map[n.JobID]int, error) {
	counts := map[n.JobID]int{}
	for left := s.allocs; left > 0; left -= s.perJob {
		j := job(len(counts), min(left, s.perJob))
		if _, err := api.Do(ctx, s.cluster.user(), api.JobRegister, &n.JobRegister{JobID: j.ID, Job: j}); err != nil {
			return nil, err
		}
		counts[j.ID] = j.TaskGroups[0].Count
	}
	return counts, nil
}

// all waits until each job has as many allocations as it should, by what counts.
func (s *story) all(ctx context.Context, counts map[n.JobID]int, have func(*n.GroupSummary) int) error {
	for _, id := range slices.Sorted(maps.Keys(counts)) {
		err := eventually(ctx, 20*time.Millisecond, func() (bool, error) {
			reply, err := api.Do(ctx, s.cluster.user(), api.JobSummary, &n.JobQuery{JobID: id})
			if err != nil {
				return false, err
			}
			g := reply.Value.Summary["g"]
			return g != nil && have(g) >= counts[id], nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// readLog shows what the log of the first server holds.
func (s *story) readLog() error {
	all, first, err := kinds(s.cluster.servers[0].dir)
	if err != nil {
		return err
	}
	for _, kind := range slices.Sorted(maps.Keys(all)) {
		l := all[kind]
		fmt.Printf("log entries of kind %d: %d, %d bytes", kind, l.entries, l.bytes)
		if (kind == kindPlan || kind == kindUpdate) && s.allocs > 0 {
			fmt.Printf(", %d bytes an allocation", l.bytes/int64(s.allocs))
		}
		fmt.Println()
	}
	if first > 1 {
		fmt.Printf("the log begins at entry %d, after a snapshot: bytes an allocation are too low\n", first)
	}
	return nil
}

// Kinds of entries, of which nomadlike/server/state makes the list.
const (
	kindPlan   = 20
	kindUpdate = 21
)

func ownCPU() time.Duration {
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &r) != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
