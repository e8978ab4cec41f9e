package command

import (
	"runtime/debug"
	"strings"
	"sync"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// Version is the program's own version; a release sets it when it is linked.
var Version = "0.1.0-dev"

// A build says what was built, and from what.
type build struct {
	version  string
	revision string // empty if the source was under no version control
	date     string // of the source, RFC 3339
}

// built is what the linker knows of this program.
var built = sync.OnceValue(func() build {
	b := build{version: Version}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	modified := false
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.revision = s.Value
		case "vcs.time":
			b.date = s.Value
		case "vcs.modified":
			modified = s.Value == "true"
		}
	}
	if modified && b.revision != "" {
		b.revision += "+changes"
	}
	return b
})

// VersionText is what version prints.
func VersionText() string { return built().text() }

func (b build) text() string {
	lines := []string{"Nomadlike v" + b.version}
	if b.date != "" {
		lines = append(lines, "BuildDate "+b.date)
	}
	if b.revision != "" {
		lines = append(lines, "Revision "+b.revision)
	}
	return strings.Join(append(lines, "Compatible with Nomad v"+n.CompatibilityVersion), "\n")
}

func version() *verb {
	return &verb{
		name: "version", max: 0, local: true,
		synopsis: "Show the version of this program",
		help:     `Prints the version of this program, what it was built from, and which version of Nomad it stands in for.`,
		examples: []string{"# Which version is this?", Name + " version"},
		bind: func(*flags) action {
			return func(e *env, _ []string) error {
				e.print(VersionText())
				return nil
			}
		},
	}
}
