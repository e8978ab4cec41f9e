package nomadlike

// Kinds of obstacles.
const (
	ObstacleAbsent    = "absent"    // the node was not looked at: see the reasons below
	ObstacleFiltered  = "filtered"  // it can not run the group, whatever its load
	ObstacleExhausted = "exhausted" // it has too little left
)

// Reasons of absent nodes.
const (
	AbsentPool       = "node pool" // it is in another one
	AbsentDatacenter = "datacenter"
	AbsentDraining   = "draining"
	AbsentIneligible = "ineligible"
	AbsentNotReady   = "not ready" // down, disconnected or new
)

// An Obstacle is one reason for which nodes did not take an allocation. A node may
// have several.
type Obstacle struct {
	Kind   string
	Reason string // as in ConstraintFiltered and DimensionExhausted, or one of Absent…
	Nodes  int
	Asked  int64    `json:",omitempty"` // by the group, of what there is too little of
	Free   int64    `json:",omitempty"` // the most that one of the nodes has left
	Most   int64    `json:",omitempty"` // the most that one of them has when it is empty
	Unit   string   `json:",omitempty"` // "MB", "MHz"
	Found  []string `json:",omitempty"` // a few values that nodes have where others are asked for, or names of what they lack
}

// RuledOut is a node that could not take an allocation, with one reason.
type RuledOut struct {
	NodeID   NodeID
	NodeName string
	Kind     string // of obstacle
	Reason   string
}

// GroupWhy tells how the nodes for a group's allocations were chosen.
type GroupWhy struct {
	RuledOut   []RuledOut // when the group's last allocation was placed, or the first was not
	Obstacles  []Obstacle // the same, counted by reason
	Placements []PlacementWhy
}

// PlacementWhy tells how the node of one allocation was chosen.
type PlacementWhy struct {
	Name  string      // of the allocation
	Rated []RatedNode // the chosen node, then the best of the others
}

// RatedNode is how a node was rated.
type RatedNode struct {
	NodeID   NodeID
	NodeName string
	Score    float64 // the mean of those that apply
	Scores   Scores
}
