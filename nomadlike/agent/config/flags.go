package config

import (
	"cmp"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Flags are the agent's command line.
type Flags struct {
	Dev   bool
	Paths []string

	source Source
}

// laterFlags are those of other agents that this build does not honour yet.
var laterFlags = strings.Fields(`
	plugin-dir eventlog eventlog-level dev-connect dev-consul dev-vault
	rejoin alloc-mounts-dir host-volumes-dir host-volume-plugin-dir preferred-address-family client-intro-token
	acl-enabled acl-replication-token
	consul-address consul-auth consul-token consul-ca-file consul-cert-file consul-key-file
	consul-client-service-name consul-client-http-check-name consul-server-service-name consul-server-http-check-name
	consul-server-serf-check-name consul-server-rpc-check-name consul-auto-advertise consul-checks-use-advertise
	consul-client-auto-join consul-server-auto-join consul-ssl consul-verify-ssl
	consul-client-failures-before-critical consul-client-failures-before-warning
	consul-server-failures-before-critical consul-server-failures-before-warning
	vault-enabled vault-address vault-namespace vault-create-from-role vault-ca-file vault-ca-path vault-cert-file
	vault-key-file vault-tls-server-name vault-tls-skip-verify
`)

// Register defines the flags in fs.
func (f *Flags) Register(fs *flag.FlagSet) {
	f.source.Name = "flags"
	fs.BoolVar(&f.Dev, "dev", false, "a server and a client on loopback that keep nothing")
	fs.Func("config", "a configuration `file` or directory; may be repeated, the last is the strongest", func(s string) error {
		f.Paths = append(f.Paths, s)
		return nil
	})
	for _, k := range keys(new(Config)) {
		if k.Flag == "" {
			continue
		}
		give := func(s string) error { return f.give(k, s) }
		if _, ok := k.To.(*bool); ok {
			fs.BoolFunc(k.Flag, k.Doc, give)
		} else {
			fs.Func(k.Flag, k.Doc, give)
		}
	}
	fs.Func("raft-protocol", "always 3", func(s string) error {
		if s != "3" && s != "0" {
			return fmt.Errorf("raft_protocol must be 3 in Nomad v1.4 and later, got %s", s)
		}
		return nil
	})
	for _, name := range laterFlags {
		fs.BoolFunc(name, "not available yet", func(string) error {
			return fmt.Errorf("-%s is not available yet in this build: remove it", name)
		})
	}
}

// give takes the value of a flag; that of one given again is added to lists and
// maps.
func (f *Flags) give(k key, s string) error {
	v := node{kind: text, text: s}
	switch k.To.(type) {
	case *[]string:
		v = node{kind: list}
		for one := range strings.SplitSeq(s, ",") {
			if k.Flag != "servers" { // the one with commas
				one = s
			}
			v.items = append(v.items, node{kind: text, text: strings.TrimSpace(one)})
			if k.Flag != "servers" {
				break
			}
		}
	case *map[string]string:
		name, value, ok := strings.Cut(s, "=")
		if !ok {
			return fmt.Errorf("want key=value")
		}
		v = node{kind: object, fields: []field{{key: name, value: node{kind: text, text: value}}}}
	}
	if err := set(k, v); err != nil {
		return err
	}
	for i, before := range f.source.settings {
		if before.path == k.Path && v.kind == list {
			f.source.settings[i].value.items = slices.Concat(before.value.items, v.items)
			return nil
		}
	}
	f.source.settings = append(f.source.settings, setting{path: k.Path, pos: Pos{File: "-" + k.Flag}, value: v})
	return nil
}

// Load loads what the flags say.
func (f *Flags) Load() (*Config, error) {
	return Load(Options{Dev: f.Dev, Paths: f.Paths, Flags: &f.source})
}

func sorted[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
