package nomadlike

// What a diff says of a thing.
const (
	DiffNone    = "None"
	DiffAdded   = "Added"
	DiffDeleted = "Deleted"
	DiffEdited  = "Edited"
)

// JobDiff is the difference between two versions of a job.
type JobDiff struct {
	Type       string
	ID         JobID
	Fields     []*FieldDiff
	Objects    []*ObjectDiff
	TaskGroups []*GroupDiff
}

// GroupDiff is the difference between two versions of a group. Updates counts
// what the plan would do to its allocations.
type GroupDiff struct {
	Type    string
	Name    string
	Fields  []*FieldDiff
	Objects []*ObjectDiff
	Tasks   []*TaskDiff
	Updates map[string]uint64
}

// TaskDiff is the difference between two versions of a task.
type TaskDiff struct {
	Type        string
	Name        string
	Fields      []*FieldDiff
	Objects     []*ObjectDiff
	Annotations []string
}

// ObjectDiff is the difference between two versions of a block.
type ObjectDiff struct {
	Type    string
	Name    string
	Fields  []*FieldDiff
	Objects []*ObjectDiff
}

// FieldDiff is a changed field, its values as text.
type FieldDiff struct {
	Type        string
	Name        string
	Old, New    string
	Annotations []string
}
