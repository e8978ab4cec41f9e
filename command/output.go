package command

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig/v3"
)

// paint adds colour, or nothing.
type paint bool

func colours(w IO, g *general) bool {
	switch {
	case g.noColor, w.Env("NOMAD_CLI_NO_COLOR") != "", w.Env("NO_COLOR") != "":
		return false
	case g.forceColor, w.Env("NOMAD_CLI_FORCE_COLOR") != "":
		return true
	}
	return w.Terminal && w.Env("TERM") != "dumb"
}

func (p paint) with(code, s string) string {
	if !p || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (p paint) bold(s string) string   { return p.with("1", s) }
func (p paint) red(s string) string    { return p.with("31", s) }
func (p paint) green(s string) string  { return p.with("32", s) }
func (p paint) yellow(s string) string { return p.with("33", s) }
func (p paint) faint(s string) string  { return p.with("2", s) }

// print writes a result.
func (e *env) print(s string) { fmt.Fprintln(e.Out, s) }

func (e *env) printf(format string, args ...any) { e.print(fmt.Sprintf(format, args...)) }

func (e *env) errorf(format string, args ...any) {
	fmt.Fprintln(e.Err, e.red(fmt.Sprintf(format, args...)))
}

func (e *env) warnf(format string, args ...any) {
	fmt.Fprintln(e.Err, e.yellow(fmt.Sprintf(format, args...)))
}

// section prints an empty line, a heading and what belongs to it.
func (e *env) section(heading string, body fmt.Stringer) {
	e.print("\n" + e.bold(heading) + "\n" + body.String())
}

// A stringer is a text that is one already.
type stringer string

func (s stringer) String() string { return string(s) }

// structured output: JSON, or through a template.
type structured struct {
	json     bool
	template string
}

// asked reports whether the user wants either.
func (s *structured) asked() bool { return s.json || s.template != "" }

// print writes v as the user asked for it.
func (s *structured) print(e *env, v any) error {
	switch {
	case s.json && s.template != "":
		return failf("Both json and template formatting are not allowed")
	case s.json:
		out, err := sortedJSON(v)
		if err != nil {
			return failf("Error formatting as JSON: %v", err)
		}
		e.print(out)
		return nil
	}
	funcs := template.FuncMap{}
	for name, fn := range sprig.TxtFuncMap() {
		funcs["sprig_"+name] = fn
	}
	t, err := template.New("format").Funcs(funcs).Parse(s.template)
	if err != nil {
		return failf("Error in the template: %v", err)
	}
	var b strings.Builder
	if err := t.Execute(&b, v); err != nil {
		return failf("Error in the template: %v", err)
	}
	e.print(b.String())
	return nil
}

// sortedJSON indents by four and sorts keys, so that outputs can be compared.
func sortedJSON(v any) (string, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var generic any
	if err := dec.Decode(&generic); err != nil {
		return "", err
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "    ")
	if err := enc.Encode(generic); err != nil {
		return "", err
	}
	return strings.TrimSuffix(buf.String(), "\n"), nil
}
