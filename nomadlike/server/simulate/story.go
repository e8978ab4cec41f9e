package simulate

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/gohcl"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/nomadlike/nomadlike/jobspec"
	"github.com/nomadlike/nomadlike/jobspec/admission"
	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/walk"
	"github.com/nomadlike/nomadlike/scheduler"
)

// A Story says what happens in a cluster, in the order in which a file says it: nodes
// come, jobs are run, and events.
type Story struct {
	name  string
	src   []byte
	body  *hclsyntax.Body
	steps []step
	read  func(path string) ([]byte, error)
}

// A step is one block of the file.
type step struct {
	what string
	at   hcl.Range
	do   func(*teller) error
}

// Parse reads a story. read returns the job files that it names, whose paths are
// relative to the story's. All that is wrong with the file makes one *jobspec.Error.
func Parse(name string, src []byte, read func(path string) ([]byte, error)) (*Story, error) {
	s := &Story{name: name, src: src, read: read}
	file, diags := jobspec.Syntax(name, src)
	if diags.HasErrors() {
		return nil, s.wrong(diags)
	}
	s.body = file.Body.(*hclsyntax.Body)
	for _, a := range s.body.Attributes {
		diags = append(diags, fault(a.NameRange, fmt.Sprintf("%q can not stand outside of a block", a.Name), "at the top of a file there are blocks only: "+blocks))
	}
	for _, b := range s.body.Blocks {
		st, more := s.block(b)
		diags = append(diags, more...)
		if st != nil {
			st.at = b.DefRange()
			s.steps = append(s.steps, *st)
		}
	}
	if diags.HasErrors() {
		return nil, s.wrong(diags)
	}
	return s, nil
}

const blocks = "scheduler, nodes, job, job_file, event, and variable, variables and locals for the jobs"

func (s *Story) wrong(diags hcl.Diagnostics) error {
	return &jobspec.Error{Diagnostics: diags, Sources: jobspec.Sources{s.name: s.src}}
}

func fault(at hcl.Range, summary, detail string) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: detail, Subject: &at}
}

func (s *Story) block(b *hclsyntax.Block) (*step, hcl.Diagnostics) {
	labels := 1
	if b.Type == "scheduler" {
		labels = 0
	}
	switch b.Type {
	case "variable", "variables", "locals":
		return nil, nil // of the jobs
	case "scheduler", "nodes", "job", "job_file", "event":
	default:
		return nil, hcl.Diagnostics{fault(b.TypeRange, fmt.Sprintf("unknown block %q", b.Type), "there are "+blocks)}
	}
	if len(b.Labels) != labels {
		return nil, hcl.Diagnostics{fault(b.DefRange(), "wrong labels", map[string]string{
			"scheduler": "write scheduler { … }", "nodes": `write nodes "<name of the group>" { … }`, "job": `write job "<id>" { … }`,
			"job_file": `write job_file "<path>" { … }`, "event": `write event "<kind>" { … }`,
		}[b.Type])}
	}
	switch b.Type {
	case "scheduler":
		return s.scheduling(b)
	case "nodes":
		return nodesStep(b)
	case "job":
		return s.inline(b)
	case "job_file":
		return s.jobFile(b)
	}
	return eventStep(b)
}

// scheduling is what operators decide.
func (s *Story) scheduling(b *hclsyntax.Block) (*step, hcl.Diagnostics) {
	var c struct {
		Algorithm     string `hcl:"algorithm,optional"`
		Oversubscribe bool   `hcl:"memory_oversubscription,optional"`
	}
	if diags := gohcl.DecodeBody(b.Body, nil, &c); diags.HasErrors() {
		return nil, diags
	}
	if c.Algorithm != "" && c.Algorithm != n.AlgorithmBinpack && c.Algorithm != n.AlgorithmSpread {
		return nil, hcl.Diagnostics{fault(b.Body.Attributes["algorithm"].Expr.Range(), "unknown algorithm", "algorithm is binpack or spread")}
	}
	return &step{what: "the scheduler is configured", do: func(t *teller) error {
		config := *t.View().SchedulerConfig()
		if c.Algorithm != "" {
			config.SchedulerAlgorithm = c.Algorithm
		}
		config.MemoryOversubscriptionEnabled = c.Oversubscribe
		return t.Configure(config)
	}}, nil
}

// inline is a job that stands in the story. Its text is read as a job file in which the
// rest of the story is blank, so that errors name the right lines.
func (s *Story) inline(b *hclsyntax.Block) (*step, hcl.Diagnostics) {
	src := slices.Clone(s.src)
	blank := func(r hcl.Range) {
		for i := r.Start.Byte; i < r.End.Byte; i++ {
			if src[i] != '\n' {
				src[i] = ' '
			}
		}
	}
	for _, a := range s.body.Attributes {
		blank(a.SrcRange)
	}
	for _, o := range s.body.Blocks {
		if o.Type != "variable" && o.Type != "variables" && o.Type != "locals" && o != b {
			blank(o.Range())
		}
	}
	return readJob(s.name, src, jobspec.Options{}, b.DefRange())
}

// jobFile is a job of a file of its own.
func (s *Story) jobFile(b *hclsyntax.Block) (*step, hcl.Diagnostics) {
	var c struct {
		Vars     map[string]string `hcl:"vars,optional"`
		VarFiles []string          `hcl:"var_files,optional"`
	}
	if diags := gohcl.DecodeBody(b.Body, nil, &c); diags.HasErrors() {
		return nil, diags
	}
	at := func(path string) string {
		if filepath.IsAbs(path) {
			return path
		}
		return filepath.Join(filepath.Dir(s.name), path)
	}
	path := at(b.Labels[0])
	src, err := s.read(path)
	if err != nil {
		return nil, hcl.Diagnostics{fault(b.LabelRanges[0], "no such job file", err.Error())}
	}
	o := jobspec.Options{Files: true, Strict: true}
	for name, v := range c.Vars {
		o.Vars = append(o.Vars, name+"="+v)
	}
	slices.Sort(o.Vars)
	for _, f := range c.VarFiles {
		o.VarFiles = append(o.VarFiles, at(f))
	}
	return readJob(path, src, o, b.LabelRanges[0])
}

// readJob reads a job. What is wrong with it is said at its own lines if these are the
// story's, and at a line of the story otherwise.
func readJob(name string, src []byte, o jobspec.Options, at hcl.Range) (*step, hcl.Diagnostics) {
	file, err := jobspec.Parse(name, src, o)
	var wrong *jobspec.Error
	switch {
	case errors.As(err, &wrong) && at.Filename == name:
		return nil, wrong.Diagnostics
	case err != nil:
		return nil, hcl.Diagnostics{fault(at, "the job file has errors", strings.TrimSpace(err.Error()))}
	}
	job := file.Job
	return &step{what: fmt.Sprintf("job %q runs", job.ID), do: func(t *teller) error { return t.run(walk.Clone(job)) }}, nil
}

// teller tells a story.
type teller struct {
	*Cluster
	groups   map[n.NodeID]string // of nodes
	order    []string            // the groups, as they came
	warnings []string
}

func newTeller(c *Cluster) *teller {
	t := &teller{Cluster: c, groups: map[n.NodeID]string{}}
	for node := range c.View().AllNodes(nil, "") {
		name := node.Datacenter
		if node.NodeClass != "" {
			name += "/" + node.NodeClass
		}
		t.join(node.ID, name)
	}
	slices.Sort(t.order)
	return t
}

// join puts a node into a group.
func (t *teller) join(id n.NodeID, group string) {
	t.groups[id] = group
	if !slices.Contains(t.order, group) {
		t.order = append(t.order, group)
	}
}

// run admits a job and registers it.
func (t *teller) run(job *n.Job) error {
	warnings, err := admission.Admit(job, admission.Options{
		MemoryOversubscription: t.View().SchedulerConfig().MemoryOversubscriptionEnabled, Schedulers: scheduler.Names(),
	})
	if err != nil {
		return err
	}
	for _, w := range warnings {
		t.warnings = append(t.warnings, fmt.Sprintf("job %q: %s", job.ID, w.Text))
	}
	if job.IsPeriodic() || job.IsParameterized() {
		return fmt.Errorf("job %q is launched at its times or by dispatching it: take out periodic and parameterized to see one launch of it", job.ID)
	}
	return t.Register(job)
}

// Tell has the story happen, and reports what came of it.
func (s *Story) Tell(c *Cluster) (*Report, error) {
	t := newTeller(c)
	r := &Report{}
	if len(t.order) > 0 { // something was loaded
		if err := t.Settle(); err != nil {
			return nil, err
		}
		r.Steps = append(r.Steps, t.step("what was loaded"))
	}
	if s != nil {
		for _, st := range s.steps {
			err := st.do(t)
			if err == nil {
				err = t.Settle()
			}
			if err != nil {
				return nil, s.wrong(hcl.Diagnostics{fault(st.at, "this can not happen", err.Error())})
			}
			r.Steps = append(r.Steps, t.step(st.what))
		}
	}
	t.report(r)
	return r, nil
}
