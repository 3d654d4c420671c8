//! Supervisors listen to calls, join them, and drop participants.

use cti::enums::{agent_state, call_type, supervisory_action as action};
use cti::{Dialect, Message, field, kind, tag};

use crate::model::DropParticipantFor;
use crate::model::command::{DialogBody, Reply, What};
use crate::model::testing::{Bench, call_event, directory, short, shorts, text};

const OTHER: &str = "401 Invalid Authorization User Specified";

/// 1001 (2001) supervises, not ready; 1002 (2002) talks to 0301234 on call 100.
fn staffed(dialect: Dialect) -> Bench {
    let mut b = Bench::serving(directory(), dialect);
    for (id, phone) in [("1001", "2001"), ("1002", "2002"), ("1003", "2003"), ("MKeller", "2004")] {
        b.state(id, phone, agent_state::NOT_READY, 0);
    }
    b.talk(100, "2002");
    b.state("1002", "2002", agent_state::TALKING, 0);
    b.requests.clear();
    b.events.clear();
    b
}

fn body(action: &str, from: &str, to: &str, monitor: Option<&str>) -> DialogBody {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    DialogBody {
        requested_action: some(action),
        from_address: some(from),
        to_address: some(to),
        associated_dialog_uri: monitor.map(Into::into),
        ..DialogBody::default()
    }
}

fn create(id: &str, body: DialogBody) -> What {
    What::CreateDialog { user: id.into(), body: Ok(body) }
}

fn monitor(b: &mut Bench, rid: &str) -> Message {
    let what = create("1001", body("SILENT_MONITOR", "2001", "2002", None));
    assert_eq!(b.ask("1001", Some(rid), what), Reply::Accepted);
    let (token, request) = b.request();
    b.confirm(token, kind::SUPERVISE_CALL_CONF);
    request
}

/// What a CTI server tells of the listening call 101.
fn monitor_events(b: &mut Bench) {
    b.cti(&call_event(kind::BEGIN_CALL_EVENT, 101, "2001").with(field::CALL_TYPE, 21u32));
    b.call(kind::CALL_SERVICE_INITIATED_EVENT, 101, tag::CALLING_DEVICE_ID, "2001");
    let originated = call_event(kind::CALL_ORIGINATED_EVENT, 101, "2001")
        .with_tag(tag::CALLING_DEVICE_ID, "2001")
        .with_tag(tag::CALLED_DEVICE_ID, "2002");
    b.cti(&originated);
    b.answer(101, "2001", "2002");
    b.state("1001", "2001", agent_state::TALKING, 0);
}

fn listening(dialect: Dialect) -> Bench {
    let mut b = staffed(dialect);
    monitor(&mut b, "m");
    monitor_events(&mut b);
    b.requests.clear();
    b.events.clear();
    b
}

/// CALL_CONFERENCED: 101 becomes a part of 100, which 2002 controls.
fn barge_event(b: &mut Bench) {
    let mut m = Message::new(kind::CALL_CONFERENCED_EVENT)
        .with(field::PRIMARY_CALL_ID, 100u32)
        .with(field::SECONDARY_CALL_ID, 101u32)
        .with_tag(tag::PRIMARY_DEVICE_ID, "2002")
        .with_tag(tag::CONTROLLER_DEVICE_ID, "2002")
        .with_tag(tag::ADDED_PARTY_DEVICE_ID, "2001");
    for device in ["0301234", "2002", "2001"] {
        m.push(tag::CONNECTED_PARTY_CALL_ID, 100u32);
        m.push(tag::CONNECTED_PARTY_DEVICE_ID_TYPE, 0u32);
        m.push(tag::CONNECTED_PARTY_DEVICE_ID, device);
    }
    b.cti(&m);
    b.cti(&call_event(kind::END_CALL_EVENT, 101, "2001"));
}

fn joined() -> Bench {
    let mut b = listening(Dialect::Cce);
    barge_event(&mut b);
    b.events.clear();
    b
}

/// The actions of a participant in a document.
fn actions<'a>(document: &'a str, address: &str) -> Vec<&'a str> {
    let mut parties = document.split("<Participant>");
    let own = parties.find(|p| p.contains(&format!("<mediaAddress>{address}<"))).expect("a participant");
    own.split("<action>").skip(1).map(|a| a.split('<').next().unwrap()).collect()
}

#[test]
fn listening_is_a_call_of_the_supervisors_alone() {
    let mut b = staffed(Dialect::Cce);
    let request = monitor(&mut b, "m");
    assert_eq!(request.kind, kind::SUPERVISE_CALL_REQ);
    assert_eq!(request.raw(field::SUPERVISORY_ACTION), Some(action::MONITOR));
    assert_eq!(request.uint(field::AGENT_CONNECTION_CALL_ID), Some(100));
    assert_eq!(request.raw(field::SUPERVISOR_CONNECTION_CALL_ID), Some(u32::MAX));
    assert_eq!(request.tag_text(tag::AGENT_CONNECTION_DEVICE_ID), Some("2002"));
    assert_eq!(request.tag_text(tag::AGENT_INSTRUMENT), Some("2002"));
    assert_eq!(request.tag_text(tag::SUPERVISOR_INSTRUMENT), Some("2001"));
    monitor_events(&mut b);
    let events = b.on("User/1001/Dialogs");
    let last = events.last().unwrap();
    assert_eq!(text(last, "callType"), "SUPERVISOR_MONITOR");
    assert_eq!((text(last, "fromAddress"), text(last, "toAddress")), ("2001", "2002"));
    assert_eq!(actions(last, "2001"), ["DROP", "BARGE_CALL"]);
    assert!(actions(last, "2002").is_empty());
    assert!(last.contains("<mediaAddress>2002</mediaAddress><mediaAddressType>AGENT_DEVICE<"));
    assert_eq!(
        shorts(events),
        [
            "POST [m] 101 INITIATING: 2001=INITIATING",
            "PUT [] 101 INITIATED: 2001=INITIATED",
            "PUT [] 101 ACTIVE: 2001=ACTIVE 2002=ACTIVE"
        ]
    );
    // The agent is told nothing, reads nothing of it, and can do with the own call what could be done before.
    assert!(b.on("User/1002/Dialogs").is_empty());
    assert!(!b.document("1002", What::Dialogs("1002".into())).contains("<id>101</id>"));
    assert_eq!(b.refused("1002", What::Dialog("101".into())), OTHER);
    b.call(kind::CALL_HELD_EVENT, 100, tag::HOLDING_DEVICE_ID, "2002");
    let held = b.on("User/1002/Dialogs").pop().unwrap();
    assert_eq!(actions(&held, "2002"), ["RETRIEVE", "DROP", "UPDATE_CALL_DATA"]);
}

#[test]
fn the_whole_document_of_listening() {
    let mut b = listening(Dialect::Cce);
    assert_eq!(
        b.document("1001", What::Dialog("101".into())),
        "<Dialog><associatedDialogUri></associatedDialogUri><callbackNumber></callbackNumber>\
         <fromAddress>2001</fromAddress><id>101</id><mediaProperties><callKeyCallId></callKeyCallId>\
         <callKeyPrefix></callKeyPrefix><callKeySequenceNum></callKeySequenceNum>\
         <callType>SUPERVISOR_MONITOR</callType><callvariables></callvariables>\
         <dialedNumber>2002</dialedNumber><DNIS></DNIS><mediaId>1</mediaId><queueName></queueName>\
         <queueNumber></queueNumber><wrapUpReason></wrapUpReason></mediaProperties>\
         <mediaType>Voice</mediaType><participants><Participant><actions><action>DROP</action>\
         <action>BARGE_CALL</action></actions><mediaAddress>2001</mediaAddress>\
         <mediaAddressType>AGENT_DEVICE</mediaAddressType><startTime>2024-02-05T09:14:03.120Z</startTime>\
         <state>ACTIVE</state><stateCause></stateCause>\
         <stateChangeTime>2024-02-05T09:14:03.120Z</stateChangeTime></Participant><Participant><actions>\
         </actions><mediaAddress>2002</mediaAddress>\
         <mediaAddressType>AGENT_DEVICE</mediaAddressType><startTime>2024-02-05T09:14:03.120Z</startTime>\
         <state>ACTIVE</state><stateCause></stateCause>\
         <stateChangeTime>2024-02-05T09:14:03.120Z</stateChangeTime></Participant></participants>\
         <scheduledCallbackInfo></scheduledCallbackInfo><secondaryId></secondaryId><state>ACTIVE</state>\
         <toAddress>2002</toAddress><uri>/finesse/api/Dialog/101</uri></Dialog>"
    );
}

#[test]
fn the_supervisor_stops_listening() {
    let mut b = listening(Dialect::Cce);
    assert_eq!(b.act("1001", 101, "d", "DROP", "2001"), Reply::Accepted);
    let (_, request) = b.request();
    assert_eq!(request.kind, kind::SUPERVISE_CALL_REQ);
    assert_eq!(request.raw(field::SUPERVISORY_ACTION), Some(action::CLEAR));
    assert_eq!(request.uint(field::SUPERVISOR_CONNECTION_CALL_ID), Some(101));
    assert_eq!(request.tag_text(tag::AGENT_INSTRUMENT), Some("2002"));
    b.clear(101, "2001");
    b.cti(&call_event(kind::CALL_CLEARED_EVENT, 101, "2001"));
    b.cti(&call_event(kind::END_CALL_EVENT, 101, "2001"));
    assert_eq!(
        shorts(b.on("User/1001/Dialogs")),
        [
            "PUT [d] 101 ACTIVE: 2001=DROPPED 2002=ACTIVE",
            "PUT [] 101 DROPPED: 2001=DROPPED 2002=DROPPED",
            "DELETE [] 101 DROPPED: 2001=DROPPED 2002=DROPPED"
        ]
    );
    assert!(b.on("User/1002/Dialogs").is_empty());
    assert_eq!(b.act("1002", 100, "x", "DROP", "2002"), Reply::Accepted);
}

/// The type may be told after the parties; then what was shown too early is taken back.
#[test]
fn an_agent_who_was_shown_the_call_loses_it_when_its_type_is_known() {
    let mut b = staffed(Dialect::Cce);
    let originated = call_event(kind::CALL_ORIGINATED_EVENT, 101, "2001")
        .with_tag(tag::CALLING_DEVICE_ID, "2001")
        .with_tag(tag::CALLED_DEVICE_ID, "2002");
    b.cti(&originated);
    b.answer(101, "2001", "2002");
    assert_eq!(short(&b.on("User/1002/Dialogs")[0]), "POST [] 101 ACTIVE: 2001=ACTIVE 2002=ACTIVE");
    b.cti(&call_event(kind::CALL_DATA_UPDATE_EVENT, 101, "2001").with(field::CALL_TYPE, 21u32));
    assert!(short(&b.on("User/1002/Dialogs")[0]).starts_with("DELETE [] 101"));
    b.answer(101, "2001", "2002");
    b.clear(101, "2002");
    assert!(b.on("User/1002/Dialogs").is_empty());
}

#[test]
fn who_may_listen_is_judged_in_order() {
    let mut b = staffed(Dialect::Cce);
    let mut refused = |caller: &str, id: &str, body: DialogBody| b.refused(caller, create(id, body));
    let silent = |from: &str, to: &str| body("SILENT_MONITOR", from, to, None);
    assert_eq!(refused("1001", "1001", silent("", "2002")), "400 Parameter Missing");
    assert_eq!(refused("1001", "1001", silent("2001", "")), "400 Parameter Missing");
    assert_eq!(refused("1001", "1002", silent("2001", "2002")), OTHER);
    assert_eq!(refused("1002", "1002", silent("2002", "2001")), OTHER, "no supervisor");
    assert_eq!(refused("admin", "admin", silent("1", "2002")), OTHER);
    assert_eq!(refused("1001", "1001", silent("2003", "2002")), OTHER, "another phone");
    assert_eq!(refused("1001", "1001", silent("2001", "2001")), "400 Invalid Destination");
    assert_eq!(refused("1001", "1001", silent("2001", "2999")), "400 Invalid Destination");
    assert_eq!(refused("1001", "1001", silent("2001", "2004")), "401 Invalid Supervisor");
    let barge = |to: &str, uri: Option<&str>| body("BARGE_CALL", "2001", to, uri);
    assert_eq!(refused("1001", "1001", barge("2002", None)), "400 Parameter Missing");
    assert_eq!(refused("1001", "1001", barge("2002", Some("101"))), "400 Invalid Input");
    let uri = |id| Some(id);
    assert_eq!(
        refused("1001", "1001", barge("2002", uri("/finesse/api/Dialog/999"))),
        "404 Dialog Not Found"
    );
    assert_eq!(refused("1001", "1001", barge("2002", uri("/finesse/api/Dialog/100"))), "400 Invalid State");
    b.state("1001", "2001", agent_state::AVAILABLE, 0);
    assert_eq!(b.refused("1001", create("1001", silent("2001", "2002"))), "400 Invalid State");
    assert!(b.requests.is_empty());
}

#[test]
fn n31_refusals_to_listen_have_the_types_of_the_guide() {
    for (dialect, code, peripheral, expected) in [
        (Dialect::Cce, 22, 13145, "PUT [m] Generic Error 13145 CF_INVALID_OBJECT_STATE"),
        (Dialect::Cce, 22, 0, "PUT [m] Invalid State 22 CF_INVALID_OBJECT_STATE"),
        (Dialect::Ccx, 22, 88049, "PUT [m] Generic Error 88049 CF_INVALID_OBJECT_STATE"),
        (Dialect::Cce, 8, 0, "PUT [m] Call Operation Failure 8 CF_PRIVILEGE_VIOLATION_ON_SPECIFIED_DEVICE"),
    ] {
        let mut b = staffed(dialect);
        let what = create("1001", body("SILENT_MONITOR", "2001", "2003", None));
        assert_eq!(b.ask("1001", Some("m"), what), Reply::Accepted);
        let (token, request) = b.request();
        assert_eq!(request.raw(field::AGENT_CONNECTION_CALL_ID), Some(u32::MAX), "the CTI server chooses");
        b.refuse(token, code, peripheral);
        let events = b.on("User/1001/Dialogs");
        assert_eq!(text(&events[0], "source"), "/finesse/api/User/1001/Dialogs");
        assert_eq!(shorts(events), [expected]);
    }
}

#[test]
fn a_supervisor_joins_the_call() {
    let mut b = listening(Dialect::Cce);
    let barge = |to: &str| create("1001", body("BARGE_CALL", "2001", to, Some("/finesse/api/Dialog/101")));
    assert_eq!(b.refused("1001", barge("2003")), "400 Invalid Destination", "listens to another");
    b.call(kind::CALL_HELD_EVENT, 100, tag::HOLDING_DEVICE_ID, "2002");
    assert_eq!(b.refused("1001", barge("2002")), "400 Invalid Destination", "on hold");
    b.call(kind::CALL_RETRIEVED_EVENT, 100, tag::RETRIEVING_DEVICE_ID, "2002");
    b.events.clear();
    assert_eq!(b.ask("1001", Some("b"), barge("2002")), Reply::Accepted);
    let (token, request) = b.request();
    assert_eq!(request.raw(field::SUPERVISORY_ACTION), Some(action::BARGE_IN));
    assert_eq!(request.uint(field::AGENT_CONNECTION_CALL_ID), Some(100));
    assert_eq!(request.uint(field::SUPERVISOR_CONNECTION_CALL_ID), Some(101));
    assert_eq!(request.tag_text(tag::SUPERVISOR_CONNECTION_DEVICE_ID), Some("2001"));
    b.confirm(token, kind::SUPERVISE_CALL_CONF);
    barge_event(&mut b);
    let events = b.on("User/1001/Dialogs");
    let call = &events[0];
    assert_eq!((text(call, "callType"), text(call, "secondaryId")), ("CONFERENCE", "101"));
    let usual = ["HOLD", "DROP", "UPDATE_CALL_DATA", "CONSULT_CALL", "TRANSFER_SST", "SEND_DTMF"];
    assert_eq!(actions(call, "2002"), usual);
    assert_eq!(actions(call, "2001"), [&usual[..], &["PARTICIPANT_DROP"]].concat());
    assert_eq!(
        shorts(events),
        [
            "POST [b] 100 ACTIVE: 0301234=ACTIVE 2002=ACTIVE 2001=ACTIVE",
            "DELETE [] 101 DROPPED: 2001=DROPPED 2002=DROPPED"
        ]
    );
    assert_eq!(
        shorts(b.on("User/1002/Dialogs")),
        ["PUT [] 100 ACTIVE: 0301234=ACTIVE 2002=ACTIVE 2001=ACTIVE"]
    );
}

#[test]
fn to_intercept_is_to_join_and_to_drop_the_agent() {
    let mut b = joined();
    let drop =
        |b: &mut Bench, caller: &str, target: &str| b.act(caller, 100, "p", "PARTICIPANT_DROP", target);
    assert_eq!(drop(&mut b, "1001", "2002"), Reply::Accepted);
    let (token, request) = b.request();
    assert_eq!(request.kind, kind::CLEAR_CONNECTION_REQ);
    assert_eq!(request.tag_text(tag::CONNECTION_DEVICE_ID), Some("2002"));
    assert_eq!(request.tag_text(tag::AGENT_INSTRUMENT), Some("2001"));
    assert_eq!(request.tag_text(tag::REQUESTING_DEVICE_ID), Some("2001"));
    b.confirm(token, kind::CLEAR_CONNECTION_CONF);
    b.clear(100, "2002");
    assert_eq!(
        shorts(b.on("User/1001/Dialogs")),
        ["PUT [p] 100 ACTIVE: 0301234=ACTIVE 2002=DROPPED 2001=ACTIVE"]
    );
    assert_eq!(
        shorts(b.on("User/1002/Dialogs")),
        ["DELETE [] 100 ACTIVE: 0301234=ACTIVE 2002=DROPPED 2001=ACTIVE"]
    );
}

#[test]
fn who_may_drop_whom_is_the_deployments_choice() {
    use DropParticipantFor::{All, ConferenceControllerAndSupervisor as Controller, SupervisorOnly};
    let refusal = |reply: Reply| match reply {
        Reply::Refused(e) => format!("{} {}", e.status, e.kind),
        reply => format!("{reply:?}"),
    };
    for (rule, caller, target, expected) in [
        (SupervisorOnly, "1001", "2002", "Accepted"),
        (SupervisorOnly, "1001", "0301234", "400 Invalid Destination"),
        (SupervisorOnly, "1001", "2003", "400 Invalid Destination"),
        (SupervisorOnly, "1002", "2001", OTHER),
        (SupervisorOnly, "1003", "2002", OTHER),
        (Controller, "1002", "2001", "Accepted"),
        (Controller, "1001", "2002", "Accepted"),
        (All, "1002", "2001", "Accepted"),
        (All, "1003", "2001", OTHER),
        (All, "1002", "0301234", "400 Invalid Destination"),
    ] {
        let mut b = joined();
        b.model.settings.drop_participant_for = rule;
        let reply = refusal(b.act(caller, 100, "p", "PARTICIPANT_DROP", target));
        assert_eq!(reply, expected, "{rule:?} {caller} {target}");
    }
    let mut b = listening(Dialect::Ccx);
    assert_eq!(refusal(b.act("1001", 101, "p", "PARTICIPANT_DROP", "2002")), "501 Not Implemented");
}

#[test]
fn supervisors_are_offered_to_listen_where_they_read() {
    let mut b = staffed(Dialect::Cce);
    for (reader, offered) in [("1001", true), ("1002", false), ("admin", false)] {
        let dialog = b.document(reader, What::Dialog("100".into()));
        let list = b.document(reader, What::Dialogs("1002".into()));
        for document in [dialog, list] {
            assert_eq!(actions(&document, "2002").contains(&"SILENT_MONITOR"), offered, "{reader}");
        }
    }
    b.state("1002", "2002", agent_state::HOLD, 0);
    assert!(!b.document("1001", What::Dialog("100".into())).contains("SILENT_MONITOR"));
}

/// Rebuilt from snapshots, a listening call is known by its type and by who made it.
#[test]
fn listening_survives_a_new_session() {
    let mut b = Bench::down(directory(), Dialect::Cce);
    b.link(crate::model::Link::Up { healthy: true });
    while let Some((token, request)) = b.requests.pop() {
        let message = match request.kind {
            kind::QUERY_AGENT_STATE_REQ => match request.agent_id() {
                Some(id @ ("1001" | "1002")) => Message::new(kind::QUERY_AGENT_STATE_CONF)
                    .with(field::AGENT_STATE, agent_state::TALKING)
                    .with_tag(tag::AGENT_EXTENSION, if id == "1001" { "2001" } else { "2002" }),
                _ => Message::new(kind::QUERY_AGENT_STATE_CONF).with(field::AGENT_STATE, 1u32),
            },
            kind::SNAPSHOT_DEVICE_REQ => Message::new(kind::SNAPSHOT_DEVICE_CONF)
                .with_tag(tag::CALL_CONNECTION_CALL_ID, 101u32)
                .with_tag(tag::CALL_CONNECTION_DEVICE_ID, "2001"),
            kind::SNAPSHOT_CALL_REQ => {
                let mut m = Message::new(kind::SNAPSHOT_CALL_CONF)
                    .with(field::CALL_TYPE, call_type::SUPERVISOR_MONITOR)
                    .with_tag(tag::ANI, "2001");
                for device in ["2001", "2002"] {
                    m.push(tag::CALL_CONNECTION_CALL_ID, 101u32);
                    m.push(tag::CALL_CONNECTION_DEVICE_ID, device);
                    m.push(tag::CALL_DEVICE_ID, device);
                    m.push(tag::CALL_DEVICE_CONNECTION_STATE, 3u32);
                }
                m
            }
            _ => Message::new(kind::AGENT_DESK_SETTINGS_CONF),
        };
        b.link(crate::model::Link::Confirmed { token, message });
    }
    assert!(b.model.in_service());
    assert_eq!(shorts(b.on("User/1001/Dialogs")), ["POST [] 101 ACTIVE: 2001=ACTIVE 2002=ACTIVE"]);
    assert!(b.on("User/1002/Dialogs").is_empty());
}
