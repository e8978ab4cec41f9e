// Package cron knows when periodic jobs are launched. Whether their schedules make
// sense is decided by package admission; see the job specification reference, 10.1.
package cron

import (
	"time"

	"github.com/hashicorp/cronexpr"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// Next is the first launch of a job after an instant, the earliest of all its
// schedules. There is none of a job that is not periodic, is not enabled or is a
// template for others, and none where no schedule matches any more.
func Next(job *n.Job, after time.Time) (next time.Time, ok bool) {
	p := job.Periodic
	if p == nil || !p.Enabled || job.IsParameterized() {
		return next, false
	}
	zone, err := time.LoadLocation(p.TimeZone) // "" is UTC
	if err != nil {
		return next, false
	}
	specs := p.Specs
	if p.Spec != "" {
		specs = []string{p.Spec}
	}
	for _, s := range specs {
		expr, err := cronexpr.Parse(s)
		if err != nil {
			continue
		}
		if t := expr.Next(after.In(zone)); !t.IsZero() && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	return next, !next.IsZero()
}
