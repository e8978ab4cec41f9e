package command

import (
	"fmt"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
)

// parse turns a job file into a job.
func (j *jobFile) parse(e *env, path string, src []byte) (*n.Job, *n.JobSubmission, error) {
	sub, err := j.submission(e, src)
	if err != nil {
		return nil, nil, err
	}
	req := &n.JobParse{JobHCL: string(src), Variables: sub.Variables}
	for _, name := range sorted(sub.VariableFlags) {
		req.Variables += fmt.Sprintf("%s = %q\n", name, sub.VariableFlags[name])
	}
	job, err := call(e, api.JobParse, req)
	if err != nil {
		return nil, nil, e.trouble("Error getting job struct: Error parsing job file from "+path, err)
	}
	return job, sub, nil
}

// checkLocally says what is wrong with a job, as far as can be known without a
// server.
func checkLocally(*n.Job) string { return "" }
