//! Requirements 31 to 47 of the BOSH profile as dialogues in virtual time.

mod common;

use std::time::Duration;

use bosh::core::{Condition, Settings, sha1_hex};
use common::{Toy, assert_condition, attribute, is_empty};

const FULL: &str = "wait='30' hold='1' ver='1.9' xmlns:xmpp='urn:xmpp:xbosh' xmpp:version='1.0'";

#[test]
fn x31_creation_answer_has_all_attributes_and_the_features() {
    let (_, body) = Toy::open(FULL);
    for (name, value) in [
        ("xmlns", "http://jabber.org/protocol/httpbind"),
        ("xmlns:xmpp", "urn:xmpp:xbosh"),
        ("xmlns:stream", "http://etherx.jabber.org/streams"),
        ("sid", "secret"),
        ("wait", "30"),
        ("hold", "1"),
        ("requests", "2"),
        ("inactivity", "60"),
        ("polling", "2"),
        ("maxpause", "120"),
        ("ver", "1.9"),
        ("ack", "1000"),
        ("from", "localhost"),
        ("authid", "stream"),
        ("charsets", "UTF-8"),
        ("xmpp:version", "1.0"),
        ("xmpp:restartlogic", "true"),
    ] {
        assert_eq!(attribute(&body, name), Some(value), "{name} in {body}");
    }
    assert!(body.ends_with("><stream:features/></body>"), "{body}");
}

#[test]
fn x32_wait_and_hold_go_down_only_and_requests_exceeds_hold() {
    let (toy, _) = Toy::open("wait='3600' hold='9' ver='1.6'");
    assert_eq!((toy.session.terms().wait, toy.session.terms().hold), (60, 2));
    assert_eq!(toy.session.terms().requests, 3);
    let (toy, _) = Toy::open("wait='5' hold='1' ver='1.6'");
    assert_eq!((toy.session.terms().wait, toy.session.terms().hold), (5, 1));
    assert_eq!(toy.session.terms().requests, 2);
}

#[test]
fn x33_versions_are_integers_and_their_absence_is_legacy() {
    let (toy, body) = Toy::open("wait='30' hold='1' ver='1.10'");
    assert_eq!(attribute(&body, "ver"), Some("1.10"));
    assert_eq!(toy.session.terms().version, Some((1, 10)));
    let (toy, body) = Toy::open("wait='30' hold='1'");
    assert_eq!(attribute(&body, "ver"), None);
    assert_eq!(toy.session.terms().version, None);
}

#[test]
fn x34_swapped_requests_are_processed_and_answered_in_order() {
    let (mut toy, _) = Toy::open(FULL);
    let second = toy.send(1002, "", "<echo n='2'/>");
    assert!(toy.up.is_empty(), "nothing is processed before its turn");
    assert!(toy.take(second).is_none());
    let first = toy.send(1001, "", "<echo n='1'/>");
    assert_eq!(toy.up, ["echo 1", "echo 2"]);
    let (first, second) = (toy.expect(first), toy.expect(second));
    assert!(is_empty(&first), "{first}");
    assert_eq!(attribute(&first, "ack"), Some("1002"));
    assert!(second.ends_with("><echoed n='1'/><echoed n='2'/></body>"), "{second}");
}

#[test]
fn x35_empty_answer_when_wait_ends() {
    let (mut toy, _) = Toy::open(FULL);
    let token = toy.poll(1001);
    toy.advance(Duration::from_millis(29_900));
    assert!(toy.take(token).is_none());
    toy.advance(Duration::from_millis(200));
    assert_eq!(toy.expect(token), "<body xmlns=\"http://jabber.org/protocol/httpbind\"/>");
}

#[test]
fn x35_empty_answer_when_a_newer_request_exceeds_hold() {
    let (mut toy, _) = Toy::open(FULL);
    let held = toy.poll(1001);
    let newer = toy.send(1002, "", "<iq n='1'/>");
    assert!(is_empty(&toy.expect(held)));
    assert!(toy.take(newer).is_none(), "the newer one is held now");
    let asking = toy.send(1003, "", "<echo n='7'/>");
    assert!(is_empty(&toy.expect(newer)));
    assert!(toy.expect(asking).contains("<echoed n='7'/>"), "an answer comes with its own request");
}

#[test]
fn x35_two_are_held_when_two_were_asked_for() {
    let (mut toy, _) = Toy::open("wait='30' hold='2' ver='1.9'");
    let a = toy.poll(1001);
    toy.seconds(3);
    let b = toy.poll(1002);
    assert!(toy.take(a).is_none() && toy.take(b).is_none());
    toy.push("<message/>");
    assert!(toy.expect(a).contains("<message/>"));
    assert!(toy.take(b).is_none());
}

#[test]
fn x36_payload_leaves_at_once_and_together() {
    let (mut toy, _) = Toy::open(FULL);
    toy.push("<message n='1'/>");
    toy.push("<message n='2'/>");
    let token = toy.poll(1001);
    assert!(toy.expect(token).ends_with("><message n='1'/><message n='2'/></body>"));
    let token = toy.poll(1002);
    toy.push("<message n='3'/>");
    assert!(toy.expect(token).contains("<message n='3'/>"));
}

#[test]
fn x37_beyond_the_window_ends_the_session() {
    let (mut toy, _) = Toy::open(FULL);
    let held = toy.poll(1001);
    let far = toy.poll(1004);
    assert_condition(&toy.expect(far), "item-not-found");
    assert_condition(&toy.expect(held), "other-request");
    assert!(toy.session.is_over());
}

#[test]
fn x37_an_old_request_whose_answer_is_gone_ends_the_session() {
    let (mut toy, _) = Toy::open(FULL);
    for rid in 1001..=1003 {
        toy.send(rid, "", "<echo/>");
    }
    let old = toy.send(1001, "", "<echo/>");
    assert_condition(&toy.expect(old), "item-not-found");
    assert!(toy.session.is_over());
}

#[test]
fn x38_answers_are_repeated_to_the_byte_and_not_processed_again() {
    let (mut toy, _) = Toy::open(FULL);
    let token = toy.send(1001, "", "<echo n='1'/>");
    let first = toy.expect(token);
    for _ in 0..5 {
        let again = toy.send(1001, "", "<echo n='1'/>");
        assert_eq!(toy.expect(again), first);
    }
    assert_eq!(toy.up, ["echo 1"]);
}

#[test]
fn x38_altered_repetitions_end_the_session() {
    let (mut toy, _) = Toy::open(FULL);
    toy.send(1001, "", "<echo n='1'/>");
    let altered = toy.send(1001, "", "<echo n='evil'/>");
    assert_condition(&toy.expect(altered), "bad-request");
    assert!(toy.session.is_over());
    let (mut toy, _) = Toy::open(FULL);
    let held = toy.poll(1001);
    let altered = toy.send(1001, "", "<echo/>");
    assert_condition(&toy.expect(altered), "bad-request");
    assert_condition(&toy.expect(held), "other-request");
    assert!(toy.up.is_empty());
}

#[test]
fn x38_eleven_repetitions_are_too_many() {
    let (mut toy, _) = Toy::open(FULL);
    toy.send(1001, "", "<echo/>");
    for _ in 0..10 {
        let again = toy.send(1001, "", "<echo/>");
        assert!(attribute(&toy.expect(again), "type").is_none());
    }
    let again = toy.send(1001, "", "<echo/>");
    assert_condition(&toy.expect(again), "policy-violation");
}

#[test]
fn x39_a_held_duplicate_takes_the_place_of_the_first() {
    let (mut toy, _) = Toy::open(FULL);
    let old = toy.poll(1001);
    let new = toy.poll(1001);
    assert_eq!(toy.expect(old), "<body xmlns=\"http://jabber.org/protocol/httpbind\" type=\"error\"/>");
    assert!(toy.take(new).is_none());
    toy.push("<message/>");
    assert!(toy.expect(new).contains("<message/>"));
}

#[test]
fn x39_payload_waits_while_the_connection_is_gone() {
    let (mut toy, _) = Toy::open(FULL);
    let lost = toy.poll(1001);
    toy.detach(lost);
    toy.push("<message n='1'/>");
    let new = toy.poll(1001);
    assert!(toy.expect(new).contains("<message n='1'/>"));
    let lost = toy.poll(1002);
    toy.detach(lost);
    toy.push("<message n='2'/>");
    let next = toy.poll(1003);
    assert!(toy.expect(next).contains("<message n='2'/>"), "the broken one counts as answered empty");
    let again = toy.poll(1002);
    assert!(is_empty(&toy.expect(again)));
}

#[test]
fn x40_n48_inactivity_counts_only_while_nothing_is_held() {
    let (mut toy, _) = Toy::open(FULL);
    let token = toy.poll(1001);
    toy.seconds(25);
    toy.push("<message/>");
    toy.expect(token);
    toy.seconds(59);
    assert!(!toy.session.is_over());
    let token = toy.poll(1002);
    toy.seconds(29);
    assert!(!toy.session.is_over());
    toy.seconds(1);
    toy.expect(token);
    toy.seconds(60);
    assert!(toy.session.is_over());
    let late = toy.poll(1003);
    assert_condition(&toy.expect(late), "item-not-found");
}

#[test]
fn x40_a_connection_seen_to_close_is_not_held() {
    let (mut toy, _) = Toy::open("wait='60' hold='1' ver='1.9'");
    let token = toy.poll(1001);
    toy.seconds(10);
    toy.detach(token);
    toy.seconds(59);
    assert!(!toy.session.is_over());
    toy.seconds(1);
    assert!(toy.session.is_over());
}

#[test]
fn x40_a_session_is_restored_after_a_pause() {
    let (mut toy, _) = Toy::open(FULL);
    let pause = toy.send(1001, "pause='120'", "");
    assert!(is_empty(&toy.expect(pause)));
    toy.seconds(119);
    toy.push("<message/>");
    let back = toy.poll(1002);
    assert!(toy.expect(back).contains("<message/>"));
    toy.seconds(60);
    assert!(toy.session.is_over(), "the pause ended with the request");
}

#[test]
fn x41_pause_releases_held_requests_without_payload() {
    let (mut toy, _) = Toy::open(FULL);
    let held = toy.poll(1001);
    let pause = toy.send(1002, "pause='60'", "<echo n='1'/>");
    assert!(is_empty(&toy.expect(held)));
    assert!(is_empty(&toy.expect(pause)), "no payload in the answer to a pause");
    let back = toy.poll(1003);
    assert!(toy.expect(back).contains("<echoed n='1'/>"));
}

#[test]
fn x41_pauses_too_long_or_senseless_are_violations() {
    for pause in ["121", "-1", "soon", "999999999999999999999999"] {
        let (mut toy, _) = Toy::open(FULL);
        let token = toy.send(1001, &format!("pause='{pause}'"), "");
        assert_condition(&toy.expect(token), "policy-violation");
    }
    let settings = Settings { max_pause: None, ..Settings::default() };
    let (mut toy, body) = Toy::open_with(settings, FULL);
    assert_eq!(attribute(&body, "maxpause"), None);
    let token = toy.send(1001, "pause='1'", "");
    assert_condition(&toy.expect(token), "bad-request");
}

#[test]
fn x42_an_empty_request_beside_a_held_one_within_polling() {
    let (mut toy, _) = Toy::open(FULL);
    let held = toy.poll(1001);
    toy.advance(Duration::from_millis(1_900));
    let second = toy.poll(1002);
    assert_condition(&toy.expect(second), "policy-violation");
    assert_condition(&toy.expect(held), "other-request");
}

#[test]
fn x42_after_polling_the_same_is_fine() {
    let (mut toy, _) = Toy::open(FULL);
    let held = toy.poll(1001);
    toy.seconds(2);
    let second = toy.poll(1002);
    assert!(is_empty(&toy.expect(held)));
    assert!(toy.take(second).is_none());
}

#[test]
fn x42_a_request_with_payload_beside_a_held_one_is_fine() {
    let (mut toy, _) = Toy::open(FULL);
    let mut last = toy.poll(1001);
    for rid in 1002..1100 {
        let next = toy.send(rid, "", "<message/>");
        assert!(is_empty(&toy.expect(last)));
        last = next;
    }
}

#[test]
fn x42_one_more_request_than_allowed() {
    let (mut toy, _) = Toy::open(FULL);
    // 1001 is missing: 1002 waits, and 1003 is the end of the window for anything but an end or a pause.
    let waiting = toy.send(1002, "", "<message/>");
    let end = toy.send(1003, "type='terminate'", "<presence type='unavailable'/>");
    assert!(toy.take(waiting).is_none() && toy.take(end).is_none());
    let missing = toy.poll(1001);
    assert_eq!(toy.up, ["message", "presence"]);
    assert!(is_empty(&toy.expect(missing)));
    assert!(toy.take(waiting).is_some() && toy.take(end).is_some());
    assert!(toy.session.is_over());
}

#[test]
fn x42_polling_sessions_keep_their_interval() {
    let (mut toy, body) = Toy::open("wait='0' hold='1' ver='1.9'");
    assert_eq!(attribute(&body, "inactivity"), Some("90"));
    let token = toy.poll(1001);
    assert!(is_empty(&toy.expect(token)));
    toy.advance(Duration::from_millis(1_999));
    let token = toy.poll(1002);
    assert_condition(&toy.expect(token), "policy-violation");

    let (mut toy, _) = Toy::open("wait='30' hold='0' ver='1.9'");
    for rid in 1001..1010 {
        let token = toy.poll(rid);
        assert!(is_empty(&toy.expect(token)));
        toy.seconds(2);
    }
    // An answer with payload may be followed at once.
    toy.push("<message/>");
    let token = toy.poll(1010);
    assert!(toy.expect(token).contains("<message/>"));
    let token = toy.poll(1011);
    assert!(is_empty(&toy.expect(token)));
}

#[test]
fn x42_the_switch_tolerates_it() {
    let settings = Settings { ignore_overactivity: true, ..Settings::default() };
    let (mut toy, _) = Toy::open_with(settings, FULL);
    for rid in 1001..1050 {
        toy.poll(rid);
    }
    assert!(!toy.session.is_over());
}

#[test]
fn x43_ack_is_left_out_when_it_says_nothing() {
    let (mut toy, _) = Toy::open(FULL);
    let token = toy.send(1001, "", "<echo/>");
    assert_eq!(attribute(&toy.expect(token), "ack"), None);
    let held = toy.poll(1002);
    toy.send(1003, "", "<message/>");
    let token = toy.send(1004, "", "<echo/>");
    assert_eq!(attribute(&toy.expect(held), "ack"), Some("1003"));
    assert_eq!(attribute(&toy.expect(token), "ack"), None);
}

#[test]
fn x43_a_lost_answer_is_reported_with_its_age() {
    let (mut toy, _) = Toy::open(&format!("{FULL} ack='1'"));
    let lost = toy.send(1001, "ack='1000'", "<echo n='1'/>");
    let lost_body = toy.expect(lost);
    toy.seconds(3);
    let token = toy.send(1002, "ack='1000'", "");
    let body = toy.expect(token);
    assert_eq!(attribute(&body, "report"), Some("1001"));
    assert_eq!(attribute(&body, "time"), Some("3000"));
    let again = toy.send(1001, "ack='1000'", "<echo n='1'/>");
    assert_eq!(toy.expect(again), lost_body);
}

#[test]
fn x43_acknowledging_the_future_is_a_bad_request() {
    for ack in ["1001", "9007199254740991", "x"] {
        let (mut toy, _) = Toy::open(&format!("{FULL} ack='1'"));
        let token = toy.send(1001, &format!("ack='{ack}'"), "");
        assert_condition(&toy.expect(token), "bad-request");
    }
}

#[test]
fn x43_acknowledged_answers_are_forgotten() {
    let (mut toy, _) = Toy::open(&format!("{FULL} ack='1'"));
    toy.send(1001, "ack='1000'", "<echo/>");
    toy.send(1002, "ack='1001'", "<echo/>");
    let again = toy.send(1001, "ack='1000'", "<echo/>");
    assert_condition(&toy.expect(again), "item-not-found");
}

/// Keys k(n) .. k(1) for use in this order.
fn keys(seed: &str, n: usize) -> Vec<String> {
    let mut keys = vec![sha1_hex(seed)];
    for _ in 1..n {
        keys.push(sha1_hex(keys.last().unwrap()));
    }
    keys.reverse();
    keys
}

#[test]
fn x44_keys_are_followed_and_switched() {
    let (first, second) = (keys("a", 4), keys("b", 3));
    let (mut toy, _) = Toy::open(&format!("{FULL} newkey='{}'", first[0].to_uppercase()));
    toy.send(1001, &format!("key='{}'", first[1]), "<m n='1'/>");
    assert_eq!(toy.up, ["m 1"], "hexadecimal digits compare without case");
    let (mut toy, _) = Toy::open(&format!("{FULL} newkey='{}'", first[0]));
    toy.send(1001, &format!("key='{}'", first[1]), "<m n='1'/>");
    toy.send(1002, &format!("key='{}' newkey='{}'", first[2], second[0]), "<m n='2'/>");
    toy.send(1003, &format!("key='{}'", second[1]), "<m n='3'/>");
    assert_eq!(toy.up, ["m 1", "m 2", "m 3"]);
    let same = toy.send(1003, &format!("key='{}'", second[1]), "<m n='3'/>");
    assert!(!toy.session.is_over(), "a repetition is not checked against the next key");
    toy.expect(same - 1);
}

#[test]
fn x44_a_wrong_or_missing_key_ends_the_session_unprocessed() {
    for attributes in ["", "key='0000'", "newkey='0000'"] {
        let (mut toy, _) = Toy::open(&format!("{FULL} newkey='{}'", sha1_hex("a")));
        let token = toy.send(1001, attributes, "<m/>");
        assert_condition(&toy.expect(token), "item-not-found");
        assert!(toy.up.is_empty() && toy.session.is_over());
    }
}

#[test]
fn x44_swapped_requests_are_checked_in_sequence() {
    let keys = keys("a", 3);
    let (mut toy, _) = Toy::open(&format!("{FULL} newkey='{}'", keys[0]));
    toy.send(1002, &format!("key='{}'", keys[2]), "<m n='2'/>");
    toy.send(1001, &format!("key='{}'", keys[1]), "<m n='1'/>");
    assert_eq!(toy.up, ["m 1", "m 2"]);
}

#[test]
fn x45_terminate_processes_its_payload_and_answers_everybody() {
    let (mut toy, _) = Toy::open(FULL);
    let held = toy.poll(1001);
    let end = toy.send(1002, "type='terminate'", "<presence type='unavailable'/>");
    assert_eq!(toy.up, ["presence"]);
    assert_eq!(toy.expect(held), "<body xmlns=\"http://jabber.org/protocol/httpbind\" type=\"terminate\"/>");
    assert!(is_empty(&toy.expect(end)));
    assert!(toy.session.is_over());
    let (mut toy, _) = Toy::open(FULL);
    let end = toy.send(1001, "type='terminate'", "");
    assert_eq!(attribute(&toy.expect(end), "type"), Some("terminate"));
}

#[test]
fn x47_unknown_attributes_are_ignored() {
    let (mut toy, _) =
        Toy::open(&format!("{FULL} route='xmpp:example.org:9999' stream='x' secure='true' foo='bar'"));
    let token = toy.send(1001, "stream='other' accept='gzip' foo='bar' type='unknown'", "<echo/>");
    assert!(toy.expect(token).contains("<echoed"));
}

#[test]
fn x51_a_stream_error_follows_the_pending_stanzas() {
    let (mut toy, _) = Toy::open(FULL);
    let held = toy.poll(1001);
    toy.session.close(toy.now, Some(Condition::RemoteStreamError), |out| {
        out.extend_from_slice(b"<message/><stream:error><conflict/></stream:error>");
    });
    toy.pump();
    assert_eq!(
        toy.expect(held),
        "<body xmlns=\"http://jabber.org/protocol/httpbind\" xmlns:stream=\"http://etherx.jabber.org/streams\" \
         type=\"terminate\" condition=\"remote-stream-error\"><message/><stream:error><conflict/></stream:error></body>"
    );
    assert!(toy.session.is_over());
}

#[test]
fn x51_without_a_held_request_the_next_one_is_told() {
    let (mut toy, _) = Toy::open(FULL);
    toy.session
        .close(toy.now, Some(Condition::RemoteStreamError), |out| out.extend_from_slice(b"<stream:error/>"));
    toy.seconds(30);
    assert!(!toy.session.is_over() && toy.session.has_ended());
    let late = toy.poll(1001);
    assert_condition(&toy.expect(late), "remote-stream-error");
    assert!(toy.session.is_over());
}

#[test]
fn x52_a_stop_is_told_to_all_held_requests() {
    let (mut toy, _) = Toy::open("wait='30' hold='2' ver='1.9'");
    let a = toy.poll(1001);
    toy.seconds(3);
    let b = toy.poll(1002);
    toy.session.end_all(toy.now, Condition::SystemShutdown);
    toy.pump();
    assert_condition(&toy.expect(a), "system-shutdown");
    assert_condition(&toy.expect(b), "system-shutdown");
}

#[test]
fn x54_immediate_requests_after_each_answer_are_no_violation() {
    let (mut toy, _) = Toy::open(FULL);
    for rid in 1001..6001 {
        let token = toy.poll(rid);
        toy.advance(Duration::from_millis(1));
        toy.push("<message/>");
        assert!(toy.expect(token).contains("<message/>"));
    }
}

#[test]
fn x55_restart_goes_through_and_its_payload_is_ignored() {
    let (mut toy, _) = Toy::open(FULL);
    for (rid, value) in [(1001, "true"), (1002, "1")] {
        let token = toy.send(
            rid,
            &format!("to='localhost' xmlns:x='urn:xmpp:xbosh' x:restart='{value}'"),
            "<message/>",
        );
        assert!(toy.expect(token).contains("<stream:features><bind/></stream:features>"));
    }
    assert_eq!(toy.up, ["restart", "restart"]);
}

#[test]
fn a_missing_request_is_waited_for_and_then_given_up() {
    let (mut toy, _) = Toy::open(FULL);
    let waiting = toy.send(1002, "", "<m/>");
    toy.seconds(34);
    assert!(toy.take(waiting).is_none());
    toy.seconds(1);
    assert_condition(&toy.expect(waiting), "remote-connection-failed");
    assert!(toy.up.is_empty() && toy.session.is_over());
}

#[test]
fn a_gap_that_was_given_up_with_nobody_there_is_no_deadline_any_more() {
    let (mut toy, _) = Toy::open(FULL);
    let waiting = toy.send(1002, "", "<m/>");
    toy.detach(waiting);
    toy.seconds(35);
    assert!(toy.session.has_ended() && !toy.session.is_over());
    assert!(toy.session.deadline().is_some_and(|deadline| deadline > toy.now));
    toy.seconds(60);
    assert!(toy.session.is_over());
}

#[test]
fn what_follows_a_password_waits_for_the_outcome() {
    let (mut toy, _) = Toy::open(FULL);
    let auth = toy.send(1001, "", "<auth/><echo n='1'/>");
    let behind = toy.send(1002, "", "<echo n='2'/>");
    assert_eq!(toy.up, ["auth"]);
    toy.seconds(10);
    assert!(toy.take(auth).is_none() && toy.take(behind).is_none());
    toy.session.set_blocked(false);
    toy.push("<success/>");
    assert_eq!(toy.up, ["auth", "echo 1", "echo 2"]);
    assert!(toy.take(auth).is_some());
    assert!(toy.expect(behind).contains("<success/><echoed n='1'/><echoed n='2'/>"));
}

#[test]
fn bad_request_ids_end_the_session() {
    for rid in ["0", "-5", "9007199254740992", "0x3e9", "1 001", "", "99999999999999999999"] {
        let (mut toy, _) = Toy::open(FULL);
        let token = toy.send_raw(&format!("<body rid='{rid}' sid='secret' {}/>", common::NS));
        assert_condition(&toy.expect(token), "bad-request");
        assert!(toy.session.is_over());
    }
}
