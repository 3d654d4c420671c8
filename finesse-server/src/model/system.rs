//! `SystemInfo`: who the server is and whether it serves.

use super::time::Utc;
use super::xml::Writer;

/// Path, node and source of the status.
pub const SYSTEM_INFO: &str = "/finesse/api/SystemInfo";

/// What never changes while the server runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// Host name of this node, spelled as the XMPP domain if it is its host.
    pub host: String,
    /// Host name of the other node; empty on a single node.
    pub secondary_host: String,
    /// XMPP domain.
    pub domain: String,
    /// Domain of the publish-subscribe service.
    pub pubsub_domain: String,
    /// Port of HTTPS, if served.
    pub https_port: Option<u16>,
    /// Port of XMPP in clear, if served.
    pub xmpp_port: Option<u16>,
    /// Port of XMPP over TLS, if served.
    pub xmpp_secure_port: Option<u16>,
    /// Minutes east of UTC.
    pub timezone_offset: i32,
}

/// A reading of the server's state.
#[derive(Clone, Debug)]
pub struct SystemView {
    /// Who the server is.
    pub identity: std::sync::Arc<Identity>,
    /// Whether the deployment is UCCX.
    pub ccx: bool,
    /// Version of the CTI protocol.
    pub cti_version: u32,
    /// Seconds between CTI heartbeats.
    pub heartbeat_interval: u32,
    /// Peripheral of the agents.
    pub peripheral_id: u32,
    /// When the document was made.
    pub now: Utc,
    /// Whether the server serves.
    pub in_service: bool,
    /// Why it does not.
    pub reason: &'static str,
    /// When the CTI server last gave a sign of life.
    pub last_heartbeat: Option<i64>,
}

impl SystemView {
    /// Writes the document.
    pub fn write(&self, w: &mut Writer<'_>, root: &str) {
        let id = &self.identity;
        w.open(root);
        w.value("ctiHeartbeatInterval", self.heartbeat_interval);
        w.empty("ctiMMode");
        w.empty("ctiServers");
        w.text("ctiTimeInMMode", "-1");
        w.value("ctiVersion", self.cti_version);
        w.value("currentTimestamp", self.now);
        w.text("deploymentType", if self.ccx { "UCCX" } else { "UCCE" });
        w.empty("finesseMMode");
        w.text("finesseTimeInMMode", "-1");
        w.text("lastCTIHeartbeatStatus", if self.in_service { "success" } else { "failure" });
        w.option("lastSuccessCTIHeartbeatTime", self.last_heartbeat);
        w.empty("license");
        w.value("peripheralId", self.peripheral_id);
        w.open("primaryNode");
        w.text("host", &id.host);
        w.option("httpsPort", id.https_port);
        w.option("xmppPort", id.xmpp_port);
        w.option("xmppSecurePort", id.xmpp_secure_port);
        w.close("primaryNode");
        w.open("secondaryNode");
        w.text("host", &id.secondary_host);
        w.close("secondaryNode");
        w.text("status", if self.in_service { "IN_SERVICE" } else { "OUT_OF_SERVICE" });
        w.text("statusReason", self.reason);
        w.text("systemAuthMode", "NON_SSO");
        w.value("timezoneOffset", id.timezone_offset);
        w.text("uri", SYSTEM_INFO);
        w.text("xmppDomain", &id.domain);
        w.text("xmppPubSubDomain", &id.pubsub_domain);
        w.close(root);
    }
}
