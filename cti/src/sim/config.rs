//! What a simulated contact centre consists of and how it behaves.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::ops::RangeInclusive;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use super::behaviour::{Behaviour, Callers, Outside, Robots, Span};
use crate::Dialect;

/// A password. Its `Debug` output hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a password.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Whether `given`, with or without a final NUL, is this password.
    pub fn matches(&self, given: &[u8]) -> bool {
        given.strip_suffix(b"\0").unwrap_or(given) == self.0.as_bytes()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// One configured agent.
#[derive(Clone, Debug)]
pub struct AgentConfig {
    /// Peripheral number; the agent id of the protocol.
    pub id: String,
    /// Login name shown in configuration records.
    pub login_name: String,
    /// Given name.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
    /// Checked at sign-in unless the request says that single sign-on did it.
    pub password: Secret,
    /// Number of the team the agent belongs to.
    pub team: u32,
    /// Whether the agent supervises that team.
    pub supervisor: bool,
    /// Numbers of the queues the agent serves.
    pub queues: Vec<u32>,
}

/// One configured team.
#[derive(Clone, Debug)]
pub struct TeamConfig {
    /// Number, unique.
    pub id: u32,
    /// Display name.
    pub name: String,
}

/// One configured queue (skill group, contact service queue).
#[derive(Clone, Debug)]
pub struct QueueConfig {
    /// Peripheral number, unique.
    pub number: u32,
    /// Display name.
    pub name: String,
    /// What customers dial, and what agents dial to transfer into the queue.
    pub dialed_number: String,
    /// Variables that the routing script sets when it sends a call to an agent; keys as in
    /// [`InboundCall::variables`](super::InboundCall).
    pub variables: Vec<(String, String)>,
}

/// Whether work after a call is required (GED-188 `WrapupDataMode`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WrapUp {
    /// After every call.
    Required,
    /// When the agent asks for it during the call.
    Optional,
    /// Never.
    NotAllowed,
    /// After every call, and data must be given.
    RequiredWithData,
}

impl WrapUp {
    /// The protocol's number.
    pub const fn code(self) -> u32 {
        match self {
            Self::Required => 0,
            Self::Optional => 1,
            Self::NotAllowed => 2,
            Self::RequiredWithData => 3,
        }
    }

    pub(crate) const fn is_required(self) -> bool {
        matches!(self, Self::Required | Self::RequiredWithData)
    }
}

/// Desk settings, the same for all agents.
#[derive(Clone, Debug)]
pub struct DeskSettings {
    /// Wrap-up after calls that came in.
    pub wrap_up_incoming: WrapUp,
    /// Wrap-up after calls that the agent placed.
    pub wrap_up_outgoing: WrapUp,
    /// When wrap-up ends by itself; zero: never.
    pub work_timer: Duration,
    /// How long a routed call rings before it goes elsewhere.
    pub ring_no_answer: Duration,
    /// How long a call from agent to agent rings before it fails.
    pub internal_ring: Duration,
    /// Whether NOT_READY needs a reason code.
    pub not_ready_reason_required: bool,
    /// Whether LOGOUT needs a reason code.
    pub logout_reason_required: bool,
}

impl Default for DeskSettings {
    fn default() -> Self {
        Self {
            wrap_up_incoming: WrapUp::Optional,
            wrap_up_outgoing: WrapUp::Optional,
            work_timer: Duration::from_secs(120),
            ring_no_answer: Duration::from_secs(20),
            internal_ring: Duration::from_secs(60),
            not_ready_reason_required: false,
            logout_reason_required: false,
        }
    }
}

/// A simulated contact centre.
#[derive(Clone, Debug)]
pub struct Config {
    /// Address to listen on.
    pub bind: IpAddr,
    /// Ports of side A and side B; 0: any free one.
    pub ports: [u16; 2],
    /// Port of the control door on `127.0.0.1`; `None`: no door, 0: any free port.
    pub control_port: Option<u16>,
    /// Which dialect it speaks.
    pub dialect: Dialect,
    /// Protocol versions it accepts.
    pub versions: RangeInclusive<u32>,
    /// The peripheral all agents belong to.
    pub peripheral: u32,
    /// Accepted ClientID and ClientPassword; `None`: any.
    pub client: Option<(String, Secret)>,
    /// The agents.
    pub agents: Vec<AgentConfig>,
    /// The phones; any agent may sign in at any free one.
    pub extensions: Vec<String>,
    /// The teams.
    pub teams: Vec<TeamConfig>,
    /// The queues.
    pub queues: Vec<QueueConfig>,
    /// The campaigns of the dialer.
    pub campaigns: Vec<super::CampaignConfig>,
    /// Rules at the desk.
    pub desk: DeskSettings,
    /// The customers.
    pub callers: Callers,
    /// Agents who act by themselves. An agent named by several belongs to the first.
    pub robots: Vec<Robots>,
    /// The public network.
    pub outside: Outside,
    /// Options of behaviour.
    pub behaviour: Behaviour,
    /// What is done with certain requests.
    pub rules: Vec<super::Rule>,
    /// Calls that arrive by themselves, at these times after the start.
    pub script: Vec<(Duration, super::InboundCall)>,
    /// The steps of a scenario, which is played from the start.
    pub steps: Vec<super::Step>,
    /// Seed of everything random. The same seed and the same requests at the same times give the same calls.
    pub seed: u64,
}

const FIRST_NAMES: [&str; 20] = [
    "Ada", "Boris", "Clara", "David", "Elena", "Farid", "Greta", "Hugo", "Irina", "Jonas", "Karin", "Liam",
    "Mona", "Nils", "Olga", "Pavel", "Rosa", "Stefan", "Tara", "Uwe",
];
const LAST_NAMES: [&str; 17] = [
    "Adler", "Bauer", "Costa", "Dubois", "Evans", "Fischer", "Garcia", "Hansen", "Ivanov", "Jensen",
    "Keller", "Lopez", "Moreau", "Novak", "Olsen", "Peters", "Rossi",
];

impl Config {
    /// The demonstration: `agents` agents `1001`… with `password`, as many phones `2001`…, teams of ten whose first
    /// member is the supervisor, and two queues that everybody serves. CCE, loopback, any free ports, no random calls.
    pub fn demo(agents: usize, password: &str) -> Self {
        let queues = vec![demo_queue(1, "Sales", "6001"), demo_queue(2, "Support", "6002")];
        let numbers: Vec<u32> = queues.iter().map(|q| q.number).collect();
        Self {
            bind: IpAddr::V4(Ipv4Addr::LOCALHOST),
            ports: [0, 0],
            control_port: None,
            dialect: Dialect::Cce,
            versions: 13..=24,
            peripheral: 5000,
            client: None,
            agents: (0..agents).map(|i| demo_agent(i, password, &numbers)).collect(),
            extensions: (0..agents).map(|i| (2001 + i).to_string()).collect(),
            teams: (0..agents.div_ceil(10)).map(demo_team).collect(),
            queues,
            campaigns: vec![demo_campaign()],
            desk: DeskSettings::default(),
            callers: Callers::default(),
            robots: Vec::new(),
            outside: Outside::default(),
            behaviour: Behaviour::default(),
            rules: Vec::new(),
            script: Vec::new(),
            steps: Vec::new(),
            seed: 1,
        }
    }

    /// A busy hour for a server in front: the demonstration whose agents act by themselves, with `per_agent` calls an hour
    /// for each. They sign in within the first minute, and are on a call or at work after one for about 90 s each time.
    pub fn load(agents: usize, password: &str, per_agent: f64) -> Self {
        let mut config = Self::demo(agents, password);
        config.robots = vec![Robots { sign_in: Span::seconds(0, 60), ..Robots::default() }];
        config.callers.calls_per_minute = agents as f64 * per_agent / 60.0;
        config.callers.talk = Some(Span::seconds(40, 100));
        config.desk.wrap_up_incoming = WrapUp::Required;
        config
    }

    /// Says why the configuration cannot work: duplicate ids, unknown teams or queues.
    ///
    /// # Errors
    /// A sentence that names the first contradiction.
    pub fn check(&self) -> Result<(), String> {
        unique("agent", self.agents.iter().map(|a| a.id.clone()))?;
        unique("extension", self.extensions.iter().cloned())?;
        unique("team", self.teams.iter().map(|t| t.id.to_string()))?;
        unique("queue", self.queues.iter().map(|q| q.number.to_string()))?;
        unique("campaign", self.campaigns.iter().map(|c| format!("{:?}", c.name)))?;
        for campaign in &self.campaigns {
            if !self.queues.iter().any(|q| q.number == campaign.queue) {
                return Err(format!("campaign {:?}: no queue {}", campaign.name, campaign.queue));
            }
            if self.extensions.contains(&campaign.dialer_port) {
                return Err(format!("campaign {:?}: {} is a phone", campaign.name, campaign.dialer_port));
            }
        }
        for id in self.robots.iter().flat_map(|r| &r.agents) {
            if !self.agents.iter().any(|a| a.id == *id) {
                return Err(format!("robots: no agent {id}"));
            }
        }
        self.rules.iter().try_for_each(super::Rule::check)?;
        for agent in &self.agents {
            if !self.teams.iter().any(|t| t.id == agent.team) {
                return Err(format!("agent {}: no team {}", agent.id, agent.team));
            }
            if let Some(queue) = agent.queues.iter().find(|n| !self.queues.iter().any(|q| q.number == **n)) {
                return Err(format!("agent {}: no queue {queue}", agent.id));
            }
        }
        Ok(())
    }
}

fn unique(what: &str, ids: impl Iterator<Item = String>) -> Result<(), String> {
    let mut seen = std::collections::HashSet::new();
    for id in ids {
        if !seen.insert(id.clone()) {
            return Err(format!("{what} {id} occurs twice"));
        }
    }
    Ok(())
}

fn demo_agent(index: usize, password: &str, queues: &[u32]) -> AgentConfig {
    let id = (1001 + index).to_string();
    AgentConfig {
        login_name: format!("agent{id}"),
        first_name: FIRST_NAMES[index % FIRST_NAMES.len()].into(),
        last_name: LAST_NAMES[index % LAST_NAMES.len()].into(),
        password: Secret::new(password),
        team: team_number(index / 10),
        supervisor: index.is_multiple_of(10),
        queues: queues.to_vec(),
        id,
    }
}

fn team_number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX - 1).saturating_add(1)
}

fn demo_team(index: usize) -> TeamConfig {
    let id = team_number(index);
    TeamConfig { id, name: format!("Team {id}") }
}

/// Fifty customers who are called when somebody asks for it.
fn demo_campaign() -> super::CampaignConfig {
    let contact = |n: usize| super::Contact {
        account: Some(format!("AC{}", 1000 + n)),
        name: Some(format!("{},{}", LAST_NAMES[n % LAST_NAMES.len()], FIRST_NAMES[n % FIRST_NAMES.len()])),
        time_zone: 60,
        ..super::Contact::new(&format!("5550177{n:03}"))
    };
    super::CampaignConfig {
        contacts: (0..50).map(contact).collect(),
        ..super::CampaignConfig::new("Renewals", super::DialMode::Preview, 1)
    }
}

fn demo_queue(number: u32, name: &str, dialed: &str) -> QueueConfig {
    QueueConfig {
        number,
        name: name.into(),
        dialed_number: dialed.into(),
        variables: vec![("callVariable3".into(), name.into())],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demonstration_fits_together() {
        let config = Config::demo(25, "finesse");
        assert_eq!(config.check(), Ok(()));
        assert_eq!(config.teams.len(), 3);
        assert_eq!(config.agents.iter().filter(|a| a.supervisor).count(), 3);
        assert_eq!((config.agents[24].id.as_str(), config.extensions[24].as_str()), ("1025", "2025"));
        assert!(config.agents[0].password.matches(b"finesse\0"));
        assert!(!format!("{config:?}").contains("finesse"));
    }

    #[test]
    fn contradictions_are_named() {
        let mut config = Config::demo(2, "x");
        config.agents[1].id = "1001".into();
        assert_eq!(config.check(), Err("agent 1001 occurs twice".into()));
        config.agents[1].id = "1002".into();
        config.agents[1].queues.push(9);
        assert_eq!(config.check(), Err("agent 1002: no queue 9".into()));
    }
}
