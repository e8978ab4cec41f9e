// Package admission decides whether a job may be registered. Validators collect
// everything that is wrong with it, mutators add what follows from what it uses,
// and warnings tell what is allowed and probably not meant. It is pure.
package admission

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/errs"
)

// Options are what servers decide about all jobs.
type Options struct {
	MaxPriority     int // 0: n.JobMaxPriority
	DefaultPriority int // 0: n.JobDefaultPriority
	MaxCount        int // of allocations of one job; negative: no limit, 0: DefaultMaxCount
	// MemoryOversubscription says whether memory_max has an effect.
	MemoryOversubscription bool
	// Schedulers are those that jobs may ask for by name, each with the types of jobs
	// that it handles; nil where they are not known.
	Schedulers map[string][]string
	// Vault says that the servers know a Vault, from which tasks may have tokens.
	Vault bool
	// Identities that tasks and services get where the servers' configuration has
	// one for them; nil where it has none. Their names are set by admission.
	ConsulServiceIdentity, ConsulTaskIdentity, VaultTaskIdentity *n.Identity
}

// DefaultMaxCount bounds the sum of a job's group counts.
const DefaultMaxCount = 50000

// A Problem is something wrong with a job, or something to be warned of.
type Problem struct {
	Path string // of the field in the job's JSON, such as TaskGroups[0].Count; see jobspec.Places
	Text string // a sentence that says what and where
}

// Error returns the sentence.
func (p Problem) Error() string { return p.Text }

// Admit completes a job and checks it. The error lists all problems; see
// Problems.
func Admit(job *n.Job, o Options) (warnings []Problem, err error) {
	if job == nil {
		return nil, errs.New(errs.Invalid, "Job must be specified")
	}
	if o.MaxPriority == 0 {
		o.MaxPriority = n.JobMaxPriority
	}
	if o.DefaultPriority == 0 {
		o.DefaultPriority = n.JobDefaultPriority
	}
	if o.MaxCount == 0 {
		o.MaxCount = DefaultMaxCount
	}
	older, spelled := legacy(job)
	complete(job, o)
	c := &checks{options: o, job: job, spelled: spelled}
	c.check()
	if len(c.problems) > 0 {
		list := make([]error, len(c.problems))
		for i, p := range c.problems {
			list[i] = p
		}
		return nil, errs.As(errs.Internal, errors.Join(list...))
	}
	connect(job)
	expose(job)
	imply(job, o)
	identities(job, o)
	settle(job)
	return append(older, warn(job, o)...), nil
}

// Problems lists what an error of Admit is made of.
func Problems(err error) (list []Problem) {
	if err == nil {
		return nil
	}
	var joined interface{ Unwrap() []error }
	if !errors.As(err, &joined) {
		return []Problem{{Text: err.Error()}}
	}
	for _, e := range joined.Unwrap() {
		p := Problem{Text: e.Error()}
		errors.As(e, &p)
		list = append(list, p)
	}
	return list
}

// Texts are the sentences of problems.
func Texts(list []Problem) []string {
	var out []string
	for _, p := range list {
		out = append(out, p.Text)
	}
	return out
}

// Summary is how servers tell warnings, "" where there are none.
func Summary(warnings []string) string {
	if len(warnings) == 0 {
		return ""
	}
	plural := "s"
	if len(warnings) == 1 {
		plural = ""
	}
	return fmt.Sprintf("%d warning%s:\n\n* %s", len(warnings), plural, strings.Join(warnings, "\n* "))
}

// checks collects problems.
type checks struct {
	options     Options
	job         *n.Job
	where, path string // the part of the job that is being looked at, in words and as a path
	spelled     spelled
	problems    []Problem
}

// add says what is wrong with a field of the part, or with the part itself if the
// field is "".
func (c *checks) add(field, format string, args ...any) {
	text := say(format, args...)
	if c.where != "" {
		text = c.where + ": " + text
	}
	path := c.path
	if field != "" {
		path = under(path, field)
	}
	c.problems = append(c.problems, Problem{Path: c.spelled.path(path), Text: text})
}

// say is Sprintf that writes durations as people do: 1m instead of 1m0s.
func say(format string, args ...any) string {
	args = slices.Clone(args)
	for i, a := range args {
		if d, ok := a.(time.Duration); ok {
			args[i] = span(d)
		}
	}
	return fmt.Sprintf(format, args...)
}

func span(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

func under(path, field string) string {
	if path == "" {
		return field
	}
	return path + "." + field
}

// in looks at a part of what is being looked at: how it is called, and its field.
func (c *checks) in(part, field string, look func()) {
	where, path := c.where, c.path
	if where != "" {
		part = where + ", " + part
	}
	c.where, c.path = part, under(path, field)
	look()
	c.where, c.path = where, path
}

// oneOf says that a value is none of those that a field takes. name is the field's
// in a job file.
func (c *checks) oneOf(field, name, value string, allowed ...string) {
	if slices.Contains(allowed, value) {
		return
	}
	if allowed[0] == "" {
		allowed = allowed[1:]
	}
	list := strings.Join(allowed, ", ")
	switch {
	case value == "":
		c.add(field, "%s is missing: write one of %s", name, list)
	case len(allowed) == 1:
		c.add(field, "%s %q must be %s", name, value, list)
	default:
		c.add(field, "%s %q is none of %s", name, value, list)
	}
}

// within says that a number is outside of what a field takes.
func (c *checks) within(field, name string, value, least, most int) {
	if value < least || value > most {
		c.add(field, "%s is %d and must be between %d and %d", name, value, least, most)
	}
}

// positive says that a number is negative.
func (c *checks) positive(field, name string, value int) {
	if value < 0 {
		c.add(field, "%s is %d and must not be negative", name, value)
	}
}

// quote shows a name as it is, unless it would disturb a terminal.
func quote(name string) string {
	if strings.ContainsFunc(name, unicode.IsControl) {
		return strconv.Quote(name)
	}
	return `"` + name + `"`
}

// called is how the part of a list is called that has a name, or should have one.
func called(what, name string, i int) string {
	if name == "" {
		return fmt.Sprintf("%s %d", what, i+1)
	}
	return what + " " + quote(name)
}

func element(field string, i int) string { return fmt.Sprintf("%s[%d]", field, i) }
