package command

import (
	"strings"

	"github.com/nomadlike/nomadlike/jobspec/fields"
)

func jobSchema() *verb {
	return &verb{
		name: "job schema", max: 0, local: true,
		synopsis: "Print the JSON Schema of job files",
		help: `
Prints a JSON Schema (draft 2020-12) of job files in the JSON form of HCL: what may
be written where, of what type, with which default, and what it means. Editors
complete and check with it, and programs that write job files can check them.`,
		examples: []string{
			"# For an editor", Name + " job schema > job.schema.json",
			"# What may a restart block hold?", Name + ` job schema | jq '."$defs".restart.properties | keys'`,
		},
		bind: func(*flags) action {
			return func(e *env, _ []string) error {
				schema, err := fields.Schema()
				if err != nil {
					return err
				}
				e.print(strings.TrimSuffix(string(schema), "\n"))
				return nil
			}
		},
	}
}
