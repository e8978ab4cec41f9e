package command

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/nomadlike/nomadlike/command/text"
	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
)

func jobHistory() *verb {
	return &verb{
		name: "job history", args: "<job>", min: 1, max: 1, kind: "jobs",
		synopsis: "Show the versions of a job",
		help: `
Lists the versions of a job that are remembered, newest first; with -p, what each
changed of the one before it.`,
		examples: []string{
			"# What changed when?", Name + " job history -p example", "",
			"# One old version, whole", Name + " job history -version=3 -full example",
		},
		bind: func(f *flags) action {
			h := &historyFlags{out: f.structured()}
			f.BoolVar(&h.diff, "p", false, "what each version changed")
			f.StringVar(&h.diffTag, "diff-tag", "", "with -p: compare with the version of this `tag`")
			f.StringVar(&h.diffVersion, "diff-version", "", "with -p: compare with this `version`")
			f.BoolVar(&h.full, "full", false, "the whole job of each version")
			f.StringVar(&h.version, "version", "", "only this `version`")
			return h.run
		},
	}
}

type historyFlags struct {
	out                           *structured
	diff, full                    bool
	diffTag, diffVersion, version string
}

func (h *historyFlags) run(e *env, args []string) error {
	switch {
	case h.out.asked() && (h.diff || h.full):
		return failf("-json and -t can not be combined with -p or -full")
	case (h.diffTag != "" || h.diffVersion != "") && !h.diff:
		return failf("-diff-tag and -diff-version need -p")
	case h.diffTag != "" && h.diffVersion != "":
		return failf("-diff-tag and -diff-version exclude each other")
	}
	key, err := e.job(args[0])
	if err != nil {
		return err
	}
	req := &n.JobVersionsRequest{JobID: key.ID, Diffs: h.diff, DiffTag: h.diffTag, DiffVersion: h.diffVersion}
	req.Namespace = key.Namespace
	resp, err := call(e, api.JobVersions, req)
	if err != nil {
		return e.trouble("Error retrieving job versions", err)
	}
	versions, diffs, err := h.choose(resp)
	if err != nil {
		return err
	}
	if h.out.asked() {
		if h.version != "" {
			return h.out.print(e, versions[0])
		}
		return h.out.print(e, versions)
	}
	for i, j := range versions {
		if i > 0 {
			e.print("")
		}
		var diff *n.JobDiff
		if i < len(diffs) {
			diff = diffs[i]
		}
		if err := h.show(e, j, diff); err != nil {
			return err
		}
	}
	return nil
}

// choose narrows the answer down to the version that was asked for.
func (h *historyFlags) choose(resp *n.JobVersions) ([]*n.Job, []*n.JobDiff, error) {
	if h.version == "" {
		return resp.Versions, resp.Diffs, nil
	}
	version, err := strconv.ParseUint(h.version, 10, 64)
	if err != nil {
		return nil, nil, failf("Error parsing version value %q: %v", h.version, err)
	}
	for i, j := range resp.Versions {
		if j.Version != version {
			continue
		}
		if i < len(resp.Diffs) {
			return []*n.Job{j}, resp.Diffs[i : i+1], nil
		}
		return []*n.Job{j}, nil, nil
	}
	return nil, nil, failf("Version %d not found. The versions that are remembered: %s", version, versionList(resp.Versions))
}

func versionList(jobs []*n.Job) string {
	var all []string
	for _, j := range jobs {
		all = append(all, fmt.Sprint(j.Version))
	}
	return strings.Join(all, ", ")
}

func (h *historyFlags) show(e *env, j *n.Job, diff *n.JobDiff) error {
	p := new(text.Pairs).Add("Version", str(j.Version)).Add("Stable", strconv.FormatBool(j.Stable)).Add("Submit Date", text.Unix(j.SubmitTime))
	if tag := j.VersionTag; tag != nil {
		p.Add("Tag Name", tag.Name).AddIf(tag.Description != "", "Tag Description", tag.Description)
	}
	if diff != nil && diff.Type != n.DiffNone {
		p.Add("Diff", "\n"+e.jobDiff(diff, false))
	}
	e.print(p.String())
	if h.full {
		out, err := sortedJSON(j)
		if err != nil {
			return err
		}
		e.print("Full        = JSON Job:\n" + out)
	}
	return nil
}
