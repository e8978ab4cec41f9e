package jobspec

import (
	"bytes"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// shallow reports a text that is surely not nested too deeply. It reads plain text
// only, and far faster than the library makes tokens: of heredocs, long comments,
// directives, brackets that do not match and whatever else changes how the rest is
// to be read, it reports nothing. Where it errs it counts too much.
func shallow(src []byte) bool {
	m := newDepthMeter()
	if !utf8.Valid(src) {
		return false
	}
	for len(src) > 0 {
		glance := glanceCode
		if m.inner().kind == hclsyntax.TokenOQuote {
			glance = glanceText
		}
		t, width := glance(src)
		if t == hclsyntax.TokenInvalid || closes(t) && !m.matches(t) {
			return false
		}
		if t != hclsyntax.TokenNil {
			m.read(hclsyntax.Token{Type: t, Bytes: src[:width]})
		}
		if len(m.open)+m.steps > maxDepth/2 { // what is deeper is looked at closely
			return false
		}
		src = src[width:]
	}
	return len(m.open) == 1
}

func closes(t hclsyntax.TokenType) bool {
	return t == hclsyntax.TokenCBrace || t == hclsyntax.TokenCBrack || t == hclsyntax.TokenCParen
}

// matches reports a bracket that ends the one which is open. The end of a
// reference in a text looks like that of a block.
func (m *depthMeter) matches(t hclsyntax.TokenType) bool {
	switch m.inner().kind {
	case hclsyntax.TokenOBrace:
		return t == hclsyntax.TokenCBrace && len(m.open) > 1
	case hclsyntax.TokenTemplateInterp:
		return t == hclsyntax.TokenCBrace
	case hclsyntax.TokenOBrack:
		return t == hclsyntax.TokenCBrack
	case hclsyntax.TokenOParen:
		return t == hclsyntax.TokenCParen
	}
	return false
}

// glanceCode is the token that a text begins with, outside of quotes, and its
// length. Any sign that it does not know is an operator, which counts.
func glanceCode(src []byte) (hclsyntax.TokenType, int) {
	switch b := src[0]; {
	case b == ' ' || b == '\t' || bytes.HasPrefix(src, []byte("\r\n")):
		return hclsyntax.TokenNil, 1
	case isWord(b) && b < utf8.RuneSelf:
		n := 1
		for n < len(src) && isWord(src[n]) && src[n] < utf8.RuneSelf {
			n++
		}
		if b >= '0' && b <= '9' && mayBeHuge(src) {
			return hclsyntax.TokenInvalid, n
		}
		return hclsyntax.TokenIdent, n
	case b == '#' || bytes.HasPrefix(src, []byte("//")):
		if n := bytes.IndexByte(src, '\n'); n >= 0 {
			return hclsyntax.TokenComment, n
		}
		return hclsyntax.TokenComment, len(src)
	case bytes.HasPrefix(src, []byte("/*")) || bytes.HasPrefix(src, []byte("<<")):
		return hclsyntax.TokenInvalid, 1
	case b == '\n':
		return hclsyntax.TokenNewline, 1
	case b == '"':
		return hclsyntax.TokenOQuote, 1
	case bytes.IndexByte([]byte("{}[](),"), b) >= 0:
		return hclsyntax.TokenType(b), 1
	}
	return hclsyntax.TokenPlus, 1
}

// glanceText is the same within quotes.
func glanceText(src []byte) (hclsyntax.TokenType, int) {
	n := bytes.IndexAny(src, "\"$%\\\n")
	if n > 0 {
		return hclsyntax.TokenQuotedLit, n
	}
	brace := len(src) > 1 && src[1] == '{'
	switch {
	case n < 0 || src[0] == '\n':
		return hclsyntax.TokenInvalid, 1
	case src[0] == '"':
		return hclsyntax.TokenCQuote, 1
	case src[0] == '\\' && len(src) > 1 && bytes.IndexByte([]byte(`nrt"\uU`), src[1]) >= 0:
		return hclsyntax.TokenQuotedLit, 2
	case src[0] == '\\' || src[0] == '%' && brace || len(src) > 1 && src[0] == src[1]:
		return hclsyntax.TokenInvalid, 1
	case brace:
		return hclsyntax.TokenTemplateInterp, 2
	}
	return hclsyntax.TokenQuotedLit, 1
}

func isWord(b byte) bool {
	return b == '_' || b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= 0x80
}

// mayBeHuge reports a text that begins with a number which is not an everyday one.
// The library takes for one number whatever digits and points stand together.
func mayBeHuge(src []byte) bool {
	n, points := 0, 0
	for n < len(src) && n <= 20 && (src[n] == '.' || isWord(src[n])) {
		if src[n] == '.' {
			points++
		}
		n++
	}
	return n > 20 || points > 1 || bytes.ContainsAny(src[:n], "eE")
}
