package hclspec

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// Functions returns the functions that a config block may call.
func Functions() map[string]function.Function {
	return map[string]function.Function{
		"abs":        stdlib.AbsoluteFunc,
		"coalesce":   stdlib.CoalesceFunc,
		"concat":     stdlib.ConcatFunc,
		"hasindex":   stdlib.HasIndexFunc,
		"int":        stdlib.IntFunc,
		"jsondecode": stdlib.JSONDecodeFunc,
		"jsonencode": stdlib.JSONEncodeFunc,
		"length":     stdlib.LengthFunc,
		"lower":      stdlib.LowerFunc,
		"max":        stdlib.MaxFunc,
		"min":        stdlib.MinFunc,
		"reverse":    stdlib.ReverseFunc,
		"strlen":     stdlib.StrlenFunc,
		"substr":     stdlib.SubstrFunc,
		"upper":      stdlib.UpperFunc,
	}
}

// EvalContext makes what the expressions of a task's config block may refer to.
// env is the task's final environment, reachable by name and as env["name"];
// node holds flat names such as "node.unique.id", "attr.kernel.name" and
// "meta.rack", of which the latter two are reachable below node, too. A dot in
// a name nests. Where a name is the beginning of another one, the longer is
// reachable and the shorter is not; a name with an empty part is reachable
// through env alone. A name of env hides the same name of node.
func EvalContext(env, node map[string]string) *hcl.EvalContext {
	root := tree{}
	for k, v := range node {
		root.put(k, v)
		if strings.HasPrefix(k, "attr.") || strings.HasPrefix(k, "meta.") {
			root.put("node."+k, v)
		}
	}
	for k, v := range env {
		root.put(k, v)
	}
	vars := make(map[string]cty.Value, len(root)+1)
	for k, v := range root {
		vars[k] = v.value()
	}
	all := cty.MapValEmpty(cty.String)
	if len(env) > 0 {
		m := make(map[string]cty.Value, len(env))
		for k, v := range env {
			m[k] = cty.StringVal(v)
		}
		all = cty.MapVal(m)
	}
	vars["env"] = all
	return &hcl.EvalContext{Variables: vars, Functions: Functions()}
}

// A tree of names; a node with children hides its own text.
type tree map[string]*branch

type branch struct {
	text     string
	children tree
}

func (t tree) put(name, text string) {
	parts := strings.Split(name, ".")
	for _, p := range parts {
		if p == "" {
			return
		}
	}
	for i, p := range parts {
		b := t[p]
		if b == nil {
			b = &branch{}
			t[p] = b
		}
		if i == len(parts)-1 {
			b.text = text
			return
		}
		if b.children == nil {
			b.children = tree{}
		}
		t = b.children
	}
}

func (b *branch) value() cty.Value {
	if b.children == nil {
		return cty.StringVal(b.text)
	}
	m := make(map[string]cty.Value, len(b.children))
	for k, c := range b.children {
		m[k] = c.value()
	}
	return cty.ObjectVal(m)
}
