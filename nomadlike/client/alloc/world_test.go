package alloc_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/client/alloc"
	"github.com/nomadlike/nomadlike/nomadlike/client/journal"
	"github.com/nomadlike/nomadlike/nomadlike/client/task"
	"github.com/nomadlike/nomadlike/plugins/drivers"
)

const id = n.AllocID("11111111-2222-4333-8444-555555555555")

// An agent runs an allocation until it is done, or dies.
type agent struct {
	*world
	journal *journal.Journal
	runner  *alloc.Runner
	cancel  context.CancelFunc
	over    chan error // what Run returned

	mu      sync.Mutex
	crashAt int // the number of the operation at which it dies; 0: it does not
	flush   bool
	ops     []string
	killed  bool
	seen    []n.ClientStatus // what was observed at each change
}

// op is something that reaches out of the agent. It reports that the agent is
// dead and may not.
func (a *agent) op(what string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.killed {
		return true
	}
	a.ops = append(a.ops, what)
	if len(a.ops) == a.crashAt {
		a.die(a.flush)
	}
	return a.killed
}

func (a *agent) dead() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.killed
}

// die is a crash: what is not written down is lost, unless flush is set. The
// caller holds mu.
func (a *agent) die(flush bool) {
	a.killed = true
	if flush {
		_ = a.journal.Sync()
	}
	_ = a.journal.Abandon()
	a.cancel()
}

// A world is a machine with agents, one after the other, and what the servers
// want.
type world struct {
	*machine
	dir   string
	hooks []alloc.Hook
	tasks []task.Hook
	host  func(*alloc.Host) // last changes

	mu    sync.Mutex
	alloc *n.Allocation
	job   *n.Job
	now   *agent
}

// service makes a job of one group.
func service(tasks ...n.Task) *n.Job {
	return &n.Job{ID: "job", Name: "job", Namespace: "default", Type: n.JobTypeService, TaskGroups: []n.Group{{Name: "g", Tasks: tasks}}}
}

func batch(tasks ...n.Task) *n.Job {
	j := service(tasks...)
	j.Type = n.JobTypeBatch
	return j
}

func mainTask(name string) n.Task {
	return n.Task{
		Name: name, Driver: "fake", KillTimeout: 5 * time.Second,
		RestartPolicy: &n.Restart{Attempts: 2, Interval: 30 * time.Minute, Delay: 15 * time.Second, Mode: n.RestartModeFail},
	}
}

func with(t n.Task, change ...func(*n.Task)) n.Task {
	for _, c := range change {
		c(&t)
	}
	return t
}

func hooked(name, hook string, sidecar bool) n.Task {
	return with(mainTask(name), func(t *n.Task) { t.Lifecycle = &n.Lifecycle{Hook: hook, Sidecar: sidecar} })
}

func leader(t *n.Task)    { t.Leader = true }
func noRestart(t *n.Task) { t.RestartPolicy = &n.Restart{Mode: n.RestartModeFail} }

func newWorld(t *testing.T, job *n.Job, plans map[string][]plan) *world {
	dir := t.TempDir()
	return &world{
		machine: newMachine(t, plans), dir: dir, job: job, hooks: []alloc.Hook{&directory{root: filepath.Join(dir, "alloc")}},
		alloc: &n.Allocation{
			ID: id, Namespace: "default", Name: "job.g[0]", JobID: job.ID, TaskGroup: "g", NodeID: "node",
			DesiredStatus: n.DesiredRun, ClientStatus: n.ClientPending, AllocModifyIndex: 1, CreateTime: time.Now().UnixNano(),
		},
	}
}

// directory is a hook that makes and removes a directory.
type directory struct {
	root string
	fail error
}

func (*directory) Name() string { return "directory" }

func (d *directory) Prerun(_ context.Context, _ *n.Job, _ *n.Group, a *n.Allocation) error {
	if d.fail != nil {
		return d.fail
	}
	return os.MkdirAll(filepath.Join(d.root, string(a.ID)), 0o700)
}

func (d *directory) Destroy(_ context.Context, a *n.Allocation) error {
	return os.RemoveAll(filepath.Join(d.root, string(a.ID)))
}

// watched is a journal that agents can die at.
type watched struct {
	*journal.Journal
	a *agent
}

func (w watched) PutAlloc(a *journal.Alloc, job *n.Job) error {
	if w.a.op("PutAlloc") {
		return nil
	}
	return w.Journal.PutAlloc(a, job)
}

func (w watched) PutTask(id n.AllocID, name string, t *journal.Task) error {
	if w.a.op("PutTask") {
		return nil
	}
	return w.Journal.PutTask(id, name, t)
}

func (w watched) Sync() error {
	if w.a.op("Sync") {
		return journal.ErrClosed
	}
	err := w.Journal.Sync()
	if w.a.op("Sync done") {
		return journal.ErrClosed
	}
	return err
}

// remembered reports whether the journal knows the allocation, when no agent runs.
func (w *world) remembered() bool {
	w.Helper()
	j, all, err := journal.Open(filepath.Join(w.dir, "client"))
	if err != nil {
		w.Fatal(err)
	}
	defer j.Close()
	return len(all) > 0
}

// start starts an agent.
func (w *world) start(change func(*agent)) *agent {
	w.Helper()
	j, all, err := journal.Open(filepath.Join(w.dir, "client"))
	if err != nil {
		w.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	a := &agent{world: w, journal: j, cancel: cancel, over: make(chan error, 1)}
	if change != nil {
		change(a)
	}
	contact := make(chan struct{})
	close(contact)
	d := &driver{m: w.machine, agent: a}
	log := hclog.New(&hclog.LoggerOptions{Level: hclog.Error, Output: testLog{w.T}})
	if testing.Verbose() {
		log.SetLevel(hclog.Debug)
	}
	h := &alloc.Host{
		Tasks: task.Host{
			Node: func() *n.Node { return &n.Node{ID: "node"} }, Region: "global", AllocDir: filepath.Join(w.dir, "alloc"),
			Driver: func(name string) (drivers.Driver, bool) { return d, name == "fake" },
			Hooks:  w.tasks, Journal: watched{j, a}, Contact: contact, Logger: log,
		},
		Hooks: w.hooks, Journal: watched{j, a}, Logger: log, Changed: a.changed,
	}
	if w.host != nil {
		w.host(h)
	}
	w.mu.Lock()
	if len(all) > 0 {
		was := all[0]
		a.runner = alloc.New(h, was.Alloc.Alloc, was.Job, was)
		a.runner.Update(w.alloc, w.job)
	} else {
		a.runner = alloc.New(h, w.alloc, w.job, nil)
	}
	w.now = a
	w.mu.Unlock()
	go func() { a.over <- a.runner.Run(ctx) }()
	return a
}

func (a *agent) changed(n.AllocID) {
	if a.runner == nil {
		return
	}
	status := a.runner.Observed().ClientStatus
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.seen) == 0 || a.seen[len(a.seen)-1] != status {
		a.seen = append(a.seen, status)
	}
}

// leave ends an agent in good order, tasks go on.
func (a *agent) leave() {
	a.cancel()
	if err := <-a.over; !errors.Is(err, context.Canceled) {
		a.Errorf("Run returned %v", err)
	}
	if err := a.journal.Close(); err != nil {
		a.Error(err)
	}
}

// finish waits for the allocation's end, removes it and looks whether anything is
// left.
func (a *agent) finish() n.AllocUpdate {
	a.Helper()
	select {
	case err := <-a.over:
		if err != nil {
			a.Errorf("Run: %v", err)
		}
	case <-time.After(24 * time.Hour):
		a.Fatalf("the allocation does not end: %v, %v", a.runner.Observed(), a.story())
	}
	last := a.runner.Observed()
	for name, s := range last.TaskStates {
		if s.State != n.TaskDead || s.FinishedAt == nil {
			a.Errorf("at the end %s is %+v", name, s)
		}
	}
	a.destroy()
	return last
}

// destroy removes the allocation and looks whether anything is left.
func (a *agent) destroy() {
	a.Helper()
	if err := a.runner.Destroy(); err != nil {
		a.Error(err)
	}
	a.runner.Update(a.alloc, a.job) // too late to matter
	if left := a.left(); left != 0 {
		a.Errorf("%d processes are left: %v", left, a.story())
	}
	if _, err := os.Stat(a.runner.Dir()); !os.IsNotExist(err) {
		a.Errorf("the directory is left: %v", err)
	}
	if err := a.journal.Close(); err != nil {
		a.Error(err)
	}
	j, all, err := journal.Open(filepath.Join(a.dir, "client"))
	if err != nil || len(all) != 0 {
		a.Errorf("the journal still knows %d allocations: %v", len(all), err)
	}
	_ = j.Close()
}

// want changes what the servers want, and tells the agent.
func (w *world) want(change func(*n.Allocation, *n.Job)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	a, job := *w.alloc, *w.job
	job.TaskGroups = slices.Clone(job.TaskGroups)
	for i := range job.TaskGroups {
		job.TaskGroups[i].Tasks = slices.Clone(job.TaskGroups[i].Tasks)
	}
	change(&a, &job)
	a.AllocModifyIndex++
	w.alloc, w.job = &a, &job
	if w.now != nil {
		w.now.runner.Update(&a, &job)
	}
}

func stop(a *n.Allocation, _ *n.Job) { a.DesiredStatus = n.DesiredStop }

// saw checks what happened on the machine, in order.
func (w *world) saw(want string) {
	w.Helper()
	if have := strings.Join(w.story(), " "); have != want {
		w.Errorf("have %s\nwant %s", have, want)
	}
}

// events are the types of a task's events.
func (a *agent) events(name string) string {
	var out []string
	for _, e := range a.runner.Observed().TaskStates[name].Events {
		out = append(out, e.Type)
	}
	return strings.Join(out, ", ")
}

// settle lets time pass and everything happen that follows.
func settle(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

type testLog struct{ t *testing.T }

func (l testLog) Write(b []byte) (int, error) {
	l.t.Logf("%s %s", time.Now().Format("04:05.000"), b[:max(len(b)-1, 0)])
	return len(b), nil
}

func equal[T comparable](t interface {
	Helper()
	Errorf(string, ...any)
}, what string, have, want T) {
	t.Helper()
	if have != want {
		t.Errorf("%s: have %v, want %v", what, have, want)
	}
}
