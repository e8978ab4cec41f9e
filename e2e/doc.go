// Package e2e holds the stories that only the real binary can tell: agents that
// are killed, ports that are taken, jobs that run in real processes and
// containers. It talks to agents as users do, through the command line and
// through the client library that they know.
package e2e
