package agent

import (
	"github.com/nomadlike/nomadlike/drivers/docker"
	"github.com/nomadlike/nomadlike/drivers/exec"
	"github.com/nomadlike/nomadlike/drivers/mock"
	"github.com/nomadlike/nomadlike/drivers/rawexec"
	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/client"
	"github.com/nomadlike/nomadlike/plugins/drivers"
)

// builtin makes the drivers that need no plugin file.
func (a *Agent) builtin() []drivers.Driver {
	return []drivers.Driver{rawexec.New(), exec.New(), docker.New(a.logger), mock.New()}
}

// options are what older configurations write as an option of the client, set to
// "true", instead of a plugin block.
var options = []struct {
	name, driver string
	config       n.Raw
}{
	{"driver.raw_exec.enable", "raw_exec", n.Raw(`{"enabled":true}`)},
	{"driver.docker.volumes", "docker", n.Raw(`{"volumes":{"enabled":true}}`)},
}

// drivers are all drivers with their plugin blocks; where there is none, with
// what the client's options say of them.
func (a *Agent) drivers() []client.Driver {
	var out []client.Driver
	for _, d := range a.builtin() {
		name := d.Info().Name
		conf := a.config.Plugins[name].Config
		for _, o := range options {
			if len(conf) == 0 && o.driver == name && a.config.Client.Options[o.name] == "true" {
				conf = o.config
			}
		}
		out = append(out, client.Driver{Driver: d, Config: conf})
	}
	return out
}
