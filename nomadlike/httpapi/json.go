package httpapi

import (
	"bytes"
	"encoding/json"
	"net/url"
	"reflect"
	"strings"

	"github.com/nomadlike/nomadlike/jobspec"
	n "github.com/nomadlike/nomadlike/nomadlike"
)

// decodeJSON decodes a request. A job in it is decoded onto its defaults.
func decodeJSON(b []byte, v any) error {
	field := reflect.ValueOf(v).Elem().FieldByName("Job")
	if !field.IsValid() || field.Type() != reflect.TypeFor[*n.Job]() {
		return json.Unmarshal(b, v)
	}
	var parts map[string]json.RawMessage
	if err := json.Unmarshal(b, &parts); err != nil {
		return err
	}
	for name, text := range parts {
		if !strings.EqualFold(name, "Job") || string(text) == "null" {
			continue
		}
		job, err := jobspec.DecodeJSON(text)
		if err != nil {
			return err
		}
		field.Set(reflect.ValueOf(job))
		delete(parts, name)
	}
	rest, err := json.Marshal(parts)
	if err != nil {
		return err
	}
	return json.Unmarshal(rest, v)
}

// encodeJSON writes a body: no HTML escapes, compact without a newline, or
// indented with one.
func encodeJSON(v any, pretty bool) ([]byte, error) {
	if v == nil || isNilList(v) {
		return emptyJSON(v, pretty), nil
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if pretty {
		enc.SetIndent("", "    ")
	}
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	if pretty {
		return buf.Bytes(), nil
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}

// isNilList reports a list without elements, which is shown as such at the top.
func isNilList(v any) bool {
	val := reflect.ValueOf(v)
	return val.Kind() == reflect.Slice && val.IsNil()
}

func emptyJSON(v any, pretty bool) []byte {
	text := "null"
	if v != nil {
		text = "[]"
	}
	if pretty {
		text += "\n"
	}
	return []byte(text)
}

// wantsPretty reports the parameter with any value but 0.
func wantsPretty(q url.Values) bool {
	v, ok := q["pretty"]
	return ok && v[0] != "0"
}
