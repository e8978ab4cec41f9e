// Package errs owns the one error type that crosses package and process
// boundaries: an operation, a kind a caller may branch on, and a text for the
// user. It does not own reporting: it never logs, and knows nothing of gRPC or
// of HTTP beyond the status code each kind maps to.
//
// Inside a package plain fmt.Errorf("start task %s: %w", …) is enough. Reach for
// this package where a caller decides something by the error: not found or
// broken, retry or give up, 400 or 500.
package errs

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// An Error says what was being done, what kind of thing went wrong, and why.
// Every field is optional.
type Error struct {
	Op   string // the operation, such as "job.register"; for logs, never shown to users
	Kind Kind   // "" takes the kind of Err
	Text string // for the user; "" takes the text of Err, then of Kind
	Err  error  // the cause
}

// Error returns the text with the operations that led to it, for logs.
func (e *Error) Error() string {
	text := e.Text
	if e.Err != nil {
		text = join(text, e.Err.Error())
	} else if text == "" {
		text = e.Kind.text()
	}
	return join(e.Op, text)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// E says that err happened during op. Kind and text stay as they were; E of nil
// is nil.
func E(op string, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Op: op, Err: err}
}

// New returns an error of the kind with a text for the user.
func New(kind Kind, text string) error { return &Error{Kind: kind, Text: text} }

// Newf is New with a format. A %w verb keeps its operand as the cause, but the
// new kind hides the cause's.
func Newf(kind Kind, format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	if _, single := err.(interface{ Unwrap() error }); single {
		return &Error{Kind: kind, Err: err}
	}
	if _, several := err.(interface{ Unwrap() []error }); several {
		return &Error{Kind: kind, Err: err}
	}
	return &Error{Kind: kind, Text: err.Error()}
}

// As gives err another kind and leaves its text alone; As of nil is nil.
func As(kind Kind, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Kind: kind, Err: err}
}

// KindOf returns the outermost kind in the chain of err. Context errors are
// Canceled and Timeout, any other error without a kind is Internal, and nil has
// the empty kind.
func KindOf(err error) Kind {
	if err == nil {
		return ""
	}
	for e := (*Error)(nil); errors.As(err, &e); err = e.Err {
		if e.Kind != "" {
			return e.Kind
		}
		if e.Err == nil {
			break
		}
	}
	switch {
	case errors.Is(err, context.Canceled):
		return Canceled
	case errors.Is(err, context.DeadlineExceeded):
		return Timeout
	}
	return Internal
}

// Is reports whether err is of the kind.
func Is(err error, kind Kind) bool { return err != nil && KindOf(err) == kind }

// Text returns what to show the user: the message of err without the names of
// the operations it passed through.
func Text(err error) string {
	if err == nil {
		return ""
	}
	if e, ok := err.(*Error); ok { //nolint:errorlint // the outermost alone
		if e.Err != nil {
			return join(e.Text, Text(e.Err))
		}
		return (&Error{Kind: e.Kind, Text: e.Text}).Error()
	}
	// A wrapper made by fmt.Errorf usually ends in the text of its cause.
	if inner := errors.Unwrap(err); inner != nil {
		if head, ok := strings.CutSuffix(err.Error(), inner.Error()); ok {
			return head + Text(inner)
		}
	}
	return err.Error()
}

func join(head, tail string) string {
	if head == "" || tail == "" {
		return head + tail
	}
	return head + ": " + tail
}
