package command

import (
	"slices"
	"strings"

	"github.com/posener/complete"

	"github.com/nomadlike/nomadlike/command/text"
	"github.com/nomadlike/nomadlike/jobspec/fields"
)

// manyFields is from how many on a name's meanings are listed rather than
// explained.
const manyFields = 4

// explainField says what a block or an argument of job files means.
func explainField(e *env, name string, asJSON bool) error {
	found, err := fields.Lookup(name)
	if err != nil {
		return failf("Error explaining field: %v\nFor what a job may hold try '%s job validate -explain job'", err, Name)
	}
	if asJSON {
		return (&structured{json: true}).print(e, found)
	}
	kinds := ofOneKind(found)
	titles := titlesOf(kinds)
	if len(kinds) >= manyFields {
		e.printf("%q has %d meanings. Ask for one of them:\n", name, len(kinds))
		rows := [][2]string{}
		for i, k := range kinds {
			rows = append(rows, [2]string{titles[i], firstSentence(k[0].Text)})
		}
		e.print(e.hanging(rows, 2))
		return nil
	}
	for i, k := range kinds {
		if i > 0 {
			e.print("")
		}
		e.print(e.bold(titles[i]))
		e.explainKind(k)
	}
	return nil
}

// titlesOf takes as much of each path's end as tells it from the others, and at
// least the block that it stands in.
func titlesOf(kinds [][]fields.Field) (titles []string) {
	for i, k := range kinds {
		path := k[0].Paths[0]
		title := ending(path, 2)
		for n := 3; title != path; n++ {
			other := func(o []fields.Field) bool {
				return slices.ContainsFunc(o[0].Paths, func(p string) bool { return ending(p, n-1) == title })
			}
			if !slices.ContainsFunc(kinds[:i], other) && !slices.ContainsFunc(kinds[i+1:], other) {
				break
			}
			title = ending(path, n)
		}
		titles = append(titles, title)
	}
	return titles
}

// ofOneKind puts blocks together that are the same at several places.
func ofOneKind(found []fields.Field) (kinds [][]fields.Field) {
	for _, f := range found {
		same := func(k []fields.Field) bool { return f.Block != nil && f.Block == k[0].Block && f.Name == k[0].Name }
		if i := slices.IndexFunc(kinds, same); i >= 0 {
			kinds[i] = append(kinds[i], f)
		} else {
			kinds = append(kinds, []fields.Field{f})
		}
	}
	return kinds
}

// explainKind explains a field, or a block at the places where it stands.
func (e *env) explainKind(kind []fields.Field) {
	f := kind[0]
	meaning := f.Text
	if f.Block != nil {
		meaning = f.Block.Text
	}
	for _, line := range wrap(meaning, e.explainWidth()-2) {
		e.print("  " + line)
	}
	e.print("")
	e.print(e.hanging(slices.Concat(facts(f), whereabouts(kind)), 2))
	if f.Nested && f.Example != "" {
		e.print("\n  Example\n\n" + text.Indent(f.Example, "      "))
	}
	if f.Block != nil && len(f.Block.Fields) > 0 {
		e.print("\n  What may stand in it\n")
		var rows [][2]string
		for _, inner := range f.Block.Fields {
			meaning := firstSentence(inner.Text)
			if inner.Deprecated != "" {
				meaning = "Deprecated: " + inner.Deprecated
			}
			rows = append(rows, [2]string{inner.Name, meaning})
		}
		e.print(e.hanging(rows, 6))
	}
}

// whereabouts are where fields of one kind stand, and what is to be known there.
func whereabouts(kind []fields.Field) (rows [][2]string) {
	for _, k := range kind {
		for _, p := range k.Paths {
			rows = append(rows, [2]string{"Stands at", p})
		}
		if k.Here != "" {
			rows = append(rows, [2]string{"", "(" + k.Here + ")"})
		}
	}
	for _, k := range kind {
		for _, note := range k.Notes {
			rows = append(rows, [2]string{"Note", note})
		}
	}
	if b := kind[0].Block; b != nil {
		for _, note := range b.Notes {
			rows = append(rows, [2]string{"Note", note})
		}
	}
	return rows
}

// facts are what is short, as names and values.
func facts(f fields.Field) [][2]string {
	rows := [][2]string{{"Type", f.Form()}}
	add := func(name, value string) {
		if value != "" {
			rows = append(rows, [2]string{name, value})
		}
	}
	if f.Required {
		add("Required", "yes")
	}
	add("Default", f.Default.String())
	add("One of", strings.Join(f.Allowed(), ", "))
	add("Range", f.Limits())
	add("Job types", strings.Join(f.JobTypes, ", "))
	add("Deprecated", f.Deprecated)
	if f.Runtime {
		add("Filled in", "${…} in it is filled in where the task runs")
	}
	if f.Example != "" && !f.Nested {
		add("Example", f.Name+" = "+f.Example)
	}
	return rows
}

// hanging lays out names with texts beside them, which are broken into lines. A
// name that repeats is written once.
func (e *env) hanging(rows [][2]string, indent int) string {
	width := 0
	for _, r := range rows {
		width = max(width, len(r[0]))
	}
	column := indent + width + 2
	var out []string
	last := ""
	for _, r := range rows {
		name := r[0]
		if name == last {
			name = ""
		} else if name != "" {
			last = name
		}
		for _, line := range wrap(r[1], max(30, e.explainWidth()-column)) {
			out = append(out, strings.Repeat(" ", indent)+name+strings.Repeat(" ", column-indent-len(name))+line)
			name = ""
		}
	}
	return strings.Join(out, "\n")
}

// explainWidth is how wide explanations are: as the terminal, but not so that
// lines are hard to read.
func (e *env) explainWidth() int {
	if e.Width <= 0 {
		return helpWidth
	}
	return min(e.Width, 100)
}

// ending returns the last names of a path.
func ending(path string, names int) string {
	parts := strings.Split(path, ".")
	return strings.Join(parts[max(0, len(parts)-names):], ".")
}

func firstSentence(s string) string {
	if first, _, more := strings.Cut(s, ". "); more {
		return first + "."
	}
	return s
}

// fieldNames completes the names of blocks and arguments, and with a dot those
// of what stands in a block.
func fieldNames(a complete.Args) (names []string) {
	blocks, err := fields.Blocks()
	if err != nil {
		return nil
	}
	dots := strings.Count(a.Last, ".") + 1
	for _, b := range blocks {
		for _, f := range b.Fields {
			for _, p := range f.Paths {
				if end := ending(p, dots); strings.HasPrefix(end, a.Last) && !slices.Contains(names, end) {
					names = append(names, end)
				}
			}
		}
	}
	return names
}
