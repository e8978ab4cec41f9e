package command

import (
	"fmt"
	"time"

	"github.com/nomadlike/nomadlike/command/text"
)

// launchText is an instant and how long it is until then.
func launchText(t, now time.Time) string {
	return fmt.Sprintf("%s (%s from now)", text.Time(t), t.Sub(now).Truncate(time.Second))
}
