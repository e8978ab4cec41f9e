package fields

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

//go:embed fields.txt
var text string

// An entry is what fields.txt says of a block or an argument; the file itself
// explains its form.
type entry struct {
	at         int // its place in the file
	text       string
	notes      []string
	values     []string
	min, max   string
	required   bool
	runtime    bool
	repeats    bool
	deprecated string
	fallback   string // what it holds unless written, where nomadlike.Defaults can not know
	example    string
	jobTypes   []string
	places     []string // the only blocks that it may stand in, by the ends of their paths
}

// indent begins lines that continue the one above.
const indent = "    "

// parse reads the entries of fields.txt.
func parse(text string) (map[string]*entry, error) {
	entries := map[string]*entry{}
	var e *entry
	var more *string // what an indented line continues
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		var err error
		switch {
		case strings.HasPrefix(line, "#"):
		case strings.TrimSpace(line) == "" && i+1 < len(lines) && more != nil && strings.HasPrefix(lines[i+1], indent):
			*more += "\n" // an empty line of an example
		case strings.TrimSpace(line) == "":
			e, more = nil, nil
		case e == nil:
			e, err = head(line, entries)
		case strings.HasPrefix(line, indent):
			err = e.proceed(more, line)
		default:
			more = e.line(strings.TrimSpace(line))
		}
		if err != nil {
			return nil, fmt.Errorf("fields.txt:%d: %w", i+1, err)
		}
	}
	for key, e := range entries {
		if e.text == "" {
			return nil, fmt.Errorf("fields.txt: %s has no text", key)
		}
		e.example = strings.TrimSpace(e.example)
	}
	return entries, nil
}

// head reads the first line of an entry: its key, and what is short.
func head(line string, entries map[string]*entry) (*entry, error) {
	words := strings.Fields(line)
	if entries[words[0]] != nil {
		return nil, fmt.Errorf("%s is described twice", words[0])
	}
	e := &entry{at: len(entries)}
	entries[words[0]] = e
	for _, w := range words[1:] {
		name, value, _ := strings.Cut(w, "=")
		switch name {
		case "required":
			e.required = true
		case "runtime":
			e.runtime = true
		case "values":
			for v := range strings.SplitSeq(value, ",") {
				e.values = append(e.values, strings.Trim(v, `"`))
			}
		case "range":
			var ok bool
			if e.min, e.max, ok = strings.Cut(value, ".."); !ok {
				return nil, fmt.Errorf("range %q is not min..max; either may be left out", value)
			}
		case "repeats":
			e.repeats = true
		case "in":
			e.places = strings.Split(value, ",")
		case "types":
			e.jobTypes = strings.Split(value, ",")
			for _, t := range e.jobTypes {
				if !slices.Contains(n.JobTypes, t) {
					return nil, fmt.Errorf("%q is no type of a job", t)
				}
			}
		default:
			return nil, fmt.Errorf("%q is none of required, runtime, repeats, values=, range=, types=, in=", w)
		}
	}
	return e, nil
}

// line reads one line below the first, and returns what indented lines after it
// belong to.
func (e *entry) line(line string) *string {
	name, rest, _ := strings.Cut(line, ":")
	rest = strings.TrimSpace(rest)
	switch name {
	case "note":
		e.notes = append(e.notes, rest)
		return &e.notes[len(e.notes)-1]
	case "example":
		e.example = rest
		return &e.example
	case "deprecated":
		e.deprecated = rest
		return &e.deprecated
	case "default":
		e.fallback = rest
		return &e.fallback
	}
	e.text = strings.TrimSpace(e.text + " " + line)
	return nil
}

// proceed adds an indented line to what it continues; examples keep their lines.
func (e *entry) proceed(to *string, line string) error {
	switch to {
	case nil:
		return fmt.Errorf("the line is indented, and continues nothing")
	case &e.example:
		*to += "\n" + strings.TrimPrefix(line, indent)
	default:
		*to += " " + strings.TrimSpace(line)
	}
	return nil
}
