//! What agents do with the calls at their phones: answer, hold, retrieve, hang up, attach data.

use std::sync::Arc;
use std::time::Instant;

use super::call::{Call, CallData, CallId};
use super::event::{Device, DeviceKind, Leg, What};
use super::world::{Alarm, Outcome, World, refusal};
use crate::enums::{control_failure_code as cf, event_cause};

impl World {
    /// The only ringing call of a phone, for requests that name none.
    pub(crate) fn ringing_call(&self, device: &str) -> Outcome<CallId> {
        let calls = self.phones.get(device).ok_or(refusal(cf::INVALID_CSTA_DEVICE_IDENTIFIER))?;
        let rings = |id: &&CallId| self.calls.get(id).and_then(|c| c.leg(device)) == Some(Leg::Alerting);
        calls.calls.iter().find(rings).copied().ok_or(refusal(cf::NO_CALL_TO_ANSWER))
    }

    pub(crate) fn answer(&mut self, now: Instant, id: CallId, device: &str) -> Outcome {
        if self.connection(id, device)? != Leg::Alerting {
            return Err(refusal(cf::NO_CALL_TO_ANSWER));
        }
        self.ordinary(id)?;
        let device = self.phone_device(device)?;
        if self.view(&device.id).converses() {
            return Err(refusal(cf::INVALID_OBJECT_STATE));
        }
        if let Some(agent) = self.agent_at(&device.id).filter(|a| !self.agents[*a].state.on_call()) {
            self.agents[agent].outgoing = false;
        }
        self.establish(now, id, &device);
        Ok(())
    }

    /// `device` picks up: everybody who waited for it is connected.
    pub(super) fn establish(&mut self, now: Instant, id: CallId, device: &Device) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let mut connected: Vec<Device> = Vec::new();
        for party in &mut call.parties {
            if *party.device.id == *device.id || party.leg == Leg::Initiate {
                party.leg = Leg::Connect;
                connected.push(party.device.clone());
            }
        }
        let first = !call.answered && device.kind == DeviceKind::Phone;
        call.answered = true;
        let (ends, queue, talk) = (call.ends(), call.queue, call.talk);
        let customer = call.parties.iter().find(|p| p.device.kind == DeviceKind::Outside).map(|p| p.id);
        self.tell(id, device, Leg::Connect, event_cause::NONE, What::Established { ends, queue });
        for party in &connected {
            self.media(id, party, true);
        }
        for party in &connected {
            self.settle_at(now, party);
        }
        if let (true, Some(talk), Some(leg)) = (first, talk, customer) {
            self.alarm(now + talk, Alarm::FarHangUp(leg));
        }
    }

    pub(crate) fn hold(&mut self, now: Instant, id: CallId, device: &str) -> Outcome {
        if self.connection(id, device)? != Leg::Connect {
            return Err(refusal(cf::NO_ACTIVE_CALL));
        }
        self.ordinary(id)?;
        let device = self.phone_device(device)?;
        self.hold_leg(now, id, &device);
        Ok(())
    }

    pub(super) fn hold_leg(&mut self, now: Instant, id: CallId, device: &Device) {
        self.set_leg(id, &device.id, Leg::Hold);
        self.tell(id, device, Leg::Hold, event_cause::NONE, What::Held);
        self.media(id, device, false);
        self.settle_at(now, device);
    }

    pub(crate) fn retrieve(&mut self, now: Instant, id: CallId, device: &str) -> Outcome {
        if self.connection(id, device)? != Leg::Hold {
            return Err(refusal(cf::NO_HELD_CALL));
        }
        if self.view(device).busy() {
            return Err(refusal(cf::INVALID_OBJECT_STATE));
        }
        let device = self.phone_device(device)?;
        self.retrieve_leg(now, id, &device);
        Ok(())
    }

    pub(super) fn retrieve_leg(&mut self, now: Instant, id: CallId, device: &Device) {
        self.set_leg(id, &device.id, Leg::Connect);
        self.tell(id, device, Leg::Connect, event_cause::NONE, What::Retrieved);
        self.media(id, device, true);
        self.settle_at(now, device);
    }

    pub(super) fn set_leg(&mut self, id: CallId, device: &str, leg: Leg) {
        if let Some(party) = self.calls.get_mut(&id).and_then(|c| c.party_mut(device)) {
            party.leg = leg;
        }
    }

    /// The active and the held call change places.
    pub(crate) fn alternate(&mut self, now: Instant, active: CallId, held: CallId, device: &str) -> Outcome {
        let phone = self.both(active, held, device)?;
        self.hold_leg(now, active, &phone);
        self.retrieve_leg(now, held, &phone);
        Ok(())
    }

    /// The consultation ends, the original call comes back.
    pub(crate) fn reconnect(&mut self, now: Instant, active: CallId, held: CallId, device: &str) -> Outcome {
        if self.connection(held, device)? != Leg::Hold {
            return Err(refusal(cf::NO_HELD_CALL));
        }
        if !matches!(self.connection(active, device)?, Leg::Connect | Leg::Initiate | Leg::Fail) {
            return Err(refusal(cf::NO_ACTIVE_CALL));
        }
        let phone = self.phone_device(device)?;
        self.leave(now, active, device, event_cause::NONE);
        self.retrieve_leg(now, held, &phone);
        Ok(())
    }

    /// Checks that a phone talks on one call and holds the other.
    pub(super) fn both(&self, active: CallId, held: CallId, device: &str) -> Outcome<Device> {
        if self.connection(active, device)? != Leg::Connect {
            return Err(refusal(cf::NO_ACTIVE_CALL));
        }
        if self.connection(held, device)? != Leg::Hold {
            return Err(refusal(cf::NO_HELD_CALL));
        }
        self.phone_device(device)
    }

    /// Takes `leaving` out of the call at the wish of `requester`. Only somebody on the call may take out another, and
    /// only out of a conference.
    pub(crate) fn clear_connection(
        &mut self,
        now: Instant,
        id: CallId,
        leaving: &str,
        requester: &str,
    ) -> Outcome {
        let known = self.calls.get(&id).filter(|c| c.is_live());
        let call = known.ok_or(refusal(cf::INVALID_CSTA_CALL_IDENTIFIER))?;
        let leg = call.leg(leaving).ok_or(refusal(cf::INVALID_CSTA_CONNECTION_IDENTIFIER))?;
        if leaving == requester {
            if leg == Leg::Alerting {
                return Err(refusal(cf::INVALID_OBJECT_STATE));
            }
        } else if !(call.is_conference() && call.leg(requester) == Some(Leg::Connect)) {
            return Err(refusal(cf::PRIVILEGE_VIOLATION_ON_SPECIFIED_DEVICE));
        }
        self.leave(now, id, leaving, event_cause::NONE);
        Ok(())
    }

    /// Ends the call for everybody.
    pub(crate) fn clear_call(&mut self, now: Instant, id: CallId, requester: &str) -> Outcome {
        let leg = self.connection(id, requester)?;
        if leg == Leg::Alerting {
            return Err(refusal(cf::INVALID_OBJECT_STATE));
        }
        let Some(party) = self.remove_party(id, requester) else { return Ok(()) };
        self.tell(id, &party.device, Leg::Null, event_cause::NONE, What::ConnectionCleared);
        self.finish(now, id, Some(party));
        Ok(())
    }

    /// The phone is gone: its calls lose it. A routed call that only rang goes elsewhere.
    pub(super) fn drop_phone(&mut self, now: Instant, id: CallId, device: &Arc<str>) {
        if self.reservation(id).is_some() {
            return self.abandon_reservation(now, id);
        }
        let Some(party) = self.calls.get(&id).and_then(|c| c.party(device)) else { return };
        if party.leg == Leg::Alerting && party.routed {
            self.route_elsewhere(now, id, &Device::phone(device));
        } else {
            self.leave(now, id, device, event_cause::NONE);
        }
    }

    pub(crate) fn send_dtmf(&self, id: CallId, device: &str, digits: &str) -> Outcome {
        if self.connection(id, device)? != Leg::Connect {
            return Err(refusal(cf::NO_ACTIVE_CALL));
        }
        let tone = |c: char| c.is_ascii_digit() || "*#ABCDabcd,".contains(c);
        match !digits.is_empty() && digits.chars().all(tone) {
            true => Ok(()),
            false => Err(refusal(cf::VALUE_OUT_OF_RANGE)),
        }
    }

    /// Attaches data to a call, also to one that is only kept for its wrap-up data.
    pub(crate) fn set_call_data(&mut self, now: Instant, id: CallId, update: &CallData) -> Outcome {
        let response = self.response(id, update)?;
        let call = self.calls.get_mut(&id).ok_or(refusal(cf::INVALID_CSTA_CALL_IDENTIFIER))?;
        Arc::make_mut(&mut call.data).merge(update);
        let leg = if call.is_live() { Leg::Connect } else { Leg::Null };
        self.tell_of_data(id, leg);
        if let Some(response) = response {
            self.obey(now, id, response);
        }
        Ok(())
    }

    /// The client needs the data of a cleared call no longer.
    pub(crate) fn release(&mut self, id: CallId) -> Outcome {
        let call = self.calls.get(&id).ok_or(refusal(cf::INVALID_CSTA_CALL_IDENTIFIER))?;
        if !Call::is_live(call) {
            self.end(id);
        }
        Ok(())
    }
}
