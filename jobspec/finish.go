package jobspec

import (
	"path"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// finish fills in defaults that depend on what stands elsewhere in the job.
func finish(job *n.Job) {
	for i := range job.TaskGroups {
		g := &job.TaskGroups[i]
		services(g.Services, ServiceName(job, g, nil))
		for j := range g.Tasks {
			t := &g.Tasks[j]
			services(t.Services, ServiceName(job, g, t))
			for k := range t.Artifacts {
				destination(&t.Artifacts[k])
			}
		}
	}
}

// ServiceName is what a service is called that is given no name. The task is nil
// for services of the group.
func ServiceName(job *n.Job, g *n.Group, t *n.Task) string {
	name := job.Name + "-" + g.Name
	if t != nil {
		name += "-" + t.Name
	}
	return name
}

func services(list []n.Service, name string) {
	for i := range list {
		s := &list[i]
		if s.Name == "" {
			s.Name = name
		}
		for j := range s.Checks {
			if s.Checks[j].OnUpdate == "" {
				s.Checks[j].OnUpdate = s.OnUpdate
			}
		}
	}
}

func destination(a *n.Artifact) {
	if a.RelativeDest == "" {
		a.RelativeDest = Destination(a)
	}
}

// Destination is where an artifact goes that is given no destination.
func Destination(a *n.Artifact) string {
	if a.GetterMode == "file" {
		return "local/" + path.Base(a.GetterSource)
	}
	return "local/"
}
