package command

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/nomadlike/nomadlike/command/text"
	n "github.com/nomadlike/nomadlike/nomadlike"
	"github.com/nomadlike/nomadlike/nomadlike/api"
)

func scalingPolicyList() *verb {
	return &verb{
		name: "scaling policy list", max: 0,
		synopsis: "List the scaling policies",
		help:     `Lists the policies that the scaling blocks of jobs have made.`,
		examples: []string{"# Those of a job", Name + " scaling policy list -job=example"},
		bind: func(f *flags) action {
			out, verbose := f.structured(), f.verbose()
			job := f.String("job", "", "only those of this `job`")
			kind := f.String("type", "", "only those of this `type`, as horizontal")
			return func(e *env, _ []string) error {
				list, err := read(e, api.ScalingPolicyList, &n.ScalingPolicyListRequest{Job: n.JobID(*job), Type: *kind})
				switch {
				case err != nil:
					return e.trouble("Error listing scaling policies", err)
				case out.asked():
					return out.print(e, list)
				case len(list) == 0:
					e.print("No policies found")
					return nil
				}
				e.print(policyTable(list, *verbose).String())
				return nil
			}
		},
	}
}

func policyTable(list []*n.ScalingPolicyStub, verbose bool) *text.Table {
	t := text.NewTable("ID", "Enabled", "Type", "Target")
	for _, p := range list {
		t.Row(id(p.ID, verbose), strconv.FormatBool(p.Enabled), p.Type, policyTarget(p.Target))
	}
	return t
}

// policyTarget writes what a policy is about, from the outside in.
func policyTarget(target map[string]string) string {
	var parts []string
	for _, k := range []string{"Namespace", "Job", "Group", "Task"} {
		if v := target[k]; v != "" {
			parts = append(parts, k+":"+v)
		}
	}
	return strings.Join(parts, ",")
}

func scalingPolicyInfo() *verb {
	return &verb{
		name: "scaling policy info", args: "[id]", min: 0, max: 1,
		synopsis: "Show a scaling policy",
		help: `
Shows a scaling policy, by its ID or the beginning of it. With -json or -t and
without an ID, shows all of them as 'scaling policy list' does.`,
		examples: []string{"# What does the autoscaler see?", Name + " scaling policy info 4f2a91c0"},
		bind: func(f *flags) action {
			out, verbose := f.structured(), f.verbose()
			return func(e *env, args []string) error {
				req := &n.ScalingPolicyListRequest{}
				if len(args) == 0 && !out.asked() {
					return failf("Which policy? Give its ID, or see '%s scaling policy list'", Name)
				}
				if len(args) == 1 {
					req.Prefix = args[0]
				}
				list, err := read(e, api.ScalingPolicyList, req)
				if err != nil {
					return e.trouble("Error querying scaling policy", err)
				}
				if len(args) == 0 {
					return out.print(e, list)
				}
				none := fmt.Sprintf("No scaling policies with prefix or ID %q found", args[0])
				stub, err := one(list, "scaling policies", none, func(l []*n.ScalingPolicyStub) string { return policyTable(l, false).String() })
				if err != nil {
					return err
				}
				return showPolicy(e, stub, out, *verbose)
			}
		},
	}
}

func showPolicy(e *env, stub *n.ScalingPolicyStub, out *structured, verbose bool) error {
	req := &n.ScalingPolicyQuery{PolicyID: stub.ID}
	req.Namespace = stub.Target["Namespace"]
	p, err := read(e, api.ScalingPolicyGet, req)
	switch {
	case err != nil:
		return e.trouble("Error querying scaling policy", err)
	case out.asked():
		return out.print(e, p)
	}
	number := func(v *int64) string {
		if v == nil {
			return ""
		}
		return strconv.FormatInt(*v, 10)
	}
	e.print(new(text.Pairs).Add("ID", id(p.ID, verbose)).Add("Enabled", strconv.FormatBool(p.Enabled)).
		Add("Target", policyTarget(p.Target)).Add("Min", number(p.Min)).Add("Max", number(p.Max)).String())
	policy, err := sortedJSON(p.Policy)
	if err != nil {
		return failf("Error formatting as JSON: %v", err)
	}
	e.print("\nPolicy:\n" + policy)
	return nil
}
