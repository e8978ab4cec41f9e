package command

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/nomadlike/nomadlike/command/text"
	"github.com/nomadlike/nomadlike/jobspec"
	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
	"github.com/nomadlike/nomadlike/nomadlike/server/simulate"
)

const simulateHelp = `
Runs the scheduler of the servers on a cluster in memory, and shows what it places
where, how full the nodes are, and what finds no place and why. Nothing is changed
anywhere.

The file tells a story: its blocks take effect in their order, and after each of them
the cluster comes to rest. Tasks run until they are stopped, and are healthy at once.

  nodes "web" {              # a group of equal nodes; all but its name may be left out
    count      = 3
    datacenter = "dc1"
    class      = "small"
    pool       = "default"
    cpu        = 4000        # MHz; or cores = 4
    memory     = 8192        # MB
    disk       = 102400      # MB
    max_allocs = 100
    drivers    = ["docker", "exec"]
    attributes = { "kernel.name" = "linux" }   # "" takes one away
    meta       = { rack = "r1" }
    reserved {
      cpu    = 100
      memory = 256
      ports  = "22"
    }
    device "nvidia/gpu/t4" {
      count = 2
    }
  }

  job "api" { … }            # as in a job file
  job_file "db.nomad.hcl" {  # a job file, relative to this one
    vars = { count = "3" }
  }

  event "node_down"   { nodes = "web", count = 1 }   # or node = "web-1"
  event "node_up"     { nodes = "web" }
  event "job_scaled"  { job = "api", group = "g", count = 10 }
  event "job_stopped" { job = "api" }

Further events are node_ineligible and node_eligible. A block scheduler says what
'operator scheduler set-config' would: algorithm and memory_oversubscription.

The story can begin with the state of real servers: with -snapshot that of one of their
snapshots, with -from-agent what the agent tells. Its nodes form groups by datacenter
and class, such as dc1/small, and all jobs keep running where they do. Without a file,
its utilisation is shown.

Exits with 0 when all has found a place, with 2 when something has not, and with 1 on
any error.`

func operatorSimulate() *verb {
	return &verb{
		name: "operator simulate", args: "[file]", min: 0, max: 1, files: true,
		synopsis: "See what would run where in a cluster that need not exist",
		help:     simulateHelp,
		examples: []string{
			"# What would the example do?", Name + " operator simulate examples/simulate.hcl", "",
			"# Is there room for one failure of a node more?", Name + " operator simulate -from-agent failure.hcl", "",
			"# Which allocation on which node?", Name + " operator simulate -verbose cluster.hcl", "",
			"# How many wait, for a script", Name + " operator simulate -t '{{range .Groups}}{{.JobID}} {{.Waiting}} {{end}}' cluster.hcl",
		},
		bind: func(f *flags) action {
			s := &simulation{out: f.structured(), verbose: f.Bool("verbose", false, "show where each allocation runs")}
			f.Uint64Var(&s.seed, "seed", 1, "decides what is left to chance; another `number` shows what else could be")
			f.StringVar(&s.snapshot, "snapshot", "", "begin with the state of this `file`: a snapshot, or a directory below raft/snapshots")
			f.BoolVar(&s.fromAgent, "from-agent", false, "begin with what the agent tells of the cluster")
			return s.run
		},
	}
}

type simulation struct {
	out       *structured
	verbose   *bool
	seed      uint64
	snapshot  string
	fromAgent bool
}

func (s *simulation) run(e *env, args []string) error {
	switch {
	case s.snapshot != "" && s.fromAgent:
		return failf("-snapshot and -from-agent exclude each other: a story has one beginning")
	case len(args) == 0 && s.snapshot == "" && !s.fromAgent:
		return failf("There is nothing to simulate: name a file, or give -snapshot or -from-agent\nFor additional help try '%s operator simulate -help'", Name)
	}
	var story *simulate.Story
	if len(args) > 0 {
		src, err := source(e, args[0])
		if err != nil {
			return failf("Error reading the file: %v", err)
		}
		name := args[0]
		if name == "-" {
			name = "stdin"
		}
		if story, err = simulate.Parse(name, src, os.ReadFile); err != nil {
			return e.badStory(err)
		}
	}
	c := simulate.New(simulate.Options{Seed: s.seed})
	defer c.Close()
	if err := s.load(e, c); err != nil {
		return err
	}
	r, err := story.Tell(c)
	if err != nil {
		return e.badStory(err)
	}
	if s.out.asked() {
		err = s.out.print(e, r)
	} else {
		v := &simulated{env: e, Report: r}
		v.show(*s.verbose)
	}
	if err == nil && slices.ContainsFunc(r.Groups, func(g simulate.Group) bool { return g.Waiting > 0 || g.Why != nil }) {
		return exit(exitNotPlaced)
	}
	return err
}

// badStory shows what is wrong with a file, at its lines.
func (e *env) badStory(err error) error {
	var wrong *jobspec.Error
	if errors.As(err, &wrong) {
		return failf("%s", wrong.Render(e.style()))
	}
	return failf("Error in the simulation: %v", err)
}

// load begins with the state of real servers, if asked to.
func (s *simulation) load(e *env, c *simulate.Cluster) error {
	switch {
	case s.snapshot != "":
		r, err := simulate.OpenSnapshot(s.snapshot)
		if err != nil {
			return failf("Error opening the snapshot: %v", err)
		}
		defer r.Close()
		if err := c.Restore(r); err != nil {
			return failf("Error reading the snapshot %s: %v", s.snapshot, err)
		}
	case s.fromAgent:
		from, err := copyOf(e)
		if err != nil {
			return e.trouble("Error querying the cluster", err)
		}
		if err := c.Load(from); err != nil {
			return failf("Error in what the agent tells: %v", err)
		}
	}
	return nil
}

// copyOf asks for all that matters to scheduling.
func copyOf(e *env) (*simulate.Copy, error) {
	out := &simulate.Copy{}
	config, err := call(e, api.SchedulerConfigGet, &n.ListRequest{})
	if err != nil {
		return nil, err
	}
	out.Config = config.SchedulerConfig
	nodes, err := read(e, api.NodeList, &n.NodeListRequest{})
	if err != nil {
		return nil, err
	}
	for _, stub := range nodes {
		node, err := read(e, api.NodeGet, &n.NodeQuery{NodeID: stub.ID})
		if err != nil {
			return nil, err
		}
		out.Nodes = append(out.Nodes, &node.Node)
		allocs, err := read(e, api.NodeAllocs, &n.NodeQuery{NodeID: stub.ID})
		if err != nil {
			return nil, err
		}
		for _, a := range allocs {
			out.Allocs = append(out.Allocs, &a.Allocation)
		}
	}
	req := &n.JobListRequest{}
	req.Namespace = n.AllNamespaces
	jobs, err := read(e, api.JobList, req)
	if err != nil {
		return nil, err
	}
	for _, stub := range jobs {
		job, err := read(e, api.JobGet, jobQuery(n.JobKey{Namespace: stub.Namespace, ID: stub.ID}))
		if err != nil {
			return nil, err
		}
		out.Jobs = append(out.Jobs, job)
	}
	return out, nil
}

// simulated shows a report.
type simulated struct {
	*env
	*simulate.Report
}

func (v *simulated) show(verbose bool) {
	steps := text.NewTable("Step", "Placed", "Stopped", "Lost", "Waiting")
	for _, s := range v.Steps {
		steps.Row(s.What, str(s.Placed), str(s.Stopped), str(s.Lost), str(s.Waiting))
	}
	v.print(v.bold("What Happened") + "\n" + steps.String())
	if len(v.Groups) > 0 {
		v.section("Placements", v.groups())
	}
	if verbose {
		t := text.NewTable("Allocation", "Node", "Node Group", "Score")
		for _, p := range v.Placements {
			t.Row(p.Name, p.NodeName, p.NodeGroup, fmt.Sprintf("%.3g", p.Score))
		}
		v.section("Allocations", t)
	}
	if len(v.Nodes) > 0 {
		v.section("Utilisation", v.utilisation())
	}
	v.unplacedGroups()
	for _, w := range v.Warnings {
		v.warnf("\n%s", w)
	}
}

// groups says of each group of a job where it runs.
func (v *simulated) groups() *text.Table {
	t := text.NewTable("Job", "Group", "Type", "Asked", "Running", "Waiting", "Where")
	t.Plain = true
	for _, g := range v.Groups {
		var where []string
		for _, name := range sorted(g.On) {
			where = append(where, fmt.Sprintf("%s %d", name, g.On[name]))
		}
		if len(where) == 0 {
			where = []string{"-"}
		}
		t.Row(string(g.JobID), g.Name, g.Type, str(g.Asked), str(g.Running), str(g.Waiting), strings.Join(where, ", "))
	}
	return t
}

func (v *simulated) utilisation() *text.Table {
	t := text.NewTable("Node Group", "Nodes", "Ready", "Empty", "Allocs", "CPU", "Memory", "Disk")
	for _, g := range v.Nodes {
		t.Row(g.Name, str(g.Nodes), str(g.Ready), str(g.Empty), str(g.Allocs),
			partText(g.CPU, g.CPUTotal, "MHz"), partText(g.MemoryMB, g.MemoryTotalMB, "MB"), partText(g.DiskMB, g.DiskTotalMB, "MB"))
	}
	return t
}

// partText is "25% of 4000 MHz".
func partText(used, total int64, unit string) string {
	if total <= 0 {
		return "-"
	}
	return fmt.Sprintf("%.0f%% of %d %s", float64(used)/float64(total)*100, total, unit)
}

// unplacedGroups says what found no place, and why.
func (v *simulated) unplacedGroups() {
	var parts []string
	for _, g := range v.Groups {
		if g.Why == nil {
			continue
		}
		lines := []string{fmt.Sprintf("Job %q, task group %q (%s):", g.JobID, g.Name, text.Count(max(g.Waiting, 1), "allocation"))}
		lines = append(lines, v.reasons(g.Why, "  ")...)
		lines = append(lines, explained(g.Why, "  ")...)
		parts = append(parts, strings.Join(lines, "\n"))
	}
	if len(parts) > 0 {
		v.section("Without a Place", stringer(strings.Join(parts, "\n\n")))
	}
}
