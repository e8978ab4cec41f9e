package command

import (
	"fmt"
	"strings"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// A differ writes a job diff: a sign, a name and what changed, deeper blocks
// further in, names of one level below each other.
type differ struct {
	paint
	verbose bool
	b       strings.Builder
}

// jobDiff is a whole diff.
func (e *env) jobDiff(d *n.JobDiff, verbose bool) string {
	p := &differ{paint: e.paint, verbose: verbose}
	p.job(d)
	return strings.TrimRight(p.b.String(), "\n")
}

func (p *differ) linef(format string, args ...any) { fmt.Fprintf(&p.b, format+"\n", args...) }

// sign returns the sign of a kind of change, padded to width, in its colour.
func (p *differ) sign(kind string, width int) string {
	raw := rawSign(kind)
	pad := strings.Repeat(" ", max(width-len(raw), 0))
	switch kind {
	case n.DiffAdded:
		return pad + p.green(raw)
	case n.DiffDeleted:
		return pad + p.red(raw)
	case n.DiffEdited:
		return pad + p.yellow(raw)
	}
	return pad
}

func rawSign(kind string) string {
	switch kind {
	case n.DiffAdded:
		return "+ "
	case n.DiffDeleted:
		return "- "
	case n.DiffEdited:
		return "+/- "
	}
	return ""
}

func (p *differ) job(d *n.JobDiff) {
	p.linef("%s%s", p.sign(d.Type, 0), p.bold(fmt.Sprintf("Job: %q", d.ID)))
	width := widest(d.Fields, d.Objects)
	for _, g := range d.TaskGroups {
		width = max(width, len(rawSign(g.Type)))
	}
	if d.Type == n.DiffEdited || p.verbose {
		p.level(d.Fields, d.Objects, "", width)
	}
	for _, g := range d.TaskGroups {
		p.group(g, width)
		p.linef("")
	}
}

func (p *differ) group(g *n.GroupDiff, width int) {
	line := fmt.Sprintf("%s%s", p.sign(g.Type, width), p.bold(fmt.Sprintf("Task Group: %q", g.Name)))
	if updates := p.updates(g.Updates); updates != "" {
		line += " (" + updates + ")"
	}
	p.linef("%s", line)
	inner := widest(g.Fields, g.Objects)
	for _, t := range g.Tasks {
		inner = max(inner, len(rawSign(t.Type)))
	}
	if g.Type == n.DiffEdited || p.verbose {
		p.level(g.Fields, g.Objects, "  ", inner)
	}
	for _, t := range g.Tasks {
		p.task(t, inner)
	}
}

// updates counts what would happen to a group's allocations.
func (p *differ) updates(counts map[string]uint64) string {
	var parts []string
	for _, kind := range sorted(counts) {
		part := fmt.Sprintf("%d %s", counts[kind], kind)
		switch kind {
		case "create":
			part = p.green(part)
		case "destroy":
			part = p.red(part)
		case "create/destroy update", "migrate", "canary", "in-place update":
			part = p.yellow(part)
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ", ")
}

func (p *differ) task(t *n.TaskDiff, width int) {
	line := fmt.Sprintf("  %s%s", p.sign(t.Type, width), p.bold(fmt.Sprintf("Task: %q", t.Name)))
	if len(t.Annotations) > 0 {
		line += " (" + strings.Join(t.Annotations, ", ") + ")"
	}
	p.linef("%s", line)
	whole := t.Type == n.DiffAdded || t.Type == n.DiffDeleted
	if t.Type == n.DiffNone || whole && !p.verbose {
		return
	}
	p.level(t.Fields, t.Objects, "    ", widest(t.Fields, t.Objects))
}

// level writes the fields and blocks of one block.
func (p *differ) level(fields []*n.FieldDiff, objects []*n.ObjectDiff, indent string, width int) {
	names := 0
	for _, f := range fields {
		names = max(names, len(f.Name))
	}
	for _, f := range fields {
		pad := strings.Repeat(" ", names-len(f.Name))
		line := fmt.Sprintf("%s%s%s: %s%s", indent, p.sign(f.Type, width), f.Name, pad, fieldChange(f))
		if len(f.Annotations) > 0 {
			line += " (" + strings.Join(f.Annotations, ", ") + ")"
		}
		p.linef("%s", line)
	}
	for _, o := range objects {
		p.linef("%s%s%s {", indent, p.sign(o.Type, width), o.Name)
		p.level(o.Fields, o.Objects, indent+"  ", widest(o.Fields, o.Objects))
		p.linef("%s%s}", indent, strings.Repeat(" ", width))
	}
}

func fieldChange(f *n.FieldDiff) string {
	switch f.Type {
	case n.DiffAdded:
		return fmt.Sprintf("%q", f.New)
	case n.DiffDeleted:
		return fmt.Sprintf("%q", f.Old)
	case n.DiffEdited:
		return fmt.Sprintf("%q => %q", f.Old, f.New)
	}
	return fmt.Sprintf("%q", f.New)
}

// widest is the width of the longest sign of a level.
func widest(fields []*n.FieldDiff, objects []*n.ObjectDiff) (width int) {
	for _, f := range fields {
		width = max(width, len(rawSign(f.Type)))
	}
	for _, o := range objects {
		width = max(width, len(rawSign(o.Type)))
	}
	return width
}
