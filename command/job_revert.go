package command

import (
	"fmt"
	"strconv"
	"strings"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
)

func jobRevert() *verb {
	return &verb{
		name: "job revert", args: "<job> <version or tag>", min: 2, max: 2, kind: "jobs",
		synopsis: "Go back to an older version of a job",
		help: `
Runs an older version of a job again. It becomes a new version, so that going back
can be undone as well. A number is a version, anything else a tag; 'job history'
lists both.

The command then follows what happens, like 'job run'.`,
		examples: []string{
			"# What was there?", Name + " job history -p example", "",
			"# Go back to version 3", Name + " job revert example 3", "",
			"# Go back to what was tagged", Name + " job revert example golden",
		},
		bind: func(f *flags) action {
			detach := f.Bool("detach", false, "return at once with the evaluation's ID, instead of following it")
			verbose := f.verbose()
			return func(e *env, args []string) error {
				resp, err := revert(e, args[0], args[1])
				if err != nil {
					return err
				}
				e.warnings(resp.Warnings)
				switch {
				case resp.EvalID == "": // it is launched by others
					return nil
				case *detach:
					e.printf("Evaluation ID: %s", resp.EvalID)
					return nil
				}
				return e.monitor(resp.EvalID, *verbose)
			}
		},
	}
}

func revert(e *env, id, version string) (*n.JobRegistered, error) {
	key, err := e.job(id)
	if err != nil {
		return nil, err
	}
	req := &n.JobRevert{JobID: key.ID}
	req.Namespace = key.Namespace
	if req.JobVersion, err = e.version(key, version); err != nil {
		return nil, err
	}
	resp, err := call(e, api.JobRevert, req)
	if err != nil {
		return nil, e.trouble("Error reverting job", err)
	}
	return resp, nil
}

// version returns the number of a version that is given by it, or by a tag.
func (e *env) version(key n.JobKey, given string) (uint64, error) {
	if version, err := strconv.ParseUint(given, 10, 64); err == nil {
		return version, nil
	}
	req := &n.JobVersionsRequest{JobID: key.ID}
	req.Namespace = key.Namespace
	resp, err := call(e, api.JobVersions, req)
	if err != nil {
		return 0, e.trouble("Error retrieving job versions", err)
	}
	var tags []string
	for _, j := range resp.Versions {
		if j.VersionTag == nil {
			continue
		}
		if j.VersionTag.Name == given {
			return j.Version, nil
		}
		tags = append(tags, fmt.Sprintf("%q", j.VersionTag.Name))
	}
	known := "It has no tags"
	if len(tags) > 0 {
		known = "Its tags: " + strings.Join(tags, ", ")
	}
	return 0, failf("Job %q has no version or tag %q. %s; the versions that are remembered: %s", key.ID, given, known, versionList(resp.Versions))
}
