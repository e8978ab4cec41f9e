package jobspec

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// special is what a type's tags can not say.
type special struct {
	attrs  map[string]func(v reflect.Value, value cty.Value) error
	blocks map[string]func(d *decoder, b scoped, v reflect.Value) hcl.Diagnostics
	// after completes what was read; written holds the names that were there.
	after func(d *decoder, v reflect.Value, written map[string]bool) error
}

// specials are filled by init, since what they do reads other specials.
var specials map[reflect.Type]special

func init() {
	specials = map[reflect.Type]special{
		reflect.TypeFor[n.Constraint](): {attrs: shorthands(n.OpVersion, n.OpSemver, n.OpRegexp, n.OpSetContains, n.OpDistinctHosts, n.OpDistinctProperty)},
		reflect.TypeFor[n.Affinity]():   {attrs: shorthands(n.OpVersion, n.OpSemver, n.OpRegexp, n.OpSetContainsAny, n.OpSetContainsAll, n.OpSetContains)},
		reflect.TypeFor[n.Network]():    {blocks: map[string]func(*decoder, scoped, reflect.Value) hcl.Diagnostics{"port": port}},
		reflect.TypeFor[n.Job](): {
			blocks: map[string]func(*decoder, scoped, reflect.Value) hcl.Diagnostics{"task": lonelyTask, "vault": jobVault, "secret": jobSecret},
		},
		reflect.TypeFor[n.Group](): {
			blocks: map[string]func(*decoder, scoped, reflect.Value) hcl.Diagnostics{"vault": groupVault, "secret": groupSecret},
			after:  groupRead,
		},
		reflect.TypeFor[n.Task](): {
			blocks: map[string]func(*decoder, scoped, reflect.Value) hcl.Diagnostics{"scaling": taskScaling, "identity": identity},
			after:  taskRead,
		},
		reflect.TypeFor[n.Resources](): {after: resourcesRead},
		reflect.TypeFor[n.Template]():  {after: templateRead},
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
func port(d *decoder, b scoped, v reflect.Value) hcl.Diagnostics {
	p := n.Port{}
	diags := d.labelled(b, target(&p))
	w := v.Addr().Interface().(*n.Network)
	if p.Value != 0 {
		w.ReservedPorts = append(w.ReservedPorts, p)
	} else {
		w.DynamicPorts = append(w.DynamicPorts, p)
	}
	return diags
}

// lonelyTask makes a group of its name of a task that stands in none. Such groups
// come before those of the file.
func lonelyTask(d *decoder, b scoped, v reflect.Value) hcl.Diagnostics {
	g := d.make(reflect.TypeFor[n.Group]()).Interface().(*n.Group)
	d.defaults.Group = g
	defer func() { d.defaults.Group = nil }()
	t := d.make(reflect.TypeFor[n.Task]())
	diags := d.labelled(b, t.Elem())
	task := t.Interface().(*n.Task)
	g.Name, g.Tasks = task.Name, []n.Task{*task}
	job := v.Addr().Interface().(*n.Job)
	job.TaskGroups = slices.Insert(job.TaskGroups, d.lonely, *g)
	d.lonely++
	return diags
}

// scalingTypes of a task by the label of the block.
var scalingTypes = map[string]string{"cpu": "vertical_cpu", "mem": "vertical_mem"}

func taskScaling(d *decoder, b scoped, v reflect.Value) hcl.Diagnostics {
	task := v.Addr().Interface().(*n.Task)
	if len(b.Labels) != 1 || scalingTypes[strings.ToLower(b.Labels[0])] == "" {
		return hcl.Diagnostics{fault(b.DefRange(), "Wrong labels", "a task's scaling block is written scaling \"cpu\" { … } or scaling \"mem\" { … }")}
	}
	p := n.ScalingPolicy{}
	d.defaults.Fill(&p)
	p.Type = scalingTypes[strings.ToLower(b.Labels[0])]
	diags := d.structure(b.Body, b.ctx, target(&p), b.DefRange())
	task.ScalingPolicies = append(task.ScalingPolicies, p)
	return diags
}

// identity puts the unnamed identity apart from the others.
func identity(d *decoder, b scoped, v reflect.Value) hcl.Diagnostics {
	task := v.Addr().Interface().(*n.Task)
	id := n.Identity{}
	diags := d.labelled(b, target(&id))
	if task.Identity == nil && (id.Name == "" || id.Name == "default") {
		task.Identity = &id
	} else {
		task.Identities = append(task.Identities, id)
	}
	return diags
}

func groupRead(d *decoder, v reflect.Value, written map[string]bool) error {
	g := v.Addr().Interface().(*n.Group)
	s := g.Scaling
	if s == nil {
		return nil
	}
	if s.Type == "" {
		s.Type = "horizontal"
	}
	if s.Max == nil {
		return fmt.Errorf("scaling needs max")
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
func resourcesRead(_ *decoder, v reflect.Value, written map[string]bool) error {
	r := v.Addr().Interface().(*n.Resources)
	if r.Cores > 0 && !written["cpu"] {
		r.CPU = 0
	}
	return nil
}

func templateRead(_ *decoder, v reflect.Value, written map[string]bool) error {
	t := v.Addr().Interface().(*n.Template)
	if t.ChangeMode == "signal" && !written["change_signal"] {
		t.ChangeSignal = "SIGHUP"
	}
	return nil
}
