//! Agents: sign-in, changes of state, pending states, reasons, refusals.

use std::time::Duration;

use cti::enums::agent_state;
use cti::{Dialect, Message, field, kind, tag};

use crate::model::command::{Reply, UserBody, What};
use crate::model::journal::Entry;
use crate::model::state::State;
use crate::model::testing::{
    Bench, directory, directory_with_reasons, shorts, state_body, state_event, text,
};

fn login(extension: &str) -> UserBody {
    UserBody { extension: Some(extension.into()), ..state_body("LOGIN") }
}

#[test]
fn a_sign_in_is_one_event_with_the_request_id_and_the_settings() {
    let mut b = Bench::serving(directory(), Dialect::Cce);
    assert_eq!(b.put_user("1002", "1002", "r1", login("2002")), Reply::Accepted);
    let (settings, _) = b.requests.remove(0);
    let (token, request) = b.request();
    assert_eq!(request.kind, kind::SET_AGENT_STATE_REQ);
    assert_eq!(request.uint(field::AGENT_STATE), Some(agent_state::LOGIN));
    assert_eq!(request.tag_text(tag::AGENT_INSTRUMENT), Some("2002"));
    assert_eq!(request.agent_id(), Some("1002"));
    let answer = Message::new(kind::AGENT_DESK_SETTINGS_CONF)
        .with(field::WRAPUP_DATA_INCOMING_MODE, 1u32)
        .with(field::WRAPUP_DATA_OUTGOING_MODE, 2u32);
    b.link(crate::model::Link::Confirmed { token: settings, message: answer });
    b.confirm(token, kind::SET_AGENT_STATE_CONF);
    assert!(b.events.is_empty());
    b.cti(&state_event("1002", "2002", agent_state::LOGIN, 0));
    assert!(b.events.is_empty(), "LOGIN is a passage");
    b.state("1002", "2002", agent_state::NOT_READY, 0);
    let events = b.on("User/1002");
    assert_eq!(events.len(), 1);
    assert_eq!(text(&events[0], "requestId"), "r1");
    assert_eq!(text(&events[0], "reasonCodeId"), "-1");
    assert_eq!(text(&events[0], "extension"), "2002");
    assert_eq!(text(&events[0], "wrapUpOnIncoming"), "OPTIONAL");
    assert_eq!(text(&events[0], "wrapUpOnOutgoing"), "NOT_ALLOWED");
    assert_eq!(text(&events[0], "stateChangeTime"), "2024-02-05T09:14:03.120Z");
}

#[test]
fn the_event_may_come_before_the_confirmation() {
    let mut b = Bench::staffed();
    b.put_user("1002", "1002", "r2", state_body("READY"));
    let (token, _) = b.request();
    b.state("1002", "2002", agent_state::AVAILABLE, 0);
    assert_eq!(shorts(b.on("User/1002")), ["PUT [r2] READY"]);
    b.confirm(token, kind::SET_AGENT_STATE_CONF);
    assert!(b.on("User/1002").is_empty());
}

#[test]
fn a_forced_sign_in_keeps_the_state_and_tells_it() {
    let mut b = Bench::staffed();
    b.state("1002", "2002", agent_state::AVAILABLE, 0);
    b.events.clear();
    assert_eq!(b.put_user("1002", "1002", "r", login("2002")), Reply::Accepted);
    assert_eq!(shorts(b.on("User/1002")), ["PUT [r] READY"]);
    assert!(b.requests.is_empty());
}

#[test]
fn a_sign_in_at_another_phone_is_for_the_cti_server_to_judge() {
    let mut b = Bench::staffed();
    b.put_user("1002", "1002", "r", login("2999"));
    let (token, _) = b.request_of(kind::SET_AGENT_STATE_REQ);
    b.refuse(token, 283, 0);
    let expected = ["PUT [r] Device Busy 283 CF_SPECIFIED_EXTENSION_ALREADY_IN_USE"];
    assert_eq!(shorts(b.on("User/1002")), expected);
}

/// Requirement 29, and duplicate events are compared before they are published.
#[test]
fn n29_every_change_is_published_once() {
    let mut b = Bench::staffed();
    b.state("1002", "2002", agent_state::AVAILABLE, 0);
    b.state("1002", "2002", agent_state::AVAILABLE, 0);
    b.state("1002", "2002", agent_state::RESERVED, 0);
    b.state("1002", "2002", agent_state::TALKING, 0);
    b.state("1002", "2002", agent_state::HOLD, 0);
    b.state("1002", "2002", agent_state::WORK_NOT_READY, 0);
    b.state("1002", "2002", agent_state::LOGOUT, 0);
    let states: Vec<_> = ["READY", "RESERVED", "TALKING", "HOLD", "WORK", "LOGOUT"]
        .iter()
        .map(|s| format!("PUT [] {s}"))
        .collect();
    let events = b.on("User/1002");
    assert_eq!(text(events.last().unwrap(), "extension"), "");
    assert_eq!(shorts(events), states);
}

/// Requirement 33.
#[test]
fn n33_the_team_feed_has_the_summary_under_the_source_of_the_user() {
    let mut b = Bench::staffed();
    b.state("1002", "2002", agent_state::NOT_READY, 32767);
    let events = b.on("Team/1/Users");
    assert_eq!(
        events,
        ["<Update><data><user><extension>2002</extension><firstName>Maria</firstName>\
          <lastName>Keller</lastName><loginId>1002</loginId><pendingState></pendingState>\
          <ReasonCode><category>NOT_READY</category><code>32767</code><forAll>true</forAll><id>-1</id>\
          <label>Call not answered</label><systemCode>true</systemCode><uri></uri></ReasonCode>\
          <state>NOT_READY</state><stateChangeTime>2024-02-05T09:14:03.120Z</stateChangeTime>\
          <uri>/finesse/api/User/1002</uri></user></data><event>PUT</event><requestId></requestId>\
          <source>/finesse/api/User/1002</source></Update>"]
    );
}

#[test]
fn a_change_in_a_call_is_pending_from_the_confirmation_until_the_state_is_entered() {
    let mut b = Bench::staffed();
    b.state("1002", "2002", agent_state::TALKING, 0);
    b.events.clear();
    b.put_user("1002", "1002", "r", state_body("NOT_READY"));
    let (token, _) = b.request();
    assert!(b.on("User/1002").is_empty());
    b.confirm(token, kind::SET_AGENT_STATE_CONF);
    b.state("1002", "2002", agent_state::HOLD, 0);
    b.state("1002", "2002", agent_state::NOT_READY, 0);
    assert_eq!(
        shorts(b.on("User/1002")),
        ["PUT [r] TALKING then NOT_READY", "PUT [] HOLD then NOT_READY", "PUT [] NOT_READY"]
    );
}

#[test]
fn a_pending_state_told_by_the_event_closes_the_request_once() {
    let mut b = Bench::staffed();
    b.state("1002", "2002", agent_state::TALKING, 0);
    b.events.clear();
    b.put_user("1002", "1002", "r", state_body("READY"));
    let (token, _) = b.request();
    let m = state_event("1002", "2002", agent_state::TALKING, 0)
        .with_tag(tag::NEXT_AGENT_STATE, agent_state::AVAILABLE);
    b.cti(&m);
    b.confirm(token, kind::SET_AGENT_STATE_CONF);
    b.cti(&m);
    b.state("1002", "2002", agent_state::WORK_READY, 0);
    assert_eq!(shorts(b.on("User/1002")), ["PUT [r] TALKING then READY", "PUT [] WORK_READY"]);
}

#[test]
fn a_change_to_the_present_state_is_confirmed_to_the_client() {
    let mut b = Bench::staffed();
    b.state("1002", "2002", agent_state::AVAILABLE, 0);
    b.events.clear();
    b.put_user("1002", "1002", "r", state_body("READY"));
    let (token, _) = b.request();
    b.confirm(token, kind::SET_AGENT_STATE_CONF);
    assert_eq!(shorts(b.on("User/1002")), ["PUT [r] READY"]);
}

#[test]
fn another_event_in_between_does_not_take_the_request_id() {
    let mut b = Bench::staffed();
    b.put_user("1002", "1002", "r", state_body("READY"));
    b.state("1002", "2002", agent_state::NOT_READY, 50002);
    b.state("1002", "2002", agent_state::AVAILABLE, 0);
    assert_eq!(shorts(b.on("User/1002")), ["PUT [] NOT_READY", "PUT [r] READY"]);
}

/// Requirement 31.
#[test]
fn n31_a_refusal_is_an_event_with_the_request_id() {
    let mut b = Bench::staffed();
    for (code, peripheral, expected) in [
        (260, 0, "Invalid Device 260 CF_INVALID_LOGON_DEVICE_SPECIFIED"),
        (259, 0, "Device Busy 259 CF_SPECIFIED_AGENT_ALREADY_SIGNED_ON"),
        (22, 13145, "Invalid State 13145 CF_INVALID_OBJECT_STATE"),
        (265, 0, "Invalid State 265 CF_INVALID_AGENT_WORKMODE"),
        (70, 0, "Generic Error 70 CF_GENERIC_UNSPECIFIED_REJECTION"),
    ] {
        b.put_user("1002", "1002", "r", state_body("READY"));
        let (token, _) = b.request();
        b.refuse(token, code, peripheral);
        assert_eq!(shorts(b.on("User/1002")), [format!("PUT [r] {expected}")]);
    }
    // A later event is not the answer to what was refused.
    b.state("1002", "2002", agent_state::AVAILABLE, 0);
    assert_eq!(shorts(b.on("User/1002")), ["PUT [] READY"]);
}

#[test]
fn requests_of_one_agent_go_one_by_one_and_time_out() {
    let mut b = Bench::staffed();
    b.put_user("1002", "1002", "a", state_body("READY"));
    b.put_user("1002", "1002", "b", state_body("NOT_READY"));
    b.put_user("1003", "1003", "c", state_body("READY"));
    assert_eq!(b.requests.len(), 2, "one for each agent");
    b.pass(Duration::from_millis(19_999));
    assert!(b.events.is_empty());
    b.pass(Duration::from_millis(1));
    let expected = "Generic Error 78 CF_REQUEST_TIMEOUT_REJECTION";
    assert_eq!(shorts(b.on("User/1002")), [format!("PUT [a] {expected}")]);
    assert_eq!(shorts(b.on("User/1003")), [format!("PUT [c] {expected}")]);
    let (token, next) = b.requests.pop().unwrap();
    assert_eq!(next.uint(field::AGENT_STATE), Some(agent_state::NOT_READY));
    b.confirm(token, kind::SET_AGENT_STATE_CONF);
    assert_eq!(shorts(b.on("User/1002")), ["PUT [b] NOT_READY"]);
}

#[test]
fn the_queue_of_an_agent_is_bounded() {
    let mut b = Bench::staffed();
    for _ in 0..17 {
        assert_eq!(b.put_user("1002", "1002", "r", state_body("READY")), Reply::Accepted);
    }
    let what = What::ChangeUser { user: "1002".into(), body: Ok(state_body("READY")) };
    assert_eq!(b.refused("1002", what), "400 Generic Error");
}

#[test]
fn reason_codes_travel_as_numbers_and_come_back_as_objects() {
    let mut b = Bench::serving(directory_with_reasons(), Dialect::Cce);
    b.state("1002", "2002", agent_state::AVAILABLE, 0);
    b.requests.clear();
    b.events.clear();
    let body = UserBody { reason_code_id: Some("7".into()), ..state_body("NOT_READY") };
    b.put_user("1002", "1002", "r", body);
    let (_, request) = b.request();
    assert_eq!(request.uint(field::EVENT_REASON_CODE), Some(21));
    b.state("1002", "2002", agent_state::NOT_READY, 21);
    let events = b.on("User/1002");
    assert_eq!(text(&events[0], "reasonCodeId"), "7");
    assert_eq!(
        text(&events[0], "ReasonCode"),
        "<category>NOT_READY</category><code>21</code><forAll>true</forAll><id>7</id>\
         <label>Coaching</label><systemCode>false</systemCode><uri>/finesse/api/ReasonCode/7</uri>"
    );
}

#[test]
fn another_reason_in_the_same_state_is_a_change() {
    let mut b = Bench::staffed();
    b.state("1002", "2002", agent_state::NOT_READY, 5);
    b.pass(Duration::from_secs(1));
    b.state("1002", "2002", agent_state::NOT_READY, 6);
    let events = b.on("User/1002");
    assert_eq!(events.len(), 2);
    assert_eq!(text(&events[1], "stateChangeTime"), "2024-02-05T09:14:04.120Z");
}

#[test]
fn a_supervisor_changes_members_with_the_code_of_supervisors() {
    let mut b = Bench::staffed();
    b.state("1002", "2002", agent_state::AVAILABLE, 0);
    b.put_user("1001", "1002", "s", state_body("NOT_READY"));
    let (token, request) = b.request();
    assert_eq!(request.uint(field::EVENT_REASON_CODE), Some(999));
    b.confirm(token, kind::SET_AGENT_STATE_CONF);
    b.events.clear();
    b.state("1002", "2002", agent_state::NOT_READY, 999);
    let events = b.on("User/1002");
    assert_eq!(shorts(events), ["PUT [s] NOT_READY"]);
    b.put_user("1001", "1002", "s", state_body("LOGOUT"));
    let (_, request) = b.request();
    assert_eq!(request.uint(field::FORCED_FLAG), Some(1));
}

#[test]
fn other_media_and_strangers_are_ignored() {
    let mut b = Bench::staffed();
    let mut chat = state_event("1002", "2002", agent_state::AVAILABLE, 0);
    chat.set(field::MRDID, 5007i32);
    b.cti(&chat);
    b.state("9999", "2999", agent_state::AVAILABLE, 0);
    assert!(b.events.is_empty());
}

/// The event with the request id must be the one that shows the new reason.
#[test]
fn dropping_a_reason_is_a_change_whose_event_is_waited_for() {
    let mut b = Bench::staffed();
    b.state("1002", "2002", agent_state::NOT_READY, 999);
    b.events.clear();
    b.put_user("1002", "1002", "r", state_body("NOT_READY"));
    let (token, _) = b.request();
    b.confirm(token, kind::SET_AGENT_STATE_CONF);
    assert!(b.on("User/1002").is_empty());
    b.state("1002", "2002", agent_state::NOT_READY, 0);
    let events = b.on("User/1002");
    assert_eq!(events.len(), 1);
    assert_eq!(text(&events[0], "requestId"), "r");
    assert!(!events[0].contains("<ReasonCode>"), "{}", events[0]);
}

/// What the journal says of agent 1002, from the states on.
fn journal(b: &mut Bench) -> Vec<String> {
    let told = |entry| match entry {
        Entry::State { from, to, pending, reason, cause, .. } => {
            let (from, to, pending) = (from.name(), to.name(), pending.map(State::name));
            format!("{from} {to} {pending:?} {reason} {cause:?}")
        }
        Entry::Refused { by, reason, .. } => format!("refused {by:?} {reason}"),
    };
    b.journal.drain(..).map(told).collect()
}

#[test]
fn the_journal_tells_who_asked_for_a_change() {
    let mut b = Bench::staffed();
    journal(&mut b);
    b.put_user("1002", "1002", "r1", state_body("READY"));
    let (token, _) = b.request();
    b.confirm(token, kind::SET_AGENT_STATE_CONF);
    b.state("1002", "2002", agent_state::AVAILABLE, 0);
    assert_eq!(journal(&mut b), ["NOT_READY READY None 0 Own"]);
    b.put_user("1001", "1002", "r2", state_body("LOGOUT"));
    let (token, _) = b.request();
    b.confirm(token, kind::SET_AGENT_STATE_CONF);
    b.state("1002", "2002", agent_state::LOGOUT, 999);
    assert_eq!(journal(&mut b), ["READY LOGOUT None 999 Supervisor(\"1001\")"]);
}

#[test]
fn the_journal_does_not_blame_anybody_for_what_the_cti_server_does() {
    let mut b = Bench::staffed();
    journal(&mut b);
    b.state("1002", "2002", agent_state::NOT_READY, 32767);
    b.state("1002", "2002", agent_state::LOGOUT, 50002);
    assert_eq!(journal(&mut b), ["NOT_READY NOT_READY None 32767 Cti", "NOT_READY LOGOUT None 50002 Cti"]);
}
