// Package interp owns a task's environment and the replacement of names such as
// ${node.unique.id} in a job's simple fields. It is pure: the environment of the
// agent's own process comes in as an argument. Driver configurations, which are
// full expressions, belong to package hclspec; NodeNames and Vars are what it
// needs.
package interp

import (
	"maps"
	"regexp"
	"strings"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// Dirs are a task's directories as the task sees them.
type Dirs struct{ Alloc, Task, Secrets string }

// ContainerDirs are those of a task with a root file system of its own.
var ContainerDirs = Dirs{"/alloc", "/local", "/secrets"}

// Input is all that an environment is made of.
type Input struct {
	Node   *n.Node
	Region string
	Job    *n.Job
	Group  *n.Group
	Task   *n.Task
	Alloc  *n.Allocation
	Dirs   Dirs
	// HostEnv is what the task inherits of the agent's environment, already
	// filtered with Inherited; nil for tasks that bring an image.
	HostEnv map[string]string
}

// An Env is a task's environment, and where names are looked up.
type Env struct {
	vars  map[string]string // as names are written in a job
	clean map[string]string // as a process sees them
	node  map[string]string
}

// Build makes the environment of a task. Where two sources name the same
// variable, the later of these wins: what we tell, ports, meta, the host's
// (only where nothing is set), the task's env.
func Build(in Input) *Env {
	e := &Env{vars: map[string]string{}, node: NodeNames(in.Node, in.Region)}
	told(e.vars, in)
	ports(e.vars, in)
	for k, v := range e.meta(in) {
		e.vars["NOMAD_META_"+strings.ToUpper(k)] = v
	}
	for k, v := range e.meta(in) { // as written wins over upper-cased
		e.vars["NOMAD_META_"+k] = v
	}
	for k, v := range in.HostEnv {
		if _, taken := e.vars[k]; !taken {
			e.vars[k] = v
		}
	}
	own := map[string]string{}
	for k, v := range in.Task.Env {
		own[e.early(k)] = e.early(v)
	}
	maps.Copy(e.vars, own)
	e.tidy()
	return e
}

// meta is the job's, the group's and the task's, the nearer winning.
func (e *Env) meta(in Input) map[string]string {
	out := map[string]string{}
	if p := in.Job.ParameterizedJob; p != nil {
		for _, k := range p.MetaOptional {
			out[k] = ""
		}
	}
	for _, m := range []map[string]string{in.Job.Meta, in.Group.Meta, in.Task.Meta} {
		for k, v := range m {
			out[e.early(k)] = e.early(v)
		}
	}
	return out
}

// Set adds variables from hooks, which win over all others.
func (e *Env) Set(vars map[string]string) {
	maps.Copy(e.vars, vars)
	e.tidy()
}

func (e *Env) tidy() {
	e.clean = make(map[string]string, len(e.vars))
	for k, v := range e.vars {
		if c := Clean(k); c != k {
			e.clean[c] = v
		}
	}
	for k, v := range e.vars { // a name that was clean already wins
		if Clean(k) == k {
			e.clean[k] = v
		}
	}
}

// Vars is the environment of the process.
func (e *Env) Vars() map[string]string { return maps.Clone(e.clean) }

// Node is what node names stand for.
func (e *Env) Node() map[string]string { return e.node }

var name = regexp.MustCompile(`\$\{[A-Za-z0-9_\-.]+\}`)

// Replace replaces every ${name} that is known, and leaves the others alone.
func (e *Env) Replace(s string) string { return replace(s, e.clean, e.vars, e.node) }

// early is Replace while the environment is being made.
func (e *Env) early(s string) string { return replace(s, e.node, e.vars) }

func replace(s string, tables ...map[string]string) string {
	if !strings.Contains(s, "${") {
		return s
	}
	return name.ReplaceAllStringFunc(s, func(m string) string {
		for _, t := range tables {
			if v, ok := t[m[2:len(m)-1]]; ok {
				return v
			}
		}
		return m
	})
}

// cleaned lists the beginnings of names that Clean looks at.
var cleaned = []string{"NOMAD_ADDR_", "NOMAD_IP_", "NOMAD_PORT_", "NOMAD_HOST_PORT_", "NOMAD_META_"}

// Clean makes a variable's name one that shells accept, for those of ours that
// hold a label or a key as users wrote it. Dots are kept.
func Clean(k string) string {
	for _, p := range cleaned {
		if strings.HasPrefix(k, p) {
			return strings.Map(func(r rune) rune {
				if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '.' {
					return r
				}
				return '_'
			}, k)
		}
	}
	return k
}

// NodeNames is what can be said of a node: "node.unique.id", "attr.<name>",
// "meta.<key>".
func NodeNames(node *n.Node, region string) map[string]string {
	if node == nil {
		return map[string]string{}
	}
	out := map[string]string{
		"node.unique.id":   string(node.ID),
		"node.unique.name": node.Name,
		"node.datacenter":  node.Datacenter,
		"node.class":       node.NodeClass,
		"node.pool":        node.NodePool,
		"node.region":      region,
	}
	for k, v := range node.Attributes {
		out["attr."+k] = v
	}
	for k, v := range node.Meta {
		out["meta."+k] = v
	}
	return out
}
