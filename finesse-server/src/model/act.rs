//! `POST User/{id}/Dialogs` and `PUT Dialog/{id}`: calls made and acted on. What is allowed in the present state of a leg
//! is for the CTI server to judge; its refusal reaches the client as an event.

use cti::enums::control_failure_code as failure;
use cti::enums::{call_manner_type, call_placement_type, connection_device_id_type, consult_type};
use cti::field::Field;
use cti::kind::Kind;
use cti::tag::Tag;
use cti::{Message, field, kind, tag};

use super::Model;
use super::command::{DialogBody, Reply};
use super::dialog::{Connection, Leg};
use super::error::ApiError;
use super::requests::{Job, refused_here};
use super::seat::{Expect, Line};
use super::time::Now;
use super::variables;
use crate::authority::Operation;
use crate::directory::User;

/// The longest number that can be dialled, in bytes.
const NUMBER_BYTES: usize = 39;
/// The longest string of tones, in bytes.
const TONES: usize = 31;

/// Actions of `PUT Dialog/{id}` that are carried out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Action {
    Answer,
    Hold,
    Retrieve,
    Drop,
    Update,
    Consult,
    Transfer,
    Conference,
    TransferSst,
    SendDtmf,
    DropParticipant,
    Record,
    Dialer,
}

impl Action {
    fn parse(name: &str) -> Result<Self, ApiError> {
        Ok(match name {
            "ANSWER" => Self::Answer,
            "HOLD" => Self::Hold,
            "RETRIEVE" => Self::Retrieve,
            "DROP" => Self::Drop,
            "UPDATE_CALL_DATA" => Self::Update,
            "CONSULT_CALL" => Self::Consult,
            "TRANSFER" => Self::Transfer,
            "CONFERENCE" => Self::Conference,
            "TRANSFER_SST" => Self::TransferSst,
            "SEND_DTMF" => Self::SendDtmf,
            "PARTICIPANT_DROP" => Self::DropParticipant,
            "START_RECORDING" => Self::Record,
            "ACCEPT"
            | "CLOSE"
            | "REJECT"
            | "RECLASSIFY"
            | "UPDATE_SCHEDULED_CALLBACK"
            | "CANCEL_SCHEDULED_CALLBACK" => Self::Dialer,
            other => return Err(ApiError::invalid_input("The requested action is not known", other)),
        })
    }
}

pub(super) fn required<'a>(value: &'a Option<String>, name: &str) -> Result<&'a str, ApiError> {
    value.as_deref().filter(|v| !v.is_empty()).ok_or_else(|| ApiError::parameter_missing(name))
}

fn number<'a>(value: &'a Option<String>, name: &str) -> Result<&'a str, ApiError> {
    let text = required(value, name)?;
    if text.len() > NUMBER_BYTES || text.chars().any(|c| c.is_control() || !c.is_ascii()) {
        return Err(ApiError::invalid_input("The number is not valid", name));
    }
    Ok(text)
}

impl Model {
    /// `POST User/{id}/Dialogs`.
    pub(super) fn create_dialog(
        &mut self,
        now: Now,
        caller: &User,
        id: &str,
        body: Result<DialogBody, ApiError>,
        request_id: Option<String>,
    ) -> Result<Reply, ApiError> {
        let body = body?;
        let action = required(&body.requested_action, "requestedAction")?;
        let from = required(&body.from_address, "fromAddress")?;
        let to = number(&body.to_address, "toAddress")?;
        match action {
            "MAKE_CALL" => {}
            "SILENT_MONITOR" => return self.silent_monitor(now, caller, id, from, to, request_id),
            "BARGE_CALL" => {
                let monitor = body.associated_dialog_uri.as_deref().filter(|uri| !uri.is_empty());
                let monitor = monitor.ok_or_else(|| ApiError::parameter_missing("associatedDialogUri"))?;
                return self.barge(now, caller, id, (from, to, monitor), request_id);
            }
            other => return Err(ApiError::invalid_input("The requested action is not known", other)),
        }
        let at = self.position(Operation::MakeCall, caller, id)?;
        self.judge(Operation::ControlCall, caller, self.phone(from).1)?;
        if from == to {
            return Err(ApiError::invalid_destination(to));
        }
        let labelled = body.wrap_up_reason.is_some() || body.wrap_up_items.is_some();
        if labelled || (self.settings.ccx() && body.has_media_properties) {
            return Err(ApiError::invalid_input("The call cannot carry these data", "mediaProperties"));
        }
        let mut message = self
            .phone_request(at, kind::MAKE_CALL_REQ)
            .with(field::CALL_PLACEMENT_TYPE, call_placement_type::UNSPECIFIED)
            .with(field::CALL_MANNER_TYPE, call_manner_type::UNSPECIFIED)
            .with_tag(tag::DIALED_NUMBER, to);
        add_variables(&mut message, &body.call_variables)?;
        self.enqueue(now, at, Line::Phone, Job { message, expect: Expect::Made, request_id, by: None })?;
        Ok(Reply::Accepted)
    }

    /// `PUT Dialog/{id}`.
    pub(super) fn act_on_dialog(
        &mut self,
        now: Now,
        caller: &User,
        id: &str,
        body: Result<DialogBody, ApiError>,
        request_id: Option<String>,
    ) -> Result<Reply, ApiError> {
        let body = body?;
        let call = id.parse().ok().filter(|id: &u32| self.calls.dialog(*id).is_some());
        let call = call.ok_or_else(|| ApiError::dialog_not_found(id))?;
        let name = required(&body.requested_action, "requestedAction")?;
        if name != "UPDATE_CALL_DATA" {
            required(&body.target_media_address, "targetMediaAddress")?;
        }
        let action = Action::parse(name)?;
        if action == Action::DropParticipant {
            return self.drop_participant(now, caller, call, &body, request_id);
        }
        if action == Action::Record {
            return self.start_recording(now, caller, call, &body, request_id);
        }
        if action == Action::Dialer {
            return self.tell_dialer(now, caller, call, &body, request_id);
        }
        // Mandatory elements of an action come before the right to use it.
        let to = match action {
            Action::Consult | Action::TransferSst => number(&body.to_address, "toAddress")?,
            _ => "",
        };
        let tones = match action {
            Action::SendDtmf => self.tones(&body)?,
            _ => "",
        };
        let (at, leg, connection) = self.own_leg(caller, call, &body)?;
        if to == self.seats[at].view.extension && !to.is_empty() {
            return Err(ApiError::invalid_destination(to));
        }
        let (message, expect) = match action {
            Action::Update => (self.update_request(call, &connection, &body)?, Expect::Data(call)),
            Action::Consult => {
                if self.settings.ccx() && body.has_media_properties {
                    let message = "The call cannot carry these data";
                    return Err(ApiError::invalid_input(message, "mediaProperties"));
                }
                (self.consult_request(at, call, &connection, to), Expect::Consulted(call))
            }
            Action::Transfer | Action::Conference => {
                let conference = action == Action::Conference;
                let expect = if conference { Expect::Conferenced(call) } else { Expect::Transferred(call) };
                let Some(message) = self.join_request(at, call, &connection, conference) else {
                    // The answer is 202 as for every refusal that depends on the state of calls.
                    self.publish_error(at, expect, request_id, refused_here(failure::NO_ACTIVE_CALL));
                    return Ok(Reply::Accepted);
                };
                (message, expect)
            }
            Action::TransferSst => {
                let message = self.on_active(at, kind::TRANSFER_CALL_REQ, call, &connection);
                let message = message
                    .with(field::HELD_CONNECTION_CALL_ID, u32::MAX)
                    .with(field::HELD_CONNECTION_DEVICE_ID_TYPE, connection_device_id_type::NONE)
                    .with_tag(tag::DIALED_NUMBER, to);
                (message, Expect::Transferred(call))
            }
            Action::SendDtmf => {
                if leg == Leg::Held {
                    let message = "Tones cannot be sent while the call is held";
                    return Err(ApiError::new(401, "Invalid State", message, id));
                }
                let message = self.on_call(at, kind::SEND_DTMF_SIGNAL_REQ, call, &connection);
                (message.with_tag(tag::DTMF_STRING, tones), Expect::Nothing(call))
            }
            simple => self.simple_request(at, simple, call, &connection),
        };
        self.enqueue(now, at, Line::Phone, Job { message, expect, request_id, by: None })?;
        Ok(Reply::Accepted)
    }

    /// The agent, leg and connection that a request acts on: always the caller's own.
    pub(super) fn own_leg(
        &self,
        caller: &User,
        call: u32,
        body: &DialogBody,
    ) -> Result<(usize, Leg, Connection), ApiError> {
        let target = body.target_media_address.as_deref().filter(|t| !t.is_empty());
        let dialog = self.calls.dialog(call).ok_or_else(|| ApiError::dialog_not_found(call.to_string()))?;
        match target {
            Some(target) => self.judge(Operation::ControlCall, caller, self.phone(target).1)?,
            None => self.judge_call(Operation::TakePart, caller, dialog, |_| true)?,
        }
        let at = self.directory.position(&caller.id).ok_or_else(|| ApiError::user_not_found(&*caller.id))?;
        let party = dialog.parties.iter().find(|p| p.agent == Some(at));
        let party = party.ok_or_else(|| ApiError::invalid_destination(target.unwrap_or_default()))?;
        Ok((at, party.leg, party.connection.clone()))
    }

    fn tones<'a>(&self, body: &'a DialogBody) -> Result<&'a str, ApiError> {
        let Some((name, tones)) = body.action_params.first() else {
            return Err(ApiError::parameter_missing("actionParams"));
        };
        if name != "dtmfString" {
            return Err(ApiError::invalid_input("The parameter must be dtmfString", name));
        }
        let letters = if self.settings.ccx() { "" } else { "ABCD" };
        let valid = |c: char| c.is_ascii_digit() || "*#".contains(c) || letters.contains(c);
        if tones.is_empty() {
            return Err(ApiError::parameter_missing("dtmfString"));
        }
        if tones.len() > TONES || !tones.chars().all(valid) {
            return Err(ApiError::invalid_input("The tones are not valid", tones));
        }
        Ok(tones)
    }

    fn simple_request(
        &self,
        at: usize,
        action: Action,
        call: u32,
        connection: &Connection,
    ) -> (Message, Expect) {
        match action {
            Action::Answer => {
                (self.on_call(at, kind::ANSWER_CALL_REQ, call, connection), Expect::Answered(call))
            }
            Action::Hold => (self.on_call(at, kind::HOLD_CALL_REQ, call, connection), Expect::Held(call)),
            Action::Drop if self.calls.dialog(call).is_some_and(|d| d.is_monitor()) => {
                (self.stop_monitoring(at, call, connection), Expect::Dropped(call))
            }
            Action::Retrieve => {
                (self.named(at, kind::RETRIEVE_CALL_REQ, HELD, call, connection), Expect::Retrieved(call))
            }
            _ => (self.on_call(at, kind::CLEAR_CONNECTION_REQ, call, connection), Expect::Dropped(call)),
        }
    }

    fn update_request(
        &self,
        call: u32,
        connection: &Connection,
        body: &DialogBody,
    ) -> Result<Message, ApiError> {
        // Several labels are CCX's alone; elsewhere the element is one of those that mean nothing.
        let items = body.wrap_up_items.as_deref().filter(|_| self.settings.ccx());
        let wrap_up = items.map(variables::wrap_up_of).transpose()?.or(body.wrap_up_reason.clone());
        if body.call_variables.is_empty() && wrap_up.is_none() {
            return Err(ApiError::parameter_missing("mediaProperties"));
        }
        let mut message = self.data_request(call, connection);
        add_variables(&mut message, &body.call_variables)?;
        if let Some(reason) = &wrap_up {
            variables::add_wrap_up(&mut message, reason)?;
        }
        Ok(message)
    }

    /// A request to change data of a call, without the data.
    pub(super) fn data_request(&self, call: u32, connection: &Connection) -> Message {
        Message::new(kind::SET_CALL_DATA_REQ)
            .with(field::PERIPHERAL_ID, self.settings.peripheral_id)
            .with(field::CONNECTION_CALL_ID, call)
            .with(field::CONNECTION_DEVICE_ID_TYPE, connection.id_type)
            .with(field::CALL_TYPE, u32::from(u16::MAX))
            .with_tag(tag::CONNECTION_DEVICE_ID, connection.device.as_str())
    }

    fn consult_request(&self, at: usize, call: u32, connection: &Connection, to: &str) -> Message {
        self.on_active(at, kind::CONSULTATION_CALL_REQ, call, connection)
            .with(field::CONSULT_TYPE, consult_type::UNSPECIFIED)
            .with_tag(tag::DIALED_NUMBER, to)
    }

    /// Joins the held call with the agent's active one; `None` without an active one.
    fn join_request(
        &self,
        at: usize,
        held: u32,
        connection: &Connection,
        conference: bool,
    ) -> Option<Message> {
        let active = self.active_call(at, held)?;
        let leg = active.parties.iter().find(|p| p.agent == Some(at))?;
        let kind = if conference { kind::CONFERENCE_CALL_REQ } else { kind::TRANSFER_CALL_REQ };
        let message = self.on_active(at, kind, active.id, &leg.connection);
        Some(
            message
                .with(HELD.0, held)
                .with(HELD.1, connection.id_type)
                .with_tag(HELD.2, connection.device.as_str()),
        )
    }

    pub(super) fn phone_request(&self, at: usize, kind: Kind) -> Message {
        Message::new(kind)
            .with(field::PERIPHERAL_ID, self.settings.peripheral_id)
            .with_tag(tag::AGENT_INSTRUMENT, self.seats[at].phone())
    }

    fn named(
        &self,
        at: usize,
        kind: Kind,
        names: (Field, Field, Tag),
        call: u32,
        connection: &Connection,
    ) -> Message {
        self.phone_request(at, kind)
            .with(names.0, call)
            .with(names.1, connection.id_type)
            .with_tag(names.2, connection.device.as_str())
    }

    pub(super) fn on_call(&self, at: usize, kind: Kind, call: u32, connection: &Connection) -> Message {
        self.named(at, kind, PLAIN, call, connection)
    }

    fn on_active(&self, at: usize, kind: Kind, call: u32, connection: &Connection) -> Message {
        self.named(at, kind, ACTIVE, call, connection)
            .with(field::CALL_PLACEMENT_TYPE, call_placement_type::UNSPECIFIED)
            .with(field::CALL_MANNER_TYPE, call_manner_type::UNSPECIFIED)
    }
}

/// How requests name the connection they act on.
const PLAIN: (Field, Field, Tag) =
    (field::CONNECTION_CALL_ID, field::CONNECTION_DEVICE_ID_TYPE, tag::CONNECTION_DEVICE_ID);
const HELD: (Field, Field, Tag) =
    (field::HELD_CONNECTION_CALL_ID, field::HELD_CONNECTION_DEVICE_ID_TYPE, tag::HELD_CONNECTION_DEVICE_ID);
const ACTIVE: (Field, Field, Tag) = (
    field::ACTIVE_CONNECTION_CALL_ID,
    field::ACTIVE_CONNECTION_DEVICE_ID_TYPE,
    tag::ACTIVE_CONNECTION_DEVICE_ID,
);

fn add_variables(message: &mut Message, given: &[(String, String)]) -> Result<(), ApiError> {
    variables::add_to(message, given)?;
    let count = |tag| u32::try_from(message.all(tag).count()).unwrap_or(u32::MAX);
    let (scalars, elements) = (count(tag::NAMED_VARIABLE), count(tag::NAMED_ARRAY));
    message.set(field::NUM_NAMED_VARIABLES, scalars);
    message.set(field::NUM_NAMED_ARRAYS, elements);
    Ok(())
}
