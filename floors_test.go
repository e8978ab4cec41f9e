package main_test

import (
	"encoding/json"
	"errors"
	"go/doc"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

const module = "github.com/nomadlike/nomadlike"

// A floor holds packages that may import those of any floor below and, on their
// own floor, nothing but a package's own children. An entry ending in /... stands
// for all packages below it that have no entry of their own.
type floor struct {
	name     string
	packages []string
}

// floors is the house from the ground up. Names after the point are half floors:
// an order within a floor of the plan.
var floors = []floor{
	{"0.0", []string{"nomadlike/errs"}},
	{"0.5", []string{"nomadlike"}}, // the words

	// Mechanisms that never name a job.
	{"1.0", []string{"nomadlike/walk", "nomadlike/wire", "nomadlike/simnet"}},
	{"1.5", []string{"nomadlike/raftlog", "nomadlike/table", "nomadlike/rpc"}},

	// Pure decisions.
	{"2.0", []string{
		"nomadlike/acl", "nomadlike/client/interp", "nomadlike/client/tasklife", "nomadlike/cron",
		"scheduler/feasible", "scheduler/order", "scheduler/reconcile",
		"nomadlike/server/drain", "nomadlike/server/rollout",
	}},
	{"2.1", []string{"scheduler/rank"}},                                                  // asks feasible which devices will do
	{"2.2", []string{"scheduler/fleet", "scheduler/preempt", "nomadlike/server/launch"}}, // ask rank what allocations use, and cron for times
	{"2.3", []string{"jobspec", "jobspec/...", "nomadlike/api"}},
	{"2.4", []string{"jobspec/jobwrite", "jobspec/fields"}}, // write, and describe, what jobspec reads
	{"2.5", []string{"scheduler", "scheduler/..."}},         // joins the four above

	{"2.55", []string{"scheduler/leastcost"}}, // schedulers beside the usual ones

	// The plugin protocol. It imports nothing of the house, so what is remembered of
	// a task may hold the handle that its driver gave.
	{"2.6", []string{"plugins/executor/shim", "plugins/hclspec"}},
	{"2.7", []string{"plugins/base"}},
	{"2.8", []string{"plugins", "plugins/device", "plugins/drivers", "plugins/logrotate"}},

	// What is remembered.
	{"3", []string{"nomadlike/server/state", "nomadlike/client/journal"}},

	// What runs processes for drivers, and the drivers.
	{"4.3", []string{"plugins/drivertest", "plugins/executor"}},
	{"4.4", []string{"plugins/executor/processes"}},
	{"4.5", []string{
		"drivers/docker", "drivers/exec", "drivers/java", "drivers/mock", "drivers/qemu",
		"drivers/rawexec", "drivers/winexec", "drivers/...",
	}},

	// One loop each. There is no entry for the rest of server or client: whether a new
	// package decides, remembers or runs is to be said here.
	{"5.0", []string{
		"nomadlike/server/blocked", "nomadlike/server/broker", "nomadlike/server/consensus", "nomadlike/server/drainer",
		"nomadlike/server/events", "nomadlike/server/gc", "nomadlike/server/gossip",
		"nomadlike/server/heartbeat", "nomadlike/server/periodic", "nomadlike/server/planner",
		"nomadlike/server/rollouts",
		"nomadlike/client/checks", "nomadlike/client/fingerprint", "nomadlike/client/logs",
		"nomadlike/client/network",
	}},
	{"5.2", []string{
		"nomadlike/server/simulate", // hands to the planner, too
		"nomadlike/server/worker",   // takes from the broker, hands to the planner
		"nomadlike/client/hook", "nomadlike/client/hook/...",
	}},
	{"5.3", []string{"scheduler/schedulertest"}}, // tries schedulers on simulated clusters
	{"5.4", []string{"nomadlike/client/task"}},
	{"5.6", []string{"nomadlike/client/alloc"}},

	{"6", []string{"nomadlike/client", "nomadlike/httpapi", "nomadlike/httpapi/...", "nomadlike/server", "ui"}},
	{"7", []string{"nomadlike/agent", "nomadlike/agent/..."}},

	{"8.0", []string{"command", "command/...", "examples/..."}},
	{"8.3", []string{".", "e2e/scale", "e2e/sim"}}, // main.go
	{"8.5", []string{"e2e", "e2e/..."}},
}

// forbidden names imports that no floor excuses, and why.
var forbidden = []struct{ from, to, why string }{
	{"nomadlike/server/...", "nomadlike/client/...", "servers and clients meet in the words and in RPC alone"},
	{"nomadlike/client/...", "nomadlike/server/...", "servers and clients meet in the words and in RPC alone"},
	{"nomadlike/httpapi/...", "nomadlike/server/...", "handlers make calls, they do not reach into the server"},
	{"nomadlike/httpapi/...", "nomadlike/client/...", "handlers make calls, they do not reach into the client"},
	{"plugins/...", "nomadlike/...", "third parties compile against the plugins, and must not get the house with them"},
	{"drivers/...", "nomadlike/...", "drivers are written as a third party would write them"},
}

// A pkg is what go list says about a package.
type pkg struct {
	ImportPath   string
	Dir          string
	Imports      []string
	TestImports  []string
	XTestImports []string
	GoFiles      []string
}

// path is the package's path within the module; the root is ".".
func (p pkg) path() string { return within(p.ImportPath) }

// within returns the path within the module, or "" if it is not of ours.
func within(importPath string) string {
	if importPath == module {
		return "."
	}
	rest, ours := strings.CutPrefix(importPath, module+"/")
	if !ours {
		return ""
	}
	return rest
}

var packages = sync.OnceValues(func() ([]pkg, error) {
	out, err := exec.Command("go", "list", "-e", "-json=ImportPath,Dir,Imports,TestImports,XTestImports,GoFiles", "./...").Output()
	if err != nil {
		return nil, err
	}
	var all []pkg
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
})

func list(t *testing.T) []pkg {
	t.Helper()
	all, err := packages()
	if err != nil || len(all) == 0 {
		t.Fatalf("go list: %d packages, %v", len(all), err)
	}
	return all
}

// level returns the floor of a package, or -1.
func level(path string) int {
	best, at := "", -1
	for i, f := range floors {
		for _, entry := range f.packages {
			if matches(entry, path) && len(entry) > len(best) {
				best, at = entry, i
			}
			if entry == path {
				return i
			}
		}
	}
	return at
}

// matches reports whether path is the entry, or below it if it ends in /...
func matches(entry, path string) bool {
	if prefix, tree := strings.CutSuffix(entry, "/..."); tree {
		return path == prefix || strings.HasPrefix(path, prefix+"/")
	}
	return entry == path
}

// breach says what is wrong with one package importing another, or "".
func breach(from, to string) string {
	a, b := level(from), level(to)
	switch {
	case b < 0:
		return "which has no floor"
	case b > a:
		return "upward, to floor " + floors[b].name
	case b == a && !strings.HasPrefix(to, from+"/"):
		return "sideways on floor " + floors[b].name
	}
	return forbids(from, to)
}

func forbids(from, to string) string {
	for _, f := range forbidden {
		if matches(f.from, from) && matches(f.to, to) {
			return f.why
		}
	}
	return ""
}

func TestImportsPointDown(t *testing.T) {
	for _, p := range list(t) {
		at := level(p.path())
		if at < 0 {
			t.Errorf("%s has no floor: add it to the list, where it belongs", p.path())
			continue
		}
		for _, imp := range p.Imports {
			if to := within(imp); to != "" {
				if why := breach(p.path(), to); why != "" {
					t.Errorf("%s (floor %s) imports %s: %s", p.path(), floors[at].name, to, why)
				}
			}
		}
	}
}

// TestTestsKeepApart holds the tests to the rules that no floor excuses. They may
// import sideways: a mechanism is tried over another.
func TestTestsKeepApart(t *testing.T) {
	for _, p := range list(t) {
		for _, imp := range slices.Concat(p.TestImports, p.XTestImports) {
			if to := within(imp); to != "" && to != p.path() {
				if why := forbids(p.path(), to); why != "" {
					t.Errorf("tests of %s import %s: %s", p.path(), to, why)
				}
			}
		}
	}
}

// TestCleanRoom keeps Nomad's code out. Its API package is the yardstick of the
// end-to-end tests, and is used there alone.
func TestCleanRoom(t *testing.T) {
	const nomad = "github.com/hashicorp/nomad"
	for _, p := range list(t) {
		for _, imp := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
			if imp != nomad && !strings.HasPrefix(imp, nomad+"/") {
				continue
			}
			if api := imp == nomad+"/api" || strings.HasPrefix(imp, nomad+"/api/"); !api || !matches("e2e/...", p.path()) {
				t.Errorf("%s imports %s", p.path(), imp)
			}
		}
	}
}

func TestEveryPackageHasAComment(t *testing.T) {
	for _, p := range list(t) {
		if len(p.GoFiles) == 0 {
			continue // tests alone
		}
		commented := slices.ContainsFunc(p.GoFiles, func(name string) bool {
			f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil, parser.PackageClauseOnly|parser.ParseComments)
			return err == nil && f.Doc != nil && new(doc.Package).Synopsis(f.Doc.Text()) != ""
		})
		if !commented {
			t.Errorf("%s has no package comment: say what it owns and what it does not", p.path())
		}
	}
}

// TestFloorsThemselves checks the list and the rules on cases that must stand.
func TestFloorsThemselves(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range floors {
		for _, entry := range f.packages {
			if seen[entry] {
				t.Errorf("%s is on the list twice", entry)
			}
			seen[entry] = true
		}
	}
	for _, c := range []struct {
		from, to string
		allowed  bool
	}{
		{"nomadlike", "nomadlike/errs", true},
		{"nomadlike/errs", "nomadlike", false},
		{"nomadlike/rpc", "nomadlike/wire", true},
		{"nomadlike/rpc", "nomadlike/table", false},
		{"nomadlike/wire", "nomadlike/rpc", false},
		{"nomadlike/server/state", "nomadlike/table", true},
		{"nomadlike/server/state", "scheduler", true},
		{"scheduler/feasible", "scheduler/rank", false},
		{"scheduler", "scheduler/rank", true},
		{"nomadlike/server/broker", "nomadlike/server/planner", false},
		{"nomadlike/server/broker", "nomadlike/server/state", true},
		{"nomadlike/server", "nomadlike/server/broker", true},
		{"nomadlike/server", "nomadlike/client", false},
		{"nomadlike/server", "nomadlike/client/interp", false},
		{"nomadlike/client/task", "nomadlike/client/hook/template", true},
		{"nomadlike/client/hook/template", "nomadlike/client/hook/artifact", false},
		{"nomadlike/httpapi", "nomadlike/server", false},
		{"nomadlike/httpapi", "nomadlike/server/state", false},
		{"nomadlike/agent", "nomadlike/server", true},
		{"nomadlike/agent", "ui", true},
		{"drivers/docker", "plugins/drivers", true},
		{"drivers/docker", "drivers/exec", false},
		{"plugins/drivers", "drivers/docker", false},
		{"plugins/drivers", "plugins/base", true},
		{"plugins/drivertest", "plugins/drivers", true},
		{"plugins/drivers", "nomadlike", false},
		{"nomadlike/server/worker", "nomadlike/server/broker", true},
		{"nomadlike/server/broker", "nomadlike/server/worker", false},
		{"command/job", "nomadlike/api", true},
		{"command", "command/job", true},
		{"command/job", "command/node", false},
		{".", "command", true},
		{"nomadlike/agent", "nowhere", false},
		{"nomadlike/server", "nomadlike/server/unheardof", false},
	} {
		if why := breach(c.from, c.to); (why == "") != c.allowed {
			t.Errorf("%s importing %s: %q", c.from, c.to, why)
		}
	}
}
