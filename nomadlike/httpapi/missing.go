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
	{"querying the state of many jobs at once", "GET /v1/jobs/statuses, PUT /v1/jobs/statuses"},
	{"scaling a job through its own route", "GET /v1/job/{ID...}/scale, PUT /v1/job/{ID...}/scale"},
	{"service discovery", "GET /v1/job/{ID...}/services, GET /v1/allocation/{ID}/services, GET /v1/services, GET /v1/service/{Name}, DELETE /v1/service/{Name}/{ID}"},
	{"job actions", "GET /v1/job/{ID...}/actions, GET /v1/job/{ID...}/action"},
	{"forcing a periodic job", "PUT /v1/job/{ID...}/periodic/force"},
	{"dispatching a parameterized job", "PUT /v1/job/{ID...}/dispatch, PUT /v1/job/{ID...}/dispatch/payload"},
	{"listing an allocation's checks", "GET /v1/allocation/{ID}/checks, GET /v1/client/allocation/{ID}/checks"},
	{"deleting evaluations", "DELETE /v1/evaluations"},
	{"unblocking a multi-region deployment", "PUT /v1/deployment/unblock/{ID}"},
	{"collecting a client's garbage", "GET /v1/client/gc, ANY /v1/client/allocation/{ID}/gc"},
	{"dynamic node metadata", "GET /v1/client/metadata, PUT /v1/client/metadata"},
	{"node identities", "GET /v1/client/identity, PUT /v1/client/identity/renew"},
	{"pausing a task by schedule", "ANY /v1/client/allocation/{ID}/pause"},
	{"moving an allocation's directory between clients", "GET /v1/client/allocation/{ID}/snapshot"},
	{"running commands in a task", "GET /v1/client/allocation/{ID}/exec"},
	{"browsing an allocation's files", "GET /v1/client/fs/ls/{ID}, GET /v1/client/fs/stat/{ID}, GET /v1/client/fs/cat/{ID}, GET /v1/client/fs/readat/{ID}, GET /v1/client/fs/stream/{ID}"},
	{"changing node pools", "PUT /v1/node/pools, GET /v1/node/pool/{Name}, PUT /v1/node/pool/{Name}, DELETE /v1/node/pool/{Name}, GET /v1/node/pool/{Name}/nodes, GET /v1/node/pool/{Name}/jobs"},
	{"changing namespaces", "PUT /v1/namespace, GET /v1/namespace/{Name}, PUT /v1/namespace/{Name}, DELETE /v1/namespace/{Name}"},
	{"changing a client's servers", "GET /v1/agent/servers, PUT /v1/agent/servers"},
	{"configuring an agent's schedulers", "GET /v1/agent/schedulers, GET /v1/agent/schedulers/config, PUT /v1/agent/schedulers/config"},
	{"changing the gossip keys", "GET /v1/agent/keyring/list, PUT /v1/agent/keyring/{Op}"},
	{"streaming an agent's log", "GET /v1/agent/monitor, GET /v1/agent/monitor/export"},
	{"profiling an agent through the API", "GET /v1/agent/pprof/{Name}"},
	{"describing an agent's host", "GET /v1/agent/host"},
	{"reloading an agent through the API", "PUT /v1/agent/reload"},
	{"changing the raft peers", "DELETE /v1/operator/raft/peer, PUT /v1/operator/raft/transfer-leadership"},
	{"autopilot", "GET /v1/operator/autopilot/configuration, PUT /v1/operator/autopilot/configuration, GET /v1/operator/autopilot/health"},
	{"snapshots of the servers' state", "GET /v1/operator/snapshot, PUT /v1/operator/snapshot"},
	{"the keyring", "GET /v1/operator/keyring/keys, PUT /v1/operator/keyring/rotate, DELETE /v1/operator/keyring/key/{ID}, GET /.well-known/jwks.json"},
	{"checking for upgrades of Vault identities", "GET /v1/operator/upgrade-check/vault-workload-identity"},
	{"rebuilding job summaries", "PUT /v1/system/reconcile/summaries"},
	{"access control", "ANY /v1/acl/{path...}"},
	{"variables", "GET /v1/vars, ANY /v1/var/{path...}"},
	{"scaling policies", "GET /v1/scaling/policies, GET /v1/scaling/policy/{ID}"},
	{"fuzzy search", "PUT /v1/search/fuzzy"},
	{"volumes", "ANY /v1/volumes, ANY /v1/volumes/{path...}, ANY /v1/volume/{path...}"},
	{"storage plugins", "GET /v1/plugins, GET /v1/plugin/{path...}"},
	{"the event stream", "GET /v1/event/stream"},
	{enterprise, "ANY /v1/quotas, ANY /v1/quota, ANY /v1/quota/{path...}, ANY /v1/quota-usages, ANY /v1/sentinel/policies, ANY /v1/sentinel/policy/{path...}, " +
		"ANY /v1/recommendation, ANY /v1/recommendations, ANY /v1/recommendation/{path...}, ANY /v1/recommendations/apply, PUT /v1/operator/license, PUT /v1/operator/utilization"},
}

// missing answers 501 for all of them.
func (s *server) missing() {
	for _, m := range notYet {
		text := "This build does not offer " + m.feature + " yet"
		if m.feature == enterprise {
			text = enterprise
		}
		h := func(w http.ResponseWriter, _ *http.Request) { plain(w, http.StatusNotImplemented, text) }
		for pattern := range strings.SplitSeq(m.routes, ", ") {
			s.routes.add(pattern, h, false)
		}
	}
	// Without these, the rest of the path would be taken for the job's ID.
	for _, verb := range []string{"PUT", "DELETE"} {
		s.routes.add(verb+" /v1/job/{ID...}/tag", func(w http.ResponseWriter, _ *http.Request) {
			plain(w, http.StatusNotFound, "invalid job tag endpoint")
		}, false)
	}
	s.routes.add("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		plain(w, http.StatusNotFound, "OIDC Discovery endpoint disabled")
	}, false)
}
