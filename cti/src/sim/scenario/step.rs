//! What a scenario consists of once it is understood.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use super::super::{InboundCall, OutboundCall, Rule, Side};
use super::condition::Condition;

/// One step of a scenario; made by [`Scenario`](super::Scenario).
#[derive(Clone, Debug)]
pub struct Step {
    /// `file:line:column`.
    pub(crate) place: String,
    /// Not before this long after the start, or after the step before.
    pub(crate) at: Option<Duration>,
    pub(crate) after: Option<Duration>,
    /// Not before this is true, which must not take longer than `within`.
    pub(crate) when: Option<Condition>,
    pub(crate) within: Duration,
    /// Whether an expectation may take that long, too.
    pub(crate) patient: bool,
    /// What a call that begins by this step is called in later ones.
    pub(crate) name: Option<String>,
    /// The failure code that is expected.
    pub(crate) refused: Option<u32>,
    pub(crate) action: Action,
}

impl Step {
    /// The names of calls that must be known.
    pub(super) fn speaks_of(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.when.iter().filter_map(Condition::call).collect();
        match &self.action {
            Action::Expect(condition) => names.extend(condition.call()),
            Action::HangUp(name) => names.push(name),
            Action::Agent { call, .. } => names.extend(call.as_deref()),
            _ => {}
        }
        names
    }
}

/// What happens in a step.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    /// Time passes.
    Nothing,
    /// This must be true.
    Expect(Condition),
    /// An agent does something, with a call of this name if he has several.
    Agent { agent: String, deed: Deed, call: Option<String> },
    /// A customer calls.
    Inbound(InboundCall),
    /// A customer hangs up.
    HangUp(String),
    /// A campaign reserves an agent.
    Outbound(OutboundCall),
    /// Something happens to a side.
    Side(Side, SideDoes),
    /// A rule comes into force.
    Rule(Rule),
    /// Random customers call at this rate.
    Rate(f64),
    /// The peripheral comes or goes.
    Peripheral(bool),
    /// A phone comes or goes.
    Phone(String, bool),
}

impl Action {
    pub(super) fn makes_a_call(&self) -> bool {
        match self {
            Self::Inbound(_) | Self::Outbound(_) => true,
            Self::Agent { deed, .. } => match deed {
                Deed::Dial(_) | Deed::Consult(_) | Deed::Supervise(Does::Listen, _) => true,
                Deed::Plain(does) => matches!(does, Does::AskForHelp | Does::RaiseAlarm),
                _ => false,
            },
            _ => false,
        }
    }
}

/// What an agent does, with what it needs.
#[derive(Clone, Debug)]
pub(crate) enum Deed {
    /// At this phone, by default his own.
    SignIn(Option<String>),
    Ready,
    NotReady(u16),
    SignOut(u16),
    Work,
    Dial(String),
    Consult(String),
    /// To this number without asking, or the held call to the party of the active one.
    Transfer(Option<String>),
    Supervise(Does, String),
    /// Attaches data.
    Set(BTreeMap<String, String>),
    /// Something that needs nothing.
    Plain(Does),
}

/// Words for what agents do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Does {
    SignIn,
    Ready,
    NotReady,
    Work,
    SignOut,
    Answer,
    Hold,
    Retrieve,
    HangUp,
    Dial,
    Consult,
    Transfer,
    Conference,
    Alternate,
    Reconnect,
    Listen,
    StopListening,
    BargeIn,
    Intercept,
    Record,
    StopRecording,
    Attach,
    Say,
    AskForHelp,
    RaiseAlarm,
}

/// Words for what happens to a side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SideDoes {
    /// Its port closes and its connections are cut.
    Stop,
    /// It comes back.
    Start,
    /// Its connections are cut.
    Cut,
    /// It reads and writes nothing.
    Freeze,
    /// It goes on.
    Thaw,
    /// It reads and says nothing.
    FallSilent,
    /// It speaks again.
    Speak,
    /// It refuses sessions as a standby server.
    StandBy,
    /// It serves again.
    Serve,
}
