//! Agents and the rules of their states.
//!
//! An agent's visible state follows from two things: what he asked for (ready or not, and what he asked for during a
//! call) and what his phone does. This file holds the vocabulary and the rules that need no calls; `settle.rs` joins
//! both.

use std::sync::Arc;
use std::time::Instant;

use crate::sim::config::Secret;

/// GED-188 `AgentState`, as far as voice uses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum AgentState {
    Login,
    Logout,
    NotReady,
    Available,
    Talking,
    WorkNotReady,
    WorkReady,
    Reserved,
    Hold,
}

impl AgentState {
    /// The protocol's number.
    pub(crate) const fn code(self) -> u32 {
        match self {
            Self::Login => 0,
            Self::Logout => 1,
            Self::NotReady => 2,
            Self::Available => 3,
            Self::Talking => 4,
            Self::WorkNotReady => 5,
            Self::WorkReady => 6,
            Self::Reserved => 8,
            Self::Hold => 10,
        }
    }

    /// The word used in snapshots of the truth.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Login => "LOGIN",
            Self::Logout => "LOGOUT",
            Self::NotReady => "NOT_READY",
            Self::Available => "AVAILABLE",
            Self::Talking => "TALKING",
            Self::WorkNotReady => "WORK_NOT_READY",
            Self::WorkReady => "WORK_READY",
            Self::Reserved => "RESERVED",
            Self::Hold => "HOLD",
        }
    }

    pub(crate) const fn on_call(self) -> bool {
        matches!(self, Self::Talking | Self::Hold)
    }

    pub(crate) const fn in_work(self) -> bool {
        matches!(self, Self::WorkNotReady | Self::WorkReady)
    }
}

/// What an agent can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    Ready,
    NotReady(u16),
    Logout(u16),
    Work,
    WorkReady,
}

impl Wish {
    /// The state it leads to.
    pub(crate) const fn state(self) -> AgentState {
        match self {
            Self::Ready => AgentState::Available,
            Self::NotReady(_) => AgentState::NotReady,
            Self::Logout(_) => AgentState::Logout,
            Self::Work => AgentState::WorkNotReady,
            Self::WorkReady => AgentState::WorkReady,
        }
    }
}

/// Where the agent is when no call keeps him.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Base {
    SignedOut,
    NotReady(u16),
    Ready,
}

impl Base {
    pub(crate) const fn state(self) -> AgentState {
        match self {
            Self::SignedOut => AgentState::Logout,
            Self::NotReady(_) => AgentState::NotReady,
            Self::Ready => AgentState::Available,
        }
    }

    pub(crate) const fn reason(self) -> u16 {
        match self {
            Self::NotReady(reason) => reason,
            Self::SignedOut | Self::Ready => 0,
        }
    }
}

/// One agent.
#[derive(Debug)]
pub(crate) struct Agent {
    pub(crate) id: Arc<str>,
    pub(crate) login_name: String,
    pub(crate) first_name: String,
    pub(crate) last_name: String,
    pub(crate) password: Secret,
    pub(crate) team: u32,
    pub(crate) supervisor: bool,
    /// Indices of queues.
    pub(crate) queues: Vec<usize>,
    /// The number by which the routing side knows the agent.
    pub(crate) target_id: u32,
    pub(crate) base: Base,
    pub(crate) state: AgentState,
    pub(crate) since: Instant,
    /// Reason of the last sign-out.
    pub(crate) logout_reason: u16,
    pub(crate) pending: Option<Wish>,
    pub(crate) device: Option<Arc<str>>,
    /// Whether the present or last call was placed by the agent.
    pub(crate) outgoing: bool,
    /// Whether the agent listens in, or has joined another's call; there is no work after that.
    pub(crate) supervising: bool,
    /// Calls that came to him by name and wait for him, oldest first.
    pub(crate) personal: std::collections::VecDeque<super::call::CallId>,
    /// Index of the robots he belongs to.
    pub(crate) crew: Option<usize>,
    /// Cleared calls that are kept for his wrap-up data.
    pub(crate) windows: Vec<super::call::CallId>,
}

impl Agent {
    pub(crate) fn signed_in(&self) -> bool {
        self.base != Base::SignedOut
    }

    /// The reason that goes with the present state.
    pub(crate) fn reason(&self) -> u16 {
        match self.state {
            AgentState::NotReady => self.base.reason(),
            AgentState::Logout => self.logout_reason,
            _ => 0,
        }
    }
}
