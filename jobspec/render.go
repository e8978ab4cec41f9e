package jobspec

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
)

// Sources are the texts that diagnostics point into, by the names of their files.
type Sources map[string][]byte

// An Error is all that is wrong with a job file.
type Error struct {
	Diagnostics hcl.Diagnostics // warnings among them
	Sources     Sources
}

// Error shows everything that is wrong, each with its line.
func (e *Error) Error() string { return e.Render(Plain) }

// mostShown bounds how many errors are shown: who has more will mend some first.
const mostShown = 20

// Render is Error in a style.
func (e *Error) Render(s Style) string {
	var out []string
	more := 0
	for _, d := range e.Diagnostics {
		switch {
		case d.Severity != hcl.DiagError:
		case len(out) < mostShown:
			out = append(out, e.Sources.Render(d, s))
		default:
			more++
		}
	}
	if more > 0 {
		out = append(out, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(out, "\n\n")
}

// A Style surrounds parts of a diagnostic, such as with colours.
type Style struct{ Error, Warning, Frame, Mark func(string) string }

func same(s string) string { return s }

// Plain has no colours.
var Plain = Style{same, same, same, same}

// Render shows a diagnostic: what it is, where it is, the line with a mark below
// the place, and what to do.
func (src Sources) Render(d *hcl.Diagnostic, s Style) string {
	var b strings.Builder
	title, color := "error: ", s.Error
	if d.Severity == hcl.DiagWarning {
		title, color = "warning: ", s.Warning
	}
	b.WriteString(color(title+d.Summary) + "\n")
	width := 1
	if at := d.Subject; at != nil && at.Filename != "" {
		width = len(fmt.Sprint(at.Start.Line))
		frame := func(gutter string) string { return s.Frame(fmt.Sprintf("%*s |", width, gutter)) }
		place := at.Filename
		line, ok := src.line(*at)
		if at.Start.Line > 0 && src[at.Filename] != nil {
			place = fmt.Sprintf("%s:%d:%d", at.Filename, at.Start.Line, at.Start.Column)
		}
		fmt.Fprintf(&b, "%*s%s %s\n", width, "", s.Frame("-->"), place)
		if ok {
			fmt.Fprintf(&b, "%s\n%s %s\n", frame(""), frame(fmt.Sprint(at.Start.Line)), line)
			fmt.Fprintf(&b, "%s %s\n", frame(""), s.Mark(underline(line, *at)))
		}
	}
	indent := strings.Repeat(" ", width)
	b.WriteString(indent + s.Frame(" = ") + strings.ReplaceAll(strings.TrimSpace(d.Detail), "\n", "\n"+indent+"   "))
	return b.String()
}

// longestLine is the longest line that is shown.
const longestLine = 160

// line returns the line that a range begins in, if it can be shown.
func (src Sources) line(at hcl.Range) (string, bool) {
	if at.Start.Line < 1 || src[at.Filename] == nil {
		return "", false
	}
	n := 0
	for line := range strings.Lines(string(src[at.Filename])) {
		if n++; n == at.Start.Line {
			line = strings.TrimRight(line, " \t\r\n")
			return line, line != "" && len(line) <= longestLine && utf8.ValidString(line)
		}
	}
	return "", false
}

// underline marks the part of a line that a range covers, keeping its tabs.
func underline(line string, at hcl.Range) string {
	var b strings.Builder
	column, marked := 0, 0
	for _, r := range line {
		column++
		inside := column >= at.Start.Column && (at.End.Line > at.Start.Line || column < at.End.Column)
		switch {
		case inside:
			b.WriteByte('^')
			marked++
		case column >= at.Start.Column:
		case r == '\t':
			b.WriteByte('\t')
		default:
			b.WriteByte(' ')
		}
	}
	if marked == 0 { // at the end of the line, where something is missing
		return b.String() + strings.Repeat(" ", max(0, at.Start.Column-1-column)) + "^"
	}
	return b.String()
}
