package command

import (
	"fmt"

	"github.com/nomadlike/nomadlike/jobspec/admission"
	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
	"github.com/nomadlike/nomadlike/nomadlike/errs"
	"github.com/nomadlike/nomadlike/nomadlike/walk"
)

func jobValidate() *verb {
	return &verb{
		name: "job validate", args: "<path>", min: 1, max: 1, files: true, instead: "explain",
		synopsis: "Check a job file",
		help: `
Checks a job file: that it can be read, and that the servers would accept the job.
Without a server in reach it checks what can be checked without one.

With -explain it checks nothing, and says what a block or an argument of job files
means: its type, its default, what it may hold and where it may stand. It needs no
file and no server then; with -json the answer is JSON.`,
		examples: []string{
			"# Check a file before it is committed", Name + " job validate example.nomad.hcl",
			"# What does it mean?", Name + " job validate -explain restart.mode",
			"# What may stand in a task?", Name + " job validate -explain group.task",
		},
		bind: func(f *flags) action {
			file := f.jobFile()
			vault := f.String("vault-namespace", "", "the Vault `namespace` of the job")
			name := f.String("explain", "", "say what a `field` of job files means, such as count, restart.mode or group.network")
			return func(e *env, args []string) error {
				if *name != "" {
					return explainField(e, *name, file.json)
				}
				job, _, err := file.read(e, args[0])
				if err != nil {
					return err
				}
				if *vault != "" {
					job.VaultNamespace = *vault
				}
				return validate(e, file, job)
			}
		},
	}
}

func validate(e *env, file *jobFile, job *n.Job) error {
	places := file.places(job)
	req := &n.JobValidate{Job: job}
	e.target(&req.RequestOptions, job)
	resp, err := call(e, api.JobValidate, req)
	switch {
	case errs.Is(err, errs.Unavailable) && !answered(err):
		e.warnf("No agent answers at %s: the job is checked here, and its drivers' configuration is not.\n", e.address())
		resp = validateHere(walk.Clone(job))
	case err != nil:
		return e.trouble("Error validating job", err)
	}
	places.warnings(e, resp.Warnings)
	problems := resp.ValidationErrors
	if len(problems) == 0 && resp.Error != "" {
		problems = []string{resp.Error}
	}
	if len(problems) > 0 {
		e.errorf("Job validation errors:\n")
		fmt.Fprintln(e.Err, places.problems(e, problems))
		return exit(1)
	}
	e.print(e.green("Job validation successful"))
	return nil
}

// validateHere checks what can be checked without a server. It completes the job as
// a server would.
func validateHere(job *n.Job) *n.JobValidated {
	warnings, err := admission.Admit(job, admission.Options{})
	out := &n.JobValidated{ValidationErrors: admission.Texts(admission.Problems(err))}
	out.Warnings = admission.Summary(append(admission.Texts(warnings), admission.Unavailable(job)...))
	return out
}
