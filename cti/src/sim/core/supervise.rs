//! What supervisors do with the calls of their agents: listen in, join, take over (GED-188 SUPERVISE_CALL_REQ).
//!
//! To listen in is a call of its own from the supervisor's phone to the agent's. The agent's phone is named in it but not
//! occupied by it: it neither rings nor counts the call. To join makes that call a part of the agent's.

use std::sync::Arc;
use std::time::Instant;

use super::agent::AgentState;
use super::call::{CallData, CallId};
use super::event::{Device, DeviceKind, Leg, What};
use super::world::{Outcome, Refusal, World, refusal};
use crate::Dialect;
use crate::enums::{call_type, control_failure_code as cf, event_cause, supervisory_action as action};

/// The switch's codes that Finesse shows to supervisors: nothing to listen to in CCE and CCX, conference full, and
/// not the conference's controller or consulting.
const NOTHING_TO_MONITOR: u32 = 13145;
const NOTHING_TO_MONITOR_CCX: u32 = 88049;
const CONFERENCE_FULL: u32 = 20700;
const NOT_CONTROLLER: u32 = 20999;

/// A request to supervise a call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Supervision<'a> {
    /// GED-188 `SupervisoryAction`.
    pub(crate) action: u32,
    pub(crate) agent_phone: &'a str,
    /// The agent's call; by default the one the agent talks on.
    pub(crate) agent_call: Option<CallId>,
    pub(crate) supervisor_phone: &'a str,
    /// The supervisor's call; by default the one the supervisor listens on.
    pub(crate) supervisor_call: Option<CallId>,
}

/// To whom a supervisor listens.
#[derive(Clone, Debug)]
pub(crate) struct Monitored {
    pub(crate) call: CallId,
    pub(crate) phone: Arc<str>,
}

impl World {
    /// Carries out a request; the call on which the supervisor is, or was, by it.
    pub(crate) fn supervise(&mut self, now: Instant, request: Supervision<'_>) -> Outcome<CallId> {
        match request.action {
            action::MONITOR => self.monitor(now, request),
            action::CLEAR => self.stop_supervising(now, request),
            action::BARGE_IN => {
                let call = self.barge_in(now, request)?;
                self.note_joining(now, request, false);
                Ok(call)
            }
            action::INTERCEPT => {
                let agent = self.monitored(request)?.1.phone;
                let call = self.barge_in(now, request)?;
                self.note_joining(now, request, true);
                self.leave(now, call, &agent, event_cause::SUPERVISOR_INTERCEPT);
                Ok(call)
            }
            _ => Err(refusal(cf::INVALID_FEATURE)),
        }
    }

    fn note_joining(&mut self, now: Instant, request: Supervision<'_>, intercept: bool) {
        if let Some(supervisor) = self.agent_at(request.supervisor_phone) {
            self.with_ledger(|ledger, world| ledger.joined(world, now, supervisor, intercept));
        }
    }

    fn monitor(&mut self, now: Instant, request: Supervision<'_>) -> Outcome<CallId> {
        let (supervisor, agent) = self.supervisor_and_agent(request)?;
        if self.agents[supervisor].state != AgentState::NotReady
            || !self.view(request.supervisor_phone).idle()
        {
            return Err(refusal(cf::INVALID_OBJECT_STATE));
        }
        self.can_be_monitored(agent)?;
        let call = self.call_to_monitor(request)?;
        let from = self.phone_device(request.supervisor_phone)?;
        let phone = self.phone_device(request.agent_phone)?.id;
        let far = Device { kind: DeviceKind::Monitored, id: phone.clone() };
        let data = CallData {
            ani: Some(from.id.to_string()),
            dialed: Some(phone.to_string()),
            ..CallData::default()
        };
        let cause = event_cause::SUPERVISOR_MONITOR;
        let id = self.begin(now, call_type::SUPERVISOR_MONITOR, &from, Arc::new(data), cause);
        self.monitors.insert(id, Monitored { call, phone });
        self.agents[supervisor].outgoing = true;
        self.agents[supervisor].supervising = true;
        self.tell(id, &from, Leg::Initiate, cause, What::ServiceInitiated);
        self.tell(id, &from, Leg::Connect, cause, What::Originated { called: far.clone() });
        self.add_party(id, far.clone(), Leg::Connect, false, false);
        self.set_leg(id, &from.id, Leg::Connect);
        if let Some(call) = self.calls.get_mut(&id) {
            call.called = Some(far.clone());
            call.answered = true;
            let what = What::Established { ends: call.ends(), queue: None };
            self.tell(id, &far, Leg::Connect, cause, what);
        }
        self.media(id, &from, true);
        self.settle_at(now, &from);
        Ok(id)
    }

    fn supervisor_and_agent(&self, request: Supervision<'_>) -> Outcome<(usize, usize)> {
        let known = |phone: &str| match self.phones.get(phone) {
            Some(phone) => phone.agent.ok_or(refusal(cf::PRIVILEGE_VIOLATION_ON_SPECIFIED_DEVICE)),
            None => Err(refusal(cf::INVALID_CSTA_DEVICE_IDENTIFIER)),
        };
        let (supervisor, agent) = (known(request.supervisor_phone)?, known(request.agent_phone)?);
        let (boss, member) = (&self.agents[supervisor], &self.agents[agent]);
        match boss.supervisor && boss.team == member.team && supervisor != agent {
            true => Ok((supervisor, agent)),
            false => Err(refusal(cf::PRIVILEGE_VIOLATION_ON_SPECIFIED_DEVICE)),
        }
    }

    fn can_be_monitored(&self, agent: usize) -> Outcome {
        let peripheral = match (self.config.dialect, self.agents[agent].state) {
            (_, AgentState::Talking) => return Ok(()),
            (Dialect::Ccx, _) => NOTHING_TO_MONITOR_CCX,
            (Dialect::Cce, AgentState::Hold | AgentState::NotReady) => NOTHING_TO_MONITOR,
            (Dialect::Cce, _) => 0,
        };
        Err(Refusal { code: cf::INVALID_OBJECT_STATE, peripheral })
    }

    /// The call that the agent talks on. Those who listen in cannot be listened to, and only one supervisor can listen.
    fn call_to_monitor(&self, request: Supervision<'_>) -> Outcome<CallId> {
        let phone = request.agent_phone;
        let talks = |id: &CallId| self.connection(*id, phone) == Ok(Leg::Connect);
        let calls = self.phones.get(phone).map(|p| p.calls.as_slice()).unwrap_or_default();
        let active = calls.iter().copied().find(talks);
        let call = request.agent_call.or(active).ok_or(refusal(cf::NO_ACTIVE_CALL))?;
        if self.connection(call, phone)? != Leg::Connect {
            return Err(refusal(cf::NO_ACTIVE_CALL));
        }
        self.ordinary(call)?;
        match self.monitors.values().any(|m| m.call == call && *m.phone == *phone) {
            true => Err(refusal(cf::RESOURCE_BUSY)),
            false => Ok(call),
        }
    }

    /// Refuses what cannot be done with a call by which somebody listens in, or by which an agent is reserved.
    pub(super) fn ordinary(&self, id: CallId) -> Outcome {
        match self.monitors.contains_key(&id) || self.reservation(id).is_some() {
            true => Err(refusal(cf::INVALID_OBJECT_STATE)),
            false => Ok(()),
        }
    }

    /// The supervisor's listening call, and to whom.
    fn monitored(&self, request: Supervision<'_>) -> Outcome<(CallId, Monitored)> {
        let phone = request.supervisor_phone;
        let listens = |id: &CallId| self.calls.get(id).is_some_and(|c| *c.root.id == *phone);
        let wanted = |id: &CallId| request.supervisor_call.is_none_or(|call| call == *id) && listens(id);
        let found = self.monitors.iter().find(|(id, _)| wanted(id));
        found.map(|(id, m)| (*id, m.clone())).ok_or(refusal(cf::INVALID_OBJECT_STATE))
    }

    fn stop_supervising(&mut self, now: Instant, request: Supervision<'_>) -> Outcome<CallId> {
        let call = match request.supervisor_call {
            Some(call) => call,
            None => self.monitored(request)?.0,
        };
        let phone = self.phone_device(request.supervisor_phone)?;
        self.connection(call, &phone.id)?;
        if !self.agent_at(&phone.id).is_some_and(|a| self.agents[a].supervisor) {
            return Err(refusal(cf::PRIVILEGE_VIOLATION_ON_SPECIFIED_DEVICE));
        }
        self.leave(now, call, &phone.id, event_cause::SUPERVISOR_CLEAR);
        Ok(call)
    }

    /// The supervisor's call becomes a part of the agent's, whose agent controls the conference.
    fn barge_in(&mut self, now: Instant, request: Supervision<'_>) -> Outcome<CallId> {
        let (id, monitored) = self.monitored(request)?;
        let Monitored { call, phone } = monitored;
        if *phone != *request.agent_phone || request.agent_call.is_some_and(|asked| asked != call) {
            return Err(refusal(cf::INVALID_CSTA_CONNECTION_IDENTIFIER));
        }
        self.can_be_joined(call, &phone)?;
        let supervisor = self.phone_device(request.supervisor_phone)?;
        self.remove_party(id, &phone);
        let secondary = self.join(id, call);
        if let Some(call) = self.calls.get_mut(&call) {
            call.kind = call_type::CONFERENCE;
            call.controller = Some(phone.clone());
        }
        self.announce(call, secondary, Device::phone(&phone), Some(supervisor), What::Conferenced);
        self.settle_all(now, call);
        self.end(id);
        Ok(call)
    }

    fn can_be_joined(&self, id: CallId, phone: &str) -> Outcome {
        if self.connection(id, phone)? != Leg::Connect {
            return Err(refusal(cf::NO_ACTIVE_CALL));
        }
        let consults = self.phones.get(phone).is_some_and(|p| p.calls.len() > 1);
        let Some(call) = self.calls.get(&id) else {
            return Err(refusal(cf::INVALID_CSTA_CALL_IDENTIFIER));
        };
        if consults || call.controller.as_deref().is_some_and(|controller| controller != phone) {
            return Err(Refusal { code: cf::INVALID_OBJECT_STATE, peripheral: NOT_CONTROLLER });
        }
        if call.parties.len() >= self.config.behaviour.max_parties {
            let code = cf::CONFERENCE_MEMBER_LIMIT_EXCEEDED;
            return Err(Refusal { code, peripheral: CONFERENCE_FULL });
        }
        Ok(())
    }

    /// Who listens to a call that its agent has left listens no more.
    pub(super) fn end_monitors(&mut self, now: Instant) {
        let there = |m: &Monitored| {
            let call = self.calls.get(&m.call).filter(|c| c.is_live());
            matches!(call.and_then(|c| c.leg(&m.phone)), Some(Leg::Connect | Leg::Hold))
        };
        let over: Vec<CallId> = self.monitors.iter().filter(|(_, m)| !there(m)).map(|(id, _)| *id).collect();
        for id in over {
            let Some(root) = self.calls.get(&id).map(|c| c.root.id.clone()) else { continue };
            self.leave(now, id, &root, event_cause::NONE);
        }
    }
}
