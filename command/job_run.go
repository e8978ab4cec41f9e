package command

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/nomadlike/nomadlike/jobspec/cron"
	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
	"github.com/nomadlike/nomadlike/nomadlike/errs"
	"github.com/nomadlike/nomadlike/nomadlike/httpapi"
)

func jobRun() *verb {
	return &verb{
		name: "job run", args: "<path>", min: 1, max: 1, files: true,
		synopsis: "Run a new job or update one",
		help: `
Reads a job file and asks the servers to run it. A job that exists already is
updated: only what changed is replaced. The path - reads standard input.

The command then follows what happens and ends when everything has a place and
the deployment, if there is one, has succeeded. It exits with 0; with 2 when
something could not be placed; with 1 on any other error. Interrupting it does
not stop the job.`,
		examples: []string{
			"# Run a job and watch it start", Name + " job run example.nomad.hcl", "",
			"# Set variables of the job file", Name + ` job run -var="image=redis:7" -var-file=prod.hcl example.nomad.hcl`, "",
			"# Only if nobody changed it since 'job plan' said 42", Name + " job run -check-index=42 example.nomad.hcl",
		},
		bind: func(f *flags) action {
			file := f.jobFile()
			o := &runOptions{}
			f.StringVar(&o.checkIndex, "check-index", "", "run only if the job's modify `index` on the servers is this; 0: if there is none")
			f.BoolVar(&o.detach, "detach", false, "return at once with the evaluation's ID, instead of following it")
			f.IntVar(&o.req.EvalPriority, "eval-priority", 0, "the `priority` of this evaluation alone, 1 to 100")
			f.BoolVar(&o.output, "output", false, "print the job as JSON and send nothing")
			f.BoolVar(&o.req.PolicyOverride, "policy-override", false, "accepted; this build has no policies")
			f.BoolVar(&o.req.PreserveCounts, "preserve-counts", false, "keep the counts of groups that exist")
			f.BoolVar(&o.req.PreserveResources, "preserve-resources", false, "keep the resources of tasks that exist")
			f.StringVar(&o.consulNamespace, "consul-namespace", "", "the Consul `namespace` of the job")
			f.StringVar(&o.vaultNamespace, "vault-namespace", "", "the Vault `namespace` of the job")
			o.verbose = f.verbose()
			return func(e *env, args []string) error {
				job, sub, err := file.read(e, args[0])
				if err != nil {
					return err
				}
				return o.run(e, file, job, sub)
			}
		},
	}
}

type runOptions struct {
	req             n.JobRegister
	checkIndex      string
	detach, output  bool
	verbose         *bool
	consulNamespace string
	vaultNamespace  string
}

func (o *runOptions) run(e *env, file *jobFile, job *n.Job, sub *n.JobSubmission) error {
	if o.consulNamespace != "" {
		job.ConsulNamespace = o.consulNamespace
	}
	if o.vaultNamespace != "" {
		job.VaultNamespace = o.vaultNamespace
	}
	if o.output {
		shown, err := file.shown(job)
		if err != nil {
			return failf("Error converting job: %v", err)
		}
		out, err := sortedJSON(map[string]any{"Job": shown})
		if err != nil {
			return failf("Error converting job: %v", err)
		}
		e.print(out)
		return nil
	}
	if o.checkIndex != "" {
		index, err := strconv.ParseUint(o.checkIndex, 10, 64)
		if err != nil {
			return failf("Error parsing check-index value %q: %v", o.checkIndex, err)
		}
		o.req.EnforceIndex, o.req.JobModifyIndex = true, index
	}
	o.req.Job, o.req.Submission = job, sub
	e.target(&o.req.RequestOptions, job)
	resp, err := call(e, api.JobRegister, &o.req)
	if err != nil {
		if _, conflict, ok := strings.Cut(plainText(err), enforcing); ok {
			return failf("%s%s\nJob not updated", enforcing, conflict)
		}
		return file.places(job).trouble(e, "Error submitting job", err)
	}
	file.places(job).warnings(e, resp.Warnings)
	if o.detach || resp.EvalID == "" {
		return e.submitted("Job registration successful", job, resp.EvalID)
	}
	return e.monitor(resp.EvalID, *o.verbose)
}

// enforcing begins the servers' answer to a -check-index that is not the job's.
const enforcing = "Enforcing job modify index"

// plainText is the text of an error without what HTTP adds to it.
func plainText(err error) string {
	var status *httpapi.StatusError
	if errors.As(err, &status) {
		return status.Text
	}
	return errs.Text(err)
}

// answered reports an error that an agent sent, so that there is one.
func answered(err error) bool {
	var status *httpapi.StatusError
	return errors.As(err, &status)
}

// target takes region and namespace from the job file, which wins over flags
// and environment.
func (e *env) target(opts *n.RequestOptions, job *n.Job) {
	if job.Namespace == "" || job.Namespace == n.DefaultNamespace {
		job.Namespace = e.namespace()
	}
	opts.Namespace = job.Namespace
	if job.Region != "" && job.Region != n.DefaultRegion {
		opts.Region = job.Region
	}
}

// warnings prints what the servers want the user to know.
func (e *env) warnings(text string) {
	if text != "" {
		e.print(e.yellow("Job Warnings:\n"+text) + "\n")
	}
}

// submitted is what a run ends with that is not followed.
func (e *env) submitted(done string, job *n.Job, eval n.EvalID) error {
	e.print(done)
	switch {
	case job.IsPeriodic():
		if next, ok := cron.Next(job, e.Now()); ok {
			e.print("Approximate next launch time: " + launchText(next, e.Now()))
		}
	case job.IsParameterized():
	default:
		e.print(fmt.Sprintf("Evaluation ID: %s", eval))
	}
	return nil
}
