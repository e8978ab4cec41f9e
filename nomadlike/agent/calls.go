package agent

import (
	"context"
	"encoding/json"
	"os"
	"runtime"
	"strconv"

	"github.com/nomadlike/nomadlike/jobspec"
	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
	"github.com/nomadlike/nomadlike/nomadlike/errs"
)

// bind says which calls the agent answers itself.
func (a *Agent) bind() {
	a.calls = api.NewHandlers()
	api.Bind(a.calls, api.AgentSelf, a.self)
	api.Bind(a.calls, api.AgentJoin, a.join)
	api.Bind(a.calls, api.AgentForceLeave, a.forceLeave)
	api.Bind(a.calls, api.JobParse, a.jobParse)
}

// Call makes a call for the HTTP API: to the agent itself, to its server, or
// through its client to a server.
func (a *Agent) Call(ctx context.Context, r *api.Row, req any) (any, error) {
	return a.to(r, req).Call(ctx, r, req)
}

// Stream is Call for calls with any number of answers.
func (a *Agent) Stream(ctx context.Context, r *api.Row, req any, send func(any) error) error {
	return a.to(r, req).Stream(ctx, r, req, send)
}

func (a *Agent) to(r *api.Row, req any) api.Caller {
	switch {
	case r.Where == api.Agent:
		return a.calls
	case r.Where == api.Node && a.client != nil && a.isHere(req.(n.NodeTarget)):
		return a.client.Handlers()
	case a.server != nil:
		return a.server
	}
	return a.client.ToServers()
}

// isHere reports a request for this agent's own node.
func (a *Agent) isHere(t n.NodeTarget) bool {
	node, alloc := t.Target()
	if alloc != "" {
		return a.client.Has(alloc)
	}
	return node == "" || node == a.client.NodeID()
}

func (a *Agent) self(context.Context, *n.ListRequest) (*n.Reply[*n.AgentSelf], error) {
	shown, err := json.Marshal(a.shown())
	if err != nil {
		return nil, err
	}
	var raw n.Raw
	if err := raw.UnmarshalJSON(shown); err != nil {
		return nil, err
	}
	out := &n.AgentSelf{Member: n.AgentMember{Status: "none"}, Stats: map[string]map[string]string{}, Config: raw}
	hostname, _ := os.Hostname()
	out.Stats["runtime"] = map[string]string{
		"arch": runtime.GOARCH, "version": runtime.Version(), "max_procs": strconv.Itoa(runtime.GOMAXPROCS(0)),
		"goroutines": strconv.Itoa(runtime.NumGoroutine()), "cpu_count": strconv.Itoa(runtime.NumCPU()), "kernel.name": runtime.GOOS, "hostname": hostname,
	}
	if a.server != nil {
		out.Member = a.server.Member()
		for part, stats := range a.server.Stats() {
			out.Stats[part] = stats
		}
	}
	if a.client != nil {
		out.Stats["client"] = a.client.Stats()
	}
	return &n.Reply[*n.AgentSelf]{Value: out}, nil
}

// shown is the configuration with what older tools look for in it.
func (a *Agent) shown() any {
	type version struct{ Version, VersionPrerelease, VersionMetadata, Revision string }
	type enabled struct{ Enabled bool }
	type ui struct {
		Enabled      bool
		ShowCLIHints bool
	}
	c := a.config
	return struct {
		Region, Datacenter, NodeName, DataDir, LogLevel, BindAddr string
		Version                                                   version
		ACL                                                       enabled
		UI                                                        ui
		Server                                                    any
		Client                                                    any
		Telemetry                                                 any
		Ports                                                     any
		AdvertiseAddrs                                            any
		DevMode                                                   bool
		Files                                                     []string
	}{
		c.Region, c.Datacenter, c.Name, c.DataDir, c.LogLevel, c.BindAddr,
		version{Version: n.CompatibilityVersion, VersionMetadata: "nomadlike." + a.version.Version, Revision: a.version.Revision},
		enabled{}, ui{Enabled: c.UI.Enabled}, c.Server, c.Client, c.Telemetry, c.Ports, c.Advertise, c.Dev, c.Files,
	}
}

var errNoServer = errs.New(errs.Unsupported, "Invalid method") // the text that clients know for an agent without a server

func (a *Agent) join(_ context.Context, req *n.AgentJoin) (*n.AgentJoined, error) {
	if a.server == nil {
		return nil, errNoServer
	}
	if len(req.Addresses) == 0 {
		return nil, errs.New(errs.Invalid, "missing address to join")
	}
	joined, err := a.server.JoinServers(req.Addresses)
	out := &n.AgentJoined{Joined: joined}
	if err != nil {
		out.Error = err.Error()
	}
	return out, nil
}

func (a *Agent) forceLeave(_ context.Context, req *n.AgentForceLeave) (*n.Empty, error) {
	if a.server == nil {
		return nil, errNoServer
	}
	if req.Node == "" {
		return nil, errs.New(errs.Invalid, "missing node to force leave")
	}
	return &n.Empty{}, a.server.ForceLeave(req.Node, req.Prune)
}

// jobParse turns a job file into a job. The file's functions that read the disk
// and the environment do not work here: they would be the agent's.
func (a *Agent) jobParse(_ context.Context, req *n.JobParse) (*n.Raw, error) {
	if req.JobHCL == "" {
		return nil, errs.New(errs.Invalid, "Job spec is empty")
	}
	file, err := jobspec.Parse("job.nomad.hcl", []byte(req.JobHCL), jobspec.Options{VarText: req.Variables})
	if err != nil {
		return nil, errs.Newf(errs.Invalid, "Failed to parse job: %w", err)
	}
	job, err := file.JSON(req.Canonicalize)
	return &job, err
}
