//! XEP-0198 in virtual time: counting, resumption, and everything that must not be resumed.

mod support;

use std::time::Duration;

use broker::{Address, Reach};
use support::*;
use xmpp::{Channel, Config, Framing, Service, StreamManagement};

const SECOND: Duration = Duration::from_secs(1);
const ENABLE: &str = "<enable xmlns='urn:xmpp:sm:3' resume='true'/>";
const R: &str = "<r xmlns='urn:xmpp:sm:3'/>";

fn options() -> StreamManagement {
    StreamManagement::default()
}

fn managed_with(options: StreamManagement) -> Service {
    service_with(Config { stream_management: Some(options), ..config() })
}

fn managed() -> Service {
    managed_with(options())
}

fn attr<'a>(xml: &'a str, name: &str) -> &'a str {
    let start = format!(" {name}=\"");
    let at = xml.find(&start).unwrap_or_else(|| panic!("no {name} in {xml}")) + start.len();
    &xml[at..at + xml[at..].find('"').unwrap()]
}

fn a(h: u32) -> String {
    format!("<a xmlns='urn:xmpp:sm:3' h='{h}'/>")
}

fn resume(id: &str, h: u32) -> String {
    format!("<resume xmlns='urn:xmpp:sm:3' previd='{id}' h='{h}'/>")
}

fn failed(condition: &str) -> String {
    format!(
        "<failed xmlns=\"urn:xmpp:sm:3\"><{condition} xmlns=\"urn:ietf:params:xml:ns:xmpp-stanzas\"/></failed>"
    )
}

/// Authenticated, its features read, nothing bound; behind `send` it knows both transports.
struct Peer {
    client: Client,
    websocket: bool,
}

impl Peer {
    fn authenticated(service: &Service, user: &str, websocket: bool) -> (Self, String) {
        let framing = if websocket { Framing::WebSocket } else { Framing::Tcp };
        let mut peer = Self { client: Client::new(service, framing, Channel::default()), websocket };
        let open = if websocket {
            format!("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='{DOMAIN}' version='1.0'/>")
        } else {
            open_tcp(DOMAIN)
        };
        peer.say(&open);
        peer.say(&auth(&plain("", user, "secret")));
        let features = peer.say(&open);
        (peer, features)
    }

    /// Bound, stream management on; with the resume id.
    fn managed(service: &Service, user: &str, websocket: bool) -> (Self, String) {
        let (mut peer, _) = Self::authenticated(service, user, websocket);
        peer.say(&bind("desk"));
        let enabled = peer.say(ENABLE);
        let id = attr(&enabled, "id").to_owned();
        (peer, id)
    }

    fn say(&mut self, xml: &str) -> String {
        if self.websocket { self.client.message(xml) } else { self.client.send(xml) }
    }

    /// What came unasked.
    fn hear(&mut self) -> String {
        self.client.stream.check_owner();
        self.client.send("")
    }

    /// The connection breaks.
    fn breaks(&mut self) {
        self.client.stream.handle_eof();
        let now = self.client.now;
        self.client.stream.handle_timeout(now);
    }

    fn resumes(service: &Service, user: &str, websocket: bool, id: &str, h: u32) -> (Self, String) {
        let (mut peer, _) = Self::authenticated(service, user, websocket);
        let said = peer.say(&resume(id, h));
        (peer, said)
    }
}

fn send(service: &Service, text: &str) {
    let to = Address::full("1001@fin-a.example.net", "desk");
    service.broker().send(&to, broker::Parcel::notice(format!("<message><body>{text}</body></message>")));
}

fn body(text: &str) -> String {
    format!("<message><body>{text}</body></message>")
}

fn both(test: impl Fn(bool)) {
    test(false);
    test(true);
}

#[test]
fn x78_x80_it_is_offered_after_authentication_where_it_is_switched_on() {
    let (_, features) = Peer::authenticated(&service(), "1001", false);
    assert!(!features.contains("urn:xmpp:sm"), "{features}");
    both(|websocket| {
        let (_, features) = Peer::authenticated(&managed(), "1001", websocket);
        assert!(features.contains("</session><sm xmlns=\"urn:xmpp:sm:3\"/><limits"), "{features}");
    });
    let mut client = Client::new(&managed(), Framing::Bosh, Channel::default());
    client.stream.handle_open(client.now, &xmpp::Open { version: Some("1.0".into()), ..Default::default() });
    assert!(!client.take().contains("urn:xmpp:sm"));
}

#[test]
fn x78_where_it_is_off_its_elements_are_as_foreign_as_before() {
    let mut client = Client::bound(&service(), "1001", "desk");
    client.send(ENABLE);
    assert_eq!(client.error(), Some("unsupported-stanza-type"));
}

#[test]
fn x78_both_sides_count_from_enable() {
    both(|websocket| {
        let service = managed();
        let (mut peer, _) = Peer::authenticated(&service, "1001", websocket);
        peer.say(&bind("desk"));
        let enabled = peer.say(ENABLE);
        assert!(enabled.starts_with("<enabled xmlns=\"urn:xmpp:sm:3\" id=\""), "{enabled}");
        assert_eq!((attr(&enabled, "resume"), attr(&enabled, "max")), ("true", "120"));
        assert!(attr(&enabled, "id").len() * 4 >= 128, "{enabled}");
        assert!(!enabled.contains("location"), "{enabled}");
        assert_eq!(peer.say(R), "<a xmlns=\"urn:xmpp:sm:3\" h=\"0\"/>");
        peer.say("<presence xmlns='jabber:client'/>");
        peer.say("<active xmlns='urn:xmpp:csi:0'/>");
        peer.say("<iq xmlns='jabber:client' type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>");
        assert_eq!(peer.say(R), "<a xmlns=\"urn:xmpp:sm:3\" h=\"2\"/>", "stanzas alone count");
        assert_eq!(peer.say(&a(2)), "", "an echo and an answer");
        peer.say(&a(3));
        assert_eq!(peer.client.error(), Some("undefined-condition"));
    });
}

#[test]
fn x78_each_request_is_answered() {
    let (mut peer, _) = Peer::managed(&managed(), "1001", false);
    let said =
        peer.say(&format!("{R}{R}<message xmlns='jabber:client' to='nobody@{DOMAIN}' type='error'/>{R}"));
    assert_eq!(said.matches("<a ").count(), 3, "{said}");
    assert!(said.ends_with("h=\"1\"/>"), "{said}");
}

#[test]
fn x78_nothing_is_answered_in_front_of_enabled() {
    both(|websocket| {
        let (mut peer, _) = Peer::authenticated(&managed(), "1001", websocket);
        peer.say(&bind("desk"));
        // A client that does not wait for the answer; all of this is read before anything is written.
        let client = &mut peer.client;
        let now = client.now;
        for element in [ENABLE, R, R] {
            if websocket {
                client.stream.handle_message(now, element);
            } else {
                client.stream.handle_bytes(now, &mut element.as_bytes());
            }
        }
        let said = peer.hear();
        assert!(said.starts_with("<enabled ") && said.matches("<a ").count() == 2, "{said}");
    });
}

#[test]
fn x78_enable_needs_a_resource_and_works_once() {
    both(|websocket| {
        let service = managed();
        let (mut peer, _) = Peer::authenticated(&service, "1001", websocket);
        assert_eq!(peer.say(ENABLE), failed("unexpected-request"));
        assert_eq!(peer.say(R), failed("unexpected-request"));
        assert!(peer.say(&bind("desk")).contains("<jid>"));
        assert_eq!(peer.say(R), failed("unexpected-request"), "not enabled");
        assert!(peer.say(ENABLE).contains("<enabled"));
        assert_eq!(peer.say(ENABLE), failed("unexpected-request"));
        assert_eq!(peer.say(&resume("x", 0)), failed("unexpected-request"));
        assert!(peer.say(R).contains("<a "), "the stream goes on");
    });
}

#[test]
fn x78_the_client_may_wish_for_a_shorter_time_or_for_no_resumption() {
    let service = managed();
    for (wish, max) in
        [("max='30'", Some("30")), ("max='9999'", Some("120")), ("max='x'", Some("120")), ("max='0'", None)]
    {
        let (mut peer, _) = Peer::authenticated(&service, "1001", false);
        peer.say(&bind("desk"));
        let enabled = peer.say(&format!("<enable xmlns='urn:xmpp:sm:3' resume='1' {wish}/>"));
        match max {
            Some(max) => assert_eq!(attr(&enabled, "max"), max, "{wish}"),
            None => assert_eq!(enabled, "<enabled xmlns=\"urn:xmpp:sm:3\"/>"),
        }
    }
    let (mut peer, _) = Peer::authenticated(&service, "1001", false);
    peer.say(&bind("desk"));
    assert_eq!(peer.say("<enable xmlns='urn:xmpp:sm:3'/>"), "<enabled xmlns=\"urn:xmpp:sm:3\"/>");
    peer.breaks();
    assert!(peer.client.stream.is_closed() && service.sessions() == 0, "it ends with its connection");
}

#[test]
fn x78_acknowledging_more_than_was_sent_ends_the_stream() {
    both(|websocket| {
        let (mut peer, _) = Peer::managed(&managed(), "1001", websocket);
        let said = peer.say(&a(10));
        assert!(
            said.contains(
                "<undefined-condition xmlns=\"urn:ietf:params:xml:ns:xmpp-streams\"/>\
             <handled-count-too-high xmlns=\"urn:xmpp:sm:3\" h=\"10\" send-count=\"0\"/>"
            ),
            "{said}"
        );
    });
    for wrong in ["<a xmlns='urn:xmpp:sm:3'/>", "<a xmlns='urn:xmpp:sm:3' h='-1'/>"] {
        let (mut peer, _) = Peer::managed(&managed(), "1001", false);
        peer.say(wrong);
        assert_eq!(peer.client.error(), Some("invalid-xml"), "{wrong}");
    }
}

#[test]
fn x78_resume_brings_what_was_lost_and_what_waits_in_order() {
    both(|websocket| {
        let service = managed();
        let (mut peer, id) = Peer::managed(&service, "1001", websocket);
        peer.say("<presence xmlns='jabber:client'/>");
        for text in ["1", "2", "3"] {
            send(&service, text);
        }
        assert!(peer.hear().contains(&body("3")));
        peer.say(&a(2));
        peer.breaks();
        assert!(peer.client.stream.is_detached() && !peer.client.stream.is_closed());
        assert_eq!(service.sessions(), 1, "the resource stays");
        send(&service, "4");
        let (mut new, said) = Peer::resumes(&service, "1001", websocket, &id, 3);
        let resumed = format!("<resumed xmlns=\"urn:xmpp:sm:3\" previd=\"{id}\" h=\"1\"/>");
        // The echo of the presence and `1` and `2` were handled, `3` was lost on the way.
        let expected = format!("{resumed}{}{}<r xmlns=\"urn:xmpp:sm:3\"/>", body("3"), body("4"));
        let split = said.replace("<r xmlns=\"urn:xmpp:sm:3\"/>", "");
        assert_eq!(split, expected.replace("<r xmlns=\"urn:xmpp:sm:3\"/>", ""));
        assert_eq!(said.matches("<r ").count(), 1, "{said}");
        assert_eq!(new.say(R), "<a xmlns=\"urn:xmpp:sm:3\" h=\"1\"/>");
        assert_eq!(new.say(&a(5)), "");
        send(&service, "5");
        assert_eq!(new.hear(), body("5"));
        peer.client.stream.check_owner();
        assert!(peer.client.stream.is_closed() && service.sessions() == 1, "the old one is over");
        new.say(if websocket {
            "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>"
        } else {
            "</stream:stream>"
        });
        assert_eq!(service.sessions(), 0, "an orderly end is the end");
        let (_, said) = Peer::resumes(&service, "1001", websocket, &id, 3);
        assert_eq!(said, failed("item-not-found"));
    });
}

#[test]
fn x78_events_are_sent_again_byte_by_byte() {
    let service = managed();
    let (mut peer, id) = Peer::managed(&service, "1001", false);
    peer.say("<presence xmlns='jabber:client'/>");
    service.broker().create_node("/n").unwrap();
    let address = Address { bare: "1001@fin-a.example.net".into(), resource: None };
    service.broker().subscribe(&address, "/n").unwrap();
    let publish = |text: &str| service.broker().publish("/n", xmpp::notification("pubsub.d", "/n", text));
    publish("one");
    publish("two");
    let first = peer.hear();
    assert!(first.contains("__00000\"") && first.contains("__00001\""), "{first}");
    peer.breaks();
    publish("three");
    let (mut new, said) = Peer::resumes(&service, "1001", false, &id, 2);
    let again = &first[first.find("<message").unwrap()..];
    let second = &again[again[1..].find("<message").unwrap() + 1..];
    assert!(said.contains(&format!("h=\"1\"/>{second}<message")), "{said}\n{second}");
    assert!(said.contains("__00002\"") && !said.contains("__00000\""), "{said}");
    new.breaks();
    let (_, said) = Peer::resumes(&service, "1001", false, &id, 3);
    assert!(said.contains("three") && said.contains("__00002\"") && !said.contains("two"), "{said}");
}

#[test]
fn x78_the_old_connection_is_ended_with_conflict_if_it_is_still_there() {
    both(|websocket| {
        let service = managed();
        let (mut old, id) = Peer::managed(&service, "1001", websocket);
        old.say("<presence xmlns='jabber:client'/>");
        let (mut new, said) = Peer::resumes(&service, "1001", websocket, &id, 1);
        assert!(said.contains("<resumed"), "{said}");
        send(&service, "after");
        let last = old.hear();
        assert_eq!(old.client.error(), Some("conflict"));
        assert!(!last.contains("after"), "{last}");
        assert_eq!(new.hear(), body("after"));
        assert_eq!(service.sessions(), 1);
        // Nothing that the old one still reads has any effect.
        old.say("<presence xmlns='jabber:client' type='unavailable'/>");
        assert_eq!(new.hear(), "");
        assert_eq!(service.broker().sessions("1001@fin-a.example.net")[0].reach, Reach::All);
    });
}

#[test]
fn x78_a_stanza_on_a_connection_that_lost_its_session_is_not_handled() {
    let service = managed();
    let (mut old, id) = Peer::managed(&service, "1001", false);
    let (mut new, said) = Peer::resumes(&service, "1001", false, &id, 0);
    assert_eq!(attr(&said[said.find("<resumed").unwrap()..], "h"), "0");
    old.say("<presence xmlns='jabber:client'/>");
    assert_eq!(old.client.error(), Some("conflict"));
    assert_eq!(service.broker().sessions("1001@fin-a.example.net")[0].reach, Reach::None);
    assert!(new.say("<presence xmlns='jabber:client'/>").contains("<presence"));
}

#[test]
fn x78_a_session_is_its_accounts_own_and_ids_are_not_guessed() {
    let service = managed();
    let (mut peer, id) = Peer::managed(&service, "1001", false);
    peer.breaks();
    let (mut thief, said) = Peer::resumes(&service, "2002", false, &id, 0);
    assert_eq!(said, failed("item-not-found"), "no count is given away");
    assert!(thief.say(&bind("desk")).contains("<jid>"), "it may bind instead");
    let wrong = if id.starts_with('0') { id.replacen('0', "1", 1) } else { format!("0{}", &id[1..]) };
    for other in [wrong.as_str(), "", "nonsense", &id[1..]] {
        let (_, said) = Peer::resumes(&service, "1001", false, other, 0);
        assert_eq!(said, failed("item-not-found"), "{other}");
    }
    let (mut nameless, _) = Peer::authenticated(&service, "1001", false);
    assert_eq!(nameless.say("<resume xmlns='urn:xmpp:sm:3' h='0'/>"), failed("bad-request"));
    assert_eq!(
        nameless.say(&format!("<resume xmlns='urn:xmpp:sm:3' previd='{id}'/>")),
        failed("bad-request")
    );
    assert!(nameless.say(&resume(&id, 0)).contains("<resumed"), "all that did no harm");
}

#[test]
fn x78_resume_with_too_high_a_count_ends_the_stream_and_not_the_session() {
    let service = managed();
    let (mut peer, id) = Peer::managed(&service, "1001", false);
    peer.breaks();
    let (new, said) = Peer::resumes(&service, "1001", false, &id, 1);
    assert_eq!(new.client.error(), Some("undefined-condition"));
    assert!(said.contains("h=\"1\" send-count=\"0\""), "{said}");
    let (_new, said) = Peer::resumes(&service, "1001", false, &id, 0);
    assert!(said.contains("<resumed"), "{said}");
}

#[test]
fn x78_a_session_can_be_resumed_again_and_again() {
    let service = managed();
    let (mut peer, id) = Peer::managed(&service, "1001", false);
    for round in 0..20 {
        peer.breaks();
        send(&service, &round.to_string());
        let (mut new, said) = Peer::resumes(&service, "1001", false, &id, round);
        assert!(said.contains(&body(&round.to_string())) && said.matches("<message").count() == 1, "{said}");
        peer.hear();
        assert!(peer.client.stream.is_closed());
        if round % 2 == 0 {
            new.say(&a(round + 1));
        }
        peer = new;
    }
    assert_eq!(service.sessions(), 1);
}

#[test]
fn x78_x10_time_runs_out_and_everybody_hears_once_that_the_resource_is_gone() {
    let service = managed();
    let mut other = Client::bound(&service, "1001", "other");
    other.send("<presence/>");
    let (mut peer, id) = Peer::managed(&service, "1001", false);
    peer.say("<presence xmlns='jabber:client'/><message xmlns='jabber:client' to='x' type='error'/>");
    other.take();
    peer.breaks();
    peer.client.pass(119 * SECOND);
    assert_eq!((service.sessions(), other.take().as_str()), (2, ""), "to others it stays available");
    send(&service, "too late");
    peer.client.pass(SECOND);
    assert!(peer.client.stream.is_closed());
    assert_eq!(other.take().matches("type=\"unavailable\"").count(), 1);
    assert_eq!(service.sessions(), 1);
    let (mut new, said) = Peer::resumes(&service, "1001", false, &id, 1);
    assert_eq!(
        said,
        failed("item-not-found").replacen("sm:3\"", "sm:3\" h=\"2\"", 1),
        "what was handled is still told"
    );
    let bound = new.say(&bind("desk"));
    assert!(bound.contains("<jid>") && !bound.contains("too late"), "{bound}");
    assert_eq!(other.take(), "");
}

#[test]
fn x78_a_detached_session_that_overflows_ends() {
    let mut config = Config { stream_management: Some(options()), ..config() };
    config.limits.outbox_items = 3;
    let service = service_with(config);
    let (mut peer, id) = Peer::managed(&service, "1001", false);
    peer.breaks();
    for text in ["1", "2", "3"] {
        send(&service, text);
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(peer.client.stream.poll_detached(&mut cx).is_pending());
    }
    send(&service, "4");
    let (_, said) = Peer::resumes(&service, "1001", false, &id, 0);
    assert_eq!(said, failed("item-not-found"));
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(peer.client.stream.poll_detached(&mut cx).is_ready());
    assert!(peer.client.stream.is_closed() && service.sessions() == 0);
    let (_, said) = Peer::resumes(&service, "1001", false, &id, 0);
    assert!(said.starts_with("<failed xmlns=\"urn:xmpp:sm:3\" h=\"0\"><item-not-found"), "{said}");
}

#[test]
fn x78_too_much_unacknowledged_ends_the_session_with_policy_violation() {
    both(|websocket| {
        let service = managed_with(StreamManagement { queue_items: 3, ..options() });
        let (mut peer, _) = Peer::managed(&service, "1001", websocket);
        for text in ["1", "2", "3"] {
            send(&service, text);
            peer.hear();
        }
        assert_eq!(peer.client.error(), None);
        peer.say(&a(1));
        send(&service, "4");
        peer.hear();
        assert_eq!(peer.client.error(), None);
        send(&service, "5");
        let said = peer.hear();
        assert_eq!(peer.client.error(), Some("policy-violation"));
        assert!(said.contains("too many unacknowledged stanzas"), "{said}");
        assert_eq!(service.sessions(), 0);
    });
}

#[test]
fn x78_the_client_is_asked_by_number_and_by_time() {
    let service = managed_with(StreamManagement { request_every: 3, ..options() });
    let (mut peer, _) = Peer::managed(&service, "1001", false);
    send(&service, "1");
    assert_eq!(peer.hear(), body("1"));
    assert_eq!(peer.client.pass(4 * SECOND), "");
    assert_eq!(peer.client.pass(SECOND), "<r xmlns=\"urn:xmpp:sm:3\"/>");
    assert_eq!(peer.client.pass(20 * SECOND), "", "once");
    for text in ["2", "3", "4"] {
        send(&service, text);
    }
    assert!(peer.hear().ends_with("<r xmlns=\"urn:xmpp:sm:3\"/>"));
    assert_eq!(peer.client.pass(20 * SECOND), "");
}

#[test]
fn x78_a_silent_client_loses_its_connection_and_keeps_its_session() {
    let service = managed();
    let (mut peer, id) = Peer::managed(&service, "1001", false);
    let said = peer.client.pass(120 * SECOND);
    assert!(said.contains("<ping"), "{said}");
    assert!(peer.client.stream.is_detached());
    let (_new, said) = Peer::resumes(&service, "1001", false, &id, 0);
    assert!(said.contains("<resumed") && said.contains("<ping"), "{said}");
}

#[test]
fn x78_x17_binding_the_same_resource_anew_ends_a_detached_session() {
    let service = managed();
    let (mut peer, id) = Peer::managed(&service, "1001", false);
    peer.breaks();
    let _new = Client::bound(&service, "1001", "desk");
    let (_, said) = Peer::resumes(&service, "1001", false, &id, 0);
    assert_eq!(said, failed("item-not-found"));
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(peer.client.stream.poll_detached(&mut cx).is_ready());
    assert_eq!(service.sessions(), 1);
}

#[test]
fn x78_a_stopping_server_keeps_no_detached_sessions() {
    let service = managed();
    let (mut peer, id) = Peer::managed(&service, "1001", false);
    peer.breaks();
    service.shutdown();
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(peer.client.stream.poll_detached(&mut cx).is_ready());
    assert_eq!(service.sessions(), 0);
    let (_, said) = Peer::resumes(&service, "1001", false, &id, 0);
    assert!(said.contains("<item-not-found"), "{said}");
}

#[test]
fn x78_a_connection_that_breaks_before_enabled_was_written_leaves_nothing() {
    let service = managed();
    let (mut peer, _) = Peer::authenticated(&service, "1001", false);
    peer.say(&bind("desk"));
    let now = peer.client.now;
    peer.client.stream.handle_bytes(now, &mut ENABLE.as_bytes());
    peer.client.stream.handle_eof();
    assert!(peer.client.stream.is_closed() && service.sessions() == 0);
}

#[test]
fn x78_dropping_the_stream_ends_the_session() {
    let service = managed();
    let (mut peer, id) = Peer::managed(&service, "1001", false);
    peer.breaks();
    drop(peer);
    assert_eq!(service.sessions(), 0);
    let (_, said) = Peer::resumes(&service, "1001", false, &id, 0);
    assert_eq!(said, failed("item-not-found"));
}
