package jobspec_test

import (
	"strings"
	"testing"

	"github.com/nomadlike/nomadlike/jobspec"
)

// TestDeep shows that no file is so deep that reading it ends the process, and
// that long ones are not taken for deep ones.
func TestDeep(t *testing.T) {
	const n = 50_000
	many := strings.Repeat
	for name, c := range map[string]struct {
		src  string
		deep bool
	}{
		"brackets":           {"x = " + many("[", n), true},
		"parentheses":        {"x = " + many("(", n), true},
		"objects":            {"x = " + many("{a=", n), true},
		"objects over lines": {"x = " + many("{\na = ", n), true},
		"blocks":             {many("a {\n", n), true},
		"labels":             {many("a \"b\" {", n), true},
		"templates":          {"x = " + many(`"${`, n), true},
		"heredocs":           {"x = " + many("<<A\n${", n), true},
		"directives":         {"x = \"" + many("%{ if true }", n) + "\"", true},
		"loops in text":      {"x = \"" + many("%{ for y in z }", n) + "\"", true},
		"negations":          {"x = " + many("!", n) + "true", true},
		"signs":              {"x = " + many("-", n) + "1", true},
		"sums":               {"x = 1" + many("+1", n), true},
		"sums over lines":    {"x = (1" + many("\n+1", n) + ")", true},
		"sums in a loop":     {"x = {\n for a in b : a => 1" + many("\n+1", n) + "}", true},
		"conditions":         {"x = " + many("true ? 1 : ", n) + "2", true},
		"indexes":            {"x = a" + many("[0]", n), true},
		"names":              {"x = a" + many(".b", n), true},
		"calls":              {"x = " + many("f(", n), true},
		"commented":          {"x = (1" + many(" # one\n+1", n) + ")", true},

		"a list":              {"x = [" + many("1,", n) + "]", false},
		"a list of lists":     {"x = [" + many("[0],", n) + "]", false},
		"a list over lines":   {"x = [" + many("{a = -1},\n", n/2) + "]", false},
		"fields":              {"x {\n" + many("a {\n b = 1 + 1 # two\n}\n", n/10) + "}", false},
		"text":                {"x = \"" + many("a ${-1} ", n/4) + "\"", false},
		"closed conditions":   {"x = \"" + many("%{ if true }y%{ else }z%{ endif }", n/10) + "\"", false},
		"a heredoc":           {"x = <<A\n" + many("{{ range [(${1}) }}\n", n/10) + "A\n", false},
		"too much is closed":  {many("}", 10), false},
		"comments and spaces": {many("# {[(\n\n", n/4), false},
	} {
		t.Run(name, func(t *testing.T) {
			_, diags := jobspec.Syntax("x.hcl", []byte(c.src))
			if deep := strings.Contains(diags.Error(), "nested more than"); deep != c.deep {
				t.Errorf("deep: %v, want %v: %.300v", deep, c.deep, diags)
			}
		})
	}
}

// TestDeepNonsense shows the same of what is no HCL at all.
func TestDeepNonsense(t *testing.T) {
	deep := strings.Repeat("[", 300_000)
	for _, start := range []string{"y = `\nx = ", "y = 'a'\nx = ", "x = @", "x = \xff", "x = \"\n\" + ", "x = \"${(}\" + ", "x = \"\\${\" + "} {
		for _, end := range []string{"", "\"", "\n}\"\n"} {
			if _, diags := jobspec.Syntax("x.hcl", []byte(start+deep+end)); !diags.HasErrors() {
				t.Errorf("no error of %q…%q", start, end)
			}
		}
	}
}

// TestAsDeepAsAllowed evaluates what is just deep enough.
func TestAsDeepAsAllowed(t *testing.T) {
	for name, src := range map[string]string{
		"brackets": strings.Repeat("[", 240) + strings.Repeat("]", 240),
		"sums":     "1" + strings.Repeat("+1", 480),
	} {
		src = "locals {\n x = " + src + "\n}\njob \"j\" {\n group \"g\" {\n task \"t\" {\n driver = \"d\"\n}\n}\n}\n"
		if _, err := jobspec.Parse("x.hcl", []byte(src), jobspec.Options{}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
