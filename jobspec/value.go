package jobspec

import (
	"errors"
	"fmt"
	"maps"
	"math/big"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// value evaluates an expression. References to what only the running task or its
// node knows, such as ${attr.kernel.name}, stay as their own text.
func (p *parser) value(e hclsyntax.Expression, ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	p.keepRuntime(e, ctx)
	if diags := undeclared(e, ctx); diags.HasErrors() {
		return cty.DynamicVal, diags
	}
	return e.Value(ctx)
}

// undeclared finds references to variables and locals that are not there.
func undeclared(e hclsyntax.Expression, ctx *hcl.EvalContext) (diags hcl.Diagnostics) {
	for _, t := range e.Variables() {
		root := t.RootName()
		if root != "var" && root != "local" || len(t) < 2 {
			continue
		}
		attr, ok := t[1].(hcl.TraverseAttr)
		scope := lookup(ctx, root)
		if !ok || !scope.Type().IsObjectType() || scope.Type().HasAttribute(attr.Name) {
			continue
		}
		kind := map[string]string{"var": "variable", "local": "local"}[root]
		names := slices.Sorted(maps.Keys(scope.Type().AttributeTypes()))
		diags = append(diags, fault(attr.SrcRange, "Undeclared "+kind, "the file declares no %s %q%s", kind, attr.Name, meant(attr.Name, names)))
	}
	return diags
}

// lookup returns what a root name stands for, an empty object if nothing.
func lookup(ctx *hcl.EvalContext, root string) cty.Value {
	for ; ctx != nil; ctx = ctx.Parent() {
		if v, ok := ctx.Variables[root]; ok {
			return v
		}
	}
	return cty.EmptyObjectVal
}

// keepRuntime turns each reference whose root is unknown here into one to a
// variable that holds the reference's text.
func (p *parser) keepRuntime(e hclsyntax.Expression, ctx *hcl.EvalContext) {
	free := map[hcl.Pos]bool{}
	for _, t := range e.Variables() {
		if !known(ctx, t.RootName()) {
			free[t.SourceRange().Start] = true
		}
	}
	if len(free) == 0 {
		return
	}
	_ = hclsyntax.VisitAll(e, func(node hclsyntax.Node) hcl.Diagnostics {
		ref, ok := node.(*hclsyntax.ScopeTraversalExpr)
		if !ok || !free[ref.Traversal.SourceRange().Start] {
			return nil
		}
		p.refs++
		name := "runtime " + strconv.Itoa(p.refs) // the space keeps it from colliding
		at := ref.SrcRange
		p.root.Variables[name] = cty.StringVal("${" + p.around(at) + "}")
		ref.Traversal = hcl.Traversal{hcl.TraverseRoot{Name: name, SrcRange: at}}
		return nil
	})
}

func known(ctx *hcl.EvalContext, root string) bool {
	for ; ctx != nil; ctx = ctx.Parent() {
		if _, ok := ctx.Variables[root]; ok {
			return true
		}
	}
	return false
}

// around is a reference's text with the space around it if it stands alone in a
// template.
func (p *parser) around(at hcl.Range) string {
	from, to := at.Start.Byte, at.End.Byte
	head := strings.TrimRight(string(p.src[:from]), " \t")
	tail := strings.TrimLeft(string(p.src[to:]), " \t")
	if strings.HasSuffix(head, "${") && strings.HasPrefix(tail, "}") {
		from, to = len(head), len(p.src)-len(tail)
	}
	return string(p.src[from:to])
}

var durationType = reflect.TypeFor[time.Duration]()

// set stores a value in a field of a job, which dst points to.
func set(dst any, v cty.Value) error { return store(reflect.ValueOf(dst).Elem(), v) }

// store converts a value to what a field holds. Null unsets what can be unset.
func store(dst reflect.Value, v cty.Value) error {
	v, _ = v.Unmark()
	if !v.IsKnown() {
		return errors.New("the value is not known")
	}
	if v.IsNull() {
		switch dst.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map:
			dst.SetZero()
			return nil
		}
		return errors.New("null is no value for it")
	}
	if dst.Type() == durationType {
		d, err := duration(v)
		dst.SetInt(int64(d))
		return err
	}
	switch dst.Kind() {
	case reflect.Pointer:
		p := reflect.New(dst.Type().Elem())
		if err := store(p.Elem(), v); err != nil {
			return err
		}
		dst.Set(p)
		return nil
	case reflect.String:
		if v, err := convert.Convert(v, cty.String); err == nil {
			dst.SetString(v.AsString())
			return nil
		}
		return wrong("text", v)
	case reflect.Bool:
		if v.Type() == cty.Number {
			return wrong("true or false", v)
		}
		b, err := convert.Convert(v, cty.Bool)
		if err != nil {
			return wrong("true or false", v)
		}
		dst.SetBool(b.True())
		return nil
	case reflect.Slice:
		return storeList(dst, v)
	case reflect.Map:
		return storeMap(dst, v)
	}
	return storeNumber(dst, v)
}

func wrong(want string, have cty.Value) error {
	return fmt.Errorf("it takes %s, not %s", want, have.Type().FriendlyName())
}

func storeNumber(dst reflect.Value, v cty.Value) error {
	num, err := convert.Convert(v, cty.Number)
	if err != nil {
		return wrong("a whole number", v)
	}
	i, exact := num.AsBigFloat().Int64()
	if exact != big.Exact {
		return fmt.Errorf("it takes a whole number, not %s", num.AsBigFloat().Text('g', 10))
	}
	switch {
	case dst.CanInt() && !dst.OverflowInt(i):
		dst.SetInt(i)
	case dst.CanUint() && i >= 0 && !dst.OverflowUint(uint64(i)):
		dst.SetUint(uint64(i))
	case dst.CanInt() || dst.CanUint():
		return fmt.Errorf("%d is out of range", i)
	default:
		return fmt.Errorf("it can not be written as a value")
	}
	return nil
}

func duration(v cty.Value) (time.Duration, error) {
	if v.Type() == cty.Number {
		i, exact := v.AsBigFloat().Int64()
		if exact != big.Exact {
			return 0, errors.New("it takes a duration such as \"30s\"")
		}
		return time.Duration(i), nil
	}
	if v.Type() != cty.String {
		return 0, wrong("a duration such as \"30s\"", v)
	}
	d, err := time.ParseDuration(v.AsString())
	if err != nil {
		return 0, fmt.Errorf("%q is no duration such as \"30s\" or \"1h30m\"", v.AsString())
	}
	return d, nil
}

func storeList(dst reflect.Value, v cty.Value) error {
	t := v.Type()
	if !t.IsListType() && !t.IsTupleType() && !t.IsSetType() {
		return wrong("a list", v)
	}
	out := reflect.MakeSlice(dst.Type(), 0, v.LengthInt())
	for it := v.ElementIterator(); it.Next(); {
		_, e := it.Element()
		x := reflect.New(dst.Type().Elem()).Elem()
		if err := store(x, e); err != nil {
			return fmt.Errorf("element %d: %w", out.Len()+1, err)
		}
		out = reflect.Append(out, x)
	}
	if out.Len() == 0 {
		out = reflect.Zero(dst.Type()) // an empty list is as good as none
	}
	dst.Set(out)
	return nil
}

func storeMap(dst reflect.Value, v cty.Value) error {
	if t := v.Type(); !t.IsObjectType() && !t.IsMapType() {
		return wrong("a map", v)
	}
	if v.LengthInt() == 0 {
		dst.SetZero()
		return nil
	}
	out := reflect.MakeMap(dst.Type())
	for it := v.ElementIterator(); it.Next(); {
		k, e := it.Element()
		x := reflect.New(dst.Type().Elem()).Elem()
		if err := store(x, e); err != nil {
			return fmt.Errorf("%q: %w", k.AsString(), err)
		}
		out.SetMapIndex(reflect.ValueOf(k.AsString()).Convert(dst.Type().Key()), x)
	}
	dst.Set(out)
	return nil
}

func textOf(v cty.Value) string {
	if s, err := convert.Convert(v, cty.String); err == nil && !s.IsNull() {
		return s.AsString()
	}
	return v.GoString()
}
