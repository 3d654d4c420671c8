//! The presence hook: who hears of users that come and go, when, and in which order.

mod support;

use std::sync::{Arc, Mutex};

use support::*;
use xmpp::{Config, Departure, Framing, PresenceObserver, Principal, Service, StreamManagement};

type Reaction = Box<dyn FnMut(bool) + Send>;

/// Writes down what it hears; may do something else as well. The resource `phone` does not count.
#[derive(Default)]
struct Diary {
    last: Mutex<Option<Departure>>,
    heard: Mutex<Vec<String>>,
    then: Mutex<Option<Reaction>>,
}

impl Diary {
    fn note(&self, user: &Principal, available: bool) {
        self.heard.lock().unwrap().push(format!("{}{}", if available { '+' } else { '-' }, user.user));
        if let Some(then) = &mut *self.then.lock().unwrap() {
            then(available);
        }
    }

    fn read(&self) -> String {
        std::mem::take(&mut *self.heard.lock().unwrap()).join(" ")
    }
}

impl PresenceObserver for Diary {
    fn counts(&self, _: &Principal, resource: &str) -> bool {
        resource != "phone"
    }

    fn available(&self, user: &Principal) {
        self.note(user, true);
    }

    fn unavailable(&self, user: &Principal, last: &Departure) {
        *self.last.lock().unwrap() = Some(last.clone());
        self.note(user, false);
    }
}

fn observed() -> (Service, Arc<Diary>) {
    let config = Config { stream_management: Some(StreamManagement::default()), ..config() };
    let service = service_with(config);
    let diary = Arc::new(Diary::default());
    assert!(service.observe_presence(diary.clone()));
    assert!(!service.observe_presence(diary.clone()), "there is one already");
    (service, diary)
}

#[test]
fn the_first_available_resource_and_the_last_are_told() {
    let (service, diary) = observed();
    let mut first = Client::bound(&service, "1001", "a");
    assert_eq!(diary.read(), "", "bound is not available");
    first.send("<presence/>");
    assert_eq!(diary.read(), "+1001");
    first.send("<presence><priority>-1</priority></presence>");
    let mut second = Client::bound(&service, "1001", "b");
    second.send("<presence/>");
    first.send("<presence type='unavailable'/>");
    assert_eq!(diary.read(), "", "one is left");
    second.stream.handle_eof();
    assert_eq!(diary.read(), "-1001");
    first.send("<presence/>");
    first.send("</stream:stream>");
    assert_eq!(diary.read(), "+1001 -1001");
    let mut other = Client::bound(&service, "2002", "a");
    other.send("<presence/>");
    drop(other);
    assert_eq!(diary.read(), "+2002 -2002");
}

#[test]
fn how_the_last_resource_went_is_told() {
    let (service, diary) = observed();
    let told = || diary.last.lock().unwrap().take().map(|last| (last.transport, last.cause));
    let arrive = || {
        let mut client = Client::bound(&service, "1001", "a");
        client.send("<presence/>");
        client
    };
    let mut client = arrive();
    client.send("<presence type='unavailable'/>");
    assert_eq!(told(), Some((Some(Framing::Tcp), "unavailable by its own word")));
    client.send("<presence/>");
    client.stream.handle_eof();
    assert_eq!(told(), Some((Some(Framing::Tcp), "connection lost")));
    arrive().send("</stream:stream>");
    assert_eq!(told(), Some((Some(Framing::Tcp), "closed by the client")));
    arrive().stream.handle_loss("inactivity");
    assert_eq!(told(), Some((Some(Framing::Tcp), "inactivity")));
    let mut silent = arrive();
    silent.pass(std::time::Duration::from_secs(120));
    assert_eq!(told(), Some((Some(Framing::Tcp), "connection-timeout")));
    let old = arrive();
    let _new = Client::bound(&service, "1001", "a");
    assert_eq!(told(), Some((None, "replaced by a newer session")));
    drop(old);
}

#[test]
fn a_resource_that_does_not_count_is_never_told_of() {
    let (service, diary) = observed();
    let mut phone = Client::bound(&service, "1001", "phone");
    phone.send("<presence/>");
    let mut desk = Client::bound(&service, "1001", "desk");
    desk.send("<presence/>");
    assert_eq!(diary.read(), "+1001");
    desk.stream.handle_eof();
    assert_eq!(diary.read(), "-1001");
    assert_eq!(diary.last.lock().unwrap().as_ref().map(|last| &*last.resource), Some("desk"));
}

#[test]
fn a_replaced_resource_is_gone_until_the_new_one_is_available() {
    let (service, diary) = observed();
    let mut old = Client::bound(&service, "1001", "a");
    old.send("<presence/>");
    let mut new = Client::bound(&service, "1001", "a");
    assert_eq!(diary.read(), "+1001 -1001");
    old.take();
    new.send("<presence/>");
    assert_eq!(diary.read(), "+1001");
    drop(old);
    assert_eq!(diary.read(), "");
}

#[test]
fn x78_a_detached_session_counts_as_gone_from_the_moment_its_transport_was_lost() {
    let (service, diary) = observed();
    let managed = || {
        let mut client = Client::bound(&service, "1001", "a");
        client.send("<presence/>");
        let enabled = client.send("<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
        let at = enabled.find(" id=\"").unwrap() + 5;
        (client, enabled[at..at + 40].to_owned())
    };
    let resume = |id: &str| {
        let mut client = Client::tcp(&service);
        client.send(open_tcp(DOMAIN));
        client.send(auth(&plain("", "1001", "secret")));
        client.send(open_tcp(DOMAIN));
        let said = client.send(format!("<resume xmlns='urn:xmpp:sm:3' previd='{id}' h='0'/>"));
        assert!(said.contains("<resumed"), "{said}");
        client
    };
    let (mut lost, id) = managed();
    assert_eq!(diary.read(), "+1001");
    lost.stream.handle_eof();
    assert!(lost.stream.is_detached());
    assert_eq!(diary.read(), "-1001");
    let mut back = resume(&id);
    assert_eq!(diary.read(), "+1001");
    lost.stream.check_owner();
    drop(lost);
    assert_eq!(diary.read(), "", "the old stream has nothing to do with it any more");
    back.stream.handle_eof();
    assert_eq!(diary.read(), "-1001");
    back.stream.handle_timeout(back.now);
    back.pass(std::time::Duration::from_secs(120));
    assert!(back.stream.is_closed());
    assert_eq!(diary.read(), "", "it was told already");
}

#[test]
fn what_an_observer_does_to_presence_is_told_after_it_returns() {
    let (service, diary) = observed();
    let client = Arc::new(Mutex::new(Client::bound(&service, "1001", "a")));
    let mut second = Client::bound(&service, "1001", "b");
    let other = client.clone();
    // Brings the other resource in while it hears that the first is gone. A call inside of the call would
    // find the diary locked.
    *diary.then.lock().unwrap() = Some(Box::new(move |available| {
        if !available {
            other.lock().unwrap().send("<presence/>");
        }
    }));
    second.send("<presence/>");
    second.stream.handle_eof();
    assert_eq!(diary.read(), "+1001 -1001 +1001");
    *diary.then.lock().unwrap() = None;
}

#[test]
fn a_panicking_observer_hurts_nobody() {
    let (service, diary) = observed();
    *diary.then.lock().unwrap() = Some(Box::new(|_| panic!("the observer has a bug")));
    let mut client = Client::bound(&service, "1001", "a");
    let said = client.send("<presence/>");
    assert!(said.contains("<presence"), "{said}");
    assert!(!client.stream.is_closed());
}

#[test]
fn calls_for_one_user_alternate_whatever_happens_at_once() {
    let (service, diary) = observed();
    std::thread::scope(|scope| {
        for n in 0..4 {
            let service = &service;
            scope.spawn(move || {
                for _ in 0..200 {
                    let mut client = Client::bound(service, "1001", &format!("r{n}"));
                    client.send("<presence/>");
                    client.send("<presence type='unavailable'/>");
                }
            });
        }
    });
    let heard = diary.read();
    let all: Vec<_> = heard.split(' ').collect();
    assert!(all.len() % 2 == 0 && !all.is_empty());
    for (n, call) in all.iter().enumerate() {
        assert_eq!(*call, ["+1001", "-1001"][n % 2], "call {n}");
    }
}
