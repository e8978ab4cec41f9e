package jobspec

import (
	"cmp"
	"maps"
	"reflect"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// decoder reads blocks into the types of a job.
type decoder struct {
	*parser
	defaults n.Defaults
	ofJob    shared // by the job for all its tasks
	ofGroup  shared // by the group that is being read
	lonely   int    // groups made of tasks that stand in none
}

func target(p any) reflect.Value { return reflect.ValueOf(p).Elem() }

// inOrder lists attributes as they stand in the file.
func inOrder(attrs hclsyntax.Attributes) []*hclsyntax.Attribute {
	return slices.SortedFunc(maps.Values(attrs), func(a, b *hclsyntax.Attribute) int {
		return cmp.Compare(a.NameRange.Start.Byte, b.NameRange.Start.Byte)
	})
}

// structure reads a body into a struct that holds its defaults.
func (d *decoder) structure(body *hclsyntax.Body, ctx *hcl.EvalContext, v reflect.Value, at hcl.Range) (diags hcl.Diagnostics) {
	s, special := schemaOf(v.Type()), specials[v.Type()]
	written := map[string]bool{}
	for _, a := range inOrder(body.Attributes) {
		written[a.Name] = true
		diags = append(diags, d.attribute(a, ctx, v, s, special)...)
	}
	blocks, ds := d.expand(body.Blocks, ctx)
	diags = append(diags, ds...)
	seen := map[string]hcl.Range{}
	for _, late := range []bool{false, true} {
		for _, b := range blocks {
			if isLate(b.Type) != late {
				continue
			}
			if body.Attributes[b.Type] != nil {
				diags = append(diags, fault(b.DefRange(), "Written twice", "%q is there as a block and as an argument", b.Type))
				continue
			}
			written[b.Type] = true
			diags = append(diags, d.block(b, v, s, special, seen)...)
		}
	}
	if special.after != nil && !diags.HasErrors() {
		if err := special.after(d, v, written); err != nil {
			diags = append(diags, fault(at, "Invalid block", "%v", err))
		}
	}
	return diags
}

// isLate reports blocks that inherit from those beside them.
func isLate(name string) bool { return name == "group" || name == "task" }

func (d *decoder) attribute(a *hclsyntax.Attribute, ctx *hcl.EvalContext, v reflect.Value, s *schema, special special) hcl.Diagnostics {
	f, ok := s.fields[a.Name]
	short := special.attrs[a.Name]
	switch {
	case short == nil && !ok:
		return hcl.Diagnostics{fault(a.NameRange, "Unsupported argument", "an argument named %q is not expected here%s", a.Name, meant(a.Name, s.names(special)))}
	case short == nil && !f.attr:
		return hcl.Diagnostics{fault(a.NameRange, "Unsupported argument", "%q is a block: write %s { … } without =", a.Name, a.Name)}
	}
	value, diags := d.value(a.Expr, ctx)
	if diags.HasErrors() {
		return diags
	}
	var err error
	if short != nil {
		err = short(v, value)
	} else {
		err = store(v.Field(f.index), value)
	}
	if err != nil {
		diags = append(diags, fault(a.Expr.Range(), "Wrong value", "%s: %v", a.Name, err))
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

func (d *decoder) block(b scoped, v reflect.Value, s *schema, special special, seen map[string]hcl.Range) hcl.Diagnostics {
	if read := special.blocks[b.Type]; read != nil {
		return read(d, b, v)
	}
	f, ok := s.fields[b.Type]
	switch {
	case !ok:
		return hcl.Diagnostics{fault(b.TypeRange, "Unsupported block type", "blocks of type %q are not expected here%s", b.Type, meant(b.Type, s.names(special)))}
	case !f.block:
		return hcl.Diagnostics{fault(b.TypeRange, "Unsupported block type", "%q is an argument: write %s = …", b.Type, b.Type)}
	}
	field := v.Field(f.index)
	repeats := field.Kind() == reflect.Slice && field.Type() != rawType || field.Kind() == reflect.Map && field.Type().Elem().Kind() == reflect.Pointer
	if first, twice := seen[b.Type]; twice && !repeats {
		return hcl.Diagnostics{fault(b.DefRange(), "Duplicate block", "there can be one %q block; the first is at line %d", b.Type, first.Start.Line)}
	}
	seen[b.Type] = b.DefRange()
	return d.into(b, field)
}

// into reads a block into a field.
func (d *decoder) into(b scoped, field reflect.Value) hcl.Diagnostics {
	t := field.Type()
	switch {
	case t == rawType:
		raw, diags := d.opaque(b.Body, b.ctx)
		field.SetBytes(raw)
		return append(noLabels(b), diags...)
	case t.Kind() == reflect.Pointer:
		if field.IsNil() {
			field.Set(d.make(t.Elem()))
		}
		return d.labelled(b, field.Elem())
	case t.Kind() == reflect.Slice:
		e := d.make(t.Elem())
		diags := d.labelled(b, e.Elem())
		field.Set(reflect.Append(field, e.Elem()))
		return diags
	case t.Kind() == reflect.Map && t.Elem().Kind() == reflect.Pointer:
		e := d.make(t.Elem().Elem())
		diags := d.labelled(b, e.Elem())
		if field.IsNil() {
			field.Set(reflect.MakeMap(t))
		}
		if len(b.Labels) == 1 {
			field.SetMapIndex(reflect.ValueOf(b.Labels[0]), e)
		}
		return diags
	case t.Kind() == reflect.Map:
		return d.mapping(b, field)
	}
	return d.labelled(b, field)
}

// make makes a value that holds its defaults.
func (d *decoder) make(t reflect.Type) reflect.Value {
	p := reflect.New(t)
	d.defaults.Fill(p.Interface())
	return p
}

func noLabels(b scoped) hcl.Diagnostics {
	if len(b.Labels) > 0 {
		return hcl.Diagnostics{fault(b.LabelRanges[0], "Extraneous label", "a %s block has no label", b.Type)}
	}
	return nil
}

// labelled reads a block and its label into a struct.
func (d *decoder) labelled(b scoped, v reflect.Value) hcl.Diagnostics {
	s := schemaOf(v.Type())
	if s.label < 0 {
		if diags := noLabels(b); diags != nil {
			return diags
		}
	} else {
		if len(b.Labels) != 1 {
			return hcl.Diagnostics{fault(b.DefRange(), "Wrong labels", "a %s block has one label: write %s \"<name>\" { … }", b.Type, b.Type)}
		}
		v.Field(s.label).SetString(b.Labels[0])
	}
	if g, ok := v.Addr().Interface().(*n.Group); ok {
		d.defaults.Group = g
		defer func() { d.defaults.Group, d.ofGroup = nil, shared{} }()
	}
	return d.structure(b.Body, b.ctx, v, b.DefRange())
}

// mapping reads a block of free names.
func (d *decoder) mapping(b scoped, field reflect.Value) hcl.Diagnostics {
	diags := noLabels(b)
	for _, inner := range b.Body.Blocks {
		diags = append(diags, fault(inner.TypeRange, "Unsupported block type", "%s holds names and values, and no blocks", b.Type))
	}
	values := map[string]cty.Value{}
	for _, a := range inOrder(b.Body.Attributes) {
		value, ds := d.value(a.Expr, b.ctx)
		diags = append(diags, ds...)
		values[a.Name] = value
	}
	if diags.HasErrors() {
		return diags
	}
	if err := store(field, cty.ObjectVal(values)); err != nil {
		diags = append(diags, fault(b.DefRange(), "Wrong value", "%s: %v", b.Type, err))
	}
	return diags
}
