//! Agents who have gone without a word, with the model around them.

use std::time::Duration;

use cti::enums::{agent_state, control_failure_code, forced_flag};
use cti::{field, kind};

use crate::absence::{Last, Peer, Whereabouts};
use crate::model::testing::{Bench, shorts, state_body};
use crate::model::{Link, Presence};

const GRACE: Duration = Duration::from_secs(60);

fn gone() -> Presence {
    Presence::Went(Last { resource: "desktop".into(), transport: "bosh", cause: "connection lost" })
}

/// The forced sign-outs that were sent, as agent and reason.
fn sign_outs(b: &mut Bench) -> Vec<(String, u32)> {
    let sent = std::mem::take(&mut b.requests);
    let outs = sent.iter().filter(|(_, m)| m.uint(field::AGENT_STATE) == Some(agent_state::LOGOUT));
    outs.map(|(_, m)| {
        assert_eq!(m.kind, kind::SET_AGENT_STATE_REQ);
        assert_eq!(m.uint(field::FORCED_FLAG), Some(forced_flag::TRUE));
        (m.agent_id().unwrap().to_owned(), m.uint(field::EVENT_REASON_CODE).unwrap())
    })
    .collect()
}

/// Requirement 46.
#[test]
fn n46_who_stays_away_is_signed_out_with_255_when_the_grace_period_is_over() {
    let mut b = Bench::staffed();
    b.presence("1002", Presence::Came);
    b.presence("1002", gone());
    b.pass(GRACE - Duration::from_millis(1));
    assert!(b.requests.is_empty());
    b.pass(Duration::from_millis(1));
    assert_eq!(sign_outs(&mut b), [("1002".to_owned(), 255)]);
    b.pass(GRACE * 10);
    assert!(sign_outs(&mut b).is_empty(), "once is enough");
}

/// Requirement 46: the user has to be signed in when his last resource goes.
#[test]
fn n46_who_is_not_signed_in_or_never_was_present_is_not_touched() {
    let mut b = Bench::staffed();
    b.presence("MKeller", Presence::Came);
    b.presence("MKeller", gone());
    b.state("MKeller", "2004", agent_state::NOT_READY, 0);
    b.presence("nobody", gone());
    b.pass(GRACE * 10);
    assert!(
        sign_outs(&mut b).is_empty(),
        "1002 and 1003 signed in over REST alone, MKeller after he had gone"
    );
}

/// Requirement 47.
#[test]
fn n47_who_comes_back_within_the_grace_period_stays_signed_in() {
    let mut b = Bench::staffed();
    b.presence("1002", gone());
    b.pass(GRACE - Duration::from_secs(1));
    b.presence("1002", Presence::Came);
    b.pass(GRACE * 10);
    assert!(sign_outs(&mut b).is_empty());
    assert_eq!(b.notes.last().map(String::as_str), Some("1002 grace > cancelled: presence back"));
    b.presence("1002", gone());
    b.pass(GRACE);
    assert_eq!(sign_outs(&mut b).len(), 1, "a new absence has a period of its own");
}

/// Requirement 49.
#[test]
fn n49_a_sign_out_waits_for_the_end_of_the_call() {
    let mut b = Bench::staffed();
    b.state("1002", "2002", agent_state::TALKING, 0);
    b.talk(100, "2002");
    b.presence("1002", gone());
    b.pass(GRACE * 5);
    assert!(sign_outs(&mut b).is_empty());
    assert_eq!(b.notes.last().map(String::as_str), Some("1002 grace > after the call: grace over"));
    b.end(100);
    assert!(sign_outs(&mut b).is_empty(), "the state is still that of a call");
    b.state("1002", "2002", agent_state::WORK_NOT_READY, 0);
    assert_eq!(sign_outs(&mut b), [("1002".to_owned(), 255)]);
}

/// Requirement 49: a call in a state that does not show it, such as NOT_READY.
#[test]
fn n49_a_call_that_the_state_does_not_show_is_waited_for_as_well() {
    let mut b = Bench::staffed();
    b.talk(100, "2002");
    b.presence("1002", gone());
    b.pass(GRACE);
    assert!(sign_outs(&mut b).is_empty());
    b.end(100);
    assert_eq!(sign_outs(&mut b).len(), 1);
}

/// Requirement 49.
#[test]
fn n49_out_of_service_nobody_is_signed_out_and_the_grace_period_begins_anew() {
    let mut b = Bench::staffed();
    b.presence("1002", gone());
    b.presence("1003", gone());
    b.pass(GRACE / 2);
    b.link(Link::Down);
    b.presence("1001", gone());
    b.pass(GRACE * 10);
    assert!(sign_outs(&mut b).is_empty());
    b.rebuild(&[("1002", "2002", agent_state::NOT_READY)]);
    b.pass(GRACE - Duration::from_secs(1));
    assert!(sign_outs(&mut b).is_empty(), "clients need time to come back");
    b.pass(Duration::from_secs(1));
    assert_eq!(sign_outs(&mut b), [("1002".to_owned(), 255)], "1001 and 1003 are signed out already");
}

#[test]
fn n49_a_sign_out_that_was_under_way_when_the_link_broke_is_sent_after_another_period() {
    let mut b = Bench::staffed();
    b.presence("1002", gone());
    b.pass(GRACE);
    assert_eq!(sign_outs(&mut b).len(), 1);
    b.link(Link::Down);
    b.rebuild(&[("1002", "2002", agent_state::NOT_READY), ("1003", "2003", agent_state::NOT_READY)]);
    b.pass(GRACE);
    assert_eq!(sign_outs(&mut b).len(), 1);
}

/// Requirement 50.
#[test]
fn n50_the_failure_of_signing_out_who_is_out_already_is_ignored() {
    let mut b = Bench::staffed();
    b.presence("1002", gone());
    b.pass(GRACE);
    let (token, _) = b.request();
    b.state("1002", "2002", agent_state::LOGOUT, 0);
    b.on("User/1002");
    b.refuse(token, control_failure_code::GENERIC_STATE_INCOMPATIBILITY, 0);
    b.pass(GRACE * 10);
    assert!(b.on("User/1002").is_empty(), "no client is told of a request that none has made");
    assert!(sign_outs(&mut b).is_empty());
}

#[test]
fn n50_a_sign_out_by_somebody_else_ends_the_case() {
    let mut b = Bench::staffed();
    b.presence("1002", gone());
    b.state("1002", "2002", agent_state::LOGOUT, 999);
    b.pass(GRACE);
    b.state("1002", "2002", agent_state::NOT_READY, 0);
    b.pass(GRACE * 10);
    assert!(sign_outs(&mut b).is_empty(), "he signed in again, over REST");
}

#[test]
fn a_refused_sign_out_is_not_told_to_clients() {
    let mut b = Bench::staffed();
    b.presence("1002", gone());
    b.pass(GRACE);
    let (token, _) = b.request();
    b.refuse(token, control_failure_code::GENERIC_STATE_INCOMPATIBILITY, 0);
    assert!(b.on("User/1002").is_empty());
    assert_eq!(
        b.notes.last().map(String::as_str),
        Some("1002 sign-out sent > grace: the CTI server refused: 21")
    );
}

/// The agent asks for nothing while he is away, but a supervisor may: the lane of his requests is not touched.
#[test]
fn a_sign_out_goes_past_the_requests_of_clients() {
    let mut b = Bench::staffed();
    b.put_user("1002", "1002", "r1", state_body("READY"));
    b.requests.clear();
    b.presence("1002", gone());
    b.pass(Duration::from_secs(19));
    b.put_user("1002", "1002", "r2", state_body("NOT_READY"));
    b.pass(GRACE);
    assert_eq!(sign_outs(&mut b).len(), 1);
    let told = shorts(b.on("User/1002"));
    assert!(!told.iter().any(|event| event.contains("LOGOUT")), "{told:?}");
}

#[test]
fn the_other_node_is_asked_and_answered() {
    let mut b = Bench::staffed();
    b.model.handle_peer(b.now, Peer::Reachable);
    b.presence("1002", Presence::Came);
    assert_eq!(b.model.whereabouts(b.now, "1002", GRACE), Whereabouts::Here);
    b.presence("1002", gone());
    b.pass(GRACE);
    assert_eq!(b.asked, [("1002".to_owned(), 1, GRACE)]);
    assert!(b.requests.is_empty());
    b.model.handle_whereabouts(b.now, "1002", 1, Whereabouts::Away);
    b.collect();
    let (token, _) = b.request();
    b.confirm(token, kind::SET_AGENT_STATE_CONF);
    assert_eq!(b.notes.last().map(String::as_str), Some("1002 sign-out sent > sign-out accepted: accepted"));
}
