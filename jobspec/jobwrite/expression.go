package jobwrite

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"github.com/nomadlike/nomadlike/jobspec"
)

// expression writes a value of a job, which is no block.
func expression(v reflect.Value, at string) (string, error) {
	if v.Type() == reflect.TypeFor[time.Duration]() {
		return quote(duration(time.Duration(v.Int())), false), nil
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return "null", nil
		}
		return expression(v.Elem(), at)
	case reflect.String:
		return text(v.String()), nil
	case reflect.Bool:
		return strconv.FormatBool(v.Bool()), nil
	case reflect.Slice:
		items := make([]string, v.Len())
		for i := range items {
			var err error
			if items[i], err = expression(v.Index(i), fmt.Sprintf("%s[%d]", at, i)); err != nil {
				return "", err
			}
		}
		return list(items), nil
	case reflect.Map:
		entries := map[string]string{}
		for _, key := range keys(v) {
			var err error
			if entries[key], err = expression(v.MapIndex(reflect.ValueOf(key)), fmt.Sprintf("%s[%q]", at, key)); err != nil {
				return "", err
			}
		}
		return object(entries), nil
	}
	switch {
	case v.CanInt():
		return strconv.FormatInt(v.Int(), 10), nil
	case v.CanUint() && int64(v.Uint()) >= 0:
		return strconv.FormatUint(v.Uint(), 10), nil
	case v.CanUint():
		return "", fmt.Errorf("%s: %d is too large for a job file", at, v.Uint())
	}
	return "", fmt.Errorf("%s: a job file has no way to write a %s", at, v.Type())
}

// duration writes 1h30m, where Go would write 1h30m0s.
func duration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// lineWidth is the most that a list takes on one line.
const lineWidth = 80

// list writes a list, on one line if that is short. A long text may be its last
// element there.
func list(items []string) string {
	length, broken := 0, 0
	for _, item := range items {
		if strings.Contains(item, "\n") {
			broken++
		} else {
			length += len(item) + 2
		}
	}
	last := len(items) - 1
	if length <= lineWidth && (broken == 0 || broken == 1 && strings.HasPrefix(items[last], "<<")) {
		return "[" + strings.Join(items, ", ") + "]"
	}
	var b strings.Builder
	b.WriteString("[\n")
	for _, item := range items {
		b.WriteString(item + ",\n")
	}
	return b.String() + "]"
}

// object writes an object, on one line if that is short. Values are expressions.
func object(entries map[string]string) string {
	var items []string
	length, broken := 0, false
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		name := key
		if !isName(key) || key == "for" { // which would begin a loop
			name = quote(key, false)
		}
		item := name + " = " + strings.TrimSuffix(entries[key], "\n")
		items = append(items, item)
		length += len(item) + 2
		broken = broken || strings.Contains(item, "\n")
	}
	switch {
	case len(items) == 0:
		return "{}"
	case length <= lineWidth/2 && !broken:
		return "{ " + strings.Join(items, ", ") + " }"
	}
	return "{\n" + strings.Join(items, "\n") + "\n}"
}

// text writes a text so that it reads back the same. References of the running
// task stay as they are.
func text(s string) string {
	if !strings.ContainsFunc(s, tricky) {
		return quote(s, false)
	}
	for _, write := range []func(string, bool) string{heredoc, quote} {
		for _, refer := range []bool{true, false} {
			if e := write(s, refer); e != "" && reads(e, s) {
				return e
			}
		}
	}
	return quote(s, false) // the comparison of the whole tells what is lost
}

// tricky reports what does not simply stand for itself.
func tricky(r rune) bool { return r >= 0x80 || r == '\n' || r == '{' }

// reads reports an expression that means the text, also when it is formatted:
// that takes the space out of "${ attr.kernel.name }".
func reads(expression, text string) bool {
	v, err := jobspec.Evaluate(string(hclwrite.Format([]byte(expression))))
	return err == nil && !v.IsNull() && v.Type() == cty.String && v.AsString() == text
}

// quote writes a text in quotes. refer says that references of the running task
// stay; else they are escaped.
func quote(s string, refer bool) string {
	var b strings.Builder
	b.WriteByte('"')
	templates(s, refer, &b, func(r rune) {
		switch {
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '"', r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r <= 0xFFFF:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	})
	b.WriteByte('"')
	return b.String()
}

// mostLines of a text are written as they are: reading takes the square of them.
const mostLines = 5000

// heredoc writes a text of several lines as they are, or returns "".
func heredoc(s string, refer bool) string {
	lines := strings.Count(s, "\n")
	if !strings.HasSuffix(s, "\n") || lines < 2 || lines > mostLines || strings.ContainsFunc(s, unwritable) {
		return ""
	}
	marker, words := "EOT", strings.Fields(s) // no line of the text may be the marker
	for slices.Contains(words, marker) {
		marker += "_"
	}
	var b strings.Builder
	b.WriteString("<<" + marker + "\n")
	templates(s, refer, &b, func(r rune) { b.WriteRune(r) })
	b.WriteString(marker + "\n")
	return b.String()
}

// unwritable reports what no editor shows.
func unwritable(r rune) bool { return r != '\n' && r != '\t' && !unicode.IsPrint(r) }

// templates writes a text with the beginnings of templates doubled, which makes
// them text.
func templates(s string, refer bool, b *strings.Builder, other func(r rune)) {
	skip := 0
	for i, r := range s {
		switch {
		case i < skip:
		case (r == '$' || r == '%') && strings.HasPrefix(s[i+1:], "{"):
			if n := reference(s[i:]); refer && n > 0 {
				b.WriteString(s[i : i+n])
				skip = i + n
				continue
			}
			b.WriteString(string(r) + string(r))
		default:
			other(r)
		}
	}
}

// longestReference keeps a text of nothing but beginnings from taking ages.
const longestReference = 200

// reference is the length of the reference at the beginning of a text that would
// read back as it stands; 0 if there is none.
func reference(s string) int {
	end := strings.IndexByte(s[:min(len(s), longestReference)], '}') + 1
	if end > 0 && reads(`"`+s[:end]+`"`, s[:end]) {
		return end
	}
	return 0
}

// number writes a number of an opaque block.
func number(x json.Number, at string) (string, error) {
	f, _, err := big.ParseFloat(x.String(), 10, 64, big.ToNearestEven)
	if err != nil {
		return "", fmt.Errorf("%s: %w", at, err)
	}
	if e := f.MantExp(nil); e > 4096 || e < -4096 { // files spell all the zeros
		return "", fmt.Errorf("%s: %s is too large or too small for a job file", at, x)
	}
	return x.String(), nil
}
