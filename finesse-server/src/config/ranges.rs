//! From where to where each number of the configuration may go.

use super::Config;

/// Section, key, value, smallest, largest.
type Range = (&'static str, &'static str, u32, u32, u32);

const MIB: u32 = 1 << 20;
const DAY: u32 = 24 * 60 * 60;

/// The first number that is out of its range.
pub(super) fn first_outside(config: &Config) -> Option<(&'static str, &'static str, String)> {
    let all = limits(config).into_iter().chain(timeouts(config)).chain(bosh(config)).chain(others(config));
    all.into_iter()
        .find(|(.., value, least, most)| !(least..=most).contains(&value))
        .map(|(section, key, _, least, most)| (section, key, format!("must be from {least} to {most}")))
}

fn limits(config: &Config) -> Vec<Range> {
    let of = &config.limits;
    let l = |key, value, least, most| ("limits", key, value, least, most);
    vec![
        l("http_connections", of.http_connections, 1, 10_000_000),
        l("http_per_address", of.http_per_address, 1, 10_000_000),
        l("http_header_bytes", of.http_header_bytes, 8 << 10, MIB),
        // Long polls of one browser share a connection: fewer would starve them.
        l("http2_streams", of.http2_streams, 100, 10_000),
        l("xmpp_connections", of.xmpp_connections, 1, 10_000_000),
        l("unauthenticated", of.unauthenticated, 1, 1_000_000),
        l("per_address", of.per_address, 1, 1_000_000),
        l("address_rate", of.address_rate, 1, 1_000_000),
        l("address_burst", of.address_burst, 1, 1_000_000),
        l("total_rate", of.total_rate, 1, 1_000_000),
        l("total_burst", of.total_burst, 1, 1_000_000),
        // RFC 6120 §13.12.
        l("stanza_bytes", of.stanza_bytes, 10_000, 16 * MIB),
        l("stanza_bytes_before_auth", of.stanza_bytes_before_auth, 10_000, MIB),
        l("depth", of.depth, 8, 256),
        l("attributes", of.attributes, 16, 1024),
        l("attribute_value", of.attribute_value, 1024, MIB),
        l("attribute_total", of.attribute_total, 1024, MIB),
        l("name", of.name, 64, 4096),
        l("namespaces_per_element", of.namespaces_per_element, 4, 256),
        l("namespaces_in_scope", of.namespaces_in_scope, 8, 1024),
        l("children", of.children, 100, 1_000_000),
        l("sasl_text", of.sasl_text, 1024, MIB),
        l("node_id", of.node_id, 64, 64 << 10),
        l("item_id", of.item_id, 36, 64 << 10),
        l("error_echo", of.error_echo, 0, MIB),
        l("stanzas_per_second", of.stanzas_per_second, 1, 1_000_000),
        // A desktop subscribes to 200 nodes when it starts.
        l("stanza_burst", of.stanza_burst, 10, 1_000_000),
        l("outbox_items", of.outbox_items, 10, 1_000_000),
        l("memory_mib", of.memory_mib, 128, 1 << 20),
        l("outbox_bytes", of.outbox_bytes, 64 << 10, 1 << 30),
        l("rest_body_bytes", of.rest_body_bytes, 1024, 16 * MIB),
        l("rest_timeout_seconds", of.rest_timeout_seconds, 1, DAY),
        l("rest_rate", of.rest_rate, 0, 1_000_000),
        l("rest_burst", of.rest_burst, 1, 1_000_000),
        l("team_messages", of.team_messages, 1, 100_000),
    ]
}

fn timeouts(config: &Config) -> Vec<Range> {
    let of = &config.timeouts;
    let t = |key, value| ("timeouts", key, value, 1, 3600);
    vec![
        t("handshake", of.handshake),
        t("authenticate", of.authenticate),
        t("realm", of.realm),
        t("bind", of.bind),
        t("partial_stanza", of.partial_stanza),
        t("write_stall", of.write_stall),
        t("idle_probe", of.idle_probe),
        t("idle_close", of.idle_close),
        t("drain", of.drain),
        t("websocket_ping", of.websocket_ping),
        t("http_header", of.http_header),
        t("http_body", of.http_body),
        t("http_idle", of.http_idle),
    ]
}

fn bosh(config: &Config) -> Vec<Range> {
    let of = &config.bosh;
    let b = |key, value, least, most| ("bosh", key, value, least, most);
    vec![
        b("wait", of.wait, 1, 600),
        b("hold", of.hold, 1, 4),
        b("polling", of.polling, 0, 60),
        b("inactivity", of.inactivity, 5, 3600),
        b("inactivity_polling", of.inactivity_polling, 5, 3600),
        b("max_pause", of.max_pause, 0, 3600),
        b("gap_grace", of.gap_grace, 1, 60),
        b("max_repeats", of.max_repeats, 1, 255),
        b("body_bytes", of.body_bytes, 10_000, 16 * MIB),
        b("body_bytes_before_auth", of.body_bytes_before_auth, 10_000, MIB),
        b("answer_bytes", of.answer_bytes, 4096, 16 * MIB),
        b("unauthenticated_per_address", of.unauthenticated_per_address, 1, 1_000_000),
        b("guesses_delayed", of.guesses_delayed, 1, 1_000_000),
        b("guesses_refused", of.guesses_refused, 1, 1_000_000),
        b("addresses", of.addresses, 100, 10_000_000),
    ]
}

fn others(config: &Config) -> Vec<Range> {
    let (pubsub, xmpp) = (&config.pubsub, &config.xmpp);
    let (realm, cce, ccx) = (&config.realm, &config.realm.cce, &config.realm.ccx);
    vec![
        ("xmpp", "max_resources", xmpp.max_resources, 1, 1000),
        ("xmpp", "auth_retries", xmpp.auth_retries, 1, 10),
        ("xmpp", "resume_seconds", xmpp.resume_seconds, 1, 120),
        ("xmpp", "unacknowledged_items", xmpp.unacknowledged_items, 10, 1_000_000),
        ("xmpp", "unacknowledged_bytes", xmpp.unacknowledged_bytes, 64 << 10, 1024 * MIB),
        ("pubsub", "nodes", pubsub.nodes, 100, 100_000_000),
        ("pubsub", "subscriptions_per_user", pubsub.subscriptions_per_user, 10, 1_000_000),
        ("pubsub", "subscriptions_per_session", pubsub.subscriptions_per_session, 10, 1_000_000),
        ("pubsub", "dormant_seconds", pubsub.dormant_seconds, 60, 365 * DAY),
        ("pubsub", "shards", pubsub.shards, 1, 4096),
        ("cti", "resync_window", config.cti.resync_window, 1, 500),
        ("cti", "losses_free", config.cti.losses_free, 0, 1000),
        ("cti", "steady_seconds", config.cti.steady_seconds, 0, 3600),
        ("cti", "steady_longest_seconds", config.cti.steady_longest_seconds, 0, 3600),
        ("cti", "loss_forgiven_seconds", config.cti.loss_forgiven_seconds, 1, DAY),
        ("peer", "beat_ms", config.peer.beat_ms, 50, 10_000),
        ("peer", "lost_seconds", config.peer.lost_seconds, 1, 3600),
        ("peer", "second_grace_seconds", config.peer.second_grace_seconds, 1, 3600),
        ("client_logs", "files", config.client_logs.files, 1, 100_000),
        ("client_logs", "mib", config.client_logs.mib, 16, 1 << 20),
        ("client_logs", "bytes_each", config.client_logs.bytes_each, 1024, 16 * MIB),
        ("maintenance", "users_per_second", config.maintenance.users_per_second, 1, 100_000),
        ("maintenance", "limit_seconds", config.maintenance.limit_seconds, 1, DAY),
        ("absence", "grace_seconds", config.absence.grace_seconds, 1, 3600),
        ("realm", "stale_seconds", realm.stale_seconds, 0, 30 * DAY),
        ("realm", "negative_seconds", realm.negative_seconds, 0, 3600),
        ("realm", "users", realm.users, 100, 1_000_000),
        ("realm", "attempts", realm.attempts, 16, 1_000_000),
        ("realm.cce", "port", cce.port.into(), 1, 65_535),
        ("realm.cce", "refresh_seconds", cce.refresh_seconds, 1, DAY),
        ("realm.cce", "retry_seconds", cce.retry_seconds, 1, 3600),
        ("realm.cce", "query_seconds", cce.query_seconds, 1, 600),
        ("realm.ccx", "connect_seconds", ccx.connect_seconds, 1, 60),
        ("realm.ccx", "answer_seconds", ccx.answer_seconds, 1, 600),
        ("realm.ccx", "node_retry_seconds", ccx.node_retry_seconds, 1, 3600),
        ("realm.ccx", "per_second", ccx.per_second, 1, 10_000),
        ("realm.ccx", "at_once", ccx.at_once, 1, 1000),
        ("realm.ccx", "wait_seconds", ccx.wait_seconds, 0, 600),
        ("tls", "check_seconds", config.tls.check_seconds, 0, DAY),
        ("tls", "hsts_seconds", config.tls.hsts_seconds, 0, 2 * 365 * DAY),
    ]
}
