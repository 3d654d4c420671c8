//! Calls: the table, and what each call event changes. No event of a call is trusted to come: legs follow from
//! whatever arrives, a call that has ended is not revived by stragglers, and one whose end is never announced is
//! swept out.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use cti::enums::{call_type, device_id_type, event_cause, local_connection_state as lcs};
use cti::field::Field;
use cti::tag::Tag;
use cti::{Message, field, kind, tag};

use super::Model;
use super::dialog::{Cause, Connection, Dialog, Leg, Party};
use super::seat::Expect;
use super::time::{Now, Utc};

/// How many ended calls are remembered so that stragglers do not revive them.
const REMEMBERED: usize = 4096;
/// How long a call may have no participants at all (it waits in a queue) before it counts as lost.
const QUEUED_AT_MOST: Duration = Duration::from_secs(4 * 3600);
/// How often lost calls are looked for.
const SWEEP_EVERY: Duration = Duration::from_secs(30);

/// The calls.
#[derive(Debug, Default)]
pub(super) struct Calls {
    pub(super) map: HashMap<u32, Entry>,
    ended: VecDeque<u32>,
    ended_set: HashSet<u32>,
    /// Calls that changed since the last publication, in order.
    pub(super) dirty: Vec<u32>,
    /// Requests that the present event closes: agent, call, request id.
    pub(super) closing: Vec<(usize, u32, Option<String>)>,
    /// Calls that are gone and whose agents have to be told.
    pub(super) farewell: Vec<Arc<Dialog>>,
    /// Dialogs that left the collection of an agent while the server was out of service.
    pub(super) missed: Vec<(usize, Arc<Dialog>)>,
    pub(super) sweep_at: Option<Instant>,
    /// Number of the CTI session: calls of an older one have to be confirmed.
    pub(super) generation: u64,
}

/// One call.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) dialog: Arc<Dialog>,
    pub(super) events: u64,
    pub(super) generation: u64,
    pub(super) last: Instant,
}

impl Calls {
    pub(super) fn len(&self) -> usize {
        self.map.len()
    }

    pub(super) fn dialog(&self, id: u32) -> Option<&Arc<Dialog>> {
        self.map.get(&id).map(|e| &e.dialog)
    }

    pub(super) fn dialog_mut(&mut self, id: u32) -> Option<&mut Dialog> {
        self.map.get_mut(&id).map(|e| Arc::make_mut(&mut e.dialog))
    }

    pub(super) fn touch(&mut self, id: u32) {
        if !self.dirty.contains(&id) {
            self.dirty.push(id);
        }
    }

    /// The call, made if it is new; `None` for one that has ended, or when there are too many.
    pub(super) fn open(&mut self, now: Instant, id: u32, most: usize) -> Option<&mut Dialog> {
        if self.ended_set.contains(&id) || (self.map.len() >= most && !self.map.contains_key(&id)) {
            return None;
        }
        self.sweep_at.get_or_insert(now + SWEEP_EVERY);
        let entry = self.map.entry(id).or_insert_with(|| Entry {
            dialog: Arc::new(Dialog::new(id)),
            events: 0,
            generation: self.generation,
            last: now,
        });
        entry.last = now;
        entry.generation = self.generation;
        Some(Arc::make_mut(&mut entry.dialog))
    }

    /// Takes a call out and remembers that it is over.
    pub(super) fn remove(&mut self, id: u32) -> Option<Arc<Dialog>> {
        let entry = self.map.remove(&id)?;
        self.dirty.retain(|d| *d != id);
        if self.ended_set.insert(id) {
            self.ended.push_back(id);
        }
        if self.ended.len() > REMEMBERED
            && let Some(oldest) = self.ended.pop_front()
        {
            self.ended_set.remove(&oldest);
        }
        Some(entry.dialog)
    }

    /// Puts a call in under another id.
    pub(super) fn adopt(&mut self, id: u32, dialog: Dialog, events: u64, generation: u64, last: Instant) {
        self.revive(id);
        self.map.insert(id, Entry { dialog: Arc::new(dialog), events, generation, last });
    }

    fn revive(&mut self, id: u32) {
        if self.ended_set.remove(&id) {
            self.ended.retain(|e| *e != id);
        }
    }
}

/// The device an event is about: its id and, where the message has it, its type.
struct Device<'a> {
    id: &'a str,
    device_type: Option<u32>,
}

impl Model {
    /// Any event of a call; others are ignored.
    pub(super) fn call_event(&mut self, now: Now, m: &Message) {
        match m.kind {
            kind::CALL_CONFERENCED_EVENT => return self.merged(now, m, call_type::CONFERENCE),
            kind::CALL_TRANSFERRED_EVENT => return self.merged(now, m, call_type::TRANSFER_IN),
            _ => {}
        }
        let Some(id) = m.uint(field::CONNECTION_CALL_ID) else { return };
        if let Some(entry) = self.calls.map.get_mut(&id) {
            entry.events += 1;
        }
        match m.kind {
            kind::BEGIN_CALL_EVENT => {
                self.calls.revive(id);
                self.open_call(now, id, m);
            }
            kind::CALL_SERVICE_INITIATED_EVENT => self.initiated(now, id, m, Leg::Initiating),
            kind::CALL_ORIGINATED_EVENT => self.initiated(now, id, m, Leg::Initiated),
            kind::CALL_DELIVERED_EVENT => self.delivered(now, id, m),
            kind::CALL_ESTABLISHED_EVENT => self.established(now, id, m),
            kind::CALL_HELD_EVENT => self.held(now, id, m),
            kind::CALL_RETRIEVED_EVENT => self.retrieved(now, id, m),
            kind::CALL_CONNECTION_CLEARED_EVENT => self.connection_cleared(now, id, m),
            kind::CALL_CLEARED_EVENT => self.cleared(now, id),
            kind::CALL_DIVERTED_EVENT => self.diverted(now, id, m),
            kind::CALL_FAILED_EVENT => self.failed(now, id, m),
            kind::CALL_QUEUED_EVENT => self.queued(id, m),
            kind::CALL_REACHED_NETWORK_EVENT => self.absorb(id, m),
            kind::CALL_DATA_UPDATE_EVENT => self.data_updated(now, id, m),
            kind::END_CALL_EVENT => self.end_call(now, id),
            _ => {}
        }
    }

    /// Opens the call and takes over the data that the event carries.
    fn open_call(&mut self, now: Now, id: u32, m: &Message) -> bool {
        let open = self.calls.open(now.instant, id, self.settings.max_calls).is_some();
        if open {
            self.absorb(id, m);
        }
        open
    }

    /// Takes over call data, addresses, type, keys and queue of any message about a known call.
    pub(super) fn absorb(&mut self, id: u32, m: &Message) {
        let version = self.settings.version;
        let queue = m.uint(field::SKILL_GROUP_NUMBER).and_then(|n| self.directory.queue(n));
        let Some(dialog) = self.calls.dialog_mut(id) else { return };
        let mut changed = dialog.variables.apply(m, version);
        changed |= fill(&mut dialog.from, m.tag_text(tag::CALLING_DEVICE_ID).or(m.tag_text(tag::ANI)));
        let dialed = m.tag_text(tag::DIALED_NUMBER);
        let called = m.tag_text(tag::CALLED_DEVICE_ID);
        changed |= fill(&mut dialog.dialed, dialed.or(called));
        changed |= fill(&mut dialog.to, dialed.or(called).or(m.tag_text(tag::DNIS)));
        changed |= fill(&mut dialog.dnis, m.tag_text(tag::DNIS));
        if let Some(kind) = m.uint(field::CALL_TYPE) {
            changed |= replace(&mut dialog.call_type, kind);
        }
        changed |= dialog.absorb_outbound(m);
        if let Some(value) = m.tag_uint(tag::ROUTER_CALL_KEY_CALL_ID) {
            changed |= replace(&mut dialog.key.call_id, value);
        }
        if let Some(value) = m.tag_uint(tag::ROUTER_CALL_KEY_DAY) {
            changed |= replace(&mut dialog.key.day, value);
        }
        if let Some(value) = m.tag_uint(tag::ROUTER_CALL_KEY_SEQUENCE_NUMBER) {
            changed |= replace(&mut dialog.key.sequence, value);
        }
        if let Some(queue) = queue
            && dialog.queue.as_ref().is_none_or(|(number, _)| *number != queue.id)
        {
            dialog.queue = Some((queue.id, queue.name.as_str().into()));
            changed = true;
        }
        if changed {
            self.calls.touch(id);
        }
    }

    fn initiated(&mut self, now: Now, id: u32, m: &Message, leg: Leg) {
        let device = device(m, tag::CALLING_DEVICE_ID, field::CALLING_DEVICE_TYPE);
        if self.open_call(now, id, m)
            && let Some(device) = device
        {
            self.set_leg(now, id, &device, Some(m), leg);
            self.associate(id, device.id);
        }
    }

    /// A consultation call points to the call it is about: the one its originator holds.
    fn associate(&mut self, id: u32, originator: &str) {
        let consults = self.calls.dialog(id).is_some_and(|d| {
            d.associated.is_none()
                && matches!(d.call_type, Some(call_type::CONSULT | call_type::CONSULT_CONFERENCE))
        });
        let Some(&seat) = self.by_device.get(originator).filter(|_| consults) else { return };
        let held = self.seats[seat].calls.iter().copied().find(|&other| {
            let leg = |d: &Arc<Dialog>| d.parties.iter().any(|p| p.agent == Some(seat) && p.leg == Leg::Held);
            other != id && self.calls.dialog(other).is_some_and(leg)
        });
        if held.is_some()
            && let Some(dialog) = self.calls.dialog_mut(id)
        {
            dialog.associated = held;
            self.calls.touch(id);
        }
    }

    fn delivered(&mut self, now: Now, id: u32, m: &Message) {
        if !self.open_call(now, id, m) {
            return;
        }
        let state = m.uint(field::LOCAL_CONNECTION_STATE);
        let caller = device(m, tag::CALLING_DEVICE_ID, field::CALLING_DEVICE_TYPE);
        let caller = caller.or_else(|| {
            m.tag_text(tag::ANI).filter(|a| !a.is_empty()).map(|id| Device { id, device_type: None })
        });
        if let Some(caller) = &caller {
            self.add_leg(now, id, caller, Leg::Initiated);
            self.associate(id, caller.id);
        }
        // In bridge mode this only says that a trunk was seized.
        if state == Some(lcs::INITIATE) {
            return;
        }
        let alerting = device(m, tag::ALERTING_DEVICE_ID, field::ALERTING_DEVICE_TYPE)
            .or_else(|| device(m, tag::CALLED_DEVICE_ID, field::CALLED_DEVICE_TYPE));
        let Some(alerting) = alerting else { return };
        // Queues and route points are no participants.
        if matches!(alerting.device_type, Some(device_id_type::QUEUE | device_id_type::ROUTE_POINT)) {
            return;
        }
        // After a side switch existing calls are announced in the state they are in.
        let rebuilt = m.uint(field::EVENT_CAUSE) == Some(event_cause::CALL_PARTY_UPDATE_IND);
        let leg = match state {
            Some(lcs::CONNECT) if rebuilt => Leg::Active,
            Some(lcs::HOLD) if rebuilt => Leg::Held,
            _ => Leg::Alerting,
        };
        self.dismiss_dropped(id, alerting.id);
        self.set_leg(now, id, &alerting, Some(m), leg);
    }

    /// Somebody new joins: agents who have left are not coming back to this call.
    fn dismiss_dropped(&mut self, id: u32, joining: &str) {
        let Some(dialog) = self.calls.dialog_mut(id) else { return };
        let mut changed = false;
        for party in dialog.parties.iter_mut().filter(|p| p.listed && p.address != joining) {
            changed |= !party.leg.is_live() && !std::mem::replace(&mut party.leaving, true);
        }
        if changed {
            self.calls.touch(id);
        }
    }

    fn established(&mut self, now: Now, id: u32, m: &Message) {
        if !self.open_call(now, id, m) {
            return;
        }
        let answering = device(m, tag::ANSWERING_DEVICE_ID, field::ANSWERING_DEVICE_TYPE);
        let caller = device(m, tag::CALLING_DEVICE_ID, field::CALLING_DEVICE_TYPE);
        if let Some(caller) = caller.filter(|c| answering.as_ref().is_none_or(|a| a.id != c.id)) {
            self.add_leg(now, id, &caller, Leg::Active);
        }
        if let Some(answering) = answering {
            let held = m.uint(field::LOCAL_CONNECTION_STATE) == Some(lcs::HOLD);
            self.set_leg(now, id, &answering, Some(m), if held { Leg::Held } else { Leg::Active });
            self.close(now, id, answering.id, Expect::Answered(id));
        }
        self.connect_dialling(now, id);
    }

    /// Whoever was dialling talks now.
    fn connect_dialling(&mut self, now: Now, id: u32) {
        let Some(dialog) = self.calls.dialog_mut(id) else { return };
        let mut changed = false;
        for party in &mut dialog.parties {
            if matches!(party.leg, Leg::Initiating | Leg::Initiated) {
                party.leg = Leg::Active;
                party.changed = Some(Utc(now.utc_ms));
                changed = true;
            }
        }
        if changed {
            self.calls.touch(id);
        }
    }

    fn held(&mut self, now: Now, id: u32, m: &Message) {
        let Some(device) = device(m, tag::HOLDING_DEVICE_ID, field::HOLDING_DEVICE_TYPE) else { return };
        if self.open_call(now, id, m) {
            self.set_leg(now, id, &device, Some(m), Leg::Held);
            self.close(now, id, device.id, Expect::Held(id));
        }
    }

    fn retrieved(&mut self, now: Now, id: u32, m: &Message) {
        let Some(device) = device(m, tag::RETRIEVING_DEVICE_ID, field::RETRIEVING_DEVICE_TYPE) else {
            return;
        };
        if self.open_call(now, id, m) {
            self.set_leg(now, id, &device, Some(m), Leg::Active);
            self.close(now, id, device.id, Expect::Retrieved(id));
        }
    }

    fn connection_cleared(&mut self, now: Now, id: u32, m: &Message) {
        let Some(device) = device(m, tag::RELEASING_DEVICE_ID, field::RELEASING_DEVICE_TYPE) else { return };
        self.drop_leg(now, id, device.id, false);
        self.close(now, id, device.id, Expect::Dropped(id));
        self.close_removal(now, id, device.id);
    }

    fn diverted(&mut self, now: Now, id: u32, m: &Message) {
        if let Some(device) = device(m, tag::DIVERTING_DEVICE_ID, field::DIVERTING_DEVICE_TYPE) {
            self.drop_leg(now, id, device.id, true);
        }
    }

    fn cleared(&mut self, now: Now, id: u32) {
        let Some(dialog) = self.calls.dialog(id) else { return };
        let live: Vec<String> =
            dialog.parties.iter().filter(|p| p.leg.is_live()).map(|p| p.address.clone()).collect();
        for address in live {
            self.drop_leg(now, id, &address, false);
            self.close(now, id, &address, Expect::Dropped(id));
        }
    }

    fn failed(&mut self, now: Now, id: u32, m: &Message) {
        let cause = Cause::from_cti(m.uint(field::EVENT_CAUSE));
        self.absorb(id, m);
        let failing = device(m, tag::FAILING_DEVICE_ID, field::FAILING_DEVICE_TYPE);
        let Some(dialog) = self.calls.dialog(id) else { return };
        // The one who dials sees the failure, whichever device the event names.
        let dialling = dialog.parties.iter().find(|p| matches!(p.leg, Leg::Initiating | Leg::Initiated));
        let Some(address) = dialling.map(|p| p.address.clone()).or_else(|| failing.map(|f| f.id.to_owned()))
        else {
            return;
        };
        if self.calls.dialog(id).is_some_and(|d| d.party(&address).is_some()) {
            let device = Device { id: &address, device_type: None };
            self.set_leg(now, id, &device, None, Leg::Failed(cause));
        }
    }

    fn queued(&mut self, id: u32, m: &Message) {
        self.absorb(id, m);
        let number =
            m.groups(tag::SKILL_GROUP_NUMBER).iter().find_map(|g| g.tag_uint(tag::SKILL_GROUP_NUMBER));
        let Some(queue) = number.and_then(|n| self.directory.queue(n)).cloned() else { return };
        if let Some(dialog) = self.calls.dialog_mut(id) {
            dialog.queue = Some((queue.id, queue.name.as_str().into()));
            self.calls.touch(id);
        }
    }

    fn data_updated(&mut self, now: Now, id: u32, m: &Message) {
        self.absorb(id, m);
        if self.calls.dirty.contains(&id) {
            let agents: Vec<usize> = self.agents_of(id);
            for seat in agents {
                self.close_seat(now, id, seat, Expect::Data(id));
            }
        }
        if let Some(new) = m.uint(field::NEW_CONNECTION_CALL_ID).filter(|new| *new != id && *new != 0) {
            self.rename(id, new);
        }
    }

    /// END_CALL: whatever was left of it is over.
    pub(super) fn end_call(&mut self, now: Now, id: u32) {
        for seat in self.agents_of(id) {
            self.close_seat(now, id, seat, Expect::Dropped(id));
        }
        if let Some(mut dialog) = self.calls.remove(id) {
            let all = Arc::make_mut(&mut dialog);
            for party in &mut all.parties {
                if party.leg != Leg::Dropped {
                    party.leg = Leg::Dropped;
                    party.changed = Some(Utc(now.utc_ms));
                }
            }
            self.calls.farewell.push(dialog);
        }
    }

    pub(super) fn agents_of(&self, id: u32) -> Vec<usize> {
        self.calls.dialog(id).map_or(Vec::new(), |d| d.parties.iter().filter_map(|p| p.agent).collect())
    }

    /// The event closes a request of the agent behind this device, if one waits for it.
    fn close(&mut self, now: Now, id: u32, device: &str, expect: Expect) {
        if let Some(&seat) = self.by_device.get(device) {
            self.close_seat(now, id, seat, expect);
        }
    }

    pub(super) fn close_seat(&mut self, now: Now, id: u32, seat: usize, expect: Expect) {
        if let Some(request_id) = self.seats[seat].close(now.instant, |e| *e == expect) {
            self.calls.touch(id);
            self.calls.closing.push((seat, id, request_id));
        }
    }

    /// Adds a participant if it is not there; an existing one keeps its leg.
    fn add_leg(&mut self, now: Now, id: u32, device: &Device<'_>, leg: Leg) {
        let known = self.calls.dialog(id).is_some_and(|d| d.party(device.id).is_some());
        if !known {
            self.set_leg(now, id, device, None, leg);
        }
    }

    /// Brings a participant's leg into a state. News that is older than the leg (ringing after the answer) is
    /// ignored.
    fn set_leg(&mut self, now: Now, id: u32, device: &Device<'_>, m: Option<&Message>, leg: Leg) {
        let agent = self.by_device.get(device.id).copied();
        let Some(dialog) = self.calls.dialog_mut(id) else { return };
        let connection = m.and_then(connection_of);
        let time = Some(Utc(now.utc_ms));
        if let Some(party) = dialog.parties.iter_mut().find(|p| p.address == device.id) {
            if let Some(connection) = connection {
                party.connection = connection;
            }
            let stale = party.leg.is_answered() && !leg.is_answered() && leg.is_live();
            if party.leg == leg || stale && !matches!(leg, Leg::Failed(_)) {
                return;
            }
            if !party.leg.is_live() {
                // The phone may have changed hands since the leg was there before.
                party.agent = if party.listed { party.agent } else { agent };
                party.start = time;
                party.leaving = false;
            }
            party.leg = leg;
            party.changed = time;
            if let Some(seat) = party.agent {
                self.seats[seat].join(id);
            }
        } else {
            dialog.parties.push(Party {
                address: device.id.to_owned(),
                device_type: device.device_type,
                agent,
                leg,
                start: time,
                changed: time,
                actions: super::actions::Actions::NONE,
                connection: connection.unwrap_or_else(|| Connection::of_device(device.id)),
                listed: false,
                leaving: false,
            });
            if let Some(seat) = agent {
                self.seats[seat].join(id);
            }
        }
        self.calls.touch(id);
    }

    /// Ends a leg. Its agent keeps the dialog until the call ends, unless the call goes on without: it was taken
    /// away before the answer, or two others are still talking.
    pub(super) fn drop_leg(&mut self, now: Now, id: u32, address: &str, redirected: bool) {
        let Some(dialog) = self.calls.dialog_mut(id) else { return };
        let others = dialog.parties.iter().filter(|p| p.leg.is_live() && p.address != address).count();
        let Some(party) = dialog.parties.iter_mut().find(|p| p.address == address && p.leg.is_live()) else {
            return;
        };
        let unanswered = matches!(party.leg, Leg::Alerting | Leg::Accepted);
        let works = party.agent.is_some_and(|seat| self.seats[seat].view.state.is_work());
        party.leg = if works && party.listed { Leg::WrapUp } else { Leg::Dropped };
        party.changed = Some(Utc(now.utc_ms));
        party.leaving = party.listed && (redirected || others >= 2 || (unanswered && others >= 1));
        self.calls.touch(id);
    }

    /// Removes calls whose end was missed.
    pub(super) fn sweep_calls(&mut self, now: Now) {
        if self.calls.sweep_at.is_none_or(|at| at > now.instant) {
            return;
        }
        let patience = self.settings.abandoned_after;
        let lost: Vec<u32> = self
            .calls
            .map
            .iter()
            .filter(|(_, e)| {
                let limit = if e.dialog.parties.is_empty() { QUEUED_AT_MOST } else { patience };
                e.dialog.live() == 0 && now.instant.duration_since(e.last) >= limit
            })
            .map(|(id, _)| *id)
            .collect();
        for id in lost {
            self.end_call(now, id);
        }
        self.calls.sweep_at = (!self.calls.map.is_empty()).then(|| now.instant + SWEEP_EVERY);
    }
}

fn device<'a>(m: &'a Message, id: Tag, device_type: Field) -> Option<Device<'a>> {
    let id = m.tag_text(id).filter(|id| !id.is_empty())?;
    Some(Device { id, device_type: m.uint(device_type) })
}

fn connection_of(m: &Message) -> Option<Connection> {
    let device = m.tag_text(tag::CONNECTION_DEVICE_ID).filter(|d| !d.is_empty())?;
    let id_type = m.raw(field::CONNECTION_DEVICE_ID_TYPE)?;
    Some(Connection { id_type, device: device.to_owned() })
}

fn fill(slot: &mut String, value: Option<&str>) -> bool {
    match value {
        Some(value) if slot.is_empty() && !value.is_empty() => {
            value.clone_into(slot);
            true
        }
        _ => false,
    }
}

fn replace(slot: &mut Option<u32>, value: u32) -> bool {
    slot.replace(value) != Some(value)
}
