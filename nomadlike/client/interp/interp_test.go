package interp_test

import (
	"strings"
	"testing"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/client/interp"
)

// input is what the tests change.
func input() interp.Input {
	return interp.Input{
		Region: "global",
		Node: &n.Node{
			ID: "node-1", Name: "host", Datacenter: "dc1", NodeClass: "big", NodePool: "default", CgroupParent: "nomad.slice",
			Attributes: map[string]string{"kernel.name": "linux", "unique.network.ip-address": "10.0.0.1"},
			Meta:       map[string]string{"rack": "r1", "my-key": "dash"},
		},
		Job:   &n.Job{ID: "job-id", Name: "job name", Meta: map[string]string{"tier": "job", "owner": "job"}},
		Group: &n.Group{Name: "g", Meta: map[string]string{"tier": "group"}},
		Task:  &n.Task{Name: "web", Meta: map[string]string{"foo-bar": "task"}},
		Alloc: &n.Allocation{
			ID: "11111111-2222-4333-8444-555555555555", Name: "job-id.g[3]", Namespace: "prod",
			AllocatedResources: &n.AllocatedResources{
				Tasks: map[string]*n.AllocatedTask{"web": {
					Cpu: n.AllocatedCPU{CpuShares: 500, ReservedCores: []uint16{7, 1, 0, 2}}, Memory: n.AllocatedMemory{MemoryMB: 256, MemoryMaxMB: 512},
				}},
				Shared: n.AllocatedShared{Ports: []n.AllocatedPort{
					{Label: "http", Value: 23456, To: 8080, HostIP: "10.0.0.1"}, {Label: "my-port", Value: 23457, HostIP: "10.0.0.1"},
					{Label: "six", Value: 23458, To: -1, HostIP: "fe80::1"},
				}},
			},
		},
		Dirs: interp.ContainerDirs,
	}
}

// TestVars builds environments; "-" stands for a variable that is not there.
func TestVars(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*interp.Input)
		want   map[string]string
	}{
		{"itself", nil, map[string]string{
			"NOMAD_ALLOC_DIR": "/alloc", "NOMAD_TASK_DIR": "/local", "NOMAD_SECRETS_DIR": "/secrets",
			"NOMAD_ALLOC_ID": "11111111-2222-4333-8444-555555555555", "NOMAD_SHORT_ALLOC_ID": "11111111",
			"NOMAD_ALLOC_NAME": "job-id.g[3]", "NOMAD_ALLOC_INDEX": "3", "NOMAD_TASK_NAME": "web", "NOMAD_GROUP_NAME": "g",
			"NOMAD_JOB_ID": "job-id", "NOMAD_JOB_NAME": "job name", "NOMAD_JOB_PARENT_ID": "-",
			"NOMAD_NAMESPACE": "prod", "NOMAD_REGION": "global", "NOMAD_DC": "dc1", "NOMAD_PARENT_CGROUP": "nomad.slice",
			"NOMAD_CPU_LIMIT": "500", "NOMAD_CPU_CORES": "0-2,7", "NOMAD_MEMORY_LIMIT": "256", "NOMAD_MEMORY_MAX_LIMIT": "512",
		}},
		{"a child of a job", func(in *interp.Input) { in.Job.ParentID = "parent" }, map[string]string{"NOMAD_JOB_PARENT_ID": "parent"}},
		{"no cores, no oversubscription", func(in *interp.Input) {
			r := in.Alloc.AllocatedResources.Tasks["web"]
			r.Cpu.ReservedCores, r.Memory.MemoryMaxMB = nil, 0
		}, map[string]string{"NOMAD_CPU_CORES": " ", "NOMAD_MEMORY_MAX_LIMIT": "-"}},
		{"a mapped port", nil, map[string]string{
			"NOMAD_IP_http": "10.0.0.1", "NOMAD_HOST_IP_http": "10.0.0.1", "NOMAD_PORT_http": "8080", "NOMAD_ALLOC_PORT_http": "8080",
			"NOMAD_HOST_PORT_http": "23456", "NOMAD_ADDR_http": "10.0.0.1:23456", "NOMAD_HOST_ADDR_http": "10.0.0.1:23456",
		}},
		{"a port with a dash", nil, map[string]string{
			"NOMAD_PORT_my_port": "23457", "NOMAD_IP_my_port": "10.0.0.1", "NOMAD_HOST_PORT_my_port": "23457", "NOMAD_PORT_my-port": "-",
			"NOMAD_ALLOC_PORT_my-port": "23457", "NOMAD_HOST_IP_my-port": "10.0.0.1", "NOMAD_HOST_ADDR_my-port": "10.0.0.1:23457",
		}},
		{"IPv6", nil, map[string]string{"NOMAD_ADDR_six": "[fe80::1]:23458", "NOMAD_PORT_six": "23458", "NOMAD_IP_six": "fe80::1"}},
		{"networks of tasks", func(in *interp.Input) {
			in.Alloc.AllocatedResources.Tasks["db"] = &n.AllocatedTask{Networks: []n.Network{
				{IP: "10.0.0.9", ReservedPorts: []n.Port{{Label: "sql", Value: 5432}}},
			}}
			in.Alloc.AllocatedResources.Tasks["web"].Networks = []n.Network{{IP: "10.0.0.8", DynamicPorts: []n.Port{{Label: "own", Value: 80}}}}
		}, map[string]string{
			"NOMAD_ADDR_db_sql": "10.0.0.9:5432", "NOMAD_PORT_db_sql": "5432", "NOMAD_IP_db_sql": "10.0.0.9", "NOMAD_PORT_sql": "-",
			"NOMAD_PORT_own": "80", "NOMAD_HOST_PORT_own": "80", "NOMAD_ADDR_web_own": "10.0.0.8:80",
		}},
		{"meta: the nearer wins, and both spellings", nil, map[string]string{
			"NOMAD_META_tier": "group", "NOMAD_META_TIER": "group", "NOMAD_META_owner": "job", "NOMAD_META_OWNER": "job",
			"NOMAD_META_foo_bar": "task", "NOMAD_META_FOO_BAR": "task", "NOMAD_META_foo-bar": "-",
		}},
		{"meta keeps dots", func(in *interp.Input) { in.Job.Meta["a.b"] = "x" }, map[string]string{"NOMAD_META_a.b": "x", "NOMAD_META_A.B": "x"}},
		{"optional meta of a dispatch", func(in *interp.Input) {
			in.Job.ParameterizedJob = &n.Parameterized{MetaOptional: []string{"opt", "tier"}}
		}, map[string]string{"NOMAD_META_opt": "", "NOMAD_META_OPT": "", "NOMAD_META_tier": "group"}},
		{"meta is interpolated", func(in *interp.Input) {
			in.Task.Meta = map[string]string{"where": "${node.datacenter}/${meta.rack}", "${node.class}": "x"}
		}, map[string]string{"NOMAD_META_where": "dc1/r1", "NOMAD_META_big": "x"}},
		{"env is interpolated", func(in *interp.Input) {
			in.Task.Env = map[string]string{
				"A": "${attr.kernel.name}-${node.unique.id}-${node.unique.name}-${node.pool}-${node.region}", "B": "${meta.my-key}", "C": "${NOMAD_ALLOC_INDEX}",
				"D": "${attr.none} ${nonsense} $HOME ${} ${A", "E": "${NOMAD_META_tier}", "F": "http://${NOMAD_ADDR_http}/",
				"G": "${NOMAD_PORT_my-port} ${NOMAD_PORT_my_port}", "NAME_${node.class}": "yes",
			}
		}, map[string]string{
			"A": "linux-node-1-host-default-global", "B": "dash", "C": "3", "D": "${attr.none} ${nonsense} $HOME ${} ${A", "E": "group",
			"F": "http://10.0.0.1:23456/", "G": "23457 ${NOMAD_PORT_my_port}", "NAME_big": "yes",
		}},
		{"variables of env do not see each other", func(in *interp.Input) {
			in.Task.Env = map[string]string{"A": "${B}", "B": "b"}
		}, map[string]string{"A": "${B}", "B": "b"}},
		{"the host's come before the task's and after ours", func(in *interp.Input) {
			in.HostEnv = map[string]string{"PATH": "/host", "LANG": "C", "NOMAD_REGION": "elsewhere", "NOMAD_META_tier": "host"}
			in.Task.Env = map[string]string{"PATH": "/mine:${PATH}", "NOMAD_TASK_NAME": "I say so"}
		}, map[string]string{
			"PATH": "/mine:/host", "LANG": "C", "NOMAD_REGION": "global", "NOMAD_META_tier": "group", "NOMAD_TASK_NAME": "I say so",
		}},
		{"nothing granted", func(in *interp.Input) { in.Alloc.AllocatedResources = nil }, map[string]string{"NOMAD_CPU_LIMIT": "-", "NOMAD_TASK_NAME": "web"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := input()
			if c.change != nil {
				c.change(&in)
			}
			vars := interp.Build(in).Vars()
			for name, want := range c.want {
				have, is := vars[name]
				if !is {
					have = "-"
				}
				if have != want {
					t.Errorf("%s is %q, want %q", name, have, want)
				}
			}
		})
	}
}

// TestReplace replaces what is known in fields other than the environment.
func TestReplace(t *testing.T) {
	in := input()
	in.Task.Env = map[string]string{"OWN": "mine"}
	env := interp.Build(in)
	env.Set(map[string]string{"HOOK": "hooked", "NOMAD_REGION": "from a hook"})
	for text, want := range map[string]string{
		"":                                  "",
		"plain $5 {x}":                      "plain $5 {x}",
		"${OWN}-${HOOK}":                    "mine-hooked",
		"${NOMAD_REGION}":                   "from a hook",
		"${NOMAD_PORT_my_port}":             "23457",
		"${NOMAD_PORT_my-port}":             "23457",
		"${attr.kernel.name}":               "linux",
		"${node.unique.id}${none.x}":        "node-1${none.x}",
		"${attr.unique.network.ip-address}": "10.0.0.1",
	} {
		if have := env.Replace(text); have != want {
			t.Errorf("%q: %q, want %q", text, have, want)
		}
	}
	if vars := env.Vars(); vars["HOOK"] != "hooked" {
		t.Error(vars)
	}
	env.Vars()["OWN"] = "changed"
	if env.Vars()["OWN"] != "mine" {
		t.Error("what was handed out is not a copy")
	}
}

// TestInherited keeps the agent's secrets from tasks.
func TestInherited(t *testing.T) {
	for _, name := range strings.Fields(`CONSUL_TOKEN CONSUL_HTTP_TOKEN CONSUL_HTTP_TOKEN_FILE NOMAD_TOKEN VAULT_TOKEN
		CONSUL_LICENSE NOMAD_LICENSE VAULT_LICENSE CONSUL_LICENSE_PATH NOMAD_LICENSE_PATH VAULT_LICENSE_PATH
		AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_METADATA_URL GOOGLE_APPLICATION_CREDENTIALS GOOGLE_OAUTH_ACCESS_TOKEN`) {
		if have := interp.Inherited([]string{name + "=secret", "A=b=c", "=odd", "none"}, interp.DefaultDenylist); len(have) != 1 || have["A"] != "b=c" {
			t.Errorf("%s: %v", name, have)
		}
	}
}
