package fields

import (
	"fmt"
	"slices"
	"strings"
)

const intro = `<!-- Made of jobspec/fields/fields.txt by go test ./jobspec/fields -rewrite. -->

# The job file

All blocks and arguments of a job file. ` + "`nomadlike job validate -explain restart.mode`" + ` says the same of one of them, and
` + "`nomadlike job schema`" + ` prints a [JSON Schema](job.schema.json) for editors and other tools.

- A duration is text with units: ` + "`\"90s\"`, `\"1h30m\"`" + `; the units are ` + "`h`, `m`, `s`, `ms`, `us`, `ns`" + `.
- Sizes are in MB, shares of processors in MHz.
- Where a default is not the same for all types of jobs, the types stand behind it. No default is written where there is none, or
  where it is empty.
- *Late* means that ` + "`${…}`" + ` in it, such as ` + "`${NOMAD_PORT_http}` or `${attr.kernel.name}`" + `, is filled in where the task runs.
- Any block can be made of a list, with a ` + "`dynamic \"<block>\"`" + ` block in its place that has ` + "`for_each`, `content`" + ` and, if needed,
  ` + "`iterator` and `labels`" + `.

`

// Page returns the reference page of job files, in Markdown.
func Page() ([]byte, error) {
	blocks, err := all()
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	b.WriteString(intro)
	b.WriteString("| Block | Stands in |\n|---|---|\n")
	for _, x := range blocks[1:] {
		fmt.Fprintf(&b, "| %s | %s |\n", link(x), parents(blocks, x))
	}
	for _, x := range blocks {
		section(&b, x, parents(blocks, x))
	}
	return []byte(strings.TrimSpace(b.String()) + "\n"), nil
}

// link leads to a block's section.
func link(b *Block) string {
	return fmt.Sprintf("[`%s`](#%s)", b.Title, strings.ReplaceAll(b.Title, ".", ""))
}

// parents lists the blocks that a block may stand in.
func parents(blocks []*Block, b *Block) string {
	var in []string
	for _, p := range blocks {
		if slices.ContainsFunc(p.Fields, func(f *Field) bool { return f.Block == b }) {
			name := link(p)
			if p.Title == "file" {
				name = "the file"
			}
			in = append(in, name)
		}
	}
	return strings.Join(in, ", ")
}

func section(w *strings.Builder, b *Block, in string) {
	fmt.Fprintf(w, "\n## %s\n\n%s\n", b.Title, escaped(b.Text))
	if in != "" {
		fmt.Fprintf(w, "\nStands in %s.\n", in)
	}
	if len(b.JobTypes) > 0 {
		fmt.Fprintf(w, "\nOnly in jobs of type %s.\n", list(b.JobTypes))
	}
	for _, note := range b.Notes {
		fmt.Fprintf(w, "\n%s\n", escaped(note))
	}
	if b.Example != "" {
		fmt.Fprintf(w, "\n```hcl\n%s\n```\n", b.Example)
	}
	if len(b.Fields) == 0 {
		return
	}
	w.WriteString("\n| Name | Type | Default | Meaning |\n|---|---|---|---|\n")
	for _, f := range b.Fields {
		fmt.Fprintf(w, "| `%s` | %s | %s | %s |\n", f.Name, escaped(f.Form()), shownDefault(f.Default), meaning(b, f))
	}
}

func shownDefault(d Default) string {
	if len(d.ByJobType) == 0 && strings.HasPrefix(d.All, `"`) && strings.Count(d.All, `"`) == 2 && strings.HasSuffix(d.All, `"`) {
		return "`" + d.All + "`"
	}
	return escaped(d.String())
}

// meaning is the last cell of the row of a field of b.
func meaning(b *Block, f *Field) string {
	text := f.Text
	if f.Block != nil {
		text = f.Here // the rest stands in the block's own section
	}
	parts := []string{escaped(text)}
	if f.Block != nil {
		parts = append(parts, "See "+link(f.Block)+".")
	}
	if f.Values != nil {
		parts = append(parts, "One of "+list(f.Allowed())+".")
	}
	if limits := f.Limits(); limits != "" {
		parts = append(parts, capital(limits)+".")
	}
	for _, note := range f.Notes {
		parts = append(parts, escaped(note))
	}
	if f.Block == nil && !slices.Equal(f.JobTypes, b.JobTypes) {
		parts = append(parts, "Only in jobs of type "+list(f.JobTypes)+".")
	}
	if f.Deprecated != "" {
		parts = append(parts, "**Deprecated**: "+escaped(f.Deprecated)+".")
	}
	if f.Required {
		parts = append(parts, "**Required.**")
	}
	if f.Runtime {
		parts = append(parts, "*Late.*")
	}
	return strings.TrimSpace(strings.Join(parts, " "))
}

func list(values []string) string { return "`" + strings.Join(values, "`, `") + "`" }

// escaped keeps text from being taken for Markdown.
func escaped(s string) string {
	return strings.NewReplacer("<", "&lt;", ">", "&gt;", "|", `\|`, "*", `\*`, "_", `\_`).Replace(s)
}
