package admission

import (
	"slices"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

func (c *checks) restart(r *n.Restart) {
	if r == nil {
		c.add("RestartPolicy", "there is no restart policy")
		return
	}
	c.in("restart", "RestartPolicy", func() {
		c.oneOf("Mode", "mode", r.Mode, n.RestartModeFail, n.RestartModeDelay)
		switch {
		case r.Attempts < 0:
			c.add("Attempts", "attempts is %d and must not be negative", r.Attempts)
		case r.Attempts == 0 && r.Mode != n.RestartModeFail:
			c.add("Attempts", "attempts = 0 goes with mode = %q only", n.RestartModeFail)
		case r.Interval < 5*time.Second:
			c.add("Interval", "interval is %s and must be at least 5s", r.Interval)
		case r.Delay > 0 && time.Duration(r.Attempts) > r.Interval/r.Delay:
			c.add("Attempts", "%d attempts with a delay of %s do not fit into the interval of %s", r.Attempts, r.Delay, r.Interval)
		}
	})
}

func (c *checks) reschedule(field string, r *n.Reschedule) {
	if r == nil {
		return
	}
	c.in("reschedule", field, func() {
		if c.job.RunsEverywhere() {
			c.add("", "%s jobs run on each node and are never rescheduled: remove the block", c.job.Type)
			return
		}
		if !r.Enabled() {
			return
		}
		const least = 5 * time.Second
		before := len(c.problems)
		c.oneOf("DelayFunction", "delay_function", r.DelayFunction, "constant", "exponential", "fibonacci")
		if r.Delay < least {
			c.add("Delay", "delay is %s and must be at least %s", r.Delay, least)
		}
		if r.DelayFunction != "constant" && (r.MaxDelay < least || r.MaxDelay < r.Delay) {
			c.add("MaxDelay", "max_delay is %s and must be at least %s, and not shorter than delay", r.MaxDelay, least)
		}
		if r.Unlimited {
			if r.Attempts > 0 {
				c.add("Attempts", "attempts = %d needs unlimited = false and an interval: without them a %s job is rescheduled for ever", r.Attempts, c.job.Type)
			}
			return
		}
		if r.Interval < 15*time.Second {
			c.add("Interval", "interval is %s and must be at least 15s", r.Interval)
		} else if len(c.problems) == before && !fits(r) {
			c.add("Attempts", "%d attempts with %s delays, beginning with %s, do not fit into the interval of %s", r.Attempts, r.DelayFunction, r.Delay, r.Interval)
		}
	})
}

// fits reports whether all attempts can happen within the interval; see the job
// specification reference, 3.7. Delays grow for a few steps only, until they are
// max_delay; what comes then is not counted one by one.
func fits(r *n.Reschedule) bool {
	switch r.DelayFunction {
	case "exponential":
		at, done := r.Delay, 1
		for ; done < r.Attempts && at <= r.MaxDelay/2; done++ {
			at *= 2
		}
		return at < r.Interval && time.Duration(r.Attempts-done) <= (r.Interval-at-1)/r.MaxDelay
	case "fibonacci":
		before, at, done := r.Delay, r.Delay, 2
		for ; done < r.Attempts && before <= r.MaxDelay-at; done++ {
			before, at = at, before+at
		}
		if done++; done <= r.Attempts {
			at = r.MaxDelay
		}
		return at <= r.Interval && time.Duration(max(r.Attempts-done, 0)) <= (r.Interval-at)/r.MaxDelay
	}
	return time.Duration(r.Attempts) <= r.Interval/r.Delay
}

func (c *checks) update(u *n.Update) {
	if u == nil {
		return
	}
	c.in("update", "Update", func() {
		if c.job.RunsToCompletion() {
			c.add("", "%s jobs have no rolling updates: remove the block", c.job.Type)
			return
		}
		c.positive("MaxParallel", "max_parallel", u.MaxParallel)
		if u.MaxParallel <= 0 {
			return
		}
		c.oneOf("HealthCheck", "health_check", u.HealthCheck, "checks", "task_states", "manual")
		c.positive("Canary", "canary", u.Canary)
		if u.AutoPromote && u.Canary == 0 {
			c.add("AutoPromote", "auto_promote needs canary to be more than 0")
		}
		if u.MinHealthyTime < 0 {
			c.add("MinHealthyTime", "min_healthy_time is %s and must not be negative", u.MinHealthyTime)
		}
		switch {
		case u.HealthyDeadline <= 0:
			c.add("HealthyDeadline", "healthy_deadline is %s and must be more than 0", u.HealthyDeadline)
		case u.MinHealthyTime >= u.HealthyDeadline:
			c.add(changed("MinHealthyTime", "HealthyDeadline", u.MinHealthyTime == n.DefaultMinHealthyTime), "min_healthy_time %s must be less than healthy_deadline %s", u.MinHealthyTime, u.HealthyDeadline)
		}
		switch {
		case u.ProgressDeadline < 0:
			c.add("ProgressDeadline", "progress_deadline is %s and must not be negative", u.ProgressDeadline)
		case u.ProgressDeadline != 0 && u.HealthyDeadline >= u.ProgressDeadline:
			c.add(changed("ProgressDeadline", "HealthyDeadline", u.ProgressDeadline == n.DefaultProgressDeadline), "progress_deadline %s must be 0 or longer than healthy_deadline %s", u.ProgressDeadline, u.HealthyDeadline)
		}
		if u.Stagger <= 0 {
			c.add("Stagger", "stagger is %s and must be more than 0", u.Stagger)
		}
	})
}

// changed is the field of two that a user has probably written: not the first if it
// holds its default.
func changed(first, second string, isDefault bool) string {
	if isDefault {
		return second
	}
	return first
}

func (c *checks) migrate(m *n.Migrate) {
	if m == nil {
		return
	}
	c.in("migrate", "Migrate", func() {
		if c.job.Type != n.JobTypeService && slices.Contains(n.JobTypes, c.job.Type) {
			c.add("", "only service jobs migrate, not a %s job: remove the block", c.job.Type)
			return
		}
		c.positive("MaxParallel", "max_parallel", m.MaxParallel)
		c.oneOf("HealthCheck", "health_check", m.HealthCheck, "checks", "task_states")
		switch {
		case m.MinHealthyTime < 0:
			c.add("MinHealthyTime", "min_healthy_time is %s and must not be negative", m.MinHealthyTime)
		case m.HealthyDeadline < 0:
			c.add("HealthyDeadline", "healthy_deadline is %s and must not be negative", m.HealthyDeadline)
		case m.MinHealthyTime > m.HealthyDeadline:
			c.add(changed("MinHealthyTime", "HealthyDeadline", m.MinHealthyTime == n.DefaultMinHealthyTime), "min_healthy_time %s is longer than healthy_deadline %s", m.MinHealthyTime, m.HealthyDeadline)
		}
	})
}

func (c *checks) disconnect(d *n.Disconnect) {
	if d == nil {
		return
	}
	c.in("disconnect", "Disconnect", func() {
		if d.LostAfter != nil && *d.LostAfter < 0 {
			c.add("LostAfter", "lost_after is %s and must not be negative", *d.LostAfter)
		}
		if stop := d.StopOnClientAfter; stop != nil {
			if *stop < 0 {
				c.add("StopOnClientAfter", "stop_on_client_after is %s and must not be negative", *stop)
			}
			if d.LostAfter != nil {
				c.add("StopOnClientAfter", "lost_after and stop_on_client_after exclude each other")
			}
			if c.job.Type != n.JobTypeService && c.job.Type != n.JobTypeBatch {
				c.add("StopOnClientAfter", "stop_on_client_after works for service and batch jobs only, not for a %s job", c.job.Type)
			}
		}
		c.oneOf("Reconcile", "reconcile", d.Reconcile, "", "best_score", "longest_running", "keep_original", "keep_replacement")
	})
}

func (c *checks) scaling(g *n.Group) {
	s := g.Scaling
	if s == nil {
		return
	}
	c.in("scaling", "Scaling", func() {
		if c.job.Type == n.JobTypeSystem {
			c.add("", "system jobs can not be scaled")
		}
		c.oneOf("Type", "type", s.Type, "", "horizontal")
		if s.Max == nil {
			c.add("Max", "max is missing")
			return
		}
		least := int64(0)
		if s.Min != nil {
			least = *s.Min
		}
		switch count := int64(g.Count); {
		case least < 0:
			c.add("Min", "min is %d and must not be negative", least)
		case *s.Max < least:
			c.add("Max", "max %d is less than min %d", *s.Max, least)
		case count < least:
			c.add("Min", "the group's count %d is less than min %d", g.Count, least)
		case count > *s.Max:
			c.add("Max", "the group's count %d is more than max %d", g.Count, *s.Max)
		}
	})
}
