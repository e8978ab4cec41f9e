package command

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/nomadlike/nomadlike/command/text"
	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
)

func jobScalingEvents() *verb {
	return &verb{
		name: "job scaling-events", args: "<job>", min: 1, max: 1, kind: "jobs",
		synopsis: "Show when a job's groups were scaled",
		help: `
Lists what was done to the counts of a job's groups, or said of them, newest first:
by 'job scale' and by autoscalers. The last 20 of each group are remembered.`,
		examples: []string{"# With reasons", Name + " job scaling-events -verbose example"},
		bind: func(f *flags) action {
			verbose := f.verbose()
			return func(e *env, args []string) error {
				key, err := e.job(args[0])
				if err != nil {
					return err
				}
				status, err := read(e, api.JobScaleStatus, jobQuery(key))
				if err != nil {
					return e.trouble("Error listing scaling events", err)
				}
				t := scalingTable(status, *verbose)
				if t.Empty() {
					e.print("No events found")
					return nil
				}
				e.print(t.String())
				return nil
			}
		},
	}
}

// groupScaling is an event with the group that it is of.
type groupScaling struct {
	*n.ScalingEvent
	group string
}

func scalingTable(status *n.JobScaleStatus, verbose bool) *text.Table {
	var events []groupScaling
	for _, g := range sorted(status.TaskGroups) {
		for _, ev := range status.TaskGroups[g].Events {
			events = append(events, groupScaling{ev, g})
		}
	}
	slices.SortStableFunc(events, func(a, b groupScaling) int { return cmp.Compare(b.Time, a.Time) })
	columns := []string{"Task Group", "Count", "PrevCount", "Date"}
	if verbose {
		columns = slices.Insert(columns, 3, "Error", "Message", "Eval ID")
	}
	t := text.NewTable(columns...)
	for _, ev := range events {
		count, eval := "", ""
		if ev.Count != nil {
			count = strconv.FormatInt(*ev.Count, 10)
		}
		if ev.EvalID != nil {
			eval = string(*ev.EvalID)
		}
		row := []string{ev.group, count, strconv.FormatInt(ev.PreviousCount, 10), text.Unix(ev.Time)}
		if verbose {
			row = slices.Insert(row, 3, strconv.FormatBool(ev.Error), ev.Message, eval)
		}
		t.Row(row...)
	}
	return t
}
