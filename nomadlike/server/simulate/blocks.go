package simulate

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/gohcl"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/walk"
)

// nodesBlock is a group of equal nodes.
type nodesBlock struct {
	Count      *int              `hcl:"count"`
	Datacenter string            `hcl:"datacenter,optional"`
	Class      string            `hcl:"class,optional"`
	Pool       string            `hcl:"pool,optional"`
	CPU        *int64            `hcl:"cpu"`
	Cores      *int              `hcl:"cores"`
	Memory     *int64            `hcl:"memory"`
	Disk       *int64            `hcl:"disk"`
	MaxAllocs  int               `hcl:"max_allocs,optional"`
	Drivers    *[]string         `hcl:"drivers"`
	Attributes map[string]string `hcl:"attributes,optional"`
	Meta       map[string]string `hcl:"meta,optional"`
	Reserved   *reservedBlock    `hcl:"reserved,block"`
	Devices    []deviceBlock     `hcl:"device,block"`
}

type reservedBlock struct {
	CPU    int64  `hcl:"cpu,optional"`
	Memory int64  `hcl:"memory,optional"`
	Disk   int64  `hcl:"disk,optional"`
	Ports  string `hcl:"ports,optional"`
}

type deviceBlock struct {
	Name       string            `hcl:"name,label"` // vendor/type/model
	Count      int               `hcl:"count,optional"`
	Attributes map[string]string `hcl:"attributes,optional"`
}

// mostNodes bounds a group, and mostCores a node.
const (
	mostNodes = 20_000
	mostCores = 4096
)

func nodesStep(b *hclsyntax.Block) (*step, hcl.Diagnostics) {
	var g nodesBlock
	if diags := gohcl.DecodeBody(b.Body, nil, &g); diags.HasErrors() {
		return nil, diags
	}
	count := 1
	if g.Count != nil {
		count = *g.Count
	}
	at := func(field string) hcl.Range { return b.Body.Attributes[field].Expr.Range() }
	switch {
	case count < 1 || count > mostNodes:
		return nil, hcl.Diagnostics{fault(at("count"), "wrong number of nodes", fmt.Sprintf("count must be between 1 and %d", mostNodes))}
	case g.Cores != nil && (*g.Cores < 1 || *g.Cores > mostCores):
		return nil, hcl.Diagnostics{fault(at("cores"), "wrong number of cores", fmt.Sprintf("cores must be between 1 and %d", mostCores))}
	}
	for i, d := range g.Devices {
		if strings.Count(d.Name, "/") != 2 || d.Count < 0 || d.Count > mostCores {
			return nil, hcl.Diagnostics{fault(b.Body.Blocks[i].DefRange(), "wrong device", `write device "<vendor>/<type>/<model>" { count = <number> }`)}
		}
	}
	name := b.Labels[0]
	return &step{what: fmt.Sprintf("%s %q", counted(count), name), do: func(t *teller) error {
		first := 1
		for t.View().Node(NodeID(fmt.Sprintf("%s-%d", name, first))) != nil {
			first++ // a second block adds to the group
		}
		like := g.node(name)
		for i := range count {
			node := walk.Clone(like)
			node.Name = fmt.Sprintf("%s-%d", name, first+i)
			if err := t.AddNode(node); err != nil {
				return err
			}
			t.join(node.ID, name)
		}
		return nil
	}}, nil
}

// node is what the nodes of the group are like.
func (g *nodesBlock) node(name string) *n.Node {
	node := NodeLike(name, 0)
	node.Datacenter, node.NodePool = cmp.Or(g.Datacenter, node.Datacenter), cmp.Or(g.Pool, node.NodePool)
	node.NodeClass, node.NodeMaxAllocs = g.Class, g.MaxAllocs
	cores, mhz := 4, int64(4000)
	if g.Cores != nil {
		cores, mhz = *g.Cores, int64(*g.Cores)*1000
	}
	if g.CPU != nil {
		mhz = *g.CPU
	}
	setCores(node, uint16(cores), mhz)
	if g.Memory != nil {
		node.NodeResources.Memory.MemoryMB = *g.Memory
	}
	if g.Disk != nil {
		node.NodeResources.Disk.DiskMB = *g.Disk
	}
	if g.Drivers != nil {
		for _, d := range drivers {
			delete(node.Attributes, "driver."+d)
		}
		setDrivers(node, *g.Drivers)
	}
	for k, v := range g.Attributes {
		if node.Attributes[k] = v; v == "" {
			delete(node.Attributes, k)
		}
	}
	for k, v := range g.Meta {
		node.Meta[k] = v
	}
	if r := g.Reserved; r != nil {
		node.ReservedResources = n.ReservedResources{
			Cpu: n.ReservedCPU{CpuShares: uint64(max(r.CPU, 0))}, Memory: n.NodeMemory{MemoryMB: r.Memory}, Disk: n.NodeDisk{DiskMB: r.Disk},
			Networks: n.ReservedNetworks{ReservedHostPorts: r.Ports},
		}
	}
	for _, d := range g.Devices {
		node.NodeResources.Devices = append(node.NodeResources.Devices, d.device())
	}
	return node
}

func (d *deviceBlock) device() n.NodeDevice {
	parts := strings.SplitN(d.Name, "/", 3)
	out := n.NodeDevice{Vendor: parts[0], Type: parts[1], Name: parts[2], Attributes: d.Attributes}
	for i := range max(d.Count, 1) {
		out.Instances = append(out.Instances, n.DeviceInstance{ID: fmt.Sprintf("%s-%d", parts[2], i), Healthy: true})
	}
	return out
}

// eventBlock is something that happens. Which fields count depends on its kind.
type eventBlock struct {
	Nodes     string `hcl:"nodes,optional"` // a group
	Node      string `hcl:"node,optional"`
	Job       string `hcl:"job,optional"`
	Group     string `hcl:"group,optional"`
	Namespace string `hcl:"namespace,optional"`
	Count     *int   `hcl:"count"`
}

// events by kind: whether they are about nodes, and what they do.
var events = map[string]struct {
	nodes func(*teller, *n.Node) error
	from  func(*n.Node) bool // the nodes that it can happen to
	job   func(*teller, *eventBlock, n.JobKey) error
}{
	"node_down": {
		nodes: func(t *teller, node *n.Node) error { return t.NodeStatus(node.ID, n.NodeDown) },
		from:  func(node *n.Node) bool { return node.Status == n.NodeReady },
	},
	"node_up": {
		nodes: func(t *teller, node *n.Node) error { return t.NodeStatus(node.ID, n.NodeReady) },
		from:  func(node *n.Node) bool { return node.Status != n.NodeReady },
	},
	"node_ineligible": {
		nodes: func(t *teller, node *n.Node) error { return t.NodeEligibility(node.ID, false) },
		from:  func(node *n.Node) bool { return node.SchedulingEligibility != n.NodeIneligible },
	},
	"node_eligible": {
		nodes: func(t *teller, node *n.Node) error { return t.NodeEligibility(node.ID, true) },
		from:  func(node *n.Node) bool { return node.SchedulingEligibility == n.NodeIneligible },
	},
	"job_scaled":  {job: func(t *teller, e *eventBlock, k n.JobKey) error { return t.scale(k, e.Group, e.Count) }},
	"job_stopped": {job: func(t *teller, _ *eventBlock, k n.JobKey) error { return t.Deregister(k) }},
}

func eventStep(b *hclsyntax.Block) (*step, hcl.Diagnostics) {
	kind := b.Labels[0]
	event, ok := events[kind]
	if !ok {
		return nil, hcl.Diagnostics{fault(b.LabelRanges[0], fmt.Sprintf("unknown event %q", kind), "there are node_down, node_up, node_eligible, node_ineligible, job_scaled, job_stopped")}
	}
	var e eventBlock
	if diags := gohcl.DecodeBody(b.Body, nil, &e); diags.HasErrors() {
		return nil, diags
	}
	if event.job != nil {
		if e.Job == "" || kind == "job_scaled" && e.Count == nil || e.Nodes+e.Node != "" {
			return nil, hcl.Diagnostics{fault(b.DefRange(), "wrong event", `write job = "<id>", and for job_scaled also count, and group if the job has several`)}
		}
		what := fmt.Sprintf("%s: job %q", kind, e.Job)
		if e.Count != nil {
			what += fmt.Sprintf(", count %d", *e.Count)
		}
		k := n.JobKey{Namespace: cmp.Or(e.Namespace, n.DefaultNamespace), ID: n.JobID(e.Job)}
		return &step{what: what, do: func(t *teller) error { return event.job(t, &e, k) }}, nil
	}
	if (e.Nodes == "") == (e.Node == "") || e.Job+e.Group+e.Namespace != "" || e.Count != nil && *e.Count < 1 {
		return nil, hcl.Diagnostics{fault(b.DefRange(), "wrong event", `write nodes = "<group>" and maybe count, or node = "<name of one>"`)}
	}
	what := fmt.Sprintf("%s: %s", kind, e.Nodes+e.Node)
	if e.Count != nil {
		what += fmt.Sprintf(", %d of them", *e.Count)
	}
	return &step{what: what, do: func(t *teller) error {
		list, err := t.meant(&e, event.from)
		for _, node := range list {
			if err == nil {
				err = event.nodes(t, node)
			}
		}
		return err
	}}, nil
}

// meant lists the nodes of an event: of a group the first by name.
func (t *teller) meant(e *eventBlock, from func(*n.Node) bool) ([]*n.Node, error) {
	var list []*n.Node
	for node := range t.View().AllNodes(nil, "") {
		if from(node) && (node.Name == e.Node || e.Nodes != "" && t.groups[node.ID] == e.Nodes) {
			list = append(list, node)
		}
	}
	want := max(len(list), 1)
	if e.Count != nil {
		want = *e.Count
	}
	if len(list) < want {
		return nil, fmt.Errorf("of %q there is only %s that this can happen to; node groups are %s", e.Nodes+e.Node, counted(len(list)), strings.Join(t.order, ", "))
	}
	slices.SortFunc(list, func(a, b *n.Node) int {
		return cmp.Or(cmp.Compare(len(a.Name), len(b.Name)), cmp.Compare(a.Name, b.Name)) // web-2 before web-10
	})
	return list[:want], nil
}

// scale changes the count of a group.
func (t *teller) scale(k n.JobKey, group string, count *int) error {
	job := walk.Clone(t.View().Job(k))
	if job == nil {
		return fmt.Errorf("there is no job %q", k.ID)
	}
	if group == "" && len(job.TaskGroups) == 1 {
		group = job.TaskGroups[0].Name
	}
	g := job.Group(group)
	if g == nil {
		return fmt.Errorf("job %q has no group %q: write group = \"<name>\"", k.ID, group)
	}
	if *count < 0 {
		return fmt.Errorf("count is %d and must not be negative", *count)
	}
	g.Count = *count
	return t.Register(job)
}

func counted(nodes int) string {
	if nodes == 1 {
		return "1 node"
	}
	return fmt.Sprintf("%d nodes", nodes)
}
