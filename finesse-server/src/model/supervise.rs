//! What supervisors do with the calls of their agents: listen in, join, drop participants (Finesse guide, "Dialog":
//! Make a Silent Monitor Call, Make a Barge Call, Drop Participant from Conference).
//!
//! The call by which a supervisor listens names the agent, but it is none of the agent's: it is not in the agent's
//! collection, and nothing tells the agent of it.

use std::mem;
use std::sync::Arc;

use cti::enums::{connection_device_id_type, device_id_type, supervisory_action};
use cti::{Message, field, kind, tag};

use super::act::required;
use super::actions::{self, Actions};
use super::command::{DialogBody, Reply};
use super::dialog::{Connection, Dialog, Leg, Party};
use super::error::ApiError;
use super::requests::Job;
use super::seat::{Expect, Line};
use super::state::State;
use super::time::Now;
use super::{DropParticipantFor, Model};
use crate::authority::{self, Object, Operation};
use crate::directory::User;

/// Prefix of `associatedDialogUri`.
const DIALOG: &str = "/finesse/api/Dialog/";

/// A call and the connection by which a request names it.
type Named<'a> = Option<(u32, &'a Connection)>;

impl Model {
    /// `SILENT_MONITOR` of `POST User/{id}/Dialogs`.
    pub(super) fn silent_monitor(
        &mut self,
        now: Now,
        caller: &User,
        id: &str,
        from: &str,
        to: &str,
        request_id: Option<String>,
    ) -> Result<Reply, ApiError> {
        let (at, agent) = self.supervisor_and_agent(caller, id, from, to)?;
        if self.seats[at].view.state != State::NotReady {
            return Err(ApiError::invalid_state("state"));
        }
        let phone = self.seats[agent].phone();
        let call = self.talks_on(agent);
        let call = call.map(|(dialog, connection)| (dialog.id, connection));
        let message = self.supervise_request(at, supervisory_action::MONITOR, phone, call, None);
        let job = Job { message, expect: Expect::Monitoring, request_id, by: None };
        self.enqueue(now, at, Line::Phone, job)?;
        Ok(Reply::Accepted)
    }

    /// `BARGE_CALL` of `POST User/{id}/Dialogs`, with `fromAddress`, `toAddress` and `associatedDialogUri`.
    pub(super) fn barge(
        &mut self,
        now: Now,
        caller: &User,
        id: &str,
        (from, to, uri): (&str, &str, &str),
        request_id: Option<String>,
    ) -> Result<Reply, ApiError> {
        let monitor = uri.strip_prefix(DIALOG).and_then(|id| id.parse::<u32>().ok());
        let monitor = monitor.ok_or_else(|| ApiError::invalid_input("Not the URI of a dialog", uri))?;
        let (at, agent) = self.supervisor_and_agent(caller, id, from, to)?;
        let dialog = self.calls.dialog(monitor).ok_or_else(|| ApiError::dialog_not_found(uri))?;
        let own = dialog.parties.iter().find(|p| p.agent == Some(at) && p.leg == Leg::Active);
        let Some(own) = own.filter(|_| dialog.is_monitor()) else {
            return Err(ApiError::invalid_state(uri));
        };
        if !dialog.parties.iter().any(|p| p.address == to && p.leg.is_live()) {
            return Err(ApiError::invalid_destination(to));
        }
        // An agent who has put the call on hold cannot be joined.
        let talks = self.talks_on(agent).ok_or_else(|| ApiError::invalid_destination(to))?;
        let call = talks.0.id;
        let message = self.supervise_request(
            at,
            supervisory_action::BARGE_IN,
            self.seats[agent].phone(),
            Some((call, talks.1)),
            Some((monitor, &own.connection)),
        );
        let job = Job { message, expect: Expect::Barged(call), request_id, by: None };
        self.enqueue(now, at, Line::Phone, job)?;
        Ok(Reply::Accepted)
    }

    /// The positions of the supervisor who asks and of the agent at `to`.
    fn supervisor_and_agent(
        &self,
        caller: &User,
        id: &str,
        from: &str,
        to: &str,
    ) -> Result<(usize, usize), ApiError> {
        let at = self.position(Operation::MakeCall, caller, id)?;
        self.judge(Operation::Supervise, caller, Object::Nothing)?;
        self.judge(Operation::ControlCall, caller, self.phone(from).1)?;
        let (agent, phone) = self.phone(to);
        let agent = agent.filter(|agent| *agent != at).ok_or_else(|| ApiError::invalid_destination(to))?;
        self.judge(Operation::Supervise, caller, phone)?;
        Ok((at, agent))
    }

    /// The call on which an agent talks, and the agent's connection in it.
    pub(super) fn talks_on(&self, agent: usize) -> Option<(&Arc<Dialog>, &Connection)> {
        self.seats[agent].calls.iter().find_map(|id| {
            let dialog = self.calls.dialog(*id)?;
            let leg = dialog.parties.iter().find(|p| p.agent == Some(agent) && p.leg == Leg::Active)?;
            Some((dialog, &leg.connection))
        })
    }

    fn supervise_request(
        &self,
        at: usize,
        action: u32,
        agent_phone: &str,
        agent: Named<'_>,
        own: Named<'_>,
    ) -> Message {
        let id = |named: Named<'_>| named.map_or(u32::MAX, |(id, _)| id);
        let id_type = |named: Named<'_>| named.map_or(connection_device_id_type::NONE, |(_, c)| c.id_type);
        let mut message = Message::new(kind::SUPERVISE_CALL_REQ)
            .with(field::PERIPHERAL_ID, self.settings.peripheral_id)
            .with(field::AGENT_CONNECTION_CALL_ID, id(agent))
            .with(field::SUPERVISOR_CONNECTION_CALL_ID, id(own))
            .with(field::AGENT_CONNECTION_DEVICE_ID_TYPE, id_type(agent))
            .with(field::SUPERVISOR_CONNECTION_DEVICE_ID_TYPE, id_type(own))
            .with(field::SUPERVISORY_ACTION, action);
        for (tag, named) in
            [(tag::AGENT_CONNECTION_DEVICE_ID, agent), (tag::SUPERVISOR_CONNECTION_DEVICE_ID, own)]
        {
            if let Some((_, connection)) = named {
                message.push(tag, connection.device.as_str());
            }
        }
        message
            .with_tag(tag::AGENT_INSTRUMENT, agent_phone)
            .with_tag(tag::SUPERVISOR_INSTRUMENT, self.seats[at].phone())
    }

    /// `DROP` of a call by which the supervisor at `at` listens.
    pub(super) fn stop_monitoring(&self, at: usize, call: u32, own: &Connection) -> Message {
        let dialog = self.calls.dialog(call);
        let overheard = dialog.and_then(|d| d.parties.iter().find(|p| d.overhears(p)));
        let phone = overheard.map_or("", |p| p.address.as_str());
        self.supervise_request(at, supervisory_action::CLEAR, phone, None, Some((call, own)))
    }

    /// `PARTICIPANT_DROP` of `PUT Dialog/{id}`.
    pub(super) fn drop_participant(
        &mut self,
        now: Now,
        caller: &User,
        call: u32,
        body: &DialogBody,
        request_id: Option<String>,
    ) -> Result<Reply, ApiError> {
        if self.settings.ccx() {
            return Err(ApiError::not_implemented("PARTICIPANT_DROP"));
        }
        let target = required(&body.target_media_address, "targetMediaAddress")?;
        let dialog = self.calls.dialog(call).ok_or_else(|| ApiError::dialog_not_found(call.to_string()))?;
        let (at, own) = self.part_of(caller, dialog)?;
        if !self.may_drop(dialog, own) {
            return Err(ApiError::not_supervisor(&caller.id));
        }
        let place = dialog.parties.iter().position(|p| p.address == target && self.can_be_dropped(p));
        let place = place.ok_or_else(|| ApiError::invalid_destination(target))?;
        let connection = dialog.parties[place].connection.clone();
        let message = self
            .on_call(at, kind::CLEAR_CONNECTION_REQ, call, &connection)
            .with_tag(tag::REQUESTING_DEVICE_ID_TYPE, device_id_type::AGENT_DEVICE)
            .with_tag(tag::REQUESTING_DEVICE_ID, self.seats[at].phone());
        let job = Job { message, expect: Expect::Removed(call, place), request_id, by: None };
        self.enqueue(now, at, Line::Phone, job)?;
        Ok(Reply::Accepted)
    }

    /// The position of `caller` and the live leg in a call.
    ///
    /// # Errors
    /// 401 for those who are not on it.
    pub(super) fn part_of<'a>(
        &self,
        caller: &User,
        dialog: &'a Dialog,
    ) -> Result<(usize, &'a Party), ApiError> {
        self.judge_call(Operation::TakePart, caller, dialog, |p| p.leg.is_live())?;
        let at = self.directory.position(&caller.id).ok_or_else(|| ApiError::user_not_found(&*caller.id))?;
        let own = dialog.parties.iter().find(|p| p.agent == Some(at) && p.leg.is_live());
        Ok((at, own.ok_or_else(|| ApiError::other_user(&*caller.id))?))
    }

    /// Whether the deployment lets the agent behind `party` take out others.
    fn may_drop(&self, dialog: &Dialog, party: &Party) -> bool {
        let Some(seat) = party.agent else { return false };
        let supervisor = self.seats[seat].view.profile.user.roles.supervisor;
        let controller = dialog.controller.as_deref() == Some(&*party.address);
        authority::may_drop(self.settings.drop_participant_for, supervisor, controller)
    }

    fn can_be_dropped(&self, party: &Party) -> bool {
        let agent = party.agent.is_some() && party.leg.is_answered();
        let port = matches!(party.device_type, Some(device_id_type::ROUTE_POINT | device_id_type::CTI_PORT));
        let ports = self.settings.drop_participant_for != DropParticipantFor::SupervisorOnly;
        agent || (ports && port && party.leg.is_live())
    }

    /// Whether `PARTICIPANT_DROP` is among the actions of `party`.
    pub(super) fn may_drop_others(&self, dialog: &Dialog, party: &Party) -> bool {
        let conference = !self.settings.ccx() && party.leg == Leg::Active && dialog.live() > 2;
        conference && self.may_drop(dialog, party)
    }

    /// Actions in a call by which somebody listens.
    pub(super) fn actions_of_monitor(&self, dialog: &Dialog, party: &Party) -> Actions {
        match party.leg {
            _ if dialog.overhears(party) => Actions::NONE,
            Leg::Active if self.records() => {
                actions::DROP.and(actions::BARGE_CALL).and(actions::START_RECORDING)
            }
            Leg::Active => actions::DROP.and(actions::BARGE_CALL),
            leg if leg.is_live() => actions::DROP,
            _ => Actions::NONE,
        }
    }

    /// A participant whom somebody else wanted out is out.
    pub(super) fn close_removal(&mut self, now: Now, id: u32, address: &str) {
        let place = self.calls.dialog(id).and_then(|d| d.parties.iter().position(|p| p.address == address));
        let Some(place) = place else { return };
        for seat in self.agents_of(id) {
            self.close_seat(now, id, seat, Expect::Removed(id, place));
        }
    }

    /// Agents to whom somebody listens have no part in the listener's call: takes it from them before anything is
    /// published. The call's type may be told later than its parties.
    pub(super) fn hide_monitored(&mut self) {
        for at in 0..self.calls.dirty.len() {
            let id = self.calls.dirty[at];
            let Some(dialog) = self.calls.dialog(id).filter(|d| d.is_monitor()) else { continue };
            let hidden = |p: &Party| p.agent.is_some() && dialog.overhears(p);
            let places: Vec<usize> =
                (0..dialog.parties.len()).filter(|i| hidden(&dialog.parties[*i])).collect();
            for place in places {
                self.hide(id, place);
            }
        }
    }

    /// Takes a call from the agent at this place in it.
    pub(super) fn hide(&mut self, id: u32, place: usize) {
        let Some(party) = self.calls.dialog_mut(id).and_then(|d| d.parties.get_mut(place)) else { return };
        party.device_type = Some(device_id_type::AGENT_DEVICE);
        party.leaving = false;
        let listed = mem::take(&mut party.listed);
        let Some(seat) = party.agent.take() else { return };
        self.seats[seat].calls.retain(|call| *call != id);
        if listed && let Some(dialog) = self.calls.dialog(id).cloned() {
            self.publish_leave(seat, dialog, None);
        }
    }

    /// The dialog as its reader sees it: supervisors are offered to listen to agents who talk.
    pub(super) fn as_read_by(&self, caller: &User, dialog: &Arc<Dialog>) -> Arc<Dialog> {
        let offered = |p: &Party| {
            let Some(seat) = p.agent.filter(|_| p.leg == Leg::Active).map(|at| &self.seats[at]) else {
                return false;
            };
            let user = &seat.view.profile.user;
            seat.view.state == State::Talking
                && user.id != caller.id
                && self.directory.supervises(caller, user)
        };
        let mut dialog = dialog.clone();
        if !dialog.is_monitor() && dialog.parties.iter().any(offered) {
            let parties = &mut Arc::make_mut(&mut dialog).parties;
            for party in parties.iter_mut().filter(|p| offered(p)) {
                party.actions = party.actions.and(actions::SILENT_MONITOR);
            }
        }
        dialog
    }
}
