package command

import (
	"strconv"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
)

func jobTagApply() *verb {
	return &verb{
		name: "job tag apply", args: "<job>", min: 1, max: 1, kind: "jobs",
		synopsis: "Give a version of a job a name",
		help: `
Tags a version of a job, the current one unless another is given. A tagged version
is remembered until its tag is taken away, and 'job revert' and 'job history' know
it by the tag. A version has one tag: another takes its place.`,
		examples: []string{
			"# Remember what runs now", Name + ` job tag apply -name=golden -description="before the move" example`, "",
			"# Remember an old version", Name + " job tag apply -name=golden -version=3 example",
		},
		bind: func(f *flags) action {
			t := &tagFlags{}
			f.StringVar(&t.name, "name", "", "the tag's `name`; required")
			f.StringVar(&t.description, "description", "", "a `text` for people")
			f.StringVar(&t.version, "version", "", "this `version` instead of the current one")
			return t.apply
		},
	}
}

func jobTagUnset() *verb {
	return &verb{
		name: "job tag unset", args: "<job>", min: 1, max: 1, kind: "jobs",
		synopsis: "Take a tag of a job away",
		help: `
Removes a tag. The version that had it stays, and is remembered no longer than
others.`,
		examples: []string{"# It is needed no more", Name + " job tag unset -name=golden example"},
		bind: func(f *flags) action {
			t := &tagFlags{}
			f.StringVar(&t.name, "name", "", "the tag's `name`; required")
			return t.unset
		},
	}
}

type tagFlags struct{ name, description, version string }

// job finds the job whose tag is meant.
func (t *tagFlags) job(e *env, id string) (n.JobKey, error) {
	if t.name == "" {
		return n.JobKey{}, failf("Which tag? Give its name with -name")
	}
	return e.job(id)
}

func (t *tagFlags) apply(e *env, args []string) error {
	key, err := t.job(e, args[0])
	if err != nil {
		return err
	}
	req := &n.JobTag{JobID: key.ID, TagName: t.name, Description: t.description}
	req.Namespace = key.Namespace
	if req.Version, err = t.number(e, key); err != nil {
		return err
	}
	if _, err := call(e, api.JobTag, req); err != nil {
		return e.trouble("Error tagging job version", err)
	}
	e.printf("Job version %d tagged with name %q", req.Version, t.name)
	return nil
}

// number is the version that is meant. The current one is asked for here, so that
// what is printed is what was tagged.
func (t *tagFlags) number(e *env, key n.JobKey) (uint64, error) {
	if t.version == "" {
		job, err := read(e, api.JobGet, jobQuery(key))
		if err != nil {
			return 0, e.trouble("Error querying job", err)
		}
		return job.Version, nil
	}
	version, err := strconv.ParseUint(t.version, 10, 64)
	if err != nil {
		return 0, failf("Error parsing version value %q: %v", t.version, err)
	}
	return version, nil
}

func (t *tagFlags) unset(e *env, args []string) error {
	key, err := t.job(e, args[0])
	if err != nil {
		return err
	}
	req := &n.JobUntag{JobID: key.ID, TagName: t.name}
	req.Namespace = key.Namespace
	if _, err := call(e, api.JobUntag, req); err != nil {
		return e.trouble("Error removing tag", err)
	}
	e.printf("Tag %q removed from job %q", t.name, key.ID)
	return nil
}
