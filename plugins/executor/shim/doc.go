// Package shim owns the process that stands between the agent and a task: it
// starts the task, writes its output into rotated files, waits for it and
// records how it ended. There is one for each task; it outlives the agent.
//
// The shim is the agent's own binary, started again with the variable EnvDir in
// its environment. What makes it small is the order in which Go initialises
// packages: by import path, among those whose imports are ready. This package
// imports nothing but syscall and what syscall needs, so that its init runs
// before nearly everything else that the binary links, finds the variable, does
// the whole work and exits. It must stay so: a single import of fmt or os here
// costs every task memory, and a test counts what is initialised before us.
//
// The shim decides nothing. What is to be done between clone and exec (joining
// cgroups and namespaces, mounting, giving up privileges) arrives as a list of
// system calls in its spec file, made by package executor. The child runs the
// list on its copy of the shim's memory, without the runtime: no allocation, no
// stack growth, no scheduler.
//
// # Files
//
// All of them live in the attempt's state directory:
//
//	spec      what to do; written by the agent before it starts the shim. The
//	          shim holds a lock (flock) on it from before it does anything
//	          until it ends.
//	alive     a fifo. The shim inherits the writing end, writes one byte when
//	          the start is decided, and closes it when the result is there.
//	          Reading it is how an agent, the first or a later one, waits.
//	starting  made under the lock, with room for the result, before the clone.
//	          It says which process will be the task; the child goes on only
//	          after that is written.
//	started   the same file, renamed when the task's exec has succeeded.
//	result    the same file, renamed when the end is written into it.
//	sealed    made by an agent, under the lock, when it found neither a shim nor
//	          one of the three files above: the task was not started, and a
//	          shim that comes late will see the seal and leave.
//
// So whoever holds the lock knows: no starting, started or result file means
// never started; a result means ended; one of the other two means that the shim
// was killed, and its task with it (the task dies with its parent).
package shim

// EnvDir names the variable that turns a process into a shim and holds its
// state directory; EnvRun makes it run a program given on descriptor 3 instead.
const (
	EnvDir = "_NOMADLIKE_SHIM"
	EnvRun = "_NOMADLIKE_RUN"
)

// The names of the files in a state directory.
const (
	FileSpec     = "spec"
	FileAlive    = "alive"
	FileStarting = "starting"
	FileStarted  = "started"
	FileResult   = "result"
	FileSealed   = "sealed"
)
