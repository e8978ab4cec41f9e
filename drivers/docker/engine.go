package docker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/moby/moby/client"
)

// shortOperation bounds calls that are quick unless the engine is stuck.
const shortOperation = 5 * time.Minute

// engineInfo is what the driver needs to know of the engine.
type engineInfo struct {
	Version, APIVersion, OSType string
	CPUs                        int
	Runtimes                    []string // sorted
	Swappiness                  bool     // can be set for a container
	PidsLimit                   bool
	Bridge                      string // address of the default bridge
}

// atLeast compares the version of the API.
func (e *engineInfo) atLeast(major, minor int) bool {
	x, y := apiVersion(e.APIVersion)
	return x > major || x == major && y >= minor
}

func apiVersion(s string) (major, minor int) {
	a, b, _ := strings.Cut(s, ".")
	major, _ = strconv.Atoi(a)
	minor, _ = strconv.Atoi(b)
	return major, minor
}

// errOlder says that the engine is older than the one first talked to.
var errOlder = errors.New("the engine does not speak the version of the API that was agreed on")

// connect makes a client of the engine that the plugin is configured for. It
// does not talk to it.
func connect(c *config) (*client.Client, error) {
	opts := []client.Opt{client.FromEnv, client.WithUserAgent("nomadlike-driver-docker/" + version)}
	if c.Endpoint != "" {
		opts = append(opts, client.WithHost(c.Endpoint))
	}
	if c.TLS.Cert != "" || c.TLS.CA != "" {
		opts = append(opts, client.WithTLSClientConfig(c.TLS.CA, c.TLS.Cert, c.TLS.Key))
	}
	cli, err := client.New(opts...)
	if err != nil {
		return nil, fmt.Errorf("client of the docker engine: %w", err)
	}
	return cli, nil
}

// look asks the engine what it is.
func look(ctx context.Context, cli *client.Client) (engineInfo, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	ping, err := cli.Ping(ctx, client.PingOptions{NegotiateAPIVersion: true})
	if err != nil {
		return engineInfo{}, err
	}
	speaks := engineInfo{APIVersion: ping.APIVersion}
	if major, minor := apiVersion(cli.ClientVersion()); ping.APIVersion != "" && !speaks.atLeast(major, minor) {
		return engineInfo{}, errOlder
	}
	v, err := cli.Info(ctx, client.InfoOptions{})
	if err != nil {
		return engineInfo{}, err
	}
	out := engineInfo{
		Version: v.Info.ServerVersion, APIVersion: cli.ClientVersion(), OSType: v.Info.OSType, CPUs: v.Info.NCPU,
		Runtimes: slices.Sorted(maps.Keys(v.Info.Runtimes)), Swappiness: v.Info.CgroupVersion != "2" && v.Info.OSType != windows,
		PidsLimit: v.Info.PidsLimit,
	}
	// Not every engine has the network; then there is no address to tell.
	if n, err := cli.NetworkInspect(ctx, "bridge", client.NetworkInspectOptions{}); err == nil {
		for _, c := range n.Network.IPAM.Config {
			if c.Gateway.IsValid() {
				out.Bridge = c.Gateway.String()
				break
			}
		}
	}
	return out, nil
}

// away reports whether an error says that the engine can not be reached now,
// rather than anything of the container asked about.
func away(err error) bool {
	if err == nil || cerrdefs.IsNotFound(err) || cerrdefs.IsConflict(err) || cerrdefs.IsInvalidArgument(err) || cerrdefs.IsNotModified(err) {
		return false
	}
	return !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
}

// backoff counts attempts and says how long to wait before the next.
type backoff struct {
	least, most time.Duration
	failures    int
}

// wait sleeps and returns false when ctx has ended.
func (b *backoff) wait(ctx context.Context) bool {
	d := min(b.least<<min(b.failures, 20), b.most)
	b.failures++
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

func (b *backoff) reset() { b.failures = 0 }

const version = "0.1.0"
