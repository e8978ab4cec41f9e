package admission

import (
	"encoding/hex"
	"strconv"
	"strings"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// digests are the lengths, in bytes, of the sums that a checksum may be.
var digests = map[string]int{"md5": 16, "sha1": 20, "sha256": 32, "sha512": 64}

func (c *checks) artifacts(t *n.Task) {
	for i, a := range t.Artifacts {
		c.in(called("artifact", a.GetterSource, i), element("Artifacts", i), func() {
			if a.GetterSource == "" {
				c.add("GetterSource", "source is missing: write where to fetch it from")
			}
			c.oneOf("GetterMode", "mode", a.GetterMode, "any", "file", "dir")
			if leaves("x/" + a.RelativeDest) {
				c.add("RelativeDest", "destination %q leads out of the allocation's directory", a.RelativeDest)
			}
			if sum, ok := a.GetterOptions["checksum"]; ok && !strings.Contains(sum, "${") {
				c.checksum(strings.TrimSpace(sum))
			}
		})
	}
}

func (c *checks) checksum(sum string) {
	kind, text, ok := strings.Cut(sum, ":")
	length := digests[kind]
	if !ok || length == 0 {
		c.add("GetterOptions", "checksum %q must be md5:, sha1:, sha256: or sha512: and hexadecimal digits", sum)
		return
	}
	if len(text) != 2*length {
		c.add("GetterOptions", "checksum %q must have %d hexadecimal digits after %s:, not %d", sum, 2*length, kind, len(text))
	} else if _, err := hex.DecodeString(text); err != nil {
		c.add("GetterOptions", "checksum %q must have hexadecimal digits after %s:, 0 to 9 and a to f", sum, kind)
	}
}

func (c *checks) templates(t *n.Task) {
	taken := map[string]bool{}
	for i := range t.Templates {
		x := &t.Templates[i]
		c.in(called("template", x.DestPath, i), element("Templates", i), func() {
			if x.SourcePath == "" && x.EmbeddedTmpl == "" {
				c.add("EmbeddedTmpl", "it has nothing to render: write data or source")
			}
			switch {
			case x.DestPath == "":
				c.add("DestPath", "destination is missing: write the file to render, such as \"local/app.conf\"")
			case leaves("x/" + x.DestPath):
				c.add("DestPath", "destination leads out of the allocation's directory")
			case taken[x.DestPath]:
				c.add("DestPath", "another template of the task has the same destination")
			}
			taken[x.DestPath] = true
			c.change(x)
			if x.Splay < 0 {
				c.add("Splay", "splay is %s and must not be negative", x.Splay)
			}
			if p, err := strconv.ParseUint(x.Perms, 8, 12); x.Perms != "" && (err != nil || p > 0o7777) {
				c.add("Perms", "perms %q must be an octal mode such as \"0644\"", x.Perms)
			}
			if w := x.Wait; w != nil && w.Min != nil && w.Max != nil && *w.Min > *w.Max {
				c.add("Wait", "wait.min %s is longer than wait.max %s", *w.Min, *w.Max)
			}
		})
	}
}

// change checks what happens when a template's content changes.
func (c *checks) change(x *n.Template) {
	c.oneOf("ChangeMode", "change_mode", x.ChangeMode, "noop", "signal", "restart", "script")
	switch {
	case x.ChangeMode == "signal" && x.ChangeSignal == "":
		c.add("ChangeSignal", "change_mode signal needs change_signal, such as \"SIGHUP\"")
	case x.ChangeMode == "signal" && x.Envvars:
		c.add("Envvars", "env = true does not go with change_mode signal: a running process does not see a new environment")
	case x.ChangeMode == "script" && x.ChangeScript == nil:
		c.add("ChangeMode", "change_mode script needs a change_script block")
	case x.ChangeMode == "script" && x.ChangeScript.Command == "":
		c.add("ChangeScript.Command", "change_script has no command")
	}
}
