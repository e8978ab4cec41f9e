package jobwrite

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// opaque writes the inside of a block that is somebody else's business. Reading
// makes a list of one object of a block, and of an object that stands as an
// argument; so a list of objects is written as blocks, and a bare object as the
// result of a function.
func opaque(raw n.Raw, at string) (b body, err error) {
	m, err := raw.Map()
	if err != nil {
		return b, fmt.Errorf("%s: %w", at, err)
	}
	return content(m, at)
}

// content writes an object as a body.
func content(m map[string]any, at string) (b body, err error) {
	for _, key := range slices.Sorted(maps.Keys(m)) {
		v, at := m[key], at+"."+key
		switch {
		case v == nil:
			return b, fmt.Errorf("%s: a job file has no way to write null here: leave it out", at)
		case !isName(key):
			return b, fmt.Errorf("%s: a job file has no way to write the key %q here: it takes letters, digits, _ and -", at, key)
		}
		list, _ := v.([]any)
		if blocks, ok := objects(list); ok {
			for i, inner := range blocks {
				x := &block{kind: key}
				if x.body, err = content(inner, fmt.Sprintf("%s[%d]", at, i)); err != nil {
					return b, err
				}
				b.blocks = append(b.blocks, x)
			}
			continue
		}
		value, err := argued(v, at)
		if err != nil {
			return b, err
		}
		b.argue(key, value)
	}
	return b, nil
}

// argued writes a value as that of an argument.
func argued(v any, at string) (string, error) {
	if list, ok := v.([]any); ok && len(list) == 1 && isObject(list[0]) {
		return anything(list[0], at)
	}
	value, err := anything(v, at)
	if isObject(v) {
		value = "merge(" + value + ")"
	}
	return value, err
}

func isObject(v any) bool {
	_, ok := v.(map[string]any)
	return ok
}

// objects returns the elements of a list that can be written as blocks.
func objects(list []any) (out []map[string]any, ok bool) {
	for _, e := range list {
		m, ok := e.(map[string]any)
		if !ok {
			return nil, false
		}
		for key, v := range m {
			if v == nil || !isName(key) {
				return nil, false
			}
		}
		out = append(out, m)
	}
	return out, len(out) > 0
}

// anything writes a JSON value as an expression.
func anything(v any, at string) (string, error) {
	switch x := v.(type) {
	case nil:
		return "null", nil
	case bool:
		return strconv.FormatBool(x), nil
	case json.Number:
		return number(x, at)
	case string:
		return text(x), nil
	case []any:
		items := make([]string, len(x))
		for i, e := range x {
			var err error
			if items[i], err = anything(e, fmt.Sprintf("%s[%d]", at, i)); err != nil {
				return "", err
			}
		}
		return list(items), nil
	case map[string]any:
		entries := map[string]string{}
		for key, e := range x {
			var err error
			if entries[key], err = anything(e, at+"."+key); err != nil {
				return "", err
			}
		}
		return object(entries), nil
	}
	return "", fmt.Errorf("%s: %T is no value of JSON", at, v)
}
