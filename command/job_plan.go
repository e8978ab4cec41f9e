package command

import (
	"fmt"
	"strings"

	"github.com/nomadlike/nomadlike/command/text"
	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
)

func jobPlan() *verb {
	return &verb{
		name: "job plan", args: "<path>", min: 1, max: 1, files: true, trouble: 255,
		synopsis: "Show what running a job would do",
		help: `
Asks the servers what would happen if the job were run now: what differs from
the running version, which allocations would be created, replaced or stopped,
and what would find no place. Nothing is changed.

Exits with 0 when the job does not differ, or when no allocation would be created
or destroyed, with 1 when some would, and with 255 on any error.`,
		examples: []string{
			"# What would change?", Name + " job plan example.nomad.hcl", "",
			"# Why would it run there, and not elsewhere?", Name + " job plan -why example.nomad.hcl", "",
			"# Only the answer, for a script", Name + " job plan -json-output example.nomad.hcl",
		},
		bind: func(f *flags) action {
			file := f.jobFile()
			diff := f.Bool("diff", true, "show what differs from the running version")
			out := &structured{}
			f.BoolVar(&out.json, "json-output", false, "print the API's answer as JSON")
			f.StringVar(&out.template, "t", "", "print it through a Go `template`")
			req := &n.JobPlan{}
			f.BoolVar(&req.PolicyOverride, "policy-override", false, "accepted; this build has no policies")
			vault := f.String("vault-namespace", "", "the Vault `namespace` of the job")
			f.BoolVar(&req.Why, "why", false, "show why each allocation would go where, and what rules other nodes out")
			verbose := f.verbose()
			return func(e *env, args []string) error {
				job, _, err := file.read(e, args[0])
				if err != nil {
					return err
				}
				if *vault != "" {
					job.VaultNamespace = *vault
				}
				req.Job, req.JobID, req.Diff = job, job.ID, true // the exit code depends on it
				e.target(&req.RequestOptions, job)
				plan, err := call(e, api.JobPlan, req)
				if err != nil {
					return file.places(job).trouble(e, "Error during plan", err)
				}
				end := plannedExit(plan)
				if !*diff {
					plan.Diff = nil
				}
				if out.asked() {
					if err := out.print(e, plan); err != nil {
						return err
					}
					return end
				}
				p := &planned{env: e, job: job, plan: plan}
				p.show(*verbose)
				p.why(*verbose)
				p.howToRun(file, args[0])
				return end
			}
		},
	}
}

// plannedExit is 1 when the job differs and running it would create or destroy
// something. What happens without the difference, such as the rest of a rollout, is
// no reason to run it.
func plannedExit(plan *n.JobPlanned) error {
	if plan.Annotations == nil || plan.Diff != nil && plan.Diff.Type == n.DiffNone {
		return nil
	}
	for _, u := range plan.Annotations.DesiredTGUpdates {
		if u.Stop+u.Place+u.Migrate+u.DestructiveUpdate+u.Canary > 0 {
			return &changes{}
		}
	}
	return nil
}

// changes is the end of a plan that would change something. It is no trouble,
// so its exit code stays 1.
type changes struct{}

func (*changes) Error() string { return "" }
func (*changes) As(target any) bool {
	f, ok := target.(**failure)
	if ok {
		*f = &failure{code: exitChanges}
	}
	return ok
}

// exitChanges stands for exit code 1 where 1 would be taken for trouble.
const exitChanges = -1

// planned is a plan to be shown.
type planned struct {
	*env
	job  *n.Job
	plan *n.JobPlanned
}

func (p *planned) show(verbose bool) {
	if p.plan.Diff != nil {
		p.print(p.jobDiff(p.plan.Diff, verbose) + "\n")
	}
	p.print(p.bold("Scheduler dry-run:"))
	p.dryRun()
	p.print("")
	p.warnings(p.plan.Warnings)
	if a := p.plan.Annotations; a != nil && len(a.PreemptedAllocs) > 0 {
		p.print(p.bold("Preemptions:") + "\n\n" + preemptions(a.PreemptedAllocs).String() + "\n")
	}
}

func (p *planned) dryRun() {
	if len(p.plan.FailedTGAllocs) == 0 {
		p.print(p.green("- All tasks successfully allocated."))
	} else {
		where := ""
		if p.job.RunsEverywhere() {
			where = " on all nodes"
		}
		p.print(p.yellow("- WARNING: Failed to place all allocations" + where + "."))
		for _, g := range sorted(p.plan.FailedTGAllocs) {
			lines := p.unplaced(map[string]*n.AllocMetric{g: p.plan.FailedTGAllocs[g]}, "  ", "    ")
			lines = append(lines, explained(p.plan.FailedTGAllocs[g], "    ")...)
			p.print(strings.Join(lines, "\n") + "\n")
		}
	}
	for _, ev := range p.plan.CreatedEvals {
		if ev.TriggeredBy == n.TriggerRollingUpdate {
			p.printf("- Rolling update, next evaluation will be in %s.", ev.Wait)
		}
	}
	if t := p.plan.NextPeriodicLaunch; p.job.IsPeriodic() && t != nil && !t.IsZero() {
		p.printf("- If submitted now, next periodic launch would be at %s.", launchText(*t, p.Now()))
	}
}

// preemptions lists what would have to make room, in less detail the more it is.
func preemptions(allocs []n.AllocStub) *text.Table {
	if len(allocs) < 10 {
		t := text.NewTable("Alloc ID", "Job ID", "Task Group")
		for _, a := range allocs {
			t.Row(string(a.ID), string(a.JobID), a.TaskGroup)
		}
		return t
	}
	byJob, byType := map[string]int{}, map[string]int{}
	for _, a := range allocs {
		byJob[string(a.JobID)+"\x00"+a.Namespace+"\x00"+a.JobType]++
		byType[a.JobType]++
	}
	if len(byJob) < 10 {
		t := text.NewTable("Job ID", "Namespace", "Job Type", "Preemptions")
		for _, key := range sorted(byJob) {
			t.Row(append(strings.Split(key, "\x00"), fmt.Sprint(byJob[key]))...)
		}
		return t
	}
	t := text.NewTable("Job Type", "Preemptions")
	for _, kind := range sorted(byType) {
		t.Row(kind, fmt.Sprint(byType[kind]))
	}
	return t
}

// howToRun tells how to run exactly what was planned.
func (p *planned) howToRun(file *jobFile, path string) {
	var flags strings.Builder
	for _, v := range file.vars {
		fmt.Fprintf(&flags, "-var=%q ", v)
	}
	for _, v := range file.varFiles {
		fmt.Fprintf(&flags, "-var-file=%q ", v)
	}
	if ns := p.general.namespace; ns != "" {
		fmt.Fprintf(&flags, "-namespace=%q ", ns)
	}
	if !file.strict {
		flags.WriteString("-hcl2-strict=false ")
	}
	index := p.plan.JobModifyIndex
	p.printf("%s\nTo submit the job with version verification run:\n\n%s job run -check-index %d %s%s\n",
		p.bold(fmt.Sprintf("Job Modify Index: %d", index)), Name, index, flags.String(), path)
	p.print("With -check-index the job runs only if its modify index on the servers is still\nthe one above. Another index means that somebody changed the job since: plan again.")
}
