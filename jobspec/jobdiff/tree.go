package jobdiff

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// A tree is a block as a diff shows it: fields as text, and blocks within. What is
// a nil pointer is not there.
type tree struct {
	fields map[field]string
	blocks []block
}

// A field of a block. All elements of a set have its name.
type field struct{ name, element string }

// A block within another. Blocks of one name are matched by key, or as services are.
type block struct {
	name, key string
	service   bool
	tree      *tree
}

// titles of fields that are not called as they are in a diff: a diff shows each
// element of a list.
var titles = map[string]string{
	"Constraints": "Constraint", "Affinities": "Affinity", "Networks": "Network", "Services": "Service", "Volumes": "Volume",
	"VolumeMounts": "VolumeMount", "Templates": "Template", "Artifacts": "Artifact", "Secrets": "Secret", "Actions": "Action",
	"Identities": "Identity", "ReservedPorts": "Static Port", "DynamicPorts": "Dynamic Port", "Checks": "Check", "Devices": "Device",
	"Links": "Link", "Regions": "Region", "Listeners": "Listener", "Paths": "Path",
}

func title(field string) string {
	if t, ok := titles[field]; ok {
		return t
	}
	return field
}

// treeOf makes the tree of a struct, or nil of nothing.
func treeOf(v reflect.Value) *tree {
	for v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return nil
		}
		v = v.Elem()
	}
	t := &tree{fields: map[field]string{}}
	for i := range v.NumField() {
		if f := v.Type().Field(i); !slices.Contains(unseen[v.Type()], f.Name) {
			t.add(f.Name, v.Field(i))
		}
	}
	return t
}

func (t *tree) set(name, value string) { t.fields[field{name: name}] = value }

func (t *tree) block(name, key string, inner *tree) {
	t.blocks = append(t.blocks, block{name: name, key: key, tree: inner})
}

func (t *tree) add(name string, v reflect.Value) {
	if raw, ok := v.Interface().(n.Raw); ok {
		t.raw(name, raw)
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			t.add(name, v.Elem())
		}
	case reflect.Struct:
		t.block(title(name), "", treeOf(v))
	case reflect.Map:
		for it := v.MapRange(); it.Next(); {
			t.entry(name, it.Key().String(), it.Value())
		}
	case reflect.Slice:
		t.list(name, v)
	case reflect.Int64:
		t.set(name, strconv.FormatInt(v.Int(), 10)) // durations too
	default:
		t.set(name, fmt.Sprint(v.Interface()))
	}
}

func (t *tree) raw(name string, raw n.Raw) {
	m, err := raw.Map()
	if err != nil || m == nil {
		return
	}
	inner := &tree{fields: map[field]string{}}
	for k := range m {
		inner.addAny(k, m[k])
	}
	t.block(title(name), "", inner)
}

// entry adds what a map has at a key: blocks are named by it.
func (t *tree) entry(name, key string, v reflect.Value) {
	if inner := reflect.Indirect(v); inner.Kind() == reflect.Struct {
		t.block(title(name), key, treeOf(inner))
		return
	}
	t.add(name+"["+key+"]", v)
}

func (t *tree) list(name string, v reflect.Value) {
	if v.Len() == 0 {
		return
	}
	if elem := v.Type().Elem(); elem.Kind() == reflect.Struct {
		for i := range v.Len() {
			e := v.Index(i)
			t.blocks = append(t.blocks, block{title(name), keyOf(e, i), elem == reflect.TypeFor[n.Service](), treeOf(e)})
		}
		return
	}
	set := &tree{fields: map[field]string{}}
	for i := range v.Len() {
		text := fmt.Sprint(v.Index(i).Interface())
		set.fields[field{name, text}] = text
	}
	t.block(name, "", set)
}

// keyOf says by what an element of a list is recognised in another version. A
// service is not: see matchByScore.
func keyOf(v reflect.Value, position int) string {
	switch x := v.Interface().(type) {
	case n.Port:
		return x.Label
	case n.Secret:
		return x.Name
	case n.Identity:
		return x.Name
	case n.Check:
		return x.Name
	case n.Artifact:
		return x.RelativeDest
	case n.Template:
		return x.DestPath
	case n.DeviceRequest:
		return x.Name
	case n.MultiregionRegion:
		return x.Name
	case n.IngressService:
		return x.Name
	case n.LinkedService:
		return x.Name
	case n.Service:
		return ""
	case n.Action, n.JobUILink:
		return strconv.Itoa(position)
	}
	text, err := json.Marshal(v.Interface())
	if err != nil {
		return strconv.Itoa(position)
	}
	return string(text)
}

// addAny flattens a driver's own configuration.
func (t *tree) addAny(name string, v any) {
	switch x := v.(type) {
	case map[string]any:
		for k := range x {
			t.addAny(name+"["+k+"]", x[k])
		}
	case []any:
		for i, e := range x {
			t.addAny(fmt.Sprintf("%s[%d]", name, i), e)
		}
	case nil:
	default:
		t.set(name, fmt.Sprint(x))
	}
}
