package fields

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// An object is one of a JSON Schema, or a part of it.
type object = map[string]any

const (
	dialect = "https://json-schema.org/draft/2020-12/schema"
	// template is what any argument may be as well: text with an expression.
	template = `[$%]\{`
	part     = `([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)`
)

// Schema returns the JSON Schema of job files in the JSON form of HCL: labels are
// the keys of objects, and blocks that may repeat are one object or a list of
// them.
func Schema() ([]byte, error) {
	blocks, err := all()
	if err != nil {
		return nil, err
	}
	defs := shared()
	for _, b := range blocks[1:] {
		defs[b.Title] = body(b)
	}
	root := body(blocks[0])
	root["$schema"] = dialect
	root["title"] = "Job file of Nomadlike, in the JSON form of HCL"
	root["required"] = []string{"job"}
	root["$defs"] = defs
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(root); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

// shared is what is not of one kind of block. Its names have a slash, which those
// of blocks do not.
func shared() object {
	text := func(pattern, description string) object {
		return object{"type": "string", "pattern": pattern, "description": description}
	}
	number := func(pattern string) object {
		return object{"type": []string{"integer", "string"}, "pattern": pattern + "|" + template}
	}
	return object{
		"value/template": text(template, "An expression such as ${var.name}, in place of the value"),
		"value/string":   object{"type": []string{"string", "number", "boolean"}},
		"value/bool":     object{"type": []string{"boolean", "string"}, "pattern": `^(true|false)$|` + template},
		"value/number":   number(`^-?[0-9]+$`),
		"value/natural":  number(`^[0-9]+$`),
		"value/duration": text(`^([+-]?(`+part+`)+|[+-]?0)$|`+template, "A number with a unit of h, m, s, ms, us or ns, or several: 1h30m"),
		"value/span":     text(`^(\+?(`+part+`)+|[+-]?0)$|`+template, "A number with a unit of h, m, s, ms, us or ns, or several: 1h30m. Not negative"),
		"value/comment":  object{"description": "A comment"},
		"value/dynamic": object{
			"description":          "Blocks that are made of a list, by the name of the block",
			"type":                 []string{"object", "array"},
			"items":                object{"type": "object", "additionalProperties": ref("value/generator")},
			"additionalProperties": ref("value/generator"),
		},
		"value/generator": object{
			"type":     []string{"object", "array"},
			"items":    ref("value/generator"),
			"required": []string{"for_each", "content"},
			"properties": object{
				"for_each": object{"description": "The list, set or map: there is a block for each element"},
				"iterator": object{"type": "string", "description": "The name by which content reads the element; that of the block otherwise"},
				"labels":   object{"description": "The labels of each block"},
				"content":  object{"type": []string{"object", "array"}, "description": "What stands in each block"},
			},
			"additionalProperties": false,
		},
	}
}

func ref(def string) object {
	return object{"$ref": "#/$defs/" + strings.ReplaceAll(def, "/", "~1")}
}

// body is what may be written in a block.
func body(b *Block) object {
	properties := object{"//": ref("value/comment"), "dynamic": ref("value/dynamic")}
	var required []string
	for _, f := range b.Fields {
		properties[f.Name] = described(b, f)
		if f.Required {
			required = append(required, f.Name)
		}
	}
	out := object{"type": "object", "description": sentences(b.Text, b.Notes), "properties": properties, "additionalProperties": false}
	if len(b.Paths) == 1 && b.Paths[0] == "" {
		delete(properties, "dynamic")
	}
	if required != nil {
		out["required"] = required
	}
	return out
}

func sentences(text string, notes []string) string {
	return strings.Join(append([]string{text}, notes...), "\n")
}

// described is what a field of b may hold, and what it means.
func described(b *Block, f *Field) object {
	out := content(f)
	notes := slices.Clone(f.Notes)
	if !slices.Equal(f.JobTypes, b.JobTypes) {
		notes = append(notes, "Only in jobs of type "+strings.Join(f.JobTypes, ", ")+".")
	}
	if f.Runtime {
		notes = append(notes, runtimeNote)
	}
	if f.Deprecated != "" {
		notes = append(notes, "Deprecated: "+f.Deprecated+".")
		out["deprecated"] = true
	}
	if limits := f.Limits(); limits != "" && f.Type == "duration" {
		notes = append(notes, capital(limits)+".")
	}
	if v, single := f.Default.value(); single && f.Argument {
		out["default"] = v
	} else if f.Default.String() != "" {
		notes = append(notes, "Default: "+f.Default.String()+".")
	}
	if f.Argument && json.Valid([]byte(f.Example)) {
		out["examples"] = []json.RawMessage{json.RawMessage(f.Example)}
	}
	out["description"] = sentences(f.Text, notes)
	return out
}

// content is what a field may hold.
func content(f *Field) object {
	switch {
	case f.Block != nil:
		return nested(f)
	case !f.Nested:
		return argument(f)
	case f.typ == reflect.TypeFor[n.Raw]():
		return object{"type": []string{"object", "array"}}
	}
	values := valueOf(f.typ.Elem())
	out := oneOrList(object{"type": "object", "additionalProperties": values}, f.Repeats)
	if f.Argument {
		out["anyOf"] = append(out["anyOf"].([]any), ref("value/template"))
	}
	return out
}

// nested is one block or, where several may stand, a list of them. A label is a
// key around the block.
func nested(f *Field) object {
	either := oneOrList(ref(f.Block.Title), f.Repeats)
	if f.Label == "" {
		return either
	}
	labelled := object{"type": "object", "additionalProperties": either}
	if f.Labels != nil {
		labelled["propertyNames"] = object{"enum": f.Labels}
	}
	if !f.Repeats {
		labelled["minProperties"], labelled["maxProperties"] = 1, 1
	}
	return oneOrList(labelled, f.Repeats)
}

// oneOrList allows a list of one where there can be no more.
func oneOrList(one object, repeats bool) object {
	list := object{"type": "array", "items": one}
	if !repeats {
		list["maxItems"] = 1
	}
	return object{"anyOf": []any{one, list}}
}

// argument is what may stand right of an equal sign.
func argument(f *Field) object {
	switch {
	case f.Values != nil:
		return choice(f.Values)
	case f.Type == "duration" && f.Min != "" && !strings.HasPrefix(f.Min, "-"):
		return ref("value/span")
	case f.Type != "number":
		return valueOf(f.typ)
	}
	out := ref("value/number")
	if f.Min != "" && !strings.HasPrefix(f.Min, "-") {
		out = ref("value/natural")
	}
	if f.Min != "" {
		out["minimum"] = json.Number(f.Min)
	}
	if f.Max != "" {
		out["maximum"] = json.Number(f.Max)
	}
	return out
}

// choice is one of these texts, or an expression.
func choice(values []string) object {
	var choices, whole []any
	for _, v := range values {
		if prefix, open := strings.CutSuffix(v, "*"); open {
			choices = append(choices, object{"type": "string", "pattern": "^" + prefix + "."})
		} else {
			whole = append(whole, v)
		}
	}
	choices = append([]any{object{"enum": whole}}, choices...)
	return object{"anyOf": append(choices, ref("value/template"))}
}

// valueOf is what an argument of a Go type may hold.
func valueOf(t reflect.Type) object {
	switch t {
	case reflect.TypeFor[time.Duration]():
		return ref("value/duration")
	case reflect.TypeFor[typeExpression]():
		return object{"type": "string"}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return valueOf(t.Elem())
	case reflect.String:
		return ref("value/string")
	case reflect.Bool:
		return ref("value/bool")
	case reflect.Interface:
		return object{}
	case reflect.Slice:
		return object{"anyOf": []any{object{"type": "array", "items": valueOf(t.Elem())}, ref("value/template")}}
	case reflect.Map:
		return object{"anyOf": []any{object{"type": "object", "additionalProperties": valueOf(t.Elem())}, ref("value/template")}}
	}
	if isUnsigned(t) {
		return ref("value/natural")
	}
	return ref("value/number")
}
