package nomadlike

// Ids of different things are different types, so that they can not be mixed
// up. All but JobID are lower-case UUIDs of 36 characters.
type (
	JobID        string // as the user wrote it; unique in its namespace
	NodeID       string
	AllocID      string
	EvalID       string
	DeploymentID string
)

// Short is the part of a UUID that people read, its first eight characters.
func Short[ID ~string](id ID) string {
	if len(id) > 8 {
		return string(id[:8])
	}
	return string(id)
}

// Names that exist without being made.
const (
	DefaultNamespace = "default"
	DefaultRegion    = "global"
	DefaultNodePool  = "default"
	AllNodePool      = "all" // every node, whatever its pool
	AllNamespaces    = "*"   // in queries: every namespace that the caller may see
)

// CompatibilityVersion is the Nomad version that node attribute nomad.version
// reports, for jobs that constrain it.
const CompatibilityVersion = "2.0.6"

// JobKey identifies a job.
type JobKey struct {
	Namespace string
	ID        JobID
}
