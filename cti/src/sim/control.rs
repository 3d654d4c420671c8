//! The handle by which tests and the control door act on a running simulator.

use std::sync::Arc;

use bytes::{BufMut, BytesMut};
use serde::{Deserialize, Serialize};

use super::core::agent::Wish;
use super::core::world::Refusal;
use super::server::Shared;
use super::{CallId, InboundCall, InjectError, OutboundCall, OutboundError, Progress, Rule, Side, Snapshot};
use crate::codec::HEADER;
use crate::{Codec, Message};

/// A state an administrator can put an agent into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AgentState {
    /// Ready for calls.
    Ready,
    /// Not ready, with a reason code.
    NotReady,
    /// Signed out, with a reason code.
    Logout,
}

/// A change of an agent's record; what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AgentChange {
    /// Given name.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: Option<String>,
    /// Number of the team.
    pub team: Option<u32>,
    /// Numbers of the queues.
    pub queues: Option<Vec<u32>>,
}

/// Ways in which a server may strain its clients. All off by default. They hold for all sessions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mischief {
    /// Every message carries a floating field with a tag that no table knows.
    pub unknown_tags: bool,
    /// A message of an unknown type precedes every message.
    pub unknown_messages: bool,
    /// Messages leave in writes of at most this many bytes; 0: whole.
    pub split: usize,
    /// The next message ends in the middle, and the connection with it. Works once.
    pub truncate: bool,
    /// The next message announces two gigabytes. Works once.
    pub oversize: bool,
}

impl Mischief {
    /// Adds what precedes a message.
    pub(crate) fn before(&mut self, out: &mut BytesMut) {
        if self.unknown_messages {
            out.put_slice(&[0, 0, 0, 4, 0, 0, 0x7F, 0xFF, 1, 2, 3, 4]);
        }
        if std::mem::take(&mut self.oversize) {
            out.put_slice(&[0x7F, 0xFF, 0xFF, 0xFF, 0, 0, 0, 30]);
        }
    }

    /// Changes the message that begins at `start`; `true`: the connection ends with it.
    pub(crate) fn after(
        &mut self,
        codec: &Codec,
        start: usize,
        message: &Message,
        out: &mut BytesMut,
    ) -> bool {
        let length = out.len() - start;
        if length == 0 {
            return false;
        }
        if self.unknown_tags && message.layout(codec.dialect()).is_some() {
            out.put_slice(unknown_field(codec));
            let body = u32::try_from(out.len() - start - HEADER).unwrap_or(u32::MAX);
            out[start..start + 4].copy_from_slice(&body.to_be_bytes());
        }
        let cut = std::mem::take(&mut self.truncate);
        if cut {
            out.truncate(start + length / 2);
        }
        cut
    }
}

/// A floating field of two bytes whose tag no table has.
fn unknown_field(codec: &Codec) -> &'static [u8] {
    use crate::Width::{One, Two};
    let widths = codec.widths(codec.version());
    match (widths.tag, widths.length) {
        (One, One) => &[0, 2, 1, 1],
        (One, Two) => &[0, 0, 2, 1, 1],
        (Two, One) => &[0x7F, 0xFF, 2, 1, 1],
        (Two, Two) => &[0x7F, 0xFF, 0, 2, 1, 1],
    }
}

/// Why the centre refuses what an administrator asks for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// As a client would be refused: GED-188 `ControlFailureCode`.
    #[error("refused with failure code {0}")]
    Code(u32),
    /// There is no team or queue with this number.
    #[error("no team or queue {0}")]
    Unknown(u32),
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self::Code(refusal.code)
    }
}

/// Acts on a running simulator. Cheap to clone; every method takes effect before it returns.
#[derive(Clone, Debug)]
pub struct Control(pub(super) Arc<Shared>);

impl Control {
    /// Lets a customer call.
    ///
    /// # Errors
    /// The target does not exist or cannot take calls.
    pub fn inject_call(&self, call: InboundCall) -> Result<CallId, InjectError> {
        self.0.act(|exchange, now| exchange.world.inject(now, &call))
    }

    /// The outside party of a call hangs up. `false` when there is no such call.
    pub fn caller_hang_up(&self, call: CallId) -> bool {
        self.0.act(|exchange, now| exchange.world.caller_hangs_up(now, call))
    }

    /// Lets a campaign reserve an agent and, when he accepts or is not asked, call a customer; the number of the
    /// reservation's call.
    ///
    /// # Errors
    /// Unknown campaign or agent, nobody ready, nobody left to call.
    pub fn outbound(&self, call: OutboundCall) -> Result<CallId, OutboundError> {
        self.0.act(|exchange, now| exchange.world.outbound(now, &call))
    }

    /// Cuts every connection of a side at once.
    pub fn drop_link(&self, side: Side) {
        self.0.act(|exchange, _| exchange.drop_link(side));
    }

    /// Makes a side read everything and say nothing, or speak again. What it did not say is lost.
    pub fn silence(&self, side: Side, on: bool) {
        self.0.act(|exchange, _| exchange.sides[side.index()].silent = on);
    }

    /// Makes a side close new connections as they come, or accept them again.
    pub fn refuse(&self, side: Side, on: bool) {
        self.0.act(|exchange, _| exchange.sides[side.index()].refuses = on);
    }

    /// Makes a side refuse sessions as a standby server does (status 15, in CCX 92), or serve again.
    pub fn standby(&self, side: Side, on: bool) {
        self.0.act(|exchange, _| exchange.sides[side.index()].standby = on);
    }

    /// Makes a side answer everything but heartbeats, or heartbeats as well.
    pub fn freeze_heartbeats(&self, side: Side, on: bool) {
        self.0.act(|exchange, _| exchange.sides[side.index()].heartless = on);
    }

    /// Freezes a side, as a process that has been stopped: connections stay open, new ones too, but nothing is read and
    /// nothing written until it goes on. Then what has come meanwhile is answered, and the events follow.
    pub fn freeze(&self, side: Side, on: bool) {
        self.0.act(|exchange, now| exchange.freeze(now, side, on));
    }

    /// Stops a side: its connections are cut and its port is closed, until [`Control::restart`].
    pub fn stop(&self, side: Side) {
        self.0.act(|exchange, _| exchange.stop(side, true));
    }

    /// Starts a stopped side again, at the port it had.
    pub fn restart(&self, side: Side) {
        self.0.act(|exchange, _| exchange.stop(side, false));
    }

    /// Adds a rule for requests to come.
    ///
    /// # Errors
    /// The rule names no request, or there are a thousand rules.
    pub fn add_rule(&self, rule: Rule) -> Result<(), String> {
        self.0.act(|exchange, _| exchange.rules.add(rule))
    }

    /// Forgets every rule.
    pub fn clear_rules(&self) {
        self.0.act(|exchange, _| exchange.rules.clear());
    }

    /// The rules that are left, oldest first.
    pub fn rules(&self) -> Vec<Rule> {
        self.0.act(|exchange, _| exchange.rules.list())
    }

    /// How far the scenario is, if one is played.
    pub fn scenario(&self) -> Option<Progress> {
        self.0.act(|exchange, _| exchange.progress())
    }

    /// Takes a phone out of service, or brings it back.
    ///
    /// # Errors
    /// There is no such phone.
    pub fn set_in_service(&self, extension: &str, in_service: bool) -> Result<(), Refused> {
        self.0.act(|exchange, now| Ok(exchange.world.set_in_service(now, extension, in_service)?))
    }

    /// Takes the peripheral offline, or brings it back. Offline, no calls come in and none are routed.
    pub fn set_online(&self, online: bool) {
        self.0.act(|exchange, _| exchange.world.set_online(online));
    }

    /// Puts an agent into a state, whatever the rules for agents say; after the call, if one keeps the agent.
    ///
    /// # Errors
    /// Unknown or signed-out agent, or a state that his present one does not allow.
    pub fn set_agent_state(&self, agent: &str, state: AgentState, reason: u16) -> Result<(), Refused> {
        let wish = match state {
            AgentState::Ready => Wish::Ready,
            AgentState::NotReady => Wish::NotReady(reason),
            AgentState::Logout => Wish::Logout(reason),
        };
        self.0.act(|exchange, now| Ok(exchange.world.overrule(now, agent, wish)?))
    }

    /// Signs out everybody, those on calls after their calls.
    pub fn sign_out_all(&self, reason: u16) {
        self.0.act(|exchange, now| exchange.world.sign_out_all(now, reason));
    }

    /// Changes an agent's record; clients get configuration and team events.
    ///
    /// # Errors
    /// Unknown agent, team or queue.
    pub fn change_agent(&self, agent: &str, change: AgentChange) -> Result<(), Refused> {
        self.0.act(|exchange, _| exchange.world.change_agent(agent, &change))
    }

    /// Sets the mean rate of random calls; 0: none.
    pub fn set_calls_per_minute(&self, rate: f64) {
        self.0.act(|exchange, now| exchange.world.set_calls_per_minute(now, rate));
    }

    /// Sets how the server strains its clients.
    pub fn set_mischief(&self, mischief: Mischief) {
        self.0.act(|exchange, _| exchange.set_mischief(mischief));
    }

    /// The truth at this moment.
    pub fn snapshot(&self) -> Snapshot {
        self.0.act(|exchange, _| exchange.world.snapshot())
    }

    /// Open sessions on side A and on side B.
    pub fn sessions(&self) -> [usize; 2] {
        self.0.act(|exchange, _| exchange.open_sessions())
    }
}
