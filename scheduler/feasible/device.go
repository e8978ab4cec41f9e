package feasible

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// devices asks for enough healthy devices of each kind that the group's tasks want.
// Which of them are free is another question.
func devices(_ *n.Job, group *n.Group) (Test, bool) {
	var asked []n.DeviceRequest
	if group != nil {
		for i := range group.Tasks {
			if r := group.Tasks[i].Resources; r != nil {
				asked = append(asked, r.Devices...)
			}
		}
	}
	if len(asked) == 0 {
		return nil, true
	}
	// How many are healthy is no part of the class.
	return func(node *n.Node) string {
		if !enough(node, asked) {
			return MissingDevices
		}
		return ""
	}, false
}

// enough reports whether healthy devices are left for each request in turn.
func enough(node *n.Node, asked []n.DeviceRequest) bool {
	left := make([]uint64, len(node.NodeResources.Devices))
	for i, d := range node.NodeResources.Devices {
		for _, x := range d.Instances {
			if x.Healthy {
				left[i]++
			}
		}
	}
	for k := range asked {
		want := asked[k].Count
		for i := range left {
			if want > 0 && Device(&asked[k], &node.NodeResources.Devices[i]) {
				taken := min(want, left[i])
				want, left[i] = want-taken, left[i]-taken
			}
		}
		if want > 0 {
			return false
		}
	}
	return true
}

// Device reports whether devices of a node are of the kind that is asked for, and
// meet its constraints; see the job specification reference, 6.4.
func Device(r *n.DeviceRequest, d *n.NodeDevice) bool {
	if !isCalled(r.Name, d) {
		return false
	}
	return !slices.ContainsFunc(r.Constraints, func(c n.Constraint) bool { return !deviceMatches(d, c.LTarget, c.Operand, c.RTarget) })
}

// DevicePreference is the sum of the weights of a request's affinities that devices
// of a node meet, and the sum of all of their weights.
func DevicePreference(r *n.DeviceRequest, d *n.NodeDevice) (met, all float64) {
	for _, a := range r.Affinities {
		all += math.Abs(float64(a.Weight))
		if deviceMatches(d, a.LTarget, a.Operand, a.RTarget) {
			met += float64(a.Weight)
		}
	}
	return met, all
}

// isCalled compares with "type", "vendor/type" or "vendor/type/model".
func isCalled(name string, d *n.NodeDevice) bool {
	switch parts := strings.SplitN(name, "/", 3); len(parts) {
	case 1:
		return parts[0] == d.Type
	case 2:
		return parts[0] == d.Vendor && parts[1] == d.Type
	default:
		return parts[0] == d.Vendor && parts[1] == d.Type && parts[2] == d.Name
	}
}

func deviceMatches(d *n.NodeDevice, l, operand, r string) bool {
	lv, lok := deviceTarget(d, l)
	rv, rok := deviceTarget(d, r)
	switch operand {
	case n.OpIsSet:
		return lok
	case n.OpIsNotSet:
		return !lok
	case n.OpNotEqual, "not":
		if !lok || !rok {
			return lok != rok
		}
	}
	if !lok || !rok {
		return false
	}
	return compareQuantities(operand, parseQuantity(lv), parseQuantity(rv))
}

// deviceTarget is what a target of a device's constraint stands for.
func deviceTarget(d *n.NodeDevice, target string) (string, bool) {
	name, is := interpolation(target)
	if !is {
		return target, true
	}
	switch name {
	case "device.model":
		return d.Name, true
	case "device.vendor":
		return d.Vendor, true
	case "device.type":
		return d.Type, true
	case "device.ids":
		var ids []string
		for _, x := range d.Instances {
			ids = append(ids, x.ID)
		}
		return strings.Join(ids, ","), true
	}
	key, is := strings.CutPrefix(name, "device.attr.")
	if !is {
		return "", false
	}
	v, ok := d.Attributes[key]
	return v, ok
}

// A quantity is a value of a device: a number with a unit, true or false, or text.
type quantity struct {
	text    string
	kind    kind
	number  float64 // in the base of its family
	family  string
	integer bool
}

type kind int

const (
	textKind kind = iota
	numberKind
	boolKind
)

// units by name: their family, and how much of its base they are.
var units = func() map[string]struct {
	family string
	base   float64
} {
	out := map[string]struct {
		family string
		base   float64
	}{
		"MHz": {"clock", 1e6}, "GHz": {"clock", 1e9},
		"mW": {"power", 1e-3}, "W": {"power", 1}, "kW": {"power", 1e3}, "MW": {"power", 1e6}, "GW": {"power", 1e9},
	}
	for _, per := range []string{"", "/s"} {
		for i, p := range []string{"Ki", "Mi", "Gi", "Ti", "Pi", "Ei"} {
			out[p+"B"+per] = struct {
				family string
				base   float64
			}{"bytes" + per, math.Pow(1024, float64(i+1))}
		}
		for i, p := range []string{"k", "M", "G", "T", "P", "E"} {
			out[p+"B"+per] = struct {
				family string
				base   float64
			}{"bytes" + per, math.Pow(1000, float64(i+1))}
		}
		out["KB"+per] = out["kB"+per]
	}
	return out
}()

func parseQuantity(s string) quantity {
	s = strings.TrimSpace(s)
	end := strings.LastIndexFunc(s, func(r rune) bool { return r >= '0' && r <= '9' || r == '.' }) + 1
	unit, known := units[strings.TrimSpace(s[end:])]
	if known || end == len(s) {
		text := strings.TrimSpace(s[:end])
		if v, err := strconv.ParseFloat(text, 64); err == nil {
			_, notInt := strconv.ParseInt(text, 10, 64)
			q := quantity{text: s, kind: numberKind, number: v, family: unit.family, integer: notInt == nil && !known}
			if known {
				q.number *= unit.base
			}
			return q
		}
	}
	if b, err := strconv.ParseBool(s); err == nil {
		q := quantity{text: s, kind: boolKind}
		if b {
			q.number = 1
		}
		return q
	}
	return quantity{text: s}
}

// compareQuantities compares what can be compared: values of one kind, and numbers
// of one family of units.
func compareQuantities(operand string, l, r quantity) bool {
	switch operand {
	case n.OpRegexp, n.OpSetContains, n.OpSetContainsAll, n.OpSetContainsAny, n.OpSemver:
		return l.kind == textKind && Match(operand, l.text, true, r.text, true)
	case n.OpVersion:
		return (l.kind == textKind || l.integer) && Match(operand, l.text, true, r.text, true)
	}
	if l.kind != r.kind || l.family != r.family {
		return false
	}
	c := cmp.Compare(l.number, r.number)
	if l.kind == textKind {
		c = strings.Compare(l.text, r.text)
	}
	switch operand {
	case n.OpEqual, "==", "is":
		return c == 0
	case n.OpNotEqual, "not":
		return c != 0
	}
	return l.kind != boolKind && compares(operand, c)
}
