package feasible

import (
	"testing"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

func TestDeviceMatches(t *testing.T) {
	gpu := &n.NodeDevice{
		Vendor: "acme", Type: "gpu", Name: "a100",
		Instances:  []n.DeviceInstance{{ID: "x", Healthy: true}, {ID: "y", Healthy: true}},
		Attributes: map[string]string{"memory": "8 GiB", "clock": "1400 MHz", "cores": "3584", "name": "big one", "ecc": "true", "driver": "535.2.1", "power": "250 W", "bus": "16 GB/s"},
	}
	for _, c := range []struct {
		l, op, r string
		want     bool
	}{
		{"${device.attr.memory}", ">=", "8192 MiB", true},
		{"${device.attr.memory}", ">", "8192 MiB", false},
		{"${device.attr.memory}", ">", "8 GB", true}, // 8 GiB is more
		{"${device.attr.memory}", ">", "4", false},   // a number without a unit is something else
		{"${device.attr.memory}", "=", "8 GiB/s", false},
		{"${device.attr.bus}", ">=", "15 GiB/s", false},
		{"${device.attr.bus}", ">=", "14 GiB/s", true},
		{"${device.attr.clock}", "<", "1.5 GHz", true},
		{"${device.attr.power}", "<=", "0.25 kW", true},
		{"${device.attr.cores}", ">=", "3000", true},
		{"${device.attr.cores}", ">=", "3000.5", true},
		{"${device.attr.ecc}", "=", "true", true},
		{"${device.attr.ecc}", ">", "false", false},
		{"${device.attr.ecc}", "!=", "false", true},
		{"${device.attr.name}", "=", "big one", true},
		{"${device.attr.name}", "regexp", "^big", true},
		{"${device.attr.driver}", "version", ">= 535", true},
		{"${device.attr.cores}", "version", "> 3000", true},
		{"${device.attr.memory}", "regexp", "8", false}, // of text alone
		{"${device.attr.gone}", "=", "1", false},
		{"${device.attr.gone}", "!=", "1", true},
		{"${device.attr.gone}", "!=", "${device.attr.lost}", false},
		{"${device.attr.gone}", "is_not_set", "", true},
		{"${device.attr.ecc}", "is_set", "", true},
		{"${device.model}", "=", "a100", true},
		{"${device.vendor}", "=", "acme", true},
		{"${device.type}", "!=", "fpga", true},
		{"${device.ids}", "set_contains", "y", true},
		{"${device.ids}", "set_contains_any", "a,x", true},
		{"${device.ids}", "set_contains_all", "a,x", false},
	} {
		if got := deviceMatches(gpu, c.l, c.op, c.r); got != c.want {
			t.Errorf("%s %s %s: %v", c.l, c.op, c.r, got)
		}
	}
	for name, want := range map[string]bool{"gpu": true, "acme/gpu": true, "acme/gpu/a100": true, "fpga": false, "other/gpu": false, "acme/gpu/b": false, "acme": false} {
		if got := Device(&n.DeviceRequest{Name: name}, gpu); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestEnoughDevices(t *testing.T) {
	node := &n.Node{NodeResources: n.NodeResources{Devices: []n.NodeDevice{
		{Vendor: "acme", Type: "gpu", Name: "a", Instances: []n.DeviceInstance{{ID: "1", Healthy: true}, {ID: "2"}}},
		{Vendor: "acme", Type: "gpu", Name: "b", Instances: []n.DeviceInstance{{ID: "3", Healthy: true}}},
	}}}
	for want, asked := range map[bool][][]n.DeviceRequest{
		true:  {{{Name: "gpu", Count: 2}}, {{Name: "acme/gpu/b", Count: 1}, {Name: "gpu", Count: 1}}},
		false: {{{Name: "gpu", Count: 3}}, {{Name: "acme/gpu/a", Count: 2}}, {{Name: "gpu", Count: 2}, {Name: "acme/gpu/b", Count: 1}}, {{Name: "fpga", Count: 1}}},
	} {
		for _, a := range asked {
			if got := enough(node, a); got != want {
				t.Errorf("%v: %v", a, got)
			}
		}
	}
}
