package nomadlike

import "time"

// Defaults that are named elsewhere, too.
const (
	DefaultMinHealthyTime   = 10 * time.Second
	DefaultProgressDeadline = 10 * time.Minute
)

// Defaults knows what the parts of one job hold before anything is written into
// them. HCL and JSON are both decoded onto what it fills in, so that nothing
// later has to guess; see the job specification reference, 4.
type Defaults struct {
	JobType string
	Job     *Job   // whose policies groups inherit; its own fields are decoded first
	Group   *Group // whose restart policy tasks inherit
}

// Fill fills a zero value, which v points to. Types without defaults stay as they
// are.
func (d Defaults) Fill(v any) {
	switch x := v.(type) {
	case *Job:
		d.job(x)
	case *Group:
		d.group(x)
	case *Task:
		*x = Task{KillTimeout: 5 * time.Second, Resources: &Resources{}, LogConfig: &LogConfig{}}
		d.Fill(x.Resources)
		d.Fill(x.LogConfig)
		if d.Group != nil && d.Group.RestartPolicy != nil {
			r := *d.Group.RestartPolicy
			x.RestartPolicy = &r
		}
	case *Restart:
		*x = d.restart()
	case *Reschedule:
		*x = d.reschedule()
	case *Update:
		*x = Update{
			Stagger: 30 * time.Second, MaxParallel: 1, HealthCheck: "checks", MinHealthyTime: DefaultMinHealthyTime,
			HealthyDeadline: 5 * time.Minute, ProgressDeadline: DefaultProgressDeadline,
		}
	case *Migrate:
		*x = Migrate{MaxParallel: 1, HealthCheck: "checks", MinHealthyTime: DefaultMinHealthyTime, HealthyDeadline: 5 * time.Minute}
	case *Resources:
		*x = Resources{CPU: 100, MemoryMB: 300} // CPU is 0 where cores are written
	case *LogConfig:
		*x = LogConfig{MaxFiles: 10, MaxFileSizeMB: 10}
	case *EphemeralDisk:
		*x = EphemeralDisk{SizeMB: 300}
	case *Disconnect:
		*x = Disconnect{Replace: true, Reconcile: "best_score"}
	case *Periodic:
		*x = Periodic{Enabled: true, SpecType: "cron", TimeZone: "UTC", Specs: []string{}}
	case *MultiregionRegion:
		*x = MultiregionRegion{Count: 1}
	case *ScalingPolicy:
		*x = ScalingPolicy{Enabled: true}
	default:
		fillSmall(v)
	}
}

// fillSmall fills what is the same for all types of jobs and needs no thought.
func fillSmall(v any) {
	switch x := v.(type) {
	case *Constraint:
		x.Operand = OpEqual
	case *Affinity:
		x.Operand, x.Weight = OpEqual, 50
	case *Spread:
		x.Weight = 50
	case *DeviceRequest:
		x.Count = 1
	case *NUMA:
		x.Affinity = "none"
	case *Artifact:
		x.GetterMode = "any"
	case *Template:
		*x = Template{ChangeMode: "restart", Splay: 5 * time.Second, Perms: "0644", LeftDelim: "{{", RightDelim: "}}"}
	case *ChangeScript:
		x.Args, x.Timeout = []string{}, 5*time.Second
	case *Vault:
		*x = Vault{Cluster: "default", Env: true, ChangeMode: "restart", ChangeSignal: "SIGHUP"}
	case *Consul:
		x.Cluster = "default"
	case *Service:
		*x = Service{AddressMode: "auto", OnUpdate: "require_healthy", Provider: ProviderConsul, Cluster: "default"}
	case *CheckRestart:
		x.Grace = time.Second
	case *VolumeMount:
		x.PropagationMode = "private"
	case *CSIPlugin:
		*x = CSIPlugin{MountDir: "/csi", StagePublishBaseDir: "/local/csi", HealthTimeout: 30 * time.Second}
	case *SidecarTask:
		Defaults{}.sidecar(x)
	case *GatewayProxy:
		x.ConnectTimeout = 5 * time.Second
	case *IngressListener:
		x.Protocol = "tcp"
	}
}

func (Defaults) sidecar(x *SidecarTask) {
	x.KillTimeout = 5 * time.Second
	x.Resources, x.LogConfig = &Resources{}, &LogConfig{}
	Defaults{}.Fill(x.Resources)
	Defaults{}.Fill(x.LogConfig)
}

func (d Defaults) job(x *Job) {
	*x = Job{Type: d.JobType, Region: DefaultRegion, Namespace: DefaultNamespace, Priority: JobDefaultPriority}
	if d.JobType == JobTypeService || d.JobType == JobTypeSystem {
		x.Update = &Update{}
		d.Fill(x.Update)
	}
}

// group inherits the job's policies, field by field.
func (d Defaults) group(x *Group) {
	*x = Group{Count: 1, EphemeralDisk: &EphemeralDisk{}, RestartPolicy: &Restart{}}
	d.Fill(x.EphemeralDisk)
	d.Fill(x.RestartPolicy)
	inherited := Job{}
	if d.Job != nil {
		inherited = *d.Job
	}
	x.Update = copyOf(inherited.Update)
	x.Migrate = copyOf(inherited.Migrate)
	x.ReschedulePolicy = copyOf(inherited.Reschedule)
	if x.ReschedulePolicy == nil && !(&Job{Type: d.JobType}).RunsEverywhere() {
		x.ReschedulePolicy = &Reschedule{}
		d.Fill(x.ReschedulePolicy)
	}
	if x.Migrate == nil && d.JobType == JobTypeService {
		x.Migrate = &Migrate{}
		d.Fill(x.Migrate)
	}
}

func copyOf[T any](p *T) *T {
	if p == nil {
		return nil
	}
	c := *p
	return &c
}

func (d Defaults) restart() Restart {
	r := Restart{Attempts: 2, Interval: 30 * time.Minute, Delay: 15 * time.Second, Mode: RestartModeFail}
	if (&Job{Type: d.JobType}).RunsToCompletion() {
		r.Attempts, r.Interval = 3, 24*time.Hour
	}
	return r
}

func (d Defaults) reschedule() Reschedule {
	switch d.JobType {
	case JobTypeService:
		return Reschedule{Unlimited: true, Delay: 30 * time.Second, DelayFunction: "exponential", MaxDelay: time.Hour}
	case JobTypeBatch:
		return Reschedule{Attempts: 1, Interval: 24 * time.Hour, Delay: 5 * time.Second, DelayFunction: "constant"}
	}
	return Reschedule{} // refused later
}
