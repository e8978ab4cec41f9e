package hclspec

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
	"github.com/hashicorp/go-msgpack/v2/codec"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hcldec"
	hcljson "github.com/hashicorp/hcl/v2/json"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/msgpack"
)

// Decode reads a config block, given as a JSON object, with the schema s; ctx
// holds what its expressions may refer to and may be nil. The result is what a
// plugin decodes with Unmarshal: every declared key, null where it is unset.
// No input at all is read as an empty block.
//
// The diagnostics name the key that they are about; Err makes one error of them.
func Decode(s *Spec, raw []byte, ctx *hcl.EvalContext) ([]byte, hcl.Diagnostics) {
	v, diags := DecodeValue(s, raw, ctx)
	if diags.HasErrors() {
		return nil, diags
	}
	b, err := msgpack.Marshal(v, v.Type())
	if err != nil {
		return nil, hcl.Diagnostics{{
			Severity: hcl.DiagError,
			Summary:  "Invalid configuration",
			Detail:   fmt.Sprintf("The configuration can not be encoded: %s.", err),
		}}
	}
	return b, diags
}

// DecodeValue is Decode short of the encoding.
func DecodeValue(s *Spec, raw []byte, ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	spec, diags := ToHCL(s)
	if diags.HasErrors() {
		return cty.DynamicVal, diags
	}
	if len(bytes.TrimSpace(raw)) == 0 || bytes.Equal(bytes.TrimSpace(raw), []byte("null")) {
		raw = []byte("{}")
	}
	if ctx == nil {
		ctx = &hcl.EvalContext{Functions: Functions()}
	}
	f, diags := hcljson.Parse(raw, "config")
	if diags.HasErrors() {
		return cty.DynamicVal, name(diags, raw, s)
	}
	v, diags := decodeBody(f.Body, spec, ctx)
	if diags.HasErrors() {
		return cty.DynamicVal, name(diags, raw, s)
	}
	if !v.IsWhollyKnown() {
		return cty.DynamicVal, hcl.Diagnostics{{
			Severity: hcl.DiagError,
			Summary:  "Invalid configuration",
			Detail:   "A value of the configuration is not known.",
		}}
	}
	return v, diags
}

// decodeBody turns a panic of the libraries, which a schema of a foreign plugin
// can provoke (a set of values of different types), into a diagnostic.
func decodeBody(b hcl.Body, spec hcldec.Spec, ctx *hcl.EvalContext) (v cty.Value, diags hcl.Diagnostics) {
	defer func() {
		if p := recover(); p != nil {
			v = cty.DynamicVal
			diags = hcl.Diagnostics{{
				Severity: hcl.DiagError,
				Summary:  "Invalid configuration",
				Detail:   fmt.Sprintf("The configuration does not fit the plugin's schema: %v.", p),
			}}
		}
	}()
	return hcldec.Decode(b, spec, ctx)
}

// Err makes one readable error of diagnostics, nil of none.
func Err(diags hcl.Diagnostics) error {
	var lines []string
	for _, d := range diags {
		if d.Severity == hcl.DiagError {
			lines = append(lines, d.Summary+": "+d.Detail)
		}
	}
	if len(lines) == 0 {
		return nil
	}
	return errors.New(strings.Join(lines, "\n"))
}

// name rewords diagnostics for somebody who never saw the JSON: unknown keys
// are answered with the nearest known one, and what is said of a place is said
// of the key at that place.
func name(diags hcl.Diagnostics, raw []byte, s *Spec) hcl.Diagnostics {
	out := make(hcl.Diagnostics, 0, len(diags))
	for _, d := range diags {
		c := *d
		key := ""
		if d.Subject != nil {
			key = keyAt(raw, d.Subject.Start.Byte)
		}
		if d.Summary == "Extraneous JSON object property" {
			c.Summary = "Invalid label"
			c.Detail = fmt.Sprintf("No argument or block type is named %q.", lastKey(key))
			if near := nearest(lastKey(key), s); near != "" {
				c.Detail += fmt.Sprintf(" Did you mean %q?", near)
			}
		}
		if key != "" && !strings.Contains(c.Detail, `"`+lastKey(key)+`"`) {
			c.Detail = fmt.Sprintf("In %q: %s", key, c.Detail)
		}
		out = append(out, &c)
	}
	return out
}

func lastKey(path string) string {
	if i := strings.LastIndexByte(path, '.'); i >= 0 {
		path = path[i+1:]
	}
	if i := strings.IndexByte(path, '['); i > 0 {
		path = path[:i]
	}
	return path
}

// keyAt returns the path of the JSON value or key that covers an offset, such
// as "auth.username" or "args[2]".
func keyAt(raw []byte, offset int) string {
	type level struct {
		object bool
		key    string
		index  int
		isKey  bool // an object's key comes next
	}
	var stack []*level
	path := func() string {
		var b strings.Builder
		for _, l := range stack {
			switch {
			case l.object && l.key != "":
				if b.Len() > 0 {
					b.WriteByte('.')
				}
				b.WriteString(l.key)
			case !l.object:
				fmt.Fprintf(&b, "[%d]", l.index)
			}
		}
		return b.String()
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	for {
		tok, err := dec.Token()
		if err != nil {
			return ""
		}
		end := int(dec.InputOffset())
		var top *level
		if len(stack) > 0 {
			top = stack[len(stack)-1]
		}
		delim, isDelim := tok.(json.Delim)
		if top != nil && top.object && top.isKey && !isDelim {
			top.key, _ = tok.(string)
			top.isKey = false
			if end > offset {
				return path()
			}
			continue
		}
		if end > offset && (!isDelim || delim != '}' && delim != ']') {
			return path()
		}
		if isDelim && (delim == '{' || delim == '[') {
			stack = append(stack, &level{object: delim == '{', isKey: delim == '{'})
			continue
		}
		if isDelim {
			if end > offset {
				return path()
			}
			stack = stack[:len(stack)-1]
			if len(stack) == 0 {
				return ""
			}
			top = stack[len(stack)-1]
		}
		if top == nil {
			return ""
		}
		if top.object {
			top.isKey = true
		} else {
			top.index++
		}
	}
}

// nearest returns the key of the schema that is most like key, if any is.
func nearest(key string, s *Spec) string {
	best, dist := "", 3
	for _, n := range names(s, "") {
		if d := levenshtein.Distance(key, n, nil); d < dist {
			best, dist = n, d
		}
	}
	return best
}

// names lists all keys of a schema at any depth, sorted.
func names(s *Spec, implied string) []string {
	var out []string
	add := func(name string, nested ...*Spec) {
		if name == "" {
			name = implied
		}
		if name != "" {
			out = append(out, name)
		}
		for _, n := range nested {
			out = append(out, names(n, "")...)
		}
	}
	switch {
	case s == nil:
	case s.Object != nil:
		for _, k := range sortedKeys(s.Object.Attributes) {
			out = append(out, names(s.Object.Attributes[k], k)...)
		}
	case s.Array != nil:
		for _, v := range s.Array.Values {
			out = append(out, names(v, "")...)
		}
	case s.Attr != nil:
		add(s.Attr.Name)
	case s.BlockAttrs != nil:
		add(s.BlockAttrs.Name)
	case s.Block != nil:
		add(s.Block.Name, s.Block.Nested)
	case s.BlockList != nil:
		add(s.BlockList.Name, s.BlockList.Nested)
	case s.BlockSet != nil:
		add(s.BlockSet.Name, s.BlockSet.Nested)
	case s.BlockMap != nil:
		add(s.BlockMap.Name, s.BlockMap.Nested)
	case s.Default != nil:
		out = append(out, names(s.Default.Primary, "")...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// handle decodes what Decode encodes, as the plugins of others do too: text is
// text, and only codec tags name fields.
var handle = func() *codec.MsgpackHandle {
	h := &codec.MsgpackHandle{}
	h.RawToString = true
	h.TypeInfos = codec.NewTypeInfos([]string{"codec"})
	h.MapType = reflect.TypeFor[map[string]any]()
	return h
}()

// Unmarshal decodes a plugin's configuration into a struct whose fields have
// codec tags. What is null stays zero.
func Unmarshal(b []byte, into any) error {
	if err := codec.NewDecoderBytes(b, handle).Decode(into); err != nil {
		return fmt.Errorf("decode configuration: %w", err)
	}
	return nil
}

// Marshal encodes a struct as Decode encodes a configuration. It serves tests
// and plugins that write their own.
func Marshal(v any) ([]byte, error) {
	var b []byte
	if err := codec.NewEncoderBytes(&b, handle).Encode(v); err != nil {
		return nil, fmt.Errorf("encode configuration: %w", err)
	}
	return b, nil
}
