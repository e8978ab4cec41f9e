//go:build !unix

package logs

const nonblock = 0
