package reconcile

import (
	"slices"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// Everywhere reconciles a system or sysbatch job with nodes: those that are
// ready and that the job wants. The rules are those of the scheduling reference,
// 5.11.
func Everywhere(in *Input, nodes []*n.Node) *Result {
	r := newResult()
	loseStopped(in, r)
	current, _ := cancelDeployment(in, r)
	if in.Job.Stopped() {
		stopAll(in, r)
		return r
	}
	complete := true
	for _, name := range groupNames(in) {
		e := everywhere{Input: in, Result: r, current: current, tg: in.Job.Group(name), counts: r.group(name)}
		complete = e.reconcile(name, nodes) && complete
	}
	if current != nil && current.Status.Active() && complete {
		r.DeploymentUpdates = append(r.DeploymentUpdates, n.DeploymentStatusUpdate{
			DeploymentID: current.ID, Status: n.DeploymentSuccessful, StatusDescription: n.DescDeploymentSuccessful,
		})
	}
	return r
}

type everywhere struct {
	*Input
	*Result
	current *n.Deployment
	tg      *n.Group
	counts  *n.DesiredUpdates
}

func (e *everywhere) reconcile(name string, nodes []*n.Node) (complete bool) {
	live, ended := filter(e.Allocs, func(a *n.Allocation) bool { return !a.Terminal() })
	live, _ = filter(live, func(a *n.Allocation) bool { return a.TaskGroup == name })
	ended, _ = filter(ended, func(a *n.Allocation) bool { return a.TaskGroup == name })
	if e.tg == nil || e.tg.Count == 0 {
		for _, a := range live {
			e.gone(a)
		}
		return true
	}
	has := map[n.NodeID]bool{}
	var outdated, upToDate []*n.Allocation
	for _, a := range live {
		switch kind, stay := e.look(a); {
		case !stay:
		case kind == same:
			has[a.NodeID] = true
			upToDate = append(upToDate, a)
		default:
			has[a.NodeID] = true
			outdated = append(outdated, a)
		}
	}
	e.counts.Ignore += uint64(len(upToDate))
	destructives, changed := e.update(outdated)
	places := e.missing(nodes, has, ended)
	now := destructives[:min(e.limit(live), len(destructives))]
	for _, a := range now {
		e.Replace = append(e.Replace, Placement{
			Name: a.Name, Job: e.Job, Group: e.tg, Node: a.NodeID, Previous: a, StopPrevious: n.DescUpdating, Deploy: true,
		})
	}
	e.Place = append(e.Place, places...)
	e.counts.Place += uint64(len(places))
	e.counts.DestructiveUpdate += uint64(len(now))
	e.counts.Ignore += uint64(len(destructives) - len(now))

	touched := len(destructives) + changed + len(places)
	e.deploy(len(upToDate), touched)
	if e.current == nil || e.current.TaskGroups[name] == nil {
		return touched == 0
	}
	s := e.current.TaskGroups[name]
	return touched == 0 && s.HealthyAllocs >= s.DesiredTotal
}

// gone stops an allocation that nobody asks for, or whose node is gone.
func (e *everywhere) gone(a *n.Allocation) {
	if down(e.Node(a.NodeID)) {
		e.lose([]*n.Allocation{a})
		return
	}
	e.end([]*n.Allocation{a}, n.DescNotNeeded)
}

// look says how an allocation differs from what is asked for, and whether it
// stays until then.
func (e *everywhere) look(a *n.Allocation) (kind change, stay bool) {
	node := e.Node(a.NodeID)
	kind = compare(e.Input, a)
	if a.Returning() || silent(node) {
		return same, e.await(a, node)
	}
	switch {
	case n.Asked(a.DesiredTransition.Migrate) && !down(node):
		e.end([]*n.Allocation{a}, n.DescTainted)
		return same, false
	case down(node):
		e.lose([]*n.Allocation{a})
		return same, false
	case node.DrainStrategy != nil:
		return same, true // until it is told to move
	case !e.Suits(node), !node.Ready() && kind != same:
		e.end([]*n.Allocation{a}, n.DescNotNeeded)
		return same, false
	}
	return kind, true
}

// await says whether an allocation that is out of reach, or comes back, keeps its
// place.
func (e *everywhere) await(a *n.Allocation, node *n.Node) (stay bool) {
	away := a.ClientStatus == n.ClientUnknown
	back := node != nil && node.Status == n.NodeReady
	switch {
	case n.Asked(a.DesiredTransition.Migrate) && back:
		e.end([]*n.Allocation{a}, n.DescTainted)
		return false
	case expired(e.Input, a), down(node):
		e.lose([]*n.Allocation{a})
		return false
	case away:
	case silent(node) && a.ClientStatus == n.ClientRunning && groupOf(e.Input, a).DisconnectTimeout() > 0:
		e.disconnect(e.Input, []*n.Allocation{a})
	case silent(node):
		e.lose([]*n.Allocation{a})
		return false
	case back:
		e.resume(e.Input, a)
	}
	return true
}

// update changes in place what can be, and returns what can not.
func (e *everywhere) update(outdated []*n.Allocation) (destructives []*n.Allocation, changed int) {
	for _, a := range outdated {
		if compare(e.Input, a) == inPlace {
			if after := e.InPlace(a, e.tg); after != nil {
				*e.Changed(a) = *after
				changed++
				continue
			}
		}
		destructives = append(destructives, a)
	}
	e.counts.InPlaceUpdate += uint64(changed)
	return destructives, changed
}

// missing asks for an allocation on each node that has none.
func (e *everywhere) missing(nodes []*n.Node, has map[n.NodeID]bool, ended []*n.Allocation) (out []Placement) {
	last := map[n.NodeID]*n.Allocation{}
	for _, a := range ended {
		if l := last[a.NodeID]; l == nil || a.CreateIndex > l.CreateIndex {
			last[a.NodeID] = a
		}
	}
	for _, node := range nodes {
		prev := last[node.ID]
		switch {
		case has[node.ID]:
			continue
		case prev != nil && e.Job.RunsToCompletion() && prev.JobVersion == e.Job.Version:
			e.counts.Ignore++ // it has run here
			continue
		}
		out = append(out, Placement{
			Name: n.AllocName(e.Job.Name, e.tg.Name, 0), Job: e.Job, Group: e.tg, Node: node.ID, Previous: prev, Deploy: true,
		})
	}
	return out
}

func (e *everywhere) rolling() bool { return e.Job.Type == n.JobTypeSystem && e.tg.Update.Rolling() }

// limit is how many allocations may be replaced now.
func (e *everywhere) limit(live []*n.Allocation) int {
	if !e.rolling() {
		return len(live)
	}
	if e.current != nil && (e.current.Status == n.DeploymentPaused || e.current.Status == n.DeploymentFailed) {
		return 0
	}
	limit := e.tg.Update.MaxParallel
	for _, a := range live {
		if e.current == nil || a.DeploymentID != e.current.ID {
			continue
		}
		switch h := a.Healthy(); {
		case h == nil:
			limit--
		case !*h:
			return 0
		}
	}
	return max(limit, 0)
}

// deploy makes the group part of a new deployment if there is something to roll
// out.
func (e *everywhere) deploy(upToDate, touched int) {
	if !e.rolling() || touched == 0 || e.current != nil && e.current.TaskGroups[e.tg.Name] != nil {
		return
	}
	known := slices.ContainsFunc(e.Allocs, func(a *n.Allocation) bool {
		return a.TaskGroup == e.tg.Name && a.JobVersion == e.Job.Version
	})
	if known && e.Input.Deployment != nil && e.Input.Deployment.JobVersion == e.Job.Version {
		return // a node joined; the version is out already
	}
	if e.Result.Deployment == nil {
		e.Result.Deployment = newDeployment(e.Input)
	}
	s := newDeploymentGroup(e.tg.Update)
	s.DesiredTotal = upToDate + touched
	e.Result.Deployment.TaskGroups[e.tg.Name] = s
}
