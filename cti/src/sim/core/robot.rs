//! Agents who act by themselves, as people at phones and desktops would: they sign in, answer, put customers on hold,
//! pass them on, do their work after the call and are ready again.

use std::sync::Arc;
use std::time::Instant;

use super::agent::{AgentState, Wish};
use super::call::{CallData, CallId, LegId};
use super::event::Leg;
use super::outbound::Stage;
use super::signon::{SignIn, StateRequest};
use super::world::{Alarm, Outcome, World};
use crate::enums::event_cause;
use crate::sim::config::{Robots, Span};

/// How long after an accepted direct preview a busy customer's tone is listened to.
const TONE: std::time::Duration = std::time::Duration::from_secs(10);

impl World {
    /// Appoints the robots of the configuration and lets them come to work.
    pub(super) fn start_robots(&mut self, now: Instant) {
        for (crew, robots) in self.config.robots.clone().iter().enumerate() {
            for index in 0..self.agents.len() {
                let named = robots.agents.iter().any(|id| **id == *self.agents[index].id);
                if self.agents[index].crew.is_none() && (named || robots.agents.is_empty()) {
                    self.agents[index].crew = Some(crew);
                    self.robot_later(now, index, robots.sign_in);
                }
            }
        }
    }

    fn crew(&self, agent: usize) -> Option<&Robots> {
        self.config.robots.get(self.agents[agent].crew?)
    }

    /// Lets a robot act after a while, unless his state has changed by then.
    fn robot_later(&mut self, now: Instant, agent: usize, span: Span) {
        let wait = self.random.within(span);
        let since = self.agents[agent].since;
        self.alarm(now + wait, Alarm::Robot { agent, since });
    }

    /// A robot's state has changed.
    pub(super) fn robot_sees(&mut self, now: Instant, agent: usize) {
        let Some(crew) = self.crew(agent) else { return };
        let span = match self.agents[agent].state {
            AgentState::NotReady => crew.ready,
            AgentState::WorkNotReady | AgentState::WorkReady => crew.work,
            AgentState::Reserved => crew.answer,
            AgentState::Hold => crew.hold,
            AgentState::Talking if crew.holds + crew.transfers > 0.0 => crew.answer,
            _ => return,
        };
        self.robot_later(now, agent, span);
    }

    /// A robot's phone rings.
    pub(super) fn robot_hears(&mut self, now: Instant, device: &str, leg: LegId) {
        let span = self.agent_at(device).and_then(|agent| self.crew(agent)).map(|crew| crew.answer);
        if let Some(span) = span {
            let wait = self.random.within(span);
            self.alarm(now + wait, Alarm::RobotAnswers(leg));
        }
    }

    pub(super) fn robot_answers(&mut self, now: Instant, leg: LegId) {
        let ringing = self.leg(leg).filter(|(_, p)| p.leg == Leg::Alerting);
        if let Some((id, device)) = ringing.map(|(id, p)| (id, p.device.id.clone())) {
            let outcome = self.answer(now, id, &device);
            shrug(outcome);
        }
    }

    /// A robot does what his state calls for.
    pub(super) fn robot_acts(&mut self, now: Instant, index: usize, since: Instant) {
        let (agent, Some(crew)) = (&self.agents[index], self.crew(index)) else { return };
        if agent.since != since {
            return;
        }
        let (holds, transfers, accepts) = (crew.holds, crew.transfers, crew.accepts);
        let phone = agent.device.clone();
        match (agent.state, phone) {
            (AgentState::Logout, _) => self.robot_signs_in(now, index),
            (AgentState::NotReady | AgentState::WorkNotReady | AgentState::WorkReady, _) => {
                let ready = StateRequest { agent: index, wish: Wish::Ready, forced: false, supervisor: None };
                shrug(self.request_state(now, ready));
            }
            (AgentState::Reserved, Some(phone)) => self.robot_responds(now, index, &phone, accepts),
            (AgentState::Talking, Some(phone)) => self.robot_talks(now, &phone, holds, transfers),
            (AgentState::Hold, Some(phone)) => {
                if let Some(call) = self.call_in(&phone, Leg::Hold) {
                    shrug(self.retrieve(now, call, &phone));
                }
            }
            _ => {}
        }
    }

    /// At the phone that has the agent's place in the list of phones, or any free one.
    fn robot_signs_in(&mut self, now: Instant, index: usize) {
        let free = |name: &&String| {
            self.phones.get(name.as_str()).is_some_and(|p| p.in_service && p.agent.is_none())
        };
        let own = self.config.extensions.get(index).filter(free);
        let Some(phone) = own.or_else(|| self.config.extensions.iter().find(free)).cloned() else { return };
        let id = self.agents[index].id.clone();
        let request = SignIn {
            agent: &id,
            password: None,
            instrument: &phone,
            work_mode: 0,
            forced: false,
            check_only: false,
        };
        shrug(self.sign_in(now, request));
    }

    /// Answers a reservation, or hangs up on a tone.
    fn robot_responds(&mut self, now: Instant, index: usize, phone: &str, accepts: f64) {
        if let Some((id, Stage::Offered)) = self.reservation_of(index).map(|(id, o)| (id, o.stage)) {
            let mut data = CallData::default();
            data.set("BAResponse", if self.random.chance(accepts) { "Accept" } else { "Reject" });
            shrug(self.set_call_data(now, id, &data));
            self.robot_later(now, index, Span { min: TONE, max: TONE });
        } else if let Some(call) = self.call_in(phone, Leg::Fail) {
            self.leave(now, call, phone, event_cause::NONE);
        }
    }

    /// Puts the customer on hold or passes him on to another queue, now and then.
    fn robot_talks(&mut self, now: Instant, phone: &Arc<str>, holds: f64, transfers: f64) {
        let Some(call) = self.call_in(phone, Leg::Connect) else { return };
        if self.random.chance(transfers) {
            let to = self.random.below(self.queues.len());
            if let Some(number) = self.queues.get(to).map(|q| q.entry.id.clone()) {
                shrug(self.single_step_transfer(now, call, phone, &number));
            }
        } else if self.random.chance(holds) {
            shrug(self.hold(now, call, phone));
        }
    }

    /// The call that a phone has in this state.
    pub(crate) fn call_in(&self, phone: &str, leg: Leg) -> Option<CallId> {
        let calls = &self.phones.get(phone)?.calls;
        calls.iter().copied().find(|id| self.calls.get(id).and_then(|c| c.leg(phone)) == Some(leg))
    }
}

/// What a robot wanted is refused: things have changed, and he waits for the next change.
fn shrug<T>(outcome: Outcome<T>) {
    if let Err(refused) = outcome {
        tracing::trace!(?refused, "a robot is refused");
    }
}
