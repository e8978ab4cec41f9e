package command

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// TestMends shows what is said of failed placements, and of scores. Commands:
//
//	failed       an AllocMetric in JSON
//	scores       a list of NodeScores in JSON
func TestMends(t *testing.T) {
	datadriven.Walk(t, "testdata/why", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "failed":
				m := n.AllocMetric{NodesEvaluated: 1, NodesInPool: 1}
				if err := json.Unmarshal([]byte(d.Input), &m); err != nil {
					t.Fatal(err)
				}
				return strings.Join(append(mends(&m, ""), ""), "\n")
			case "scores":
				var rated []*n.NodeScore
				if err := json.Unmarshal([]byte(d.Input), &rated); err != nil {
					t.Fatal(err)
				}
				return decided(rated, func(id n.NodeID) string { return string(id) }) + "\n"
			}
			t.Fatalf("unknown command %q", d.Cmd)
			return ""
		})
	})
}
