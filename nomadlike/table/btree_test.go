package table

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestTree puts and removes at random, more of the one and then of the other, and
// takes clones on the way: each tree holds what it should, in order, and is a B-tree.
func TestTree(t *testing.T) {
	for seed := range uint64(8) {
		r := rand.New(rand.NewPCG(seed, 3))
		tr, model := newTree[int](), map[Key]*int{}
		type copied struct {
			tree  *tree[int]
			model []string
		}
		var copies []copied
		for step := range 12_000 {
			at := K(fmt.Sprint(r.IntN(4000)))
			if grows := step/3000%2 == 0; r.IntN(10) < 7 == grows {
				model[at] = new(int)
				tr.put(row[int]{at: at, key: "k", value: model[at]})
			} else {
				delete(model, at)
				tr.remove(at, "k")
			}
			if got := tr.get(at, "k").value; got != model[at] {
				t.Fatalf("seed %d, step %d: got %p, want %p", seed, step, got, model[at])
			}
			if step%1000 == 999 {
				check(t, tr)
				copies = append(copies, copied{tr.clone(), listed(model)})
			}
		}
		for at := range model {
			tr.remove(at, "k")
		}
		if check(t, tr); len(contents(tr)) != 0 {
			t.Errorf("seed %d: %d rows are left", seed, len(contents(tr)))
		}
		for i, c := range copies {
			if check(t, c.tree); !slices.Equal(contents(c.tree), c.model) {
				t.Errorf("seed %d: copy %d has changed", seed, i)
			}
		}
	}
}

func listed(model map[Key]*int) (out []string) {
	for at, v := range model {
		out = append(out, fmt.Sprintf("%s %p", at, v))
	}
	slices.Sort(out)
	return out
}

func contents(tr *tree[int]) (out []string) {
	tr.from("", func(r row[int]) bool {
		out = append(out, fmt.Sprintf("%s %p", r.at, r.value))
		return true
	})
	return out
}

// check holds a tree to what B-trees are.
func check(t *testing.T, tr *tree[int]) {
	t.Helper()
	depths := map[int]bool{}
	var walk func(n *node[int], depth int)
	walk = func(n *node[int], depth int) {
		switch {
		case n != tr.root && len(n.rows) < leastRows, len(n.rows) > mostRows:
			t.Fatalf("a node of %d rows", len(n.rows))
		case len(n.kids) == 0:
			depths[depth] = true
		case len(n.kids) != len(n.rows)+1:
			t.Fatalf("a node of %d rows with %d kids", len(n.rows), len(n.kids))
		}
		for _, kid := range n.kids {
			walk(kid, depth+1)
		}
	}
	walk(tr.root, 0)
	if len(depths) != 1 {
		t.Fatalf("leaves at %d depths", len(depths))
	}
	last := Key("")
	tr.from("", func(r row[int]) bool {
		if r.at <= last {
			t.Fatalf("%q after %q", r.at, last)
		}
		last = r.at
		return true
	})
}
