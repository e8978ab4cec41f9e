package executor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nomadlike/nomadlike/plugins/drivers"
	"github.com/nomadlike/nomadlike/plugins/executor/shim"
)

// outputGrace is how long output is waited for after the command has ended: one
// of its children may hold the streams for ever.
const outputGrace = 2 * time.Second

// Exec runs a command beside the process: in its namespaces and cgroups, with
// its root, user and environment. It returns when the command has ended and its
// output is delivered. When ctx or the task ends, the command is killed.
func (p *Process) Exec(ctx context.Context, o drivers.ExecOptions) (drivers.ExitResult, error) {
	if len(o.Command) == 0 {
		return drivers.ExitResult{}, errors.New("no command given")
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(p.life, cancel)
	defer stop()
	r := &beside{p: p, o: o}
	defer r.close()
	if err := r.namespaces(); err != nil {
		return drivers.ExitResult{}, err
	}
	return r.run(ctx, r.compile())
}

// beside is a command on its way.
type beside struct {
	p     *Process
	o     drivers.ExecOptions
	files []*os.File // namespaces; descriptor firstNamespace and up in the helper
	flags []int      // what kind each is
	dirs  []*os.File // all that is to be closed
}

// The helper's descriptors: three streams, the program, the result.
const (
	helperProgram  = 3
	helperResult   = 4
	firstNamespace = 5
)

func (r *beside) close() {
	for _, f := range r.dirs {
		f.Close()
	}
}

func (r *beside) keep(f *os.File) *os.File {
	r.dirs = append(r.dirs, f)
	return f
}

// namespaces opens those of the task, and then makes sure that they were the
// task's: its number may have been reused before.
func (r *beside) namespaces() error {
	s := r.p.spec
	type ns struct {
		name string
		flag int
		want bool
	}
	for _, n := range []ns{
		{"pid", unix.CLONE_NEWPID, s.PIDNamespace},
		{"ipc", unix.CLONE_NEWIPC, s.IPCNamespace},
		{"net", unix.CLONE_NEWNET, s.NetworkNamespace != ""},
		{"mnt", unix.CLONE_NEWNS, s.Root != ""},
	} {
		if !n.want {
			continue
		}
		f, err := os.Open(fmt.Sprintf("/proc/%d/ns/%s", r.p.task.Pid, n.name))
		if err != nil {
			return fmt.Errorf("task is not running: %w", err)
		}
		r.files, r.flags = append(r.files, r.keep(f)), append(r.flags, n.flag)
	}
	t, err := openPid(r.p.task.Pid, r.p.task.StartTime)
	if err != nil {
		return fmt.Errorf("task is not running: %w", err)
	}
	t.close()
	return nil
}

func (r *beside) compile() *shim.Program {
	s := r.p.spec
	command := r.o.Command[0]
	if !strings.Contains(command, "/") {
		command = r.lookPath(command)
	}
	program := &shim.Program{
		Path: command,
		Argv: append([]string{r.o.Command[0]}, r.o.Command[1:]...),
		Env:  s.Env,
	}
	if r.o.TTY && !hasVariable(s.Env, "TERM") {
		program.Env = append(append([]string(nil), s.Env...), "TERM=xterm")
	}
	before, b := &builder{}, &builder{}
	b.add("make a session", unix.SYS_SETSID)
	if r.o.TTY {
		b.add("take the terminal", unix.SYS_IOCTL, num(0), num(unix.TIOCSCTTY), num(0))
	}
	for _, dir := range r.p.cgroup.joined() {
		b.writeFile("join the cgroup "+dir, filepath.Join(dir, "cgroup.procs"), "0")
	}
	for i, flag := range r.flags {
		to := b
		if flag == unix.CLONE_NEWPID {
			// It holds for children only, and so must be joined by the parent.
			to = before
		}
		to.add("join the task's namespaces", unix.SYS_SETNS, num(firstNamespace+i), num(flag))
	}
	for i := range r.flags {
		b.add("close a namespace", unix.SYS_CLOSE, num(firstNamespace+i))
	}
	if s.Dir != "" {
		b.add("change to the directory "+s.Dir, unix.SYS_CHDIR, str(s.Dir)).Ignore = []uint64{uint64(unix.ENOENT)}
	}
	b.privileges(s.User, s.Capabilities)
	b.exec(r.o.Command[0])
	program.Before, program.Child = before.ops, b.ops
	return program
}

// joined are the cgroups to be joined by writing to them.
func (cg *Cgroup) joined() []string {
	if cg.Into != "" {
		return []string{cg.Into}
	}
	return cg.Join
}

func hasVariable(env []string, name string) bool {
	for _, e := range env {
		if strings.HasPrefix(e, name+"=") {
			return true
		}
	}
	return false
}

// lookPath finds a command in the PATH of the task, seen through its root.
func (r *beside) lookPath(command string) string {
	path := ""
	for _, e := range r.p.spec.Env {
		if v, ok := strings.CutPrefix(e, "PATH="); ok {
			path = v
		}
	}
	if path == "" {
		path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	}
	root := "/"
	if r.p.spec.Root != "" {
		root = fmt.Sprintf("/proc/%d/root", r.p.task.Pid)
	}
	for _, dir := range filepath.SplitList(path) {
		file := filepath.Join(dir, command)
		if st, err := os.Stat(filepath.Join(root, file)); err == nil && !st.IsDir() && st.Mode()&0o111 != 0 {
			return file
		}
	}
	// Let the exec fail with the reason.
	return "/" + command
}

func (r *beside) run(ctx context.Context, program *shim.Program) (drivers.ExitResult, error) {
	in, err := memoryFile("program", program.Encode())
	if err != nil {
		return drivers.ExitResult{}, err
	}
	r.keep(in)
	out, err := memoryFile("result", nil)
	if err != nil {
		return drivers.ExitResult{}, err
	}
	r.keep(out)
	cmd := exec.CommandContext(ctx, self)
	cmd.Args = []string{"nomadlike-exec", r.p.spec.ID}
	cmd.Env = []string{shim.EnvRun + "=1", "GOMAXPROCS=1", "GOGC=off", "GOTRACEBACK=none"}
	cmd.Dir = "/"
	cmd.ExtraFiles = append([]*os.File{in, out}, r.files...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.Cancel = func() error { return killCommand(cmd.Process.Pid) }
	cmd.WaitDelay = outputGrace
	var wait func() error
	if r.o.TTY {
		wait, err = r.terminal(ctx, cmd)
	} else {
		wait, err = r.streams(cmd)
	}
	if err != nil {
		return drivers.ExitResult{}, err
	}
	if err := cmd.Start(); err != nil {
		return drivers.ExitResult{}, fmt.Errorf("start the command: %w", err)
	}
	_ = wait()
	if ctx.Err() != nil {
		return drivers.ExitResult{}, ctx.Err()
	}
	return r.result(out, program)
}

func (r *beside) result(f *os.File, program *shim.Program) (drivers.ExitResult, error) {
	b, err := io.ReadAll(io.NewSectionReader(f, 0, 4096))
	if err != nil {
		return drivers.ExitResult{}, err
	}
	rec, ok := shim.DecodeRecord(b)
	if !ok || !rec.Exited && !rec.Failed {
		return drivers.ExitResult{}, errors.New("the command's end was not reported")
	}
	if rec.Failed {
		p := &Process{steps: labels(program)}
		return drivers.ExitResult{}, p.startError(&rec)
	}
	return exitResult(&rec), nil
}

func memoryFile(name string, content []byte) (*os.File, error) {
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make memory file: %w", err)
	}
	f := os.NewFile(uintptr(fd), name)
	if _, err := f.Write(content); err != nil {
		f.Close()
		return nil, err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// streams connects the command with pipes. Standard input is fed from the
// outside, so that a reader that never ends does not keep us.
func (r *beside) streams(cmd *exec.Cmd) (func() error, error) {
	cmd.Stdout, cmd.Stderr = writerOr(r.o.Stdout), writerOr(r.o.Stderr)
	if r.o.Stdin == nil {
		return cmd.Wait, nil
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	return func() error {
		go func() {
			_, _ = io.Copy(in, r.o.Stdin)
			in.Close()
		}()
		return cmd.Wait()
	}, nil
}

func writerOr(w io.Writer) io.Writer {
	if w == nil {
		return io.Discard
	}
	return w
}

// terminal connects the command with a new pseudo terminal.
func (r *beside) terminal(ctx context.Context, cmd *exec.Cmd) (func() error, error) {
	master, slave, err := openTerminal()
	if err != nil {
		return nil, err
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	return func() error {
		slave.Close()
		var copied sync.WaitGroup
		copied.Go(func() { _, _ = io.Copy(writerOr(r.o.Stdout), master) })
		if r.o.Stdin != nil {
			go func() { _, _ = io.Copy(master, r.o.Stdin) }()
		}
		ctx, cancel := context.WithCancel(ctx)
		go r.resize(ctx, master)
		err := cmd.Wait()
		cancel()
		// The terminal ends when the last process has closed it.
		_ = master.SetReadDeadline(time.Now().Add(outputGrace))
		copied.Wait()
		master.Close()
		return err
	}, nil
}

func (r *beside) resize(ctx context.Context, master *os.File) {
	for {
		select {
		case <-ctx.Done():
			return
		case size, ok := <-r.o.Resize:
			if !ok {
				return
			}
			raw, err := master.SyscallConn()
			if err != nil {
				return
			}
			_ = raw.Control(func(fd uintptr) {
				_ = unix.IoctlSetWinsize(int(fd), unix.TIOCSWINSZ, &unix.Winsize{Row: uint16(size.Height), Col: uint16(size.Width)})
			})
		}
	}
}

func openTerminal() (master, slave *os.File, err error) {
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("open terminal: %w", err)
	}
	master = os.NewFile(uintptr(fd), "ptmx")
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		master.Close()
		return nil, nil, fmt.Errorf("unlock terminal: %w", err)
	}
	r, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.TIOCGPTPEER, unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC)
	if errno != 0 {
		master.Close()
		return nil, nil, fmt.Errorf("open terminal: %w", errno)
	}
	return master, os.NewFile(r, "pts"), nil
}
