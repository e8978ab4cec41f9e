//go:build !linux

package docker

// killProcess does nothing: processes of containers are those of Linux, or of
// a virtual machine.
func killProcess(int, string) {}
