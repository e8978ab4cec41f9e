package server

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nomadlike/nomadlike/jobspec/admission"
	"github.com/nomadlike/nomadlike/jobspec/jobdiff"
	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/errs"
	"github.com/nomadlike/nomadlike/nomadlike/server/state"
	"github.com/nomadlike/nomadlike/nomadlike/walk"
	"github.com/nomadlike/nomadlike/scheduler"
)

// admit makes a submitted job ready to be stored: what servers add is added, and
// it is checked. Warnings are for the user.
func (s *Server) admit(view *state.View, o *n.WriteOptions, job *n.Job) (warnings []string, err error) {
	if err := s.locate(o, job); err != nil {
		return nil, err
	}
	told, err := admission.Admit(job, admission.Options{
		MaxPriority: s.Jobs.MaxPriority, DefaultPriority: s.Jobs.DefaultPriority, MaxCount: s.Jobs.MaxCount,
		MemoryOversubscription: view.SchedulerConfig().MemoryOversubscriptionEnabled, Schedulers: scheduler.Names(),
	})
	warnings = admission.Texts(told)
	if err != nil {
		return warnings, err
	}
	job.VersionTag = nil // that of the version it was copied from; there is a call for tags
	if view.Namespace(job.Namespace) == nil {
		return warnings, errs.Newf(errs.Internal, "job %q is in nonexistent namespace %q", job.ID, job.Namespace)
	}
	if view.NodePool(job.NodePool) == nil {
		return warnings, errs.Newf(errs.Internal, "job %q is in nonexistent node pool %q", job.ID, job.NodePool)
	}
	old := view.Job(job.Key())
	if old != nil {
		job.ParentID = old.ParentID
	}
	return warnings, s.admitChange(old, job)
}

// locate says where a submitted job belongs.
func (s *Server) locate(o *n.WriteOptions, job *n.Job) error {
	switch {
	case job == nil:
		return errs.New(errs.Invalid, "Job must be specified")
	case job.ID == "":
		return errs.New(errs.Invalid, "Job ID hasn't been provided")
	}
	if job.Namespace == "" || o.Namespace != n.DefaultNamespace {
		job.Namespace = o.Namespace
	}
	if job.Region == "" || job.Region == n.DefaultRegion {
		job.Region = s.Region
	}
	if job.Region != s.Region {
		return errs.New(errs.Internal, "No path to region")
	}
	return nil
}

// admitChange checks what may not change between versions of a job.
func (s *Server) admitChange(old, job *n.Job) error {
	switch {
	case old == nil:
		return nil
	case old.Type != job.Type:
		return errs.Newf(errs.Internal, "cannot update job from type %q to %q: stop and purge it first, or give the new one another id", old.Type, job.Type)
	case old.IsPeriodic() != job.IsPeriodic():
		return errs.New(errs.Internal, "cannot update periodic job to being non-periodic or the other way round: stop and purge it first")
	case old.IsParameterized() != job.IsParameterized():
		return errs.New(errs.Internal, "cannot update parameterized job to being non-parameterized or the other way round: stop and purge it first")
	case old.Dispatched:
		return errs.New(errs.Internal, "dispatched jobs can not be registered again")
	}
	return nil
}

func (s *Server) jobRegister(ctx context.Context, req *n.JobRegister) (*n.JobRegistered, error) {
	if req.JobID != "" && req.Job != nil && req.JobID != req.Job.ID {
		return nil, errs.New(errs.Invalid, "Job ID does not match name")
	}
	anew(req.Job)
	if !req.PreserveCounts && !req.PreserveResources || req.EnforceIndex {
		return s.register(ctx, req)
	}
	// What is to be preserved may change while the job is looked at, by an
	// autoscaler for example.
	for tries := 5; ; tries-- {
		try := *req
		try.Job = walk.Clone(req.Job)
		if err := s.locate(&try.WriteOptions, try.Job); err != nil {
			return nil, err
		}
		try.EnforceIndex, try.JobModifyIndex = true, 0
		if old := s.store.Read().Job(try.Job.Key()); old != nil {
			try.JobModifyIndex = old.JobModifyIndex
		}
		resp, err := s.register(ctx, &try)
		if !errors.Is(err, state.ErrOtherIndex) || tries == 0 {
			return resp, err
		}
	}
}

// anew takes from a submitted job what is not the submitter's to say: that it is
// stopped, or somebody's child.
func anew(job *n.Job) {
	if job != nil {
		job.Stop, job.Dispatched, job.ParentID, job.DispatchIdempotencyToken = false, false, "", ""
	}
}

// register admits a job and commits it.
func (s *Server) register(ctx context.Context, req *n.JobRegister) (*n.JobRegistered, error) {
	view := s.store.Read()
	if view.SchedulerConfig().RejectJobRegistration {
		return nil, errRegistrationOff
	}
	job := req.Job
	if err := s.locate(&req.WriteOptions, job); err != nil {
		return nil, err
	}
	if old := view.Job(job.Key()); old != nil {
		preserve(old, job, req)
	}
	warnings, err := s.admit(view, &req.WriteOptions, job)
	if err != nil {
		return nil, err
	}
	if missing := admission.Unavailable(job); len(missing) > 0 {
		return nil, errs.Newf(errs.Unsupported, "%s\nThe job was not registered.", strings.Join(missing, "\n"))
	}
	c := &state.JobRegister{Job: job, EnforceIndex: req.EnforceIndex, JobModifyIndex: req.JobModifyIndex, Keep: s.Jobs.TrackedVersions, Now: now()}
	c.Submission, warnings = s.keepSource(req.Submission, warnings)
	if !job.IsPeriodic() && !job.IsParameterized() {
		c.Eval = jobEval(job, n.TriggerJobRegister, req.EvalPriority)
	}
	out, index, err := commitTo(ctx, s, state.RegisterJob, c)
	if err != nil {
		return nil, err
	}
	resp := &n.JobRegistered{JobModifyIndex: out.(state.JobRegistered).JobModifyIndex, Warnings: admission.Summary(warnings)}
	resp.Index, resp.EvalCreateIndex = index, index
	if c.Eval != nil {
		resp.EvalID = c.Eval.ID
	}
	return resp, nil
}

// keepSource returns the text of the job to be kept, if it is not too long.
func (s *Server) keepSource(sub *n.JobSubmission, warnings []string) (*n.JobSubmission, []string) {
	limit := s.Jobs.MaxSourceSize
	if limit == 0 {
		limit = 1 << 20
	}
	if sub == nil || limit < 0 {
		return nil, warnings
	}
	if size := len(sub.Source); size > limit {
		return nil, append(warnings, fmt.Sprintf("job source size of %d bytes exceeds maximum of %d bytes and will be discarded", size, limit))
	}
	return sub, warnings
}

// preserve keeps counts and resources of the running version when asked to.
func preserve(old, job *n.Job, req *n.JobRegister) {
	for i := range job.TaskGroups {
		g := &job.TaskGroups[i]
		was := old.Group(g.Name)
		if was == nil {
			continue
		}
		if req.PreserveCounts {
			g.Count = was.Count
		}
		for j := range g.Tasks {
			if t := was.Task(g.Tasks[j].Name); t != nil && req.PreserveResources {
				g.Tasks[j].Resources = walk.Clone(t.Resources)
			}
		}
	}
}

// jobEval is the evaluation that puts a change of a job into effect.
func jobEval(job *n.Job, trigger string, priority int) *n.Evaluation {
	if priority == 0 {
		priority = job.Priority
	}
	return &n.Evaluation{
		ID: n.EvalID(newID()), Namespace: job.Namespace, JobID: job.ID, Type: job.Type, Priority: priority,
		TriggeredBy: trigger, JobModifyIndex: job.JobModifyIndex, Status: n.EvalPending,
	}
}

func (s *Server) jobValidate(_ context.Context, req *n.JobValidate) (*n.JobValidated, error) {
	warnings, err := s.admit(s.store.Read(), &req.WriteOptions, req.Job)
	out := &n.JobValidated{DriverConfigValidated: true}
	if err != nil {
		out.Error = errs.Text(err)
		out.ValidationErrors = admission.Texts(admission.Problems(err))
	} else {
		warnings = append(warnings, notYet(req.Job)...)
	}
	out.Warnings = admission.Summary(warnings)
	return out, nil
}

func (s *Server) jobDeregister(ctx context.Context, req *n.JobDeregister) (*n.JobDeregistered, error) {
	if req.EvalPriority != 0 && (req.EvalPriority < n.JobMinPriority || req.EvalPriority > n.JobMaxPriority) {
		return nil, errs.Newf(errs.Invalid, "eval priority must be between %d and %d inclusive", n.JobMinPriority, n.JobMaxPriority)
	}
	key := n.JobKey{Namespace: req.Namespace, ID: req.JobID}
	job := s.store.Read().Job(key)
	if job == nil {
		return &n.JobDeregistered{}, nil
	}
	c := &state.JobDeregister{Key: key, Purge: req.Purge, NoShutdownDelay: req.NoShutdownDelay, Keep: s.Jobs.TrackedVersions, Now: now()}
	if !job.IsPeriodic() && !job.IsParameterized() {
		c.Eval = jobEval(job, n.TriggerJobDeregister, req.EvalPriority)
	}
	out, index, err := commitTo(ctx, s, state.DeregisterJob, c)
	if err != nil {
		return nil, err
	}
	resp := &n.JobDeregistered{JobModifyIndex: out.(state.JobRegistered).JobModifyIndex, EvalCreateIndex: index}
	resp.Index = index
	if c.Eval != nil {
		resp.EvalID = c.Eval.ID
	}
	return resp, nil
}

func (s *Server) jobEvaluate(ctx context.Context, req *n.JobEvaluate) (*n.JobRegistered, error) {
	view := s.store.Read()
	job := view.Job(n.JobKey{Namespace: req.Namespace, ID: req.JobID})
	switch {
	case job == nil:
		return nil, errJobNotFound
	case job.IsPeriodic():
		return nil, errs.New(errs.Internal, "can't evaluate periodic job")
	case job.IsParameterized():
		return nil, errs.New(errs.Internal, "can't evaluate parameterized job")
	}
	eval := jobEval(job, n.TriggerJobRegister, 0)
	c := &state.AllocTransition{Evals: []*n.Evaluation{eval}, Now: now()}
	if req.EvalOptions.ForceReschedule {
		yes := true
		c.Transition = n.DesiredTransition{ForceReschedule: &yes}
		for a := range view.JobAllocs(nil, job.Key()) {
			if a.ClientStatus == n.ClientFailed && a.NextAllocation == "" && !a.ServerTerminal() {
				c.Allocs = append(c.Allocs, a.ID)
			}
		}
	}
	_, index, err := commitTo(ctx, s, state.TransitionAllocs, c)
	if err != nil {
		return nil, err
	}
	resp := &n.JobRegistered{EvalID: eval.ID, EvalCreateIndex: index, JobModifyIndex: job.JobModifyIndex}
	resp.Index = index
	return resp, nil
}

// notYet tells what keeps a job from being run.
func notYet(job *n.Job) (out []string) {
	for _, m := range admission.Unavailable(job) {
		out = append(out, m+"; running the job is refused until then")
	}
	return out
}

// jobPlan runs the scheduler on a copy of the state that has the new job, and
// commits nothing.
func (s *Server) jobPlan(_ context.Context, req *n.JobPlan) (*n.JobPlanned, error) {
	if req.Job != nil && req.JobID != req.Job.ID {
		return nil, errs.New(errs.Invalid, "Job ID does not match")
	}
	anew(req.Job)
	view := s.store.Read()
	warnings, err := s.admit(view, &req.WriteOptions, req.Job)
	if err != nil {
		return nil, err
	}
	warnings = append(warnings, notYet(req.Job)...)
	old := view.Job(req.Job.Key())
	job, planned := asRegistered(old, req.Job, view.Index()+1)
	eval := jobEval(job, n.TriggerJobRegister, 0)
	eval.AnnotatePlan, eval.CreateIndex = true, view.Index()+1
	d, err := s.schedule(withJob{view, job}, eval, scheduler.Options{Now: time.Now(), Seed: newSeed(), Why: req.Why})
	if err != nil {
		return nil, err
	}
	out := &n.JobPlanned{FailedTGAllocs: d.Eval.FailedTGAllocs, Warnings: admission.Summary(warnings)}
	out.Index = view.Index()
	if d.Plan != nil && d.Plan.Annotations != nil {
		out.Annotations = d.Plan.Annotations
		out.Annotations.PreemptedAllocs = preempted(view, d.Plan)
	}
	out.CreatedEvals, out.NextPeriodicLaunch = d.NewEvals, nextLaunch(job, time.Now())
	if old != nil {
		out.JobModifyIndex = old.JobModifyIndex
	}
	if req.Why {
		out.Why = whyPlanned(view, d)
	}
	if req.Diff {
		out.Diff = jobdiff.Diff(old, planned, true)
		jobdiff.Annotate(out.Diff, out.Annotations)
	}
	return out, nil
}

// asRegistered returns the job as registering it would store it, and as it was
// submitted.
func asRegistered(old, job *n.Job, index uint64) (stored, submitted *n.Job) {
	submitted = walk.Clone(job)
	if old == nil {
		job.CreateIndex, job.JobModifyIndex, job.Version = index, index, 0
		return job, submitted
	}
	if state.SameSpec(old, job) {
		return old, submitted
	}
	job.CreateIndex, job.JobModifyIndex, job.Version, job.Status = old.CreateIndex, index, old.Version+1, old.Status
	return job, submitted
}

// withJob is a state that has another version of one job.
type withJob struct {
	scheduler.View
	job *n.Job
}

func (w withJob) Job(k n.JobKey) *n.Job {
	if k == w.job.Key() {
		return w.job
	}
	return w.View.Job(k)
}

func (w withJob) JobVersion(k n.JobKey, version uint64) *n.Job {
	if k == w.job.Key() && version == w.job.Version {
		return w.job
	}
	return w.View.JobVersion(k, version)
}
