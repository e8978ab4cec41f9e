package command

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/nomadlike/nomadlike/jobspec/jobwrite"
	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
	"github.com/nomadlike/nomadlike/nomadlike/errs"
)

func jobInspect() *verb {
	return &verb{
		name: "job inspect", args: "[job]", min: 0, max: 1, kind: "jobs",
		synopsis: "Show a job as the servers have it",
		help: `
Prints a job as the servers have it, as JSON that 'job run -json' takes. With -hcl
it is the job file that it came from, with its variables and comments; of a job
that came as JSON, or whose file was too long to be kept, it is a job file written
for it, which holds what differs from the defaults.`,
		examples: []string{
			"# The job of an old version", Name + " job inspect -version=3 example", "",
			"# Get the job file back", Name + " job inspect -hcl example > example.nomad.hcl", "",
			"# Turn a job in JSON into a job file", Name + " job run example.json", Name + " job inspect -hcl example > example.nomad.hcl",
		},
		bind: func(f *flags) action {
			i := &inspectFlags{out: f.structured()}
			f.StringVar(&i.version, "version", "", "this `version` instead of the newest")
			f.BoolVar(&i.hcl, "hcl", false, "the text of the job file; it is written if the job came as JSON")
			f.BoolVar(&i.withVars, "with-vars", false, "with -hcl: tell how to run it with the same variables")
			return i.run
		},
	}
}

type inspectFlags struct {
	out           *structured
	version       string
	hcl, withVars bool
}

func (i *inspectFlags) run(e *env, args []string) error {
	switch {
	case i.hcl && i.out.json:
		return failf("-hcl and -json exclude each other")
	case i.withVars && !i.hcl:
		return failf("-with-vars needs -hcl")
	case len(args) == 0 && !i.out.asked():
		return failf("This command takes one argument: <job>\nFor additional help try '%s job inspect -help'", Name)
	case len(args) == 0:
		jobs, err := read(e, api.JobList, &n.JobListRequest{})
		if err != nil {
			return e.trouble("Error querying jobs", err)
		}
		return i.out.print(e, jobs)
	}
	key, err := e.job(args[0])
	if err != nil {
		return err
	}
	job, err := i.job(e, key)
	if err != nil {
		return err
	}
	switch {
	case i.hcl:
		return i.source(e, job)
	case i.out.asked():
		return i.out.print(e, job)
	}
	out, err := sortedJSON(map[string]any{"Job": job})
	if err != nil {
		return err
	}
	e.print(out)
	return nil
}

// job returns the version that was asked for.
func (i *inspectFlags) job(e *env, key n.JobKey) (*n.Job, error) {
	if i.version == "" {
		job, err := read(e, api.JobGet, jobQuery(key))
		if err != nil {
			return nil, e.trouble("Error inspecting job", err)
		}
		return job, nil
	}
	version, err := strconv.ParseUint(i.version, 10, 64)
	if err != nil {
		return nil, failf("Error parsing version value %q: %v", i.version, err)
	}
	req := &n.JobVersionsRequest{JobID: key.ID}
	req.Namespace = key.Namespace
	resp, err := call(e, api.JobVersions, req)
	if err != nil {
		return nil, e.trouble("Error retrieving job versions", err)
	}
	for _, j := range resp.Versions {
		if j.Version == version {
			return j, nil
		}
	}
	return nil, failf("Job %q has no version %d. The versions that are remembered: %s", key.ID, version, versionList(resp.Versions))
}

// source prints the text that the job came from, or one that says the same.
func (i *inspectFlags) source(e *env, job *n.Job) error {
	sub, err := i.submission(e, job)
	if err != nil {
		return err
	}
	if i.withVars {
		e.warnf("%s -", i.rerun(job, sub))
	}
	fmt.Fprint(e.Out, sub.Source)
	if !strings.HasSuffix(sub.Source, "\n") {
		e.print("")
	}
	return nil
}

// submission returns the job file that was kept, or a new one.
func (i *inspectFlags) submission(e *env, job *n.Job) (*n.JobSubmission, error) {
	req := &n.JobSubmissionQuery{JobID: job.ID, Version: job.Version}
	req.Namespace = job.Namespace
	sub, err := read(e, api.JobSubmission, req)
	if err != nil && !errs.Is(err, errs.NotFound) {
		return nil, e.trouble("Error querying the job's source", err)
	}
	if err == nil && sub.Format == "hcl2" {
		return sub, nil
	}
	src, err := jobwrite.HCL(job)
	if err != nil {
		return nil, failf("Error writing the job as a job file: %v\nPrint it as JSON instead: %s job inspect %s", err, Name, job.ID)
	}
	return &n.JobSubmission{Source: string(src), Format: "hcl2"}, nil
}

// rerun is the command line that runs the job's file with the same variables.
func (i *inspectFlags) rerun(job *n.Job, sub *n.JobSubmission) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s job inspect -hcl", Name)
	if i.version != "" {
		fmt.Fprintf(&b, " -version=%d", job.Version)
	}
	fmt.Fprintf(&b, " %s | %s job run", job.ID, Name)
	for _, name := range sorted(sub.VariableFlags) {
		fmt.Fprintf(&b, " -var='%s=%s'", name, sub.VariableFlags[name])
	}
	if sub.Variables != "" {
		fmt.Fprintf(&b, " -var-file=<(cat <<'EOF'\n%s\nEOF\n)", strings.TrimRight(sub.Variables, "\n"))
	}
	return b.String()
}
