package cron

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
)

// TestNext shows the times of schedules. Commands:
//
//	next [from=2026-01-01T00:00:00Z] [zone=] [times=3]
//
// Each line of the input is a schedule, and all of them together are one when
// together is given.
func TestNext(t *testing.T) {
	datadriven.RunTest(t, "testdata/next", func(t *testing.T, d *datadriven.TestData) string {
		from, zone, times := "2026-01-01T00:00:00Z", "", 3
		d.MaybeScanArgs(t, "from", &from)
		d.MaybeScanArgs(t, "zone", &zone)
		d.MaybeScanArgs(t, "times", &times)
		start, err := time.Parse(time.RFC3339, from)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(d.Input, "\n")
		if d.HasArg("together") {
			return show(start, times, zone, lines...) + "\n"
		}
		var out strings.Builder
		for _, line := range lines {
			fmt.Fprintf(&out, "%s: %s\n", line, show(start, times, zone, line))
		}
		return out.String()
	})
}

func show(from time.Time, times int, zone string, specs ...string) string {
	s, err := Parse(zone, specs...)
	if err != nil {
		return err.Error()
	}
	var all []string
	for range times {
		next, ok := s.Next(from)
		if !ok {
			all = append(all, "never")
			break
		}
		all = append(all, next.Format("Mon 2006-01-02 15:04:05Z07"))
		from = next
	}
	return strings.Join(all, ", ")
}

// TestAnyZone finds the times of schedules in zones whose clocks are odd, where
// it must neither hang nor go backward.
func TestAnyZone(t *testing.T) {
	specs := []string{"0 0 1 * *", "30 2 * * *", "*/7 * * * *", "0 0 * * 0", "59 23 L * *", "*/11 */5 * * * * *", "15 0 29 2 *"}
	zones := []string{
		"America/Asuncion", "America/Havana", "Africa/Cairo", "Asia/Beirut", "America/Santiago", "Australia/Lord_Howe",
		"America/Sao_Paulo", "Pacific/Apia", "Africa/Casablanca", "Asia/Kathmandu", "Europe/Dublin", "America/St_Johns",
	}
	for _, zone := range zones {
		for _, spec := range specs {
			s, err := Parse(zone, spec)
			if err != nil {
				t.Fatal(err)
			}
			for year := 2005; year < 2027; year += 3 {
				at := time.Date(year, 1, 1, 0, 0, 0, 7, time.UTC)
				for range 18 {
					next, ok := s.Next(at)
					if !ok || !next.After(at) {
						t.Fatalf("%s in %s after %s: %s, %v", spec, zone, at, next, ok)
					}
					if at = next; spec == "0 0 1 * *" && (next.Day() != 1 || next.Hour() != 0) {
						t.Fatalf("%s in %s: %s", spec, zone, next)
					}
				}
			}
		}
	}
}

// TestEverySecond compares with a clock that is looked at every second.
func TestEverySecond(t *testing.T) {
	vienna, err := time.LoadLocation("Europe/Vienna")
	if err != nil {
		t.Fatal(err)
	}
	s, err := Parse("Europe/Vienna", "0 */20 1-3 * * * *")
	if err != nil {
		t.Fatal(err)
	}
	for _, day := range []time.Time{time.Date(2026, 3, 28, 0, 0, 0, 0, vienna), time.Date(2026, 10, 24, 0, 0, 0, 0, vienna)} {
		next, _ := s.Next(day)
		for at := day.Add(time.Second); at.Before(day.Add(60 * time.Hour)); at = at.Add(time.Second) {
			hour, minute, second := at.Clock()
			if hour < 1 || hour > 3 || minute%20 != 0 || second != 0 {
				continue
			}
			if !next.Equal(at) {
				t.Fatalf("%s is due, but %s comes", at, next)
			}
			next, _ = s.Next(next)
		}
	}
}
