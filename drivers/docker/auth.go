package docker

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/distribution/reference"
	"github.com/moby/moby/api/pkg/authconfig"
	"github.com/moby/moby/api/types/registry"
)

// defaultRegistry is where images come from whose name has no registry in it.
var defaultRegistry = func() string {
	n, _ := reference.ParseNormalizedNamed("x")
	return reference.Domain(n)
}()

// defaultKey is the name under which its credentials are kept.
var defaultKey = "https://index." + defaultRegistry + "/v1/"

// helperTimeout bounds a credential helper.
const helperTimeout = 30 * time.Second

// credentials finds those for an image: the task's, those of the configuration
// file, those of the helper, or none. The result is in the form that the engine
// takes, empty for none.
func (s *spec) credentials(ctx context.Context, image reference.Named) (string, error) {
	a := &s.task.Auth
	found := &registry.AuthConfig{Username: a.Username, Password: a.Password, ServerAddress: a.ServerAddress}
	if a.Username == "" && a.Password == "" {
		var err error
		found, err = s.plugin.credentials(ctx, reference.Domain(image))
		if err != nil {
			if s.task.AuthSoftFail {
				return "", nil
			}
			return "", fmt.Errorf("find credentials for %s: %w", reference.Domain(image), err)
		}
	}
	if found == nil {
		return "", nil
	}
	return authconfig.Encode(*found)
}

// credentials are those that the operator provides for a registry, nil for none.
func (c *config) credentials(ctx context.Context, domain string) (*registry.AuthConfig, error) {
	if c.Auth.Config != "" {
		found, err := fileCredentials(ctx, c.Auth.Config, domain)
		if err != nil || found != nil {
			return found, err
		}
	}
	if c.Auth.Helper != "" {
		return helperCredentials(ctx, c.Auth.Helper, domain)
	}
	return nil, nil
}

// configFile is the part of Docker's own config.json that holds credentials.
type configFile struct {
	Auths map[string]struct {
		Auth          string `json:"auth"` // base64 of user:password
		Username      string `json:"username"`
		Password      string `json:"password"`
		IdentityToken string `json:"identitytoken"`
	} `json:"auths"`
	CredHelpers map[string]string `json:"credHelpers"`
	CredsStore  string            `json:"credsStore"`
}

func fileCredentials(ctx context.Context, path, domain string) (*registry.AuthConfig, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("auth.config: %w", err)
	}
	var f configFile
	if err := json.Unmarshal(b, &f); err != nil {
		return nil, fmt.Errorf("auth.config: %s: %w", path, err)
	}
	if helper := f.CredHelpers[domain]; helper != "" {
		return helperCredentials(ctx, helper, domain)
	}
	if f.CredsStore != "" {
		if found, err := helperCredentials(ctx, f.CredsStore, domain); err != nil || found != nil {
			return found, err
		}
	}
	for key, a := range f.Auths {
		if registryHost(key) != registryHost(domain) {
			continue
		}
		out := &registry.AuthConfig{Username: a.Username, Password: a.Password, IdentityToken: a.IdentityToken, ServerAddress: key}
		if a.Auth != "" {
			plain, err := base64.StdEncoding.DecodeString(a.Auth)
			user, password, ok := strings.Cut(string(plain), ":")
			if err != nil || !ok {
				return nil, fmt.Errorf("auth.config: %s: auths[%q].auth must be the base64 of user:password", path, key)
			}
			out.Username, out.Password = user, strings.TrimRight(password, "\x00")
		}
		return out, nil
	}
	return nil, nil
}

// registryHost brings the names that one registry has in configuration files
// together.
func registryHost(key string) string {
	host := strings.TrimPrefix(strings.TrimPrefix(key, "https://"), "http://")
	host, _, _ = strings.Cut(host, "/")
	switch host {
	case "index.docker.io", "registry-1.docker.io":
		return "docker.io"
	}
	return host
}

// helperCredentials asks a program by the protocol of Docker's credential helpers.
func helperCredentials(ctx context.Context, name, domain string) (*registry.AuthConfig, error) {
	ctx, cancel := context.WithTimeout(ctx, helperTimeout)
	defer cancel()
	program := "docker-credential-" + name
	key := domain
	if domain == defaultRegistry {
		key = defaultKey
	}
	cmd := exec.CommandContext(ctx, program, "get")
	cmd.Stdin = strings.NewReader(key)
	cmd.WaitDelay = time.Second
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Run(); err != nil {
		said := strings.TrimSpace(out.String() + " " + errOut.String())
		if strings.Contains(said, "credentials not found") {
			return nil, nil
		}
		return nil, fmt.Errorf("%s: %w: %s", program, err, said)
	}
	var got struct{ Username, Secret string }
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		return nil, fmt.Errorf("%s: %w", program, err)
	}
	switch {
	case got.Username == "" || got.Secret == "":
		return nil, errors.New(program + " returned no user name or no secret")
	case got.Username == "<token>":
		return &registry.AuthConfig{IdentityToken: got.Secret, ServerAddress: key}, nil
	}
	return &registry.AuthConfig{Username: got.Username, Password: got.Secret, ServerAddress: key}, nil
}
