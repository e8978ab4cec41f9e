package docker

import (
	"fmt"
	"slices"

	"github.com/nomadlike/nomadlike/plugins/executor"
)

const allCaps = "all"

// capabilities says what is to be added to and dropped from the engine's own
// default, so that a task has those of defaultCaps that are allowed, without
// those dropped, with those added. The latter must be allowed.
func capabilities(allow, add, drop []string) (added, dropped []string, err error) {
	allowed, err := capabilitySet(allow)
	if err != nil {
		return nil, nil, fmt.Errorf("allow_caps: %w", err)
	}
	wanted, err := capabilitySet(add)
	if err != nil {
		return nil, nil, fmt.Errorf("cap_add: %w", err)
	}
	unwanted, err := capabilitySet(drop)
	if err != nil {
		return nil, nil, fmt.Errorf("cap_drop: %w", err)
	}
	if refused := without(wanted, allowed); len(refused) > 0 {
		return nil, nil, fmt.Errorf("driver does not allow the following capabilities: %v; the operator can list them in allow_caps", refused)
	}
	basic, _ := capabilitySet(defaultCaps)
	effective := map[string]bool{}
	for name := range basic {
		effective[name] = allowed[name] && !unwanted[name]
	}
	for name := range wanted {
		effective[name] = true
	}
	if len(wanted) == executor.CapabilityCount {
		return []string{"ALL"}, nil, nil // an old engine does not know all names
	}
	engine, _ := capabilitySet(defaultCaps)
	engine["net_raw"] = true
	return without(effective, engine), without(engine, effective), nil
}

func capabilitySet(list []string) (map[string]bool, error) {
	set := map[string]bool{}
	for _, entry := range list {
		name := executor.CapabilityName(entry)
		if name == allCaps {
			for n := range executor.CapabilityCount {
				set[executor.CapabilityText(n)] = true
			}
			continue
		}
		if _, ok := executor.Capability(name); !ok {
			return nil, fmt.Errorf("unknown capability %q", entry)
		}
		set[name] = true
	}
	return set, nil
}

// without lists what is in a and not in b, sorted.
func without(a, b map[string]bool) []string {
	var out []string
	for name, in := range a {
		if in && !b[name] {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}
