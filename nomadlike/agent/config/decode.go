package config

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/agext/levenshtein"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// A Source is what one file or the flags say: checked, and not yet merged.
type Source struct {
	Name     string
	Warnings []string
	settings []setting
}

// Empty reports a source that sets nothing.
func (s *Source) Empty() bool { return len(s.settings) == 0 }

type setting struct {
	path  string
	pos   Pos
	value node
}

// Errors are all that is wrong, a line each.
type Errors []string

func (e Errors) Error() string { return strings.Join(e, "\n") }

// err is nil when nothing is wrong.
func (e Errors) err() error {
	if len(e) == 0 {
		return nil
	}
	return e
}

// Parse reads a file's text, HCL or JSON. The error names every fault in it.
func Parse(name string, src []byte) (*Source, error) {
	root, err := read(name, src)
	if err != nil {
		return nil, Errors{err.Error()}
	}
	d := decoder{source: &Source{Name: name}, schema: theSchema(), last: map[string]int{}}
	d.block(root, "")
	return d.source, d.errs.err()
}

// A schema is the table of keys arranged for decoding.
type schema struct {
	keys   map[string]key // bound to a Config of their own
	blocks map[string]bool
	later  map[string]bool // true: refused whatever the value
	known  []string
}

func theSchema() *schema {
	s := &schema{keys: map[string]key{}, blocks: map[string]bool{}, later: map[string]bool{}}
	add := func(path string) {
		s.known = append(s.known, path)
		for at := strings.LastIndexByte(path, '.'); at >= 0; at = strings.LastIndexByte(path[:at], '.') {
			s.blocks[path[:at]] = true
		}
	}
	for _, k := range keys(new(Config)) {
		s.keys[k.Path] = k
		add(k.Path)
	}
	for _, name := range later {
		path, always := strings.CutSuffix(name, "!")
		s.later[path] = always
		add(path)
	}
	for path := range idle {
		add(path)
	}
	for path := range refused {
		add(path)
	}
	slices.Sort(s.known)
	return s
}

// A decoder walks a tree once and collects settings and faults.
type decoder struct {
	source *Source
	schema *schema
	last   map[string]int // where a path's setting is
	errs   Errors
}

func (d *decoder) fail(pos Pos, format string, args ...any) {
	d.errs = append(d.errs, pos.String()+": "+fmt.Sprintf(format, args...))
}

func (d *decoder) block(b node, path string) {
	for _, f := range b.fields {
		at := f.key
		if path != "" {
			at = path + "." + f.key
		}
		d.field(f, path, at)
	}
}

func (d *decoder) field(f field, parent, path string) {
	always, unavailable := d.schema.later[path]
	k, known := d.schema.keys[path]
	why, harmless := idle[path]
	senseless := refused[path]
	switch {
	case f.value.kind == null && (known || unavailable || harmless || senseless != "" || d.schema.blocks[path]):
		// as if it were not there
	case known:
		d.setting(k, f)
	case senseless != "":
		d.fail(f.pos, "%s", senseless)
	case harmless:
		d.source.Warnings = append(d.source.Warnings, fmt.Sprintf("%s: %s has no effect: %s", f.pos, path, why))
		if path == "server.raft_protocol" && f.value.text != "3" && f.value.text != "0" {
			d.fail(f.pos, "raft_protocol must be 3 in Nomad v1.4 and later, got %s", f.value.text)
		}
	case unavailable && d.schema.blocks[path] && f.value.inert():
	case unavailable:
		if always || !f.value.inert() {
			d.fail(f.pos, "%s is not available yet in this build: remove it", path)
		}
	case d.schema.blocks[path]:
		d.blocks(f.value, path)
	default:
		d.unknown(f, parent, path)
	}
}

// blocks reads a block or, as JSON allows, a list of them.
func (d *decoder) blocks(v node, path string) {
	switch v.kind {
	case object:
		d.block(v, path)
	case list:
		for _, item := range v.items {
			d.blocks(item, path)
		}
	default:
		d.fail(v.pos, "%s is a block, not a %s", path, v.kind)
	}
}

// setting keeps a value that can be read. Repeated in one file, the last counts;
// maps are combined.
func (d *decoder) setting(k key, f field) {
	if err := set(k, f.value); err != nil {
		for _, line := range strings.Split(err.Error(), "\n") {
			d.fail(f.pos, "%s", line)
		}
		return
	}
	s := setting{path: k.Path, pos: f.pos, value: f.value}
	at, again := d.last[k.Path]
	switch {
	case !again:
		d.last[k.Path] = len(d.source.settings)
		d.source.settings = append(d.source.settings, s)
	case combines(k.To):
		d.source.settings = append(d.source.settings, s)
	default:
		d.source.settings[at] = s
	}
}

func combines(to any) bool {
	switch to.(type) {
	case *map[string]string, *map[string]Plugin:
		return true
	}
	return false
}

// unknown says which block does not know the key, innermost first, and what
// may have been meant.
func (d *decoder) unknown(f field, parent, path string) {
	place := ""
	if parent != "" {
		parts := strings.Split(parent, ".")
		slices.Reverse(parts)
		place = strings.Join(parts, ".") + " "
	}
	d.fail(f.pos, "%sunexpected keys %s%s", place, f.key, d.meant(path, f.key))
}

// meant finds the known key that is most like an unknown one: among its
// siblings, or else one of the same name elsewhere.
func (d *decoder) meant(path, name string) string {
	if len(name) > 64 {
		return "" // no slip of the finger
	}
	best, distance := "", 1+max(1, len(name)/3)
	parent := strings.TrimSuffix(path, name)
	for _, known := range d.schema.known {
		rest, sibling := strings.CutPrefix(known, parent)
		if !sibling {
			continue
		}
		rest, _, _ = strings.Cut(rest, ".")
		if n := levenshtein.Distance(name, rest, nil); n < distance {
			best, distance = rest, n
		}
	}
	if best == "" {
		for _, known := range d.schema.known {
			if strings.HasSuffix(known, "."+name) || known == name {
				return fmt.Sprintf(" (did you mean %s?)", known)
			}
		}
		return ""
	}
	return fmt.Sprintf(" (did you mean %s?)", best)
}

// inert reports a value that asks for nothing.
func (v node) inert() bool {
	switch v.kind {
	case text:
		return v.text == ""
	case number:
		f, err := strconv.ParseFloat(v.text, 64)
		return err == nil && f == 0
	case truth:
		return v.text == "false"
	case list:
		return !slices.ContainsFunc(v.items, func(v node) bool { return !v.inert() })
	case object:
		return !slices.ContainsFunc(v.fields, func(f field) bool { return !f.value.inert() })
	}
	return true
}

// size is a number of bytes that may be written with a unit.
type size int

// set reads a value into the field that the key is bound to.
func set(k key, v node) error {
	var err error
	switch to := k.To.(type) {
	case *string:
		*to, err = v.asText(k.Path)
	case *bool:
		*to, err = v.asBool(k.Path)
	case *int:
		*to, err = v.asInt(k.Path)
	case *float64:
		*to, err = v.asFloat(k.Path)
	case *size:
		*to, err = v.asSize(k.Path)
	case *time.Duration:
		*to, err = v.asDuration(k.Path)
	case *[]string:
		*to, err = v.asList(k.Path)
	case *map[string]string:
		*to, err = v.asMap(k.Path)
	case *map[string]Plugin:
		*to, err = v.asPlugins(k.Path)
	default:
		panic(fmt.Sprintf("%s: no way to read a %T", k.Path, k.To))
	}
	return err
}

func (v node) wrong(path, want string) error {
	return fmt.Errorf("%s must be %s, not a %s", path, want, v.kind)
}

func (v node) scalar() bool { return v.kind == text || v.kind == number || v.kind == truth }

func (v node) asText(path string) (string, error) {
	if !v.scalar() {
		return "", v.wrong(path, "text")
	}
	return v.text, nil
}

func (v node) asBool(path string) (bool, error) {
	if v.scalar() {
		if b, err := strconv.ParseBool(v.text); err == nil {
			return b, nil
		}
		return false, fmt.Errorf("%s must be true or false, not %q", path, v.text)
	}
	return false, v.wrong(path, "true or false")
}

func (v node) asInt(path string) (int, error) {
	if v.kind != number && v.kind != text {
		return 0, v.wrong(path, "a whole number")
	}
	if i, err := strconv.ParseInt(v.text, 0, strconv.IntSize); err == nil {
		return int(i), nil
	}
	if f, err := strconv.ParseFloat(v.text, 64); err == nil && f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		return int(f), nil // 1e3
	}
	return 0, fmt.Errorf("%s must be a whole number, not %q", path, v.text)
}

func (v node) asFloat(path string) (float64, error) {
	if v.kind != number && v.kind != text {
		return 0, v.wrong(path, "a number")
	}
	f, err := strconv.ParseFloat(v.text, 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return 0, fmt.Errorf("%s must be a number, not %q", path, v.text)
	}
	return f, nil
}

func (v node) asDuration(path string) (time.Duration, error) {
	if v.kind != number && v.kind != text {
		return 0, v.wrong(path, `a duration such as "10s"`)
	}
	if v.text == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(v.text)
	if err != nil {
		return 0, fmt.Errorf(`%s can't parse time duration %s (write it as "10s", "5m" or "1h30m")`, path, v.text)
	}
	return d, nil
}

// asSize reads 1024, "64k", "1M" or "1MiB"; all units are powers of 1024.
func (v node) asSize(path string) (size, error) {
	if v.kind != number && v.kind != text {
		return 0, v.wrong(path, `a size such as "1M"`)
	}
	digits := strings.TrimRight(v.text, "bBiIkKmMgG ")
	unit := strings.ToLower(strings.TrimSpace(v.text[len(digits):]))
	shift, known := map[string]int{"": 0, "b": 0, "k": 10, "kb": 10, "kib": 10, "m": 20, "mb": 20, "mib": 20, "g": 30, "gb": 30, "gib": 30}[unit]
	i, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || !known || i < 0 || i > math.MaxInt64>>shift {
		return 0, fmt.Errorf(`%s must be a size such as "1M", not %q`, path, v.text)
	}
	return size(i << shift), nil
}

// asList reads a list of texts; a single one stands for a list of one.
func (v node) asList(path string) ([]string, error) {
	if v.scalar() {
		return []string{v.text}, nil
	}
	if v.kind != list {
		return nil, v.wrong(path, "a list of texts")
	}
	out := make([]string, 0, len(v.items))
	for _, item := range v.items {
		if !item.scalar() {
			return nil, item.wrong(path, "a list of texts")
		}
		out = append(out, item.text)
	}
	return out, nil
}

// objects lists the blocks in a value: itself, or the items of a list.
func (v node) objects(path string) ([]node, error) {
	switch v.kind {
	case object:
		return []node{v}, nil
	case list:
		var all []node
		for _, item := range v.items {
			some, err := item.objects(path)
			if err != nil {
				return nil, err
			}
			all = append(all, some...)
		}
		return all, nil
	}
	return nil, v.wrong(path, "a block")
}

func (v node) asMap(path string) (map[string]string, error) {
	objects, err := v.objects(path)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, o := range objects {
		for _, f := range o.fields {
			if !f.value.scalar() {
				return nil, f.value.wrong(path+"."+f.key, "text")
			}
			out[f.key] = f.value.text
		}
	}
	return out, nil
}

func (v node) asPlugins(path string) (map[string]Plugin, error) {
	objects, err := v.objects(path)
	if err != nil {
		return nil, err
	}
	out := map[string]Plugin{}
	for _, o := range objects {
		for _, f := range o.fields {
			bodies, err := f.value.objects(path)
			if err != nil || f.key == "config" || f.key == "args" {
				return nil, fmt.Errorf(`%s needs a label, as in: plugin "docker" { … }`, path)
			}
			p := out[f.key]
			for _, body := range bodies {
				if err := p.read(f.key, body); err != nil {
					return nil, err
				}
			}
			out[f.key] = p
		}
	}
	return out, nil
}

func (p *Plugin) read(name string, body node) error {
	var errs Errors
	for _, f := range body.fields {
		var err error
		switch path := fmt.Sprintf("plugin %q %s", name, f.key); f.key {
		case "args":
			p.Args, err = f.value.asList(path)
		case "config":
			p.Config, err = f.value.asRaw(path)
		default:
			err = fmt.Errorf("plugin %q takes args and config, not %s", name, f.key)
		}
		if err != nil {
			errs = append(errs, err.Error())
		}
	}
	return errs.err()
}

// asRaw keeps a block as it is. A block that is repeated becomes a list.
func (v node) asRaw(path string) (n.Raw, error) {
	objects, err := v.objects(path)
	if err != nil {
		return nil, err
	}
	all := node{kind: object}
	for _, o := range objects {
		all.fields = append(all.fields, o.fields...)
	}
	return n.NewRaw(all.plain())
}

// plain is the value as encoding/json has it.
func (v node) plain() any {
	switch v.kind {
	case text:
		return v.text
	case truth:
		return v.text == "true"
	case number:
		if json.Valid([]byte(v.text)) {
			return json.Number(v.text)
		}
		if i, err := strconv.ParseInt(v.text, 0, 64); err == nil {
			return i // 0x1f, 0644
		}
		return v.text
	case list:
		items := make([]any, 0, len(v.items))
		for _, item := range v.items {
			items = append(items, item.plain())
		}
		return items
	case object:
		m := map[string]any{}
		for _, f := range v.fields {
			value := f.value.plain()
			before, again := m[f.key]
			switch {
			case !again:
				m[f.key] = value
			case f.value.kind == object:
				if l, ok := before.([]any); ok {
					m[f.key] = append(l, value)
				} else {
					m[f.key] = []any{before, value}
				}
			default:
				m[f.key] = value
			}
		}
		return m
	}
	return nil
}
