package exec

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/nomadlike/nomadlike/plugins/drivers"
	"github.com/nomadlike/nomadlike/plugins/executor"
	"github.com/nomadlike/nomadlike/plugins/executor/processes"
	"github.com/nomadlike/nomadlike/plugins/hclspec"
)

// spec says how a task is run.
func (d *Driver) spec(t *drivers.TaskConfig) (*executor.Spec, error) {
	c := d.current()
	var tc taskConfig
	if err := hclspec.Unmarshal(t.DriverConfig, &tc); err != nil {
		return nil, err
	}
	if err := tc.complete(&c); err != nil {
		return nil, err
	}
	env := d.Agent().ChrootEnv
	if env == nil {
		env = defaultChrootEnv
	}
	spec := d.Spec(t)
	umask, score := 0o022, 0
	spec.Root, spec.NoPivot, spec.Dir = t.TaskDir().Dir, c.NoPivotRoot, tc.WorkDir
	spec.PIDNamespace, spec.IPCNamespace = tc.PIDMode == modePrivate, tc.IPCMode == modePrivate
	spec.Umask, spec.OOMScoreAdj = &umask, &score
	spec.Cgroup.Required = true
	spec.Args = tc.Args
	if err := setUser(spec, t, &c, &tc); err != nil {
		return nil, err
	}
	var err error
	if spec.Command, err = lookup(t, env, tc.Command); err != nil {
		return nil, err
	}
	if spec.Mounts, err = mounts(t, env); err != nil {
		return nil, err
	}
	spec.Devices, spec.Cgroup.DeviceRules, err = devices(t)
	return spec, err
}

// complete fills in the plugin's defaults and checks.
func (tc *taskConfig) complete(c *config) error {
	if tc.PIDMode == "" {
		tc.PIDMode = c.DefaultPIDMode
	}
	if tc.IPCMode == "" {
		tc.IPCMode = c.DefaultIPCMode
	}
	if tc.WorkDir == "" {
		tc.WorkDir = "/"
	}
	if !filepath.IsAbs(tc.WorkDir) {
		return fmt.Errorf("work_dir must be an absolute path: %s", tc.WorkDir)
	}
	return errors.Join(validateMode("pid_mode", tc.PIDMode), validateMode("ipc_mode", tc.IPCMode))
}

func setUser(spec *executor.Spec, t *drivers.TaskConfig, c *config, tc *taskConfig) error {
	name := t.User
	if name == "" {
		name = defaultUser
	}
	u, err := executor.LookupUser(name)
	if err != nil {
		return err
	}
	if err := executor.Deny(u, c.uids, c.gids); err != nil {
		return err
	}
	spec.User = u
	caps, err := capabilities(c.AllowCaps, tc.CapAdd, tc.CapDrop)
	if err != nil {
		return err
	}
	if u.UID == 0 {
		caps = caps[:0]
		for n := range executor.LegacyCapabilities {
			caps = append(caps, n)
		}
	}
	spec.Capabilities = &executor.Capabilities{Set: executor.Available(caps)}
	env := maps.Clone(t.Env)
	if env == nil {
		env = map[string]string{}
	}
	env["USER"], env["LOGNAME"], env["HOME"] = u.Name, u.Name, u.Home
	spec.Env = processes.Environ(env)
	return nil
}

// lookup finds the command and returns its path inside of the root: what came
// with the task, what its volumes hold, and then the usual directories.
func lookup(t *drivers.TaskConfig, env map[string]string, command string) (string, error) {
	dir := t.TaskDir()
	for _, try := range []struct{ host, inside string }{{dir.Local, "/local"}, {dir.Dir, "/"}} {
		host := filepath.Join(try.host, command)
		st, err := os.Lstat(host)
		if err != nil || !st.Mode().IsRegular() {
			continue
		}
		if st.Mode()&0o111 != 0o111 {
			if err := os.Chmod(host, st.Mode().Perm()|0o555); err != nil {
				return "", fmt.Errorf("make %s executable: %w", host, err)
			}
		}
		return filepath.Join(try.inside, command), nil
	}
	for _, m := range t.Mounts {
		if rest, ok := strings.CutPrefix(command, strings.TrimSuffix(m.TaskPath, "/")+"/"); ok && isFile(filepath.Join(m.HostPath, rest)) {
			return command, nil
		}
		if host := filepath.Join(m.HostPath, command); !filepath.IsAbs(command) && isFile(host) {
			return filepath.Join(m.TaskPath, command), nil
		}
	}
	if strings.Contains(command, "/") {
		inside := filepath.Join("/", command)
		if isFile(hostPath(env, inside)) {
			return inside, nil
		}
		return "", fmt.Errorf("file %s not found under path %s", command, dir.Dir)
	}
	for _, bin := range []string{"/usr/local/bin", "/usr/bin", "/bin"} {
		if inside := filepath.Join(bin, command); isFile(hostPath(env, inside)) {
			return inside, nil
		}
	}
	return "", fmt.Errorf("file %s not found under path %s", command, dir.Dir)
}

func isFile(path string) bool {
	st, err := os.Stat(path)
	return path != "" && err == nil && !st.IsDir()
}

// hostPath is where a path of the root comes from, empty for nowhere.
func hostPath(env map[string]string, inside string) string {
	best, from := "", ""
	for source, target := range env {
		target = filepath.Clean("/" + target)
		if (inside == target || strings.HasPrefix(inside, target+"/")) && len(target) > len(best) {
			best, from = target, source
		}
	}
	if best == "" {
		return ""
	}
	return from + inside[len(best):]
}

// The flags of file systems that hold no programs.
const plain = unix.MS_NOSUID | unix.MS_NOEXEC | unix.MS_NODEV

// mounts lists what the root is made of, in order.
func mounts(t *drivers.TaskConfig, env map[string]string) ([]executor.Mount, error) {
	dir := t.TaskDir()
	out := []executor.Mount{
		// For the agent's eyes only.
		{Type: "tmpfs", Target: "/private", Flags: plain, Data: "size=4k,mode=000", ReadOnly: true},
		{Source: dir.Shared, Target: "/alloc"},
	}
	host, err := hostMounts(env)
	if err != nil {
		return nil, err
	}
	out = append(out, host...)
	out = append(out,
		executor.Mount{Type: "proc", Target: "/proc", Flags: plain},
		executor.Mount{Type: "tmpfs", Target: "/dev", Flags: unix.MS_NOSUID | unix.MS_STRICTATIME, Data: "mode=755,size=65536k"},
		executor.Mount{Type: "devpts", Target: "/dev/pts", Flags: unix.MS_NOSUID | unix.MS_NOEXEC, Data: "newinstance,ptmxmode=0666,mode=0620,gid=5"},
		executor.Mount{Type: "tmpfs", Target: "/dev/shm", Flags: plain, Data: "mode=1777,size=65536k"},
		executor.Mount{Type: "mqueue", Target: "/dev/mqueue", Flags: plain, Optional: true},
		executor.Mount{Type: "sysfs", Target: "/sys", Flags: plain, ReadOnly: true},
		executor.Symlink("/proc/self/fd", "/dev/fd"),
		executor.Symlink("/proc/self/fd/0", "/dev/stdin"),
		executor.Symlink("/proc/self/fd/1", "/dev/stdout"),
		executor.Symlink("/proc/self/fd/2", "/dev/stderr"),
		executor.Symlink("pts/ptmx", "/dev/ptmx"),
		executor.Mount{Source: os.DevNull, Target: "/proc/kcore", Optional: true},
		executor.Mount{Type: "tmpfs", Target: "/sys/firmware", Flags: plain, ReadOnly: true, Optional: true},
	)
	for _, p := range []string{"/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus"} {
		out = append(out, executor.Mount{Source: executor.Inside(p), Target: p, ReadOnly: true, Optional: true})
	}
	network, err := processes.NetworkMounts(t)
	if err != nil {
		return nil, err
	}
	for _, m := range append(network, t.Mounts...) {
		v, err := volume(m)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// hostMounts shows the host's directories read-only, and links as links.
func hostMounts(env map[string]string) ([]executor.Mount, error) {
	bySource := slices.SortedFunc(maps.Keys(env), func(a, b string) int { return strings.Compare(env[a], env[b]) })
	var out []executor.Mount
	for _, source := range bySource {
		target := filepath.Clean("/" + env[source])
		st, err := os.Lstat(source)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("chroot_env: %w", err)
		}
		if st.Mode()&os.ModeSymlink != 0 {
			to, err := os.Readlink(source)
			if err != nil {
				return nil, fmt.Errorf("chroot_env: %w", err)
			}
			out = append(out, executor.Symlink(to, target))
			continue
		}
		real, err := filepath.EvalSymlinks(source)
		if err != nil {
			return nil, fmt.Errorf("chroot_env: %w", err)
		}
		out = append(out, executor.Mount{Source: real, Target: target, ReadOnly: true})
	}
	return out, nil
}

func volume(m drivers.Mount) (executor.Mount, error) {
	if m.PropagationMode == "bidirectional" {
		return executor.Mount{}, fmt.Errorf("mount %s: bidirectional propagation is not supported", m.TaskPath)
	}
	source, err := filepath.EvalSymlinks(m.HostPath)
	if err != nil {
		return executor.Mount{}, fmt.Errorf("mount %s: %w", m.TaskPath, err)
	}
	return executor.Mount{
		Source: source, Target: filepath.Clean("/" + m.TaskPath), ReadOnly: m.ReadOnly, Propagation: m.PropagationMode,
	}, nil
}

// standardDevices are those of every container.
var standardDevices = []struct {
	name         string
	major, minor uint32
}{
	{"null", 1, 3}, {"zero", 1, 5}, {"full", 1, 7}, {"random", 1, 8}, {"urandom", 1, 9}, {"tty", 5, 0},
}

// devices lists the nodes to be made, and the rules that allow their use.
func devices(t *drivers.TaskConfig) ([]executor.Device, []string, error) {
	rules := []string{"c *:* m", "b *:* m", "c 136:* rwm", "c 5:2 rwm"}
	var out []executor.Device
	for _, s := range standardDevices {
		out = append(out, executor.Device{Path: "/dev/" + s.name, Mode: unix.S_IFCHR | 0o666, Major: s.major, Minor: s.minor})
		rules = append(rules, fmt.Sprintf("c %d:%d rwm", s.major, s.minor))
	}
	for _, d := range t.Devices {
		var st unix.Stat_t
		if err := unix.Stat(d.HostPath, &st); err != nil {
			return nil, nil, fmt.Errorf("device %s: %w", d.HostPath, err)
		}
		kind := "c"
		switch st.Mode & unix.S_IFMT {
		case unix.S_IFCHR:
		case unix.S_IFBLK:
			kind = "b"
		default:
			return nil, nil, fmt.Errorf("device %s: not a device", d.HostPath)
		}
		path := d.TaskPath
		if path == "" {
			path = d.HostPath
		}
		permissions := d.CgroupPermissions
		if permissions == "" {
			permissions = "rwm"
		}
		major, minor := unix.Major(uint64(st.Rdev)), unix.Minor(uint64(st.Rdev)) //nolint:unconvert // 32 bits on some architectures
		out = append(out, executor.Device{
			Path: filepath.Clean("/" + path), Mode: st.Mode, Major: major, Minor: minor, UID: st.Uid, GID: st.Gid,
		})
		rules = append(rules, fmt.Sprintf("%s %d:%d %s", kind, major, minor, permissions))
	}
	return out, rules, nil
}
