package docker

import (
	"fmt"
	"testing"

	"github.com/nomadlike/nomadlike/plugins/drivers"
)

// TestPublished shows which ports lead where, in both spellings.
func TestPublished(t *testing.T) {
	run := &drivers.TaskConfig{Resources: drivers.Resources{Ports: []drivers.Port{{Label: "http", Value: 21000, To: 80}, {Label: "db", Value: 22000}}}}
	for _, c := range []struct {
		task taskConfig
		want string
	}{
		{taskConfig{}, "[]"},
		{taskConfig{Ports: []string{"db", "http"}}, "[{db 22000 0 } {http 21000 80 }]"},
		{taskConfig{PortMap: []map[string]int64{{"http": 8080, "db": 5432}}}, "[{db 22000 5432 } {http 21000 8080 }]"},
		{taskConfig{PortMap: []map[string]int64{{"http": 8080}, {"db": 5432}}}, "[{db 22000 5432 } {http 21000 8080 }]"},
	} {
		s := &spec{task: &c.task, run: run}
		got, err := s.published()
		if text := fmt.Sprint(got); err != nil || text != c.want {
			t.Errorf("%+v: %s, %v; want %s", c.task, text, err, c.want)
		}
	}
	if _, err := (&spec{task: &taskConfig{PortMap: []map[string]int64{{"nonesuch": 1}}}, run: run}).published(); err == nil {
		t.Error("a port that is not there is published")
	}
	both := taskConfig{Image: "x", Ports: []string{"http"}, PortMap: []map[string]int64{{"http": 1}}}
	if err := both.validate(); err == nil {
		t.Error("both spellings at once are accepted")
	}
}
