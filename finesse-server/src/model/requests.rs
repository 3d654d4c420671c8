//! Requests to the CTI server: one at a time for each object, with a time limit; outcomes become the next request,
//! an `apiErrors` event or an answer for the rebuilding of the state.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use cti::Message;
use cti::client::Refusal;
use cti::enums::{control_failure_code as failure, published_name_of};

use super::Model;
use super::error::ApiError;
use super::journal::Entry;
use super::output::{AsyncError, Change, Output, Payload, Source, Update};
use super::seat::{Awaited, Expect, Line};
use super::state::{State, Wanted};
use super::time::Now;
use crate::absence::Outcome;

/// A request of a client that waits for its turn.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) message: Message,
    pub(super) expect: Expect,
    pub(super) request_id: Option<String>,
    /// Who asks, if it is about the state.
    pub(super) by: Option<Arc<str>>,
}

/// What a request is for.
#[derive(Debug)]
pub(super) enum Purpose {
    /// A client's request in a lane of an agent.
    Job { seat: usize, line: Line, expect: Expect, request_id: Option<String> },
    /// Wrap-up rules of an agent.
    DeskSettings(usize),
    /// State of an agent, while rebuilding; with the number of events seen before.
    Agent(usize, u64),
    /// Calls of an agent's phone, while rebuilding.
    Device,
    /// One call, while rebuilding; with the number of its events seen before.
    Call(u32, u64),
    /// Numbers of the queue at this position.
    Statistics(u32),
    /// Forced sign-out of an agent who has gone.
    Absent(usize),
}

/// Requests on their way.
#[derive(Debug, Default)]
pub(super) struct Requests {
    last_token: u64,
    pending: HashMap<u64, Purpose>,
    deadlines: VecDeque<(Instant, u64)>,
}

impl Requests {
    fn add(&mut self, deadline: Instant, purpose: Purpose) -> u64 {
        self.last_token += 1;
        self.pending.insert(self.last_token, purpose);
        self.deadlines.push_back((deadline, self.last_token));
        self.last_token
    }

    fn take(&mut self, token: u64) -> Option<Purpose> {
        let purpose = self.pending.remove(&token)?;
        while self.deadlines.front().is_some_and(|(_, t)| !self.pending.contains_key(t)) {
            self.deadlines.pop_front();
        }
        Some(purpose)
    }

    /// A request whose time is over.
    pub(super) fn expired(&mut self, now: Instant) -> Option<u64> {
        let (at, token) = *self.deadlines.front()?;
        (at <= now).then_some(token)
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.deadlines.front().map(|(at, _)| *at)
    }

    /// Drops everything: the session is over.
    pub(super) fn clear(&mut self) {
        self.pending.clear();
        self.deadlines.clear();
    }
}

impl Model {
    /// Sends a request at once.
    pub(super) fn send(&mut self, now: Now, message: Message, purpose: Purpose) -> u64 {
        let token = self.requests.add(now.instant + self.settings.request_timeout, purpose);
        self.out.push_back(Output::Cti { token, message });
        token
    }

    /// Puts a client's request into its lane and sends it if the lane is free.
    ///
    /// # Errors
    /// When too many wait already.
    pub(super) fn enqueue(&mut self, now: Now, seat: usize, line: Line, job: Job) -> Result<(), ApiError> {
        self.room_for(seat, line, 1)?;
        self.seats[seat].lane(line).waiting.push_back(job);
        self.advance(now, seat, line);
        Ok(())
    }

    /// Whether this many requests fit into a lane.
    ///
    /// # Errors
    /// When too many wait already.
    pub(super) fn room_for(&mut self, seat: usize, line: Line, requests: usize) -> Result<(), ApiError> {
        let waiting = self.seats[seat].lane(line).waiting.len();
        match waiting + requests > self.settings.waiting_requests {
            true => Err(ApiError::queue_full()),
            false => Ok(()),
        }
    }

    fn advance(&mut self, now: Now, seat: usize, line: Line) {
        let lane = self.seats[seat].lane(line);
        if lane.busy.is_some() {
            return;
        }
        let Some(Job { message, expect, request_id, by }) = lane.waiting.pop_front() else { return };
        let purpose = Purpose::Job { seat, line, expect, request_id: request_id.clone() };
        let token = self.send(now, message, purpose);
        let until = now.instant + self.settings.request_timeout;
        let seat = &mut self.seats[seat];
        seat.lane(line).busy = Some(token);
        seat.awaited.retain(|a| a.until > now.instant);
        seat.awaited.push(Awaited { token, expect, request_id, by, until });
    }

    /// The CTI server accepted a request.
    pub(super) fn confirmed(&mut self, now: Now, token: u64, message: &Message) {
        self.service.last_sign = Some(now.utc_ms);
        match self.requests.take(token) {
            Some(Purpose::Job { seat, line, expect, .. }) => {
                if let Expect::State(wanted, reason) = expect {
                    self.state_confirmed(seat, token, wanted, reason);
                }
                if let Expect::Nothing(_) = expect {
                    self.seats[seat].awaited.retain(|a| a.token != token);
                }
                self.free(now, seat, line);
            }
            Some(Purpose::DeskSettings(seat)) => self.desk_settings(seat, message),
            Some(Purpose::Agent(seat, events)) => self.agent_answer(now, seat, events, Some(message)),
            Some(Purpose::Device) => self.device_answer(now, Some(message)),
            Some(Purpose::Call(id, events)) => self.call_answer(now, id, events, Some(message)),
            Some(Purpose::Statistics(queue)) => self.statistics_answer(now, queue, Some(message)),
            Some(Purpose::Absent(seat)) => self.absent_concluded(now, seat, Outcome::Accepted),
            None => {}
        }
    }

    /// The CTI server, or the link on its behalf, refused a request.
    pub(super) fn refused(&mut self, now: Now, token: u64, refusal: &Refusal) {
        match self.requests.take(token) {
            Some(Purpose::Job { seat, line, expect, request_id }) => {
                let by = self.seats[seat].give_up(token);
                match refusal {
                    // The session is over; that is announced by itself and nothing else is.
                    Refusal::NotConnected => {}
                    // It was carried out as far as anybody can tell; events will show.
                    Refusal::Unreadable(_) => {}
                    refusal => {
                        let error = self.async_error(seat, expect, refusal);
                        self.note_refusal(seat, by, &error);
                        self.publish_error(seat, expect, request_id, error);
                        self.forget_mobile(seat, expect);
                    }
                }
                self.free(now, seat, line);
            }
            Some(Purpose::Absent(seat)) => self.absent_concluded(now, seat, outcome_of(refusal)),
            Some(purpose) => self.unanswered(now, purpose),
            None => {}
        }
    }

    /// Nobody answered a request.
    pub(super) fn timed_out(&mut self, now: Now, token: u64) {
        match self.requests.take(token) {
            Some(Purpose::Job { seat, line, expect, request_id }) => {
                let by = self.seats[seat].give_up(token);
                let code = failure::REQUEST_TIMEOUT_REJECTION;
                let error = AsyncError { data: code, message: constant(code), kind: "Generic Error" };
                self.note_refusal(seat, by, &error);
                self.publish_error(seat, expect, request_id, error);
                self.forget_mobile(seat, expect);
                self.free(now, seat, line);
            }
            Some(purpose) => self.unanswered(now, purpose),
            None => {}
        }
    }

    fn unanswered(&mut self, now: Now, purpose: Purpose) {
        match purpose {
            Purpose::Agent(seat, events) => self.agent_answer(now, seat, events, None),
            Purpose::Device => self.device_answer(now, None),
            Purpose::Call(id, events) => self.call_answer(now, id, events, None),
            Purpose::Statistics(queue) => self.statistics_answer(now, queue, None),
            Purpose::Absent(seat) => self.absent_concluded(now, seat, Outcome::Unanswered),
            Purpose::DeskSettings(_) | Purpose::Job { .. } => {}
        }
    }

    fn free(&mut self, now: Now, seat: usize, line: Line) {
        self.seats[seat].lane(line).busy = None;
        self.advance(now, seat, line);
    }

    fn note_refusal(&mut self, seat: usize, by: Option<Arc<str>>, error: &AsyncError) {
        let user = &self.seats[seat].view.profile.user;
        let (user, team, reason, cause) = (user.id.clone(), user.team, error.data, error.message.clone());
        self.out.push_back(Output::Journal(Entry::Refused { user, team, by, reason, cause }));
    }

    /// Tells the client that asked. Refusals without a request of the CTI server behind them use it too.
    pub(super) fn publish_error(
        &mut self,
        seat: usize,
        expect: Expect,
        request_id: Option<String>,
        error: AsyncError,
    ) {
        let profile = &self.seats[seat].view.profile;
        let (node, source) = match expect {
            Expect::State(..) => (profile.uri.clone(), Source::Path(profile.uri.clone())),
            Expect::Made | Expect::Monitoring | Expect::Barged(_) => {
                (profile.dialogs.clone(), Source::Path(profile.dialogs.clone()))
            }
            expect => (profile.dialogs.clone(), Source::Dialog(expect.dialog().unwrap_or(0))),
        };
        let payload = Payload::Errors(error);
        self.out.push_back(Output::Publish {
            node,
            update: Update { payload, change: Change::Put, request_id, source },
        });
    }

    fn async_error(&self, seat: usize, expect: Expect, refusal: &Refusal) -> AsyncError {
        let (code, data, text) = match refusal {
            Refusal::Control { code, peripheral, text } => {
                (*code, if *peripheral != 0 { *peripheral } else { *code }, text.clone())
            }
            Refusal::Status(status) => {
                let message = published_name_of("StatusCode", *status).unwrap_or("").to_owned();
                return AsyncError { data: *status, message, kind: "Generic Error" };
            }
            Refusal::Busy => {
                let code = failure::OUTSTANDING_REQUEST_LIMIT_EXCEEDED;
                (code, code, None)
            }
            _ => (failure::GENERIC_UNSPECIFIED_REJECTION, failure::GENERIC_UNSPECIFIED_REJECTION, None),
        };
        let message = match published_name_of("ControlFailureCode", code) {
            Some(name) => name.to_owned(),
            None => text.unwrap_or_else(|| code.to_string()),
        };
        let kind = match expect {
            // The mode of a mobile agent is the work mode of the sign-in.
            Expect::State(Wanted::Login, _)
                if code == failure::INVALID_AGENT_WORKMODE && self.seats[seat].view.mobile.is_some() =>
            {
                "Mode Not Allowed"
            }
            Expect::State(..) => self.state_error_type(seat, code),
            Expect::Conferenced(_) if self.settings.ccx() && code == failure::INVALID_OBJECT_STATE => {
                "Invalid State"
            }
            // Without a number of the switch's own the guide has this type for it.
            Expect::Monitoring if data == code && code == failure::INVALID_OBJECT_STATE => "Invalid State",
            _ => dialog_error_type(code),
        };
        AsyncError { data, message, kind }
    }

    /// A mobile agent's sign-in failed: nobody is reached at that number.
    fn forget_mobile(&mut self, seat: usize, expect: Expect) {
        let view = &self.seats[seat].view;
        if matches!(expect, Expect::State(Wanted::Login, _)) && !view.signed_in() && view.mobile.is_some() {
            Arc::make_mut(&mut self.seats[seat].view).mobile = None;
        }
    }

    fn state_error_type(&self, seat: usize, code: u32) -> &'static str {
        if self.settings.ccx() && self.seats[seat].view.state == State::ReservedOutbound {
            return "Internal Server Error";
        }
        match code {
            failure::INVALID_LOGON_DEVICE_SPECIFIED => "Invalid Device",
            failure::SPECIFIED_AGENT_ALREADY_SIGNED_ON | failure::SPECIFIED_EXTENSION_ALREADY_IN_USE => {
                "Device Busy"
            }
            failure::GENERIC_STATE_INCOMPATIBILITY
            | failure::INVALID_OBJECT_STATE
            | failure::RESOURCE_BUSY
            | failure::INVALID_AGENT_WORKMODE => "Invalid State",
            _ => "Generic Error",
        }
    }
}

/// The refusal of a request that the CTI server need not be asked for.
pub(super) fn refused_here(code: u32) -> AsyncError {
    AsyncError { data: code, message: constant(code), kind: "Generic Error" }
}

/// What a refusal means for a forced sign-out.
fn outcome_of(refusal: &Refusal) -> Outcome {
    match refusal {
        Refusal::Control { code, .. } => Outcome::Refused(*code),
        Refusal::Status(status) => Outcome::Refused(*status),
        _ => Outcome::Unanswered,
    }
}

fn constant(code: u32) -> String {
    published_name_of("ControlFailureCode", code).unwrap_or("").to_owned()
}

fn dialog_error_type(code: u32) -> &'static str {
    match code {
        failure::GENERIC_STATE_INCOMPATIBILITY
        | failure::INVALID_OBJECT_STATE
        | failure::NO_ACTIVE_CALL
        | failure::NO_HELD_CALL
        | failure::NO_CALL_TO_CLEAR
        | failure::NO_CONNECTION_TO_CLEAR
        | failure::NO_CALL_TO_ANSWER
        | failure::NO_CALL_TO_COMPLETE
        | failure::CONFERENCE_MEMBER_LIMIT_EXCEEDED => "Generic Error",
        _ => "Call Operation Failure",
    }
}

impl Expect {
    /// The dialog a request is about.
    pub(super) fn dialog(self) -> Option<u32> {
        match self {
            Self::State(..) | Self::Made | Self::Monitoring => None,
            Self::Consulted(id)
            | Self::Answered(id)
            | Self::Held(id)
            | Self::Retrieved(id)
            | Self::Dropped(id)
            | Self::Data(id)
            | Self::Removed(id, _)
            | Self::Barged(id)
            | Self::Transferred(id)
            | Self::Conferenced(id)
            | Self::Nothing(id) => Some(id),
        }
    }

    /// Whether a state, with its reason number and what is pending, is what was asked for.
    pub(super) fn met_by(self, state: State, reason: u16, pending: Option<State>) -> bool {
        match self {
            Self::State(Wanted::Login, _) => state != State::Logout,
            Self::State(wanted, asked) => {
                let reached = wanted.target() == Some(state) && (asked == 0 || asked == reason);
                reached || (state.defers_changes() && pending.is_some() && wanted.pending() == pending)
            }
            _ => false,
        }
    }
}
