//! The configuration files of the two servers.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};
use argon2::{Argon2, Params, PasswordHasher};

use super::node::Node;
use super::{PASSWORD, agent_id};

/// The user who watches everything.
pub const ADMINISTRATOR: &str = "admin";

/// How large a site is and how impatient.
#[derive(Clone, Debug)]
pub struct Scale {
    /// Agents.
    pub agents: usize,
    /// Seconds between CTI heartbeats.
    pub heartbeat: u32,
    /// Seconds of silence after which XMPP and WebSocket connections are probed; twice that ends them.
    pub idle: u32,
    /// Seconds that a BOSH session lives without a request; at least 5.
    pub inactivity: u32,
    /// Seconds for which an agent may be away before he is signed out.
    pub grace: u32,
    /// Seconds that a CTI session has to hold after a few losses.
    pub steady: u32,
    /// Whether passwords are hashed as `hash-password` does it, or as cheaply as can be.
    pub usual_hashes: bool,
}

impl Scale {
    /// Everything as the product's defaults have it.
    pub fn usual(agents: usize) -> Self {
        Self { agents, heartbeat: 5, idle: 60, inactivity: 60, grace: 60, steady: 10, usual_hashes: false }
    }
}

/// What one server is told.
#[derive(Clone, Debug)]
pub struct Place {
    /// XMPP domain.
    pub domain: &'static str,
    /// Where it listens.
    pub node: Node,
    /// HTTPS.
    pub https: SocketAddr,
    /// The CTI sides as it reaches them.
    pub sides: [SocketAddr; 2],
    /// Its end of the link of the pair.
    pub peer: Peer,
}

/// One end of the link between the two servers.
#[derive(Clone, Debug)]
pub struct Peer {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Where the other one listens.
    pub other: SocketAddr,
    /// XMPP domain and host of the other one.
    pub other_host: &'static str,
    /// SHA-256 of the certificate of the other one.
    pub fingerprint: String,
    /// Whether it is the primary node.
    pub primary: bool,
    /// Certificate in PEM.
    pub certificate: PathBuf,
    /// The key.
    pub key: PathBuf,
}

/// Makes a certificate for a server's end of the link, with its key in a second file; its SHA-256.
///
/// # Errors
/// The files cannot be written.
pub fn certificate(host: &str, certificate: &Path, key: &Path) -> Result<String> {
    let made = rcgen::generate_simple_self_signed([host.to_owned()])?;
    std::fs::write(certificate, made.cert.pem())?;
    std::fs::write(key, made.signing_key.serialize_pem())?;
    let mut print = String::new();
    for byte in <sha2::Sha256 as sha2::Digest>::digest(made.cert.der()) {
        write!(print, "{byte:02x}")?;
    }
    Ok(print)
}

/// The text of a configuration file.
///
/// # Errors
/// The password cannot be hashed.
pub fn text(scale: &Scale, place: &Place) -> Result<String> {
    let Place { domain, node: Node { http, xmpp }, https, sides: [side_a, side_b], peer } = place;
    let Peer { listen, other, other_host, fingerprint, primary, certificate, key } = peer;
    let (certificate, key) = (certificate.display(), key.display());
    let Scale { agents, heartbeat, idle, inactivity, grace, steady, .. } = scale;
    // The observer is subscribed to two nodes for each agent and asks for all of them at once.
    let subscriptions = 3 * agents + 100;
    let mut text = format!(
        "[server]\ndomain = \"{domain}\"\nplain_http = \"serve\"\n\
         [listen]\nhttp = [\"{http}\"]\nhttps = [\"{https}\"]\nbosh_tls = []\nxmpp = [\"{xmpp}\"]\nxmpp_tls = []\n\
         [xmpp]\nstarttls = \"optional\"\n\
         [bosh]\ninactivity = {inactivity}\n\
         [pubsub]\nsubscriptions_per_user = {subscriptions}\nsubscriptions_per_session = {subscriptions}\n\
         [limits]\nstanzas_per_second = 10000\nstanza_burst = 10000\nunauthenticated = 10000\n\
         [timeouts]\nidle_probe = {idle}\nidle_close = {}\n\
         [absence]\ngrace_seconds = {grace}\n\
         [cti]\nside_a = \"{side_a}\"\nside_b = \"{side_b}\"\nheartbeat_seconds = {heartbeat}\n\
         steady_seconds = {steady}\nsteady_longest_seconds = {}\nloss_forgiven_seconds = {}\n\
         [peer]\naddress = \"{other}\"\nlisten = \"{listen}\"\nhost = \"{other_host}\"\nprimary = {primary}\n\
         certificate = \"{certificate}\"\nkey = \"{key}\"\nfingerprint = \"{fingerprint}\"\n\
         second_grace_seconds = {grace}\n",
        2 * idle,
        12 * steady,
        12 * steady
    );
    people(&mut text, *agents, scale.usual_hashes)?;
    Ok(text)
}

/// The people that `cti-sim` has: agents in teams of ten whose first supervises, two queues that all serve.
fn people(text: &mut String, agents: usize, usual_hashes: bool) -> Result<()> {
    let cheap = Params::new(64, 1, 1, None).map_err(|error| anyhow!("{error}"))?;
    let params = if usual_hashes { Params::default() } else { cheap };
    let hash = Argon2::from(params).hash_password(PASSWORD.as_bytes());
    let hash = hash.map_err(|error| anyhow!("no hash: {error}"))?;
    for team in 0..agents.div_ceil(10) {
        writeln!(text, "[[team]]\nid = {0}\nname = \"Team {0}\"", team + 1)?;
    }
    let members =
        (0..agents).map(|number| format!("\"{}\"", agent_id(number))).collect::<Vec<_>>().join(", ");
    for (id, name) in [(1, "Sales"), (2, "Support")] {
        writeln!(text, "[[queue]]\nid = {id}\nname = \"{name}\"\nmembers = [{members}]")?;
    }
    for number in 0..agents {
        let (id, team) = (agent_id(number), number / 10 + 1);
        let supervises = if number % 10 == 0 {
            format!("roles = [\"supervisor\"]\nsupervises = [{team}]\n")
        } else {
            String::new()
        };
        writeln!(text, "[[user]]\nid = \"{id}\"\nteam = {team}\n{supervises}password_hash = \"{hash}\"")?;
    }
    writeln!(
        text,
        "[[user]]\nid = \"{ADMINISTRATOR}\"\nroles = [\"administrator\"]\npassword_hash = \"{hash}\""
    )?;
    Ok(())
}
