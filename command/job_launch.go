package command

import (
	"fmt"
	"time"

	"github.com/hashicorp/cronexpr"

	"github.com/nomadlike/nomadlike/command/text"
	n "github.com/nomadlike/nomadlike/nomadlike"
)

// nextLaunch is when a periodic job starts next, by this machine's clock.
func nextLaunch(job *n.Job, now time.Time) (next time.Time, ok bool) {
	p := job.Periodic
	if p == nil || !p.Enabled {
		return next, false
	}
	zone := time.UTC
	if p.TimeZone != "" {
		if z, err := time.LoadLocation(p.TimeZone); err == nil {
			zone = z
		}
	}
	specs := p.Specs
	if p.Spec != "" {
		specs = []string{p.Spec}
	}
	for _, s := range specs {
		expr, err := cronexpr.Parse(s)
		if err != nil {
			continue // the servers say so
		}
		if t := expr.Next(now.In(zone)); !t.IsZero() && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	return next, !next.IsZero()
}

// launchText is an instant and how long it is until then.
func launchText(t, now time.Time) string {
	return fmt.Sprintf("%s (%s from now)", text.Time(t), t.Sub(now).Truncate(time.Second))
}
