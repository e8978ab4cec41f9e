package config

import (
	"encoding/base64"
	"fmt"
	"net"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/go-hclog"
)

// A checker collects what is wrong with a configuration.
type checker struct {
	*Config
	errs Errors
}

// bad says what is wrong with a key, if it is.
func (c *checker) bad(wrong bool, path, format string, args ...any) {
	if wrong {
		c.errs = append(c.errs, c.at(path)+fmt.Sprintf(format, args...))
	}
}

// Validate checks the merged configuration. The error names every fault; what
// is only unwise becomes a warning.
func (c *Config) Validate() error {
	k := &checker{Config: c}
	k.general()
	k.directories()
	k.addresses()
	if c.Server.Enabled {
		k.server()
	} else if pos, ok := c.Written("server.bootstrap_expect"); ok && strings.HasPrefix(pos.File, "-") {
		k.bad(c.Server.BootstrapExpect > 0, "", "Bootstrap requires server mode to be enabled")
	}
	k.jobs()
	k.client()
	k.transport()
	k.unheeded()
	return k.errs.err()
}

var levels = []string{"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "OFF"}

func (c *checker) general() {
	c.bad(!c.Server.Enabled && !c.Client.Enabled, "", "Must specify either server, client or dev mode for the agent.")
	c.bad(strings.ContainsRune(c.Region, 0), "region", "Region contains invalid characters")
	c.bad(strings.ContainsAny(c.Datacenter, "\x00*"), "datacenter", "Datacenter contains invalid characters (null or '*')")
	c.bad(!slices.Contains(levels, strings.ToUpper(c.LogLevel)), "log_level",
		"Invalid log level: %s. Valid log levels are: %s", c.LogLevel, strings.Join(levels, ", "))
	c.bad(c.LogRotate.Duration < 0, "log_rotate_duration", "log_rotate_duration cannot be negative, it is %s", c.LogRotate.Duration)
	c.bad(c.LogRotate.Bytes < 0, "log_rotate_bytes", "log_rotate_bytes cannot be negative, it is %d", c.LogRotate.Bytes)
	c.bad(c.Telemetry.CollectionInterval <= 0, "telemetry.collection_interval", "telemetry.collection_interval must be greater than 0")
}

// unheeded warns of what is written and changes nothing.
func (c *checker) unheeded() {
	for _, path := range unheeded {
		if _, ok := c.Written(path); ok {
			c.warn("%s%s has no effect yet in this build", c.at(path), path)
		}
	}
}

// Level is the log level for the logging library.
func (c *Config) Level() hclog.Level { return hclog.LevelFromString(c.LogLevel) }

func (c *checker) directories() {
	for _, d := range []struct{ path, flag, dir string }{
		{"data_dir", "data-dir", c.DataDir}, {"server.data_dir", "server data-dir", c.Server.DataDir},
		{"client.alloc_dir", "alloc-dir", c.Client.AllocDir}, {"client.state_dir", "state-dir", c.Client.StateDir},
	} {
		c.bad(d.dir != "" && !filepath.IsAbs(d.dir), d.path, "%s must be given as an absolute path: got %s", d.flag, d.dir)
	}
	if c.DataDir != "" || c.Dev {
		return
	}
	c.bad(c.Server.Enabled, "", `Must specify "data_dir" config option or "data-dir" CLI flag`)
	c.bad(!c.Server.Enabled && c.Client.Enabled && (c.Client.StateDir == "" || c.Client.AllocDir == ""), "",
		"Must specify the state-dir and alloc-dir if data-dir is omitted.")
}

func (c *checker) addresses() {
	for _, p := range []struct {
		path string
		port int
	}{{"ports.http", c.Ports.HTTP}, {"ports.rpc", c.Ports.RPC}, {"ports.serf", c.Ports.Serf}} {
		c.bad(p.port < 0 || p.port > 65535, p.path, "%s must be a port, not %d", p.path, p.port)
	}
	if c.Server.Enabled || c.Client.Enabled {
		if _, err := c.Announce(); err != nil {
			c.errs = append(c.errs, err.Error())
		}
	}
}

func (c *checker) server() {
	s := &c.Server
	c.bad(s.BootstrapExpect < 0, "server.bootstrap_expect", "bootstrap_expect cannot be %d", s.BootstrapExpect)
	if !c.Dev {
		switch {
		case s.BootstrapExpect == 1:
			c.warn("WARNING: Bootstrap mode enabled! Potentially unsafe operation.")
		case s.BootstrapExpect%2 == 0:
			c.warn("WARNING: Number of bootstrap servers should ideally be set to an odd number.")
		}
	}
	if _, err := c.EncryptKey(); err != nil {
		c.bad(true, "server.encrypt", "Invalid encryption key: %v", err)
	}
	c.bad(s.RaftMultiplier < 1 || s.RaftMultiplier > 10, "server.raft_multiplier",
		"raft_multiplier cannot be %d. Must be between 1 and 10", s.RaftMultiplier)
	c.bad(s.NumSchedulers < 0 || s.NumSchedulers > runtime.NumCPU(), "server.num_schedulers",
		"number of schedulers should be between 0 and %d", runtime.NumCPU())
	for _, name := range s.EnabledSchedulers {
		c.bad(!slices.Contains([]string{"service", "batch", "system", "sysbatch", "_core"}, name), "server.enabled_schedulers",
			"invalid configuration: unknown scheduler %q in enabled schedulers", name)
	}
	algorithm := s.DefaultScheduler.SchedulerAlgorithm
	c.bad(algorithm != "binpack" && algorithm != "spread", "server.default_scheduler_config.scheduler_algorithm",
		"scheduler_algorithm must be binpack or spread, not %q", algorithm)
	c.positive("server.heartbeat_grace", int64(s.HeartbeatGrace))
	c.positive("server.min_heartbeat_ttl", int64(s.MinHeartbeatTTL))
	c.positive("server.failover_heartbeat_ttl", int64(s.FailoverHeartbeatTTL))
	c.bad(s.MaxHeartbeatsPerSecond <= 0, "server.max_heartbeats_per_second", "server.max_heartbeats_per_second must be greater than 0")
	c.positive("server.eval_nack_timeout", int64(s.EvalNackTimeout))
	c.positive("server.eval_delivery_limit", int64(s.EvalDeliveryLimit))
	c.positive("server.job_gc_interval", int64(s.JobGCInterval))
	c.positive("server.job_gc_threshold", int64(s.JobGCThreshold))
	c.positive("server.eval_gc_threshold", int64(s.EvalGCThreshold))
	c.positive("server.batch_eval_gc_threshold", int64(s.BatchEvalGCThreshold))
	c.positive("server.deployment_gc_threshold", int64(s.DeploymentGCThreshold))
	c.positive("server.node_gc_threshold", int64(s.NodeGCThreshold))
	c.joining()
}

func (c *checker) positive(path string, v int64) {
	c.bad(v <= 0, path, "%s must be greater than 0", path)
}

func (c *checker) joining() {
	c.bad(len(c.Server.Join.StartJoin) > 0 && len(c.Server.Join.RetryJoin) > 0, "server.server_join.start_join",
		"retry_join and start_join cannot both be defined")
	if _, block := c.Written("server.server_join.retry_join"); block {
		for _, older := range []string{"retry_join", "start_join", "retry_max", "retry_interval"} {
			_, both := c.Written("server." + older)
			c.bad(both, "server."+older, "server_join and %s cannot both be defined; prefer setting the server_join block", older)
		}
	}
}

// EncryptKey decodes the gossip key; it is nil when there is none.
func (c *Config) EncryptKey() ([]byte, error) {
	if c.Server.Encrypt == "" {
		return nil, nil
	}
	b, err := base64.StdEncoding.DecodeString(c.Server.Encrypt)
	if err != nil {
		return nil, err
	}
	if n := len(b); n != 16 && n != 24 && n != 32 {
		return nil, fmt.Errorf("it has %d bytes; 16, 24 or 32 are needed", n)
	}
	return b, nil
}

func (c *checker) jobs() {
	s := &c.Server
	c.bad(s.JobMaxPriority < 100 || s.JobMaxPriority > 32766, "server.job_max_priority",
		"job_max_priority cannot be %d. Must be between 100 and 32766", s.JobMaxPriority)
	c.bad(s.JobDefaultPriority < 50 || s.JobDefaultPriority >= s.JobMaxPriority, "server.job_default_priority",
		"job_default_priority cannot be %d. Must be between 50 and %d", s.JobDefaultPriority, s.JobMaxPriority-1)
	c.bad(s.JobMaxCount < 0, "server.job_max_count", "job_max_count cannot be negative, it is %d", s.JobMaxCount)
	c.positive("server.server_join.retry_interval", int64(s.Join.RetryInterval))
	c.bad(s.Join.RetryMax < 0, "server.server_join.retry_max", "server.server_join.retry_max cannot be %d: 0 is no limit", s.Join.RetryMax)
	c.bad(s.JobTrackedVersions < 1, "server.job_tracked_versions", "job_tracked_versions must be greater than 0")
}

var (
	poolName = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,128}$`)
	dotted   = regexp.MustCompile(`^[^.]+(\.[^.]+)*$`)
)

func (c *checker) client() {
	cl := &c.Client
	c.bad(!poolName.MatchString(cl.NodePool), "client.node_pool", "Invalid node pool: invalid name %q, must match regex %s", cl.NodePool, poolName)
	c.positive("client.server_join.retry_interval", int64(cl.Join.RetryInterval))
	c.bad(cl.Join.RetryMax < 0, "client.server_join.retry_max", "client.server_join.retry_max cannot be %d: 0 is no limit", cl.Join.RetryMax)
	c.bad(cl.NodePool == "all", "client.node_pool", `Invalid node pool: node is not allowed to register in node pool "all"`)
	for _, key := range sorted(cl.Meta) {
		c.bad(!dotted.MatchString(key), "client.meta", "Invalid Client.Meta key: %s", key)
	}
	for _, key := range sorted(cl.Options) {
		if strings.HasPrefix(key, "consul") {
			c.warn("%sclient.options key %q has no effect", c.at("client.options"), key)
		}
	}
	c.dynamicPorts()
	if _, err := ParseRanges(cl.Reserved.Ports, 65535); err != nil {
		c.bad(true, "client.reserved.reserved_ports", "reserved.reserved_ports %q invalid: %v", cl.Reserved.Ports, err)
	}
	if _, err := ParseRanges(cl.Reserved.Cores, 1<<16); err != nil {
		c.bad(true, "client.reserved.cores", "reserved.cores %q invalid: %v", cl.Reserved.Cores, err)
	}
	for path, v := range map[string]int{
		"client.reserved.cpu": cl.Reserved.CPU, "client.reserved.memory": cl.Reserved.Memory, "client.reserved.disk": cl.Reserved.Disk,
		"client.network_speed": cl.NetworkSpeed, "client.cpu_total_compute": cl.CPUTotalCompute,
		"client.memory_total_mb": cl.MemoryTotalMB, "client.disk_total_mb": cl.DiskTotalMB, "client.gc_max_allocs": cl.GCMaxAllocs,
	} {
		c.bad(v < 0, path, "%s cannot be negative, it is %d", path, v)
	}
	c.positive("client.gc_interval", int64(cl.GCInterval))
	c.positive("client.gc_parallel_destroys", int64(cl.GCParallelDestroys))
	c.positive("client.max_kill_timeout", int64(cl.MaxKillTimeout))
	for _, addr := range cl.Servers {
		if _, err := WithPort(addr, 4647); err != nil {
			c.bad(true, "client.servers", "client.servers: %v", err)
		}
	}
}

func (c *checker) dynamicPorts() {
	lo, hi := c.Client.MinDynamicPort, c.Client.MaxDynamicPort
	badLow, badHigh := lo < 0 || lo > 65536, hi < 0 || hi > 65536
	switch {
	case badLow && !badHigh:
		c.bad(true, "client.min_dynamic_port", "Invalid dynamic port range: min_dynamic_port=%d", lo)
	case badHigh && !badLow:
		c.bad(true, "client.max_dynamic_port", "Invalid dynamic port range: max_dynamic_port=%d", hi)
	default:
		c.bad(badLow || lo > hi, "client.min_dynamic_port", "Invalid dynamic port range: min_dynamic_port=%d and max_dynamic_port=%d", lo, hi)
	}
}

func (c *checker) transport() {
	t := &c.TLS
	if t.HTTP || t.RPC {
		for _, f := range []struct{ path, value string }{{"tls.ca_file", t.CAFile}, {"tls.cert_file", t.CertFile}, {"tls.key_file", t.KeyFile}} {
			c.bad(f.value == "", "tls.http", "%s is required when tls.http or tls.rpc is true", f.path)
		}
	}
	if !c.Dev && (!t.HTTP || !t.RPC) {
		c.warn("WARNING: mTLS is not configured - Nomad is not secure without mTLS!")
	}
	l := &c.Limits
	for _, v := range []struct {
		key string
		n   int64
	}{
		{"http_max_conns_per_client", int64(l.HTTPMaxConnsPerClient)}, {"https_handshake_timeout", int64(l.HTTPSHandshakeTimeout)},
		{"rpc_handshake_timeout", int64(l.RPCHandshakeTimeout)}, {"rpc_max_conns_per_client", int64(l.RPCMaxConnsPerClient)},
	} {
		c.bad(v.n < 0, "limits."+v.key, "%s must be >= 0", v.key)
	}
	n := l.RPCMaxConnsPerClient
	c.bad(n > 0 && n <= 25, "limits.rpc_max_conns_per_client", "rpc_max_conns_per_client must be > 25; found: %d", n)
}

// ParseRanges reads "22,80,8500-8600" into ascending numbers up to limit.
func ParseRanges(s string, limit int) ([]int, error) {
	seen := map[int]bool{}
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		low, high, ranged := strings.Cut(part, "-")
		from, err := strconv.Atoi(strings.TrimSpace(low))
		if err != nil {
			return nil, fmt.Errorf("%q is not a number", low)
		}
		to := from
		if ranged {
			if to, err = strconv.Atoi(strings.TrimSpace(high)); err != nil {
				return nil, fmt.Errorf("%q is not a number", high)
			}
		}
		if from < 0 || from > to || to > limit {
			return nil, fmt.Errorf("%q is not a range within 0 and %d", part, limit)
		}
		for i := from; i <= to; i++ {
			seen[i] = true
		}
	}
	return sorted(seen), nil
}

// WithPort appends the port to an address that names none.
func WithPort(addr string, port int) (string, error) {
	if addr == "" {
		return "", fmt.Errorf("an address is empty")
	}
	if _, _, err := net.SplitHostPort(addr); err == nil {
		return addr, nil
	}
	return join(strings.Trim(addr, "[]"), port), nil
}
