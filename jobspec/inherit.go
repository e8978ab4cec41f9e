package jobspec

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/hashicorp/hcl/v2"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// shared is what a job or group may write for its tasks; the types know it at
// tasks only. See the job specification reference, 3.
type shared struct {
	vault   *n.Vault
	secrets []n.Secret
	marks   []string // paths as in a task, without the task's own
}

func jobVault(d *decoder, b scoped, _ reflect.Value, _ string) hcl.Diagnostics {
	if d.ofJob.vault != nil {
		return hcl.Diagnostics{fault(b.DefRange(), "a second vault block", "there can be one in a job")}
	}
	return d.shared(b, &d.ofJob)
}

// groupVault lets the last of several blocks win, as it always did.
func groupVault(d *decoder, b scoped, _ reflect.Value, _ string) hcl.Diagnostics {
	var diags hcl.Diagnostics
	if d.ofGroup.vault != nil {
		w := fault(b.DefRange(), "a second vault block", "it replaces the first: remove one")
		w.Severity = hcl.DiagWarning
		diags = append(diags, w)
	}
	return append(diags, d.shared(b, &d.ofGroup)...)
}

func jobSecret(d *decoder, b scoped, _ reflect.Value, _ string) hcl.Diagnostics {
	return d.shared(b, &d.ofJob)
}

func groupSecret(d *decoder, b scoped, _ reflect.Value, _ string) hcl.Diagnostics {
	return d.shared(b, &d.ofGroup)
}

// shared reads a block for all tasks below.
func (d *decoder) shared(b scoped, to *shared) hcl.Diagnostics {
	since := len(d.marked)
	defer func() { to.marks = append(to.marks, d.marked[since:]...) }()
	if b.Type == "secret" {
		return d.into(b, reflect.ValueOf(&to.secrets).Elem(), "Secrets")
	}
	v := d.make(reflect.TypeFor[n.Vault]())
	to.vault = v.Interface().(*n.Vault)
	d.mark("Vault", b.DefRange())
	return d.labelled(b, v.Elem(), "Vault")
}

// taskRead gives a task what its job and group wrote for it. In JSON that is
// folded into the tasks already.
func taskRead(d *decoder, v reflect.Value, _ map[string]bool, path string) error {
	if d == nil {
		return nil
	}
	t := v.Addr().Interface().(*n.Task)
	for _, above := range []*shared{&d.ofGroup, &d.ofJob} {
		if t.Vault == nil && above.vault != nil {
			inherited := *above.vault
			t.Vault = &inherited
			d.copyMarks(within(above.marks, "Vault"), "", path+".")
		}
	}
	if len(t.Secrets) == 0 && len(d.ofGroup.secrets) > 0 {
		t.Secrets = append(t.Secrets, d.ofGroup.secrets...)
		d.copyMarks(within(d.ofGroup.marks, "Secrets"), "", path+".")
	}
	for i, s := range d.ofJob.secrets {
		from := fmt.Sprintf("Secrets[%d]", i)
		d.copyMarks(within(d.ofJob.marks, from), from, fmt.Sprintf("%s.Secrets[%d]", path, len(t.Secrets)))
		t.Secrets = append(t.Secrets, s)
	}
	return nil
}

// within are the paths at or below one.
func within(paths []string, above string) (out []string) {
	for _, path := range paths {
		if rest, ok := strings.CutPrefix(path, above); ok && (rest == "" || rest[0] == '.' || rest[0] == '[') {
			out = append(out, path)
		}
	}
	return out
}
