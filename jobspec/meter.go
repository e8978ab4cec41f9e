package jobspec

import (
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// maxWork bounds what the expressions of one file may go through: bytes of text,
// and perValue for each value. Without it, a few lines that double each other
// would fill any memory.
const (
	maxWork  = 32 << 20
	perValue = 32
	perNum   = 256 // to be made text, which is slow
)

// spend counts work, and reports whether the file may go on.
func (p *parser) spend(work int) bool {
	p.work += min(work, maxWork)
	return p.work <= maxWork
}

// weigh adds a value's weight, all the way down, and stops where there is too
// much already.
func weigh(v cty.Value, work *int) {
	*work += perValue
	if *work > maxWork {
		return
	}
	v, _ = v.Unmark()
	switch {
	case v == cty.NilVal || v.IsNull() || !v.IsKnown():
	case v.Type() == cty.String:
		*work += len(v.AsString())
	case v.Type() == cty.Number:
		*work += perNum
		if !short(v.AsBigFloat()) {
			*work += maxWork
		}
	case v.CanIterateElements():
		for it := v.ElementIterator(); it.Next() && *work <= maxWork; {
			_, e := it.Element()
			weigh(e, work)
		}
	}
}

func weight(v cty.Value) (w int) {
	weigh(v, &w)
	return w
}

// metered is a part of an expression whose value is copied, compared or converted,
// maybe again and again. Its value counts each time.
type metered struct {
	hclsyntax.Expression
	parser *parser
}

// Value evaluates the expression if the file may still go on.
func (m *metered) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	if m.parser.work > maxWork {
		return cty.DynamicVal, m.parser.tooMuch(m.Range())
	}
	v, diags := m.Expression.Value(ctx)
	work := weight(v)
	if t := v.Type(); t.IsTupleType() || t.IsObjectType() {
		// Converting it to a list or map compares the types of all elements.
		n := v.LengthInt()
		work += n * n / 4
	}
	if !m.parser.spend(work) {
		return cty.DynamicVal, append(diags, m.parser.tooMuch(m.Range())...)
	}
	return v, diags
}

// meter puts meters into an expression.
func (p *parser) meter(e hclsyntax.Expression) {
	wrap := func(list ...*hclsyntax.Expression) {
		for _, e := range list {
			switch (*e).(type) {
			case nil, *metered, *hclsyntax.LiteralValueExpr:
			default:
				*e = &metered{Expression: *e, parser: p}
			}
		}
	}
	var nodes []hclsyntax.Node // all of them first: a wrapped one is not visited
	_ = hclsyntax.VisitAll(e, func(node hclsyntax.Node) hcl.Diagnostics {
		nodes = append(nodes, node)
		return nil
	})
	for _, node := range nodes {
		switch e := node.(type) {
		case *hclsyntax.ForExpr:
			wrap(&e.KeyExpr, &e.ValExpr, &e.CondExpr)
		case *hclsyntax.TemplateExpr:
			for i := range e.Parts {
				wrap(&e.Parts[i])
			}
		case *hclsyntax.FunctionCallExpr:
			if e.Name == "can" || e.Name == "try" || e.Name == "convert" { // they look at the expressions themselves
				break
			}
			for i := range e.Args {
				wrap(&e.Args[i])
			}
		case *hclsyntax.BinaryOpExpr:
			if e.Op == hclsyntax.OpEqual || e.Op == hclsyntax.OpNotEqual {
				wrap(&e.LHS, &e.RHS)
			}
		case *hclsyntax.ConditionalExpr:
			wrap(&e.TrueResult, &e.FalseResult)
		case *hclsyntax.SplatExpr:
			wrap(&e.Source)
		}
	}
}

// limited gives a function a limit for what it may make of its arguments. size
// estimates that, in bytes; the arguments are known and not null.
func (p *parser) limited(f function.Function, size func(args []cty.Value) int) function.Function {
	return function.New(&function.Spec{
		Params: f.Params(), VarParam: f.VarParam(),
		Type: func(args []cty.Value) (cty.Type, error) {
			for _, a := range args {
				if !a.IsWhollyKnown() || a.IsNull() {
					return f.ReturnTypeForValues(args)
				}
			}
			if n := size(args); n > maxWork/4 || n < 0 || !p.spend(n) {
				return cty.DynamicPseudoType, errors.New("the result would be too large for a job file")
			}
			return f.ReturnTypeForValues(args)
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return f.Call(args) },
	})
}

// textLen is the length of an argument's text, 0 if it is none.
func textLen(v cty.Value) int {
	if v.Type() == cty.String {
		return len(v.AsString())
	}
	return 0
}

func count(v cty.Value) int {
	if !v.CanIterateElements() {
		return 1
	}
	return v.LengthInt()
}

// formatted estimates what format makes: the largest number in the format may be
// a width, once for each verb.
func formatted(args []cty.Value) int {
	width, verbs, n := 0, 1, 0
	for _, b := range []byte(args[0].AsString()) {
		switch {
		case b == '%':
			verbs++
			n = 0
		case b >= '0' && b <= '9':
			n = min(n*10+int(b-'0'), maxWork)
			width = max(width, n)
		default:
			n = 0
		}
	}
	size := textLen(args[0]) + width*verbs
	for _, a := range args[1:] {
		if a.Type() == cty.Number { // the width itself may be an argument
			f, _ := a.AsBigFloat().Float64()
			size += int(max(0, min(f, maxWork)))
		}
		size += weight(a) * verbs
	}
	return size
}

func formattedAll(args []cty.Value) int {
	longest := 1
	for _, a := range args[1:] {
		longest = max(longest, count(a))
	}
	return formatted(args) * longest
}

func indented(args []cty.Value) int {
	spaces, _ := args[0].AsBigFloat().Int64()
	text := args[1].AsString()
	return len(text) + int(min(max(spaces, 0), maxWork))*(1+strings.Count(text, "\n"))
}

func joined(args []cty.Value) int {
	size := 0
	for _, list := range args[1:] {
		size += weight(list) + textLen(args[0])*count(list)
	}
	return size
}

func replaced(args []cty.Value) int {
	text, old, with := args[0].AsString(), args[1].AsString(), args[2].AsString()
	return len(text) + (strings.Count(text, old)+1)*len(with)
}

// rewritten takes a match between any two characters, and that each letter of the
// replacement may stand for all of the text.
func rewritten(args []cty.Value) int {
	text, with := textLen(args[0])+1, textLen(args[2])+1
	if strings.Contains(args[2].AsString(), "$") {
		with += text
	}
	return text * with
}

func product(args []cty.Value) int {
	size := perValue
	for _, a := range args {
		size = min(size*count(a), maxWork)
	}
	return size
}

// checked makes a function refuse some arguments.
func checked(f function.Function, check func(args []cty.Value) error) function.Function {
	return function.New(&function.Spec{
		Params: f.Params(), VarParam: f.VarParam(), Type: f.ReturnTypeForValues,
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			if err := check(args); err != nil {
				return cty.NilVal, err
			}
			return f.Call(args)
		},
	})
}

// atMost limits a list whose elements are all compared with each other.
func atMost(n int) func(args []cty.Value) error {
	return func(args []cty.Value) error {
		if have := count(args[0]); have > n {
			return fmt.Errorf("it takes lists of at most %d elements, not %d", n, have)
		}
		return nil
	}
}
