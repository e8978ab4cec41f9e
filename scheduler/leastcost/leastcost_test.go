package leastcost_test

import (
	"fmt"
	"slices"
	"testing"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/server/simulate"
	"github.com/nomadlike/nomadlike/scheduler/leastcost"
	"github.com/nomadlike/nomadlike/scheduler/schedulertest"
)

func TestConformance(t *testing.T) {
	schedulertest.Run(t, leastcost.Scheduler, n.JobTypeService, n.JobTypeBatch)
}

// TestCheapestFirst fills the cheapest nodes up before the next, and those without a
// price last.
func TestCheapestFirst(t *testing.T) {
	c := simulate.New(simulate.Options{})
	defer c.Close()
	for i, cost := range []string{"0.5", "0.2", "", "much", "9"} {
		node := simulate.NodeLike("n", i)
		node.Meta[leastcost.Key] = cost
		if err := c.AddNode(node); err != nil {
			t.Fatal(err)
		}
	}
	job := schedulertest.PlainJob("job", n.JobTypeService, 8, 1000, 100) // four fit on a node
	job.Meta = map[string]string{n.MetaScheduler: leastcost.Name}
	if err := c.Register(job); err != nil {
		t.Fatal(err)
	}
	if err := c.Settle(); err != nil {
		t.Fatal(err)
	}
	on := map[string]int{}
	for a := range c.View().JobAllocs(nil, job.Key()) {
		on[a.NodeName]++
		if !slices.ContainsFunc(a.Metrics.ScoreMetaData[0].Scores, func(s n.Score) bool { return s.Name == leastcost.Name }) {
			t.Errorf("%s shows no score for cost: %v", a.Name, a.Metrics.ScoreMetaData[0])
		}
	}
	if got := fmt.Sprint(on); got != "map[n-0:4 n-1:4]" {
		t.Errorf("allocations by node: %s", got)
	}
}

// TestUnknownName fails the evaluation of a job whose scheduler is gone.
func TestUnknownName(t *testing.T) {
	for name, typ := range map[string]string{"nonesuch": n.JobTypeService, leastcost.Name: n.JobTypeSystem} {
		c := simulate.New(simulate.Options{})
		defer c.Close()
		job := schedulertest.PlainJob("job", typ, 1, 100, 100)
		job.Meta = map[string]string{n.MetaScheduler: name}
		if err := c.Register(job); err != nil {
			t.Fatal(err)
		}
		if err := c.Settle(); err != nil {
			t.Fatal(err)
		}
		for e := range c.View().JobEvals(nil, job.Key()) {
			if e.Status != n.EvalFailed {
				t.Errorf("%s: the evaluation is %s", name, e.Status)
			}
		}
	}
}
