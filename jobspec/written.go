package jobspec

import (
	"cmp"
	"reflect"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// A Field is how a field of a struct stands in a job file. One that may be an
// argument and a block may be written either way.
type Field struct {
	Index    int    // within the struct
	Name     string // of the argument or block; "" for a label
	Label    bool   // it is the label of the struct's own block
	Argument bool   // name = value
	Block    bool   // name { … }
}

// Fields lists what of a struct can stand in a job file, in the struct's order.
// It is what files are read by, but for what the tags can not say.
func Fields(t reflect.Type) []Field {
	s := schemaOf(t)
	var out []Field
	if s.label >= 0 {
		out = append(out, Field{Index: s.label, Label: true})
	}
	for name, f := range s.fields {
		out = append(out, Field{Index: f.index, Name: name, Argument: f.attr, Block: f.block})
	}
	slices.SortFunc(out, func(a, b Field) int { return cmp.Compare(a.Index, b.Index) })
	return out
}

// Evaluate returns what an expression means in a job file that declares no
// variables, where references of the running task stay as their own text.
func Evaluate(expression string) (cty.Value, error) {
	e, diags := hclsyntax.ParseExpression([]byte(expression), "expression", hcl.InitialPos)
	if !diags.HasErrors() {
		p := &parser{text: []byte(expression)}
		p.root = p.scopeOf(false)
		p.root.Variables["var"], p.root.Variables["local"] = cty.EmptyObjectVal, cty.EmptyObjectVal
		var v cty.Value
		if v, diags = p.value(e, p.root); !diags.HasErrors() {
			return v, nil
		}
	}
	return cty.NilVal, &Error{Diagnostics: diags, Sources: Sources{"expression": []byte(expression)}}
}

// ScalingType is the type of a task's scaling block with the label "cpu" or "mem",
// unless it names another.
func ScalingType(label string) string { return scalingTypes[label] }
