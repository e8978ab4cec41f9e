package planner

import "container/heap"

// A planQueue hands out the more important plan first, and of equal ones the
// older.
type planQueue struct {
	items []*pending
	seq   uint64
}

func (q *planQueue) push(p *pending) {
	q.seq++
	p.seq = q.seq
	heap.Push((*planHeap)(q), p)
}

func (q *planQueue) pop() *pending {
	if len(q.items) == 0 {
		return nil
	}
	return heap.Pop((*planHeap)(q)).(*pending)
}

type planHeap planQueue

func (h *planHeap) Len() int { return len(h.items) }
func (h *planHeap) Less(i, j int) bool {
	a, b := h.items[i], h.items[j]
	if a.Plan.Priority != b.Plan.Priority {
		return a.Plan.Priority > b.Plan.Priority
	}
	return a.seq < b.seq
}
func (h *planHeap) Swap(i, j int) { h.items[i], h.items[j] = h.items[j], h.items[i] }
func (h *planHeap) Push(x any)    { h.items = append(h.items, x.(*pending)) }
func (h *planHeap) Pop() any {
	last := len(h.items) - 1
	p := h.items[last]
	h.items[last] = nil
	h.items = h.items[:last]
	return p
}
