package server

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/nomadlike/nomadlike/jobspec"
	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
	"github.com/nomadlike/nomadlike/nomadlike/errs"
	"github.com/nomadlike/nomadlike/nomadlike/server/heartbeat"
)

// alone runs a server that notices silence within half a second.
func alone(t *testing.T) *Server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(Config{
		Region: "global", Datacenter: "dc1", NodeName: "s1", Listener: l, BootstrapExpect: 1, Workers: 1,
		Dial: func(ctx context.Context, addr string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", addr)
		},
		Heartbeat: heartbeat.Options{MinTTL: 100 * time.Millisecond, Grace: 300 * time.Millisecond},
		Logger:    hclog.NewNullLogger(), Metrics: prometheus.NewRegistry(),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return s
}

func ask[Req, Resp any](t *testing.T, s *Server, call api.Call[Req, Resp], req *Req) *Resp {
	t.Helper()
	resp, err := api.Do(t.Context(), s, call, req)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within 10 s: %s", what)
		}
	}
}

// TestSilence lets a node fall silent twice. The first time it comes back, tells of
// its allocation and is ready again; the second time it is given up when there is
// nothing left on it to wait for.
func TestSilence(t *testing.T) {
	s := alone(t)
	node := &n.Node{
		ID: "11111111-2222-4333-8444-555555555555", Name: "one", Datacenter: "dc1",
		Attributes:    map[string]string{"driver.raw_exec": "1", "kernel.name": "linux"},
		Drivers:       map[string]*n.DriverInfo{"raw_exec": {Detected: true, Healthy: true}},
		NodeResources: n.NodeResources{Cpu: n.NodeCPU{CpuShares: 4000}, Memory: n.NodeMemory{MemoryMB: 4000}, Disk: n.NodeDisk{DiskMB: 10000}},
	}
	ask(t, s, api.NodeRegister, &n.NodeRegister{Node: node, SecretID: "s"})
	beat := func() *n.NodeHeartbeatReply {
		return ask(t, s, api.NodeHeartbeat, &n.NodeHeartbeat{NodeID: node.ID, SecretID: "s", Status: n.NodeReady})
	}
	status := func() n.NodeStatus { return s.store.Read().Node(node.ID).Status }
	if beat(); status() != n.NodeReady {
		t.Fatalf("the node is %s", status())
	}
	const lostAfter = 3 * time.Second
	file, err := jobspec.Parse("web.hcl", []byte(`job "web" {
  group "g" {
    disconnect {
      lost_after = "3s"
      replace    = false
    }
    task "t" {
      driver = "raw_exec"
      config { command = "a" }
    }
  }
}`), jobspec.Options{Strict: true})
	if err != nil {
		t.Fatal(err)
	}
	ask(t, s, api.JobRegister, &n.JobRegister{Job: file.Job})
	var a *n.Allocation
	until(t, "the job has an allocation", func() bool {
		beat()
		for a = range s.store.Read().JobAllocs(nil, n.JobKey{Namespace: "default", ID: "web"}) {
			return true
		}
		return false
	})
	says := func() error {
		_, err := api.Do(t.Context(), s, api.NodeUpdateAllocs, &n.AllocUpdates{NodeID: node.ID, SecretID: "s", Updates: []n.AllocUpdate{{ID: a.ID, ClientStatus: n.ClientRunning}}})
		return err
	}
	is := func() *n.Allocation { return s.store.Read().Alloc(a.ID) }
	if err := says(); err != nil {
		t.Fatal(err)
	}

	until(t, "the node is disconnected", func() bool { return status() == n.NodeDisconnected })
	until(t, "the allocation is unknown", func() bool { return is().ClientStatus == n.ClientUnknown })
	if err := says(); !errs.Is(err, errs.Conflict) {
		t.Errorf("news of a node that is not heard of: %v", err)
	}
	if reply := beat(); !reply.GivenUp || status() != n.NodeInitializing {
		t.Errorf("it is back, and %s: %+v", status(), reply)
	}
	if reply := beat(); reply.GivenUp || status() != n.NodeInitializing {
		t.Errorf("before it has told of its allocations it is %s: %+v", status(), reply)
	}
	if err := says(); err != nil {
		t.Fatal(err)
	}
	if beat(); status() != n.NodeReady {
		t.Errorf("after it has told of its allocations it is %s", status())
	}
	until(t, "the allocation goes on", func() bool {
		beat()
		return !is().Returning() && is().ClientStatus == n.ClientRunning
	})

	until(t, "the node is disconnected again", func() bool { return status() == n.NodeDisconnected })
	since := time.Now()
	until(t, "the allocation is lost", func() bool { return is().ClientStatus == n.ClientLost })
	if took := time.Since(since); took < lostAfter-1500*time.Millisecond {
		t.Errorf("it was lost after %v", took)
	}
	until(t, "the node is given up", func() bool { return status() == n.NodeDown })
	if beat(); status() != n.NodeReady {
		t.Errorf("a node that was down and is heard of is %s", status())
	}
}
