package config

// A key is one thing that can be configured. To points into a Config; its type
// says how values are read.
type key struct {
	Path string // "server.heartbeat_grace"
	To   any
	How  how
	Flag string // the agent's flag without its dash, or ""
	Doc  string
}

// how says what a later source does to an earlier one. By default a zero value
// changes nothing, lists are appended and maps are merged by key.
type how string

const (
	plain   how = ""
	written how = "written" // a zero value that is written counts
	replace how = "replace" // a list replaces the earlier one
)

// keys is the table of what can be configured, bound to the fields of c.
func keys(c *Config) []key {
	s, sc, cl, t, l := &c.Server, &c.Server.DefaultScheduler, &c.Client, &c.Telemetry, &c.Limits
	return []key{
		{"region", &c.Region, plain, "region", "the region of the federation"},
		{"datacenter", &c.Datacenter, plain, "dc", "the datacenter of the agent"},
		{"name", &c.Name, plain, "node", "the node's name; default: the host's"},
		{"data_dir", &c.DataDir, plain, "data-dir", "absolute path for all that is kept; required outside of -dev"},
		{"bind_addr", &c.BindAddr, plain, "bind", "address to listen on, unless addresses says otherwise"},
		{"ports.http", &c.Ports.HTTP, plain, "", "port of the HTTP API"},
		{"ports.rpc", &c.Ports.RPC, plain, "", "port of RPC and raft"},
		{"ports.serf", &c.Ports.Serf, plain, "", "port of gossip, TCP and UDP"},
		{"addresses.http", &c.Addresses.HTTP, plain, "", "addresses for HTTP, separated by blanks; default: bind_addr"},
		{"addresses.rpc", &c.Addresses.RPC, plain, "", "address for RPC; default: bind_addr"},
		{"addresses.serf", &c.Addresses.Serf, plain, "", "address for gossip; default: bind_addr"},
		{"advertise.http", &c.Advertise.HTTP, plain, "", "address that others dial for HTTP, with or without a port"},
		{"advertise.rpc", &c.Advertise.RPC, plain, "", "address that others dial for RPC"},
		{"advertise.serf", &c.Advertise.Serf, plain, "", "address that other servers dial for gossip"},
		{"log_level", &c.LogLevel, plain, "log-level", "TRACE, DEBUG, INFO, WARN, ERROR or OFF"},
		{"log_json", &c.LogJSON, plain, "log-json", "log lines are JSON"},
		{"log_file", &c.LogFile, plain, "", "log to this file besides stdout; a path ending in / takes nomad.log inside"},
		{"log_include_location", &c.LogIncludeLocation, plain, "log-include-location", "file and line in the log"},
		{"log_rotate_duration", &c.LogRotate.Duration, plain, "", "age at which the log file is set aside"},
		{"log_rotate_bytes", &c.LogRotate.Bytes, plain, "", "size at which it is; 0: no limit"},
		{"log_rotate_max_files", &c.LogRotate.MaxFiles, plain, "", "how many are kept besides; 0: all, negative: none"},
		{"enable_debug", &c.EnableDebug, plain, "", "profiling over HTTP"},
		{"leave_on_interrupt", &c.LeaveOnInterrupt, plain, "", "SIGINT leaves the cluster for good"},
		{"leave_on_terminate", &c.LeaveOnTerminate, plain, "", "SIGTERM leaves the cluster for good"},
		{"disable_update_check", &c.DisableUpdateCheck, written, "", "accepted; there is no update check"},
		{"http_api_response_headers", &c.HTTPHeaders, plain, "", "headers of every answer of the API"},

		{"server.enabled", &s.Enabled, plain, "server", "run a server"},
		{"server.bootstrap_expect", &s.BootstrapExpect, plain, "bootstrap-expect", "servers that begin a new cluster together"},
		{"server.data_dir", &s.DataDir, plain, "", "absolute path; default: data_dir/server"},
		{"server.encrypt", &s.Encrypt, plain, "encrypt", "gossip key: 16, 24 or 32 bytes in base64"},
		{"server.raft_multiplier", &s.RaftMultiplier, written, "", "scales raft's time-outs, 1 to 10"},
		{"server.num_schedulers", &s.NumSchedulers, written, "", "scheduling workers; default: one for each core"},
		{"server.enabled_schedulers", &s.EnabledSchedulers, plain, "", "types of jobs to schedule; default: all"},
		{"server.heartbeat_grace", &s.HeartbeatGrace, plain, "", "what a late heartbeat is given before its node is down"},
		{"server.min_heartbeat_ttl", &s.MinHeartbeatTTL, plain, "", "least time between heartbeats of a node"},
		{"server.max_heartbeats_per_second", &s.MaxHeartbeatsPerSecond, plain, "", "from all nodes together"},
		{"server.failover_heartbeat_ttl", &s.FailoverHeartbeatTTL, plain, "", "what all nodes are given after a change of leader"},
		{"server.eval_nack_timeout", &s.EvalNackTimeout, plain, "", "how long a worker may keep an evaluation"},
		{"server.eval_delivery_limit", &s.EvalDeliveryLimit, plain, "", "how often an evaluation is handed out"},
		{"server.node_gc_threshold", &s.NodeGCThreshold, plain, "", "age at which nodes that are down are forgotten"},
		{"server.job_gc_interval", &s.JobGCInterval, plain, "", "time between collections"},
		{"server.job_gc_threshold", &s.JobGCThreshold, plain, "", "age at which dead jobs are forgotten"},
		{"server.eval_gc_threshold", &s.EvalGCThreshold, plain, "", "age at which evaluations are forgotten"},
		{"server.batch_eval_gc_threshold", &s.BatchEvalGCThreshold, plain, "", "age at which evaluations of batch jobs are forgotten"},
		{"server.deployment_gc_threshold", &s.DeploymentGCThreshold, plain, "", "age at which deployments are forgotten"},
		{"server.job_default_priority", &s.JobDefaultPriority, written, "", "priority of jobs that name none"},
		{"server.job_max_priority", &s.JobMaxPriority, written, "", "highest priority a job may have"},
		{"server.job_max_count", &s.JobMaxCount, written, "", "sum of the counts of a job's groups; 0: no limit"},
		{"server.job_max_source_size", (*size)(&s.JobMaxSourceSize), written, "", "how much of a job's text is kept; 0: none"},
		{"server.job_tracked_versions", &s.JobTrackedVersions, written, "", "versions kept of a job"},
		{"server.default_scheduler_config.scheduler_algorithm", &sc.SchedulerAlgorithm, plain, "", "binpack or spread; for a new cluster, like its siblings"},
		{"server.default_scheduler_config.memory_oversubscription_enabled", &sc.MemoryOversubscriptionEnabled, plain, "", "allow memory_max"},
		{"server.default_scheduler_config.reject_job_registration", &sc.RejectJobRegistration, plain, "", "take no jobs but from managers"},
		{"server.default_scheduler_config.pause_eval_broker", &sc.PauseEvalBroker, plain, "", "schedule nothing"},
		{"server.default_scheduler_config.preemption_config.system_scheduler_enabled", &sc.PreemptionConfig.SystemSchedulerEnabled, written, "", "system jobs may displace others"},
		{"server.default_scheduler_config.preemption_config.sysbatch_scheduler_enabled", &sc.PreemptionConfig.SysBatchSchedulerEnabled, written, "", "sysbatch jobs may"},
		{"server.default_scheduler_config.preemption_config.batch_scheduler_enabled", &sc.PreemptionConfig.BatchSchedulerEnabled, written, "", "batch jobs may"},
		{"server.default_scheduler_config.preemption_config.service_scheduler_enabled", &sc.PreemptionConfig.ServiceSchedulerEnabled, written, "", "service jobs may"},
		{"server.server_join.start_join", &s.Join.StartJoin, replace, "join", "servers to join at once; if none answers the agent does not start"},
		{"server.server_join.retry_join", &s.Join.RetryJoin, replace, "retry-join", "servers to join, tried until one answers"},
		{"server.server_join.retry_interval", &s.Join.RetryInterval, plain, "retry-interval", "time between tries"},
		{"server.server_join.retry_max", &s.Join.RetryMax, plain, "retry-max", "how many tries before the agent gives up; 0: no limit"},
		{"server.start_join", &s.Join.StartJoin, plain, "", "the older place of server_join.start_join"},
		{"server.retry_join", &s.Join.RetryJoin, plain, "", "the older place of server_join.retry_join"},
		{"server.retry_interval", &s.Join.RetryInterval, plain, "", "the older place of server_join.retry_interval"},
		{"server.retry_max", &s.Join.RetryMax, plain, "", "the older place of server_join.retry_max"},

		{"client.enabled", &cl.Enabled, plain, "client", "run a client"},
		{"client.state_dir", &cl.StateDir, plain, "state-dir", "absolute path; default: data_dir/client"},
		{"client.alloc_dir", &cl.AllocDir, plain, "alloc-dir", "absolute path; default: data_dir/alloc"},
		{"client.servers", &cl.Servers, plain, "servers", "servers' RPC addresses; port 4647 unless written"},
		{"client.server_join.retry_join", &cl.Join.RetryJoin, replace, "", "servers to register with, tried until one answers"},
		{"client.server_join.retry_interval", &cl.Join.RetryInterval, plain, "", "time between tries"},
		{"client.server_join.retry_max", &cl.Join.RetryMax, plain, "", "how many tries before the agent gives up; 0: no limit"},
		{"client.node_class", &cl.NodeClass, plain, "node-class", "a name for nodes of one kind"},
		{"client.node_pool", &cl.NodePool, plain, "node-pool", "the pool the node is in"},
		{"client.meta", &cl.Meta, plain, "meta", "what jobs may ask of the node as meta.*"},
		{"client.options", &cl.Options, plain, "", "options of drivers and fingerprints"},
		{"client.network_interface", &cl.NetworkInterface, plain, "network-interface", "interface that gives tasks their addresses; default: that of the default route"},
		{"client.network_speed", &cl.NetworkSpeed, plain, "network-speed", "Mbit/s; 0: detected"},
		{"client.cpu_total_compute", &cl.CPUTotalCompute, plain, "", "MHz; 0: detected"},
		{"client.memory_total_mb", &cl.MemoryTotalMB, plain, "", "0: detected"},
		{"client.disk_total_mb", &cl.DiskTotalMB, plain, "", "0: detected"},
		{"client.reserved.cpu", &cl.Reserved.CPU, plain, "", "MHz kept from tasks"},
		{"client.reserved.memory", &cl.Reserved.Memory, plain, "", "MB kept from tasks"},
		{"client.reserved.disk", &cl.Reserved.Disk, plain, "", "MB kept from tasks"},
		{"client.reserved.cores", &cl.Reserved.Cores, plain, "", "cores kept from tasks, such as 0-3,8"},
		{"client.reserved.reserved_ports", &cl.Reserved.Ports, plain, "", "ports kept from tasks, such as 22,80,8500-8600"},
		{"client.min_dynamic_port", &cl.MinDynamicPort, plain, "", "lowest port that tasks are given"},
		{"client.max_dynamic_port", &cl.MaxDynamicPort, plain, "", "highest port that tasks are given"},
		{"client.max_kill_timeout", &cl.MaxKillTimeout, plain, "", "the most a task's kill_timeout may be"},
		{"client.gc_interval", &cl.GCInterval, plain, "", "time between collections"},
		{"client.gc_parallel_destroys", &cl.GCParallelDestroys, plain, "", "allocations that are removed at a time"},
		{"client.gc_disk_usage_threshold", &cl.GCDiskUsageThreshold, plain, "", "percent of the disk above which finished allocations are removed"},
		{"client.gc_inode_usage_threshold", &cl.GCInodeUsageThreshold, plain, "", "the same for inodes"},
		{"client.gc_max_allocs", &cl.GCMaxAllocs, plain, "", "allocations above which finished ones are removed"},
		{"client.no_host_uuid", &cl.NoHostUUID, written, "", "false: the node's id follows from the machine's"},
		{"client.cgroup_parent", &cl.CgroupParent, plain, "", "cgroup of all tasks"},
		{"client.chroot_env", &cl.ChrootEnv, plain, "", "what of the host the exec driver shows to tasks"},

		{"plugin", &c.Plugins, plain, "", "a driver's args and config, by its name"},

		{"telemetry.prometheus_metrics", &t.PrometheusMetrics, plain, "", "serve /v1/metrics?format=prometheus"},
		{"telemetry.collection_interval", &t.CollectionInterval, plain, "", "time between measurements"},
		{"telemetry.publish_node_metrics", &t.PublishNodeMetrics, plain, "", "what the node uses"},
		{"telemetry.publish_allocation_metrics", &t.PublishAllocationMetrics, plain, "", "what tasks use"},
		{"telemetry.disable_hostname", &t.DisableHostname, plain, "", "no host label"},

		{"tls.http", &c.TLS.HTTP, plain, "", "HTTPS in place of HTTP"},
		{"tls.rpc", &c.TLS.RPC, plain, "", "mutual TLS for RPC and raft"},
		{"tls.ca_file", &c.TLS.CAFile, plain, "", "PEM"},
		{"tls.cert_file", &c.TLS.CertFile, plain, "", "PEM"},
		{"tls.key_file", &c.TLS.KeyFile, plain, "", "PEM"},
		{"tls.verify_server_hostname", &c.TLS.VerifyServerHostname, plain, "", "servers must prove to be server.<region>.nomad"},
		{"tls.verify_https_client", &c.TLS.VerifyHTTPSClient, plain, "", "clients of the API must have a certificate"},

		{"limits.http_max_conns_per_client", &l.HTTPMaxConnsPerClient, written, "", "from one address; 0: no limit"},
		{"limits.https_handshake_timeout", &l.HTTPSHandshakeTimeout, written, "", "0: no limit"},
		{"limits.rpc_handshake_timeout", &l.RPCHandshakeTimeout, written, "", "0: no limit"},
		{"limits.rpc_max_conns_per_client", &l.RPCMaxConnsPerClient, written, "", "from one address; 0: no limit"},

		{"ui.enabled", &c.UI.Enabled, written, "", "serve the web interface"},
	}
}
