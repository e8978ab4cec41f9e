// Package raftlog owns the form of log entries: which number stands for which
// typed command, how the command is encoded, and which function carries it out.
// It knows neither raft nor any command: a state package declares its commands
// once, as package variables,
//
//	var log raftlog.Log[*table.Tx]
//	var putJob = raftlog.Command(&log, 7, "JobPut", func(tx *table.Tx, index uint64, c *JobPut) (any, error) { … })
//
// then encodes with putJob.Encode(&JobPut{…}) on the leader and calls log.Apply
// on every server.
//
// An entry is its kind as a varint followed by the command in wire encoding, and
// compressed if it is large. Logs outlive binaries, so a kind is never reused nor given another type.
package raftlog

import (
	"encoding/binary"
	"fmt"
	"reflect"
	"slices"

	"github.com/nomadlike/nomadlike/nomadlike/wire"
)

// A Kind numbers a command. Zero is no kind.
type Kind uint16

// A Log is a set of commands that act on a Tx, usually a write transaction. It
// is complete once the program has started; after that it is safe for concurrent
// use.
type Log[Tx any] struct {
	commands map[Kind]command[Tx]
}

type command[Tx any] struct {
	Declaration
	apply  func(tx Tx, index uint64, body []byte) (any, error)
	decode func(body []byte) (any, error)
}

// A Declaration says what one kind stands for.
type Declaration struct {
	Kind Kind
	Name string       // for people and metrics
	Type reflect.Type // what the entry holds
}

// String returns a line for a golden list, such as "7 JobPut state.JobPut".
func (d Declaration) String() string { return fmt.Sprintf("%d %s %s", d.Kind, d.Name, d.Type) }

// An Encoder makes log entries of one kind.
type Encoder[C any] struct{ Declaration }

// Command declares that entries of the kind hold a C and that fn carries them
// out at the log index of the entry. fn must depend on nothing but its arguments:
// it runs on every server, and again at every replay. Its error is the outcome of
// the command, handed to whoever proposed it; it must then have changed nothing
// that is committed.
//
// Command panics if the kind is zero or the kind or name is taken.
func Command[Tx, C any](l *Log[Tx], kind Kind, name string, fn func(tx Tx, index uint64, c *C) (any, error)) Encoder[C] {
	if kind == 0 || name == "" {
		panic(fmt.Sprintf("raftlog: command %q of kind %d: both must be given", name, kind))
	}
	for _, other := range l.commands {
		if other.Kind == kind || other.Name == name {
			panic(fmt.Sprintf("raftlog: %d %s clashes with %s: kinds are never reused", kind, name, other.Declaration))
		}
	}
	if l.commands == nil {
		l.commands = map[Kind]command[Tx]{}
	}
	d := Declaration{kind, name, reflect.TypeFor[C]()}
	decode := func(body []byte) (*C, error) {
		c := new(C)
		if err := wire.Decode(body, c); err != nil {
			return nil, &Unreadable{Kind: kind, Name: name, Err: err}
		}
		return c, nil
	}
	l.commands[kind] = command[Tx]{
		Declaration: d,
		decode:      func(body []byte) (any, error) { return decode(body) },
		apply: func(tx Tx, index uint64, body []byte) (any, error) {
			c, err := decode(body)
			if err != nil {
				return nil, err
			}
			return fn(tx, index, c)
		},
	}
	return Encoder[C]{d}
}

// Encode returns the log entry for c. It fails only if C cannot be encoded.
func (e Encoder[C]) Encode(c *C) ([]byte, error) {
	b, err := wire.Append(binary.AppendUvarint(nil, uint64(e.Kind)), c)
	if err != nil {
		return nil, fmt.Errorf("raftlog: %s: %w", e.Declaration, err)
	}
	if b, err = compress(b); err != nil {
		return nil, fmt.Errorf("raftlog: %s: %w", e.Declaration, err)
	}
	return b, nil
}

// Apply carries out one entry. An *Unreadable error means that the entry was not
// understood: this server can no longer follow the log and must stop. Any other
// error is the outcome of the command.
func (l *Log[Tx]) Apply(tx Tx, index uint64, entry []byte) (any, error) {
	c, body, err := l.find(entry)
	if err != nil {
		return nil, err
	}
	return c.apply(tx, index, body)
}

// Decode returns what an entry declares and, as a pointer, the command in it, for
// tools that show the log. Its errors are *Unreadable.
func (l *Log[Tx]) Decode(entry []byte) (Declaration, any, error) {
	c, body, err := l.find(entry)
	if err != nil {
		return Declaration{}, nil, err
	}
	v, err := c.decode(body)
	if err != nil {
		return c.Declaration, nil, err
	}
	return c.Declaration, v, nil
}

func (l *Log[Tx]) find(entry []byte) (command[Tx], []byte, error) {
	entry, err := plain(entry)
	if err != nil {
		return command[Tx]{}, nil, &Unreadable{Err: err}
	}
	kind, body, err := split(entry)
	if err != nil {
		return command[Tx]{}, nil, err
	}
	c, ok := l.commands[kind]
	if !ok {
		return c, nil, &Unreadable{Kind: kind}
	}
	return c, body, nil
}

// List returns every declaration by kind, for the golden file that guards old
// logs and for metrics.
func (l *Log[Tx]) List() []Declaration {
	var out []Declaration
	for _, c := range l.commands {
		out = append(out, c.Declaration)
	}
	slices.SortFunc(out, func(a, b Declaration) int { return int(a.Kind) - int(b.Kind) })
	return out
}

// Unreadable is the error of an entry that this server cannot carry out, because
// it does not know the kind or cannot decode the command.
type Unreadable struct {
	Kind Kind
	Name string // "" if the kind is unknown
	Err  error  // nil if the kind is unknown
}

func (u *Unreadable) Error() string {
	switch {
	case u.Err == nil:
		return fmt.Sprintf("raftlog: unknown command kind %d: this server is older than the log; install a newer version", u.Kind)
	case u.Name == "":
		return fmt.Sprintf("raftlog: damaged entry: %v", u.Err)
	}
	return fmt.Sprintf("raftlog: damaged entry of kind %d (%s): %v", u.Kind, u.Name, u.Err)
}

// Unwrap returns the cause.
func (u *Unreadable) Unwrap() error { return u.Err }
