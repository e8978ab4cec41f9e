package jobwrite

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"reflect"

	"github.com/nomadlike/nomadlike/jobspec"
	n "github.com/nomadlike/nomadlike/nomadlike"
)

// compare names the first thing that a job file can not say: where what was
// written reads back as something else. What only servers set does not count.
func compare(want, have reflect.Value, at string) error {
	switch {
	case want.Type() == rawType:
		return compareRaw(want.Bytes(), have.Bytes(), at)
	case want.Kind() == reflect.Pointer && want.IsNil() != have.IsNil():
		return lost(want, have, at)
	case want.Kind() == reflect.Pointer && want.IsNil():
		return nil
	case want.Kind() == reflect.Pointer:
		return compare(want.Elem(), have.Elem(), at)
	case want.Kind() == reflect.Struct:
		return compareStructs(want, have, at)
	case want.Kind() == reflect.Slice:
		for i := range min(want.Len(), have.Len()) {
			if err := compare(want.Index(i), have.Index(i), fmt.Sprintf("%s[%d]", at, i)); err != nil {
				return err
			}
		}
		return sameLength(want, have, at)
	case want.Kind() == reflect.Map:
		return compareMaps(want, have, at)
	case !want.Equal(have):
		return lost(want, have, at)
	}
	return nil
}

func lost(want, have reflect.Value, at string) error {
	return fmt.Errorf("%s: a job file has no way to write %s here: it would be read as %s", at, shown(want), shown(have))
}

// shown is a value for an error. Text is in ASCII, since it may differ in what can
// not be seen.
func shown(v reflect.Value) string {
	for v.Kind() == reflect.Interface && !v.IsNil() {
		v = v.Elem()
	}
	if _, number := v.Interface().(json.Number); v.Kind() == reflect.String && !number {
		return fmt.Sprintf("%+.200q", v.String())
	}
	b, err := json.Marshal(v.Interface())
	if err != nil {
		return fmt.Sprint(v)
	}
	return fmt.Sprintf("%.200s", b)
}

func compareStructs(want, have reflect.Value, at string) error {
	counts := map[int]bool{}
	for _, f := range jobspec.Fields(want.Type()) {
		counts[f.Index] = true
	}
	special := specials[want.Type()].fields
	for i := range want.NumField() {
		name := want.Type().Field(i).Name
		if !counts[i] && special[name] == nil {
			continue
		}
		if err := compare(want.Field(i), have.Field(i), at+"."+name); err != nil {
			return err
		}
	}
	return nil
}

func compareMaps(want, have reflect.Value, at string) error {
	for _, key := range keys(want) {
		a, b := want.MapIndex(reflect.ValueOf(key)), have.MapIndex(reflect.ValueOf(key))
		at := fmt.Sprintf("%s[%q]", at, key)
		if !b.IsValid() {
			return fmt.Errorf("%s: a job file has no way to write this key", at)
		}
		if f, ok := labelOf(a); ok && f.String() == "" { // the key is its name
			f.SetString(key)
		}
		if err := compare(a, b, at); err != nil {
			return err
		}
	}
	return sameLength(want, have, at)
}

func sameLength(want, have reflect.Value, at string) error {
	if want.Len() == have.Len() {
		return nil
	}
	return fmt.Errorf("%s: a job file has no way to write this: it would be read as %d, not %d", at, have.Len(), want.Len())
}

// labelOf is the field with the label of what v points to.
func labelOf(v reflect.Value) (reflect.Value, bool) {
	if v.Kind() != reflect.Pointer {
		return v, false
	}
	i, ok := label(v.Type().Elem())
	if !ok {
		return v, false
	}
	return v.Elem().Field(i), true
}

// compareRaw compares blocks by what they mean: a number can be written in many
// ways.
func compareRaw(want, have n.Raw, at string) error {
	if (len(want) == 0) != (len(have) == 0) {
		return lost(reflect.ValueOf(want), reflect.ValueOf(have), at)
	}
	if bytes.Equal(want, have) {
		return nil
	}
	a, err := want.Map()
	if err != nil {
		return fmt.Errorf("%s: %w", at, err)
	}
	b, err := have.Map()
	if err != nil {
		return fmt.Errorf("%s: %w", at, err)
	}
	return compareJSON(a, b, at)
}

func compareJSON(want, have any, at string) error {
	differ := false
	switch a := want.(type) {
	case map[string]any:
		b, ok := have.(map[string]any)
		for key := range a {
			if _, there := b[key]; !there {
				return fmt.Errorf("%s.%s: a job file has no way to write this key", at, key)
			}
			if err := compareJSON(a[key], b[key], at+"."+key); err != nil {
				return err
			}
		}
		differ = !ok || len(a) != len(b)
	case []any:
		b, ok := have.([]any)
		if differ = !ok || len(a) != len(b); differ {
			break
		}
		for i := range a {
			if err := compareJSON(a[i], b[i], fmt.Sprintf("%s[%d]", at, i)); err != nil {
				return err
			}
		}
	case json.Number:
		b, ok := have.(json.Number)
		differ = !ok || !sameNumber(a, b)
	default:
		differ = want != have
	}
	if differ {
		return lost(reflect.ValueOf(&want).Elem(), reflect.ValueOf(&have).Elem(), at)
	}
	return nil
}

// sameNumber compares numbers that number has let through, so they are not huge.
func sameNumber(a, b json.Number) bool {
	x, ok := new(big.Rat).SetString(a.String())
	y, both := new(big.Rat).SetString(b.String())
	return ok && both && x.Cmp(y) == 0
}
