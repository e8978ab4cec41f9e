// Package cron decides when a periodic job is launched next: it reads schedules
// and finds their times on the clock of a time zone. It knows no job but its
// periodic block, reads no clock and waits for nothing.
package cron

import (
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // a machine without zones launches as any other does

	"github.com/hashicorp/cronexpr"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// Aliases are the schedules that have a name.
var Aliases = []string{"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@hourly"}

// A Schedule is one or more times on the clock of a zone. It may be used by many
// goroutines.
type Schedule struct {
	times []cronexpr.Expression
	zone  *time.Location
}

// Of reads the schedule of a periodic block, enabled or not.
func Of(p *n.Periodic) (*Schedule, error) {
	specs := p.Specs
	if p.Spec != "" {
		specs = []string{p.Spec}
	}
	return Parse(p.TimeZone, specs...)
}

// Parse reads schedules of five, six or seven fields. zone is an IANA name, UTC,
// Local, or empty for UTC.
func Parse(zone string, specs ...string) (*Schedule, error) {
	loc, err := time.LoadLocation(zone)
	if err != nil {
		return nil, fmt.Errorf("time_zone %q is unknown: write a name such as \"Europe/Vienna\", UTC or Local", zone)
	}
	s := &Schedule{zone: loc}
	for _, spec := range specs {
		expr, err := parse(spec)
		if err != nil {
			return nil, err
		}
		s.times = append(s.times, *expr)
	}
	return s, nil
}

func parse(spec string) (*cronexpr.Expression, error) {
	fields := strings.Fields(spec)
	switch {
	case strings.HasPrefix(spec, "@"):
		if !isAlias(spec) {
			return nil, fmt.Errorf("cron %q is none of %s", spec, strings.Join(Aliases, ", "))
		}
	case len(fields) < 5:
		return nil, fmt.Errorf("cron %q has less than five fields: <minute> <hour> <day> <month> <weekday>", spec)
	}
	expr, err := cronexpr.Parse(spec)
	if err != nil {
		return nil, fmt.Errorf("cron %q can not be read: %w", spec, err)
	}
	if f := backward(fields); f != "" {
		return nil, fmt.Errorf("cron %q: %s goes backward and never comes: write it as two ranges", spec, f)
	}
	return expr, nil
}

func isAlias(spec string) bool {
	for _, a := range Aliases {
		if spec == a {
			return true
		}
	}
	return false
}

// backward returns a field that is nothing but a range from more to less. The
// library has no times for it, and falls over one of months.
func backward(fields []string) string {
	for i, f := range fields {
		if i == 7 {
			break // what follows is ignored
		}
		if !strings.Contains(f, "-") || strings.Contains(f, ",") {
			continue
		}
		all := make([]string, 7)
		for j := range all {
			all[j] = "*"
		}
		at := i
		if len(fields) < 7 {
			at++ // the seconds are left out
		}
		all[at] = f
		if empty(strings.Join(all, " ")) {
			return f
		}
	}
	return ""
}

// empty reports a schedule without any time at all.
func empty(spec string) (never bool) {
	defer func() {
		if recover() != nil { // of the library, for a list of months that is empty
			never = true
		}
	}()
	expr, err := cronexpr.Parse(spec)
	return err == nil && expr.Next(time.Unix(-1, 0).UTC()).IsZero()
}

// Next returns the first time after one, or false if there is none. Times are
// those of the zone's clock: what the clock skips in spring does not come on that
// day, and what it shows twice in autumn comes twice.
func (s *Schedule) Next(after time.Time) (next time.Time, ok bool) {
	for i := range s.times {
		if t, found := s.next(s.times[i], after); found && (!ok || t.Before(next)) {
			next, ok = t, true
		}
	}
	return next, ok
}

// next walks over the stretches of time in which the zone keeps its distance from
// UTC, and in each reads the clock as if it were UTC's. expr is a copy because
// looking for a time changes it.
func (s *Schedule) next(expr cronexpr.Expression, after time.Time) (time.Time, bool) {
	for at := after.In(s.zone); ; {
		_, offset := at.Zone()
		shift := time.Duration(offset) * time.Second
		found := expr.Next(after.UTC().Add(shift))
		if found.IsZero() {
			return time.Time{}, false
		}
		t, end := found.Add(-shift).In(s.zone), stretch(at)
		if end.IsZero() || t.Before(end) {
			return t, true
		}
		at, after = end, end.Add(-time.Nanosecond) // the end itself may be found
	}
}

// stretch returns when the zone's distance from UTC may change next.
func stretch(at time.Time) time.Time {
	_, end := at.ZoneBounds()
	if end.IsZero() || end.After(at) {
		return end
	}
	return at.Add(24 * time.Hour) // on the last day of leap years Go 1.26 says that the end has come
}
