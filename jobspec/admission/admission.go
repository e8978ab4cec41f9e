// Package admission decides whether a job may be registered. Mutators complete
// the job, validators then collect everything that is wrong with it, and
// warnings tell what is allowed and probably not meant. It is pure.
package admission

import (
	"errors"
	"fmt"

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
}

// DefaultMaxCount bounds the sum of a job's group counts.
const DefaultMaxCount = 50000

// Admit completes a job and checks it. The error lists all problems; see
// Problems.
func Admit(job *n.Job, o Options) (warnings []string, err error) {
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
	complete(job, o)
	c := &checks{options: o}
	c.job(job)
	if len(c.problems) > 0 {
		return nil, errs.As(errs.Internal, errors.Join(c.problems...))
	}
	imply(job)
	settle(job)
	return warn(job, o), nil
}

// Problems lists what an error of Admit is made of, one sentence each.
func Problems(err error) (list []string) {
	var joined interface{ Unwrap() []error }
	if !errors.As(err, &joined) {
		if err != nil {
			list = append(list, err.Error())
		}
		return list
	}
	for _, e := range joined.Unwrap() {
		list = append(list, e.Error())
	}
	return list
}

// checks collects problems. where is the part of the job that is being looked at.
type checks struct {
	options  Options
	where    string
	problems []error
}

func (c *checks) add(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if c.where != "" {
		text = c.where + ": " + text
	}
	c.problems = append(c.problems, errors.New(text))
}

// in looks at a part of what is being looked at.
func (c *checks) in(part string, look func()) {
	was := c.where
	if was != "" {
		part = was + ", " + part
	}
	c.where = part
	look()
	c.where = was
}
