//go:build unix

package jobspec_test

import (
	"fmt"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/nomadlike/nomadlike/jobspec"
)

// manyGroups is a job file of so many groups.
func manyGroups(count int) []byte {
	var b strings.Builder
	b.WriteString("variable \"image\" {\n  default = \"redis:7\"\n}\n\nlocals {\n  level = \"info\"\n}\n\njob \"many\" {\n  datacenters = [\"dc1\", \"dc2\"]\n")
	for i := range count {
		image, where := `"redis:7"`, `"linux"`
		if i%10 == 0 {
			image, where = "var.image", `"${local.level}"`
		}
		fmt.Fprintf(&b, `
  group "group-%d" {
    count = 2

    constraint {
      attribute = "${attr.kernel.name}"
      value     = %s
    }

    task "server" {
      driver = "docker"

      config {
        image = %s
        args  = ["--port", "8080", "--name", "server-%d"]
      }

      env {
        PORT      = "8080"
        LOG_LEVEL = "debug"
        HOST      = "${attr.unique.hostname}"
      }

      resources {
        cpu    = 500
        memory = 256
      }
    }
  }
`, i, where, image, i)
	}
	b.WriteString("}\n")
	return []byte(b.String())
}

// BenchmarkParse reads a job of 1,000 groups. The ratio is that to what HCL takes
// alone for reading the text and evaluating its expressions, in time of the
// processor, since machines are busy: it is to stay below 2.
func BenchmarkParse(b *testing.B) {
	src := manyGroups(1000)
	each := map[string]float64{}
	measure := func(name string, read func(b *testing.B)) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(src)))
			b.ReportAllocs()
			runtime.GC()
			began := processorTime(b)
			for b.Loop() {
				read(b)
			}
			each[name] = float64(processorTime(b)-began) / float64(b.N)
			b.ReportMetric(each[name], "cpu-ns/op")
			if hcl, job := each["hcl"], each["job"]; hcl > 0 && job > 0 {
				b.ReportMetric(job/hcl, "ratio")
			}
		})
	}
	measure("hcl", func(b *testing.B) { evaluateAll(b, src) })
	measure("job", func(b *testing.B) {
		if _, err := jobspec.Parse("many.hcl", src, jobspec.Options{}); err != nil {
			b.Fatal(err)
		}
	})
}

// processorTime is what the process has used.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// evaluateAll is the least that reading a job file takes.
func evaluateAll(b *testing.B, src []byte) {
	b.Helper()
	file, diags := hclsyntax.ParseConfig(src, "many.hcl", hcl.InitialPos)
	if diags.HasErrors() {
		b.Fatal(diags)
	}
	node := cty.ObjectVal(map[string]cty.Value{"name": cty.StringVal("x"), "hostname": cty.StringVal("x")})
	ctx := &hcl.EvalContext{Variables: map[string]cty.Value{
		"var":   cty.ObjectVal(map[string]cty.Value{"image": cty.StringVal("redis:7")}),
		"local": cty.ObjectVal(map[string]cty.Value{"level": cty.StringVal("info")}),
		"attr":  cty.ObjectVal(map[string]cty.Value{"kernel": node, "unique": node}),
	}}
	evaluate(b, file.Body.(*hclsyntax.Body), ctx)
}

func evaluate(b *testing.B, body *hclsyntax.Body, ctx *hcl.EvalContext) {
	b.Helper()
	for _, a := range body.Attributes {
		if _, diags := a.Expr.Value(ctx); diags.HasErrors() {
			b.Fatal(diags)
		}
	}
	for _, inner := range body.Blocks {
		evaluate(b, inner.Body, ctx)
	}
}
