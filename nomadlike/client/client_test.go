package client

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
	"github.com/nomadlike/nomadlike/nomadlike/client/journal"
	"github.com/nomadlike/nomadlike/nomadlike/errs"
	"github.com/nomadlike/nomadlike/nomadlike/rpc"
	"github.com/nomadlike/nomadlike/plugins/base"
	"github.com/nomadlike/nomadlike/plugins/drivers"
	"github.com/nomadlike/nomadlike/plugins/hclspec"
)

// A server calls the node through a tunnel that the client opens when asked.
func TestTunnel(t *testing.T) {
	run(t, func(t *testing.T, w *world, s *fakeServer, cl *Client) {
		stop := w.running(cl)
		settle(time.Second)
		a, _ := allocation("aaaaaaaa", 20)
		s.down <- assignment(20, a)
		s.down <- &n.SessionDown{Dial: 7}
		st := <-s.tunnels
		first, err := st.Recv()
		if err != nil || first.Dial != 7 {
			t.Fatal(first, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		conn, done := rpc.Tunnel(ctx, func(b []byte) error { return st.Send(&n.Tunnel{Data: b}) }, func() ([]byte, error) {
			m, err := st.Recv()
			if err != nil {
				return nil, err
			}
			return m.Data, nil
		})
		pool := rpc.NewPool(rpc.PoolOptions{Dial: onlyOnce(conn)})
		node := api.Remote(pool.To("node"))
		usage, err := api.Do(t.Context(), node, api.AllocStats, &n.AllocStatsRequest{AllocID: a.ID})
		if err != nil || usage.Value.Timestamp != 7 {
			t.Error(usage, err)
		}
		_, err = api.Do(t.Context(), node, api.AllocStats, &n.AllocStatsRequest{AllocID: "none"})
		if !errs.Is(err, errs.NotFound) || errs.Text(err) != `Unknown allocation "none"` {
			t.Error(err)
		}
		// Calls for servers are not answered.
		_, err = api.Do(t.Context(), node, api.StatusLeader, &n.ListRequest{})
		if !errs.Is(err, errs.Unsupported) {
			t.Error(err)
		}
		pool.Close()
		cancel()
		<-done
		stop()
	})
}

func TestLogsRequests(t *testing.T) {
	run(t, func(t *testing.T, w *world, s *fakeServer, cl *Client) {
		stop := w.running(cl)
		settle(time.Second)
		a, _ := allocation("aaaaaaaa", 20)
		s.down <- assignment(20, a)
		settle(time.Second)
		for _, c := range []struct {
			req  n.LogsRequest
			kind errs.Kind
			text string
		}{
			{n.LogsRequest{}, errs.Invalid, "must provide a valid alloc id"},
			{n.LogsRequest{AllocID: a.ID}, errs.Invalid, "must provide task name"},
			{n.LogsRequest{AllocID: a.ID, Task: "t", Type: "x"}, errs.Invalid, "must provide log type (stdout/stderr)"},
			{n.LogsRequest{AllocID: a.ID, Task: "t", Type: "stdout", Origin: "x"}, errs.Invalid, "origin must be start or end"},
			{n.LogsRequest{AllocID: "x", Task: "t", Type: "stdout"}, errs.NotFound, `Unknown allocation "x"`},
			{n.LogsRequest{AllocID: a.ID, Task: "x", Type: "stdout"}, errs.Invalid, `unknown task name "x"`},
			{n.LogsRequest{AllocID: a.ID, Task: "t", Type: "stdout"}, errs.NotFound, `task "t" not started yet. No logs available`},
		} {
			err := api.DoStream(t.Context(), cl.Handlers(), api.AllocLogs, &c.req, func(*n.StreamFrame) error { return nil })
			if !errs.Is(err, c.kind) || errs.Text(err) != c.text {
				t.Errorf("%+v: %v", c.req, err)
			}
		}
		now := time.Now()
		r := w.runner(a.ID)
		r.mu.Lock()
		r.tasks = map[string]*n.TaskState{"t": {State: n.TaskDead, StartedAt: &now}}
		r.mu.Unlock()
		dir := filepath.Join(r.dir, "alloc", "logs")
		if err := errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, "t.stdout.0"), []byte("hello\n"), 0o644)); err != nil {
			t.Fatal(err)
		}
		var text string
		err := api.DoStream(t.Context(), cl.Handlers(), api.AllocLogs, &n.LogsRequest{AllocID: a.ID, Task: "t", Type: "stdout"},
			func(f *n.StreamFrame) error { text += string(f.Data); return nil })
		if err != nil || text != "hello\n" {
			t.Errorf("%q %v", text, err)
		}
		stop()
	})
}

func TestHostStats(t *testing.T) {
	run(t, func(t *testing.T, _ *world, _ *fakeServer, cl *Client) {
		for range 2 {
			stats, err := api.Do(t.Context(), cl.Handlers(), api.ClientStats, &n.ClientStatsRequest{})
			if err != nil {
				t.Fatal(err)
			}
			v := stats.Value
			if v.Memory.Total == 0 || len(v.CPU) == 0 || v.AllocDirStats == nil || v.AllocDirStats.Size == 0 {
				t.Errorf("%+v", v)
			}
		}
		cl.pool.Close()
		_ = cl.journal.Close()
	})
}

func TestGarbage(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		s := serve(t, w.net, "server")
		cl := w.open(dir, func(c *Config) { c.Servers, c.GC.MaxAllocs = []string{s.addr}, 2 })
		stop := w.running(cl)
		settle(time.Second)
		var ids []n.AllocID
		add := func(id string, index uint64) *fakeRunner {
			a, _ := allocation(id, index)
			ids = append(ids, a.ID)
			s.down <- assignment(index, a)
			settle(time.Second)
			return w.runner(a.ID)
		}
		one, two, three := add("aaaaaaaa", 20), add("bbbbbbbb", 21), add("cccccccc", 22)
		equal(t, "running ones are kept", len(cl.allocs.all()), 3)

		// What servers have not heard of the end of stays.
		s.set(func() { s.deaf = true })
		two.become(n.ClientComplete)
		settle(time.Second)
		equal(t, "not acknowledged", two.isDestroyed(), false)
		s.set(func() { s.deaf = false })
		s.stop()
		s.set(func() { s.first = &n.Assignments{Full: true, Known: ids, Index: 22} })
		s.run(t, w.net, "server")
		settle(10 * time.Second)
		equal(t, "acknowledged", two.isDestroyed(), true)
		equal(t, "known", cl.allocs.known()[ids[1]], 21) // so it is not sent again

		// The oldest goes first, and no more than needed.
		three.become(n.ClientFailed)
		settle(time.Second)
		one.become(n.ClientComplete)
		settle(time.Second)
		equal(t, "within the limit", three.isDestroyed() || one.isDestroyed(), false)
		four := add("dddddddd", 30)
		equal(t, "older", three.isDestroyed(), true)
		equal(t, "newer", one.isDestroyed(), false)
		equal(t, "running", four.isDestroyed(), false)

		// What can not be removed is tried again.
		four.mu.Lock()
		four.fail = errors.New("device or resource busy")
		four.mu.Unlock()
		s.down <- &n.SessionDown{Assignments: &n.Assignments{Removed: ids[3:], Index: 31}}
		settle(time.Second)
		equal(t, "busy", cl.Has(ids[3]), true)
		four.mu.Lock()
		four.fail = nil
		four.mu.Unlock()
		settle(cl.config.GC.Interval)
		equal(t, "removed later", cl.Has(ids[3]), false)
		stop()
		s.stop()
	})
}

// What an earlier client left is there before any server is asked.
func TestRestore(t *testing.T) {
	dir := t.TempDir()
	a, job := allocation("aaaaaaaa", 20)
	b, _ := allocation("bbbbbbbb", 21)
	j, _, err := journal.Open(dir + "/client")
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(
		j.PutAlloc(&journal.Alloc{Alloc: a}, job),
		j.PutAlloc(&journal.Alloc{Alloc: b, Forgotten: true}, job),
		j.Close(),
		os.MkdirAll(dir+"/alloc/"+string(a.ID), 0o755),
		os.MkdirAll(dir+"/alloc/cccccccc-0000-4000-8000-000000000000", 0o755),
		os.MkdirAll(dir+"/alloc/mine", 0o755),
	)
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		s := serve(t, w.net, "server")
		s.stop()
		cl := w.open(dir, func(c *Config) { c.Servers = []string{s.addr} })
		stop := w.running(cl)
		settle(5 * time.Second)
		if w.was[a.ID] == nil || w.was[a.ID].Alloc.Alloc.AllocModifyIndex != 20 {
			t.Error("the runner was not given what is remembered")
		}
		equal(t, "forgotten one", w.runner(b.ID).isDestroyed(), true)
		for name, want := range map[string]bool{string(a.ID): true, "cccccccc-0000-4000-8000-000000000000": false, "mine": true} {
			_, err := os.Stat(filepath.Join(dir, "alloc", name))
			equal(t, name, err == nil, want)
		}
		select {
		case <-cl.contact:
			t.Error("a server is said to have been heard of")
		default:
		}
		// It is known to the server, which must hear how it is all the same.
		s.set(func() { s.first = &n.Assignments{Full: true, Known: []n.AllocID{a.ID}, Index: 25} })
		s.run(t, w.net, "server")
		settle(longestWait)
		equal(t, "known", s.hellos[0].Known[a.ID], 20)
		equals(t, "said", s.heard(a.ID), n.ClientPending)
		<-cl.contact
		stop()
		s.stop()
	})
}

func TestStopLeavesTasksAlone(t *testing.T) {
	run(t, func(t *testing.T, w *world, s *fakeServer, cl *Client) {
		stop := w.running(cl)
		settle(time.Second)
		a, _ := allocation("aaaaaaaa", 20)
		s.down <- assignment(20, a)
		settle(time.Second)
		w.runner(a.ID).become(n.ClientRunning)
		stop()
		equal(t, "destroyed", w.runner(a.ID).isDestroyed(), false)
		equal(t, "goodbyes", len(s.heartbeats), 0)
	})
}

func TestDevModeLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		s := serve(t, w.net, "server")
		cl := w.open(dir, func(c *Config) { c.Servers, c.DevMode = []string{s.addr}, true })
		stop := w.running(cl)
		settle(time.Second)
		a, _ := allocation("aaaaaaaa", 20)
		s.down <- assignment(20, a)
		settle(time.Second)
		w.runner(a.ID).become(n.ClientRunning)
		settle(time.Second)
		stop()
		equal(t, "destroyed", w.runner(a.ID).isDestroyed(), true)
		heard := s.heard(a.ID)
		equal(t, "last said", heard[len(heard)-1], n.ClientComplete)
		if len(s.heartbeats) != 1 || s.heartbeats[0].Status != n.NodeDown {
			t.Error("the servers were not told that the node leaves")
		}
		s.stop()
	})
}

// Without servers a dev client ends at once.
func TestDevModeAlone(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		cl := w.open(dir, func(c *Config) { c.DevMode = true })
		stop := w.running(cl)
		settle(time.Minute)
		begin := time.Now()
		stop()
		equal(t, "took", time.Since(begin), 0)
	})
}

func TestDamagedJournal(t *testing.T) {
	dir := t.TempDir()
	_ = os.MkdirAll(dir+"/client", 0o700)
	file := dir + "/client/state.db"
	if err := os.WriteFile(file, []byte(strings.Repeat("nonsense", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := New(Config{StateDir: dir + "/client", AllocDir: dir + "/alloc", Dial: onlyOnce(nil)})
	if err == nil || !strings.Contains(err.Error(), file) {
		t.Error(err)
	}
}

func TestOneClientPerDirectory(t *testing.T) {
	dir := t.TempDir()
	conf := Config{StateDir: dir + "/client", AllocDir: dir + "/alloc", Dial: onlyOnce(nil)}
	one, err := New(conf)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New(conf); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := one.Run(ctx); err != nil {
		t.Error(err)
	}
	two, err := New(conf)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "id", two.NodeID(), one.NodeID())
	_ = two.Run(ctx)
}

// A fakeDriver says of itself what the test sends.
type fakeDriver struct {
	drivers.Driver // the rest is never called
	name           string
	schema         *hclspec.Spec
	says           chan drivers.Fingerprint

	configs []*base.Config
}

func (d *fakeDriver) Info() base.Info             { return base.Info{Name: d.name} }
func (d *fakeDriver) ConfigSchema() *hclspec.Spec { return d.schema }

func (d *fakeDriver) SetConfig(_ context.Context, c *base.Config) error {
	copied := *c
	d.configs = append(d.configs, &copied)
	return nil
}

func (d *fakeDriver) Fingerprint(ctx context.Context) (<-chan drivers.Fingerprint, error) {
	out := make(chan drivers.Fingerprint)
	go func() {
		defer close(out)
		for {
			select {
			case f := <-d.says:
				if f.Description == "crash" {
					return
				}
				out <- f
			case <-ctx.Done():
				return
			}
		}
	}()
	return out, nil
}

func TestDriversTellOfThemselves(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		s := serve(t, w.net, "server")
		d := &fakeDriver{name: "fake", says: make(chan drivers.Fingerprint), schema: hclspec.NewObject(map[string]*hclspec.Spec{
			"enabled": hclspec.NewAttr("enabled", "bool"),
		})}
		denied := &fakeDriver{name: "denied"}
		cl := w.open(dir, func(c *Config) {
			c.Servers = []string{s.addr}
			c.Drivers = []Driver{{d, n.Raw(`{"enabled":true}`)}, {Driver: denied}}
			c.Options = map[string]string{"driver.denylist": "other, denied"}
		})
		if len(d.configs) != 2 || d.configs[0].Agent != nil || d.configs[1].Agent == nil || len(denied.configs) != 0 {
			t.Fatal("the driver was not configured")
		}
		agent := d.configs[1].Agent
		if info, err := os.Stat(agent.StateDir); err != nil || info.Mode().Perm() != 0o700 || agent.TotalCompute == 0 {
			t.Error(info, err, agent)
		}
		stop := w.running(cl)
		settle(time.Second)
		registers, _, _ := s.count()
		equal(t, "registrations before the driver has spoken", registers, 0)
		healthy := drivers.Fingerprint{
			Health: drivers.HealthHealthy, Description: drivers.HealthyDescription,
			Attributes: map[string]string{"driver.fake": "true", "driver.fake.version": "1", "driver.fake.gone": ""},
		}
		d.says <- healthy
		settle(10 * time.Second)
		last := func() *n.Node {
			s.mu.Lock()
			defer s.mu.Unlock()
			return s.registers[len(s.registers)-1].Node
		}
		node := last()
		equal(t, "attribute", node.Attributes["driver.fake"], "1")
		equal(t, "version", node.Attributes["driver.fake.version"], "1")
		equal(t, "in the map", node.Drivers["fake"].Attributes["driver.fake"], "true")
		equal(t, "healthy", node.Drivers["fake"].Healthy, true)
		equal(t, "denied", node.Drivers["denied"], nil)
		registers, _, _ = s.count()
		d.says <- healthy // again, which is no change
		settle(10 * time.Second)
		again, _, _ := s.count()
		equal(t, "registrations", again, registers)

		d.says <- drivers.Fingerprint{Health: drivers.HealthUnhealthy, Description: "broken"}
		settle(10 * time.Second)
		node = last()
		equal(t, "version", node.Attributes["driver.fake.version"], "")
		equal(t, "healthy", node.Drivers["fake"].Healthy, false)
		equal(t, "why", node.Drivers["fake"].HealthDescription, "broken")

		d.says <- drivers.Fingerprint{Description: "crash"}
		settle(10 * time.Second)
		equal(t, "detected", last().Drivers["fake"].Detected, false)
		equal(t, "attribute", last().Attributes["driver.fake"], "")
		d.says <- healthy // it was asked again
		settle(10 * time.Second)
		equal(t, "healthy", last().Drivers["fake"].Healthy, true)
		stop()
		s.stop()
	})
}

func TestBadDriverConfig(t *testing.T) {
	dir := t.TempDir()
	for config, driver := range map[string]*fakeDriver{
		`{"x":1}`: {name: "fake", schema: hclspec.NewObject(map[string]*hclspec.Spec{"enabled": hclspec.NewAttr("enabled", "bool")})},
		`{"y":1}`: {name: "fake"},
	} {
		_, err := New(Config{StateDir: dir + "/client", AllocDir: dir + "/alloc", Dial: onlyOnce(nil), Drivers: []Driver{{driver, n.Raw(config)}}})
		if err == nil || !strings.Contains(err.Error(), `plugin "fake"`) {
			t.Error(err)
		}
	}
}

func TestMetrics(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		s := serve(t, w.net, "server")
		registry := prometheus.NewRegistry()
		cl := w.open(dir, func(c *Config) {
			c.Servers, c.Metrics, c.NodeMetrics, c.AllocMetrics = []string{s.addr}, registry, true, true
		})
		stop := w.running(cl)
		settle(time.Second)
		a, _ := allocation("aaaaaaaa", 20)
		s.down <- assignment(20, a)
		settle(time.Second)
		w.runner(a.ID).become(n.ClientRunning)
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		values := map[string]float64{}
		for _, f := range families {
			values[f.GetName()] = f.Metric[0].Gauge.GetValue()
		}
		equal(t, "running", values["nomad_client_allocations_running"], 1)
		equal(t, "pending", values["nomad_client_allocations_pending"], 0)
		equal(t, "memory of the task", values["nomad_client_allocs_memory_rss"], 42)
		if values["nomad_client_host_memory_total"] == 0 {
			t.Error("the host was not measured")
		}
		stop()
		s.stop()
	})
}

func TestEnviron(t *testing.T) {
	t.Setenv("NOMAD_TOKEN", "secret")
	t.Setenv("MINE", "a=b")
	env := (&Config{}).environ()
	equal(t, "shown", env["MINE"], "a=b")
	equal(t, "hidden", env["NOMAD_TOKEN"], "")
	env = (&Config{Options: map[string]string{"env.denylist": "MINE"}}).environ()
	equal(t, "hidden", env["MINE"], "")
	equal(t, "shown", env["NOMAD_TOKEN"], "secret")
}
