package fields

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// runtimeNote is said of what is filled in late.
const runtimeNote = "${…} in it is filled in where the task runs."

// Limits says in words what a number or a duration must be, or nothing.
func (f *Field) Limits() string {
	switch {
	case f.Min == "1ns" || f.Min == "1" && f.Max == "" && f.Type == "number":
		return "more than 0"
	case f.Min != "" && f.Max != "":
		return f.Min + " to " + f.Max
	case f.Min != "":
		return "at least " + f.Min
	case f.Max != "":
		return "at most " + f.Max
	}
	return ""
}

// Allowed lists what the field may hold, if that is not anything; the empty text
// as "".
func (f *Field) Allowed() []string {
	out := make([]string, len(f.Values))
	for i, v := range f.Values {
		out[i] = v
		switch {
		case v == "":
			out[i] = `""`
		case strings.HasSuffix(v, "/*"):
			out[i] = strings.TrimSuffix(v, "*") + "<name>"
		}
	}
	return out
}

// Form is how the field is written, such as "number" or `block "name", repeatable`.
func (f *Field) Form() string {
	form := f.Type
	switch {
	case f.Nested && f.Block == nil && f.Argument:
		form = "block or " + form
	case f.Nested && f.Block == nil && f.Type != "free-form block":
		form = "block, " + form
	case f.Labels != nil:
		form += ` "` + strings.Join(f.Labels, `" or "`) + `"`
	case f.Label != "":
		form += ` "<` + f.Label + `>"`
	}
	if f.Repeats {
		form += ", repeatable"
	}
	return form
}

// capital makes a sentence of a phrase.
func capital(s string) string {
	r, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[size:]
}
