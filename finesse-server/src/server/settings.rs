//! What each part is told, from the configuration file.

use std::sync::Arc;
use std::time::Duration;

use xmpp::forwarded::ForwardedHeader;
use xmpp::tcp::AdmissionLimits;

use super::Addresses;
use crate::config::{
    AddressRange, Config, ConflictMode, ListenerName, OptionsMode, ProfileName, ProxyHeader, StartTlsMode,
};
use crate::http::{HostMeta, Rules};
use crate::rest::Settings;
use crate::rest::cors::Origins;

fn seconds(seconds: u32) -> Duration {
    Duration::from_secs(seconds.into())
}

fn size(number: u32) -> usize {
    number as usize
}

/// `u8` of a number that the configuration keeps below 256.
fn small(number: u32) -> u8 {
    u8::try_from(number).unwrap_or(u8::MAX)
}

pub(super) fn starttls(mode: StartTlsMode) -> xmpp::StartTls {
    match mode {
        StartTlsMode::Off => xmpp::StartTls::Off,
        StartTlsMode::Optional => xmpp::StartTls::Optional,
        StartTlsMode::Required => xmpp::StartTls::Required,
    }
}

/// Where clients go when the server stops; `None` if no key says so.
pub(super) fn alternate(config: &Config) -> Option<xmpp::Alternate> {
    let of = &config.server;
    let given = |text: &String| (!text.is_empty()).then(|| text.clone());
    let alternate = xmpp::Alternate {
        host: given(&of.alternate),
        websocket: given(&of.alternate_websocket_url),
        bosh: given(&of.alternate_bosh_url),
    };
    let any = alternate.host.is_some() || alternate.websocket.is_some() || alternate.bosh.is_some();
    any.then_some(alternate)
}

#[allow(clippy::needless_update, reason = "a new field of the crate has its default until it has a key")]
pub(super) fn broker(config: &Config) -> broker::Config {
    let (pubsub, limits) = (&config.pubsub, &config.limits);
    broker::Config {
        shards: size(pubsub.shards),
        max_nodes: size(pubsub.nodes),
        max_subscriptions_per_account: size(pubsub.subscriptions_per_user),
        max_subscriptions_per_session: size(pubsub.subscriptions_per_session),
        dormant_after: seconds(pubsub.dormant_seconds),
        outbox: broker::OutboxLimits {
            max_items: size(limits.outbox_items),
            max_bytes: size(limits.outbox_bytes),
            ..broker::OutboxLimits::default()
        },
        memory: ceiling(config) / 2,
        ..broker::Config::default()
    }
}

/// What the whole process is to take at most, in bytes. Half of it is the budget for what is held for clients, an
/// eighth is for password hashes; the rest is for the program itself, for what has bounds of its own, and for what an
/// allocator wastes.
fn ceiling(config: &Config) -> usize {
    size(config.limits.memory_mib) << 20
}

/// Bytes for the password hashes that are computed at once.
pub(super) fn hashing(config: &Config) -> usize {
    ceiling(config) / 8
}

/// The component, if it is described; without a listener it is one that is not connected.
fn components(config: &Config) -> Vec<xmpp::component::Component> {
    let component = || xmpp::component::Component {
        domain: config.component.name.clone(),
        secret: xmpp::Password::new(config.component.secret.expose().to_owned()),
    };
    let described = !config.component.name.is_empty() && !config.component.secret.expose().is_empty();
    described.then(component).into_iter().collect()
}

pub(super) fn xmpp(config: &Config) -> xmpp::Config {
    let of = &config.xmpp;
    let application = of.application.split_once('/');
    xmpp::Config {
        pubsub_domain: config.server.pubsub(),
        profile: match of.profile {
            ProfileName::Finesse => xmpp::Profile::Finesse,
            ProfileName::Strict => xmpp::Profile::Strict,
        },
        limits: stanza_limits(config),
        timeouts: timeouts(config),
        self_echo: of.self_echo,
        max_resources: size(of.max_resources),
        auth_retries: of.auth_retries,
        scram: of.scram,
        sasl2: of.sasl2,
        fast: of.fast.then(xmpp::FastOptions::default),
        stream_management: of.stream_management.then(|| xmpp::StreamManagement {
            max_resume: seconds(of.resume_seconds),
            queue_items: size(of.unacknowledged_items),
            queue_bytes: size(of.unacknowledged_bytes),
            ..xmpp::StreamManagement::default()
        }),
        conflict: match of.conflict {
            ConflictMode::ReplaceOld => xmpp::Conflict::ReplaceOld,
            ConflictMode::RefuseNew => xmpp::Conflict::RefuseNew,
            ConflictMode::Rename => xmpp::Conflict::Rename,
        },
        application: application.map(|(local, resource)| (local.to_owned(), resource.to_owned())),
        components: components(config),
        collections: config.pubsub.collections,
        multi_subscribe: config.pubsub.multi_subscribe,
        subscription_options: match config.pubsub.subscription_options {
            OptionsMode::Profile => None,
            OptionsMode::Off => Some(false),
            OptionsMode::On => Some(true),
        },
        language: of.language.clone(),
        software_name: of.software_name.clone(),
        software_version: if of.tell_version { env!("CARGO_PKG_VERSION").into() } else { String::new() },
        ..xmpp::Config::new(config.server.domain.clone())
    }
}

#[allow(clippy::needless_update, reason = "a new field of the crate has its default until it has a key")]
fn stanza_limits(config: &Config) -> xmpp::Limits {
    let of = &config.limits;
    xmpp::Limits {
        stanza_bytes: size(of.stanza_bytes),
        stanza_bytes_before_auth: size(of.stanza_bytes_before_auth),
        depth: size(of.depth),
        attributes: size(of.attributes),
        attribute_value: size(of.attribute_value),
        attribute_total: size(of.attribute_total),
        name: size(of.name),
        namespaces_per_element: size(of.namespaces_per_element),
        namespaces_in_scope: size(of.namespaces_in_scope),
        children: size(of.children),
        sasl_text: size(of.sasl_text),
        node_id: size(of.node_id),
        item_id: size(of.item_id),
        error_echo: size(of.error_echo),
        stanzas_per_second: of.stanzas_per_second,
        stanza_burst: of.stanza_burst,
        outbox_items: size(of.outbox_items),
        outbox_bytes: size(of.outbox_bytes),
        ..xmpp::Limits::default()
    }
}

#[allow(clippy::needless_update, reason = "a new field of the crate has its default until it has a key")]
fn timeouts(config: &Config) -> xmpp::Timeouts {
    let of = &config.timeouts;
    xmpp::Timeouts {
        handshake: seconds(of.handshake),
        authenticate: seconds(of.authenticate),
        realm: seconds(of.realm),
        bind: seconds(of.bind),
        partial_stanza: seconds(of.partial_stanza),
        write_stall: seconds(of.write_stall),
        idle_probe: seconds(of.idle_probe),
        idle_close: seconds(of.idle_close),
        drain: seconds(of.drain),
        websocket_ping: seconds(of.websocket_ping),
        ..xmpp::Timeouts::default()
    }
}

#[allow(clippy::needless_update, reason = "a new field of the crate has its default until it has a key")]
pub(super) fn admission(config: &Config) -> AdmissionLimits {
    let of = &config.limits;
    AdmissionLimits {
        connections: size(of.xmpp_connections),
        unauthenticated: size(of.unauthenticated),
        per_address: size(of.per_address),
        address_rate: (of.address_rate, of.address_burst),
        total_rate: (of.total_rate, of.total_burst),
        trusted: AddressRange::networks(&of.trusted),
        ..AdmissionLimits::default()
    }
}

#[allow(clippy::needless_update, reason = "a new field of the crate has its default until it has a key")]
pub(super) fn bosh(config: &Config) -> bosh::Config {
    let of = &config.bosh;
    bosh::Config {
        settings: bosh_settings(config),
        max_body: size(of.body_bytes),
        max_body_before_auth: size(of.body_bytes_before_auth),
        max_answer: size(of.answer_bytes),
        body_timeout: seconds(config.timeouts.http_body),
        origins: notification_origins(config),
        cors_headers: config.cors.headers.clone(),
        legacy_http_errors: of.legacy_http_errors,
        pin_address: of.pin_address,
        limits: bosh_limits(config),
        ..bosh::Config::default()
    }
}

/// Addresses that may use the listeners of `xmpp_tls`; `None`: all.
pub(super) fn xmpp_tls_allow(config: &Config) -> Option<Arc<[xmpp::Network]>> {
    let list = &config.listen.xmpp_tls_allow;
    (!list.is_empty()).then(|| AddressRange::networks(list).into())
}

/// Load balancers whose PROXY headers listeners of this kind need; `None`: they are reached directly.
pub(super) fn proxies(config: &Config, listener: ListenerName) -> Option<Arc<[xmpp::Network]>> {
    let proxied = config.listen.proxy_protocol.contains(&listener);
    proxied.then(|| AddressRange::networks(&config.limits.proxies).into())
}

pub(super) fn notification_origins(config: &Config) -> Origins {
    Origins::new(config.cors.notification.iter().cloned())
}

#[allow(clippy::needless_update, reason = "a new field of the crate has its default until it has a key")]
fn bosh_settings(config: &Config) -> bosh::core::Settings {
    let of = &config.bosh;
    bosh::core::Settings {
        wait: seconds(of.wait),
        hold: small(of.hold),
        polling: seconds(of.polling),
        inactivity: seconds(of.inactivity),
        inactivity_polling: seconds(of.inactivity_polling),
        max_pause: (of.max_pause > 0).then(|| seconds(of.max_pause)),
        gap_grace: seconds(of.gap_grace),
        max_repeats: small(of.max_repeats),
        ignore_overactivity: of.ignore_overactivity,
        strict: of.strict,
        secure_attribute: of.secure_attribute,
        ..bosh::core::Settings::default()
    }
}

#[allow(clippy::needless_update, reason = "a new field of the crate has its default until it has a key")]
fn bosh_limits(config: &Config) -> bosh::Limits {
    let (of, limits) = (&config.bosh, &config.limits);
    bosh::Limits {
        trusted: AddressRange::networks(&limits.trusted),
        // The address of a client is settled before a request comes here.
        proxies: Vec::new(),
        address_rate: limits.address_rate,
        address_burst: limits.address_burst,
        address_sessions: limits.per_address,
        address_unauthenticated: of.unauthenticated_per_address,
        total_rate: limits.total_rate,
        total_burst: limits.total_burst,
        total_unauthenticated: limits.unauthenticated,
        misses_delayed: of.guesses_delayed,
        misses_refused: of.guesses_refused,
        addresses: size(of.addresses),
        ..bosh::Limits::default()
    }
}

pub(super) fn rules(config: &Config, addresses: Addresses) -> Rules {
    let (limits, timeouts) = (&config.limits, &config.timeouts);
    Rules {
        origins: notification_origins(config),
        proxies: AddressRange::networks(&limits.proxies),
        proxy_header: match limits.proxy_header {
            ProxyHeader::XForwardedFor => ForwardedHeader::XForwardedFor,
            ProxyHeader::Forwarded => ForwardedHeader::Forwarded,
        },
        connections: size(limits.http_connections),
        per_address: size(limits.http_per_address),
        trusted: AddressRange::networks(&limits.trusted),
        header_bytes: limits.http_header_bytes,
        streams: limits.http2_streams,
        header: seconds(timeouts.http_header),
        idle: seconds(timeouts.http_idle),
        host_meta: host_meta(config, addresses),
        transport_security: crate::http::transport_security(config.tls.hsts_seconds),
    }
}

/// Where clients find BOSH and WebSocket: as configured, or on the listeners, those with TLS if there are any.
fn host_meta(config: &Config, addresses: Addresses) -> HostMeta {
    let secure = [addresses.https, addresses.bosh_tls];
    let clear = [addresses.bosh, addresses.http];
    let encrypted = secure.iter().any(Option::is_some);
    let open = if encrypted { secure } else { clear };
    let urls = |configured: &str, schemes: [&str; 2], path: &str| match configured {
        "" => {
            let scheme = schemes[usize::from(!encrypted)];
            let host = config.server.host();
            let ports = open.iter().flatten().map(|address| address.port());
            ports.map(|port| format!("{scheme}://{host}:{port}{path}")).collect()
        }
        url => vec![url.to_owned()],
    };
    HostMeta::new(
        &urls(&config.server.bosh_url, ["https", "http"], "/http-bind/"),
        &urls(&config.server.websocket_url, ["wss", "ws"], "/ws/"),
    )
}

pub(super) fn rest(config: &Config) -> Settings {
    Settings {
        realm: config.auth.realm.clone(),
        public_system_info: config.server.public_system_info,
        body_bytes: size(config.limits.rest_body_bytes),
        body_timeout: seconds(config.limits.rest_timeout_seconds),
        rate: config.limits.rest_rate,
        burst: config.limits.rest_burst,
        origins: Origins::new(config.cors.rest.iter().cloned()),
        extensions: config.server.rest_extensions,
        team_messages: size(config.limits.team_messages),
        client_logs: (&config.client_logs).into(),
        catalogue: Arc::new(config.catalogue()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The defaults of the file are those of the crates, so that an embedder and an operator read the same numbers.
    #[test]
    fn the_defaults_of_the_file_are_those_of_the_crates() {
        let config = Config::default();
        let own = xmpp::Config::new("localhost");
        let version = env!("CARGO_PKG_VERSION").to_owned();
        assert_eq!(xmpp(&config), xmpp::Config { software_version: version, ..own });
        let limits = AdmissionLimits { connections: 40_000, ..AdmissionLimits::default() };
        assert_eq!(admission(&config), limits);
        assert_eq!(format!("{:?}", bosh(&config)), format!("{:?}", bosh::Config::default()));
        assert_eq!(format!("{:?}", broker(&config)), format!("{:?}", broker::Config::default()));
    }
}
