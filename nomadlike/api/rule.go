package api

// A Rule says who may make a call. The zero value allows nobody, so that a row
// can not be open by omission.
type Rule struct {
	// Anyone needs no token at all.
	Anyone bool
	// Peer is for servers and clients of the cluster, which prove it with TLS or
	// a node's secret.
	Peer bool
	// Namespace lists capabilities of which one is needed in the request's
	// namespace.
	Namespace []string
	// Node, Agent and Operator are "read" or "write".
	Node, Agent, Operator string
	// Management needs a management token.
	Management bool
}

var (
	anyone        = Rule{Anyone: true}
	peer          = Rule{Peer: true}
	nodeRead      = Rule{Node: "read"}
	nodeWrite     = Rule{Node: "write"}
	agentRead     = Rule{Agent: "read"}
	agentWrite    = Rule{Agent: "write"}
	operatorRead  = Rule{Operator: "read"}
	operatorWrite = Rule{Operator: "write"}
	management    = Rule{Management: true}
)

func namespace(caps ...string) Rule { return Rule{Namespace: caps} }
