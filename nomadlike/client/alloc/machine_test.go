package alloc_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/nomadlike/nomadlike/plugins/base"
	"github.com/nomadlike/nomadlike/plugins/drivers"
	"github.com/nomadlike/nomadlike/plugins/hclspec"
)

// A plan says how one run of a task goes.
type plan struct {
	lasts  time.Duration // 0: until it is stopped
	exit   int
	fails  error         // of its start
	begins time.Duration // how long its start takes
	ends   time.Duration // how long it takes to obey a signal
	sticks int           // how often it can not be stopped
}

// A machine holds processes, which live on when an agent dies.
type machine struct {
	*testing.T
	began time.Time

	mu     sync.Mutex
	plans  map[string][]plan // by task; the last one goes on
	runs   map[string]int    // by task: processes begun
	procs  map[string]*proc  // by id, until destroyed
	never  map[string]bool   // ids that must not start any more
	starts map[string]bool   // ids that are starting
	log    []string
	stuck  map[string]int // by task: how often stopping has failed
}

type proc struct {
	id, task string
	plan     plan
	exit     chan struct{} // closed at the end
	result   drivers.ExitResult
	env      map[string]string
}

func newMachine(t *testing.T, plans map[string][]plan) *machine {
	return &machine{T: t, began: time.Now(), plans: plans, runs: map[string]int{}, procs: map[string]*proc{}, never: map[string]bool{}, starts: map[string]bool{}, stuck: map[string]int{}}
}

// tell notes what happened; the caller holds mu.
func (m *machine) tell(format string, args ...any) {
	m.log = append(m.log, fmt.Sprintf(format, args...))
}

func (m *machine) story() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.log)
}

// alive are the tasks that run.
func (m *machine) alive() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []string
	for _, p := range m.procs {
		if p.runs() {
			out = append(out, p.task)
		}
	}
	slices.Sort(out)
	return out
}

func (m *machine) count(task string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.runs[task]
}

// left are the processes that nobody has destroyed.
func (m *machine) left() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.procs)
}

func (p *proc) runs() bool {
	select {
	case <-p.exit:
		return false
	default:
		return true
	}
}

// planOf is that of the next run; the caller holds mu.
func (m *machine) planOf(task string) plan {
	all := m.plans[task]
	if len(all) == 0 {
		return plan{}
	}
	return all[min(m.runs[task], len(all)-1)]
}

// begin begins a process; the caller holds mu.
func (m *machine) begin(t *drivers.TaskConfig, p plan) {
	for _, other := range m.procs {
		if other.task == t.Name && other.runs() {
			m.Errorf("%s is started while it runs", t.Name)
		}
	}
	pr := &proc{id: t.ID, task: t.Name, plan: p, exit: make(chan struct{}), env: t.Env}
	m.runs[t.Name]++
	m.procs[t.ID] = pr
	m.tell("%s+", t.Name)
	if p.lasts > 0 {
		time.AfterFunc(p.lasts, func() { m.end(pr, p.exit, 0) })
	}
}

func (m *machine) end(p *proc, code, signal int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !p.runs() {
		return
	}
	p.result = drivers.ExitResult{ExitCode: code, Signal: signal}
	m.tell("%s-%d", p.task, code)
	close(p.exit)
}

// crash ends the process of a task as if by itself.
func (m *machine) crash(task string, code int) {
	m.mu.Lock()
	var found *proc
	for _, p := range m.procs {
		if p.task == task && p.runs() {
			found = p
		}
	}
	m.mu.Unlock()
	if found == nil {
		m.Errorf("%s does not run", task)
		return
	}
	m.end(found, code, 0)
}

// A driver is one agent's access to the machine.
type driver struct {
	m     *machine
	agent *agent
	known sync.Map // ids started or recovered through it
}

var errDead = errors.New("the agent is dead")

func (d *driver) Info() base.Info                                       { return base.Info{Name: "fake"} }
func (d *driver) ConfigSchema() *hclspec.Spec                           { return nil }
func (d *driver) SetConfig(context.Context, *base.Config) error         { return nil }
func (d *driver) TaskConfigSchema() *hclspec.Spec                       { return hclspec.NewObject(nil) }
func (d *driver) SignalTask(_ context.Context, id, signal string) error { return d.signal(id, signal) }

func (d *driver) Capabilities() drivers.Capabilities {
	return drivers.Capabilities{SendSignals: true, WritesLogs: true, Exec: true}
}

func (d *driver) Fingerprint(context.Context) (<-chan drivers.Fingerprint, error) {
	return nil, errors.New("not asked here")
}

func (d *driver) find(id string) (*proc, error) {
	if _, ok := d.known.Load(id); !ok {
		return nil, drivers.ErrTaskNotFound
	}
	d.m.mu.Lock()
	defer d.m.mu.Unlock()
	if p := d.m.procs[id]; p != nil {
		return p, nil
	}
	return nil, drivers.ErrTaskNotFound
}

func (d *driver) StartTask(ctx context.Context, t *drivers.TaskConfig) (*drivers.TaskHandle, *drivers.NetworkOverride, error) {
	if d.agent.op("StartTask") {
		return nil, nil, errDead
	}
	d.m.mu.Lock()
	p := d.m.planOf(t.Name)
	d.m.mu.Unlock()
	if p.begins > 0 {
		select {
		case <-time.After(p.begins):
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		}
	}
	if d.agent.dead() {
		return nil, nil, errDead
	}
	d.m.mu.Lock()
	if p.fails != nil {
		d.m.runs[t.Name]++
		d.m.tell("%s!", t.Name)
		d.m.mu.Unlock()
		return nil, nil, p.fails
	}
	if d.m.never[t.ID] {
		d.m.Errorf("%s is started after it was said that it never would be", t.ID)
	}
	d.m.begin(t, p)
	d.m.mu.Unlock()
	d.known.Store(t.ID, true)
	if d.agent.op("StartTask done") {
		return nil, nil, errDead
	}
	return &drivers.TaskHandle{Version: 1, State: drivers.TaskRunning, DriverState: []byte(t.ID)}, nil, nil
}

func (d *driver) RecoverTask(_ context.Context, h *drivers.TaskHandle) error {
	if d.agent.op("RecoverTask") {
		return errDead
	}
	d.m.mu.Lock()
	defer d.m.mu.Unlock()
	id := h.Config.ID
	p := d.m.procs[id]
	if h.State != drivers.TaskUnknown && string(h.DriverState) != id {
		d.m.Errorf("the handle of %s holds %q", id, h.DriverState)
	}
	if p == nil {
		d.m.never[id] = true
		return drivers.ErrTaskNotFound
	}
	h.State, h.DriverState = drivers.TaskRunning, []byte(id)
	d.known.Store(id, true)
	return nil
}

func (d *driver) WaitTask(ctx context.Context, id string) (drivers.ExitResult, error) {
	p, err := d.find(id)
	if err != nil {
		return drivers.ExitResult{}, err
	}
	select {
	case <-p.exit:
		return p.result, nil
	case <-ctx.Done():
		return drivers.ExitResult{}, ctx.Err()
	}
}

func (d *driver) StopTask(ctx context.Context, id string, timeout time.Duration, signal string) error {
	if d.agent.op("StopTask") {
		return errDead
	}
	p, err := d.find(id)
	if err != nil {
		return err
	}
	d.m.mu.Lock()
	if d.m.stuck[p.task] < p.plan.sticks {
		d.m.stuck[p.task]++
		d.m.mu.Unlock()
		return errors.New("it sticks")
	}
	if p.runs() {
		d.m.tell("%s.", p.task) // told to end
	}
	d.m.mu.Unlock()
	time.AfterFunc(min(p.plan.ends, timeout), func() {
		code, sig := 0, 0
		if p.plan.ends > timeout {
			code, sig = 137, 9
		}
		d.m.end(p, code, sig)
	})
	select {
	case <-p.exit:
	case <-ctx.Done():
		return ctx.Err()
	}
	if d.agent.op("StopTask done") {
		return errDead
	}
	return nil
}

func (d *driver) DestroyTask(_ context.Context, id string, force bool) error {
	if d.agent.op("DestroyTask") {
		return errDead
	}
	p, err := d.find(id)
	if err != nil {
		return err
	}
	if p.runs() {
		if !force {
			return errors.New("it runs")
		}
		d.m.end(p, 137, 9)
	}
	d.m.mu.Lock()
	delete(d.m.procs, id)
	d.m.mu.Unlock()
	d.agent.op("DestroyTask done")
	return nil
}

func (d *driver) signal(id, signal string) error {
	p, err := d.find(id)
	if err != nil {
		return err
	}
	if signal == "SIGNONE" {
		return errors.New("there is no such signal")
	}
	d.m.mu.Lock()
	defer d.m.mu.Unlock()
	d.m.tell("%s %s", p.task, signal)
	return nil
}

func (d *driver) InspectTask(_ context.Context, id string) (*drivers.TaskStatus, error) {
	p, err := d.find(id)
	if err != nil {
		return nil, err
	}
	return &drivers.TaskStatus{ID: id, Name: p.task, State: drivers.TaskRunning}, nil
}

func (d *driver) TaskStats(ctx context.Context, id string, interval time.Duration) (<-chan drivers.Usage, error) {
	p, err := d.find(id)
	if err != nil {
		return nil, err
	}
	out := make(chan drivers.Usage)
	go func() {
		defer close(out)
		for {
			select {
			case out <- drivers.Usage{Time: time.Now(), Memory: drivers.MemoryUsage{RSS: 7, Measured: []string{"RSS"}}}:
			case <-p.exit:
				return
			case <-ctx.Done():
				return
			}
			select {
			case <-time.After(interval):
			case <-p.exit:
				return
			case <-ctx.Done():
				return
			}
		}
	}()
	return out, nil
}

func (d *driver) ExecTask(_ context.Context, id string, o drivers.ExecOptions) (drivers.ExitResult, error) {
	if _, err := d.find(id); err != nil {
		return drivers.ExitResult{}, err
	}
	_, err := fmt.Fprint(o.Stdout, o.Command)
	return drivers.ExitResult{}, err
}
