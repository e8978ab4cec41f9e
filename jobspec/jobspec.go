// Package jobspec turns a job file, or the JSON of the API, into a job. It holds
// no types of its own: what a block or field is called, and whether it may be
// written, stands in the tags of package nomadlike, and what it holds unless
// written in nomadlike.Defaults. Whether the job makes sense is decided by
// package admission.
package jobspec

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// Options say what a job file may refer to.
type Options struct {
	VarText  string   // text of a variables file
	VarFiles []string // paths of variables files
	Vars     []string // "name=value", stronger than files
	Env      []string // "NAME=value"; NOMAD_VAR_<name> counts, weaker than files
	// Files lets functions such as file() read the disk, relative to the working
	// directory of the process.
	Files bool
	// Strict refuses values for variables that the file does not declare.
	Strict bool
}

// MaxSize is the largest job file that is read, in bytes. Real ones are a
// thousandth of that.
const MaxSize = 4 << 20

// Parse reads a job file. name is what errors call it. The diagnostics are
// warnings, or what the error is made of.
func Parse(name string, src []byte, o Options) (*n.Job, hcl.Diagnostics, error) {
	if bytes.HasPrefix(bytes.TrimLeft(src, " "), []byte("{")) {
		return nil, nil, fmt.Errorf("%s: job files in the JSON form of HCL are not read by this version; write HCL, or the JSON of the API with -json", name)
	}
	file, diags := Syntax(name, src)
	if diags.HasErrors() {
		return nil, diags, Describe(diags)
	}
	p := &parser{src: src, options: o}
	job, more := p.file(file.Body.(*hclsyntax.Body))
	if diags = append(diags, more...); diags.HasErrors() {
		return nil, diags, Describe(diags)
	}
	return job, diags, nil
}

// Describe makes one error of all diagnostics that are errors, each with its place.
func Describe(diags hcl.Diagnostics) error {
	var lines []string
	for _, d := range diags {
		if d.Severity != hcl.DiagError {
			continue
		}
		lines = append(lines, Line(d))
	}
	return fmt.Errorf("%s", strings.Join(lines, "\n"))
}

// Line is a diagnostic in one line, with its place.
func Line(d *hcl.Diagnostic) string {
	at := ""
	switch {
	case d.Subject == nil:
	case d.Subject.Start.Line == 0: // all of a file, or none, such as a flag
		at = d.Subject.Filename + ": "
	default:
		at = fmt.Sprintf("%s:%d,%d: ", d.Subject.Filename, d.Subject.Start.Line, d.Subject.Start.Column)
	}
	return at + d.Summary + "; " + d.Detail
}

// fault makes a diagnostic.
func fault(at hcl.Range, summary, detail string, args ...any) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: fmt.Sprintf(detail, args...), Subject: &at}
}

// parser reads one file.
type parser struct {
	src     []byte
	options Options
	root    *hcl.EvalContext
	refs    int // runtime references found so far
	grown   int // blocks made by dynamic blocks
}

// file reads the top level.
func (p *parser) file(body *hclsyntax.Body) (*n.Job, hcl.Diagnostics) {
	var diags hcl.Diagnostics
	for _, a := range inOrder(body.Attributes) {
		diags = append(diags, fault(a.NameRange, "Unsupported argument", "%q can not stand outside of a block", a.Name))
	}
	var job *hclsyntax.Block
	for _, b := range body.Blocks {
		switch b.Type {
		case "variable", "variables", "locals":
		case "job":
			if job != nil {
				diags = append(diags, fault(b.DefRange(), "Duplicate job", "a file holds one job; the first is at line %d", job.DefRange().Start.Line))
			}
			job = b
		default:
			diags = append(diags, fault(b.TypeRange, "Unsupported block type", "blocks of type %q are not expected here%s", b.Type, meant(b.Type, []string{"job", "variable", "variables", "locals"})))
		}
	}
	if job == nil {
		at := hcl.Range{Filename: body.SrcRange.Filename, Start: body.SrcRange.Start, End: body.SrcRange.Start}
		return nil, append(diags, fault(at, "Missing job", "the file has no job block"))
	}
	if len(job.Labels) != 1 {
		return nil, append(diags, fault(job.DefRange(), "Wrong labels", "write job \"<id>\" { … }"))
	}
	diags = append(diags, p.scope(body)...)
	if diags.HasErrors() {
		return nil, diags
	}
	out, more := p.job(job)
	return out, append(diags, more...)
}

// job reads the job block.
func (p *parser) job(b *hclsyntax.Block) (*n.Job, hcl.Diagnostics) {
	d := &decoder{parser: p}
	if a := b.Body.Attributes["type"]; a != nil { // the defaults depend on it
		if v, diags := p.value(a.Expr, p.root); !diags.HasErrors() {
			_ = set(&d.defaults.JobType, v) // an error comes up again below
		}
	}
	if d.defaults.JobType == "" {
		d.defaults.JobType = n.JobTypeService
	}
	job := &n.Job{}
	d.defaults.Fill(job)
	job.ID, job.Name = n.JobID(b.Labels[0]), b.Labels[0]
	d.defaults.Job = job
	diags := d.structure(b.Body, p.root, target(job), b.DefRange())
	finish(job)
	return job, diags
}
