package command

import (
	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
)

func allocRestart() *verb {
	return &verb{
		name: "alloc restart", args: "<alloc> [task]", min: 1, max: 2, kind: "allocs",
		synopsis: "Restart the tasks of an allocation where they are",
		help: `
Restarts a task, or all tasks of an allocation that run. The allocation stays on
its node. Prints nothing when it was done.`,
		examples: []string{
			"# All tasks that run", Name + " alloc restart 8ba85cef", "",
			"# One task", Name + " alloc restart 8ba85cef redis",
		},
		bind: func(f *flags) action {
			all := f.Bool("all-tasks", false, "also tasks that have ended, from the first of the lifecycle")
			task := f.String("task", "", "the `task`, instead of the second argument")
			f.verbose()
			return func(e *env, args []string) error {
				a, err := e.alloc(args[0])
				if err != nil {
					return err
				}
				req := &n.AllocRestart{AllocID: a.ID, AllTasks: *all}
				req.Namespace = a.Namespace
				if req.TaskName, err = namedTask(a, *task, args[1:]); err != nil {
					return err
				}
				target := "allocation"
				if req.TaskName != "" {
					target = "task"
					if *all {
						return failf("The -all-tasks option is not allowed when restarting a specific task.")
					}
				}
				if _, err = call(e, api.AllocRestart, req); err != nil {
					return e.trouble("Failed to restart "+target, err)
				}
				return nil
			}
		},
	}
}
