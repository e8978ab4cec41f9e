// Package tasklife owns the rules by which tasks and allocations live on a node:
// which task may start when, what the end of one does to the others, whether a
// task is restarted, when an allocation is healthy, and the words in which all
// of that is told. It is pure: the time and randomness are arguments, and what it
// is given is never changed.
package tasklife
