package jobspec

import (
	"reflect"

	"github.com/hashicorp/hcl/v2"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// shared is what a job or group may write for its tasks; the types know it at
// tasks only. See the job specification reference, 3.
type shared struct {
	vault   *n.Vault
	secrets []n.Secret
}

func jobVault(d *decoder, b scoped, _ reflect.Value) hcl.Diagnostics {
	if d.ofJob.vault != nil {
		return hcl.Diagnostics{fault(b.DefRange(), "Duplicate block", "there can be one \"vault\" block in a job")}
	}
	return d.sharedVault(b, &d.ofJob)
}

// groupVault lets the last of several blocks win, as it always did.
func groupVault(d *decoder, b scoped, _ reflect.Value) hcl.Diagnostics {
	return d.sharedVault(b, &d.ofGroup)
}

func (d *decoder) sharedVault(b scoped, to *shared) hcl.Diagnostics {
	v := d.make(reflect.TypeFor[n.Vault]())
	to.vault = v.Interface().(*n.Vault)
	return d.labelled(b, v.Elem())
}

func jobSecret(d *decoder, b scoped, _ reflect.Value) hcl.Diagnostics {
	return d.into(b, reflect.ValueOf(&d.ofJob.secrets).Elem())
}

func groupSecret(d *decoder, b scoped, _ reflect.Value) hcl.Diagnostics {
	return d.into(b, reflect.ValueOf(&d.ofGroup.secrets).Elem())
}

// taskRead gives a task what its job and group wrote for it. In JSON that is
// folded into the tasks already.
func taskRead(d *decoder, v reflect.Value, _ map[string]bool) error {
	if d == nil {
		return nil
	}
	t := v.Addr().Interface().(*n.Task)
	for _, above := range []shared{d.ofGroup, d.ofJob} {
		if t.Vault == nil && above.vault != nil {
			inherited := *above.vault
			t.Vault = &inherited
		}
	}
	if len(t.Secrets) == 0 {
		t.Secrets = append(t.Secrets, d.ofGroup.secrets...)
	}
	t.Secrets = append(t.Secrets, d.ofJob.secrets...)
	return nil
}
