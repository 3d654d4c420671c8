//! Commands: rights, the order of checks, exact refusals, documents.

use cti::Dialect;
use cti::enums::agent_state;

use crate::model::command::{ApiError, DialogBody, Reply, UserBody, What};
use crate::model::testing::{Bench, directory, directory_with_reasons, shorts, state_body, text};

fn change(id: &str, body: UserBody) -> What {
    What::ChangeUser { user: id.into(), body: Ok(body) }
}

fn with_reason(state: &str, reason: &str) -> UserBody {
    UserBody { reason_code_id: Some(reason.into()), ..state_body(state) }
}

#[test]
fn users_are_read_by_those_who_may() {
    let mut b = Bench::staffed();
    assert_eq!(text(&b.document("1002", What::User("1002".into())), "loginName"), "ben");
    assert_eq!(text(&b.document("1002", What::User("BEN".into())), "loginId"), "1002");
    assert_eq!(text(&b.document("1001", What::User("1002".into())), "loginId"), "1002");
    assert_eq!(text(&b.document("admin", What::User("maria".into())), "loginId"), "MKeller");
    let other = "401 Invalid Authorization User Specified";
    assert_eq!(b.refused("1002", What::User("1003".into())), other);
    assert_eq!(b.refused("1002", What::User("nobody".into())), other, "ids cannot be probed");
    assert_eq!(b.refused("1001", What::User("MKeller".into())), other);
    assert_eq!(b.refused("admin", What::User("nobody".into())), "404 User Not Found");
    assert_eq!(b.refused("u0", What::User("1002".into())), "401 Authorization Failure");
}

#[test]
fn the_whole_user_document() {
    let mut b = Bench::staffed();
    b.state("1001", "2001", agent_state::NOT_READY, 0);
    assert_eq!(
        b.document("1001", What::User("1001".into())),
        "<User><dialogs>/finesse/api/User/1001/Dialogs</dialogs><extension>2001</extension>\
         <firstName>Maria</firstName><lastName>Keller</lastName><loginId>1001</loginId>\
         <loginName>anna</loginName><mediaType>1</mediaType><pendingState></pendingState>\
         <reasonCodeId>-1</reasonCodeId><roles><role>Agent</role><role>Supervisor</role></roles>\
         <settings><wrapUpOnIncoming></wrapUpOnIncoming><wrapUpOnOutgoing></wrapUpOnOutgoing></settings>\
         <state>NOT_READY</state><stateChangeTime>2024-02-05T09:14:03.120Z</stateChangeTime>\
         <teamId>1</teamId><teamName>Sales</teamName><teams><Team><id>1</id><name>Sales</name>\
         <uri>/finesse/api/Team/1</uri></Team></teams><uri>/finesse/api/User/1001</uri></User>"
    );
}

#[test]
fn the_list_of_users_is_for_administrators() {
    let mut b = Bench::staffed();
    assert_eq!(b.refused("1001", What::Users), "401 Authorization Failure");
    let list = b.document("admin", What::Users);
    assert_eq!(list.matches("<User>").count(), 5);
    assert!(!list.contains("<settings>"));
}

#[test]
fn rights_come_before_the_body_and_the_body_before_the_state() {
    let mut b = Bench::staffed();
    let bad = || Err(ApiError::bad_request("no XML", ""));
    let what = |id: &str| What::ChangeUser { user: id.into(), body: bad() };
    assert_eq!(b.refused("1002", what("1003")), "401 Invalid Authorization User Specified");
    assert_eq!(b.refused("1002", what("1002")), "400 Bad Request");
    let body = Err(ApiError::bad_request("no XML", ""));
    let what = What::ActOnDialog { dialog: "1".into(), body };
    assert_eq!(b.refused("1002", what), "400 Bad Request");
    b.link(crate::model::Link::Down);
    let what = What::ChangeUser { user: "1003".into(), body: bad() };
    assert_eq!(b.refused("1002", what), "503 Service Unavailable");
}

#[test]
fn changes_of_others_are_for_supervisors_of_the_team() {
    let mut b = Bench::staffed();
    let ready = || state_body("READY");
    let other = "401 Invalid Authorization User Specified";
    assert_eq!(b.refused("1002", change("1003", ready())), other);
    assert_eq!(b.refused("1001", change("MKeller", ready())), "401 Invalid Supervisor");
    assert_eq!(b.refused("1001", change("nobody", ready())), "401 Invalid Supervisor");
    assert_eq!(b.refused("admin", change("1002", ready())), other);
    assert_eq!(b.refused("admin", change("admin", ready())), other);
    assert_eq!(b.ask("1001", None, change("1002", ready())), Reply::Accepted);
    assert_eq!(b.refused("1001", change("1002", state_body("WORK"))), "400 Invalid Input");
    assert_eq!(b.refused("1001", change("1002", with_reason("NOT_READY", "7"))), "400 Invalid Input");
    assert_eq!(b.refused("1001", change("1002", state_body("NOT_READY"))), "400 Invalid State");
    assert_eq!(b.refused("1001", change("1002", state_body("LOGIN"))), other);
}

#[test]
fn bodies_of_state_changes_are_checked() {
    let mut b = Bench::staffed();
    let login = |extension: &str| UserBody { extension: Some(extension.into()), ..state_body("LOGIN") };
    assert_eq!(b.refused("1002", change("1002", UserBody::default())), "400 Parameter Missing");
    assert_eq!(b.refused("1002", change("1002", state_body("TALKING"))), "400 Invalid Input");
    assert_eq!(b.refused("1002", change("1002", state_body("LOGIN"))), "400 Parameter Missing");
    assert_eq!(b.refused("1002", change("1002", login("+4930123"))), "400 Bad Request");
    assert_eq!(b.refused("1002", change("1002", with_reason("READY", "7"))), "400 Invalid Input");
    let media = UserBody { logout_all_media: Some("maybe".into()), ..state_body("LOGOUT") };
    assert_eq!(b.refused("1002", change("1002", media)), "400 Invalid Input");
    assert_eq!(b.refused("1001", change("1001", state_body("READY"))), "400 Invalid State");
    let mobile = |mode: Option<&str>, number: Option<&str>| UserBody {
        mobile_agent: Some((mode.map(Into::into), number.map(Into::into))),
        ..login("2001")
    };
    let number = Some("0305550199");
    assert_eq!(b.refused("1001", change("1001", mobile(None, number))), "400 Parameter Missing");
    assert_eq!(b.refused("1001", change("1001", mobile(Some("X"), number))), "400 Invalid Input");
    let good = mobile(Some("NAILED_CONNECTION"), number);
    assert_eq!(b.ask("1001", None, change("1001", good)), Reply::Accepted);
    let (_, request) = b.requests.pop().unwrap();
    assert_eq!(request.tag_text(cti::tag::AGENT_INSTRUMENT), Some("2001;0305550199"));
    assert_eq!(request.uint(cti::field::AGENT_WORK_MODE), Some(4));
}

#[test]
fn reason_codes_are_needed_exactly_where_there_are_some() {
    let mut b = Bench::serving(directory_with_reasons(), Dialect::Cce);
    b.state("1002", "2002", agent_state::AVAILABLE, 0);
    let missing = b.ask("1002", None, change("1002", state_body("NOT_READY")));
    let Reply::Refused(error) = missing else { panic!("{missing:?}") };
    assert_eq!((error.status, error.kind), (400, "Parameter Missing"));
    assert_eq!(error.data, "finesse.api.reasoncode.require_reasoncode");
    assert_eq!(b.refused("1002", change("1002", with_reason("NOT_READY", "-1"))), "400 Parameter Missing");
    assert_eq!(b.refused("1002", change("1002", with_reason("NOT_READY", "8"))), "400 Invalid Input");
    assert_eq!(b.refused("1002", change("1002", with_reason("NOT_READY", "x"))), "400 Invalid Input");
    assert_eq!(b.refused("1002", change("1002", with_reason("LOGOUT", "7"))), "400 Invalid Input");
    assert_eq!(b.ask("1002", None, change("1002", with_reason("NOT_READY", "7"))), Reply::Accepted);
    assert_eq!(b.ask("1002", None, change("1002", with_reason("LOGOUT", "-1"))), Reply::Accepted);
}

#[test]
fn dialogs_are_read_by_participants_supervisors_and_administrators() {
    let mut b = Bench::staffed();
    b.talk(100, "2002");
    let one = || What::Dialog("100".into());
    let all = || What::Dialogs("1002".into());
    for caller in ["1002", "1001", "admin"] {
        assert!(b.document(caller, one()).contains("<id>100</id>"));
        assert!(b.document(caller, all()).starts_with("<Dialogs><Dialog>"));
    }
    let other = "401 Invalid Authorization User Specified";
    assert_eq!(b.refused("1003", one()), other);
    assert_eq!(b.refused("1003", all()), other);
    assert_eq!(b.refused("1003", What::Dialog("999".into())), "404 Not Found");
    assert_eq!(b.document("1003", What::Dialogs("1003".into())), "<Dialogs></Dialogs>");
}

#[test]
fn teams_are_read_by_their_supervisors() {
    let mut b = Bench::staffed();
    let team = |id: &str, all| What::Team { team: id.into(), include_logged_out: all };
    let document = b.document("1001", team("1", false));
    assert!(
        document.starts_with("<Team><id>1</id><name>Sales</name><uri>/finesse/api/Team/1</uri><users><User>")
    );
    assert_eq!(document.matches("<User>").count(), 2);
    assert_eq!(b.document("admin", team("1", true)).matches("<User>").count(), 3);
    assert_eq!(b.refused("1002", team("1", false)), "401 Authorization Failure");
    assert_eq!(b.refused("1001", team("2", false)), "401 Authorization Failure");
    assert_eq!(b.refused("1001", team("99", false)), "401 Authorization Failure");
    assert_eq!(b.refused("admin", team("99", false)), "404 Not Found");
    b.state("1002", "2002", agent_state::NOT_READY, 5);
    assert!(b.document("1001", team("1", false)).contains("<reasonCode><category>"));
}

#[test]
fn queues_are_read_by_everybody() {
    let mut b = Bench::staffed();
    assert_eq!(
        b.document("1003", What::Queue("10".into())),
        "<Queue><name>Sales_EN</name><statistics><agentsBusyOther>-1</agentsBusyOther>\
         <agentsLoggedOn>-1</agentsLoggedOn><agentsNotReady>-1</agentsNotReady><agentsReady>-1</agentsReady>\
         <agentsTalkingInbound>-1</agentsTalkingInbound><agentsTalkingInternal>-1</agentsTalkingInternal>\
         <agentsTalkingOutbound>-1</agentsTalkingOutbound><agentsWrapUpNotReady>-1</agentsWrapUpNotReady>\
         <agentsWrapUpReady>-1</agentsWrapUpReady><callsInQueue>-1</callsInQueue>\
         <startTimeOfLongestCallInQueue></startTimeOfLongestCallInQueue></statistics>\
         <uri>/finesse/api/Queue/10</uri></Queue>"
    );
    assert_eq!(b.refused("1003", What::Queue("99".into())), "404 Not Found");
    assert_eq!(b.refused("1003", What::Queue("x".into())), "404 Not Found");
    assert_eq!(b.document("1003", What::UserQueues("1002".into())).matches("<Queue>").count(), 1);
    assert_eq!(b.document("1003", What::UserQueues("1003".into())), "<Queues></Queues>");
    assert_eq!(b.refused("1003", What::UserQueues("nobody".into())), "404 User Not Found");
}

#[test]
fn making_a_call_is_checked_in_order() {
    let mut b = Bench::staffed();
    let what = |id: &str, action: &str, from: &str, to: &str| {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let body = DialogBody {
            requested_action: some(action),
            from_address: some(from),
            to_address: some(to),
            ..DialogBody::default()
        };
        What::CreateDialog { user: id.into(), body: Ok(body) }
    };
    assert_eq!(b.refused("1002", what("1002", "", "2002", "1")), "400 Parameter Missing");
    assert_eq!(b.refused("1002", what("1002", "MAKE_CALL", "2002", "")), "400 Parameter Missing");
    assert_eq!(b.refused("1002", what("1002", "ANSWER", "2002", "1")), "400 Invalid Input");
    let other = "401 Invalid Authorization User Specified";
    assert_eq!(b.refused("1002", what("1003", "MAKE_CALL", "2003", "1")), other);
    assert_eq!(b.refused("1002", what("1002", "MAKE_CALL", "2003", "1")), other);
    assert_eq!(b.refused("admin", what("admin", "MAKE_CALL", "1", "2")), other);
    assert_eq!(b.refused("1002", what("1002", "MAKE_CALL", "2002", "2002")), "400 Invalid Destination");
    assert!(b.requests.is_empty());
}

#[test]
fn actions_on_dialogs_are_checked_in_order() {
    let mut b = Bench::staffed();
    b.talk(100, "2002");
    let what = |dialog: &str, action: Option<&str>, target: Option<&str>| {
        let body = DialogBody {
            requested_action: action.map(Into::into),
            target_media_address: target.map(Into::into),
            ..DialogBody::default()
        };
        What::ActOnDialog { dialog: dialog.into(), body: Ok(body) }
    };
    assert_eq!(b.refused("1002", what("999", Some("HOLD"), Some("2002"))), "404 Dialog Not Found");
    assert_eq!(b.refused("1002", what("100", None, Some("2002"))), "400 Parameter Missing");
    assert_eq!(b.refused("1002", what("100", Some("HOLD"), None)), "400 Parameter Missing");
    assert_eq!(b.refused("1002", what("100", Some("hold"), Some("2002"))), "400 Invalid Input");
    assert_eq!(b.refused("1002", what("100", Some("RECLASSIFY"), Some("2002"))), "400 Parameter Missing");
    let other = "401 Invalid Authorization User Specified";
    assert_eq!(b.refused("1003", what("100", Some("HOLD"), Some("2002"))), other);
    assert_eq!(b.refused("1002", what("100", Some("HOLD"), Some("2003"))), other);
    assert_eq!(b.refused("1003", what("100", Some("HOLD"), Some("2003"))), "400 Invalid Destination");
    assert_eq!(b.refused("1002", what("100", Some("CONSULT_CALL"), Some("2002"))), "400 Parameter Missing");
    assert_eq!(b.refused("1002", what("100", Some("SEND_DTMF"), Some("2002"))), "400 Parameter Missing");
    assert_eq!(b.refused("1002", what("100", Some("UPDATE_CALL_DATA"), None)), "400 Parameter Missing");
    assert!(b.requests.is_empty());
}

#[test]
fn call_data_and_tones_travel() {
    let mut b = Bench::staffed();
    b.talk(100, "2002");
    let data = DialogBody {
        requested_action: Some("UPDATE_CALL_DATA".into()),
        wrap_up_reason: Some("Invoice".into()),
        call_variables: vec![("callVariable2".into(), "done".into()), ("user.x".into(), "1".into())],
        ..DialogBody::default()
    };
    let what = What::ActOnDialog { dialog: "100".into(), body: Ok(data) };
    assert_eq!(b.ask("1002", Some("d"), what), Reply::Accepted);
    let (token, request) = b.request();
    assert_eq!(request.tag_text(cti::tag::CALL_WRAPUP_DATA), Some("Invoice"));
    assert_eq!(request.call_variable(2), Some("done"));
    assert_eq!(request.uint(cti::field::NUM_NAMED_VARIABLES), Some(1));
    b.confirm(token, cti::kind::SET_CALL_DATA_CONF);
    let tones = |value: &str| DialogBody {
        requested_action: Some("SEND_DTMF".into()),
        target_media_address: Some("2002".into()),
        action_params: vec![("dtmfString".into(), value.into())],
        ..DialogBody::default()
    };
    let what = |value| What::ActOnDialog { dialog: "100".into(), body: Ok(tones(value)) };
    assert_eq!(b.refused("1002", what("17x")), "400 Invalid Input");
    assert_eq!(b.ask("1002", None, what("17#A")), Reply::Accepted);
    let (_, request) = b.request();
    assert_eq!(request.tag_text(cti::tag::DTMF_STRING), Some("17#A"));
}

/// Requirements 23, 26 and 27: escaping, upper-case events, names as they are.
#[test]
fn n23_n26_n27_payloads_are_spelled_as_documented() {
    let mut b = Bench::staffed();
    b.ring(100, "2002");
    let events = b.on("User/1002/Dialogs");
    assert!(events[0].contains("<value>K-&lt;20913&gt; &amp; &quot;co&quot;</value>"));
    for (_, event) in &b.events {
        assert!(["PUT", "POST", "DELETE"].contains(&text(event, "event")));
        assert!(event.contains("<requestId>"));
    }
    let _ = directory();
}

#[test]
fn a_mobile_agent_whose_mode_is_refused_is_none() {
    let mut b = Bench::staffed();
    let body = UserBody {
        extension: Some("2001".into()),
        mobile_agent: Some((Some("CALL_BY_CALL".into()), Some("0305550199".into()))),
        ..state_body("LOGIN")
    };
    assert_eq!(b.put_user("1001", "1001", "r", body), Reply::Accepted);
    let (token, _) = b.request_of(cti::kind::SET_AGENT_STATE_REQ);
    b.refuse(token, 265, 0);
    assert_eq!(shorts(b.on("User/1001")), ["PUT [r] Mode Not Allowed 265 CF_INVALID_AGENT_WORKMODE"]);
    assert!(!b.document("1001", What::User("1001".into())).contains("mobileAgent"));
}

#[test]
fn several_labels_are_for_ccx() {
    let label = |items: &[&str], reason: Option<&str>| What::ActOnDialog {
        dialog: "100".into(),
        body: Ok(DialogBody {
            requested_action: Some("UPDATE_CALL_DATA".into()),
            has_media_properties: true,
            wrap_up_items: Some(items.iter().map(|item| (*item).to_owned()).collect()),
            wrap_up_reason: reason.map(Into::into),
            ..DialogBody::default()
        }),
    };
    let mut b = Bench::serving(directory(), Dialect::Ccx);
    b.state("1002", "2002", agent_state::NOT_READY, 0);
    b.talk(100, "2002");
    b.requests.clear();
    assert_eq!(b.ask("1002", None, label(&["Invoice", "Refund"], Some("Other"))), Reply::Accepted);
    let (_, request) = b.request();
    assert_eq!(request.tag_text(cti::tag::CALL_WRAPUP_DATA), Some("Invoice,Refund"));
    assert_eq!(b.refused("1002", label(&["a,b"], None)), "400 Invalid Input");
    assert_eq!(b.refused("1002", label(&[&"x".repeat(20), &"y".repeat(20)], None)), "400 Invalid Input");
    let update = crate::model::testing::call_event(cti::kind::CALL_DATA_UPDATE_EVENT, 100, "2002");
    b.cti(&update.with_tag(cti::tag::CALL_WRAPUP_DATA, "Invoice,Refund"));
    let items = "<wrapUpItems><wrapUpItem>Invoice</wrapUpItem><wrapUpItem>Refund</wrapUpItem></wrapUpItems>";
    assert!(b.document("1002", What::Dialog("100".into())).contains(items));
    let mut b = Bench::staffed();
    b.talk(100, "2002");
    assert_eq!(b.refused("1002", label(&["Invoice"], None)), "400 Parameter Missing");
}

#[test]
fn a_team_on_ccx_shows_who_is_in_a_call_while_not_ready() {
    let team = || What::Team { team: "1".into(), include_logged_out: false };
    let mut b = Bench::serving(directory(), Dialect::Ccx);
    b.state("1002", "2002", agent_state::NOT_READY, 0);
    assert!(b.document("1001", team()).contains("<mediaState>IDLE</mediaState>"));
    b.talk(100, "2002");
    assert!(b.document("1001", team()).contains("<mediaState>BUSY</mediaState>"));
    assert!(!Bench::staffed().document("1001", team()).contains("mediaState"));
}
