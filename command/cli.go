// Package command is the command line: one small file a verb, which talks HTTP
// to an agent through the client of httpapi. Layouts, exit codes and flags are
// those that scripts of the original rely on.
//
// A verb says what it is called and what it takes, and binds its flags to a
// function; help, usage errors, completion and general flags follow from that.
package command

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/mitchellh/cli"
	"golang.org/x/term"
)

// Name is what the program is called.
const Name = "nomadlike"

// IO is the world that commands live in.
type IO struct {
	In       io.Reader
	Out, Err io.Writer
	Env      func(string) string
	Environ  []string // all of it, as "NAME=value"
	Now      func() time.Time
	// Poll is the time between two looks at something that changes.
	Poll time.Duration
	// Terminal says that Out is one; Width is how wide it is.
	Terminal bool
	Width    int
}

// System is the world of a process.
func System() IO {
	s := IO{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Env: os.Getenv, Environ: os.Environ(), Now: time.Now, Poll: time.Second, Width: 80}
	if s.Terminal = term.IsTerminal(int(os.Stdout.Fd())); s.Terminal {
		if w, _, err := term.GetSize(int(os.Stdout.Fd())); err == nil && w > 0 {
			s.Width = w
		}
	}
	return s
}

// Run runs a command line without the program's name and returns the exit code.
func Run(ctx context.Context, args []string, w IO) int {
	commands, hidden := table(ctx, w)
	c := &cli.CLI{
		Name: Name, Version: VersionText(), Args: args, Commands: commands, HiddenCommands: hidden,
		Autocomplete: true, HelpFunc: rootHelp, HelpWriter: w.Out, ErrorWriter: w.Out,
	}
	if hint := didYouMean(args, commands); hint != "" {
		fmt.Fprintln(w.Err, hint)
	}
	code, err := c.Run()
	if err != nil {
		fmt.Fprintf(w.Err, "Error executing CLI: %v\n", err)
		return 1
	}
	return code
}

// table lists all commands by name, and which of them help does not show.
func table(ctx context.Context, w IO) (map[string]cli.CommandFactory, []string) {
	commands, hidden := map[string]cli.CommandFactory{}, []string{}
	add := func(name string, v *verb) {
		commands[name] = func() (cli.Command, error) { return &runnable{verb: v, ctx: ctx, io: w}, nil }
	}
	for _, v := range verbs() {
		add(v.name, v)
	}
	for alias, name := range aliases {
		commands[alias] = commands[name]
		if !shown[alias] {
			hidden = append(hidden, alias)
		}
	}
	for old, name := range renamed {
		make := commands[name]
		commands[old] = func() (cli.Command, error) {
			c, err := make()
			c.(*runnable).old = old
			return c, err
		}
		hidden = append(hidden, old)
	}
	commands["agent"] = func() (cli.Command, error) { return newAgentCommand(ctx, w), nil }
	for name, about := range groups {
		commands[name] = func() (cli.Command, error) { return group{name, about}, nil }
	}
	return commands, hidden
}

// A group is a word that only leads to others.
type group struct{ name, about string }

func (g group) Synopsis() string { return g.about }
func (g group) Run([]string) int { return cli.RunResultHelp }
func (g group) Help() string {
	return fmt.Sprintf("Usage: %s %s <subcommand> [options] [args]\n\n  %s.", Name, g.name, g.about)
}

// didYouMean looks for what an unknown word may have been meant to be.
func didYouMean(args []string, commands map[string]cli.CommandFactory) string {
	var words []string
	for _, a := range args {
		if strings.HasPrefix(a, "-") || len(words) == 3 {
			break
		}
		words = append(words, a)
	}
	for n := range words {
		asked := strings.Join(words[:n+1], " ")
		if _, ok := commands[asked]; ok {
			if _, isGroup := groups[asked]; !isGroup {
				return ""
			}
			continue
		}
		if isParent(asked, commands) {
			continue
		}
		best, distance := "", 3
		for name := range commands {
			if strings.Count(name, " ") != n {
				continue
			}
			if d := editDistance(asked, name); d < distance || d == distance && d < 3 && name < best {
				best, distance = name, d
			}
		}
		text := fmt.Sprintf("%s has no command %q.", Name, asked)
		if best != "" {
			text += fmt.Sprintf(" Did you mean %q?", best)
		}
		return text + "\n"
	}
	return ""
}

func isParent(name string, commands map[string]cli.CommandFactory) bool {
	for c := range commands {
		if strings.HasPrefix(c, name+" ") {
			return true
		}
	}
	return false
}

// editDistance counts the letters to change, add or drop.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		last := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			last, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, last+cost)
		}
	}
	return row[len(b)]
}
