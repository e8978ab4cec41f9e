package server

import (
	"context"
	"crypto/rand"
	"encoding/binary"

	"github.com/google/uuid"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
	"github.com/nomadlike/nomadlike/nomadlike/rpc"
)

// bind says which handler answers which call.
func (s *Server) bind() {
	h := s.handlers
	api.Bind(h, api.JobList, s.jobList)
	api.Bind(h, api.JobRegister, s.jobRegister)
	api.Bind(h, api.JobValidate, s.jobValidate)
	api.Bind(h, api.JobPlan, s.jobPlan)
	api.Bind(h, api.JobDeregister, s.jobDeregister)
	api.Bind(h, api.JobEvaluate, s.jobEvaluate)
	api.Bind(h, api.JobRevert, s.jobRevert)
	api.Bind(h, api.JobStable, s.jobStable)
	api.Bind(h, api.JobTag, s.jobTag)
	api.Bind(h, api.JobUntag, s.jobUntag)
	api.Bind(h, api.JobGet, s.jobGet)
	api.Bind(h, api.JobAllocs, s.jobAllocs)
	api.Bind(h, api.JobEvals, s.jobEvals)
	api.Bind(h, api.JobDeployments, s.jobDeployments)
	api.Bind(h, api.JobDeployment, s.jobDeployment)
	api.Bind(h, api.JobSummary, s.jobSummary)
	api.Bind(h, api.JobVersions, s.jobVersions)
	api.Bind(h, api.JobSubmission, s.jobSubmission)

	api.Bind(h, api.AllocList, s.allocList)
	api.Bind(h, api.AllocGet, s.allocGet)
	api.Bind(h, api.AllocStop, s.allocStop)

	api.Bind(h, api.EvalList, s.evalList)
	api.Bind(h, api.EvalCount, s.evalCount)
	api.Bind(h, api.EvalGet, s.evalGet)
	api.Bind(h, api.EvalAllocs, s.evalAllocs)

	api.Bind(h, api.DeploymentList, s.deploymentList)
	api.Bind(h, api.DeploymentGet, s.deploymentGet)
	api.Bind(h, api.DeploymentAllocs, s.deploymentAllocs)
	api.Bind(h, api.DeploymentFail, s.deploymentFail)
	api.Bind(h, api.DeploymentPause, s.deploymentPause)
	api.Bind(h, api.DeploymentPromote, s.deploymentPromote)
	api.Bind(h, api.DeploymentHealth, s.deploymentHealth)

	api.Bind(h, api.NodeList, s.nodeList)
	api.Bind(h, api.NodeGet, s.nodeGet)
	api.Bind(h, api.NodeAllocs, s.nodeAllocs)
	api.Bind(h, api.NodeEvaluate, s.nodeEvaluate)
	api.Bind(h, api.NodePurge, s.nodePurge)
	api.Bind(h, api.NodeDrain, s.nodeDrain)
	api.Bind(h, api.NodeEligibility, s.nodeEligibility)
	api.Bind(h, api.NodeRegister, s.nodeRegister)
	api.Bind(h, api.NodeHeartbeat, s.nodeHeartbeat)
	api.Bind(h, api.NodeUpdateAllocs, s.nodeUpdateAllocs)

	api.Bind(h, api.AgentMembers, s.agentMembers)
	api.Bind(h, api.StatusLeader, s.statusLeader)
	api.Bind(h, api.StatusPeers, s.statusPeers)
	api.Bind(h, api.RegionList, s.regionList)
	api.Bind(h, api.SchedulerConfigGet, s.schedulerConfigGet)
	api.Bind(h, api.SchedulerConfigSet, s.schedulerConfigSet)
	api.Bind(h, api.RaftConfiguration, s.raftConfiguration)
	api.Bind(h, api.Search, s.search)
	api.Bind(h, api.NamespaceList, s.namespaceList)
	api.Bind(h, api.NodePoolList, s.nodePoolList)
	api.Bind(h, api.SystemGC, s.systemGC)

	s.serveCalls()
	rpc.HandleStream(s.rpc, rpc.StreamMethod[n.SessionUp, n.SessionDown]{Name: api.NodeSession},
		func(ctx context.Context, st *rpc.Stream[n.SessionDown, n.SessionUp]) error {
			return s.sessions.serve(ctx, st)
		})
	rpc.HandleStream(s.rpc, rpc.StreamMethod[n.Tunnel, n.Tunnel]{Name: api.NodeTunnel},
		func(ctx context.Context, st *rpc.Stream[n.Tunnel, n.Tunnel]) error {
			return s.sessions.serveTunnel(ctx, st)
		})
}

func newID() string { return uuid.NewString() }

// newSeed draws what commands derive ids from. Ids name things to the outside,
// so it must not be guessable.
func newSeed() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return binary.LittleEndian.Uint64(b[:])
}
