//! Two calls become one: consult transfer and conference.

use std::time::Instant;

use super::call::{CallId, Party};
use super::event::{Device, Leg, Merged, What};
use super::world::{Outcome, Refusal, World, refusal};
use crate::enums::{call_type, control_failure_code as cf, event_cause};

/// The switch's code for "not the conference's controller", which Finesse shows to agents.
const NOT_CONTROLLER: u32 = 20999;

impl World {
    /// The requester leaves and joins the other ends of his two calls. `active` may still ring at the other end.
    pub(crate) fn transfer(&mut self, now: Instant, active: CallId, held: CallId, device: &str) -> Outcome {
        if self.connection(held, device)? != Leg::Hold {
            return Err(refusal(cf::NO_HELD_CALL));
        }
        if !matches!(self.connection(active, device)?, Leg::Connect | Leg::Initiate) {
            return Err(refusal(cf::NO_ACTIVE_CALL));
        }
        self.check_disjoint(active, held, device)?;
        if !self.calls.get(&held).is_some_and(|c| c.someone_else(device)) {
            return Err(refusal(cf::INVALID_OBJECT_STATE));
        }
        let phone = self.phone_device(device)?;
        let talked = self.connection(active, device)? == Leg::Connect;
        self.remove_party(held, device);
        self.remove_party(active, device);
        let secondary = self.join(active, held);
        let mut again = None;
        if let Some(call) = self.calls.get_mut(&held) {
            call.kind = call_type::TRANSFER_IN;
            call.redirected_from = Some(phone.clone());
            call.answered = call.wait.is_none();
            again = call.wait;
        }
        let other = self.calls.get(&held).and_then(|c| c.parties.first()).map(|p| p.device.clone());
        self.announce(held, secondary, phone.clone(), other, What::Transferred);
        if talked {
            self.media(held, &phone, false);
        }
        self.settle_at(now, &phone);
        self.settle_all(now, held);
        self.end(active);
        self.leave_if_alone(now, held);
        if again.is_some() {
            self.lose_patience_later(now, held);
        }
        Ok(())
    }

    /// The requester brings the other ends of his two calls and himself into one call.
    pub(crate) fn conference(&mut self, now: Instant, held: CallId, active: CallId, device: &str) -> Outcome {
        let phone = self.both(active, held, device)?;
        self.check_disjoint(active, held, device)?;
        let (first, second) = (&self.calls[&held], &self.calls[&active]);
        if second.wait.is_some()
            || second.parties.iter().any(|p| matches!(p.leg, Leg::Alerting | Leg::Initiate))
        {
            return Err(refusal(cf::INVALID_OBJECT_STATE));
        }
        if first.controller.as_deref().is_some_and(|c| c != device) {
            return Err(Refusal { code: cf::INVALID_OBJECT_STATE, peripheral: NOT_CONTROLLER });
        }
        if first.parties.len() + second.parties.len() - 1 > self.config.behaviour.max_parties {
            return Err(refusal(cf::CONFERENCE_MEMBER_LIMIT_EXCEEDED));
        }
        self.remove_party(active, device);
        let added = self.calls[&active].parties.first().map(|p| p.device.clone());
        let secondary = self.join(active, held);
        self.set_leg(held, device, Leg::Connect);
        if let Some(call) = self.calls.get_mut(&held) {
            call.kind = call_type::CONFERENCE;
            call.controller = Some(phone.id.clone());
        }
        self.announce(held, secondary, phone, added, What::Conferenced);
        self.settle_all(now, held);
        self.end(active);
        Ok(())
    }

    /// Nobody but the requester may be on both calls.
    fn check_disjoint(&self, active: CallId, held: CallId, device: &str) -> Outcome {
        let (Some(a), Some(h)) = (self.calls.get(&active), self.calls.get(&held)) else {
            return Err(refusal(cf::INVALID_CSTA_CALL_IDENTIFIER));
        };
        let shared = |p: &&Party| *p.device.id != *device && h.party(&p.device.id).is_some();
        match active == held || a.parties.iter().any(|p| shared(&p)) || (a.wait.is_some() && h.wait.is_some())
        {
            true => Err(refusal(cf::INVALID_OBJECT_STATE)),
            false => Ok(()),
        }
    }

    /// Moves every party, and the place in a queue, from `from` to `to`. Returns the connection that named `from`.
    pub(super) fn join(&mut self, from: CallId, to: CallId) -> Option<(CallId, Device)> {
        let source = self.calls.get_mut(&from)?;
        let parties = std::mem::take(&mut source.parties);
        let (root, wait, queue) = (source.root.clone(), source.wait.take(), source.queue);
        let outreach = source.outreach.take();
        for party in &parties {
            self.legs.insert(party.id, to);
            for call in self.phones.get_mut(&party.device.id).iter_mut().flat_map(|p| p.calls.iter_mut()) {
                if *call == from {
                    *call = to;
                }
            }
        }
        let since = self.calls.get(&from).map(|c| c.waiting_since);
        let target = self.calls.get_mut(&to)?;
        target.parties.extend(parties);
        target.queue = queue.or(target.queue);
        target.outreach = target.outreach.take().or(outreach);
        if let (Some(wait), Some(since)) = (wait, since) {
            target.wait = Some(wait);
            target.waiting_since = since;
            self.rename_waiting(wait, from, to);
        }
        Some((from, root))
    }

    /// Tells of the merger and of the surviving call's new type.
    pub(super) fn announce(
        &mut self,
        held: CallId,
        secondary: Option<(CallId, Device)>,
        controller: Device,
        other: Option<Device>,
        what: fn(Merged) -> What,
    ) {
        self.mark_merged(held);
        let Some(call) = self.calls.get(&held) else { return };
        let (root, kind, disposition, data) =
            (call.root.clone(), call.kind, call.disposition, call.data.clone());
        let merged = Merged { secondary, controller, other, parties: call.devices() };
        let transfer = matches!(what(merged.clone()), What::Transferred(_));
        let cause = if transfer { event_cause::TRANSFER } else { event_cause::NONE };
        self.tell(held, &root, Leg::Connect, cause, what(merged));
        self.tell(held, &root, Leg::Connect, event_cause::NONE, What::DataUpdate { kind, disposition, data });
    }

    pub(super) fn settle_all(&mut self, now: Instant, id: CallId) {
        for device in self.calls.get(&id).map(super::call::Call::devices).unwrap_or_default() {
            self.settle_at(now, &device);
        }
    }
}
