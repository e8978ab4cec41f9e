package shim

import "syscall"

// splitWindow is how far before the size limit a file is cut at a newline.
const splitWindow = 32 << 10

// A sink keeps one output of the task. It never fails: what can not be written
// is counted and dropped, because a full disk is no reason to stop a task.
type sink struct {
	dir      int // descriptor, -1 when output is not rotated
	name     string
	maxFiles uint64
	maxSize  uint64
	index    uint64
	fd       int
	size     uint64
	lineEnd  bool   // the file is empty or ends with a newline
	dropped  uint64 // in all
	lost     uint64 // since the last successful write
}

// openSink finds the file that an earlier attempt of the task wrote last and
// goes on with it. The directory belongs to the task, which may have put
// anything there: links are not followed.
func openSink(s *Stream) (*sink, syscall.Errno) {
	k := &sink{dir: -1, name: s.Name, maxFiles: s.MaxFiles, maxSize: s.MaxSize, fd: -1, lineEnd: true}
	if s.Dir == "" {
		fd, err := syscall.Open(s.Path, syscall.O_WRONLY|syscall.O_APPEND|syscall.O_CREAT|syscall.O_CLOEXEC, 0o644)
		if err != nil {
			return nil, errnoOf(err)
		}
		k.fd, k.maxSize = fd, 0
		return k, 0
	}
	dir, err := syscall.Open(s.Dir, syscall.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, errnoOf(err)
	}
	k.dir = dir
	indexes := k.existing()
	for _, i := range indexes {
		k.index = max(k.index, i)
	}
	for _, i := range indexes {
		if k.maxFiles > 0 && i+k.maxFiles <= k.index {
			unlinkat(k.dir, k.file(i))
		}
	}
	e := k.open()
	if e != 0 && e != syscall.ENOSPC && e != syscall.EDQUOT {
		return nil, e
	}
	return k, 0
}

func (k *sink) file(i uint64) string { return k.name + "." + utoa(i) }

// existing lists the indexes of the files that are there.
func (k *sink) existing() []uint64 {
	var found []uint64
	buf := make([]byte, 4096)
	syscall.Seek(k.dir, 0, 0)
	for {
		n, err := syscall.ReadDirent(k.dir, buf)
		if err != nil || n <= 0 {
			return found
		}
		rest := buf[:n]
		var names []string
		for len(rest) > 0 {
			c, _, got := syscall.ParseDirent(rest, -1, names[:0])
			if c <= 0 {
				break
			}
			rest = rest[c:]
			for _, name := range got {
				if i, ok := indexOf(name, k.name); ok {
					found = append(found, i)
				}
			}
		}
	}
}

// indexOf takes "web.stdout.12" apart.
func indexOf(file, name string) (uint64, bool) {
	if len(file) < len(name)+2 || file[:len(name)] != name || file[len(name)] != '.' {
		return 0, false
	}
	digits := file[len(name)+1:]
	if len(digits) > 15 || digits[0] == '0' && len(digits) > 1 {
		return 0, false
	}
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return 0, false
		}
	}
	return parseUint(digits), true
}

// open opens the file of the current index for appending.
func (k *sink) open() syscall.Errno {
	fd, err := syscall.Openat(k.dir, k.file(k.index),
		syscall.O_WRONLY|syscall.O_APPEND|syscall.O_CREAT|syscall.O_NOFOLLOW|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0o644)
	if err != nil {
		return errnoOf(err)
	}
	var st syscall.Stat_t
	if err := syscall.Fstat(fd, &st); err != nil || st.Mode&syscall.S_IFMT != syscall.S_IFREG || st.Nlink > 1 {
		syscall.Close(fd)
		return syscall.ELOOP
	}
	// Whatever our umask is, the log is to be read by others.
	syscall.Fchmod(fd, 0o644)
	k.fd, k.size, k.lineEnd = fd, uint64(st.Size), true
	return 0
}

func (k *sink) rotate() {
	if k.fd >= 0 {
		syscall.Close(k.fd)
		k.fd = -1
	}
	k.index++
	k.open()
	if k.maxFiles > 0 && k.index >= k.maxFiles {
		unlinkat(k.dir, k.file(k.index-k.maxFiles))
	}
}

// write takes a piece of output.
func (k *sink) write(p []byte) {
	for len(p) > 0 {
		if k.fd < 0 && (k.dir < 0 || k.open() != 0) {
			k.drop(len(p))
			return
		}
		n := len(p)
		if k.maxSize > 0 && k.size+uint64(len(p)) > k.maxSize {
			n = k.cut(p)
			if n == 0 {
				k.rotate()
				continue
			}
		}
		if !k.put(p[:n]) {
			k.drop(len(p))
			return
		}
		p = p[n:]
	}
}

// cut says how much of p, which is too long for the file, goes into it still:
// up to the last newline near the limit, nothing where a line would be torn
// that the next file can begin with, and up to the limit when there is no other
// way.
func (k *sink) cut(p []byte) int {
	if k.size >= k.maxSize {
		return 0
	}
	room := int(k.maxSize - k.size)
	for i := room - 1; i >= 0 && i >= room-splitWindow; i-- {
		if p[i] == '\n' {
			return i + 1
		}
	}
	if k.lineEnd && k.size > 0 && room <= splitWindow {
		return 0
	}
	return room
}

// put writes all of p or says that it can not.
func (k *sink) put(p []byte) bool {
	if k.lost > 0 {
		note := "[" + utoa(k.lost) + " bytes of output lost: could not be written]\n"
		if n, err := syscall.Write(k.fd, []byte(note)); err != nil || n < len(note) {
			return false
		}
		k.size += uint64(len(note))
		k.lost = 0
	}
	for len(p) > 0 {
		n, err := syscall.Write(k.fd, p)
		if err == syscall.EINTR {
			continue
		}
		if err != nil || n <= 0 {
			return false
		}
		k.size += uint64(n)
		k.lineEnd = p[n-1] == '\n'
		p = p[n:]
	}
	return true
}

func (k *sink) drop(n int) {
	k.dropped += uint64(n)
	k.lost += uint64(n)
}

func unlinkat(dir int, name string) { syscall.Unlinkat(dir, name) }

func errnoOf(err error) syscall.Errno {
	if e, ok := err.(syscall.Errno); ok {
		return e
	}
	return syscall.EINVAL
}
