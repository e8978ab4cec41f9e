package jobspec

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// special is what a type's tags can not say.
type special struct {
	attrs  map[string]func(v reflect.Value, value cty.Value) error
	blocks map[string]innerBlock
	// after completes what was read; written holds the names that were there.
	after func(d *decoder, v reflect.Value, written map[string]bool, path string) error
}

// A reader reads a block into v, whose path it is given.
type reader func(d *decoder, b scoped, v reflect.Value, path string) hcl.Diagnostics

// An innerBlock is one that no field of its own stands for.
type innerBlock struct {
	read   reader
	holds  reflect.Type
	labels int
}

// specials are filled by init, since what they do reads other specials.
var specials map[reflect.Type]special

func init() {
	vault, secret := reflect.TypeFor[n.Vault](), reflect.TypeFor[n.Secret]()
	specials = map[reflect.Type]special{
		reflect.TypeFor[n.Constraint](): {attrs: shorthands(n.OpVersion, n.OpSemver, n.OpRegexp, n.OpSetContains, n.OpDistinctHosts, n.OpDistinctProperty), after: shows("Operand")},
		reflect.TypeFor[n.Affinity]():   {attrs: shorthands(n.OpVersion, n.OpSemver, n.OpRegexp, n.OpSetContainsAny, n.OpSetContainsAll, n.OpSetContains), after: shows("Operand")},
		reflect.TypeFor[n.Network](): {
			blocks: map[string]innerBlock{
				"port":           {port, reflect.TypeFor[n.Port](), 1},
				"reserved_ports": {reservedPort, reflect.TypeFor[n.Port](), 1},
			},
			after: networkRead,
		},
		reflect.TypeFor[n.Job](): {
			blocks: map[string]innerBlock{"task": {lonelyTask, reflect.TypeFor[n.Task](), 1}, "vault": {jobVault, vault, 0}, "secret": {jobSecret, secret, 1}},
		},
		reflect.TypeFor[n.Group](): {
			blocks: map[string]innerBlock{"vault": {groupVault, vault, 0}, "secret": {groupSecret, secret, 1}},
			after:  groupRead,
		},
		reflect.TypeFor[n.Task](): {
			blocks: map[string]innerBlock{
				"scaling":  {taskScaling, reflect.TypeFor[n.ScalingPolicy](), 1},
				"identity": {identity, reflect.TypeFor[n.Identity](), 0},
			},
			after: taskRead,
		},
		reflect.TypeFor[n.Resources]():    {after: resourcesRead},
		reflect.TypeFor[n.Template]():     {after: templateRead},
		vault:                             {after: shows("Env", "DisableFile", "ChangeMode")},
		reflect.TypeFor[n.ChangeScript](): {after: shows("Args", "Timeout", "FailOnError", "RunOnFirstRender")},
		reflect.TypeFor[n.Periodic]():     {after: periodicRead},
	}
}

// shorthands let an operator be written as the name of its value.
func shorthands(operators ...string) map[string]func(reflect.Value, cty.Value) error {
	out := map[string]func(reflect.Value, cty.Value) error{}
	for _, op := range operators {
		out[op] = func(v reflect.Value, value cty.Value) error {
			to := "RTarget"
			if op == n.OpDistinctProperty {
				to = "LTarget"
			}
			if op == n.OpDistinctHosts {
				var on bool
				if err := set(&on, value); err != nil {
					return err
				}
				value = cty.StringVal(fmt.Sprint(on))
			}
			v.FieldByName("Operand").SetString(op)
			return store(v.FieldByName(to), value)
		}
	}
	return out
}

// port puts a port among those with a number, or among those without.
func port(d *decoder, b scoped, v reflect.Value, path string) hcl.Diagnostics {
	p := n.Port{}
	w := v.Addr().Interface().(*n.Network)
	since := len(d.marked)
	static := fmt.Sprintf("%s.ReservedPorts[%d]", path, len(w.ReservedPorts))
	diags := d.labelled(b, target(&p), static)
	if p.Value != 0 {
		w.ReservedPorts = append(w.ReservedPorts, p)
		return diags
	}
	d.remark(since, static, fmt.Sprintf("%s.DynamicPorts[%d]", path, len(w.DynamicPorts)))
	w.DynamicPorts = append(w.DynamicPorts, p)
	return diags
}

// reservedPort reads the older spelling of a port with a number.
func reservedPort(d *decoder, b scoped, v reflect.Value, path string) hcl.Diagnostics {
	p := n.Port{}
	diags := d.labelled(b, target(&p), fmt.Sprintf("%s.ReservedPorts[%d]", path, len(d.older)))
	d.older = append(d.older, p)
	w := fault(b.DefRange(), "reserved_ports is an older spelling", "write port %q { static = %d }", p.Label, p.Value)
	w.Severity = hcl.DiagWarning
	if d.hasPorts {
		w.Summary, w.Detail = "reserved_ports has no effect beside port", fmt.Sprintf("write port %q { static = %d }", p.Label, p.Value)
	}
	return append(diags, w)
}

// networkRead takes the ports in the older spelling where there are no others.
func networkRead(d *decoder, v reflect.Value, written map[string]bool, _ string) error {
	if d == nil {
		return nil
	}
	if !written["port"] {
		v.Addr().Interface().(*n.Network).ReservedPorts = d.older
	}
	d.older = nil
	return nil
}

// lonelyTask makes a group of its name of a task that stands in none. Such groups
// come before those of the file.
func lonelyTask(d *decoder, b scoped, v reflect.Value, path string) hcl.Diagnostics {
	g := d.make(reflect.TypeFor[n.Group]()).Interface().(*n.Group)
	d.defaults.Group = g
	defer func() { d.defaults.Group = nil }()
	t := d.make(reflect.TypeFor[n.Task]())
	job := v.Addr().Interface().(*n.Job)
	group := under(path, fmt.Sprintf("TaskGroups[%d]", len(job.TaskGroups)))
	for _, p := range []string{"TaskGroups", group, group + ".Name", group + ".Tasks"} {
		d.mark(p, b.DefRange())
	}
	diags := d.labelled(b, t.Elem(), group+".Tasks[0]")
	task := t.Interface().(*n.Task)
	g.Name, g.Tasks = task.Name, []n.Task{*task}
	job.TaskGroups = append(job.TaskGroups, *g)
	return diags
}

// scalingTypes of a task by the label of the block.
var scalingTypes = map[string]string{"cpu": "vertical_cpu", "mem": "vertical_mem"}

func taskScaling(d *decoder, b scoped, v reflect.Value, path string) hcl.Diagnostics {
	task := v.Addr().Interface().(*n.Task)
	if len(b.Labels) != 1 || scalingTypes[strings.ToLower(b.Labels[0])] == "" {
		return hcl.Diagnostics{fault(b.DefRange(), "a task's scaling block has the label cpu or mem", "write scaling \"cpu\" { … } or scaling \"mem\" { … }")}
	}
	p := n.ScalingPolicy{}
	d.defaults.Fill(&p)
	p.Type = scalingTypes[strings.ToLower(b.Labels[0])]
	implied := p.Type
	path = fmt.Sprintf("%s.ScalingPolicies[%d]", path, len(task.ScalingPolicies))
	d.mark(path, b.DefRange())
	d.mark(under(path, "Type"), b.LabelRanges[0])
	diags := d.structure(b.Body, b.ctx, target(&p), b.DefRange(), path)
	if p.Type != implied {
		diags = append(diags, fault(d.places[under(path, "Type")], "wrong value for type", "the block's label %q makes it %q: leave type out", b.Labels[0], implied))
	}
	task.ScalingPolicies = append(task.ScalingPolicies, p)
	return diags
}

// identity puts the unnamed identity apart from the others.
func identity(d *decoder, b scoped, v reflect.Value, path string) hcl.Diagnostics {
	task := v.Addr().Interface().(*n.Task)
	id := n.Identity{}
	at := fmt.Sprintf("%s.Identities[%d]", path, len(task.Identities))
	d.mark(path+".Identities", b.DefRange())
	since := len(d.marked)
	diags := d.labelled(b, target(&id), at)
	if task.Identity == nil && (id.Name == "" || id.Name == "default") {
		task.Identity = &id
		d.remark(since, at, path+".Identity")
	} else {
		task.Identities = append(task.Identities, id)
	}
	return diags
}

func groupRead(_ *decoder, v reflect.Value, written map[string]bool, _ string) error {
	g := v.Addr().Interface().(*n.Group)
	s := g.Scaling
	if s == nil {
		return nil
	}
	if s.Type == "" {
		s.Type = "horizontal"
	}
	if s.Max == nil {
		return &incomplete{"Scaling", "scaling has no max", "write max = <number>, the most that the group may be scaled to"}
	}
	if !written["count"] && s.Min != nil {
		g.Count = int(*s.Min)
	}
	if s.Min == nil {
		count := int64(g.Count)
		s.Min = &count
	}
	return nil
}

// resourcesRead leaves a share of the processor out where whole cores are asked
// for.
func resourcesRead(_ *decoder, v reflect.Value, written map[string]bool, _ string) error {
	r := v.Addr().Interface().(*n.Resources)
	if r.Cores > 0 && !written["cpu"] {
		r.CPU = 0
	}
	return nil
}

func templateRead(d *decoder, v reflect.Value, written map[string]bool, path string) error {
	t := v.Addr().Interface().(*n.Template)
	if t.ChangeMode == "signal" && !written["change_signal"] {
		t.ChangeSignal = "SIGHUP"
	}
	return shows("ChangeMode", "Perms", "Splay", "ErrMissingKey")(d, v, written, path)
}

func periodicRead(d *decoder, v reflect.Value, written map[string]bool, path string) error {
	if written["cron"] || written["crons"] {
		return shows("SpecType")(d, v, written, path)
	}
	return nil
}

// shows makes fields count as written: the parser's JSON has always had them.
func shows(fields ...string) func(*decoder, reflect.Value, map[string]bool, string) error {
	return func(d *decoder, _ reflect.Value, _ map[string]bool, path string) error {
		if d == nil { // JSON of the API
			return nil
		}
		for _, f := range fields {
			d.markFirst(under(path, f), d.places[path])
		}
		return nil
	}
}
