//! Whole BOSH dialogues: arbitrary bodies, in any order and at any time, against a session and the stream
//! behind it.
//!
//! The input is text, one step a line, so that seeds can be read and written by hand:
//! `B<body>` a request, `T<tenths>` time passes, `D` the last connection breaks, `A` and `F` the realm says
//! yes or no, `P<text>` an event is published, `C` the stream is closed from outside.
#![no_main]

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use bosh::core::{
    Condition, Fingerprint, Identity, Request, Session, Settings, Token, Work, from_element, peek_sid,
    scan_empty,
};
use broker::{Broker, Parcel};
use libfuzzer_sys::fuzz_target;
use xmpp::auth::Verdict;
use xmpp::stream::{Action, Channel, Framing, Open, Stream};
use xmpp::{AuthFailure, Authenticator, Credentials, OpenPolicy, Principal, Service};

struct Realm;

impl Authenticator for Realm {
    fn authenticate(&self, _: Credentials) -> Verdict {
        Box::pin(std::future::pending())
    }
}

struct World {
    service: Service,
    fingerprint: Fingerprint,
    settings: Arc<Settings>,
    start: Instant,
}

fn world() -> World {
    let broker = Broker::new(broker::Config::default());
    for node in ["/n", "/finesse/api/User/1001"] {
        broker.create_node(node).expect("a fresh broker");
    }
    let config = xmpp::Config::new("localhost");
    World {
        service: Service::new(config, broker, Arc::new(Realm), Arc::new(OpenPolicy)),
        fingerprint: Fingerprint::default(),
        settings: Arc::new(Settings::default()),
        start: Instant::now(),
    }
}

/// A session with its stream, as the shell has it.
struct Dialogue<'w> {
    world: &'w World,
    now: Instant,
    core: Session,
    stream: Stream,
    next_token: u64,
    open: HashSet<u64>,
    answered: HashSet<u64>,
    queue: VecDeque<Parcel>,
}

impl<'w> Dialogue<'w> {
    fn create(world: &'w World, now: Instant, request: &Request<'_>) -> Option<Self> {
        let identity = Identity { sid: "s", authid: "a", from: "localhost" };
        let core = Session::create(now, world.settings.clone(), request, identity, Token(0)).ok()?;
        let mut stream = Stream::new(world.service.clone(), Framing::Bosh, Channel::default(), now);
        stream.handle_open(now, &Open { version: Some("1.0".into()), ..Open::default() });
        let mut dialogue = Self {
            world,
            now,
            core,
            stream,
            next_token: 1,
            open: HashSet::from([0]),
            answered: HashSet::new(),
            queue: VecDeque::new(),
        };
        dialogue.pump();
        assert!(dialogue.answered.contains(&0), "a creation request is answered at once");
        Some(dialogue)
    }

    fn request(&mut self, request: Request<'_>) {
        self.open.insert(self.next_token);
        self.core.request(self.now, request, Token(self.next_token));
        self.next_token += 1;
        self.pump();
    }

    fn deliver(&mut self) {
        if !self.core.wants_payload() {
            return;
        }
        match self.stream.outbox().try_take(&mut self.queue, 256 << 10) {
            Ok(0) => {}
            Ok(_) => {
                let (stream, queue) = (&mut self.stream, &mut self.queue);
                self.core.deliver(self.now, 0, |out| {
                    queue.drain(..).for_each(|parcel| stream.write_parcel(&parcel, out));
                });
            }
            Err(reason) => self.stream.handle_outbox_end(reason),
        }
    }

    fn pump(&mut self) {
        loop {
            match self.stream.poll_action() {
                Some(Action::Authenticate(_)) => self.core.set_blocked(true),
                Some(Action::Close(error)) => {
                    let xml = error.map(|error| error.to_xml()).unwrap_or_default();
                    self.core.close(self.now, Some(Condition::RemoteStreamError), |out| {
                        out.extend_from_slice(xml.as_bytes());
                    });
                }
                Some(Action::StartTls) => panic!("never offered"),
                None => {}
            }
            match self.core.poll_work(self.now) {
                Some(Work::Stanza(stanza)) => self.stream.handle_element(self.now, stanza),
                Some(Work::Restart(creation)) => {
                    let (to, lang) = (creation.to, creation.lang);
                    let open = Open { to, lang, version: Some("1.0".into()), ..Open::default() };
                    self.stream.handle_open(self.now, &open);
                }
                None if self.stream.is_closed() => break,
                None => {
                    self.deliver();
                    if !self.stream.is_closed() {
                        break;
                    }
                }
            }
        }
        if self.stream.is_bound() {
            self.core.set_established();
        }
        self.core.settle(self.now);
        if self.core.has_ended() && !self.stream.is_closed() {
            self.stream.handle_eof();
            let _ = self.stream.poll_action();
        }
        while let Some((Token(token), reply)) = self.core.poll_answer() {
            assert!(self.open.contains(&token) && self.answered.insert(token), "one answer for one request");
            let limits = &self.world.service.config().limits;
            let root = xmpp::reader::parse_document(&reply.bytes, limits).expect("answers are XML");
            assert!(root.is("body", bosh::core::HTTPBIND));
        }
        let waiting = self.open.len() - self.answered.len();
        assert!(waiting <= 64, "requests that wait are bounded by the window");
        if self.core.is_over() {
            assert!(self.core.deadline().is_none());
        }
    }

    fn step(&mut self, op: u8, text: &[u8]) {
        match op {
            b'T' => {
                let tenths = std::str::from_utf8(text).ok().and_then(|t| t.parse::<u16>().ok()).unwrap_or(1);
                self.now += Duration::from_millis(u64::from(tenths) * 100);
                if self.stream.deadline().is_some_and(|deadline| self.now >= deadline) {
                    self.stream.handle_timeout(self.now);
                }
                self.core.handle_timeout(self.now);
                if self.stream.wants_input() {
                    self.core.set_blocked(false);
                }
            }
            b'D' => {
                let last = (0..self.next_token).rev().find(|token| !self.answered.contains(token));
                if let Some(last) = last {
                    self.core.detach(self.now, Token(last));
                    self.open.remove(&last);
                }
            }
            b'A' => {
                let principal = Principal { user: "1001".into(), tag: 0 };
                self.stream.handle_auth(self.now, Ok(principal));
                self.core.set_blocked(false);
            }
            b'F' => {
                self.stream.handle_auth(self.now, Err(AuthFailure::NotAuthorized));
                self.core.set_blocked(false);
            }
            b'P' => {
                let text = String::from_utf8_lossy(text);
                let event = xmpp::notification("pubsub.localhost", "/n", &text);
                self.world.service.broker().publish("/n", event);
            }
            b'C' => self.stream.handle_shutdown(),
            _ => return,
        }
        self.pump();
    }
}

fn parse<'a>(world: &World, body: &'a [u8]) -> Option<Request<'a>> {
    let fast = scan_empty(body, &world.fingerprint);
    let full = xmpp::reader::parse_document(body, &world.service.config().limits)
        .ok()
        .and_then(|root| from_element(root, world.fingerprint.of(body)));
    let _ = peek_sid(body);
    if let Some(fast) = fast {
        // What the scanner takes, the parser has to take in the same way.
        let full = full.expect("the scanner is no more liberal than the parser");
        assert!(fast.is_empty() == full.is_empty() && full.payload.is_empty());
        assert_eq!((fast.rid, &fast.sid, fast.terminate), (full.rid, &full.sid, full.terminate));
        assert_eq!(
            (&fast.ack, &fast.key, &fast.newkey, &fast.pause),
            (&full.ack, &full.key, &full.newkey, &full.pause)
        );
        return Some(fast);
    }
    full
}

fuzz_target!(|data: &[u8]| {
    static WORLD: OnceLock<World> = OnceLock::new();
    let world = WORLD.get_or_init(world);
    let mut dialogue: Option<Dialogue<'_>> = None;
    for line in data.split(|byte| *byte == b'\n').take(200) {
        let Some((&op, text)) = line.split_first() else { continue };
        match (&mut dialogue, op) {
            (None, b'B') => {
                if let Some(request) = parse(world, text) {
                    dialogue = Dialogue::create(world, world.start, &request);
                }
            }
            (Some(dialogue), b'B') => match parse(world, text) {
                Some(request) => dialogue.request(request),
                None => {
                    dialogue.core.abandon(dialogue.now);
                    dialogue.pump();
                }
            },
            (Some(dialogue), op) => dialogue.step(op, text),
            (None, _) => {}
        }
    }
});
