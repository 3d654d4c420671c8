//! What CCX does differently from CCE.

use super::pair::{Pair, config};
use crate::enums::{agent_state, control_failure_code as cf, status_code};
use crate::sim::{InboundCall, WrapUp};
use crate::{Dialect, Message, field, kind, tag};

fn express() -> Pair {
    let mut config = config();
    config.dialect = Dialect::Ccx;
    config.desk.wrap_up_incoming = WrapUp::Required;
    config.desk.work_timer = std::time::Duration::from_secs(30);
    Pair::open(config, 18)
}

#[test]
fn there_is_no_hold_and_one_work_state() {
    let mut pair = express();
    pair.ready(&["1001"]);
    let call = pair.answered("2001");
    pair.on_call(kind::HOLD_CALL_REQ, call, "2001");
    assert_eq!(pair.story(), ["HOLD_CONF", "HELD 2001 HOLD"], "the state is TALKING as before");
    pair.on_call(kind::RETRIEVE_CALL_REQ, call, "2001");
    pair.on_call(kind::CLEAR_CONNECTION_REQ, call, "2001");
    assert_eq!(pair.state_of("1001"), "WORK_NOT_READY");
    pair.seconds(30);
    assert_eq!(pair.state_of("1001"), "AVAILABLE", "as before the call");
}

#[test]
fn only_routed_calls_make_an_agent_talk() {
    let mut pair = express();
    pair.ready(&["1001", "1002"]);
    let call = pair.dial("2001", "2002");
    let told = pair.story();
    assert!(told.contains(&"1001 NOT_READY 32762".into()), "off hook: {told:?}");
    pair.on_call(kind::ANSWER_CALL_REQ, call, "2002");
    let told = pair.story();
    assert!(told.contains(&"1002 NOT_READY 32761".into()), "no call of the centre: {told:?}");
    assert!(!told.iter().any(|line| line.contains("TALKING")), "{told:?}");
    pair.on_call(kind::CLEAR_CONNECTION_REQ, call, "2002");
    assert_eq!((pair.state_of("1001"), pair.state_of("1002")), ("NOT_READY", "NOT_READY"));
}

#[test]
fn who_gets_a_customer_by_transfer_talks() {
    let mut pair = express();
    pair.ready(&["1001"]);
    pair.login("1002");
    let call = pair.answered("2001");
    let consult = pair.consult(call, "2001", "2002");
    pair.on_call(kind::ANSWER_CALL_REQ, consult, "2002");
    assert_eq!((pair.state_of("1001"), pair.state_of("1002")), ("TALKING", "NOT_READY"));
    pair.on_calls(kind::TRANSFER_CALL_REQ, consult, call, "2001");
    assert_eq!((pair.state_of("1001"), pair.state_of("1002")), ("WORK_NOT_READY", "TALKING"));
}

#[test]
fn wishes_during_a_call_are_fewer() {
    let mut pair = express();
    pair.ready(&["1001"]);
    pair.answered("2001");
    for (state, refused) in [
        (agent_state::AVAILABLE, Some(cf::INVALID_AGENT_WORKMODE)),
        (agent_state::WORK_READY, Some(cf::INVALID_AGENT_WORKMODE)),
        (agent_state::NOT_READY, None),
        (agent_state::NOT_READY, Some(cf::RESOURCE_BUSY)),
    ] {
        pair.set_state("1001", state, 5);
        assert_eq!(pair.refusal(), refused, "{state}");
    }
}

#[test]
fn a_wish_is_told_to_those_who_asked_for_its_bit() {
    for (mask, told) in [(0x10u32, false), (0x80, true)] {
        let mut pair = express();
        pair.ready(&["1001"]);
        pair.answered("2001");
        let mut other = pair.exchange.accept(pair.now, crate::sim::Side::B).expect("side B accepts");
        std::mem::swap(&mut other, &mut pair.client);
        let open = pair.open_req().with(field::AGENT_STATE_MASK, mask);
        pair.send(open);
        pair.take();
        pair.set_state("1001", agent_state::NOT_READY, 5);
        let kinds = pair.take_kinds();
        assert_eq!(kinds.contains(&kind::AGENT_STATE_EVENT), told, "{mask:#x}");
    }
}

#[test]
fn who_is_ready_may_sign_out() {
    let mut pair = express();
    pair.ready(&["1001"]);
    pair.set_state("1001", agent_state::LOGOUT, 1);
    assert_eq!(pair.state_of("1001"), "LOGOUT");
}

#[test]
fn phones_and_places_have_reasons_of_their_own() {
    let mut pair = express();
    pair.ready(&["1001", "1002"]);
    pair.exchange.world.set_in_service(pair.now, "2001", false).expect("a phone");
    assert_eq!(pair.exchange.world.snapshot().agents[0].reason, 32759);
    let request = pair.login_req("1003", "finesse", "2002").with(field::FORCED_FLAG, 1u32);
    pair.request(request);
    let taken = &pair.exchange.world.snapshot().agents[1];
    assert_eq!((taken.state, taken.reason), ("LOGOUT", 32741));
    let request = pair.login_req("1003", "finesse", "2004").with(field::FORCED_FLAG, 1u32);
    pair.take();
    pair.request(request);
    assert!(pair.story().contains(&"1003 LOGOUT 32767".into()));
}

#[test]
fn messages_that_express_lacks_are_neither_sent_nor_served() {
    let mut pair = express();
    pair.ready(&["1001"]);
    let call = pair.dial("2001", "5559876543");
    let messages = pair.take();
    assert!(messages.iter().all(|m| m.kind != kind::CALL_REACHED_NETWORK_EVENT));
    let ring = messages.iter().find(|m| m.kind == kind::CALL_DELIVERED_EVENT).expect("it rings outside");
    assert_eq!(ring.tag_text(tag::ALERTING_DEVICE_ID), Some("5559876543"));
    pair.on_call(kind::RELEASE_CALL_REQ, call, "2001");
    assert_eq!(pair.take()[0].raw(field::STATUS), Some(status_code::INVALID_MESSAGE_LENGTH));
    pair.request(Message::new(kind::LIST_AGENT_TEAM_REQ).with(field::SUPERVISOR_ID, 1001u32));
    assert_eq!(pair.take()[0].kind, kind::FAILURE_CONF);
    pair.on_call(kind::CLEAR_CONNECTION_REQ, call, "2001");
    pair.set_state("1001", agent_state::AVAILABLE, 0);
    pair.customer(&InboundCall::to_queue("5551234567", 1));
    assert_eq!(pair.state_of("1001"), "RESERVED");
}
