package config_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/nomadlike/nomadlike/nomadlike/agent/config"
)

func TestAddresses(t *testing.T) {
	for _, c := range []struct {
		name, text string
		listen     config.Endpoints
		announce   config.Addresses
	}{
		{"all follows from bind_addr", `bind_addr = "10.0.0.1"`,
			config.Endpoints{HTTP: []string{"10.0.0.1:4646"}, RPC: "10.0.0.1:4647", Serf: "10.0.0.1:4648"},
			config.Addresses{HTTP: "10.0.0.1:4646", RPC: "10.0.0.1:4647", Serf: "10.0.0.1:4648"}},
		{"each may be written", `
			bind_addr = "10.0.0.1"
			addresses { http = "10.0.0.2 10.0.0.3 10.0.0.2", rpc = "10.0.0.4", serf = "fd00::1" }
			ports { http = 5646, rpc = 5647, serf = 5648 }`,
			config.Endpoints{HTTP: []string{"10.0.0.2:5646", "10.0.0.3:5646"}, RPC: "10.0.0.4:5647", Serf: "[fd00::1]:5648"},
			config.Addresses{HTTP: "10.0.0.2:5646", RPC: "10.0.0.4:5647", Serf: "[fd00::1]:5648"}},
		{"others may be told something else", `
			bind_addr = "0.0.0.0"
			advertise { http = "nl.example.org", rpc = "192.0.2.1:6647", serf = "[fd00::2]:6648" }`,
			config.Endpoints{HTTP: []string{"0.0.0.0:4646"}, RPC: "0.0.0.0:4647", Serf: "0.0.0.0:4648"},
			config.Addresses{HTTP: "nl.example.org:4646", RPC: "192.0.2.1:6647", Serf: "[fd00::2]:6648"}},
		{"templates", `
			bind_addr = "{{ GetAllInterfaces | include \"flags\" \"loopback\" | include \"type\" \"IPv4\" | limit 1 | attr \"address\" }}"
			advertise { http = "10.0.0.9", rpc = "10.0.0.9", serf = "10.0.0.9" }`,
			config.Endpoints{HTTP: []string{"127.0.0.1:4646"}, RPC: "127.0.0.1:4647", Serf: "127.0.0.1:4648"},
			config.Addresses{HTTP: "10.0.0.9:4646", RPC: "10.0.0.9:4647", Serf: "10.0.0.9:4648"}},
		{"a client has no gossip", `
			bind_addr = "10.0.0.1"
			server { enabled = false }
			client { enabled = true }`,
			config.Endpoints{HTTP: []string{"10.0.0.1:4646"}, RPC: "10.0.0.1:4647", Serf: "10.0.0.1:4648"},
			config.Addresses{HTTP: "10.0.0.1:4646", RPC: "10.0.0.1:4647"}},
	} {
		text := "data_dir = \"/x\"\n" + c.text
		if !strings.Contains(text, "server {") {
			text += "\nserver { enabled = true }"
		}
		conf, faults, _ := load(t, map[string]string{"a.hcl": text}, "-config=a.hcl")
		if faults != nil {
			t.Errorf("%s: %v", c.name, faults)
			continue
		}
		listen, err := conf.Listen()
		if err != nil || !slices.Equal(listen.HTTP, c.listen.HTTP) || listen.RPC != c.listen.RPC || listen.Serf != c.listen.Serf {
			t.Errorf("%s: listens on %+v, want %+v (%v)", c.name, listen, c.listen, err)
		}
		if announce, err := conf.Announce(); err != nil || announce != c.announce {
			t.Errorf("%s: announces %+v, want %+v (%v)", c.name, announce, c.announce, err)
		}
	}
}

func TestParseRanges(t *testing.T) {
	for text, want := range map[string][]int{
		"": nil, "22": {22}, "80, 22,80": {22, 80}, "8-10,9-11": {8, 9, 10, 11},
		"a": {-1}, "1-": {-1}, "3-1": {-1}, "70000": {-1}, "-1": {-1},
	} {
		got, err := config.ParseRanges(text, 65535)
		if (err != nil) != slices.Equal(want, []int{-1}) || err == nil && !slices.Equal(got, want) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}

func TestWithPort(t *testing.T) {
	for in, want := range map[string]string{
		"10.0.0.1": "10.0.0.1:4647", "10.0.0.1:1": "10.0.0.1:1", "host": "host:4647", "fd00::1": "[fd00::1]:4647", "[fd00::1]": "[fd00::1]:4647", "[fd00::1]:1": "[fd00::1]:1",
	} {
		if got, err := config.WithPort(in, 4647); err != nil || got != want {
			t.Errorf("%s: %s, %v", in, got, err)
		}
	}
	if _, err := config.WithPort("", 1); err == nil {
		t.Error("no address is none")
	}
}

// FuzzParse wants every text to be read or refused, at a place in it.
func FuzzParse(f *testing.F) {
	for _, s := range []string{base, `{"server": [{"enabled": true}]}`, "a \"b\" {", "x = <<A\ny\nA\n", "client { meta { a.b = -1 } }", "plugin \"x\" \"y\" { }"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		if _, err := config.Parse("f.hcl", src); err != nil {
			for _, line := range strings.Split(err.Error(), "\n") {
				if line == "" {
					t.Errorf("an empty fault of %q", src)
				}
			}
		}
	})
}
