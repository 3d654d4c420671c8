//! Sessions: opening, services, masks, silence, delays, misbehaviour.

use std::time::Duration;

use bytes::BytesMut;

use super::pair::{Pair, config};
use crate::enums::{agent_state, call_event_mask, cti_service as service, status_code};
use crate::sim::exchange::Next;
use crate::sim::{InboundCall, Mischief, Secret, Side};
use crate::{Codec, Dialect, FrameError, Kind, Message, field, kind, tag};

/// The Status with which `change` of a good OPEN_REQ is refused.
fn refused(version: u32, change: impl FnOnce(Message) -> Message) -> Option<u32> {
    let mut pair = Pair::connect(config(), version);
    let request = change(pair.open_req());
    pair.send(request);
    let status = pair.take().first().and_then(|m| m.raw(field::STATUS));
    assert_eq!(pair.collect(), Next::Close, "a refused session ends");
    status
}

#[test]
fn open_requests_are_checked() {
    assert_eq!(refused(20, |m| m.with(field::VERSION_NUMBER, 12u32)), Some(status_code::INVALID_VERSION));
    assert_eq!(refused(20, |m| m.with(field::VERSION_NUMBER, 25u32)), Some(status_code::INVALID_VERSION));
    assert_eq!(refused(20, |m| m.with(field::IDLE_TIMEOUT, 19u32)), Some(status_code::INVALID_TIMEOUT));
    assert_eq!(refused(20, |m| m.with(field::PERIPHERAL_ID, 1u32)), Some(status_code::INVALID_PERIPHERAL_ID));
    assert_eq!(refused(20, |m| m.with(field::RESERVED2, 1u32)), Some(status_code::INVALID_RESERVED_FIELD));
    let unused = refused(20, |m| m.with(field::SERVICES_REQUESTED, 0x4000_0000u32));
    assert_eq!(unused, Some(status_code::INVALID_SERVICE_MASK));
    let nameless = |mut m: Message| {
        m.remove(tag::CLIENT_ID);
        m
    };
    assert_eq!(refused(20, nameless), Some(status_code::REQUIRED_DATA_MISSING));
}

#[test]
fn credentials_are_checked_when_configured() {
    let mut with_client = config();
    with_client.client = Some(("test".into(), Secret::new("")));
    Pair::open(with_client.clone(), 20);
    with_client.client = Some(("test".into(), Secret::new("other")));
    let mut pair = Pair::connect(with_client, 20);
    let request = pair.open_req();
    pair.send(request);
    assert_eq!(pair.take()[0].raw(field::STATUS), Some(status_code::INVALID_PASSWORD));
}

#[test]
fn every_version_of_both_dialects_opens_and_carries_a_call() {
    for dialect in [Dialect::Cce, Dialect::Ccx] {
        for version in 13..=24 {
            let mut config = config();
            config.dialect = dialect;
            let mut pair = Pair::open(config, version);
            pair.ready(&["1001"]);
            let call = pair.answered("2001");
            pair.on_call(kind::HOLD_CALL_REQ, call, "2001");
            assert_eq!(pair.take()[0].kind, kind::HOLD_CALL_CONF, "{dialect:?} {version}");
            let state = if dialect == Dialect::Cce { "HOLD" } else { "TALKING" };
            assert_eq!(pair.state_of("1001"), state);
        }
    }
}

#[test]
fn a_second_open_is_refused_and_the_session_goes_on() {
    let mut pair = Pair::open(config(), 20);
    let again = pair.open_req();
    pair.send(again);
    assert_eq!(pair.take()[0].raw(field::STATUS), Some(status_code::SESSION_ALREADY_OPEN));
    pair.send(Message::new(kind::HEARTBEAT_REQ).with(field::INVOKE_ID, 77u32));
    assert_eq!(pair.take()[0].invoke_id(), Some(77));
}

#[test]
fn services_that_were_not_granted_are_not_available() {
    let mut pair = Pair::connect(config(), 20);
    let request = pair.open_req().with(field::SERVICES_REQUESTED, service::ALL_EVENTS);
    pair.send(request);
    let conf = pair.take().remove(0);
    assert_eq!(conf.raw(field::SERVICES_GRANTED), Some(service::ALL_EVENTS));
    pair.login("1001");
    assert_eq!(pair.take()[0].raw(field::STATUS), Some(status_code::FUNCTION_NOT_AVAILABLE));
}

#[test]
fn nothing_but_open_is_served_before_open() {
    let mut pair = Pair::connect(config(), 20);
    pair.login("1001");
    assert_eq!(pair.take()[0].raw(field::STATUS), Some(status_code::SESSION_NOT_OPEN));
}

#[test]
fn masks_decide_what_is_heard() {
    let mut pair = Pair::connect(config(), 20);
    let request = pair
        .open_req()
        .with(field::CALL_MSG_MASK, call_event_mask::BEGIN_CALL)
        .with(field::AGENT_STATE_MASK, 1u32 << agent_state::AVAILABLE);
    pair.send(request);
    pair.take();
    pair.login("1001");
    pair.set_state("1001", agent_state::AVAILABLE, 0);
    pair.customer(&InboundCall::to_queue("5551234567", 1));
    assert_eq!(
        pair.story(),
        ["SET_AGENT_STATE_CONF", "SET_AGENT_STATE_CONF", "1001 AVAILABLE", "BEGIN_CALL"]
    );
}

#[test]
fn a_silent_client_is_dropped_after_its_idle_timeout() {
    let mut pair = Pair::connect(config(), 20);
    let request = pair.open_req().with(field::IDLE_TIMEOUT, 20u32);
    pair.send(request);
    pair.seconds(19);
    pair.send(Message::new(kind::HEARTBEAT_REQ));
    pair.take();
    pair.seconds(19);
    assert!(pair.take().is_empty());
    pair.seconds(1);
    let farewell = pair.take();
    assert_eq!((farewell[0].kind, farewell[0].raw(field::STATUS)), (kind::FAILURE_EVENT, Some(16)));
    assert_eq!(pair.collect(), Next::Close);
}

#[test]
fn close_is_confirmed() {
    let mut pair = Pair::open(config(), 20);
    pair.send(Message::new(kind::CLOSE_REQ).with(field::INVOKE_ID, 5u32));
    assert_eq!(pair.take_kinds(), [kind::CLOSE_CONF]);
    assert_eq!(pair.collect(), Next::Close);
}

#[test]
fn a_standby_side_refuses_and_a_frozen_one_serves_without_heartbeats() {
    for (dialect, status) in
        [(Dialect::Cce, status_code::CTI_SERVER_OFFLINE), (Dialect::Ccx, status_code::SERVER_NOT_MASTER)]
    {
        let mut config = config();
        config.dialect = dialect;
        let mut pair = Pair::connect(config, 18);
        pair.exchange.sides[0].standby = true;
        let request = pair.open_req();
        pair.send(request);
        assert_eq!(pair.take()[0].raw(field::STATUS), Some(status));
    }
    let mut pair = Pair::open(config(), 20);
    pair.exchange.sides[0].heartless = true;
    pair.send(Message::new(kind::HEARTBEAT_REQ));
    assert!(pair.take().is_empty());
    pair.login("1001");
    assert_eq!(pair.take().len(), 3);
}

#[test]
fn a_dropped_link_is_reset() {
    let mut pair = Pair::open(config(), 20);
    pair.exchange.drop_link(Side::B);
    assert_eq!(pair.collect(), Next::GoOn);
    pair.exchange.drop_link(Side::A);
    assert_eq!(pair.collect(), Next::Reset);
}

#[test]
fn a_client_that_does_not_read_is_dropped() {
    let mut config = config();
    config.behaviour.max_unread = 20_000;
    let mut pair = Pair::open(config, 20);
    for n in 0..100 {
        let ani = format!("555{n:07}");
        pair.exchange.world.inject(pair.now, &InboundCall::to_queue(&ani, 1)).expect("the queue exists");
        pair.exchange.settle(pair.now);
    }
    let (left, _, next) = pair.exchange.take_output(pair.client);
    assert_eq!((left.len(), next), (0, Next::Reset));
}

#[test]
fn answers_can_be_late_and_events_early() {
    let mut config = config();
    config.behaviour.response_delay = Duration::from_millis(300);
    config.behaviour.events_first = true;
    let mut pair = Pair::open(config, 20);
    pair.login("1001");
    pair.pass(Duration::from_millis(299));
    assert!(pair.take().is_empty());
    pair.pass(Duration::from_millis(1));
    assert_eq!(pair.story(), ["1001 LOGIN", "1001 NOT_READY", "SET_AGENT_STATE_CONF"]);
}

#[test]
fn a_new_session_can_be_told_of_existing_calls() {
    let mut config = config();
    config.behaviour.rebuild_calls = true;
    let mut pair = Pair::open(config, 20);
    pair.ready(&["1001"]);
    pair.answered("2001");
    pair.client = pair.exchange.accept(pair.now, Side::B).expect("side B accepts");
    let request = pair.open_req();
    pair.send(request);
    let messages = pair.take();
    let kinds: Vec<Kind> = messages[2..].iter().map(|m| m.kind).collect();
    assert_eq!(kinds, [kind::BEGIN_CALL_EVENT, kind::CALL_ESTABLISHED_EVENT]);
    assert_eq!(messages[3].raw(field::EVENT_CAUSE), Some(50));
}

#[test]
fn the_peripheral_may_be_away() {
    let mut pair = Pair::open(config(), 20);
    pair.exchange.world.set_online(false);
    pair.exchange.settle(pair.now);
    let event = pair.take().remove(0);
    assert_eq!((event.raw(field::SYSTEM_EVENT_ID), event.raw(field::PG_STATUS)), (Some(4), Some(4)));
    assert!(pair.exchange.world.inject(pair.now, &InboundCall::to_queue("5551234567", 1)).is_err());
}

#[test]
fn unknown_messages_are_refused_and_bad_ones_do_not_end_the_session() {
    let mut pair = Pair::open(config(), 20);
    pair.send(Message::opaque(Kind(9999), vec![0, 0, 0, 42, 1, 2]));
    let answer = pair.take().remove(0);
    assert_eq!((answer.kind, answer.invoke_id()), (kind::FAILURE_CONF, Some(42)));
    // A SET_AGENT_STATE_REQ that ends after its InvokeID.
    pair.exchange.receive(pair.now, pair.client, &[0, 0, 0, 4, 0, 0, 0, 38, 0, 0, 0, 9]);
    let answer = pair.take().remove(0);
    assert_eq!((answer.invoke_id(), answer.raw(field::STATUS)), (Some(9), Some(25)));
    pair.exchange.receive(pair.now, pair.client, &[0x7F, 0, 0, 0, 0, 0, 0, 38]);
    assert_eq!(pair.take()[0].kind, kind::FAILURE_EVENT);
    assert_eq!(pair.collect(), Next::Close);
}

#[test]
fn the_server_can_strain_its_clients() {
    let mut pair = Pair::open(config(), 20);
    let strain = Mischief { unknown_tags: true, unknown_messages: true, ..Mischief::default() };
    pair.exchange.set_mischief(strain);
    pair.login("1001");
    let messages = pair.take();
    assert_eq!(messages.len(), 6, "a stranger before each");
    assert_eq!(messages[0].kind.name(), None);
    assert!(messages[3].floating().iter().any(|(tag, _)| tag.name().is_none()));
    pair.exchange.set_mischief(Mischief { oversize: true, ..Mischief::default() });
    let mut request = BytesMut::new();
    let codec = Codec::new(Dialect::Cce, 20);
    codec.encode(&Message::new(kind::HEARTBEAT_REQ), &mut request).expect("a message");
    pair.exchange.receive(pair.now, pair.client, &request);
    let (mut bytes, ..) = pair.exchange.take_output(pair.client);
    assert!(matches!(codec.decode(&mut bytes), Err(FrameError::TooLong { .. })));
}
