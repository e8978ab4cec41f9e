package jobspec_test

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/nomadlike/nomadlike/jobspec"
)

// hostile are files that are made to cost much.
func hostile() map[string]string {
	times := strings.Repeat
	in := func(e string) string { return "job \"j\" {\n  name = " + e + "\n}\n" }
	doubled := func(first, next string, n int) string {
		b := "locals {\n a0 = " + first + "\n"
		for i := range n {
			name := "local.a" + times("0", i+1)
			b += " a" + times("0", i+2) + " = " + strings.ReplaceAll(next, "X", name) + "\n"
		}
		return b + "}\n" + in("jsonencode(local.a"+times("0", n+1)+")")
	}
	return map[string]string{
		"10 MB of text":           in(`"` + times("x", 10<<20) + `"`),
		"4 MB of text":            in(`"` + times("x", 4<<20-100) + `"`),
		"10 MB of blocks":         times("a {}\n", 2<<20),
		"4 MB of blocks":          times("a {}\n", 800_000),
		"many blocks":             times("a {}\n", 95_000),
		"many numbers":            in("[" + times("1,", 190_000) + "1]"),
		"deep lists":              in(times("[", 1<<20)),
		"deep calls":              in(times("upper(", 1<<19)),
		"deep blocks":             times("a {\n", 1<<19),
		"deep templates":          in(times(`"${`, 1<<19)),
		"many negations":          in(times("!", 1<<20) + "true"),
		"many minus":              in(times("-", 1<<20) + "1"),
		"a long sum":              in(times("1+", 190_000) + "1"),
		"sums in brackets":        in("(" + times("1+\n", 100_000) + "1)"),
		"many conditions":         in(times("true ? 1 : ", 90_000) + "1"),
		"a long index":            in("a" + times("[0]", 100_000)),
		"text doubled":            doubled(`"xxxxxxxxxxxxxxxx"`, `"${X}${X}"`, 60),
		"lists doubled":           doubled(`["x"]`, `[X, X]`, 60),
		"lists joined":            doubled(`["x"]`, `concat(X, X)`, 60),
		"maps doubled":            doubled(`{ a = "x" }`, `{ a = X, b = X }`, 60),
		"loops in loops":          in(`join("", [for a in range(1000) : join("", [for b in range(1000) : join("", [for c in range(1000) : "x"])])])`),
		"loops in conditions":     in(`length([for a in range(1000) : a if length([for b in range(1000) : b if length([for c in range(1000) : c]) > 0]) > 0])`),
		"template loops":          in(`"%{ for a in range(1000) }%{ for b in range(1000) }%{ for c in range(1000) }x%{ endfor }%{ endfor }%{ endfor }"`),
		"a wide format":           in(`format("%2000000000d", 1)`),
		"a width as argument":     in(`format("%*d", 2000000000, 1)`),
		"a product":               in(`length(setproduct(range(1000), range(1000), range(1000)))`),
		"an indent":               in(`indent(2000000000, "a\nb")`),
		"replaced":                in(`replace(join("", [for a in range(1000) : join("", range(1000))]), "1", join("", [for a in range(1000) : join("", range(1000))]))`),
		"many the same":           in(`length(distinct([for a in range(1000) : [for b in range(100) : "${a}-${b}"]]...))`),
		"distinct":                in(`length(distinct(flatten([for a in range(300) : [for b in range(300) : "${a}-${b}"]])))`),
		"a strong hash":           in(`bcrypt("x", 31)`),
		"dynamic blocks":          "job \"j\" {\n dynamic \"group\" {\n for_each = range(1000)\n labels = [group.value]\n content {\n dynamic \"task\" {\n for_each = range(1000)\n labels = [task.value]\n content {}\n}\n}\n}\n}\n",
		"a large number":          "job \"j\" {\n task \"t\" {\n config {\n x = 1e10000000\n}\n}\n}\n",
		"a huge number":           in("1e1000000000"),
		"a huge number as text":   in(`"${1e1000000000}"`),
		"a huge text as number":   "job \"j\" {\n priority = \"1e1000000000\"\n}\n",
		"a power":                 in(`"${pow(10, 1000000000)}"`),
		"a power alone":           in(`pow(10, 1000000000)`),
		"a power of products":     in(`format("%d", jsondecode("1e1000000000"))`),
		"many digits":             in("1" + times("0", 2<<20)),
		"a huge number in JSON":   `{"job": {"j": {"name": -1e-1000000000}}}`,
		"large numbers":           in("[" + times("1e10000000,", 1000) + "1]"),
		"many references":         in(`"` + times("${a.b}", 60_000) + `"`),
		"a long heredoc":          in("<<X\n" + times("x\n", 300_000) + "X"),
		"a long indented heredoc": in("<<-X\n" + times(" x\n", 300_000) + "X"),
		"deep JSON":               `{"job": ` + times("[", 1<<20),
		"deep objects":            `{"job": ` + times(`{"a":`, 1<<19),
		"10 MB of JSON":           `{"job": {"j": {"name": "` + times("x", 10<<20) + `"}}}`,
		"JSON lists":              `{"job": {"j": {"datacenters": [` + times("1,", 190_000) + `1]}}}`,
		"JSON templates":          `{"job": {"j": {"name": "` + times("${", 190_000) + `"}}}`,
	}
}

// TestHostile reads files that are made to cost much: each is refused or read in
// about a second and 200 MB.
func TestHostile(t *testing.T) {
	for name, src := range hostile() {
		t.Run(name, func(t *testing.T) {
			runtime.GC()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			began := time.Now()
			_, err := jobspec.Parse("x.hcl", []byte(src), jobspec.Options{})
			took := time.Since(began)
			runtime.ReadMemStats(&after)
			grown := (after.HeapSys - min(before.HeapSys, after.HeapSys) + after.StackSys - min(before.StackSys, after.StackSys)) >> 20
			text := "read"
			if err != nil {
				text, _, _ = strings.Cut(err.Error(), "\n")
			}
			t.Logf("%.120s; %v, %d MB in all, memory grew by %d MB", text, took.Round(time.Millisecond), (after.TotalAlloc-before.TotalAlloc)>>20, grown)
			if took > 2*time.Minute { // a hang; on a busy machine, with the race detector, a second may be a quarter of that
				t.Errorf("took %v", took)
			}
			if grown > 400 {
				t.Errorf("memory grew by %d MB", grown)
			}
		})
	}
}
