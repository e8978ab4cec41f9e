package command

import (
	"fmt"
	"strings"
	"sync"

	"github.com/hashicorp/hcl/v2"

	"github.com/nomadlike/nomadlike/jobspec"
	"github.com/nomadlike/nomadlike/jobspec/admission"
	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/walk"
)

// A jobPlaces knows the lines of a job file that sentences about the job mean.
// Servers see no lines: the same checks are made here to find them.
type jobPlaces struct {
	file  *jobspec.File
	paths func() map[string]string // of fields, by what may be said of them
}

// places is nil where the job came from no file with lines.
func (j *jobFile) places(job *n.Job) *jobPlaces {
	if j.file == nil {
		return nil
	}
	return &jobPlaces{j.file, sync.OnceValue(func() map[string]string {
		paths := map[string]string{}
		warnings, err := admission.Admit(walk.Clone(job), admission.Options{})
		for _, x := range append(warnings, admission.Problems(err)...) {
			paths[x.Text] = x.Path
		}
		return paths
	})}
}

// show is a sentence with the line that it means, or alone.
func (p *jobPlaces) show(e *env, text string, severity hcl.DiagnosticSeverity) string {
	if p == nil {
		return "* " + text
	}
	path, ok := p.paths()[text]
	at, found := p.file.Places.Of(path)
	if !ok || !found {
		return "* " + text
	}
	return p.file.Sources.Render(&hcl.Diagnostic{Severity: severity, Summary: text, Subject: &at}, e.style())
}

// problems is what is wrong with a job, with lines where they are known.
func (p *jobPlaces) problems(e *env, list []string) string {
	var out []string
	for _, text := range list {
		out = append(out, p.show(e, text, hcl.DiagError))
	}
	sep := "\n"
	if p != nil {
		sep = "\n\n"
	}
	return strings.Join(out, sep)
}

// warnings prints a server's warnings, with lines where they are known.
func (p *jobPlaces) warnings(e *env, text string) {
	if text == "" {
		return
	}
	_, list, ok := strings.Cut(text, ":\n\n")
	if p == nil || !ok {
		e.warnings(text)
		return
	}
	e.print(e.yellow("Job Warnings:"))
	for i, line := range strings.Split(strings.TrimPrefix(list, "* "), "\n* ") {
		if i > 0 {
			e.print("")
		}
		e.print(p.show(e, line, hcl.DiagWarning))
	}
	e.print("")
}

// trouble is why the servers did not take a job.
func (p *jobPlaces) trouble(e *env, doing string, err error) error {
	if p == nil || err == nil {
		return e.trouble(doing, err)
	}
	lines := strings.Split(plainText(err), "\n")
	known := false
	for _, l := range lines {
		known = known || p.paths()[l] != ""
	}
	if !known {
		return e.trouble(doing, err)
	}
	e.errorf("%s:\n", doing)
	fmt.Fprintln(e.Err, p.problems(e, lines))
	return exit(1)
}
