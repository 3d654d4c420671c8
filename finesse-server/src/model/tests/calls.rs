//! Calls: the documented sequences, two calls of one agent, what is missing, late or doubled.

use std::time::Duration;

use cti::enums::{agent_state, device_id_type, event_cause, local_connection_state as lcs};
use cti::{Message, field, kind, tag};

use crate::model::command::{DialogBody, Reply, What};
use crate::model::testing::{Bench, call_event, short, shorts, text};

/// Requirement 30: the inbound sequence with everything the caller sees of the phone system left out.
#[test]
fn n30_an_inbound_call_from_ringing_to_its_end() {
    let mut b = Bench::staffed();
    b.ring(100, "2002");
    let events = b.on("User/1002/Dialogs");
    assert_eq!(text(&events[0], "source"), "/finesse/api/User/1002/Dialogs");
    assert!(events[0].starts_with("<Update><data><dialogs><Dialog>"));
    assert_eq!(shorts(events), ["POST [] 100 ALERTING: 0301234=INITIATED 2002=ALERTING"]);
    b.answer(100, "0301234", "2002");
    let events = b.on("User/1002/Dialogs");
    assert_eq!(text(&events[0], "source"), "/finesse/api/Dialog/100");
    assert!(events[0].starts_with("<Update><data><dialog><associatedDialogUri>"));
    assert_eq!(shorts(events), ["PUT [] 100 ACTIVE: 0301234=ACTIVE 2002=ACTIVE"]);
    b.call(kind::CALL_HELD_EVENT, 100, tag::HOLDING_DEVICE_ID, "2002");
    b.call(kind::CALL_RETRIEVED_EVENT, 100, tag::RETRIEVING_DEVICE_ID, "2002");
    b.clear(100, "0301234");
    b.clear(100, "2002");
    b.cti(&call_event(kind::CALL_CLEARED_EVENT, 100, "0301234"));
    b.end(100);
    let events = b.on("User/1002/Dialogs");
    assert_eq!(text(events.last().unwrap(), "source"), "/finesse/api/User/1002/Dialogs");
    assert_eq!(
        shorts(events),
        [
            "PUT [] 100 ACTIVE: 0301234=ACTIVE 2002=HELD",
            "PUT [] 100 ACTIVE: 0301234=ACTIVE 2002=ACTIVE",
            "PUT [] 100 ACTIVE: 0301234=DROPPED 2002=ACTIVE",
            "PUT [] 100 DROPPED: 0301234=DROPPED 2002=DROPPED",
            "DELETE [] 100 DROPPED: 0301234=DROPPED 2002=DROPPED",
        ]
    );
    assert_eq!(b.model.counts().1, 0);
}

#[test]
fn the_whole_dialog_document() {
    let mut b = Bench::staffed();
    b.ring(100, "2002");
    let what = What::Dialog("100".into());
    assert_eq!(
        b.document("1002", what),
        "<Dialog><associatedDialogUri></associatedDialogUri><callbackNumber></callbackNumber>\
         <fromAddress>0301234</fromAddress><id>100</id><mediaProperties><callKeyCallId>311</callKeyCallId>\
         <callKeyPrefix>155120</callKeyPrefix><callKeySequenceNum></callKeySequenceNum>\
         <callType>PREROUTE_ACD_IN</callType><callvariables><CallVariable><name>callVariable1</name>\
         <value>K-&lt;20913&gt; &amp; &quot;co&quot;</value></CallVariable></callvariables>\
         <dialedNumber>7900</dialedNumber><DNIS>7900</DNIS><mediaId>1</mediaId><queueName>Sales_EN</queueName>\
         <queueNumber>10</queueNumber><wrapUpReason></wrapUpReason></mediaProperties>\
         <mediaType>Voice</mediaType><participants><Participant><actions><action>DROP</action>\
         <action>UPDATE_CALL_DATA</action></actions><mediaAddress>0301234</mediaAddress>\
         <mediaAddressType></mediaAddressType><startTime>2024-02-05T09:14:03.120Z</startTime>\
         <state>INITIATED</state><stateCause></stateCause>\
         <stateChangeTime>2024-02-05T09:14:03.120Z</stateChangeTime></Participant><Participant><actions>\
         <action>ANSWER</action></actions><mediaAddress>2002</mediaAddress>\
         <mediaAddressType>AGENT_DEVICE</mediaAddressType><startTime>2024-02-05T09:14:03.120Z</startTime>\
         <state>ALERTING</state><stateCause></stateCause>\
         <stateChangeTime>2024-02-05T09:14:03.120Z</stateChangeTime></Participant></participants>\
         <scheduledCallbackInfo></scheduledCallbackInfo><secondaryId></secondaryId><state>ALERTING</state>\
         <toAddress>7900</toAddress><uri>/finesse/api/Dialog/100</uri></Dialog>"
    );
}

/// Requirement 31 on the side of calls, and the request id on the event that closes the request.
#[test]
fn n31_call_control_is_closed_by_its_event_or_its_refusal() {
    let mut b = Bench::staffed();
    b.ring(100, "2002");
    b.events.clear();
    assert_eq!(b.act("1002", 100, "a", "ANSWER", "2002"), Reply::Accepted);
    let (token, request) = b.request();
    assert_eq!(request.kind, kind::ANSWER_CALL_REQ);
    assert_eq!(request.uint(field::CONNECTION_CALL_ID), Some(100));
    assert_eq!(request.tag_text(tag::CONNECTION_DEVICE_ID), Some("2002"));
    b.confirm(token, kind::ANSWER_CALL_CONF);
    b.answer(100, "0301234", "2002");
    assert_eq!(shorts(b.on("User/1002/Dialogs")), ["PUT [a] 100 ACTIVE: 0301234=ACTIVE 2002=ACTIVE"]);
    b.act("1002", 100, "h", "HOLD", "2002");
    let (token, _) = b.request();
    b.refuse(token, 34, 0);
    let events = b.on("User/1002/Dialogs");
    assert_eq!(
        events,
        ["<Update><data><apiErrors><apiError><errorData>34</errorData>\
          <errorMessage>CF_RESOURCE_OUT_OF_SERVICE</errorMessage><errorType>Call Operation Failure</errorType>\
          </apiError></apiErrors></data><event>PUT</event><requestId>h</requestId>\
          <source>/finesse/api/Dialog/100</source></Update>"]
    );
    for (action, code, kind) in [("HOLD", 22, "Generic Error"), ("RETRIEVE", 25, "Generic Error")] {
        b.act("1002", 100, "x", action, "2002");
        let (token, _) = b.request();
        b.refuse(token, code, 0);
        assert!(shorts(b.on("User/1002/Dialogs"))[0].starts_with(&format!("PUT [x] {kind} {code}")));
    }
    b.act("1002", 100, "h", "HOLD", "2002");
    b.call(kind::CALL_HELD_EVENT, 100, tag::HOLDING_DEVICE_ID, "2002");
    b.requests.clear();
    assert_eq!(shorts(b.on("User/1002/Dialogs")), ["PUT [h] 100 ACTIVE: 0301234=ACTIVE 2002=HELD"]);
}

#[test]
fn requests_about_one_phone_wait_for_each_other() {
    let mut b = Bench::staffed();
    b.talk(100, "2002");
    b.act("1002", 100, "h", "HOLD", "2002");
    b.act("1002", 100, "r", "RETRIEVE", "2002");
    let (token, request) = b.request();
    assert_eq!(request.kind, kind::HOLD_CALL_REQ);
    b.confirm(token, kind::HOLD_CALL_CONF);
    let (_, request) = b.request();
    assert_eq!(request.kind, kind::RETRIEVE_CALL_REQ);
    assert_eq!(request.uint(field::HELD_CONNECTION_CALL_ID), Some(100));
    assert_eq!(request.tag_text(tag::HELD_CONNECTION_DEVICE_ID), Some("2002"));
}

fn make_call(from: &str, to: &str) -> DialogBody {
    DialogBody {
        requested_action: Some("MAKE_CALL".into()),
        from_address: Some(from.into()),
        to_address: Some(to.into()),
        ..DialogBody::default()
    }
}

#[test]
fn a_call_between_agents_is_in_both_collections() {
    let mut b = Bench::staffed();
    let what = What::CreateDialog { user: "1002".into(), body: Ok(make_call("2002", "2003")) };
    assert_eq!(b.ask("1002", Some("m"), what), Reply::Accepted);
    let (token, request) = b.request();
    assert_eq!(request.kind, kind::MAKE_CALL_REQ);
    assert_eq!(request.tag_text(tag::DIALED_NUMBER), Some("2003"));
    let conf = Message::new(kind::MAKE_CALL_CONF).with(field::NEW_CONNECTION_CALL_ID, 101u32);
    b.link(crate::model::Link::Confirmed { token, message: conf });
    b.cti(&call_event(kind::BEGIN_CALL_EVENT, 101, "2002").with(field::CALL_TYPE, 10u32));
    b.call(kind::CALL_SERVICE_INITIATED_EVENT, 101, tag::CALLING_DEVICE_ID, "2002");
    let originated = call_event(kind::CALL_ORIGINATED_EVENT, 101, "2002")
        .with_tag(tag::CALLING_DEVICE_ID, "2002")
        .with_tag(tag::CALLED_DEVICE_ID, "2003");
    b.cti(&originated);
    let rings = call_event(kind::CALL_DELIVERED_EVENT, 101, "2003")
        .with(field::LOCAL_CONNECTION_STATE, lcs::ALERTING)
        .with_tag(tag::CALLING_DEVICE_ID, "2002")
        .with_tag(tag::CALLED_DEVICE_ID, "2003")
        .with_tag(tag::ALERTING_DEVICE_ID, "2003");
    b.cti(&rings);
    b.answer(101, "2002", "2003");
    b.clear(101, "2003");
    b.clear(101, "2002");
    b.end(101);
    let events = b.on("User/1002/Dialogs");
    assert_eq!(text(&events[1], "toAddress"), "2003");
    assert_eq!(text(&events[1], "callType"), "AGENT_INSIDE");
    assert_eq!(
        shorts(events),
        [
            "POST [m] 101 INITIATING: 2002=INITIATING",
            "PUT [] 101 INITIATED: 2002=INITIATED",
            "PUT [] 101 ALERTING: 2002=INITIATED 2003=ALERTING",
            "PUT [] 101 ACTIVE: 2002=ACTIVE 2003=ACTIVE",
            "PUT [] 101 ACTIVE: 2002=ACTIVE 2003=DROPPED",
            "PUT [] 101 DROPPED: 2002=DROPPED 2003=DROPPED",
            "DELETE [] 101 DROPPED: 2002=DROPPED 2003=DROPPED",
        ]
    );
    assert_eq!(
        shorts(b.on("User/1003/Dialogs"))[..2],
        [
            "POST [] 101 ALERTING: 2002=INITIATED 2003=ALERTING".to_owned(),
            "PUT [] 101 ACTIVE: 2002=ACTIVE 2003=ACTIVE".to_owned()
        ]
    );
}

#[test]
fn a_call_that_cannot_be_made_fails_with_its_cause() {
    let mut b = Bench::staffed();
    b.call(kind::CALL_ORIGINATED_EVENT, 101, tag::CALLING_DEVICE_ID, "2002");
    let failed = call_event(kind::CALL_FAILED_EVENT, 101, "2002")
        .with(field::EVENT_CAUSE, event_cause::BUSY)
        .with_tag(tag::FAILING_DEVICE_ID, "2003");
    b.cti(&failed);
    let events = b.on("User/1002/Dialogs");
    assert_eq!(text(&events[1], "stateCause"), "BUSY");
    assert!(events[1].contains("<actions><action>DROP</action></actions>"));
    assert_eq!(short(&events[1]), "PUT [] 101 FAILED: 2002=FAILED");
}

#[test]
fn an_unanswered_call_leaves_the_agent_when_it_goes_elsewhere() {
    let mut b = Bench::staffed();
    b.ring(100, "2002");
    b.events.clear();
    b.call(kind::CALL_DIVERTED_EVENT, 100, tag::DIVERTING_DEVICE_ID, "2002");
    assert_eq!(
        shorts(b.on("User/1002/Dialogs")),
        ["DELETE [] 100 INITIATED: 0301234=INITIATED 2002=DROPPED"]
    );
    let rings = call_event(kind::CALL_DELIVERED_EVENT, 100, "2003")
        .with(field::LOCAL_CONNECTION_STATE, lcs::ALERTING)
        .with_tag(tag::ALERTING_DEVICE_ID, "2003");
    b.cti(&rings);
    assert!(b.on("User/1002/Dialogs").is_empty());
    assert_eq!(shorts(b.on("User/1003/Dialogs")).len(), 1);
    // It may come back to the first.
    b.ring(100, "2002");
    assert!(shorts(b.on("User/1002/Dialogs"))[0].starts_with("POST"));
}

#[test]
fn wrap_up_is_a_state_of_the_leg_until_the_call_ends() {
    let mut b = Bench::staffed();
    b.talk(100, "2002");
    b.clear(100, "0301234");
    b.clear(100, "2002");
    b.events.clear();
    b.state("1002", "2002", agent_state::WORK_NOT_READY, 0);
    let data =
        call_event(kind::CALL_DATA_UPDATE_EVENT, 100, "2002").with_tag(tag::CALL_WRAPUP_DATA, "Invoice");
    b.cti(&data);
    b.cti(&data);
    b.end(100);
    let events = b.on("User/1002/Dialogs");
    assert!(events[1].contains("<wrapUpReason>Invoice</wrapUpReason>"));
    assert!(events[0].contains("<actions><action>UPDATE_CALL_DATA</action></actions>"));
    assert_eq!(
        shorts(events),
        [
            "PUT [] 100 DROPPED: 0301234=DROPPED 2002=WRAP_UP",
            "PUT [] 100 DROPPED: 0301234=DROPPED 2002=WRAP_UP",
            "DELETE [] 100 DROPPED: 0301234=DROPPED 2002=DROPPED"
        ]
    );
}

#[test]
fn wrap_up_that_is_told_first_counts_when_the_leg_ends() {
    let mut b = Bench::staffed();
    b.talk(100, "2002");
    b.state("1002", "2002", agent_state::WORK_READY, 0);
    b.events.clear();
    b.clear(100, "2002");
    assert_eq!(shorts(b.on("User/1002/Dialogs")), ["PUT [] 100 ACTIVE: 0301234=ACTIVE 2002=WRAP_UP"]);
}

#[test]
fn a_second_active_call_gives_the_held_one_transfer_and_conference() {
    let mut b = Bench::staffed();
    b.talk(100, "2002");
    b.call(kind::CALL_HELD_EVENT, 100, tag::HOLDING_DEVICE_ID, "2002");
    b.events.clear();
    b.cti(&call_event(kind::BEGIN_CALL_EVENT, 102, "2002").with(field::CALL_TYPE, 12u32));
    b.call(kind::CALL_SERVICE_INITIATED_EVENT, 102, tag::CALLING_DEVICE_ID, "2002");
    b.answer(102, "2002", "2003");
    let events = b.on("User/1002/Dialogs");
    assert_eq!(text(&events[0], "associatedDialogUri"), "/finesse/api/Dialog/100");
    let held = events.last().unwrap();
    assert_eq!(short(held), "PUT [] 100 ACTIVE: 0301234=ACTIVE 2002=HELD");
    assert!(held.contains("<action>TRANSFER</action><action>CONFERENCE</action>"), "{held}");
    b.clear(102, "2003");
    b.clear(102, "2002");
    let events = b.on("User/1002/Dialogs");
    let held = events.iter().rfind(|e| e.contains("<id>100</id>")).unwrap();
    assert!(!held.contains(">TRANSFER<"));
}

#[test]
fn late_and_doubled_events_change_nothing() {
    let mut b = Bench::staffed();
    b.talk(100, "2002");
    b.events.clear();
    b.ring(100, "2002");
    b.answer(100, "0301234", "2002");
    assert!(b.on("User/1002/Dialogs").is_empty());
    b.end(100);
    assert_eq!(b.on("User/1002/Dialogs").len(), 1);
    let late = call_event(kind::CALL_DATA_UPDATE_EVENT, 100, "2002").with_tag(tag::CALL_VARIABLE1, "late");
    b.cti(&late);
    b.answer(100, "0301234", "2002");
    b.clear(100, "2002");
    b.end(100);
    assert!(b.events.is_empty());
    assert_eq!(b.model.counts().1, 0);
}

#[test]
fn a_call_without_beginning_is_taken_as_it_comes() {
    let mut b = Bench::staffed();
    b.answer(100, "0301234", "2002");
    assert_eq!(shorts(b.on("User/1002/Dialogs")), ["POST [] 100 ACTIVE: 0301234=ACTIVE 2002=ACTIVE"]);
}

#[test]
fn a_call_whose_end_is_never_told_is_swept_out() {
    let mut b = Bench::staffed();
    b.talk(100, "2002");
    b.clear(100, "2002");
    b.clear(100, "0301234");
    b.events.clear();
    b.pass(Duration::from_secs(170));
    assert!(b.events.is_empty());
    b.pass(Duration::from_secs(60));
    assert!(shorts(b.on("User/1002/Dialogs"))[0].starts_with("DELETE [] 100"));
    assert_eq!(b.model.counts().1, 0);
}

#[test]
fn queues_and_route_points_are_no_participants() {
    let mut b = Bench::staffed();
    let queued = call_event(kind::CALL_DELIVERED_EVENT, 100, "7900")
        .with(field::LOCAL_CONNECTION_STATE, lcs::ALERTING)
        .with(field::ALERTING_DEVICE_TYPE, device_id_type::ROUTE_POINT)
        .with_tag(tag::CALLING_DEVICE_ID, "0301234")
        .with_tag(tag::ALERTING_DEVICE_ID, "7900");
    b.cti(&queued);
    b.ring(100, "2002");
    assert_eq!(shorts(b.on("User/1002/Dialogs")), ["POST [] 100 ALERTING: 0301234=INITIATED 2002=ALERTING"]);
}

#[test]
fn after_a_side_switch_a_call_is_announced_in_its_state() {
    let mut b = Bench::staffed();
    let rebuilt = call_event(kind::CALL_DELIVERED_EVENT, 100, "2002")
        .with(field::LOCAL_CONNECTION_STATE, lcs::HOLD)
        .with(field::EVENT_CAUSE, event_cause::CALL_PARTY_UPDATE_IND)
        .with_tag(tag::ALERTING_DEVICE_ID, "2002");
    b.cti(&rebuilt);
    assert_eq!(shorts(b.on("User/1002/Dialogs")), ["POST [] 100 ACTIVE: 2002=HELD"]);
}

#[test]
fn who_signs_in_at_a_ringing_phone_sees_the_call_and_who_leaves_does_not() {
    let mut b = Bench::staffed();
    b.ring(100, "2001");
    assert!(b.events.is_empty());
    b.state("1001", "2001", agent_state::NOT_READY, 0);
    assert!(shorts(b.on("User/1001/Dialogs"))[0].starts_with("POST [] 100 ALERTING"));
    b.state("1001", "", agent_state::LOGOUT, 0);
    assert!(shorts(b.on("User/1001/Dialogs"))[0].starts_with("DELETE [] 100"));
}
