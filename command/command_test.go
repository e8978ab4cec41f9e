package command_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/nomadlike/nomadlike/command"
)

// TestCommands shows what commands print that need no agent, each file of testdata/cli
// in a directory of its own. What goes to stderr is marked with "! ". Commands:
//
//	file name= [mode=]         writes a file; \r in it is a carriage return
//	cat name=                  shows it
//	cli [stdin]                a command line after "nomadlike"; with stdin the lines below it are its input
func TestCommands(t *testing.T) {
	datadriven.Walk(t, "testdata/cli", func(t *testing.T, path string) {
		path, err := filepath.Abs(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Chdir(t.TempDir())
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			var name string
			d.MaybeScanArgs(t, "name", &name)
			switch d.Cmd {
			case "file":
				put(t, name, strings.ReplaceAll(d.Input+"\n", `\r`, "\r"), 0o644)
				return ""
			case "cat":
				b, err := os.ReadFile(name)
				if err != nil {
					return err.Error() + "\n"
				}
				return strings.ReplaceAll(string(b), "\r", `\r`)
			case "cli":
				line, in, _ := strings.Cut(d.Input, "\n")
				return run(t, in, strings.Fields(line)...)
			}
			t.Fatalf("unknown command %q", d.Cmd)
			return ""
		})
	})
}

func put(t *testing.T, name, content string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
}

// run runs a command line and returns both its streams and how it ended.
func run(t *testing.T, in string, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	code := command.Run(t.Context(), args, command.IO{
		In: strings.NewReader(in), Out: &out, Err: &errs, Env: func(string) string { return "" }, Now: time.Now, Width: 80,
	})
	all := out.String()
	for line := range strings.Lines(errs.String()) {
		all += "! " + strings.TrimRight(line, "\n") + "\n"
	}
	if code != 0 {
		all += fmt.Sprintf("exit code %d\n", code)
	}
	return all
}
