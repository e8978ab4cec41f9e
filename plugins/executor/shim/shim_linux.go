package shim

import (
	"sync/atomic"
	"syscall"
	"unsafe"
)

func init() {
	if dir, ok := syscall.Getenv(EnvDir); ok {
		exit(supervise(dir))
	}
	if _, ok := syscall.Getenv(EnvRun); ok {
		exit(runBeside())
	}
}

// The descriptors that the agent gives us.
const (
	aliveFD  = 3 // writing end of the alive fifo
	firstFD  = 4
	inputFD  = 3 // of runBeside: the program
	resultFD = 4 // of runBeside: where the result goes
)

const (
	prSetChildSubreaper = 36
	prSetName           = 15
	sysCloseRange       = 436
	recordRoom          = 1024
	pollIn              = 1
	efdCloexec          = 0o2000000
)

// How a shim ends when it starts nothing.
const (
	exitOK      = 0
	exitRefused = 3
	exitBroken  = 4
)

// A supervisor is a shim at work.
type supervisor struct {
	dir     int // descriptor of the state directory
	spec    int
	file    int // starting, started, result: the one file
	name    string
	record  Record
	program *Program
	sinks   [2]*sink
	pipes   [2]int // reading ends, -1 when at their end or not there
	reaper  reaper
}

func supervise(path string) int {
	dir, err := syscall.Open(path, syscall.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW|syscall.O_CLOEXEC, 0)
	if err != nil {
		return exitRefused
	}
	s := &supervisor{dir: dir, file: -1, pipes: [2]int{-1, -1}}
	s.settle()
	if !s.claim() {
		return exitRefused
	}
	s.record.ShimPid = syscall.Getpid()
	if !s.begin() {
		return exitBroken
	}
	return s.run()
}

// settle leaves behind what came from the agent.
func (s *supervisor) settle() {
	syscall.CloseOnExec(aliveFD)
	s.dir = raise(s.dir)
	syscall.RawSyscall(sysCloseRange, uintptr(s.dir+1), 1<<31-1, 0)
	syscall.Chdir("/")
	syscall.RawSyscall6(syscall.SYS_PRCTL, prSetChildSubreaper, 1, 0, 0, 0, 0)
	name := [16]byte{'n', 'o', 'm', 'a', 'd', 'l', 'i', 'k', 'e', '-', 's', 'h', 'i', 'm'}
	syscall.RawSyscall6(syscall.SYS_PRCTL, prSetName, uintptr(unsafe.Pointer(&name)), 0, 0, 0, 0)
}

// raise moves a descriptor to the lowest number that is not promised to
// anything, so that all above it can be closed.
func raise(fd int) int {
	if fd == firstFD {
		return fd
	}
	if err := syscall.Dup3(fd, firstFD, syscall.O_CLOEXEC); err != nil {
		return fd
	}
	syscall.Close(fd)
	return firstFD
}

// claim takes the lock and reads the spec; false when this attempt is not, or no
// more, ours to start.
func (s *supervisor) claim() bool {
	fd, err := syscall.Openat(s.dir, FileSpec, syscall.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	s.spec = fd
	if syscall.Flock(fd, syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		return false
	}
	// The directory may have been removed between open and lock.
	var held, there syscall.Stat_t
	if syscall.Fstat(fd, &held) != nil || statat(s.dir, FileSpec, &there) != 0 || held.Ino != there.Ino || held.Dev != there.Dev {
		return false
	}
	for _, f := range [...]string{FileSealed, FileStarting, FileStarted, FileResult} {
		if statat(s.dir, f, &there) != syscall.ENOENT {
			return false
		}
	}
	b, ok := readAll(fd, int(held.Size))
	if !ok {
		return false
	}
	s.program, ok = Decode(b)
	return ok
}

// begin makes the file that will hold the result, with its room, so that no
// full disk can keep it from being written.
func (s *supervisor) begin() bool {
	fd, err := syscall.Openat(s.dir, FileStarting, syscall.O_RDWR|syscall.O_CREAT|syscall.O_EXCL|syscall.O_CLOEXEC, 0o600)
	if err != nil {
		return false
	}
	s.file, s.name = fd, FileStarting
	var room [recordRoom]byte
	for i := range room {
		room[i] = '\n'
	}
	n, err := syscall.Pwrite(fd, room[:], 0)
	return err == nil && n == recordRoom && s.save()
}

func (s *supervisor) save() bool {
	b := s.record.Encode()
	n, err := syscall.Pwrite(s.file, b, 0)
	return err == nil && n == len(b)
}

func (s *supervisor) become(name string) {
	renameat(s.dir, s.name, name)
	s.name = name
}

// run starts the task and stays until nothing of it is left.
func (s *supervisor) run() int {
	if stage, e := s.start(); e != 0 {
		return s.failed(stage, e)
	}
	s.become(FileStarted)
	syscall.Write(aliveFD, []byte{'S'})
	s.join()
	s.loop()
	return exitOK
}

func (s *supervisor) failed(stage string, e syscall.Errno) int {
	s.record.Failed, s.record.Stage, s.record.Errno = true, stage, int(e)
	s.record.Ended = now()
	s.save()
	s.become(FileResult)
	syscall.Close(aliveFD)
	reapFailed()
	return exitBroken
}

// reapFailed waits for a child that failed, which is gone by itself. As an
// orphan it would wait for the machine's init, and the end of the PID namespace
// that it is in would wait with it.
func reapFailed() {
	for {
		if _, err := syscall.Wait4(-1, nil, 0, nil); err != nil && err != syscall.EINTR {
			return
		}
	}
}

// start returns the stage that failed, empty for the child's own calls.
func (s *supervisor) start() (string, syscall.Errno) {
	p := s.program
	c := &child{cgroup: -1, flags: uintptr(p.CloneFlags)}
	null, err := syscall.Open("/dev/null", syscall.O_RDWR|syscall.O_CLOEXEC, 0)
	if err != nil {
		return "open-null", errnoOf(err)
	}
	c.stdio = [3]int{null, null, null}
	var ends []int
	for i := range p.Streams {
		st := &p.Streams[i]
		if st.Dir == "" && (st.Path == "" || st.Path == "/dev/null") {
			continue
		}
		var e syscall.Errno
		if s.sinks[i], e = openSink(st); e != 0 {
			return "open-log", e
		}
		var fds [2]int
		if err := syscall.Pipe2(fds[:], syscall.O_CLOEXEC); err != nil {
			return "pipe", errnoOf(err)
		}
		s.pipes[i], c.stdio[1+i] = fds[0], fds[1]
		ends = append(ends, fds[1])
	}
	if p.Cgroup != "" {
		if c.cgroup, err = syscall.Open(p.Cgroup, syscall.O_RDONLY|syscall.O_DIRECTORY|syscall.O_CLOEXEC, 0); err != nil {
			return "open-cgroup", errnoOf(err)
		}
	}
	var before [Registers + 1]uintptr
	if i, e := execute(load(p, p.Before).calls, &before); e != 0 {
		s.record.FailedOp = i
		return "before", e
	}
	stage, e := s.spawn(c)
	for _, fd := range ends {
		syscall.Close(fd)
	}
	if c.cgroup >= 0 {
		syscall.Close(c.cgroup)
	}
	syscall.Close(null)
	return stage, e
}

// spawn clones the child, writes down who it is, lets it go on and waits for
// its exec.
func (s *supervisor) spawn(c *child) (string, syscall.Errno) {
	image := load(s.program, s.program.Child)
	c.calls = image.calls
	var sync, failure [2]int
	if err := syscall.Pipe2(sync[:], syscall.O_CLOEXEC); err != nil {
		return "pipe", errnoOf(err)
	}
	if err := syscall.Pipe2(failure[:], syscall.O_CLOEXEC); err != nil {
		return "pipe", errnoOf(err)
	}
	c.sync, c.failure = sync, failure[1]
	s.record.Started = now()
	pid, e := c.start()
	if e != 0 {
		return "clone", e
	}
	keep(image)
	syscall.Close(sync[0])
	syscall.Close(failure[1])
	s.record.Pid = int(pid)
	s.record.StartTime = startTime(int(pid))
	s.save()
	syscall.Write(sync[1], []byte{1})
	syscall.Close(sync[1])

	var b [failureBytes]byte
	n := 0
	for {
		var err error
		n, err = syscall.Read(failure[0], b[:])
		if err != syscall.EINTR {
			break
		}
	}
	syscall.Close(failure[0])
	if n == failureBytes {
		i, no := uint64(0), uint64(0)
		for k := 7; k >= 0; k-- {
			i, no = i<<8|uint64(b[k]), no<<8|uint64(b[8+k])
		}
		s.record.FailedOp = int(i)
		return "", syscall.Errno(no)
	}
	return "", 0
}

// keep has its argument stay alive until here.
//
//go:noinline
func keep(*image) {}

// join moves the shim into cgroups of its own, so that whoever ends the
// agent's does not end us. That it is done after the start saves the task time.
func (s *supervisor) join() {
	for _, file := range s.program.Join {
		fd, err := syscall.Open(file, syscall.O_WRONLY|syscall.O_CLOEXEC, 0)
		if err != nil {
			continue
		}
		syscall.Write(fd, []byte{'0'})
		syscall.Close(fd)
	}
}

// A reaper waits for processes, on a thread of its own, and tells of it through
// an event descriptor.
type reaper struct {
	pid    int
	event  int
	status atomic.Uint64 // of the task, with a bit above it when there is one
	ended  atomic.Int64
	none   atomic.Bool // no child is left
}

const statusKnown = 1 << 32

func (r *reaper) run() {
	for {
		var w syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &w, 0, nil)
		switch {
		case err == syscall.EINTR:
			continue
		case err != nil:
			r.none.Store(true)
			r.tell()
			return
		case pid == r.pid:
			r.ended.Store(now())
			r.status.Store(statusKnown | uint64(uint32(w)))
			r.tell()
		}
	}
}

func (r *reaper) tell() { syscall.Write(r.event, []byte{1, 0, 0, 0, 0, 0, 0, 0}) }

type pollFD struct {
	fd              int32
	events, revents int16
}

var buffer [64 << 10]byte

// loop copies output and waits. It ends when no process of the task is left.
func (s *supervisor) loop() {
	event, _, e := syscall.RawSyscall(syscall.SYS_EVENTFD2, 0, efdCloexec, 0)
	if e != 0 {
		// Without one there is still the end of the pipes and of the task.
		event = ^uintptr(0)
	}
	s.reaper.pid, s.reaper.event = s.record.Pid, int(event)
	go s.reaper.run()
	for {
		fds := [3]pollFD{{fd: int32(s.pipes[0]), events: pollIn}, {fd: int32(s.pipes[1]), events: pollIn}, {fd: int32(event), events: pollIn}}
		_, _, e := syscall.Syscall6(syscall.SYS_PPOLL, uintptr(unsafe.Pointer(&fds)), uintptr(len(fds)), 0, 0, 0, 0)
		if e != 0 && e != syscall.EINTR {
			return
		}
		for i := range s.pipes {
			if fds[i].revents != 0 && s.pipes[i] >= 0 {
				s.copy(i)
			}
		}
		if fds[2].revents != 0 {
			var b [8]byte
			syscall.Read(int(event), b[:])
		}
		// Asked in this order: the task's end is known before it is known that no
		// child is left, and both may come now.
		none := s.reaper.none.Load()
		if s.reaper.status.Load() != 0 && !s.record.Exited {
			s.drain()
			s.finish()
		}
		if none {
			s.drain()
			return
		}
	}
}

func (s *supervisor) copy(i int) int {
	n, err := syscall.Read(s.pipes[i], buffer[:])
	if err == syscall.EINTR {
		return 0
	}
	if err != nil || n <= 0 {
		syscall.Close(s.pipes[i])
		s.pipes[i] = -1
		return 0
	}
	s.sinks[i].write(buffer[:n])
	return n
}

// drain takes what was written before now. A process that writes faster than
// we read must not keep us here, so no more than a pipe holds is taken.
func (s *supervisor) drain() {
	for i := range s.pipes {
		if s.pipes[i] < 0 {
			continue
		}
		var waiting int32
		_, _, e := syscall.RawSyscall(syscall.SYS_IOCTL, uintptr(s.pipes[i]), syscall.TIOCINQ, uintptr(unsafe.Pointer(&waiting)))
		for e == 0 && waiting > 0 && s.pipes[i] >= 0 {
			waiting -= int32(s.copy(i))
		}
	}
}

// finish records the end. Readers see it at once, a lost power supply may not
// find it: the flush to disk comes after.
func (s *supervisor) finish() {
	r := &s.record
	r.Exited, r.Status, r.Ended = true, uint32(s.reaper.status.Load()), s.reaper.ended.Load()
	for _, k := range s.sinks {
		if k != nil {
			r.Dropped += k.dropped
		}
	}
	if s.program.OOM != "" {
		r.OOM = oomKills(s.program.OOM) > s.program.OOMBase
	}
	s.save()
	s.become(FileResult)
	syscall.Close(aliveFD)
	syscall.Fsync(s.file)
	syscall.Fsync(s.dir)
}

// oomKills reads the line "oom_kill <n>" of memory.oom_control or memory.events.
func oomKills(file string) uint64 {
	fd, err := syscall.Open(file, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return 0
	}
	defer syscall.Close(fd)
	b, _ := readAll(fd, 1024)
	return OOMKills(string(b))
}

// OOMKills reads the number of out-of-memory kills in the text of a cgroup's
// memory.oom_control or memory.events file.
func OOMKills(text string) uint64 {
	const key = "oom_kill "
	for len(text) > 0 {
		end := 0
		for end < len(text) && text[end] != '\n' {
			end++
		}
		line := text[:end]
		if len(line) > len(key) && line[:len(key)] == key {
			return parseUint(line[len(key):])
		}
		if end == len(text) {
			break
		}
		text = text[end+1:]
	}
	return 0
}

// startTime reads a process's start time from /proc, 0 when it is gone.
func startTime(pid int) uint64 {
	fd, err := syscall.Open("/proc/"+utoa(uint64(pid))+"/stat", syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return 0
	}
	defer syscall.Close(fd)
	b, _ := readAll(fd, 1024)
	return StartTime(string(b))
}

// StartTime finds the start time in the text of a /proc/<pid>/stat file: the
// 20th word after the command, which may itself hold spaces and brackets.
func StartTime(stat string) uint64 {
	i := len(stat) - 1
	for i >= 0 && stat[i] != ')' {
		i--
	}
	word := 0
	for i++; i < len(stat); i++ {
		if stat[i] == ' ' {
			word++
			if word == 20 {
				return parseUint(stat[i+1:])
			}
		}
	}
	return 0
}

func readAll(fd, size int) ([]byte, bool) {
	b := make([]byte, size)
	n := 0
	for n < len(b) {
		m, err := syscall.Read(fd, b[n:])
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return nil, false
		}
		if m == 0 {
			break
		}
		n += m
	}
	return b[:n], n == size
}

func statat(dir int, name string, st *syscall.Stat_t) syscall.Errno {
	p, _ := syscall.BytePtrFromString(name)
	const atSymlinkNofollow = 0x100
	_, _, e := syscall.RawSyscall6(sysNewfstatat, uintptr(dir), uintptr(unsafe.Pointer(p)), uintptr(unsafe.Pointer(st)), atSymlinkNofollow, 0, 0)
	return e
}

func renameat(dir int, from, to string) { syscall.Renameat(dir, from, dir, to) }

func now() int64 {
	var ts syscall.Timeval
	syscall.Gettimeofday(&ts)
	return ts.Sec*1e9 + ts.Usec*1e3
}

func exit(code int) {
	for {
		syscall.RawSyscall(syscall.SYS_EXIT_GROUP, uintptr(code), 0, 0)
	}
}

// runBeside runs a program once, in the cgroups and namespaces of a task, with
// the descriptors that it was given, and reports how it ended. It lives no
// longer than its parent.
func runBeside() int {
	syscall.RawSyscall6(syscall.SYS_PRCTL, prSetPdeathsig, uintptr(syscall.SIGKILL), 0, 0, 0, 0)
	syscall.CloseOnExec(resultFD)
	var st syscall.Stat_t
	if syscall.Fstat(inputFD, &st) != nil {
		return exitBroken
	}
	b, ok := readAll(inputFD, int(st.Size))
	if !ok {
		return exitBroken
	}
	p, ok := Decode(b)
	if !ok {
		return exitBroken
	}
	syscall.Close(inputFD)
	s := &supervisor{program: p, file: resultFD, pipes: [2]int{-1, -1}}
	var before [Registers + 1]uintptr
	if i, e := execute(load(p, p.Before).calls, &before); e != 0 {
		s.record.Failed, s.record.Stage, s.record.FailedOp, s.record.Errno = true, "before", i, int(e)
		s.save()
		return exitOK
	}
	c := &child{cgroup: -1, flags: uintptr(p.CloneFlags), stdio: [3]int{0, 1, 2}}
	stage, e := s.spawn(c)
	if e != 0 {
		s.record.Failed, s.record.Stage, s.record.Errno = true, stage, int(e)
		s.save()
		reapFailed()
		return exitOK
	}
	// Ours would keep the streams open after the command has closed its own.
	for fd := range 3 {
		syscall.Close(fd)
	}
	var w syscall.WaitStatus
	for {
		if _, err := syscall.Wait4(s.record.Pid, &w, 0, nil); err != syscall.EINTR {
			break
		}
	}
	s.record.Exited, s.record.Status, s.record.Ended = true, uint32(w), now()
	s.save()
	return exitOK
}
