package command

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/nomadlike/nomadlike/command/text"
	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
)

func nodeStatus() *verb {
	return &verb{
		name: "node status", args: "[node]", min: 0, max: 1, kind: "nodes",
		synopsis: "Show the nodes, or how one of them is",
		help: `
Without an argument, lists the nodes. With the ID of a node, or the beginning of
one, shows how it is: its drivers, what happened to it, what its allocations may
use and do use.`,
		examples: []string{
			"# All nodes, and how much runs on them", Name + " node status -allocs", "",
			"# The node that this agent is", Name + " node status -self", "",
			"# IDs of the nodes that are not ready", Name + ` node status -quiet -filter 'Status != "ready"'`,
		},
		bind: func(f *flags) action {
			s := &nodeStatusFlags{out: f.structured(), page: f.paging(), verbose: f.verbose()}
			f.BoolVar(&s.self, "self", false, "the node of the agent that is asked")
			f.BoolVar(&s.stats, "stats", false, "one node: all that was measured of its processors, memory and disks")
			f.BoolVar(&s.allocs, "allocs", false, "list: how many allocations run on each")
			f.BoolVar(&s.short, "short", false, "one node: only the head of it, and its allocations")
			f.BoolVar(&s.os, "os", false, "list: their operating systems")
			f.BoolVar(&s.quiet, "quiet", false, "list: nothing but full IDs")
			return s.run
		},
	}
}

type nodeStatusFlags struct {
	out                                   *structured
	page                                  *paging
	verbose                               *bool
	self, stats, allocs, short, os, quiet bool
}

func (s *nodeStatusFlags) run(e *env, args []string) error {
	if s.quiet && (*s.verbose || s.out.json) {
		return failf("-quiet can not be combined with -verbose or -json")
	}
	if len(args) == 0 && !s.self {
		return s.list(e)
	}
	id, err := e.nodeArg(args, s.self, "No node(s) with prefix %q found")
	if err != nil {
		return err
	}
	node, err := read(e, api.NodeGet, &n.NodeQuery{NodeID: id})
	if err != nil {
		return e.trouble("Error querying node info", err)
	}
	if s.out.asked() {
		return s.out.print(e, node)
	}
	v := &nodeView{env: e, NodeDetail: node, verbose: *s.verbose, short: s.short, stats: s.stats}
	return v.show()
}

// nodeArg is the node of an argument or, with self, of the agent that is asked.
func (e *env) nodeArg(args []string, self bool, none string) (n.NodeID, error) {
	switch {
	case self && len(args) > 0:
		return "", failf("-self and the ID of a node exclude each other")
	case !self && len(args) == 0:
		return "", failf("Node ID must be specified if -self isn't being used")
	case !self:
		stub, err := e.node(args[0], none)
		if err != nil {
			return "", err
		}
		return stub.ID, nil
	}
	agent, err := read(e, api.AgentSelf, &n.ListRequest{})
	if err != nil {
		return "", e.trouble("Error querying agent", err)
	}
	id := agent.Stats["client"]["node_id"]
	if id == "" {
		return "", errors.New("the agent at " + e.address() + " is no client: name a node")
	}
	return n.NodeID(id), nil
}

func (s *nodeStatusFlags) list(e *env) error {
	req := &n.NodeListRequest{OS: s.os}
	s.page.ask(&req.QueryOptions)
	reply, err := call(e, api.NodeList, req)
	if err != nil {
		return e.trouble("Error querying node status", err)
	}
	nodes := reply.Value
	if s.out.asked() {
		return s.out.print(e, nodes)
	}
	if len(nodes) == 0 {
		e.print("No nodes registered")
		return nil
	}
	if s.quiet {
		for _, nd := range nodes {
			e.print(string(nd.ID))
		}
		return nil
	}
	t, err := s.table(e, nodes)
	if err != nil {
		return err
	}
	e.print(t.String())
	s.page.more(e, reply.NextToken)
	return nil
}

// table is the list of nodes with the columns that were asked for.
func (s *nodeStatusFlags) table(e *env, nodes []*n.NodeStub) (*text.Table, error) {
	columns := []string{"ID", "Node Pool", "DC", "Name", "Class"}
	if s.os {
		columns = append(columns, "OS")
	}
	if *s.verbose {
		columns = append(columns, "Address", "Version")
	}
	columns = append(columns, "Drain", "Eligibility", "Status")
	if s.allocs {
		columns = append(columns, "Running Allocs")
	}
	t := text.NewTable(columns...)
	for _, nd := range nodes {
		row := []string{id(nd.ID, *s.verbose), nd.NodePool, nd.Datacenter, nd.Name, nd.NodeClass}
		if s.os {
			row = append(row, nd.Attributes["os.name"])
		}
		if *s.verbose {
			row = append(row, nd.Address, nd.Version)
		}
		row = append(row, strconv.FormatBool(nd.Drain), nd.SchedulingEligibility, string(nd.Status))
		if s.allocs {
			allocs, err := read(e, api.NodeAllocs, &n.NodeQuery{NodeID: nd.ID})
			if err != nil {
				return nil, e.trouble("Error querying node allocations", err)
			}
			row = append(row, str(len(running(allocs))))
		}
		t.Row(row...)
	}
	return t, nil
}

func running(allocs []*n.AllocDetail) (out []*n.AllocDetail) {
	for _, a := range allocs {
		if a.ClientStatus == n.ClientRunning {
			out = append(out, a)
		}
	}
	return out
}

// drainText says in words whether and how a node is drained.
func drainText(d *n.DrainStrategy) string {
	if d == nil {
		return "false"
	}
	parts := []string{"true"}
	switch {
	case d.Deadline < 0:
		parts = append(parts, "force drain")
	case d.ForceDeadline == nil || d.ForceDeadline.IsZero():
		parts = append(parts, "no deadline")
	default:
		parts = append(parts, fmt.Sprintf("%s deadline", text.Time(*d.ForceDeadline)))
	}
	if d.IgnoreSystemJobs {
		parts = append(parts, "ignoring system jobs")
	}
	return strings.Join(parts, "; ")
}
