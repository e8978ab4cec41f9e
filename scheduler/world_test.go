package scheduler_test

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/nomadlike/nomadlike/jobspec"
	"github.com/nomadlike/nomadlike/jobspec/admission"
	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/table"
	"github.com/nomadlike/nomadlike/nomadlike/walk"
	"github.com/nomadlike/nomadlike/scheduler"
	"github.com/nomadlike/nomadlike/scheduler/feasible"
	"github.com/nomadlike/nomadlike/scheduler/fleet"
)

// A world is a state in memory, on which decisions take effect as a planner
// would have them.
type world struct {
	now      time.Time
	index    uint64
	seed     uint64
	nodes    map[n.NodeID]*n.Node
	jobs     map[n.JobKey]*n.Job
	versions map[n.JobKey][]*n.Job
	allocs   map[n.AllocID]*n.Allocation
	order    []n.AllocID // as they were made
	deploys  map[n.JobKey]*n.Deployment
	evals    []*n.Evaluation // that wait for a time or for room
	config   n.SchedulerConfiguration
	before   map[n.AllocID]bool // which were unknown, or on their way back, before the last decision
}

func newWorld() *world {
	return &world{
		now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), index: 10, nodes: map[n.NodeID]*n.Node{}, jobs: map[n.JobKey]*n.Job{},
		versions: map[n.JobKey][]*n.Job{}, allocs: map[n.AllocID]*n.Allocation{}, deploys: map[n.JobKey]*n.Deployment{},
		config: n.SchedulerConfiguration{SchedulerAlgorithm: "binpack"},
	}
}

func (w *world) Index() uint64                             { return w.index }
func (w *world) Job(k n.JobKey) *n.Job                     { return w.jobs[k] }
func (w *world) Node(id n.NodeID) *n.Node                  { return w.nodes[id] }
func (w *world) LatestDeployment(k n.JobKey) *n.Deployment { return w.deploys[k] }
func (w *world) SchedulerConfig() *n.SchedulerConfiguration {
	return &w.config
}

func (w *world) JobVersion(k n.JobKey, v uint64) *n.Job {
	if all := w.versions[k]; v < uint64(len(all)) {
		return all[v]
	}
	return nil
}

func (w *world) list(ok func(*n.Allocation) bool) iter.Seq[*n.Allocation] {
	return func(yield func(*n.Allocation) bool) {
		for _, id := range w.order {
			if a := w.allocs[id]; ok(a) && !yield(a) {
				return
			}
		}
	}
}

func (w *world) JobAllocs(_ table.WatchSet, k n.JobKey) iter.Seq[*n.Allocation] {
	return w.list(func(a *n.Allocation) bool { return a.JobKey() == k })
}

func (w *world) NodeAllAllocs(_ table.WatchSet, id n.NodeID) iter.Seq[*n.Allocation] {
	return w.list(func(a *n.Allocation) bool { return a.NodeID == id })
}

func (w *world) Fleet() *fleet.Fleet {
	return fleet.Of(maps.Values(w.nodes), maps.Values(w.allocs))
}

// addNode adds a node with room for cpu MHz and memory MB.
func (w *world) addNode(id string, cpu, memory int64, change ...func(*n.Node)) {
	node := &n.Node{
		ID: n.NodeID(id), Name: id, Datacenter: "dc1", NodePool: "default", Status: n.NodeReady, SchedulingEligibility: n.NodeEligible,
		Attributes: map[string]string{"kernel.name": "linux", "cpu.arch": "amd64", "driver.raw_exec": "1", "nomad.version": "2.0.6"},
		Meta:       map[string]string{},
		Drivers:    map[string]*n.DriverInfo{"raw_exec": {Detected: true, Healthy: true}},
		NodeResources: n.NodeResources{
			Cpu: n.NodeCPU{CpuShares: cpu, TotalCpuCores: 4}, Memory: n.NodeMemory{MemoryMB: memory}, Disk: n.NodeDisk{DiskMB: 100_000},
			NodeNetworks:   []n.NodeNetwork{{Mode: "host", Device: "eth0", Addresses: []n.NodeAddress{{Alias: "default", Address: "10.0.0." + id[1:], Family: "ipv4"}}}},
			MinDynamicPort: 20000, MaxDynamicPort: 32000,
		},
	}
	for _, c := range change {
		c(node)
	}
	node.ComputedClass = feasible.ComputeClass(node)
	w.nodes[node.ID] = node
}

func key(id string) n.JobKey { return n.JobKey{Namespace: "default", ID: n.JobID(id)} }

// register makes a job file the job, a new version if anything is different.
func (w *world) register(src string) (*n.Job, error) {
	file, err := jobspec.Parse("job.hcl", []byte(src), jobspec.Options{Strict: true})
	if err != nil {
		return nil, err
	}
	job := file.Job
	if _, err := admission.Admit(job, admission.Options{}); err != nil {
		return nil, err
	}
	w.put(job)
	return job, nil
}

func (w *world) put(job *n.Job) {
	k := key(string(job.ID))
	w.index++
	job.Namespace, job.Status = "default", "running"
	if job.NodePool == "" {
		job.NodePool = "default"
	}
	job.CreateIndex, job.JobModifyIndex, job.ModifyIndex = w.index, w.index, w.index
	if old := w.jobs[k]; old != nil {
		job.Version, job.CreateIndex = old.Version+1, old.CreateIndex
	}
	w.jobs[k] = job
	w.versions[k] = append(w.versions[k], job)
}

// evaluate decides about a job and has the decision take effect.
func (w *world) evaluate(id, trigger string) (*scheduler.Decision, error) {
	typ := n.JobTypeService
	if job := w.jobs[key(id)]; job != nil {
		typ = job.Type
	}
	w.seed++
	return w.process(&n.Evaluation{
		ID: n.EvalID(fmt.Sprintf("eval-%d", w.seed)), Namespace: "default", JobID: n.JobID(id), Type: typ, Priority: 50,
		TriggeredBy: trigger, Status: n.EvalPending, AnnotatePlan: true,
	})
}

func (w *world) process(e *n.Evaluation) (*scheduler.Decision, error) {
	d, err := scheduler.Process(w, e, scheduler.Options{Now: w.now, Seed: w.seed})
	if err != nil {
		return nil, err
	}
	w.before = map[n.AllocID]bool{}
	for id, a := range w.allocs {
		w.before[id] = a.Returning()
	}
	w.commit(d.Plan)
	for _, f := range d.NewEvals {
		if f.Status != n.EvalFailed {
			w.evals = append(w.evals, f)
		}
	}
	return d, nil
}

func (w *world) commit(p *n.Plan) {
	if p == nil {
		return
	}
	w.index++
	if p.Deployment != nil {
		w.deploys[n.JobKey{Namespace: p.Deployment.Namespace, ID: p.Deployment.JobID}] = walk.Clone(p.Deployment)
	}
	for _, u := range p.DeploymentUpdates {
		for _, d := range w.deploys {
			if d.ID == u.DeploymentID {
				d.Status, d.StatusDescription = u.Status, u.StatusDescription
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(p.NodeUpdate)) {
		for _, a := range p.NodeUpdate[id] {
			c := *w.allocs[a.ID]
			c.DesiredStatus, c.DesiredDescription, c.RescheduleTracker = a.DesiredStatus, a.DesiredDescription, a.RescheduleTracker
			c.FollowupEvalID = a.FollowupEvalID
			if a.ClientStatus == n.ClientLost && c.ClientStatus != n.ClientLost {
				c.ClientStatus = a.ClientStatus
				c.Became(n.ClientLost, w.now)
			}
			w.allocs[a.ID] = &c
		}
	}
	for _, list := range p.NodePreemptions {
		for _, a := range list {
			c := *w.allocs[a.ID]
			c.DesiredStatus, c.DesiredDescription, c.PreemptedByAllocation = a.DesiredStatus, a.DesiredDescription, a.PreemptedByAllocation
			w.allocs[a.ID] = &c
		}
	}
	for _, id := range slices.Sorted(maps.Keys(p.NodeAllocation)) {
		for _, a := range p.NodeAllocation[id] {
			c := *a
			if w.allocs[a.ID] == nil {
				w.order = append(w.order, a.ID)
				c.CreateIndex = w.index
				w.deployed(&c)
			}
			w.allocs[a.ID] = &c
		}
	}
	for _, list := range p.NodeAllocation {
		for _, a := range list {
			if prev := w.allocs[a.PreviousAllocation]; prev != nil && a.CreateIndex == 0 {
				c := *prev
				c.NextAllocation = a.ID
				w.allocs[c.ID] = &c
			}
		}
	}
}

// deployed counts a new allocation in its deployment.
func (w *world) deployed(a *n.Allocation) {
	if d := w.deploys[a.JobKey()]; d != nil && a.DeploymentID == d.ID && d.TaskGroups[a.TaskGroup] != nil {
		g := d.TaskGroups[a.TaskGroup]
		g.PlacedAllocs++
		if a.DeploymentStatus != nil && a.DeploymentStatus.Canary {
			g.PlacedCanaries = append(g.PlacedCanaries, a.ID)
		}
	}
}

// due handles the next evaluation that waits for a time, at that time.
func (w *world) due() string {
	var next *n.Evaluation
	for _, e := range w.evals {
		if e.WaitUntil != nil && (next == nil || e.WaitUntil.Before(*next.WaitUntil)) {
			next = e
		}
	}
	if next == nil {
		return "nothing waits\n"
	}
	w.evals = slices.DeleteFunc(w.evals, func(e *n.Evaluation) bool { return e.ID == next.ID })
	passed := max(next.WaitUntil.Sub(w.now), 0)
	w.now = w.now.Add(passed)
	w.seed++
	e := *next
	e.AnnotatePlan = true
	d, err := w.process(&e)
	if err != nil {
		return "error: " + err.Error() + "\n"
	}
	return fmt.Sprintf("after %v (%s):\n%s", passed, e.TriggeredBy, w.show(d))
}

// find returns the newest allocation of a name that is to run, or else the newest;
// on a node, if one is named.
func (w *world) find(name string, node n.NodeID) *n.Allocation {
	var last, running *n.Allocation
	for _, id := range w.order {
		if a := w.allocs[id]; a.Name == name && (node == "" || a.NodeID == node) {
			last = a
			if !a.Terminal() {
				running = a
			}
		}
	}
	return cmp.Or(running, last)
}

// observe has the clients tell something of an allocation.
func (w *world) observe(a *n.Allocation, status n.ClientStatus) {
	c := *a
	c.ClientStatus = status
	finished := w.now
	if status == n.ClientRunning && (c.TaskStates["t"] == nil || c.TaskStates["t"].FinishedAt != nil) {
		c.TaskStates = map[string]*n.TaskState{"t": {State: n.TaskRunning, StartedAt: &finished}}
	}
	if status == n.ClientFailed || status == n.ClientComplete {
		c.TaskStates = map[string]*n.TaskState{"t": {State: n.TaskDead, Failed: status == n.ClientFailed, FinishedAt: &finished}}
	}
	w.allocs[a.ID] = &c
}

// healthy decides about an allocation's health in its deployment.
func (w *world) healthy(a *n.Allocation, ok bool) {
	c := *a
	s := n.AllocDeployment{}
	if c.DeploymentStatus != nil {
		s = *c.DeploymentStatus
	}
	at := w.now
	s.Healthy, s.Timestamp = &ok, &at
	c.DeploymentStatus, c.ClientStatus = &s, n.ClientRunning
	w.allocs[a.ID] = &c
	if d := w.deploys[a.JobKey()]; d != nil && d.ID == a.DeploymentID {
		if ok {
			d.TaskGroups[a.TaskGroup].HealthyAllocs++
		} else {
			d.TaskGroups[a.TaskGroup].UnhealthyAllocs++
		}
	}
}

// show tells of a decision in lines, in order.
func (w *world) show(d *scheduler.Decision) string {
	var out []string
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	if p := d.Plan; p != nil {
		for _, list := range p.NodeUpdate {
			for _, a := range list {
				lost := ""
				if a.ClientStatus == n.ClientLost {
					lost = " (lost)"
				}
				say("stop %s on %s%s: %s", a.Name, a.NodeID, lost, a.DesiredDescription)
			}
		}
		for _, list := range p.NodePreemptions {
			for _, a := range list {
				say("%s %s on %s for %s", a.DesiredStatus, a.Name, a.NodeID, w.allocs[a.PreemptedByAllocation].Name)
			}
		}
		for _, list := range p.NodeAllocation {
			for _, a := range list {
				out = append(out, w.placed(a, d))
			}
		}
		if p.Deployment != nil {
			say("new deployment: %s", p.Deployment.StatusDescription)
		}
		for _, u := range p.DeploymentUpdates {
			say("deployment %s: %s", u.Status, u.StatusDescription)
		}
		if p.Annotations != nil {
			for g, u := range p.Annotations.DesiredTGUpdates {
				if text := counts(u); text != "" {
					say("~ %s:%s", g, text)
				}
			}
		}
	}
	for g, m := range d.Eval.FailedTGAllocs {
		say("no room for %s (%d):%s", g, 1+m.CoalescedFailures, reasons(m))
	}
	for _, e := range d.NewEvals {
		if e.WaitUntil != nil {
			say("evaluation (%s) in %v", e.TriggeredBy, e.WaitUntil.Sub(w.now))
		} else {
			say("evaluation (%s) %s", e.TriggeredBy, e.Status)
		}
	}
	if d.Eval.Status != n.EvalComplete {
		say("status %s %s", d.Eval.Status, d.Eval.StatusDescription)
	}
	slices.Sort(out)
	return strings.Join(append(out, ""), "\n")
}

func (w *world) placed(a *n.Allocation, d *scheduler.Decision) string {
	what := "place"
	if was, known := w.before[a.ID]; known && a.Returning() != was {
		what = map[bool]string{true: "unknown is", false: "back is"}[a.Returning()]
	} else if a.EvalID != d.Eval.ID {
		what = "note on" // only its record changes
	} else if a.CreateIndex != 0 {
		what = "change in place"
	}
	text := fmt.Sprintf("%s %s on %s", what, a.Name, a.NodeID)
	if a.DeploymentStatus != nil && a.DeploymentStatus.Canary && what == "place" {
		text += ", canary"
	}
	if a.JobVersion != w.jobs[a.JobKey()].Version {
		text += fmt.Sprintf(", version %d", a.JobVersion)
	}
	if prev := w.allocs[a.PreviousAllocation]; prev != nil && what == "place" {
		text += fmt.Sprintf(", after one on %s", prev.NodeID)
	}
	for _, p := range a.AllocatedResources.Shared.Ports {
		if p.Value < 20000 {
			text += fmt.Sprintf(", port %s %d", p.Label, p.Value)
		}
	}
	return text
}

func counts(u *n.DesiredUpdates) string {
	text := ""
	for _, c := range []struct {
		name string
		n    uint64
	}{
		{"place", u.Place}, {"stop", u.Stop}, {"ignore", u.Ignore}, {"in place", u.InPlaceUpdate}, {"destructive", u.DestructiveUpdate},
		{"canary", u.Canary}, {"migrate", u.Migrate}, {"disconnect", u.Disconnect}, {"reconnect", u.Reconnect},
		{"reschedule now", u.RescheduleNow}, {"reschedule later", u.RescheduleLater},
		{"preemptions", u.Preemptions},
	} {
		if c.n > 0 {
			text += fmt.Sprintf(" %s %d", c.name, c.n)
		}
	}
	return text
}

func reasons(m *n.AllocMetric) string {
	text := fmt.Sprintf(" %d evaluated", m.NodesEvaluated)
	for _, why := range []map[string]int{m.ConstraintFiltered, m.DimensionExhausted} {
		for _, k := range slices.Sorted(maps.Keys(why)) {
			text += fmt.Sprintf(", %s %d", k, why[k])
		}
	}
	return text
}
