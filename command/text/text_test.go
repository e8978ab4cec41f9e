package text

import (
	"testing"
	"time"
)

func TestTable(t *testing.T) {
	got := NewTable("ID", "Status", "Name").Row("a", "", "x ").Row("long-id", "ready", "ü").String()
	want := "ID       Status  Name\na        <none>  x\nlong-id  ready   ü"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	plain := NewTable("A", "B")
	plain.Plain = true
	if got := plain.Row("", "b").String(); got != "A  B\n   b" {
		t.Errorf("plain: %q", got)
	}
	if got := new(Pairs).Add("ID", "x").Add("Node Pool", "").String(); got != "ID        = x\nNode Pool = <none>" {
		t.Errorf("pairs: %q", got)
	}
}

func TestValues(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	for d, want := range map[time.Duration]string{
		0: "0s ago", 400 * time.Millisecond: "0s ago", 5 * time.Second: "5s ago", 65*time.Minute + 3*time.Second: "1h5m ago",
		312 * 24 * time.Hour: "10mo12d ago", -182 * time.Second: "3m2s from now", time.Hour + 4*time.Second: "1h4s ago",
	} {
		if got := Ago(now.Add(-d), now); got != want {
			t.Errorf("%s: %q, want %q", d, got, want)
		}
	}
	for n, want := range map[uint64]string{0: "0 B", 1023: "1023 B", 3355443: "3.2 MiB", 32 << 20: "32 MiB", 24 << 30: "24 GiB", 1 << 20: "1.0 MiB"} {
		if got := Bytes(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
	if Time(time.Time{}) != "" || Unix(0) != "" || Ago(time.Time{}, now) != "" {
		t.Error("the zero time is empty")
	}
}
