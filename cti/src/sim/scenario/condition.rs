//! What a scenario waits for or expects: short sentences about the centre, and whether they are true.

use std::collections::HashMap;

use super::super::core::call::{Call, CallId, Wait};
use super::super::core::event::Leg;
use super::super::core::world::World;
use super::super::{Config, Side};
use super::line::known;

/// A sentence, with what it says.
#[derive(Clone, Debug)]
pub(crate) struct Condition {
    text: String,
    claim: Claim,
}

#[derive(Clone, Debug)]
enum Claim {
    Agent { id: String, state: String, reason: Option<u16> },
    Everybody { state: String },
    Contact { number: String, result: String },
    Calls(usize),
    Waiting { queue: u32, count: usize },
    Sessions { side: Side, count: usize },
    CallAt { name: String, phone: String, leg: Leg },
    CallWaits { name: String },
    CallOver { name: String },
    CallHas { name: String, variable: String, value: String },
}

/// States of agents as snapshots name them.
const STATES: [&str; 8] =
    ["LOGOUT", "NOT_READY", "AVAILABLE", "RESERVED", "TALKING", "HOLD", "WORK_NOT_READY", "WORK_READY"];

/// What can be said.
const HELP: &str = "say \"1001 is TALKING\", \"1001 is NOT_READY with 5\", \"everybody is AVAILABLE\", \"contact 5550177000 is \
                    CONNECTED\", \"no calls\", \"2 calls\", \"queue 1 has 2 waiting\", \"side a has 1 session\", \"call x \
                    waits\", \"call x rings at 2001\", \"call x talks at 2001\", \"call x is held at 2001\", \"call x is \
                    over\" or \"call x has callVariable1 Ann\"";

impl Condition {
    /// Reads a sentence about a centre with this configuration.
    pub(super) fn read(text: &str, config: &Config) -> Result<Self, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let state = |word: &str| match STATES.contains(&word) {
            true => Ok(word.to_owned()),
            false => Err(format!("no state is called {word:?}; there are {}", STATES.join(", "))),
        };
        let phone = |word: &str| {
            known("phone", word, config.extensions.iter().map(String::as_str)).map(|()| word.to_owned())
        };
        let number = |word: &str| word.parse().map_err(|_| format!("{word:?} is no number"));
        let at = |name: &str, at: &str, leg| Ok(Claim::CallAt { name: name.into(), phone: phone(at)?, leg });
        let claim: Result<Claim, String> = match words.as_slice() {
            ["everybody", "is", word] => state(word).map(|state| Claim::Everybody { state }),
            ["contact", number, "is", result] => {
                Ok(Claim::Contact { number: (*number).into(), result: (*result).into() })
            }
            ["no", "calls"] => Ok(Claim::Calls(0)),
            [count, "call" | "calls"] => number(count).map(Claim::Calls),
            ["queue", queue, "has", count, "waiting"] => {
                let queue = queue.parse().map_err(|_| format!("{queue:?} is no number"))?;
                match config.queues.iter().any(|q| q.number == queue) {
                    true => number(count).map(|count| Claim::Waiting { queue, count }),
                    false => Err(format!("no queue {queue}")),
                }
            }
            ["side", side, "has", count, "session" | "sessions"] => {
                let side = match *side {
                    "a" => Side::A,
                    "b" => Side::B,
                    _ => return Err(format!("sides are a and b, not {side:?}")),
                };
                number(count).map(|count| Claim::Sessions { side, count })
            }
            ["call", name, "waits"] => Ok(Claim::CallWaits { name: (*name).into() }),
            ["call", name, "is", "over"] => Ok(Claim::CallOver { name: (*name).into() }),
            ["call", name, "rings", "at", phone] => at(name, phone, Leg::Alerting),
            ["call", name, "talks", "at", phone] => at(name, phone, Leg::Connect),
            ["call", name, "is", "held", "at", phone] => at(name, phone, Leg::Hold),
            ["call", name, "has", variable, ..] => Ok(Claim::CallHas {
                name: (*name).into(),
                variable: (*variable).into(),
                value: words[4..].join(" "),
            }),
            [id, "is", word] | [id, "is", word, "with", _] => {
                known("agent", id, config.agents.iter().map(|a| a.id.as_str()))?;
                let reason = match words.get(4) {
                    Some(word) => Some(word.parse().map_err(|_| format!("{word:?} is no reason code"))?),
                    None => None,
                };
                state(word).map(|state| Claim::Agent { id: (*id).into(), state, reason })
            }
            _ => Err(format!("{text:?} says nothing that can be true; {HELP}")),
        };
        Ok(Self { text: text.into(), claim: claim? })
    }

    /// The call that the sentence speaks of.
    pub(super) fn call(&self) -> Option<&str> {
        match &self.claim {
            Claim::CallAt { name, .. }
            | Claim::CallWaits { name }
            | Claim::CallOver { name }
            | Claim::CallHas { name, .. } => Some(name),
            _ => None,
        }
    }

    /// Whether it is true now.
    pub(super) fn holds(&self, world: &World, sessions: [usize; 2], names: &HashMap<String, CallId>) -> bool {
        let call = |name: &str| names.get(name).and_then(|id| world.calls.get(id)).filter(|c| c.is_live());
        match &self.claim {
            Claim::Agent { id, state, reason } => world.agent_index.get(id.as_str()).is_some_and(|index| {
                let agent = &world.agents[*index];
                agent.state.word() == state && reason.is_none_or(|reason| agent.reason() == reason)
            }),
            Claim::Everybody { state } => world.agents.iter().all(|a| a.state.word() == state),
            Claim::Contact { number, result } => {
                let latest = world.contacts.iter().rev().find(|c| c.customer == *number);
                latest.is_some_and(|c| c.result == result)
            }
            Claim::Calls(count) => world.calls.values().filter(|c| c.is_live()).count() == *count,
            Claim::Waiting { queue, count } => {
                let found = world.queues.iter().find(|q| q.number == *queue);
                found.is_some_and(|q| q.waiting.len() == *count)
            }
            Claim::Sessions { side, count } => sessions[side.index()] == *count,
            Claim::CallAt { name, phone, leg } => call(name).and_then(|c| c.leg(phone)) == Some(*leg),
            Claim::CallWaits { name } => {
                call(name).is_some_and(|c| matches!(c.wait, Some(Wait::Queue(_) | Wait::Agent(_))))
            }
            Claim::CallOver { name } => call(name).is_none(),
            Claim::CallHas { name, variable, value } => {
                let known = names.get(name).and_then(|id| world.calls.get(id));
                known.is_some_and(|c: &Call| c.data.get(variable) == Some(value))
            }
        }
    }

    /// The sentence, and how it is instead where that can be said shortly.
    pub(super) fn complaint(&self, world: &World) -> String {
        let instead = match &self.claim {
            Claim::Agent { id, .. } => world.agent_index.get(id.as_str()).map(|index| {
                let agent = &world.agents[*index];
                format!("{id} is {} with {}", agent.state.word(), agent.reason())
            }),
            Claim::Contact { number, .. } => {
                let latest = world.contacts.iter().rev().find(|c| c.customer == *number);
                latest.map(|c| format!("it is {}", c.result))
            }
            Claim::Calls(_) => {
                Some(format!("{} calls", world.calls.values().filter(|c| c.is_live()).count()))
            }
            _ => None,
        };
        match instead {
            Some(instead) => format!("{:?} is not true: {instead}", self.text),
            None => format!("{:?} is not true", self.text),
        }
    }
}
