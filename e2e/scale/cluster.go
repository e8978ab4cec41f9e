package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
	"github.com/nomadlike/nomadlike/nomadlike/rpc"
)

// A cluster is the servers' processes.
type cluster struct {
	servers []*process
	pool    *rpc.Pool // for what a user asks
}

// A process is one agent that is a server.
type process struct {
	dir   string
	ports [3]int // HTTP, RPC, gossip
	cmd   *exec.Cmd
	ended chan struct{}
}

func startCluster(ctx context.Context, o *options) (*cluster, error) {
	c := &cluster{pool: newPool()}
	var join []string
	for i := range o.servers {
		p := &process{dir: filepath.Join(o.dir, fmt.Sprint("server", i)), ended: make(chan struct{})}
		if err := p.choosePorts(); err != nil {
			return nil, err
		}
		c.servers = append(c.servers, p)
		join = append(join, fmt.Sprintf("%q", p.addr(2)))
	}
	for i, p := range c.servers {
		if err := p.start(o, i, strings.Join(join, ", ")); err != nil {
			return nil, errors.Join(err, c.stop())
		}
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	err := eventually(ctx, 50*time.Millisecond, func() (bool, error) {
		select {
		case <-c.servers[0].ended:
			return false, errors.New("a server has ended")
		default:
		}
		reply, err := api.Do(ctx, c.user(), api.StatusLeader, &n.ListRequest{})
		return err == nil && reply.Value != "", ctx.Err()
	})
	if err != nil {
		said, _ := os.ReadFile(c.servers[0].log())
		return nil, errors.Join(fmt.Errorf("the servers do not begin: %w; the first says\n%s", err, said), c.stop())
	}
	return c, nil
}

// user calls the first server.
func (c *cluster) user() api.Caller { return api.Remote(c.pool.To(c.servers[0].addr(1))) }

func (p *process) addr(port int) string { return fmt.Sprintf("127.0.0.1:%d", p.ports[port]) }
func (p *process) log() string          { return filepath.Join(p.dir, "agent.log") }

// choosePorts finds ports that nobody uses.
func (p *process) choosePorts() error {
	for i := range p.ports {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer l.Close()
		p.ports[i] = l.Addr().(*net.TCPAddr).Port
	}
	return nil
}

func (p *process) start(o *options, number int, join string) error {
	if err := os.MkdirAll(p.dir, 0o755); err != nil {
		return err
	}
	config := fmt.Sprintf(`
name         = "s%d"
data_dir     = %q
bind_addr    = "127.0.0.1"
log_level    = "WARN"
enable_debug = true
ports {
  http = %d
  rpc  = %d
  serf = %d
}
advertise {
  http = "127.0.0.1"
  rpc  = "127.0.0.1"
  serf = "127.0.0.1"
}
server {
  enabled          = true
  bootstrap_expect = %d
  server_join {
    retry_join     = [%s]
    retry_interval = "1s"
  }
}
`, number, filepath.Join(p.dir, "data"), p.ports[0], p.ports[1], p.ports[2], o.servers, join)
	path := filepath.Join(p.dir, "agent.hcl")
	if err := os.WriteFile(path, []byte(config), 0o644); err != nil {
		return err
	}
	out, err := os.Create(p.log())
	if err != nil {
		return err
	}
	defer out.Close()
	p.cmd = exec.Command(o.binary, "agent", "-config", path)
	p.cmd.Stdout, p.cmd.Stderr = out, out
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		return fmt.Errorf("%w: make build makes it", err)
	}
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait() // how it ended is of no interest, only that
	}()
	return nil
}

// stop ends the servers. It may be called again.
func (c *cluster) stop() error {
	c.pool.Close()
	for _, p := range c.servers {
		if p.cmd != nil && p.cmd.Process != nil {
			_ = p.cmd.Process.Signal(os.Interrupt) // it may have ended
		}
	}
	for _, p := range c.servers {
		if p.cmd == nil || p.cmd.Process == nil {
			continue
		}
		select {
		case <-p.ended:
		case <-time.After(time.Minute):
			_ = p.cmd.Process.Kill()
			return fmt.Errorf("server %d did not stop in a minute and was killed", p.cmd.Process.Pid)
		}
	}
	return nil
}

func newPool() *rpc.Pool {
	return rpc.NewPool(rpc.PoolOptions{Dial: func(ctx context.Context, addr string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", addr)
	}})
}
