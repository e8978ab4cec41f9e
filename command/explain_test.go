package command

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/posener/complete"

	"github.com/nomadlike/nomadlike/jobspec/fields"
)

// run runs a command line on a terminal of some width without an agent in reach.
func run(width int, args ...string) (code int, out, err string) {
	var stdout, stderr bytes.Buffer
	code = Run(context.Background(), args, IO{
		In: strings.NewReader(""), Out: &stdout, Err: &stderr, Env: func(string) string { return "" }, Now: time.Now, Width: width,
	})
	return code, stdout.String(), stderr.String()
}

// TestExplain shows explanations of fields. Commands:
//
//	validate [width=<n>]   the input is what follows "job validate"
func TestExplain(t *testing.T) {
	datadriven.RunTest(t, "testdata/explain", func(t *testing.T, d *datadriven.TestData) string {
		width := 80
		d.MaybeScanArgs(t, "width", &width)
		code, out, err := run(width, append([]string{"job", "validate"}, strings.Fields(d.Input)...)...)
		if code != 0 {
			err += fmt.Sprintf("exit code %d\n", code)
		}
		return out + err
	})
}

// TestExplainEverything explains each field by its path, in few enough columns.
func TestExplainEverything(t *testing.T) {
	blocks, err := fields.Blocks()
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range blocks {
		for _, f := range b.Fields {
			for _, width := range []int{0, 80, 120} {
				code, out, err := run(width, "job", "validate", "-explain", f.Paths[0])
				if code != 0 || err != "" || !strings.Contains(out, f.Paths[0]) {
					t.Fatalf("%s: exit code %d\n%s%s", f.Paths[0], code, out, err)
				}
			}
		}
	}
}

func TestJobSchema(t *testing.T) {
	code, out, errs := run(80, "job", "schema")
	want, err := fields.Schema()
	if err != nil {
		t.Fatal(err)
	}
	if code != 0 || errs != "" || out != string(want) || !json.Valid([]byte(out)) {
		t.Errorf("exit code %d, %d bytes\n%s", code, len(out), errs)
	}
}

func TestFieldNames(t *testing.T) {
	for last, want := range map[string]string{"restart.m": "restart.mode", "cou": "count", "job.group.co": "job.group.count"} {
		if names := fieldNames(complete.Args{Last: last}); !slices.Contains(names, want) {
			t.Errorf("%q completes to %v", last, names)
		}
	}
}
