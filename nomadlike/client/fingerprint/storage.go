package fingerprint

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/shirou/gopsutil/v4/disk"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

func storage(ctx context.Context, c *Config, node *n.Node) error {
	dir := existing(c.AllocDir)
	usage, err := disk.UsageWithContext(ctx, dir)
	if err != nil {
		return err
	}
	total, free := usage.Total, usage.Free
	if c.DiskMB > 0 {
		total = uint64(c.DiskMB) << 20
		free = total
	}
	put(node, "unique.storage.bytestotal", total)
	node.NodeResources.Disk.DiskMB = int64(free >> 20)
	parts, err := disk.PartitionsWithContext(ctx, true)
	if err != nil {
		return err
	}
	put(node, "unique.storage.volume", volume(parts, dir))
	return nil
}

// volume is the device of the file system that holds dir: the one mounted
// nearest above it, and of those at one place the last.
func volume(parts []disk.PartitionStat, dir string) string {
	var best disk.PartitionStat
	for _, p := range parts {
		if within(dir, p.Mountpoint) && len(p.Mountpoint) >= len(best.Mountpoint) {
			best = p
		}
	}
	return best.Device
}

func within(dir, mountpoint string) bool {
	return dir == mountpoint || strings.HasPrefix(dir, strings.TrimSuffix(mountpoint, "/")+"/")
}

// existing is the nearest directory above dir, or dir itself, that is there.
func existing(dir string) string {
	for {
		real, err := filepath.EvalSymlinks(dir)
		if err == nil {
			return real
		}
		if parent := filepath.Dir(dir); parent != dir && os.IsNotExist(err) {
			dir = parent
			continue
		}
		return dir
	}
}
