//! In and out of service, and the rebuilding of the state.

use std::time::Duration;

use cti::enums::{agent_state, local_connection_state as lcs};
use cti::{Dialect, Message, field, kind, tag};

use crate::model::command::What;
use crate::model::testing::{Bench, call_event, directory, shorts, state_body, text};
use crate::model::{Link, Settings};

fn agent_conf(state: u32, extension: &str) -> Message {
    Message::new(kind::QUERY_AGENT_STATE_CONF)
        .with(field::AGENT_STATE, state)
        .with_tag(tag::AGENT_EXTENSION, extension)
        .with_tag(tag::AGENT_INSTRUMENT, extension)
}

/// Answers queries until there are none: who is signed in where, and which calls are on which phones.
fn answer(b: &mut Bench, signed_in: &[(&str, &str, u32)], calls: &[(u32, &str)]) {
    while !b.requests.is_empty() {
        let (token, request) = b.requests.remove(0);
        let message = match request.kind {
            kind::QUERY_AGENT_STATE_REQ => {
                let id = request.agent_id().unwrap();
                match signed_in.iter().find(|(agent, ..)| *agent == id) {
                    Some((_, extension, state)) => agent_conf(*state, extension),
                    None => agent_conf(agent_state::LOGOUT, ""),
                }
            }
            kind::SNAPSHOT_DEVICE_REQ => {
                let phone = request.tag_text(tag::AGENT_INSTRUMENT).unwrap();
                let mut conf = Message::new(kind::SNAPSHOT_DEVICE_CONF);
                for (id, _) in calls.iter().filter(|(_, p)| *p == phone) {
                    conf.push(tag::CALL_CONNECTION_CALL_ID, *id);
                    conf.push(tag::CALL_CONNECTION_DEVICE_ID, phone);
                    conf.push(tag::CALL_STATE, lcs::CONNECT);
                }
                conf
            }
            kind::SNAPSHOT_CALL_REQ => {
                let id = request.uint(field::CONNECTION_CALL_ID).unwrap();
                let mut conf = Message::new(kind::SNAPSHOT_CALL_CONF)
                    .with(field::CALL_TYPE, 1u32)
                    .with_tag(tag::ANI, "0301234")
                    .with_tag(tag::CALL_VARIABLE1, "from the snapshot");
                let phones = calls.iter().filter(|(call, _)| *call == id).map(|(_, phone)| *phone);
                for device in ["0301234"].into_iter().chain(phones) {
                    conf.push(tag::CALL_CONNECTION_CALL_ID, id);
                    conf.push(tag::CALL_CONNECTION_DEVICE_ID, device);
                    conf.push(tag::CALL_DEVICE_ID, device);
                    conf.push(tag::CALL_DEVICE_CONNECTION_STATE, lcs::CONNECT);
                }
                conf
            }
            kind::AGENT_DESK_SETTINGS_REQ => Message::new(kind::AGENT_DESK_SETTINGS_CONF),
            other => panic!("{other:?}"),
        };
        b.link(Link::Confirmed { token, message });
    }
}

fn statuses(b: &mut Bench) -> Vec<String> {
    b.on("SystemInfo").iter().map(|e| text(e, "status").to_owned()).collect()
}

#[test]
fn the_server_serves_when_every_agent_has_been_asked() {
    let mut b = Bench::down(directory(), Dialect::Cce);
    assert_eq!(b.refused("1002", What::User("1002".into())), "503 Service Unavailable");
    b.link(Link::Up { healthy: false });
    assert!(b.requests.is_empty(), "the peripheral is off line");
    b.link(Link::Health { healthy: true });
    assert_eq!(b.requests.len(), 4, "administrators are not asked for");
    assert_eq!(b.refused("1002", What::User("1002".into())), "503 Service Unavailable");
    answer(&mut b, &[("1002", "2002", agent_state::AVAILABLE)], &[]);
    assert!(b.model.in_service());
    assert_eq!(b.log.last().map(String::as_str), Some("publish /finesse/api/Team/1/Users"));
    assert_eq!(statuses(&mut b), ["IN_SERVICE"]);
    let user = b.document("1002", What::User("1002".into()));
    assert_eq!(text(&user, "state"), "READY");
    assert_eq!(text(&user, "stateChangeTime"), "", "nobody told since when");
}

#[test]
fn queries_keep_to_the_window() {
    let mut b = Bench::down(directory(), Dialect::Cce);
    let Settings { resync_window, .. } = &mut b.model.settings;
    *resync_window = 2;
    b.link(Link::Up { healthy: true });
    assert_eq!(b.requests.len(), 2);
    let (token, _) = b.requests.remove(0);
    b.link(Link::TimedOut { token });
    assert_eq!(b.requests.len(), 2);
    answer(&mut b, &[], &[]);
    assert!(b.model.in_service());
}

/// Requirement 32: published before requests are refused and after they work again, and nothing in between.
#[test]
fn n32_every_transition_is_published_in_the_right_order() {
    let mut b = Bench::staffed();
    b.link(Link::Down);
    assert_eq!(b.log, ["publish /finesse/api/SystemInfo", "service false"]);
    b.link(Link::Down);
    let events = b.on("SystemInfo");
    assert_eq!(events.len(), 1);
    assert!(events[0].starts_with("<Update><data><systemInfo><ctiHeartbeatInterval>"));
    assert_eq!(text(&events[0], "status"), "OUT_OF_SERVICE");
    assert_eq!(text(&events[0], "statusReason"), "CTI_SERVER_NOT_CONNECTED");
    assert_eq!(text(&events[0], "event"), "PUT");
    assert_eq!(text(&events[0], "source"), "/finesse/api/SystemInfo");
    assert_eq!(b.refused("1002", What::User("1002".into())), "503 Service Unavailable");
    assert_eq!(text(&b.document("", What::SystemInfo), "status"), "OUT_OF_SERVICE");
    b.log.clear();
    b.link(Link::Up { healthy: true });
    b.state("1002", "2002", agent_state::AVAILABLE, 0);
    b.ring(100, "2002");
    assert!(b.events.is_empty(), "nothing is published out of service");
    answer(&mut b, &[("1003", "2003", agent_state::NOT_READY)], &[]);
    let published: Vec<_> = b.log.iter().filter(|l| !l.starts_with("cti")).cloned().collect();
    assert_eq!(published[..2], ["service true", "publish /finesse/api/SystemInfo"]);
}

/// Requirement 35.
#[test]
fn n35_after_a_reconnect_everything_is_published_as_it_is() {
    let mut b = Bench::staffed();
    b.talk(100, "2002");
    b.talk(101, "2003");
    b.events.clear();
    b.link(Link::Down);
    b.link(Link::Up { healthy: true });
    let signed_in = [("1002", "2002", agent_state::TALKING), ("1003", "2003", agent_state::NOT_READY)];
    answer(&mut b, &signed_in, &[(100, "2002"), (103, "2003")]);
    assert_eq!(statuses(&mut b), ["OUT_OF_SERVICE", "IN_SERVICE"]);
    assert_eq!(shorts(b.on("User/1002")), ["PUT [] TALKING"]);
    assert_eq!(shorts(b.on("User/1003")), ["PUT [] NOT_READY"]);
    assert_eq!(shorts(b.on("User/1002/Dialogs")), ["PUT [] 100 ACTIVE: 0301234=ACTIVE 2002=ACTIVE"]);
    let other = shorts(b.on("User/1003/Dialogs"));
    assert_eq!(other[0], "POST [] 103 ACTIVE: 0301234=ACTIVE 2003=ACTIVE");
    assert!(other[1].starts_with("DELETE [] 101"), "{other:?}");
    assert_eq!(other.len(), 2);
    assert_eq!(b.model.counts(), (2, 2));
}

/// The status as clients were told of it, and how long after the session was opened.
fn flap(b: &mut Bench, held: Duration) -> Option<u64> {
    b.link(Link::Up { healthy: true });
    answer(b, &[("1002", "2002", agent_state::AVAILABLE)], &[]);
    let mut served = b.model.in_service().then_some(0);
    for second in 1..=held.as_secs() {
        b.pass(Duration::from_secs(1));
        if b.model.in_service() {
            served.get_or_insert(second);
        }
    }
    b.link(Link::Down);
    served
}

#[test]
fn a_session_that_comes_and_goes_does_not_take_clients_with_it() {
    let mut b = Bench::down(directory(), Dialect::Cce);
    let served: Vec<_> = (0..40).map(|_| flap(&mut b, Duration::from_secs(15))).collect();
    assert_eq!(served[..6], [Some(0), Some(0), Some(0), Some(0), Some(10), None], "{served:?}");
    let changes = statuses(&mut b).len();
    assert!(changes <= 10, "{changes} changes of the status in 40 sessions");
    // Once it holds, it is believed, in the longest time at most, and publishes what has become of everybody.
    let served = flap(&mut b, Duration::from_secs(130));
    assert_eq!(served, Some(120));
    assert_eq!(statuses(&mut b), ["IN_SERVICE", "OUT_OF_SERVICE"]);
    assert_eq!(shorts(b.on("User/1002")).last().map(String::as_str), Some("PUT [] READY"));
}

#[test]
fn while_a_session_has_to_hold_the_status_says_so_and_events_are_taken_in() {
    let mut b = Bench::down(directory(), Dialect::Cce);
    for _ in 0..4 {
        assert_eq!(flap(&mut b, Duration::from_secs(1)), Some(0));
    }
    b.link(Link::Up { healthy: true });
    answer(&mut b, &[], &[]);
    assert_eq!(text(&b.document("", What::SystemInfo), "statusReason"), "CTI_SERVER_UNSTEADY");
    assert_eq!(b.refused("1002", What::User("1002".into())), "503 Service Unavailable");
    b.events.clear();
    b.state("1003", "2003", agent_state::AVAILABLE, 0);
    assert!(b.events.is_empty());
    b.pass(Duration::from_secs(10));
    assert_eq!(shorts(b.on("User/1003")), ["PUT [] READY"]);
}

#[test]
fn who_was_signed_out_in_between_is_published_as_such() {
    let mut b = Bench::staffed();
    b.link(Link::Down);
    b.link(Link::Up { healthy: true });
    answer(&mut b, &[("1003", "2003", agent_state::NOT_READY)], &[]);
    assert_eq!(shorts(b.on("User/1002")), ["PUT [] LOGOUT"]);
    assert!(b.on("User/1001").is_empty());
}

#[test]
fn a_call_that_began_and_ended_in_between_was_never_there() {
    let mut b = Bench::staffed();
    b.link(Link::Down);
    b.link(Link::Up { healthy: true });
    b.state("1002", "2002", agent_state::TALKING, 0);
    b.talk(100, "2002");
    b.end(100);
    answer(&mut b, &[], &[]);
    assert!(b.on("User/1002/Dialogs").is_empty());
}

#[test]
fn a_known_call_that_ended_while_rebuilding_is_taken_back() {
    let mut b = Bench::staffed();
    b.talk(100, "2002");
    b.link(Link::Down);
    b.link(Link::Up { healthy: true });
    b.end(100);
    b.events.clear();
    answer(&mut b, &[("1002", "2002", agent_state::AVAILABLE)], &[]);
    assert!(shorts(b.on("User/1002/Dialogs"))[0].starts_with("DELETE [] 100"));
}

#[test]
fn an_event_wins_over_an_answer_that_follows_it() {
    let mut b = Bench::down(directory(), Dialect::Cce);
    b.link(Link::Up { healthy: true });
    b.state("1002", "2002", agent_state::TALKING, 0);
    let stale: Vec<_> = std::mem::take(&mut b.requests);
    let mut calls = vec![];
    for (token, request) in stale {
        if request.kind == kind::QUERY_AGENT_STATE_REQ {
            let ours = request.agent_id() == Some("1002");
            let state = if ours { agent_state::NOT_READY } else { agent_state::LOGOUT };
            b.link(Link::Confirmed { token, message: agent_conf(state, "") });
        }
    }
    for (token, request) in std::mem::take(&mut b.requests) {
        if request.kind == kind::SNAPSHOT_DEVICE_REQ {
            let conf = Message::new(kind::SNAPSHOT_DEVICE_CONF)
                .with_tag(tag::CALL_CONNECTION_CALL_ID, 100u32)
                .with_tag(tag::CALL_CONNECTION_DEVICE_ID, "2002");
            b.link(Link::Confirmed { token, message: conf });
        }
    }
    calls.append(&mut b.requests);
    let held = call_event(kind::CALL_HELD_EVENT, 100, "2002").with_tag(tag::HOLDING_DEVICE_ID, "2002");
    b.cti(&held);
    b.cti(&call_event(kind::CALL_DATA_UPDATE_EVENT, 100, "2002").with_tag(tag::CALL_VARIABLE1, "new"));
    b.requests = calls;
    answer(&mut b, &[], &[(100, "2002")]);
    let user = b.document("1002", What::User("1002".into()));
    assert_eq!(text(&user, "state"), "TALKING");
    let dialog = b.document("1002", What::Dialog("100".into()));
    assert!(dialog.contains("<state>HELD</state>") && dialog.contains("<value>new</value>"), "{dialog}");
    assert!(dialog.contains("<callType></callType>") || dialog.contains("<mediaAddress>0301234"));
}

#[test]
fn what_was_asked_in_a_lost_session_is_forgotten() {
    let mut b = Bench::staffed();
    b.put_user("1002", "1002", "r", state_body("READY"));
    b.put_user("1002", "1002", "r2", state_body("NOT_READY"));
    let (token, _) = b.request();
    b.link(Link::Refused { token, refusal: cti::client::Refusal::NotConnected });
    b.requests.clear();
    b.link(Link::Down);
    b.events.clear();
    b.pass(Duration::from_secs(60));
    b.link(Link::Up { healthy: true });
    answer(&mut b, &[("1002", "2002", agent_state::AVAILABLE)], &[]);
    assert_eq!(shorts(b.on("User/1002")), ["PUT [] READY"]);
}

/// Requirements 1 and 2: no credentials needed, also out of service; the domains are those of the node.
#[test]
fn n1_n2_system_info_answers_always() {
    let mut b = Bench::down(directory(), Dialect::Cce);
    let info = b.document("", What::SystemInfo);
    assert_eq!(text(&info, "xmppDomain"), "fin-a.example.net");
    assert_eq!(text(&info, "xmppPubSubDomain"), "pubsub.fin-a.example.net");
    assert_eq!(text(text(&info, "primaryNode"), "host"), "fin-a.example.net");
    assert_eq!(text(&info, "lastCTIHeartbeatStatus"), "failure");
    assert!(info.starts_with("<SystemInfo>") && info.contains("<deploymentType>UCCE</deploymentType>"));
}

fn statistics(ready: u32, waited: u32) -> Message {
    Message::new(kind::QUERY_SKILL_GROUP_STATISTICS_CONF)
        .with(field::AGENTS_AVAIL, ready)
        .with(field::AGENTS_LOGGED_ON, 5u32)
        .with(field::CALLS_Q_NOW, 1u32)
        .with(field::LONGEST_CALL_Q_NOW, waited)
}

/// Requirement 34.
#[test]
fn n34_queues_are_told_on_change_and_at_most_every_ten_seconds() {
    let mut b = Bench::down(directory(), Dialect::Cce);
    b.model.settings.statistics_interval = Duration::from_secs(10);
    b.link(Link::Up { healthy: true });
    answer(&mut b, &[], &[]);
    b.events.clear();
    let mut times = vec![];
    for second in 0..60 {
        b.pass(Duration::from_secs(1));
        for (token, request) in std::mem::take(&mut b.requests) {
            let ready = if request.uint(field::SKILL_GROUP_NUMBER) == Some(10) { second / 20 } else { 7 };
            b.link(Link::Confirmed { token, message: statistics(ready, 63 + second) });
        }
        for event in b.on("Queue/10") {
            assert!(event.starts_with("<Update><data><Queue><name>Sales_EN</name><statistics>"));
            times.push((second, text(&event, "agentsReady").to_owned()));
        }
    }
    assert_eq!(times.len(), 3, "{times:?}");
    assert!(times.windows(2).all(|w| w[1].0 - w[0].0 >= 10), "{times:?}");
    assert_eq!(b.on("Queue/11").len(), 1, "unchanged numbers are told once");
    let queue = b.document("MKeller", What::Queue("10".into()));
    assert_eq!(text(&queue, "callsInQueue"), "1");
    assert_eq!(text(&queue, "agentsNotReady"), "-1");
}

#[test]
fn n34_ccx_has_no_queue_events() {
    let mut b = Bench::down(directory(), Dialect::Ccx);
    b.model.settings.statistics_interval = Duration::from_secs(10);
    b.link(Link::Up { healthy: true });
    answer(&mut b, &[], &[]);
    b.pass(Duration::from_secs(60));
    assert!(b.requests.is_empty());
}
