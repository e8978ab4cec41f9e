package agent

import (
	"github.com/nomadlike/nomadlike/drivers/docker"
	"github.com/nomadlike/nomadlike/drivers/exec"
	"github.com/nomadlike/nomadlike/drivers/rawexec"
	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/client"
	"github.com/nomadlike/nomadlike/plugins/drivers"
)

// builtin makes the drivers that need no plugin file.
func (a *Agent) builtin() []drivers.Driver {
	return []drivers.Driver{rawexec.New(), exec.New(), docker.New(a.logger)}
}

// drivers are all drivers with their plugin blocks. What may be written as an
// option of the client, as in older configurations, is added to them.
func (a *Agent) drivers() []client.Driver {
	var out []client.Driver
	for _, d := range a.builtin() {
		name := d.Info().Name
		conf := a.config.Plugins[name].Config
		if len(conf) == 0 && name == "raw_exec" && a.config.Client.Options["driver.raw_exec.enable"] == "true" {
			conf = n.Raw(`{"enabled":true}`)
		}
		out = append(out, client.Driver{Driver: d, Config: conf})
	}
	return out
}
