package simulate

import (
	"cmp"
	"slices"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/scheduler/rank"
)

// A Report is what came of a story.
type Report struct {
	Steps      []Step
	Groups     []Group // of the jobs
	Nodes      []NodeGroup
	Placements []Placement
	Warnings   []string // of jobs
}

// A Step is what one step of the story led to.
type Step struct {
	What    string
	Placed  int
	Stopped int
	Lost    int // with their nodes
	Waiting int // for room, when all else was done
}

// A Group is a group of a job when the story ends.
type Group struct {
	Namespace string
	JobID     n.JobID
	Name      string
	Type      string
	Asked     int // by its count, or on so many nodes
	Running   int
	Waiting   int            // for room
	On        map[string]int // how many run in each group of nodes
	Why       *n.AllocMetric // why some wait, or nil
}

// A NodeGroup is a group of nodes when the story ends. Amounts are those of the nodes
// that are ready.
type NodeGroup struct {
	Name                    string
	Nodes, Ready            int
	Allocs                  int
	CPU, CPUTotal           int64 // MHz
	MemoryMB, MemoryTotalMB int64
	DiskMB, DiskTotalMB     int64
	Empty                   int // nodes on which nothing runs
}

// A Placement is an allocation that runs when the story ends.
type Placement struct {
	Name      string
	Namespace string
	NodeName  string
	NodeGroup string
	Score     float64
}

// step is what happened since the last one.
func (t *teller) step(what string) Step {
	s := Step{What: what, Placed: t.tally.placed, Stopped: t.tally.stopped, Lost: t.tally.lost}
	t.tally = tally{}
	for _, g := range t.jobGroups() {
		s.Waiting += g.Waiting
	}
	return s
}

func (t *teller) report(r *Report) {
	r.Groups, r.Nodes, r.Warnings = t.jobGroups(), t.nodeGroups(), t.warnings
	for a := range t.View().AllAllocs(nil, "") {
		if a.Terminal() {
			continue
		}
		p := Placement{Name: a.Name, Namespace: a.Namespace, NodeName: a.NodeName, NodeGroup: t.groups[a.NodeID]}
		if a.Metrics != nil && len(a.Metrics.ScoreMetaData) > 0 {
			p.Score = a.Metrics.ScoreMetaData[0].NormScore
		}
		r.Placements = append(r.Placements, p)
	}
	slices.SortFunc(r.Placements, func(a, b Placement) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(len(a.Name), len(b.Name)), cmp.Compare(a.Name, b.Name), cmp.Compare(a.NodeName, b.NodeName))
	})
}

// jobGroups are the groups of jobs that are to run.
func (t *teller) jobGroups() (list []Group) {
	v := t.View()
	for job := range v.Jobs(nil, n.AllNamespaces, "") {
		if job.Stop || job.IsPeriodic() || job.IsParameterized() {
			continue
		}
		last := t.lastEval(job.Key())
		for i := range job.TaskGroups {
			g := &job.TaskGroups[i]
			out := Group{Namespace: job.Namespace, JobID: job.ID, Name: g.Name, Type: job.Type, Asked: g.Count, On: map[string]int{}}
			for a := range v.JobAllocs(nil, job.Key()) {
				if a.TaskGroup == g.Name && !a.Terminal() {
					out.Running++
					out.On[t.groups[a.NodeID]]++
				}
			}
			if last != nil {
				out.Waiting, out.Why = last.QueuedAllocations[g.Name], last.FailedTGAllocs[g.Name]
			}
			if job.RunsEverywhere() {
				out.Asked = out.Running + out.Waiting
			}
			list = append(list, out)
		}
	}
	return list
}

// lastEval is the one that decided last about a job.
func (t *teller) lastEval(k n.JobKey) (last *n.Evaluation) {
	for e := range t.View().JobEvals(nil, k) {
		if e.Status != n.EvalComplete && e.Status != n.EvalBlocked {
			continue
		}
		if last == nil || e.ModifyIndex > last.ModifyIndex || e.ModifyIndex == last.ModifyIndex && e.Status == n.EvalBlocked {
			last = e
		}
	}
	return last
}

func (t *teller) nodeGroups() []NodeGroup {
	list := make([]NodeGroup, len(t.order))
	for i, name := range t.order {
		list[i].Name = name
	}
	fleet := t.View().Fleet()
	for i := range fleet.Len() {
		m := fleet.At(i)
		if m.Node == nil {
			continue
		}
		g := &list[slices.Index(t.order, t.groups[m.Node.ID])]
		if g.Nodes++; !m.Node.Ready() {
			continue
		}
		total := rank.Capacity(m.Node)
		g.Ready++
		g.Allocs += m.Allocs
		g.CPU, g.CPUTotal = g.CPU+m.Usage.CPU, g.CPUTotal+total.CPU
		g.MemoryMB, g.MemoryTotalMB = g.MemoryMB+m.Usage.MemoryMB, g.MemoryTotalMB+total.MemoryMB
		g.DiskMB, g.DiskTotalMB = g.DiskMB+m.Usage.DiskMB, g.DiskTotalMB+total.DiskMB
		if m.Allocs == 0 {
			g.Empty++
		}
	}
	return list
}
