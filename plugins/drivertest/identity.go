package drivertest

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/nomadlike/nomadlike/plugins/base"
	"github.com/nomadlike/nomadlike/plugins/drivers"
	"github.com/nomadlike/nomadlike/plugins/hclspec"
)

func testIdentity(t *testing.T, n *node) {
	info := n.driver.Info()
	if info.Type != base.TypeDriver || info.Name == "" || info.Version == "" || !slices.Contains(info.APIVersions, base.APIVersion) {
		t.Errorf("Info %+v", info)
	}
	for name, schema := range map[string]*hclspec.Spec{"ConfigSchema": n.driver.ConfigSchema(), "TaskConfigSchema": n.driver.TaskConfigSchema()} {
		if schema == nil {
			continue
		}
		if _, diags := hclspec.ToHCL(schema); diags.HasErrors() {
			t.Errorf("%s: %v", name, hclspec.Err(diags))
		}
	}
	if _, ok := n.driver.(drivers.Exec); n.driver.Capabilities().Exec && !ok {
		t.Error("Capabilities say Exec, and the driver does not implement it")
	}
	if _, ok := n.driver.(drivers.Network); n.driver.Capabilities().MustCreateNetwork && !ok {
		t.Error("Capabilities say MustCreateNetwork, and the driver does not implement Network")
	}
}

func testFingerprint(t *testing.T, n *node) {
	f := n.fingerprint(t)
	if f.Health != drivers.HealthHealthy || f.Description != drivers.HealthyDescription || f.Err != nil {
		t.Errorf("fingerprint %+v", f)
	}
	prefix := "driver." + n.driver.Info().Name
	if f.Attributes[prefix] == "" {
		t.Errorf("attribute %s is not set", prefix)
	}
	for k := range f.Attributes {
		if k != prefix && !strings.HasPrefix(k, prefix+".") {
			t.Errorf("attribute %s does not begin with %s", k, prefix)
		}
	}

	ctx, cancel := context.WithCancel(within(t))
	c, err := n.driver.Fingerprint(ctx)
	if err != nil {
		t.Fatal(err)
	}
	<-c
	cancel()
	timeout := within(t)
	for {
		select {
		case _, open := <-c:
			if !open {
				return
			}
		case <-timeout.Done():
			t.Fatal("the channel does not close when its context ends")
		}
	}
}

func testUnknownKey(t *testing.T, n *node) {
	for name, schema := range map[string]*hclspec.Spec{"plugin": n.driver.ConfigSchema(), "task": n.driver.TaskConfigSchema()} {
		if schema == nil {
			continue
		}
		config := map[string]any{"no_such_key": "x"}
		if name == "task" {
			config = n.work(Work{})
			config["no_such_key"] = "x"
		}
		raw, err := json.Marshal(config)
		if err != nil {
			t.Fatal(err)
		}
		_, diags := hclspec.Decode(schema, raw, nil)
		if err := hclspec.Err(diags); err == nil || !strings.Contains(err.Error(), "no_such_key") {
			t.Errorf("%s: a config with an unknown key: %v", name, err)
		}
	}
}

func testInvalid(t *testing.T, n *node) {
	for _, c := range n.Invalid {
		raw, err := json.Marshal(c.Config)
		if err != nil {
			t.Fatal(err)
		}
		b, diags := hclspec.Decode(n.driver.TaskConfigSchema(), raw, nil)
		err = hclspec.Err(diags)
		if err == nil {
			tc := n.task(t, n.work(Work{}))
			tc.DriverConfig = b
			if _, err = n.tryStart(within(t), tc); drivers.IsRecoverable(err) {
				t.Errorf("%s: the error is marked as recoverable: %v", raw, err)
			}
			if err == nil {
				wait(t, n.driver, tc)
				n.destroy(t, n.driver, tc)
			} else {
				n.mustBeGone(t, tc)
			}
		}
		if err == nil || !strings.Contains(err.Error(), c.Field) {
			t.Errorf("%s: the error does not name %s: %v", raw, c.Field, err)
		}
	}
}
