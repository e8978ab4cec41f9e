package command

import (
	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
)

func jobEval() *verb {
	return &verb{
		name: "job eval", args: "<job>", min: 1, max: 1, kind: "jobs",
		synopsis: "Let the servers look at a job again",
		help: `
Lets the servers look at a job again although nothing has changed, as when failed
allocations should be placed anew without waiting.`,
		examples: []string{"# Do not wait for the reschedule delay", Name + " job eval -force-reschedule example"},
		bind: func(f *flags) action {
			force := f.Bool("force-reschedule", false, "place failed allocations anew, whatever their policy says")
			detach := f.Bool("detach", false, "return at once with the evaluation's ID, instead of following it")
			verbose := f.verbose()
			return func(e *env, args []string) error {
				key, err := e.job(args[0])
				if err != nil {
					return err
				}
				req := &n.JobEvaluate{JobID: key.ID, EvalOptions: n.EvalOptions{ForceReschedule: *force}}
				req.Namespace = key.Namespace
				resp, err := call(e, api.JobEvaluate, req)
				switch {
				case err != nil:
					return e.trouble("Error evaluating job", err)
				case *detach:
					e.printf("Created eval ID: %q ", id(resp.EvalID, *verbose))
					return nil
				}
				return e.monitor(resp.EvalID, *verbose)
			}
		},
	}
}
