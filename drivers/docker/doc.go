// Package docker owns the docker driver: a task is a container of a Docker
// engine, which outlives the agent.
//
// The engine is the only memory. A container carries its task's id in a label
// and its name follows from the allocation, so that whatever instant the agent
// dies at, the next one finds the container of a task, or can be sure that
// there is none. The agent follows a container's output into the task's log
// files, with a cursor beside them (see logs.go).
package docker
