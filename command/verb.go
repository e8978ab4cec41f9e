package command

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/mitchellh/cli"
	"github.com/posener/complete"

	"github.com/nomadlike/nomadlike/command/text"
	"github.com/nomadlike/nomadlike/nomadlike/errs"
)

// A verb is one command.
type verb struct {
	name     string // "job run"
	args     string // "<path>", for usage
	min, max int    // how many arguments; max -1 is any number
	synopsis string
	help     string   // what it does, in short paragraphs
	examples []string // command lines with a comment above each
	trouble  int      // exit code of errors; 0 is 1
	files    bool     // arguments are files
	kind     string   // arguments are IDs of this search context
	local    bool     // asks no agent, and takes no general flags
	instead  string   // a flag that takes the place of the arguments
	bind     func(*flags) action
}

// An action does the work once flags are parsed.
type action func(e *env, args []string) error

// A failure ends a command with an exit code and a text for stderr.
type failure struct {
	code int
	text string
}

func (f *failure) Error() string { return f.text }

// failf ends a command with exit code 1.
func failf(format string, args ...any) error { return &failure{1, fmt.Sprintf(format, args...)} }

// exit ends a command silently.
func exit(code int) error {
	if code == 0 {
		return nil
	}
	return &failure{code: code}
}

// exitInterrupted is what shells show for a command that Ctrl-C ended.
const exitInterrupted = 130

// A runnable is a verb in a world.
type runnable struct {
	*verb
	ctx context.Context
	io  IO
	old string // the word by which it was called, if that is out of use
}

var _ cli.CommandAutocomplete = (*runnable)(nil)

func (r *runnable) Synopsis() string { return r.synopsis }

// Run parses flags, checks the number of arguments and acts.
func (r *runnable) Run(args []string) int {
	f := newFlags(r.verb)
	act := r.bind(f)
	if err := f.Parse(args); err != nil {
		fmt.Fprintln(r.io.Err, err)
		fmt.Fprintln(r.io.Out, r.Help())
		return r.code(1)
	}
	ctx, stop := signal.NotifyContext(r.ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // who interrupts again does not want to wait
	e := newEnv(ctx, r.io, &f.general)
	e.line = lineWithoutPage(r.name, args)
	if r.old != "" {
		e.warnf("WARNING! The %q command is deprecated: use %q instead.\n", r.old, r.name)
	}
	if need := r.wrongArgs(f); need != "" {
		e.errorf("%s\nFor additional help try '%s %s -help'", need, Name, r.name)
		return r.code(1)
	}
	return r.code(e.fail(act(e, f.Args())))
}

// fail says why a command has failed and returns its exit code; without an error
// that is 0.
func (e *env) fail(err error) int {
	var f *failure
	switch {
	case err == nil:
		return 0
	case e.ctx.Err() != nil && errs.Is(err, errs.Canceled):
		return exitInterrupted
	case !errors.As(err, &f):
		f = &failure{1, e.explain(err)}
	}
	if f.text != "" {
		e.errorf("%s", f.text)
	}
	return f.code
}

func (r *runnable) code(c int) int {
	switch {
	case c == exitChanges:
		return 1
	case c == 1 && r.trouble != 0:
		return r.trouble
	}
	return c
}

// wrongArgs says what is wrong with the arguments, if anything.
func (r *runnable) wrongArgs(f *flags) string {
	if r.instead == "" || f.Lookup(r.instead).Value.String() == "" {
		return r.wrongCount(f.NArg())
	}
	if f.NArg() > 0 {
		return "This command takes no arguments with -" + r.instead
	}
	return ""
}

// wrongCount says what is wrong with the number of arguments, if anything.
func (r *runnable) wrongCount(n int) string {
	if n >= r.min && (n <= r.max || r.max < 0) {
		return ""
	}
	switch {
	case r.max == 0:
		return "This command takes no arguments"
	case r.min == 1 && r.max == 1:
		return "This command takes one argument: " + r.args
	case r.min == 0 && r.max == 1:
		return "This command takes either no arguments or one: " + strings.Trim(r.args, "[]")
	case r.max < 0:
		return "This command takes at least one argument: " + r.args
	}
	return "This command takes these arguments: " + r.args
}

// Help is made of what the verb says of itself and of its flags.
func (r *runnable) Help() string {
	f := newFlags(r.verb)
	r.bind(f)
	var b strings.Builder
	fmt.Fprintf(&b, "Usage: %s %s", Name, r.name)
	if f.own() || !r.local {
		b.WriteString(" [options]")
	}
	if r.args != "" {
		b.WriteString(" " + r.args)
	}
	fmt.Fprintf(&b, "\n\n%s\n", text.Indent(strings.TrimSpace(r.help), "  "))
	if len(r.examples) > 0 {
		b.WriteString("\nExamples:\n\n" + text.Indent(strings.Join(r.examples, "\n"), "  ") + "\n")
	}
	if f.own() {
		b.WriteString("\nOptions:\n\n" + f.describe(false))
	}
	if !r.local {
		b.WriteString("\nGeneral options:\n\n" + f.describe(true))
	}
	return strings.TrimRight(b.String(), "\n")
}

// AutocompleteFlags completes the names of flags.
func (r *runnable) AutocompleteFlags() complete.Flags {
	f := newFlags(r.verb)
	r.bind(f)
	return f.complete()
}

// AutocompleteArgs completes files, or IDs by asking the agent.
func (r *runnable) AutocompleteArgs() complete.Predictor {
	switch {
	case r.files:
		return complete.PredictOr(complete.PredictFiles("*.hcl"), complete.PredictFiles("*.nomad"), complete.PredictFiles("*.json"))
	case r.kind != "":
		return complete.PredictFunc(func(a complete.Args) []string {
			return newEnv(r.ctx, r.io, &general{}).matches(a.Last, r.kind)
		})
	}
	return complete.PredictNothing
}
