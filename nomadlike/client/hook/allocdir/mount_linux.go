package allocdir

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// inMemory mounts a file system in memory on a directory, once. Agents without
// the right to do so leave the directory as it is.
func inMemory(dir string, mb int) error {
	if os.Geteuid() != 0 {
		return nil
	}
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return err
	}
	if st.Type == unix.TMPFS_MAGIC && mounted(dir) {
		return nil
	}
	const flags = unix.MS_NOEXEC | unix.MS_NOSUID | unix.MS_NODEV
	data := fmt.Sprintf("size=%dm,mode=777,uid=%d,gid=%d", mb, nobody, nobody)
	if err := unix.Mount("tmpfs", dir, "tmpfs", flags, data+",noswap"); err == nil {
		return nil
	}
	return unix.Mount("tmpfs", dir, "tmpfs", flags, data) // before Linux 6.4
}

// mounted reports whether something is mounted on dir itself.
func mounted(dir string) bool {
	var here, above unix.Stat_t
	if unix.Stat(dir, &here) != nil || unix.Stat(dir+"/..", &above) != nil {
		return false
	}
	return here.Dev != above.Dev
}

// unmountAll unmounts all that is mounted in a tree, the deepest first.
func unmountAll(dir string) error {
	for range 10 { // something may be mounted over something
		points, err := mounts(dir)
		if err != nil || len(points) == 0 {
			return err
		}
		for _, p := range points {
			err := unix.Unmount(p, unix.UMOUNT_NOFOLLOW)
			if errors.Is(err, unix.EBUSY) {
				err = unix.Unmount(p, unix.UMOUNT_NOFOLLOW|unix.MNT_DETACH)
			}
			if err != nil && !errors.Is(err, unix.EINVAL) {
				return fmt.Errorf("unmount %s: %w", p, err)
			}
		}
	}
	return errors.New("something is being mounted in it all the time")
}

// mounts lists what is mounted in a tree, the deepest first.
func mounts(dir string) ([]string, error) {
	b, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	var out []string
	for s := bufio.NewScanner(bytes.NewReader(b)); s.Scan(); {
		f := strings.Fields(s.Text())
		if len(f) < 5 {
			continue
		}
		if p := unescape(f[4]); p == dir || strings.HasPrefix(p, dir+"/") {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b string) int { return strings.Compare(b, a) })
	return out, nil
}

// unescape undoes how the kernel writes blanks in paths.
var unescape = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace
