//! What the model keeps about one agent beside the view that clients see.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use super::outbound::Reservation;
use super::requests::Job;
use super::state::Wanted;
use super::user::UserView;

/// Which queue of an agent a request waits in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// Changes of the agent's state.
    State,
    /// Call control of the agent's phone.
    Phone,
}

/// Requests of one object: one in progress, the others wait.
#[derive(Debug, Default)]
pub(super) struct Lane {
    pub(super) busy: Option<u64>,
    pub(super) waiting: VecDeque<Job>,
}

/// What a request waits for: the event that closes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expect {
    /// A state, with the reason code sent.
    State(Wanted, u16),
    /// The first event of a call that the agent's phone makes.
    Made,
    /// The first event of a call that consults about this one.
    Consulted(u32),
    /// This call answered by the agent.
    Answered(u32),
    /// This call held.
    Held(u32),
    /// This call retrieved.
    Retrieved(u32),
    /// This call left.
    Dropped(u32),
    /// Data of this call changed.
    Data(u32),
    /// The participant at this place of this call taken out of it.
    Removed(u32, usize),
    /// A call by which the agent listens to another.
    Monitoring,
    /// This call, joined by the agent.
    Barged(u32),
    /// This call merged by a transfer.
    Transferred(u32),
    /// This call merged into a conference.
    Conferenced(u32),
    /// Nothing: the confirmation is all there is.
    Nothing(u32),
}

/// A request that has been sent and whose closing event has not come yet.
#[derive(Debug)]
pub(super) struct Awaited {
    pub(super) token: u64,
    pub(super) expect: Expect,
    pub(super) request_id: Option<String>,
    /// Who asked, if it is about the state.
    pub(super) by: Option<Arc<str>>,
    pub(super) until: Instant,
}

/// One agent.
#[derive(Debug)]
pub(super) struct Seat {
    /// What clients see; shared with updates that are not rendered yet.
    pub(super) view: Arc<UserView>,
    /// Node of the team feed.
    pub(super) team_feed: Option<Arc<str>>,
    /// AgentInstrument: the phone's name for CTI.
    pub(super) instrument: String,
    /// Reason code number of the present state.
    pub(super) reason: u16,
    /// Ids of the calls with a participant of this agent.
    pub(super) calls: Vec<u32>,
    /// Requests about the state.
    pub(super) state_lane: Lane,
    /// Requests about calls.
    pub(super) phone_lane: Lane,
    /// Requests whose event is due.
    pub(super) awaited: Vec<Awaited>,
    /// State events seen: a query answered after an event is older than it.
    pub(super) events: u64,
    /// The dialer's last reservation, until its customer's call.
    pub(super) reservation: Option<Reservation>,
    /// Who asked for the state that waits for the end of a call.
    pub(super) pending_by: Option<Arc<str>>,
    /// Signed in when the link went down.
    pub(super) was_signed_in: bool,
}

impl Seat {
    pub(super) fn new(view: UserView, team_feed: Option<Arc<str>>) -> Self {
        Self {
            view: Arc::new(view),
            team_feed,
            instrument: String::new(),
            reason: 0,
            calls: Vec::new(),
            state_lane: Lane::default(),
            phone_lane: Lane::default(),
            awaited: Vec::new(),
            events: 0,
            reservation: None,
            pending_by: None,
            was_signed_in: false,
        }
    }

    pub(super) fn lane(&mut self, line: Line) -> &mut Lane {
        match line {
            Line::State => &mut self.state_lane,
            Line::Phone => &mut self.phone_lane,
        }
    }

    /// The phone's name for CTI; the extension where no event has told another.
    pub(super) fn phone(&self) -> &str {
        if self.instrument.is_empty() { &self.view.extension } else { &self.instrument }
    }

    /// The agent has a leg in this call.
    pub(super) fn join(&mut self, id: u32) {
        if !self.calls.contains(&id) {
            self.calls.push(id);
        }
    }

    /// Takes out the request that an event closes, if one waits for it.
    pub(super) fn close(
        &mut self,
        now: Instant,
        matches: impl Fn(&Expect) -> bool,
    ) -> Option<Option<String>> {
        self.awaited.retain(|a| a.until > now);
        let at = self.awaited.iter().position(|a| matches(&a.expect))?;
        Some(self.awaited.remove(at).request_id)
    }

    /// A request has failed: no event will close it. Returns who asked.
    pub(super) fn give_up(&mut self, token: u64) -> Option<Arc<str>> {
        let at = self.awaited.iter().position(|a| a.token == token)?;
        self.awaited.remove(at).by
    }

    /// Forgets everything that was asked: the session it was asked in is over.
    pub(super) fn forget_requests(&mut self) {
        self.state_lane = Lane::default();
        self.phone_lane = Lane::default();
        self.awaited.clear();
        self.pending_by = None;
    }
}
