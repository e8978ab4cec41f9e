package broker

import (
	"container/heap"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// A queue is a heap of evaluations.
type queue struct {
	evals []*n.Evaluation
	less  func(a, b *n.Evaluation) bool
}

// oldestFirst orders what is ready: the more important first, then the older.
func oldestFirst(a, b *n.Evaluation) bool {
	if a.Priority != b.Priority {
		return a.Priority > b.Priority
	}
	if a.CreateIndex != b.CreateIndex {
		return a.CreateIndex < b.CreateIndex
	}
	return a.ID < b.ID
}

// newestFirst orders what waits for the same job: the newest knows the most.
func newestFirst(a, b *n.Evaluation) bool {
	if a.Priority != b.Priority {
		return a.Priority > b.Priority
	}
	if a.ModifyIndex != b.ModifyIndex {
		return a.ModifyIndex > b.ModifyIndex
	}
	return a.ID < b.ID
}

func (q *queue) push(e *n.Evaluation) { heap.Push((*evalHeap)(q), e) }
func (q *queue) pop() *n.Evaluation   { return heap.Pop((*evalHeap)(q)).(*n.Evaluation) }

type evalHeap queue

func (h *evalHeap) Len() int           { return len(h.evals) }
func (h *evalHeap) Less(i, j int) bool { return h.less(h.evals[i], h.evals[j]) }
func (h *evalHeap) Swap(i, j int)      { h.evals[i], h.evals[j] = h.evals[j], h.evals[i] }
func (h *evalHeap) Push(x any)         { h.evals = append(h.evals, x.(*n.Evaluation)) }
func (h *evalHeap) Pop() any {
	last := len(h.evals) - 1
	e := h.evals[last]
	h.evals[last] = nil
	h.evals = h.evals[:last]
	return e
}
