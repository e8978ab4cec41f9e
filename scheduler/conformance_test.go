package scheduler_test

import (
	"testing"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/scheduler"
	"github.com/nomadlike/nomadlike/scheduler/schedulertest"
)

func TestConformance(t *testing.T) { schedulertest.Run(t, scheduler.Process, n.JobTypes...) }
