package reconcile_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/server/state"
	"github.com/nomadlike/nomadlike/nomadlike/walk"
	"github.com/nomadlike/nomadlike/scheduler/reconcile"
)

// filled is a job with something in every field.
func filled() *n.Job {
	job := &n.Job{}
	walk.Fill(job, 0, walk.Make(func(i int) n.Raw { return n.Raw(fmt.Sprintf(`{"a":%d}`, i)) }))
	return job
}

// verdict says what the change of a job does to the allocations of its first group.
func verdict(old, new *n.Job) string {
	switch {
	case state.SameSpec(old, new):
		return "ignore"
	case reconcile.Replaces(old, new, old.TaskGroups[0].Name):
		return "destructive"
	}
	return "in place"
}

// TestEveryFieldIsDecided changes each field of a job, a group and a task, one at a
// time. A field that testdata/changes says nothing of is a failure.
func TestEveryFieldIsDecided(t *testing.T) {
	within := map[string]string{"Job": "", "Group": "TaskGroups.", "Task": "TaskGroups.Tasks."}
	table, used := map[string]string{}, map[string]bool{}
	datadriven.RunTest(t, "testdata/changes", func(t *testing.T, d *datadriven.TestData) string {
		var of string
		d.ScanArgs(t, "of", &of)
		for line := range strings.Lines(d.Input) {
			field, want, _ := strings.Cut(strings.TrimSpace(line), " ")
			table[within[of]+field] = strings.TrimSpace(want)
		}
		return ""
	})
	job := filled()
	for path := range walk.Fields(reflect.TypeFor[n.Job]()) {
		changed := walk.Clone(job)
		if !walk.Alter(changed, path) {
			t.Errorf("%s can not be changed here", path)
			continue
		}
		field := strings.NewReplacer("[]", "", "[string]", "").Replace(path)
		line := longest(table, field)
		used[line] = true
		switch got := verdict(job, changed); {
		case table[line] == "":
			t.Errorf("%s is not decided (it is %s): give it a line in testdata/changes", field, got)
		case got != table[line]:
			t.Errorf("%s is %s, want %s", field, got, table[line])
		}
	}
	for line := range table {
		if !used[line] {
			t.Errorf("testdata/changes: there is no field %s, or all below it have lines", line)
		}
	}
}

// longest returns the line of a table that is closest to a field.
func longest(table map[string]string, field string) string {
	for field != "" && table[field] == "" {
		field = field[:max(strings.LastIndexByte(field, '.'), 0)]
	}
	return field
}

// TestReplaces changes what more than one field makes.
func TestReplaces(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(g *n.Group, t *n.Task)
		want   string
	}{
		{"nothing", func(*n.Group, *n.Task) {}, "ignore"},
		{"a task more", func(g *n.Group, _ *n.Task) { g.Tasks = append(g.Tasks, n.Task{Name: "more"}) }, "destructive"},
		{"a task less", func(g *n.Group, _ *n.Task) { g.Tasks = g.Tasks[:1] }, "destructive"},
		{"tasks in another order", func(g *n.Group, _ *n.Task) { slices.Reverse(g.Tasks) }, "in place"},
		{"a network more", func(g *n.Group, _ *n.Task) { g.Networks = append(g.Networks, n.Network{}) }, "destructive"},
		{"static ports in another order", func(g *n.Group, _ *n.Task) { slices.Reverse(g.Networks[0].ReservedPorts) }, "destructive"},
		{"dynamic ports in another order", func(g *n.Group, _ *n.Task) { slices.Reverse(g.Networks[0].DynamicPorts) }, "destructive"},
		{"ports of the task in another order", func(_ *n.Group, t *n.Task) { slices.Reverse(t.Resources.Networks[0].DynamicPorts) }, "destructive"},
		{"a volume less", func(g *n.Group, _ *n.Task) { g.Volumes = nil }, "destructive"},
		{"secrets in another order", func(_ *n.Group, t *n.Task) { slices.Reverse(t.Secrets) }, "destructive"},
		{"devices in another order", func(_ *n.Group, t *n.Task) { slices.Reverse(t.Resources.Devices) }, "destructive"},
		{"artifacts in another order", func(_ *n.Group, t *n.Task) { slices.Reverse(t.Artifacts) }, "destructive"},
		{"templates in another order", func(_ *n.Group, t *n.Task) { slices.Reverse(t.Templates) }, "destructive"},
		{"identities in another order", func(_ *n.Group, t *n.Task) { slices.Reverse(t.Identities) }, "destructive"},
		{"mounts in another order", func(_ *n.Group, t *n.Task) { slices.Reverse(t.VolumeMounts) }, "destructive"},
		{"services in another order", func(g *n.Group, _ *n.Task) { slices.Reverse(g.Services) }, "in place"},
		{"no Consul any more", func(g *n.Group, _ *n.Task) { g.Consul = nil }, "destructive"},
		{"the task has no Consul any more", func(_ *n.Group, t *n.Task) { t.Consul = nil }, "destructive"},
		{"no restart policy", func(g *n.Group, _ *n.Task) { g.RestartPolicy = nil }, "destructive"},
		{"a service in the mesh less", func(g *n.Group, _ *n.Task) { g.Services = g.Services[:1] }, "in place"},
		{"a service out of the mesh", func(g *n.Group, _ *n.Task) { g.Services[0].Connect = nil }, "in place"},
		{"no sidecar any more", func(g *n.Group, _ *n.Task) { g.Services[0].Connect.SidecarService = nil }, "destructive"},
		{"the port of a service that is out of it", func(g *n.Group, _ *n.Task) {
			g.Services[0].Connect, g.Services[0].PortLabel = nil, "another"
		}, "in place"},
		{"metadata that the task had itself", func(g *n.Group, t *n.Task) {
			g.Meta = map[string]string{}
			for k, v := range t.Meta {
				g.Meta[k] = v
			}
		}, "destructive"}, // what the group had is gone
	} {
		t.Run(c.name, func(t *testing.T) {
			old := filled()
			changed := walk.Clone(old)
			c.change(&changed.TaskGroups[0], &changed.TaskGroups[0].Tasks[0])
			if got := verdict(old, changed); got != c.want {
				t.Errorf("it is %s, want %s", got, c.want)
			}
		})
	}
}

// TestMissingBlocks changes what is not there into what means the same, or not.
func TestMissingBlocks(t *testing.T) {
	for _, c := range []struct {
		name     string
		old, new n.Group
		want     string
	}{
		{"a Consul of the default namespace", n.Group{}, n.Group{Consul: &n.Consul{Cluster: "default"}}, "in place"},
		{"a Consul of another cluster", n.Group{}, n.Group{Consul: &n.Consul{Cluster: "b", Partition: "p"}}, "in place"},
		{"a Consul of another namespace", n.Group{}, n.Group{Consul: &n.Consul{Namespace: "b"}}, "destructive"},
		{"a restart policy", n.Group{}, n.Group{RestartPolicy: &n.Restart{Attempts: 3}}, "in place"},
		{"one that renders templates", n.Group{}, n.Group{RestartPolicy: &n.Restart{RenderTemplates: true}}, "destructive"},
		{"logs", n.Group{Tasks: []n.Task{{}}}, n.Group{Tasks: []n.Task{{LogConfig: &n.LogConfig{MaxFiles: 3}}}}, "in place"},
		{"no logs", n.Group{Tasks: []n.Task{{}}}, n.Group{Tasks: []n.Task{{LogConfig: &n.LogConfig{Disabled: true}}}}, "destructive"},
		{"a service outside of the mesh", n.Group{}, n.Group{Services: []n.Service{{Name: "a", PortLabel: "x"}}}, "in place"},
		{"a service in the mesh", n.Group{}, n.Group{Services: []n.Service{{Name: "a", Connect: &n.Connect{Native: true}}}}, "in place"},
		{
			"a service joins the mesh", n.Group{Services: []n.Service{{Name: "a"}}},
			n.Group{Services: []n.Service{{Name: "a", Connect: &n.Connect{Native: true}}}}, "destructive",
		},
		{
			"metadata moves from the task to the group", n.Group{Tasks: []n.Task{{Meta: map[string]string{"a": "1"}}}},
			n.Group{Meta: map[string]string{"a": "1"}, Tasks: []n.Task{{}}}, "in place",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			old, changed := &n.Job{TaskGroups: []n.Group{c.old}}, &n.Job{TaskGroups: []n.Group{c.new}}
			if got := verdict(old, changed); got != c.want {
				t.Errorf("it is %s, want %s", got, c.want)
			}
		})
	}
}
