package command

import (
	"errors"
	"io"
	"os"
	"strings"
	"time"

	"github.com/nomadlike/nomadlike/command/text"
	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
)

func jobDispatch() *verb {
	return &verb{
		name: "job dispatch", args: "<job> [payload file or -]", min: 1, max: 2, kind: "jobs",
		synopsis: "Run a copy of a parameterized job",
		help: `
Runs a copy of a parameterized job with a payload and meta of its own. The payload
is a file, or with - standard input, of at most 16 KiB; the task finds it in the
file that its dispatch_payload block names.

The command then follows what happens and ends when everything has a place; with
-wait, when the copy has ended. It exits with 0; with 2 if something has failed
that -wait waited for; with 1 on any other error.`,
		examples: []string{
			"# Encode a video", Name + " job dispatch -meta input=s3://videos/cat.mov encode", "",
			"# Send a payload, once however often this is run", Name + " job dispatch -idempotency-token=2026-05-01 encode settings.json", "",
			"# In a script, until it is done", Name + " job dispatch -wait encode settings.json && echo done",
		},
		bind: func(f *flags) action {
			d := &dispatchFlags{}
			d.meta = f.list("meta", "a `key=value` that the job takes; may be repeated")
			f.BoolVar(&d.detach, "detach", false, "return at once with the new job's ID, instead of following it")
			f.StringVar(&d.req.IdempotencyToken, "idempotency-token", "", "run no second copy for the same `token`")
			f.StringVar(&d.req.IdPrefixTemplate, "id-prefix-template", "", "a `prefix` of the new job's ID, after the word dispatch")
			f.IntVar(&d.req.Priority, "priority", 0, "the `priority` of the new job, 1 to 100; 0 is its parent's")
			f.BoolVar(&d.wait, "wait", false, "follow the new job until it has ended, for 5 minutes")
			d.verbose = f.verbose()
			return d.run
		},
	}
}

type dispatchFlags struct {
	req          n.JobDispatch
	meta         *[]string
	detach, wait bool
	verbose      *bool
}

func (d *dispatchFlags) run(e *env, args []string) error {
	if err := d.readMeta(); err != nil {
		return err
	}
	if len(args) == 2 {
		payload, err := readPayload(e, args[1])
		if err != nil {
			return failf("Error reading input data: %v", err)
		}
		d.req.Payload = payload
	}
	key, err := e.launcher(args[0], "parameterized", `ParentID == "" and ParameterizedJob is not nil`)
	if err != nil {
		return err
	}
	d.req.JobID, d.req.Namespace = key.ID, key.Namespace
	resp, err := call(e, api.JobDispatch, &d.req)
	if err != nil {
		return e.trouble("Failed to dispatch job", err)
	}
	p := new(text.Pairs).Add("Dispatched Job ID", string(resp.DispatchedJobID))
	e.print(p.AddIf(resp.EvalID != "", "Evaluation ID", id(resp.EvalID, *d.verbose)).String())
	if d.detach {
		return nil
	}
	if resp.EvalID != "" {
		e.print("")
		if err := e.monitor(resp.EvalID, *d.verbose); err != nil {
			var f *failure
			if errors.As(err, &f) {
				f.code = exitTrouble
			}
			return err
		}
	}
	if d.wait {
		return d.untilDead(e, n.JobKey{Namespace: key.Namespace, ID: resp.DispatchedJobID})
	}
	return nil
}

func (d *dispatchFlags) readMeta() error {
	for _, m := range *d.meta {
		key, value, ok := strings.Cut(m, "=")
		if !ok {
			return failf("Error parsing meta value: %s", m)
		}
		if d.req.Meta == nil {
			d.req.Meta = map[string]string{}
		}
		d.req.Meta[key] = value
	}
	return nil
}

// readPayload reads a file or standard input, and of a large one no more than
// tells the servers that it is too large.
func readPayload(e *env, path string) ([]byte, error) {
	in := e.In
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	return io.ReadAll(io.LimitReader(in, 4*n.MaxPayload))
}

// waitLimit is how long -wait waits for a job to end.
const waitLimit = 5 * time.Minute

// untilDead follows a job to its end and shows what became of it.
func (d *dispatchFlags) untilDead(e *env, key n.JobKey) error {
	for deadline := e.Now().Add(waitLimit); ; {
		job, err := read(e, api.JobGet, jobQuery(key))
		if err != nil {
			return e.trouble("Error querying job", err)
		}
		if job.Status == n.JobDead {
			break
		}
		if e.Now().After(deadline) {
			return failf("Job %q has not ended within %s; it goes on", key.ID, waitLimit)
		}
		if err := e.pause(); err != nil {
			return err
		}
	}
	summary, err := read(e, api.JobSummary, jobQuery(key))
	if err != nil {
		return e.trouble("Error querying job summary", err)
	}
	t := text.NewTable("Task Group", "Queued", "Complete", "Failed", "Running", "Starting", "Lost", "Unknown")
	failed := false
	for _, g := range sorted(summary.Summary) {
		c := summary.Summary[g]
		failed = failed || c.Failed > 0
		t.Row(g, str(c.Queued), str(c.Complete), str(c.Failed), str(c.Running), str(c.Starting), str(c.Lost), str(c.Unknown))
	}
	e.print("\n" + t.String())
	if failed {
		return exit(exitNotPlaced)
	}
	return nil
}
