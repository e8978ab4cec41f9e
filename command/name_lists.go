package command

import (
	"github.com/nomadlike/nomadlike/command/text"
	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
)

func namespaceList() *verb {
	return &verb{
		name: "namespace list", max: 0,
		synopsis: "List the namespaces",
		help:     `Lists the namespaces that you may see.`,
		examples: []string{"# All of them", Name + " namespace list"},
		bind: func(f *flags) action {
			out := f.structured()
			return func(e *env, _ []string) error {
				list, err := read(e, api.NamespaceList, &n.ListRequest{})
				switch {
				case err != nil:
					return e.trouble("Error retrieving namespaces", err)
				case out.asked():
					return out.print(e, list)
				case len(list) == 0:
					e.print("No namespaces found")
					return nil
				}
				t := text.NewTable("Name", "Description")
				for _, ns := range list {
					t.Row(ns.Name, ns.Description)
				}
				e.print(t.String())
				return nil
			}
		},
	}
}

func nodePoolList() *verb {
	return &verb{
		name: "node pool list", max: 0,
		synopsis: "List the node pools",
		help:     `Lists the sets of nodes that jobs can ask for.`,
		examples: []string{"# All of them", Name + " node pool list"},
		bind: func(f *flags) action {
			out, page := f.structured(), f.paging()
			return func(e *env, _ []string) error {
				req := &n.ListRequest{}
				page.ask(&req.QueryOptions)
				reply, err := call(e, api.NodePoolList, req)
				switch {
				case err != nil:
					return e.trouble("Error querying node pools", err)
				case out.asked():
					return out.print(e, reply.Value)
				}
				t := text.NewTable("Name", "Description")
				for _, p := range reply.Value {
					t.Row(p.Name, p.Description)
				}
				e.print(t.String())
				page.more(e, reply.NextToken)
				return nil
			}
		},
	}
}
