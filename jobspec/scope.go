package jobspec

import (
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
	p.root = &hcl.EvalContext{Variables: map[string]cty.Value{}, Functions: functions(p.options.Files)}
	vars, diags := declared(body)
	if diags.HasErrors() {
		return diags
	}
	diags = append(diags, p.assign(vars)...)
	values := map[string]cty.Value{}
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		v := vars[name]
		if v.value == cty.NilVal && diags.HasErrors() {
			continue // it may be the one that is wrong
		}
		if v.value == cty.NilVal {
			diags = append(diags, fault(v.at, "Missing value", "variable %q has no default and no value: give one with -var %s=…, a variables file or NOMAD_VAR_%s", name, name, name))
			continue
		}
		values[name] = v.value
	}
	p.root.Variables["var"] = cty.ObjectVal(values)
	if diags.HasErrors() {
		return diags
	}
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		diags = append(diags, p.check(vars[name])...)
	}
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
}

var identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)

func declared(body *hclsyntax.Body) (map[string]*variable, hcl.Diagnostics) {
	vars := map[string]*variable{}
	var diags hcl.Diagnostics
	add := func(v *variable) {
		if old := vars[v.name]; old != nil {
			diags = append(diags, fault(v.at, "Duplicate variable", "variable %q is declared already at line %d", v.name, old.at.Start.Line))
		}
		vars[v.name] = v
	}
	for _, b := range body.Blocks {
		switch b.Type {
		case "variables":
			for _, a := range inOrder(b.Body.Attributes) {
				value, ds := a.Expr.Value(nil)
				diags = append(diags, ds...)
				add(&variable{name: a.Name, at: a.NameRange, kind: value.Type(), value: value})
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
		return nil, hcl.Diagnostics{fault(b.DefRange(), "Wrong labels", "write variable \"<name>\" { … }, the name of letters, digits, _ and -")}
	}
	v := &variable{name: b.Labels[0], at: b.DefRange(), kind: cty.NilType, value: cty.NilVal}
	var diags hcl.Diagnostics
	known := []string{"type", "default", "description", "validation"}
	for _, a := range inOrder(b.Body.Attributes) {
		if !slices.Contains(known[:3], a.Name) {
			diags = append(diags, fault(a.NameRange, "Unsupported argument", "a variable has no %q%s", a.Name, meant(a.Name, known)))
		}
	}
	for _, c := range b.Body.Blocks {
		if c.Type == "validation" {
			v.checks = append(v.checks, c.Body)
		} else {
			diags = append(diags, fault(c.TypeRange, "Unsupported block type", "a variable has no block %q%s", c.Type, meant(c.Type, known)))
		}
	}
	if a := b.Body.Attributes["type"]; a != nil {
		kind, ds := typeexpr.TypeConstraint(a.Expr)
		diags = append(diags, ds...)
		v.kind = kind
	}
	if a := b.Body.Attributes["default"]; a != nil {
		value, ds := a.Expr.Value(nil)
		diags = append(diags, ds...)
		if !ds.HasErrors() {
			diags = append(diags, v.set(value, a.Expr.Range())...)
			if v.kind == cty.NilType {
				v.kind = value.Type()
			}
		}
	}
	v.literal = v.kind == cty.NilType
	return v, diags
}

// set gives a variable a value of its type.
func (v *variable) set(value cty.Value, at hcl.Range) hcl.Diagnostics {
	if v.kind != cty.NilType {
		converted, err := convert.Convert(value, v.kind)
		if err != nil {
			return hcl.Diagnostics{fault(at, "Wrong type", "variable %q: %v", v.name, err)}
		}
		value = converted
	}
	v.value = value
	return nil
}

// parse reads a value given as text outside of any file.
func (v *variable) parse(text, from string) hcl.Diagnostics {
	at := hcl.Range{Filename: from, Start: hcl.InitialPos, End: hcl.InitialPos}
	if v.literal || v.kind == cty.String || v.kind == cty.Number || v.kind == cty.DynamicPseudoType {
		return v.set(cty.StringVal(text), at)
	}
	if diags := tooDeep(from, []byte(text)); diags.HasErrors() {
		return diags
	}
	expr, diags := hclsyntax.ParseExpression([]byte(text), from, hcl.InitialPos)
	if diags.HasErrors() {
		return diags
	}
	value, diags := expr.Value(nil)
	if diags.HasErrors() {
		return diags
	}
	return v.set(value, at)
}

const envPrefix = "NOMAD_VAR_"

// assign gives variables the values of the options, weakest first.
func (p *parser) assign(vars map[string]*variable) (diags hcl.Diagnostics) {
	for _, e := range p.options.Env {
		name, text, _ := strings.Cut(e, "=")
		if v := vars[strings.TrimPrefix(name, envPrefix)]; v != nil && strings.HasPrefix(name, envPrefix) {
			diags = append(diags, v.parse(text, name)...)
		}
	}
	if p.options.VarText != "" {
		diags = append(diags, p.assignFile(vars, "variables", []byte(p.options.VarText))...)
	}
	for _, path := range p.options.VarFiles {
		src, err := os.ReadFile(path)
		if err != nil {
			diags = append(diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Unreadable variables file", Detail: err.Error()})
			continue
		}
		diags = append(diags, p.assignFile(vars, path, src)...)
	}
	for _, e := range p.options.Vars {
		name, text, ok := strings.Cut(e, "=")
		if v := vars[name]; v != nil && ok {
			diags = append(diags, v.parse(text, "-var "+name)...)
		} else if ok {
			diags = append(diags, p.undeclared(name, hcl.Range{Filename: "-var"}, vars)...)
		}
	}
	return diags
}

func (p *parser) assignFile(vars map[string]*variable, name string, src []byte) hcl.Diagnostics {
	file, diags := Syntax(name, src)
	if diags.HasErrors() {
		return diags
	}
	body := file.Body.(*hclsyntax.Body)
	for _, b := range body.Blocks {
		detail := "a variables file holds lines such as name = \"value\" and no blocks"
		if b.Type == "variable" {
			detail = "variables are declared in the job file; here they are given values with name = \"value\""
		}
		diags = append(diags, fault(b.DefRange(), "Unsupported block type", "%s", detail))
	}
	for _, a := range inOrder(body.Attributes) {
		v := vars[a.Name]
		if v == nil {
			diags = append(diags, p.undeclared(a.Name, a.NameRange, vars)...)
			continue
		}
		value, ds := a.Expr.Value(nil)
		diags = append(diags, ds...)
		if !ds.HasErrors() {
			diags = append(diags, v.set(value, a.Expr.Range())...)
		}
	}
	return diags
}

func (p *parser) undeclared(name string, at hcl.Range, vars map[string]*variable) hcl.Diagnostics {
	d := fault(at, "Undeclared variable", "the job file declares no variable %q%s", name, meant(name, slices.Collect(maps.Keys(vars))))
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
			diags = append(diags, fault(c.SrcRange, "Incomplete validation", "variable %q: a validation block holds condition and error_message", v.name))
			continue
		}
		ctx := &hcl.EvalContext{
			Functions: functions(false),
			Variables: map[string]cty.Value{"var": cty.ObjectVal(map[string]cty.Value{v.name: v.value})},
		}
		ok, ds := condition.Expr.Value(ctx)
		text, ds2 := message.Expr.Value(nil)
		if diags = append(append(diags, ds...), ds2...); ds.HasErrors() || ds2.HasErrors() {
			continue
		}
		if ok, err := convert.Convert(ok, cty.Bool); err != nil || ok.IsNull() || !ok.IsKnown() {
			diags = append(diags, fault(condition.Expr.Range(), "Wrong condition", "variable %q: the condition must be true or false", v.name))
		} else if ok.False() {
			diags = append(diags, fault(v.at, "Invalid value", "variable %q: %s", v.name, textOf(text)))
		}
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
			values[name], progress = v, true
			p.root.Variables["local"] = cty.ObjectVal(values)
			delete(open, name)
		}
		if !progress {
			for _, name := range slices.Sorted(maps.Keys(open)) {
				diags = append(diags, fault(open[name].NameRange, "Circular locals", "local.%s needs itself to be known first", name))
			}
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
