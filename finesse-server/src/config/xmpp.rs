//! `[xmpp]`: how streams behave, whatever they run over.

use serde::Deserialize;

use super::{ConflictMode, ProfileName, StartTlsMode};

/// `[xmpp]`.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Xmpp {
    /// Whether the listeners of `listen.xmpp` offer STARTTLS.
    pub starttls: StartTlsMode,
    /// Whether stanzas that wait together leave in one write.
    pub coalesce: bool,
    /// Bug compatibility.
    pub profile: ProfileName,
    /// What happens when a resource in use is bound again.
    pub conflict: ConflictMode,
    /// Sessions of one user.
    pub max_resources: u32,
    /// Failed authentications on one stream before it ends.
    pub auth_retries: u32,
    /// Whether SCRAM is offered; every user needs verifiers then.
    pub scram: bool,
    /// Whether SASL2 with inline binding is offered.
    pub sasl2: bool,
    /// Whether clients of SASL2 get tokens for their next login.
    pub fast: bool,
    /// Whether sessions over TCP and WebSocket can be resumed after their connection has broken (XEP-0198).
    pub stream_management: bool,
    /// Seconds for which such a session waits without a connection.
    pub resume_seconds: u32,
    /// Stanzas that may wait for the client's acknowledgement.
    pub unacknowledged_items: u32,
    /// Bytes that may.
    pub unacknowledged_bytes: u32,
    /// Whether presence is echoed to the sender's own resources.
    pub self_echo: bool,
    /// `local/resource` of the application whose presence tells clients that events will come; empty: none.
    pub application: String,
    /// `xml:lang` of what the server says.
    pub language: String,
    /// Name in the answer to a version request (XEP-0092).
    pub software_name: String,
    /// Whether that answer holds the version.
    pub tell_version: bool,
}

impl Default for Xmpp {
    fn default() -> Xmpp {
        Xmpp {
            starttls: StartTlsMode::Required,
            coalesce: true,
            profile: ProfileName::Finesse,
            conflict: ConflictMode::ReplaceOld,
            max_resources: 16,
            auth_retries: 3,
            scram: false,
            sasl2: false,
            fast: false,
            stream_management: false,
            resume_seconds: 120,
            unacknowledged_items: 1000,
            unacknowledged_bytes: 4 << 20,
            self_echo: true,
            application: "finesse/app".into(),
            language: "en".into(),
            software_name: "finesse-server".into(),
            tell_version: true,
        }
    }
}
