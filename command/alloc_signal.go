package command

import (
	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
)

func allocSignal() *verb {
	return &verb{
		name: "alloc signal", args: "<alloc> [task]", min: 1, max: 2, kind: "allocs",
		synopsis: "Send a signal to the tasks of an allocation",
		help: `
Sends a signal to a task, or to all tasks of an allocation. Prints nothing when it
was sent.`,
		examples: []string{"# Let a task read its configuration again", Name + " alloc signal -s SIGHUP 8ba85cef redis"},
		bind: func(f *flags) action {
			signal := f.String("s", "SIGKILL", "the `signal`")
			task := f.String("task", "", "the `task`, instead of the second argument")
			f.verbose()
			return func(e *env, args []string) error {
				a, err := e.alloc(args[0])
				if err != nil {
					return err
				}
				req := &n.AllocSignal{AllocID: a.ID, Signal: *signal}
				req.Namespace = a.Namespace
				if req.Task, err = namedTask(a, *task, args[1:]); err != nil {
					return err
				}
				if _, err := call(e, api.AllocSignal, req); err != nil {
					return e.trouble("Error signalling allocation", err)
				}
				return nil
			}
		},
	}
}
