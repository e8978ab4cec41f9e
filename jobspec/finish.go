package jobspec

import (
	"path"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// finish fills in defaults that depend on what stands elsewhere in the job.
func finish(job *n.Job) {
	for i := range job.TaskGroups {
		g := &job.TaskGroups[i]
		base := job.Name + "-" + g.Name
		services(g.Services, base)
		for j := range g.Tasks {
			t := &g.Tasks[j]
			services(t.Services, base+"-"+t.Name)
			for k := range t.Artifacts {
				destination(&t.Artifacts[k])
			}
		}
	}
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
	if a.RelativeDest != "" {
		return
	}
	a.RelativeDest = "local/"
	if a.GetterMode == "file" {
		a.RelativeDest += path.Base(a.GetterSource)
	}
}
