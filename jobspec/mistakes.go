package jobspec

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// plainer says what the library says of a file's syntax as people see it: one
// mistake is one error, at the place where it was made.
func plainer(src []byte, diags hcl.Diagnostics) hcl.Diagnostics {
	if !diags.HasErrors() {
		return diags
	}
	text := layout(strings.Split(string(src), "\n"))
	if stray := withSummary(diags, "Invalid character"); len(stray) > 0 {
		return stray // all else follows from these
	}
	for _, d := range diags {
		if d.Subject == nil || d.Subject.Start.Line < 1 || d.Subject.Start.Line > len(text) {
			continue
		}
		switch line := d.Subject.Start.Line; d.Summary {
		case "Invalid multi-line string":
			return hcl.Diagnostics{text.openQuote(d)}
		case "Unterminated template string":
			text.openHeredoc(d)
		case "Missing newline after argument":
			if head := equalsBefore.FindStringSubmatch(text[line-1]); head != nil {
				d.Summary, d.Detail = "a block has no =", fmt.Sprintf("write %s %s {", head[1], head[2])
			}
		case "Unclosed configuration block":
			text.unclosed(d)
		case "Argument or block definition required":
			if strings.HasPrefix(strings.TrimSpace(text[line-1]), "}") {
				text.closedTwice(d)
			}
		}
	}
	return diags
}

func withSummary(diags hcl.Diagnostics, summary string) (out hcl.Diagnostics) {
	for _, d := range diags {
		if d.Summary == summary {
			out = append(out, d)
		}
	}
	return out
}

var (
	equalsBefore = regexp.MustCompile(`^\s*([a-z_]+)\s*=\s*("[^"]*")\s*\{`)
	opens        = regexp.MustCompile(`\{\s*$`)
	heredoc      = regexp.MustCompile(`<<-?([A-Za-z_][A-Za-z0-9_-]*)\s*$`)
	comment      = regexp.MustCompile(`\s*(#|//).*$`)
)

// A layout is a file's lines; how far they are indented tells what was meant where
// braces do not.
type layout []string

// openQuote points at the quote that is not closed.
func (l layout) openQuote(d *hcl.Diagnostic) *hcl.Diagnostic {
	line := l[d.Subject.Start.Line-1]
	at := *d.Subject
	if i := strings.LastIndexByte(line, '"'); i >= 0 {
		at.Start.Byte -= at.Start.Column - 1 - len([]rune(line[:i]))
		at.Start.Column = len([]rune(line[:i])) + 1
		at.End = at.Start
		at.End.Column = len([]rune(line)) + 1
	}
	return fault(at, "a quote is missing", "the text that begins here has no \" at its end; text of several lines is written <<EOF … EOF")
}

// openHeredoc points at the beginning of a text of several lines that has no end.
func (l layout) openHeredoc(d *hcl.Diagnostic) {
	end := ""
	for i, line := range l {
		switch m := heredoc.FindStringSubmatch(line); {
		case end != "" && strings.TrimSpace(line) == end:
			end = ""
		case end == "" && m != nil:
			end = m[1]
			d.Subject = l.whole(*d.Subject, i)
		}
	}
	if end != "" {
		d.Summary = "a text has no end"
		d.Detail = fmt.Sprintf("the text that begins here goes on until a line with nothing but %s: write that line", end)
	}
}

// unclosed looks for the block that has no closing brace: one after which another
// begins that is not further in.
func (l layout) unclosed(d *hcl.Diagnostic) {
	d.Summary, d.Detail = "a closing brace is missing", "the block that begins here is not closed: write a } for it"
	l.walk(func(line, indent int, open []int) bool {
		if top := len(open) - 1; opens.MatchString(l.code(line)) && top >= 0 && indent <= l.indent(open[top]) {
			d.Subject = l.whole(*d.Subject, open[top])
			d.Detail = fmt.Sprintf("the block that begins here is not closed: write a } for it, probably before line %d", line+1)
			return false
		}
		return true
	})
}

// closedTwice looks for the closing brace that is one too many: one that is further
// in than the block that it closes.
func (l layout) closedTwice(d *hcl.Diagnostic) {
	d.Summary, d.Detail = "a closing brace too many", "there is no block left that it could close: remove it"
	l.walk(func(line, indent int, open []int) bool {
		if top := len(open) - 1; strings.HasPrefix(l.code(line), "}") && top >= 0 && indent > l.indent(open[top]) {
			d.Detail = fmt.Sprintf("there is no block left that it could close; the one too many is probably at line %d", line+1)
			return false
		}
		return true
	})
}

// walk goes through the lines; open are those that opened a block around it.
func (l layout) walk(look func(line, indent int, open []int) bool) {
	var open []int
	text := "" // the word that ends a text of several lines, whose braces are not ours
	for i := range l {
		code := l.code(i)
		if code == "" || text != "" {
			if code == text {
				text = ""
			}
			continue
		}
		if m := heredoc.FindStringSubmatch(l[i]); m != nil {
			text = m[1]
		}
		if !look(i, l.indent(i), open) {
			return
		}
		if strings.HasPrefix(code, "}") && len(open) > 0 {
			open = open[:len(open)-1]
		}
		if opens.MatchString(code) {
			open = append(slices.Clip(open), i)
		}
	}
}

// code is a line without the space and the comment around it.
func (l layout) code(i int) string { return strings.TrimSpace(comment.ReplaceAllString(l[i], "")) }

func (l layout) indent(i int) int { return len(l[i]) - len(strings.TrimLeft(l[i], " \t")) }

// whole is the range of a line in the file that another is in.
func (l layout) whole(in hcl.Range, i int) *hcl.Range {
	in.Start = hcl.Pos{Line: i + 1, Column: l.indent(i) + 1}
	for _, line := range l[:i] {
		in.Start.Byte += len(line) + 1
	}
	in.Start.Byte += l.indent(i)
	in.End = in.Start
	code := strings.TrimSpace(l[i])
	in.End.Column += len([]rune(code))
	in.End.Byte += len(code)
	return &in
}
