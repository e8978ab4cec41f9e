package command

import (
	"strings"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
	"github.com/nomadlike/nomadlike/nomadlike/errs"
)

func jobValidate() *verb {
	return &verb{
		name: "job validate", args: "<path>", min: 1, max: 1, files: true,
		synopsis: "Check a job file",
		help: `
Checks a job file: that it can be read, and that the servers would accept the job.
Without a server in reach it checks what can be checked without one.`,
		examples: []string{"# Check a file before it is committed", Name + " job validate example.nomad.hcl"},
		bind: func(f *flags) action {
			file := f.jobFile()
			vault := f.String("vault-namespace", "", "the Vault `namespace` of the job")
			return func(e *env, args []string) error {
				job, _, err := file.read(e, args[0])
				if err != nil {
					return err
				}
				if *vault != "" {
					job.VaultNamespace = *vault
				}
				return validate(e, job)
			}
		},
	}
}

func validate(e *env, job *n.Job) error {
	req := &n.JobValidate{Job: job}
	e.target(&req.RequestOptions, job)
	resp, err := call(e, api.JobValidate, req)
	switch {
	case errs.Is(err, errs.Unavailable):
		if problems := checkLocally(job); problems != "" {
			return failf("Job validation errors:\n%s", problems)
		}
		e.print(e.yellow("No agent answers at " + e.address() + ": the job was checked here, and its drivers' configuration was not."))
		e.print(e.green("Job validation successful"))
		return nil
	case err != nil:
		return e.trouble("Error validating job", err)
	}
	if len(resp.ValidationErrors) > 0 || resp.Error != "" {
		text := resp.Error
		if text == "" {
			text = "* " + strings.Join(resp.ValidationErrors, "\n* ")
		}
		return failf("Job validation errors:\n%s", text)
	}
	e.warnings(resp.Warnings)
	e.print(e.green("Job validation successful"))
	return nil
}
