//! Changes while the server runs: a new configuration, a new certificate.
//!
//! Everything that can fail is done before anything is changed, so that a configuration that is wrong changes
//! nothing. What cannot change without a restart is named.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::{Server, settings, stopped};
use crate::config::{Config, ConfigError};
use crate::http::tls::{self, Tls};

/// `[section.key]` of every key that takes effect only with a restart, if it differs.
macro_rules! differing {
    ($old:expr, $new:expr, $($section:ident { $($key:ident)* })*) => {{
        let mut names: Vec<&'static str> = Vec::new();
        $($(if $old.$section.$key != $new.$section.$key {
            names.push(concat!(stringify!($section), ".", stringify!($key)));
        })*)*
        names
    }};
}

/// The keys that differ between two configurations and need a restart.
fn needs_restart(old: &Config, new: &Config) -> Vec<&'static str> {
    let mut names = differing!(old, new,
        server { domain pubsub_domain host deployment }
        xmpp {
            profile conflict max_resources auth_retries self_echo application language software_name tell_version
            scram sasl2 fast stream_management resume_seconds unacknowledged_items unacknowledged_bytes
        }
        pubsub {
            nodes subscriptions_per_user subscriptions_per_session dormant_seconds shards collections multi_subscribe
            subscription_options
        }
        limits {
            stanza_bytes stanza_bytes_before_auth depth attributes attribute_value attribute_total name
            namespaces_per_element namespaces_in_scope children sasl_text node_id item_id error_echo
            stanzas_per_second stanza_burst outbox_items outbox_bytes memory_mib
        }
        timeouts {
            handshake authenticate realm bind partial_stanza write_stall idle_probe idle_close drain websocket_ping
        }
        component { name secret }
        auth { login_names remember_seconds lockout_failures lockout_seconds }
        cti {
            side_a side_b version peripheral_id client_id client_password heartbeat_seconds
            request_timeout_seconds resync_window losses_free steady_seconds steady_longest_seconds
            loss_forgiven_seconds
        }
        calls { drop_participant_for recording }
        maintenance { users_per_second limit_seconds }
        peer {
            address listen primary host certificate key ca name fingerprint beat_ms lost_seconds second_grace_seconds
            follow_cti_side
        }
        absence { sign_out grace_seconds after_call resources }
        log { level format }
    );
    let same = |name, differs: bool| differs.then_some(name);
    names.extend(
        [
            same("realm", old.realm != new.realm),
            same("team", old.team != new.team),
            same("user", old.user != new.user),
            same("queue", old.queue != new.queue),
            same("reason_code", old.reason_code != new.reason_code),
        ]
        .into_iter()
        .flatten(),
    );
    names
}

impl Server {
    /// Takes another configuration over: listeners, certificate, address lists, origins, limits of HTTP, BOSH and
    /// REST. No session ends: a listener that is closed leaves its connections be. Returns the keys that differ
    /// from what the server was started with and need a restart.
    ///
    /// New addresses are bound before old ones are given up, so that nothing is lost when it fails: `0.0.0.0:80` cannot
    /// become `127.0.0.1:80` in one step. The very same address may change from one list to any other.
    ///
    /// Has to be called inside a tokio runtime.
    ///
    /// # Errors
    /// An address cannot be listened on, or the certificate does not fit; then nothing has changed.
    pub fn reconfigure(&mut self, config: Config) -> Result<Vec<&'static str>, ConfigError> {
        let plan = self.doors.plan(&config)?;
        let (old, new) = (&self.config.borrow().clone(), Arc::new(config));
        // A self-signed certificate stays, so that clients that were told to trust it still do.
        let named = new.tls.certificate.is_some();
        let certificate = match named || old.tls.certificate.is_some() {
            true => Some(tls::certificate(&new)?),
            false => None,
        };
        if let Some(certificate) = certificate {
            self.behind.tls.exchange(certificate);
        }
        let interfaces = &self.behind.interfaces;
        let alternate = settings::alternate(&new);
        // The other node of a pair has said itself where it is.
        if alternate.is_some() || !new.peer.is_configured() {
            interfaces.xmpp.redirect(alternate);
        }
        interfaces.admission.set_limits(settings::admission(&new));
        self.behind.realm.trust(settings::admission(&new).trusted);
        interfaces.bosh.reconfigure(settings::bosh(&new));
        interfaces.rest.reconfigure(settings::rest(&new));
        self.doors.carry_out(plan, &new, &self.behind, &mut self.tasks);
        interfaces.set_rules(settings::rules(&new, self.doors.addresses()));
        self.ports.set(super::ports(self.doors.addresses()));
        let restart = needs_restart(&self.started_with, &new);
        self.config.send_replace(new);
        Ok(restart)
    }

    /// Reads the file of the configuration again and takes it over; says in the log what became of it.
    pub(super) fn reload(&mut self, path: &std::path::Path) {
        match Config::load(path).and_then(|config| self.reconfigure(config)) {
            Ok(restart) if restart.is_empty() => {
                tracing::info!(addresses = ?self.addresses(), "configuration reloaded");
            }
            Ok(restart) => {
                let keys = restart.join(", ");
                tracing::warn!(addresses = ?self.addresses(), keys, "configuration reloaded; these keys need a restart");
            }
            Err(error) => tracing::error!(%error, "configuration not reloaded; nothing has changed"),
        }
    }
}

/// Looks at the files of the certificate and takes a changed pair over. One that does not fit is refused, and said so
/// once.
pub(super) async fn watch_certificate(
    mut config: watch::Receiver<Arc<Config>>,
    tls: Tls,
    stop: watch::Receiver<bool>,
) {
    // What was loaded may have been replaced since, before anybody looked: the first look loads it again.
    let mut seen = tls::Stamp::default();
    let mut stop = std::pin::pin!(stopped(stop));
    loop {
        let seconds = config.borrow().tls.check_seconds;
        let look = async {
            match seconds {
                0 => std::future::pending().await,
                seconds => tokio::time::sleep(Duration::from_secs(seconds.into())).await,
            }
        };
        tokio::select! {
            () = look => {}
            changed = config.changed() => match changed {
                // Whoever changed it has loaded the certificate; the next look makes sure, as the first does.
                Ok(()) => {
                    seen = tls::Stamp::default();
                    continue;
                }
                Err(_) => return,
            },
            () = &mut stop => return,
        }
        let config = config.borrow().clone();
        let stamp = tls::stamp(&config);
        if stamp == seen {
            continue;
        }
        seen = stamp;
        match tls::certificate(&config) {
            Ok(certificate) => {
                if tls.exchange(certificate) {
                    tracing::info!("certificate changed; new connections are shown the new one");
                }
            }
            Err(error) => tracing::error!(%error, "the changed certificate is refused; the old one stays"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys that take effect at once, by section.
    const LIVE: [(&str, &[&str]); 7] = [
        (
            "server",
            &[
                "public_system_info",
                "rest_extensions",
                "plain_http",
                "bosh_url",
                "websocket_url",
                "alternate",
                "alternate_bosh_url",
                "alternate_websocket_url",
            ],
        ),
        (
            "listen",
            &[
                "http",
                "https",
                "bosh",
                "bosh_tls",
                "xmpp",
                "xmpp_tls",
                "component",
                "xmpp_tls_allow",
                "proxy_protocol",
            ],
        ),
        ("tls", &["certificate", "key", "check_seconds", "hsts_seconds"]),
        ("xmpp", &["starttls", "coalesce"]),
        (
            "limits",
            &[
                "trusted",
                "proxies",
                "proxy_header",
                "http_connections",
                "http_per_address",
                "http_header_bytes",
                "http2_streams",
                "xmpp_connections",
                "unauthenticated",
                "per_address",
                "address_rate",
                "address_burst",
                "total_rate",
                "total_burst",
                "rest_body_bytes",
                "rest_timeout_seconds",
                "rest_rate",
                "rest_burst",
                "team_messages",
            ],
        ),
        ("timeouts", &["http_header", "http_body", "http_idle"]),
        ("auth", &["realm"]),
    ];

    /// A value of the same kind, different and allowed.
    fn other(value: &toml::Value, key: &str) -> Option<String> {
        Some(match (key, value) {
            ("deployment", _) => "\"ccx\"".into(),
            ("profile", _) => "\"strict\"".into(),
            ("subscription_options", _) => "\"on\"".into(),
            ("conflict", _) => "\"rename\"".into(),
            ("drop_participant_for", _) => "\"all\"".into(),
            ("resources", _) => "\"desktop\"".into(),
            ("format", _) => "\"json\"".into(),
            ("application", _) => "\"a/b\"".into(),
            ("side_a" | "side_b", _) => "\"cti.example:1\"".into(),
            ("version", _) => "20".into(),
            ("wait", _) => "50".into(),
            ("idle_probe", _) => "59".into(),
            (_, toml::Value::Boolean(value)) => (!value).to_string(),
            (_, toml::Value::Integer(value)) => (value + 1).to_string(),
            (_, toml::Value::String(_)) => "\"other\"".into(),
            _ => return None,
        })
    }

    #[test]
    fn every_key_is_live_or_named_as_needing_a_restart() {
        let example: toml::Table = include_str!("../../../finesse.example.toml").parse().unwrap();
        let old = Config::default();
        for (section, keys) in &example {
            // Live as a whole, or not at all.
            if ["bosh", "cors", "desktop", "client_logs", "realm"].contains(&section.as_str()) {
                continue;
            }
            for (key, value) in keys.as_table().unwrap() {
                let live = LIVE.iter().any(|(name, keys)| name == section && keys.contains(&key.as_str()));
                if live {
                    continue;
                }
                let other = other(value, key).unwrap_or_else(|| panic!("{section}.{key} is in no list"));
                // By itself it may need other keys; only the comparison is asked for here.
                let new: Config = toml::from_str(&format!("[{section}]\n{key} = {other}\n")).unwrap();
                assert_eq!(needs_restart(&old, &new), [format!("{section}.{key}")]);
            }
        }
        assert!(
            needs_restart(&old, &Config::parse("f", "[[team]]\nid = 1\nname = \"a\"\n").unwrap()) == ["team"]
        );
        let realm = Config::parse("f", "[realm.cce]\nhost = \"a\"\n").unwrap();
        assert_eq!(needs_restart(&old, &realm), ["realm"]);
    }
}
