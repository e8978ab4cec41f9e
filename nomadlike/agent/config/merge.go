package config

import (
	"maps"
	"reflect"
	"slices"
)

// Merge lays a source over the configuration.
func (c *Config) Merge(s *Source) {
	if c.written == nil {
		c.written = map[string]Pos{}
	}
	var scratch Config
	byPath := map[string]int{}
	from, to := keys(&scratch), keys(c)
	for i, k := range to {
		byPath[k.Path] = i
	}
	for _, set1 := range s.settings {
		i := byPath[set1.path]
		if err := set(from[i], set1.value); err != nil {
			panic("a setting that Parse let through: " + err.Error())
		}
		if merge(to[i], from[i].To) {
			c.written[set1.path] = set1.pos
		}
	}
	c.Warnings = append(c.Warnings, s.Warnings...)
}

// Written says where the value of a key such as "server.encrypt" comes from; the
// answer is no for defaults.
func (c *Config) Written(path string) (Pos, bool) {
	pos, ok := c.written[path]
	return pos, ok
}

// merge lays one value over another and reports whether it counts.
func merge(k key, from any) bool {
	value := reflect.ValueOf(from).Elem()
	switch to := k.To.(type) {
	case *[]string:
		more := *from.(*[]string)
		if len(more) == 0 {
			return false
		}
		if k.How == replace {
			*to = nil
		}
		*to = slices.Concat(*to, more)
		return true
	case *map[string]string:
		return mergeMap(to, *from.(*map[string]string))
	case *map[string]Plugin:
		return mergePlugins(to, *from.(*map[string]Plugin))
	}
	if value.IsZero() && k.How != written {
		return false
	}
	reflect.ValueOf(k.To).Elem().Set(value)
	return true
}

func mergeMap[V any](to *map[string]V, from map[string]V) bool {
	if len(from) == 0 {
		return false
	}
	merged := make(map[string]V, len(*to)+len(from)) // the earlier map may be shared
	maps.Copy(merged, *to)
	maps.Copy(merged, from)
	*to = merged
	return true
}

// mergePlugins takes a plugin's args and config each as a whole.
func mergePlugins(to *map[string]Plugin, from map[string]Plugin) bool {
	merged := map[string]Plugin{}
	for name, p := range from {
		before := (*to)[name]
		if p.Args == nil {
			p.Args = before.Args
		}
		if p.Config == nil {
			p.Config = before.Config
		}
		merged[name] = p
	}
	return mergeMap(to, merged)
}
