package jobspec

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// scope evaluates variables and locals.
func (p *parser) scope(body *hclsyntax.Body) hcl.Diagnostics {
	p.root = &hcl.EvalContext{Variables: map[string]cty.Value{}, Functions: p.functions(p.options.Files)}
	vars, diags := declared(body)
	diags = append(diags, p.assign(vars)...)
	values := map[string]cty.Value{}
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		v := vars[name]
		if v.value == cty.NilVal {
			values[name] = cty.DynamicVal // so that the rest can be looked at
			if !v.wrong {
				diags = append(diags, fault(v.at, fmt.Sprintf("variable %q has no value", name), "give it a default, or a value with -var %s=…, a variables file or NOMAD_VAR_%s in the environment", name, name))
			}
			continue
		}
		values[name] = v.value
		diags = append(diags, p.check(v)...)
	}
	p.root.Variables["var"] = cty.ObjectVal(values)
	p.broken = diags.HasErrors()
	return append(diags, p.locals(body)...)
}

// A variable of the file.
type variable struct {
	name    string
	at      hcl.Range
	kind    cty.Type // cty.NilType: whatever is given
	value   cty.Value
	checks  []*hclsyntax.Body
	literal bool // no type and no default: values are text
	wrong   bool // an error says so already
}

var identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)

func declared(body *hclsyntax.Body) (map[string]*variable, hcl.Diagnostics) {
	vars := map[string]*variable{}
	var diags hcl.Diagnostics
	add := func(v *variable) {
		if old := vars[v.name]; old != nil {
			diags = append(diags, fault(v.at, fmt.Sprintf("variable %q is declared twice", v.name), "the first is at line %d", old.at.Start.Line))
		}
		vars[v.name] = v
	}
	for _, b := range body.Blocks {
		switch b.Type {
		case "variables":
			for _, a := range inOrder(b.Body.Attributes) {
				value, ds := a.Expr.Value(nil)
				diags = append(diags, ds...)
				add(&variable{name: a.Name, at: a.NameRange, kind: value.Type(), value: value, wrong: ds.HasErrors()})
			}
		case "variable":
			v, ds := declare(b)
			diags = append(diags, ds...)
			if v != nil {
				add(v)
			}
		}
	}
	return vars, diags
}

func declare(b *hclsyntax.Block) (*variable, hcl.Diagnostics) {
	if len(b.Labels) != 1 || !identifier.MatchString(b.Labels[0]) {
		return nil, hcl.Diagnostics{fault(b.DefRange(), "wrong name of a variable", "write variable \"<name>\" { … }, the name of letters, digits, _ and -")}
	}
	v := &variable{name: b.Labels[0], at: b.DefRange(), kind: cty.NilType, value: cty.NilVal}
	var diags hcl.Diagnostics
	names := []string{"type", "default", "description", "validation"}
	for _, a := range inOrder(b.Body.Attributes) {
		if !slices.Contains(names[:3], a.Name) {
			diags = append(diags, fault(a.NameRange, fmt.Sprintf("unknown argument %q", a.Name), "%s", known(a.Name, slices.Clone(names))))
		}
	}
	for _, c := range b.Body.Blocks {
		if c.Type == "validation" {
			v.checks = append(v.checks, c.Body)
		} else {
			diags = append(diags, fault(c.TypeRange, fmt.Sprintf("unknown block %q", c.Type), "%s", known(c.Type, slices.Clone(names))))
		}
	}
	if a := b.Body.Attributes["type"]; a != nil {
		kind, ds := variableType(a.Expr)
		diags = append(diags, ds...)
		v.kind, v.wrong = kind, ds.HasErrors()
	}
	if a := b.Body.Attributes["default"]; a != nil {
		value, ds := a.Expr.Value(nil)
		diags = append(diags, ds...)
		if v.wrong = v.wrong || ds.HasErrors(); !v.wrong {
			diags = append(diags, v.set(value, a.Expr.Range())...)
			if v.kind == cty.NilType {
				v.kind = value.Type()
			}
		}
	}
	v.literal = v.kind == cty.NilType
	return v, diags
}

// variableType reads a type such as list(string).
func variableType(e hcl.Expression) (cty.Type, hcl.Diagnostics) {
	kind, diags := typeexpr.TypeConstraint(e)
	if !diags.HasErrors() && kind.HasDynamicTypes() {
		diags = append(diags, fault(e.Range(), "wrong type", "any is no type of a variable: leave type out, and the default decides"))
	}
	if diags.HasErrors() {
		return cty.NilType, diags
	}
	return kind, diags
}

// set gives a variable a value of its type.
func (v *variable) set(value cty.Value, at hcl.Range) hcl.Diagnostics {
	if v.kind != cty.NilType {
		converted, err := convert.Convert(value, v.kind)
		if err != nil {
			v.wrong = true
			return hcl.Diagnostics{fault(at, fmt.Sprintf("wrong value for variable %q", v.name), "its type is %s: %v", v.kind.FriendlyName(), err)}
		}
		value = converted
	}
	v.value = value
	return nil
}

// parse reads a value given as text outside of any file.
func (p *parser) parse(v *variable, text, from string) hcl.Diagnostics {
	at := hcl.Range{Filename: from, Start: hcl.InitialPos, End: position([]byte(text), len(text))}
	p.sources[from] = []byte(text)
	p.remember(v, text)
	if v.literal || v.kind == cty.String || v.kind == cty.Number || v.kind == cty.DynamicPseudoType {
		return v.set(cty.StringVal(text), at)
	}
	if d := guard(from, []byte(text)); d != nil {
		return hcl.Diagnostics{d}
	}
	expr, diags := hclsyntax.ParseExpression([]byte(text), from, hcl.InitialPos)
	if !diags.HasErrors() {
		var value cty.Value
		if value, diags = expr.Value(nil); !diags.HasErrors() {
			return v.set(value, at)
		}
	}
	v.wrong = true
	return diags
}

// remember keeps a value for whoever runs the job again.
func (p *parser) remember(v *variable, text string) {
	if p.flags == nil {
		p.flags, p.complex = map[string]string{}, map[string]string{}
	}
	to := p.flags
	if !v.literal && !v.kind.IsPrimitiveType() {
		to = p.complex
	}
	to[v.name] = text
}

// given is the text of a variables file with what files and other text gave.
func (p *parser) given() string {
	lines := p.varTexts
	for _, name := range slices.Sorted(maps.Keys(p.complex)) {
		lines = append(lines, name+" = "+p.complex[name])
	}
	return strings.Join(lines, "\n")
}

const envPrefix = "NOMAD_VAR_"

// assign gives variables the values of the options, weakest first.
func (p *parser) assign(vars map[string]*variable) (diags hcl.Diagnostics) {
	for _, e := range p.options.Env {
		name, text, _ := strings.Cut(e, "=")
		if v := vars[strings.TrimPrefix(name, envPrefix)]; v != nil && strings.HasPrefix(name, envPrefix) {
			diags = append(diags, p.parse(v, text, name)...)
		}
	}
	if p.options.VarText != "" {
		diags = append(diags, p.assignFile(vars, "variables", []byte(p.options.VarText))...)
	}
	for _, path := range p.options.VarFiles {
		src, err := os.ReadFile(path)
		if err != nil {
			diags = append(diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "the variables file can not be read", Detail: err.Error()})
			continue
		}
		diags = append(diags, p.assignFile(vars, path, src)...)
	}
	for _, e := range p.options.Vars {
		name, text, ok := strings.Cut(e, "=")
		if v := vars[name]; v != nil && ok {
			diags = append(diags, p.parse(v, text, "-var "+name)...)
		} else if ok {
			diags = append(diags, p.undeclared(name, hcl.Range{Filename: "-var"}, vars)...)
		}
	}
	return diags
}

func (p *parser) assignFile(vars map[string]*variable, name string, src []byte) hcl.Diagnostics {
	p.sources[name] = src
	p.varTexts = append(p.varTexts, string(src))
	body, diags := p.variablesFile(name, src)
	if diags.HasErrors() {
		return diags
	}
	for _, b := range body.Blocks {
		detail := "a variables file holds lines such as name = \"value\" and no blocks"
		if b.Type == "variable" {
			detail = "variables are declared in the job file; here they are given values with name = \"value\""
		}
		diags = append(diags, fault(b.DefRange(), fmt.Sprintf("a %s block in a variables file", b.Type), "%s", detail))
	}
	for _, a := range inOrder(body.Attributes) {
		v := vars[a.Name]
		if v == nil {
			diags = append(diags, p.undeclared(a.Name, a.NameRange, vars)...)
			continue
		}
		value, ds := a.Expr.Value(nil)
		if diags = append(diags, ds...); ds.HasErrors() {
			v.wrong = true
			continue
		}
		diags = append(diags, v.set(value, a.Expr.Range())...)
	}
	return diags
}

// variablesFile reads a file in HCL or in its JSON form.
func (p *parser) variablesFile(name string, src []byte) (*hclsyntax.Body, hcl.Diagnostics) {
	if text := bytes.TrimSpace(src); len(text) > 0 && text[0] == '{' {
		return p.bodyJSON(name, src, &shape{free: true})
	}
	if d := guard(name, src); d != nil {
		return nil, hcl.Diagnostics{d}
	}
	file, diags := hclsyntax.ParseConfig(src, name, hcl.InitialPos)
	if diags.HasErrors() {
		return nil, diags
	}
	return file.Body.(*hclsyntax.Body), diags
}

func (p *parser) undeclared(name string, at hcl.Range, vars map[string]*variable) hcl.Diagnostics {
	d := fault(at, fmt.Sprintf("unknown variable %q", name), "%s", declaredNames("variable", name, slices.Collect(maps.Keys(vars))))
	if !p.options.Strict {
		d.Severity = hcl.DiagWarning
	}
	return hcl.Diagnostics{d}
}

// check asks a variable's validation rules.
func (p *parser) check(v *variable) (diags hcl.Diagnostics) {
	for _, c := range v.checks {
		condition, message := c.Attributes["condition"], c.Attributes["error_message"]
		if condition == nil || message == nil || len(c.Attributes) != 2 || len(c.Blocks) > 0 {
			diags = append(diags, fault(c.SrcRange, "incomplete validation of variable "+v.name, "a validation block holds condition and error_message"))
			continue
		}
		self := false
		for _, t := range condition.Expr.Variables() {
			attr, ok := hcl.TraverseAttr{}, false
			if len(t) > 1 {
				attr, ok = t[1].(hcl.TraverseAttr)
			}
			if self = ok && t.RootName() == "var" && attr.Name == v.name; !self {
				diags = append(diags, fault(t.SourceRange(), "wrong reference", "the condition can refer to var.%s only", v.name))
				break
			}
		}
		if !self {
			if len(condition.Expr.Variables()) == 0 {
				diags = append(diags, fault(condition.Expr.Range(), "wrong condition", "it must refer to var.%s", v.name))
			}
			continue
		}
		diags = append(diags, p.ask(v, condition.Expr, message.Expr)...)
	}
	return diags
}

// ask evaluates one rule.
func (p *parser) ask(v *variable, condition, message hclsyntax.Expression) hcl.Diagnostics {
	ctx := &hcl.EvalContext{
		Functions: p.functions(false),
		Variables: map[string]cty.Value{"var": cty.ObjectVal(map[string]cty.Value{v.name: v.value})},
	}
	text, diags := message.Value(nil)
	if !diags.HasErrors() && (text.IsNull() || text.Type() != cty.String || strings.TrimSpace(text.AsString()) == "") {
		diags = append(diags, fault(message.Range(), "wrong value for error_message", "it is the sentence that users read when the condition is false"))
	}
	p.meter(condition)
	ok, ds := condition.Value(ctx)
	if diags = append(diags, ds...); diags.HasErrors() {
		return diags
	}
	if ok, err := convert.Convert(ok, cty.Bool); err != nil || ok.IsNull() || !ok.IsKnown() {
		diags = append(diags, fault(condition.Range(), "wrong condition", "it must be true or false"))
	} else if ok.False() {
		diags = append(diags, fault(v.at, fmt.Sprintf("the value of variable %q is not allowed", v.name), "%s", text.AsString()))
	}
	return diags
}

// locals evaluates locals, which may refer to each other in any order.
func (p *parser) locals(body *hclsyntax.Body) (diags hcl.Diagnostics) {
	open := map[string]*hclsyntax.Attribute{}
	for _, b := range body.Blocks {
		if b.Type == "locals" {
			maps.Copy(open, b.Body.Attributes)
		}
	}
	all := slices.Collect(maps.Keys(open))
	values := map[string]cty.Value{}
	p.root.Variables["local"] = cty.EmptyObjectVal
	for len(open) > 0 {
		progress := false
		for _, name := range slices.Sorted(maps.Keys(open)) {
			if waits(open[name].Expr, open, all) {
				continue
			}
			v, ds := p.value(open[name].Expr, p.root)
			diags = append(diags, ds...)
			p.broken = p.broken || ds.HasErrors()
			values[name], progress = v, true
			p.root.Variables["local"] = cty.ObjectVal(values)
			delete(open, name)
		}
		if !progress {
			for _, name := range slices.Sorted(maps.Keys(open)) {
				diags = append(diags, fault(open[name].NameRange, fmt.Sprintf("local.%s refers to itself", name), "it can not be known before it is known, maybe by way of others"))
				values[name] = cty.DynamicVal
			}
			p.root.Variables["local"], p.broken = cty.ObjectVal(values), true
			return diags
		}
	}
	return diags
}

// waits reports an expression that needs a local which is not known yet.
func waits(e hclsyntax.Expression, open map[string]*hclsyntax.Attribute, all []string) bool {
	for _, t := range e.Variables() {
		if t.RootName() != "local" {
			continue
		}
		if len(t) < 2 {
			return len(open) > 1 // all of them
		}
		if a, ok := t[1].(hcl.TraverseAttr); ok && slices.Contains(all, a.Name) && open[a.Name] != nil {
			return true
		}
	}
	return false
}
