//! Requests: from a message to an operation of the centre, and its outcome to a confirmation.

use std::time::Instant;

use super::{Scribe, confirm, connection_type, data, failure};
use crate::enums::{agent_state, control_failure_code as cf, cti_service as service, status_code};
use crate::sim::core::agent::Wish;
use crate::sim::core::assist::Cry;
use crate::sim::core::call::CallId;
use crate::sim::core::signon::{SignIn, StateRequest};
use crate::sim::core::supervise::Supervision;
use crate::sim::core::world::{Outcome, Refusal, World, refusal};
use crate::sim::session::Session;
use crate::{Dialect, Field, Kind, Message, Tag, field, kind, tag};

/// What goes back to the client that asked.
pub(crate) type Answer = Vec<Message>;

/// Carries out a request of an open session.
pub(crate) fn answer(
    scribe: &Scribe,
    world: &mut World,
    session: &mut Session,
    now: Instant,
    m: &Message,
) -> Answer {
    let invoke = m.invoke_id().unwrap_or(0);
    let Some(needs) = needed_services(m.kind).filter(|_| !lacks(scribe.dialect, m.kind)) else {
        return vec![failure(invoke_id_of(m), status_code::INVALID_MESSAGE_LENGTH)];
    };
    if session.services & needs != needs {
        return vec![failure(invoke, status_code::FUNCTION_NOT_AVAILABLE)];
    }
    if m.uint(field::PERIPHERAL_ID).is_some_and(|p| !is_peripheral(scribe, p)) {
        return vec![failure(invoke, status_code::INVALID_PERIPHERAL_ID)];
    }
    let client = session.client.clone();
    let request = Request { now, m, invoke, client: &client };
    match theme(m.kind) {
        Theme::Query => super::query::answer(scribe, world, now, m, invoke),
        Theme::Config => super::config::answer(scribe, world, session, now, m, invoke),
        Theme::Control => {
            vec![request.control(world).unwrap_or_else(|refused| control_failure(invoke, refused))]
        }
    }
}

/// What a request is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Theme {
    /// Asks for something; refused by FAILURE_CONF.
    Query,
    /// Asks for configuration or watches it; refused by FAILURE_CONF.
    Config,
    /// Wants something done; refused by CONTROL_FAILURE_CONF.
    Control,
}

pub(crate) fn theme(kind: Kind) -> Theme {
    match kind {
        kind::QUERY_AGENT_STATE_REQ
        | kind::SNAPSHOT_CALL_REQ
        | kind::SNAPSHOT_DEVICE_REQ
        | kind::QUERY_DEVICE_INFO_REQ
        | kind::AGENT_DESK_SETTINGS_REQ
        | kind::QUERY_AGENT_STATISTICS_REQ
        | kind::QUERY_SKILL_GROUP_STATISTICS_REQ => Theme::Query,
        kind::TEAM_CONFIG_REQ
        | kind::LIST_AGENT_TEAM_REQ
        | kind::MONITOR_AGENT_TEAM_START_REQ
        | kind::MONITOR_AGENT_TEAM_STOP_REQ
        | kind::CONFIG_REQUEST_KEY_EVENT
        | kind::CONFIG_REQUEST_EVENT => Theme::Config,
        _ => Theme::Control,
    }
}

/// The service bits a request needs; `None` for messages that a client cannot send, or that this server lacks.
fn needed_services(kind: Kind) -> Option<u32> {
    Some(match kind {
        kind::SET_CALL_DATA_REQ | kind::RELEASE_CALL_REQ => service::CALL_DATA_UPDATE,
        kind::SNAPSHOT_CALL_REQ | kind::SNAPSHOT_DEVICE_REQ => service::CLIENT_CONTROL | service::ALL_EVENTS,
        kind::LIST_AGENT_TEAM_REQ
        | kind::MONITOR_AGENT_TEAM_START_REQ
        | kind::MONITOR_AGENT_TEAM_STOP_REQ
        | kind::TEAM_CONFIG_REQ
        | kind::SUPERVISE_CALL_REQ => service::SUPERVISOR,
        kind::SUPERVISOR_ASSIST_REQ | kind::EMERGENCY_CALL_REQ => service::CLIENT_CONTROL,
        kind::CONFIG_REQUEST_KEY_EVENT | kind::CONFIG_REQUEST_EVENT => service::CONFIG_EVENTS,
        kind::QUERY_AGENT_STATE_REQ
        | kind::QUERY_DEVICE_INFO_REQ
        | kind::AGENT_DESK_SETTINGS_REQ
        | kind::QUERY_AGENT_STATISTICS_REQ
        | kind::QUERY_SKILL_GROUP_STATISTICS_REQ => 0,
        kind::SET_AGENT_STATE_REQ
        | kind::MAKE_CALL_REQ
        | kind::ANSWER_CALL_REQ
        | kind::HOLD_CALL_REQ
        | kind::RETRIEVE_CALL_REQ
        | kind::ALTERNATE_CALL_REQ
        | kind::RECONNECT_CALL_REQ
        | kind::CLEAR_CALL_REQ
        | kind::CLEAR_CONNECTION_REQ
        | kind::CONSULTATION_CALL_REQ
        | kind::CONFERENCE_CALL_REQ
        | kind::TRANSFER_CALL_REQ
        | kind::DEFLECT_CALL_REQ
        | kind::SEND_DTMF_SIGNAL_REQ
        | kind::START_RECORDING_REQ
        | kind::STOP_RECORDING_REQ => service::CLIENT_CONTROL,
        _ => return None,
    })
}

/// Requests that CCX does not have. It has recording, whose layouts its guide does not print.
fn lacks(dialect: Dialect, kind: Kind) -> bool {
    let absent = [
        kind::RELEASE_CALL_REQ,
        kind::DEFLECT_CALL_REQ,
        kind::LIST_AGENT_TEAM_REQ,
        kind::MONITOR_AGENT_TEAM_START_REQ,
        kind::MONITOR_AGENT_TEAM_STOP_REQ,
    ];
    dialect == Dialect::Ccx && absent.contains(&kind)
}

/// The InvokeID of a message that this server does not know: by convention the first four bytes.
fn invoke_id_of(m: &Message) -> u32 {
    let first = m.body().first_chunk::<4>().map(|b| u32::from_be_bytes(*b));
    m.invoke_id().or(first).unwrap_or(0)
}

/// CCX clients send 0 or 1 for its only peripheral.
pub(crate) fn is_peripheral(scribe: &Scribe, id: u32) -> bool {
    id == scribe.peripheral || (scribe.dialect == crate::Dialect::Ccx && id <= 1)
}

fn control_failure(invoke: u32, refused: Refusal) -> Message {
    confirm(kind::CONTROL_FAILURE_CONF, invoke)
        .with(field::FAILURE_CODE, refused.code)
        .with(field::PERIPHERAL_ERROR_CODE, refused.peripheral)
}

/// A request for control, being carried out.
struct Request<'a> {
    now: Instant,
    m: &'a Message,
    invoke: u32,
    /// ClientID of the session.
    client: &'a str,
}

/// Fields of a connection: call, device.
type Names = (Field, Tag);
const PLAIN: Names = (field::CONNECTION_CALL_ID, tag::CONNECTION_DEVICE_ID);
const ACTIVE: Names = (field::ACTIVE_CONNECTION_CALL_ID, tag::ACTIVE_CONNECTION_DEVICE_ID);
const HELD: Names = (field::HELD_CONNECTION_CALL_ID, tag::HELD_CONNECTION_DEVICE_ID);
const OTHER: Names = (field::OTHER_CONNECTION_CALL_ID, tag::OTHER_CONNECTION_DEVICE_ID);

impl Request<'_> {
    fn control(&self, world: &mut World) -> Outcome<Message> {
        let now = self.now;
        match self.m.kind {
            kind::SET_AGENT_STATE_REQ => self.set_agent_state(world)?,
            kind::MAKE_CALL_REQ => {
                let from = self.phone(ACTIVE.1);
                let call = world.make_call(now, from, self.dialed(), data::read(self.m))?;
                return Ok(self.new_call(world, kind::MAKE_CALL_CONF, call, from));
            }
            kind::CONSULTATION_CALL_REQ => {
                let from = self.phone(ACTIVE.1);
                let call =
                    world.consult(now, self.call(ACTIVE)?, from, self.dialed(), &data::read(self.m))?;
                return Ok(self.new_call(world, kind::CONSULTATION_CALL_CONF, call, from));
            }
            kind::ANSWER_CALL_REQ => {
                let device = self.phone(PLAIN.1);
                let call = match self.m.uint(PLAIN.0) {
                    Some(call) => CallId(call),
                    None => world.ringing_call(device)?,
                };
                world.answer(now, call, device)?;
            }
            kind::HOLD_CALL_REQ => world.hold(now, self.call(PLAIN)?, self.phone(PLAIN.1))?,
            kind::RETRIEVE_CALL_REQ => world.retrieve(now, self.call(HELD)?, self.phone(HELD.1))?,
            kind::ALTERNATE_CALL_REQ => {
                world.alternate(now, self.call(ACTIVE)?, self.call(OTHER)?, self.phone(ACTIVE.1))?;
            }
            kind::RECONNECT_CALL_REQ => {
                world.reconnect(now, self.call(ACTIVE)?, self.call(HELD)?, self.phone(ACTIVE.1))?;
            }
            kind::CLEAR_CALL_REQ => world.clear_call(now, self.call(PLAIN)?, self.phone(PLAIN.1))?,
            kind::CLEAR_CONNECTION_REQ => self.clear_connection(world)?,
            kind::TRANSFER_CALL_REQ => return self.transfer(world),
            kind::CONFERENCE_CALL_REQ => return self.conference(world),
            kind::SUPERVISE_CALL_REQ => return self.supervise(world),
            kind::SUPERVISOR_ASSIST_REQ | kind::EMERGENCY_CALL_REQ => return self.call_for_help(world),
            kind::DEFLECT_CALL_REQ => {
                let to = self.m.tag_text(tag::CALLED_DEVICE_ID).unwrap_or_default();
                world.deflect(now, self.call(PLAIN)?, self.phone(PLAIN.1), to)?;
            }
            kind::SEND_DTMF_SIGNAL_REQ => {
                let digits = self.m.tag_text(tag::DTMF_STRING).unwrap_or_default();
                world.send_dtmf(self.call(PLAIN)?, self.phone(PLAIN.1), digits)?;
            }
            kind::START_RECORDING_REQ => {
                let number = world.start_recording(self.call(PLAIN)?, self.phone(PLAIN.1))?;
                return Ok(confirm(kind::START_RECORDING_CONF, self.invoke)
                    .with(field::SESSION_ID, number)
                    .with(field::SERVER_DATA, number));
            }
            kind::STOP_RECORDING_REQ => world.stop_recording(self.call(PLAIN)?, self.phone(PLAIN.1))?,
            kind::SET_CALL_DATA_REQ => world.set_call_data(now, self.call(PLAIN)?, &data::read(self.m))?,
            kind::RELEASE_CALL_REQ => world.release(self.call(PLAIN)?)?,
            _ => return Err(refusal(cf::UNRECOGNIZED_OPERATION_REJECTION)),
        }
        Ok(confirm(Kind(self.m.kind.0 + 1), self.invoke))
    }

    /// The call of a connection.
    fn call(&self, names: Names) -> Outcome<CallId> {
        self.m.uint(names.0).map(CallId).ok_or(refusal(cf::INVALID_CSTA_CALL_IDENTIFIER))
    }

    /// The phone that acts: AgentInstrument, else the connection's device.
    fn phone(&self, device: Tag) -> &str {
        let instrument = self.m.tag_text(tag::AGENT_INSTRUMENT).filter(|i| !i.is_empty());
        let name = instrument.or_else(|| self.m.tag_text(device)).unwrap_or_default();
        name.split(';').next().unwrap_or_default()
    }

    fn dialed(&self) -> &str {
        self.m.tag_text(tag::DIALED_NUMBER).unwrap_or_default()
    }

    fn set_agent_state(&self, world: &mut World) -> Outcome {
        let m = self.m;
        let id = m.agent_id().unwrap_or_default();
        let forced = m.raw(field::FORCED_FLAG).unwrap_or(0);
        let wanted = m.raw(field::AGENT_STATE).unwrap_or(agent_state::UNKNOWN);
        let password =
            m.tag_value(tag::AGENT_PASSWORD).map(|v| v.as_bytes().or(v.as_text().map(str::as_bytes)));
        if wanted == agent_state::LOGIN {
            let sso = m.tag_uint(tag::SSO_ENABLED) == Some(1);
            let given = password.flatten().unwrap_or_default();
            return world.sign_in(
                self.now,
                SignIn {
                    agent: id,
                    password: (!sso).then_some(given),
                    instrument: m.tag_text(tag::AGENT_INSTRUMENT).unwrap_or_default(),
                    work_mode: m.raw(field::AGENT_WORK_MODE).unwrap_or(0),
                    forced: forced == 1,
                    check_only: forced == 2,
                },
            );
        }
        let reason = u16::try_from(m.raw(field::EVENT_REASON_CODE).unwrap_or(0)).unwrap_or(0);
        let wish = match wanted {
            agent_state::LOGOUT => Wish::Logout(reason),
            agent_state::NOT_READY => Wish::NotReady(reason),
            agent_state::AVAILABLE => Wish::Ready,
            agent_state::WORK_NOT_READY => Wish::Work,
            agent_state::WORK_READY => Wish::WorkReady,
            _ => return Err(refusal(cf::INVALID_OBJECT_STATE)),
        };
        // Agents are also known by the phone they sit at.
        let by_id = world.agent_index.get(id).copied();
        let by_phone = || world.phones.get(self.phone(tag::AGENT_EXTENSION)).and_then(|p| p.agent);
        let found = if id.is_empty() { by_phone() } else { by_id };
        let agent = found.ok_or(refusal(cf::INVALID_AGENT_ID_SPECIFIED))?;
        let supervisor = m.tag_text(tag::SUPERVISOR_ID).filter(|s| !s.is_empty());
        world.request_state(self.now, StateRequest { agent, wish, forced: forced == 1, supervisor })
    }

    fn new_call(&self, world: &World, kind: Kind, call: CallId, device: &str) -> Message {
        confirm(kind, self.invoke)
            .with(field::NEW_CONNECTION_CALL_ID, call.0)
            .with(field::NEW_CONNECTION_DEVICE_ID_TYPE, crate::enums::connection_device_id_type::STATIC)
            .with(field::LINE_TYPE, super::calls::line_of(world, call))
            .with_tag(tag::NEW_CONNECTION_DEVICE_ID, device)
    }

    fn clear_connection(&self, world: &mut World) -> Outcome {
        let leaving = self.m.tag_text(PLAIN.1).filter(|d| !d.is_empty());
        let requester = self.m.tag_text(tag::REQUESTING_DEVICE_ID).filter(|d| !d.is_empty());
        let requester = requester.unwrap_or_else(|| self.phone(PLAIN.1));
        world.clear_connection(self.now, self.call(PLAIN)?, leaving.unwrap_or(requester), requester)
    }

    fn transfer(&self, world: &mut World) -> Outcome<Message> {
        let (active, device) = (self.call(ACTIVE)?, self.phone(ACTIVE.1));
        let survivor = match self.m.uint(HELD.0) {
            Some(held) => {
                world.transfer(self.now, active, CallId(held), device)?;
                CallId(held)
            }
            None => {
                world.single_step_transfer(self.now, active, device, self.dialed())?;
                active
            }
        };
        Ok(self.merged(world, kind::TRANSFER_CALL_CONF, survivor))
    }

    fn conference(&self, world: &mut World) -> Outcome<Message> {
        let held = self.m.uint(HELD.0).ok_or(refusal(cf::ARBITRARY_CONF_OR_XFER_NOT_SUPPORTED))?;
        world.conference(self.now, CallId(held), self.call(ACTIVE)?, self.phone(ACTIVE.1))?;
        Ok(self.merged(world, kind::CONFERENCE_CALL_CONF, CallId(held)))
    }

    fn supervise(&self, world: &mut World) -> Outcome<Message> {
        let m = self.m;
        let text = |tags: [Tag; 3]| {
            tags.into_iter().find_map(|t| m.tag_text(t).filter(|text| !text.is_empty())).map(str::to_owned)
        };
        let by_id = || {
            let agent = world.agent_index.get(m.agent_id()?)?;
            world.agents[*agent].device.as_deref().map(str::to_owned)
        };
        let phone = text([tag::AGENT_INSTRUMENT, tag::AGENT_EXTENSION, tag::AGENT_CONNECTION_DEVICE_ID]);
        let agent = phone.or_else(by_id).ok_or(refusal(cf::INVALID_CSTA_DEVICE_IDENTIFIER))?;
        let own = [tag::SUPERVISOR_INSTRUMENT, tag::SUPERVISOR_CONNECTION_DEVICE_ID];
        let supervisor = text([own[0], own[1], own[1]]).unwrap_or_default();
        let call = world.supervise(
            self.now,
            Supervision {
                action: m.raw(field::SUPERVISORY_ACTION).unwrap_or(u32::MAX),
                agent_phone: agent.split(';').next().unwrap_or_default(),
                agent_call: m.uint(field::AGENT_CONNECTION_CALL_ID).map(CallId),
                supervisor_phone: supervisor.split(';').next().unwrap_or_default(),
                supervisor_call: m.uint(field::SUPERVISOR_CONNECTION_CALL_ID).map(CallId),
            },
        )?;
        Ok(confirm(kind::SUPERVISE_CALL_CONF, self.invoke)
            .with(field::CONNECTION_CALL_ID, call.0)
            .with(field::CONNECTION_DEVICE_ID_TYPE, crate::enums::connection_device_id_type::STATIC)
            .with_tag(tag::CONNECTION_DEVICE_ID, supervisor))
    }

    fn call_for_help(&self, world: &mut World) -> Outcome<Message> {
        let emergency = self.m.kind == kind::EMERGENCY_CALL_REQ;
        let phone = self.phone(PLAIN.1);
        let call = self.m.uint(PLAIN.0).map(CallId);
        let cry = Cry { phone, call, emergency, client: self.client };
        let Some(call) = world.call_for_help(self.now, cry)? else {
            return Ok(failure(self.invoke, status_code::SUPERVISOR_NOT_FOUND));
        };
        Ok(confirm(Kind(self.m.kind.0 + 1), self.invoke)
            .with(field::CONNECTION_CALL_ID, call.0)
            .with(field::CONNECTION_DEVICE_ID_TYPE, crate::enums::connection_device_id_type::STATIC)
            .with(field::LINE_TYPE, super::calls::line_of(world, call))
            .with_tag(tag::CONNECTION_DEVICE_ID, phone))
    }

    fn merged(&self, world: &World, kind: Kind, call: CallId) -> Message {
        let (root, parties) = match world.calls.get(&call) {
            Some(call) => (Some(call.root.clone()), call.devices()),
            None => (None, Vec::new()),
        };
        let mut m = confirm(kind, self.invoke)
            .with(field::NEW_CONNECTION_CALL_ID, call.0)
            .with(field::NUM_PARTIES, super::agents::count(parties.len()))
            .with(field::LINE_TYPE, super::calls::line_of(world, call));
        if let Some(root) = root {
            m.set(field::NEW_CONNECTION_DEVICE_ID_TYPE, connection_type(&root));
            m.push(tag::NEW_CONNECTION_DEVICE_ID, &*root.id);
        }
        super::calls::push_parties(&mut m, call, &parties);
        m
    }
}
