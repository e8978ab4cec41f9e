package command

import (
	"fmt"
	"slices"
	"strings"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
)

// allocOfJob chooses an allocation of a job: the latest that runs, or else the
// latest.
func (e *env) allocOfJob(id, group string) (*n.AllocDetail, error) {
	key, err := e.job(id)
	if err != nil {
		return nil, err
	}
	list, err := read(e, api.JobAllocs, jobQuery(key))
	if err != nil {
		return nil, e.trouble("Error querying job allocations", err)
	}
	of := fmt.Sprintf("job %q", key.ID)
	if group != "" {
		of = fmt.Sprintf("group %q of %s", group, of)
		list = slices.DeleteFunc(list, func(a *n.AllocStub) bool { return a.TaskGroup != group })
	}
	if len(list) == 0 {
		return nil, failf("There is no allocation of %s", of)
	}
	sortAllocs(list)
	chosen := list[0]
	if i := slices.IndexFunc(list, func(a *n.AllocStub) bool { return a.ClientStatus == n.ClientRunning }); i >= 0 {
		chosen = list[i]
	}
	return e.allocByID(chosen)
}

// taskNamesOf lists an allocation's tasks.
func taskNamesOf(a *n.AllocDetail) []string {
	if a.Job != nil {
		if g := a.Job.Group(a.TaskGroup); g != nil {
			var names []string
			for _, t := range g.Tasks {
				names = append(names, t.Name)
			}
			return names
		}
	}
	return sorted(a.TaskStates)
}

// namedTask returns the task that a flag or an argument names, which must exist;
// "" if none does.
func namedTask(a *n.AllocDetail, flag string, args []string) (string, error) {
	task := flag
	if task == "" && len(args) > 0 {
		task = args[0]
	}
	if names := taskNamesOf(a); task != "" && !slices.Contains(names, task) {
		return "", failf("Could not find task named: %s, found:\n%s", task, bullets(names))
	}
	return task, nil
}

// oneTask is namedTask for commands that need one; an only task need not be
// named.
func oneTask(a *n.AllocDetail, flag string, args []string) (string, error) {
	task, err := namedTask(a, flag, args)
	if task != "" || err != nil {
		return task, err
	}
	names := taskNamesOf(a)
	if len(names) == 1 {
		return names[0], nil
	}
	return "", failf("Allocation %q is running the following tasks:\n%s\n\nPlease specify the task.", n.Short(a.ID), bullets(names))
}

func bullets(list []string) string { return "  * " + strings.Join(list, "\n  * ") }
