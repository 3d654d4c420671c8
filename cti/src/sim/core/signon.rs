//! What agents, supervisors and administrators ask of an agent's state: sign-in, states, sign-out.

use std::time::Instant;

use super::agent::{AgentState, Base, Wish};
use super::reason::Because;
use super::world::{Outcome, World, refusal};
use crate::Dialect;
use crate::enums::control_failure_code as cf;
use crate::sim::config::WrapUp;

/// A request to sign in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SignIn<'a> {
    pub(crate) agent: &'a str,
    /// `None` when single sign-on vouches for the agent.
    pub(crate) password: Option<&'a [u8]>,
    /// The phone; for a mobile agent followed by `;` and his number.
    pub(crate) instrument: &'a str,
    pub(crate) work_mode: u32,
    /// Sign out whoever is in the way.
    pub(crate) forced: bool,
    /// Only check; change nothing.
    pub(crate) check_only: bool,
}

/// A request for another state.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StateRequest<'a> {
    pub(crate) agent: usize,
    pub(crate) wish: Wish,
    pub(crate) forced: bool,
    /// Id of the supervisor who asks, if it is not the agent.
    pub(crate) supervisor: Option<&'a str>,
}

impl World {
    pub(crate) fn sign_in(&mut self, now: Instant, request: SignIn<'_>) -> Outcome {
        let index = *self.agent_index.get(request.agent).ok_or(refusal(cf::INVALID_AGENT_ID_SPECIFIED))?;
        let agent = &self.agents[index];
        if request.password.is_some_and(|given| !agent.password.matches(given)) {
            return Err(refusal(cf::INVALID_PASSWORD_SPECIFIED));
        }
        if request.work_mode > 4 {
            return Err(refusal(cf::INVALID_AGENT_WORKMODE));
        }
        if request.check_only {
            return Ok(());
        }
        let name = request.instrument.split(';').next().unwrap_or_default();
        let phone = self.phones.get(name).filter(|p| p.in_service);
        let taken = phone.ok_or(refusal(cf::INVALID_LOGON_DEVICE_SPECIFIED))?.agent;
        if agent.signed_in() {
            if agent.device.as_deref() == Some(name) {
                self.report(now, index);
                return Ok(());
            }
            if !request.forced || agent.state.on_call() || agent.state == AgentState::Reserved {
                return Err(refusal(cf::SPECIFIED_AGENT_ALREADY_SIGNED_ON));
            }
        }
        if let Some(other) = taken {
            let busy = self.agents[other].state.on_call() || self.agents[other].state == AgentState::Reserved;
            if !request.forced || busy {
                return Err(refusal(cf::SPECIFIED_EXTENSION_ALREADY_IN_USE));
            }
            let reason = self.because(Because::PhoneTaken);
            self.sign_out(now, other, reason);
        }
        if self.agents[index].signed_in() {
            let reason = self.because(Because::SignedInElsewhere);
            self.sign_out(now, index, reason);
        }
        self.admit(now, index, name);
        Ok(())
    }

    fn admit(&mut self, now: Instant, index: usize, phone: &str) {
        let Some((name, _)) = self.phones.get_key_value(phone) else { return };
        let name = name.clone();
        if let Some(phone) = self.phones.get_mut(&name) {
            phone.agent = Some(index);
        }
        let reason = self.because(Because::SignedIn);
        let agent = &mut self.agents[index];
        agent.device = Some(name);
        agent.base = Base::NotReady(reason);
        agent.pending = None;
        agent.outgoing = false;
        self.show(now, index, AgentState::Login);
        self.settle(now, index);
    }

    pub(crate) fn request_state(&mut self, now: Instant, request: StateRequest<'_>) -> Outcome {
        let agent = &self.agents[request.agent];
        if !agent.signed_in() {
            return Err(refusal(cf::INVALID_OBJECT_STATE));
        }
        if let Some(id) = request.supervisor.filter(|id| **id != *agent.id) {
            let team = agent.team;
            let known = self.agent_index.get(id).map(|i| &self.agents[*i]);
            if !known.is_some_and(|s| s.supervisor && s.team == team) {
                return Err(refusal(cf::PRIVILEGE_VIOLATION_ON_SPECIFIED_DEVICE));
            }
        }
        let by_other = request.supervisor.is_some_and(|id| *id != *agent.id);
        match request.wish {
            Wish::Logout(reason) => self.wish_logout(now, request.agent, reason, request.forced || by_other),
            Wish::NotReady(reason) => self.wish_not_ready(now, request.agent, reason),
            Wish::Ready => self.wish_ready(now, request.agent),
            Wish::Work | Wish::WorkReady => self.wish_work(now, request.agent, request.wish),
        }
    }

    fn wish_logout(&mut self, now: Instant, index: usize, reason: u16, forced: bool) -> Outcome {
        let state = self.agents[index].state;
        // Express lets agents sign out while they are ready (Finesse guide, supported state transitions).
        let ready_will_do = self.config.dialect == Dialect::Ccx && state == AgentState::Available;
        if !forced && state != AgentState::NotReady && !ready_will_do {
            return Err(refusal(cf::INVALID_OBJECT_STATE));
        }
        if !forced && reason == 0 && self.config.desk.logout_reason_required {
            return Err(refusal(cf::REASON_CODE_REQUIRED));
        }
        let device = self.agents[index].device.clone().unwrap_or_default();
        if state.on_call() || state == AgentState::Reserved {
            self.later(now, index, Wish::Logout(reason));
        } else if self.view(&device).idle() {
            self.sign_out(now, index, reason);
        } else if forced {
            self.later(now, index, Wish::Logout(reason));
        } else {
            return Err(refusal(cf::INVALID_OBJECT_STATE));
        }
        Ok(())
    }

    fn wish_not_ready(&mut self, now: Instant, index: usize, reason: u16) -> Outcome {
        if reason == 0 && self.config.desk.not_ready_reason_required {
            return Err(refusal(cf::REASON_CODE_REQUIRED));
        }
        if let Some(reservation) = self.leaves_reservation(index)? {
            self.agents[index].base = Base::NotReady(reason);
            self.abandon_reservation(now, reservation);
            return Ok(());
        }
        let agent = &mut self.agents[index];
        match agent.state {
            AgentState::Talking if self.config.dialect == Dialect::Ccx && agent.pending.is_some() => {
                return Err(refusal(cf::RESOURCE_BUSY));
            }
            AgentState::Talking | AgentState::Hold | AgentState::Reserved => {
                self.later(now, index, Wish::NotReady(reason));
            }
            AgentState::NotReady => {
                let changed = agent.base != Base::NotReady(reason);
                agent.base = Base::NotReady(reason);
                if changed {
                    agent.since = now;
                    self.report(now, index);
                }
            }
            _ => {
                agent.base = Base::NotReady(reason);
                self.show(now, index, AgentState::NotReady);
            }
        }
        Ok(())
    }

    fn wish_ready(&mut self, now: Instant, index: usize) -> Outcome {
        let agent = &self.agents[index];
        let phone = agent.device.as_ref().and_then(|d| self.phones.get(d));
        if phone.is_some_and(|p| !p.in_service) {
            return Err(refusal(cf::RESOURCE_OUT_OF_SERVICE));
        }
        if let Some(reservation) = self.leaves_reservation(index)? {
            self.agents[index].base = Base::Ready;
            self.abandon_reservation(now, reservation);
            return Ok(());
        }
        let reserved = self.outbound_direction(index).is_some();
        let idle = self.agents[index].device.as_ref().is_none_or(|d| self.view(d).idle());
        let agent = &mut self.agents[index];
        match agent.state {
            AgentState::Reserved if reserved => self.later(now, index, Wish::Ready),
            AgentState::Reserved => return Err(refusal(cf::INVALID_OBJECT_STATE)),
            AgentState::Talking | AgentState::Hold if self.config.dialect == Dialect::Ccx => {
                return Err(refusal(cf::INVALID_AGENT_WORKMODE));
            }
            AgentState::Talking | AgentState::Hold => self.later(now, index, Wish::Ready),
            AgentState::Available => {}
            _ if self.config.dialect == Dialect::Ccx && !idle => return Err(refusal(cf::RESOURCE_BUSY)),
            _ => {
                agent.base = Base::Ready;
                self.show(now, index, AgentState::Available);
            }
        }
        Ok(())
    }

    /// The reservation that a request for another state ends: one by a campaign that does not ask its agents. CCX lets no
    /// agent leave it.
    fn leaves_reservation(&self, agent: usize) -> Outcome<Option<super::call::CallId>> {
        match self.reservation_of(agent) {
            Some((_, outreach)) if outreach.mode.asks() => Ok(None),
            Some(_) if self.config.dialect == Dialect::Ccx => Err(refusal(cf::GENERIC_OPERATION)),
            found => Ok(found.map(|(id, _)| id)),
        }
    }

    /// Work can only be asked for during a call, and only where the desk settings leave the choice.
    fn wish_work(&mut self, now: Instant, index: usize, wish: Wish) -> Outcome {
        let (agent, desk) = (&self.agents[index], &self.config.desk);
        let mode = if agent.outgoing { desk.wrap_up_outgoing } else { desk.wrap_up_incoming };
        let unknown = wish == Wish::WorkReady && self.config.dialect == Dialect::Ccx;
        if !agent.state.on_call() || mode == WrapUp::NotAllowed || unknown {
            return Err(refusal(cf::INVALID_AGENT_WORKMODE));
        }
        self.later(now, index, wish);
        Ok(())
    }

    /// Remembers a wish for the end of the call and reports it as the next state.
    fn later(&mut self, now: Instant, index: usize, wish: Wish) {
        self.agents[index].pending = Some(wish);
        self.report(now, index);
    }

    /// A phone goes out of service or comes back.
    pub(crate) fn set_in_service(&mut self, now: Instant, device: &str, in_service: bool) -> Outcome {
        let device = self.phone_device(device)?;
        let Some(phone) = self.phones.get_mut(&device.id) else { return Ok(()) };
        if phone.in_service == in_service {
            return Ok(());
        }
        phone.in_service = in_service;
        let (agent, calls) = (phone.agent, phone.calls.clone());
        self.push(super::event::Event::Instrument { device: device.id.clone(), in_service });
        if in_service {
            return Ok(());
        }
        let down = self.because(Because::PhoneDown);
        if let Some(index) = agent {
            let agent = &mut self.agents[index];
            agent.base = Base::NotReady(down);
            agent.pending = None;
            self.rest_unless_kept(now, index);
        }
        for call in calls {
            self.drop_phone(now, call, &device.id);
        }
        Ok(())
    }

    fn rest_unless_kept(&mut self, now: Instant, index: usize) {
        let state = self.agents[index].state;
        if !state.on_call() && state != AgentState::Reserved {
            self.rest(now, index);
        }
    }

    /// An administrator sets an agent's state, whatever the rules for agents say.
    pub(crate) fn overrule(&mut self, now: Instant, agent: &str, wish: Wish) -> Outcome {
        let index = *self.agent_index.get(agent).ok_or(refusal(cf::INVALID_AGENT_ID_SPECIFIED))?;
        self.request_state(now, StateRequest { agent: index, wish, forced: true, supervisor: None })
    }

    /// Signs out everybody whom no call keeps, the others after their calls.
    pub(crate) fn sign_out_all(&mut self, now: Instant, reason: u16) {
        for index in 0..self.agents.len() {
            if self.agents[index].signed_in() {
                // Forced sign-out of a signed-in agent is never refused.
                let _ = self.wish_logout(now, index, reason, true);
            }
        }
    }
}
