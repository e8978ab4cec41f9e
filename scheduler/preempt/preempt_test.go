package preempt

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// node is a node in words: what it has, and what runs on it, a line each.
type node struct {
	has       Amounts
	addresses []string
	dynamic   int // ports that are given to those who do not ask for a certain one
	slots     int // allocations that it takes; 0: any number
	tenants   []Tenant
	ports     map[n.AllocID][]string // port@address
	uses      map[n.AllocID]int      // of the dynamic ports
}

// TestChoose tells of nodes and of those who come, a file each. The commands:
//
//	node cpu=<MHz> memory=<MB> [disk=<MB>] [addresses=<a>,<b>] [dynamic=<ports>] [slots=<allocations>]
//	   what runs on it, the oldest first: <name> priority=<n> cpu= memory= [disk=] [port=<p>[@<address>],...] [dynamic=<n>]
//	   [max_parallel=<n>] [before=<n of its group that leave already>] [namespace=] [desired=stop|evict] [client=] [unknown]
//	ask [job=] priority=<n> [cpu=] [memory=] [disk=] [port=<p>,...] [dynamic=<n>]
func TestChoose(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		var x *node
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			args := map[string]string{}
			for _, a := range d.CmdArgs {
				args[a.Key] = strings.Join(a.Vals, ",")
			}
			switch d.Cmd {
			case "node":
				x = parse(t, args, d.Input)
				return fmt.Sprintf("free: cpu %d, memory %d, disk %d\n", x.free()[0], x.free()[1], x.free()[2])
			case "ask":
				return x.answer(x.request(t, args))
			}
			t.Fatalf("%s: unknown command %q", d.Pos, d.Cmd)
			return ""
		})
	})
}

func number(t *testing.T, args map[string]string, name string) int {
	t.Helper()
	if args[name] == "" {
		return 0
	}
	i, err := strconv.Atoi(args[name])
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func amounts(t *testing.T, args map[string]string) (a Amounts) {
	for i, name := range []string{"cpu", "memory", "disk"} {
		a[i] = int64(number(t, args, name))
	}
	return a
}

func words(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' })
}

func parse(t *testing.T, args map[string]string, lines string) *node {
	x := &node{
		has: amounts(t, args), addresses: words(args["addresses"]), dynamic: number(t, args, "dynamic"), slots: number(t, args, "slots"),
		ports: map[n.AllocID][]string{}, uses: map[n.AllocID]int{},
	}
	if len(x.addresses) == 0 {
		x.addresses = []string{"a"}
	}
	for line := range strings.Lines(lines) {
		name, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		args := map[string]string{}
		for _, f := range strings.Fields(rest) {
			k, v, _ := strings.Cut(f, "=")
			args[k] = v
		}
		x.add(t, name, args)
	}
	return x
}

func (x *node) add(t *testing.T, name string, args map[string]string) {
	job, group, ok := strings.Cut(name, ".")
	group, _, ok2 := strings.Cut(group, "[")
	if !ok || !ok2 {
		t.Fatalf("%q is no name of an allocation", name)
	}
	namespace := args["namespace"]
	if namespace == "" {
		namespace = "default"
	}
	a := &n.Allocation{
		ID: n.AllocID(fmt.Sprintf("%s/%d", name, len(x.tenants))), Name: name, Namespace: namespace, JobID: n.JobID(job), TaskGroup: group,
		DesiredStatus: n.DesiredRun, ClientStatus: n.ClientRunning, CreateIndex: uint64(len(x.tenants)),
	}
	if args["desired"] != "" {
		a.DesiredStatus = n.DesiredStatus(args["desired"])
	}
	if args["client"] != "" {
		a.ClientStatus = n.ClientStatus(args["client"])
	}
	tenant := Tenant{Alloc: a, Uses: amounts(t, args), Before: number(t, args, "before")}
	if _, unknown := args["unknown"]; !unknown {
		g := n.Group{Name: group}
		if most := number(t, args, "max_parallel"); most > 0 {
			g.Migrate = &n.Migrate{MaxParallel: most}
		}
		tenant.Job = &n.Job{ID: a.JobID, Namespace: namespace, Priority: number(t, args, "priority"), TaskGroups: []n.Group{g}}
	}
	for _, p := range words(args["port"]) {
		if !strings.Contains(p, "@") {
			p += "@" + x.addresses[0]
		}
		x.ports[a.ID] = append(x.ports[a.ID], p)
	}
	x.uses[a.ID] = number(t, args, "dynamic")
	x.tenants = append(x.tenants, tenant)
}

func (x *node) free() Amounts {
	free := x.has
	for _, t := range x.tenants {
		free = free.minus(t.Uses)
	}
	return free
}

func (x *node) request(t *testing.T, args map[string]string) *Request {
	job := args["job"]
	if job == "" {
		job = "ask"
	}
	return &Request{
		Job: &n.Job{ID: n.JobID(job), Namespace: "default", Priority: number(t, args, "priority")}, Asks: amounts(t, args), Free: x.free(),
		Tenants: x.tenants, Fits: x.fits(words(args["port"]), number(t, args, "dynamic")),
	}
}

// fits is what a node knows beside amounts: who has which ports, and how many.
func (x *node) fits(ports []string, dynamic int) func(map[n.AllocID]bool) bool {
	return func(gone map[n.AllocID]bool) bool {
		used, chosen, slots := map[string]bool{}, 0, 0
		for _, t := range x.tenants {
			if id := t.Alloc.ID; !gone[id] {
				slots++
				chosen += x.uses[id]
				for _, p := range x.ports[id] {
					used[p] = true
				}
			}
		}
		for _, p := range ports {
			if !slices.ContainsFunc(x.addresses, func(addr string) bool { return !used[p+"@"+addr] }) {
				return false
			}
		}
		return chosen+dynamic <= x.dynamic && (x.slots == 0 || slots < x.slots)
	}
}

func (x *node) answer(r *Request) string {
	chosen := Choose(r)
	if len(chosen) == 0 {
		if r.Free.covers(r.Asks) && r.Fits(nil) {
			return "fits beside them\n"
		}
		return "no way\n"
	}
	var out strings.Builder
	free := r.Free
	for _, t := range chosen {
		fmt.Fprintf(&out, "%s leaves (priority %d)\n", t.Alloc.Name, t.Job.Priority)
		free = free.plus(t.Uses)
	}
	fmt.Fprintf(&out, "then free: cpu %d, memory %d, disk %d\n", free[0], free[1], free[2])
	return out.String()
}

// random makes a node with a few allocations, crowded in one way or another.
func random(t *testing.T, r *rand.Rand) *node {
	x := parse(t, map[string]string{"cpu": "4000", "memory": "4000", "disk": "4000", "dynamic": strconv.Itoa(r.IntN(6)), "slots": []string{"", "5", "8"}[r.IntN(3)], "addresses": []string{"a", "a,b"}[r.IntN(2)]}, "")
	for i := range r.IntN(9) {
		args := map[string]string{"priority": strconv.Itoa(10 * (1 + r.IntN(7)))}
		for _, dim := range []string{"cpu", "memory", "disk"} {
			args[dim] = strconv.Itoa(r.IntN(1500))
		}
		if r.IntN(3) == 0 {
			args["port"] = fmt.Sprintf("%d@%s", 8080+r.IntN(2), x.addresses[r.IntN(len(x.addresses))])
		}
		if r.IntN(4) == 0 {
			args["dynamic"] = "1"
		}
		if r.IntN(6) == 0 {
			args["desired"] = "stop"
		}
		if r.IntN(3) == 0 {
			args["max_parallel"], args["before"] = "1", strconv.Itoa(r.IntN(3))
		}
		x.add(t, fmt.Sprintf("job%d.g[%d]", r.IntN(4), i), args)
	}
	return x
}

// TestAnyNode compares choices with all that there are: there is one whenever
// there can be one, nobody in it may stay, nobody is more important than need
// be, and the order in which the allocations are listed makes no difference.
func TestAnyNode(t *testing.T) {
	found := 0
	for seed := range uint64(5000) {
		r := rand.New(rand.NewPCG(seed, 1))
		x := random(t, r)
		args := map[string]string{"job": "job0", "priority": strconv.Itoa(20 + 10*r.IntN(6)), "port": []string{"", "", "8080", "8080,8081"}[r.IntN(4)], "dynamic": strconv.Itoa(r.IntN(2))}
		for _, dim := range []string{"cpu", "memory", "disk"} {
			args[dim] = strconv.Itoa(r.IntN(2000))
		}
		req := x.request(t, args)
		chosen := Choose(req)
		want := x.least(req)
		switch {
		case enough(req, nil):
			if len(chosen) > 0 {
				t.Errorf("seed %d: %d leave though there is room", seed, len(chosen))
			}
			continue
		case math.IsInf(want, 1) != (len(chosen) == 0):
			t.Errorf("seed %d: %d leave, and the least important way is %v", seed, len(chosen), want)
			continue
		case len(chosen) == 0:
			continue
		}
		found++
		x.sound(t, seed, req, chosen, want)
		r.Shuffle(len(req.Tenants), func(i, j int) { req.Tenants[i], req.Tenants[j] = req.Tenants[j], req.Tenants[i] })
		again := Choose(req)
		if !slices.EqualFunc(chosen, again, func(a, b Tenant) bool { return a.Alloc.ID == b.Alloc.ID }) {
			t.Errorf("seed %d: another order, another choice", seed)
		}
	}
	if found < 500 {
		t.Errorf("only %d of the nodes were worth a look", found)
	}
}

func enough(r *Request, chosen []Tenant) bool {
	free, gone := r.Free, map[n.AllocID]bool{}
	for _, t := range chosen {
		free = free.plus(t.Uses)
		gone[t.Alloc.ID] = true
	}
	return free.covers(r.Asks) && r.Fits(gone)
}

// least is how important the most important one is in the best of all ways.
func (x *node) least(r *Request) float64 {
	best := math.Inf(1)
	all := Candidates(r.Job, r.Tenants)
	for set := range 1 << len(all) {
		var chosen []Tenant
		highest := 0.0
		for i := range all {
			if set&(1<<i) != 0 {
				chosen = append(chosen, all[i])
				highest = max(highest, float64(all[i].Job.Priority))
			}
		}
		if highest < best && enough(r, chosen) {
			best = highest
		}
	}
	return best
}

func (x *node) sound(t *testing.T, seed uint64, r *Request, chosen []Tenant, want float64) {
	t.Helper()
	if !enough(r, chosen) {
		t.Errorf("seed %d: those who leave are not enough", seed)
	}
	highest := 0.0
	for i := range chosen {
		highest = max(highest, float64(chosen[i].Job.Priority))
		if !May(r.Job, &chosen[i]) {
			t.Errorf("seed %d: %s must not leave", seed, chosen[i].Alloc.Name)
		}
		if enough(r, slices.Delete(slices.Clone(chosen), i, i+1)) {
			t.Errorf("seed %d: %s need not leave", seed, chosen[i].Alloc.Name)
		}
	}
	if highest > want {
		t.Errorf("seed %d: one of priority %v leaves where %v is enough", seed, highest, want)
	}
}

// TestDistance holds the numbers of the reference.
func TestDistance(t *testing.T) {
	for _, c := range []struct {
		needed, uses Amounts
		want         float64
	}{
		{Amounts{100, 100, 100}, Amounts{100, 100, 100}, 0},
		{Amounts{100, 100, 100}, Amounts{}, math.Sqrt(3)},
		{Amounts{100, 0, 0}, Amounts{50, 900, 900}, 0.5},
		{Amounts{100, 200, 0}, Amounts{200, 100, 0}, math.Sqrt(1.25)},
		{Amounts{-5, 0, 10}, Amounts{1, 1, 10}, 0},
	} {
		if got := distance(c.needed, c.uses); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("from %v to %v: %v; want %v", c.needed, c.uses, got, c.want)
		}
	}
	for _, c := range []struct {
		most, before int
		want         float64
	}{{0, 9, 0}, {1, 0, 0}, {1, 1, 50}, {1, 2, 100}, {3, 2, 0}, {3, 5, 150}} {
		one := Tenant{
			Alloc: &n.Allocation{TaskGroup: "g"}, Before: c.before,
			Job: &n.Job{TaskGroups: []n.Group{{Name: "g", Migrate: &n.Migrate{MaxParallel: c.most}}}},
		}
		if got := (&Request{}).penalty(&one); got != c.want {
			t.Errorf("max_parallel %d, %d leave: %v; want %v", c.most, c.before, got, c.want)
		}
	}
}
