package client

import (
	"os"
	"slices"
	"strings"
)

// hidden are variables of the agent that tasks do not see, unless the option
// env.denylist names others.
var hidden = []string{
	"CONSUL_TOKEN", "CONSUL_HTTP_TOKEN", "CONSUL_HTTP_TOKEN_FILE", "CONSUL_LICENSE", "CONSUL_LICENSE_PATH",
	"NOMAD_TOKEN", "NOMAD_LICENSE", "NOMAD_LICENSE_PATH",
	"VAULT_TOKEN", "VAULT_LICENSE", "VAULT_LICENSE_PATH",
	"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_METADATA_URL", "GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_OAUTH_ACCESS_TOKEN",
}

// environ is what tasks that share the host's environment see of the agent's.
func (c *Config) environ() map[string]string {
	deny := option(c.Options, "env.denylist", "env.blacklist")
	if deny == nil {
		deny = hidden
	}
	out := map[string]string{}
	for _, v := range os.Environ() {
		if name, value, ok := strings.Cut(v, "="); ok && name != "" && !slices.Contains(deny, name) {
			out[name] = value
		}
	}
	return out
}
