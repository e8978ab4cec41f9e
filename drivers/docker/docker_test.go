package docker

import (
	"archive/tar"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/nomadlike/nomadlike/plugins/drivers"
	"github.com/nomadlike/nomadlike/plugins/drivertest"
)

const shellImage = "nomadlike-drivertest:1"

// makeImage makes an image of a static shell, once for all tests.
var makeImage = sync.OnceValue(func() error {
	shell, err := os.ReadFile("/bin/busybox")
	if err != nil {
		return err
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	add := func(h tar.Header, content []byte) {
		h.Size = int64(len(content))
		if err == nil {
			err = w.WriteHeader(&h)
		}
		if err == nil {
			_, err = w.Write(content)
		}
	}
	add(tar.Header{Name: "bin/busybox", Mode: 0o755}, shell)
	for _, name := range strings.Fields("sh cat echo grep head id kill ls mkdir mount printf ps pwd rm setsid sleep stat stty tr true wc env touch dd seq test") {
		add(tar.Header{Name: "bin/" + name, Linkname: "busybox", Typeflag: tar.TypeSymlink, Mode: 0o777}, nil)
	}
	add(tar.Header{Name: "tmp/", Typeflag: tar.TypeDir, Mode: 0o1777}, nil)
	add(tar.Header{Name: "etc/passwd", Mode: 0o644}, []byte("root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n"))
	add(tar.Header{Name: "etc/group", Mode: 0o644}, []byte("root:x:0:\nnogroup:x:65534:\n"))
	if err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	load := exec.Command("docker", "import", "-", shellImage)
	load.Stdin = &b
	if out, err := load.CombinedOutput(); err != nil {
		return fmt.Errorf("docker import: %w: %s", err, out)
	}
	return nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	_ = exec.Command("docker", "image", "rm", "-f", shellImage).Run()
	os.Exit(code)
}

// engine ends the test where no engine answers, and makes the image.
func engine(t *testing.T) {
	t.Helper()
	if err := exec.Command("docker", "version").Run(); err != nil {
		drivertest.Missing(t, "a Docker engine")
	}
	if err := makeImage(); err != nil {
		t.Fatal(err)
	}
}

func shell(script string) map[string]any {
	return map[string]any{
		"image": shellImage, "command": "/bin/sh", "args": []string{"-c", script},
		// The engine itself drops what is beyond its limit.
		"logging": []map[string]any{{"type": "json-file", "config": []map[string]any{{"max-size": "100m", "max-file": "2"}}}},
	}
}

// leftovers lists the containers of a task.
func leftovers(c *drivers.TaskConfig) []string {
	out, err := exec.Command("docker", "ps", "-a", "--format", "{{.Names}}", "--filter", "label=com.hashicorp.nomad.alloc_id="+c.AllocID).Output()
	if err != nil {
		return []string{err.Error()}
	}
	return strings.Fields(string(out))
}

func TestConformance(t *testing.T) {
	engine(t)
	drivertest.Run(t, func(*testing.T) drivertest.Setup {
		with := func(key string, value any) map[string]any {
			c := shell("exit 0")
			c[key] = value
			return c
		}
		return drivertest.Setup{
			New:   func() drivers.Driver { return New(nil) },
			Shell: shell,
			User:  "nobody",
			Invalid: []drivertest.Invalid{
				{Config: map[string]any{}, Field: "image"},
				{Config: with("args", "x"), Field: "args"},
				{Config: with("cap_add", []string{"sys_admin"}), Field: "cap"},
				{Config: with("privileged", true), Field: "privileged"},
				{Config: with("ports", []string{"nonesuch"}), Field: "nonesuch"},
				{Config: with("volumes", []string{"/etc:/mnt"}), Field: "volumes"},
			},
			Leftovers: leftovers,
		}
	})
}
