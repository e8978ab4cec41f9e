package command

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/nomadlike/nomadlike/jobspec"
	n "github.com/nomadlike/nomadlike/nomadlike"
)

// A jobFile says how a job file is to be read.
type jobFile struct {
	json, strict   bool
	vars, varFiles []string
	file           *jobspec.File // what was read, unless it was JSON of the API
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

// shown is the job as 'job run -output' shows it: without defaults.
func (j *jobFile) shown(job *n.Job) (any, error) {
	if j.file == nil {
		return job, nil
	}
	return j.file.JSON(false)
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
	parse := j.parseHCL
	if j.json || filepath.Ext(path) == ".json" && isJSONJob(src) {
		parse = j.parseJSON
	}
	job, sub, err := parse(e, path, src)
	var wrong *jobspec.Error
	switch {
	case errors.As(err, &wrong):
		e.errorf("Error getting job struct: Error parsing job file from %s:\n", path)
		fmt.Fprintln(e.Err, wrong.Render(e.style()))
		return nil, nil, exit(1)
	case err != nil:
		return nil, nil, failf("Error getting job struct: Error parsing job file from %s:\n%v", path, err)
	}
	return job, sub, nil
}

// style colours what is said of job files.
func (e *env) style() jobspec.Style {
	return jobspec.Style{Error: e.red, Warning: e.yellow, Frame: e.faint, Mark: e.red}
}

// maxSource bounds what is read of a job file.
const maxSource = jobspec.MaxSize + 1

func source(e *env, path string) ([]byte, error) {
	if path == "-" {
		return io.ReadAll(io.LimitReader(e.In, maxSource))
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxSource))
}

// isJSONJob tells a job in the API's JSON from one in the JSON form of HCL, whose
// only key is "job".
func isJSONJob(src []byte) bool {
	var keys map[string]json.RawMessage
	return json.Unmarshal(src, &keys) == nil && (keys["Job"] != nil || keys["ID"] != nil)
}

// parseJSON reads a job as the API shows it, or as it takes it.
func (j *jobFile) parseJSON(_ *env, _ string, src []byte) (*n.Job, *n.JobSubmission, error) {
	var wrapped struct{ Job json.RawMessage }
	body := src
	if json.Unmarshal(src, &wrapped) == nil && len(wrapped.Job) > 0 && string(wrapped.Job) != "null" {
		body = wrapped.Job
	}
	job, err := jobspec.DecodeJSON(body)
	return job, &n.JobSubmission{Source: string(src), Format: "json"}, err
}

func (j *jobFile) parseHCL(e *env, path string, src []byte) (*n.Job, *n.JobSubmission, error) {
	name := path
	if path == "-" {
		name = "stdin"
	}
	file, err := jobspec.Parse(name, src, jobspec.Options{
		VarFiles: j.varFiles, Vars: j.vars, Env: e.Environ, Files: true, Strict: j.strict,
	})
	if err != nil {
		return nil, nil, err
	}
	for _, d := range file.Warnings {
		fmt.Fprintln(e.Err, file.Sources.Render(d, e.style())+"\n")
	}
	j.file = file
	return file.Job, &n.JobSubmission{Source: string(src), Format: "hcl2", VariableFlags: file.VariableFlags, Variables: file.Variables}, nil
}
