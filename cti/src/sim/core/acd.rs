//! Calls that are routed: they come in, wait, and go to the agent who has been ready the longest.

use std::sync::Arc;
use std::time::Instant;

use super::agent::{AgentState, Base};
use super::call::{CallData, CallId, LegId, Wait};
use super::event::{Device, DeviceKind, Event, Leg, What};
use super::reason::Because;
use super::world::{Alarm, World};
use crate::enums::{call_type, event_cause};

/// A call from outside, ready to be put into the centre.
#[derive(Debug)]
pub(crate) struct Inbound {
    pub(crate) from: Device,
    /// What the customer dialled.
    pub(crate) entry: Device,
    pub(crate) wait: Wait,
    pub(crate) data: CallData,
    pub(crate) talk: Option<std::time::Duration>,
    pub(crate) patience: Option<std::time::Duration>,
}

impl World {
    /// A customer's call arrives.
    pub(crate) fn arrive(&mut self, now: Instant, inbound: Inbound) -> CallId {
        let kind = match inbound.wait {
            Wait::Queue(_) => call_type::ACD_IN,
            Wait::Agent(_) => call_type::PREROUTE_DIRECT_AGENT,
        };
        let data = Arc::new(inbound.data);
        let id = self.begin(now, kind, &inbound.from, data.clone(), event_cause::NEW_CALL);
        let Some(call) = self.calls.get_mut(&id) else { return id };
        call.called = Some(inbound.entry);
        call.talk = inbound.talk;
        let (ends, leg) = (call.ends(), call.parties[0].id);
        if self.config.behaviour.trunk_event {
            let what = What::Delivered { ends, queue: None, data };
            self.tell(id, &inbound.from, Leg::Initiate, event_cause::NONE, what);
        }
        if let Some(patience) = inbound.patience {
            self.alarm(now + patience, Alarm::GiveUp(leg));
        }
        self.route(now, id, inbound.wait, false);
        id
    }

    /// Sends a call to a free agent, or lets it wait; `first`: ahead of the others.
    pub(super) fn route(&mut self, now: Instant, id: CallId, wait: Wait, first: bool) {
        if let Some(agent) = self.free_agent(wait) {
            return self.offer(now, id, wait, agent);
        }
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.wait = Some(wait);
        call.waiting_since = now;
        if let Wait::Queue(queue) = wait {
            call.queue = Some(queue);
        }
        let again = call.redirected_from.is_some();
        let (ends, root) = (call.ends(), call.root.clone());
        if again {
            self.lose_patience_later(now, id);
        }
        let line = self.line(wait);
        if first {
            line.push_front(id)
        } else {
            line.push_back(id)
        }
        let waiting = line.len();
        let what = What::Queued { ends, queue: queue_of(wait), waiting };
        self.tell(id, &root, Leg::Queued, event_cause::NONE, what);
        self.attention = true;
    }

    /// A customer whom an agent sent back into a queue may lose patience again.
    pub(super) fn lose_patience_later(&mut self, now: Instant, id: CallId) {
        let Some(call) = self.calls.get(&id) else { return };
        let customer = call.parties.iter().find(|p| p.device.kind == DeviceKind::Outside).map(|p| p.id);
        if let (Some(leg), Some(span)) = (customer, self.config.callers.patience) {
            let patience = self.random.within(span);
            self.alarm(now + patience, Alarm::GiveUp(leg));
        }
    }

    fn line(&mut self, wait: Wait) -> &mut std::collections::VecDeque<CallId> {
        match wait {
            Wait::Queue(queue) => &mut self.queues[queue].waiting,
            Wait::Agent(agent) => &mut self.agents[agent].personal,
        }
    }

    /// A waiting call goes by another number now.
    pub(super) fn rename_waiting(&mut self, wait: Wait, from: CallId, to: CallId) {
        for call in self.line(wait).iter_mut().filter(|c| **c == from) {
            *call = to;
        }
    }

    /// Takes a call out of the line it waits in, silently.
    pub(super) fn withdraw(&mut self, id: CallId) {
        if let Some(wait) = self.calls.get_mut(&id).and_then(|c| c.wait.take()) {
            self.line(wait).retain(|c| *c != id);
        }
    }

    /// The agent who has been ready the longest, among those a call may go to.
    pub(super) fn free_agent(&self, wait: Wait) -> Option<usize> {
        match wait {
            Wait::Agent(agent) => self.is_free(agent).then_some(agent),
            Wait::Queue(queue) => (0..self.agents.len())
                .filter(|a| self.agents[*a].queues.contains(&queue) && self.is_free(*a))
                .min_by_key(|a| (self.agents[*a].since, *a)),
        }
    }

    fn is_free(&self, index: usize) -> bool {
        let agent = &self.agents[index];
        agent.state == AgentState::Available
            && self.online
            && agent
                .device
                .as_ref()
                .is_some_and(|d| self.phones.get(d).is_some_and(|p| p.in_service && p.calls.is_empty()))
    }

    /// Ends what has lost its reason, and matches waiting calls with free agents, the longest waiting call first.
    pub(crate) fn dispatch(&mut self, now: Instant) {
        self.end_monitors(now);
        while std::mem::take(&mut self.attention) {
            while let Some((id, wait, agent)) = self.best_match() {
                self.withdraw(id);
                let line = self.line(wait).len();
                if let Some(root) = self.calls.get(&id).map(|c| c.root.clone()) {
                    let what = What::Dequeued { queue: queue_of(wait), waiting: line };
                    self.tell(id, &root, Leg::Connect, event_cause::NONE, what);
                }
                self.offer(now, id, wait, agent);
            }
        }
    }

    fn best_match(&self) -> Option<(CallId, Wait, usize)> {
        let queues =
            self.queues.iter().enumerate().filter_map(|(i, q)| Some((*q.waiting.front()?, Wait::Queue(i))));
        let agents =
            self.agents.iter().enumerate().filter_map(|(i, a)| Some((*a.personal.front()?, Wait::Agent(i))));
        queues
            .chain(agents)
            .filter_map(|(id, wait)| {
                Some((self.calls.get(&id)?.waiting_since, id, wait, self.free_agent(wait)?))
            })
            .min_by_key(|(since, id, ..)| (*since, *id))
            .map(|(_, id, wait, agent)| (id, wait, agent))
    }

    /// Lets an agent's phone ring with a routed call (GED-188 event order: reserved, data, delivered).
    fn offer(&mut self, now: Instant, id: CallId, wait: Wait, agent: usize) {
        let Some(device) = self.agents[agent].device.as_ref().map(Device::phone) else { return };
        let Some(call) = self.calls.get_mut(&id) else { return };
        let queue = queue_of(wait);
        call.queue = queue.or(call.queue);
        for (key, value) in queue.iter().flat_map(|q| &self.queues[*q].variables) {
            Arc::make_mut(&mut call.data).set(key, value);
        }
        let (data, ends, root) = (call.data.clone(), call.ends(), call.root.clone());
        let (kind, disposition) = (call.kind, call.disposition);
        if self.config.behaviour.pre_call {
            self.push(Event::PreCall { agent, queue, data: data.clone() });
        }
        let leg = self.add_party(id, device.clone(), Leg::Alerting, true, false);
        self.agents[agent].outgoing = false;
        self.settle(now, agent);
        let update = What::DataUpdate { kind, disposition, data: data.clone() };
        self.tell(id, &root, Leg::Connect, event_cause::NONE, update);
        let what = What::Delivered { ends, queue, data };
        self.tell(id, &device, Leg::Alerting, event_cause::NONE, what);
        self.alarm(now + self.config.desk.ring_no_answer, Alarm::RingOut(leg));
        self.robot_hears(now, &device.id, leg);
    }

    /// Nobody picked up.
    pub(super) fn ring_out(&mut self, now: Instant, leg: LegId) {
        let Some((call, party)) = self.leg(leg).filter(|(_, p)| p.leg == Leg::Alerting) else { return };
        let (device, routed) = (party.device.clone(), party.routed);
        if !routed {
            return self.leave(now, call, &device.id, event_cause::CALL_NOT_ANSWERED);
        }
        let reason = self.because(Because::NotAnswered);
        if let Some(agent) = self.agent_at(&device.id) {
            self.agents[agent].base = Base::NotReady(reason);
            if !matches!(self.agents[agent].pending, Some(super::agent::Wish::Logout(_))) {
                self.agents[agent].pending = None;
            }
        }
        self.route_elsewhere(now, call, &device);
    }

    /// Takes a routed call from a ringing phone and routes it again, ahead of the others.
    pub(super) fn route_elsewhere(&mut self, now: Instant, id: CallId, device: &Device) {
        if self.remove_party(id, &device.id).is_none() {
            return;
        }
        let Some(call) = self.calls.get(&id) else { return };
        let to = call.called.clone().unwrap_or_else(|| call.root.clone());
        let wait = call.queue.map(Wait::Queue);
        let what = match self.config.behaviour.divert_on_no_answer {
            true => What::Diverted { to },
            false => What::ConnectionCleared,
        };
        self.tell(id, device, Leg::Null, event_cause::REDIRECTED, what);
        self.settle_at(now, device);
        match wait {
            Some(wait) => self.route(now, id, wait, true),
            // A call to this agent by name has nowhere else to go but to the first queue, if there is one.
            None if self.queues.is_empty() => self.finish(now, id, None),
            None => self.route(now, id, Wait::Queue(0), true),
        }
    }

    /// A customer hangs up unless somebody has answered.
    pub(super) fn give_up(&mut self, now: Instant, leg: LegId) {
        let Some((id, party)) = self.leg(leg) else { return };
        let (device, answered) = (party.device.id.clone(), self.calls.get(&id).is_some_and(|c| c.answered));
        if !answered {
            self.leave(now, id, &device, event_cause::NONE);
        }
    }

    /// The customer of a call hangs up; `false` when there is no such call or nobody outside on it.
    pub(crate) fn caller_hangs_up(&mut self, now: Instant, id: CallId) -> bool {
        if self.reservation(id).is_some() {
            self.abandon_reservation(now, id);
            return true;
        }
        let outside = |c: &super::call::Call| {
            c.parties.iter().find(|p| p.device.kind == DeviceKind::Outside).map(|p| p.device.id.clone())
        };
        match self.calls.get(&id).and_then(outside) {
            Some(device) => {
                self.leave(now, id, &device, event_cause::NONE);
                true
            }
            None => false,
        }
    }
}

pub(super) fn queue_of(wait: Wait) -> Option<usize> {
    match wait {
        Wait::Queue(queue) => Some(queue),
        Wait::Agent(_) => None,
    }
}
