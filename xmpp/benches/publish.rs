//! Time and allocations of the notification path: rendering an update, publishing by IQ to 0, 1 and 50
//! subscribers. The queues are emptied outside the measurement.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use broker::{Broker, Outbox, OutboxLimits};
use divan::Bencher;
use minidom::Element;
use xmpp::auth::Verdict;
use xmpp::{
    AuthFailure, Authenticator, Bound, Config, Credentials, OpenPolicy, Principal, Service, notification,
};

#[global_allocator]
static ALLOCATOR: divan::AllocProfiler = divan::AllocProfiler::system();

const UPDATE: &str = "<Update><data><dialog><id>16804377</id><state>ACTIVE</state></dialog></data></Update>";

fn main() {
    divan::main();
}

struct Nobody;

impl Authenticator for Nobody {
    fn authenticate(&self, _: Credentials) -> Verdict {
        Box::pin(async { Err(AuthFailure::NotAuthorized) })
    }
}

fn stanza(xml: &str) -> Element {
    let wrapped = format!("<stream xmlns='jabber:client'>{xml}</stream>");
    let element: Element = wrapped.parse().expect("well-formed");
    element.children().next().expect("one child").clone()
}

/// A publication of about 1 KiB of escaped text.
fn publication() -> Element {
    let update = UPDATE.repeat(8).replace('<', "&lt;").replace('>', "&gt;");
    stanza(&format!(
        "<iq type='set' to='pubsub.localhost' id='p1'><pubsub xmlns='http://jabber.org/protocol/pubsub'>\
         <publish node='/x'><item><notification xmlns='http://jabber.org/protocol/pubsub'>{update}</notification>\
         </item></publish></pubsub></iq>"
    ))
}

fn enter(service: &Service, user: &str) -> (Bound, Outbox) {
    let outbox = Outbox::new(OutboxLimits::default());
    let principal = Principal { user: user.into(), tag: 0 };
    let mut bound = service.bind(&principal, Some("x"), outbox.clone()).expect("free");
    bound.handle(Instant::now(), stanza("<presence/>")).expect("valid");
    (bound, outbox)
}

#[divan::bench(args = [0, 1, 50])]
fn publish_by_iq(bencher: Bencher, subscribers: usize) {
    let broker = Broker::new(broker::Config::default());
    let service = Service::new(Config::new("localhost"), broker, Arc::new(Nobody), Arc::new(OpenPolicy));
    let (mut publisher, answers) = enter(&service, "pub0");
    let now = Instant::now();
    let create = "<iq type='set' to='pubsub.localhost' id='c'><pubsub xmlns='http://jabber.org/protocol/pubsub'>\
                  <create node='/x'/></pubsub></iq>";
    publisher.handle(now, stanza(create)).expect("valid");
    let all: Vec<(Bound, Outbox)> = (0..subscribers)
        .map(|n| {
            let (mut bound, outbox) = enter(&service, &format!("u{n}"));
            let subscribe = format!(
                "<iq type='set' to='pubsub.localhost' id='s'><pubsub xmlns='http://jabber.org/protocol/pubsub'>\
                 <subscribe node='/x' jid='u{n}@localhost/x'/></pubsub></iq>"
            );
            bound.handle(now, stanza(&subscribe)).expect("valid");
            (bound, outbox)
        })
        .collect();
    let request = publication();
    let mut taken = VecDeque::new();
    bencher
        .with_inputs(|| {
            for outbox in all.iter().map(|(_, outbox)| outbox).chain([&answers]) {
                outbox.try_take(&mut taken, usize::MAX).expect("alive");
                taken.clear();
            }
            request.clone()
        })
        .bench_local_values(|request| publisher.handle(now, request));
}

#[divan::bench]
fn render_a_notification_of_1_kib(bencher: Bencher) {
    let update = UPDATE.repeat(12);
    bencher.bench(|| {
        notification("pubsub.localhost", "/finesse/api/User/1001/Dialogs", divan::black_box(&update))
    });
}
