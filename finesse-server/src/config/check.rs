//! Rules that no single value can be checked for: names that must be unique, references that must lead somewhere,
//! keys that need one another.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use toml::Spanned;

use xmpp::sasl::scram::Hash;

use super::{
    Config, ConfigError, Deployment, ListenerName, PlainHttp, ProfileName, RealmKind, RoleName, UserEntry,
};
use crate::realm::outbound::Url;
use crate::rest::cors::Origins;

pub(super) type Check = Result<(), ConfigError>;

/// Checks the whole configuration; the first mistake is reported.
pub(super) fn check(config: &Config) -> Check {
    names(config)?;
    numbers(config)?;
    streams(config)?;
    listeners(config)?;
    component(config)?;
    tls(config)?;
    cti(config)?;
    peer(config)?;
    origins(config)?;
    log(config)?;
    teams(config)?;
    users(config)?;
    realm(config)?;
    scram(config)?;
    queues(config)?;
    reason_codes(config)?;
    super::desktop::check(config)
}

pub(super) fn fail(config: &Config, span: Range<usize>, message: String) -> Check {
    Err(config.source.error(span, message))
}

/// An error about a key whose value carries no position: blames the first line that starts with the key.
pub(super) fn fail_key(config: &Config, section: &str, key: &str, message: &str) -> Check {
    let text = &*config.source.text;
    let start = text.find(&format!("[{section}]")).unwrap_or(0);
    let mut at = start;
    for line in text[start..].split_inclusive('\n') {
        if line.split('=').next().is_some_and(|name| name.trim() == key) {
            break;
        }
        at += line.len();
    }
    let at = if at >= text.len() { start } else { at };
    fail(config, at..at, format!("{section}.{key} {message}"))
}

fn is_domain_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let is_label = |label: &str| (1..=63).contains(&label.len()) && label.bytes().all(fits);
    name.len() <= 253 && name.split('.').all(is_label)
}

/// A domain name given outside a file.
///
/// # Errors
/// It is none, or has capitals.
pub fn domain_name(text: &str) -> Result<String, ConfigError> {
    match is_domain_name(text) {
        true => Ok(text.to_owned()),
        false => Err(ConfigError::whole_file(String::new(), "must be a host name in lower case".into())),
    }
}

fn names(config: &Config) -> Check {
    for (key, name, may_be_empty) in [
        ("domain", &config.server.domain, false),
        ("pubsub_domain", &config.server.pubsub_domain, true),
        ("host", &config.server.host, true),
    ] {
        if !(is_domain_name(name) || (may_be_empty && name.is_empty())) {
            return fail_key(
                config,
                "server",
                key,
                "must be a host name in lower case (letters, digits, '-', '.')",
            );
        }
    }
    if config.server.pubsub_domain == config.server.domain {
        return fail_key(config, "server", "pubsub_domain", "must differ from server.domain");
    }
    if config.auth.realm.contains(['"', '\\'])
        || !config.auth.realm.bytes().all(|byte| (0x20..0x7f).contains(&byte))
    {
        return fail_key(
            config,
            "auth",
            "realm",
            "may hold printable ASCII only, without quote and backslash",
        );
    }
    Ok(())
}

fn numbers(config: &Config) -> Check {
    if let Some((section, key, message)) = super::ranges::first_outside(config) {
        return fail_key(config, section, key, &message);
    }
    for (section, key, value, other, least) in [
        (
            "timeouts",
            "idle_close",
            config.timeouts.idle_close,
            "timeouts.idle_probe",
            config.timeouts.idle_probe,
        ),
        (
            "limits",
            "address_burst",
            config.limits.address_burst,
            "limits.address_rate",
            config.limits.address_rate,
        ),
        ("limits", "total_burst", config.limits.total_burst, "limits.total_rate", config.limits.total_rate),
        (
            "bosh",
            "guesses_refused",
            config.bosh.guesses_refused,
            "bosh.guesses_delayed",
            config.bosh.guesses_delayed,
        ),
    ] {
        if value < least {
            return fail_key(config, section, key, &format!("must not be less than {other} ({least})"));
        }
    }
    // A client finds the connection that was not held closed when it needs it.
    if config.timeouts.http_idle <= config.bosh.wait {
        let message = format!("must be more than bosh.wait ({})", config.bosh.wait);
        return fail_key(config, "timeouts", "http_idle", &message);
    }
    Ok(())
}

fn streams(config: &Config) -> Check {
    let xmpp = &config.xmpp;
    let is_word = |text: &str| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
    };
    let is_application = |text: &str| {
        text.split_once('/').is_some_and(|(local, resource)| {
            is_word(local) && is_word(resource) && !local.bytes().any(|b| b.is_ascii_uppercase())
        })
    };
    if !xmpp.application.is_empty() && !is_application(&xmpp.application) {
        return fail_key(config, "xmpp", "application", "must be local/resource in lower case, or empty");
    }
    if xmpp.fast && !xmpp.sasl2 {
        return fail_key(config, "xmpp", "fast", "needs xmpp.sasl2 as well");
    }
    let pubsub = &config.pubsub;
    for (key, on) in [("collections", pubsub.collections), ("multi_subscribe", pubsub.multi_subscribe)] {
        if on && xmpp.profile != ProfileName::Strict {
            return fail_key(config, "pubsub", key, "has an effect only with xmpp.profile = \"strict\"");
        }
    }
    if !is_word(&xmpp.language) || xmpp.language.len() > 35 {
        return fail_key(config, "xmpp", "language", "must be a language tag such as \"en\"");
    }
    if xmpp.software_name.is_empty() || xmpp.software_name.chars().any(char::is_control) {
        return fail_key(config, "xmpp", "software_name", "must be a short text");
    }
    let alternate = &config.server.alternate;
    if !alternate.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b)) {
        return fail_key(config, "server", "alternate", "must be a host, or a host and a port");
    }
    for (key, url, schemes) in [
        ("bosh_url", &config.server.bosh_url, ["https://", "http://"]),
        ("websocket_url", &config.server.websocket_url, ["wss://", "ws://"]),
        ("alternate_bosh_url", &config.server.alternate_bosh_url, ["https://", "http://"]),
        ("alternate_websocket_url", &config.server.alternate_websocket_url, ["wss://", "ws://"]),
    ] {
        let plain = url.bytes().all(|b| b.is_ascii_graphic() && !b"<>\"\\&".contains(&b));
        let fits = schemes.iter().any(|scheme| url.len() > scheme.len() && url.starts_with(scheme));
        if !(url.is_empty() || plain && fits) {
            return fail_key(
                config,
                "server",
                key,
                &format!("must begin with {} or {}", schemes[0], schemes[1]),
            );
        }
    }
    Ok(())
}

fn listeners(config: &Config) -> Check {
    let listen = &config.listen;
    let mut seen = HashMap::new();
    for kind in ListenerName::ALL {
        let key = kind.key();
        for address in listen.of(kind) {
            let socket = *address.get_ref();
            if socket.port() != 0
                && let Some(other) = seen.insert(socket, key)
            {
                return fail(config, address.span(), format!("{socket} is used by listen.{other} already"));
            }
        }
    }
    if config.server.plain_http == PlainHttp::Redirect && !listen.http.is_empty() && listen.https.is_empty() {
        return fail_key(config, "listen", "http", "redirects to HTTPS, but listen.https is empty");
    }
    Ok(())
}

fn component(config: &Config) -> Check {
    let name = &config.component.name;
    if !(name.is_empty() || is_domain_name(name)) {
        return fail_key(config, "component", "name", "must be a host name in lower case");
    }
    if *name == config.server.domain || *name == config.server.pubsub() {
        return fail_key(
            config,
            "component",
            "name",
            "must differ from the domain and from the address of the pubsub service",
        );
    }
    let Some(address) = config.listen.component.first() else { return Ok(()) };
    if name.is_empty() || config.component.secret.expose().is_empty() {
        let message = "listen.component needs component.name and component.secret".into();
        return fail(config, address.span(), message);
    }
    Ok(())
}

fn tls(config: &Config) -> Check {
    match (&config.tls.certificate, &config.tls.key) {
        (Some(only), None) => fail(config, only.span(), "tls.certificate needs tls.key as well".into()),
        (None, Some(only)) => fail(config, only.span(), "tls.key needs tls.certificate as well".into()),
        _ => Ok(()),
    }
}

fn cti(config: &Config) -> Check {
    let is_address = |text: &str| {
        text.rsplit_once(':')
            .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port != 0))
    };
    if !is_address(&config.cti.side_a) {
        return fail_key(config, "cti", "side_a", "must be host:port");
    }
    if !config.cti.side_b.is_empty() && !is_address(&config.cti.side_b) {
        return fail_key(config, "cti", "side_b", "must be host:port or empty");
    }
    if !(13..=24).contains(&config.cti.version) {
        return fail_key(config, "cti", "version", "must be from 13 to 24");
    }
    if config.server.deployment == Deployment::Ccx && config.peripheral_id() != 1 {
        return fail_key(config, "cti", "peripheral_id", "must be 1 on CCX; it may be left out");
    }
    if config.cti.heartbeat_seconds == 0 {
        return fail_key(config, "cti", "heartbeat_seconds", "must be at least 1");
    }
    if config.cti.request_timeout_seconds == 0 {
        return fail_key(config, "cti", "request_timeout_seconds", "must be at least 1");
    }
    Ok(())
}

fn peer(config: &Config) -> Check {
    let peer = &config.peer;
    if !peer.is_configured() {
        return Ok(());
    }
    let complain = |key, message: &str| fail_key(config, "peer", key, message);
    let port = peer.address.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
    if peer.address_host().is_empty() || port.is_none_or(|port| port == 0) {
        return complain("address", "must be host:port");
    }
    if !is_domain_name(peer.host()) {
        return complain("host", "must be the host name of the other node in lower case");
    }
    // Clients find out on which node they are, and where the other one is, by comparing names.
    if peer.host() == config.server.host() {
        return complain("host", "is that of this node");
    }
    if config.server.domain != config.server.host() {
        return fail_key(
            config,
            "server",
            "domain",
            "must be server.host on a node of a pair: clients compare them",
        );
    }
    for (key, missing) in [
        ("listen", peer.listen.is_none()),
        ("certificate", peer.certificate.is_none()),
        ("key", peer.key.is_none()),
    ] {
        if missing {
            return complain("address", &format!("needs peer.{key} as well"));
        }
    }
    match (&peer.ca, peer.fingerprint.as_str()) {
        (None, "") => complain("address", "needs peer.ca or peer.fingerprint as well"),
        (Some(ca), fingerprint) if !fingerprint.is_empty() => {
            fail(config, ca.span(), "peer.ca and peer.fingerprint exclude each other".into())
        }
        (None, fingerprint) if crate::peer::tls::fingerprint(fingerprint).is_none() => {
            complain("fingerprint", "must be a SHA-256 in hexadecimal")
        }
        _ => Ok(()),
    }
}

fn origins(config: &Config) -> Check {
    for (key, list) in [("rest", &config.cors.rest), ("notification", &config.cors.notification)] {
        if let Some(origin) = list.iter().find(|origin| !Origins::is_pattern(origin)) {
            let message = format!(
                "'{origin}' is no origin: scheme and host without a path, such as \"https://crm.example.com\""
            );
            return fail_key(config, "cors", key, &message);
        }
    }
    let is_name =
        |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if let Some(name) = config.cors.headers.iter().find(|name| !is_name(name)) {
        return fail_key(config, "cors", "headers", &format!("'{name}' is no name of a header"));
    }
    if !config.listen.proxy_protocol.is_empty() && config.limits.proxies.is_empty() {
        return fail_key(
            config,
            "listen",
            "proxy_protocol",
            "needs the addresses of the proxies in limits.proxies",
        );
    }
    Ok(())
}

fn log(config: &Config) -> Check {
    match config.log.level.parse::<tracing_subscriber::EnvFilter>() {
        Ok(_) => Ok(()),
        Err(error) => fail_key(config, "log", "level", &format!("is no level and no filter: {error}")),
    }
}

fn teams(config: &Config) -> Check {
    unique(config, &config.team, |team| team.id, "team")
}

pub(super) fn unique<T, K: std::hash::Hash + Eq + std::fmt::Display>(
    config: &Config,
    entries: &[Spanned<T>],
    key: impl Fn(&T) -> K,
    what: &str,
) -> Check {
    let mut seen = HashSet::new();
    for entry in entries {
        let key = key(entry.get_ref());
        let message = format!("{what} {key} is defined twice");
        if !seen.insert(key) {
            return fail(config, entry.span(), message);
        }
    }
    Ok(())
}

/// Ids differ in more than case, because JIDs fold it; a login name may not be that of two users.
fn users(config: &Config) -> Check {
    let teams: HashSet<u32> = config.team.iter().map(|team| team.get_ref().id).collect();
    let mut ids = HashMap::new();
    let mut login_names = HashMap::new();
    for entry in &config.user {
        let user = entry.get_ref();
        let complain = |message: String| fail(config, entry.span(), format!("user {:?}: {message}", user.id));
        for (what, name) in [("id", user.id.as_str()), ("login_name", user.login_name())] {
            if name.is_empty()
                || name.len() > 128
                || name.contains([':', '\0'])
                || name.chars().any(char::is_control)
            {
                return complain(format!(
                    "{what} must have 1 to 128 bytes, without colon and control characters"
                ));
            }
        }
        if user.id.contains(['/', '?', '#', '<', '>', '|', '{', '}']) || user.id.trim() != user.id {
            return complain("id may not hold any of / ? # < > | { }, nor begin or end with a space".into());
        }
        if let Some(other) = ids.insert(user.id.to_lowercase(), &user.id) {
            return complain(format!("differs from user {other:?} in case at most"));
        }
        if let Some(other) = login_names.insert(user.login_name().to_lowercase(), &user.id) {
            return complain(format!("login_name {:?} is that of user {other:?} too", user.login_name()));
        }
        let unknown = |team: &&u32| !are_elsewhere(config) && !teams.contains(team);
        if let Some(team) = user.team.iter().chain(&user.supervises).find(unknown) {
            return complain(format!("team {team} is not defined"));
        }
        if !user.supervises.is_empty() && !user.roles.contains(&RoleName::Supervisor) {
            return complain("supervises teams but lacks the role supervisor".into());
        }
        let is_verified = user.password_hash.is_some() || config.realm.kind == RealmKind::Ccx;
        if !is_verified {
            return complain(
                "lacks password_hash, without which only realm.kind = \"ccx\" can verify".into(),
            );
        }
        if user.roles.is_empty() {
            return complain("roles may not be empty".into());
        }
    }
    Ok(())
}

/// A realm beside the file needs to know where it is.
fn realm(config: &Config) -> Check {
    let realm = &config.realm;
    if realm.kind == RealmKind::File {
        return Ok(());
    }
    if config.xmpp.scram {
        return fail_key(config, "xmpp", "scram", "needs realm.kind = \"file\": only the file has verifiers");
    }
    if realm.kind == RealmKind::Cce && config.server.deployment != Deployment::Cce {
        return fail_key(config, "realm", "kind", "needs server.deployment = \"cce\"");
    }
    if realm.kind == RealmKind::Ccx {
        return ccx(config);
    }
    let cce = &realm.cce;
    for (key, value) in [("host", &cce.host), ("name", &cce.name), ("user", &cce.user)] {
        if value.is_empty() {
            return fail_key(config, "realm.cce", key, "is needed with realm.kind = \"cce\"");
        }
    }
    Ok(())
}

fn ccx(config: &Config) -> Check {
    let ccx = &config.realm.ccx;
    if ccx.nodes.is_empty() {
        return fail_key(config, "realm.ccx", "nodes", "is needed with realm.kind = \"ccx\"");
    }
    for node in &ccx.nodes {
        if !node.starts_with("https://") || node.parse::<Url>().is_err() {
            let message =
                format!("holds {node:?}, which is no URL such as \"https://cucm.example:8443/axl/\"");
            return fail_key(config, "realm.ccx", "nodes", &message);
        }
    }
    if ccx.user.is_empty() || ccx.user.contains(':') {
        return fail_key(config, "realm.ccx", "user", "has to be a name without a colon");
    }
    if !crate::realm::ccx::VERSIONS.contains(&ccx.version.as_str()) {
        let versions = crate::realm::ccx::VERSIONS.join(", ");
        return fail_key(config, "realm.ccx", "version", &format!("must be one of {versions}"));
    }
    Ok(())
}

/// Whether teams and users may be those of another realm, of which the file does not know.
fn are_elsewhere(config: &Config) -> bool {
    config.realm.kind == RealmKind::Cce
}

/// SCRAM is only offered with a hash function for which everybody has a verifier, so that a missing one would turn
/// it off for all.
fn scram(config: &Config) -> Check {
    let has = |user: &UserEntry, hash| user.scram.iter().any(|verifier| verifier.get().hash() == hash);
    let users = || config.user.iter().map(|entry| (entry, entry.get_ref()));
    for (entry, user) in users() {
        for hash in Hash::ALL {
            let name = hash.mechanism(false);
            if user.scram.iter().filter(|verifier| verifier.get().hash() == hash).count() > 1 {
                return fail(config, entry.span(), format!("user {:?}: two verifiers for {name}", user.id));
            }
            let needed = hash == Hash::Sha256 || users().any(|(_, other)| has(other, hash));
            if config.xmpp.scram && needed && !has(user, hash) {
                let advice = "make one with `finesse-server hash-password --scram`";
                let message =
                    format!("user {:?}: xmpp.scram is on and scram lacks {name} ({advice})", user.id);
                return fail(config, entry.span(), message);
            }
        }
    }
    Ok(())
}

fn queues(config: &Config) -> Check {
    unique(config, &config.queue, |queue| queue.id, "queue")?;
    let users: HashSet<&str> = config.user.iter().map(|user| user.get_ref().id.as_str()).collect();
    for entry in &config.queue {
        let unknown = |member: &&String| !are_elsewhere(config) && !users.contains(member.as_str());
        if let Some(member) = entry.get_ref().members.iter().find(unknown) {
            return fail(
                config,
                entry.span(),
                format!("queue {}: user {member:?} is not defined", entry.get_ref().id),
            );
        }
    }
    Ok(())
}

fn reason_codes(config: &Config) -> Check {
    unique(config, &config.reason_code, |code| code.id, "reason code")?;
    let teams: HashSet<u32> = config.team.iter().map(|team| team.get_ref().id).collect();
    for entry in &config.reason_code {
        let code = entry.get_ref();
        let complain =
            |message: String| fail(config, entry.span(), format!("reason code {}: {message}", code.id));
        if code.id == 0 || code.code == 0 {
            return complain("id and code start at 1".into());
        }
        if code.label.is_empty() || code.label.chars().count() > 40 {
            return complain("label must have 1 to 40 characters".into());
        }
        if let Some(team) = code.teams.iter().find(|team| !are_elsewhere(config) && !teams.contains(team)) {
            return complain(format!("team {team} is not defined"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$ENZTpHpJLWqvfXL0pVX6mvJWqHp6sEeVvSuBc4MSaNc";

    fn complaint(text: &str) -> String {
        let text = text.replace("HASH", HASH);
        Config::parse("f.toml", &text).unwrap_err().to_string()
    }

    #[test]
    fn numbers_out_of_range_and_bad_address_lists_are_refused() {
        for (text, expected) in [
            ("[bosh]\nwait = 60\nhold = 9\n", "f.toml:3:1: bosh.hold must be from 1 to 4"),
            ("[limits]\nstanza_bytes = 9999\n", "f.toml:2:1: limits.stanza_bytes must be from 10000 to"),
            ("[limits]\nhttp2_streams = 99\n", "f.toml:2:1: limits.http2_streams must be from 100 to"),
            ("[limits]\ntotal_burst = 10\n", "f.toml:2:1: limits.total_burst must not be less than"),
            ("[timeouts]\nidle_close = 30\n", "f.toml:2:1: timeouts.idle_close must not be less than"),
            (
                "[timeouts]\nhttp_idle = 60\n",
                "f.toml:2:1: timeouts.http_idle must be more than bosh.wait (60)",
            ),
            ("[limits]\n\ntrusted = [\"10.0.0.0/33\"]\n", "f.toml:3:11: \"10.0.0.0/33\" is not an address"),
            (
                "[listen]\nproxy_protocol = [\"https\"]\n",
                "f.toml:2:1: listen.proxy_protocol needs the addresses",
            ),
            ("[listen]\nproxy_protocol = [\"ftp\"]\n", "f.toml:2:19: unknown variant `ftp`"),
            ("[xmpp]\napplication = \"finesse\"\n", "f.toml:2:1: xmpp.application must be"),
            ("[xmpp]\nconflict = \"ignore\"\n", "f.toml:2:12: unknown variant `ignore`"),
            ("[server]\nbosh_url = \"//cc/http-bind\"\n", "f.toml:2:1: server.bosh_url must begin with"),
            ("[server]\nalternate = \"https://b/\"\n", "f.toml:2:1: server.alternate must be a host"),
            (
                "[server]\nalternate_bosh_url = \"b.example\"\n",
                "f.toml:2:1: server.alternate_bosh_url must begin with",
            ),
            ("[xmpp]\nresume_seconds = 121\n", "f.toml:2:1: xmpp.resume_seconds must be from 1 to 120"),
        ] {
            let complaint = Config::parse("f.toml", text).unwrap_err().to_string();
            assert!(complaint.starts_with(expected), "{complaint}");
        }
    }

    #[test]
    fn origins_and_log_filters_that_cannot_work_are_refused() {
        for (text, expected) in [
            ("[cors]\nrest = [\"crm\"]\n", "f.toml:2:1: cors.rest 'crm' is no origin"),
            ("[cors]\nrest = [\"https://a/b\"]\n", "f.toml:2:1: cors.rest 'https://a/b' is no origin"),
            (
                "[cors]\nnotification = [\"*.example\"]\n",
                "f.toml:2:1: cors.notification '*.example' is no origin",
            ),
            ("[cors]\nheaders = [\"X Y\"]\n", "f.toml:2:1: cors.headers 'X Y' is no name"),
            ("[log]\nlevel = \"=x=,,\"\n", "f.toml:2:1: log.level is no level"),
        ] {
            let complaint = Config::parse("f.toml", text).unwrap_err().to_string();
            assert!(complaint.starts_with(expected), "{complaint}");
        }
        for good in ["*", "null", "https://crm.example.com", "http://localhost:*", "http://[::1]:8080"] {
            Config::parse("f.toml", &format!("[cors]\nrest = [\"{good}\"]\n")).unwrap();
        }
    }

    #[test]
    fn contradictions_are_found_with_their_line() {
        for (text, line, part) in [
            ("[server]\nhost = \"x\"\ndomain = \"Not A Name\"\n", 3, "server.domain must be a host name"),
            (
                "[listen]\nhttp = [\"0.0.0.0:80\"]\nhttps = [\"0.0.0.0:80\"]\n",
                3,
                "used by listen.http already",
            ),
            ("[listen]\nhttps = []\n", 1, "listen.http redirects"),
            ("[listen]\n\ncomponent = [\"127.0.0.1:1\"]\n", 3, "needs component.name"),
            (
                "[component]\nname = \"a.example\"\n[listen]\ncomponent = [\"127.0.0.1:1\"]\n",
                4,
                "and component.secret",
            ),
            ("[component]\nname = \"localhost\"\n", 2, "component.name must differ"),
            ("[component]\nname = \"pubsub.localhost\"\n", 2, "component.name must differ"),
            ("[component]\nname = \"a b\"\n", 2, "component.name must be a host name"),
            ("[tls]\ncertificate = \"a.pem\"\n", 2, "needs tls.key"),
            ("[cti]\nside_a = \"nowhere\"\n", 2, "cti.side_a must be host:port"),
            ("[cti]\nversion = 12\n", 2, "from 13 to 24"),
            (
                "[server]\ndeployment = \"ccx\"\n[cti]\nperipheral_id = 5000\n",
                4,
                "cti.peripheral_id must be 1 on CCX",
            ),
            ("[limits]\nrest_body_bytes = 1\n", 2, "limits.rest_body_bytes"),
            ("[pubsub]\ncollections = true\n", 2, "pubsub.collections has an effect only"),
            (
                "[pubsub]\nshards = 9\nmulti_subscribe = true\n",
                3,
                "pubsub.multi_subscribe has an effect only",
            ),
            ("[pubsub]\nsubscription_options = true\n", 2, "wanted string"),
            ("[auth]\nrealm = 'a\"b'\n", 2, "auth.realm"),
            (
                "[[team]]\nid = 1\nname = \"a\"\n[[team]]\nid = 1\nname = \"b\"\n",
                4,
                "team 1 is defined twice",
            ),
            ("[[user]]\nid = \"a:b\"\npassword_hash = \"HASH\"\n", 1, "without colon"),
            ("[[user]]\nid = \"a\"\npassword_hash = \"secret\"\n", 3, "not an argon2id hash"),
            ("[[user]]\nid = \"a\"\nteam = 7\npassword_hash = \"HASH\"\n", 1, "team 7 is not defined"),
            ("[[user]]\nid = \"a\"\nroles = []\npassword_hash = \"HASH\"\n", 1, "roles may not be empty"),
            ("[[queue]]\nid = 1\nname = \"q\"\nmembers = [\"x\"]\n", 1, "user \"x\" is not defined"),
            (
                "[[reason_code]]\nid = 1\ncategory = \"NOT_READY\"\ncode = 0\nlabel = \"x\"\n",
                1,
                "id and code start at 1",
            ),
            (
                "[[reason_code]]\nid = 1\ncategory = \"LUNCH\"\ncode = 1\nlabel = \"x\"\n",
                3,
                "unknown variant",
            ),
        ] {
            let complaint = complaint(text);
            assert!(complaint.starts_with(&format!("f.toml:{line}:")), "{text}\n{complaint}");
            assert!(complaint.contains(part), "{text}\n{complaint}");
        }
    }

    #[test]
    fn ids_that_differ_in_case_only_are_refused() {
        let complaint = complaint(
            "[[user]]\nid = \"Anna\"\npassword_hash = \"HASH\"\n[[user]]\nid = \"anna\"\npassword_hash = \"HASH\"\n",
        );
        assert!(
            complaint.starts_with("f.toml:4:") && complaint.contains("differs from user \"Anna\""),
            "{complaint}"
        );
    }

    #[test]
    fn a_login_name_may_be_the_id_of_someone_else_but_not_his_login_name() {
        let two = |second: &str| {
            format!(
                "[[user]]\nid = \"1001\"\nlogin_name = \"x\"\npassword_hash = \"{HASH}\"\n\
                 [[user]]\nid = \"1002\"\nlogin_name = \"{second}\"\npassword_hash = \"{HASH}\"\n"
            )
        };
        assert!(Config::parse("f", &two("1001")).is_ok());
        assert!(
            Config::parse("f", &two("X")).unwrap_err().to_string().contains("is that of user \"1001\" too")
        );
    }
}
