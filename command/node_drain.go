package command

import (
	"fmt"
	"strings"
	"time"

	"github.com/nomadlike/nomadlike/command/text"
	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
)

func nodeDrain() *verb {
	return &verb{
		name: "node drain", args: "[node]", min: 0, max: 1, kind: "nodes",
		synopsis: "Move all allocations off a node, or end that",
		help: `
Empties a node. It takes no new allocations from then on, also when the drain is
over; those that it has leave it. Services move a few at a time, as the migrate
blocks of their groups say, and each next one once what runs in its stead is
healthy. Batch jobs may end by themselves. System jobs are stopped last. When the
deadline is reached, everything that is left is stopped.

Shows what leaves until nothing is left, unless -detach is given. Asks first when
the argument is only the beginning of the node's ID.`,
		examples: []string{
			"# Empty a node before its maintenance, within two hours", Name + " node drain -enable -deadline 2h -m \"new disks\" 4f2a91c0", "",
			"# Back to work", Name + " node drain -disable 4f2a91c0", "",
			"# Look on at a drain that goes on", Name + " node drain -monitor 4f2a91c0", "",
			"# In a script: this agent's own node, at once, whatever runs there", Name + " node drain -enable -force -self -yes -detach",
		},
		bind: func(f *flags) action {
			d := &drainFlags{set: f.given}
			f.BoolVar(&d.enable, "enable", false, "begin to empty the node, or change how")
			f.BoolVar(&d.disable, "disable", false, "end that; the node takes new allocations again")
			f.DurationVar(&d.deadline, "deadline", time.Hour, "the `time` after which all that is left is stopped")
			f.BoolVar(&d.force, "force", false, "stop everything at once")
			f.BoolVar(&d.noDeadline, "no-deadline", false, "wait for as long as it takes")
			f.BoolVar(&d.ignoreSystem, "ignore-system", false, "leave the allocations of system jobs where they are")
			f.BoolVar(&d.keepIneligible, "keep-ineligible", false, "with -disable: the node takes no new allocations yet")
			f.StringVar(&d.message, "m", "", "a `message` that says why, kept with the node")
			d.meta = f.list("meta", "a `key=value` to be kept with the drain; may be given several times")
			f.BoolVar(&d.detach, "detach", false, "return at once instead of showing what leaves")
			f.BoolVar(&d.monitor, "monitor", false, "change nothing, show what leaves")
			f.BoolVar(&d.self, "self", false, "the node of the agent that is asked")
			f.BoolVar(&d.yes, "yes", false, "answer every question with yes")
			return d.run
		},
	}
}

type drainFlags struct {
	enable, disable, force, noDeadline, ignoreSystem bool
	keepIneligible, detach, monitor, self, yes       bool
	deadline                                         time.Duration
	message                                          string
	meta                                             *[]string
	set                                              func(name string) bool // was it written?
}

// check says what is wrong with the flags, or nil.
func (d *drainFlags) check() error {
	switch {
	case d.monitor && (d.enable || d.disable):
		return failf("-monitor changes nothing: leave out -enable and -disable, or leave out -monitor")
	case !d.monitor && d.enable == d.disable:
		return failf("Either the '-enable' or '-disable' flag must be set, unless using '-monitor'")
	case d.disable && (d.set("deadline") || d.force || d.noDeadline || d.ignoreSystem):
		return failf("-disable can't be combined with flags configuring drain strategy: -deadline, -force, -no-deadline and -ignore-system")
	case d.set("deadline") && (d.force || d.noDeadline):
		return failf("-deadline can't be combined with -force or -no-deadline")
	case d.force && d.noDeadline:
		return failf("-force and -no-deadline are mutually exclusive")
	case d.deadline <= 0:
		return failf("A positive -deadline must be given, such as 30m; -force is for at once")
	}
	return nil
}

func (d *drainFlags) run(e *env, args []string) error {
	if err := d.check(); err != nil {
		return err
	}
	id, err := e.nodeArg(args, d.self, "No node(s) with prefix or id %q found")
	if err != nil {
		return err
	}
	if d.monitor {
		return d.look(e, id)
	}
	if len(args) > 0 && args[0] != string(id) && !d.yes {
		ok, err := e.confirm(fmt.Sprintf("Are you sure you want to %s drain mode for node %q? [y/N]", d.verb(), id), "Canceling drain toggle")
		if err != nil || !ok {
			return err
		}
	}
	req, err := d.request(id)
	if err != nil {
		return err
	}
	resp, err := call(e, api.NodeDrain, req)
	switch {
	case err != nil:
		return e.trouble("Error updating drain specification", err)
	case d.disable:
		e.printf("Node %q drain strategy unset", id)
		return nil
	case d.detach:
		e.printf("Node %q drain strategy set", id)
		return nil
	}
	m := &drainMonitor{env: e, id: id, stays: d.ignoreSystem}
	m.say("Ctrl-C to stop monitoring: will not cancel the node drain")
	m.say("Node %q drain strategy set", id)
	return m.follow(resp.NodeModifyIndex)
}

func (d *drainFlags) verb() string {
	if d.enable {
		return "enable"
	}
	return "disable"
}

// look follows a drain that goes on.
func (d *drainFlags) look(e *env, id n.NodeID) error {
	node, err := read(e, api.NodeGet, &n.NodeQuery{NodeID: id})
	if err != nil {
		return e.trouble("Error querying node info", err)
	}
	if node.DrainStrategy == nil {
		e.print("No drain strategy set")
		return nil
	}
	m := &drainMonitor{env: e, id: id}
	m.say("Monitoring node %q: Ctrl-C to detach monitoring", id)
	return m.follow(0)
}

func (d *drainFlags) request(id n.NodeID) (*n.NodeDrain, error) {
	req := &n.NodeDrain{NodeID: id, MarkEligible: d.disable && !d.keepIneligible, Meta: map[string]string{}}
	for _, kv := range *d.meta {
		k, v, _ := strings.Cut(kv, "=")
		if k == "" {
			return nil, failf("-meta %q has no key: write key=value", kv)
		}
		req.Meta[k] = v
	}
	if d.message != "" {
		key := "message"
		if d.disable {
			key = "cancel_message"
		}
		req.Meta[key] = d.message
	}
	if d.enable {
		req.DrainSpec = &n.DrainSpec{Deadline: d.deadline, IgnoreSystemJobs: d.ignoreSystem}
		switch {
		case d.force:
			req.DrainSpec.Deadline = -time.Second
		case d.noDeadline:
			req.DrainSpec.Deadline = 0
		}
	}
	return req, nil
}

// A drainMonitor tells in lines what leaves a node.
type drainMonitor struct {
	*env
	id       n.NodeID
	strategy string // as last told
	down     bool   // that was told
	stays    bool   // allocations of system jobs do
	known    map[n.AllocID]*n.AllocDetail
}

func (m *drainMonitor) say(format string, args ...any) {
	m.printf("%s: %s", text.Time(m.Now()), fmt.Sprintf(format, args...))
}

// drainWait is how long a look at a node that drains waits for something new.
const drainWait = 2 * time.Second

// follow tells what happens until nothing that had to leave is left. set is the
// index at which the drain was asked for.
func (m *drainMonitor) follow(set uint64) error {
	var at, nodeAt uint64 // what is known already; that of the node once it alone is waited for
	for ended := false; ; {
		node, err := read(m.env, api.NodeGet, m.query(nodeAt))
		if err != nil {
			return m.trouble("Error monitoring node", err)
		}
		if node.ModifyIndex >= set {
			over := m.node(node)
			if over && !ended {
				m.say("Drain complete for node %s", m.id)
			}
			ended = over
		}
		reply, err := call(m.env, api.NodeAllocs, m.query(at))
		if err != nil {
			return m.trouble("Error monitoring allocations", err)
		}
		at, nodeAt = reply.Index, 0
		switch left := m.allocs(reply.Value); {
		case ended && !left:
			m.say("All allocations on node %q have stopped", m.id)
			return nil
		case !left:
			at, nodeAt = 0, max(node.ModifyIndex, set)
		}
		if err := m.ctx.Err(); err != nil {
			return err
		}
	}
}

// query waits until something is newer than an index, unless that is 0.
func (m *drainMonitor) query(index uint64) *n.NodeQuery {
	q := &n.NodeQuery{NodeID: m.id}
	q.MinQueryIndex, q.MaxQueryTime = index, drainWait
	return q
}

// node tells what changed of the node, and reports whether the drain is over.
func (m *drainMonitor) node(node *n.NodeDetail) (over bool) {
	if node.DrainStrategy != nil {
		now := drainText(node.DrainStrategy)
		if m.strategy != "" && m.strategy != now {
			m.say("Node %q drain updated: %s", m.id, now)
		}
		m.strategy, m.stays = now, node.DrainStrategy.IgnoreSystemJobs
	}
	if down := node.Status == n.NodeDown; down != m.down {
		if m.down = down; down {
			m.say("Node %q down", m.id)
		}
	}
	return node.DrainStrategy == nil
}

// allocs tells what changed of the allocations, and reports whether any is left
// that has to leave.
func (m *drainMonitor) allocs(list []*n.AllocDetail) (left bool) {
	first := m.known == nil
	if first {
		m.known = map[n.AllocID]*n.AllocDetail{}
	}
	for _, a := range list {
		if m.stays && a.Job != nil && a.Job.Type == n.JobTypeSystem {
			continue
		}
		left = left || !a.ClientStatus.Terminal()
		if news := drainNews(m.known[a.ID], a); len(news) > 0 && (!first || !a.ClientStatus.Terminal()) {
			m.say("Alloc %q %s", a.ID, strings.Join(news, ", "))
		}
		m.known[a.ID] = a
	}
	return left
}

// drainNews says what happened to an allocation; before is nil at the first look.
func drainNews(before, a *n.AllocDetail) (news []string) {
	was := &n.Allocation{ClientStatus: a.ClientStatus, DesiredStatus: n.DesiredRun}
	if before != nil {
		was = &before.Allocation
	}
	moves := n.Asked(a.DesiredTransition.Migrate)
	if moves && !n.Asked(was.DesiredTransition.Migrate) {
		news = append(news, "marked for migration")
	}
	if moves && a.ServerTerminal() && !was.ServerTerminal() {
		news = append(news, "draining")
	}
	if a.ClientStatus != was.ClientStatus {
		news = append(news, fmt.Sprintf("status %s -> %s", was.ClientStatus, a.ClientStatus))
	}
	return news
}
