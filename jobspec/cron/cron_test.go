package cron_test

import (
	"testing"
	"time"

	"github.com/nomadlike/nomadlike/jobspec/cron"
	n "github.com/nomadlike/nomadlike/nomadlike"
)

func TestNext(t *testing.T) {
	one := func(spec, zone string) *n.Job {
		return &n.Job{Periodic: &n.Periodic{Enabled: true, Specs: []string{spec}, TimeZone: zone}}
	}
	const vienna = "Europe/Vienna"
	for _, c := range []struct {
		name, after string
		job         *n.Job
		want        string
	}{
		{"every hour", "2026-01-02T03:04:05Z", one("@hourly", "UTC"), "2026-01-02T04:00:00Z"},
		{"the older spelling", "2026-01-02T03:04:05Z", &n.Job{Periodic: &n.Periodic{Enabled: true, Spec: "5 * * * *"}}, "2026-01-02T03:05:00Z"},
		{"the earliest of several", "2026-01-02T03:04:05Z", &n.Job{Periodic: &n.Periodic{Enabled: true, Specs: []string{"@daily", "30 3 * * *"}}}, "2026-01-02T03:30:00Z"},
		{"six fields end with a year", "2026-01-02T03:04:05Z", one("0 0 1 1 * 2030", "UTC"), "2030-01-01T00:00:00Z"},
		{"seven fields begin with seconds", "2026-01-02T03:04:05Z", one("7 * * * * * *", "UTC"), "2026-01-02T03:04:07Z"},
		{"either day", "2026-01-02T03:04:05Z", one("0 0 13 * 6", "UTC"), "2026-01-03T00:00:00Z"},
		{"the wall clock of a zone", "2026-01-02T03:04:05Z", one("0 6 * * *", vienna), "2026-01-02T06:00:00+01:00"},
		{"an hour that is skipped", "2026-03-28T12:00:00Z", one("30 2 * * *", vienna), "2026-03-30T02:30:00+02:00"},
		{"an hour that comes twice", "2026-10-24T12:00:00Z", one("30 2 * * *", vienna), "2026-10-25T02:30:00+02:00"},
		{"its second time", "2026-10-25T00:31:00Z", one("30 2 * * *", vienna), "2026-10-25T02:30:00+01:00"},
		{"never again", "2026-01-02T03:04:05Z", one("0 0 1 1 * 2020", "UTC"), "none"},
		{"switched off", "2026-01-02T03:04:05Z", &n.Job{Periodic: &n.Periodic{Specs: []string{"@hourly"}}}, "none"},
		{"no zone of that name", "2026-01-02T03:04:05Z", one("@hourly", "Nowhere"), "none"},
		{"no schedule", "2026-01-02T03:04:05Z", one("x", "UTC"), "none"},
		{"not periodic", "2026-01-02T03:04:05Z", &n.Job{}, "none"},
		{"a template", "2026-01-02T03:04:05Z", &n.Job{ParameterizedJob: &n.Parameterized{}, Periodic: &n.Periodic{Enabled: true, Specs: []string{"@hourly"}}}, "none"},
	} {
		t.Run(c.name, func(t *testing.T) {
			after, err := time.Parse(time.RFC3339, c.after)
			if err != nil {
				t.Fatal(err)
			}
			got := "none"
			if next, ok := cron.Next(c.job, after); ok {
				got = next.Format(time.RFC3339)
			}
			if got != c.want {
				t.Errorf("after %s comes %s, want %s", c.after, got, c.want)
			}
		})
	}
}
