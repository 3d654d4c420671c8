//! Calls that agents place: to phones, to queues, to the public network; as new calls, consultations and single-step
//! transfers.

use std::sync::Arc;
use std::time::Instant;

use super::agent::{AgentState, Base};
use super::call::{CallData, CallId, LegId, Wait};
use super::event::{Device, DeviceKind, Leg, Merged, What};
use super::reason::Because;
use super::world::{Alarm, Outcome, World, refusal};
use crate::Dialect;
use crate::enums::{call_type, control_failure_code as cf, event_cause};

/// Where a dialled number leads.
#[derive(Clone, Debug)]
pub(super) enum Destination {
    Phone(Device),
    Queue(usize, Device),
    Outside(Device),
    Busy(Device),
    /// Can be dialled, but nobody has this number.
    Nobody(Device),
}

impl Destination {
    fn device(&self) -> &Device {
        match self {
            Self::Phone(d) | Self::Queue(_, d) | Self::Outside(d) | Self::Busy(d) | Self::Nobody(d) => d,
        }
    }
}

impl World {
    /// Finds where `number` leads.
    fn destination(&self, number: &str) -> Outcome<Destination> {
        let bad = refusal(cf::INVALID_DESTINATION);
        if number.is_empty() || !number.chars().all(|c| c.is_ascii_digit() || "+*#".contains(c)) {
            return Err(bad);
        }
        if let Ok(device) = self.phone_device(number) {
            let busy = !self.phones.get(number).is_some_and(|p| p.in_service) || self.view(number).busy();
            return Ok(if busy { Destination::Busy(device) } else { Destination::Phone(device) });
        }
        if let Some(queue) = self.queues.iter().position(|q| *q.entry.id == *number) {
            return Ok(Destination::Queue(queue, self.queues[queue].entry.clone()));
        }
        let device = Device::outside(number);
        Ok(match () {
            () if self.config.outside.busy.iter().any(|b| b == number) => Destination::Busy(device),
            () if number.len() >= self.config.outside.min_digits => Destination::Outside(device),
            () => Destination::Nobody(device),
        })
    }

    /// A phone places a new call. The events follow its return.
    pub(crate) fn make_call(
        &mut self,
        now: Instant,
        from: &str,
        number: &str,
        data: CallData,
    ) -> Outcome<CallId> {
        let device = self.phone_device(from)?;
        let view = self.view(from);
        if !self.phones.get(from).is_some_and(|p| p.in_service) {
            return Err(refusal(cf::RESOURCE_OUT_OF_SERVICE));
        }
        if view.busy() || self.phones.get(from).is_some_and(|p| p.calls.len() > 1) {
            return Err(refusal(cf::INVALID_OBJECT_STATE));
        }
        if number == from {
            return Err(refusal(cf::INVALID_DESTINATION));
        }
        let destination = self.destination(number)?;
        let off_hook = self.because(Because::OffHook);
        if let Some(index) = self.agent_at(from) {
            let agent = &mut self.agents[index];
            if !view.holding {
                agent.outgoing = true;
            }
            if agent.state == AgentState::Available {
                agent.base = Base::NotReady(off_hook);
                self.show(now, index, AgentState::NotReady);
            }
        }
        let kind = match destination.device().kind {
            DeviceKind::Outside => call_type::OUT,
            _ => call_type::AGENT_INSIDE,
        };
        Ok(self.dial(now, kind, &device, &destination, data))
    }

    /// An agent puts the active call on hold and dials somebody else.
    pub(crate) fn consult(
        &mut self,
        now: Instant,
        active: CallId,
        from: &str,
        number: &str,
        update: &CallData,
    ) -> Outcome<CallId> {
        if self.connection(active, from)? != Leg::Connect {
            return Err(refusal(cf::NO_ACTIVE_CALL));
        }
        self.ordinary(active)?;
        if number == from || self.calls.get(&active).is_some_and(|c| c.party(number).is_some()) {
            return Err(refusal(cf::INVALID_DESTINATION));
        }
        if self.phones.get(from).is_some_and(|p| p.calls.len() > 1) {
            return Err(refusal(cf::INVALID_OBJECT_STATE));
        }
        let destination = self.destination(number)?;
        let device = self.phone_device(from)?;
        self.hold_leg(now, active, &device);
        let mut data = self.calls.get(&active).map(|c| (*c.data).clone()).unwrap_or_default();
        data.merge(update);
        Ok(self.dial(now, call_type::CONSULT, &device, &destination, data))
    }

    pub(super) fn dial(
        &mut self,
        now: Instant,
        kind: u32,
        from: &Device,
        to: &Destination,
        mut data: CallData,
    ) -> CallId {
        let called = to.device().clone();
        data.dialed = Some(called.id.to_string());
        if data.ani.is_none() {
            data.ani = Some(from.id.to_string());
        }
        let cause = match kind {
            call_type::CONSULT => event_cause::CONSULT,
            call_type::ASSIST => event_cause::SUPERVISOR_ASSIST,
            call_type::EMERGENCY => event_cause::EMERGENCY_CALL,
            _ => event_cause::NEW_CALL,
        };
        let id = self.begin(now, kind, from, Arc::new(data), cause);
        if let Some(call) = self.calls.get_mut(&id) {
            call.called = Some(called.clone());
        }
        self.tell(id, from, Leg::Initiate, cause, What::ServiceInitiated);
        self.settle_at(now, from);
        self.tell(id, from, Leg::Connect, cause, What::Originated { called: called.clone() });
        self.connect_to(now, id, to, cause);
        id
    }

    /// Brings a call to its destination.
    fn connect_to(&mut self, now: Instant, id: CallId, to: &Destination, cause: u32) {
        match to {
            Destination::Phone(device) => self.ring_phone(now, id, device, cause),
            Destination::Queue(queue, _) => self.route(now, id, Wait::Queue(*queue), false),
            Destination::Outside(device) => {
                let leg = self.add_party(id, device.clone(), Leg::Alerting, false, false);
                self.tell_of_network(id, device, cause);
                let wait = self.random.within(self.config.outside.answer);
                self.alarm(now + wait, Alarm::FarAnswer(leg));
            }
            Destination::Busy(device) => self.fail(id, device, event_cause::BUSY),
            Destination::Nobody(device) => self.fail(id, device, event_cause::DEST_NOT_OBTAINABLE),
        }
    }

    /// A call has left for the public network. Express, which does not tell that, tells that it rings there.
    pub(super) fn tell_of_network(&mut self, id: CallId, to: &Device, cause: u32) {
        let Some(call) = self.calls.get(&id) else { return };
        match self.config.dialect {
            Dialect::Cce => {
                let root = call.root.clone();
                self.tell(id, &root, Leg::Connect, cause, What::ReachedNetwork { called: to.clone() });
            }
            Dialect::Ccx => {
                let what = What::Delivered { ends: call.ends(), queue: None, data: call.data.clone() };
                self.tell(id, to, Leg::Alerting, cause, what);
            }
        }
    }

    fn ring_phone(&mut self, now: Instant, id: CallId, device: &Device, cause: u32) {
        let leg = self.add_party(id, device.clone(), Leg::Alerting, false, false);
        let Some(call) = self.calls.get(&id) else { return };
        let what = What::Delivered { ends: call.ends(), queue: None, data: call.data.clone() };
        self.tell(id, device, Leg::Alerting, cause, what);
        self.alarm(now + self.config.desk.internal_ring, Alarm::RingOut(leg));
        self.robot_hears(now, &device.id, leg);
    }

    /// The caller hears a tone until he hangs up.
    pub(super) fn fail(&mut self, id: CallId, called: &Device, cause: u32) {
        let Some(party) = self.calls.get_mut(&id).and_then(|c| c.parties.first_mut()) else { return };
        party.leg = Leg::Fail;
        let device = party.device.clone();
        self.tell(id, &device, Leg::Fail, cause, What::Failed { called: called.clone() });
    }

    /// Somebody in the public network answers.
    pub(super) fn far_answer(&mut self, now: Instant, leg: LegId) {
        let Some((id, party)) = self.leg(leg).filter(|(_, p)| p.leg == Leg::Alerting) else { return };
        let device = party.device.clone();
        self.establish(now, id, &device);
        let decided = self.calls.get(&id).and_then(|c| c.talk);
        if let Some(outreach) = self.calls.get(&id).and_then(|c| c.outreach.as_ref()) {
            self.set_result(outreach.key, "CONNECTED");
        }
        let talk = decided.or_else(|| self.config.outside.talk.map(|span| self.random.within(span)));
        if let Some(talk) = talk {
            self.alarm(now + talk, Alarm::FarHangUp(leg));
        }
    }

    pub(super) fn far_hang_up(&mut self, now: Instant, leg: LegId) {
        if let Some((id, device)) = self.leg(leg).map(|(id, p)| (id, p.device.id.clone())) {
            self.leave(now, id, &device, event_cause::NONE);
        }
    }

    /// Sends a call elsewhere without asking there first: the requester leaves, the new destination rings.
    pub(crate) fn single_step_transfer(
        &mut self,
        now: Instant,
        id: CallId,
        from: &str,
        number: &str,
    ) -> Outcome {
        if self.connection(id, from)? != Leg::Connect {
            return Err(refusal(cf::NO_ACTIVE_CALL));
        }
        self.ordinary(id)?;
        if self
            .calls
            .get(&id)
            .is_some_and(|c| c.wait.is_some() || c.parties.len() != 2 || !c.someone_else(from))
        {
            return Err(refusal(cf::INVALID_OBJECT_STATE));
        }
        let to = self.free_destination(id, number)?;
        let Some(party) = self.remove_party(id, from) else { return Ok(()) };
        let Some(call) = self.calls.get_mut(&id) else { return Ok(()) };
        call.kind = call_type::OFFERED;
        call.redirected_from = Some(party.device.clone());
        call.called = Some(to.device().clone());
        if matches!(to, Destination::Queue(..)) {
            call.answered = false;
        }
        let merged = Merged {
            secondary: None,
            controller: party.device.clone(),
            other: Some(to.device().clone()),
            parties: call.devices(),
        };
        self.mark_merged(id);
        let Some(call) = self.calls.get(&id) else { return Ok(()) };
        let (root, data, disposition) = (call.root.clone(), call.data.clone(), call.disposition);
        self.tell(id, &root, Leg::Connect, event_cause::TRANSFER, What::Transferred(merged));
        let update = What::DataUpdate { kind: call_type::OFFERED, disposition, data };
        self.tell(id, &root, Leg::Connect, event_cause::NONE, update);
        self.media(id, &party.device, false);
        self.settle_at(now, &party.device);
        self.connect_to(now, id, &to, event_cause::TRANSFER);
        self.settle_all(now, id);
        self.leave_if_alone(now, id);
        Ok(())
    }

    /// Sends a ringing call to another phone.
    pub(crate) fn deflect(&mut self, now: Instant, id: CallId, from: &str, number: &str) -> Outcome {
        if self.connection(id, from)? != Leg::Alerting {
            return Err(refusal(cf::NO_CALL_TO_ANSWER));
        }
        self.ordinary(id)?;
        let to = self.free_destination(id, number)?;
        let Some(party) = self.remove_party(id, from) else { return Ok(()) };
        if let Some(call) = self.calls.get_mut(&id) {
            call.redirected_from = Some(party.device.clone());
            call.called = Some(to.device().clone());
        }
        let what = What::Diverted { to: to.device().clone() };
        self.tell(id, &party.device, Leg::Null, event_cause::REDIRECTED, what);
        self.settle_at(now, &party.device);
        self.connect_to(now, id, &to, event_cause::REDIRECTED);
        Ok(())
    }

    /// A destination that can take the call now, and is not on it already.
    fn free_destination(&self, id: CallId, number: &str) -> Outcome<Destination> {
        match self.destination(number)? {
            Destination::Busy(_) => Err(refusal(cf::RESOURCE_BUSY)),
            Destination::Nobody(_) => Err(refusal(cf::INVALID_DESTINATION)),
            _ if self.calls.get(&id).is_some_and(|c| c.party(number).is_some()) => {
                Err(refusal(cf::INVALID_DESTINATION))
            }
            to => Ok(to),
        }
    }

    /// After a transfer: a call without any phone ends by itself.
    pub(super) fn leave_if_alone(&mut self, now: Instant, id: CallId) {
        if self.calls.get(&id).is_some_and(|c| !c.parties.iter().any(super::call::Party::is_phone)) {
            self.say_goodbye(now, id);
        }
    }
}
