package server

import (
	"cmp"
	"context"
	"iter"
	"reflect"
	"slices"
	"sync"

	"github.com/hashicorp/go-bexpr"

	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/errs"
	"github.com/nomadlike/nomadlike/nomadlike/server/state"
	"github.com/nomadlike/nomadlike/nomadlike/table"
)

type source[T any] = iter.Seq[T]

// list answers a read of many things: filtered, cut into a page, and shown as
// stubs. token names a thing for NextToken and must rise with the source, unless
// the request is reversed.
func list[T, S any](ctx context.Context, s *Server, o *n.QueryOptions, index state.TableIndex, token func(T) string,
	from func(*state.View, table.WatchSet) source[T], show func(*state.View, T) S,
) (*n.Reply[[]S], error) {
	keep, err := filter[T](o.Filter)
	if err != nil {
		return nil, err
	}
	next := ""
	reply, err := query(ctx, s, o, func(v *state.View, ws table.WatchSet) ([]S, uint64, error) {
		page, after, err := paginate(from(v, ws), o, token, keep)
		if err != nil {
			return nil, 0, err
		}
		next = after
		out := make([]S, 0, len(page))
		for _, x := range page {
			out = append(out, show(v, x))
		}
		return out, index(v, ws), nil
	})
	if err != nil {
		return nil, err
	}
	reply.NextToken = next
	return reply, nil
}

// paginate returns a page and the token of the first thing after it.
func paginate[T any](from source[T], o *n.QueryOptions, token func(T) string, keep func(T) (bool, error)) (page []T, next string, err error) {
	if o.Reverse {
		all := slices.Collect(from)
		slices.Reverse(all)
		from = slices.Values(all)
	}
	started := o.NextToken == ""
	for x := range from {
		if !started {
			if c := cmp.Compare(token(x), o.NextToken); c < 0 && !o.Reverse || c > 0 && o.Reverse {
				continue
			}
			started = true
		}
		ok, err := keep(x)
		if err != nil {
			return nil, "", errs.Newf(errs.Invalid, "failed to read result page: %v", err)
		}
		if !ok {
			continue
		}
		if o.PerPage > 0 && len(page) == o.PerPage {
			return page, token(x), nil
		}
		page = append(page, x)
	}
	return page, "", nil
}

// filter compiles a filter expression over the fields of T.
func filter[T any](expr string) (func(T) (bool, error), error) {
	if expr == "" {
		return func(T) (bool, error) { return true, nil }, nil
	}
	e, err := bexpr.CreateEvaluator(expr)
	if err != nil {
		return nil, errs.Newf(errs.Invalid, "failed to create result paginator: failed to read filter expression: %v", err)
	}
	return func(x T) (bool, error) { return e.Evaluate(x) }, nil
}

// all shows things as they are.
func all[T any](_ *state.View, x T) T { return x }

// byAge sorts by what age returns, oldest first, and never returns nil.
func byAge[T any](list []T, age func(T) (uint64, string)) []T {
	slices.SortFunc(list, func(a, b T) int {
		ai, aid := age(a)
		bi, bid := age(b)
		return cmp.Or(cmp.Compare(ai, bi), cmp.Compare(aid, bid))
	})
	if list == nil {
		list = []T{}
	}
	return list
}

func evalAge(e *n.Evaluation) (uint64, string)       { return e.CreateIndex, string(e.ID) }
func deploymentAge(d *n.Deployment) (uint64, string) { return d.CreateIndex, string(d.ID) }
func allocAge(a *n.Allocation) (uint64, string)      { return a.CreateIndex, string(a.ID) }

// project copies to dst, a stub, the fields that src has under the same name and
// type.
func project(dst, src any) {
	to, from := reflect.ValueOf(dst).Elem(), reflect.ValueOf(src).Elem()
	key := [2]reflect.Type{to.Type(), from.Type()}
	pairs, ok := projections.Load(key)
	if !ok {
		pairs, _ = projections.LoadOrStore(key, pairFields(key[0], key[1]))
	}
	for _, p := range pairs.([][2]int) {
		to.Field(p[0]).Set(from.Field(p[1]))
	}
}

var projections sync.Map // of pairs of types to pairs of fields

func pairFields(to, from reflect.Type) [][2]int {
	var pairs [][2]int
	for i := range to.NumField() {
		f, ok := from.FieldByName(to.Field(i).Name)
		if ok && len(f.Index) == 1 && f.Type == to.Field(i).Type {
			pairs = append(pairs, [2]int{i, f.Index[0]})
		}
	}
	return pairs
}

// inNamespace narrows a source down to a namespace and a prefix of ids.
func inNamespace[T any](from source[T], namespace string, of func(T) string) source[T] {
	if namespace == n.AllNamespaces {
		return from
	}
	return func(yield func(T) bool) {
		for x := range from {
			if of(x) == namespace && !yield(x) {
				return
			}
		}
	}
}
