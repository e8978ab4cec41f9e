package command

import (
	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
)

func jobPeriodicForce() *verb {
	return &verb{
		name: "job periodic force", args: "<job>", min: 1, max: 1, kind: "jobs",
		synopsis: "Launch a periodic job now",
		help: `
Launches a periodic job now, whatever its schedule says and even if an earlier
launch of it still runs. Its schedule goes on as before.`,
		examples: []string{"# Do not wait for the night", Name + " job periodic force backup"},
		bind: func(f *flags) action {
			detach := f.Bool("detach", false, "return at once with the evaluation's ID, instead of following it")
			verbose := f.verbose()
			return func(e *env, args []string) error {
				key, err := e.launcher(args[0], "periodic", "Periodic is not nil")
				if err != nil {
					return err
				}
				req := &n.JobPeriodicForce{JobID: key.ID}
				req.Namespace = key.Namespace
				resp, err := call(e, api.JobPeriodicForce, req)
				switch {
				case err != nil:
					return e.trouble("Error forcing periodic job", err)
				case *detach:
					e.print("Force periodic successful")
					e.printf("Evaluation ID: %s", resp.EvalID)
					return nil
				}
				return e.monitor(resp.EvalID, *verbose)
			}
		},
	}
}
