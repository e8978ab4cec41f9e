package command

import (
	"strconv"

	"github.com/nomadlike/nomadlike/command/text"
	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
)

func schedulerGetConfig() *verb {
	return &verb{
		name: "operator scheduler get-config", max: 0,
		synopsis: "Show how the cluster schedules",
		help:     `Shows what operators have decided of scheduling.`,
		examples: []string{"# Is preemption on?", Name + " operator scheduler get-config"},
		bind: func(f *flags) action {
			out := f.structured()
			return func(e *env, _ []string) error {
				resp, err := call(e, api.SchedulerConfigGet, &n.ListRequest{})
				if err != nil {
					return e.trouble("Error querying scheduler configuration", err)
				}
				if out.asked() {
					return out.print(e, resp)
				}
				c := resp.SchedulerConfig
				yes := strconv.FormatBool
				e.print(new(text.Pairs).Add("Scheduler Algorithm", c.SchedulerAlgorithm).
					Add("Memory Oversubscription", yes(c.MemoryOversubscriptionEnabled)).
					Add("Reject Job Registration", yes(c.RejectJobRegistration)).Add("Pause Eval Broker", yes(c.PauseEvalBroker)).
					Add("Preemption System Scheduler", yes(c.PreemptionConfig.SystemSchedulerEnabled)).
					Add("Preemption Service Scheduler", yes(c.PreemptionConfig.ServiceSchedulerEnabled)).
					Add("Preemption Batch Scheduler", yes(c.PreemptionConfig.BatchSchedulerEnabled)).
					Add("Preemption SysBatch Scheduler", yes(c.PreemptionConfig.SysBatchSchedulerEnabled)).
					Add("Modify Index", str(c.ModifyIndex)).String())
				return nil
			}
		},
	}
}

func schedulerSetConfig() *verb {
	return &verb{
		name: "operator scheduler set-config", max: 0,
		synopsis: "Change how the cluster schedules",
		help:     `Changes what the flags say of scheduling, and leaves the rest as it is.`,
		examples: []string{
			"# Spread allocations over the nodes instead of filling them up", Name + " operator scheduler set-config -scheduler-algorithm=spread",
			"# Have services take the place of jobs whose priority is lower by ten or more", Name + " operator scheduler set-config -preempt-service-scheduler=true",
		},
		bind: func(f *flags) action {
			s := &schedulerFlags{
				oversubscribe: f.maybe("memory-oversubscription", "tasks may use more memory than they reserve, up to memory_max"),
				reject:        f.maybe("reject-job-registration", "take no jobs but from managers"),
				pause:         f.maybe("pause-eval-broker", "schedule nothing"),
				system:        f.maybe("preempt-system-scheduler", "system jobs may displace less important allocations"),
				service:       f.maybe("preempt-service-scheduler", "service jobs may"),
				batch:         f.maybe("preempt-batch-scheduler", "batch jobs may"),
				sysbatch:      f.maybe("preempt-sysbatch-scheduler", "sysbatch jobs may"),
			}
			f.StringVar(&s.checkIndex, "check-index", "", "only if this is the configuration's modify `index`")
			f.StringVar(&s.algorithm, "scheduler-algorithm", "", "the `algorithm`: binpack or spread")
			return s.run
		},
	}
}

type schedulerFlags struct {
	checkIndex, algorithm                                          string
	oversubscribe, reject, pause, system, service, batch, sysbatch *maybeBool
}

func (s *schedulerFlags) run(e *env, _ []string) error {
	resp, err := call(e, api.SchedulerConfigGet, &n.ListRequest{})
	if err != nil {
		return e.trouble("Error querying scheduler configuration", err)
	}
	req := &n.SchedulerConfigUpdate{SchedulerConfiguration: *resp.SchedulerConfig}
	c := &req.SchedulerConfiguration
	// Without -check-index, nobody's change in between is lost all the same.
	index := c.ModifyIndex
	if s.checkIndex != "" {
		wanted, err := strconv.ParseUint(s.checkIndex, 10, 64)
		if err != nil {
			return failf("Error parsing check-index value %q: %v", s.checkIndex, err)
		}
		if wanted != index {
			return failf("The configuration's modify index is %d, not %d: it was changed since. Look at it again.", index, wanted)
		}
	}
	req.CAS = &index
	if s.algorithm != "" {
		c.SchedulerAlgorithm = s.algorithm
	}
	for to, flag := range map[*bool]*maybeBool{
		&c.MemoryOversubscriptionEnabled: s.oversubscribe, &c.RejectJobRegistration: s.reject, &c.PauseEvalBroker: s.pause,
		&c.PreemptionConfig.SystemSchedulerEnabled: s.system, &c.PreemptionConfig.ServiceSchedulerEnabled: s.service,
		&c.PreemptionConfig.BatchSchedulerEnabled: s.batch, &c.PreemptionConfig.SysBatchSchedulerEnabled: s.sysbatch,
	} {
		if flag.value != nil {
			*to = *flag.value
		}
	}
	updated, err := call(e, api.SchedulerConfigSet, req)
	switch {
	case err != nil:
		return e.trouble("Error setting scheduler configuration", err)
	case !updated.Updated:
		return failf("Scheduler configuration could not be atomically updated: somebody changed it at the same time. Try again.")
	}
	e.print("Scheduler configuration updated!")
	return nil
}
