package processes

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/nomadlike/nomadlike/plugins/drivers"
)

// NetworkMounts writes the files hosts and resolv.conf into the task's directory
// where its network asks for them, and returns the mounts that show them in /etc.
func NetworkMounts(t *drivers.TaskConfig) ([]drivers.Mount, error) {
	dir, err := os.OpenRoot(t.TaskDir().Dir)
	if err != nil {
		return nil, fmt.Errorf("open task directory: %w", err)
	}
	defer dir.Close()
	var out []drivers.Mount
	if t.DNS != nil {
		system, err := os.ReadFile("/etc/resolv.conf")
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		if err := replaceFile(dir, "resolv.conf", resolvConf(t.DNS, string(system))); err != nil {
			return nil, err
		}
		out = append(out, drivers.Mount{TaskPath: "/etc/resolv.conf", HostPath: filepath.Join(dir.Name(), "resolv.conf"), ReadOnly: true})
	}
	n := t.Network
	if n != nil && n.Mode == drivers.NetworkGroup && n.Hosts != nil && n.Hosts.Hostname != "" && n.Hosts.Address != "" {
		// Tasks may add to it, and find that again when they are restarted.
		if _, err := dir.Lstat("hosts"); errors.Is(err, fs.ErrNotExist) {
			if err := replaceFile(dir, "hosts", hosts(n.Hosts)); err != nil {
				return nil, err
			}
		}
		out = append(out, drivers.Mount{TaskPath: "/etc/hosts", HostPath: filepath.Join(dir.Name(), "hosts")})
	}
	return out, nil
}

// replaceFile writes a new file, whatever the task has left under its name.
func replaceFile(dir *os.Root, name, text string) error {
	if err := dir.RemoveAll(name); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	f, err := dir.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Chmod(0o644), f.Close())
}

func hosts(h *drivers.HostsConfig) string {
	return fmt.Sprintf("127.0.0.1 localhost\n::1 localhost\n::1 ip6-localhost ip6-loopback\n"+
		"fe00::0 ip6-localnet\nff00::0 ip6-mcastprefix\nff02::1 ip6-allnodes\nff02::2 ip6-allrouters\n\n%s %s\n", h.Address, h.Hostname)
}

// resolvConf takes from the system's file what the task does not say.
func resolvConf(d *drivers.DNS, system string) string {
	servers, searches, options := d.Servers, d.Searches, d.Options
	var own drivers.DNS
	for line := range strings.Lines(system) {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		switch f[0] {
		case "nameserver":
			own.Servers = append(own.Servers, f[1])
		case "search":
			own.Searches = f[1:]
		case "options":
			own.Options = append(own.Options, f[1:]...)
		}
	}
	if len(servers) == 0 {
		servers = own.Servers
	}
	if len(searches) == 0 {
		searches = own.Searches
	}
	if len(options) == 0 {
		options = own.Options
	}
	var b strings.Builder
	if len(searches) > 0 {
		fmt.Fprintf(&b, "search %s\n", strings.Join(searches, " "))
	}
	for _, s := range servers {
		fmt.Fprintf(&b, "nameserver %s\n", s)
	}
	if len(options) > 0 {
		fmt.Fprintf(&b, "options %s\n", strings.Join(options, " "))
	}
	return b.String()
}
