package command

import (
	"encoding/json"
	"io"
	"os"
	"strings"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// A jobFile says how a job file is to be read.
type jobFile struct {
	json, strict   bool
	vars, varFiles []string
}

// jobFile adds the flags of commands that read one.
func (f *flags) jobFile() *jobFile {
	j := &jobFile{}
	f.BoolVar(&j.json, "json", false, "the file is a job in the API's JSON, bare or below the key Job")
	f.BoolVar(&j.strict, "hcl2-strict", true, "refuse variables that are given and not declared")
	f.Var((*listValue)(&j.vars), "var", "set a variable of the job file, as `name=value`; may be repeated")
	f.Var((*listValue)(&j.varFiles), "var-file", "a `file` that sets variables; may be repeated")
	return j
}

// read returns the job of a file and what it was made from.
func (j *jobFile) read(e *env, path string) (*n.Job, *n.JobSubmission, error) {
	if j.json && len(j.vars)+len(j.varFiles) > 0 {
		return nil, nil, failf("Invalid job options: cannot use variables with JSON files.")
	}
	src, err := source(e, path)
	if err != nil {
		return nil, nil, failf("Error getting job struct: Error reading job file from %s: %v", path, err)
	}
	if j.json {
		job, err := jobFromJSON(src)
		if err != nil {
			return nil, nil, failf("Error getting job struct: Error parsing job file from %s:\n%v", path, err)
		}
		return job, &n.JobSubmission{Source: string(src), Format: "json"}, nil
	}
	return j.parse(e, path, src)
}

func source(e *env, path string) ([]byte, error) {
	if path == "-" {
		return io.ReadAll(e.In)
	}
	return os.ReadFile(path)
}

// jobFromJSON decodes a job as the API shows it, or as it takes it.
func jobFromJSON(src []byte) (*n.Job, error) {
	var wrapped struct{ Job *n.Job }
	if err := json.Unmarshal(src, &wrapped); err != nil {
		return nil, err
	}
	if wrapped.Job != nil {
		return wrapped.Job, nil
	}
	job := &n.Job{}
	return job, json.Unmarshal(src, job)
}

// submission remembers a job file and its variables.
func (j *jobFile) submission(e *env, src []byte) (*n.JobSubmission, error) {
	sub := &n.JobSubmission{Source: string(src), Format: "hcl2", VariableFlags: map[string]string{}}
	for _, v := range j.vars {
		name, value, ok := strings.Cut(v, "=")
		if !ok {
			return nil, failf("Error getting job struct: -var=%q: want name=value", v)
		}
		sub.VariableFlags[name] = value
	}
	for _, path := range j.varFiles {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, failf("Error getting job struct: %v", err)
		}
		sub.Variables += string(text) + "\n"
	}
	return sub, nil
}
