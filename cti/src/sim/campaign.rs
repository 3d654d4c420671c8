//! Outbound option: campaigns, whom they call and how (Outbound Option Guide for Unified CCE).

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Dialect;
use crate::enums::{call_direction, call_type};

/// How a campaign brings agents and customers together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DialMode {
    /// The agent sees the record and decides; then the dialer calls the customer and brings the call to the agent.
    Preview,
    /// The agent sees the record and decides; then the agent's own phone calls the customer.
    DirectPreview,
    /// As [`DialMode::Preview`], for a customer who asked to be called by this agent.
    PersonalCallback,
    /// An agent is reserved for each customer that is dialled.
    Progressive,
    /// More customers are dialled than agents are reserved. The simulator dials one at a time.
    Predictive,
}

impl DialMode {
    /// Whether the agent is asked before the customer is called.
    pub(crate) const fn asks(self) -> bool {
        matches!(self, Self::Preview | Self::DirectPreview | Self::PersonalCallback)
    }

    /// First character of `BAStatus` while an agent is reserved.
    const fn letter(self) -> char {
        match self {
            Self::Preview => 'P',
            Self::DirectPreview => 'D',
            Self::PersonalCallback => 'A',
            Self::Progressive => 'G',
            Self::Predictive => 'R',
        }
    }

    /// GED-188 `CallType` of the call by which an agent is reserved.
    pub(crate) const fn reservation_type(self, dialect: Dialect) -> u32 {
        match (self, dialect) {
            (Self::DirectPreview, Dialect::Ccx) => call_type::RESERVATION,
            (Self::DirectPreview, Dialect::Cce) => call_type::RESERVATION_PREVIEW_DIRECT,
            (Self::Preview, _) => call_type::RESERVATION_PREVIEW,
            (Self::PersonalCallback, _) => call_type::RESERVATION_PERSONAL_CALLBACK,
            (Self::Progressive | Self::Predictive, _) => call_type::RESERVATION_PREDICTIVE,
        }
    }

    /// GED-188 `CallType` of the call with the customer.
    pub(crate) const fn customer_type(self, dialect: Dialect) -> u32 {
        match (self, dialect) {
            (Self::DirectPreview, Dialect::Ccx) => call_type::PREVIEW,
            (Self::DirectPreview, Dialect::Cce) => call_type::CUSTOMER_PREVIEW_DIRECT,
            (Self::Preview, _) => call_type::CUSTOMER_PREVIEW,
            (Self::PersonalCallback, _) => call_type::CUSTOMER_PERSONAL,
            (Self::Progressive | Self::Predictive, _) => call_type::CUSTOMER_PREDICTIVE,
        }
    }

    /// GED-188 `CallDirection` of the agent's state; `reserved`: before the call with the customer.
    pub(crate) const fn direction(self, reserved: bool) -> u32 {
        match (self.asks(), reserved) {
            (true, _) => call_direction::OUTBOUND_PREVIEW,
            (false, true) => call_direction::OUTBOUND_RESERVE,
            (false, false) => call_direction::OUTBOUND_PREDICTIVE,
        }
    }
}

/// What becomes of a customer's phone when it is dialled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Somebody answers after [`Outside::answer`](super::Outside).
    #[default]
    Voice,
    /// It is busy.
    Busy,
    /// Nobody answers.
    NoAnswer,
}

/// A record of a campaign's list: a customer to be called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// The customer's number: at most 19 digits, and not one of the centre's phones.
    pub number: String,
    /// The customer's account, `BAAccountNumber`: at most 30 characters.
    #[serde(default)]
    pub account: Option<String>,
    /// The customer's name, `BABuddyName`: `Last,First`.
    #[serde(default)]
    pub name: Option<String>,
    /// Minutes that the customer's clocks are ahead of GMT, `BATimeZone`.
    #[serde(default)]
    pub time_zone: i32,
    /// What happens when the number is dialled.
    #[serde(default)]
    pub answer: Answer,
}

impl Contact {
    /// A customer who answers.
    pub fn new(number: &str) -> Self {
        Self { number: number.into(), account: None, name: None, time_zone: 0, answer: Answer::Voice }
    }
}

/// A configured campaign.
#[derive(Clone, Debug)]
pub struct CampaignConfig {
    /// Display name, unique; `BACampaign`.
    pub name: String,
    /// How it calls.
    pub mode: DialMode,
    /// Number of the queue whose agents it reserves.
    pub queue: u32,
    /// The number from which reservations come.
    pub dialer_port: String,
    /// Whether its agents take no other calls; else `BAStatus` says that they are blended.
    pub dedicated: bool,
    /// How long an agent may think about a reservation before he becomes not ready.
    pub respond_within: Duration,
    /// Reservations that it makes by itself, a minute; 0: only those that a test asks for.
    pub per_minute: f64,
    /// Whom it calls, in this order. Who could not be reached comes again at the end.
    pub contacts: Vec<Contact>,
}

impl CampaignConfig {
    /// A campaign for blended agents of `queue` that calls only when asked, and nobody yet.
    pub fn new(name: &str, mode: DialMode, queue: u32) -> Self {
        Self {
            name: name.into(),
            mode,
            queue,
            dialer_port: "8001".into(),
            dedicated: false,
            respond_within: Duration::from_secs(60),
            per_minute: 0.0,
            contacts: Vec::new(),
        }
    }

    /// `BAStatus`: mode, then direction; `reserved`: before the call with the customer.
    pub(crate) fn status(&self, dialect: Dialect, reserved: bool) -> String {
        let first = if reserved { self.mode.letter() } else { 'C' };
        // CCX knows no blended agents ("Outbound Expanded Call Context Variables").
        let dedicated = self.dedicated || dialect == Dialect::Ccx;
        format!("{first}{}", if dedicated { 'O' } else { 'B' })
    }
}

/// A reservation that a test asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutboundCall {
    /// Name of the campaign.
    pub campaign: String,
    /// Whom to reserve; by default the agent of the campaign's queue who has been ready the longest.
    #[serde(default)]
    pub agent: Option<String>,
    /// Whom to call; by default the next of the campaign's list.
    #[serde(default)]
    pub customer: Option<String>,
    /// What happens when the customer is called; by default what the list says.
    #[serde(default)]
    pub answer: Option<Answer>,
}

impl OutboundCall {
    /// The next customer of a campaign, with the agent who has been ready the longest.
    pub fn of(campaign: &str) -> Self {
        Self { campaign: campaign.into(), agent: None, customer: None, answer: None }
    }
}

/// Why no agent is reserved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutboundError {
    /// There is no campaign with this name.
    #[error("no campaign {0:?}")]
    UnknownCampaign(String),
    /// There is no agent with this id.
    #[error("no agent {0}")]
    UnknownAgent(String),
    /// The agent, or every agent of the queue, is busy or not ready.
    #[error("no agent is ready for campaign {0:?}")]
    NobodyReady(String),
    /// The campaign's list is at its end.
    #[error("campaign {0:?} has called everybody")]
    ListAtEnd(String),
    /// The number is no customer's.
    #[error("{0:?} is no number of a customer")]
    BadNumber(String),
    /// The peripheral is offline.
    #[error("the peripheral is offline")]
    Offline,
}
