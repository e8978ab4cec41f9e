package launch_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/server/launch"
)

// TestLaunch shows what jobs launch. Commands:
//
//	job [changed=2026-01-01T00:00:00Z]   a job as JSON; what follows is about it
//	due now= [last=]                     when it is launched
//	periodic at=                         the child that it launches
//	dispatch [payload=bytes] [meta=(k=v)] [prefix=] [priority=] [token=]
func TestLaunch(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		var job *n.Job
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "job":
				job = &n.Job{
					Type: n.JobTypeBatch, Priority: 50, Status: n.JobRunning, Version: 3, Stable: true, VersionTag: &n.VersionTag{Name: "x"},
					Namespace: n.DefaultNamespace, CreateIndex: 5, ModifyIndex: 6, JobModifyIndex: 6, SubmitTime: moment(t, d, "changed", "2026-01-01T00:00:00Z").UnixNano(),
				}
				if err := json.Unmarshal([]byte(d.Input), job); err != nil {
					t.Fatal(err)
				}
				return fmt.Sprintf("tracked: %v\n", launch.Tracked(job))
			case "due":
				missed, next, ok := launch.Due(job, moment(t, d, "last", "1970-01-01T00:00:00Z"), moment(t, d, "now", ""))
				if !ok {
					return fmt.Sprintf("missed: %v, never\n", missed)
				}
				return fmt.Sprintf("missed: %v, next: %s\n", missed, next.UTC().Format(time.RFC3339))
			case "periodic":
				return show(launch.Periodic(job, moment(t, d, "at", "")))
			case "dispatch":
				return dispatch(t, d, job)
			}
			t.Fatalf("unknown command %q", d.Cmd)
			return ""
		})
	})
}

func moment(t *testing.T, d *datadriven.TestData, name, text string) time.Time {
	t.Helper()
	d.MaybeScanArgs(t, name, &text)
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func dispatch(t *testing.T, d *datadriven.TestData, parent *n.Job) string {
	t.Helper()
	var size int
	var meta []string
	req := launch.Dispatch{}
	d.MaybeScanArgs(t, "payload", &size)
	d.MaybeScanArgs(t, "prefix", &req.Prefix)
	d.MaybeScanArgs(t, "priority", &req.Priority)
	d.MaybeScanArgs(t, "token", &req.Token)
	for _, a := range d.CmdArgs {
		if a.Key == "meta" {
			meta = a.Vals
		}
	}
	for _, m := range meta {
		if req.Meta == nil {
			req.Meta = map[string]string{}
		}
		key, value, _ := strings.Cut(m, ":")
		req.Meta[key] = value
	}
	req.Prefix = strings.ReplaceAll(req.Prefix, "_", " ") // arguments have no spaces
	req.Payload = make([]byte, size)
	if err := req.Check(parent, 100); err != nil {
		return err.Error() + "\n"
	}
	return show(req.Child(parent, req.ID(parent.ID, time.Unix(1700000000, 0), 0xbeef)))
}

// show lists what of a child is not its parent's.
func show(j *n.Job) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, named %s, of %s, priority %d, version %d\n", j.ID, j.Name, j.ParentID, j.Priority, j.Version)
	fmt.Fprintf(&b, "periodic: %v, parameterized: %v, dispatched: %v, tracked: %v\n", j.IsPeriodic(), j.IsParameterized(), j.Dispatched, launch.Tracked(j))
	for _, k := range slices.Sorted(maps.Keys(j.Meta)) {
		fmt.Fprintf(&b, "meta %s = %s\n", k, j.Meta[k])
	}
	if len(j.Payload) > 0 || j.DispatchIdempotencyToken != "" {
		fmt.Fprintf(&b, "payload of %d bytes, token %q\n", len(j.Payload), j.DispatchIdempotencyToken)
	}
	for i := range j.TaskGroups {
		if s := j.TaskGroups[i].Scaling; s != nil {
			fmt.Fprintf(&b, "policy of %s\n", s.Target["Job"])
		}
	}
	if j.Stable || j.VersionTag != nil || j.CreateIndex+j.ModifyIndex+j.JobModifyIndex != 0 || j.SubmitTime != 0 || j.Status != n.JobPending {
		fmt.Fprintf(&b, "it has what is the servers': %+v\n", j)
	}
	return b.String()
}

// TestParentStays changes nothing of the job that is launched.
func TestParentStays(t *testing.T) {
	parent := &n.Job{ID: "p", Meta: map[string]string{"k": "old"}, ParameterizedJob: &n.Parameterized{MetaOptional: []string{"k"}}}
	d := launch.Dispatch{Meta: map[string]string{"k": "new"}}
	if child := d.Child(parent, "p/c"); child.Meta["k"] != "new" || parent.Meta["k"] != "old" || parent.Dispatched {
		t.Errorf("the child has %v, the parent %v", child.Meta, parent)
	}
}
