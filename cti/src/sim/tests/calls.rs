//! Calls: the sequences of events that GED-188 describes.

use std::time::Duration;

use super::pair::{Pair, config};
use crate::enums::{agent_state, control_failure_code as cf, event_cause};
use crate::sim::{InboundCall, WrapUp};
use crate::{Message, field, kind, tag};

#[test]
fn a_queue_call_is_offered_answered_and_ended_by_the_caller() {
    let mut pair = Pair::open(config(), 20);
    pair.ready(&["1001"]);
    let call = pair.customer(&InboundCall::to_queue("5551234567", 1).with("callVariable1", "Ann"));
    assert_eq!(
        pair.story(),
        [
            "BEGIN_CALL",
            "DELIVERED 5551234567 INITIATE",
            "1001 RESERVED",
            "DATA_UPDATE",
            "DELIVERED 2001 ALERTING",
        ]
    );
    pair.on_call(kind::ANSWER_CALL_REQ, call, "2001");
    let answered = pair.take();
    let kinds: Vec<_> = answered.iter().map(|m| m.kind).collect();
    assert_eq!(
        kinds,
        [
            kind::ANSWER_CALL_CONF,
            kind::CALL_ESTABLISHED_EVENT,
            kind::RTP_STARTED_EVENT,
            kind::RTP_STARTED_EVENT,
            kind::AGENT_STATE_EVENT,
        ]
    );
    assert_eq!(answered[4].raw(field::AGENT_STATE), Some(agent_state::TALKING));
    pair.seconds(60);
    let ended = pair.take();
    let kinds: Vec<_> = ended.iter().map(|m| m.kind).collect();
    assert_eq!(
        kinds,
        [
            kind::CALL_CONNECTION_CLEARED_EVENT,
            kind::RTP_STOPPED_EVENT,
            kind::RTP_STOPPED_EVENT,
            kind::CALL_CLEARED_EVENT,
            kind::AGENT_STATE_EVENT,
            kind::END_CALL_EVENT,
        ]
    );
    assert_eq!(ended[0].tag_text(tag::RELEASING_DEVICE_ID), Some("5551234567"));
    assert_eq!(ended[4].raw(field::AGENT_STATE), Some(agent_state::AVAILABLE));
    assert!(ended.iter().all(|m| m.uint(field::CONNECTION_CALL_ID).is_none_or(|id| id == call)));
}

#[test]
fn call_data_travels_with_begin_update_and_delivered() {
    let mut pair = Pair::open(config(), 22);
    pair.ready(&["1001"]);
    let call =
        InboundCall::to_queue("5551234567", 2).with("callVariable1", "Ann").with("user.account", "4711");
    pair.customer(&call);
    let messages = pair.take();
    for kind in [kind::BEGIN_CALL_EVENT, kind::CALL_DATA_UPDATE_EVENT, kind::CALL_DELIVERED_EVENT] {
        let message = messages.iter().rev().find(|m| m.kind == kind).expect("an event of this kind");
        assert_eq!(message.tag_text(tag::ANI), Some("5551234567"), "{kind}");
        assert_eq!(message.tag_text(tag::DNIS), Some("6002"), "{kind}");
        assert_eq!(message.call_variable(1), Some("Ann"), "{kind}");
        assert_eq!(message.named_variables().collect::<Vec<_>>(), [("user.account", "4711")], "{kind}");
        assert_eq!(message.raw(field::NUM_NAMED_VARIABLES), Some(1), "{kind}");
    }
    let update = messages.iter().find(|m| m.kind == kind::CALL_DATA_UPDATE_EVENT).expect("an update");
    assert_eq!(update.call_variable(3), Some("Support"), "set by the routing script");
}

#[test]
fn a_call_waits_until_somebody_is_ready() {
    let mut pair = Pair::open(config(), 20);
    pair.login("1001");
    pair.take();
    pair.customer(&InboundCall::to_queue("5551234567", 1));
    assert_eq!(pair.story(), ["BEGIN_CALL", "DELIVERED 5551234567 INITIATE", "QUEUED 5551234567 QUEUED"]);
    pair.set_state("1001", agent_state::AVAILABLE, 0);
    assert_eq!(
        pair.story(),
        [
            "SET_AGENT_STATE_CONF",
            "1001 AVAILABLE",
            "DEQUEUED 5551234567 CONNECT",
            "1001 RESERVED",
            "DATA_UPDATE",
            "DELIVERED 2001 ALERTING",
        ]
    );
}

#[test]
fn the_longest_ready_agent_gets_the_call() {
    let mut pair = Pair::open(config(), 20);
    pair.ready(&["1003", "1001", "1002"]);
    for expected in ["1003", "1001", "1002"] {
        pair.customer(&InboundCall::to_queue("5550001111", 1));
        assert_eq!(pair.state_of(expected), "RESERVED");
    }
}

#[test]
fn an_unanswered_call_goes_to_the_next_agent() {
    let mut pair = Pair::open(config(), 20);
    pair.ready(&["1001", "1002"]);
    pair.customer(&InboundCall::to_queue("5551234567", 1));
    pair.take();
    pair.seconds(20);
    let messages = pair.take();
    assert_eq!(messages[0].raw(field::EVENT_CAUSE), Some(event_cause::REDIRECTED));
    assert_eq!(messages[0].tag_text(tag::RELEASING_DEVICE_ID), Some("2001"));
    assert_eq!(messages[1].raw(field::EVENT_REASON_CODE), Some(32767));
    let kinds: Vec<_> = messages.iter().map(|m| m.kind).collect();
    assert_eq!(
        kinds,
        [
            kind::CALL_CONNECTION_CLEARED_EVENT,
            kind::AGENT_STATE_EVENT,
            kind::AGENT_STATE_EVENT,
            kind::CALL_DATA_UPDATE_EVENT,
            kind::CALL_DELIVERED_EVENT,
        ]
    );
    assert_eq!((pair.state_of("1001"), pair.state_of("1002")), ("NOT_READY", "RESERVED"));
}

#[test]
fn the_caller_may_give_up_waiting_and_ringing() {
    let mut config = config();
    config.callers.patience = Some(crate::sim::Span::seconds(5, 5));
    let mut pair = Pair::open(config, 20);
    pair.customer(&InboundCall::to_queue("5551234567", 1));
    pair.take();
    pair.seconds(5);
    assert_eq!(pair.story(), ["CONNECTION_CLEARED 5551234567 NULL", "CLEARED 5551234567 NULL", "END_CALL"]);
    pair.ready(&["1001"]);
    pair.customer(&InboundCall::to_queue("5551234567", 1));
    pair.take();
    pair.seconds(5);
    assert_eq!(
        pair.story(),
        ["CONNECTION_CLEARED 5551234567 NULL", "CLEARED 5551234567 NULL", "1001 AVAILABLE", "END_CALL"]
    );
}

#[test]
fn hold_and_retrieve() {
    let mut pair = Pair::open(config(), 20);
    pair.ready(&["1001"]);
    let call = pair.answered("2001");
    pair.on_call(kind::HOLD_CALL_REQ, call, "2001");
    assert_eq!(pair.story(), ["HOLD_CALL_CONF", "HELD 2001 HOLD", "1001 HOLD"].map(short));
    pair.on_call(kind::HOLD_CALL_REQ, call, "2001");
    assert_eq!(pair.refusal(), Some(cf::NO_ACTIVE_CALL));
    pair.on_call(kind::RETRIEVE_CALL_REQ, call, "2001");
    assert_eq!(pair.story(), ["RETRIEVE_CALL_CONF", "RETRIEVED 2001 CONNECT", "1001 TALKING"].map(short));
    pair.on_call(kind::RETRIEVE_CALL_REQ, call, "2001");
    assert_eq!(pair.refusal(), Some(cf::NO_HELD_CALL));
}

/// Confirmations lose the word `CALL_` in the story.
fn short(text: &str) -> String {
    text.replace("CALL_", "")
}

#[test]
fn the_agent_drops_and_is_ready_again() {
    let mut pair = Pair::open(config(), 20);
    pair.ready(&["1001"]);
    let call = pair.answered("2001");
    pair.on_call(kind::CLEAR_CONNECTION_REQ, call, "2001");
    assert_eq!(
        pair.story(),
        [
            "CLEAR_CONNECTION_CONF",
            "CONNECTION_CLEARED 2001 NULL",
            "CLEARED 5551234567 NULL",
            "1001 AVAILABLE",
            "END_CALL"
        ]
    );
    assert!(pair.exchange.world.calls.is_empty());
}

#[test]
fn required_wrap_up_keeps_the_call_object_for_its_data() {
    let mut config = config();
    config.desk.wrap_up_incoming = WrapUp::Required;
    let mut pair = Pair::open(config, 20);
    pair.ready(&["1001"]);
    let call = pair.answered("2001");
    pair.on_call(kind::CLEAR_CONNECTION_REQ, call, "2001");
    assert_eq!(pair.story()[3..], ["1001 WORK_READY"]);
    pair.request(
        Message::new(kind::SET_CALL_DATA_REQ)
            .with(field::CONNECTION_CALL_ID, call)
            .with_tag(tag::CONNECTION_DEVICE_ID, "2001")
            .with_tag(tag::CALL_WRAPUP_DATA, "sold"),
    );
    let messages = pair.take();
    assert_eq!(messages[0].kind, kind::SET_CALL_DATA_CONF);
    assert_eq!(messages[1].tag_text(tag::CALL_WRAPUP_DATA), Some("sold"));
    pair.set_state("1001", agent_state::AVAILABLE, 0);
    assert_eq!(pair.story(), ["SET_AGENT_STATE_CONF", "1001 AVAILABLE", "END_CALL"]);
}

#[test]
fn wrap_up_ends_by_its_timer() {
    let mut config = config();
    config.desk.wrap_up_incoming = WrapUp::Required;
    config.desk.work_timer = Duration::from_secs(30);
    let mut pair = Pair::open(config, 20);
    pair.ready(&["1001"]);
    let call = pair.answered("2001");
    pair.on_call(kind::CLEAR_CONNECTION_REQ, call, "2001");
    pair.take();
    pair.seconds(29);
    assert_eq!(pair.state_of("1001"), "WORK_READY");
    pair.seconds(1);
    assert_eq!(pair.story(), ["1001 AVAILABLE", "END_CALL"]);
}

#[test]
fn agent_calls_agent() {
    let mut pair = Pair::open(config(), 20);
    pair.login("1001");
    pair.login("1002");
    pair.take();
    let call = pair.dial("2001", "2002");
    assert_eq!(
        pair.story(),
        [
            "MAKE_CONF",
            "BEGIN_CALL",
            "SERVICE_INITIATED 2001 INITIATE",
            "ORIGINATED 2001 CONNECT",
            "DELIVERED 2002 ALERTING"
        ]
    );
    pair.on_call(kind::ANSWER_CALL_REQ, call, "2002");
    assert_eq!(pair.story(), ["ANSWER_CONF", "ESTABLISHED 2002 CONNECT", "1001 TALKING", "1002 TALKING"]);
    pair.on_call(kind::CLEAR_CONNECTION_REQ, call, "2002");
    assert_eq!(
        pair.story(),
        [
            "CLEAR_CONNECTION_CONF",
            "CONNECTION_CLEARED 2002 NULL",
            "CLEARED 2001 NULL",
            "1002 NOT_READY",
            "1001 NOT_READY",
            "END_CALL"
        ]
    );
}

#[test]
fn a_ready_agent_who_dials_is_not_ready() {
    let mut pair = Pair::open(config(), 20);
    pair.ready(&["1001"]);
    pair.dial("2001", "5559876543");
    assert_eq!(
        pair.story(),
        [
            "MAKE_CONF",
            "1001 NOT_READY 50006",
            "BEGIN_CALL",
            "SERVICE_INITIATED 2001 INITIATE",
            "ORIGINATED 2001 CONNECT",
            "REACHED_NETWORK 2001 CONNECT"
        ]
    );
    pair.seconds(2);
    assert_eq!(pair.story(), ["ESTABLISHED 5559876543 CONNECT", "1001 TALKING"]);
}

#[test]
fn busy_and_unknown_numbers_fail_and_impossible_ones_are_refused() {
    let mut pair = Pair::open(config(), 20);
    pair.login("1001");
    pair.take();
    for (number, cause) in [("5550100", event_cause::BUSY), ("4711", event_cause::DEST_NOT_OBTAINABLE)] {
        let call = pair.dial("2001", number);
        let messages = pair.take();
        let failed = messages.last().expect("events");
        assert_eq!((failed.kind, failed.raw(field::EVENT_CAUSE)), (kind::CALL_FAILED_EVENT, Some(cause)));
        pair.on_call(kind::CLEAR_CONNECTION_REQ, call, "2001");
        assert_eq!(pair.take().last().map(|m| m.kind), Some(kind::END_CALL_EVENT));
    }
    for number in ["", "sip:x", "2001"] {
        pair.request(
            Message::new(kind::MAKE_CALL_REQ)
                .with_tag(tag::AGENT_INSTRUMENT, "2001")
                .with_tag(tag::DIALED_NUMBER, number),
        );
        assert_eq!(pair.refusal(), Some(cf::INVALID_DESTINATION), "{number:?}");
    }
}

#[test]
fn consult_and_transfer() {
    let mut pair = Pair::open(config(), 20);
    pair.ready(&["1001"]);
    pair.login("1002");
    let call = pair.answered("2001");
    let consult = pair.consult(call, "2001", "2002");
    assert_eq!(
        pair.story(),
        [
            "CONSULTATION_CONF",
            "HELD 2001 HOLD",
            "1001 HOLD",
            "BEGIN_CALL",
            "SERVICE_INITIATED 2001 INITIATE",
            "1001 TALKING",
            "ORIGINATED 2001 CONNECT",
            "DELIVERED 2002 ALERTING"
        ]
    );
    pair.on_call(kind::ANSWER_CALL_REQ, consult, "2002");
    assert_eq!(pair.story(), ["ANSWER_CONF", "ESTABLISHED 2002 CONNECT", "1002 TALKING"]);
    pair.on_calls(kind::TRANSFER_CALL_REQ, consult, call, "2001");
    let messages = pair.take();
    let transferred = messages.iter().find(|m| m.kind == kind::CALL_TRANSFERRED_EVENT).expect("the transfer");
    assert_eq!(transferred.uint(field::PRIMARY_CALL_ID), Some(call));
    assert_eq!(transferred.uint(field::SECONDARY_CALL_ID), Some(consult));
    let parties = transferred.groups(tag::CONNECTED_PARTY_CALL_ID);
    let names: Vec<_> = parties.iter().filter_map(|p| p.tag_text(tag::CONNECTED_PARTY_DEVICE_ID)).collect();
    assert_eq!(names, ["5551234567", "2002"]);
    let end = messages.iter().find(|m| m.kind == kind::END_CALL_EVENT).expect("the consultation's end");
    assert_eq!(end.uint(field::CONNECTION_CALL_ID), Some(consult));
    assert_eq!((pair.state_of("1001"), pair.state_of("1002")), ("AVAILABLE", "TALKING"));
    pair.seconds(60);
    assert!(pair.exchange.world.calls.is_empty());
    assert_eq!(pair.state_of("1002"), "NOT_READY");
}

#[test]
fn conference_of_three_and_a_dropped_participant() {
    let mut pair = Pair::open(config(), 20);
    pair.ready(&["1001"]);
    pair.login("1002");
    let call = pair.answered("2001");
    let consult = pair.consult(call, "2001", "2002");
    pair.on_calls(kind::CONFERENCE_CALL_REQ, consult, call, "2001");
    assert_eq!(pair.refusal(), Some(cf::NO_ACTIVE_CALL), "not answered yet");
    pair.on_call(kind::ANSWER_CALL_REQ, consult, "2002");
    pair.take();
    pair.on_calls(kind::CONFERENCE_CALL_REQ, consult, call, "2001");
    let messages = pair.take();
    assert_eq!(messages[0].kind, kind::CONFERENCE_CALL_CONF);
    assert_eq!(messages[1].kind, kind::CALL_CONFERENCED_EVENT);
    assert_eq!(messages[1].raw(field::NUM_PARTIES), Some(3));
    assert_eq!(messages.last().map(|m| m.kind), Some(kind::END_CALL_EVENT));
    pair.request(
        Message::new(kind::CLEAR_CONNECTION_REQ)
            .with(field::CONNECTION_CALL_ID, call)
            .with_tag(tag::CONNECTION_DEVICE_ID, "2002")
            .with_tag(tag::AGENT_INSTRUMENT, "2001"),
    );
    assert_eq!(pair.story(), ["CLEAR_CONNECTION_CONF", "CONNECTION_CLEARED 2002 NULL", "1002 NOT_READY"]);
    assert_eq!(pair.state_of("1001"), "TALKING");
}

#[test]
fn alternate_and_reconnect() {
    let mut pair = Pair::open(config(), 20);
    pair.ready(&["1001"]);
    pair.login("1002");
    let call = pair.answered("2001");
    let consult = pair.consult(call, "2001", "2002");
    pair.on_call(kind::ANSWER_CALL_REQ, consult, "2002");
    pair.take();
    pair.on_calls(kind::ALTERNATE_CALL_REQ, consult, call, "2001");
    assert_eq!(
        pair.story(),
        ["ALTERNATE_CONF", "HELD 2001 HOLD", "1001 HOLD", "RETRIEVED 2001 CONNECT", "1001 TALKING"]
    );
    pair.on_calls(kind::ALTERNATE_CALL_REQ, call, consult, "2001");
    pair.take();
    pair.on_calls(kind::RECONNECT_CALL_REQ, consult, call, "2001");
    let story = pair.story();
    assert_eq!(story[0..2], ["RECONNECT_CONF", "CONNECTION_CLEARED 2001 NULL"]);
    assert_eq!(story[story.len() - 2..], ["RETRIEVED 2001 CONNECT", "1001 TALKING"]);
}

#[test]
fn blind_transfer_rings_elsewhere_and_a_deflected_call_too() {
    let mut pair = Pair::open(config(), 20);
    pair.ready(&["1001"]);
    pair.login("1002");
    pair.login("1003");
    let call = pair.answered("2001");
    pair.request(
        Message::new(kind::TRANSFER_CALL_REQ)
            .with(field::ACTIVE_CONNECTION_CALL_ID, call)
            .with_tag(tag::ACTIVE_CONNECTION_DEVICE_ID, "2001")
            .with_tag(tag::AGENT_INSTRUMENT, "2001")
            .with_tag(tag::DIALED_NUMBER, "2002"),
    );
    assert_eq!(
        pair.story(),
        [
            "TRANSFER_CONF",
            "TRANSFERRED 5551234567 CONNECT",
            "DATA_UPDATE",
            "1001 AVAILABLE",
            "DELIVERED 2002 ALERTING"
        ]
    );
    pair.request(
        Message::new(kind::DEFLECT_CALL_REQ)
            .with(field::CONNECTION_CALL_ID, call)
            .with_tag(tag::CONNECTION_DEVICE_ID, "2002")
            .with_tag(tag::CALLED_DEVICE_ID, "2003")
            .with_tag(tag::AGENT_INSTRUMENT, "2002"),
    );
    assert_eq!(pair.story(), ["DEFLECT_CONF", "DIVERTED 2002 NULL", "DELIVERED 2003 ALERTING"]);
    pair.on_call(kind::ANSWER_CALL_REQ, call, "2003");
    assert_eq!(pair.story(), ["ANSWER_CONF", "ESTABLISHED 2003 CONNECT", "1003 TALKING"]);
}

#[test]
fn a_consultation_with_a_queue_moves_the_place_in_line_with_the_transfer() {
    let mut pair = Pair::open(config(), 20);
    pair.ready(&["1001"]);
    pair.login("1002");
    let call = pair.answered("2001");
    let consult = pair.consult(call, "2001", "6002");
    pair.on_calls(kind::TRANSFER_CALL_REQ, consult, call, "2001");
    pair.take();
    // Ready again, agent 1001 is the first who can take it.
    assert_eq!(pair.state_of("1001"), "RESERVED");
    pair.on_call(kind::ANSWER_CALL_REQ, call, "2001");
    assert_eq!(pair.state_of("1001"), "TALKING");
    pair.seconds(60);
    assert!(pair.exchange.world.calls.is_empty());
}

#[test]
fn wrong_calls_devices_and_connections_have_codes_of_their_own() {
    let mut pair = Pair::open(config(), 20);
    pair.ready(&["1001"]);
    let call = pair.answered("2001");
    for (id, phone, code) in [
        (call + 50, "2001", cf::INVALID_CSTA_CALL_IDENTIFIER),
        (call, "9999", cf::INVALID_CSTA_DEVICE_IDENTIFIER),
        (call, "2002", cf::INVALID_CSTA_CONNECTION_IDENTIFIER),
    ] {
        pair.on_call(kind::HOLD_CALL_REQ, id, phone);
        assert_eq!(pair.refusal(), Some(code));
    }
    pair.on_call(kind::ANSWER_CALL_REQ, call, "2001");
    assert_eq!(pair.refusal(), Some(cf::NO_CALL_TO_ANSWER));
}

#[test]
fn a_phone_out_of_service_loses_its_calls() {
    let mut pair = Pair::open(config(), 20);
    pair.ready(&["1001", "1002"]);
    pair.customer(&InboundCall::to_queue("5551234567", 1));
    pair.take();
    pair.exchange.world.set_in_service(pair.now, "2001", false).expect("a known phone");
    pair.exchange.settle(pair.now);
    assert_eq!(
        pair.story(),
        [
            "SYSTEM",
            "CONNECTION_CLEARED 2001 NULL",
            "1001 NOT_READY 50002",
            "1002 RESERVED",
            "DATA_UPDATE",
            "DELIVERED 2002 ALERTING"
        ]
    );
    pair.set_state("1001", agent_state::AVAILABLE, 0);
    assert_eq!(pair.refusal(), Some(cf::RESOURCE_OUT_OF_SERVICE));
}

#[test]
fn a_customer_sent_back_into_a_queue_may_give_up() {
    let mut config = config();
    config.callers.talk = None;
    config.callers.patience = Some(crate::sim::Span::seconds(40, 40));
    let mut pair = Pair::open(config, 20);
    pair.ready(&["1001"]);
    let call = pair.answered("2001");
    pair.set_state("1001", agent_state::NOT_READY, 0);
    pair.seconds(100);
    let consult = pair.consult(call, "2001", "6002");
    pair.on_calls(kind::TRANSFER_CALL_REQ, consult, call, "2001");
    assert_eq!(pair.exchange.world.snapshot().calls[0].waiting, Some(2));
    pair.seconds(39);
    assert_eq!(pair.exchange.world.calls.len(), 1);
    pair.seconds(1);
    assert!(pair.exchange.world.calls.is_empty());
}

#[test]
fn a_call_that_only_rings_cannot_be_handed_on() {
    let mut pair = Pair::open(config(), 20);
    for agent in ["1001", "1002", "1003", "1004"] {
        pair.login(agent);
    }
    let call = pair.dial("2001", "2002");
    pair.on_call(kind::ANSWER_CALL_REQ, call, "2002");
    let blind = |from: &str, to: &str| {
        Message::new(kind::TRANSFER_CALL_REQ)
            .with(field::ACTIVE_CONNECTION_CALL_ID, call)
            .with_tag(tag::ACTIVE_CONNECTION_DEVICE_ID, from)
            .with_tag(tag::AGENT_INSTRUMENT, from)
            .with_tag(tag::DIALED_NUMBER, to)
    };
    pair.request(blind("2001", "2003"));
    assert_eq!(pair.refusal(), None);
    pair.request(blind("2002", "2004"));
    assert_eq!(pair.refusal(), Some(cf::INVALID_OBJECT_STATE), "2003 has not answered");
}
