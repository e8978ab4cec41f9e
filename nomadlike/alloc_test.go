package nomadlike

import (
	"encoding/json"
	"testing"
)

// TestScores shows scores as the API does: an object by name.
func TestScores(t *testing.T) {
	for _, c := range []struct {
		scores Scores
		want   string
	}{
		{nil, `null`},
		{Scores{}, `{}`},
		{Scores{{"binpack", 0.25}, {"job-anti-affinity", -1}}, `{"binpack":0.25,"job-anti-affinity":-1}`},
	} {
		b, err := json.Marshal(c.scores)
		if err != nil || string(b) != c.want {
			t.Errorf("%v: %s, %v; want %s", c.scores, b, err, c.want)
		}
		var back Scores
		if err := json.Unmarshal(b, &back); err != nil || (back == nil) != (c.scores == nil) || len(back) != len(c.scores) {
			t.Errorf("%s: %v, %v", b, back, err)
		}
		for _, s := range c.scores {
			if back.Of(s.Name) != s.Value {
				t.Errorf("%s: %s is %v", b, s.Name, back.Of(s.Name))
			}
		}
	}
	if (Scores{}).Of("binpack") != 0 {
		t.Error("a score that there is not")
	}
}
