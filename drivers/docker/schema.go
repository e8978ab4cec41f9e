package docker

import "github.com/nomadlike/nomadlike/plugins/hclspec"

// configSchema is that of the plugin block.
var configSchema = hclspec.NewObject(map[string]*hclspec.Spec{
	"endpoint": hclspec.NewAttr("endpoint", "string"),
	"auth": hclspec.NewBlock("auth", hclspec.NewObject(map[string]*hclspec.Spec{
		"config": hclspec.NewAttr("config", "string"),
		"helper": hclspec.NewAttr("helper", "string"),
	})),
	"tls": hclspec.NewBlock("tls", hclspec.NewObject(map[string]*hclspec.Spec{
		"cert": hclspec.NewAttr("cert", "string"),
		"key":  hclspec.NewAttr("key", "string"),
		"ca":   hclspec.NewAttr("ca", "string"),
	})),
	"allow_privileged": hclspec.NewAttr("allow_privileged", "bool"),
	"allow_caps":       hclspec.NewAttr("allow_caps", "list(string)"),
	"allow_runtimes":   hclspec.NewAttr("allow_runtimes", "list(string)"),
	"nvidia_runtime":   hclspec.NewDefaultAttr("nvidia_runtime", "string", `"nvidia"`),
	"allowed_modes": hclspec.NewBlock("allowed_modes", hclspec.NewObject(map[string]*hclspec.Spec{
		"pid":    hclspec.NewAttr("pid", "list(string)"),
		"ipc":    hclspec.NewAttr("ipc", "list(string)"),
		"userns": hclspec.NewAttr("userns", "list(string)"),
		"uts":    hclspec.NewAttr("uts", "list(string)"),
	})),
	"volumes": hclspec.NewBlock("volumes", hclspec.NewObject(map[string]*hclspec.Spec{
		"enabled":      hclspec.NewAttr("enabled", "bool"),
		"selinuxlabel": hclspec.NewAttr("selinuxlabel", "string"),
	})),
	"gc": withDefault(hclspec.NewBlock("gc", hclspec.NewObject(map[string]*hclspec.Spec{
		"image":       hclspec.NewDefaultAttr("image", "bool", "true"),
		"image_delay": hclspec.NewDefaultAttr("image_delay", "string", `"3m"`),
		"container":   hclspec.NewDefaultAttr("container", "bool", "true"),
		"dangling_containers": withDefault(hclspec.NewBlock("dangling_containers", hclspec.NewObject(map[string]*hclspec.Spec{
			"enabled":        hclspec.NewDefaultAttr("enabled", "bool", "true"),
			"period":         hclspec.NewDefaultAttr("period", "string", `"5m"`),
			"creation_grace": hclspec.NewDefaultAttr("creation_grace", "string", `"5m"`),
			"dry_run":        hclspec.NewDefaultAttr("dry_run", "bool", "false"),
		})), defaultDangling),
	})), `{ image = true, image_delay = "3m", container = true, dangling_containers = `+defaultDangling+` }`),
	"extra_labels": hclspec.NewAttr("extra_labels", "list(string)"),
	"logging": hclspec.NewBlock("logging", hclspec.NewObject(map[string]*hclspec.Spec{
		"type":   hclspec.NewAttr("type", "string"),
		"config": hclspec.NewBlockAttrs("config", "string"),
	})),
	"infra_image":                            hclspec.NewAttr("infra_image", "string"),
	"infra_image_pull_timeout":               hclspec.NewDefaultAttr("infra_image_pull_timeout", "string", `"5m"`),
	"image_pull_timeout":                     hclspec.NewDefaultAttr("image_pull_timeout", "string", `"5m"`),
	"pull_activity_timeout":                  hclspec.NewDefaultAttr("pull_activity_timeout", "string", `"2m"`),
	"container_exists_attempts":              hclspec.NewDefaultAttr("container_exists_attempts", "number", "5"),
	"oom_score_adj":                          hclspec.NewAttr("oom_score_adj", "number"),
	"pids_limit":                             hclspec.NewAttr("pids_limit", "number"),
	"disable_log_collection":                 hclspec.NewAttr("disable_log_collection", "bool"),
	"windows_allow_insecure_container_admin": hclspec.NewAttr("windows_allow_insecure_container_admin", "bool"),
})

const defaultDangling = `{ enabled = true, period = "5m", creation_grace = "5m", dry_run = false }`

func withDefault(s *hclspec.Spec, literal string) *hclspec.Spec {
	return hclspec.NewDefault(s, hclspec.NewLiteral(literal))
}

var mountSchema = hclspec.NewObject(map[string]*hclspec.Spec{
	"type":     hclspec.NewDefaultAttr("type", "string", `"volume"`),
	"target":   hclspec.NewAttr("target", "string"),
	"source":   hclspec.NewAttr("source", "string"),
	"readonly": hclspec.NewAttr("readonly", "bool"),
	"bind_options": hclspec.NewBlock("bind_options", hclspec.NewObject(map[string]*hclspec.Spec{
		"propagation": hclspec.NewAttr("propagation", "string"),
	})),
	"tmpfs_options": hclspec.NewBlock("tmpfs_options", hclspec.NewObject(map[string]*hclspec.Spec{
		"size": hclspec.NewAttr("size", "number"),
		"mode": hclspec.NewAttr("mode", "number"),
	})),
	"volume_options": hclspec.NewBlock("volume_options", hclspec.NewObject(map[string]*hclspec.Spec{
		"no_copy": hclspec.NewAttr("no_copy", "bool"),
		"labels":  hclspec.NewAttr("labels", "list(map(string))"),
		"driver_config": hclspec.NewBlock("driver_config", hclspec.NewObject(map[string]*hclspec.Spec{
			"name":    hclspec.NewAttr("name", "string"),
			"options": hclspec.NewAttr("options", "list(map(string))"),
		})),
	})),
})

// taskSchema is that of a task's config block.
var taskSchema = hclspec.NewObject(map[string]*hclspec.Spec{
	"advertise_ipv6_address": hclspec.NewAttr("advertise_ipv6_address", "bool"),
	"args":                   hclspec.NewAttr("args", "list(string)"),
	"auth": hclspec.NewBlock("auth", hclspec.NewObject(map[string]*hclspec.Spec{
		"username":       hclspec.NewAttr("username", "string"),
		"password":       hclspec.NewAttr("password", "string"),
		"email":          hclspec.NewAttr("email", "string"),
		"server_address": hclspec.NewAttr("server_address", "string"),
	})),
	"auth_soft_fail":            hclspec.NewAttr("auth_soft_fail", "bool"),
	"cap_add":                   hclspec.NewAttr("cap_add", "list(string)"),
	"cap_drop":                  hclspec.NewAttr("cap_drop", "list(string)"),
	"cgroupns":                  hclspec.NewAttr("cgroupns", "string"),
	"command":                   hclspec.NewAttr("command", "string"),
	"container_exists_attempts": hclspec.NewAttr("container_exists_attempts", "number"),
	"cpu_cfs_period":            hclspec.NewDefaultAttr("cpu_cfs_period", "number", "100000"),
	"cpu_hard_limit":            hclspec.NewAttr("cpu_hard_limit", "bool"),
	"cpuset_cpus":               hclspec.NewAttr("cpuset_cpus", "string"),
	"devices": hclspec.NewBlockList("devices", hclspec.NewObject(map[string]*hclspec.Spec{
		"host_path":          hclspec.NewRequiredAttr("host_path", "string"),
		"container_path":     hclspec.NewAttr("container_path", "string"),
		"cgroup_permissions": hclspec.NewAttr("cgroup_permissions", "string"),
	})),
	"dns_options":        hclspec.NewAttr("dns_options", "list(string)"),
	"dns_search_domains": hclspec.NewAttr("dns_search_domains", "list(string)"),
	"dns_servers":        hclspec.NewAttr("dns_servers", "list(string)"),
	"entrypoint":         hclspec.NewAttr("entrypoint", "list(string)"),
	"extra_hosts":        hclspec.NewAttr("extra_hosts", "list(string)"),
	"force_pull":         hclspec.NewAttr("force_pull", "bool"),
	"group_add":          hclspec.NewAttr("group_add", "list(string)"),
	"healthchecks": hclspec.NewBlock("healthchecks", hclspec.NewObject(map[string]*hclspec.Spec{
		"disable": hclspec.NewAttr("disable", "bool"),
	})),
	"hostname":           hclspec.NewAttr("hostname", "string"),
	"image":              hclspec.NewRequiredAttr("image", "string"),
	"image_pull_timeout": hclspec.NewAttr("image_pull_timeout", "string"),
	"init":               hclspec.NewAttr("init", "bool"),
	"interactive":        hclspec.NewAttr("interactive", "bool"),
	"ipc_mode":           hclspec.NewAttr("ipc_mode", "string"),
	"ipv4_address":       hclspec.NewAttr("ipv4_address", "string"),
	"ipv6_address":       hclspec.NewAttr("ipv6_address", "string"),
	"isolation":          hclspec.NewAttr("isolation", "string"),
	"labels":             hclspec.NewAttr("labels", "list(map(string))"),
	"load":               hclspec.NewAttr("load", "string"),
	"logging": hclspec.NewBlock("logging", hclspec.NewObject(map[string]*hclspec.Spec{
		"type":   hclspec.NewAttr("type", "string"),
		"driver": hclspec.NewAttr("driver", "string"),
		"config": hclspec.NewAttr("config", "list(map(string))"),
	})),
	"mac_address":       hclspec.NewAttr("mac_address", "string"),
	"memory_hard_limit": hclspec.NewAttr("memory_hard_limit", "number"),
	"mount":             hclspec.NewBlockList("mount", mountSchema),
	"mounts":            hclspec.NewBlockList("mounts", mountSchema),
	"network_aliases":   hclspec.NewAttr("network_aliases", "list(string)"),
	"network_mode":      hclspec.NewAttr("network_mode", "string"),
	"oom_score_adj":     hclspec.NewAttr("oom_score_adj", "number"),
	"pid_mode":          hclspec.NewAttr("pid_mode", "string"),
	"pids_limit":        hclspec.NewAttr("pids_limit", "number"),
	"port_map":          hclspec.NewAttr("port_map", "list(map(number))"), // an older spelling of ports
	"ports":             hclspec.NewAttr("ports", "list(string)"),
	"privileged":        hclspec.NewAttr("privileged", "bool"),
	"readonly_rootfs":   hclspec.NewAttr("readonly_rootfs", "bool"),
	"runtime":           hclspec.NewAttr("runtime", "string"),
	"security_opt":      hclspec.NewAttr("security_opt", "list(string)"),
	"shm_size":          hclspec.NewAttr("shm_size", "number"),
	"storage_opt":       hclspec.NewBlockAttrs("storage_opt", "string"),
	"sysctl":            hclspec.NewAttr("sysctl", "list(map(string))"),
	"tty":               hclspec.NewAttr("tty", "bool"),
	"ulimit":            hclspec.NewAttr("ulimit", "list(map(string))"),
	"userns_mode":       hclspec.NewAttr("userns_mode", "string"),
	"uts_mode":          hclspec.NewAttr("uts_mode", "string"),
	"volume_driver":     hclspec.NewAttr("volume_driver", "string"),
	"volumes":           hclspec.NewAttr("volumes", "list(string)"),
	"work_dir":          hclspec.NewAttr("work_dir", "string"),
})
