package jobspec

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	hcljson "github.com/hashicorp/hcl/v2/json"
	"github.com/zclconf/go-cty/cty"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// A shape is what may stand in a body of the JSON form, where a key alone does not
// tell a block from an argument.
type shape struct {
	free   bool // any names, as in env
	typed  bool // type is a type constraint, not text
	attrs  []string
	blocks map[string]*shape // what stands in them
	labels map[string]int    // how many they have
}

// syntaxJSON reads a job file in the JSON form of HCL: labels are keys, strings
// are templates. What comes out is as if it had been written in HCL, so that
// nothing later knows of two forms.
func (p *parser) syntaxJSON() (*hclsyntax.Body, hcl.Diagnostics) {
	return p.bodyJSON(p.name, p.text, &shape{
		blocks: map[string]*shape{
			"job": shapeOf(reflect.TypeFor[n.Job]()), "locals": {free: true}, "variables": {free: true},
			"variable": {
				typed: true, attrs: []string{"type", "default", "description"},
				blocks: map[string]*shape{"validation": {attrs: []string{"condition", "error_message"}}},
			},
		},
		labels: map[string]int{"job": 1, "variable": 1},
	})
}

func (p *parser) bodyJSON(name string, src []byte, s *shape) (*hclsyntax.Body, hcl.Diagnostics) {
	if d := guardJSON(name, src); d != nil {
		return nil, hcl.Diagnostics{d}
	}
	file, diags := hcljson.Parse(src, name)
	if diags.HasErrors() {
		return nil, diags
	}
	body, more := p.body(file.Body, s)
	return body, append(diags, more...)
}

// shapeOf is the shape of a block that is read into a struct.
func shapeOf(t reflect.Type) *shape {
	s := &shape{blocks: map[string]*shape{}, labels: map[string]int{}}
	add := func(name string, inner *shape, labels int) {
		s.blocks[name], s.labels[name] = inner, labels
	}
	for name := range specials[t].attrs {
		s.attrs = append(s.attrs, name)
	}
	for name, b := range specials[t].blocks {
		add(name, shapeOf(b.holds), b.labels)
	}
	for name, f := range schemaOf(t).fields {
		ft := t.Field(f.index).Type
		switch e := structIn(ft); {
		case f.attr:
			s.attrs = append(s.attrs, name)
		case e == nil:
			add(name, &shape{free: true}, 0)
		default:
			labels := 0
			if schemaOf(e).label >= 0 {
				labels = 1
			}
			add(name, shapeOf(e), labels)
		}
	}
	return s
}

// structIn is the struct that a field's blocks are read into, or nil.
func structIn(t reflect.Type) reflect.Type {
	switch t.Kind() {
	case reflect.Struct:
		return t
	case reflect.Pointer, reflect.Slice, reflect.Map:
		return structIn(t.Elem())
	}
	return nil
}

// body turns a body of the JSON form into one of HCL.
func (p *parser) body(b hcl.Body, s *shape) (*hclsyntax.Body, hcl.Diagnostics) {
	out := &hclsyntax.Body{Attributes: hclsyntax.Attributes{}, SrcRange: b.MissingItemRange(), EndRange: b.MissingItemRange()}
	if s.free {
		attrs, diags := b.JustAttributes()
		for _, a := range attrs {
			diags = append(diags, p.argument(out, a)...)
		}
		return out, diags
	}
	want := &hcl.BodySchema{}
	for _, name := range s.attrs {
		want.Attributes = append(want.Attributes, hcl.AttributeSchema{Name: name})
	}
	for name := range s.blocks {
		want.Blocks = append(want.Blocks, hcl.BlockHeaderSchema{Type: name, LabelNames: []string{"name"}[:s.labels[name]]})
	}
	if len(s.blocks) > 0 {
		want.Blocks = append(want.Blocks, hcl.BlockHeaderSchema{Type: "dynamic", LabelNames: []string{"block"}})
	}
	content, diags := b.Content(want)
	for _, a := range content.Attributes {
		diags = append(diags, p.argument(out, a)...)
		if text, ok := literal(a.Expr); ok && s.typed && a.Name == "type" {
			expr, ds := hclsyntax.ParseExpression([]byte(text), a.Range.Filename, a.Expr.Range().Start)
			diags = append(diags, ds...)
			out.Attributes[a.Name].Expr = expr
		}
	}
	for _, block := range content.Blocks {
		inner := s.blocks[block.Type]
		if block.Type == "dynamic" {
			made := s.blocks[block.Labels[0]]
			if made == nil {
				diags = append(diags, fault(block.DefRange, "unknown block "+block.Labels[0], "%s", known(block.Labels[0], slices.Collect(maps.Keys(s.blocks)))))
				continue
			}
			inner = &shape{attrs: []string{"for_each", "iterator", "labels"}, blocks: map[string]*shape{"content": made}, labels: map[string]int{}}
		}
		body, more := p.body(block.Body, inner)
		diags = append(diags, more...)
		out.Blocks = append(out.Blocks, &hclsyntax.Block{
			Type: block.Type, Labels: block.Labels, Body: body, TypeRange: block.TypeRange, LabelRanges: block.LabelRanges,
			OpenBraceRange: block.DefRange, CloseBraceRange: block.DefRange,
		})
	}
	return out, diags
}

// argument adds an argument to a body.
func (p *parser) argument(to *hclsyntax.Body, a *hcl.Attribute) hcl.Diagnostics {
	e, diags := p.expression(a.Expr)
	to.Attributes[a.Name] = &hclsyntax.Attribute{Name: a.Name, Expr: e, SrcRange: a.Range, NameRange: a.NameRange, EqualsRange: a.NameRange}
	return diags
}

// literal is the text of a JSON string.
func literal(e hcl.Expression) (string, bool) {
	v, diags := e.Value(nil)
	if diags.HasErrors() || v.IsNull() || v.Type() != cty.String {
		return "", false
	}
	return v.AsString(), true
}

// expression turns a JSON value into an expression.
func (p *parser) expression(e hcl.Expression) (hclsyntax.Expression, hcl.Diagnostics) {
	var diags hcl.Diagnostics
	if list := e.(staticJSON).ExprList(); list != nil {
		out := &hclsyntax.TupleConsExpr{SrcRange: e.Range(), OpenRange: e.StartRange()}
		for _, item := range list {
			x, ds := p.expression(item)
			diags = append(diags, ds...)
			out.Exprs = append(out.Exprs, x)
		}
		return out, diags
	}
	if pairs := e.(staticJSON).ExprMap(); pairs != nil {
		out := &hclsyntax.ObjectConsExpr{SrcRange: e.Range(), OpenRange: e.StartRange()}
		for _, pair := range pairs {
			k, ds := p.expression(pair.Key)
			diags = append(diags, ds...)
			v, ds := p.expression(pair.Value)
			diags = append(diags, ds...)
			out.Items = append(out.Items, hclsyntax.ObjectConsItem{KeyExpr: k, ValueExpr: v})
		}
		return out, diags
	}
	v, ds := e.Value(nil)
	if diags = append(diags, ds...); ds.HasErrors() || v.IsNull() || v.Type() != cty.String {
		return &hclsyntax.LiteralValueExpr{Val: v, SrcRange: e.Range()}, diags
	}
	if text := v.AsString(); strings.Contains(text, "${") || strings.Contains(text, "%{") {
		at := e.Range().Start
		at.Column++ // after the quote
		at.Byte = len(p.text)
		p.text = append(p.text[:len(p.text):len(p.text)], text...)
		return hclsyntax.ParseTemplate([]byte(text), e.Range().Filename, at)
	}
	return &hclsyntax.LiteralValueExpr{Val: v, SrcRange: e.Range()}, diags
}

// staticJSON is what all expressions of the JSON form can say of themselves: nil
// unless they are a list, or an object.
type staticJSON interface {
	ExprList() []hcl.Expression
	ExprMap() []hcl.KeyValuePair
}
