package config_test

import (
	"slices"
	"strings"
	"testing"
)

// TestBad pairs what is wrong with what is said of it. Texts begin a file
// "bad.hcl", or are flags where they begin with a dash.
func TestBad(t *testing.T) {
	const at = "Error loading configuration from bad.hcl: bad.hcl:1: "
	for _, c := range []struct{ text, want string }{
		// Keys.
		{`foo = 1`, at + "unexpected keys foo"},
		{`server { bar = 1 }`, at + "server unexpected keys bar"},
		{`client { reserved { zork = 1 } }`, at + "reserved.client unexpected keys zork"},
		{`server { server_join { x = 1 } }`, at + "server_join.server unexpected keys x"},
		{`data_dri = "/x"`, at + "unexpected keys data_dri (did you mean data_dir?)"},
		{`server { heartbeat_grance = "1s" }`, at + "server unexpected keys heartbeat_grance (did you mean heartbeat_grace?)"},
		{`heartbeat_grace = "1s"`, at + "unexpected keys heartbeat_grace (did you mean server.heartbeat_grace?)"},
		{`server { node_class = "x" }`, at + "server unexpected keys node_class (did you mean client.node_class?)"},
		{`acl { enabled = true }`, at + "acl.enabled is not available yet in this build: remove it"},
		{`client { host_volume "x" { path = "/x" } }`, at + "client.host_volume is not available yet in this build: remove it"},
		{`vault { enabled = true }`, at + "vault is not available yet in this build: remove it"},
		{`client { nomad_service_discovery = false }`, at + "client.nomad_service_discovery is not available yet in this build: remove it"},
		{`client { server_join { start_join = ["a"] } }`, at + "start_join is not supported for Nomad clients: use retry_join"},
		{`server { raft_protocol = 2 }`, at + "raft_protocol must be 3 in Nomad v1.4 and later, got 2"},

		// Values.
		{`server { heartbeat_grace = "zz" }`, at + `server.heartbeat_grace can't parse time duration zz (write it as "10s", "5m" or "1h30m")`},
		{`server { enabled = "maybe" }`, at + `server.enabled must be true or false, not "maybe"`},
		{`server = "x"`, at + "server is a block, not a text"},
		{`ports { http = "http" }`, at + `ports.http must be a whole number, not "http"`},
		{`ports { http = 1.5 }`, at + `ports.http must be a whole number, not "1.5"`},
		{`server { max_heartbeats_per_second = [1] }`, at + "server.max_heartbeats_per_second must be a number, not a list"},
		{`server { job_max_source_size = "1 parsec" }`, at + `server.job_max_source_size must be a size such as "1M", not "1 parsec"`},
		{`client { servers = [{}] }`, at + "client.servers must be a list of texts, not a block"},
		{`client { meta { a = [1] } }`, at + "client.meta.a must be text, not a list"},
		{`plugin { config { } }`, at + `plugin needs a label, as in: plugin "docker" { … }`},
		{`plugin "x" { conf { } }`, at + `plugin "x" takes args and config, not conf`},

		// Grammar.
		{`server {`, at + "expected a key, found the end of the file"},
		{`region = eu`, at + `expected a value, found "eu": text needs quotes`},
		{`region "eu"`, at + "expected = or { after \"eu\", found the end of the file"},
		{`region = "eu`, at + "the text that begins here does not end"},
		{`{"region": "eu"`, at + "the file ends within the object"},
		{`{"region": "eu"} x`, at + "more text after the object"},

		// Checks of the whole.
		{`server { enabled = false }`, "Must specify either server, client or dev mode for the agent."},
		{`log_level = "LOUD"`, "bad.hcl:1: Invalid log level: LOUD. Valid log levels are: TRACE, DEBUG, INFO, WARN, ERROR, OFF"},
		{`datacenter = "dc*"`, "bad.hcl:1: Datacenter contains invalid characters (null or '*')"},
		{`data_dir = "rel"`, "bad.hcl:1: data-dir must be given as an absolute path: got rel"},
		{`client { alloc_dir = "rel" }`, "bad.hcl:1: alloc-dir must be given as an absolute path: got rel"},
		{`server { encrypt = "???" }`, "bad.hcl:1: Invalid encryption key: illegal base64 data at input byte 0"},
		{`server { encrypt = "YWJj" }`, "bad.hcl:1: Invalid encryption key: it has 3 bytes; 16, 24 or 32 are needed"},
		{`server { raft_multiplier = 11 }`, "bad.hcl:1: raft_multiplier cannot be 11. Must be between 1 and 10"},
		{`server { bootstrap_expect = -1 }`, "bad.hcl:1: bootstrap_expect cannot be -1"},
		{`server { enabled_schedulers = ["sevrice"] }`, `bad.hcl:1: invalid configuration: unknown scheduler "sevrice" in enabled schedulers`},
		{`server { job_gc_interval = "-1s" }`, "bad.hcl:1: server.job_gc_interval must be greater than 0"},
		{`server { job_max_priority = 50 }`, "bad.hcl:1: job_max_priority cannot be 50. Must be between 100 and 32766"},
		{`server { job_default_priority = 100 }`, "bad.hcl:1: job_default_priority cannot be 100. Must be between 50 and 99"},
		{`server { job_tracked_versions = 0 }`, "bad.hcl:1: job_tracked_versions must be greater than 0"},
		{`server { server_join { retry_join = ["a"], start_join = ["b"] } }`, "bad.hcl:1: retry_join and start_join cannot both be defined"},
		{`server { retry_join = ["a"], server_join { retry_join = ["b"] } }`,
			"bad.hcl:1: server_join and retry_join cannot both be defined; prefer setting the server_join block"},
		{`client { server_join { retry_interval = "-1s" } }`, "bad.hcl:1: client.server_join.retry_interval must be greater than 0"},
		{`server { server_join { retry_interval = "-1s" } }`, "bad.hcl:1: server.server_join.retry_interval must be greater than 0"},
		{`server { server_join { retry_max = -1 } }`, "bad.hcl:1: server.server_join.retry_max cannot be -1: 0 is no limit"},
		{`client { server_join { retry_max = -1 } }`, "bad.hcl:1: client.server_join.retry_max cannot be -1: 0 is no limit"},
		{`client { node_pool = "all" }`, `bad.hcl:1: Invalid node pool: node is not allowed to register in node pool "all"`},
		{`client { node_pool = "a b" }`, `bad.hcl:1: Invalid node pool: invalid name "a b", must match regex ^[a-zA-Z0-9_-]{1,128}$`},
		{`client { meta { "a..b" = "1" } }`, "bad.hcl:1: Invalid Client.Meta key: a..b"},
		{`client { min_dynamic_port = 70000 }`, "bad.hcl:1: Invalid dynamic port range: min_dynamic_port=70000"},
		{`client { min_dynamic_port = 9000, max_dynamic_port = 8000 }`, "bad.hcl:1: Invalid dynamic port range: min_dynamic_port=9000 and max_dynamic_port=8000"},
		{`client { reserved { reserved_ports = "80-22" } }`, `bad.hcl:1: reserved.reserved_ports "80-22" invalid: "80-22" is not a range within 0 and 65535`},
		{`limits { rpc_max_conns_per_client = 20 }`, "bad.hcl:1: rpc_max_conns_per_client must be > 25; found: 20"},
		{`limits { http_max_conns_per_client = -1 }`, "bad.hcl:1: http_max_conns_per_client must be >= 0"},
		{`tls { http = true, ca_file = "a", cert_file = "b" }`, "bad.hcl:1: tls.key_file is required when tls.http or tls.rpc is true"},
		{`ports { rpc = 70000 }`, "bad.hcl:1: ports.rpc must be a port, not 70000"},
		{`bind_addr = "127.0.0.1"`, "advertise.http: defaulting advertise to localhost is unsafe, please set advertise manually"},
		{`bind_addr = "{{ GetNothing }}"`, "bad.hcl:1: bind_addr: cannot carry out the template"},

		// Flags.
		{`-nope`, "flag provided but not defined: -nope"},
		{`-acl-enabled`, "-acl-enabled is not available yet in this build: remove it"},
		{`-retry-max=x`, `server.server_join.retry_max must be a whole number, not "x"`},
		{`-meta=x`, "want key=value"},
		{`-raft-protocol=2`, "raft_protocol must be 3 in Nomad v1.4 and later, got 2"},
		{`-config=nope.hcl`, "Error loading configuration from nope.hcl: stat nope.hcl: no such file or directory"},
	} {
		files, args := map[string]string{"good.hcl": base}, []string{"-config=good.hcl"}
		switch {
		case strings.HasPrefix(c.text, "-"):
			args = append(args, c.text)
		default:
			files["bad.hcl"] = c.text
			args = append(args, "-config=bad.hcl")
			if strings.Contains(c.text, "enabled = false }") && strings.HasPrefix(c.text, "server") {
				args = []string{"-config=bad.hcl"}
			}
		}
		_, faults, err := load(t, files, args...)
		if faults == nil && err != nil {
			faults = []string{err.Error()}
		}
		if !slices.ContainsFunc(faults, func(f string) bool { return strings.Contains(strings.ReplaceAll(f, "\t", ""), c.want) }) {
			t.Errorf("%s\n  said %q\n  want %q", c.text, faults, c.want)
		}
	}
}

// TestAllFaults wants every fault at once, each with its line.
func TestAllFaults(t *testing.T) {
	_, faults, _ := load(t, map[string]string{"bad.hcl": "foo = 1\n\nserver {\n  bar = 1\n  heartbeat_grace = \"zz\"\n}\n"}, "-config=bad.hcl")
	want := []string{
		"Error loading configuration from bad.hcl:",
		"  bad.hcl:1: unexpected keys foo",
		"  bad.hcl:4: server unexpected keys bar",
		"  bad.hcl:5: server.heartbeat_grace can't parse time duration zz (write it as \"10s\", \"5m\" or \"1h30m\")",
	}
	if !slices.Equal(faults, want) {
		t.Errorf("got\n%s", strings.Join(faults, "\n"))
	}
}
