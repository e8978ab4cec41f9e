package nomadlike

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Raw is a free-form block that is some driver's or plugin's own business: its
// canonical JSON (compact, keys sorted), or nil when it was not written. It is
// always an object.
type Raw []byte

// NewRaw encodes v, which must encode to a JSON object or null.
func NewRaw(v any) (Raw, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	var r Raw
	return r, r.UnmarshalJSON(b)
}

// MarshalJSON writes the object as it is.
func (r Raw) MarshalJSON() ([]byte, error) {
	if len(r) == 0 {
		return []byte("null"), nil
	}
	return r, nil
}

// UnmarshalJSON keeps b in canonical form, so that equal blocks are equal bytes.
func (r *Raw) UnmarshalJSON(b []byte) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber() // a float64 would lose digits
	var v any
	if err := dec.Decode(&v); err != nil {
		return err
	}
	if v == nil {
		*r = nil
		return nil
	}
	if _, ok := v.(map[string]any); !ok {
		return fmt.Errorf("want an object, have %.40s", b)
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	*r = bytes.TrimSpace(buf.Bytes())
	return nil
}

// Map decodes the block. Numbers are json.Number.
func (r Raw) Map() (map[string]any, error) {
	if len(r) == 0 {
		return nil, nil
	}
	dec := json.NewDecoder(bytes.NewReader(r))
	dec.UseNumber()
	var m map[string]any
	return m, dec.Decode(&m)
}
