package shim

// A Program is what a shim does, compiled by the agent.
type Program struct {
	Version uint64 // ProgramVersion
	// Before are calls that the shim makes itself before it clones the child.
	Before []Op
	// CloneFlags are the namespaces that the child gets.
	CloneFlags uint64
	// Cgroup is the directory of a cgroup (v2) that the child is cloned into;
	// empty for none.
	Cgroup string
	// Child are the calls that the child makes; the last one is its execve.
	Child []Op
	Path  string
	Argv  []string
	Env   []string
	// Streams are the standard output and error of the task.
	Streams [2]Stream
	// Join are the cgroups (their cgroup.procs files) that the shim itself
	// moves into once the task runs, out of the agent's.
	Join []string
	// OOM is the file that counts out-of-memory kills, and OOMBase its count
	// before the start.
	OOM     string
	OOMBase uint64
	// Meta is the agent's own; the shim does not look at it.
	Meta []byte
}

// ProgramVersion is that of the encoding. A shim is always of the same binary
// as the agent that starts it, but the files are read by later ones.
const ProgramVersion = 1

// A Stream is where one of the task's outputs goes: into rotated files in Dir
// called Name.<n>, or to the file Path when Dir is empty.
type Stream struct {
	Dir, Name, Path string
	MaxFiles        uint64
	MaxSize         uint64 // of a file; 0 is no limit
}

// An Op is a system call.
type Op struct {
	Label string // what it is for, in words
	Nr    uint64
	Args  []Arg
	// Save is the number of the register, from 1, that takes the result.
	Save uint64
	// Ignore are the errors that do not matter; AnyError for all.
	Ignore []uint64
	// SkipOnSuccess is how many of the following calls are left out when this
	// one succeeded, and SkipOnError when it failed with an ignored error.
	SkipOnSuccess, SkipOnError uint64
}

// AnyError in Op.Ignore stands for every error.
const AnyError = 1<<32 - 1

// Registers is how many registers there are.
const Registers = 4

// An Arg is an argument of a system call.
type Arg struct {
	Kind  ArgKind
	Int   uint64 // the number, or that of the register
	Bytes string // pointed to, with a zero byte behind it
}

// ArgKind says what an argument is.
type ArgKind uint64

const (
	ArgInt ArgKind = iota
	ArgBytes
	ArgRegister
	ArgPath
	ArgArgv
	ArgEnv
)

// Encode and Decode are each other's inverse.
func (p *Program) Encode() []byte {
	e := encoder{}
	e.b = append(e.b, magic...)
	e.int(ProgramVersion)
	e.ops(p.Before)
	e.int(p.CloneFlags)
	e.string(p.Cgroup)
	e.ops(p.Child)
	e.string(p.Path)
	e.strings(p.Argv)
	e.strings(p.Env)
	for i := range p.Streams {
		s := &p.Streams[i]
		e.string(s.Dir)
		e.string(s.Name)
		e.string(s.Path)
		e.int(s.MaxFiles)
		e.int(s.MaxSize)
	}
	e.strings(p.Join)
	e.string(p.OOM)
	e.int(p.OOMBase)
	e.string(string(p.Meta))
	return e.b
}

const magic = "nomadlike-shim\n\x00"

// Decode reads a program; ok is false when b is not a whole one.
func Decode(b []byte) (p *Program, ok bool) {
	if len(b) < len(magic) || string(b[:len(magic)]) != magic {
		return nil, false
	}
	d := decoder{b: b[len(magic):]}
	p = &Program{}
	p.Version = d.int()
	if p.Version != ProgramVersion {
		return nil, false
	}
	p.Before = d.ops()
	p.CloneFlags = d.int()
	p.Cgroup = d.string()
	p.Child = d.ops()
	p.Path = d.string()
	p.Argv = d.strings()
	p.Env = d.strings()
	for i := range p.Streams {
		p.Streams[i] = Stream{Dir: d.string(), Name: d.string(), Path: d.string(), MaxFiles: d.int(), MaxSize: d.int()}
	}
	p.Join = d.strings()
	p.OOM = d.string()
	p.OOMBase = d.int()
	p.Meta = []byte(d.string())
	return p, !d.bad && len(d.b) == 0
}

type encoder struct{ b []byte }

func (e *encoder) int(v uint64) {
	for v >= 0x80 {
		e.b = append(e.b, byte(v)|0x80)
		v >>= 7
	}
	e.b = append(e.b, byte(v))
}

func (e *encoder) string(s string) {
	e.int(uint64(len(s)))
	e.b = append(e.b, s...)
}

func (e *encoder) strings(s []string) {
	e.int(uint64(len(s)))
	for _, v := range s {
		e.string(v)
	}
}

func (e *encoder) ops(ops []Op) {
	e.int(uint64(len(ops)))
	for i := range ops {
		o := &ops[i]
		e.string(o.Label)
		e.int(o.Nr)
		e.int(uint64(len(o.Args)))
		for _, a := range o.Args {
			e.int(uint64(a.Kind))
			e.int(a.Int)
			e.string(a.Bytes)
		}
		e.int(o.Save)
		e.int(uint64(len(o.Ignore)))
		for _, n := range o.Ignore {
			e.int(n)
		}
		e.int(o.SkipOnSuccess)
		e.int(o.SkipOnError)
	}
}

type decoder struct {
	b   []byte
	bad bool
}

func (d *decoder) int() (v uint64) {
	for i := 0; i < len(d.b) && i < 10; i++ {
		v |= uint64(d.b[i]&0x7f) << (7 * i)
		if d.b[i] < 0x80 {
			d.b = d.b[i+1:]
			return v
		}
	}
	d.bad, d.b = true, nil
	return 0
}

func (d *decoder) string() string {
	n := d.int()
	if n > uint64(len(d.b)) {
		d.bad, d.b = true, nil
		return ""
	}
	s := string(d.b[:n])
	d.b = d.b[n:]
	return s
}

// count reads a length and refuses one that the rest can not hold.
func (d *decoder) count() int {
	n := d.int()
	if n > uint64(len(d.b)) {
		d.bad, d.b = true, nil
		return 0
	}
	return int(n)
}

func (d *decoder) strings() []string {
	n := d.count()
	if n == 0 {
		return nil
	}
	s := make([]string, 0, n)
	for range n {
		s = append(s, d.string())
	}
	return s
}

func (d *decoder) ops() []Op {
	n := d.count()
	if n == 0 {
		return nil
	}
	ops := make([]Op, 0, n)
	for i := 0; i < n && !d.bad; i++ {
		o := Op{Label: d.string(), Nr: d.int()}
		for args := d.count(); args > 0 && !d.bad; args-- {
			o.Args = append(o.Args, Arg{Kind: ArgKind(d.int()), Int: d.int(), Bytes: d.string()})
		}
		o.Save = d.int()
		for ign := d.count(); ign > 0 && !d.bad; ign-- {
			o.Ignore = append(o.Ignore, d.int())
		}
		o.SkipOnSuccess = d.int()
		o.SkipOnError = d.int()
		ops = append(ops, o)
	}
	return ops
}
