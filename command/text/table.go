// Package text lays out what commands print: tables, key/value blocks, times,
// sizes. It is pure: what it is given decides what it returns.
package text

import (
	"strings"
	"unicode/utf8"
)

// None stands for an empty cell where an empty one would be unclear.
const None = "<none>"

// A Table is a header and rows.
type Table struct {
	rows [][]string
	// Plain leaves empty cells empty.
	Plain bool
}

// NewTable returns a table of these columns.
func NewTable(columns ...string) *Table { return &Table{rows: [][]string{columns}} }

// Row adds a row.
func (t *Table) Row(cells ...string) *Table {
	t.rows = append(t.rows, cells)
	return t
}

// Empty reports a table without rows.
func (t *Table) Empty() bool { return len(t.rows) <= 1 }

// Len is the number of rows.
func (t *Table) Len() int { return len(t.rows) - 1 }

// String lays the table out: columns as wide as their widest cell, two spaces
// between them, no blanks after the last.
func (t *Table) String() string { return columns(t.rows, "  ", t.Plain) }

// Pairs is a block of keys and values.
type Pairs struct {
	rows [][]string
}

// Add adds a line.
func (p *Pairs) Add(key, value string) *Pairs {
	p.rows = append(p.rows, []string{key, value})
	return p
}

// AddIf adds a line if cond holds.
func (p *Pairs) AddIf(cond bool, key, value string) *Pairs {
	if cond {
		p.Add(key, value)
	}
	return p
}

// String lays the block out, with the equal signs below each other.
func (p *Pairs) String() string { return columns(p.rows, " = ", false) }

func columns(rows [][]string, glue string, plain bool) string {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cellText(cell, plain)))
		}
	}
	lines := make([]string, len(rows))
	for r, row := range rows {
		var b strings.Builder
		for i, cell := range row {
			cell = cellText(cell, plain)
			b.WriteString(cell)
			if i < len(row)-1 {
				b.WriteString(strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)))
				b.WriteString(glue)
			}
		}
		lines[r] = b.String()
	}
	return strings.Join(lines, "\n")
}

func cellText(cell string, plain bool) string {
	cell = strings.TrimSpace(cell)
	if cell == "" && !plain {
		return None
	}
	return cell
}

// Indent puts a prefix before every line that is not empty.
func Indent(s, prefix string) string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		if l != "" {
			lines[i] = prefix + l
		}
	}
	return strings.Join(lines, "\n")
}
