package httpapi

import (
	"net/http"
	"strings"
)

// enterprise is what the original answers for routes of its paid edition.
const enterprise = "Nomad Enterprise only endpoint"

// notYet lists the routes of the original that this build does not have, with
// the feature that is missing. A route that the table of calls gains is answered
// by its call from then on, whether or not it still stands here.
var notYet = []struct{ feature, routes string }{
	{"Querying the state of many jobs at once", "GET /v1/jobs/statuses, PUT /v1/jobs/statuses"},
	{"Scaling a job through its own route", "GET /v1/job/{ID...}/scale, PUT /v1/job/{ID...}/scale"},
	{"Service discovery", "GET /v1/job/{ID...}/services, GET /v1/allocation/{ID}/services, GET /v1/services, GET /v1/service/{Name}, DELETE /v1/service/{Name}/{ID}"},
	{"Job actions", "GET /v1/job/{ID...}/actions, GET /v1/job/{ID...}/action"},
	{"Forcing a periodic job", "PUT /v1/job/{ID...}/periodic/force"},
	{"Dispatching a parameterized job", "PUT /v1/job/{ID...}/dispatch, PUT /v1/job/{ID...}/dispatch/payload"},
	{"Reverting a job", "PUT /v1/job/{ID...}/revert"},
	{"Marking a job version as stable", "PUT /v1/job/{ID...}/stable"},
	{"Tagging job versions", "PUT /v1/job/{ID}/versions/{Tag}/tag, DELETE /v1/job/{ID}/versions/{Tag}/tag"},
	{"Listing an allocation's checks", "GET /v1/allocation/{ID}/checks, GET /v1/client/allocation/{ID}/checks"},
	{"Deleting evaluations", "DELETE /v1/evaluations"},
	{"Unblocking a multi-region deployment", "PUT /v1/deployment/unblock/{ID}"},
	{"Collecting a client's garbage", "GET /v1/client/gc, ANY /v1/client/allocation/{ID}/gc"},
	{"Dynamic node metadata", "GET /v1/client/metadata, PUT /v1/client/metadata"},
	{"Node identities", "GET /v1/client/identity, PUT /v1/client/identity/renew"},
	{"Pausing a task by schedule", "ANY /v1/client/allocation/{ID}/pause"},
	{"Moving an allocation's directory between clients", "GET /v1/client/allocation/{ID}/snapshot"},
	{"Running commands in a task", "GET /v1/client/allocation/{ID}/exec"},
	{"Browsing an allocation's files", "GET /v1/client/fs/ls/{ID}, GET /v1/client/fs/stat/{ID}, GET /v1/client/fs/cat/{ID}, GET /v1/client/fs/readat/{ID}, GET /v1/client/fs/stream/{ID}"},
	{"Draining nodes", "PUT /v1/node/{ID}/drain"},
	{"Changing node pools", "PUT /v1/node/pools, GET /v1/node/pool/{Name}, PUT /v1/node/pool/{Name}, DELETE /v1/node/pool/{Name}, GET /v1/node/pool/{Name}/nodes, GET /v1/node/pool/{Name}/jobs"},
	{"Changing namespaces", "PUT /v1/namespace, GET /v1/namespace/{Name}, PUT /v1/namespace/{Name}, DELETE /v1/namespace/{Name}"},
	{"Changing a client's servers", "GET /v1/agent/servers, PUT /v1/agent/servers"},
	{"Configuring an agent's schedulers", "GET /v1/agent/schedulers, GET /v1/agent/schedulers/config, PUT /v1/agent/schedulers/config"},
	{"Changing the gossip keys", "GET /v1/agent/keyring/list, PUT /v1/agent/keyring/{Op}"},
	{"Streaming an agent's log", "GET /v1/agent/monitor, GET /v1/agent/monitor/export"},
	{"Profiling an agent through the API", "GET /v1/agent/pprof/{Name}"},
	{"Describing an agent's host", "GET /v1/agent/host"},
	{"Reloading an agent through the API", "PUT /v1/agent/reload"},
	{"Changing the raft peers", "DELETE /v1/operator/raft/peer, PUT /v1/operator/raft/transfer-leadership"},
	{"Autopilot", "GET /v1/operator/autopilot/configuration, PUT /v1/operator/autopilot/configuration, GET /v1/operator/autopilot/health"},
	{"Snapshots of the servers' state", "GET /v1/operator/snapshot, PUT /v1/operator/snapshot"},
	{"The keyring", "GET /v1/operator/keyring/keys, PUT /v1/operator/keyring/rotate, DELETE /v1/operator/keyring/key/{ID}, GET /.well-known/jwks.json"},
	{"Checking for upgrades of Vault identities", "GET /v1/operator/upgrade-check/vault-workload-identity"},
	{"Rebuilding job summaries", "PUT /v1/system/reconcile/summaries"},
	{"Access control", "ANY /v1/acl/{path...}"},
	{"Variables", "GET /v1/vars, ANY /v1/var/{path...}"},
	{"Scaling policies", "GET /v1/scaling/policies, GET /v1/scaling/policy/{ID}"},
	{"Fuzzy search", "PUT /v1/search/fuzzy"},
	{"Volumes", "ANY /v1/volumes, ANY /v1/volumes/{path...}, ANY /v1/volume/{path...}"},
	{"Storage plugins", "GET /v1/plugins, GET /v1/plugin/{path...}"},
	{"The event stream", "GET /v1/event/stream"},
	{enterprise, "ANY /v1/quotas, ANY /v1/quota, ANY /v1/quota/{path...}, ANY /v1/quota-usages, ANY /v1/sentinel/policies, ANY /v1/sentinel/policy/{path...}, " +
		"ANY /v1/recommendation, ANY /v1/recommendations, ANY /v1/recommendation/{path...}, ANY /v1/recommendations/apply, PUT /v1/operator/license, PUT /v1/operator/utilization"},
}

// missing answers 501 for all of them.
func (s *server) missing() {
	for _, m := range notYet {
		text := m.feature + " is not available in this build."
		switch {
		case m.feature == enterprise:
			text = enterprise
		case strings.HasSuffix(strings.Fields(m.feature)[0], "s"):
			text = m.feature + " are not available in this build."
		}
		h := func(w http.ResponseWriter, _ *http.Request) { plain(w, http.StatusNotImplemented, text) }
		for pattern := range strings.SplitSeq(m.routes, ", ") {
			s.routes.add(pattern, h, false)
		}
	}
	s.routes.add("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		plain(w, http.StatusNotFound, "OIDC Discovery endpoint disabled")
	}, false)
}
