//! Queries, snapshots, configuration and teams.

use super::pair::{Pair, config};
use crate::enums::{agent_state, config_information as info, status_code};
use crate::sim::{Config, InboundCall};
use crate::{Dialect, Message, field, kind, tag};

#[test]
fn an_agent_is_found_by_id_or_phone() {
    let mut pair = Pair::open(config(), 20);
    pair.ready(&["1001"]);
    for (tag, text) in
        [(tag::AGENT_ID, "1001"), (tag::AGENT_INSTRUMENT, "2001"), (tag::AGENT_EXTENSION, "2001")]
    {
        pair.request(Message::new(kind::QUERY_AGENT_STATE_REQ).with(field::MRDID, 1i32).with_tag(tag, text));
        let conf = pair.take().remove(0);
        assert_eq!(conf.kind, kind::QUERY_AGENT_STATE_CONF);
        assert_eq!(conf.raw(field::AGENT_STATE), Some(agent_state::AVAILABLE));
        assert_eq!(conf.tag_text(tag::AGENT_EXTENSION), Some("2001"));
        assert_eq!(conf.groups(tag::SKILL_GROUP_NUMBER).len(), 2);
    }
    pair.request(Message::new(kind::QUERY_AGENT_STATE_REQ).with_tag(tag::AGENT_ID, "1002"));
    assert_eq!(pair.take()[0].raw(field::AGENT_STATE), Some(agent_state::LOGOUT));
    pair.request(Message::new(kind::QUERY_AGENT_STATE_REQ).with_tag(tag::AGENT_ID, "7777"));
    assert_eq!(pair.take()[0].raw(field::STATUS), Some(status_code::INVALID_AGENT_DATA));
}

#[test]
fn snapshots_show_calls_and_their_parties() {
    let mut pair = Pair::open(config(), 20);
    pair.ready(&["1001"]);
    let call = pair.answered("2001");
    pair.request(Message::new(kind::SNAPSHOT_DEVICE_REQ).with_tag(tag::AGENT_INSTRUMENT, "2001"));
    let device = pair.take().remove(0);
    assert_eq!((device.kind, device.raw(field::NUM_CALLS)), (kind::SNAPSHOT_DEVICE_CONF, Some(1)));
    assert_eq!(device.tag_uint(tag::CALL_CONNECTION_CALL_ID), Some(call));
    assert_eq!(device.tag_uint(tag::CALL_STATE), Some(3));
    pair.on_call(kind::SNAPSHOT_CALL_REQ, call, "2001");
    let snapshot = pair.take().remove(0);
    let parties = snapshot.groups(tag::CALL_CONNECTION_CALL_ID);
    let devices: Vec<_> = parties.iter().filter_map(|p| p.tag_text(tag::CALL_DEVICE_ID)).collect();
    assert_eq!(devices, ["5551234567", "2001"]);
    assert_eq!(snapshot.raw(field::NUM_CALL_DEVICES), Some(2));
    assert_eq!(snapshot.tag_text(tag::DNIS), Some("6001"));
    pair.on_call(kind::SNAPSHOT_CALL_REQ, call + 1, "2001");
    assert_eq!(pair.take()[0].raw(field::STATUS), Some(status_code::INVALID_CALLID));
}

#[test]
fn devices_and_desks_can_be_asked_about() {
    let mut pair = Pair::open(config(), 20);
    pair.request(Message::new(kind::QUERY_DEVICE_INFO_REQ).with_tag(tag::AGENT_INSTRUMENT, "2001"));
    assert_eq!(pair.take()[0].raw(field::NUM_LINES), Some(1));
    pair.request(Message::new(kind::QUERY_DEVICE_INFO_REQ).with_tag(tag::AGENT_INSTRUMENT, "1"));
    assert_eq!(pair.take()[0].raw(field::STATUS), Some(status_code::INVALID_DEVICE));
    pair.request(Message::new(kind::AGENT_DESK_SETTINGS_REQ).with_tag(tag::AGENT_ID, "1001"));
    let desk = pair.take().remove(0);
    assert_eq!(desk.raw(field::WRAPUP_DATA_INCOMING_MODE), Some(1));
    assert_eq!(desk.raw(field::RING_NO_ANSWER_TIME), Some(20));
}

#[test]
fn queues_have_numbers() {
    let mut pair = Pair::open(config(), 20);
    pair.ready(&["1001", "1002"]);
    pair.answered("2001");
    pair.set_state("1002", agent_state::NOT_READY, 0);
    pair.customer(&InboundCall::to_queue("5550001111", 1));
    pair.seconds(7);
    pair.customer(&InboundCall::to_queue("5550002222", 1));
    pair.take();
    pair.request(Message::new(kind::QUERY_SKILL_GROUP_STATISTICS_REQ).with(field::SKILL_GROUP_NUMBER, 1u32));
    let conf = pair.take().remove(0);
    for (field, value) in [
        (field::AGENTS_LOGGED_ON, 2),
        (field::AGENTS_TALKING_IN, 1),
        (field::AGENTS_NOT_READY, 1),
        (field::CALLS_Q_NOW, 2),
        (field::LONGEST_CALL_Q_NOW, 7),
        (field::HANDLED_CALLS_TODAY, 0),
    ] {
        assert_eq!(conf.raw(field), Some(value), "{field:?}");
    }
    pair.request(Message::new(kind::QUERY_SKILL_GROUP_STATISTICS_REQ).with(field::SKILL_GROUP_NUMBER, 9u32));
    assert_eq!(pair.take()[0].raw(field::STATUS), Some(status_code::INVALID_SKILL_GROUP));
}

#[test]
fn configuration_comes_in_blocks() {
    let mut pair = Pair::open(Config::demo(25, "finesse"), 24);
    pair.request(Message::new(kind::CONFIG_REQUEST_KEY_EVENT));
    let keys = pair.take().remove(0);
    assert_eq!(keys.kind, kind::CONFIG_KEY_EVENT);
    assert_eq!(keys.tag_bytes(tag::AGENT_CONFIG_KEY).map(<[u8]>::len), Some(8));
    let wanted =
        info::AGENT_INFORMATION | info::SKILL_GROUP_INFORMATION | info::AGENT_DESK_SETTINGS_INFORMATION;
    pair.request(Message::new(kind::CONFIG_REQUEST_EVENT).with(field::CONFIG_INFORMATION, wanted));
    let messages = pair.take();
    let kinds: Vec<_> = messages.iter().map(|m| m.kind).collect();
    let (begin, end) = (kind::CONFIG_BEGIN_EVENT, kind::CONFIG_END_EVENT);
    let agents = kind::CONFIG_AGENT_EVENT;
    let (skills, desk) = (kind::CONFIG_SKILL_GROUP_EVENT, kind::CONFIG_AGENT_DESK_SETTINGS_EVENT);
    assert_eq!(kinds, [begin, skills, end, begin, agents, agents, agents, end, begin, desk, end]);
    let ends: Vec<_> =
        messages.iter().filter(|m| m.kind == end).filter_map(|m| m.raw(field::CONFIG_END_STATUS)).collect();
    assert_eq!(ends, [5, 5, 0]);
    let records: usize = messages.iter().filter(|m| m.kind == agents).map(|m| m.records().len()).sum();
    assert_eq!(records, 25);
    let supervisor = &messages[4].records()[0];
    assert_eq!(supervisor.tag_uint(tag::AGENT_TYPE), Some(1));
    assert_eq!(supervisor.groups(tag::SKILL_GROUP_NUMBER).len(), 2);
}

#[test]
fn teams_come_by_either_mechanism() {
    let mut pair = Pair::open(Config::demo(25, "finesse"), 20);
    pair.request(Message::new(kind::TEAM_CONFIG_REQ).with(field::CONFIG_PARAM, 1u32));
    let messages = pair.take();
    assert_eq!(messages.len(), 4);
    assert_eq!(messages[2].records().len(), 5);
    assert_eq!(messages[3].kind, kind::TEAM_CONFIG_CONF);
    pair.request(Message::new(kind::LIST_AGENT_TEAM_REQ).with(field::SUPERVISOR_ID, 1011u32));
    let list = pair.take().remove(0);
    assert_eq!((list.raw(field::MORE), list.tag_uint(tag::TEAM_ID)), (Some(0), Some(2)));
    pair.request(Message::new(kind::LIST_AGENT_TEAM_REQ).with(field::SUPERVISOR_ID, 1002u32));
    assert_eq!(pair.take()[0].raw(field::STATUS), Some(status_code::SUPERVISOR_NOT_FOUND));
    pair.request(Message::new(kind::MONITOR_AGENT_TEAM_START_REQ).with(field::TEAM_ID, 2u32));
    let messages = pair.take();
    assert_eq!(messages[0].kind, kind::MONITOR_AGENT_TEAM_START_CONF);
    assert_eq!(messages[1].raw(field::NUMBER_OF_AGENTS), Some(10));
    let monitor = messages[0].raw(field::MONITOR_ID).expect("a monitor");
    pair.request(Message::new(kind::MONITOR_AGENT_TEAM_STOP_REQ).with(field::MONITOR_ID, monitor));
    assert_eq!(pair.take_kinds(), [kind::MONITOR_AGENT_TEAM_STOP_CONF]);
}

#[test]
fn ccx_configuration_uses_its_own_bits() {
    let mut config = config();
    config.dialect = Dialect::Ccx;
    let mut pair = Pair::open(config, 18);
    pair.request(Message::new(kind::CONFIG_REQUEST_EVENT).with(field::CONFIG_INFORMATION, 4u32));
    let messages = pair.take();
    assert_eq!(messages[1].kind, kind::CONFIG_AGENT_EVENT);
    assert_eq!(messages[1].records()[0].tag_uint(tag::AGENT_TYPE), Some(2), "a supervisor");
}
