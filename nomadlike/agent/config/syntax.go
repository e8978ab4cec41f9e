package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// Pos is a place in a file. Line 0 stands for a source without lines.
type Pos struct {
	File string
	Line int
}

func (p Pos) String() string {
	if p.Line == 0 {
		return p.File
	}
	return p.File + ":" + strconv.Itoa(p.Line)
}

// A node is a value as it was written, HCL and JSON alike. A block is an object;
// its labels are objects around it.
type node struct {
	pos    Pos
	kind   kind
	text   string // of a text, number or bool
	items  []node // of a list
	fields []field
}

type field struct {
	key   string
	pos   Pos
	value node
}

type kind string

const (
	text   kind = "text"
	number kind = "number"
	truth  kind = "true or false"
	list   kind = "list"
	object kind = "block"
	null   kind = "null"
)

// maxDepth bounds how deep values may nest.
const maxDepth = 64

// read parses a file. It is JSON when it begins with a brace.
func read(name string, src []byte) (node, error) {
	src = bytes.TrimPrefix(src, []byte("\ufeff"))
	if bytes.HasPrefix(bytes.TrimSpace(src), []byte("{")) {
		return readJSON(name, src)
	}
	return readHCL(name, src)
}

// A parser reads the grammar of HCL 1, which existing agent files are written
// in, from the tokens of hcl/v2: keys may be quoted and may contain dots, commas
// are optional, and text is never a template.
type parser struct {
	name   string
	src    []byte
	tokens hclsyntax.Tokens
	at     int
}

func readHCL(name string, src []byte) (node, error) {
	all, diags := hclsyntax.LexConfig(src, name, hcl.InitialPos)
	if len(diags) > 0 {
		d := diags[0]
		pos := Pos{File: name}
		if d.Subject != nil {
			pos.Line = d.Subject.Start.Line
		}
		return node{}, fmt.Errorf("%s: %s: %s", pos, strings.ToLower(d.Summary[:1])+d.Summary[1:], d.Detail)
	}
	p := &parser{name: name, src: src}
	for _, t := range all { // newlines mean nothing to this grammar
		if t.Type != hclsyntax.TokenNewline && t.Type != hclsyntax.TokenComment {
			p.tokens = append(p.tokens, t)
		}
	}
	return p.body(hclsyntax.TokenEOF, 0)
}

func (p *parser) peek() hclsyntax.Token { return p.tokens[p.at] }

func (p *parser) next() hclsyntax.Token {
	t := p.tokens[p.at]
	if t.Type != hclsyntax.TokenEOF {
		p.at++
	}
	return t
}

func (p *parser) pos(t hclsyntax.Token) Pos { return Pos{p.name, t.Range.Start.Line} }

func (p *parser) unexpected(t hclsyntax.Token, want string) error {
	have := fmt.Sprintf("%q", t.Bytes)
	if t.Type == hclsyntax.TokenEOF {
		have = "the end of the file"
	}
	return fmt.Errorf("%s: expected %s, found %s", p.pos(t), want, have)
}

// body reads fields up to the token that ends them.
func (p *parser) body(end hclsyntax.TokenType, depth int) (node, error) {
	n := node{pos: p.pos(p.peek()), kind: object}
	if depth > maxDepth {
		return n, fmt.Errorf("%s: nested more than %d deep", n.pos, maxDepth)
	}
	for {
		t := p.peek()
		switch t.Type {
		case end:
			p.next()
			return n, nil
		case hclsyntax.TokenComma:
			p.next()
			continue
		}
		f, err := p.field(depth)
		if err != nil {
			return n, err
		}
		n.fields = append(n.fields, f)
	}
}

func (p *parser) field(depth int) (field, error) {
	first := p.peek()
	key, err := p.key()
	if err != nil {
		return field{}, err
	}
	f := field{key: key, pos: p.pos(first)}
	switch t := p.peek(); t.Type {
	case hclsyntax.TokenEqual, hclsyntax.TokenColon:
		p.next()
		f.value, err = p.value(depth)
		return f, err
	case hclsyntax.TokenOBrace:
		p.next()
		f.value, err = p.body(hclsyntax.TokenCBrace, depth+1)
		f.value.pos = f.pos
		return f, err
	case hclsyntax.TokenIdent, hclsyntax.TokenOQuote: // a label
		if depth >= maxDepth {
			return f, fmt.Errorf("%s: nested more than %d deep", f.pos, maxDepth)
		}
		inner, err := p.field(depth + 1)
		f.value = node{pos: f.pos, kind: object, fields: []field{inner}}
		if err == nil && inner.value.kind != object {
			err = fmt.Errorf("%s: a block with a label needs braces", f.pos)
		}
		return f, err
	default:
		return f, p.unexpected(t, "= or { after "+strconv.Quote(key))
	}
}

func (p *parser) key() (string, error) {
	t := p.next()
	switch t.Type {
	case hclsyntax.TokenOQuote:
		return p.quoted(t)
	case hclsyntax.TokenIdent:
		key := string(t.Bytes)
		for p.peek().Type == hclsyntax.TokenDot { // options { driver.raw_exec.enable = "1" }
			p.next()
			part := p.next()
			if part.Type != hclsyntax.TokenIdent {
				return "", p.unexpected(part, "a name after the dot")
			}
			key += "." + string(part.Bytes)
		}
		return key, nil
	}
	return "", p.unexpected(t, "a key")
}

func (p *parser) value(depth int) (node, error) {
	t := p.next()
	n := node{pos: p.pos(t)}
	var err error
	switch t.Type {
	case hclsyntax.TokenOQuote:
		n.kind = text
		n.text, err = p.quoted(t)
	case hclsyntax.TokenOHeredoc:
		n.kind = text
		n.text, err = p.heredoc(t)
	case hclsyntax.TokenMinus, hclsyntax.TokenNumberLit:
		n.kind, n.text = number, string(t.Bytes)
		if t.Type == hclsyntax.TokenMinus {
			digits := p.next()
			if digits.Type != hclsyntax.TokenNumberLit {
				return n, p.unexpected(digits, "a number")
			}
			n.text += string(digits.Bytes)
		}
	case hclsyntax.TokenIdent:
		switch string(t.Bytes) {
		case "true", "false":
			n.kind, n.text = truth, string(t.Bytes)
		case "null":
			n.kind = null
		default:
			return n, fmt.Errorf("%s: expected a value, found %q: text needs quotes", n.pos, t.Bytes)
		}
	case hclsyntax.TokenOBrace:
		n, err = p.body(hclsyntax.TokenCBrace, depth+1)
		n.pos = p.pos(t)
	case hclsyntax.TokenOBrack:
		n.kind = list
		n.items, err = p.list(depth + 1)
	default:
		return n, p.unexpected(t, "a value")
	}
	return n, err
}

func (p *parser) list(depth int) ([]node, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("%s: nested more than %d deep", p.pos(p.peek()), maxDepth)
	}
	var items []node
	for {
		switch p.peek().Type {
		case hclsyntax.TokenCBrack:
			p.next()
			return items, nil
		case hclsyntax.TokenComma:
			p.next()
			continue
		}
		item, err := p.value(depth)
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
}

// quoted reads the rest of a quoted text. What stands in ${} stays as it is.
func (p *parser) quoted(open hclsyntax.Token) (string, error) {
	end, err := p.closing(open, hclsyntax.TokenOQuote, hclsyntax.TokenCQuote)
	if err != nil {
		return "", err
	}
	raw := string(p.src[open.Range.End.Byte:end.Range.Start.Byte])
	var out strings.Builder
	for raw != "" {
		if raw[0] == '"' { // within ${}
			out.WriteByte('"')
			raw = raw[1:]
			continue
		}
		r, multibyte, rest, err := strconv.UnquoteChar(raw, '"')
		if err != nil {
			return "", fmt.Errorf("%s: unknown escape in %.40q", p.pos(open), raw)
		}
		if multibyte || r < utf8.RuneSelf {
			out.WriteRune(r)
		} else {
			out.WriteByte(byte(r))
		}
		raw = rest
	}
	return out.String(), nil
}

// heredoc reads the rest of <<EOF … EOF; <<- takes off the common indentation.
func (p *parser) heredoc(open hclsyntax.Token) (string, error) {
	end, err := p.closing(open, hclsyntax.TokenOHeredoc, hclsyntax.TokenCHeredoc)
	if err != nil {
		return "", err
	}
	raw := string(p.src[open.Range.End.Byte:end.Range.Start.Byte])
	raw = raw[:strings.LastIndexByte(raw, '\n')+1] // without the end's own indentation
	if !bytes.HasPrefix(open.Bytes, []byte("<<-")) {
		return raw, nil
	}
	lines := strings.SplitAfter(raw, "\n")
	indent := -1
	for _, line := range lines {
		if trimmed := strings.TrimLeft(line, " \t"); strings.TrimSpace(line) != "" && (indent < 0 || len(line)-len(trimmed) < indent) {
			indent = len(line) - len(trimmed)
		}
	}
	for i, line := range lines {
		lines[i] = line[min(max(indent, 0), len(line)-len(strings.TrimLeft(line, " \t"))):]
	}
	return strings.Join(lines, ""), nil
}

// closing skips to the token that closes one of the kind open.
func (p *parser) closing(open hclsyntax.Token, opens, closes hclsyntax.TokenType) (hclsyntax.Token, error) {
	for depth := 1; ; {
		t := p.next()
		switch t.Type {
		case hclsyntax.TokenEOF:
			return t, fmt.Errorf("%s: the text that begins here does not end", p.pos(open))
		case opens:
			depth++
		case closes:
			if depth--; depth == 0 {
				return t, nil
			}
		}
	}
}

// A jsonReader reads JSON and remembers the lines.
type jsonReader struct {
	name string
	src  []byte
	dec  *json.Decoder
}

func readJSON(name string, src []byte) (node, error) {
	r := &jsonReader{name: name, src: src, dec: json.NewDecoder(bytes.NewReader(src))}
	r.dec.UseNumber()
	n, err := r.value(0)
	if err == nil {
		if _, more := r.dec.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("more text after the object")
		}
	}
	if err != nil {
		return n, fmt.Errorf("%s: %w", r.pos(), unwrapEOF(err))
	}
	return n, nil
}

func unwrapEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return errors.New("the file ends within the object")
	}
	return err
}

// pos is where the last token ended; no token spans lines.
func (r *jsonReader) pos() Pos {
	end := min(int(r.dec.InputOffset()), len(r.src))
	return Pos{r.name, 1 + bytes.Count(r.src[:end], []byte("\n"))}
}

func (r *jsonReader) value(depth int) (node, error) {
	t, err := r.dec.Token()
	if err != nil {
		return node{}, err
	}
	if depth > maxDepth {
		return node{}, fmt.Errorf("nested more than %d deep", maxDepth)
	}
	n := node{pos: r.pos()}
	switch t := t.(type) {
	case nil:
		n.kind = null
	case string:
		n.kind, n.text = text, t
	case json.Number:
		n.kind, n.text = number, t.String()
	case bool:
		n.kind, n.text = truth, strconv.FormatBool(t)
	case json.Delim:
		err = r.nested(&n, t, depth+1)
	}
	return n, err
}

func (r *jsonReader) nested(n *node, open json.Delim, depth int) error {
	n.kind = list
	if open == '{' {
		n.kind = object
	}
	for r.dec.More() {
		var f field
		if n.kind == object {
			k, err := r.dec.Token()
			if err != nil {
				return err
			}
			f.key, _ = k.(string)
			f.pos = r.pos()
		}
		v, err := r.value(depth)
		if err != nil {
			return err
		}
		if f.value = v; n.kind == object {
			n.fields = append(n.fields, f)
		} else {
			n.items = append(n.items, v)
		}
	}
	_, err := r.dec.Token()
	return err
}
