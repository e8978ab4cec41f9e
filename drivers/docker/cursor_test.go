package docker

import (
	"strings"
	"testing"
	"time"
)

// TestReplay reads what the engine sends in passes, as after a lost connection or
// a new agent.
func TestReplay(t *testing.T) {
	type e struct {
		at   int64
		text string
	}
	sec := int64(time.Second)
	for _, c := range []struct {
		name   string
		passes [][]e
		ahead  string // in the files, beyond the saved cursor
		want   string
		lost   bool
	}{
		{"one pass", [][]e{{{1, "a"}, {2, "b"}}}, "", "ab", false},
		{"the last entry comes again", [][]e{{{1, "a"}, {2, "b"}}, {{2, "b"}, {3, "c"}}}, "", "abc", false},
		{"all comes again", [][]e{{{1, "a"}, {2, "b"}}, {{1, "a"}, {2, "b"}, {3, "c"}}}, "", "abc", false},
		{"entries of one time", [][]e{{{1, "a"}, {1, "b"}}, {{1, "a"}, {1, "b"}, {1, "c"}, {2, "d"}}}, "", "abcd", false},
		{"the last entry was dropped", [][]e{{{1, "a"}, {2, "b"}}, {{4, "d"}}}, "", "abd", true},
		{"the same text later", [][]e{{{1, "a"}}, {{1, "a"}, {2, "a"}}}, "", "aa", false},
		{"an engine that repeats itself", [][]e{{{1, "a"}, {2, "b"}, {3, "c"}, {1, "a"}, {2, "b"}, {3, "c"}, {4, "d"}}}, "", "abcd", false},
		{"the clock is set back", [][]e{{{100 * sec, "a"}, {101 * sec, "b"}, {50 * sec, "c"}, {51 * sec, "d"}}}, "", "abcd", false},
		{"the files are ahead", [][]e{{{1, "a"}, {2, "b"}, {3, "c"}}}, "ab", "c", false},
		{"the files are ahead of something else", [][]e{{{1, "x"}, {2, "y"}}}, "ab", "xy", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := replay{ahead: []byte(c.ahead)}
			var got strings.Builder
			lost := false
			for _, pass := range c.passes {
				r.again()
				since := r.cursor.At
				for _, x := range pass {
					text, l := r.fresh(entry{at: x.at, text: []byte(x.text)}, since)
					got.Write(text)
					lost = lost || l
				}
			}
			if got.String() != c.want || lost != c.lost {
				t.Errorf("%q, lost %v; want %q, %v", got.String(), lost, c.want, c.lost)
			}
		})
	}
}

// TestReplayForgets keeps no more than the engine can repeat.
func TestReplayForgets(t *testing.T) {
	var r replay
	r.again()
	for i := range 200_000 {
		r.fresh(entry{at: int64(i) * int64(10*time.Millisecond)}, 0)
	}
	if len(r.recent) > 4096 {
		t.Errorf("%d entries are remembered", len(r.recent))
	}
}
