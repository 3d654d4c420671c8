//! What a session is opened with.

use std::fmt;
use std::time::Duration;

use crate::codec::{Codec, MAX_MESSAGE, Width};
use crate::enums::{cti_service, cti_service_ccx};
use crate::field;
use crate::kind;
use crate::message::Message;
use crate::tables::Dialect;
use crate::tag;

/// A password. Its `Debug` does not show it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// Takes the password.
    pub fn new(password: impl Into<String>) -> Self {
        Self(password.into())
    }
}

impl From<&str> for Password {
    fn from(password: &str) -> Self {
        Self(password.to_owned())
    }
}

impl From<String> for Password {
    fn from(password: String) -> Self {
        Self(password)
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// How to open and keep a session. [`Config::new`] gives the values of a contact-centre desktop server.
#[derive(Clone, Debug)]
pub struct Config {
    /// Dialect of the server.
    pub dialect: Dialect,
    /// Highest protocol version to offer, 13 to 24.
    pub version: u32,
    /// ClientID of OPEN_REQ; empty without authentication.
    pub client_id: String,
    /// ClientPassword of OPEN_REQ.
    pub client_password: Password,
    /// ClientSignature: free text that other clients see.
    pub signature: String,
    /// The peripheral whose health decides; `None` for all. In CCX there is only one.
    pub peripheral: Option<u32>,
    /// Service bits to ask for (`CTIService`).
    pub services: u32,
    /// Service bits without which the session is of no use.
    pub required_services: u32,
    /// Call events wanted (`CallEventMask`).
    pub call_mask: u32,
    /// Agent states that raise events (`AgentStateMask`).
    pub agent_mask: u32,
    /// Configuration updates wanted (`ConfigInformation`); sent only with the service bit CONFIG_EVENTS.
    pub config_mask: u32,
    /// Time between heartbeats; 5 s is the shortest that a server permits.
    pub heartbeat: Duration,
    /// How many heartbeats in a row may stay unanswered before the session is lost.
    pub heartbeats_lost: u32,
    /// How long the last of them is given.
    pub heartbeat_grace: Duration,
    /// How long OPEN_CONF may take.
    pub open_timeout: Duration,
    /// How long a confirmation may take.
    pub request_timeout: Duration,
    /// How long a configuration upload may pause.
    pub upload_timeout: Duration,
    /// How long CLOSE_CONF may take.
    pub close_timeout: Duration,
    /// Most requests without confirmation.
    pub max_requests: usize,
    /// Longest message in bytes, header included.
    pub max_message: usize,
    /// Width of a floating field's length in CCX from version 18.
    pub ccx_length: Width,
    /// The server numbers the TEAM_CONFIG messages 236 to 238.
    pub old_team_numbers: bool,
}

impl Config {
    /// A bridge-mode session with every event of every agent and call, control of both, and configuration.
    pub fn new(dialect: Dialect, version: u32) -> Self {
        let ccx = dialect == Dialect::Ccx;
        let services = cti_service::ALL_EVENTS
            | cti_service::CLIENT_CONTROL
            | cti_service::CALL_DATA_UPDATE
            | cti_service::SUPERVISOR
            | cti_service_ccx::CONFIG_EVENTS;
        Self {
            dialect,
            version,
            client_id: String::new(),
            client_password: Password::default(),
            signature: String::new(),
            peripheral: None,
            services,
            required_services: cti_service::ALL_EVENTS | cti_service::CLIENT_CONTROL,
            call_mask: call_mask(version),
            agent_mask: if ccx { 0x1FF } else { 0x3FFF },
            config_mask: config_mask(dialect, version),
            heartbeat: Duration::from_secs(5),
            heartbeats_lost: 3,
            heartbeat_grace: Duration::from_secs(1),
            open_timeout: Duration::from_secs(30),
            request_timeout: Duration::from_secs(20),
            upload_timeout: Duration::from_secs(60),
            close_timeout: Duration::from_secs(5),
            max_requests: 1000,
            max_message: MAX_MESSAGE,
            ccx_length: Width::One,
            old_team_numbers: false,
        }
    }

    /// The codec of such a session.
    pub fn codec(&self) -> Codec {
        Codec::new(self.dialect, self.version)
            .with_limit(self.max_message)
            .with_ccx_length(self.ccx_length)
            .with_old_team_numbers(self.old_team_numbers)
    }

    /// IdleTimeout in seconds: four heartbeats, not below what a server accepts; CCX wants less than 120.
    pub fn idle_timeout(&self) -> u32 {
        let four = u32::try_from(self.heartbeat.as_secs().saturating_mul(4)).unwrap_or(u32::MAX).max(20);
        if self.dialect == Dialect::Ccx { four.min(119) } else { four }
    }

    /// The OPEN_REQ of such a session.
    pub(super) fn open_request(&self, invoke_id: u32) -> Message {
        let everywhere = if self.dialect == Dialect::Ccx { 0 } else { u32::MAX };
        let peripheral = match self.dialect {
            Dialect::Cce => self.peripheral.unwrap_or(everywhere),
            Dialect::Ccx => everywhere,
        };
        let config_events = self.services & cti_service_ccx::CONFIG_EVENTS != 0;
        Message::new(kind::OPEN_REQ)
            .with(field::INVOKE_ID, invoke_id)
            .with(field::VERSION_NUMBER, self.version)
            .with(field::IDLE_TIMEOUT, self.idle_timeout())
            .with(field::PERIPHERAL_ID, peripheral)
            .with(field::SERVICES_REQUESTED, self.services)
            .with(field::CALL_MSG_MASK, self.call_mask)
            .with(field::AGENT_STATE_MASK, self.agent_mask)
            .with(field::CONFIG_MSG_MASK, if config_events { self.config_mask } else { 0 })
            .with_tag(tag::CLIENT_ID, &self.client_id)
            .with_tag(tag::CLIENT_PASSWORD, self.client_password.0.as_bytes())
            .with_tag(tag::CLIENT_SIGNATURE, &self.signature)
    }
}

/// Every call event that a version knows.
fn call_mask(version: u32) -> u32 {
    match version {
        ..=14 => 0x07FF_FFFF,
        15..=22 => 0x0FFF_FFFF,
        _ => u32::MAX,
    }
}

/// Every kind of configuration that a version knows.
fn config_mask(dialect: Dialect, version: u32) -> u32 {
    match (dialect, version) {
        (Dialect::Ccx, ..=17) => 0x0F,
        (Dialect::Ccx, _) => 0x1F,
        (Dialect::Cce, ..=19) => 0x1F,
        (Dialect::Cce, 20..=21) => 0x3F,
        (Dialect::Cce, 22..=23) => 0xFF,
        (Dialect::Cce, _) => 0x3FF,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_stays_out_of_debug() {
        let mut config = Config::new(Dialect::Cce, 20);
        config.client_password = "hunter2".into();
        let shown = format!("{config:?} {:?}", config.open_request(1));
        assert!(!shown.contains("hunter2") && !shown.contains("104, 117"), "{shown}");
    }

    #[test]
    fn idle_timeout_is_four_heartbeats_within_what_servers_accept() {
        let mut config = Config::new(Dialect::Cce, 20);
        assert_eq!(config.idle_timeout(), 20);
        config.heartbeat = Duration::from_secs(2);
        assert_eq!(config.idle_timeout(), 20);
        config.heartbeat = Duration::from_secs(90);
        assert_eq!(config.idle_timeout(), 360);
        config.dialect = Dialect::Ccx;
        assert_eq!(config.idle_timeout(), 119);
    }

    #[test]
    fn ccx_asks_for_its_services_and_peripheral_zero() {
        let mut config = Config::new(Dialect::Ccx, 18);
        config.peripheral = Some(1);
        let open = config.open_request(1);
        assert_eq!(open.raw(field::SERVICES_REQUESTED), Some(0x0004_0096));
        assert_eq!(open.raw(field::AGENT_STATE_MASK), Some(0x1FF));
        assert_eq!(open.raw(field::CONFIG_MSG_MASK), Some(0x1F));
        assert_eq!(open.raw(field::PERIPHERAL_ID), Some(0));
    }

    #[test]
    fn without_the_service_no_configuration_is_asked_for() {
        let mut config = Config::new(Dialect::Cce, 20);
        assert_eq!(config.open_request(1).raw(field::CONFIG_MSG_MASK), Some(0x3F));
        config.services &= !cti_service::CONFIG_EVENTS;
        assert_eq!(config.open_request(1).raw(field::CONFIG_MSG_MASK), Some(0));
    }
}
