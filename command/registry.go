package command

// verbs lists every verb. A new one is a line here and a file of its own.
func verbs() []*verb {
	return []*verb{
		version(), status(),
		jobRun(), jobPlan(), jobValidate(), jobInit(), jobStatus(), jobStop(), jobInspect(), jobHistory(),
		allocStatus(), allocLogs(), allocStop(), allocRestart(), allocSignal(),
		nodeStatus(), nodeEligibility(),
		evalStatus(), evalList(),
		deploymentList(), deploymentStatus(), deploymentPromote(), deploymentFail(), deploymentPause(), deploymentResume(),
	}
}

// aliases are other words for a verb.
var aliases = map[string]string{
	"run": "job run", "stop": "job stop", "plan": "job plan", "validate": "job validate", "init": "job init", "inspect": "job inspect",
	"logs": "alloc logs", "start": "job start",
	"alloc-status": "alloc status", "eval-status": "eval status", "node-status": "node status",
	"server-join": "server join", "server-members": "server members", "server-force-leave": "server force-leave",
}

// shown are the aliases that help lists.
var shown = map[string]bool{"run": true, "stop": true, "start": true}

// groups are words that only lead to others: what they are about, in a line.
var groups = map[string]string{
	"alloc":      "Look at allocations, and stop or restart them",
	"deployment": "Look at deployments, and steer them",
	"eval":       "Look at evaluations",
	"job":        "Run jobs, look at them, stop them",
	"node":       "Look at nodes, and say whether they take new work",
	"operator":   "Look after a cluster",
	"server":     "Look at the servers, and join them",
	"system":     "Tidy up a cluster",
}
