// Package jobspec turns a job file, or the JSON of the API, into a job. It holds
// no types of its own: what a block or field is called, and whether it may be
// written, stands in the tags of package nomadlike, and what it holds unless
// written in nomadlike.Defaults. Whether the job makes sense is decided by
// package admission.
package jobspec

import (
	"bytes"
	"fmt"
	"reflect"

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

// A File is what a job file says.
type File struct {
	Job      *n.Job
	Places   Places          // where the job's fields are written
	Warnings hcl.Diagnostics // what works and should be written otherwise
	Sources  Sources         // what the warnings point into

	// The values that variables were given, so that they can be given again:
	// VariableFlags for those that are written as plain text, Variables for the rest,
	// as the text of a variables file.
	VariableFlags map[string]string
	Variables     string
}

// Parse reads a job file, in HCL or in HCL's JSON form. name is what errors call
// it. All that is wrong with the file makes one *Error.
func Parse(name string, src []byte, o Options) (*File, error) {
	p := &parser{name: name, text: src, options: o, places: Places{}, sources: Sources{name: src}}
	body, diags := p.syntax()
	var job *n.Job
	if !diags.HasErrors() {
		var more hcl.Diagnostics
		job, more = p.file(body)
		diags = append(diags, more...)
	}
	if diags.HasErrors() {
		return nil, &Error{Diagnostics: diags, Sources: p.sources}
	}
	return &File{Job: job, Places: p.places, Warnings: diags, Sources: p.sources, VariableFlags: p.flags, Variables: p.given()}, nil
}

// fault makes a diagnostic.
func fault(at hcl.Range, summary, detail string, args ...any) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: fmt.Sprintf(detail, args...), Subject: &at}
}

// parser reads one file.
type parser struct {
	name      string
	text      []byte // that references at runtime are cut out of
	options   Options
	sources   Sources
	places    Places
	marked    []string // paths, in the order of writing
	root      *hcl.EvalContext
	json      bool
	broken    bool // variables or locals are wrong, so that values may be unknown
	prepared  map[hclsyntax.Expression]bool
	refs      int               // runtime references found so far
	grown     int               // blocks made by dynamic blocks
	work      int               // see maxWork
	exhausted bool              // and that was said
	flags     map[string]string // values of variables that are plain text
	complex   map[string]string // and those of others
	varTexts  []string          // of variables files
}

// syntax reads the text into blocks and expressions.
func (p *parser) syntax() (*hclsyntax.Body, hcl.Diagnostics) {
	if text := bytes.TrimLeft(p.text, " \t\r\n"); len(text) > 0 && text[0] == '{' {
		p.json = true
		return p.syntaxJSON()
	}
	file, diags := Syntax(p.name, p.text)
	if diags.HasErrors() {
		return nil, diags
	}
	return file.Body.(*hclsyntax.Body), diags
}

// file reads the top level.
func (p *parser) file(body *hclsyntax.Body) (*n.Job, hcl.Diagnostics) {
	var diags hcl.Diagnostics
	for _, a := range inOrder(body.Attributes) {
		diags = append(diags, fault(a.NameRange, fmt.Sprintf("%q can not stand outside of a block", a.Name), "at the top of a file there are blocks only: job, variable, variables, locals"))
	}
	var job *hclsyntax.Block
	for _, b := range body.Blocks {
		switch b.Type {
		case "variable", "variables", "locals":
		case "job":
			if job != nil {
				diags = append(diags, fault(b.DefRange(), "a second job", "a file holds one job; the first is at line %d", job.DefRange().Start.Line))
				continue
			}
			job = b
		default:
			diags = append(diags, fault(b.TypeRange, fmt.Sprintf("unknown block %q", b.Type), "%s", unknown(b.Type, true, reflect.TypeFor[struct{}](), []string{"job", "variable", "variables", "locals"})))
		}
	}
	if job == nil && diags.HasErrors() {
		return nil, diags // what is wrong may have been meant to be the job
	}
	if job == nil {
		at := hcl.Range{Filename: p.name, Start: hcl.InitialPos, End: hcl.InitialPos}
		return nil, append(diags, fault(at, "no job", "the file needs a block job \"<id>\" { … }"))
	}
	if len(job.Labels) != 1 {
		return nil, append(diags, fault(job.DefRange(), "wrong labels", "write job \"<id>\" { … }"))
	}
	more := p.scope(body)
	p.broken = more.HasErrors()
	diags = append(diags, more...)
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
	p.mark("ID", b.LabelRanges[0])
	p.mark("Name", b.LabelRanges[0])
	d.defaults.Job = job
	diags := d.structure(b.Body, p.root, target(job), b.DefRange(), "")
	finish(job)
	return job, diags
}
