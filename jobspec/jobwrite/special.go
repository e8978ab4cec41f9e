package jobwrite

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/nomadlike/nomadlike/jobspec"
	n "github.com/nomadlike/nomadlike/nomadlike"
)

// special is what a type's tags can not say; see its counterpart in package
// jobspec, which reads what is written here.
type special struct {
	// base completes what a value holds unwritten, where that depends on what else
	// is written. It gets pointers to the value and to what it holds by default.
	base func(w *writer, v, base any)
	// fields are written, and compared, although no tag says how.
	fields map[string]func(w *writer, v reflect.Value, b *body, at string) error
}

// specials are filled by init, since what they do reads other specials.
var specials map[reflect.Type]special

func init() {
	specials = map[reflect.Type]special{
		reflect.TypeFor[n.Group]():         {base: groupBase},
		reflect.TypeFor[n.ScalingPolicy](): {base: scalingBase},
		reflect.TypeFor[n.Service](): {base: func(w *writer, _, base any) {
			base.(*n.Service).Name = jobspec.ServiceName(w.job, w.group, w.task)
		}},
		reflect.TypeFor[n.Check](): {base: func(w *writer, _, base any) {
			base.(*n.Check).OnUpdate = w.service.OnUpdate
		}},
		reflect.TypeFor[n.Artifact](): {base: func(_ *writer, v, base any) {
			base.(*n.Artifact).RelativeDest = jobspec.Destination(v.(*n.Artifact))
		}},
		reflect.TypeFor[n.Resources](): {base: func(_ *writer, v, base any) {
			if v.(*n.Resources).Cores > 0 {
				base.(*n.Resources).CPU = 0
			}
		}},
		reflect.TypeFor[n.Template](): {base: func(_ *writer, v, base any) {
			if v.(*n.Template).ChangeMode == "signal" {
				base.(*n.Template).ChangeSignal = "SIGHUP"
			}
		}},
		reflect.TypeFor[n.Network](): {fields: map[string]func(*writer, reflect.Value, *body, string) error{
			"ReservedPorts": ports, "DynamicPorts": ports,
		}},
		reflect.TypeFor[n.Task](): {fields: map[string]func(*writer, reflect.Value, *body, string) error{
			"Identity": identity, "Identities": identities, "ScalingPolicies": taskScaling,
		}},
		reflect.TypeFor[n.Periodic](): {fields: map[string]func(*writer, reflect.Value, *body, string) error{
			"SpecType": func(*writer, reflect.Value, *body, string) error { return nil }, // always the same
		}},
	}
}

// groupBase knows that a group without a count has the least count of its
// scaling block.
func groupBase(_ *writer, v, base any) {
	g := v.(*n.Group)
	if s := g.Scaling; s != nil && s.Min != nil && *s.Min != int64(g.Count) {
		base.(*n.Group).Count = int(*s.Min)
	}
}

// scalingBase knows what a group's scaling block holds unwritten; that of a task
// has its type from its label.
func scalingBase(w *writer, v, base any) {
	p := base.(*n.ScalingPolicy)
	if w.task != nil {
		p.Type = jobspec.ScalingType(scalingLabel(v.(*n.ScalingPolicy)))
		return
	}
	count := int64(w.group.Count)
	p.Type, p.Min = "horizontal", &count
}

// ports are told apart in a file by their numbers.
func ports(w *writer, v reflect.Value, b *body, at string) error {
	reserved := strings.HasSuffix(at, ".ReservedPorts")
	for i, p := range v.Interface().([]n.Port) {
		switch {
		case reserved && p.Value == 0:
			return fmt.Errorf("%s[%d].Value: a port without a number is a dynamic one in a job file: give it one, or move it to DynamicPorts", at, i)
		case !reserved && p.Value != 0:
			return fmt.Errorf("%s[%d].Value: a port with a number is a reserved one in a job file: take it away, or move it to ReservedPorts", at, i)
		}
	}
	return w.list("port", v, b, at)
}

// identity writes the default identity before the others, which is how files tell
// it from them.
func identity(w *writer, v reflect.Value, b *body, at string) error {
	if id := v.Interface().(*n.Identity); id != nil && !isDefault(id) {
		return fmt.Errorf("%s.Name: only the default identity stands here in a job file: move %q to Identities", at, id.Name)
	}
	return w.pointer("identity", v, reflect.Zero(v.Type()), b, at)
}

func identities(w *writer, v reflect.Value, b *body, at string) error {
	for i := range v.Len() {
		if id := v.Index(i).Addr().Interface().(*n.Identity); w.task.Identity == nil && isDefault(id) {
			return fmt.Errorf("%s[%d].Name: in a job file %q is the default identity: give it another name, or move it to Identity", at, i, id.Name)
		}
	}
	return w.list("identity", v, b, at)
}

func isDefault(id *n.Identity) bool { return id.Name == "" || id.Name == "default" }

// scalingLabel is what a task's scaling block is written with.
func scalingLabel(p *n.ScalingPolicy) string {
	if p.Type == jobspec.ScalingType("mem") {
		return "mem"
	}
	return "cpu"
}

func taskScaling(w *writer, v reflect.Value, b *body, at string) error {
	from := len(b.blocks)
	for i, p := range v.Interface().([]n.ScalingPolicy) {
		if p.Type != jobspec.ScalingType(scalingLabel(&p)) {
			return fmt.Errorf("%s[%d].Type: %q is no type of a task's scaling: make it %q or %q", at, i, p.Type, jobspec.ScalingType("cpu"), jobspec.ScalingType("mem"))
		}
	}
	if err := w.list("scaling", v, b, at); err != nil {
		return err
	}
	for i, x := range b.blocks[from:] {
		x.labels = []string{scalingLabel(v.Index(i).Addr().Interface().(*n.ScalingPolicy))}
	}
	return nil
}
