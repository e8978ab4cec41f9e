// Package jobwrite turns a job back into a job file. How a field is written, and
// what it holds when it is not, is asked of package jobspec and of
// nomadlike.Defaults, so that a field more needs nothing here.
package jobwrite

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"

	"github.com/hashicorp/hcl/v2/hclwrite"

	"github.com/nomadlike/nomadlike/jobspec"
	"github.com/nomadlike/nomadlike/jobspec/admission"
	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/walk"
)

// HCL writes a job as a job file that jobspec.Parse reads back into the same job.
// What a file would hold anyway is left out, and so is what only servers set. The
// error names what of the job a file can not say.
//
// A job that was admitted keeps of its update no more than admission.Settled, and
// its groups hold the whole: it reads back as it was before.
func HCL(job *n.Job) ([]byte, error) {
	if job == nil {
		return nil, errors.New("there is no job to write")
	}
	job = unsettled(job)
	w := &writer{job: job, defaults: n.Defaults{JobType: job.Type}}
	if w.defaults.JobType == "" {
		w.defaults.JobType = n.JobTypeService
	}
	base := &n.Job{}
	w.defaults.Fill(base)
	base.ID, base.Name, base.Type = job.ID, string(job.ID), n.JobTypeService // the first two follow from the label
	w.defaults.Job = job
	content, err := w.structure(reflect.ValueOf(job).Elem(), reflect.ValueOf(base).Elem(), "Job")
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	(&body{blocks: []*block{{kind: "job", labels: []string{string(job.ID)}, body: content}}}).render(&b)
	src := hclwrite.Format(b.Bytes())
	read, err := jobspec.Parse("job file", src, jobspec.Options{})
	if err != nil {
		return nil, fmt.Errorf("job %q can not be written as a job file: %w", job.ID, err)
	}
	if err := compare(reflect.ValueOf(job).Elem(), reflect.ValueOf(read.Job).Elem(), "Job"); err != nil {
		return nil, err
	}
	return src, nil
}

// unsettled returns a copy of the job as it was before admission settled it.
func unsettled(job *n.Job) *n.Job {
	job = walk.Clone(job)
	if u := job.Update; u != nil && *u == admission.Settled(*u) {
		was := *u
		n.Defaults{JobType: job.Type}.Fill(u)
		u.MaxParallel = was.MaxParallel
		if was.MaxParallel > 0 {
			u.Stagger = was.Stagger
		}
	}
	if p := job.Periodic; p != nil && p.SpecType == "" {
		p.SpecType = "cron"
	}
	for i := range job.TaskGroups {
		for j := range job.TaskGroups[i].Tasks {
			t := &job.TaskGroups[i].Tasks[j]
			if !admission.IsGiven(t.Identity) {
				continue
			}
			t.Identity = nil
			if r := t.Resources; r != nil {
				r.MemoryMaxMB, r.SecretsMB = unlessZero(r.MemoryMaxMB), unlessZero(r.SecretsMB)
			}
		}
	}
	return job
}

func unlessZero(p *int) *int {
	if p != nil && *p == 0 {
		return nil
	}
	return p
}

// writer writes one job. Its fields but the first are what is being written.
type writer struct {
	job      *n.Job
	defaults n.Defaults
	group    *n.Group
	task     *n.Task
	service  *n.Service
}

// enter notes what is being written; leave undoes that.
func (w *writer) enter(v reflect.Value) (leave func()) {
	was := *w
	switch x := v.Addr().Interface().(type) {
	case *n.Group:
		w.group, w.defaults.Group = x, x
	case *n.Task:
		w.task = x
	case *n.Service:
		w.service = x
	}
	return func() { *w = was }
}

// make makes a value that holds its defaults.
func (w *writer) make(t reflect.Type) reflect.Value {
	p := reflect.New(t)
	w.defaults.Fill(p.Interface())
	return p.Elem()
}
