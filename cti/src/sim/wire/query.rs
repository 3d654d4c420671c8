//! Answers to queries and snapshots.

use std::time::Instant;

use super::agents::{count, seconds};
use super::calls::listed_type;
use super::{Scribe, confirm, connection_type, data, failure};
use crate::enums::{
    call_control_mask, class_of_device, desk_settings, line_type, status_code, type_of_device,
};
use crate::sim::core::call::CallId;
use crate::sim::core::world::World;
use crate::{Message, field, kind, tag};

pub(super) fn answer(scribe: &Scribe, world: &World, now: Instant, m: &Message, invoke: u32) -> Vec<Message> {
    let answer = match m.kind {
        kind::QUERY_AGENT_STATE_REQ => agent_state(scribe, world, m, invoke),
        kind::SNAPSHOT_CALL_REQ => snapshot_call(world, m, invoke),
        kind::SNAPSHOT_DEVICE_REQ => snapshot_device(world, m, invoke),
        kind::QUERY_DEVICE_INFO_REQ => device_info(scribe, world, m, invoke),
        kind::AGENT_DESK_SETTINGS_REQ => desk(scribe, world, m, invoke),
        kind::QUERY_AGENT_STATISTICS_REQ => super::statistics::of_agent(scribe, world, now, m, invoke),
        _ => super::statistics::of_queue(scribe, world, now, m, invoke),
    };
    vec![answer.unwrap_or_else(|status| failure(invoke, status))]
}

fn phone(m: &Message) -> &str {
    let name = m.tag_text(tag::AGENT_INSTRUMENT).or_else(|| m.tag_text(tag::AGENT_EXTENSION));
    name.unwrap_or_default().split(';').next().unwrap_or_default()
}

fn agent_state(scribe: &Scribe, world: &World, m: &Message, invoke: u32) -> Result<Message, u32> {
    let agent = find_agent(world, m).ok_or(status_code::INVALID_AGENT_DATA)?;
    Ok(scribe.agent_state_conf(world, agent, invoke))
}

/// The agent a query is about, by id or by the phone he is at.
pub(super) fn find_agent(world: &World, m: &Message) -> Option<usize> {
    let by_id = m.agent_id().filter(|id| !id.is_empty()).map(|id| world.agent_index.get(id).copied());
    by_id.unwrap_or_else(|| world.agent_at(phone(m)))
}

fn snapshot_call(world: &World, m: &Message, invoke: u32) -> Result<Message, u32> {
    let id = m.uint(field::CONNECTION_CALL_ID).map(CallId);
    let call = id.and_then(|id| world.calls.get(&id)).ok_or(status_code::INVALID_CALLID)?;
    let mut answer = confirm(kind::SNAPSHOT_CALL_CONF, invoke)
        .with(field::CALL_TYPE, call.kind)
        .with(field::NUM_CTI_CLIENTS, 0u32)
        .with(field::NUM_CALL_DEVICES, count(call.parties.len()))
        .with(field::CALLED_PARTY_DISPOSITION, call.disposition);
    data::push(&mut answer, &call.data);
    for party in call.parties.iter().take(16) {
        answer.push(tag::CALL_CONNECTION_CALL_ID, call.id.0);
        answer.push(tag::CALL_CONNECTION_DEVICE_ID_TYPE, connection_type(&party.device));
        answer.push(tag::CALL_CONNECTION_DEVICE_ID, &*party.device.id);
        answer.push(tag::CALL_DEVICE_TYPE, listed_type(&party.device));
        answer.push(tag::CALL_DEVICE_ID, &*party.device.id);
        answer.push(tag::CALL_DEVICE_CONNECTION_STATE, party.leg.code());
    }
    Ok(answer)
}

fn snapshot_device(world: &World, m: &Message, invoke: u32) -> Result<Message, u32> {
    let name = phone(m);
    let device = world.phones.get(name).ok_or(status_code::INVALID_DEVICE)?;
    let mut answer =
        confirm(kind::SNAPSHOT_DEVICE_CONF, invoke).with(field::NUM_CALLS, count(device.calls.len()));
    for call in &device.calls {
        let Some(party) = world.calls.get(call).and_then(|c| c.party(name)) else { continue };
        answer.push(tag::CALL_CONNECTION_CALL_ID, call.0);
        answer.push(tag::CALL_CONNECTION_DEVICE_ID_TYPE, connection_type(&party.device));
        answer.push(tag::CALL_CONNECTION_DEVICE_ID, name);
        answer.push(tag::CALL_STATE, party.leg.code());
    }
    Ok(answer)
}

fn device_info(scribe: &Scribe, world: &World, m: &Message, invoke: u32) -> Result<Message, u32> {
    if !world.phones.contains_key(phone(m)) {
        return Err(status_code::INVALID_DEVICE);
    }
    Ok(confirm(kind::QUERY_DEVICE_INFO_CONF, invoke)
        .with(field::PERIPHERAL_TYPE, scribe.peripheral_type())
        .with(field::TYPE_OF_DEVICE, type_of_device::STATION)
        .with(field::CLASS_OF_DEVICE, class_of_device::VOICE)
        .with(field::NUM_LINES, 1u32)
        .with(field::MAX_ACTIVE_CALLS, 1u32)
        .with(field::MAX_HELD_CALLS, 1u32)
        .with(field::MAX_DEVICES_IN_CONFERENCE, count(world.config.behaviour.max_parties))
        .with(field::CALL_EVENTS_SUPPORTED, u32::MAX)
        .with(field::CALL_CONTROL_SUPPORTED, CONTROL)
        .with_tag(tag::LINE_HANDLE, 0u32)
        .with_tag(tag::LINE_TYPE, line_type::UNKNOWN))
}

/// Every control request but MAKE_PREDICTIVE_CALL.
const CONTROL: u32 = 0x7_FFFF & !call_control_mask::MAKE_PREDICTIVE_CALL;

fn desk(scribe: &Scribe, world: &World, m: &Message, invoke: u32) -> Result<Message, u32> {
    if m.agent_id().is_some_and(|id| !id.is_empty() && !world.agent_index.contains_key(id)) {
        return Err(status_code::INVALID_AGENT_DATA);
    }
    let desk = &world.config.desk;
    Ok(confirm(kind::AGENT_DESK_SETTINGS_CONF, invoke)
        .with(field::PERIPHERAL_ID, scribe.peripheral)
        .with(field::DESK_SETTINGS_MASK, desk_mask(world))
        .with(field::WRAPUP_DATA_INCOMING_MODE, desk.wrap_up_incoming.code())
        .with(field::WRAPUP_DATA_OUTGOING_MODE, desk.wrap_up_outgoing.code())
        .with(field::RING_NO_ANSWER_TIME, seconds(desk.ring_no_answer))
        .with(field::WORK_MODE_TIMER, seconds(desk.work_timer))
        .with(field::RING_NO_ANSWER_DN, 0u32))
}

/// The desk settings that are yes or no.
pub(super) fn desk_mask(world: &World) -> u32 {
    use desk_settings as d;
    let desk = &world.config.desk;
    let mut mask = d::SUPERVISOR_CALLS_ALLOWED
        | d::AGENT_TO_AGENT_CALLS_ALLOWED
        | d::OUTBOUND_ACCESS_INTERNATIONAL
        | d::OUTBOUND_ACCESS_PUBLIC_NET
        | d::OUTBOUND_ACCESS_PRIVATE_NET
        | d::OUTBOUND_ACCESS_PBX;
    for (set, bit) in [
        (desk.not_ready_reason_required, d::IDLE_REASON_REQUIRED),
        (desk.logout_reason_required, d::LOGOUT_REASON_REQUIRED),
    ] {
        if set {
            mask |= bit;
        }
    }
    mask
}
