//! Agents: state events, confirmations that only make a change pending, phones.

use std::sync::Arc;

use cti::enums::wrapup_data_mode;
use cti::{Message, field, kind, tag};

use super::Model;
use super::dialog::Leg;
use super::journal::{Cause, Entry};
use super::output::{Change, Output, Payload, Source, Update};
use super::requests::Purpose;
use super::seat::{Awaited, Expect};
use super::state::{State, Wanted};
use super::time::{Now, Utc};
use super::user::{DeskSettings, Reason};
use crate::directory::ReasonCategory;

/// The media routing domain of voice; 0 and "nothing" come from servers that know only voice.
const VOICE: [Option<u32>; 4] = [None, Some(0), Some(1), Some(u32::MAX)];

/// What a message says about an agent.
struct Report {
    state: State,
    reason: u16,
    since: Option<Utc>,
    pending: Option<State>,
}

impl Model {
    /// AGENT_STATE_EVENT.
    pub(super) fn agent_event(&mut self, now: Now, message: &Message) {
        if !VOICE.contains(&message.raw(field::MRDID)) {
            return;
        }
        let Some(at) = message.agent_id().and_then(|id| self.directory.position_ignoring_case(id)) else {
            return;
        };
        self.seats[at].events += 1;
        let number = message.uint(field::AGENT_STATE);
        let state = number.and_then(|n| State::from_cti(n, message.tag_uint(tag::DIRECTION)));
        let phone_changed = state != Some(State::Logout) && self.take_phone(at, message);
        let Some(state) = state else {
            return;
        };
        let spent = message.uint(field::STATE_DURATION).unwrap_or(0);
        let report = Report {
            state,
            reason: message.uint(field::EVENT_REASON_CODE).and_then(|r| r.try_into().ok()).unwrap_or(0),
            since: Some(Utc(now.utc_ms - i64::from(spent) * 1000)),
            pending: message.tag_uint(tag::NEXT_AGENT_STATE).and_then(pending_state),
        };
        self.report(now, at, report, phone_changed);
    }

    /// QUERY_AGENT_STATE_CONF: it tells neither the reason nor since when.
    pub(super) fn agent_report(&mut self, now: Now, at: usize, message: &Message) {
        let Some(number) = message.uint(field::AGENT_STATE) else { return };
        let Some(state) = State::from_cti(number, None) else { return };
        // Who reserved the agent is told by events only.
        let state = match (state, self.seats[at].view.state) {
            (State::Reserved, known @ (State::ReservedOutbound | State::ReservedOutboundPreview)) => known,
            _ => state,
        };
        let phone_changed = state != State::Logout && self.take_phone(at, message);
        let seat = &self.seats[at];
        let known = seat.view.state == state;
        let report = Report {
            state,
            reason: if known { seat.reason } else { 0 },
            since: if known { seat.view.since } else { None },
            pending: if known { seat.view.pending } else { None },
        };
        self.report(now, at, report, phone_changed);
    }

    /// An agent of whom the CTI server will not tell is not signed in.
    pub(super) fn agent_unknown(&mut self, now: Now, at: usize) {
        if self.seats[at].view.state != State::Logout {
            let report = Report { state: State::Logout, reason: 0, since: None, pending: None };
            self.report(now, at, report, false);
        }
    }

    fn report(&mut self, now: Now, at: usize, report: Report, phone_changed: bool) {
        let Report { state, reason, since, pending } = report;
        let has_reason = matches!(state, State::NotReady | State::Logout);
        let reason = if has_reason { reason } else { 0 };
        if state == State::Logout {
            self.release_phone(at);
        }
        let seat = &mut self.seats[at];
        let arrives = seat.view.state == State::Logout && state != State::Logout;
        let entered = state != seat.view.state || reason != seat.reason;
        let before = (seat.view.state, seat.view.pending);
        let was = (seat.view.pending, seat.view.extension.is_empty());
        let kept = if state.defers_changes() { pending.or(seat.view.pending) } else { None };
        let by =
            seat.awaited.iter().find(|a| a.expect.met_by(state, reason, kept)).and_then(|a| a.by.clone());
        let by = by.or_else(|| if before.1 == Some(state) { seat.pending_by.take() } else { None });
        let closed = seat.close(now.instant, |e| e.met_by(state, reason, kept));
        let view = Arc::make_mut(&mut seat.view);
        if entered {
            view.since = since;
            view.reason = reason_of(&self.directory, &view.profile.user, state, reason);
        }
        view.state = state;
        view.pending = kept;
        if state == State::Logout {
            view.mobile = None;
            view.settings = None;
        }
        seat.reason = reason;
        if entered || before.1 != kept {
            self.note_state(at, before.0, by);
        }
        let seat = &self.seats[at];
        let changed = entered || phone_changed || was != (seat.view.pending, seat.view.extension.is_empty());
        if changed || closed.is_some() {
            self.publish_user(at, closed.flatten());
        }
        self.has_moved(at);
        if state.is_work() {
            self.wrap_up_legs(now, at);
        }
        if arrives && self.seats[at].view.settings.is_none() && self.service.serving() {
            self.ask_desk_settings(now, at);
        }
    }

    /// Tells the journal of the present state of an agent.
    fn note_state(&mut self, at: usize, from: State, by: Option<Arc<str>>) {
        let seat = &self.seats[at];
        let user = &seat.view.profile.user;
        let cause = match by {
            Some(by) if by == user.id => Cause::Own,
            Some(by) => Cause::Supervisor(by),
            None if seat.view.state == State::Logout && seat.reason == crate::absence::REASON => {
                Cause::Absent
            }
            None => Cause::Cti,
        };
        let (user, team) = (user.id.clone(), user.team);
        let (to, pending, reason) = (seat.view.state, seat.view.pending, seat.reason);
        self.out.push_back(Output::Journal(Entry::State { user, team, from, to, pending, reason, cause }));
    }

    /// The CTI server accepted a change of state. In a call that means later: the change is pending, and the event
    /// of the present state may not be repeated for it. A change to what is already the case needs no event either.
    pub(super) fn state_confirmed(&mut self, at: usize, token: u64, wanted: Wanted, reason: u16) {
        let seat = &mut self.seats[at];
        let Some(waits) = seat.awaited.iter().position(|a| a.token == token) else {
            return;
        };
        let state = seat.view.state;
        let pending = wanted.pending().filter(|_| state.defers_changes());
        // Dropping a reason is a change as well; its event follows and shows the new reason.
        let same_reason = wanted != Wanted::NotReady || pending.is_some() || reason == seat.reason;
        let met = same_reason && Expect::State(wanted, reason).met_by(state, seat.reason, pending);
        let signed_in = seat.view.signed_in();
        if !met || (wanted == Wanted::Login && !signed_in) {
            return;
        }
        let Awaited { request_id, by, .. } = seat.awaited.remove(waits);
        if pending.is_some() {
            Arc::make_mut(&mut seat.view).pending = pending;
            seat.pending_by = by.clone();
            self.note_state(at, state, by);
        }
        self.publish_user(at, request_id);
    }

    /// Publishes the present view of an agent on the own feed and on that of the team.
    pub(super) fn publish_user(&mut self, at: usize, request_id: Option<String>) {
        if !self.service.serving() {
            return;
        }
        let seat = &self.seats[at];
        let source = Source::Path(seat.view.profile.uri.clone());
        let own = Update {
            payload: Payload::User(seat.view.clone()),
            change: Change::Put,
            request_id,
            source: source.clone(),
        };
        self.out.push_back(Output::Publish { node: seat.view.profile.uri.clone(), update: own });
        if let Some(node) = seat.team_feed.clone() {
            let payload = Payload::UserSummary(seat.view.clone());
            let update = Update { payload, change: Change::Put, request_id: None, source };
            self.out.push_back(Output::Publish { node, update });
        }
    }

    /// Takes the agent's phone from a message, if it names one; tells whether the extension changed.
    fn take_phone(&mut self, at: usize, message: &Message) -> bool {
        let extension = message.tag_text(tag::AGENT_EXTENSION).filter(|e| !e.is_empty());
        let instrument = message.tag_text(tag::AGENT_INSTRUMENT).filter(|i| !i.is_empty());
        // A mobile agent's instrument carries the number of the phone behind a semicolon.
        let plain = instrument.map(|i| i.split(';').next().unwrap_or(i));
        let Some(extension) = extension.or(plain) else { return false };
        self.assign_phone(at, extension, plain.unwrap_or(extension))
    }

    pub(super) fn assign_phone(&mut self, at: usize, extension: &str, instrument: &str) -> bool {
        let seat = &self.seats[at];
        if seat.view.extension == extension && seat.instrument == instrument {
            return false;
        }
        let changed = seat.view.extension != extension;
        self.release_phone(at);
        for device in [extension, instrument] {
            // Whoever was there before has lost the phone and its calls; the own state event will follow.
            if let Some(&other) = self.by_device.get(device) {
                self.give_up_calls(other);
            }
        }
        let seat = &mut self.seats[at];
        Arc::make_mut(&mut seat.view).extension = extension.to_owned();
        seat.instrument = instrument.to_owned();
        self.by_device.insert(extension.to_owned(), at);
        self.by_device.insert(instrument.to_owned(), at);
        self.adopt_calls(at);
        changed
    }

    fn release_phone(&mut self, at: usize) {
        if self.seats[at].view.extension.is_empty() {
            return;
        }
        self.give_up_calls(at);
        let seat = &mut self.seats[at];
        let extension = std::mem::take(&mut Arc::make_mut(&mut seat.view).extension);
        let instrument = std::mem::take(&mut seat.instrument);
        for device in [extension, instrument] {
            if self.by_device.get(&device) == Some(&at) {
                self.by_device.remove(&device);
            }
        }
    }

    /// Legs that the agent has left while the call is still there are in wrap-up now.
    fn wrap_up_legs(&mut self, now: Now, at: usize) {
        for id in self.seats[at].calls.clone() {
            let Some(dialog) = self.calls.dialog_mut(id) else { continue };
            let mut changed = false;
            for party in dialog.parties.iter_mut().filter(|p| p.agent == Some(at)) {
                if party.leg == Leg::Dropped && party.listed {
                    party.leg = Leg::WrapUp;
                    party.changed = Some(Utc(now.utc_ms));
                    changed = true;
                }
            }
            if changed {
                self.calls.touch(id);
            }
        }
    }

    /// Asks for the wrap-up rules of an agent; the answer is shown with the next event.
    pub(super) fn ask_desk_settings(&mut self, now: Now, at: usize) {
        let user = &self.seats[at].view.profile.user;
        let message = Message::new(kind::AGENT_DESK_SETTINGS_REQ)
            .with(field::PERIPHERAL_ID, self.settings.peripheral_id)
            .with_agent_id(self.settings.dialect, &*user.id);
        self.send(now, message, Purpose::DeskSettings(at));
    }

    /// AGENT_DESK_SETTINGS_CONF.
    pub(super) fn desk_settings(&mut self, at: usize, message: &Message) {
        let mode = |field| message.uint(field).map_or("", wrap_up_mode);
        let settings = DeskSettings {
            incoming: mode(field::WRAPUP_DATA_INCOMING_MODE),
            outgoing: mode(field::WRAPUP_DATA_OUTGOING_MODE),
        };
        Arc::make_mut(&mut self.seats[at].view).settings = Some(settings);
    }
}

fn pending_state(number: u32) -> Option<State> {
    match State::from_cti(number, None)? {
        State::Ready | State::WorkReady => Some(State::Ready),
        State::NotReady | State::Work => Some(State::NotReady),
        State::Logout => Some(State::Logout),
        _ => None,
    }
}

fn wrap_up_mode(mode: u32) -> &'static str {
    match mode {
        wrapup_data_mode::REQUIRED => "REQUIRED",
        wrapup_data_mode::OPTIONAL => "OPTIONAL",
        wrapup_data_mode::NOT_ALLOWED => "NOT_ALLOWED",
        wrapup_data_mode::REQUIRED_WITH_WRAPUP_DATA => "REQUIRED_WITH_WRAP_UP_DATA",
        _ => "",
    }
}

fn reason_of(
    directory: &crate::directory::Directory,
    user: &crate::directory::User,
    state: State,
    number: u16,
) -> Option<Reason> {
    let category = match state {
        State::NotReady => ReasonCategory::NotReady,
        State::Logout => ReasonCategory::Logout,
        _ => return None,
    };
    if number == 0 {
        return None;
    }
    Some(match directory.reason_by_number(user, category, number) {
        Some(code) => Reason::Configured(code.clone()),
        None => Reason::System(category, number),
    })
}
