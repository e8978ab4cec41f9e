package jobspec

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// Places are where the fields of a job are written, by their path in the job's
// JSON, such as TaskGroups[0].Tasks[1].Resources.CPU. What is not written has none.
type Places map[string]hcl.Range

// Of returns where a field is written, or the closest block around it.
func (p Places) Of(path string) (hcl.Range, bool) {
	for {
		if at, ok := p[path]; ok {
			return at, true
		}
		i := strings.LastIndexAny(path, ".[")
		if i < 0 {
			at, ok := p["ID"]
			return at, ok
		}
		path = path[:i]
	}
}

// under joins a path and a field's name.
func under(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// mark says where a path is written.
func (p *parser) mark(path string, at hcl.Range) {
	p.places[path] = at
	p.marked = append(p.marked, path)
}

// markFirst is mark unless it is there already, as for the first of several blocks.
func (p *parser) markFirst(path string, at hcl.Range) {
	if _, ok := p.places[path]; !ok {
		p.mark(path, at)
	}
}

// remark says that what was marked since, below one path, is below another.
func (p *parser) remark(since int, from, to string) {
	for i, path := range p.marked[since:] {
		at := p.places[path]
		delete(p.places, path)
		path = to + strings.TrimPrefix(path, from)
		p.places[path], p.marked[since+i] = at, path
	}
}

// copyMarks says that what is marked below one path is written below another, too.
func (p *parser) copyMarks(paths []string, from, to string) {
	for _, path := range paths {
		p.mark(to+strings.TrimPrefix(path, from), p.places[path])
	}
}
