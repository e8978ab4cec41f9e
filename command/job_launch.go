package command

import (
	"fmt"
	"time"

	"github.com/nomadlike/nomadlike/command/text"
	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/cron"
)

// nextLaunch is when a periodic job starts next, by this machine's clock.
func nextLaunch(job *n.Job, now time.Time) (next time.Time, ok bool) {
	if job.Periodic == nil || !job.Periodic.Enabled {
		return next, false
	}
	s, err := cron.Of(job.Periodic)
	if err != nil {
		return next, false // the servers say so
	}
	return s.Next(now)
}

// launchText is an instant and how long it is until then.
func launchText(t, now time.Time) string {
	return fmt.Sprintf("%s (%s from now)", text.Time(t), t.Sub(now).Truncate(time.Second))
}
