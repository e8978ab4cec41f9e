package command

func deploymentStatus() *verb {
	return &verb{
		name: "deployment status", args: "[deployment]", min: 0, max: 1, kind: "deployment",
		synopsis: "Show how far a deployment is",
		help: `
Shows how far a deployment is, group by group. Without an argument, lists them all.
With -monitor, follows it and exits with 0 when it has succeeded, else with 1.`,
		examples: []string{
			"# Wait until it is over", Name + " deployment status -monitor 12ae4f6c",
		},
		bind: func(f *flags) action {
			out, verbose := f.structured(), f.verbose()
			follow := f.Bool("monitor", false, "follow it until it has ended")
			wait := f.Duration("wait", deploymentWait, "with -monitor: the longest `time` between two looks")
			return func(e *env, args []string) error {
				if *follow && out.asked() {
					return failf("The monitor flag cannot be used with the '-json' or '-t' flags")
				}
				if len(args) == 0 {
					return e.deployments(out, "", *verbose)
				}
				d, err := e.deployment(args[0])
				switch {
				case err != nil:
					return err
				case out.asked():
					return out.print(e, d)
				case *follow:
					return e.monitorDeployment(d, *wait, *verbose)
				}
				e.print(e.deploymentBlock(d, *verbose))
				return nil
			}
		},
	}
}
