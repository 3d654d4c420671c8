//! How an agent's visible state follows from his wishes and his phone.

use std::time::Instant;

use super::agent::{AgentState, Base, Wish};
use super::event::{AgentNews, Event, Leg};
use super::reason::Because;
use super::world::{Alarm, World};
use crate::Dialect;

/// What a phone does, as far as its agent's state depends on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PhoneView {
    /// In conversation.
    pub(crate) talking: bool,
    /// Listens to the conversation of another.
    pub(crate) monitoring: bool,
    /// Dialled, or hears a tone.
    pub(crate) dialling: bool,
    /// Has a call on hold.
    pub(crate) holding: bool,
    /// Rings with a call that was routed to the agent, or calls a customer of a campaign.
    pub(crate) reserved: bool,
    /// Rings with another call.
    pub(crate) ringing: bool,
    /// Talks on, or holds, a call that the centre routed here.
    pub(crate) engaged: bool,
}

impl PhoneView {
    /// Whether the phone can take no further call now.
    pub(crate) const fn busy(self) -> bool {
        self.converses() || self.dialling || self.reserved || self.ringing
    }

    /// Whether there is sound on the phone.
    pub(crate) const fn converses(self) -> bool {
        self.talking || self.monitoring
    }

    pub(crate) const fn idle(self) -> bool {
        !self.busy() && !self.holding
    }
}

impl World {
    pub(crate) fn view(&self, device: &str) -> PhoneView {
        let mut view = PhoneView::default();
        for call in self.phones.get(device).iter().flat_map(|p| &p.calls) {
            let Some((call_of, party)) = self.calls.get(call).and_then(|c| Some((c, c.party(device)?)))
            else {
                continue;
            };
            let brought = call_of.root.id != party.device.id || call_of.outreach.is_some();
            view.engaged |= brought && call_of.is_routed() && matches!(party.leg, Leg::Connect | Leg::Hold);
            match party.leg {
                Leg::Connect if self.monitors.contains_key(call) => view.monitoring = true,
                Leg::Connect => view.talking = true,
                Leg::Initiate | Leg::Fail if call_of.outreach.is_some() => view.reserved = true,
                Leg::Initiate | Leg::Queued | Leg::Fail => view.dialling = true,
                Leg::Hold => view.holding = true,
                Leg::Alerting if party.routed => view.reserved = true,
                Leg::Alerting => view.ringing = true,
                Leg::Null => {}
            }
        }
        view
    }

    /// Brings an agent's visible state in line with his phone.
    pub(super) fn settle(&mut self, now: Instant, index: usize) {
        let agent = &self.agents[index];
        let Some(device) = agent.device.clone().filter(|_| agent.signed_in()) else { return };
        let view = self.view(&device);
        let was = agent.state;
        let express = self.config.dialect == Dialect::Ccx;
        // In CCX only routed calls make an agent talk, on hold or not (Finesse guide, agent states of Unified CCX). So a
        // supervisor who only listens stays not ready.
        let talking = if express { view.engaged } else { view.converses() };
        if talking || (view.dialling && was.on_call()) {
            self.show(now, index, AgentState::Talking);
        } else if view.holding && !express {
            self.show(now, index, AgentState::Hold);
        } else if view.reserved {
            self.show(now, index, AgentState::Reserved);
        } else if was.on_call() {
            self.after_call(now, index);
        } else if !was.in_work() {
            self.rest(now, index);
        }
    }

    /// No call keeps the agent any more: work, or what he asked for, or what he was before.
    fn after_call(&mut self, now: Instant, index: usize) {
        let desk = &self.config.desk;
        let agent = &mut self.agents[index];
        let mode = if agent.outgoing { desk.wrap_up_outgoing } else { desk.wrap_up_incoming };
        let asked = matches!(agent.pending, Some(Wish::Work | Wish::WorkReady));
        let leaving = matches!(agent.pending, Some(Wish::Logout(_)));
        let supervised = std::mem::take(&mut agent.supervising);
        if supervised || leaving || !(asked || mode.is_required()) {
            return self.rest(now, index);
        }
        match agent.pending.take() {
            Some(Wish::Ready | Wish::WorkReady) => agent.base = Base::Ready,
            Some(Wish::NotReady(reason)) => agent.base = Base::NotReady(reason),
            Some(Wish::Work) if agent.base == Base::Ready => agent.base = Base::NotReady(0),
            Some(Wish::Work | Wish::Logout(_)) | None => {}
        }
        let ready = agent.base == Base::Ready;
        let ready = ready && self.config.dialect == Dialect::Cce;
        self.show(now, index, if ready { AgentState::WorkReady } else { AgentState::WorkNotReady });
        let timer = self.config.desk.work_timer;
        if !timer.is_zero() {
            self.alarm(now + timer, Alarm::WorkOver { agent: index, since: now });
        }
    }

    /// Fulfils what the agent asked for and shows him without a call.
    pub(super) fn rest(&mut self, now: Instant, index: usize) {
        let agent = &mut self.agents[index];
        match agent.pending.take() {
            Some(Wish::Logout(reason)) => return self.sign_out(now, index, reason),
            Some(Wish::NotReady(reason)) => agent.base = Base::NotReady(reason),
            Some(Wish::Ready) => agent.base = Base::Ready,
            Some(Wish::Work | Wish::WorkReady) | None => {}
        }
        // In CCX nobody is ready while he is on a call of his own.
        let own = |view: PhoneView| !view.reserved && (view.converses() || view.dialling || view.holding);
        let device = self.agents[index].device.as_ref();
        if self.config.dialect == Dialect::Ccx && device.is_some_and(|d| own(self.view(d))) {
            let reason = self.because(Because::PrivateCall);
            let agent = &mut self.agents[index];
            agent.base = if agent.base == Base::Ready { Base::NotReady(reason) } else { agent.base };
        }
        let state = self.agents[index].base.state();
        self.show(now, index, state);
    }

    pub(super) fn work_over(&mut self, now: Instant, index: usize, since: Instant) {
        let agent = &self.agents[index];
        if agent.state.in_work() && agent.since == since {
            self.rest(now, index);
        }
    }

    /// Makes `state` the agent's visible state and reports it, if it is another one.
    pub(super) fn show(&mut self, now: Instant, index: usize, state: AgentState) {
        let agent = &mut self.agents[index];
        let was = agent.state;
        if was == state {
            return;
        }
        agent.state = state;
        agent.since = now;
        self.attention |= state == AgentState::Available;
        self.report(now, index);
        if was.in_work() {
            self.close_windows(index);
        }
        self.robot_sees(now, index);
    }

    /// Reports the agent's present state.
    pub(super) fn report(&mut self, now: Instant, index: usize) {
        let news = self.agent_news(now, index);
        self.push(Event::Agent(news));
    }

    /// The agent's present state as an event tells it.
    pub(crate) fn agent_news(&self, now: Instant, index: usize) -> AgentNews {
        let agent = &self.agents[index];
        AgentNews {
            agent: index,
            state: agent.state,
            reason: agent.reason(),
            extension: agent.device.clone(),
            duration: now.saturating_duration_since(agent.since),
            next: agent.pending.map(Wish::state),
            outgoing: agent.outgoing,
            outbound: self.outbound_direction(index),
        }
    }

    pub(super) fn sign_out(&mut self, now: Instant, index: usize, reason: u16) {
        let agent = &mut self.agents[index];
        agent.base = Base::SignedOut;
        agent.pending = None;
        agent.logout_reason = reason;
        self.show(now, index, AgentState::Logout);
        let agent = &mut self.agents[index];
        let waiting = std::mem::take(&mut agent.personal);
        if let Some(phone) = agent.device.take().and_then(|d| self.phones.get_mut(&d)) {
            phone.agent = None;
        }
        for call in waiting {
            self.finish(now, call, None);
        }
    }
}
