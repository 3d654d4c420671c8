//! How the people of a simulated contact centre behave, and how the protocol does.

use std::time::Duration;

/// A range from which durations are drawn at random.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Shortest duration.
    pub min: Duration,
    /// Longest duration.
    pub max: Duration,
}

impl Span {
    /// From `min` to `max` milliseconds.
    pub const fn millis(min: u64, max: u64) -> Self {
        Self { min: Duration::from_millis(min), max: Duration::from_millis(max) }
    }

    /// From `min` to `max` seconds.
    pub const fn seconds(min: u64, max: u64) -> Self {
        Self::millis(min * 1000, max * 1000)
    }
}

/// How simulated customers behave.
#[derive(Clone, Debug)]
pub struct Callers {
    /// Mean rate of random calls, all queues together; 0: none. Calls come as a Poisson process.
    pub calls_per_minute: f64,
    /// How long a customer talks before hanging up; `None`: until the agent ends the call.
    pub talk: Option<Span>,
    /// How long a customer waits for an answer; `None`: for ever.
    pub patience: Option<Span>,
}

impl Default for Callers {
    fn default() -> Self {
        Self {
            calls_per_minute: 0.0,
            talk: Some(Span::seconds(30, 180)),
            patience: Some(Span::seconds(90, 240)),
        }
    }
}

/// The public network as agents reach it.
#[derive(Clone, Debug)]
pub struct Outside {
    /// Dialled numbers with at least this many characters are outside.
    pub min_digits: usize,
    /// Outside numbers that are always busy.
    pub busy: Vec<String>,
    /// How long an outside number rings before somebody answers.
    pub answer: Span,
    /// How long that somebody talks; `None`: until the agent ends the call.
    pub talk: Option<Span>,
}

impl Default for Outside {
    fn default() -> Self {
        Self { min_digits: 7, busy: vec!["5550100".into()], answer: Span::seconds(2, 5), talk: None }
    }
}

/// Agents who act by themselves.
#[derive(Clone, Debug, PartialEq)]
pub struct Robots {
    /// Their ids; empty: every agent whom no other robots name.
    pub agents: Vec<String>,
    /// When they sign in, after the start.
    pub sign_in: Span,
    /// How long they are not ready before they are ready.
    pub ready: Span,
    /// How long they let a phone ring, think about a reservation, and talk before they hold or transfer.
    pub answer: Span,
    /// How long they work after a call.
    pub work: Span,
    /// How long they keep a customer on hold.
    pub hold: Span,
    /// Share of conversations in which they put the customer on hold, from 0 to 1.
    pub holds: f64,
    /// Share of conversations that they pass on to some queue, from 0 to 1.
    pub transfers: f64,
    /// Share of reservations that they accept, from 0 to 1.
    pub accepts: f64,
}

impl Default for Robots {
    fn default() -> Self {
        Self {
            agents: Vec::new(),
            sign_in: Span::seconds(0, 10),
            ready: Span::seconds(1, 3),
            answer: Span::seconds(1, 3),
            work: Span::seconds(5, 25),
            hold: Span::seconds(5, 20),
            holds: 0.0,
            transfers: 0.0,
            accepts: 1.0,
        }
    }
}

/// Optional or disputed points of the protocol's behaviour.
#[derive(Clone, Debug)]
pub struct Behaviour {
    /// Time between a request and everything it causes; zero: at once. Heartbeats and session messages are not delayed.
    pub response_delay: Duration,
    /// Events that a request causes leave before its confirmation.
    pub events_first: bool,
    /// An inbound call announces the trunk it came on by a CALL_DELIVERED in state INITIATE.
    pub trunk_event: bool,
    /// Media events accompany answers, holds and retrievals.
    pub rtp_events: bool,
    /// An AGENT_PRE_CALL_EVENT precedes a routed call.
    pub pre_call: bool,
    /// A call taken from an agent who did not answer is told by CALL_DIVERTED instead of CALL_CONNECTION_CLEARED.
    pub divert_on_no_answer: bool,
    /// A new session is told of existing calls by events with cause 50, as after a change of sides.
    pub rebuild_calls: bool,
    /// After wrap-up the call object lives until the agent leaves the work state, at most this long.
    pub data_window: Duration,
    /// Most parties of a conference.
    pub max_parties: usize,
    /// A recording service is registered; without it requests to record are refused.
    pub recording: bool,
    /// Most bytes waiting for a client that does not read; beyond it the session is dropped.
    pub max_unread: usize,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            response_delay: Duration::ZERO,
            events_first: false,
            trunk_event: true,
            rtp_events: true,
            pre_call: false,
            divert_on_no_answer: false,
            rebuild_calls: false,
            data_window: Duration::from_secs(120),
            max_parties: 8,
            recording: true,
            max_unread: 4 << 20,
        }
    }
}
