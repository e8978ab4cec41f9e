package fields

import (
	"fmt"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
)

// Lookup finds what a name stands for: "count", "restart.mode", or in full
// "job.group.task.resources.memory". The end of a path is enough; if that fits
// several, all are returned, those nearest to the top first. Each is told with
// only those of its places that fit.
func Lookup(name string) ([]Field, error) {
	blocks, err := all()
	if err != nil {
		return nil, err
	}
	name = strings.Trim(strings.ToLower(strings.TrimSpace(name)), ".")
	if rest, inTask := strings.CutPrefix(name, lonelyTask+"."); inTask {
		name = groupTask + "." + rest
	}
	var found []Field
	for _, b := range blocks {
		for _, f := range b.Fields {
			at := slices.DeleteFunc(slices.Clone(f.Paths), func(p string) bool { return !endsWith(p, name) })
			if len(at) > 0 {
				match := *f
				match.Paths = at
				found = append(found, match)
			}
		}
	}
	if len(found) == 0 {
		return nil, unknown(blocks, name)
	}
	slices.SortStableFunc(found, func(a, b Field) int { return names(a.Paths[0]) - names(b.Paths[0]) })
	return found, nil
}

// names counts the names of a path.
func names(path string) int { return strings.Count(path, ".") + 1 }

// endsWith reports whether a path ends with these names.
func endsWith(path, tail string) bool {
	return path == tail || strings.HasSuffix(path, "."+tail)
}

// unknown says what may have been meant.
func unknown(blocks []*Block, name string) error {
	best, distance := "", min(3, len(name))
	var places []string
	for _, b := range blocks {
		for _, f := range b.Fields {
			for _, p := range f.Paths {
				candidate := last(p, names(name))
				if d := mistakes(name, candidate); d < distance {
					best, distance = candidate, d
				}
			}
			if f.Name == last(name, 1) {
				places = append(places, last(f.Paths[0], 2))
			}
		}
	}
	switch {
	case best != "":
		return fmt.Errorf("job files have no %q; did you mean %q?", name, best)
	case len(places) > 0:
		return fmt.Errorf("job files have no %q, but %s", name, strings.Join(places, ", "))
	}
	return fmt.Errorf("job files have no %q", name)
}

// mistakes counts the letters to change; letters in the wrong order are one.
func mistakes(a, b string) int {
	if d := levenshtein.Distance(a, b, nil); d != 2 || letters(a) != letters(b) {
		return d
	}
	return 1
}

func letters(s string) string {
	b := []byte(s)
	slices.Sort(b)
	return string(b)
}
