package command

import (
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/posener/complete"
)

// flags are a verb's own flags and the general ones.
type flags struct {
	*flag.FlagSet
	general general
	common  map[string]bool
}

// general are the flags that every command takes.
type general struct {
	address, region, namespace, token          string
	caCert, caPath, clientCert, clientKey, sni string
	skipVerify, insecure, noColor, forceColor  bool
}

func newFlags(v *verb) *flags {
	f := &flags{FlagSet: flag.NewFlagSet(v.name, flag.ContinueOnError), common: map[string]bool{}}
	f.SetOutput(io.Discard)
	f.Usage = func() {}
	if !v.local {
		f.asking()
	}
	return f
}

// asking adds the general flags, of commands that ask an agent.
func (f *flags) asking() {
	g := &f.general
	f.StringVar(&g.address, "address", "", "the `url` of the agent to ask: http, https or unix:///path (NOMAD_ADDR, http://127.0.0.1:4646)")
	f.StringVar(&g.region, "region", "", "the `region` to ask, through whichever agent (NOMAD_REGION)")
	f.StringVar(&g.namespace, "namespace", "", "the `namespace` to look in; * is all that you may see (NOMAD_NAMESPACE, default)")
	f.StringVar(&g.token, "token", "", "the `secret` of your ACL token (NOMAD_TOKEN)")
	f.StringVar(&g.caCert, "ca-cert", "", "a PEM `file` of the authority to trust; wins over -ca-path (NOMAD_CACERT)")
	f.StringVar(&g.caPath, "ca-path", "", "a `directory` of such files (NOMAD_CAPATH)")
	f.StringVar(&g.clientCert, "client-cert", "", "a PEM `file` to show to the agent; needs -client-key (NOMAD_CLIENT_CERT)")
	f.StringVar(&g.clientKey, "client-key", "", "the key `file` of -client-cert (NOMAD_CLIENT_KEY)")
	f.StringVar(&g.sni, "tls-server-name", "", "the `name` that the agent's certificate must have (NOMAD_TLS_SERVER_NAME)")
	f.BoolVar(&g.skipVerify, "tls-skip-verify", false, "trust any certificate; for tests alone (NOMAD_SKIP_VERIFY)")
	f.BoolVar(&g.insecure, "insecure", false, "the same as -tls-skip-verify")
	f.BoolVar(&g.noColor, "no-color", false, "never colour (NOMAD_CLI_NO_COLOR, NO_COLOR)")
	f.BoolVar(&g.forceColor, "force-color", false, "colour without a terminal too (NOMAD_CLI_FORCE_COLOR)")
	f.VisitAll(func(fl *flag.Flag) { f.common[fl.Name] = true })
}

// given reports whether a flag was written.
func (f *flags) given(name string) (found bool) {
	f.Visit(func(fl *flag.Flag) { found = found || fl.Name == name })
	return found
}

// own reports whether the verb has flags of its own.
func (f *flags) own() bool {
	found := false
	f.VisitAll(func(fl *flag.Flag) { found = found || !f.common[fl.Name] })
	return found
}

// structured adds the two flags of commands whose output scripts may read.
func (f *flags) structured() *structured {
	s := &structured{}
	f.BoolVar(&s.json, "json", false, "print the API's answer as JSON")
	f.StringVar(&s.template, "t", "", "print it through a Go `template`, as '{{range .}}{{.ID}} {{end}}'; sprig's functions are there as sprig_<name>")
	return s
}

func (f *flags) verbose() *bool {
	return f.Bool("verbose", false, "show full IDs and whatever else there is to know")
}

// list adds a flag that may be given several times.
func (f *flags) list(name, usage string) *[]string {
	var values []string
	f.Var((*listValue)(&values), name, usage)
	return &values
}

type listValue []string

func (l *listValue) String() string { return "" }
func (l *listValue) Set(s string) error {
	*l = append(*l, s)
	return nil
}

// A maybeBool is a flag that was not given, or says yes or no.
type maybeBool struct{ value *bool }

func (m *maybeBool) IsBoolFlag() bool { return true }
func (m *maybeBool) String() string   { return "" }
func (m *maybeBool) Set(s string) error {
	switch s {
	case "true", "1", "t":
		m.value = new(bool)
		*m.value = true
	case "false", "0", "f":
		m.value = new(bool)
	default:
		return fmt.Errorf("want true or false")
	}
	return nil
}

func (f *flags) maybe(name, usage string) *maybeBool {
	m := &maybeBool{}
	f.Var(m, name, usage)
	return m
}

const (
	flagColumn = 26
	helpWidth  = 90
)

// describe lists either the general flags or the others.
func (f *flags) describe(common bool) string {
	var b strings.Builder
	f.VisitAll(func(fl *flag.Flag) {
		if f.common[fl.Name] != common {
			return
		}
		value, usage := flag.UnquoteUsage(fl)
		head := "  -" + fl.Name
		if !isBool(fl) {
			head += "=<" + value + ">"
		}
		if def := fl.DefValue; def != "" && def != "false" && def != "0" && def != "0s" && def != "-1" {
			usage += " (default " + def + ")"
		}
		lines := wrap(usage, helpWidth-flagColumn)
		if len(head) > flagColumn-2 {
			b.WriteString(head + "\n")
			head = ""
		}
		for _, l := range lines {
			fmt.Fprintf(&b, "%-*s%s\n", flagColumn, head, l)
			head = ""
		}
	})
	return b.String()
}

func isBool(fl *flag.Flag) bool {
	b, ok := fl.Value.(interface{ IsBoolFlag() bool })
	return ok && b.IsBoolFlag()
}

// wrap breaks a sentence into lines.
func wrap(s string, width int) (lines []string) {
	line := ""
	for _, w := range strings.Fields(s) {
		if line != "" && len(line)+1+len(w) > width {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimPrefix(line+" "+w, " ")
	}
	return append(lines, line)
}

func (f *flags) complete() complete.Flags {
	all := complete.Flags{}
	f.VisitAll(func(fl *flag.Flag) {
		value, _ := flag.UnquoteUsage(fl)
		switch {
		case isBool(fl):
			all["-"+fl.Name] = complete.PredictNothing
		case slices.Contains([]string{"file", "directory"}, value):
			all["-"+fl.Name] = complete.PredictFiles("*")
		case value == "field":
			all["-"+fl.Name] = complete.PredictFunc(fieldNames)
		default:
			all["-"+fl.Name] = complete.PredictAnything
		}
	})
	return all
}
