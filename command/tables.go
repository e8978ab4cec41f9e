package command

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/nomadlike/nomadlike/command/text"
	n "github.com/nomadlike/nomadlike/nomadlike"
)

// str is a whole number as text.
func str[T int | int64 | uint64](v T) string { return fmt.Sprint(v) }

// jobTable is the list of jobs.
func jobTable(jobs []*n.JobStub, namespaces bool) *text.Table {
	columns := []string{"ID", "Type", "Priority", "Status", "Submit Date"}
	if namespaces {
		columns = slices.Insert(columns, 1, "Namespace")
	}
	t := text.NewTable(columns...)
	for _, j := range jobs {
		row := []string{string(j.ID), jobType(j), str(j.Priority), jobStatusText(j.Status, j.Stop), text.Unix(j.SubmitTime)}
		if namespaces {
			row = slices.Insert(row, 1, j.Namespace)
		}
		t.Row(row...)
	}
	return t
}

func jobType(j *n.JobStub) string {
	switch {
	case j.Periodic:
		return j.Type + "/periodic"
	case j.ParameterizedJob:
		return j.Type + "/parameterized"
	}
	return j.Type
}

func jobStatusText(s n.JobStatus, stopped bool) string {
	if stopped {
		return string(s) + " (stopped)"
	}
	return string(s)
}

// allocTable is the list of allocations.
func (e *env) allocTable(allocs []*n.AllocStub, verbose bool) *text.Table {
	if verbose {
		t := text.NewTable("ID", "Eval ID", "Node ID", "Node Name", "Task Group", "Version", "Desired", "Status", "Created", "Modified")
		for _, a := range allocs {
			t.Row(string(a.ID), string(a.EvalID), string(a.NodeID), a.NodeName, a.TaskGroup, str(a.JobVersion),
				string(a.DesiredStatus), string(a.ClientStatus), text.Unix(a.CreateTime), text.Unix(a.ModifyTime))
		}
		return t
	}
	return e.allocColumns(allocs, false)
}

// allocColumns is the short list of allocations.
func (e *env) allocColumns(allocs []*n.AllocStub, fullIDs bool) *text.Table {
	t := text.NewTable("ID", "Node ID", "Task Group", "Version", "Desired", "Status", "Created", "Modified")
	for _, a := range allocs {
		t.Row(id(a.ID, fullIDs), id(a.NodeID, fullIDs), a.TaskGroup, str(a.JobVersion), string(a.DesiredStatus), string(a.ClientStatus),
			e.ago(a.CreateTime), e.ago(a.ModifyTime))
	}
	return t
}

// ago is how long ago an instant in Unix nanoseconds was.
func (e *env) ago(ns int64) string {
	if ns == 0 {
		return ""
	}
	return text.Ago(time.Unix(0, ns), e.Now())
}

// evalTable is the list of evaluations.
func evalTable(evals []*n.Evaluation, verbose bool) *text.Table {
	t := text.NewTable("ID", "Priority", "Triggered By", "Job ID", "Namespace", "Node ID", "Status", "Placement Failures")
	for _, ev := range evals {
		t.Row(id(ev.ID, verbose), str(ev.Priority), ev.TriggeredBy, string(ev.JobID), ev.Namespace, id(ev.NodeID, verbose),
			string(ev.Status), evalFailures(ev))
	}
	return t
}

// evalFailures says whether an evaluation could not place something.
func evalFailures(ev *n.Evaluation) string {
	if ev.Status == n.EvalBlocked {
		return "N/A - In Progress"
	}
	return strconv.FormatBool(len(ev.FailedTGAllocs) > 0)
}

func deploymentTable(list []*n.Deployment, verbose bool) *text.Table {
	t := text.NewTable("ID", "Job ID", "Job Version", "Status", "Description")
	for _, d := range list {
		t.Row(id(d.ID, verbose), string(d.JobID), str(d.JobVersion), string(d.Status), d.StatusDescription)
	}
	return t
}

// nodeMatches is the list of nodes that a prefix may mean.
func nodeMatches(list []*n.NodeStub) *text.Table {
	t := text.NewTable("ID", "DC", "Name", "Class", "Drain", "Eligibility", "Status")
	for _, nd := range list {
		t.Row(n.Short(nd.ID), nd.Datacenter, nd.Name, nd.NodeClass, strconv.FormatBool(nd.Drain), nd.SchedulingEligibility, string(nd.Status))
	}
	return t
}

// sortAllocs puts the newest first.
func sortAllocs(list []*n.AllocStub) {
	slices.SortStableFunc(list, func(a, b *n.AllocStub) int { return -compare(a.CreateIndex, b.CreateIndex) })
}

func compare(a, b uint64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
