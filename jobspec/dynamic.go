package jobspec

import (
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
		return nil, hcl.Diagnostics{fault(b.DefRange(), "Wrong labels", "write dynamic \"<block type>\" { … }")}
	}
	known := []string{"for_each", "iterator", "labels"}
	each := b.Body.Attributes["for_each"]
	for _, a := range inOrder(b.Body.Attributes) {
		if a.Name != known[0] && a.Name != known[1] && a.Name != known[2] {
			diags = append(diags, fault(a.NameRange, "Unsupported argument", "a dynamic block has no %q%s", a.Name, meant(a.Name, known)))
		}
	}
	if each == nil || len(b.Body.Blocks) != 1 || b.Body.Blocks[0].Type != "content" {
		return nil, append(diags, fault(b.DefRange(), "Incomplete dynamic block", "it needs for_each = … and one content { … } block"))
	}
	name := b.Labels[0]
	if a := b.Body.Attributes["iterator"]; a != nil {
		if name = hcl.ExprAsKeyword(a.Expr); name == "" {
			return nil, append(diags, fault(a.Expr.Range(), "Wrong iterator", "iterator is a bare name, such as iterator = port"))
		}
	}
	list, ds := p.value(each.Expr, ctx)
	if diags = append(diags, ds...); diags.HasErrors() {
		return nil, diags
	}
	if list.IsNull() || !list.IsWhollyKnown() || !list.CanIterateElements() {
		return nil, append(diags, fault(each.Expr.Range(), "Wrong for_each", "for_each takes a list, a set or a map"))
	}
	for it := list.ElementIterator(); it.Next(); {
		if p.grown++; p.grown > maxGrown {
			return nil, append(diags, fault(b.DefRange(), "Too many blocks", "dynamic blocks make more than %d blocks", maxGrown))
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
		out = append(out, scoped{&made, child})
	}
	return out, diags
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
		diags = append(diags, fault(a.Expr.Range(), "Wrong value", "labels: %v", err))
	}
	return labels, diags
}
