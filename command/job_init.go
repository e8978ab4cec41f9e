package command

import (
	"embed"
	"errors"
	"io/fs"
	"os"
)

//go:embed example
var examples embed.FS

func jobInit() *verb {
	return &verb{
		name: "job init", args: "[file]", min: 0, max: 1, files: true, local: true,
		synopsis: "Write an example of a job file",
		help: `
Writes a job file to begin with, example.nomad.hcl unless another name is given.
It runs on an agent that was started with -dev. With -connect it is one of two
services that reach each other through Consul's mesh. A file that exists is left
alone.`,
		examples: []string{
			"# Try it out", Name + " job init -short && " + Name + " job run example.nomad.hcl", "",
			"# See how services are connected", Name + " job init -connect connect.nomad.hcl",
		},
		bind: func(f *flags) action {
			o := &initFlags{}
			f.BoolVar(&o.short, "short", false, "without explanations")
			f.BoolVar(&o.connect, "connect", false, "two services in Consul's mesh")
			f.StringVar(&o.template, "template", "", "not available in this version yet: a job file that the cluster keeps under this `name`")
			f.BoolVar(&o.listTemplates, "list-templates", false, "not available in this version yet: the job files that the cluster keeps")
			return o.run
		},
	}
}

type initFlags struct {
	short, connect, listTemplates bool
	template                      string
}

func (o *initFlags) run(e *env, args []string) error {
	if o.template != "" || o.listTemplates {
		return failf("Templates of job files are kept as variables of the cluster, which are not available in this version yet.\n" +
			"Leave -template and -list-templates out to write one of the examples")
	}
	name := "long"
	switch {
	case o.connect && o.short:
		name = "connect-short"
	case o.connect:
		name = "connect"
	case o.short:
		name = "short"
	}
	content, err := examples.ReadFile("example/" + name + ".nomad.hcl")
	if err != nil {
		return err
	}
	path := "example.nomad.hcl"
	if len(args) == 1 {
		path = args[0]
	}
	return writeNew(e, path, content)
}

// writeNew writes a file that must not exist.
func writeNew(e *env, path string, content []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o660)
	if errors.Is(err, fs.ErrExist) {
		return failf("Job '%s' already exists", path)
	}
	if err != nil {
		return failf("Failed to write '%s': %v", path, err)
	}
	_, err = f.Write(content)
	if err := errors.Join(err, f.Close()); err != nil {
		_ = os.Remove(path) // half a file is in the way of the next try
		return failf("Failed to write '%s': %v", path, err)
	}
	e.printf("Example job file written to %s", path)
	return nil
}
