package admission

import (
	"slices"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

func (c *checks) restart(r *n.Restart) {
	if r == nil {
		c.add("there is no restart policy")
		return
	}
	c.in("restart", func() {
		if r.Mode != n.RestartModeFail && r.Mode != n.RestartModeDelay {
			c.add("mode %q is neither %q nor %q", r.Mode, n.RestartModeFail, n.RestartModeDelay)
		}
		switch {
		case r.Attempts < 0:
			c.add("attempts is %d and must not be negative", r.Attempts)
		case r.Attempts == 0 && r.Mode != n.RestartModeFail:
			c.add("attempts = 0 makes sense with mode %q only", n.RestartModeFail)
		case r.Interval < 5*time.Second:
			c.add("interval is %s and must be at least 5s", r.Interval)
		case time.Duration(r.Attempts)*r.Delay > r.Interval:
			c.add("%d attempts with a delay of %s do not fit into the interval of %s", r.Attempts, r.Delay, r.Interval)
		}
	})
}

func (c *checks) reschedule(jobType string, r *n.Reschedule) {
	if r == nil {
		return
	}
	c.in("reschedule", func() {
		if jobType == n.JobTypeSystem || jobType == n.JobTypeSysBatch {
			c.add("%s jobs run on each node and are never rescheduled: remove the block", jobType)
			return
		}
		if !r.Enabled() {
			return
		}
		const least = 5 * time.Second
		if !slices.Contains([]string{"constant", "exponential", "fibonacci"}, r.DelayFunction) {
			c.add("delay_function %q is none of constant, exponential, fibonacci", r.DelayFunction)
		}
		if r.Delay < least {
			c.add("delay is %s and must be at least %s", r.Delay, least)
		}
		if r.DelayFunction != "constant" && (r.MaxDelay < least || r.MaxDelay < r.Delay) {
			c.add("max_delay is %s and must be at least %s and the delay", r.MaxDelay, least)
		}
		if r.Unlimited {
			if r.Attempts > 0 {
				c.add("attempts and unlimited exclude each other")
			}
			return
		}
		if r.Interval < 15*time.Second {
			c.add("interval is %s and must be at least 15s", r.Interval)
		} else if !fits(r) {
			c.add("%d attempts with a %s delay from %s do not fit into the interval of %s", r.Attempts, r.DelayFunction, r.Delay, r.Interval)
		}
	})
}

// fits reports whether all attempts can happen within the interval; see the job
// specification reference, 3.7.
func fits(r *n.Reschedule) bool {
	at, before := r.Delay, time.Duration(0)
	switch r.DelayFunction {
	case "exponential":
		for i := range r.Attempts {
			next := r.Delay << min(i, 40)
			if next > r.MaxDelay {
				next = before + r.MaxDelay
			}
			if next >= r.Interval {
				return false
			}
			before = next
		}
		return true
	case "fibonacci":
		step, last := r.Delay, r.Delay
		for i := 2; i < r.Attempts; i++ {
			if step, last = last, step+last; last > r.MaxDelay {
				at += r.MaxDelay
				continue
			}
			at = last
			if at > r.Interval {
				return false
			}
		}
		return at <= r.Interval
	}
	return time.Duration(r.Attempts)*r.Delay <= r.Interval
}

func (c *checks) update(jobType string, u *n.Update) {
	if u == nil {
		return
	}
	c.in("update", func() {
		if jobType == n.JobTypeBatch || jobType == n.JobTypeSysBatch {
			c.add("%s jobs have no rolling updates: remove the block", jobType)
			return
		}
		if !u.Rolling() && u.MaxParallel == 0 {
			return
		}
		if !slices.Contains([]string{"checks", "task_states", "manual"}, u.HealthCheck) {
			c.add("health_check %q is none of checks, task_states, manual", u.HealthCheck)
		}
		if u.MaxParallel < 0 || u.Canary < 0 || u.MinHealthyTime < 0 || u.ProgressDeadline < 0 {
			c.add("max_parallel, canary, min_healthy_time and progress_deadline must not be negative")
		}
		if u.AutoPromote && u.Canary == 0 {
			c.add("auto_promote needs canary to be more than 0")
		}
		if u.HealthyDeadline <= 0 || u.MinHealthyTime >= u.HealthyDeadline {
			c.add("healthy_deadline %s must be longer than min_healthy_time %s", u.HealthyDeadline, u.MinHealthyTime)
		}
		if u.ProgressDeadline != 0 && u.HealthyDeadline >= u.ProgressDeadline {
			c.add("progress_deadline %s must be 0 or longer than healthy_deadline %s", u.ProgressDeadline, u.HealthyDeadline)
		}
		if u.Stagger <= 0 {
			c.add("stagger must be positive")
		}
	})
}

func (c *checks) migrate(jobType string, m *n.Migrate) {
	if m == nil {
		return
	}
	c.in("migrate", func() {
		switch {
		case jobType != n.JobTypeService:
			c.add("only service jobs migrate, not a %s job: remove the block", jobType)
		case m.MaxParallel < 0 || m.MinHealthyTime < 0 || m.HealthyDeadline < 0:
			c.add("max_parallel, min_healthy_time and healthy_deadline must not be negative")
		case m.MinHealthyTime > m.HealthyDeadline:
			c.add("min_healthy_time %s is longer than healthy_deadline %s", m.MinHealthyTime, m.HealthyDeadline)
		case m.HealthCheck != "checks" && m.HealthCheck != "task_states":
			c.add("health_check %q is neither checks nor task_states", m.HealthCheck)
		}
	})
}

func (c *checks) disconnect(jobType string, d *n.Disconnect) {
	if d == nil {
		return
	}
	c.in("disconnect", func() {
		if d.LostAfter != nil && *d.LostAfter < 0 || d.StopOnClientAfter != nil && *d.StopOnClientAfter < 0 {
			c.add("lost_after and stop_on_client_after must not be negative")
		}
		if d.LostAfter != nil && d.StopOnClientAfter != nil {
			c.add("lost_after and stop_on_client_after exclude each other")
		}
		if d.StopOnClientAfter != nil && jobType != n.JobTypeService && jobType != n.JobTypeBatch {
			c.add("stop_on_client_after works for service and batch jobs only")
		}
		if !slices.Contains([]string{"", "best_score", "longest_running", "keep_original", "keep_replacement"}, d.Reconcile) {
			c.add("reconcile %q is none of best_score, longest_running, keep_original, keep_replacement", d.Reconcile)
		}
	})
}

func (c *checks) scaling(jobType string, g *n.Group) {
	s := g.Scaling
	if s == nil {
		return
	}
	c.in("scaling", func() {
		if jobType == n.JobTypeSystem {
			c.add("system jobs can not be scaled")
		}
		if s.Type != "" && s.Type != "horizontal" {
			c.add("type %q is not horizontal", s.Type)
		}
		if s.Max == nil {
			c.add("max is missing")
			return
		}
		least := int64(0)
		if s.Min != nil {
			least = *s.Min
		}
		switch count := int64(g.Count); {
		case least < 0 || *s.Max < least:
			c.add("min %d and max %d are no range", least, *s.Max)
		case count < least:
			c.add("the group's count %d is less than min %d", g.Count, least)
		case count > *s.Max:
			c.add("the group's count %d is more than max %d", g.Count, *s.Max)
		}
	})
}
