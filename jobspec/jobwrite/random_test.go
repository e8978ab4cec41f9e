package jobwrite_test

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"strings"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// random makes jobs in the JSON of the API: every field of every type, now and
// then. They make little sense, but each can be written as a job file.
type random struct{ *rand.Rand }

func (r random) one(of ...string) string { return of[r.IntN(len(of))] }

func (r random) chance(percent int) bool { return r.IntN(100) < percent }

// fragments are what texts are made of.
var fragments = strings.Split("a|b c|web|-|_|.|0|7|é|日本|🙂|\n|\n\n|\t|\r|\"|'|\\|\\n|$|$$|%|{|}|${|%{|$${|%%{|${attr.kernel.name}|${ node.unique.id }|"+
	"${env[\"a.b\"]}|${var.x}|${local.y}|${upper(attr.x)}|${x...y}|%{ if true }|%{~ endif ~}|${1 + 1}|EOT|\nEOT\n|  EOT|EOT_\n|<<EOT|#|//|/*|"+
	"\u0000|\u001b|\u2028|\ufeff|\u00a0|=|[|]|,|for|null|true|{{ key }}\n|end\n|${NOMAD_PORT_http}\n", "|")

func (r random) text() string {
	var b strings.Builder
	for range r.IntN(r.IntN(8) + 1) {
		b.WriteString(r.one(fragments...))
	}
	return b.String()
}

func (r random) name() string {
	return r.one("a", "B", "_x", "key-1", "über", "for", "null", "true", "dynamic", "group", "config", "labels", "in")
}

var jobTypes = append([]string{"", "else"}, n.JobTypes...)

// job makes a job.
func (r random) job() []byte {
	j := r.object(reflect.TypeFor[n.Job](), 0)
	if r.chance(90) { // most of the types are below
		j["TaskGroups"] = r.value(reflect.TypeFor[[]n.Group](), false, 1)
	}
	j["Type"] = r.one(jobTypes...)
	b, err := json.Marshal(j)
	if err != nil {
		panic(err)
	}
	return b
}

// object makes a struct. How much of it is written differs.
func (r random) object(t reflect.Type, depth int) map[string]any {
	out, percent := map[string]any{}, r.IntN(40)
	if depth < 3 {
		percent += 20
	}
	for i := range t.NumField() {
		f := t.Field(i)
		if !r.chance(percent) {
			continue
		}
		if r.chance(3) {
			out[f.Name] = nil
			continue
		}
		switch tag := f.Tag.Get("hcl"); {
		case tag == "-" && f.Type.Kind() == reflect.Slice && f.Type.Elem().Kind() == reflect.Uint8, f.Name == "SpecType":
		case f.Name == "ShutdownDelay", f.Type == reflect.TypeFor[time.Duration]():
			out[f.Name] = r.duration()
		default:
			out[f.Name] = r.value(f.Type, strings.HasSuffix(tag, ",map") || strings.HasSuffix(tag, ",attr"), depth+1)
		}
	}
	r.amend(t, out)
	return out
}

// amend makes what can be said in JSON alone into what can be said in a file.
func (r random) amend(t reflect.Type, out map[string]any) {
	elements := func(name string, fn func(e map[string]any)) {
		list, _ := out[name].([]any)
		for _, e := range list {
			fn(e.(map[string]any))
		}
	}
	switch t {
	case reflect.TypeFor[n.Network]():
		elements("ReservedPorts", func(e map[string]any) { e["Value"] = 1 + r.IntN(65535) })
		elements("DynamicPorts", func(e map[string]any) { delete(e, "Value") })
	case reflect.TypeFor[n.Task]():
		elements("Identities", func(e map[string]any) { e["Name"] = "x" + r.text() })
		if id, ok := out["Identity"].(map[string]any); ok {
			id["Name"] = r.one("", "default")
		}
		elements("ScalingPolicies", func(e map[string]any) { e["Type"] = r.one("vertical_cpu", "vertical_mem") })
	case reflect.TypeFor[n.ScalingPolicy]():
		out["Max"] = r.IntN(5)
		if r.chance(50) {
			out["Min"] = r.IntN(3)
		}
	case reflect.TypeFor[n.Group]():
		if r.chance(50) {
			out["Count"] = r.IntN(3)
		}
	}
}

func (r random) duration() any {
	if r.chance(20) {
		return r.one("1h30m", "5s", "0s", "1.5h", "-2m", "10µs", "24h0m1s")
	}
	return []time.Duration{0, 1, -1, time.Second, time.Minute, time.Hour, 90 * time.Minute, 25*time.Hour + time.Second, 1 << 62, time.Duration(r.Int64())}[r.IntN(10)]
}

// value makes a value of a field; anyKey says that its keys need be no names.
func (r random) value(t reflect.Type, anyKey bool, depth int) any {
	if t == reflect.TypeFor[n.Raw]() {
		m := map[string]any{}
		for range r.IntN(5) {
			m[r.name()] = r.anything(1, false)
		}
		return m
	}
	switch t.Kind() {
	case reflect.Pointer:
		if t.Elem() == reflect.TypeFor[time.Duration]() {
			return r.duration()
		}
		return r.value(t.Elem(), anyKey, depth)
	case reflect.Struct:
		return r.object(t, depth)
	case reflect.String:
		return r.text()
	case reflect.Bool:
		return r.chance(50)
	case reflect.Slice:
		list := []any{}
		for range r.IntN(1+r.IntN(3)) + 1/depth {
			list = append(list, r.value(t.Elem(), false, depth))
		}
		return list
	case reflect.Map:
		m := map[string]any{}
		for range r.IntN(4) {
			key := r.name()
			if anyKey && r.chance(30) || t.Elem().Kind() == reflect.Pointer {
				key = r.text()
			}
			m[key] = r.value(t.Elem(), false, depth)
			if e, ok := m[key].(map[string]any); ok {
				e["Name"] = key
				if r.chance(20) {
					delete(e, "Name")
				}
			}
		}
		return m
	}
	v := reflect.New(t).Elem()
	if v.CanInt() {
		if x := []int64{0, 1, -1, 50, 100, 127, -128, 300, 1 << 40}[r.IntN(9)]; !v.OverflowInt(x) {
			return x
		}
		return 7
	}
	return []uint64{0, 1, 50, 100, 255}[r.IntN(5)]
}

// anything makes a value for an opaque block.
func (r random) anything(depth int, null bool) any {
	switch r.IntN(8 - min(depth, 4)) {
	case 0:
		if null {
			return nil
		}
		return r.text()
	case 1:
		return r.text()
	case 2:
		return json.Number(r.one("0", "-0", "1", "-17", "1.0", "0.1", "-2.5e-7", "1e3", "1E+40", "9007199254740993", "123456789012345678901234567890.5"))
	case 3:
		return r.chance(50)
	case 4, 5:
		list := []any{}
		for range r.IntN(4) {
			list = append(list, r.anything(depth+1, true))
		}
		return list
	}
	m := map[string]any{}
	for range r.IntN(4) {
		key := r.name()
		if r.chance(20) {
			key = r.text()
		}
		m[key] = r.anything(depth+1, true)
	}
	if r.chance(60) { // as blocks become
		return []any{m}
	}
	return m
}
