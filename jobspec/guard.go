package jobspec

import (
	"bytes"
	"encoding/json"

	"github.com/hashicorp/hcl/v2"
)

// Limits of a job file. A file beyond them was made to do harm: the largest real
// ones are a hundredth of that.
const (
	// MaxSize is the largest job file that is read, in bytes.
	MaxSize   = 4 << 20
	maxTokens = 400_000 // words and signs
)

// guard refuses a file that the library would need too much stack or memory for:
// it descends with each bracket and each operator.
func guard(name string, src []byte) *hcl.Diagnostic {
	if len(src) > MaxSize {
		return fault(hcl.Range{Filename: name}, "file too large", "%d bytes are too many for a job file; the limit is %d", len(src), MaxSize)
	}
	if words := countWords(src); words > maxTokens {
		return fault(hcl.Range{Filename: name}, "file too large", "%d words and signs are too many for a job file; the limit is %d", words, maxTokens)
	}
	return tooDeep(name, src)
}

// countWords bounds the number of tokens from above, without making any.
func countWords(src []byte) (words int) {
	inWord := false
	for _, b := range src {
		letter := isWord(b)
		if !letter && b != ' ' && b != '\t' && b != '\r' || letter && !inWord {
			words++
		}
		inWord = letter
	}
	return words
}

// guardJSON does the same for the JSON form.
func guardJSON(name string, src []byte) *hcl.Diagnostic {
	at := hcl.Range{Filename: name}
	if len(src) > MaxSize {
		return fault(at, "file too large", "%d bytes are too many for a job file; the limit is %d", len(src), MaxSize)
	}
	if words := countWords(src); words > maxTokens {
		return fault(at, "file too large", "%d words and signs are too many for a job file; the limit is %d", words, maxTokens)
	}
	depth, quoted, escaped, number := 0, false, false, 0
	for i, b := range src {
		if !quoted && bytes.IndexByte([]byte("0123456789.eE+-"), b) >= 0 {
			number++
			continue
		}
		if huge(src[i-number : i]) {
			where := hcl.Range{Filename: name, Start: position(src, i-number), End: position(src, i)}
			return fault(where, "number out of range", "no job needs such a number")
		}
		number = 0
		switch {
		case escaped:
			escaped = false
		case quoted:
			escaped, quoted = b == '\\', b != '"'
		case b == '"':
			quoted = true
		case b == '{' || b == '[':
			if depth++; depth > maxDepth {
				return fault(at, "nested too deeply", "there are more than %d brackets within each other", maxDepth)
			}
		case b == '}' || b == ']':
			depth--
		}
	}
	var syntax *json.SyntaxError
	if err := json.Unmarshal(src, new(json.RawMessage)); err != nil {
		if s, ok := err.(*json.SyntaxError); ok { //nolint:errorlint // Unmarshal returns it bare
			syntax = s
		}
		where := hcl.Range{Filename: name, Start: hcl.InitialPos, End: hcl.InitialPos}
		if syntax != nil {
			where.Start = position(src, int(syntax.Offset)-1)
			where.End = position(src, int(syntax.Offset))
		}
		return fault(where, "invalid JSON", "%v", err)
	}
	return nil
}

// huge reports the text of a number that has too many digits, written or meant.
func huge(number []byte) bool {
	digits, exponent := number, []byte(nil)
	if i := bytes.IndexAny(number, "eE"); i >= 0 {
		digits, exponent = number[:i], bytes.TrimLeft(number[i+1:], "+-0")
	}
	return len(digits) > 300 || len(exponent) > 3 || len(exponent) == 3 && string(exponent) > "300"
}

// position is the place of a byte.
func position(src []byte, offset int) hcl.Pos {
	offset = max(0, min(offset, len(src)))
	pos := hcl.Pos{Line: 1, Column: 1, Byte: offset}
	for _, r := range string(src[:offset]) {
		pos.Column++
		if r == '\n' {
			pos.Line, pos.Column = pos.Line+1, 1
		}
	}
	return pos
}

// tooMuch says, once, that evaluating the file costs more than any real one.
func (p *parser) tooMuch(at hcl.Range) hcl.Diagnostics {
	if p.exhausted {
		return nil
	}
	p.exhausted, p.broken = true, true
	return hcl.Diagnostics{fault(at, "expression too large", "evaluating it goes through more than %d MB of values; job files are not meant to compute that much", maxWork>>20)}
}
