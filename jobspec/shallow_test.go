package jobspec

import (
	"strings"
	"testing"
)

// TestShallow says which texts are read without a list of their tokens.
func TestShallow(t *testing.T) {
	many := strings.Repeat
	for name, c := range map[string]struct {
		src  string
		want bool
	}{
		"nothing":               {"", true},
		"a job":                 {"job \"j\" {\n  # it is\n  meta { a = \"${b.c} \\\" d\" } // so\n  x = [1, -2]\n}\n", true},
		"many blocks":           {many("a \"b\" {\n  c = \"${d.e}\"\n  f = -1\n}\n", 10_000), true},
		"brackets in text":      {"x = \"" + many("{[(", 1000) + "\"\n", true},
		"brackets in a comment": {"# " + many("{[(", 1000) + "\nx = 1\n", true},
		"a text within a text":  {"x = \"${f(\"a${b}\")}\"\n", true},
		"deep":                  {many("[", 1000) + many("]", 1000), false},
		"many operators":        {"x = 1" + many(" + 1", 1000), false},
		"a heredoc":             {"x = <<A\n}\nA\n", false},
		"a long comment":        {"/* { */", false},
		"a directive":           {"x = \"%{ if a }b%{ endif }\"", false},
		"an escaped reference":  {"x = \"$${a}\"", false},
		"an open text":          {"x = \"", false},
		"a text over lines":     {"x = \"a\nb\"", false},
		"open":                  {"x = [", false},
		"closed too often":      {"}", false},
		"the wrong bracket":     {"x = \"${(}\" + 1", false},
		"a loop over lines":     {"x = {\n for a in b : a => 1" + many("\n+1", 500) + "}", false},
		"a strange escape":      {"x = \"\\${a\"", false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := shallow([]byte(c.src)); got != c.want {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

// FuzzShallow compares the quick look with the long one.
func FuzzShallow(f *testing.F) {
	for _, src := range []string{
		"x = \"${(}\" + [[", "a = \"\\\"$${b} %%{ ${c}\" #\n{[(", "{ for a in b : a => \"${\"x\"}\" }\n", "a {\n b = <<A\n}\nA\n}\n", "/* \" */ {", "'{`\xff\"",
	} {
		f.Add(src, uint16(1), "[")
	}
	f.Fuzz(func(t *testing.T, src string, times uint16, again string) {
		for _, text := range []string{src + strings.Repeat(again, int(times)%3000), strings.Repeat(again, int(times)%3000) + src, strings.Repeat(src, 300)} {
			if len(text) < 1<<20 && shallow([]byte(text)) && deepest("x", []byte(text)) != nil {
				t.Errorf("%.200q is taken for shallow", text)
			}
		}
	})
}
