// Package fields describes every block and argument of a job file, once: what it
// means, what it may hold, what it holds unless it is written, where it may
// stand. The JSON Schema of job files, their reference page and the command
// line's explanations are all made from that.
//
// What a name means and which rules it follows stands in fields.txt, for people
// to edit. Which names there are, and of what type, is what package jobspec
// reads; defaults are those of nomadlike.Defaults. The package holds no second
// list of either.
package fields

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/nomadlike/nomadlike/jobspec"
	n "github.com/nomadlike/nomadlike/nomadlike"
)

// A Block is a kind of block: what it is for, and what may be written in it.
type Block struct {
	Title    string   // its name, with that of the block around it where the name alone is used twice
	Text     string   // what it is for
	Notes    []string // rules that cross fields
	Example  string
	JobTypes []string // the only types of jobs that may have it, if not all
	Fields   []*Field
	Paths    []string // where it may stand, as "job.group.restart"
	typ      reflect.Type
}

// A Field is an argument or a block, as it may be written in a block.
type Field struct {
	Name       string
	Type       string   // in terms of the job file, such as "duration" or "block"
	Argument   bool     // name = value
	Nested     bool     // name { … }
	Repeats    bool     `json:",omitempty"` // there can be several
	Label      string   `json:",omitempty"` // what the label of the block is
	Labels     []string `json:",omitempty"` // the only labels that it takes, if not all
	Text       string   // what it means
	Here       string   `json:",omitempty"` // of a block: what holds at these places alone
	Notes      []string `json:",omitempty"` // rules that cross fields
	Values     []string `json:",omitempty"` // all that it may hold; "cni/*" is whatever begins with cni/
	Min, Max   string   `json:",omitempty"` // as written in a job file; empty where there is no limit
	Required   bool     `json:",omitempty"`
	Runtime    bool     `json:",omitempty"` // ${…} in it is filled in where the task runs
	Deprecated string   `json:",omitempty"` // what to write instead
	Example    string   `json:",omitempty"`
	JobTypes   []string `json:",omitempty"` // the only types of jobs that may have it, if not all
	Default    Default
	Paths      []string // where it may stand, as "job.group.count"
	Holds      []string `json:",omitempty"` // names of what may stand in the block
	Block      *Block   `json:"-"`          // the same in full; nil where names are free

	typ reflect.Type

	in []string // the only blocks that it may stand in, by the ends of their paths
}

// A file is the top level of a job file. Package jobspec reads all but the job
// without a type.
type file struct {
	Job       n.Job          `hcl:"job"`
	Variable  []variable     `hcl:"variable"`
	Variables map[string]any `hcl:"variables"`
	Locals    map[string]any `hcl:"locals"`
}

type variable struct {
	Name        string `hcl:",label"`
	Type        typeExpression
	Default     any
	Description string
	Validation  []validation
}

type typeExpression string

type validation struct {
	Condition    bool
	ErrorMessage string
}

// Tree returns the top level of a job file, and all below it.
func Tree() (*Block, error) {
	blocks, err := all()
	if err != nil {
		return nil, err
	}
	return blocks[0], nil
}

// Blocks lists the kinds of blocks, each once, the top level first and otherwise
// in the order of fields.txt.
func Blocks() ([]*Block, error) { return all() }

var all = sync.OnceValues(func() ([]*Block, error) {
	entries, err := parse(text)
	if err != nil {
		return nil, err
	}
	return join(entries)
})

// A joiner puts entries, types and defaults together.
type joiner struct {
	entries map[string]*entry
	used    map[string]bool
	kinds   map[reflect.Type]*Block
	blocks  []*Block
	missing []string // keys without an entry
}

// join fails if a name has no entry, or an entry no name.
func join(entries map[string]*entry) ([]*Block, error) {
	j := &joiner{entries: entries, used: map[string]bool{}, kinds: map[reflect.Type]*Block{}}
	root := j.block(reflect.TypeFor[file]())
	for key := range entries {
		if !j.used[key] {
			j.missing = append(j.missing, key+" is described, and is no name of a job file")
		}
	}
	if len(j.missing) > 0 {
		slices.Sort(j.missing)
		return nil, fmt.Errorf("fields.txt: %s", strings.Join(j.missing, "; "))
	}
	j.place(root, "")
	j.nearest()
	j.hold()
	j.title()
	slices.SortFunc(j.blocks, func(a, b *Block) int { return entries[a.typ.Name()].at - entries[b.typ.Name()].at })
	return j.blocks, nil
}

// entry returns what is said of a key.
func (j *joiner) entry(key string, needed bool) *entry {
	j.used[key] = true
	if e := j.entries[key]; e != nil {
		return e
	}
	if needed {
		j.missing = append(j.missing, key+" has no entry")
	}
	return &entry{}
}

// block describes a type, once.
func (j *joiner) block(t reflect.Type) *Block {
	if b := j.kinds[t]; b != nil {
		return b
	}
	e := j.entry(t.Name(), true)
	b := &Block{Text: e.text, Notes: e.notes, Example: e.example, JobTypes: e.jobTypes, typ: t}
	j.kinds[t] = b
	j.blocks = append(j.blocks, b)
	for _, w := range jobspec.Words(t) {
		b.Fields = append(b.Fields, j.field(b, w))
	}
	return b
}

func (j *joiner) field(in *Block, w jobspec.Word) *Field {
	structured := w.Block && w.Type != nil && w.Type.Kind() == reflect.Struct
	e := j.entry(in.typ.Name()+"."+w.Name, !structured)
	f := &Field{
		Name: w.Name, Type: typeName(w), Argument: w.Argument, Nested: w.Block, Repeats: w.Repeats || e.repeats, Label: w.Label, Labels: w.Labels,
		Text: e.text, Notes: e.notes, Values: e.values, Min: e.min, Max: e.max, Required: e.required, Runtime: e.runtime, Deprecated: e.deprecated,
		Example: e.example, JobTypes: e.jobTypes, typ: w.Type, in: e.places,
	}
	if structured {
		f.Block = j.block(w.Type)
		f.Here, f.Text = e.text, strings.TrimSpace(f.Block.Text+" "+e.text)
		if len(f.JobTypes) == 0 {
			f.JobTypes = f.Block.JobTypes
		}
		if f.Example == "" {
			f.Example = f.Block.Example
		}
	}
	if f.Min == "" && isUnsigned(f.typ) {
		f.Min = "0"
	}
	if len(f.JobTypes) == 0 {
		f.JobTypes = in.JobTypes
	}
	f.Default = defaultOf(in.typ, f, e)
	return f
}

func isUnsigned(t reflect.Type) bool {
	return t != nil && t.Kind() >= reflect.Uint && t.Kind() <= reflect.Uint64
}

// place notes where blocks and what is in them may stand. A task that stands right
// in a job is told of, but not once more what stands in it.
func (j *joiner) place(b *Block, path string) {
	b.Paths = append(b.Paths, path)
	for _, f := range b.Fields {
		if f.in != nil && !slices.ContainsFunc(f.in, func(tail string) bool { return endsWith(path, tail) }) {
			continue
		}
		at := strings.TrimPrefix(path+"."+f.Name, ".")
		f.Paths = append(f.Paths, at)
		if f.Block != nil && at != lonelyTask {
			j.place(f.Block, at)
		}
	}
}

// Where a task may stand, and where what is in it is described.
const (
	lonelyTask = "job.task"
	groupTask  = "job.group.task"
)

// nearest sorts all places so that those nearest to the top are first.
func (j *joiner) nearest() {
	byDepth := func(a, b string) int { return names(a) - names(b) }
	for _, b := range j.blocks {
		slices.SortStableFunc(b.Paths, byDepth)
		for _, f := range b.Fields {
			slices.SortStableFunc(f.Paths, byDepth)
		}
	}
}

// hold lists in fields what their blocks hold.
func (j *joiner) hold() {
	for _, b := range j.blocks {
		for _, f := range b.Fields {
			if f.Block == nil {
				continue
			}
			for _, inner := range f.Block.Fields {
				f.Holds = append(f.Holds, inner.Name)
			}
		}
	}
}

// title names the kinds of blocks. Of several with one name the one that stands
// nearest to the top has it for itself; the others, or all, are told apart by the
// block around them.
func (j *joiner) title() {
	near := map[string][]*Block{}
	for _, b := range j.blocks {
		name := last(b.Paths[0], 1)
		switch first := near[name]; {
		case first == nil || names(b.Paths[0]) < names(first[0].Paths[0]):
			near[name] = []*Block{b}
		case names(b.Paths[0]) == names(first[0].Paths[0]):
			near[name] = append(first, b)
		}
	}
	for _, b := range j.blocks {
		if b.Title = last(b.Paths[0], 1); b.Title == "" {
			b.Title = "file"
			continue
		}
		if best := near[b.Title]; len(best) > 1 || best[0] != b {
			b.Title = last(b.Paths[0], 2)
		}
	}
}

// last returns the last names of a path.
func last(path string, names int) string {
	parts := strings.Split(path, ".")
	return strings.Join(parts[max(0, len(parts)-names):], ".")
}
