//! What two nodes say to each other: one JSON document in each direction of a call.
//!
//! A node understands later versions as far as their sender says so (`min`): unknown fields and kinds of items are passed
//! over, so that nodes of neighbouring releases make a pair while it is upgraded.

use std::net::IpAddr;
use std::sync::Arc;

use cti::failover::Side;
use serde::{Deserialize, Serialize};

use crate::absence::Whereabouts;

/// The version spoken here.
pub const VERSION: u32 = 1;
/// Most items in one document.
pub const ITEMS: usize = 250;
/// Longest document, in bytes.
pub const BYTES: usize = 256 << 10;
/// Longest name in it, in bytes.
const NAME: usize = 256;
/// Longest id of a user in it, in bytes: that of the configuration file.
const USER: usize = 128;

/// A document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// Version of its sender.
    pub version: u32,
    /// Lowest version whose readers understand it.
    pub min: u32,
    /// Names the sender's process: another one after each start.
    pub boot: u64,
    /// Rises with each document of the process.
    pub seq: u64,
    /// How the sender is.
    pub status: Status,
    /// What else it has to say.
    #[serde(default)]
    pub items: Vec<Item>,
}

/// How a node is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Status {
    /// Whether it is in service.
    pub serving: bool,
    /// Its `statusReason`.
    pub reason: String,
    /// Whether it is the primary node.
    pub primary: bool,
    /// Whether it is the active one of an active/standby pair.
    pub active: bool,
    /// Its CTI session.
    pub cti: Cti,
    /// Its state of maintenance, as `finesseMMode` shows it.
    pub maintenance: String,
    /// Where clients reach it.
    pub places: Places,
}

/// The CTI session of a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Cti {
    /// With this side; `None` without a session.
    pub side: Option<SideName>,
    /// Whether that is the side beside the node.
    pub local: bool,
    /// Rises when a node has to leave its side. A node that follows takes the number over.
    pub moves: u64,
}

/// A side of the CTI server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SideName {
    /// The first.
    A,
    /// The second.
    B,
}

impl From<Side> for SideName {
    fn from(side: Side) -> Self {
        match side {
            Side::A => Self::A,
            Side::B => Self::B,
        }
    }
}

impl From<SideName> for Side {
    fn from(side: SideName) -> Self {
        match side {
            SideName::A => Self::A,
            SideName::B => Self::B,
        }
    }
}

/// Where clients reach a node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Places {
    /// Host name.
    pub host: String,
    /// HTTPS port.
    pub https_port: Option<u16>,
    /// XMPP port, in clear.
    pub xmpp_port: Option<u16>,
    /// XMPP port over TLS.
    pub xmpp_secure_port: Option<u16>,
}

/// One thing that is said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Item {
    /// Where is this user?
    Ask {
        /// Id of the user.
        user: Arc<str>,
        /// Comes back with the answer.
        question: u64,
        /// How long he has been away from the asking node.
        away_ms: u64,
    },
    /// There he is.
    Answer {
        /// Id of the user.
        user: Arc<str>,
        /// Number of the question.
        question: u64,
        /// Where he is.
        whereabouts: Where,
    },
    /// This user has become available here.
    Came {
        /// Id of the user.
        user: Arc<str>,
    },
    /// Wrong passwords of a user at this node, all there are; zeros when he is forgiven.
    Lock {
        /// Id of the user.
        user: Arc<str>,
        /// Wrong passwords since the last right one.
        failures: u32,
        /// How long he is still refused.
        locked_ms: u64,
        /// A right password came from this address.
        #[serde(default)]
        forgiven: Option<IpAddr>,
        /// An administrator has let him in again.
        #[serde(default)]
        unlocked: bool,
    },
    /// Something that a later version says.
    #[serde(other)]
    Unknown,
}

/// [`Whereabouts`] on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Where {
    /// Available here.
    Here,
    /// Lost here, later; this node sees to him.
    Mine,
    /// Not here.
    Away,
    /// This node cannot say.
    #[serde(other)]
    Unknown,
}

impl From<Whereabouts> for Where {
    fn from(whereabouts: Whereabouts) -> Self {
        match whereabouts {
            Whereabouts::Here => Self::Here,
            Whereabouts::Mine => Self::Mine,
            Whereabouts::Away => Self::Away,
            Whereabouts::Unknown => Self::Unknown,
        }
    }
}

impl From<Where> for Whereabouts {
    fn from(whereabouts: Where) -> Self {
        match whereabouts {
            Where::Here => Self::Here,
            Where::Mine => Self::Mine,
            Where::Away => Self::Away,
            Where::Unknown => Self::Unknown,
        }
    }
}

/// Why a document is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadEnvelope {
    /// It is none.
    #[error("no document of a node: {0}")]
    Malformed(String),
    /// It says more than can be.
    #[error("too many items or too long a name")]
    TooMuch,
    /// It is of a version that its sender says is not understood here.
    #[error("the peer speaks version {0}, of which this node understands nothing")]
    TooNew(u32),
}

impl Envelope {
    /// Reads a document.
    ///
    /// # Errors
    /// It is none, says too much, or is too new.
    pub fn parse(bytes: &[u8]) -> Result<Self, BadEnvelope> {
        let envelope: Self =
            serde_json::from_slice(bytes).map_err(|error| BadEnvelope::Malformed(error.to_string()))?;
        if envelope.min > VERSION {
            return Err(BadEnvelope::TooNew(envelope.version));
        }
        let status = &envelope.status;
        let long = [&status.reason, &status.maintenance, &status.places.host].iter().any(|n| n.len() > NAME);
        let long =
            long || envelope.items.iter().any(|item| item.user().is_some_and(|user| user.len() > USER));
        if long || envelope.items.len() > ITEMS {
            return Err(BadEnvelope::TooMuch);
        }
        Ok(envelope)
    }

    /// The document as it is sent.
    pub fn to_json(&self) -> Vec<u8> {
        // Nothing in it can fail to be written.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

impl Item {
    fn user(&self) -> Option<&str> {
        match self {
            Self::Ask { user, .. }
            | Self::Answer { user, .. }
            | Self::Came { user }
            | Self::Lock { user, .. } => Some(user),
            Self::Unknown => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(items: Vec<Item>) -> Envelope {
        Envelope { version: VERSION, min: 1, boot: 7, seq: 1, status: Status::default(), items }
    }

    #[test]
    fn what_is_written_is_read() {
        let user: Arc<str> = "1002".into();
        let said = envelope(vec![
            Item::Ask { user: user.clone(), question: 3, away_ms: 60_000 },
            Item::Answer { user: user.clone(), question: 3, whereabouts: Where::Mine },
            Item::Came { user: user.clone() },
            Item::Lock { user, failures: 4, locked_ms: 0, forgiven: None, unlocked: true },
        ]);
        assert_eq!(Envelope::parse(&said.to_json()).unwrap(), said);
    }

    #[test]
    fn a_later_version_is_understood_as_far_as_it_says() {
        let text = br#"{"version":2,"min":1,"boot":1,"seq":9,"weather":"fine","status":{"serving":true,"mood":1},
            "items":[{"kind":"sing","song":"x"},{"kind":"answer","user":"1","question":1,"whereabouts":"nearby","n":1}]}"#;
        let read = Envelope::parse(text).unwrap();
        assert!(read.status.serving);
        let answer = Item::Answer { user: "1".into(), question: 1, whereabouts: Where::Unknown };
        assert_eq!(read.items, [Item::Unknown, answer]);
        let text = br#"{"version":9,"min":2,"boot":1,"seq":9,"status":{}}"#;
        assert_eq!(Envelope::parse(text), Err(BadEnvelope::TooNew(9)));
    }

    #[test]
    fn what_says_too_much_is_refused() {
        let came = |user: String| Item::Came { user: user.into() };
        let many = envelope(vec![came("1".into()); ITEMS + 1]);
        assert_eq!(Envelope::parse(&many.to_json()), Err(BadEnvelope::TooMuch));
        assert_eq!(
            Envelope::parse(&envelope(vec![came("x".repeat(129))]).to_json()),
            Err(BadEnvelope::TooMuch)
        );
        assert!(Envelope::parse(&envelope(vec![came("1".into()); ITEMS]).to_json()).is_ok());
        let longest = envelope(vec![came("\u{1}".repeat(USER)); ITEMS]).to_json();
        assert!(longest.len() < BYTES && Envelope::parse(&longest).is_ok());
        for bad in
            [&b""[..], b"{}", b"[1]", b"\xff", br#"{"version":1,"min":1,"boot":1,"seq":-1,"status":{}}"#]
        {
            assert!(matches!(Envelope::parse(bad), Err(BadEnvelope::Malformed(_))), "{bad:?}");
        }
    }
}
