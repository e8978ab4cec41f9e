package httpapi

import (
	"bytes"
	"encoding/json"
	"net/url"
	"reflect"
)

// decodeJSON decodes a request.
func decodeJSON(b []byte, v any) error { return json.Unmarshal(b, v) }

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
