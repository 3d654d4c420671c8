//! Agents who call their supervisor for help.

use super::pair::{Pair, config};
use crate::enums::{call_type, control_failure_code as cf, status_code};
use crate::{Dialect, Kind, Message, field, kind, tag};

fn cry(pair: &mut Pair, request: Kind, call: u32) {
    pair.request(
        Message::new(request)
            .with(field::CONNECTION_CALL_ID, call)
            .with_tag(tag::CONNECTION_DEVICE_ID, "2002")
            .with_tag(tag::AGENT_INSTRUMENT, "2002"),
    );
}

/// Agent 1002 talks to a customer; his supervisor 1001 is there, not ready.
fn talking(dialect: Dialect) -> (Pair, u32) {
    let mut config = config();
    config.dialect = dialect;
    let mut pair = Pair::open(config, if dialect == Dialect::Cce { 20 } else { 18 });
    pair.login("1001");
    pair.ready(&["1002"]);
    let call = pair.answered("2002");
    (pair, call)
}

#[test]
fn an_agent_consults_his_supervisor() {
    for dialect in [Dialect::Cce, Dialect::Ccx] {
        let (mut pair, call) = talking(dialect);
        cry(&mut pair, kind::SUPERVISOR_ASSIST_REQ, call);
        let messages = pair.take();
        let conf = &messages[0];
        assert_eq!(conf.kind, kind::SUPERVISOR_ASSIST_CONF);
        let assist = conf.uint(field::CONNECTION_CALL_ID).expect("a call");
        let begin = messages.iter().find(|m| m.kind == kind::BEGIN_CALL_EVENT).expect("it begins");
        assert_eq!(begin.raw(field::CALL_TYPE), Some(call_type::ASSIST));
        let event = messages.iter().find(|m| m.kind == kind::SUPERVISOR_ASSIST_EVENT).expect("it is told");
        assert_eq!(event.uint(field::CONNECTION_CALL_ID), Some(assist));
        assert_eq!(event.tag_text(tag::CLIENT_ID), Some("test"));
        pair.on_call(kind::ANSWER_CALL_REQ, assist, "2001");
        pair.on_calls(kind::CONFERENCE_CALL_REQ, assist, call, "2002");
        assert_eq!(pair.refusal(), None);
        assert_eq!(pair.state_of("1001"), "TALKING");
    }
}

#[test]
fn an_emergency_needs_no_call() {
    let (mut pair, call) = talking(Dialect::Cce);
    pair.on_call(kind::CLEAR_CONNECTION_REQ, call, "2002");
    pair.take();
    cry(&mut pair, kind::EMERGENCY_CALL_REQ, u32::MAX);
    let messages = pair.take();
    let begin = messages.iter().find(|m| m.kind == kind::BEGIN_CALL_EVENT).expect("it begins");
    assert_eq!(begin.raw(field::CALL_TYPE), Some(call_type::EMERGENCY));
    let event = messages.iter().find(|m| m.kind == kind::EMERGENCY_CALL_EVENT).expect("it is told");
    assert_eq!(event.agent_id(), Some("1002"));
    let ring = messages.iter().find(|m| m.kind == kind::CALL_DELIVERED_EVENT).expect("it rings");
    assert_eq!(ring.tag_text(tag::ALERTING_DEVICE_ID), Some("2001"));
}

#[test]
fn nobody_helps_when_every_supervisor_is_away_or_busy() {
    let (mut pair, call) = talking(Dialect::Cce);
    pair.dial("2001", "2003");
    pair.take();
    cry(&mut pair, kind::SUPERVISOR_ASSIST_REQ, call);
    let messages = pair.take();
    assert_eq!(messages.len(), 1, "the customer is not put on hold");
    assert_eq!(messages[0].raw(field::STATUS), Some(status_code::SUPERVISOR_NOT_FOUND));
    cry(&mut pair, kind::EMERGENCY_CALL_REQ, 9999);
    assert_eq!(pair.refusal(), Some(cf::INVALID_CSTA_CALL_IDENTIFIER));
    pair.on_call(kind::HOLD_CALL_REQ, call, "2002");
    pair.take();
    cry(&mut pair, kind::EMERGENCY_CALL_REQ, call);
    assert_eq!(pair.refusal(), Some(cf::NO_ACTIVE_CALL));
}
