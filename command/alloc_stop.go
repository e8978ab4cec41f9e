package command

import (
	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
)

func allocStop() *verb {
	return &verb{
		name: "alloc stop", args: "<alloc>", min: 1, max: 1, kind: "allocs",
		synopsis: "Stop an allocation and place it anew",
		help: `
Stops an allocation; another is placed instead of it, as the job asks for. To have
fewer of them, change the job's count; to have none, stop the job.`,
		examples: []string{
			"# Get it off the node where it misbehaves", Name + " alloc stop 8ba85cef", "",
			"# In a script: only the evaluation's ID", Name + " alloc stop -detach 8ba85cef",
		},
		bind: func(f *flags) action {
			detach := f.Bool("detach", false, "return at once and print nothing but the evaluation's ID")
			noDelay := f.Bool("no-shutdown-delay", false, "do not wait for the shutdown delays of groups and tasks")
			verbose := f.verbose()
			return func(e *env, args []string) error {
				a, err := e.allocStub(args[0])
				if err != nil {
					return err
				}
				req := &n.AllocStop{AllocID: a.ID, NoShutdownDelay: *noDelay, Reschedule: a.JobType == n.JobTypeBatch}
				req.Namespace = a.Namespace
				resp, err := call(e, api.AllocStop, req)
				switch {
				case err != nil:
					return e.trouble("Error stopping allocation", err)
				case *detach:
					e.print(string(resp.EvalID))
					return nil
				}
				return e.monitor(resp.EvalID, *verbose)
			}
		},
	}
}
