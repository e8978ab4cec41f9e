// Command scale measures what whole servers can place: it starts agents of the
// real binary as servers, each a process of its own with its log on disk, plays
// the clients of many nodes towards them over RPC, registers jobs, and prints how
// long placing and starting took and what it cost. See docs/figures.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

// options are the command line.
type options struct {
	binary  string
	dir     string
	nodes   int
	allocs  int
	perJob  int
	servers int
	sockets int
	idle    bool
	profile string
	seconds int
}

func main() {
	var o options
	flag.StringVar(&o.binary, "binary", "bin/nomadlike", "the agent to measure")
	flag.StringVar(&o.dir, "data", "", "directory for logs and snapshots of the servers; should be on a disk. Default: a new one beside the binary, removed at the end")
	flag.IntVar(&o.nodes, "nodes", 1000, "nodes that are played")
	flag.IntVar(&o.allocs, "allocs", 10_000, "allocations to place, in jobs of -per-job")
	flag.IntVar(&o.perJob, "per-job", 10_000, "allocations of one job")
	flag.IntVar(&o.servers, "servers", 1, "servers in the cluster")
	flag.IntVar(&o.sockets, "sockets", 8, "connections that the nodes share")
	flag.BoolVar(&o.idle, "idle", false, "place nothing: watch the servers for a minute when all nodes are registered, and again after the allocations, if -allocs is not 0")
	flag.StringVar(&o.profile, "profile", "", "write profiles of the first server, for go tool pprof, to this directory")
	flag.IntVar(&o.seconds, "profile-seconds", 10, "how long the processor's profile lasts")
	flag.Usage = func() {
		fmt.Fprintf(flag.CommandLine.Output(), "Usage: scale [options]\n\n  scale -nodes 5000 -allocs 100000\n  scale -nodes 5000 -allocs 0 -idle\n\n")
		flag.PrintDefaults()
	}
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, &o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "scale:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o *options) (err error) {
	if o.nodes < 1 || o.perJob < 1 || o.allocs < 0 || o.servers < 1 || o.sockets < 1 {
		return errors.New("-nodes, -per-job, -servers and -sockets must be at least 1, -allocs at least 0")
	}
	if o.dir == "" {
		if o.dir, err = os.MkdirTemp(filepath.Dir(o.binary), "scale-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(o.dir)) }()
	}
	if o.dir, err = filepath.Abs(o.dir); err != nil {
		return err
	}
	c, err := startCluster(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	f := newFleet(c, o)
	defer f.close()
	s := &story{options: o, cluster: c, fleet: f}
	if err := s.register(ctx); err != nil {
		return err
	}
	if o.idle {
		if err := s.rest(ctx, "idle"); err != nil {
			return err
		}
	}
	if o.allocs > 0 {
		if err := s.load(ctx); err != nil {
			return err
		}
		if o.idle {
			if err := s.rest(ctx, "idle, with allocations"); err != nil {
				return err
			}
		}
	}
	s.profiles.Wait()
	f.close()
	if err := c.stop(); err != nil {
		return err
	}
	return s.readLog()
}

// eventually waits until try succeeds.
func eventually(ctx context.Context, every time.Duration, try func() (bool, error)) error {
	for {
		ok, err := try()
		if ok || err != nil {
			return err
		}
		select {
		case <-time.After(every):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
