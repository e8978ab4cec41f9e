package command

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nomadlike/nomadlike/command/text"
	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
)

// A nodeView shows a node section by section.
type nodeView struct {
	*env
	*n.NodeDetail
	verbose, short, stats bool
	allocs                []*n.AllocDetail
	host                  *n.HostStats // nil: not known
}

func (v *nodeView) show() error {
	var err error
	if v.allocs, err = read(v.env, api.NodeAllocs, &n.NodeQuery{NodeID: v.ID}); err != nil {
		return v.trouble("Error querying node allocations", err)
	}
	if !v.short && v.Status == n.NodeReady {
		v.host, err = read(v.env, api.ClientStats, &n.ClientStatsRequest{NodeID: v.ID})
	}
	v.head()
	if !v.short {
		v.body(err)
	}
	if len(v.allocs) == 0 {
		v.section("Allocations", stringer("No allocations placed"))
	} else {
		v.section("Allocations", v.allocTable(stubs(v.allocs), v.verbose))
	}
	if v.verbose && !v.short {
		v.section("Attributes", pairsOf(v.Attributes))
		v.deviceAttributes()
		v.section("Meta", pairsOf(v.Meta))
	}
	return nil
}

// body is what -short leaves out. noStats says why nothing was measured.
func (v *nodeView) body(noStats error) {
	if v.verbose {
		v.hostSections()
	}
	v.events()
	v.section("Allocated Resources", v.allocated())
	if v.Status != n.NodeReady {
		return
	}
	if noStats != nil {
		v.warnf("\nCouldn't retrieve stats: %s", plainText(noStats))
		return
	}
	if used := v.used(); used != nil {
		v.section("Allocation Resource Utilization", used)
	}
	v.section("Host Resource Utilization", v.hostUsed())
	if v.stats {
		v.measured()
	}
}

func (v *nodeView) head() {
	p := new(text.Pairs).Add("ID", string(v.ID)).Add("Name", v.Name).Add("Node Pool", v.NodePool).Add("Class", v.NodeClass).
		Add("DC", v.Datacenter).Add("Drain", drainText(v.DrainStrategy)).Add("Eligibility", v.SchedulingEligibility).
		Add("Status", string(v.Status)).Add("CSI Controllers", "").Add("CSI Drivers", "")
	if !v.short && v.host != nil {
		p.Add("Uptime", (time.Duration(v.host.Uptime) * time.Second).String())
	}
	if v.short || !v.verbose {
		p.Add("Host Volumes", strings.Join(sorted(v.HostVolumes), ",")).Add("Host Networks", strings.Join(sorted(v.HostNetworks), ",")).
			Add("CSI Volumes", "")
		title := "Driver Status"
		if v.short {
			title = "Drivers"
		}
		p.Add(title, v.driverList())
	}
	v.print(p.String())
}

// driverList names the drivers that were found, and marks those that ail.
func (v *nodeView) driverList() string {
	var out []string
	for _, name := range sorted(v.Drivers) {
		switch d := v.Drivers[name]; {
		case !d.Detected:
		case d.Healthy:
			out = append(out, name)
		default:
			out = append(out, name+" (unhealthy)")
		}
	}
	return strings.Join(out, ",")
}

func (v *nodeView) hostSections() {
	volumes := text.NewTable("Name", "ReadOnly", "Source")
	for _, name := range sorted(v.HostVolumes) {
		volumes.Row(name, fmt.Sprint(v.HostVolumes[name].ReadOnly), v.HostVolumes[name].Path)
	}
	if !volumes.Empty() {
		v.section("Host Volumes", volumes)
	}
	networks := text.NewTable("Name", "CIDR", "Interface", "ReservedPorts")
	for _, name := range sorted(v.HostNetworks) {
		w := v.HostNetworks[name]
		networks.Row(name, w.CIDR, w.Interface, w.ReservedPorts)
	}
	if !networks.Empty() {
		v.section("Host Networks", networks)
	}
	drivers := text.NewTable("Driver", "Detected", "Healthy", "Message", "Time")
	for _, name := range sorted(v.Drivers) {
		d := v.Drivers[name]
		drivers.Row(name, fmt.Sprint(d.Detected), fmt.Sprint(d.Healthy), d.HealthDescription, text.Time(d.UpdateTime))
	}
	v.section("Drivers", drivers)
}

// events tells what happened to the node, the latest first.
func (v *nodeView) events() {
	columns := []string{"Time", "Subsystem", "Message"}
	if v.verbose {
		columns = append(columns, "Details")
	}
	t := text.NewTable(columns...)
	for _, ev := range slices.Backward(v.Events) {
		subsystem := ev.Subsystem
		if driver := ev.Details["driver"]; subsystem == "Driver" && driver != "" {
			subsystem += ": " + driver
		}
		row := []string{text.Time(ev.Timestamp), subsystem, ev.Message}
		if v.verbose {
			row = append(row, tags(ev.Details))
		}
		t.Row(row...)
	}
	v.section("Node Events", t)
}

// tags lists keys and values in one line.
func tags(m map[string]string) string {
	var out []string
	for _, k := range sorted(m) {
		out = append(out, k+"="+m[k])
	}
	return strings.Join(out, ",")
}

func pairsOf(m map[string]string) *text.Pairs {
	p := new(text.Pairs)
	for _, k := range sorted(m) {
		p.Add(k, m[k])
	}
	return p
}

func (v *nodeView) deviceAttributes() {
	for _, d := range v.NodeResources.Devices {
		v.section(fmt.Sprintf("Device Group %q Attributes", d.Vendor+"/"+d.Type+"/"+d.Name), pairsOf(d.Attributes))
	}
}

// stubs are allocations as lists show them.
func stubs(allocs []*n.AllocDetail) []*n.AllocStub {
	out := make([]*n.AllocStub, 0, len(allocs))
	for _, a := range allocs {
		out = append(out, &n.AllocStub{
			ID: a.ID, EvalID: a.EvalID, NodeID: a.NodeID, NodeName: a.NodeName, JobID: a.JobID, JobVersion: a.JobVersion, TaskGroup: a.TaskGroup,
			DesiredStatus: a.DesiredStatus, ClientStatus: a.ClientStatus, CreateIndex: a.CreateIndex, CreateTime: a.CreateTime, ModifyTime: a.ModifyTime,
		})
	}
	sortAllocs(out)
	return out
}
