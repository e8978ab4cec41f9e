package jobwrite

import (
	"bytes"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// A body is what stands between braces.
type body struct {
	arguments []argument
	blocks    []*block
}

type argument struct {
	name  string
	value string // an expression; a heredoc ends with a newline
}

type block struct {
	kind   string
	labels []string
	body   body
}

func (b *body) empty() bool { return len(b.arguments)+len(b.blocks) == 0 }

func (b *body) argue(name, value string) { b.arguments = append(b.arguments, argument{name, value}) }

// late are blocks that stand after all others.
var late = map[string]bool{"group": true, "task": true}

// render writes the body without indentation, which is hclwrite's.
func (b *body) render(to *bytes.Buffer) {
	for _, a := range b.arguments {
		to.WriteString(a.name + " = " + strings.TrimSuffix(a.value, "\n") + "\n")
	}
	first := len(b.arguments) == 0
	for _, last := range []bool{false, true} {
		for _, x := range b.blocks {
			if late[x.kind] != last {
				continue
			}
			if !first {
				to.WriteByte('\n')
			}
			first = false
			x.render(to)
		}
	}
}

func (b *block) render(to *bytes.Buffer) {
	to.WriteString(b.kind)
	for _, l := range b.labels {
		to.WriteString(" " + quote(l, false))
	}
	if b.body.empty() {
		to.WriteString(" {}\n")
		return
	}
	to.WriteString(" {\n")
	b.body.render(to)
	to.WriteString("}\n")
}

// isName reports what can stand in a file as the name of an argument or block. The
// library takes a byte order mark for the beginning of a file.
func isName(s string) bool {
	return hclsyntax.ValidIdentifier(s) && !strings.HasPrefix(s, "\ufeff")
}
