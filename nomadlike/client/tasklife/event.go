package tasklife

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// Keys of event details.
const (
	KeyMessage       = "message"
	KeySetupError    = "setup_error"
	KeyFailsTask     = "fails_task"
	KeyValidation    = "validation_error"
	KeyDriverMessage = "driver_message"
	KeyDriverError   = "driver_error"
	KeyExitCode      = "exit_code"
	KeySignal        = "signal"
	KeyOOM           = "oom_killed"
	KeyExitMessage   = "exit_message"
	KeyStartDelay    = "start_delay"
	KeyRestartReason = "restart_reason"
	KeyTaskSignal    = "task_signal"
	KeySignalReason  = "task_signal_reason"
	KeyKillTimeout   = "kill_timeout"
	KeyKillReason    = "kill_reason"
	KeyKillError     = "kill_error"
	KeyFailedSibling = "failed_sibling"
)

// Event makes an event with its text. Details are pairs of key and value; pairs
// with an empty value are left out.
func Event(now time.Time, kind string, details ...string) n.TaskEvent {
	e := n.TaskEvent{Type: kind, Time: now.UnixNano(), Details: map[string]string{}}
	for i := 0; i+1 < len(details); i += 2 {
		if details[i+1] != "" {
			e.Details[details[i]] = details[i+1]
		}
	}
	e.DisplayMessage = Display(kind, e.Details)
	return e
}

// Display is what people read of an event.
func Display(kind string, d map[string]string) string {
	if text, ok := fixed[kind]; ok {
		return text
	}
	switch kind {
	case n.EventTaskSetup, n.EventHookFailed, n.EventHookMessage, n.EventRestoreFailed, n.EventAllocUnhealthy,
		n.EventShutdownDelay, n.EventSkipDelay:
		return d[KeyMessage]
	case n.EventSetupFailure:
		return or(d[KeySetupError], "Task setup failed")
	case n.EventFailedValidation:
		return or(d[KeyValidation], "Validation of task failed")
	case n.EventDriver:
		return d[KeyDriverMessage]
	case n.EventDriverFailure:
		return or(d[KeyDriverError], "Failed to start task")
	case n.EventTerminated:
		return terminated(d)
	case n.EventRestarting:
		return restarting(d)
	case n.EventNotRestarting:
		return or(d[KeyRestartReason], "Task exceeded restart policy")
	case n.EventRestartSignaled:
		return or(d[KeyRestartReason], "Task signaled to restart")
	case n.EventSignaling:
		return signaling(d)
	case n.EventKilling:
		return killing(d)
	case n.EventKilled:
		return or(d[KeyKillError], "Task successfully killed")
	case n.EventSiblingFailed:
		if s := d[KeyFailedSibling]; s != "" {
			return fmt.Sprintf("Task's sibling %q failed", s)
		}
		return "Task's sibling failed"
	}
	return d[KeyMessage]
}

var fixed = map[string]string{
	n.EventReceived:    "Task received by client",
	n.EventStarted:     "Task started by client",
	n.EventLeaderDead:  "Leader Task in Group dead",
	n.EventMainDead:    "Main tasks in the group died",
	n.EventReconnected: "Client reconnected",
}

func or(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

func terminated(d map[string]string) string {
	parts := []string{"Exit Code: " + or(d[KeyExitCode], "0")}
	if s := d[KeySignal]; s != "" && s != "0" {
		parts = append(parts, "Signal: "+s)
	}
	if m := d[KeyExitMessage]; m != "" {
		parts = append(parts, fmt.Sprintf("Exit Message: %q", m))
	}
	return strings.Join(parts, ", ")
}

func restarting(d map[string]string) string {
	text := fmt.Sprintf("Task restarting in %v", nanoseconds(d[KeyStartDelay]))
	if r := d[KeyRestartReason]; r != "" && r != ReasonWithinPolicy {
		text = r + " - " + text
	}
	return text
}

func signaling(d map[string]string) string {
	s, reason := or(d[KeyTaskSignal], d[KeySignal]), d[KeySignalReason]
	switch {
	case s == "" && reason == "":
		return "Task being sent a signal"
	case s == "":
		return reason
	case reason == "":
		return "Task being sent signal " + s
	}
	return fmt.Sprintf("Task being sent signal %s: %s", s, reason)
}

func killing(d map[string]string) string {
	switch {
	case d[KeyKillReason] != "":
		return d[KeyKillReason]
	case d[KeyKillTimeout] != "":
		return fmt.Sprintf("Sent interrupt. Waiting %v before force killing", nanoseconds(d[KeyKillTimeout]))
	}
	return "Sent interrupt"
}

func nanoseconds(s string) time.Duration {
	v, _ := strconv.ParseInt(s, 10, 64)
	return time.Duration(v)
}

// Nanoseconds is how a detail holds a duration.
func Nanoseconds(d time.Duration) string { return strconv.FormatInt(int64(d), 10) }

// Exited makes the event of a task's exit.
func Exited(now time.Time, code, signal int, oom bool, message string) n.TaskEvent {
	return Event(now, n.EventTerminated, KeyExitCode, strconv.Itoa(code), KeySignal, strconv.Itoa(signal),
		KeyOOM, strconv.FormatBool(oom), KeyExitMessage, message)
}

// Told makes the event of a decision: none for a task that finished well.
func Told(now time.Time, d Decision) (n.TaskEvent, bool) {
	switch d.Verdict {
	case Restart:
		return Event(now, n.EventRestarting, KeyStartDelay, Nanoseconds(d.Delay), KeyRestartReason, d.Reason), true
	case Fail:
		return Event(now, n.EventNotRestarting, KeyRestartReason, d.Reason, KeyFailsTask, "true"), true
	}
	return n.TaskEvent{}, false
}
