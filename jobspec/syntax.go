package jobspec

import (
	"bytes"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// Syntax reads HCL and does not ask what it says. name is what diagnostics call
// it.
func Syntax(name string, src []byte) (*hcl.File, hcl.Diagnostics) {
	if d := guard(name, src); d != nil {
		return nil, hcl.Diagnostics{d}
	}
	file, diags := hclsyntax.ParseConfig(src, name, hcl.InitialPos)
	return file, plainer(src, diags)
}

// maxDepth is how deep brackets, blocks and operators may be nested. HCL's parser
// and its expressions call themselves for each step, and a process does not
// survive the end of its stack.
const maxDepth = 500

// tooDeep finds where src is nested deeper than that, before a parser does; and
// numbers that would take long to read or to show.
func tooDeep(name string, src []byte) *hcl.Diagnostic {
	if shallow(src) {
		return nil
	}
	return deepest(name, src)
}

// deepest is tooDeep for any text, such as one that is no HCL: the parser goes on
// after a sign that it does not know.
func deepest(name string, src []byte) *hcl.Diagnostic {
	tokens, diags := hclsyntax.LexConfig(src, name, hcl.InitialPos)
	m := newDepthMeter()
	for _, t := range tokens {
		if t.Type == hclsyntax.TokenNumberLit && huge(t.Bytes) {
			return fault(t.Range, "number out of range", "no job needs such a number")
		}
		if m.read(t); len(m.open)+m.steps > maxDepth {
			if diags.HasErrors() {
				return diags[0] // it explains more
			}
			return fault(t.Range, "nested too deeply", "this is nested more than %d deep; split it up with locals", maxDepth)
		}
	}
	return nil
}

// A depthMeter counts how deep the tree of an expression can be at a token: one
// step for each bracket that is open, and one for each operator of the expressions
// that these stand in.
type depthMeter struct {
	open  []bracket
	steps int                 // of all of them
	last  hclsyntax.TokenType // but newlines and comments
}

func newDepthMeter() *depthMeter {
	return &depthMeter{open: []bracket{{kind: hclsyntax.TokenOBrace}}}
}

// A bracket is open: a block, a list, a text.
type bracket struct {
	kind  hclsyntax.TokenType
	steps int // of the expression in it, so far
}

func (m *depthMeter) read(t hclsyntax.Token) {
	switch t.Type {
	case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen, hclsyntax.TokenOQuote, hclsyntax.TokenOHeredoc:
		m.step(1) // x[0][0] is as deep as x has indexes
		m.open = append(m.open, bracket{kind: t.Type})
	case hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl: // these stand side by side
		m.open = append(m.open, bracket{kind: t.Type})
	case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenCQuote, hclsyntax.TokenCHeredoc,
		hclsyntax.TokenTemplateSeqEnd:
		m.close()
	case hclsyntax.TokenComma:
		m.reset()
	case hclsyntax.TokenNewline:
		m.newline()
		return
	case hclsyntax.TokenComment:
		if bytes.HasSuffix(t.Bytes, []byte("\n")) {
			m.newline()
		}
		return
	case hclsyntax.TokenIdent:
		m.word(string(t.Bytes))
	case hclsyntax.TokenQuotedLit, hclsyntax.TokenStringLit, hclsyntax.TokenNumberLit, hclsyntax.TokenEqual:
	default:
		m.step(1) // an operator
	}
	m.last = t.Type
}

func (m *depthMeter) inner() *bracket { return &m.open[len(m.open)-1] }

func (m *depthMeter) step(by int) {
	m.inner().steps += by
	m.steps += by
}

// reset begins another expression within the same bracket.
func (m *depthMeter) reset() { m.step(-m.inner().steps) }

// newline ends an expression, but within parentheses and brackets, where it goes on.
func (m *depthMeter) newline() {
	if m.inner().kind == hclsyntax.TokenOBrace {
		m.reset()
	}
}

func (m *depthMeter) close() {
	if len(m.open) > 1 { // else it is one too many, as the parser will say
		m.reset()
		m.open = m.open[:len(m.open)-1]
	}
}

// word reads the words that change what is around them.
func (m *depthMeter) word(w string) {
	switch {
	case w == "for" && m.last == hclsyntax.TokenOBrace:
		m.inner().kind = hclsyntax.TokenOBrack // { for … } minds newlines as little as [ for … ]
	case m.last == hclsyntax.TokenTemplateControl:
		m.directive(w)
	}
}

// directive counts %{ if } and %{ for } in the text around them, until their end.
func (m *depthMeter) directive(w string) {
	text := &m.open[len(m.open)-2]
	switch {
	case w == "if" || w == "for":
		text.steps++
		m.steps++
	case (w == "endif" || w == "endfor") && text.steps > 0:
		text.steps--
		m.steps--
	}
}
