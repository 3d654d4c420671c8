//! Who and what is on the stage: the sections of a scenario before its steps.

use serde::Deserialize;
use toml::Spanned;

use super::super::{
    AgentConfig, CampaignConfig, Config, Contact, DialMode, QueueConfig, Robots, Rule, Secret, TeamConfig,
    WrapUp,
};
use super::line::Line;
use super::words::{Time, Times};
use crate::Dialect;

/// A scenario as it is written. Without a word about people there are the twenty of the demonstration.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Text {
    pub(super) title: String,
    pub(super) about: String,
    pub(super) seed: Option<u64>,
    pub(super) steps: Vec<Spanned<Line>>,
    dialect: Flavour,
    agents: Option<Spanned<usize>>,
    team: Vec<Spanned<Team>>,
    agent: Vec<Spanned<Agent>>,
    queue: Vec<Spanned<Queue>>,
    campaign: Vec<Spanned<Campaign>>,
    robots: Vec<Spanned<Crew>>,
    rule: Vec<Spanned<Rule>>,
    desk: Desk,
    callers: Callers,
    outside: Outside,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Flavour {
    #[default]
    Cce,
    Ccx,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Team {
    id: u32,
    name: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Agent {
    id: String,
    #[serde(default)]
    first_name: String,
    #[serde(default)]
    last_name: String,
    /// By default the id with 1000 added, or the id itself if it is no number.
    phone: Option<String>,
    team: u32,
    #[serde(default)]
    supervisor: bool,
    #[serde(default)]
    queues: Vec<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Queue {
    number: u32,
    name: String,
    dialed_number: String,
    #[serde(default)]
    variables: std::collections::BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Campaign {
    name: String,
    mode: DialMode,
    queue: u32,
    dialer_port: Option<String>,
    #[serde(default)]
    dedicated: bool,
    respond_within: Option<Time>,
    #[serde(default)]
    per_minute: f64,
    #[serde(default)]
    contacts: Vec<Contact>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Crew {
    #[serde(default)]
    agents: Vec<String>,
    sign_in: Option<Times>,
    ready: Option<Times>,
    answer: Option<Times>,
    work: Option<Times>,
    hold: Option<Times>,
    #[serde(default)]
    holds: f64,
    #[serde(default)]
    transfers: f64,
    #[serde(default = "always")]
    accepts: f64,
}

fn always() -> f64 {
    1.0
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Desk {
    wrap_up_incoming: Option<WrapUp>,
    wrap_up_outgoing: Option<WrapUp>,
    work_timer: Option<Time>,
    ring_no_answer: Option<Time>,
    internal_ring: Option<Time>,
    not_ready_reason_required: bool,
    logout_reason_required: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Callers {
    calls_per_minute: f64,
    talk: Option<Times>,
    patience: Option<Times>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Outside {
    answer: Option<Times>,
    talk: Option<Times>,
    busy: Option<Vec<String>>,
}

/// What is wrong, and with which bytes of the text.
pub(super) type Complaint = (std::ops::Range<usize>, String);

impl Text {
    /// The centre that is meant; every agent has this password.
    pub(super) fn centre(&self, password: &str) -> Result<Config, Complaint> {
        let agents = self.agents.as_ref().map_or(20, |n| *n.as_ref());
        if let Some(count) = self.agents.as_ref().filter(|n| !(1..=5000).contains(n.as_ref())) {
            return Err((count.span(), "agents must be a number from 1 to 5000".into()));
        }
        let mut config = Config::demo(agents, password);
        config.dialect = match self.dialect {
            Flavour::Cce => Dialect::Cce,
            Flavour::Ccx => Dialect::Ccx,
        };
        config.seed = self.seed.unwrap_or(config.seed);
        self.people(&mut config, password)?;
        self.rest(&mut config);
        self.complaints(&config)?;
        Ok(config)
    }

    fn people(&self, config: &mut Config, password: &str) -> Result<(), Complaint> {
        if !self.queue.is_empty() {
            config.queues = self.queue.iter().map(|q| queue(q.as_ref())).collect();
            let numbers: Vec<u32> = config.queues.iter().map(|q| q.number).collect();
            config.agents.iter_mut().for_each(|agent| agent.queues.clone_from(&numbers));
            config.campaigns.retain(|c| numbers.contains(&c.queue));
        }
        if let (Some(count), Some(_)) = (&self.agents, self.agent.first()) {
            return Err((count.span(), "agents are either counted or named, not both".into()));
        }
        if !self.team.is_empty() {
            let team = |t: &Spanned<Team>| TeamConfig { id: t.as_ref().id, name: t.as_ref().name.clone() };
            config.teams = self.team.iter().map(team).collect();
        }
        if !self.agent.is_empty() {
            config.agents = self.agent.iter().map(|a| agent(a.as_ref(), password)).collect();
            config.extensions = self.agent.iter().map(|a| phone(a.as_ref())).collect();
        }
        if !self.campaign.is_empty() {
            config.campaigns = self.campaign.iter().map(|c| campaign(c.as_ref())).collect();
        }
        config.robots = self.robots.iter().map(|r| robots(r.as_ref())).collect();
        config.rules = self.rule.iter().map(|r| r.as_ref().clone()).collect();
        Ok(())
    }

    fn rest(&self, config: &mut Config) {
        let (desk, settings) = (&self.desk, &mut config.desk);
        settings.wrap_up_incoming = desk.wrap_up_incoming.unwrap_or(settings.wrap_up_incoming);
        settings.wrap_up_outgoing = desk.wrap_up_outgoing.unwrap_or(settings.wrap_up_outgoing);
        settings.work_timer = desk.work_timer.map_or(settings.work_timer, |t| t.0);
        settings.ring_no_answer = desk.ring_no_answer.map_or(settings.ring_no_answer, |t| t.0);
        settings.internal_ring = desk.internal_ring.map_or(settings.internal_ring, |t| t.0);
        settings.not_ready_reason_required = desk.not_ready_reason_required;
        settings.logout_reason_required = desk.logout_reason_required;
        config.callers.calls_per_minute = self.callers.calls_per_minute;
        config.callers.talk = self.callers.talk.map_or(config.callers.talk, |t| Some(t.0));
        config.callers.patience = self.callers.patience.map_or(config.callers.patience, |t| Some(t.0));
        config.outside.answer = self.outside.answer.map_or(config.outside.answer, |t| t.0);
        config.outside.talk = self.outside.talk.map_or(config.outside.talk, |t| Some(t.0));
        if let Some(busy) = &self.outside.busy {
            config.outside.busy.clone_from(busy);
        }
    }

    /// Contradictions, each at the entry to blame.
    fn complaints(&self, config: &Config) -> Result<(), Complaint> {
        let has_queue = |number: &u32| config.queues.iter().any(|q| q.number == *number);
        for agent in &self.agent {
            let (span, agent) = (agent.span(), agent.as_ref());
            if !config.teams.iter().any(|t| t.id == agent.team) {
                return Err((span, format!("agent {}: no team {}", agent.id, agent.team)));
            }
            if let Some(queue) = agent.queues.iter().find(|q| !has_queue(q)) {
                return Err((span, format!("agent {}: no queue {queue}", agent.id)));
            }
        }
        for campaign in &self.campaign {
            let (span, campaign) = (campaign.span(), campaign.as_ref());
            if !has_queue(&campaign.queue) {
                return Err((span, format!("campaign {:?}: no queue {}", campaign.name, campaign.queue)));
            }
        }
        for crew in &self.robots {
            let missing = |id: &&String| !config.agents.iter().any(|a| a.id == **id);
            if let Some(id) = crew.as_ref().agents.iter().find(missing) {
                return Err((crew.span(), format!("robots: no agent {id}")));
            }
        }
        for rule in &self.rule {
            rule.as_ref().check().map_err(|complaint| (rule.span(), complaint))?;
        }
        config.check().map_err(|complaint| (0..0, complaint))
    }
}

fn agent(from: &Agent, password: &str) -> AgentConfig {
    AgentConfig {
        id: from.id.clone(),
        login_name: format!("agent{}", from.id),
        first_name: from.first_name.clone(),
        last_name: from.last_name.clone(),
        password: Secret::new(password),
        team: from.team,
        supervisor: from.supervisor,
        queues: from.queues.clone(),
    }
}

fn phone(of: &Agent) -> String {
    let number = || of.id.parse::<u32>().ok().map(|id| id.saturating_add(1000).to_string());
    of.phone.clone().or_else(number).unwrap_or_else(|| of.id.clone())
}

fn queue(from: &Queue) -> QueueConfig {
    QueueConfig {
        number: from.number,
        name: from.name.clone(),
        dialed_number: from.dialed_number.clone(),
        variables: from.variables.clone().into_iter().collect(),
    }
}

fn campaign(from: &Campaign) -> CampaignConfig {
    let usual = CampaignConfig::new(&from.name, from.mode, from.queue);
    CampaignConfig {
        dialer_port: from.dialer_port.clone().unwrap_or(usual.dialer_port),
        dedicated: from.dedicated,
        respond_within: from.respond_within.map_or(usual.respond_within, |t| t.0),
        per_minute: from.per_minute,
        contacts: from.contacts.clone(),
        ..usual
    }
}

fn robots(from: &Crew) -> Robots {
    let usual = Robots::default();
    let span = |given: Option<Times>, usual| given.map_or(usual, |times| times.0);
    Robots {
        agents: from.agents.clone(),
        sign_in: span(from.sign_in, usual.sign_in),
        ready: span(from.ready, usual.ready),
        answer: span(from.answer, usual.answer),
        work: span(from.work, usual.work),
        hold: span(from.hold, usual.hold),
        holds: from.holds,
        transfers: from.transfers,
        accepts: from.accepts,
    }
}
