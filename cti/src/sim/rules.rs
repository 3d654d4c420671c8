//! Rules by which the simulated servers refuse, delay or swallow requests, so that tests see every refusal there is.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};

use super::core::world::World;
use super::wire::{Theme, theme};
use crate::tables::{self, Direction};
use crate::{Kind, Message, Tag, enums, field, kind, tag};

/// Most rules at a time.
const MAX: usize = 1000;

/// What becomes of a request that a rule fits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reaction {
    /// Refused: CONTROL_FAILURE_CONF for requests about agents, calls, supervision and recording, FAILURE_CONF for all others.
    #[default]
    Refuse,
    /// Read and never answered.
    Ignore,
    /// The connection is closed instead of an answer.
    Close,
    /// Carried out as always; for rules that only delay.
    Obey,
}

/// What is done with certain requests. Of several rules that fit, the oldest counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rule {
    /// Name of the message, with or without `_REQ`, for example `HOLD_CALL`; `None`: every request but heartbeats and
    /// those about the session.
    pub request: Option<String>,
    /// Only requests of or about this agent.
    pub agent: Option<String>,
    /// Only requests that name this phone.
    pub extension: Option<String>,
    /// How often; `None`: for ever.
    pub times: Option<u32>,
    /// What happens.
    pub then: Reaction,
    /// FailureCode or Status of a refusal; in text also a name, for example `INVALID_OBJECT_STATE`.
    #[serde(deserialize_with = "code")]
    pub code: u32,
    /// PeripheralErrorCode of a refusal.
    pub peripheral: u32,
    /// How long nothing happens before.
    #[serde(rename = "delay_ms", with = "millis")]
    pub delay: Duration,
}

impl Rule {
    /// Refuses every request with this name.
    pub fn refuse(request: &str, code: u32) -> Self {
        Self { request: Some(request.into()), code, ..Self::default() }
    }

    /// Says what is wrong with the rule.
    ///
    /// # Errors
    /// There is no request with its name.
    pub fn check(&self) -> Result<(), String> {
        match &self.request {
            Some(name) if kind_of(name).is_none() => Err(format!("no request is called {name:?}")),
            _ => Ok(()),
        }
    }

    fn fits(&self, world: &World, message: &Message) -> bool {
        let by_kind = match &self.request {
            Some(name) => kind_of(name) == Some(message.kind),
            None => !is_about_session(message.kind),
        };
        by_kind
            && self.extension.as_deref().is_none_or(|phone| phones(message).any(|p| p == phone))
            && self.agent.as_deref().is_none_or(|agent| {
                let at_phone = |phone| world.agent_at(phone).map(|a| &*world.agents[a].id);
                message.agent_id() == Some(agent) || phones(message).any(|p| at_phone(p) == Some(agent))
            })
    }

    /// The answer of a refusal.
    pub(crate) fn refusal(&self, message: &Message) -> Message {
        let invoke = message.invoke_id().unwrap_or(0);
        let answer = |kind| Message::new(kind).with(field::INVOKE_ID, invoke);
        match theme(message.kind) {
            Theme::Control if !is_about_session(message.kind) => answer(kind::CONTROL_FAILURE_CONF)
                .with(field::FAILURE_CODE, self.code)
                .with(field::PERIPHERAL_ERROR_CODE, self.peripheral),
            _ => answer(kind::FAILURE_CONF).with(field::STATUS, self.code),
        }
    }
}

/// The rules of a running simulator, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Rules(Vec<Rule>);

impl Rules {
    pub(crate) fn new(rules: &[Rule]) -> Self {
        Self(rules.iter().take(MAX).cloned().collect())
    }

    /// Adds a rule.
    pub(crate) fn add(&mut self, rule: Rule) -> Result<(), String> {
        rule.check()?;
        if self.0.len() >= MAX {
            return Err(format!("there are {MAX} rules already"));
        }
        self.0.push(rule);
        Ok(())
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// The rules that are left.
    pub(crate) fn list(&self) -> Vec<Rule> {
        self.0.clone()
    }

    /// The rule for a request; counts it, and forgets rules that have done their work.
    pub(crate) fn apply(&mut self, world: &World, message: &Message) -> Option<Rule> {
        let at = self.0.iter().position(|rule| rule.times != Some(0) && rule.fits(world, message))?;
        let rule = &mut self.0[at];
        if let Some(times) = &mut rule.times {
            *times -= 1;
        }
        let found = rule.clone();
        self.0.retain(|rule| rule.times != Some(0));
        Some(found)
    }
}

fn is_about_session(kind: Kind) -> bool {
    matches!(kind, kind::OPEN_REQ | kind::CLOSE_REQ | kind::HEARTBEAT_REQ)
}

/// The request with this name, which may lack `_REQ`.
fn kind_of(name: &str) -> Option<Kind> {
    let fits = |known: &str| known == name || known.strip_suffix("_REQ") == Some(name);
    let found = tables::messages().iter().find(|m| m.direction != Direction::ToClient && fits(m.name));
    found.map(|m| m.kind)
}

/// Every phone that a request names.
fn phones(message: &Message) -> impl Iterator<Item = &str> {
    const TAGS: [Tag; 8] = [
        tag::AGENT_INSTRUMENT,
        tag::AGENT_EXTENSION,
        tag::CONNECTION_DEVICE_ID,
        tag::ACTIVE_CONNECTION_DEVICE_ID,
        tag::HELD_CONNECTION_DEVICE_ID,
        tag::OTHER_CONNECTION_DEVICE_ID,
        tag::SUPERVISOR_INSTRUMENT,
        tag::SUPERVISOR_CONNECTION_DEVICE_ID,
    ];
    TAGS.into_iter().filter_map(|tag| message.tag_text(tag)).filter_map(|text| text.split(';').next())
}

/// A failure code, written as its number or by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Code(pub(crate) u32);

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Text {
            Number(u32),
            Name(String),
        }
        let name = match Text::deserialize(from)? {
            Text::Number(number) => return Ok(Self(number)),
            Text::Name(name) => name,
        };
        let found = ["ControlFailureCode", "StatusCode"].into_iter().find_map(|e| enums::value_of(e, &name));
        let unknown = || serde::de::Error::custom(format!("no failure code is called {name:?}"));
        found.map(Self).ok_or_else(unknown)
    }
}

fn code<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    Code::deserialize(from).map(|code| code.0)
}

mod millis {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(value: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(u64::try_from(value.as_millis()).unwrap_or(u64::MAX))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_millis)
    }
}
