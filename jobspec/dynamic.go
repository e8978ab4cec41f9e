package jobspec

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// maxGrown bounds how many blocks dynamic blocks may make in one file.
const maxGrown = 10000

// expand replaces dynamic blocks by what they make.
func (p *parser) expand(blocks hclsyntax.Blocks, ctx *hcl.EvalContext) (out []scoped, diags hcl.Diagnostics) {
	for _, b := range blocks {
		if b.Type != "dynamic" {
			out = append(out, scoped{b, ctx})
			continue
		}
		made, ds := p.dynamic(b, ctx)
		out, diags = append(out, made...), append(diags, ds...)
	}
	return out, diags
}

func (p *parser) dynamic(b *hclsyntax.Block, ctx *hcl.EvalContext) (out []scoped, diags hcl.Diagnostics) {
	if len(b.Labels) != 1 {
		return nil, hcl.Diagnostics{fault(b.DefRange(), "a dynamic block has one label", "write dynamic \"<block type>\" { … }")}
	}
	names := []string{"for_each", "iterator", "labels"}
	each := b.Body.Attributes["for_each"]
	for _, a := range inOrder(b.Body.Attributes) {
		if !slices.Contains(names, a.Name) {
			diags = append(diags, fault(a.NameRange, fmt.Sprintf("unknown argument %q", a.Name), "%s", known(a.Name, names)))
		}
	}
	if each == nil || len(b.Body.Blocks) != 1 || b.Body.Blocks[0].Type != "content" {
		return nil, append(diags, fault(b.DefRange(), "incomplete dynamic block", "it needs for_each = … and one content { … } block"))
	}
	name := b.Labels[0]
	if a := b.Body.Attributes["iterator"]; a != nil {
		if name = p.keyword(a.Expr); name == "" {
			return nil, append(diags, fault(a.Expr.Range(), "wrong value for iterator", "it takes a bare name, such as iterator = port"))
		}
	}
	list, ds := p.value(each.Expr, ctx)
	if diags = append(diags, ds...); diags.HasErrors() {
		return nil, diags
	}
	if p.broken && !list.IsWhollyKnown() {
		return nil, diags
	}
	if list.IsNull() || !list.IsWhollyKnown() || !list.CanIterateElements() {
		return nil, append(diags, fault(each.Expr.Range(), "wrong value for for_each", "it takes a list, a set or a map, not %s", describeType(list)))
	}
	for it := list.ElementIterator(); it.Next(); {
		if p.grown++; p.grown > maxGrown {
			return nil, append(diags, fault(b.DefRange(), "too many blocks", "the dynamic blocks of a file make at most %d blocks", maxGrown))
		}
		key, value := it.Element()
		if list.Type().IsSetType() {
			key = value
		}
		child := ctx.NewChild()
		child.Variables = map[string]cty.Value{name: cty.ObjectVal(map[string]cty.Value{"key": key, "value": value})}
		made := *b.Body.Blocks[0]
		made.Type, made.TypeRange = b.Labels[0], b.LabelRanges[0]
		made.Labels, ds = p.labels(b, child)
		if diags = append(diags, ds...); ds.HasErrors() {
			return nil, diags
		}
		made.LabelRanges = make([]hcl.Range, len(made.Labels))
		for i := range made.LabelRanges {
			made.LabelRanges[i] = b.Body.Attributes["labels"].Expr.Range()
		}
		out = append(out, scoped{&made, child})
	}
	return out, diags
}

// keyword is a bare name; in JSON it is a string.
func (p *parser) keyword(e hclsyntax.Expression) string {
	if p.json {
		if v, diags := e.Value(nil); !diags.HasErrors() && v.Type() == cty.String && !v.IsNull() {
			return v.AsString()
		}
	}
	return hcl.ExprAsKeyword(e)
}

func (p *parser) labels(b *hclsyntax.Block, ctx *hcl.EvalContext) (labels []string, diags hcl.Diagnostics) {
	a := b.Body.Attributes["labels"]
	if a == nil {
		return nil, nil
	}
	v, diags := p.value(a.Expr, ctx)
	if diags.HasErrors() {
		return nil, diags
	}
	if err := set(&labels, v); err != nil {
		diags = append(diags, fault(a.Expr.Range(), "wrong value for labels", "%v", err))
	}
	return labels, diags
}
