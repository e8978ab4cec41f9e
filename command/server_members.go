package command

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/nomadlike/nomadlike/command/text"
	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
)

func serverMembers() *verb {
	return &verb{
		name: "server members", max: 0,
		synopsis: "List the servers and who leads",
		help:     `Lists the servers as gossip knows them, and which of them leads its region.`,
		examples: []string{
			"# Who is there?", Name + " server members", "",
			"# Addresses of those that live, for a script", Name + ` server members -t '{{range .}}{{if eq .Status "alive"}}{{.Addr}} {{end}}{{end}}'`,
		},
		bind: func(f *flags) action {
			out := f.structured()
			verbose := f.verbose()
			f.BoolVar(verbose, "detailed", false, "the same as -verbose")
			return func(e *env, _ []string) error { return e.members(out, *verbose) }
		},
	}
}

func (e *env) members(out *structured, verbose bool) error {
	answer, err := read(e, api.AgentMembers, &n.ListRequest{})
	if err != nil {
		return e.trouble("Error querying servers", err)
	}
	if answer == nil || len(answer.Members) == 0 {
		return failf("Agent doesn't know about server members")
	}
	members := answer.Members
	slices.SortFunc(members, func(a, b n.AgentMember) int { return cmp.Compare(a.Name, b.Name) })
	leaders, problem := e.leaders(members)
	leads := func(m n.AgentMember) bool {
		return leaders[m.Tags["region"]] != "" && leaders[m.Tags["region"]] == rpcAddress(m)
	}
	if out.asked() {
		for i, m := range members {
			members[i].Tags = maps.Clone(m.Tags)
			if members[i].Tags == nil {
				members[i].Tags = map[string]string{}
			}
			members[i].Tags["Leader"] = strconv.FormatBool(leads(m))
		}
		return out.print(e, members)
	}
	e.print(memberTable(members, leads, verbose).String())
	if problem != nil {
		e.print("")
		return failf("Error determining leaders: %s", plainText(problem))
	}
	return nil
}

// leaders asks every region who leads it, by RPC address. The error is that of
// the last region that did not say.
func (e *env) leaders(members []n.AgentMember) (map[string]string, error) {
	out := map[string]string{}
	var problem error
	for _, m := range members {
		region := m.Tags["region"]
		if _, asked := out[region]; asked {
			continue
		}
		req := &n.ListRequest{}
		req.Region = region
		leader, err := read(e, api.StatusLeader, req)
		if err != nil {
			problem = err
		}
		out[region] = leader
	}
	return out, problem
}

// rpcAddress is where a member answers RPC.
func rpcAddress(m n.AgentMember) string {
	host := m.Tags["rpc_addr"]
	if host == "" {
		host = m.Addr
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return host + ":" + m.Tags["port"]
}

func memberTable(members []n.AgentMember, leads func(n.AgentMember) bool, verbose bool) *text.Table {
	columns := []string{"Name", "Address", "Port", "Status", "Leader", "Raft Version", "Build", "Datacenter", "Region"}
	if verbose {
		columns = append(slices.Insert(columns, 5, "Protocol"), "Tags")
	}
	t := text.NewTable(columns...)
	t.Plain = true
	for _, m := range members {
		row := []string{m.Name, m.Addr, str(int(m.Port)), m.Status, strconv.FormatBool(leads(m)), m.Tags["raft_vsn"], m.Tags["build"], m.Tags["dc"], m.Tags["region"]}
		if verbose {
			row = append(slices.Insert(row, 5, str(int(m.ProtocolCur))), tags(m.Tags))
		}
		t.Row(row...)
	}
	return t
}
