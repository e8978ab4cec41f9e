package reconcile

import (
	"maps"
	"slices"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// Generic reconciles a service or batch job.
func Generic(in *Input) *Result {
	r := newResult()
	loseStopped(in, r)
	current, old := cancelDeployment(in, r)
	if in.Job.Stopped() {
		stopAll(in, r)
		return r
	}
	g := generic{Input: in, Result: r, current: current, old: old, byID: map[n.AllocID]*n.Allocation{}}
	for _, a := range in.Allocs {
		g.byID[a.ID] = a
	}
	complete := true
	for _, name := range groupNames(in) {
		complete = g.reconcile(name) && complete
	}
	if r.Deployment != nil {
		describe(r.Deployment)
	}
	if current != nil && current.Status.Active() && complete {
		r.DeploymentUpdates = append(r.DeploymentUpdates, n.DeploymentStatusUpdate{
			DeploymentID: current.ID, Status: n.DeploymentSuccessful, StatusDescription: n.DescDeploymentSuccessful,
		})
	}
	return r
}

// groupNames lists the groups of the job and of its allocations, in order.
func groupNames(in *Input) []string {
	seen := map[string]bool{}
	for i := range in.Job.TaskGroups {
		seen[in.Job.TaskGroups[i].Name] = true
	}
	for _, a := range in.Allocs {
		seen[a.TaskGroup] = true
	}
	return slices.Sorted(maps.Keys(seen))
}

type generic struct {
	*Input
	*Result
	current, old *n.Deployment
	byID         map[n.AllocID]*n.Allocation
}

func (g *generic) paused() bool {
	return g.current != nil && (g.current.Status == n.DeploymentPaused || g.current.Status == n.DeploymentPending || g.current.Status == n.DeploymentInitializing)
}

func (g *generic) failed() bool { return g.current != nil && g.current.Status == n.DeploymentFailed }

// group is the state of the work on one group.
type group struct {
	*generic
	tg        *n.Group
	counts    *n.DesiredUpdates
	state     *n.DeploymentGroup // its part in the deployment, not nil
	existing  bool               // the state is that of the current deployment
	names     *names
	untainted []*n.Allocation
	migrate   []*n.Allocation
	lost      []*n.Allocation
	canaries  []*n.Allocation
	failedNow []*n.Allocation // to be replaced at once
}

// reconcile returns whether the group is as the deployment wants it. Its steps
// are those of the scheduling reference, 5.2.
func (g *generic) reconcile(name string) (complete bool) {
	x := &group{generic: g, tg: g.Job.Group(name), counts: g.group(name)}
	all, _ := filter(g.Allocs, func(a *n.Allocation) bool {
		return a.TaskGroup == name && (!a.ServerTerminal() || g.Job.RunsToCompletion() && !n.Asked(a.DesiredTransition.Reschedule))
	})
	if x.tg == nil || x.tg.Count == 0 {
		g.clear(all)
		return true
	}
	x.deploymentState()
	if g.Job.RunsToCompletion() {
		var former []*n.Allocation
		all, former = filter(all, func(a *n.Allocation) bool { return !a.Terminal() || a.JobVersion == g.Job.Version })
		x.counts.Ignore += uint64(len(former))
	}
	all = x.sortCanaries(all)
	later := x.sort(all)
	wait := x.awaitEnds(g.Allocs)

	x.names = newNames(g.Input, name, x.tg.Count, x.untainted, x.migrate, x.failedNow, x.lost)
	x.stopSurplus()
	x.spare()
	destructive, changed := x.updates()
	if !x.existing {
		x.state.DesiredTotal += len(destructive) + changed
	}
	if x.canarying() {
		x.untainted = without(x.untainted, x.canaries)
	}
	needsCanaries := x.placeCanaries(destructive)
	limit := x.limit(destructive)
	var places []Placement
	if !wait {
		places = x.placements()
	}
	if !x.existing {
		x.state.DesiredTotal += len(places)
	}
	ready := !g.paused() && !g.failed() && !x.canarying()
	limit = x.place(places, ready, limit)
	if ready {
		x.replace(destructive, limit)
	} else {
		x.counts.Ignore += uint64(len(destructive))
	}
	x.move()
	x.deploy(all, destructive, changed)
	return len(destructive)+changed+len(places)+len(x.migrate)+len(x.failedNow)+len(later) == 0 && !needsCanaries && x.done()
}

// clear ends all of a group that is not asked for.
func (g *generic) clear(all []*n.Allocation) {
	c := classify(g.Input, all)
	running, _ := filter(slices.Concat(c.untainted, c.migrate, c.disconnecting, c.reconnecting), func(a *n.Allocation) bool { return !a.Terminal() })
	g.end(running, n.DescNotNeeded)
	g.lose(slices.Concat(c.lost, c.expiring))
}

// sort takes up what has come back and lets go of what is out of reach, and says
// what is to be replaced now and what later.
func (x *group) sort(all []*n.Allocation) (later []due) {
	c := classify(x.Input, all)
	var replaced []*n.Allocation
	replaced, x.untainted = filter(c.untainted, replacedAway)
	x.migrate, x.lost = c.migrate, slices.Concat(c.lost, c.expiring)
	x.counts.Ignore += uint64(len(c.ignored) + len(replaced))
	x.reconnect(c.reconnecting)
	vanished := x.disconnect(x.Input, c.disconnecting)
	x.untainted = append(x.untainted, vanished...)
	x.untainted, x.failedNow, later = reschedulable(x.Input, x.Result, x.tg, x.current, x.untainted, vanished)
	followUp(x.Input, x.Result, later)
	x.counts.RescheduleNow += uint64(len(x.failedNow))
	return later
}

// deploymentState finds the group's part in the current deployment, or begins one.
func (x *group) deploymentState() {
	if x.current != nil {
		if s := x.current.TaskGroups[x.tg.Name]; s != nil {
			x.state, x.existing = s, true
			return
		}
	}
	x.state = &n.DeploymentGroup{}
	if x.rolling() {
		x.state = newDeploymentGroup(x.tg.Update)
	}
}

// rolling reports a group whose changes make deployments.
func (x *group) rolling() bool { return x.Job.Type == n.JobTypeService && x.tg.Update.Rolling() }

func (x *group) canarying() bool { return x.state.DesiredCanaries != 0 && !x.state.Promoted }

// sortCanaries stops the canaries that nobody waits for any more, and finds those
// of the current deployment.
func (x *group) sortCanaries(all []*n.Allocation) []*n.Allocation {
	needless := map[n.AllocID]bool{}
	for _, d := range []*n.Deployment{x.old, x.current} {
		if d == nil || d == x.current && d.Status != n.DeploymentFailed {
			continue
		}
		if s := d.TaskGroups[x.tg.Name]; s != nil && !s.Promoted {
			for _, id := range s.PlacedCanaries {
				needless[id] = true
			}
		}
	}
	gone, all := filter(all, func(a *n.Allocation) bool { return needless[a.ID] })
	x.clear(gone)
	if x.current == nil {
		return all
	}
	placed := map[n.AllocID]bool{}
	for _, id := range x.state.PlacedCanaries {
		placed[id] = true
	}
	canaries, _ := filter(all, func(a *n.Allocation) bool { return placed[a.ID] })
	c := classify(x.Input, canaries)
	lost := slices.Concat(c.lost, c.expiring)
	x.end(c.migrate, n.DescMigrating)
	x.lose(lost)
	x.canaries = without(canaries, slices.Concat(c.migrate, lost, c.ignored))
	return without(all, slices.Concat(c.migrate, lost))
}

// stopSurplus stops what is more than the count. What is unknown may come back,
// and is not counted.
func (x *group) stopSurplus() {
	_, untainted := filter(x.untainted, (*n.Allocation).Returning)
	if x.canarying() {
		untainted = without(untainted, x.canaries)
	}
	surplus := len(untainted) + len(x.migrate) - x.tg.Count
	var gone []*n.Allocation
	take := func(list []*n.Allocation) {
		gone = append(gone, list[:min(max(surplus-len(gone), 0), len(list))]...)
	}
	if surplus > 0 && !x.canarying() && len(x.canaries) > 0 { // promoted: they take over names
		taken := map[string]bool{}
		for _, a := range x.canaries {
			taken[a.Name] = true
		}
		others, _ := filter(without(untainted, x.canaries), func(a *n.Allocation) bool { return taken[a.Name] })
		take(byIndex(others))
	}
	if surplus > len(gone) {
		take(highest(x.migrate, surplus-len(gone)))
	}
	if surplus > len(gone) {
		left := without(untainted, gone)
		take(highest(left, surplus-len(gone)))
	}
	if len(gone) == 0 {
		return
	}
	ended, running := filter(gone, (*n.Allocation).Terminal)
	x.counts.Ignore += uint64(len(ended)) // nothing to stop about them
	x.end(running, n.DescNotNeeded)
	x.untainted, x.migrate = without(x.untainted, gone), without(x.migrate, gone)
	for _, a := range gone {
		delete(x.names.used, a.Index())
	}
	for _, a := range slices.Concat(x.untainted, x.migrate, x.failedNow) {
		x.names.used[a.Index()] = true
	}
}

// spare leaves alone what is out of reach and more than the count: when it comes
// back it is too much.
func (x *group) spare() {
	away, _ := filter(x.untainted, (*n.Allocation).Returning)
	over := highest(away, max(len(x.untainted)+len(x.migrate)-x.tg.Count, 0))
	x.untainted = without(x.untainted, over)
	x.counts.Ignore += uint64(len(over))
}

// updates finds what is of another version; what can be changed in place is.
func (x *group) updates() (destructives []*n.Allocation, changed int) {
	for _, a := range x.untainted {
		kind := compare(x.Input, a)
		if kind == inPlace && a.Terminal() {
			kind = same
		}
		if kind == inPlace {
			node := x.Node(a.NodeID)
			var after *n.Allocation
			if node != nil && x.Suits(node) {
				after = x.InPlace(a, x.tg)
			}
			if after != nil {
				*x.Changed(a) = *after
				changed++
				continue
			}
			kind = destructive
		}
		if kind == destructive {
			destructives = append(destructives, a)
		} else {
			x.counts.Ignore++
		}
	}
	x.counts.InPlaceUpdate += uint64(changed)
	return byIndex(destructives), changed
}

// placeCanaries places the canaries that are missing, and reports whether any
// are wanted.
func (x *group) placeCanaries(destructive []*n.Allocation) bool {
	u := x.tg.Update
	if !x.rolling() || u.Canary == 0 || len(destructive) == 0 || len(x.canaries) >= u.Canary || x.state.Promoted {
		return false
	}
	if !x.existing {
		x.state.DesiredCanaries = u.Canary
	}
	if x.paused() || x.failed() {
		return true
	}
	for _, name := range x.names.canaries(u.Canary-len(x.canaries), x.canaries, destructive) {
		x.Place = append(x.Place, Placement{Name: name, Job: x.Job, Group: x.tg, Canary: true, Deploy: true})
		x.counts.Canary++
	}
	return true
}

// limit is how many allocations may be replaced now.
func (x *group) limit(destructive []*n.Allocation) int {
	if !x.rolling() || len(destructive)+len(x.migrate) == 0 {
		return x.tg.Count
	}
	if x.paused() || x.failed() || x.canarying() {
		return 0
	}
	limit := x.tg.Update.MaxParallel
	if x.current == nil {
		return limit
	}
	for _, a := range x.untainted {
		if a.DeploymentID != x.current.ID {
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

// placements lists what is missing: replacements of what failed, of what was
// lost, and new allocations.
func (x *group) placements() (out []Placement) {
	have := len(x.untainted) + len(x.migrate)
	for _, a := range x.failedNow {
		if have >= x.tg.Count && a.ClientStatus.Terminal() { // fewer are wanted by now
			x.end([]*n.Allocation{a}, n.DescNotNeeded)
			continue
		}
		have++
		p := x.placement(a.Name, a)
		p.Rescheduled, p.Canary = true, a.IsCanary()
		if a.ClientStatus != n.ClientUnknown { // it may come back
			p.StopPrevious = n.DescRescheduled
		}
		out = append(out, p)
	}
	for _, a := range x.lost {
		if have < x.tg.Count {
			out = append(out, x.placement(a.Name, a))
			have++
		}
	}
	for _, name := range x.names.next(max(x.tg.Count-have, 0)) {
		out = append(out, x.placement(name, nil))
	}
	return out
}

// placement asks for an allocation; while canaries are tried out, for one of the
// version before.
func (x *group) placement(name string, prev *n.Allocation) Placement {
	p := Placement{Name: name, Job: x.Job, Group: x.tg, Previous: prev, Deploy: true}
	if !x.canarying() || prev == nil || prev.IsCanary() {
		return p
	}
	if job := x.Version(prev.JobVersion); job != nil && job.Group(x.tg.Name) != nil {
		p.Job, p.Group, p.Deploy = job, job.Group(x.tg.Name), prev.JobVersion == x.Job.Version
	}
	return p
}

// place takes what may be placed now and returns what is left of the limit.
func (x *group) place(places []Placement, ready bool, limit int) int {
	if ready {
		x.Place = append(x.Place, places...)
		x.counts.Place += uint64(len(places))
		return max(limit-len(places), 0)
	}
	for _, p := range places {
		switch {
		case p.Previous == nil:
			continue // the deployment goes first
		case p.Rescheduled && x.failed() && p.Previous.DeploymentID == x.current.ID:
			continue // what it broke is not to be repaired
		}
		x.Place = append(x.Place, p)
		x.counts.Place++
	}
	return limit
}

// replace replaces as many as the limit allows.
func (x *group) replace(destructive []*n.Allocation, limit int) {
	now := destructive[:min(limit, len(destructive))]
	for _, a := range now {
		p := Placement{Name: a.Name, Job: x.Job, Group: x.tg, Previous: a, Deploy: true}
		if !a.Terminal() {
			p.StopPrevious = n.DescUpdating
		} else {
			p.StopPrevious = n.DescNotNeeded
		}
		x.Replace = append(x.Replace, p)
	}
	x.counts.DestructiveUpdate += uint64(len(now))
	x.counts.Ignore += uint64(len(destructive) - len(now))
}

// move replaces what has to leave its node.
func (x *group) move() {
	for _, a := range x.migrate {
		s := Stop{Alloc: a, Reason: n.DescMigrating}
		if down(x.Node(a.NodeID)) {
			s.Client = n.ClientLost
		}
		x.Stop = append(x.Stop, s)
		x.counts.Migrate++
		if x.Job.RunsToCompletion() && n.Asked(a.DesiredTransition.MigrateDisablePlacement) {
			continue
		}
		p := x.placement(a.Name, a)
		p.Canary = a.IsCanary()
		x.Place = append(x.Place, p)
	}
}

// deploy makes the group part of a new deployment if one is called for.
func (x *group) deploy(all, destructive []*n.Allocation, changed int) {
	if x.existing || !x.rolling() || x.state.DesiredTotal == 0 {
		return
	}
	known := slices.ContainsFunc(all, func(a *n.Allocation) bool { return a.JobVersion == x.Job.Version })
	if known && len(destructive)+changed == 0 {
		return
	}
	if x.Result.Deployment == nil {
		x.Result.Deployment = newDeployment(x.Input)
	}
	x.Result.Deployment.TaskGroups[x.tg.Name] = x.state
}

// done reports a group whose part in the deployment is fulfilled.
func (x *group) done() bool {
	if !x.existing {
		return true
	}
	return x.state.HealthyAllocs >= max(x.state.DesiredTotal, x.state.DesiredCanaries) && !x.canarying()
}
