package command

import (
	"fmt"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
)

// A deploymentChange is a verb that changes a deployment.
type deploymentChange struct {
	detach, verbose *bool
	call            api.Call[n.DeploymentChange, n.DeploymentChanged]
	doing           string // "Error failing deployment"
	done            string // "failed"; empty: nothing to say
}

func (f *flags) deploymentChange(c deploymentChange) *deploymentChange {
	c.detach = f.Bool("detach", false, "return at once with the evaluation's ID, instead of following it")
	c.verbose = f.verbose()
	return &c
}

// run makes the change and follows what comes of it.
func (c *deploymentChange) run(e *env, d *n.Deployment, req *n.DeploymentChange) error {
	req.DeploymentID, req.Namespace = d.ID, d.Namespace
	resp, err := call(e, c.call, req)
	if err != nil {
		return e.trouble(c.doing, err)
	}
	if c.done != "" {
		text := fmt.Sprintf("Deployment %q %s", d.ID, c.done)
		if v := resp.RevertedJobVersion; v != nil {
			text += fmt.Sprintf(". Auto-reverted to job version %d.", *v)
		}
		e.print(text)
	}
	switch {
	case resp.EvalID == "":
		return nil
	case *c.detach:
		e.printf("Evaluation ID: %s", resp.EvalID)
		return nil
	case c.done != "":
		e.print("")
	}
	return e.monitor(resp.EvalID, *c.verbose)
}

func deploymentFail() *verb {
	return &verb{
		name: "deployment fail", args: "<deployment>", min: 1, max: 1, kind: "deployment",
		synopsis: "Let a deployment fail",
		help: `
Ends a deployment as failed: nothing more is replaced. If the job has auto_revert,
the last version that worked is run again.`,
		examples: []string{"# Stop a roll-out that goes wrong", Name + " deployment fail 12ae4f6c"},
		bind: func(f *flags) action {
			c := f.deploymentChange(deploymentChange{call: api.DeploymentFail, doing: "Error failing deployment", done: "failed"})
			return c.action(&n.DeploymentChange{})
		},
	}
}

func deploymentPause() *verb {
	return &verb{
		name: "deployment pause", args: "<deployment>", min: 1, max: 1, kind: "deployment",
		synopsis: "Pause a deployment",
		help:     `Holds a deployment where it is, until it is resumed. Its deadlines are held as well.`,
		examples: []string{"# Hold it", Name + " deployment pause 12ae4f6c"},
		bind: func(f *flags) action {
			f.verbose()
			yes := true
			c := &deploymentChange{call: api.DeploymentPause, doing: "Error pausing deployment", done: "paused", detach: &yes}
			return c.action(&n.DeploymentChange{Pause: true})
		},
	}
}

func deploymentResume() *verb {
	return &verb{
		name: "deployment resume", args: "<deployment>", min: 1, max: 1, kind: "deployment",
		synopsis: "Resume a paused deployment",
		help:     `Lets a deployment go on that was paused.`,
		examples: []string{"# Go on", Name + " deployment resume 12ae4f6c"},
		bind: func(f *flags) action {
			c := f.deploymentChange(deploymentChange{call: api.DeploymentPause, doing: "Error resuming deployment", done: "resumed"})
			return c.action(&n.DeploymentChange{})
		},
	}
}

func deploymentPromote() *verb {
	return &verb{
		name: "deployment promote", args: "<deployment>", min: 1, max: 1, kind: "deployment",
		synopsis: "Promote the canaries of a deployment",
		help: `
Takes the canaries of a deployment as good: what is left of the older version is
replaced. With -group, those of some groups only.`,
		examples: []string{
			"# All of them", Name + " deployment promote 12ae4f6c", "",
			"# Those of two groups", Name + " deployment promote -group web -group api 12ae4f6c",
		},
		bind: func(f *flags) action {
			c := f.deploymentChange(deploymentChange{call: api.DeploymentPromote, doing: "Error promoting deployment"})
			groups := f.list("group", "only canaries of this `group`; may be repeated")
			return func(e *env, args []string) error {
				return c.action(promotion(*groups))(e, args)
			}
		},
	}
}

// promotion promotes the canaries of groups, or of all without any.
func promotion(groups []string) *n.DeploymentChange {
	return &n.DeploymentChange{All: len(groups) == 0, Groups: groups}
}

// action makes the change to the deployment of the argument.
func (c *deploymentChange) action(req *n.DeploymentChange) action {
	return func(e *env, args []string) error {
		d, err := e.deployment(args[0])
		if err != nil {
			return err
		}
		return c.run(e, d, req)
	}
}
