//! A contact centre in memory that speaks the protocol over TCP: agents, phones, queues, customers.
//!
//! Agents act through CTI clients, by themselves ([`Robots`]) or as a [`Scenario`] says; customers act by themselves, at
//! random, in a scenario, or as a test tells them through [`Control`]. Both sides of a redundant pair listen and show the
//! same centre. Everything but the sockets is a state machine in virtual time, so that a seed and a list of requests
//! always give the same calls.
//!
//! ```
//! use cti::sim::{Config, InboundCall, Simulator};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let simulator = Simulator::start(Config::demo(20, "finesse")).await?;
//! println!("side A listens on {}, side B on {}", simulator.addrs()[0], simulator.addrs()[1]);
//! let call = simulator.control().inject_call(InboundCall::to_queue("5551234567", 1))?;
//! assert_eq!(simulator.control().snapshot().calls[0].id, call);
//! simulator.shutdown().await;
//! # Ok(())
//! # }
//! ```

mod behaviour;
mod campaign;
mod config;
mod control;
mod core;
mod door;
mod exchange;
mod rules;
mod scenario;
mod server;
mod session;
#[cfg(test)]
mod tests;
mod wire;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use self::core::call::CallId;
pub use self::core::truth::{AgentTruth, CallTruth, ContactTruth, PartyTruth, Snapshot};
pub use campaign::{Answer, CampaignConfig, Contact, DialMode, OutboundCall, OutboundError};
pub use config::{
    AgentConfig, Behaviour, Callers, Config, DeskSettings, Outside, QueueConfig, Robots, Secret, Span,
    TeamConfig, WrapUp,
};
pub use control::{AgentChange, AgentState, Control, Mischief, Refused};
pub use rules::{Reaction, Rule};
pub use scenario::{Progress, Rehearsal, Scenario, ScenarioError, Step};
pub use server::{Simulator, StartError};

/// Where a customer's call is meant to go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// The longest ready agent of the queue with this number.
    Queue(u32),
    /// This agent, when ready.
    Agent(String),
}

/// A customer's call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InboundCall {
    /// The customer's number; at most 39 characters, and not one of the centre's phones.
    pub ani: String,
    /// What the customer dialled; by default the queue's number or the agent's id.
    #[serde(default)]
    pub dnis: Option<String>,
    /// Where the call goes.
    #[serde(flatten)]
    pub target: Target,
    /// Call variables: `callVariable1` to `callVariable10`, `wrapUpReason`, `callerEnteredDigits`; any other name is
    /// an expanded variable, with `[index]` behind it an element of an array.
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
    /// How long the customer talks before hanging up; by default drawn from the configuration.
    #[serde(default, rename = "talk_ms", with = "millis")]
    pub talk: Option<Duration>,
    /// How long the customer waits for an answer; by default drawn from the configuration.
    #[serde(default, rename = "patience_ms", with = "millis")]
    pub patience: Option<Duration>,
}

impl InboundCall {
    /// A call from `ani` to a queue.
    pub fn to_queue(ani: &str, queue: u32) -> Self {
        Self::to(ani, Target::Queue(queue))
    }

    /// A call from `ani` to an agent by name.
    pub fn to_agent(ani: &str, agent: &str) -> Self {
        Self::to(ani, Target::Agent(agent.into()))
    }

    fn to(ani: &str, target: Target) -> Self {
        Self { ani: ani.into(), dnis: None, target, variables: BTreeMap::new(), talk: None, patience: None }
    }

    /// Adds a variable; for chains.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.into(), value.into());
        self
    }
}

/// Durations as whole milliseconds.
mod millis {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(value: &Option<Duration>, to: S) -> Result<S::Ok, S::Error> {
        value.map(|d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX)).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
        Ok(Option::<u64>::deserialize(from)?.map(Duration::from_millis))
    }
}

/// Why a call cannot come in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InjectError {
    /// There is no queue with this number.
    #[error("no queue {0}")]
    UnknownQueue(u32),
    /// There is no agent with this id.
    #[error("no agent {0}")]
    UnknownAgent(String),
    /// The agent is signed out.
    #[error("agent {0} is signed out")]
    SignedOut(String),
    /// The customer's number is empty, too long, or that of a phone of the centre.
    #[error("{0:?} is no number of a customer")]
    BadAni(String),
    /// The peripheral is offline.
    #[error("the peripheral is offline")]
    Offline,
}

/// One of the two CTI servers of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// Side A.
    A,
    /// Side B.
    B,
}

impl Side {
    pub(crate) const fn index(self) -> usize {
        match self {
            Self::A => 0,
            Self::B => 1,
        }
    }
}
