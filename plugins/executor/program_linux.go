package executor

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/nomadlike/nomadlike/plugins/executor/shim"
)

// Registers of the child's program.
const (
	regScratch = 1
	regOldRoot = 2
	regNewRoot = 3
)

// A builder collects the system calls that make a child what a Spec asks for.
type builder struct{ ops []shim.Op }

func num[T ~int | ~uint | ~uintptr | ~int64 | ~uint64 | ~uint32](v T) shim.Arg {
	return shim.Arg{Kind: shim.ArgInt, Int: uint64(v)}
}
func str(s string) shim.Arg { return shim.Arg{Kind: shim.ArgBytes, Bytes: s} }
func reg(n uint64) shim.Arg { return shim.Arg{Kind: shim.ArgRegister, Int: n} }

// at is the descriptor that stands for the working directory.
var at = shim.Arg{Kind: shim.ArgInt, Int: uint64(0xffffffffffffff9c)} // AT_FDCWD

func (b *builder) add(label string, nr uintptr, args ...shim.Arg) *shim.Op {
	b.ops = append(b.ops, shim.Op{Label: label, Nr: uint64(nr), Args: args})
	return &b.ops[len(b.ops)-1]
}

// compile makes the program of a shim.
func compile(s *Spec, cg *Cgroup) *shim.Program {
	p := &shim.Program{
		Path: s.Command,
		Argv: append([]string{s.Command}, s.Args...),
		Env:  s.Env,
		Join: cg.shimFiles(),
		OOM:  cg.oomFile(),
	}
	p.Streams = streams(s)
	var flags uintptr
	if s.Root != "" {
		flags |= unix.CLONE_NEWNS
	}
	if s.PIDNamespace {
		flags |= unix.CLONE_NEWPID
	}
	if s.IPCNamespace {
		flags |= unix.CLONE_NEWIPC
	}
	p.CloneFlags = uint64(flags)

	b := &builder{}
	b.add("make a session", unix.SYS_SETSID)
	b.joinCgroups(cg)
	if s.OOMScoreAdj != nil {
		b.oomScore(*s.OOMScoreAdj)
	}
	for _, r := range s.Rlimits {
		b.rlimit(r)
	}
	if s.NetworkNamespace != "" {
		label := "join the network namespace " + s.NetworkNamespace
		b.add(label, unix.SYS_OPENAT, at, str(s.NetworkNamespace), num(unix.O_RDONLY|unix.O_CLOEXEC), num(0)).Save = regScratch
		b.add(label, unix.SYS_SETNS, reg(regScratch), num(unix.CLONE_NEWNET))
		b.add(label, unix.SYS_CLOSE, reg(regScratch))
	}
	if s.Root != "" {
		b.root(s)
	}
	if s.Umask != nil {
		b.add("set the umask", unix.SYS_UMASK, num(*s.Umask))
	}
	if s.Dir != "" {
		b.add("change to the directory "+s.Dir, unix.SYS_CHDIR, str(s.Dir))
	}
	b.privileges(s.User, s.Capabilities)
	b.exec(s.Command)
	p.Child = b.ops
	return p
}

func streams(s *Spec) [2]shim.Stream {
	if s.Logs.Disabled {
		return [2]shim.Stream{}
	}
	if s.Logs.Dir == "" {
		return [2]shim.Stream{{Path: s.StdoutPath}, {Path: s.StderrPath}}
	}
	one := func(kind string) shim.Stream {
		return shim.Stream{
			Dir: s.Logs.Dir, Name: s.Task + "." + kind,
			MaxFiles: uint64(max(s.Logs.MaxFiles, 1)), MaxSize: uint64(max(s.Logs.MaxSize, 0)),
		}
	}
	return [2]shim.Stream{one("stdout"), one("stderr")}
}

func (b *builder) exec(command string) {
	b.add("execute "+command, unix.SYS_EXECVE,
		shim.Arg{Kind: shim.ArgPath}, shim.Arg{Kind: shim.ArgArgv}, shim.Arg{Kind: shim.ArgEnv})
}

// writeFile writes text to a file that is there.
func (b *builder) writeFile(label, path, text string) {
	b.add(label, unix.SYS_OPENAT, at, str(path), num(unix.O_WRONLY|unix.O_CLOEXEC), num(0)).Save = regScratch
	b.add(label, unix.SYS_WRITE, reg(regScratch), str(text), num(len(text)))
	b.add(label, unix.SYS_CLOSE, reg(regScratch))
}

// oomScore sets the score for out-of-memory kills. Zero is only asked for so
// that a task does not inherit what protects the agent; not being allowed to
// lower it to that is no failure.
func (b *builder) oomScore(score int) {
	b.writeFile("set the score for out-of-memory kills", "/proc/self/oom_score_adj", fmt.Sprint(score))
	if score == 0 {
		b.ops[len(b.ops)-2].Ignore = []uint64{uint64(unix.EACCES), uint64(unix.EPERM)}
	}
}

func (b *builder) joinCgroups(cg *Cgroup) {
	for _, dir := range cg.Join {
		b.writeFile("join the cgroup "+dir, filepath.Join(dir, "cgroup.procs"), "0")
	}
}

func (b *builder) rlimit(r Rlimit) {
	var raw [16]byte
	binary.NativeEndian.PutUint64(raw[:8], r.Soft)
	binary.NativeEndian.PutUint64(raw[8:], r.Max)
	b.add(fmt.Sprintf("set the resource limit %d", r.Resource), unix.SYS_PRLIMIT64,
		num(0), num(r.Resource), str(string(raw[:])), num(0))
}

// root builds the root file system. Everything behind the change of root is
// looked up inside of the new one, so that no link which the task has left
// there leads out of it; what is shown from the host is named relative to the
// old root, which is the working directory meanwhile.
func (b *builder) root(s *Spec) {
	const label = "make the root file system"
	b.add(label, unix.SYS_MOUNT, num(0), str("/"), num(0), num(unix.MS_SLAVE|unix.MS_REC), num(0))
	b.add(label, unix.SYS_MOUNT, str(s.Root), str(s.Root), num(0), num(unix.MS_BIND|unix.MS_REC), num(0))
	b.add(label, unix.SYS_OPENAT, at, str("/"), num(unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC), num(0)).Save = regOldRoot
	b.add(label, unix.SYS_OPENAT, at, str(s.Root), num(unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC), num(0)).Save = regNewRoot
	b.add(label, unix.SYS_FCHDIR, reg(regNewRoot))
	if s.NoPivot {
		b.add(label, unix.SYS_MOUNT, str("."), str("/"), num(0), num(unix.MS_MOVE), num(0))
		b.add(label, unix.SYS_CHROOT, str("."))
	} else {
		b.add(label, unix.SYS_PIVOT_ROOT, str("."), str("."))
	}
	b.add(label, unix.SYS_FCHDIR, reg(regOldRoot))
	for _, m := range s.Mounts {
		b.mount(m)
	}
	for _, d := range s.Devices {
		b.device(d)
	}
	if s.NoPivot {
		b.add(label, unix.SYS_CHDIR, str("/"))
	} else {
		b.add(label, unix.SYS_MOUNT, num(0), str("."), num(0), num(unix.MS_SLAVE|unix.MS_REC), num(0))
		b.add(label, unix.SYS_UMOUNT2, str("."), num(unix.MNT_DETACH))
		b.add(label, unix.SYS_CHDIR, str("/"))
	}
	b.add(label, unix.SYS_CLOSE, reg(regOldRoot))
	b.add(label, unix.SYS_CLOSE, reg(regNewRoot))
}

// mountPoint makes sure that there is something to mount on.
func (b *builder) mountPoint(m Mount, file bool) {
	label := "make the mount point " + m.Target
	dirs := parents(m.Target)
	if !file {
		dirs = append(dirs, m.Target)
	}
	for _, d := range dirs {
		// Whatever is wrong, the mount that follows will say so.
		b.add(label, unix.SYS_MKDIRAT, at, str(d), num(0o755)).Ignore = []uint64{shim.AnyError}
	}
	if file {
		o := b.add(label, unix.SYS_OPENAT, at, str(m.Target), num(unix.O_CREAT|unix.O_EXCL|unix.O_WRONLY|unix.O_CLOEXEC), num(0o644))
		o.Save, o.Ignore, o.SkipOnError = regScratch, []uint64{shim.AnyError}, 1
		b.add(label, unix.SYS_CLOSE, reg(regScratch))
	}
}

// parents lists the directories above an absolute path, without "/".
func parents(path string) []string {
	var out []string
	for d := filepath.Dir(path); d != "/" && d != "."; d = filepath.Dir(d) {
		out = append([]string{d}, out...)
	}
	return out
}

func (b *builder) mount(m Mount) {
	label := "mount " + m.Target
	ignore := []uint64(nil)
	if m.Optional {
		ignore = []uint64{shim.AnyError}
	}
	add := func(nr uintptr, args ...shim.Arg) *shim.Op {
		o := b.add(label, nr, args...)
		o.Ignore = ignore
		return o
	}
	if m.Type == typeSymlink {
		b.mountPointParents(m.Target)
		add(unix.SYS_SYMLINKAT, str(m.Source), at, str(m.Target)).Ignore = []uint64{uint64(unix.EEXIST), uint64(unix.EROFS)}
		return
	}
	if m.Type != "" {
		b.mountPoint(m, false)
		flags := m.Flags
		if m.ReadOnly {
			flags |= unix.MS_RDONLY
		}
		add(unix.SYS_MOUNT, str(m.Type), str(m.Target), str(m.Type), num(flags), str(m.Data))
		return
	}
	// A source inside of the new root is named by an absolute path, one of the
	// host by a path relative to the old root.
	var source string
	if !m.inRoot() {
		source = strings.TrimPrefix(m.Source, "/")
		st, err := os.Stat(m.Source)
		b.mountPoint(m, err == nil && !st.IsDir())
	} else {
		source = strings.TrimPrefix(m.Source, insidePrefix)
	}
	if source == "" {
		source = "."
	}
	add(unix.SYS_MOUNT, str(source), str(m.Target), num(0), num(unix.MS_BIND|unix.MS_REC), num(0))
	bindAt := len(b.ops) - 1
	if m.Propagation != "" {
		add(unix.SYS_MOUNT, num(0), str(m.Target), num(0), num(propagation(m.Propagation)), num(0))
	}
	if m.ReadOnly {
		// All mounts below it, too, where the kernel can do that.
		attr := make([]byte, 32)
		binary.NativeEndian.PutUint64(attr, unix.MOUNT_ATTR_RDONLY)
		o := add(unix.SYS_MOUNT_SETATTR, at, str(m.Target), num(unix.AT_RECURSIVE), str(string(attr)), num(len(attr)))
		o.Ignore = append([]uint64{uint64(unix.ENOSYS), uint64(unix.EPERM), uint64(unix.EINVAL)}, ignore...)
		o.SkipOnSuccess = 1
		add(unix.SYS_MOUNT, num(0), str(m.Target), num(0), num(unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY), num(0))
	}
	// What is not there must not be made read-only: that would be the target's
	// file system.
	b.ops[bindAt].SkipOnError = uint64(len(b.ops) - 1 - bindAt)
}

func (b *builder) mountPointParents(target string) {
	for _, d := range parents(target) {
		b.add("make the directory "+d, unix.SYS_MKDIRAT, at, str(d), num(0o755)).Ignore = []uint64{shim.AnyError}
	}
}

const (
	// insidePrefix marks the source of a mount as a path of the new root.
	insidePrefix = "\x00"
	// typeSymlink in Mount.Type makes a symbolic link to Source.
	typeSymlink = "symlink"
)

func (m Mount) inRoot() bool { return strings.HasPrefix(m.Source, insidePrefix) }

// Inside is the Source of a bind mount that shows a path of the new root itself,
// to make it read-only or to hide something.
func Inside(path string) string { return insidePrefix + path }

// Symlink is a "mount" that makes a symbolic link, unless something is there.
func Symlink(to, at string) Mount { return Mount{Source: to, Target: at, Type: typeSymlink} }

func propagation(mode string) uintptr {
	switch mode {
	case "host-to-task":
		return unix.MS_SLAVE | unix.MS_REC
	case "bidirectional":
		return unix.MS_SHARED | unix.MS_REC
	}
	return unix.MS_PRIVATE | unix.MS_REC
}

func (b *builder) device(d Device) {
	label := "make the device " + d.Path
	b.mountPointParents(d.Path)
	// What an earlier attempt left may be anything.
	b.add(label, unix.SYS_UNLINKAT, at, str(d.Path), num(0)).Ignore = []uint64{shim.AnyError}
	b.add(label, unix.SYS_MKNODAT, at, str(d.Path), num(d.Mode), num(unix.Mkdev(d.Major, d.Minor)))
	b.add(label, unix.SYS_FCHMODAT, at, str(d.Path), num(d.Mode&0o7777), num(0))
	b.add(label, unix.SYS_FCHOWNAT, at, str(d.Path), num(d.UID), num(d.GID), num(0))
}

// privileges changes to the user and gives up the capabilities that are not
// named. The order matters: bounding set and groups need capabilities that the
// change of the user takes away.
func (b *builder) privileges(u *User, c *Capabilities) {
	var keep map[int]bool
	if c != nil {
		keep = map[int]bool{}
		for _, n := range c.Set {
			keep[n] = true
		}
		for n := 0; n <= lastCapability(); n++ {
			if !keep[n] {
				b.add("drop a capability", unix.SYS_PRCTL, num(unix.PR_CAPBSET_DROP), num(n), num(0), num(0), num(0)).
					Ignore = []uint64{uint64(unix.EINVAL)}
			}
		}
	}
	if u != nil {
		if c != nil && u.UID != 0 {
			b.add("keep capabilities", unix.SYS_PRCTL, num(unix.PR_SET_KEEPCAPS), num(1), num(0), num(0), num(0))
		}
		label := "become the user " + u.Name
		groups := u.Groups
		if len(groups) == 0 {
			groups = []uint32{u.GID}
		}
		raw := make([]byte, 4*len(groups))
		for i, g := range groups {
			binary.NativeEndian.PutUint32(raw[4*i:], g)
		}
		b.add(label, unix.SYS_SETGROUPS, num(len(groups)), str(string(raw)))
		b.add(label, unix.SYS_SETRESGID, num(u.GID), num(u.GID), num(u.GID))
		b.add(label, unix.SYS_SETRESUID, num(u.UID), num(u.UID), num(u.UID))
	}
	if c != nil {
		root := u == nil && os.Geteuid() == 0 || u != nil && u.UID == 0
		b.capset(c.Set, root)
	}
	if u != nil {
		// The change of the user has undone it.
		b.add("be bound to the shim", unix.SYS_PRCTL, num(unix.PR_SET_PDEATHSIG), num(int(unix.SIGKILL)), num(0), num(0), num(0))
	}
}

func (b *builder) capset(set []int, root bool) {
	const label = "set the capabilities"
	var mask uint64
	for _, n := range set {
		mask |= 1 << n
	}
	inheritable := mask
	if root {
		inheritable = 0
	}
	head := make([]byte, 8)
	binary.NativeEndian.PutUint32(head, unix.LINUX_CAPABILITY_VERSION_3)
	data := make([]byte, 24)
	for i, half := range []uint{0, 32} {
		binary.NativeEndian.PutUint32(data[12*i:], uint32(mask>>half))
		binary.NativeEndian.PutUint32(data[12*i+4:], uint32(mask>>half))
		binary.NativeEndian.PutUint32(data[12*i+8:], uint32(inheritable>>half))
	}
	b.add(label, unix.SYS_CAPSET, str(string(head)), str(string(data)))
	if root {
		return
	}
	for _, n := range set {
		b.add(label, unix.SYS_PRCTL, num(unix.PR_CAP_AMBIENT), num(unix.PR_CAP_AMBIENT_RAISE), num(n), num(0), num(0)).
			Ignore = []uint64{uint64(unix.EINVAL)}
	}
}
