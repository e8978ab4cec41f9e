package text

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Time writes an instant in the local zone; nothing for the zero one.
func Time(t time.Time) string {
	if t.IsZero() || t.UnixNano() == 0 {
		return ""
	}
	return t.Local().Format(time.RFC3339)
}

// Unix writes an instant given in nanoseconds.
func Unix(ns int64) string {
	if ns == 0 {
		return ""
	}
	return Time(time.Unix(0, ns))
}

var units = []struct {
	name string
	size time.Duration
}{
	{"y", 365 * 24 * time.Hour}, {"mo", 30 * 24 * time.Hour}, {"d", 24 * time.Hour},
	{"h", time.Hour}, {"m", time.Minute}, {"s", time.Second},
}

// Ago writes how far t is from now, in its two largest units.
func Ago(t, now time.Time) string {
	if t.IsZero() || t.UnixNano() == 0 {
		return ""
	}
	d, suffix := now.Sub(t), " ago"
	if d < 0 {
		d, suffix = -d, " from now"
	}
	return Span(d) + suffix
}

// Span writes a duration in its two largest units, to the second.
func Span(d time.Duration) string {
	d = d.Round(time.Second)
	if d < time.Second {
		return "0s"
	}
	var b strings.Builder
	parts := 0
	for _, u := range units {
		if count := d / u.size; count > 0 {
			fmt.Fprintf(&b, "%d%s", count, u.name)
			d -= count * u.size
			parts++
		}
		if parts == 2 {
			break
		}
	}
	return b.String()
}

// Bytes writes a size in powers of 1024, with one decimal below ten.
func Bytes(n uint64) string {
	if n < 1024 {
		return strconv.FormatUint(n, 10) + " B"
	}
	f := float64(n)
	for _, unit := range []string{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"} {
		f /= 1024
		switch {
		case f < 9.95:
			return fmt.Sprintf("%.1f %s", f, unit)
		case f < 1023.5 || unit == "EiB":
			return fmt.Sprintf("%.0f %s", f, unit)
		}
	}
	return ""
}

// MiB writes a number of megabytes.
func MiB(n int64) string { return Bytes(uint64(max(n, 0)) << 20) }

// Count is "1 node", "3 nodes".
func Count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}
