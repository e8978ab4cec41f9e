//go:build unix

package logrotate

import (
	"io/fs"
	"syscall"
)

// nonblock keeps the opening of a named pipe from waiting for a reader.
const nonblock = syscall.O_NONBLOCK

// linked reports whether a file has more than one name.
func linked(st fs.FileInfo) bool {
	s, ok := st.Sys().(*syscall.Stat_t)
	return ok && s.Nlink > 1
}
