package config

import "strings"

// later names the keys that other agents of this kind have and this build does
// not honour yet; a name stands for all below it. They are refused, for an
// operator must not believe in a setting that does nothing, unless the value
// asks for nothing: zero, or for the keys with an exclamation mark (whose false
// or zero means something) not even that.
var later = strings.Fields(`
	plugin_dir enable_syslog syslog_facility eventlog.enabled eventlog.level

	server.authoritative_region server.raft_snapshot_threshold! server.raft_snapshot_interval!
	server.raft_trailing_logs! server.raft_boltdb server.raft_logstore
	server.csi_volume_claim_gc_interval server.csi_volume_claim_gc_threshold server.csi_plugin_gc_threshold
	server.acl_token_gc_threshold server.root_key_gc_interval server.root_key_gc_threshold
	server.root_key_rotation_threshold server.rejoin_after_leave server.plan_apply_pipeline
	server.enable_event_broker server.event_buffer_size server.deploy_query_rate_limit
	server.oidc_issuer server.start_timeout
	server.non_voting_server server.redundancy_zone server.upgrade_version server.license_path server.non_production
	server.default_scheduler_config.node_limit_for_feasibility_checks
	server.plan_rejection_tracker.enabled server.plan_rejection_tracker.node_threshold server.plan_rejection_tracker.node_window
	server.search server.client_introduction

	client.alloc_mounts_dir client.host_volumes_dir client.host_volume_plugin_dir client.common_plugin_dir
	client.default_ineligible client.preferred_address_family client.cpu_disable_dmidecode client.reservable_cores
	client.client_min_port client.client_max_port client.gc_volumes_on_node_gc client.node_max_allocs
	client.disable_remote_exec client.cni_path client.cni_config_dir
	client.bridge_network_name client.bridge_network_subnet client.bridge_network_subnet_ipv6 client.bridge_network_hairpin_mode
	client.bind_wildcard_default_host_network! client.nomad_service_discovery!
	client.host_volume client.host_network client.drain_on_shutdown client.users client.fingerprint
	client.template client.artifact

	acl.enabled acl.token_ttl acl.policy_ttl acl.role_ttl acl.replication_token
	acl.token_min_expiration_ttl acl.token_max_expiration_ttl
	autopilot audit.enabled audit.sink audit.filter sentinel reporting rpc consul keyring
	vault.enabled vault

	tls.rpc_upgrade_mode tls.tls_min_version tls.tls_cipher_suites tls.tls_prefer_server_cipher_suites

	ui.show_cli_hints! ui.consul ui.vault ui.label ui.content_security_policy

	telemetry.in_memory_collection_interval telemetry.in_memory_retention_period telemetry.use_node_name
	telemetry.include_alloc_metadata_in_metrics telemetry.allowed_metadata_keys_in_metrics
	telemetry.filter_default! telemetry.prefix_filter telemetry.disable_dispatched_job_summary_metrics
	telemetry.disable_quota_utilization_metrics telemetry.disable_rpc_rate_metrics_labels
	telemetry.disable_allocation_hook_metrics! telemetry.statsite_address telemetry.statsd_address
	telemetry.datadog_address telemetry.datadog_tags
	telemetry.circonus_api_token telemetry.circonus_api_app telemetry.circonus_api_url
	telemetry.circonus_submission_interval telemetry.circonus_submission_url telemetry.circonus_check_id
	telemetry.circonus_check_force_metric_activation telemetry.circonus_check_instance_id
	telemetry.circonus_check_search_tag telemetry.circonus_check_display_name telemetry.circonus_check_tags
	telemetry.circonus_broker_id telemetry.circonus_broker_select_tag
`)

// refused names the keys that make no sense where they stand, with what is said.
var refused = map[string]string{
	"client.server_join.start_join": "start_join is not supported for Nomad clients: use retry_join",
}

// unheeded names the keys that are known and checked and change nothing yet. They
// are no reason to stop, and a warning says so.
var unheeded = strings.Fields(`
	server.enabled_schedulers
	client.no_host_uuid
	telemetry.collection_interval telemetry.disable_hostname
	limits.http_max_conns_per_client limits.https_handshake_timeout limits.rpc_handshake_timeout limits.rpc_max_conns_per_client
`)

// idle names the keys that have no effect anywhere any more, or none here by
// design, and are accepted with a warning.
var idle = map[string]string{
	"disable_anonymous_signature": "there is no update check to sign",
	"server.protocol_version":     "there is one protocol",
	"server.raft_protocol":        "raft's protocol is always 3",
	"server.log_file":             "write log_file at the top level",
	"client.log_file":             "write log_file at the top level",
	"client.stats":                "telemetry.collection_interval decides",
	"client.disk_free_mb":         "free space is measured",
}
