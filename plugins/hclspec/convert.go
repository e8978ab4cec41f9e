package hclspec

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hcldec"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// ToHCL converts a spec, which may come from a third party's plugin and be
// wrong in any way, to the one that the hcldec package executes.
func ToHCL(s *Spec) (hcldec.Spec, hcl.Diagnostics) { return convert(s, "", 0) }

// maxDepth bounds the nesting of a spec that a foreign plugin sends.
const maxDepth = 64

// convert takes the key of the object that s is directly in as implied.
func convert(s *Spec, implied string, depth int) (hcldec.Spec, hcl.Diagnostics) {
	if depth > maxDepth {
		return nil, invalid("The schema is nested more than %d levels deep.", maxDepth)
	}
	depth++
	switch {
	case s == nil:
		return nil, invalid("A part of the schema is empty.")
	case s.Object != nil:
		return convertObject(s.Object, depth)
	case s.Array != nil:
		var diags hcl.Diagnostics
		t := make(hcldec.TupleSpec, len(s.Array.Values))
		for i, v := range s.Array.Values {
			var d hcl.Diagnostics
			t[i], d = convert(v, "", depth)
			diags = append(diags, d...)
		}
		return t, diags
	case s.Attr != nil:
		name, diags := nameOf("attribute", s.Attr.Name, implied)
		typ, d := ParseType(s.Attr.Type)
		return &hcldec.AttrSpec{Name: name, Type: typ, Required: s.Attr.Required}, append(diags, d...)
	case s.BlockAttrs != nil:
		name, diags := nameOf("block", s.BlockAttrs.Name, implied)
		typ, d := ParseType(s.BlockAttrs.Type)
		return &hcldec.BlockAttrsSpec{TypeName: name, ElementType: typ, Required: s.BlockAttrs.Required}, append(diags, d...)
	case s.Block != nil:
		name, nested, diags := convertBlock(s.Block.Name, implied, s.Block.Nested, depth)
		return &hcldec.BlockSpec{TypeName: name, Nested: nested, Required: s.Block.Required}, diags
	case s.BlockList != nil:
		b := s.BlockList
		name, nested, diags := convertBlock(b.Name, implied, b.Nested, depth)
		return &hcldec.BlockListSpec{TypeName: name, Nested: nested, MinItems: int(b.MinItems), MaxItems: int(b.MaxItems)}, diags
	case s.BlockSet != nil:
		b := s.BlockSet
		name, nested, diags := convertBlock(b.Name, implied, b.Nested, depth)
		return &hcldec.BlockSetSpec{TypeName: name, Nested: nested, MinItems: int(b.MinItems), MaxItems: int(b.MaxItems)}, diags
	case s.BlockMap != nil:
		b := s.BlockMap
		name, nested, diags := convertBlock(b.Name, implied, b.Nested, depth)
		if len(b.Labels) == 0 {
			diags = append(diags, invalid("Block map %q names no label.", name)...)
		}
		return &hcldec.BlockMapSpec{TypeName: name, LabelNames: slices.Clone(b.Labels), Nested: nested}, diags
	case s.Default != nil:
		primary, diags := convert(s.Default.Primary, "", depth)
		fallback, d := convert(s.Default.Default, "", depth)
		return &hcldec.DefaultSpec{Primary: primary, Default: fallback}, append(diags, d...)
	case s.Literal != nil:
		return convertLiteral(s.Literal)
	}
	return nil, invalid("A part of the schema has no kind that is known here.")
}

func convertObject(o *Object, depth int) (hcldec.Spec, hcl.Diagnostics) {
	var diags hcl.Diagnostics
	out := make(hcldec.ObjectSpec, len(o.Attributes))
	for _, key := range sortedKeys(o.Attributes) {
		v, d := convert(o.Attributes[key], key, depth)
		diags = append(diags, d...)
		out[key] = v
	}
	return out, diags
}

func convertBlock(name, implied string, nested *Spec, depth int) (string, hcldec.Spec, hcl.Diagnostics) {
	name, diags := nameOf("block", name, implied)
	if nested == nil {
		return name, nil, append(diags, invalid("Block %q has no nested schema.", name)...)
	}
	spec, d := convert(nested, "", depth)
	return name, spec, append(diags, d...)
}

func convertLiteral(l *Literal) (hcldec.Spec, hcl.Diagnostics) {
	expr, diags := hclsyntax.ParseExpression([]byte(l.Value), "literal", hcl.InitialPos)
	if diags.HasErrors() {
		return nil, invalid("The literal %s can not be parsed: %s", strconv.Quote(l.Value), diags[0].Detail)
	}
	v, diags := expr.Value(&hcl.EvalContext{Functions: Functions()})
	if diags.HasErrors() {
		return nil, invalid("The literal %s has no value: %s", strconv.Quote(l.Value), diags[0].Detail)
	}
	return &hcldec.LiteralSpec{Value: v}, nil
}

func nameOf(what, name, implied string) (string, hcl.Diagnostics) {
	if name == "" {
		name = implied
	}
	if name == "" {
		return "", invalid("An %s of the schema has no name.", what)
	}
	return name, nil
}

// ParseType reads a type expression such as "list(map(string))".
func ParseType(s string) (cty.Type, hcl.Diagnostics) {
	expr, diags := hclsyntax.ParseExpression([]byte(s), "type", hcl.InitialPos)
	if diags.HasErrors() {
		return cty.DynamicPseudoType, invalid("The type %s can not be parsed: %s", strconv.Quote(s), diags[0].Detail)
	}
	t, diags := typeexpr.TypeConstraint(expr)
	if diags.HasErrors() {
		return cty.DynamicPseudoType, invalid("The type %s is not valid: %s", strconv.Quote(s), diags[0].Detail)
	}
	return t, nil
}

func invalid(format string, args ...any) hcl.Diagnostics {
	return hcl.Diagnostics{{
		Severity: hcl.DiagError,
		Summary:  "Invalid plugin schema",
		Detail:   fmt.Sprintf(format, args...),
	}}
}
