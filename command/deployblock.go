package command

import (
	"fmt"

	"github.com/nomadlike/nomadlike/command/text"
	n "github.com/nomadlike/nomadlike/nomadlike"
)

// deploymentPairs is the head of a deployment's description.
func deploymentPairs(d *n.Deployment, verbose bool) *text.Pairs {
	return new(text.Pairs).Add("ID", id(d.ID, verbose)).Add("Job ID", string(d.JobID)).
		Add("Job Version", str(d.JobVersion)).Add("Status", string(d.Status)).Add("Description", d.StatusDescription)
}

// deploymentGroups is the table of a deployment's groups. A column is there if
// it says something of some group.
func deploymentGroups(d *n.Deployment) *text.Table {
	var revert, canaries, deadline bool
	for _, g := range d.TaskGroups {
		revert = revert || g.AutoRevert
		canaries = canaries || g.DesiredCanaries > 0
		deadline = deadline || g.RequireProgressBy != nil
	}
	columns := []string{"Task Group"}
	opt := func(cond bool, name string) {
		if cond {
			columns = append(columns, name)
		}
	}
	opt(revert, "Auto Revert")
	opt(canaries, "Promoted")
	columns = append(columns, "Desired")
	opt(canaries, "Canaries")
	columns = append(columns, "Placed", "Healthy", "Unhealthy")
	opt(deadline, "Progress Deadline")
	t := text.NewTable(columns...)
	for _, name := range sorted(d.TaskGroups) {
		g := d.TaskGroups[name]
		row := []string{name}
		cell := func(cond bool, value string) {
			if cond {
				row = append(row, value)
			}
		}
		cell(revert, fmt.Sprint(g.AutoRevert))
		promoted := "N/A"
		if g.DesiredCanaries > 0 {
			promoted = fmt.Sprint(g.Promoted)
		}
		cell(canaries, promoted)
		row = append(row, str(g.DesiredTotal))
		cell(canaries, str(g.DesiredCanaries))
		row = append(row, str(g.PlacedAllocs), str(g.HealthyAllocs), str(g.UnhealthyAllocs))
		by := "N/A"
		if g.RequireProgressBy != nil && !g.RequireProgressBy.IsZero() {
			by = text.Time(*g.RequireProgressBy)
		}
		cell(deadline, by)
		t.Row(row...)
	}
	return t
}

// deploymentBlock is all of it.
func (e *env) deploymentBlock(d *n.Deployment, verbose bool) string {
	return deploymentPairs(d, verbose).String() + "\n\n" + e.bold("Deployed") + "\n" + deploymentGroups(d).String()
}
