//! `SystemInfo`: who the server is and whether it serves.

use std::sync::Arc;

use parking_lot::RwLock;

use super::time::Utc;
use super::xml::Writer;
use crate::peer::message::Places;

/// Path, node and source of the status.
pub const SYSTEM_INFO: &str = "/finesse/api/SystemInfo";

/// The ports of the listeners; `None` where nothing is served.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ports {
    /// HTTPS.
    pub https: Option<u16>,
    /// XMPP in clear.
    pub xmpp: Option<u16>,
    /// XMPP over TLS.
    pub xmpp_secure: Option<u16>,
}

/// The ports as they are at present: listeners change while the server runs. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct SharedPorts(Arc<RwLock<Ports>>);

impl SharedPorts {
    /// These are the ports from now on.
    pub fn set(&self, ports: Ports) {
        *self.0.write() = ports;
    }

    /// The present ones.
    pub fn get(&self) -> Ports {
        *self.0.read()
    }
}

/// Where clients reach the other node of a pair; nowhere on a single node. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct SharedPlaces(Arc<RwLock<Places>>);

impl SharedPlaces {
    /// There it is from now on.
    pub fn set(&self, places: Places) {
        *self.0.write() = places;
    }

    /// There it is at present.
    pub fn get(&self) -> Places {
        self.0.read().clone()
    }
}

/// Who the server is: all but ports and the other node's places stays while it runs.
#[derive(Clone, Debug, Default)]
pub struct Identity {
    /// Host name of this node, spelled as the XMPP domain if it is its host.
    pub host: String,
    /// Whether this is the secondary node of a pair.
    pub secondary: bool,
    /// The other node of a pair.
    pub other: SharedPlaces,
    /// XMPP domain.
    pub domain: String,
    /// Domain of the publish-subscribe service.
    pub pubsub_domain: String,
    /// Where it is served.
    pub ports: SharedPorts,
    /// Minutes east of UTC.
    pub timezone_offset: i32,
}

impl Identity {
    /// Where clients reach this node.
    pub fn places(&self) -> Places {
        let Ports { https, xmpp, xmpp_secure } = self.ports.get();
        Places { host: self.host.clone(), https_port: https, xmpp_port: xmpp, xmpp_secure_port: xmpp_secure }
    }

    /// The primary node and the secondary one, in this order on both: clients find the other one by comparing names.
    fn nodes(&self) -> [Places; 2] {
        let mut nodes = [self.places(), self.other.get()];
        if self.secondary {
            nodes.reverse();
        }
        nodes
    }
}

/// A reading of the server's state.
#[derive(Clone, Debug)]
pub struct SystemView {
    /// Who the server is.
    pub identity: Arc<Identity>,
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
    /// State of maintenance.
    pub maintenance: &'static str,
    /// Seconds in maintenance; -1 outside.
    pub in_maintenance: i64,
}

impl SystemView {
    /// Writes the document.
    pub fn write(&self, w: &mut Writer<'_>, root: &str) {
        let id = &self.identity;
        let nodes = id.nodes();
        w.open(root);
        w.value("ctiHeartbeatInterval", self.heartbeat_interval);
        w.empty("ctiMMode");
        w.empty("ctiServers");
        w.text("ctiTimeInMMode", "-1");
        w.value("ctiVersion", self.cti_version);
        w.value("currentTimestamp", self.now);
        w.text("deploymentType", if self.ccx { "UCCX" } else { "UCCE" });
        w.text("finesseMMode", self.maintenance);
        w.value("finesseTimeInMMode", self.in_maintenance);
        w.text("lastCTIHeartbeatStatus", if self.in_service { "success" } else { "failure" });
        w.option("lastSuccessCTIHeartbeatTime", self.last_heartbeat);
        w.empty("license");
        w.value("peripheralId", self.peripheral_id);
        for (name, node) in ["primaryNode", "secondaryNode"].into_iter().zip(&nodes) {
            w.open(name);
            w.text("host", &node.host);
            if !node.host.is_empty() {
                w.option("httpsPort", node.https_port);
                w.option("xmppPort", node.xmpp_port);
                w.option("xmppSecurePort", node.xmpp_secure_port);
            }
            w.close(name);
        }
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
