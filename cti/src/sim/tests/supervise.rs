//! Supervisors listen to calls, join them and take them over.

use super::pair::{Pair, config};
use crate::enums::{agent_state, call_type, control_failure_code as cf, supervisory_action as action};
use crate::sim::WrapUp;
use crate::{Dialect, Message, field, kind, tag};

fn supervise(pair: &mut Pair, action: u32, supervisor: &str, agent: &str) {
    pair.request(
        Message::new(kind::SUPERVISE_CALL_REQ)
            .with(field::AGENT_CONNECTION_CALL_ID, u32::MAX)
            .with(field::SUPERVISOR_CONNECTION_CALL_ID, u32::MAX)
            .with(field::SUPERVISORY_ACTION, action)
            .with_tag(tag::AGENT_INSTRUMENT, agent)
            .with_tag(tag::SUPERVISOR_INSTRUMENT, supervisor),
    );
}

/// Failure code and the switch's own.
fn refused(pair: &mut Pair) -> Option<(u32, u32)> {
    let messages = pair.take();
    let m = messages.iter().find(|m| m.kind == kind::CONTROL_FAILURE_CONF)?;
    Some((m.raw(field::FAILURE_CODE)?, m.raw(field::PERIPHERAL_ERROR_CODE)?))
}

/// 1001 supervises, not ready; 1002 talks to a customer. The customer's call.
fn staffed(pair: &mut Pair) -> u32 {
    pair.login("1001");
    pair.ready(&["1002"]);
    pair.answered("2002")
}

/// The same with 1001 listening; the customer's and the supervisor's call.
fn listening(pair: &mut Pair) -> (u32, u32) {
    let call = staffed(pair);
    supervise(pair, action::MONITOR, "2001", "2002");
    let messages = pair.take();
    assert_eq!(messages[0].kind, kind::SUPERVISE_CALL_CONF);
    (call, messages[0].uint(field::CONNECTION_CALL_ID).expect("the new call"))
}

#[test]
fn a_supervisor_listens_and_stops() {
    let mut pair = Pair::open(config(), 20);
    let call = staffed(&mut pair);
    supervise(&mut pair, action::MONITOR, "2001", "2002");
    assert_eq!(
        pair.story(),
        [
            "SUPERVISE_CONF",
            "BEGIN_CALL",
            "SERVICE_INITIATED 2001 INITIATE",
            "ORIGINATED 2001 CONNECT",
            "ESTABLISHED 2002 CONNECT",
            "1001 TALKING"
        ]
    );
    let snapshot = pair.exchange.world.snapshot();
    let monitor = &snapshot.calls[1];
    assert_eq!(monitor.call_type, call_type::SUPERVISOR_MONITOR);
    let parties: Vec<_> = monitor.parties.iter().map(|p| (p.device.as_str(), p.state)).collect();
    assert_eq!(parties, [("2001", "CONNECT"), ("2002", "CONNECT")]);
    // The agent notices nothing: holds, retrieves, cannot act on the other call.
    pair.on_call(kind::HOLD_CALL_REQ, call, "2002");
    pair.on_call(kind::RETRIEVE_CALL_REQ, call, "2002");
    assert_eq!((refused(&mut pair), pair.state_of("1002")), (None, "TALKING"));
    pair.on_call(kind::CLEAR_CONNECTION_REQ, monitor.id.0, "2002");
    assert_eq!(refused(&mut pair), Some((cf::INVALID_CSTA_CONNECTION_IDENTIFIER, 0)));
    // Nor can the supervisor do anything else than stop.
    pair.on_call(kind::HOLD_CALL_REQ, monitor.id.0, "2001");
    assert_eq!(refused(&mut pair), Some((cf::INVALID_OBJECT_STATE, 0)));
    supervise(&mut pair, action::CLEAR, "2001", "2002");
    assert_eq!(
        pair.story(),
        ["SUPERVISE_CONF", "CONNECTION_CLEARED 2001 NULL", "CLEARED 2001 NULL", "1001 NOT_READY", "END_CALL"]
    );
    assert_eq!(pair.exchange.world.snapshot().calls.len(), 1);
}

#[test]
fn listening_ends_with_the_agents_call() {
    let mut pair = Pair::open(config(), 20);
    let (call, _) = listening(&mut pair);
    pair.on_call(kind::CLEAR_CONNECTION_REQ, call, "2002");
    let story = pair.story();
    assert_eq!(story[story.len() - 2..], ["1001 NOT_READY", "END_CALL"]);
    assert!(pair.exchange.world.calls.is_empty());
}

#[test]
fn listening_ends_with_a_blind_transfer() {
    let mut pair = Pair::open(config(), 20);
    let (call, monitor) = listening(&mut pair);
    pair.request(
        Message::new(kind::TRANSFER_CALL_REQ)
            .with(field::ACTIVE_CONNECTION_CALL_ID, call)
            .with_tag(tag::ACTIVE_CONNECTION_DEVICE_ID, "2002")
            .with_tag(tag::AGENT_INSTRUMENT, "2002")
            .with_tag(tag::DIALED_NUMBER, "5559876543"),
    );
    let messages = pair.take();
    let end = messages.iter().find(|m| m.kind == kind::END_CALL_EVENT).expect("the end of listening");
    assert_eq!(end.uint(field::CONNECTION_CALL_ID), Some(monitor));
    assert_eq!(pair.state_of("1001"), "NOT_READY");
}

#[test]
fn who_may_listen_to_whom() {
    let mut config = config();
    config.teams.push(crate::sim::TeamConfig { id: 7, name: "Others".into() });
    config.agents[3].team = 7;
    let mut pair = Pair::open(config, 20);
    let call = staffed(&mut pair);
    pair.login("1003");
    pair.login("1004");
    pair.take();
    let theirs = cf::PRIVILEGE_VIOLATION_ON_SPECIFIED_DEVICE;
    for (supervisor, agent, expected) in [
        ("2003", "2002", (theirs, 0)),
        ("2001", "2004", (theirs, 0)),
        ("2001", "2001", (theirs, 0)),
        ("2001", "9999", (cf::INVALID_CSTA_DEVICE_IDENTIFIER, 0)),
        ("2001", "2003", (cf::INVALID_OBJECT_STATE, 13145)),
    ] {
        supervise(&mut pair, action::MONITOR, supervisor, agent);
        assert_eq!(refused(&mut pair), Some(expected), "{supervisor} {agent}");
    }
    pair.set_state("1003", agent_state::AVAILABLE, 0);
    supervise(&mut pair, action::MONITOR, "2001", "2003");
    assert_eq!(refused(&mut pair), Some((cf::INVALID_OBJECT_STATE, 0)), "ready");
    pair.on_call(kind::HOLD_CALL_REQ, call, "2002");
    supervise(&mut pair, action::MONITOR, "2001", "2002");
    assert_eq!(refused(&mut pair), Some((cf::INVALID_OBJECT_STATE, 13145)), "on hold");
    pair.on_call(kind::RETRIEVE_CALL_REQ, call, "2002");
    pair.set_state("1001", agent_state::AVAILABLE, 0);
    supervise(&mut pair, action::MONITOR, "2001", "2002");
    assert_eq!(refused(&mut pair), Some((cf::INVALID_OBJECT_STATE, 0)), "the supervisor is ready");
    supervise(&mut pair, action::BARGE_IN, "2001", "2002");
    assert_eq!(refused(&mut pair), Some((cf::INVALID_OBJECT_STATE, 0)), "does not listen");
    supervise(&mut pair, action::WHISPER, "2001", "2002");
    assert_eq!(refused(&mut pair), Some((cf::INVALID_FEATURE, 0)));
}

#[test]
fn a_supervisor_joins_and_drops_the_agent() {
    let mut pair = Pair::open(config(), 20);
    let (call, monitor) = listening(&mut pair);
    supervise(&mut pair, action::BARGE_IN, "2001", "2002");
    let messages = pair.take();
    assert_eq!(messages[0].uint(field::CONNECTION_CALL_ID), Some(call));
    let merged = messages.iter().find(|m| m.kind == kind::CALL_CONFERENCED_EVENT).expect("the conference");
    assert_eq!(merged.uint(field::PRIMARY_CALL_ID), Some(call));
    assert_eq!(merged.uint(field::SECONDARY_CALL_ID), Some(monitor));
    assert_eq!(merged.tag_text(tag::CONTROLLER_DEVICE_ID), Some("2002"));
    assert_eq!(merged.tag_text(tag::ADDED_PARTY_DEVICE_ID), Some("2001"));
    let parties = merged.groups(tag::CONNECTED_PARTY_CALL_ID);
    let names: Vec<_> = parties.iter().filter_map(|p| p.tag_text(tag::CONNECTED_PARTY_DEVICE_ID)).collect();
    assert_eq!(names, ["5551234567", "2002", "2001"]);
    let end = messages.last().expect("events");
    assert_eq!((end.kind, end.uint(field::CONNECTION_CALL_ID)), (kind::END_CALL_EVENT, Some(monitor)));
    assert_eq!((pair.state_of("1001"), pair.state_of("1002")), ("TALKING", "TALKING"));
    pair.request(
        Message::new(kind::CLEAR_CONNECTION_REQ)
            .with(field::CONNECTION_CALL_ID, call)
            .with_tag(tag::CONNECTION_DEVICE_ID, "2002")
            .with_tag(tag::AGENT_INSTRUMENT, "2001")
            .with_tag(tag::REQUESTING_DEVICE_ID, "2001"),
    );
    assert_eq!(pair.story(), ["CLEAR_CONNECTION_CONF", "CONNECTION_CLEARED 2002 NULL", "1002 AVAILABLE"]);
    pair.seconds(60);
    assert!(pair.exchange.world.calls.is_empty());
    assert_eq!(pair.state_of("1001"), "NOT_READY");
}

#[test]
fn to_intercept_is_to_join_without_the_agent() {
    let mut config = config();
    config.desk.wrap_up_outgoing = WrapUp::Required;
    let mut pair = Pair::open(config, 20);
    let (call, _) = listening(&mut pair);
    supervise(&mut pair, action::INTERCEPT, "2001", "2002");
    assert_eq!(pair.take()[0].kind, kind::SUPERVISE_CALL_CONF);
    let snapshot = pair.exchange.world.snapshot();
    let parties: Vec<_> = snapshot.calls[0].parties.iter().map(|p| p.device.as_str()).collect();
    assert_eq!((snapshot.calls[0].id.0, parties), (call, vec!["5551234567", "2001"]));
    assert_eq!(pair.state_of("1002"), "AVAILABLE");
    pair.on_call(kind::CLEAR_CONNECTION_REQ, call, "2001");
    assert_eq!(pair.state_of("1001"), "NOT_READY", "no work after somebody else's call");
}

#[test]
fn a_conference_is_joined_through_its_controller_and_while_there_is_room() {
    let mut config = config();
    config.behaviour.max_parties = 3;
    let mut pair = Pair::open(config, 20);
    let call = staffed(&mut pair);
    pair.login("1003");
    let consult = pair.consult(call, "2002", "2003");
    pair.on_call(kind::ANSWER_CALL_REQ, consult, "2003");
    supervise(&mut pair, action::MONITOR, "2001", "2002");
    pair.take();
    supervise(&mut pair, action::BARGE_IN, "2001", "2002");
    assert_eq!(refused(&mut pair), Some((cf::INVALID_OBJECT_STATE, 20999)), "consults");
    supervise(&mut pair, action::CLEAR, "2001", "2002");
    pair.on_calls(kind::CONFERENCE_CALL_REQ, consult, call, "2002");
    supervise(&mut pair, action::MONITOR, "2001", "2003");
    pair.take();
    supervise(&mut pair, action::BARGE_IN, "2001", "2003");
    assert_eq!(refused(&mut pair), Some((cf::INVALID_OBJECT_STATE, 20999)), "2002 controls it");
    supervise(&mut pair, action::CLEAR, "2001", "2003");
    supervise(&mut pair, action::MONITOR, "2001", "2002");
    pair.take();
    supervise(&mut pair, action::BARGE_IN, "2001", "2002");
    assert_eq!(refused(&mut pair), Some((cf::CONFERENCE_MEMBER_LIMIT_EXCEEDED, 20700)));
}

#[test]
fn in_ccx_who_listens_stays_not_ready() {
    let mut config = config();
    config.dialect = Dialect::Ccx;
    let mut pair = Pair::open(config, 18);
    listening(&mut pair);
    assert_eq!(pair.state_of("1001"), "NOT_READY");
    supervise(&mut pair, action::MONITOR, "2001", "2002");
    assert_eq!(refused(&mut pair), Some((cf::INVALID_OBJECT_STATE, 0)), "listens already");
    supervise(&mut pair, action::BARGE_IN, "2001", "2002");
    assert_eq!((refused(&mut pair), pair.state_of("1001")), (None, "TALKING"));
}

#[test]
fn a_new_session_is_told_of_listening() {
    let mut config = config();
    config.behaviour.rebuild_calls = true;
    let mut pair = Pair::open(config, 20);
    let (_, monitor) = listening(&mut pair);
    pair.request(
        Message::new(kind::SNAPSHOT_CALL_REQ)
            .with(field::CONNECTION_CALL_ID, monitor)
            .with_tag(tag::CONNECTION_DEVICE_ID, "2001"),
    );
    let snapshot = pair.take().remove(0);
    let parties = snapshot.groups(tag::CALL_CONNECTION_CALL_ID);
    let names: Vec<_> = parties.iter().filter_map(|p| p.tag_text(tag::CALL_DEVICE_ID)).collect();
    assert_eq!(names, ["2001", "2002"]);
    for (phone, calls) in [("2001", 1), ("2002", 1)] {
        pair.request(Message::new(kind::SNAPSHOT_DEVICE_REQ).with_tag(tag::AGENT_INSTRUMENT, phone));
        assert_eq!(pair.take()[0].raw(field::NUM_CALLS), Some(calls), "{phone}");
    }
    assert_eq!(pair.exchange.world.existing_calls().len(), 4);
}
