//! Random histories of a session that outlives its connections (XEP-0198): whatever breaks, and whoever runs first,
//! a client hears every event once and in order, and has every request answered once, or is told that its session
//! is over. Nothing is left behind in the end.
//!
//! Tasks run only when they are woken, so that a lost wake-up is an event that never arrives.

#[path = "resumption_model/client.rs"]
mod client;
#[path = "resumption_model/server.rs"]
mod server;
mod support;

use std::time::{Duration, Instant};

use broker::{Address, Outbox};
use client::{Client, Heard, State};
use proptest::prelude::*;
use server::Connection;
use support::{DOMAIN, auth, config, open_tcp, plain, service_with};
use xmpp::{Config, Service, StreamManagement};

/// May flood, so that the rate limit has no part in this.
const USER: &str = "pub1";
const NODE: &str = "/n";

#[derive(Clone, Debug)]
enum Step {
    Publish(usize),
    /// A task runs, if it was woken, and reads so many elements; the newest connection is 0.
    Run(usize, usize),
    /// The client reads so many elements.
    Read(usize),
    Ping,
    Acknowledge,
    /// The connection breaks; its input may be lost as well.
    Break {
        loses_input: bool,
    },
    /// The client goes away without a word: its old connection looks alive for as long as nobody cuts it.
    Abandon,
    /// An old connection is found to be dead.
    CutOld(usize),
    Connect,
    /// The client has forgotten its session and binds the same resource anew.
    Restart,
    /// Somebody else binds the same resource.
    Rival,
    Pass(u64),
    /// The session is sent elsewhere.
    Move,
}

#[derive(Clone, Copy, Debug)]
enum End {
    Logout,
    Timeout,
    Shutdown,
    Removal,
}

#[derive(Clone, Debug)]
struct Bounds {
    outbox: usize,
    unacknowledged: usize,
    request_every: usize,
    diligent: bool,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (1..4_usize).prop_map(Step::Publish),
        14 => (prop_oneof![5 => Just(0), 2 => 0..4_usize], 0..5_usize).prop_map(|(at, n)| Step::Run(at, n)),
        8 => (1..9_usize).prop_map(Step::Read),
        4 => Just(Step::Ping),
        2 => Just(Step::Acknowledge),
        3 => any::<bool>().prop_map(|loses_input| Step::Break { loses_input }),
        3 => Just(Step::Abandon),
        2 => (0..4_usize).prop_map(Step::CutOld),
        8 => Just(Step::Connect),
        1 => Just(Step::Restart),
        1 => Just(Step::Rival),
        2 => prop_oneof![4 => 1..10_u64, 1 => 10..130_u64].prop_map(Step::Pass),
        1 => prop_oneof![8 => Just(Step::Acknowledge), 1 => Just(Step::Move)],
    ]
}

fn bounds() -> impl Strategy<Value = Bounds> {
    let wide = |narrow: usize| prop_oneof![3 => Just(1000), 1 => Just(narrow)];
    let diligent = prop::bool::weighted(0.8);
    (wide(6), wide(5), 1..6_usize, diligent).prop_map(|(outbox, unacknowledged, request_every, diligent)| {
        Bounds { outbox, unacknowledged, request_every, diligent }
    })
}

fn end() -> impl Strategy<Value = End> {
    prop_oneof![Just(End::Logout), Just(End::Timeout), Just(End::Shutdown), Just(End::Removal)]
}

struct World {
    service: Service,
    now: Instant,
    connections: Vec<Connection>,
    client: Client,
    /// The client's connection.
    current: Option<usize>,
    published: usize,
    /// What each session was given, by its outbox.
    given: Vec<(Outbox, Vec<usize>)>,
    memory: usize,
}

impl World {
    fn new(bounds: &Bounds) -> Self {
        let options = StreamManagement {
            queue_items: bounds.unacknowledged,
            request_every: bounds.request_every,
            ..StreamManagement::default()
        };
        let mut config = Config { stream_management: Some(options), ..config() };
        config.limits.outbox_items = bounds.outbox;
        let service = service_with(config);
        service.broker().create_node(NODE).unwrap();
        service.broker().subscribe(&bare(), NODE).unwrap();
        Self {
            memory: service.broker().stats().memory,
            service,
            now: Instant::now(),
            connections: Vec::new(),
            client: Client::new(bounds.diligent),
            current: None,
            published: 0,
            given: Vec::new(),
        }
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Publish(count) => (0..count).for_each(|_| self.publish()),
            Step::Run(back, input) => {
                if let Some(at) = self.at(back).filter(|at| self.connections[*at].is_runnable(self.now)) {
                    self.connections[at].run(self.now, input);
                }
            }
            Step::Read(count) => self.read(count),
            Step::Ping if self.client.state == State::Online => {
                let ping = self.client.ping();
                self.say(vec![ping]);
            }
            Step::Acknowledge if self.client.state == State::Online => {
                self.say(vec![self.client.acknowledgement()]);
            }
            Step::Ping | Step::Acknowledge => {}
            Step::Break { loses_input } => {
                if let Some(at) = self.leave() {
                    self.connections[at].is_cut = true;
                    if loses_input {
                        self.connections[at].input.clear();
                    }
                }
            }
            Step::Abandon => {
                self.leave();
            }
            Step::CutOld(back) => {
                if let Some(at) = self.at(back).filter(|at| Some(*at) != self.current) {
                    self.connections[at].is_cut = true;
                }
            }
            Step::Connect => self.connect(),
            Step::Restart => {
                self.leave();
                self.client.forget();
                self.connect();
            }
            Step::Rival => {
                let at = self.login();
                let rival = [support::bind("desk"), "<presence/>".to_owned()];
                self.connections[at].input.extend(rival);
            }
            Step::Pass(seconds) => self.now += Duration::from_secs(seconds),
            Step::Move => {
                self.service.move_sessions(1);
            }
        }
    }

    /// A connection counted from the newest.
    fn at(&self, back: usize) -> Option<usize> {
        self.connections.len().checked_sub(back + 1)
    }

    /// Publishes an event, and notes whose it is.
    fn publish(&mut self) {
        let lens: Vec<usize> = self.connections.iter().map(|connection| connection.born_with.len()).collect();
        let event = xmpp::notification("pubsub.d", NODE, &format!("event-{}.", self.published));
        let sessions = self.service.broker().publish(NODE, event).sessions;
        let grown =
            self.connections.iter().zip(lens).filter(|(connection, len)| connection.born_with.len() > *len);
        let grown: Vec<_> = grown.map(|(connection, _)| connection.born_with.clone()).collect();
        assert_eq!(grown.len(), sessions, "one resource has one session");
        for outbox in grown {
            match self.given.iter_mut().find(|(other, _)| other.same(&outbox)) {
                Some((_, events)) => events.push(self.published),
                None => self.given.push((outbox, vec![self.published])),
            }
        }
        self.published += 1;
    }

    /// The client lets its connection go, with all that was on its way to it.
    fn leave(&mut self) -> Option<usize> {
        if self.client.id.is_none() {
            self.client.forget();
        }
        self.client.state = State::Away;
        let at = self.current.take()?;
        self.connections[at].wire.clear();
        Some(at)
    }

    /// An authenticated connection.
    fn login(&mut self) -> usize {
        let mut connection = Connection::new(&self.service, self.now);
        let open = open_tcp(DOMAIN);
        connection.input.extend([open.clone(), auth(&plain("", USER, "secret")), open]);
        connection.run(self.now, usize::MAX);
        assert!(connection.wire.back().is_some_and(|last| last.contains("</stream:features>")));
        connection.wire.clear();
        self.connections.push(connection);
        self.connections.len() - 1
    }

    fn connect(&mut self) {
        if self.current.is_some() {
            return;
        }
        let at = self.login();
        self.current = Some(at);
        match self.client.id.clone() {
            Some(id) => {
                let resume = self.client.resume(&id);
                self.say(vec![resume]);
            }
            None => self.bind(at),
        }
    }

    fn bind(&mut self, at: usize) {
        let requests = self.client.bind(self.connections[at].born_with.clone());
        self.say(requests);
    }

    fn say(&mut self, elements: Vec<String>) {
        if let Some(at) = self.current {
            self.connections[at].input.extend(elements);
        }
    }

    fn read(&mut self, count: usize) {
        for _ in 0..count {
            let Some(at) = self.current else { return };
            let Some(element) = self.connections[at].wire.pop_front() else {
                if self.connections[at].is_closed {
                    // Without the end of the stream: the session waits.
                    self.leave();
                }
                return;
            };
            match self.client.hear(&element) {
                Heard::Nothing => {}
                Heard::Say(elements) => self.say(elements),
                Heard::Lost => {
                    self.assert_session_is_over("nothing to resume");
                    self.bind(at);
                }
                Heard::Ended(last) => {
                    assert!(!last.contains("handled-count-too-high"), "{last}");
                    // A conflict means that somebody has taken it: perhaps a `<resume/>` of this very client, late
                    // on a connection that it has given up. Nor does an end before `<resumed/>` say anything about
                    // the session. The client asks.
                    let is_over = !last.contains("<conflict ") && self.client.state != State::Resuming;
                    if is_over {
                        self.assert_session_is_over(&last);
                    }
                    self.leave();
                    if is_over {
                        self.client.forget();
                    }
                }
            }
            self.check();
        }
    }

    fn assert_session_is_over(&self, why: &str) {
        let outbox = self.client.outbox.as_ref().expect("a session");
        assert!(outbox.is_ended().is_some(), "{why}");
    }

    fn given(&self) -> &[usize] {
        let own = |outbox: &&Outbox| self.given.iter().find(|(other, _)| other.same(outbox));
        self.client.outbox.as_ref().as_ref().and_then(own).map_or(&[], |(_, events)| events)
    }

    /// What was heard so far is the beginning of what was given.
    fn check(&self) {
        let (given, heard) = (self.given(), &self.client.events);
        assert!(given.starts_with(heard), "given {given:?}, heard {heard:?}");
        assert!(
            self.client.answers.iter().copied().eq(0..self.client.answers.len()),
            "{:?}",
            self.client.answers
        );
    }

    /// Runs everything that is woken until nothing is.
    fn run_all(&mut self) {
        while let Some(connection) = self.connections.iter_mut().find(|one| one.is_runnable(self.now)) {
            connection.run(self.now, usize::MAX);
        }
    }

    /// The client comes back, if it has to, and everybody does what there is to do.
    fn settle(&mut self) {
        self.client.diligent = true;
        for _ in 0..1000 {
            self.connect();
            self.run_all();
            let waits = self
                .current
                .is_some_and(|at| !self.connections[at].wire.is_empty() || self.connections[at].is_closed);
            if !waits {
                assert_eq!(self.client.state, State::Online);
                let bound = |(at, connection): (usize, &Connection)| connection.is_bound().then_some(at);
                let bound: Vec<_> = self.connections.iter().enumerate().filter_map(bound).collect();
                assert_eq!(bound, Vec::from_iter(self.current), "who has lost the session was told");
                return;
            }
            self.read(usize::MAX);
        }
        panic!("it never settles");
    }

    fn finish(&mut self, end: End) {
        let id = self.client.id.clone().expect("online");
        match end {
            End::Logout => self.say(vec!["</stream:stream>".to_owned()]),
            End::Timeout => {
                let at = self.leave().expect("online");
                self.connections[at].is_cut = true;
                self.run_all();
                self.now += Duration::from_secs(119);
                self.run_all();
                assert_eq!(self.service.sessions(), 1, "not yet");
                self.now += Duration::from_secs(1);
            }
            End::Shutdown => self.service.shutdown(),
            End::Removal => assert!(self.service.remove_user(USER)),
        }
        self.run_all();
        // Who never said anything, and those that wait for a client's closing tag.
        self.now += Duration::from_secs(600);
        for _ in 0..9 {
            self.run_all();
            self.connections.iter_mut().for_each(|connection| connection.is_cut = true);
            self.now += Duration::from_secs(600);
        }
        self.run_all();
        assert!(self.connections.iter().all(|connection| connection.is_over));
        // What still waits in an outbox goes with it.
        self.connections.clear();
        self.given.clear();
        self.client.outbox = None;
        let stats = self.service.broker().stats();
        let subscribed = usize::from(!matches!(end, End::Removal));
        assert_eq!(self.service.sessions(), 0);
        assert_eq!((stats.sessions, stats.subscriptions, stats.accounts), (0, subscribed, subscribed));
        if subscribed == 1 {
            assert_eq!(stats.memory, self.memory);
        }
        let at = self.login();
        let resume = self.client.resume(&id);
        self.connections[at].input.push_back(resume);
        self.run_all();
        let answer = self.connections[at].wire.pop_front().expect("an answer");
        assert!(answer.contains("<item-not-found "), "{answer}");
    }
}

fn bare() -> Address {
    Address::bare(format!("{USER}@{DOMAIN}"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn x78_every_event_arrives_once_and_in_order_or_the_session_is_over(
        bounds in bounds(),
        steps in prop::collection::vec(step(), 1..120),
        end in end(),
    ) {
        let mut world = World::new(&bounds);
        for step in &steps {
            world.step(step);
        }
        world.settle();
        prop_assert_eq!(world.given(), &*world.client.events);
        world.client.assert_settled();
        world.finish(end);
    }
}
