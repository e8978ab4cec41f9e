package admission

import (
	"maps"
	"path"
	"slices"
	"strings"

	n "github.com/nomadlike/nomadlike/nomadlike"
)

// Access modes of volumes; see the job specification reference, 3.9.
const (
	singleReader       = "single-node-reader-only"
	singleWriter       = "single-node-writer"
	singleSingleWriter = "single-node-single-writer"
	singleMultiWriter  = "single-node-multi-writer"
	multiReader        = "multi-node-reader-only"
	multiSingleWriter  = "multi-node-single-writer"
	multiMultiWriter   = "multi-node-multi-writer"
)

func (c *checks) volumes(g *n.Group) {
	for _, name := range slices.Sorted(maps.Keys(g.Volumes)) {
		v := g.Volumes[name]
		c.in("volume "+quote(name), "Volumes["+name+"]", func() {
			if v.Source == "" {
				c.add("Source", "source is missing: write the name or id of the volume")
			}
			if v.PerAlloc {
				c.perAlloc(g, v)
			}
			if v.AttachmentMode != "" {
				c.oneOf("AttachmentMode", "attachment_mode", v.AttachmentMode, "file-system", "block-device")
			}
			switch v.Type {
			case "host":
				c.hostVolume(v)
			case "csi":
				c.csiVolume(g, v)
			default:
				c.oneOf("Type", "type", v.Type, "host", "csi")
			}
		})
	}
}

func (c *checks) perAlloc(g *n.Group, v *n.VolumeRequest) {
	if g.Update != nil && g.Update.Canary > 0 {
		c.add("PerAlloc", "per_alloc does not go with update.canary: a canary would share the volume of the allocation that it is to replace")
	}
	if v.Sticky {
		c.add("PerAlloc", "per_alloc and sticky exclude each other")
	}
	if c.job.RunsEverywhere() {
		c.add("PerAlloc", "per_alloc does not go with %s jobs, whose allocations have no index", c.job.Type)
	}
}

func (c *checks) hostVolume(v *n.VolumeRequest) {
	c.oneOf("AccessMode", "access_mode", v.AccessMode, "", singleReader, singleWriter, singleSingleWriter, singleMultiWriter)
	if v.AccessMode == singleReader && !v.ReadOnly {
		c.add("AccessMode", "access_mode %s needs read_only = true", v.AccessMode)
	}
	if v.MountOptions != nil {
		c.add("MountOptions", "host volumes have no mount_options")
	}
}

func (c *checks) csiVolume(g *n.Group, v *n.VolumeRequest) {
	if v.AttachmentMode == "" {
		c.add("AttachmentMode", "attachment_mode is missing: file-system or block-device")
	}
	if v.AttachmentMode == "block-device" && v.MountOptions != nil {
		c.add("MountOptions", "mount_options do not go with attachment_mode block-device")
	}
	c.oneOf("AccessMode", "access_mode", v.AccessMode, singleReader, singleWriter, singleSingleWriter, singleMultiWriter, multiReader, multiSingleWriter, multiMultiWriter)
	if (v.AccessMode == singleReader || v.AccessMode == multiReader) && !v.ReadOnly {
		c.add("AccessMode", "access_mode %s needs read_only = true", v.AccessMode)
	}
	single := v.AccessMode == singleReader || v.AccessMode == singleWriter || v.AccessMode == multiSingleWriter && !v.ReadOnly
	if single && !v.PerAlloc && g.Count > 1 {
		c.add("AccessMode", "access_mode %s allows one allocation, but the group's count is %d: use per_alloc or another mode", v.AccessMode, g.Count)
	}
}

func (c *checks) mounts(g *n.Group, list []n.VolumeMount) {
	for i, m := range list {
		c.in(called("volume_mount", m.Volume, i), element("VolumeMounts", i), func() {
			switch {
			case m.Volume == "":
				c.add("Volume", "volume is missing: write the name of a volume of the group")
			case g.Volumes[m.Volume] == nil && !strings.Contains(m.Volume, "${"):
				c.add("Volume", "the group has no volume %q: %s", m.Volume, volumesOf(g))
			}
			if m.Destination == "" {
				c.add("Destination", "destination is missing: write where the task sees the volume, such as \"/data\"")
			}
			c.oneOf("PropagationMode", "propagation_mode", m.PropagationMode, "", "private", "host-to-task", "bidirectional")
			c.oneOf("SELinuxLabel", "selinux_label", m.SELinuxLabel, "", "z", "Z")
		})
	}
}

// volumesOf says which volumes a group has.
func volumesOf(g *n.Group) string {
	if len(g.Volumes) == 0 {
		return "write a volume block in the group"
	}
	return "it has " + strings.Join(slices.Sorted(maps.Keys(g.Volumes)), ", ")
}

func (c *checks) storagePlugin(p *n.CSIPlugin) {
	if p == nil {
		return
	}
	c.in("csi_plugin", "CSIPluginConfig", func() {
		if p.ID == "" {
			c.add("ID", "id is missing: write the name of the plugin")
		}
		c.oneOf("Type", "type", p.Type, "node", "controller", "monolith")
		if below(p.StagePublishBaseDir, p.MountDir) {
			c.add("StagePublishBaseDir", "stage_publish_base_dir %q must not lie under mount_dir %q", p.StagePublishBaseDir, p.MountDir)
		}
	})
}

func below(file, dir string) bool {
	return strings.HasPrefix(path.Clean(file)+"/", strings.TrimRight(path.Clean(dir), "/")+"/")
}
