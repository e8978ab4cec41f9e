package command

// verbs lists every verb. A new one is a line here and a file of its own.
func verbs() []*verb {
	return []*verb{
		version(), status(), formatVerb(),
		jobRun(), jobPlan(), jobValidate(), jobInit(), jobStatus(), jobStop(), jobInspect(), jobHistory(), jobRevert(), jobTagApply(), jobTagUnset(),
		jobAllocs(), jobDeployments(), jobPromote(), jobEval(), jobStart(), jobSchema(),
		jobDispatch(), jobPeriodicForce(), jobScale(), jobScalingEvents(), scalingPolicyList(), scalingPolicyInfo(),
		allocStatus(), allocLogs(), allocStop(), allocRestart(), allocSignal(),
		nodeStatus(), nodeDrain(), nodeEligibility(),
		evalStatus(), evalList(),
		deploymentList(), deploymentStatus(), deploymentPromote(), deploymentFail(), deploymentPause(), deploymentResume(),
		serverMembers(), serverJoin(), serverForceLeave(), agentInfo(),
		operatorAPI(), operatorSimulate(), raftListPeers(), schedulerGetConfig(), schedulerSetConfig(), keyringGenerate(), systemGC(),
		namespaceList(), nodePoolList(),
	}
}

// aliases are other words for a verb.
var aliases = map[string]string{
	"run": "job run", "stop": "job stop", "plan": "job plan", "validate": "job validate", "init": "job init", "inspect": "job inspect",
	"logs": "alloc logs", "start": "job start",
	"alloc-status": "alloc status", "eval-status": "eval status", "node-status": "node status", "node-drain": "node drain",
}

// renamed are words that verbs once had; they warn.
var renamed = map[string]string{
	"server-join": "server join", "server-members": "server members", "server-force-leave": "server force-leave",
}

// shown are the aliases that help lists.
var shown = map[string]bool{"run": true, "stop": true, "start": true}

// groups are words that only lead to others: what they are about, in a line.
var groups = map[string]string{
	"alloc":                   "Look at allocations, and stop or restart them",
	"deployment":              "Look at deployments, and steer them",
	"eval":                    "Look at evaluations",
	"job":                     "Run jobs, look at them, stop them",
	"job periodic":            "Launch periodic jobs",
	"job tag":                 "Give versions of a job names, and take them away",
	"node":                    "Look at nodes, empty them, and say whether they take new work",
	"namespace":               "Look at namespaces",
	"node pool":               "Look at node pools",
	"operator":                "Look after a cluster",
	"operator gossip":         "Look after gossip between servers",
	"operator gossip keyring": "Look after the keys of gossip",
	"operator raft":           "Look after the replicated log",
	"operator scheduler":      "See and change how the cluster schedules",
	"scaling":                 "Look at what bounds the counts of groups",
	"scaling policy":          "Look at scaling policies",
	"server":                  "Look at the servers, and join them",
	"system":                  "Tidy up a cluster",
}
