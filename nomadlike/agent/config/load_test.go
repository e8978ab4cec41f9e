package config_test

import (
	"flag"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nomadlike/nomadlike/nomadlike/agent/config"
)

// load loads files, by name in a directory of their own, and flags. The faults
// name files without their directory.
func load(t *testing.T, files map[string]string, args ...string) (*config.Config, []string, error) {
	t.Helper()
	dir := t.TempDir()
	f := &config.Flags{}
	set := flag.NewFlagSet("agent", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	f.Register(set)
	if err := set.Parse(args); err != nil {
		return nil, nil, err
	}
	for i, p := range f.Paths {
		f.Paths[i] = filepath.Join(dir, p)
	}
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := f.Load()
	var faults []string
	if err != nil {
		faults = strings.Split(strings.ReplaceAll(err.Error(), dir+"/", ""), "\n")
	}
	return c, faults, err
}

// base is what a server needs to start.
const base = `
data_dir = "/var/lib/nl"
bind_addr = "10.0.0.1"
server { enabled = true }
`

func TestDefaults(t *testing.T) {
	c, faults, _ := load(t, map[string]string{"a.hcl": base}, "-config=a.hcl")
	if faults != nil {
		t.Fatal(faults)
	}
	host, _ := os.Hostname()
	for what, v := range map[string][2]any{
		"region": {c.Region, "global"}, "datacenter": {c.Datacenter, "dc1"}, "name": {c.Name, host}, "level": {c.LogLevel, "INFO"},
		"server.data_dir": {c.Server.DataDir, "/var/lib/nl/server"}, "client.alloc_dir": {c.Client.AllocDir, "/var/lib/nl/alloc"},
		"client.state_dir": {c.Client.StateDir, "/var/lib/nl/client"}, "ports": {c.Ports, config.Ports{HTTP: 4646, RPC: 4647, Serf: 4648}},
		"grace": {c.Server.HeartbeatGrace, 10 * time.Second}, "rotate": {c.LogRotate.Duration, 24 * time.Hour}, "pool": {c.Client.NodePool, "default"},
		"priority": {c.Server.JobMaxPriority, 100}, "source": {c.Server.JobMaxSourceSize, 1 << 20},
	} {
		if !reflect.DeepEqual(v[0], v[1]) {
			t.Errorf("%s is %v, want %v", what, v[0], v[1])
		}
	}
	want := []string{
		"WARNING: Number of bootstrap servers should ideally be set to an odd number.",
		"WARNING: mTLS is not configured - Nomad is not secure without mTLS!",
	}
	if !slices.Equal(c.Warnings, want) {
		t.Errorf("warnings %q", c.Warnings)
	}
}

func TestDev(t *testing.T) {
	c, faults, _ := load(t, nil, "-dev")
	if faults != nil {
		t.Fatal(faults)
	}
	if !c.Dev || !c.Server.Enabled || !c.Client.Enabled || c.BindAddr != "127.0.0.1" || c.LogLevel != "DEBUG" ||
		c.Server.BootstrapExpect != 1 || c.Client.Options["driver.raw_exec.enable"] != "true" || len(c.Warnings) > 0 || c.DataDir != "" {
		t.Errorf("%+v", c)
	}
	if strings.Contains(c.Client.NetworkInterface, "{{") {
		t.Errorf("the interface's template is still one: %q", c.Client.NetworkInterface)
	}
	if a, err := c.Announce(); err != nil || a.HTTP != "127.0.0.1:4646" || a.Serf != "127.0.0.1:4648" {
		t.Errorf("announce %+v, %v", a, err)
	}
}

// TestSources lays one source over another.
func TestSources(t *testing.T) {
	files := map[string]string{
		"a.hcl": base + `
			region = "eu"
			leave_on_interrupt = true
			client {
				enabled = true
				servers = ["10.0.0.1"]
				meta { rack = "1", zone = "a" }
				options = { "driver.allowlist" = "exec" }
			}
			server {
				num_schedulers = 1
				server_join { retry_join = ["10.0.0.2"] }
				default_scheduler_config { preemption_config { system_scheduler_enabled = true } }
			}
			plugin "docker" { config { gc { image = false } } }
			plugin "raw_exec" { config { enabled = true } }`,
		"b.json": `{
			"region": "", "leave_on_interrupt": false, "datacenter": "dc2", "ports": {"http": 5646},
			"client": {"servers": ["10.0.0.3:5647"], "meta": [{"zone": "b"}]},
			"server": {"num_schedulers": 0, "server_join": {"retry_join": ["10.0.0.4"]},
				"default_scheduler_config": {"preemption_config": {"system_scheduler_enabled": false}}},
			"plugin": {"docker": {"config": {"volumes": {"enabled": true}}}},
			"http_api_response_headers": {"X-Frame-Options": "DENY"}
		}`,
		"d/10.hcl": `log_level = "debug"`, "d/20.json": `{"log_level": "warn"}`, "d/30.hcl~": `broken`, "d/.#40.hcl": `broken`,
		"d/readme.txt": `broken`, "d/sub/50.hcl": `log_level = "trace"`,
	}
	c, faults, _ := load(t, files, "-config=a.hcl", "-config=b.json", "-config=d", "-dc=dc3", "-servers=10.0.0.5, 10.0.0.6", "-meta=rack=2", "-log-json",
		"-node=n1", "-encrypt=cg8StVXbQJ0gPvMd9o7yrg==")
	if faults != nil {
		t.Fatal(faults)
	}
	for what, v := range map[string][2]any{
		"an empty text does not count":       {c.Region, "eu"},
		"nor does a false":                   {c.LeaveOnInterrupt, true},
		"flags win":                          {c.Datacenter, "dc3"},
		"fields of a block combine":          {c.Ports, config.Ports{HTTP: 5646, RPC: 4647, Serf: 4648}},
		"lists are appended":                 {c.Client.Servers, []string{"10.0.0.1", "10.0.0.3:5647", "10.0.0.5", "10.0.0.6"}},
		"or replaced":                        {c.Server.Join.RetryJoin, []string{"10.0.0.4"}},
		"maps are merged":                    {c.Client.Meta, map[string]string{"rack": "2", "zone": "b"}},
		"a zero counts where it means a lot": {c.Server.NumSchedulers, 0},
		"and so does a false":                {c.Server.DefaultScheduler.PreemptionConfig.SystemSchedulerEnabled, false},
		"a plugin's config is replaced":      {string(c.Plugins["docker"].Config), `{"volumes":{"enabled":true}}`},
		"other plugins stay":                 {string(c.Plugins["raw_exec"].Config), `{"enabled":true}`},
		"the last file of a directory wins":  {c.LogLevel, "WARN"},
		"bools of flags":                     {c.LogJSON, true},
		"names":                              {c.Name, "n1"},
		"headers":                            {c.HTTPHeaders, map[string]string{"X-Frame-Options": "DENY"}},
	} {
		if !reflect.DeepEqual(v[0], v[1]) {
			t.Errorf("%s: %v, want %v", what, v[0], v[1])
		}
	}
	if key, err := c.EncryptKey(); err != nil || len(key) != 16 {
		t.Errorf("key %x, %v", key, err)
	}
	var names []string
	for _, f := range c.Files {
		names = append(names, filepath.Base(f))
	}
	if want := []string{"a.hcl", "b.json", "10.hcl", "20.json"}; !slices.Equal(names, want) {
		t.Errorf("files %v, want %v", names, want)
	}
	if pos, ok := c.Written("datacenter"); !ok || pos.String() != "-dc" {
		t.Errorf("datacenter is from %v", pos)
	}
}

// TestSyntax reads the many ways in which the same thing may be written.
func TestSyntax(t *testing.T) {
	for name, text := range map[string]string{
		"blocks":        `client { meta { "a.b" = "1" } }`,
		"attributes":    `client = { meta = { "a.b" = 1 } }`,
		"dotted":        `client { meta { a.b = "1" } }`,
		"twice":         "client { meta { a.b = \"0\" } }\nclient { meta { a.b = \"1\" } }",
		"json":          `{"client": {"meta": {"a.b": "1"}}}`,
		"json lists":    `{"client": [{"meta": [{"a.b": 1}]}]}`,
		"comments":      "# one\n// two\n/* three */ client { meta { a.b = \"1\" } } # four",
		"byte order":    "\ufeffclient { meta { a.b = \"1\" } }",
		"heredoc":       "client {\n meta {\n a.b = <<-X\n   1\n X\n }\n}",
		"quoted blocks": `"client" { "meta" { "a.b" = "1" } }`,
	} {
		c, faults, _ := load(t, map[string]string{"a.hcl": base, "x": text}, "-config=a.hcl", "-config=x")
		if faults != nil {
			t.Errorf("%s: %v", name, faults)
			continue
		}
		if got := strings.TrimSpace(c.Client.Meta["a.b"]); got != "1" {
			t.Errorf("%s: %v", name, c.Client.Meta)
		}
	}
}

func TestWarnings(t *testing.T) {
	c, faults, _ := load(t, map[string]string{
		"a.hcl": base + `
			tls { http = true, rpc = true, ca_file = "a", cert_file = "b", key_file = "c" }
			server {
				bootstrap_expect = 1
				protocol_version = 1
				server_join { retry_join = ["10.0.0.2"] }
				enabled_schedulers = ["batch"]
			}
			client { options { consul.address = "x" } }
			acl { enabled = false }
			consul { }`,
		"empty.hcl": "# nothing",
	}, "-config=a.hcl", "-config=empty.hcl")
	if faults != nil {
		t.Fatal(faults)
	}
	for i, want := range []string{
		"a.hcl:9: server.protocol_version has no effect: there is one protocol",
		"No configuration loaded from ",
		"WARNING: Bootstrap mode enabled! Potentially unsafe operation.",
		`a.hcl:13: client.options key "consul.address" has no effect`,
		"a.hcl:11: server.enabled_schedulers has no effect yet in this build",
	} {
		if i >= len(c.Warnings) || !strings.Contains(c.Warnings[i], want) {
			t.Errorf("warning %d is not %q: %q", i, want, c.Warnings)
		}
	}
}
