package jobspec

import (
	"errors"
	"math/big"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// opaque reads a block that is somebody else's business, such as a driver's
// config. Its schema decides later what may stand there; see the job
// specification reference, 2.8, for the form.
func (p *parser) opaque(body *hclsyntax.Body, ctx *hcl.EvalContext) (n.Raw, hcl.Diagnostics) {
	v, diags := p.object(body, ctx)
	if diags.HasErrors() {
		return nil, diags
	}
	if len(v) == 0 {
		return n.Raw("{}"), diags
	}
	object := cty.ObjectVal(v)
	if !object.IsWhollyKnown() {
		if !p.broken {
			diags = append(diags, fault(body.SrcRange, "unknown value", "the block holds a value that is not known"))
		}
		return nil, diags
	}
	if err := spellable(object); err != nil {
		return nil, append(diags, fault(body.SrcRange, "wrong value", "%v", err))
	}
	text, err := ctyjson.Marshal(object, object.Type())
	var raw n.Raw
	if err == nil {
		err = raw.UnmarshalJSON(text)
	}
	if err != nil {
		diags = append(diags, fault(body.SrcRange, "wrong value", "%v", err))
	}
	return raw, diags
}

// object reads a body: blocks become lists of objects, one more for each label,
// and so do objects written as arguments.
func (p *parser) object(body *hclsyntax.Body, ctx *hcl.EvalContext) (map[string]cty.Value, hcl.Diagnostics) {
	out, lists := map[string]cty.Value{}, map[string][]cty.Value{}
	var diags hcl.Diagnostics
	for _, a := range inOrder(body.Attributes) {
		v, ds := p.value(a.Expr, ctx)
		if diags = append(diags, ds...); ds.HasErrors() || v.IsNull() {
			continue
		}
		if _, written := a.Expr.(*hclsyntax.ObjectConsExpr); written && !p.json {
			v = cty.TupleVal([]cty.Value{v})
		}
		out[a.Name] = v
	}
	for _, b := range body.Blocks {
		inner, ds := p.object(b.Body, ctx)
		diags = append(diags, ds...)
		v := cty.ObjectVal(inner)
		for i := len(b.Labels) - 1; i >= 0; i-- {
			v = cty.ObjectVal(map[string]cty.Value{b.Labels[i]: cty.TupleVal([]cty.Value{v})})
		}
		lists[b.Type] = append(lists[b.Type], v)
	}
	for name, list := range lists {
		out[name] = cty.TupleVal(list)
	}
	return out, diags
}

// spellable refuses numbers that JSON would need thousands of digits for.
func spellable(v cty.Value) error {
	return cty.Walk(v, func(_ cty.Path, v cty.Value) (bool, error) {
		if v.Type() != cty.Number || v.IsNull() || !v.IsKnown() {
			return true, nil
		}
		if !short(v.AsBigFloat()) {
			return false, errors.New("a number in it is out of range")
		}
		return true, nil
	})
}

// short reports a number whose text takes little time to make.
func short(f *big.Float) bool {
	e := f.MantExp(nil)
	return e <= 1024 && e >= -1074
}

// numberText is a number in a sentence.
func numberText(f *big.Float, digits int) string {
	if !short(f) {
		return "one that is out of range"
	}
	return f.Text('g', digits)
}
