package jobspec

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// decoder reads blocks into the types of a job.
type decoder struct {
	*parser
	defaults n.Defaults
	ofJob    shared   // by the job for all its tasks
	ofGroup  shared   // by the group that is being read
	older    []n.Port // of the network that is being read, in the older spelling
	hasPorts bool     // and it has some in the newer one, which win
}

func target(p any) reflect.Value { return reflect.ValueOf(p).Elem() }

// inOrder lists attributes as they stand in the file.
func inOrder(attrs hclsyntax.Attributes) []*hclsyntax.Attribute {
	return slices.SortedFunc(maps.Values(attrs), func(a, b *hclsyntax.Attribute) int {
		return cmp.Compare(a.NameRange.Start.Byte, b.NameRange.Start.Byte)
	})
}

// structure reads a body into a struct that holds its defaults.
// path is the struct's, see Places.
func (d *decoder) structure(body *hclsyntax.Body, ctx *hcl.EvalContext, v reflect.Value, at hcl.Range, path string) (diags hcl.Diagnostics) {
	s, special := schemaOf(v.Type()), specials[v.Type()]
	written := map[string]bool{}
	for _, a := range inOrder(body.Attributes) {
		written[a.Name] = true
		diags = append(diags, d.attribute(a, ctx, v, s, special, path)...)
	}
	blocks, ds := d.expand(body.Blocks, ctx)
	diags = append(diags, ds...)
	seen := map[string]hcl.Range{}
	defer func(of bool) { d.hasPorts = of }(d.hasPorts)
	d.hasPorts = slices.ContainsFunc(blocks, func(b scoped) bool { return b.Type == "port" })
	for turn := range turns {
		for _, b := range blocks {
			if turnOf(b.Type) != turn {
				continue
			}
			if body.Attributes[b.Type] != nil {
				diags = append(diags, fault(b.DefRange(), fmt.Sprintf("%s is written twice", b.Type), "it is there as a block and as an argument: keep one of them"))
				continue
			}
			written[b.Type] = true
			diags = append(diags, d.block(b, v, s, special, seen, path)...)
		}
	}
	if special.after != nil && !diags.HasErrors() && !d.broken {
		if err := special.after(d, v, written, path); err != nil {
			at, detail := at, "see the reference of job files on this block"
			if x := (*incomplete)(nil); errors.As(err, &x) {
				at, detail = d.places[under(path, x.field)], x.detail
			}
			diags = append(diags, fault(at, err.Error(), "%s", detail))
		}
	}
	return diags
}

// incomplete is an error about what is written under a field.
type incomplete struct{ field, summary, detail string }

func (x *incomplete) Error() string { return x.summary }

// unitless warns of a duration that is a small number: those are nanoseconds, which
// hardly anybody means.
func unitless(a *hclsyntax.Attribute, t reflect.Type, v cty.Value) hcl.Diagnostics {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t != durationType || v.Type() != cty.Number || v.IsNull() || !v.IsKnown() {
		return nil
	}
	i, exact := whole(v)
	if !exact || i == 0 || time.Duration(i).Abs() >= time.Millisecond {
		return nil
	}
	w := fault(a.Expr.Range(), fmt.Sprintf("%s = %d is %d nanoseconds", a.Name, i, i), "write the unit, as in %s = \"%ds\"", a.Name, i)
	w.Severity = hcl.DiagWarning
	return hcl.Diagnostics{w}
}

// turns is how often the blocks of a body are gone through: some inherit from
// those beside them, and groups made of tasks come before those of the file.
const turns = 3

func turnOf(block string) int {
	switch block {
	case "task":
		return 1
	case "group":
		return 2
	}
	return 0
}

func (d *decoder) attribute(a *hclsyntax.Attribute, ctx *hcl.EvalContext, v reflect.Value, s *schema, special special, path string) hcl.Diagnostics {
	f, ok := s.fields[a.Name]
	short := special.attrs[a.Name]
	switch {
	case short == nil && !ok:
		return hcl.Diagnostics{fault(a.NameRange, fmt.Sprintf("unknown argument %q", a.Name), "%s", unknown(a.Name, false, v.Type(), s.names(special)))}
	case short == nil && !f.attr:
		return hcl.Diagnostics{fault(a.NameRange, fmt.Sprintf("%s is a block, not an argument", a.Name), "write %s { … } without =", a.Name)}
	}
	value, diags := d.value(a.Expr, ctx)
	if diags.HasErrors() || d.broken && !value.IsWhollyKnown() {
		return diags
	}
	var err error
	if short != nil {
		err = short(v, value)
		for _, name := range []string{"LTarget", "Operand", "RTarget"} {
			d.mark(under(path, name), a.Expr.Range())
		}
	} else {
		err = store(v.Field(f.index), value)
		diags = append(diags, unitless(a, v.Field(f.index).Type(), value)...)
		if !value.IsNull() {
			d.mark(under(path, v.Type().Field(f.index).Name), a.Expr.Range())
		}
	}
	if err != nil {
		diags = append(diags, fault(a.Expr.Range(), "wrong value for "+a.Name, "%v", err))
	}
	return diags
}

func (s *schema) names(special special) []string {
	names := slices.Collect(maps.Keys(s.fields))
	names = slices.AppendSeq(names, maps.Keys(special.attrs))
	return slices.AppendSeq(names, maps.Keys(special.blocks))
}

// A scoped block is one with the scope that its dynamic block gave it.
type scoped struct {
	*hclsyntax.Block
	ctx *hcl.EvalContext
}

func (d *decoder) block(b scoped, v reflect.Value, s *schema, special special, seen map[string]hcl.Range, path string) hcl.Diagnostics {
	if inner, ok := special.blocks[b.Type]; ok {
		return inner.read(d, b, v, path)
	}
	f, ok := s.fields[b.Type]
	switch {
	case !ok:
		return hcl.Diagnostics{fault(b.TypeRange, fmt.Sprintf("unknown block %q", b.Type), "%s", unknown(b.Type, true, v.Type(), s.names(special)))}
	case !f.block:
		return hcl.Diagnostics{fault(b.TypeRange, fmt.Sprintf("%s is an argument, not a block", b.Type), "write %s = …", b.Type)}
	}
	path = under(path, v.Type().Field(f.index).Name)
	field := v.Field(f.index)
	repeats := field.Kind() == reflect.Slice && field.Type() != rawType || field.Kind() == reflect.Map && field.Type().Elem().Kind() == reflect.Pointer
	if first, twice := seen[b.Type]; twice && !repeats {
		return hcl.Diagnostics{fault(b.DefRange(), fmt.Sprintf("a second %s block", b.Type), "there can be one here; the first is at line %d", first.Start.Line)}
	}
	seen[b.Type] = b.DefRange()
	return d.into(b, field, path)
}

// into reads a block into a field.
func (d *decoder) into(b scoped, field reflect.Value, path string) hcl.Diagnostics {
	t := field.Type()
	d.markFirst(path, b.DefRange())
	switch {
	case t == rawType:
		raw, diags := d.opaque(b.Body, b.ctx)
		field.SetBytes(raw)
		return append(noLabels(b), diags...)
	case t.Kind() == reflect.Pointer:
		if field.IsNil() {
			field.Set(d.make(t.Elem()))
		}
		return d.labelled(b, field.Elem(), path)
	case t.Kind() == reflect.Slice:
		e := d.make(t.Elem())
		diags := d.labelled(b, e.Elem(), fmt.Sprintf("%s[%d]", path, field.Len()))
		field.Set(reflect.Append(field, e.Elem()))
		return diags
	case t.Kind() == reflect.Map && t.Elem().Kind() == reflect.Pointer:
		e := d.make(t.Elem().Elem())
		label := ""
		if len(b.Labels) == 1 {
			label = b.Labels[0]
		}
		diags := d.labelled(b, e.Elem(), path+"["+label+"]")
		if field.IsNil() {
			field.Set(reflect.MakeMap(t))
		}
		if field.MapIndex(reflect.ValueOf(label)).IsValid() {
			w := fault(b.DefRange(), fmt.Sprintf("a second %s %q", b.Type, label), "it replaces the first: give each a name of its own, or remove one")
			w.Severity = hcl.DiagWarning
			diags = append(diags, w)
		}
		if len(b.Labels) == 1 {
			field.SetMapIndex(reflect.ValueOf(b.Labels[0]), e)
		}
		return diags
	case t.Kind() == reflect.Map:
		return d.mapping(b, field)
	}
	return d.labelled(b, field, path)
}

// make makes a value that holds its defaults.
func (d *decoder) make(t reflect.Type) reflect.Value {
	p := reflect.New(t)
	d.defaults.Fill(p.Interface())
	return p
}

func noLabels(b scoped) hcl.Diagnostics {
	if len(b.Labels) > 0 {
		return hcl.Diagnostics{fault(b.LabelRanges[0], fmt.Sprintf("a %s block has no label", b.Type), "write %s { … }", b.Type)}
	}
	return nil
}

// labelled reads a block and its label into a struct.
func (d *decoder) labelled(b scoped, v reflect.Value, path string) hcl.Diagnostics {
	s := schemaOf(v.Type())
	d.mark(path, b.DefRange())
	if s.label < 0 {
		if diags := noLabels(b); diags != nil {
			return diags
		}
	} else {
		if len(b.Labels) != 1 {
			return hcl.Diagnostics{fault(b.DefRange(), fmt.Sprintf("a %s block has one label", b.Type), "write %s \"<name>\" { … }", b.Type)}
		}
		v.Field(s.label).SetString(b.Labels[0])
		d.mark(under(path, v.Type().Field(s.label).Name), b.LabelRanges[0])
	}
	if g, ok := v.Addr().Interface().(*n.Group); ok {
		d.defaults.Group = g
		defer func() { d.defaults.Group, d.ofGroup = nil, shared{} }()
	}
	return d.structure(b.Body, b.ctx, v, b.DefRange(), path)
}

// mapping reads a block of free names.
func (d *decoder) mapping(b scoped, field reflect.Value) hcl.Diagnostics {
	diags := noLabels(b)
	for _, inner := range b.Body.Blocks {
		diags = append(diags, fault(inner.TypeRange, fmt.Sprintf("%s holds no blocks", b.Type), "write names and values: name = \"value\""))
	}
	values := map[string]cty.Value{}
	for _, a := range inOrder(b.Body.Attributes) {
		value, ds := d.value(a.Expr, b.ctx)
		diags = append(diags, ds...)
		values[a.Name] = value
		if ds.HasErrors() || d.broken && !value.IsWhollyKnown() {
			continue
		}
		if err := store(reflect.New(field.Type().Elem()).Elem(), value); err != nil {
			diags = append(diags, fault(a.Expr.Range(), fmt.Sprintf("wrong value for %s in %s", a.Name, b.Type), "%v", err))
		}
	}
	object := cty.ObjectVal(values)
	if diags.HasErrors() || d.broken && !object.IsWhollyKnown() {
		return diags
	}
	if err := store(field, object); err != nil {
		diags = append(diags, fault(b.DefRange(), "wrong value in "+b.Type, "%v", err))
	}
	return diags
}
