package shim

import (
	"syscall"
	"unsafe"
)

// A call is an Op made ready for the child: numbers and addresses only.
type call struct {
	nr        uintptr
	args      [6]uintptr
	registers uint8 // the arguments that are numbers of registers
	save      uint8
	skipOK    uint16
	skipError uint16
	any       bool
	ignore    [3]uintptr
}

// image keeps alive what the calls point to.
type image struct {
	calls []call
	keep  [][]byte
	argv  []*byte
	envv  []*byte
	path  *byte
}

func load(p *Program, ops []Op) *image {
	m := &image{calls: make([]call, len(ops))}
	m.path = m.bytes(p.Path)
	for _, s := range p.Argv {
		m.argv = append(m.argv, m.bytes(s))
	}
	m.argv = append(m.argv, nil)
	for _, s := range p.Env {
		m.envv = append(m.envv, m.bytes(s))
	}
	m.envv = append(m.envv, nil)
	for i := range ops {
		m.calls[i] = m.call(&ops[i])
	}
	return m
}

func (m *image) bytes(s string) *byte {
	b := make([]byte, len(s)+1)
	copy(b, s)
	m.keep = append(m.keep, b)
	return &b[0]
}

func (m *image) call(o *Op) call {
	c := call{
		nr: uintptr(o.Nr), save: uint8(o.Save),
		skipOK: uint16(o.SkipOnSuccess), skipError: uint16(o.SkipOnError),
	}
	for i, a := range o.Args {
		if i >= len(c.args) {
			break
		}
		switch a.Kind {
		case ArgInt:
			c.args[i] = uintptr(a.Int)
		case ArgBytes:
			c.args[i] = uintptr(unsafe.Pointer(m.bytes(a.Bytes)))
		case ArgRegister:
			c.args[i] = uintptr(a.Int % (Registers + 1))
			c.registers |= 1 << i
		case ArgPath:
			c.args[i] = uintptr(unsafe.Pointer(m.path))
		case ArgArgv:
			c.args[i] = uintptr(unsafe.Pointer(&m.argv[0]))
		case ArgEnv:
			c.args[i] = uintptr(unsafe.Pointer(&m.envv[0]))
		}
	}
	for i, e := range o.Ignore {
		if e == AnyError {
			c.any = true
		}
		if i < len(c.ignore) {
			c.ignore[i] = uintptr(e)
		}
	}
	return c
}

// execute makes the calls in order and returns the number of the one that
// failed with its error. It runs in the child, too, and therefore does nothing
// but system calls and arithmetic.
//
//go:nosplit
//go:norace
//go:nocheckptr
//go:noinline
func execute(calls []call, registers *[Registers + 1]uintptr) (failed int, errno syscall.Errno) {
	for i := 0; i < len(calls); i++ {
		c := &calls[i]
		a0, a1, a2, a3, a4, a5 := c.args[0], c.args[1], c.args[2], c.args[3], c.args[4], c.args[5]
		if c.registers != 0 {
			if c.registers&1 != 0 {
				a0 = registers[a0]
			}
			if c.registers&2 != 0 {
				a1 = registers[a1]
			}
			if c.registers&4 != 0 {
				a2 = registers[a2]
			}
			if c.registers&8 != 0 {
				a3 = registers[a3]
			}
		}
		r, _, e := syscall.RawSyscall6(c.nr, a0, a1, a2, a3, a4, a5)
		if e == 0 {
			if c.save != 0 && c.save <= Registers {
				registers[c.save] = r
			}
			i += int(c.skipOK)
			continue
		}
		if c.any || uintptr(e) == c.ignore[0] || uintptr(e) == c.ignore[1] || uintptr(e) == c.ignore[2] {
			i += int(c.skipError)
			continue
		}
		return i, e
	}
	return len(calls), 0
}

const (
	sysClone3        = 435
	cloneIntoCgroup  = 0x200000000
	prSetPdeathsig   = 1
	sigBlock         = 0
	sigSetmask       = 2
	sigsetSize       = 8
	signals          = 64
	failureBytes     = 16
	childFailedEarly = 1 << 20 // added to the call's number for calls of our own
)

// cloneArgs is the kernel's struct clone_args.
type cloneArgs struct {
	flags, pidfd, childTid, parentTid, exitSignal uint64
	stack, stackSize, tls, setTid, setTidSize     uint64
	cgroup                                        uint64
}

// A child is what clone needs to know, all of it made before.
type child struct {
	calls   []call
	flags   uintptr
	cgroup  int    // descriptor of the cgroup's directory, or -1
	stdio   [3]int // its descriptors 0 to 2
	sync    [2]int // a byte comes when the child may go on
	failure int    // writing end for what failed; closed by a successful exec
	args    cloneArgs
	regs    [Registers + 1]uintptr
	full    uint64 // a signal set with all signals
	empty   uint64
	old     uint64
	action  [4]uint64 // a zero struct sigaction
	buf     [failureBytes]byte
}

// start clones the child and returns its pid. All signals are blocked
// meanwhile, so that no handler of the runtime runs in the child.
//
//go:nosplit
//go:norace
//go:nocheckptr
//go:noinline
func (c *child) start() (pid uintptr, errno syscall.Errno) {
	c.full = ^uint64(0)
	syscall.RawSyscall6(syscall.SYS_RT_SIGPROCMASK, sigSetmask, uintptr(unsafe.Pointer(&c.full)), uintptr(unsafe.Pointer(&c.old)), sigsetSize, 0, 0)
	if c.cgroup >= 0 {
		c.args.flags = uint64(c.flags) | cloneIntoCgroup
		c.args.exitSignal = uint64(syscall.SIGCHLD)
		c.args.cgroup = uint64(c.cgroup)
		pid, _, errno = syscall.RawSyscall6(sysClone3, uintptr(unsafe.Pointer(&c.args)), unsafe.Sizeof(c.args), 0, 0, 0, 0)
	} else {
		pid, _, errno = syscall.RawSyscall6(syscall.SYS_CLONE, c.flags|uintptr(syscall.SIGCHLD), 0, 0, 0, 0, 0)
	}
	if errno != 0 || pid != 0 {
		syscall.RawSyscall6(syscall.SYS_RT_SIGPROCMASK, sigSetmask, uintptr(unsafe.Pointer(&c.old)), 0, sigsetSize, 0, 0)
		return pid, errno
	}
	c.run()
	for {
		syscall.RawSyscall6(syscall.SYS_EXIT_GROUP, 127, 0, 0, 0, 0, 0)
	}
}

// run is the child's life up to its exec, from which it does not return.
//
//go:nosplit
//go:norace
//go:nocheckptr
//go:noinline
func (c *child) run() {
	if e := c.prepare(); e != 0 {
		c.fail(childFailedEarly, e)
		return
	}
	i, e := execute(c.calls, &c.regs)
	c.fail(i, e)
}

//go:nosplit
//go:norace
//go:nocheckptr
//go:noinline
func (c *child) prepare() syscall.Errno {
	// The task must not outlive the shim. Then wait until the shim has written
	// down who we are: from there on somebody will find us.
	if _, _, e := syscall.RawSyscall6(syscall.SYS_PRCTL, prSetPdeathsig, uintptr(syscall.SIGKILL), 0, 0, 0, 0); e != 0 {
		return e
	}
	syscall.RawSyscall6(syscall.SYS_CLOSE, uintptr(c.sync[1]), 0, 0, 0, 0, 0)
	n, _, e := syscall.RawSyscall6(syscall.SYS_READ, uintptr(c.sync[0]), uintptr(unsafe.Pointer(&c.buf[0])), 1, 0, 0, 0)
	if e != 0 {
		return e
	}
	if n != 1 {
		return syscall.EPIPE
	}
	for s := uintptr(1); s <= signals; s++ {
		syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, s, uintptr(unsafe.Pointer(&c.action)), 0, sigsetSize, 0, 0)
	}
	for i := range c.stdio {
		if c.stdio[i] == i {
			// Ours to begin with, and not marked close-on-exec.
			continue
		}
		if _, _, e := syscall.RawSyscall6(syscall.SYS_DUP3, uintptr(c.stdio[i]), uintptr(i), 0, 0, 0, 0); e != 0 {
			return e
		}
	}
	_, _, e = syscall.RawSyscall6(syscall.SYS_RT_SIGPROCMASK, sigSetmask, uintptr(unsafe.Pointer(&c.empty)), 0, sigsetSize, 0, 0)
	return e
}

//go:nosplit
//go:norace
//go:nocheckptr
//go:noinline
func (c *child) fail(i int, e syscall.Errno) {
	for k := 0; k < 8; k++ {
		c.buf[k] = byte(uint64(i) >> (8 * k))
		c.buf[8+k] = byte(uint64(e) >> (8 * k))
	}
	syscall.RawSyscall6(syscall.SYS_WRITE, uintptr(c.failure), uintptr(unsafe.Pointer(&c.buf[0])), failureBytes, 0, 0, 0)
}
