//! Calls of the dialer: reservations, what agents answer to them, the customers' calls.

use cti::enums::{agent_state, call_direction, call_type, device_id_type, local_connection_state as lcs};
use cti::{Dialect, Message, field, kind, tag};

use crate::model::command::{DialogBody, Reply, What};
use crate::model::testing::{Bench, call_event, directory, shorts, state_event, text};

const DIALOGS: &str = "User/1002/Dialogs";

fn staffed(dialect: Dialect) -> Bench {
    let mut b = Bench::serving(directory(), dialect);
    b.state("1002", "2002", agent_state::AVAILABLE, 0);
    b.requests.clear();
    b.events.clear();
    b
}

fn with_data(message: Message, status: &str, response: &str) -> Message {
    message
        .with_tag(tag::CUSTOMER_PHONE_NUMBER, "5550199001")
        .with_named("BACampaign", "Renewals")
        .with_named("BAStatus", status)
        .with_named("BAResponse", response)
}

fn reserve(b: &mut Bench, direction: u32) {
    b.cti(&state_event("1002", "2002", agent_state::RESERVED, 0).with_tag(tag::DIRECTION, direction));
}

fn offer(b: &mut Bench, id: u32, number: u32, status: &str) {
    let begin = call_event(kind::BEGIN_CALL_EVENT, id, "8001")
        .with(field::CALL_TYPE, number)
        .with_tag(tag::ANI, "95550199001")
        .with_tag(tag::DIALED_NUMBER, "95550199001");
    b.cti(&with_data(begin, status, ""));
    let ring = call_event(kind::CALL_DELIVERED_EVENT, id, "2002")
        .with(field::LOCAL_CONNECTION_STATE, lcs::ALERTING)
        .with(field::CALLING_DEVICE_TYPE, device_id_type::EXTERNAL)
        .with_tag(tag::CALLING_DEVICE_ID, "8001")
        .with_tag(tag::CALLED_DEVICE_ID, "2002")
        .with_tag(tag::ALERTING_DEVICE_ID, "2002");
    b.cti(&ring);
}

/// The customer's call as the dialer brings it.
fn connect(b: &mut Bench, id: u32, number: u32, status: &str) {
    let begin = call_event(kind::BEGIN_CALL_EVENT, id, "95550199001")
        .with(field::CALL_TYPE, number)
        .with_tag(tag::ANI, "95550199001")
        .with_tag(tag::DIALED_NUMBER, "95550199001");
    b.cti(&with_data(begin, status, ""));
    let ring = call_event(kind::CALL_DELIVERED_EVENT, id, "2002")
        .with(field::LOCAL_CONNECTION_STATE, lcs::ALERTING)
        .with_tag(tag::CALLING_DEVICE_ID, "95550199001")
        .with_tag(tag::ALERTING_DEVICE_ID, "2002");
    b.cti(&ring);
    b.answer(id, "95550199001", "2002");
}

fn tell(b: &mut Bench, call: u32, action: &str, params: &[(&str, &str)]) -> String {
    let body = DialogBody {
        requested_action: Some(action.into()),
        target_media_address: Some("2002".into()),
        action_params: params.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
        ..DialogBody::default()
    };
    match b.ask("1002", Some("r"), What::ActOnDialog { dialog: call.to_string(), body: Ok(body) }) {
        Reply::Refused(e) => format!("{} {}: {}", e.status, e.kind, e.data),
        reply => format!("{reply:?}"),
    }
}

/// The word that the one waiting request tells the dialer.
fn word(b: &mut Bench) -> (u64, String) {
    let (token, request) = b.request();
    assert_eq!(request.kind, kind::SET_CALL_DATA_REQ);
    assert_eq!(request.uint(field::NUM_NAMED_VARIABLES), Some(1));
    let (name, value) = request.named_variables().next().unwrap();
    assert_eq!(name, "BAResponse");
    (token, value.to_owned())
}

/// Confirms the request and tells of the changed data.
fn done(b: &mut Bench, token: u64, id: u32, status: &str, response: &str) {
    b.confirm(token, kind::SET_CALL_DATA_CONF);
    let update = call_event(kind::CALL_DATA_UPDATE_EVENT, id, "2002");
    b.cti(&with_data(update, status, response));
}

fn actions(dialog: &str) -> Vec<&str> {
    let own = dialog.split("<Participant>").find(|p| p.contains("<mediaAddress>2002<")).unwrap();
    own.split("<action>").skip(1).map(|a| a.split('<').next().unwrap()).collect()
}

#[test]
fn a_preview_is_accepted_and_becomes_the_customers_call() {
    let mut b = staffed(Dialect::Cce);
    reserve(&mut b, call_direction::OUTBOUND_PREVIEW);
    assert_eq!(shorts(b.on("User/1002")), ["PUT [] RESERVED_OUTBOUND_PREVIEW"]);
    offer(&mut b, 200, call_type::RESERVATION_PREVIEW, "PB");
    let events = b.on(DIALOGS);
    assert_eq!(shorts(events.clone()), ["POST [] 200 ALERTING: 8001=INITIATED 2002=ALERTING"]);
    let dialog = &events[0];
    assert_eq!(text(dialog, "callType"), "OUTBOUND_PREVIEW");
    assert_eq!((text(dialog, "fromAddress"), text(dialog, "toAddress")), ("8001", "2002"));
    assert!(dialog.contains("<name>BAStatus</name><value>BLENDED_PREVIEW_OUTBOUND_RESERVATION</value>"));
    assert_eq!(actions(dialog), ["ACCEPT", "CLOSE", "REJECT"]);
    assert!(b.document("1002", What::Reservations("1002".into())).contains("/Dialog/200<"));

    assert_eq!(tell(&mut b, 200, "ACCEPT", &[]), "Accepted");
    let (token, accept) = word(&mut b);
    assert_eq!(accept, "Accept");
    done(&mut b, token, 200, "PB", "Accept");
    let events = b.on(DIALOGS);
    assert_eq!(shorts(events.clone()), ["PUT [r] 200 ACCEPTED: 8001=INITIATED 2002=ACCEPTED"]);
    assert!(actions(&events[0]).is_empty());

    b.clear(200, "2002");
    b.end(200);
    assert_eq!(shorts(b.on(DIALOGS)), ["DELETE [] 200 INITIATED: 8001=INITIATED 2002=DROPPED"]);
    connect(&mut b, 201, call_type::CUSTOMER_PREVIEW, "CB");
    let dialog = b.document("1002", What::Dialog("201".into()));
    assert_eq!(text(&dialog, "callType"), "OUTBOUND");
    assert_eq!((text(&dialog, "fromAddress"), text(&dialog, "toAddress")), ("2002", "95550199001"));
    assert_eq!(text(&dialog, "associatedDialogUri"), "/finesse/api/Dialog/200");
    assert_eq!(b.document("1002", What::Reservations("1002".into())), "<Dialogs></Dialogs>");
    assert!(dialog.contains("<value>BLENDED_PREVIEW_OUTBOUND</value>"));
    let allowed = actions(&dialog);
    assert!(
        allowed.contains(&"UPDATE_SCHEDULED_CALLBACK") && !allowed.contains(&"RECLASSIFY"),
        "{allowed:?}"
    );
}

#[test]
fn a_reservation_is_rejected_or_closed_in_the_dialers_words() {
    let mut b = staffed(Dialect::Cce);
    offer(&mut b, 200, call_type::RESERVATION_PREVIEW, "PO");
    for (action, expected) in [("REJECT", "Reject"), ("CLOSE", "Reject-Close")] {
        assert_eq!(tell(&mut b, 200, action, &[]), "Accepted");
        let (token, told) = word(&mut b);
        assert_eq!(told, expected);
        b.events.clear();
        b.refuse(token, 22, 0);
        assert_eq!(shorts(b.on(DIALOGS)), ["PUT [r] Generic Error 22 CF_INVALID_OBJECT_STATE"]);
    }
}

#[test]
fn a_direct_preview_is_classified_and_called_back() {
    for (dialect, reservation, customer) in [
        (Dialect::Cce, call_type::RESERVATION_PREVIEW_DIRECT, call_type::CUSTOMER_PREVIEW_DIRECT),
        (Dialect::Ccx, call_type::RESERVATION, call_type::PREVIEW),
    ] {
        let mut b = staffed(dialect);
        offer(&mut b, 200, reservation, "DO");
        let dialog = b.document("1002", What::Dialog("200".into()));
        assert_eq!(text(&dialog, "callType"), "OUTBOUND_DIRECT_PREVIEW");
        let number = if dialect == Dialect::Cce { "5550199001" } else { "" };
        assert_eq!(text(&dialog, "callbackNumber"), number);
        b.end(200);
        let begin = call_event(kind::BEGIN_CALL_EVENT, 201, "2002").with(field::CALL_TYPE, customer);
        b.cti(&with_data(begin, "CO", ""));
        b.cti(
            &call_event(kind::CALL_ORIGINATED_EVENT, 201, "2002")
                .with_tag(tag::CALLING_DEVICE_ID, "2002")
                .with_tag(tag::CALLED_DEVICE_ID, "95550199001"),
        );
        b.answer(201, "2002", "95550199001");
        b.events.clear();
        let dialog = b.document("1002", What::Dialog("201".into()));
        assert!(dialog.contains("<value>DIRECT_PREVIEW_OUTBOUND</value>"), "{dialog}");
        assert_eq!((text(&dialog, "fromAddress"), text(&dialog, "toAddress")), ("2002", "95550199001"));
        assert!(actions(&dialog).contains(&"RECLASSIFY"));

        assert_eq!(tell(&mut b, 201, "RECLASSIFY", &[("outboundClassification", "ANS_MACHINE")]), "Accepted");
        let (token, told) = word(&mut b);
        assert_eq!(told, "REX_ANS_MACHINE");
        done(&mut b, token, 201, "CO", "REX_ANS_MACHINE");
        assert!(b.on(DIALOGS)[0].contains("<value>REX_ANS_MACHINE</value>"));

        let callback = [("callbackTime", "2024-02-06T11:30"), ("callbackNumber", "5550124")];
        assert_eq!(tell(&mut b, 201, "UPDATE_SCHEDULED_CALLBACK", &callback), "Accepted");
        let (token, told) = word(&mut b);
        assert_eq!(told, "Callback 02062024 11:30");
        done(&mut b, token, 201, "CO", &told);
        let (token, told) = word(&mut b);
        assert_eq!(told, "P#5550124");
        done(&mut b, token, 201, "CO", &told);
        let events = b.on(DIALOGS);
        assert!(events[1].contains(
            "<scheduledCallbackInfo><callbackNumber>5550124</callbackNumber>\
             <callbackTime>2024-02-06T11:30</callbackTime></scheduledCallbackInfo>"
        ));
        assert_eq!(tell(&mut b, 201, "CANCEL_SCHEDULED_CALLBACK", &[]), "Accepted");
        let (token, told) = word(&mut b);
        done(&mut b, token, 201, "CO", &told);
        assert!(b.on(DIALOGS)[0].contains("<scheduledCallbackInfo></scheduledCallbackInfo>"));
    }
}

#[test]
fn a_progressive_reservation_is_no_dialog_and_the_mode_is_remembered() {
    for (status, words) in [("GO", "PROGRESSIVE_OUTBOUND"), ("RO", "PREDICTIVE_OUTBOUND")] {
        let mut b = staffed(Dialect::Cce);
        reserve(&mut b, call_direction::OUTBOUND_RESERVE);
        assert_eq!(shorts(b.on("User/1002")), ["PUT [] RESERVED_OUTBOUND"]);
        offer(&mut b, 200, call_type::RESERVATION_PREDICTIVE, status);
        assert_eq!(b.document("1002", What::Dialogs("1002".into())), "<Dialogs></Dialogs>");
        b.clear(200, "2002");
        b.end(200);
        assert!(b.on(DIALOGS).is_empty());
        connect(&mut b, 201, call_type::CUSTOMER_PREDICTIVE, "CO");
        let dialog = b.document("1002", What::Dialog("201".into()));
        assert!(dialog.contains(&format!("<name>BAStatus</name><value>{words}</value>")), "{dialog}");
        assert_eq!(text(&dialog, "associatedDialogUri"), "");
    }
}

#[test]
fn what_is_wrong_with_a_request_to_the_dialer_is_refused() {
    let mut b = staffed(Dialect::Ccx);
    offer(&mut b, 200, call_type::RESERVATION_PREVIEW, "PO");
    for action in ["ACCEPT", "CLOSE", "REJECT"] {
        assert_eq!(tell(&mut b, 200, action, &[]), format!("501 Not Implemented: {action}"), "CCE only");
    }
    let class = |value| [("outboundClassification", value)];
    let missing = "400 Parameter Missing: outboundClassification";
    assert_eq!(tell(&mut b, 200, "RECLASSIFY", &[]), missing);
    assert_eq!(tell(&mut b, 200, "RECLASSIFY", &[("class", "FAX")]), missing);
    assert_eq!(tell(&mut b, 200, "RECLASSIFY", &class("voice")), "400 Invalid Input: voice");
    let callback = "UPDATE_SCHEDULED_CALLBACK";
    assert_eq!(tell(&mut b, 200, callback, &[]), "400 Parameter Missing: callbackTime");
    for (name, value) in [
        ("callbackTime", "02062024 11:30"),
        ("callbackTime", "2024-02-30T11:30"),
        ("callbackNumber", "55501x4"),
        ("callbackNumber", "12345678901234567890"),
    ] {
        assert_eq!(tell(&mut b, 200, callback, &[(name, value)]), format!("400 Invalid Input: {name}"));
    }
    assert_eq!(tell(&mut b, 999, "ACCEPT", &[]), "404 Dialog Not Found: 999");
    assert!(b.requests.is_empty());
    // A call that is none of the dialer's: an event tells so, as of every refusal that depends on the call.
    b.talk(300, "2002");
    b.events.clear();
    assert_eq!(tell(&mut b, 300, "RECLASSIFY", &class("FAX")), "Accepted");
    assert!(b.requests.is_empty());
    assert_eq!(shorts(b.on(DIALOGS)), ["PUT [r] Generic Error 22 CF_INVALID_OBJECT_STATE"]);
}

#[test]
fn ccx_sends_the_dialers_words_of_a_direct_preview() {
    let mut b = staffed(Dialect::Ccx);
    offer(&mut b, 200, call_type::RESERVATION, "DO");
    assert_eq!(tell(&mut b, 200, "ACCEPT", &[]), "Accepted");
    assert_eq!(word(&mut b).1, "Accept");
}

#[test]
fn a_transferred_customer_stays_a_customer() {
    let mut b = staffed(Dialect::Cce);
    b.state("1003", "2003", agent_state::AVAILABLE, 0);
    connect(&mut b, 201, call_type::CUSTOMER_PREVIEW_DIRECT, "CO");
    let merged = Message::new(kind::CALL_TRANSFERRED_EVENT)
        .with(field::PRIMARY_CALL_ID, 201u32)
        .with_tag(tag::TRANSFERRING_DEVICE_ID, "2002")
        .with_tag(tag::CONNECTED_PARTY_CALL_ID, 201u32)
        .with_tag(tag::CONNECTED_PARTY_DEVICE_ID, "2003");
    b.cti(&merged);
    let dialog = b.document("1003", What::Dialog("201".into()));
    assert_eq!(text(&dialog, "callType"), "TRANSFER");
    assert!(dialog.contains("<value>DIRECT_PREVIEW_OUTBOUND</value>"), "{dialog}");
}

#[test]
fn a_new_session_does_not_forget_for_whom_an_agent_is_reserved() {
    let mut b = staffed(Dialect::Cce);
    reserve(&mut b, call_direction::OUTBOUND_PREVIEW);
    b.link(crate::model::Link::Down);
    b.rebuild(&[("1002", "2002", agent_state::RESERVED)]);
    assert_eq!(text(&b.document("1002", What::User("1002".into())), "state"), "RESERVED_OUTBOUND_PREVIEW");
}
