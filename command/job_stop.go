package command

import (
	"bufio"
	"fmt"
	"strings"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
)

func jobStop() *verb {
	return &verb{
		name: "job stop", args: "<job>...", min: 1, max: -1, kind: "jobs",
		synopsis: "Stop a running job",
		help: `
Stops jobs: all their allocations end, and nothing is placed any more. A stopped
job is remembered and can be run again; -purge forgets it.

Asks first when the argument is only the beginning of a job's ID. Then follows
the evaluation, unless -detach is given.`,
		examples: []string{
			"# Stop a job and see its allocations end", Name + " job stop example", "",
			"# In a script: no questions, only the evaluation's ID", Name + " job stop -yes -detach example",
		},
		bind: func(f *flags) action {
			s := &stopping{}
			f.BoolVar(&s.detach, "detach", false, "return at once and print nothing but the evaluation's ID")
			f.BoolVar(&s.purge, "purge", false, "forget the job as well")
			f.BoolVar(&s.global, "global", false, "stop a multi-region job in all its regions")
			f.IntVar(&s.priority, "eval-priority", 0, "the `priority` of this evaluation alone, 1 to 100")
			f.BoolVar(&s.noDelay, "no-shutdown-delay", false, "do not wait for the shutdown delays of groups and tasks")
			f.BoolVar(&s.yes, "yes", false, "answer every question with yes")
			s.verbose = f.verbose()
			return func(e *env, args []string) error {
				first := 0
				for _, id := range args {
					if code := e.fail(s.stop(e, id, len(args) > 1)); first == 0 {
						first = code
					}
				}
				return exit(first)
			}
		},
	}
}

type stopping struct {
	detach, purge, global, noDelay, yes bool
	priority                            int
	verbose                             *bool
}

func (s *stopping) stop(e *env, id string, several bool) error {
	key, err := e.job(id)
	if err != nil {
		return err
	}
	if string(key.ID) != id && !s.yes && !several {
		ok, err := e.confirm(fmt.Sprintf("Are you sure you want to stop job %q? [y/N]", key.ID), "Cancelling job stop")
		if err != nil || !ok {
			return err
		}
	}
	req := &n.JobDeregister{JobID: key.ID, Purge: s.purge, Global: s.global, NoShutdownDelay: s.noDelay, EvalPriority: s.priority}
	req.Namespace = key.Namespace
	resp, err := call(e, api.JobDeregister, req)
	switch {
	case err != nil:
		return e.trouble("Error deregistering job", err)
	case resp.EvalID == "":
		return nil // periodic and parameterized jobs have nothing to end
	case s.detach:
		e.print(string(resp.EvalID))
		return nil
	}
	return e.monitor(resp.EvalID, *s.verbose)
}

// confirm asks a question whose default is no.
func (e *env) confirm(question, cancelled string) (bool, error) {
	fmt.Fprint(e.Out, question+" ")
	line, err := bufio.NewReader(e.In).ReadString('\n')
	if err != nil && line == "" {
		return false, failf("Failed to parse answer: %v", err)
	}
	switch answer := strings.TrimSpace(line); {
	case answer == "" || strings.HasPrefix(strings.ToLower(answer), "n"):
		e.print(cancelled)
		return false, nil
	case answer == "y":
		return true, nil
	case strings.HasPrefix(strings.ToLower(answer), "y"):
		e.print("For confirmation, an exact 'y' is required.")
		return false, nil
	default:
		return false, failf("No confirmation detected. For confirmation, an exact 'y' is required.")
	}
}
