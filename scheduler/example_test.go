package scheduler_test

import (
	"fmt"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/scheduler"
	"github.com/nomadlike/nomadlike/scheduler/rank"
)

// A scheduler that leaves it to chance on which of the possible nodes something runs:
// it rates nodes by nothing.
func ExampleRegister() {
	anywhere := scheduler.Rated(func([]rank.Scorer) []rank.Scorer { return []rank.Scorer{} })
	scheduler.Register("anywhere", anywhere, n.JobTypeBatch)

	fmt.Println(scheduler.Names()["anywhere"])
	// Output: [batch]
}
