package command

import (
	"errors"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
)

func allocStatus() *verb {
	return &verb{
		name: "alloc status", args: "[alloc]", min: 0, max: 1, kind: "allocs",
		synopsis: "Show how an allocation is, and its tasks",
		help: `
Shows how an allocation is: where it runs, its addresses, and of each task what it
uses and what happened to it lately. The ID may be cut short.`,
		examples: []string{
			"# Why does it fail?", Name + " alloc status 8ba85cef", "",
			"# What does it use?", Name + " alloc status -stats 8ba85cef", "",
			"# All allocations, for a script", Name + ` alloc status -t '{{range .}}{{.ID}} {{.ClientStatus}}{{"\n"}}{{end}}'`,
		},
		bind: func(f *flags) action {
			s := &allocStatusFlags{out: f.structured(), verbose: f.verbose()}
			f.BoolVar(&s.short, "short", false, "only the head of it, and the last event of each task")
			f.BoolVar(&s.stats, "stats", false, "all that was measured of each task")
			return s.run
		},
	}
}

type allocStatusFlags struct {
	out          *structured
	verbose      *bool
	short, stats bool
}

func (s *allocStatusFlags) run(e *env, args []string) error {
	if len(args) == 0 {
		return s.list(e)
	}
	a, err := e.alloc(args[0])
	var several *ambiguous
	switch {
	case errors.As(err, &several):
		e.print(several.text)
		return nil
	case err != nil:
		return err
	case s.out.asked():
		return s.out.print(e, a)
	}
	v := &allocView{env: e, AllocDetail: a, verbose: *s.verbose, stats: s.stats}
	if s.short {
		v.short()
		return nil
	}
	v.show()
	return nil
}

func (s *allocStatusFlags) list(e *env) error {
	if !s.out.asked() {
		return failf("This command takes one argument: <alloc>, or none with -json or -t\nFor additional help try '%s alloc status -help'", Name)
	}
	list, err := read(e, api.AllocList, &n.AllocListRequest{})
	if err != nil {
		return e.trouble("Error querying allocations", err)
	}
	return s.out.print(e, list)
}
