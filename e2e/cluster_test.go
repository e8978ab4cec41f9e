package e2e

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/nomad/api"
)

// TestLeaderDies kills the leader of three servers while work waits and runs. The
// others go on: what ran runs, what waited is placed when room appears, crashes are
// restarted, new jobs start. The killed one comes back and knows what happened.
func TestLeaderDies(t *testing.T) {
	servers := make([]*agent, 3)
	var join []string
	for i := range servers {
		servers[i] = newAgent(t, "")
		join = append(join, fmt.Sprintf("%q", fmt.Sprintf("127.0.0.1:%d", servers[i].ports[2])))
	}
	for i, s := range servers {
		s.append(fmt.Sprintf("name = \"s%d\"\nserver {\n enabled = true\n bootstrap_expect = 3\n server_join {\n retry_join = [%s]\n retry_interval = \"1s\"\n }\n}\n", i, strings.Join(join, ", ")))
		s.start()
	}
	leader := leaderOf(t, servers, nil)
	if out := leader.must("server", "members"); strings.Count(out, "alive") != 3 {
		t.Fatalf("the members are\n%s", out)
	}

	var rpc []string
	for _, s := range servers {
		rpc = append(rpc, fmt.Sprintf("%q", fmt.Sprintf("127.0.0.1:%d", s.ports[1])))
	}
	node := newAgent(t, fmt.Sprintf("name = \"c\"\nclient {\n enabled = true\n network_interface = \"lo\"\n servers = [%s]\n}\n", strings.Join(rpc, ", ")))
	node.start()
	node.ready(1)
	job := func(name string, memory int) string {
		return node.file(name+".hcl", strings.Replace(jobOf(name, "raw_exec", configs("")["raw_exec"], 1), "memory = 20", fmt.Sprintf("memory = %d", memory), 1))
	}
	node.must("job", "run", "-detach", job("before", 20))
	was := node.running("before", 1)[0]
	process := node.identify(was.ID)
	node.must("job", "run", "-detach", job("waits", 1<<20))

	leader.kill()
	next := leaderOf(t, servers, leader)
	node.must("job", "run", "-detach", job("after", 20))
	node.running("after", 1)
	if now := node.running("before", 1)[0]; now.ID != was.ID || node.identify(now.ID) != process {
		t.Errorf("allocation %s was %v, and %s is %v", was.ID, process, now.ID, node.identify(now.ID))
	}
	node.must("job", "run", "-detach", job("waits", 20))
	node.running("waits", 1)

	leader.start()
	eventually(t, 30*time.Second, "the killed server is a member again", func() error {
		out := next.must("server", "members")
		if strings.Count(out, "alive") != 3 {
			return fmt.Errorf("%s", out)
		}
		return nil
	})
	eventually(t, 30*time.Second, "it knows what happened without it", func() error {
		c, err := api.NewClient(&api.Config{Address: leader.addr()})
		if err != nil {
			return err
		}
		_, _, err = c.Jobs().Info("after", &api.QueryOptions{AllowStale: true})
		return err
	})
	for _, name := range []string{"before", "after", "waits"} {
		leader.must("job", "stop", "-purge", "-detach", name) // forwarded
	}
	eventually(t, 30*time.Second, "nothing runs", func() error {
		if left := processes(node.dir + "/data/alloc"); len(left) > 0 {
			return fmt.Errorf("%v", left)
		}
		return nil
	})
}

// leaderOf waits until the servers, but one, agree on a leader.
func leaderOf(t *testing.T, servers []*agent, dead *agent) (leader *agent) {
	t.Helper()
	eventually(t, 60*time.Second, "a leader is elected", func() error {
		leader = nil
		for _, s := range servers {
			if s == dead {
				continue
			}
			addr, err := s.client().Status().Leader()
			if err != nil {
				return err
			}
			for _, o := range servers {
				if addr == fmt.Sprintf("127.0.0.1:%d", o.ports[1]) && o != dead {
					if leader != nil && leader != o {
						return fmt.Errorf("they do not agree")
					}
					leader = o
				}
			}
			if leader == nil {
				return fmt.Errorf("the leader is %q", addr)
			}
		}
		return nil
	})
	return leader
}

// append adds to the agent's configuration.
func (a *agent) append(text string) {
	a.t.Helper()
	b, err := os.ReadFile(a.config)
	if err != nil {
		a.t.Fatal(err)
	}
	a.write(a.config, string(b)+text)
}
