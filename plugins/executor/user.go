package executor

import (
	"fmt"
	"os/user"
	"strconv"
	"strings"
)

// LookupUser finds a user of this machine by name or number; "user:group" and
// "uid:gid" name the group, too. A bare number need not be a known user.
func LookupUser(name string) (*User, error) {
	who, group, hasGroup := strings.Cut(name, ":")
	u, err := user.Lookup(who)
	if err != nil {
		u, err = user.LookupId(who)
	}
	out := &User{Name: who, Home: "/"}
	if err != nil {
		id, numErr := strconv.ParseUint(who, 10, 32)
		if numErr != nil {
			return nil, fmt.Errorf("unknown user %q: %w", who, err)
		}
		out.UID, out.GID = uint32(id), uint32(id)
	} else if err := fillUser(out, u); err != nil {
		return nil, err
	}
	if hasGroup {
		gid, err := lookupGroup(group)
		if err != nil {
			return nil, err
		}
		out.GID, out.Groups = gid, []uint32{gid}
	}
	return out, nil
}

func fillUser(out *User, u *user.User) error {
	uid, err := parseID(u.Uid)
	if err != nil {
		return err
	}
	gid, err := parseID(u.Gid)
	if err != nil {
		return err
	}
	out.Name, out.UID, out.GID, out.Home = u.Username, uid, gid, u.HomeDir
	groups, err := u.GroupIds()
	if err != nil {
		return fmt.Errorf("groups of user %q: %w", u.Username, err)
	}
	for _, g := range groups {
		id, err := parseID(g)
		if err != nil {
			return err
		}
		out.Groups = append(out.Groups, id)
	}
	return nil
}

func lookupGroup(name string) (uint32, error) {
	if g, err := user.LookupGroup(name); err == nil {
		return parseID(g.Gid)
	}
	id, err := parseID(name)
	if err != nil {
		return 0, fmt.Errorf("unknown group %q", name)
	}
	return id, nil
}

func parseID(s string) (uint32, error) {
	id, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("id %q is not a number", s)
	}
	return uint32(id), nil
}

// An IDSet is a set of user or group ids.
type IDSet [][2]uint32

// ParseIDSet reads a comma-separated list of ids and ranges: "0,1000-1999".
func ParseIDSet(s string) (IDSet, error) {
	var out IDSet
	for part := range strings.SplitSeq(s, ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		low, high, isRange := strings.Cut(part, "-")
		if !isRange {
			high = low
		}
		a, err := parseID(strings.TrimSpace(low))
		if err != nil {
			return nil, fmt.Errorf("invalid range %q: %w", part, err)
		}
		b, err := parseID(strings.TrimSpace(high))
		if err != nil {
			return nil, fmt.Errorf("invalid range %q: %w", part, err)
		}
		if a > b {
			return nil, fmt.Errorf("invalid range %q: the lower bound is above the upper", part)
		}
		out = append(out, [2]uint32{a, b})
	}
	return out, nil
}

// Has reports whether id is in the set.
func (s IDSet) Has(id uint32) bool {
	for _, r := range s {
		if id >= r[0] && id <= r[1] {
			return true
		}
	}
	return false
}

// Deny says why a user may not run a task, given the ids that may not.
func Deny(u *User, uids, gids IDSet) error {
	if uids.Has(u.UID) {
		return fmt.Errorf("running as uid %d is disallowed", u.UID)
	}
	for _, g := range append([]uint32{u.GID}, u.Groups...) {
		if gids.Has(g) {
			return fmt.Errorf("running as gid %d is disallowed", g)
		}
	}
	return nil
}
