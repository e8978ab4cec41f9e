package shim

import "syscall"

const sysNewfstatat = syscall.SYS_NEWFSTATAT
