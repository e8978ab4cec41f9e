package order_test

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/nomadlike/nomadlike/scheduler/order"
)

// plain is an order that sorts all candidates each time.
type plain struct {
	in    map[int]candidate
	share map[int]float64
	apply map[int]bool
}

type candidate struct {
	part, count int
	sum         float64
	tie         uint32
}

func (p *plain) score(c candidate) float64 {
	sum, count := c.sum, c.count
	if p.apply[c.part] {
		sum, count = sum+p.share[c.part], count+1
	}
	if count == 0 {
		return 0
	}
	return sum / float64(count)
}

func (p *plain) best() []int {
	var all []int
	for i := range p.in {
		all = append(all, i)
	}
	slices.SortFunc(all, func(a, b int) int {
		x, y := p.in[a], p.in[b]
		return cmp.Or(cmp.Compare(p.score(y), p.score(x)), cmp.Compare(x.tie, y.tie))
	})
	return all
}

// TestOrder changes an order at random and compares it with a sorted list.
func TestOrder(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		const n = 40
		p := &plain{map[int]candidate{}, map[int]float64{}, map[int]bool{}}
		o := &order.Order{}
		o.Grow(n)
		for step := range 300 {
			switch i := r.IntN(n); r.IntN(10) {
			case 0, 1:
				o.Drop(i)
				delete(p.in, i)
			case 2, 3:
				part := r.IntN(6)
				p.share[part], p.apply[part] = float64(r.IntN(5)-2)/4, r.IntN(3) > 0
				if !p.apply[part] {
					p.share[part] = 0
				}
				o.Part(part, p.share[part], p.apply[part])
			default:
				c := candidate{r.IntN(6), 1 + r.IntN(3), float64(r.IntN(8)) / 4, uint32(i)}
				p.in[i] = c
				o.Set(i, c.part, c.sum, c.count, c.tie)
			}
			want, have := p.best(), []int{}
			for i, score := range o.Best() {
				have = append(have, i)
				if score != p.score(p.in[i]) {
					t.Fatalf("seed %d, step %d: the score of %d is %v, want %v", seed, step, i, score, p.score(p.in[i]))
				}
			}
			if o.Len() != len(want) {
				t.Fatalf("seed %d, step %d: it has %d candidates, want %d", seed, step, o.Len(), len(want))
			}
			if len(want)+len(have) > 0 && !slices.Equal(want, have) {
				t.Fatalf("seed %d, step %d: %v, want %v", seed, step, have, want)
			}
			for i := range n {
				if _, in := p.in[i]; in != o.Has(i) {
					t.Fatalf("seed %d, step %d: %d is in: %v", seed, step, i, o.Has(i))
				}
			}
		}
	}
}

func BenchmarkMove(b *testing.B) {
	const n = 10_000
	o := &order.Order{}
	o.Grow(n)
	r := rand.New(rand.NewPCG(1, 1))
	for i := range n {
		o.Set(i, i%3, r.Float64(), 1, uint32(i))
	}
	for b.Loop() {
		for i := range o.Best() {
			o.Set(i, i%3, r.Float64(), 1, uint32(i))
			break
		}
	}
}
