//! Recordings are started, stopped, and end with their calls.

use super::pair::{Pair, config};
use crate::enums::control_failure_code as cf;
use crate::{Message, field, kind};

#[test]
fn a_call_is_recorded_until_it_is_stopped_or_ends() {
    let mut pair = Pair::open(config(), 20);
    pair.ready(&["1001"]);
    let call = pair.answered("2001");
    let recorded = |pair: &Pair| pair.exchange.world.snapshot().calls[0].recorded;
    pair.on_call(kind::STOP_RECORDING_REQ, call, "2001");
    assert_eq!(pair.refusal(), Some(cf::INVALID_OBJECT_STATE));
    pair.on_call(kind::START_RECORDING_REQ, call, "2001");
    let first: Message = pair.take().remove(0);
    assert_eq!((first.kind, recorded(&pair)), (kind::START_RECORDING_CONF, true));
    pair.on_call(kind::START_RECORDING_REQ, call, "2001");
    let again = pair.take().remove(0);
    assert_eq!(again.raw(field::SESSION_ID), first.raw(field::SESSION_ID), "goes on");
    pair.on_call(kind::STOP_RECORDING_REQ, call, "2001");
    assert_eq!((pair.take_kinds(), recorded(&pair)), (vec![kind::STOP_RECORDING_CONF], false));
    pair.on_call(kind::START_RECORDING_REQ, call, "2001");
    let second = pair.take().remove(0);
    assert_ne!(second.raw(field::SESSION_ID), first.raw(field::SESSION_ID), "another recording");
}

#[test]
fn what_cannot_be_recorded_is_refused() {
    let mut pair = Pair::open(config(), 20);
    pair.ready(&["1001"]);
    let call = pair.answered("2001");
    for (id, phone, code) in [
        (call + 50, "2001", cf::INVALID_CSTA_CALL_IDENTIFIER),
        (call, "2002", cf::INVALID_CSTA_CONNECTION_IDENTIFIER),
    ] {
        pair.on_call(kind::START_RECORDING_REQ, id, phone);
        assert_eq!(pair.refusal(), Some(code));
    }
    pair.on_call(kind::HOLD_CALL_REQ, call, "2001");
    pair.take();
    pair.on_call(kind::START_RECORDING_REQ, call, "2001");
    assert_eq!(pair.refusal(), Some(cf::NO_ACTIVE_CALL), "on hold");
}

#[test]
fn without_a_recording_service_nothing_is_recorded() {
    let mut config = config();
    config.behaviour.recording = false;
    let mut pair = Pair::open(config, 20);
    pair.ready(&["1001"]);
    let call = pair.answered("2001");
    for request in [kind::START_RECORDING_REQ, kind::STOP_RECORDING_REQ] {
        pair.on_call(request, call, "2001");
        assert_eq!(pair.refusal(), Some(cf::REQUESTED_SERVICE_NOT_REGISTERED));
    }
}
