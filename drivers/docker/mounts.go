package docker

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"

	"github.com/nomadlike/nomadlike/plugins/drivers"
	"github.com/nomadlike/nomadlike/plugins/executor/processes"
)

// mounts shows the task what it is to see of the host. It makes directories
// and files in the task's directory.
func (s *spec) mounts(h *container.HostConfig) error {
	s.taskDirs(h)
	for _, v := range s.task.Volumes {
		bind, err := s.volume(v)
		if err != nil {
			return fmt.Errorf("volumes: %q: %w", v, err)
		}
		h.Binds = append(h.Binds, bind)
	}
	if s.task.VolumeDriver != "" && !s.plugin.Volumes.Enabled {
		return fmt.Errorf("volume_driver: %w", errVolumes)
	}
	for _, m := range slices.Concat(s.task.Mount, s.task.Mounts) {
		made, err := s.mount(&m)
		if err != nil {
			return fmt.Errorf("mount of %q: %w", m.Target, err)
		}
		h.Mounts = append(h.Mounts, *made)
	}
	for _, m := range s.run.Mounts {
		propagation, ok := propagations[m.PropagationMode]
		if !ok {
			return fmt.Errorf("mount of %q: unknown propagation mode %q", m.TaskPath, m.PropagationMode)
		}
		label := m.SELinuxLabel
		if label == "" {
			label = s.plugin.Volumes.SELinuxLabel
		}
		bind(h, bindMount{m.HostPath, m.TaskPath, m.ReadOnly, propagation, label})
	}
	return s.networkFiles(h)
}

var propagations = map[string]mount.Propagation{
	"": mount.PropagationRPrivate, "private": mount.PropagationRPrivate,
	"host-to-task": mount.PropagationRSlave, "bidirectional": mount.PropagationRShared,
}

// errVolumes says why what shows the task more of the host than its own
// directories is refused.
var errVolumes = errors.New("volumes are not enabled on this node; the operator can set volumes.enabled, " +
	"or the path can be relative to the task directory")

type bindMount struct {
	source, target string
	readOnly       bool
	propagation    mount.Propagation
	label          string
}

// bind adds a bind mount: as a mount, which fails when the source is not there,
// unless a label is wanted, which only the older form can say.
func bind(h *container.HostConfig, b bindMount) {
	if b.label == "" {
		h.Mounts = append(h.Mounts, mount.Mount{
			Type: mount.TypeBind, Source: b.source, Target: b.target, ReadOnly: b.readOnly,
			BindOptions: &mount.BindOptions{Propagation: b.propagation},
		})
		return
	}
	mode := []string{b.label}
	if b.propagation != "" {
		mode = append(mode, string(b.propagation))
	}
	if b.readOnly {
		mode = append(mode, "ro")
	}
	h.Binds = append(h.Binds, b.source+":"+b.target+":"+strings.Join(mode, ","))
}

func (s *spec) taskDirs(h *container.HostConfig) {
	dir, root := s.run.TaskDir(), "/"
	if s.engine.OSType == windows {
		root = `c:\`
	}
	label := s.plugin.Volumes.SELinuxLabel
	logs := "alloc/logs"
	if s.engine.OSType == windows {
		logs = `alloc\logs`
	}
	for _, b := range []bindMount{
		{source: dir.Shared, target: root + "alloc"},
		{source: dir.Local, target: root + "local"},
		{source: dir.Secrets, target: root + "secrets"},
		{source: dir.Logs, target: root + logs, readOnly: true},
	} {
		b.label = label
		if s.engine.OSType != windows {
			b.propagation = mount.PropagationRPrivate
		}
		bind(h, b)
	}
}

// volume checks and completes an entry of volumes, "source:target[:mode]".
func (s *spec) volume(entry string) (string, error) {
	source, rest, ok := cutSource(entry)
	if !ok || source == "" || rest == "" {
		return "", errors.New("must be written as \"source:target[:mode]\"")
	}
	switch {
	case path.IsAbs(source) || windowsPath(source):
		if !s.plugin.Volumes.Enabled {
			return "", errVolumes
		}
	case !strings.ContainsAny(source, `/\.`) && s.plugin.Volumes.Enabled:
		// A name. Without leave for volumes it is a path, as it always was.
	case s.task.VolumeDriver != "":
		// What a name looks like is up to the volume driver.
	default:
		var err error
		if source, err = s.relative(source, true); err != nil {
			return "", err
		}
	}
	entry = source + ":" + rest
	if label := s.plugin.Volumes.SELinuxLabel; label != "" {
		sep := ":"
		if strings.Count(rest, ":") > 0 {
			sep = ","
		}
		entry += sep + label
	}
	return entry, nil
}

// cutSource cuts at the first colon that does not follow a drive's letter.
func cutSource(entry string) (source, rest string, ok bool) {
	from := 0
	if windowsPath(entry) && len(entry) > 2 && strings.ContainsRune(`\/`, rune(entry[2])) {
		from = 2
	}
	i := strings.IndexByte(entry[from:], ':')
	if i < 0 {
		return "", "", false
	}
	return entry[:from+i], entry[from+i+1:], true
}

// relative resolves a path of the task's directory on the host. The engine
// follows links as root of the host, and tasks can make links: so the path is
// what is left when all are followed, and must stay in the allocation.
func (s *spec) relative(p string, create bool) (string, error) {
	dir := s.run.TaskDir().Dir
	full := filepath.Join(dir, filepath.FromSlash(p))
	if !within(full, s.run.AllocDir) {
		return "", fmt.Errorf("path %q leaves the allocation directory", p)
	}
	if create {
		if err := s.createDir(full); err != nil {
			return "", err
		}
	}
	resolved, err := filepath.EvalSymlinks(full)
	if err != nil {
		return "", err
	}
	base, err := filepath.EvalSymlinks(s.run.AllocDir)
	if err != nil {
		return "", err
	}
	if !within(resolved, base) {
		return "", fmt.Errorf("path %q leaves the allocation directory by a symbolic link", p)
	}
	return resolved, nil
}

// local resolves a path of the task's local directory.
func (s *spec) local(p string) (string, error) { return s.relative(filepath.Join("local", p), false) }

func within(p, dir string) bool {
	rel, err := filepath.Rel(dir, p)
	return err == nil && filepath.IsLocal(rel)
}

// createDir makes the directory that a volume is of, if nothing is there.
func (s *spec) createDir(full string) error {
	root, err := os.OpenRoot(s.run.AllocDir)
	if err != nil {
		return err
	}
	defer root.Close()
	rel, err := filepath.Rel(s.run.AllocDir, full)
	if err != nil {
		return err
	}
	if _, err := root.Stat(rel); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return root.MkdirAll(rel, 0o777)
}

// mount checks and completes a mount block.
func (s *spec) mount(m *mountConfig) (*mount.Mount, error) {
	if m.Target == "" {
		return nil, errors.New("target is required")
	}
	out := &mount.Mount{Type: mount.Type(m.Type), Source: m.Source, Target: m.Target, ReadOnly: m.ReadOnly}
	switch out.Type {
	case mount.TypeBind:
		return out, s.bindOptions(m, out)
	case mount.TypeTmpfs:
		if m.Source != "" {
			return nil, errors.New("a tmpfs has no source")
		}
		if m.TmpfsOptions.Size < 0 || m.TmpfsOptions.Mode < 0 || m.TmpfsOptions.Mode > 0o7777 {
			return nil, errors.New("tmpfs_options: size must not be negative, mode must be from 0 to 4095 (octal 7777)")
		}
		out.TmpfsOptions = &mount.TmpfsOptions{SizeBytes: m.TmpfsOptions.Size, Mode: fs.FileMode(m.TmpfsOptions.Mode)}
	case mount.TypeVolume:
		v := &m.VolumeOptions
		options := v.Driver.Options.merged()
		// A volume's driver can be told to show any directory of the host.
		if !s.plugin.Volumes.Enabled && (len(options) > 0 || v.Driver.Name != "") {
			return nil, fmt.Errorf("driver_config: %w", errVolumes)
		}
		out.VolumeOptions = &mount.VolumeOptions{NoCopy: v.NoCopy, Labels: v.Labels.merged()}
		if v.Driver.Name != "" || len(options) > 0 {
			out.VolumeOptions.DriverConfig = &mount.Driver{Name: v.Driver.Name, Options: options}
		}
	default:
		return nil, fmt.Errorf("type %q must be bind, tmpfs or volume", m.Type)
	}
	return out, nil
}

func (s *spec) bindOptions(m *mountConfig, out *mount.Mount) error {
	propagation := mount.Propagation(m.BindOptions.Propagation)
	if propagation != "" && !slices.Contains(mount.Propagations, propagation) {
		return fmt.Errorf("bind_options: propagation %q must be one of %v", propagation, mount.Propagations)
	}
	out.BindOptions = &mount.BindOptions{Propagation: propagation}
	switch {
	case m.Source == "":
		return errors.New("source is required")
	case !path.IsAbs(m.Source) && !windowsPath(m.Source):
		var err error
		out.Source, err = s.relative(m.Source, false)
		return err
	case !s.plugin.Volumes.Enabled:
		return errVolumes
	}
	return nil
}

// networkFiles shows the task the files of the network that it shares or whose
// name servers the job chose, unless it mounts its own.
func (s *spec) networkFiles(h *container.HostConfig) error {
	if s.engine.OSType == windows {
		return nil
	}
	t := *s.run
	if s.grouped() && t.DNS == nil && len(s.task.DNSServers)+len(s.task.DNSSearch)+len(s.task.DNSOptions) > 0 {
		t.DNS = &drivers.DNS{Servers: s.task.DNSServers, Searches: s.task.DNSSearch, Options: s.task.DNSOptions}
	}
	made, err := processes.NetworkMounts(&t)
	if err != nil {
		return err
	}
	for _, m := range made {
		if mountsOwn(h, m.TaskPath) {
			continue
		}
		if m.TaskPath == "/etc/hosts" {
			if err := s.addHosts(m.HostPath); err != nil {
				return err
			}
		}
		bind(h, bindMount{m.HostPath, m.TaskPath, m.ReadOnly, mount.PropagationRPrivate, s.plugin.Volumes.SELinuxLabel})
	}
	return nil
}

// mountsOwn reports whether something is mounted at a path already.
func mountsOwn(h *container.HostConfig, target string) bool {
	return slices.ContainsFunc(h.Mounts, func(m mount.Mount) bool { return path.Clean(m.Target) == target }) ||
		slices.ContainsFunc(h.Binds, func(b string) bool {
			_, rest, _ := cutSource(b)
			to, _, _ := strings.Cut(rest, ":")
			return path.Clean(to) == target
		})
}

// addHosts adds the task's extra hosts to the file of a shared network, where
// the engine takes none.
func (s *spec) addHosts(file string) error {
	if len(s.task.ExtraHosts) == 0 {
		return nil
	}
	root, err := os.OpenRoot(s.run.TaskDir().Dir)
	if err != nil {
		return err
	}
	defer root.Close()
	name := filepath.Base(file)
	was, err := root.ReadFile(name)
	if err != nil {
		return err
	}
	var added strings.Builder
	for _, entry := range s.task.ExtraHosts {
		host, addr, ok := strings.Cut(entry, ":")
		if !ok || host == "" || addr == "" {
			return fmt.Errorf("extra_hosts: %q must be written as \"host:address\"", entry)
		}
		line := addr + " " + host + "\n"
		if !strings.Contains(string(was), "\n"+line) {
			added.WriteString(line)
		}
	}
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(added.String())
	return errors.Join(err, f.Close())
}
