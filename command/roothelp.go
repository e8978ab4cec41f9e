package command

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mitchellh/cli"
)

// common are the commands that help lists first, in this order.
var common = []string{"run", "stop", "status", "alloc", "job", "node", "agent"}

// rootHelp is what the program says of itself.
func rootHelp(commands map[string]cli.CommandFactory) string {
	var names []string
	width := 0
	for name := range commands {
		width = max(width, len(name))
		if !slices.Contains(common, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var b strings.Builder
	fmt.Fprintf(&b, "Usage: %s [-version] [-help] [-autocomplete-(un)install] <command> [args]\n\nCommon commands:\n", Name)
	line := func(name string) {
		make := commands[name]
		if make == nil {
			return
		}
		if c, err := make(); err == nil {
			fmt.Fprintf(&b, "    %-*s      %s\n", width, name, c.Synopsis())
		}
	}
	for _, name := range common {
		line(name)
	}
	b.WriteString("\nOther commands:\n")
	for _, name := range names {
		line(name)
	}
	return strings.TrimRight(b.String(), "\n")
}
