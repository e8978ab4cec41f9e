package command

import (
	_ "embed"
	"errors"
	"io/fs"
	"os"
)

var (
	//go:embed example/long.nomad.hcl
	exampleLong string
	//go:embed example/short.nomad.hcl
	exampleShort string
)

func jobInit() *verb {
	return &verb{
		name: "job init", args: "[file]", min: 0, max: 1, files: true, local: true,
		synopsis: "Write an example of a job file",
		help: `
Writes a job file to begin with, example.nomad.hcl unless another name is given.
It runs on an agent that was started with -dev. A file that exists is left alone.`,
		examples: []string{
			"# Try it out", Name + " job init -short && " + Name + " job run example.nomad.hcl",
		},
		bind: func(f *flags) action {
			short := f.Bool("short", false, "without explanations")
			return func(e *env, args []string) error {
				path, content := "example.nomad.hcl", exampleLong
				if len(args) == 1 {
					path = args[0]
				}
				if *short {
					content = exampleShort
				}
				return writeNew(e, path, content)
			}
		},
	}
}

// writeNew writes a file that must not exist.
func writeNew(e *env, path, content string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o660)
	if errors.Is(err, fs.ErrExist) {
		return failf("Job '%s' already exists", path)
	}
	if err != nil {
		return failf("Failed to write '%s': %v", path, err)
	}
	_, err = f.WriteString(content)
	if err := errors.Join(err, f.Close()); err != nil {
		return failf("Failed to write '%s': %v", path, err)
	}
	e.printf("Example job file written to %s", path)
	return nil
}
