//! XEP-0198: a session is taken over while its old connection is in the middle of a stanza.

mod support;

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};

use broker::Broker;
use support::*;
use xmpp::{Access, AccessPolicy, Config, Principal, Service, StreamManagement};

const ENABLE: &str = "<enable xmlns='urn:xmpp:sm:3' resume='true'/>";
const JID: &str = "1001@fin-a.example.net";

type Step = Box<dyn FnOnce() + Send>;

/// Does something once in the middle of a request to subscribe.
#[derive(Default)]
struct Meanwhile(Mutex<Option<Step>>);

impl AccessPolicy for Meanwhile {
    fn subscribe(&self, _: &Principal, _: &str) -> Access {
        let step = self.0.lock().unwrap().take();
        step.into_iter().for_each(|step| step());
        Access::Allow
    }
    fn publish(&self, _: &Principal, _: &str) -> Access {
        Access::Forbidden
    }
    fn create(&self, _: &Principal, _: &str) -> Access {
        Access::Forbidden
    }
    fn retrieve(&self, _: &Principal, _: &str) -> Access {
        Access::Allow
    }
}

#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

fn service() -> (Service, Arc<Meanwhile>) {
    let config = Config { stream_management: Some(StreamManagement::default()), ..config() };
    let broker = Broker::new(broker::Config::default());
    broker.create_node("/n").unwrap();
    let policy = Arc::new(Meanwhile::default());
    (Service::new(config, broker, Arc::new(Realm), policy.clone()), policy)
}

fn request(what: &str) -> String {
    format!(
        "<iq type='set' id='{what}' to='pubsub.{DOMAIN}'><pubsub xmlns='http://jabber.org/protocol/pubsub'>\
         <{what} node='/n' jid='{JID}'/></pubsub></iq>"
    )
}

fn managed(service: &Service) -> (Client, String) {
    let mut client = Client::bound(service, "1001", "desk");
    let enabled = client.send(ENABLE);
    let id = enabled.split(" id=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    (client, id)
}

/// A connection that has taken the session over and sent a request at once, with what it has heard so far.
fn successor(service: &Service, id: &str, woken: &Arc<Woken>) -> (Client, String) {
    let mut new = Client::tcp(service);
    new.send(open_tcp(DOMAIN));
    new.send(auth(&plain("", "1001", "secret")));
    new.send(open_tcp(DOMAIN));
    let resume = format!("<resume xmlns='urn:xmpp:sm:3' previd='{id}' h='0'/>");
    let said = new.send(resume + &request("unsubscribe"));
    let waker = Waker::from(woken.clone());
    let mut rest = VecDeque::new();
    let parked = new.stream.poll_take(new.now, &mut Context::from_waker(&waker), &mut rest, usize::MAX);
    assert!(parked.is_pending() && !woken.0.load(Ordering::SeqCst));
    (new, said)
}

/// What the policy leaves for the test.
type Left = Arc<Mutex<Option<(Client, String)>>>;

fn take_over_meanwhile(
    service: &Service,
    policy: &Meanwhile,
    id: &str,
    then: impl FnOnce() + Send + 'static,
) -> (Left, Arc<Woken>) {
    let (left, woken) = (Left::default(), Arc::new(Woken::default()));
    let (service, id) = (service.clone(), id.to_owned());
    let (result, flag) = (left.clone(), woken.clone());
    *policy.0.lock().unwrap() = Some(Box::new(move || {
        *result.lock().unwrap() = Some(successor(&service, &id, &flag));
        then();
    }));
    (left, woken)
}

#[test]
fn x78_the_new_connection_waits_for_the_last_stanza_of_the_old_one() {
    let (service, policy) = service();
    let (mut old, id) = managed(&service);
    let (left, woken) = take_over_meanwhile(&service, &policy, &id, || {});
    old.send(request("subscribe"));
    let (mut new, said) = left.lock().unwrap().take().unwrap();
    assert!(said.contains("<resumed ") && said.contains(" h=\"1\""), "{said}");
    assert!(!said.contains("<iq"), "nothing is answered before its turn: {said}");
    assert_eq!(old.error(), Some("conflict"));
    assert!(woken.0.load(Ordering::SeqCst), "its task learns that it is its turn");
    let first = new.take();
    assert!(first.contains("id=\"subscribe\"") && first.contains("subscription=\"subscribed\""), "{first}");
    let then = new.send("");
    assert!(then.contains("id=\"unsubscribe\"") && then.contains("type=\"result\""), "{then}");
    assert!(service.broker().subscriptions(JID).is_empty(), "the last word is the client's last one");
    assert!(new.send("<r xmlns='urn:xmpp:sm:3'/>").contains(" h=\"2\""));
}

#[test]
fn x78_a_stanza_that_panics_on_the_old_connection_does_not_stop_the_new_one() {
    let (service, policy) = service();
    let (mut old, id) = managed(&service);
    let (left, woken) = take_over_meanwhile(&service, &policy, &id, || panic!("the policy has a bug"));
    assert!(catch_unwind(AssertUnwindSafe(|| old.send(request("subscribe")))).is_err());
    drop(old);
    assert!(woken.0.load(Ordering::SeqCst));
    let (mut new, _) = left.lock().unwrap().take().unwrap();
    new.take();
    assert!(new.send("").contains("id=\"unsubscribe\""));
    assert!(!new.stream.is_closed() && service.sessions() == 1);
}

#[test]
fn x78_a_third_connection_waits_too_and_what_the_second_one_had_to_say_was_never_handled() {
    let (service, policy) = service();
    let (mut old, id) = managed(&service);
    let (left, _) = take_over_meanwhile(&service, &policy, &id, || {});
    let third = Left::default();
    let (result, other, resumed) = (third.clone(), service.clone(), id.clone());
    let second = policy.0.lock().unwrap().take().unwrap();
    *policy.0.lock().unwrap() = Some(Box::new(move || {
        second();
        *result.lock().unwrap() = Some(successor(&other, &resumed, &Arc::new(Woken::default())));
    }));
    old.send(request("subscribe"));
    let (mut second, _) = left.lock().unwrap().take().unwrap();
    assert_eq!(second.send("").matches("<iq").count(), 0);
    second.stream.check_owner();
    assert!(second.stream.is_closed());
    let (mut third, said) = third.lock().unwrap().take().unwrap();
    assert!(said.contains(" h=\"1\""), "the second one's request is the client's to repeat: {said}");
    third.take();
    assert!(third.send("").contains("id=\"unsubscribe\""));
}

#[test]
fn x78_a_successor_whose_connection_breaks_in_the_meantime_leaves_the_session_to_the_next() {
    let (service, policy) = service();
    let (mut old, id) = managed(&service);
    let (left, _) = take_over_meanwhile(&service, &policy, &id, || {});
    old.send(request("subscribe"));
    let (mut second, _) = left.lock().unwrap().take().unwrap();
    second.stream.handle_eof();
    assert!(second.stream.is_detached());
    let (mut third, said) = successor(&service, &id, &Arc::new(Woken::default()));
    assert!(said.contains("id=\"unsubscribe\""), "the old one is long done: {said}");
    second.stream.check_owner();
    assert!(second.stream.is_closed());
    third.send("</stream:stream>");
    assert_eq!(service.sessions(), 0);
}
