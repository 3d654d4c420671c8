//! Two clients that bind one resource at the same moment, and clients that come while the service stops.

mod common;

use std::sync::{Arc, Barrier, Mutex};
use std::thread;

use broker::{Broker, EndReason, Event, NodeSource, Outbox, OutboxLimits, Reach};
use common::{Client, Nobody, Rights, config, principal};
use xmpp::{BindError, Bound, Profile, Service};

const BARE: &str = "agent1@localhost";

type Step = Box<dyn FnOnce() + Send>;

/// Does something once in the middle of a bind: when the account's nodes are asked for, the resource is in the
/// service's table and not yet in the broker's.
#[derive(Default)]
struct Meanwhile(Mutex<Option<Step>>);

impl NodeSource for Meanwhile {
    fn exists(&self, node: &str) -> bool {
        node == "/n"
    }

    fn auto_subscriptions(&self, _: &str) -> Vec<Arc<str>> {
        let step = self.0.lock().unwrap().take();
        step.into_iter().for_each(|step| step());
        vec!["/n".into()]
    }
}

fn service() -> (Service, Arc<Meanwhile>) {
    let source = Arc::new(Meanwhile::default());
    let broker = Broker::with_source(broker::Config::default(), source.clone());
    let service = Service::new(config(Profile::Finesse), broker, Arc::new(Nobody), Arc::new(Rights));
    (service, source)
}

fn bind(service: &Service) -> (Outbox, Result<Bound, BindError>) {
    let outbox = Outbox::new(OutboxLimits::default());
    let bound = service.bind(&principal("agent1"), Some("desk"), outbox.clone());
    (outbox, bound)
}

fn left_behind(service: &Service) -> (usize, usize, usize) {
    let stats = service.broker().stats();
    (service.sessions(), stats.sessions, stats.subscriptions)
}

#[test]
fn x17_of_two_that_bind_one_resource_at_once_the_newer_one_gets_it_whole() {
    let (service, source) = service();
    let newer = Arc::new(Mutex::new(None));
    let (other, result) = (service.clone(), newer.clone());
    *source.0.lock().unwrap() = Some(Box::new(move || *result.lock().unwrap() = Some(bind(&other))));
    let (older, refused) = bind(&service);
    assert_eq!(refused.map(|_| ()), Err(BindError::Conflict));
    assert_eq!(older.is_ended(), Some(EndReason::Replaced));

    let (outbox, bound) = newer.lock().unwrap().take().unwrap();
    assert_eq!(outbox.is_ended(), None);
    let mut client = Client::new(bound.unwrap(), outbox);
    client.send("<presence/>");
    assert_eq!(service.broker().sessions(BARE)[0].reach, Reach::All);
    client.read();
    assert_eq!(
        service
            .broker()
            .publish(
                "/n",
                Event::with_cuts("<message to=\"\" id=\"\" xmlns=\"jabber:client\"/>".into(), 13, 19)
            )
            .sessions,
        1
    );
    assert_eq!(left_behind(&service), (1, 1, 1));
    drop(client);
    assert_eq!(left_behind(&service), (0, 0, 0));
}

#[test]
fn x17_threads_that_bind_one_resource_leave_one_session_that_both_tables_know() {
    let (service, _) = service();
    for _ in 0..300 {
        let start = Arc::new(Barrier::new(3));
        let rivals = [(); 3].map(|()| {
            let (service, start) = (service.clone(), start.clone());
            thread::spawn(move || {
                start.wait();
                bind(&service)
            })
        });
        let rivals = rivals.map(|rival| rival.join().unwrap());
        let living: Vec<_> = rivals.iter().filter(|(outbox, _)| outbox.is_ended().is_none()).collect();
        assert_eq!(living.len(), 1, "{rivals:?}");
        assert!(living[0].1.is_ok());
        assert_eq!(left_behind(&service), (1, 1, 1));
        drop(rivals);
        assert_eq!(left_behind(&service), (0, 0, 0));
    }
}

#[test]
fn who_binds_while_the_service_stops_is_refused_or_ended() {
    for _ in 0..300 {
        let (service, _) = service();
        let start = Arc::new(Barrier::new(2));
        let (binding, go) = (service.clone(), start.clone());
        let binding = thread::spawn(move || {
            go.wait();
            bind(&binding)
        });
        start.wait();
        service.shutdown();
        let (outbox, bound) = binding.join().unwrap();
        match bound {
            Ok(_) => assert_eq!(outbox.is_ended(), Some(EndReason::Shutdown)),
            Err(error) => assert_eq!(error, BindError::Stopping),
        }
        drop(bound);
        assert_eq!(left_behind(&service), (0, 0, 0));
    }
}
