package feasible

import (
	"fmt"
	"slices"
	"strings"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// A Test says why a node can not run what the test was made for; "" says that it
// can. It depends on nothing but the node.
type Test func(*n.Node) (reason string)

// A Check makes the tests of a group, or of a whole job where group is nil. nil
// says that nothing is asked for. perClass says that nodes of one computed class
// all give the same answer.
type Check struct {
	Name string
	Make func(job *n.Job, group *n.Group) (test Test, perClass bool)
}

// checks are asked in this order.
var checks = []Check{
	{"drivers", drivers},
	{"constraints", constraintsOf},
	{"devices", devices},
	{"network", networks},
}

// Register adds a check. It is called before any scheduling, and panics on a
// name that is taken.
func Register(c Check) {
	if slices.ContainsFunc(checks, func(o Check) bool { return o.Name == c.Name }) {
		panic("feasible: a check named " + c.Name + " exists")
	}
	checks = append(checks, c)
}

// Answers of a class.
type answer struct {
	reason string
	known  bool
}

// A Job answers for one job and one evaluation, and remembers by class.
type Job struct {
	job    *n.Job
	whole  *scope
	groups map[string]*scope
}

// For prepares the checks of a job.
func For(job *n.Job) *Job {
	return &Job{job: job, whole: newScope(job, nil), groups: map[string]*scope{}}
}

// Check says why a node can not run a group of the job; "" says that it can.
func (j *Job) Check(node *n.Node, group *n.Group) string {
	if why := j.Class(node, group); why != "" {
		return why
	}
	return j.Each(node, group)
}

// Class says why no node of a node's class can run a group of the job; "" says that
// some can.
func (j *Job) Class(node *n.Node, group *n.Group) string {
	if why := j.whole.class(node); why != "" {
		return why
	}
	return j.scope(group).class(node)
}

// Each says why a node can not run a group of the job that others of its class can;
// "" says that it can.
func (j *Job) Each(node *n.Node, group *n.Group) string {
	if why := first(j.whole.each, node); why != "" {
		return why
	}
	return first(j.scope(group).each, node)
}

// Alike reports that all nodes of a class are the same to a group of the job.
func (j *Job) Alike(group *n.Group) bool {
	return len(j.whole.each)+len(j.scope(group).each) == 0
}

func (j *Job) scope(group *n.Group) *scope {
	s := j.groups[group.Name]
	if s == nil {
		s = newScope(j.job, group)
		j.groups[group.Name] = s
	}
	return s
}

// ClassEligibility tells which classes of nodes seen so far the job can use at
// all. escaped says that it depends on more than the class.
func (j *Job) ClassEligibility() (classes map[string]bool, escaped bool) {
	classes = map[string]bool{}
	for class, a := range j.whole.classes {
		if a.reason != "" {
			classes[class] = false
		}
	}
	escaped = len(j.whole.each) > 0
	for _, s := range j.groups {
		escaped = escaped || len(s.each) > 0
		for class, a := range s.classes {
			classes[class] = classes[class] || a.reason == ""
		}
	}
	if escaped {
		return nil, true
	}
	return classes, false
}

// scope holds the tests of the job or of a group.
type scope struct {
	alike   []Test // the same for all nodes of a class
	each    []Test
	classes map[string]answer
}

func newScope(job *n.Job, group *n.Group) *scope {
	s := &scope{classes: map[string]answer{}}
	for _, c := range checks {
		switch test, perClass := c.Make(job, group); {
		case test == nil:
		case perClass:
			s.alike = append(s.alike, test)
		default:
			s.each = append(s.each, test)
		}
	}
	return s
}

// class asks what is the same for all nodes of a class.
func (s *scope) class(node *n.Node) string {
	if a := s.classes[node.ComputedClass]; a.known {
		return a.reason
	}
	why := first(s.alike, node)
	if node.ComputedClass != "" {
		s.classes[node.ComputedClass] = answer{why, true}
	}
	return why
}

func first(tests []Test, node *n.Node) string {
	for _, t := range tests {
		if why := t(node); why != "" {
			return why
		}
	}
	return ""
}

// Reasons that tools look for, or that more is told of.
const (
	MissingDrivers = "missing drivers"
	MissingDevices = "missing devices"
)

// drivers asks for a healthy driver for each task.
func drivers(_ *n.Job, group *n.Group) (Test, bool) {
	if group == nil {
		return nil, true
	}
	return func(node *n.Node) string {
		for i := range group.Tasks {
			if !hasDriver(node, group.Tasks[i].Driver) {
				return MissingDrivers
			}
		}
		return ""
	}, true
}

// LackingDrivers names the drivers of a group's tasks that a node does not have, or
// that are not healthy there.
func LackingDrivers(node *n.Node, group *n.Group) (names []string) {
	for i := range group.Tasks {
		if d := group.Tasks[i].Driver; !hasDriver(node, d) && !slices.Contains(names, d) {
			names = append(names, d)
		}
	}
	return names
}

func hasDriver(node *n.Node, name string) bool {
	if d := node.Drivers[name]; d != nil {
		return d.Detected && d.Healthy
	}
	v := node.Attributes["driver."+name]
	return v == "1" || strings.EqualFold(v, "true")
}

// Constraints lists those of a job, of a group of it and of the group's tasks.
func Constraints(job *n.Job, group *n.Group) []n.Constraint {
	return slices.Concat(job.Constraints, ofGroup(group))
}

func ofGroup(group *n.Group) []n.Constraint {
	all := slices.Clone(group.Constraints)
	for i := range group.Tasks {
		all = append(all, group.Tasks[i].Constraints...)
	}
	return all
}

// constraintsOf asks for what the job, or the group and its tasks, demand.
func constraintsOf(job *n.Job, group *n.Group) (Test, bool) {
	all := job.Constraints
	if group != nil {
		all = ofGroup(group)
	}
	if len(all) == 0 {
		return nil, true
	}
	perClass := !slices.ContainsFunc(all, func(c n.Constraint) bool { return Escapes(c.LTarget) || Escapes(c.RTarget) })
	return func(node *n.Node) string {
		for _, c := range all {
			if !Constraint(node, c) {
				return c.String()
			}
		}
		return ""
	}, perClass
}

// networks asks for the group's network mode and its ports' host networks.
func networks(_ *n.Job, group *n.Group) (Test, bool) {
	if group == nil || len(group.Networks) == 0 {
		return nil, true
	}
	// Host networks are no part of the class, nor need a node that lacks one be
	// told from one that has it but by looking.
	perClass := !slices.ContainsFunc(group.Networks, func(w n.Network) bool { return !strings.HasPrefix(w.Mode, "none") })
	return func(node *n.Node) string {
		for i := range group.Networks {
			if why := network(node, &group.Networks[i]); why != "" {
				return why
			}
		}
		return ""
	}, perClass
}

func network(node *n.Node, w *n.Network) string {
	if w.Mode == "none" {
		return ""
	}
	if !hasMode(node, w.Mode) {
		return "missing network"
	}
	for _, p := range w.AllPorts() {
		if p.HostNetwork == "" || p.HostNetwork == "default" {
			continue
		}
		name, ok := Resolve(node, p.HostNetwork)
		if !ok {
			return fmt.Sprintf("invalid host network %q template for port %q", p.HostNetwork, p.Label)
		}
		if !hasAlias(node, name) {
			return fmt.Sprintf("missing host network %q for port %q", name, p.Label)
		}
	}
	return ""
}

func hasMode(node *n.Node, mode string) bool {
	if mode == "" || mode == "host" {
		return true
	}
	r := &node.NodeResources
	return slices.ContainsFunc(r.NodeNetworks, func(o n.NodeNetwork) bool { return o.Mode == mode }) ||
		slices.ContainsFunc(r.Networks, func(o n.Network) bool { return o.Mode == mode })
}

func hasAlias(node *n.Node, name string) bool {
	return slices.ContainsFunc(node.NodeResources.NodeNetworks, func(o n.NodeNetwork) bool {
		return slices.ContainsFunc(o.Addresses, func(a n.NodeAddress) bool { return a.Alias == name })
	})
}
