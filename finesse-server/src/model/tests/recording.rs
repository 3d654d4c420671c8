//! Calls are recorded on CCX, where the deployment records.

use cti::{Dialect, field, kind, tag};

use crate::model::command::{Reply, What};
use crate::model::testing::{Bench, directory, shorts};

const OTHER: &str = "401 Invalid Authorization User Specified";

fn staffed(dialect: Dialect) -> Bench {
    let mut b = Bench::serving(directory(), dialect);
    for (id, phone) in [("1001", "2001"), ("1002", "2002"), ("1003", "2003")] {
        b.state(id, phone, 2, 0);
    }
    b.talk(100, "2002");
    b.requests.clear();
    b.events.clear();
    b
}

fn record(b: &mut Bench, caller: &str, call: u32, target: &str) -> String {
    match b.act(caller, call, "r", "START_RECORDING", target) {
        Reply::Refused(e) => format!("{} {}", e.status, e.kind),
        reply => format!("{reply:?}"),
    }
}

#[test]
fn an_agent_records_the_own_call() {
    let mut b = staffed(Dialect::Ccx);
    assert!(b.document("1002", What::Dialog("100".into())).contains(">START_RECORDING<"));
    assert_eq!(record(&mut b, "1002", 100, "2002"), "Accepted");
    let (token, request) = b.request();
    assert_eq!(request.kind, kind::START_RECORDING_REQ);
    assert_eq!(request.uint(field::CONNECTION_CALL_ID), Some(100));
    assert_eq!(request.tag_text(tag::CONNECTION_DEVICE_ID), Some("2002"));
    assert_eq!(request.tag_text(tag::AGENT_INSTRUMENT), Some("2002"));
    b.confirm(token, kind::START_RECORDING_CONF);
    assert!(b.on("User/1002/Dialogs").is_empty(), "no event tells of it");
    assert_eq!(record(&mut b, "1002", 100, "2002"), "Accepted");
    let (token, _) = b.request();
    b.refuse(token, 24, 0);
    assert_eq!(shorts(b.on("User/1002/Dialogs")), ["PUT [r] Generic Error 24 CF_NO_ACTIVE_CALL"]);
}

#[test]
fn a_supervisor_who_listens_records_the_agents_call() {
    let mut b = staffed(Dialect::Ccx);
    assert_eq!(record(&mut b, "1001", 100, "2002"), OTHER, "does not listen");
    let begin = crate::model::testing::call_event(kind::BEGIN_CALL_EVENT, 101, "2001");
    b.cti(&begin.with(field::CALL_TYPE, 21u32));
    b.call(kind::CALL_SERVICE_INITIATED_EVENT, 101, tag::CALLING_DEVICE_ID, "2001");
    b.answer(101, "2001", "2002");
    let document = b.document("1001", What::Dialog("101".into()));
    assert!(
        document.contains("<action>DROP</action><action>START_RECORDING</action><action>BARGE_CALL</action>")
    );
    for target in ["2002", "2001"] {
        assert_eq!(record(&mut b, "1001", 101, target), "Accepted");
        let (token, request) = b.request();
        assert_eq!(request.uint(field::CONNECTION_CALL_ID), Some(100), "{target}");
        assert_eq!(request.tag_text(tag::AGENT_INSTRUMENT), Some("2002"), "{target}");
        b.confirm(token, kind::START_RECORDING_CONF);
    }
    assert_eq!(record(&mut b, "1001", 101, "2003"), OTHER);
    assert_eq!(record(&mut b, "1002", 101, "2002"), OTHER, "the agent knows nothing of that call");
    b.call(kind::CALL_HELD_EVENT, 100, tag::HOLDING_DEVICE_ID, "2002");
    assert_eq!(record(&mut b, "1001", 101, "2002"), "401 Invalid State");
}

#[test]
fn what_is_not_recorded() {
    let mut b = staffed(Dialect::Ccx);
    assert_eq!(record(&mut b, "1003", 100, "2003"), OTHER);
    assert_eq!(record(&mut b, "1002", 100, "2003"), OTHER);
    assert_eq!(record(&mut b, "1002", 100, ""), "400 Parameter Missing");
    assert_eq!(record(&mut b, "1002", 999, "2002"), "404 Dialog Not Found");
    b.call(kind::CALL_HELD_EVENT, 100, tag::HOLDING_DEVICE_ID, "2002");
    assert_eq!(record(&mut b, "1002", 100, "2002"), "401 Invalid State");
    assert_eq!(record(&mut staffed(Dialect::Cce), "1002", 100, "2002"), "501 Not Implemented");
    let mut b = Bench::serving(directory(), Dialect::Ccx);
    b.model.settings.recording = false;
    b.state("1002", "2002", 2, 0);
    b.talk(100, "2002");
    assert!(!b.document("1002", What::Dialog("100".into())).contains("START_RECORDING"));
    assert_eq!(record(&mut b, "1002", 100, "2002"), "501 Not Implemented");
}
