package jobdiff

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// A tree is a block as a diff shows it: fields as text, and blocks within.
type tree struct {
	fields map[string]string // by name; members of a set by name, NUL and value
	blocks []block
}

// A block within another. Blocks of one name are matched by key.
type block struct {
	name, key string
	tree      *tree
}

// titles of fields that are not called as they are in a diff.
var titles = map[string]string{
	"Constraints": "Constraint", "Affinities": "Affinity", "Networks": "Network", "Services": "Service", "Volumes": "Volume",
	"VolumeMounts": "VolumeMount", "Templates": "Template", "Artifacts": "Artifact", "Secrets": "Secret", "Actions": "Action",
	"Identities": "Identity", "ReservedPorts": "Static Port", "DynamicPorts": "Dynamic Port", "Checks": "Check", "Devices": "Device",
	"Links": "Link", "SpreadTarget": "Target", "Regions": "Region",
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
	t := &tree{fields: map[string]string{}}
	for i := range v.NumField() {
		if f := v.Type().Field(i); !slices.Contains(unseen[v.Type()], f.Name) {
			t.add(f.Name, v.Field(i))
		}
	}
	return t
}

func (t *tree) add(name string, v reflect.Value) {
	if raw, ok := v.Interface().(n.Raw); ok {
		if m, err := raw.Map(); err == nil && m != nil {
			inner := &tree{fields: map[string]string{}}
			for _, k := range sortedKeys(m) {
				inner.addAny(k, m[k])
			}
			t.blocks = append(t.blocks, block{title(name), "", inner})
		}
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			t.add(name, v.Elem())
		}
	case reflect.Struct:
		t.blocks = append(t.blocks, block{title(name), "", treeOf(v)})
	case reflect.Map:
		for it := v.MapRange(); it.Next(); {
			t.member(name, it.Key().String(), it.Value())
		}
	case reflect.Slice:
		t.list(name, v)
	default:
		t.fields[name] = fmt.Sprint(v.Interface())
		if v.Kind() == reflect.Int64 {
			t.fields[name] = strconv.FormatInt(v.Int(), 10) // durations too
		}
	}
}

func (t *tree) member(name, key string, v reflect.Value) {
	if inner := reflect.Indirect(v); inner.Kind() == reflect.Struct {
		t.blocks = append(t.blocks, block{title(name), key, treeOf(inner)})
		return
	}
	t.add(fmt.Sprintf("%s[%s]", name, key), v)
}

func (t *tree) list(name string, v reflect.Value) {
	if v.Len() == 0 {
		return
	}
	if v.Type().Elem().Kind() != reflect.Struct {
		set := &tree{fields: map[string]string{}}
		for i := range v.Len() {
			text := fmt.Sprint(v.Index(i).Interface())
			set.fields[name+"\x00"+text] = text
		}
		t.blocks = append(t.blocks, block{title(name), "", set})
		return
	}
	for i := range v.Len() {
		e := v.Index(i)
		t.blocks = append(t.blocks, block{title(name), keyOf(e, i), treeOf(e)})
	}
}

// keyOf says by what an element of a list is recognised in another version.
func keyOf(v reflect.Value, position int) string {
	switch x := v.Interface().(type) {
	case n.Port:
		return x.Label
	case n.Secret:
		return x.Name
	case n.Identity:
		return x.Name
	case n.Service:
		return x.Name + "\x00" + x.PortLabel
	case n.Check:
		return x.Name
	case n.Artifact:
		return x.RelativeDest
	case n.Template:
		return x.DestPath
	case n.DeviceRequest:
		return x.Name
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
		for _, k := range sortedKeys(x) {
			t.addAny(name+"."+k, x[k])
		}
	case []any:
		for i, e := range x {
			t.addAny(fmt.Sprintf("%s[%d]", name, i), e)
		}
	case nil:
	default:
		t.fields[name] = fmt.Sprint(x)
	}
}
