//go:build !unix

package logrotate

import "io/fs"

const nonblock = 0

func linked(fs.FileInfo) bool { return false }
