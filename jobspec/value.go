package jobspec

import (
	"bytes"
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
	switch x := e.(type) {
	case *hclsyntax.LiteralValueExpr:
		return e.Value(ctx)
	case *hclsyntax.TemplateExpr:
		if x.IsStringLiteral() { // most expressions are, and there is nothing to look for in them
			return p.spent(x.Parts[0], ctx)
		}
	}
	refs := e.Variables()
	if !p.prepared[e] {
		if p.prepared == nil {
			p.prepared = map[hclsyntax.Expression]bool{}
		}
		p.prepared[e] = true
		if p.keepRuntime(e, refs, ctx) {
			refs = e.Variables()
		}
		p.meter(e)
	}
	if diags := undeclared(refs, ctx); diags.HasErrors() {
		return cty.DynamicVal, diags
	}
	v, diags := p.spent(e, ctx)
	if diags.HasErrors() && slices.ContainsFunc(refs, func(t hcl.Traversal) bool { return strings.HasPrefix(t.RootName(), runtimeName) }) {
		for _, d := range diags {
			d.Detail += " ${…} of a running task or its node is not known yet: it can only stand for itself or within text."
		}
	}
	return v, diags
}

// spent evaluates an expression if the file may still go on.
func (p *parser) spent(e hclsyntax.Expression, ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	v, diags := e.Value(ctx)
	if !diags.HasErrors() && !p.spend(weight(v)) {
		return cty.DynamicVal, append(diags, p.tooMuch(e.Range())...)
	}
	return v, diags
}

// undeclared finds references to variables and locals that are not there.
func undeclared(refs []hcl.Traversal, ctx *hcl.EvalContext) (diags hcl.Diagnostics) {
	for _, t := range refs {
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
		diags = append(diags, fault(attr.SrcRange, fmt.Sprintf("unknown %s %q", kind, attr.Name), "%s", declaredNames(kind, attr.Name, names)))
	}
	return diags
}

// declaredNames says which names there are.
func declaredNames(kind, name string, names []string) string {
	if len(names) == 0 {
		return "the file declares no " + kind + "s"
	}
	if m := meant(name, names); m != "" {
		return fmt.Sprintf("did you mean %q?", m)
	}
	return fmt.Sprintf("the file declares %s", sortedList(names))
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
// variable that holds the reference's text. It reports whether there was any.
func (p *parser) keepRuntime(e hclsyntax.Expression, refs []hcl.Traversal, ctx *hcl.EvalContext) bool {
	free := map[hcl.Pos]bool{}
	for _, t := range refs {
		if !isKnown(ctx, t.RootName()) {
			free[t.SourceRange().Start] = true
		}
	}
	if len(free) == 0 {
		return false
	}
	_ = hclsyntax.VisitAll(e, func(node hclsyntax.Node) hcl.Diagnostics {
		ref, ok := node.(*hclsyntax.ScopeTraversalExpr)
		if !ok || !free[ref.Traversal.SourceRange().Start] {
			return nil
		}
		p.refs++
		name := runtimeName + strconv.Itoa(p.refs)
		at := ref.SrcRange
		p.root.Variables[name] = cty.StringVal("${" + p.around(at) + "}")
		ref.Traversal = hcl.Traversal{hcl.TraverseRoot{Name: name, SrcRange: at}}
		return nil
	})
	return true
}

// runtimeName begins the names of variables that hold the text of references. Its
// space keeps it from colliding with those of a file.
const runtimeName = "runtime "

func isKnown(ctx *hcl.EvalContext, root string) bool {
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
	head := bytes.TrimRight(p.text[:from], " \t")
	tail := bytes.TrimLeft(p.text[to:], " \t")
	if bytes.HasSuffix(head, []byte("${")) && bytes.HasPrefix(tail, []byte("}")) {
		from, to = len(head), len(p.text)-len(tail)
	}
	return string(p.text[from:to])
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
		if i, exact := whole(v); exact { // faster than what follows
			dst.SetString(strconv.FormatInt(i, 10))
			return nil
		}
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

// whole is a number's value if it is a whole one.
func whole(v cty.Value) (int64, bool) {
	if v.Type() != cty.Number {
		return 0, false
	}
	i, accuracy := v.AsBigFloat().Int64()
	return i, accuracy == big.Exact
}

func wrong(want string, have cty.Value) error {
	return fmt.Errorf("it takes %s, not %s", want, describeType(have))
}

// describeType names a value's type in words of job files.
func describeType(v cty.Value) string {
	switch t := v.Type(); {
	case v.IsNull():
		return "null"
	case t == cty.String:
		if s := v.AsString(); len(s) <= 40 {
			return fmt.Sprintf("the text %q", s)
		}
		return "text"
	case t == cty.Number:
		return "the number " + numberText(v.AsBigFloat(), -1)
	case t == cty.Bool:
		return textOf(v)
	case t.IsObjectType() || t.IsMapType():
		return "a map"
	case v.CanIterateElements():
		return "a list"
	}
	return v.Type().FriendlyName()
}

func storeNumber(dst reflect.Value, v cty.Value) error {
	num, err := convert.Convert(v, cty.Number)
	if err != nil {
		return wrong("a whole number", v)
	}
	i, exact := num.AsBigFloat().Int64()
	if exact != big.Exact {
		return fmt.Errorf("it takes a whole number, not %s", numberText(num.AsBigFloat(), 10))
	}
	switch {
	case dst.CanInt() && !dst.OverflowInt(i):
		dst.SetInt(i)
	case dst.CanUint() && i >= 0 && !dst.OverflowUint(uint64(i)):
		dst.SetUint(uint64(i))
	case dst.Kind() == reflect.Int8: // a weight
		return fmt.Errorf("it takes a whole number from -100 to 100, not %d", i)
	case dst.Kind() == reflect.Uint8: // a percentage
		return fmt.Errorf("it takes a whole number from 0 to 100, not %d", i)
	case dst.Kind() == reflect.Uint16: // a port
		return fmt.Errorf("it takes a whole number from 0 to 65535, not %d", i)
	case dst.CanInt():
		return fmt.Errorf("%d is too large", i)
	case dst.CanUint():
		return fmt.Errorf("it takes a whole number of at least 0, not %d", i)
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
