//! The configuration file: what may stand in it, what holds when it is silent, and where a mistake is.
//!
//! The file is TOML. Unknown keys are refused, so that a misspelt key cannot be overlooked, and every complaint
//! names the file and the line. `finesse.example.toml` documents each key; a test holds it against
//! [`Config::default`].

mod absence;
mod bosh;
mod calls;
mod check;
mod client_logs;
mod desktop;
mod error;
mod limits;
mod maintenance;
mod peer;
mod people;
mod ranges;
mod realm;
mod values;
mod xmpp;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;

use crate::directory::{Builder, Directory, Roster};
pub use absence::{Absence, Resources};
pub use bosh::Bosh;
pub use calls::{Calls, DropParticipantFor};
pub use check::domain_name;
pub use client_logs::ClientLogs;
pub use desktop::{
    ActionKind, ActionVariableEntry, CallDataEntry, ContactEntry, Desktop, DeviceEntry, EccVariableEntry,
    MediaLayoutEntry, ParamEntry, PhoneBookEntry, RuleEntry, TeamLayoutEntry, WorkflowActionEntry,
    WorkflowEntry, WrapUpReasonEntry,
};
pub use error::ConfigError;
pub use limits::{Limits, Pubsub, Timeouts};
pub use maintenance::Maintenance;
pub use peer::Peer;
pub use people::{QueueEntry, ReasonCodeEntry, RoleName, TeamEntry, UserEntry};
pub use realm::{CceRealm, CcxRealm, DatabaseKind, DatabaseTls, Pin, Realm, RealmKind};
pub use values::{
    AddressRange, ConflictMode, Deployment, ListenerName, LogFormat, OptionsMode, PasswordHash, PlainHttp,
    ProfileName, Protocol, ProxyHeader, Secret, StartTlsMode,
};
pub use xmpp::Xmpp;

/// The whole configuration file.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Names and general behaviour.
    pub server: Server,
    /// Addresses to listen on.
    pub listen: Listen,
    /// Certificate of the TLS listeners.
    pub tls: Tls,
    /// XMPP streams.
    pub xmpp: Xmpp,
    /// BOSH sessions.
    pub bosh: Bosh,
    /// What the publish-subscribe service holds.
    pub pubsub: Pubsub,
    /// Bounds.
    pub limits: Limits,
    /// How long things may take.
    pub timeouts: Timeouts,
    /// Which web origins may use the HTTP interfaces.
    pub cors: Cors,
    /// The external component that may connect.
    pub component: Component,
    /// Sign-in rules.
    pub auth: Auth,
    /// Where the accounts are that are not in this file.
    pub realm: Realm,
    /// The CTI server pair.
    pub cti: Cti,
    /// What may be done with calls.
    pub calls: Calls,
    /// `[client_logs]`.
    pub client_logs: ClientLogs,
    /// What becomes of users who have gone without a word.
    pub absence: Absence,
    /// The other node of a pair.
    pub peer: Peer,
    /// How clients are moved to it.
    pub maintenance: Maintenance,
    /// Log output.
    pub log: Log,
    /// Teams.
    pub team: Vec<Spanned<TeamEntry>>,
    /// Queues.
    pub queue: Vec<Spanned<QueueEntry>>,
    /// Users.
    pub user: Vec<Spanned<UserEntry>>,
    /// Reason codes.
    pub reason_code: Vec<Spanned<ReasonCodeEntry>>,
    /// Wrap-up reasons.
    pub wrap_up_reason: Vec<Spanned<WrapUpReasonEntry>>,
    /// What desktops read besides.
    pub desktop: Desktop,
    /// Layouts of call data.
    pub media_layout: Vec<Spanned<MediaLayoutEntry>>,
    /// Phone books.
    pub phone_book: Vec<Spanned<PhoneBookEntry>>,
    /// Workflows.
    pub workflow: Vec<Spanned<WorkflowEntry>>,
    /// What workflows can do.
    pub workflow_action: Vec<Spanned<WorkflowActionEntry>>,
    /// Page layouts of teams.
    pub team_layout: Vec<Spanned<TeamLayoutEntry>>,
    /// Expanded call context variables.
    pub ecc_variable: Vec<Spanned<EccVariableEntry>>,
    /// Phones that share extensions.
    pub device: Vec<Spanned<DeviceEntry>>,
    /// Where the text came from; empty for a configuration made in memory.
    #[serde(skip)]
    pub source: Source,
}

/// The text a configuration was read from, kept so that later errors (a port in use) can name the line.
#[derive(Clone, Default)]
pub struct Source {
    /// Name of the file as given.
    pub name: String,
    text: Arc<str>,
}

/// Two configurations are the same whatever file they came from.
// The text holds passwords and hashes.
impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Source").field("name", &self.name).finish_non_exhaustive()
    }
}

impl PartialEq for Source {
    fn eq(&self, _: &Source) -> bool {
        true
    }
}

impl Source {
    /// An error about the byte range `span` of the text.
    pub fn error(&self, span: std::ops::Range<usize>, message: impl Into<String>) -> ConfigError {
        ConfigError::at(self.name.clone(), &self.text, Some(span), message.into())
    }
}

/// `[server]`.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Server {
    /// XMPP domain.
    pub domain: String,
    /// XMPP address of the publish-subscribe service; empty: `pubsub.` and the domain.
    pub pubsub_domain: String,
    /// Fully qualified name of this machine as clients reach it; empty: the domain.
    pub host: String,
    /// CCE or CCX.
    pub deployment: Deployment,
    /// Whether `SystemInfo` answers without credentials.
    pub public_system_info: bool,
    /// Whether documents can be had in JSON, and the API describes itself.
    pub rest_extensions: bool,
    /// What the plain HTTP listeners do with REST requests and pages.
    pub plain_http: PlainHttp,
    /// Where clients reach BOSH, as told in host-meta; empty: follows from `host` and the listeners.
    pub bosh_url: String,
    /// The same for WebSocket.
    pub websocket_url: String,
    /// `host` or `host:port` where XMPP clients over TCP are sent when this server stops; empty: nowhere.
    pub alternate: String,
    /// The same for BOSH, as a URL.
    pub alternate_bosh_url: String,
    /// The same for WebSocket.
    pub alternate_websocket_url: String,
}

impl Default for Server {
    fn default() -> Server {
        Server {
            domain: "localhost".into(),
            pubsub_domain: String::new(),
            host: String::new(),
            deployment: Deployment::Cce,
            public_system_info: true,
            rest_extensions: false,
            plain_http: PlainHttp::Redirect,
            bosh_url: String::new(),
            websocket_url: String::new(),
            alternate: String::new(),
            alternate_bosh_url: String::new(),
            alternate_websocket_url: String::new(),
        }
    }
}

impl Server {
    /// Address of the publish-subscribe service.
    pub fn pubsub(&self) -> String {
        if self.pubsub_domain.is_empty() {
            format!("pubsub.{}", self.domain)
        } else {
            self.pubsub_domain.clone()
        }
    }

    /// Name of this machine as clients reach it.
    pub fn host(&self) -> &str {
        if self.host.is_empty() { &self.domain } else { &self.host }
    }
}

/// `[listen]`: every list may be empty (listener off) and may name several addresses.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Listen {
    /// HTTP in clear.
    pub http: Vec<Spanned<SocketAddr>>,
    /// HTTPS: REST for clients.
    pub https: Vec<Spanned<SocketAddr>>,
    /// BOSH and WebSocket in clear.
    pub bosh: Vec<Spanned<SocketAddr>>,
    /// BOSH and WebSocket over TLS.
    pub bosh_tls: Vec<Spanned<SocketAddr>>,
    /// XMPP over TCP, with STARTTLS as `xmpp.starttls` says.
    pub xmpp: Vec<Spanned<SocketAddr>>,
    /// XMPP with TLS from the first byte.
    pub xmpp_tls: Vec<Spanned<SocketAddr>>,
    /// External components (XEP-0114), in clear.
    pub component: Vec<Spanned<SocketAddr>>,
    /// Addresses that may use the listeners of `xmpp_tls`; empty: all.
    pub xmpp_tls_allow: Vec<AddressRange>,
    /// Listeners, by their key, on which each connection begins with a PROXY header.
    pub proxy_protocol: Vec<ListenerName>,
}

impl Default for Listen {
    fn default() -> Listen {
        let any = |port| vec![Spanned::new(0..0, SocketAddr::from(([0, 0, 0, 0], port)))];
        Listen {
            http: any(8082),
            https: any(8445),
            bosh: Vec::new(),
            bosh_tls: any(7443),
            xmpp: Vec::new(),
            xmpp_tls: any(5223),
            component: Vec::new(),
            xmpp_tls_allow: Vec::new(),
            proxy_protocol: Vec::new(),
        }
    }
}

impl Listen {
    /// The addresses of one kind.
    pub fn of(&self, kind: ListenerName) -> &[Spanned<SocketAddr>] {
        match kind {
            ListenerName::Http => &self.http,
            ListenerName::Https => &self.https,
            ListenerName::Bosh => &self.bosh,
            ListenerName::BoshTls => &self.bosh_tls,
            ListenerName::Xmpp => &self.xmpp,
            ListenerName::XmppTls => &self.xmpp_tls,
            ListenerName::Component => &self.component,
        }
    }
}

/// `[tls]`.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Tls {
    /// PEM file with the certificate and its chain; empty: a self-signed one is made at start.
    pub certificate: Option<Spanned<String>>,
    /// PEM file with the private key.
    pub key: Option<Spanned<String>>,
    /// Seconds between looks at these files; 0: only when told to.
    pub check_seconds: u32,
    /// Seconds for which browsers may come back over TLS only (RFC 6797); 0: they are not told.
    pub hsts_seconds: u32,
}

impl Default for Tls {
    fn default() -> Tls {
        Tls { certificate: None, key: None, check_seconds: 5, hsts_seconds: 31_536_000 }
    }
}

/// `[cors]`: lists of origins; `*` allows any, `:*` at the end any port.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Cors {
    /// Origins whose pages may call REST.
    pub rest: Vec<String>,
    /// Origins whose pages may use BOSH and WebSocket.
    pub notification: Vec<String>,
    /// Request headers that such pages may send with BOSH, besides `Content-Type`.
    pub headers: Vec<String>,
}

impl Default for Cors {
    fn default() -> Cors {
        Cors { rest: Vec::new(), notification: vec!["*".into()], headers: Vec::new() }
    }
}

/// `[component]`: whom `listen.component` lets in.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Component {
    /// Its XMPP domain.
    pub name: String,
    /// What it has to know.
    pub secret: Secret,
}

/// `[auth]`.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Auth {
    /// Realm named in the challenge of HTTP Basic.
    pub realm: String,
    /// Whether the login name is accepted in place of the id.
    pub login_names: bool,
    /// Seconds for which a verified password is remembered (as a keyed digest).
    pub remember_seconds: u32,
    /// Wrong passwords in a row after which a user is refused; 0: never.
    pub lockout_failures: u32,
    /// Seconds for which he is refused.
    pub lockout_seconds: u32,
}

impl Default for Auth {
    fn default() -> Auth {
        Auth {
            realm: "Finesse".into(),
            login_names: true,
            remember_seconds: 30 * 60,
            lockout_failures: 5,
            lockout_seconds: 5 * 60,
        }
    }
}

/// `[cti]`.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Cti {
    /// `host:port` of side A.
    pub side_a: String,
    /// `host:port` of side B; empty: there is none.
    pub side_b: String,
    /// Highest protocol version to ask for.
    pub version: u32,
    /// Number of the peripheral whose agents are served; absent: the one that deployments of the kind have.
    pub peripheral_id: Option<u32>,
    /// Client id of the OPEN request.
    pub client_id: String,
    /// Client password of the OPEN request.
    pub client_password: Secret,
    /// Seconds between heartbeats.
    pub heartbeat_seconds: u32,
    /// Seconds after which a request without answer counts as refused.
    pub request_timeout_seconds: u32,
    /// Most questions on their way while the state is being rebuilt.
    pub resync_window: u32,
    /// Losses of the session that cost nothing.
    pub losses_free: u32,
    /// Seconds for which a session has to hold after one more; 0: never.
    pub steady_seconds: u32,
    /// Most seconds that are asked of it.
    pub steady_longest_seconds: u32,
    /// Seconds in which one loss is forgiven.
    pub loss_forgiven_seconds: u32,
}

impl Default for Cti {
    fn default() -> Cti {
        Cti {
            side_a: "127.0.0.1:42027".into(),
            side_b: String::new(),
            version: 24,
            peripheral_id: None,
            client_id: "finesse".into(),
            client_password: Secret::default(),
            heartbeat_seconds: 5,
            request_timeout_seconds: 20,
            resync_window: 100,
            losses_free: 3,
            steady_seconds: 10,
            steady_longest_seconds: 120,
            loss_forgiven_seconds: 120,
        }
    }
}

impl Cti {
    /// When a side that comes and goes is no longer believed.
    pub fn damping(&self) -> cti::failover::Damping {
        let seconds = |seconds: u32| std::time::Duration::from_secs(seconds.into());
        cti::failover::Damping {
            free: self.losses_free,
            first: seconds(self.steady_seconds),
            longest: seconds(self.steady_longest_seconds),
            forgive: seconds(self.loss_forgiven_seconds),
        }
    }
}

/// `[log]`.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// A filter such as `info` or `finesse_server=debug,warn`.
    pub level: String,
    /// Text or one JSON object a line.
    pub format: LogFormat,
}

impl Default for Log {
    fn default() -> Log {
        Log { level: "info".into(), format: LogFormat::Text }
    }
}

impl Config {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// The file cannot be read, is not TOML, has an unknown key or a bad value, or its parts contradict one
    /// another; with file and, where one is to blame, line and column.
    pub fn load(path: &Path) -> Result<Config, ConfigError> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|error| ConfigError::whole_file(name.clone(), format!("cannot be read: {error}")))?;
        Config::parse(&name, &text)
    }

    /// Whether any listener speaks TLS, from the first byte or after STARTTLS.
    pub fn uses_tls(&self) -> bool {
        let Listen { https, bosh_tls, xmpp, xmpp_tls, .. } = &self.listen;
        let starttls = self.xmpp.starttls != StartTlsMode::Off && !xmpp.is_empty();
        starttls || [https, bosh_tls, xmpp_tls].iter().any(|list| !list.is_empty())
    }

    /// Number of the peripheral whose agents are served.
    pub fn peripheral_id(&self) -> u32 {
        self.cti.peripheral_id.unwrap_or(match self.server.deployment {
            Deployment::Cce => 5000,
            // The one there is (Unified CCX CTI Protocol Developer Guide).
            Deployment::Ccx => 1,
        })
    }

    /// Users, teams, queues and reason codes.
    ///
    /// # Errors
    /// They contradict one another in a way that [`Config::load`] does not look at.
    pub fn directory(&self) -> Result<Directory, ConfigError> {
        if self.realm.kind == RealmKind::Cce {
            // What refers to teams and users of the realm does so in vain until it has told of them.
            return Ok(self.directory_builder().build_with(&Roster::default(), &Directory::default()).0);
        }
        let built = self.directory_builder().build();
        built.map_err(|error| ConfigError::whole_file(self.source.name.clone(), error.to_string()))
    }

    /// What the file contributes to the directory.
    pub fn directory_builder(&self) -> Builder {
        let builder =
            self.team.iter().fold(Directory::builder(), |all, team| all.team(team.get_ref().into()));
        let builder = self.user.iter().fold(builder, |all, user| all.user(user.get_ref().into()));
        let builder = self.queue.iter().fold(builder, |all, queue| all.queue(queue.get_ref().into()));
        self.reason_code.iter().fold(builder, |all, code| all.reason_code(code.get_ref().into()))
    }

    /// Reads and checks a text; `name` is what errors call it.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn parse(name: &str, text: &str) -> Result<Config, ConfigError> {
        let mut config: Config = toml::from_str(text)
            .map_err(|error| ConfigError::at(name.into(), text, error.span(), error.message().to_owned()))?;
        config.source = Source { name: name.into(), text: text.into() };
        check::check(&config)?;
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(text: &str) -> String {
        Config::parse("f.toml", text).unwrap_err().to_string()
    }

    #[test]
    fn an_empty_file_is_the_default() {
        assert_eq!(Config::parse("f.toml", "").unwrap(), Config::default());
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_line() {
        let text = "[server]\ndomain = \"a.example\"\ndomian = \"b\"\n";
        let complaint = complaint(text);
        assert!(complaint.starts_with("f.toml:3:1: unknown field `domian`"), "{complaint}");
    }

    #[test]
    fn a_bad_value_is_refused_with_its_line() {
        let complaint = complaint("[listen]\n\nhttp = [\"here:80\"]\n");
        assert!(complaint.starts_with("f.toml:3:9: "), "{complaint}");
        assert!(complaint.contains("socket address"), "{complaint}");
    }

    #[test]
    fn broken_toml_is_refused_with_its_line() {
        let complaint = complaint("[server]\ndomain = \n");
        assert!(complaint.starts_with("f.toml:2:"), "{complaint}");
    }

    #[test]
    fn names_follow_from_the_domain() {
        let config = Config::parse("f", "[server]\ndomain = \"cc.example\"\n").unwrap();
        assert_eq!(config.server.pubsub(), "pubsub.cc.example");
        assert_eq!(config.server.host(), "cc.example");
    }
}
