//! Consultation, transfer, conference, renamed calls.

use cti::kind::Kind;
use cti::{Message, field, kind, tag};

use crate::model::command::{DialogBody, Reply, What};
use crate::model::testing::{Bench, call_event, short, shorts, text};

/// 1002 talks to a customer in 100 (held) and to 1003 in 102.
fn consulting() -> Bench {
    let mut b = Bench::staffed();
    b.talk(100, "2002");
    b.call(kind::CALL_HELD_EVENT, 100, tag::HOLDING_DEVICE_ID, "2002");
    b.cti(&call_event(kind::BEGIN_CALL_EVENT, 102, "2002").with(field::CALL_TYPE, 12u32));
    b.call(kind::CALL_SERVICE_INITIATED_EVENT, 102, tag::CALLING_DEVICE_ID, "2002");
    b.answer(102, "2002", "2003");
    b.events.clear();
    b.requests.clear();
    b
}

fn merge(kind: Kind) -> Message {
    Message::new(kind)
        .with(field::PRIMARY_CALL_ID, 100u32)
        .with(field::SECONDARY_CALL_ID, 102u32)
        .with_tag(tag::PRIMARY_DEVICE_ID, "2002")
}

#[test]
fn a_consultation_is_closed_by_the_first_event_of_the_new_call() {
    let mut b = Bench::staffed();
    b.talk(100, "2002");
    b.events.clear();
    let body = DialogBody {
        requested_action: Some("CONSULT_CALL".into()),
        target_media_address: Some("2002".into()),
        to_address: Some("2003".into()),
        ..DialogBody::default()
    };
    let what = What::ActOnDialog { dialog: "100".into(), body: Ok(body) };
    assert_eq!(b.ask("1002", Some("c"), what), Reply::Accepted);
    let (_, request) = b.request();
    assert_eq!(request.kind, kind::CONSULTATION_CALL_REQ);
    assert_eq!(request.uint(field::ACTIVE_CONNECTION_CALL_ID), Some(100));
    b.call(kind::CALL_HELD_EVENT, 100, tag::HOLDING_DEVICE_ID, "2002");
    b.cti(&call_event(kind::BEGIN_CALL_EVENT, 102, "2002").with(field::CALL_TYPE, 12u32));
    b.call(kind::CALL_SERVICE_INITIATED_EVENT, 102, tag::CALLING_DEVICE_ID, "2002");
    assert_eq!(
        shorts(b.on("User/1002/Dialogs")),
        ["PUT [] 100 ACTIVE: 0301234=ACTIVE 2002=HELD", "POST [c] 102 INITIATING: 2002=INITIATING"]
    );
}

#[test]
fn a_transfer_leaves_the_far_ends_in_one_call() {
    let mut b = consulting();
    b.act("1002", 100, "t", "TRANSFER", "2002");
    let (token, request) = b.request();
    assert_eq!(request.kind, kind::TRANSFER_CALL_REQ);
    assert_eq!(request.uint(field::ACTIVE_CONNECTION_CALL_ID), Some(102));
    assert_eq!(request.uint(field::HELD_CONNECTION_CALL_ID), Some(100));
    b.confirm(token, kind::TRANSFER_CALL_CONF);
    b.cti(&merge(kind::CALL_TRANSFERRED_EVENT).with_tag(tag::TRANSFERRING_DEVICE_ID, "2002"));
    b.end(102);
    assert_eq!(
        shorts(b.on("User/1002/Dialogs")),
        [
            "DELETE [t] 100 ACTIVE: 0301234=ACTIVE 2002=DROPPED 2003=ACTIVE",
            "DELETE [] 102 DROPPED: 2002=DROPPED 2003=DROPPED"
        ]
    );
    let events = b.on("User/1003/Dialogs");
    assert_eq!(text(&events[0], "secondaryId"), "102");
    assert_eq!(text(&events[0], "callType"), "TRANSFER");
    assert_eq!(
        shorts(events),
        [
            "POST [] 100 ACTIVE: 0301234=ACTIVE 2002=DROPPED 2003=ACTIVE",
            "DELETE [] 102 DROPPED: 2002=DROPPED 2003=DROPPED"
        ]
    );
    b.clear(100, "0301234");
    b.clear(100, "2003");
    b.end(100);
    assert!(b.on("User/1002/Dialogs").is_empty());
    assert_eq!(b.model.counts().1, 0);
}

#[test]
fn a_conference_keeps_its_maker() {
    let mut b = consulting();
    b.act("1002", 100, "c", "CONFERENCE", "2002");
    let (_, request) = b.request();
    assert_eq!(request.kind, kind::CONFERENCE_CALL_REQ);
    let mut event = merge(kind::CALL_CONFERENCED_EVENT).with_tag(tag::CONTROLLER_DEVICE_ID, "2002");
    for device in ["0301234", "2002", "2003"] {
        event.push(tag::CONNECTED_PARTY_CALL_ID, 100u32);
        event.push(tag::CONNECTED_PARTY_DEVICE_ID, device);
    }
    b.cti(&event);
    b.end(102);
    let events = b.on("User/1002/Dialogs");
    assert_eq!(text(&events[0], "callType"), "CONFERENCE");
    assert_eq!(
        shorts(events),
        [
            "PUT [c] 100 ACTIVE: 0301234=ACTIVE 2002=ACTIVE 2003=ACTIVE",
            "DELETE [] 102 DROPPED: 2002=DROPPED 2003=DROPPED"
        ]
    );
    // Who leaves a conference leaves its collection; the others go on.
    b.clear(100, "2003");
    let left = b.on("User/1003/Dialogs");
    assert_eq!(short(left.last().unwrap()), "DELETE [] 100 ACTIVE: 0301234=ACTIVE 2002=ACTIVE 2003=DROPPED");
}

#[test]
fn the_survivor_is_the_one_that_the_parties_name() {
    let mut b = consulting();
    let mut event = merge(kind::CALL_CONFERENCED_EVENT);
    for device in ["0301234", "2003"] {
        event.push(tag::CONNECTED_PARTY_CALL_ID, 102u32);
        event.push(tag::CONNECTED_PARTY_DEVICE_ID, device);
    }
    b.cti(&event);
    let events = shorts(b.on("User/1002/Dialogs"));
    assert!(events[0].starts_with("PUT [] 102 ACTIVE"), "{events:?}");
    assert!(events[1].starts_with("DELETE [] 100"), "{events:?}");
}

#[test]
fn joining_without_a_second_call_is_an_error_event() {
    let mut b = Bench::staffed();
    b.talk(100, "2002");
    b.events.clear();
    for action in ["TRANSFER", "CONFERENCE"] {
        assert_eq!(b.act("1002", 100, "t", action, "2002"), Reply::Accepted);
        assert_eq!(shorts(b.on("User/1002/Dialogs")), ["PUT [t] Generic Error 24 CF_NO_ACTIVE_CALL"]);
    }
    assert!(b.requests.is_empty());
}

#[test]
fn a_call_with_a_new_id_is_a_new_dialog() {
    let mut b = Bench::staffed();
    b.talk(100, "2002");
    b.events.clear();
    let renamed =
        call_event(kind::CALL_DATA_UPDATE_EVENT, 100, "2002").with(field::NEW_CONNECTION_CALL_ID, 200u32);
    b.cti(&renamed);
    assert_eq!(
        shorts(b.on("User/1002/Dialogs")),
        [
            "POST [] 200 ACTIVE: 0301234=ACTIVE 2002=ACTIVE",
            "DELETE [] 100 DROPPED: 0301234=DROPPED 2002=DROPPED"
        ]
    );
    b.clear(200, "2002");
    b.end(200);
    assert!(shorts(b.on("User/1002/Dialogs")).last().unwrap().starts_with("DELETE [] 200"));
}

#[test]
fn a_single_step_transfer_names_no_held_call() {
    let mut b = Bench::staffed();
    b.talk(100, "2002");
    let body = DialogBody {
        requested_action: Some("TRANSFER_SST".into()),
        target_media_address: Some("2002".into()),
        to_address: Some("2003".into()),
        ..DialogBody::default()
    };
    b.ask("1002", Some("s"), What::ActOnDialog { dialog: "100".into(), body: Ok(body) });
    let (_, request) = b.request();
    assert_eq!(request.raw(field::HELD_CONNECTION_CALL_ID), Some(u32::MAX));
    assert_eq!(request.raw(field::HELD_CONNECTION_DEVICE_ID_TYPE), Some(0xFFFF));
    assert_eq!(request.tag_text(tag::DIALED_NUMBER), Some("2003"));
}
