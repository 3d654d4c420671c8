//! Agents who call their supervisor for help (GED-188 SUPERVISOR_ASSIST_REQ and EMERGENCY_CALL_REQ).

use std::time::Instant;

use super::agent::AgentState;
use super::call::{CallData, CallId};
use super::event::{Device, Event, Leg};
use super::place::Destination;
use super::world::{Outcome, World, refusal};
use crate::enums::{call_type, control_failure_code as cf};

/// A cry for help.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cry<'a> {
    /// The agent's phone.
    pub(crate) phone: &'a str,
    /// The call that it is about; `None`: no call.
    pub(crate) call: Option<CallId>,
    /// An emergency, not only a question.
    pub(crate) emergency: bool,
    /// Who asked: ClientID of the session.
    pub(crate) client: &'a str,
}

impl World {
    /// Calls a supervisor of the agent's team, as a consultation if there is a call to consult about. `None`: no
    /// supervisor can be reached.
    pub(crate) fn call_for_help(&mut self, now: Instant, cry: Cry<'_>) -> Outcome<Option<CallId>> {
        let from = self.phone_device(cry.phone)?;
        let agent = self.agent_at(cry.phone).ok_or(refusal(cf::PRIVILEGE_VIOLATION_ON_SPECIFIED_DEVICE))?;
        let view = self.view(cry.phone);
        if let Some(call) = cry.call {
            if self.connection(call, cry.phone)? != Leg::Connect {
                return Err(refusal(cf::NO_ACTIVE_CALL));
            }
            self.ordinary(call)?;
        }
        let calls = self.phones.get(cry.phone).map_or(0, |p| p.calls.len());
        if calls > 1 || (cry.call.is_none() && view.busy()) {
            return Err(refusal(cf::INVALID_OBJECT_STATE));
        }
        let Some(supervisor) = self.free_supervisor(agent) else { return Ok(None) };
        let mut data = CallData::default();
        if let Some(call) = cry.call {
            data = self.calls.get(&call).map(|c| (*c.data).clone()).unwrap_or_default();
            self.hold_leg(now, call, &from);
        } else {
            self.agents[agent].outgoing = true;
        }
        let kind = if cry.emergency { call_type::EMERGENCY } else { call_type::ASSIST };
        let id = self.dial(now, kind, &from, &Destination::Phone(supervisor), data);
        let (device, client) = (from.id, cry.client.to_owned());
        self.push(Event::Help { call: id, device, agent, emergency: cry.emergency, client });
        Ok(Some(id))
    }

    /// The phone of a supervisor of the agent's team whom nothing keeps; who is ready comes before who is not, then who
    /// has been so the longest.
    fn free_supervisor(&self, agent: usize) -> Option<Device> {
        let team = self.agents[agent].team;
        let free = |index: usize| {
            let other = &self.agents[index];
            let phone = other.device.as_ref()?;
            let idle = self.phones.get(phone).is_some_and(|p| p.in_service && p.calls.is_empty());
            let fits = index != agent && other.supervisor && other.team == team && idle;
            fits.then_some((other.state != AgentState::Available, other.since, index))
        };
        let (.., index) = (0..self.agents.len()).filter_map(free).min()?;
        self.agents[index].device.as_ref().map(Device::phone)
    }
}
