//! Whole BOSH dialogues: bodies in any order and at any time, against a session and the stream behind it.
//!
//! Whatever is sent: each request has one answer, and the same however often it is repeated; taken by request ids,
//! answers bring each event once and in order, and answers to stanzas in the order of those; what waits is
//! bounded; nothing is left of a session that nobody asks for any more.
//!
//! The input is text, one step a line; the first line may choose the service as in [`crate::script`]. Steps:
//!
//! | line | what happens |
//! | --- | --- |
//! | `B<body>` | a request |
//! | `L`, `l<mechanism><wishes>` | a session and a login, the latter as [`Way`] says |
//! | `S<xml>`, `Q<choices>`, `N` | a request with XML, a stanza of the grammar, or nothing, by the next request id |
//! | `G<xml>` | the same as `S`, but it does not arrive yet |
//! | `I<n>` | the request n before the last comes, or comes again |
//! | `D` | the connection that waited last breaks |
//! | `K`, `k` | answers get lost from now on, or arrive |
//! | `A`, `F`, `V<verdict>`, `c` | the realm says yes or no, or as in the other scripts; an answer to a challenge |
//! | `P<text>`, `p<text>` | the server publishes to the first or second of its nodes |
//! | `T<tenths>`, `O<choices>`, `X`, `C` | as in the other scripts |

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bosh::core::{
    Condition, Fingerprint, HTTPBIND, Identity, Reply, Request, Session, Settings, Token, Work, from_element,
    peek_sid, scan_empty,
};
use broker::{EndReason, Parcel};
use minidom::Element;
use xmpp::auth::Question;
use xmpp::stream::{Action, Channel, Framing, Open, Stream};
use xmpp::{AuthFailure, Service, StreamError};

use crate::dialogue::{BARE, answer_to, publish, with_subid};
use crate::due::{Dues, event_number, subid};
use crate::grammar::{self, Choices};
use crate::login::{Client, Way};
use crate::world::{self, NODES, Neighbour, Setting};

const CLIENT: &str = "jabber:client";
const AUTH: &str = "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>ADEwMDEAc2VjcmV0</auth>";
const BIND: &str = "<iq xmlns='jabber:client' type='set' id='bind'>\
    <bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>r</resource></bind></iq>";
const PRESENCE: &str = "<presence xmlns='jabber:client'/>";

/// Steps of one script, so that a run stays short.
const STEPS: usize = 200;

/// Plays a script.
pub fn play(script: &[u8]) {
    let mut lines = script.split(|byte| *byte == b'\n').peekable();
    let choices = lines.next_if(|line| line.first() == Some(&b'%')).unwrap_or_default();
    let choice = |at: usize| choices.get(at).copied().unwrap_or(0);
    let mut play = Play::new(Setting::new(choice(1), choice(2)));
    for line in lines.take(STEPS) {
        if let Some((&step, text)) = line.split_first() {
            play.take(step, text);
        }
    }
    play.finish();
}

/// A client, and the session once it has one.
struct Play {
    setting: Setting,
    service: Service,
    fingerprint: Fingerprint,
    settings: Arc<Settings>,
    now: Instant,
    neighbour: Neighbour,
    serial: u32,
    published: u64,
    session: Option<Dialogue>,
    client: Client,
    lossy: bool,
    /// The request id that comes next.
    rid: u64,
    /// Requests sent, oldest first.
    sent: Vec<Vec<u8>>,
}

/// A session with its stream, as the shell has it, and what its client has heard.
struct Dialogue {
    core: Session,
    stream: Stream,
    question: Option<Question>,
    next_token: u64,
    /// Request ids of connections.
    open: HashMap<u64, u64>,
    answered: HashSet<u64>,
    /// Documents heard whose turn has not come, by request id, and all that were heard.
    waiting: BTreeMap<u64, Element>,
    heard: HashMap<u64, Vec<u8>>,
    /// The request id whose answer is read next.
    turn: u64,
    asked: BTreeMap<u64, VecDeque<Option<String>>>,
    obscure: bool,
    due: Dues,
    lost: bool,
    terminated: bool,
    /// Id of the subscription that was made last.
    subid: String,
}

impl Play {
    fn new(setting: Setting) -> Self {
        let now = Instant::now();
        let service = world::service(setting);
        let neighbour = Neighbour::new(&service, "own1", now).expect("a fresh service");
        let mut settings = Settings { strict: setting.strict, ..Settings::default() };
        if setting.narrow {
            let s = Duration::from_secs;
            (settings.wait, settings.max_repeats, settings.max_pause) = (s(5), 2, None);
            settings.ignore_overactivity = true;
        }
        Self {
            setting,
            service,
            fingerprint: Fingerprint::default(),
            settings: Arc::new(settings),
            now,
            neighbour,
            serial: 0,
            published: 0,
            session: None,
            client: Client::default(),
            lossy: false,
            rid: 1,
            sent: Vec::new(),
        }
    }

    fn take(&mut self, step: u8, text: &[u8]) {
        match step {
            b'B' => self.send(text.to_vec(), true),
            b'L' => self.log_in(None),
            b'l' => self.log_in(Some(Way::new(text))),
            b'S' => self.payload(&String::from_utf8_lossy(text)),
            b'N' => self.payload(""),
            b'Q' => {
                let stanza = self.stanza(text);
                self.payload(&stanza);
            }
            b'G' => {
                let body = self.body("", &String::from_utf8_lossy(text));
                self.sent.push(body);
            }
            b'I' => {
                let back = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).unwrap_or(0);
                if let Some(body) = self.sent.iter().rev().nth(back).cloned() {
                    self.deliver(&body, false);
                }
            }
            b'K' => self.lossy = true,
            b'k' => self.lossy = false,
            b'A' => self.verdict(Ok(())),
            b'F' => self.verdict(Err(AuthFailure::NotAuthorized)),
            b'V' => self.verdict(crate::script::verdict(text)),
            b'c' => self.respond(),
            b'P' => self.publish(NODES[0], &String::from_utf8_lossy(text)),
            b'p' => self.publish(NODES[1], &String::from_utf8_lossy(text)),
            b'T' => self.pass(world::tenths(text)),
            b'O' => {
                let stanza = self.stanza(text);
                self.neighbour.send(self.now, &stanza);
                self.neighbour.read();
                self.pump();
            }
            b'X' => {
                let _ = Neighbour::new(&self.service, "1001", self.now);
                self.pump();
            }
            b'C' => self.with(|session, _| session.stream.handle_shutdown()),
            b'D' => self.with(|session, now| {
                let last = session.open.keys().filter(|token| !session.answered.contains(token)).max();
                if let Some(last) = last.copied() {
                    session.core.detach(now, Token(last));
                    session.open.remove(&last);
                }
            }),
            _ => {}
        }
    }

    fn stanza(&mut self, choices: &[u8]) -> String {
        self.serial += 1;
        grammar::stanza(&mut Choices::new(choices), self.serial)
    }

    /// A request by the next request id.
    fn body(&mut self, attributes: &str, payload: &str) -> Vec<u8> {
        self.rid += 1;
        let rid = self.rid - 1;
        format!("<body rid='{rid}' sid='s' xmlns='{HTTPBIND}'{attributes}>{payload}</body>").into_bytes()
    }

    fn payload(&mut self, payload: &str) {
        let body = self.body("", payload);
        self.send(body, false);
    }

    fn send(&mut self, body: Vec<u8>, raw: bool) {
        let subid = self.session.as_ref().map_or("", |session| &session.subid);
        let body = with_subid(&body, subid).into_owned();
        self.deliver(&body, raw);
        self.sent.push(body);
    }

    /// A request arrives. `raw`: nobody keeps book of its request id.
    fn deliver(&mut self, body: &[u8], raw: bool) {
        let Some(request) = parse(&self.fingerprint, &self.service, body) else {
            return self.with(|session, now| session.core.abandon(now));
        };
        self.rid = self.rid.max(request.rid.unwrap_or(0).saturating_add(1));
        let (now, lossy) = (self.now, self.lossy);
        match &mut self.session {
            None => self.session = Dialogue::create(self, &request),
            Some(session) => {
                session.request(now, request, raw);
                session.pump(&self.setting, &mut self.client, now, lossy);
            }
        }
    }

    fn with(&mut self, change: impl FnOnce(&mut Dialogue, Instant)) {
        let Some(session) = &mut self.session else { return };
        change(session, self.now);
        session.pump(&self.setting, &mut self.client, self.now, self.lossy);
    }

    fn pump(&mut self) {
        self.with(|_, _| {});
    }

    fn verdict(&mut self, verdict: Result<(), AuthFailure>) {
        self.with(|session, now| {
            session.stream.handle_auth(now, answer_to(session.question.take(), verdict));
            session.core.set_blocked(false);
        });
    }

    fn respond(&mut self) {
        if let Some(response) = self.client.response() {
            self.payload(&response);
        }
    }

    fn log_in(&mut self, way: Option<Way>) {
        if self.session.is_none() {
            let rid = self.rid;
            let body = format!(
                "<body rid='{rid}' to='localhost' wait='30' hold='1' ver='1.9' ack='1' xmpp:version='1.0' \
                 xmlns:xmpp='urn:xmpp:xbosh' xmlns='{HTTPBIND}'/>"
            );
            self.send(body.into_bytes(), false);
        }
        let first = way.map_or_else(|| AUTH.to_owned(), |way| self.client.first(way, None));
        self.payload(&first);
        self.verdict(Ok(()));
        self.respond();
        self.verdict(Ok(()));
        if way.is_none_or(|way| !way.two) {
            let restart = " to='localhost' xmpp:restart='true' xmlns:xmpp='urn:xmpp:xbosh'";
            let body = self.body(restart, "");
            self.send(body, false);
            self.payload(BIND);
        }
        self.payload(PRESENCE);
    }

    fn publish(&mut self, node: &str, text: &str) {
        self.published += 1;
        if let Some(session) = &mut self.session
            && let Some(bound) = session.stream.bound()
            && session.stream.outbox().is_ended().is_none()
        {
            session.due.publish(self.published, self.service.broker(), BARE, bound.full(), node);
        }
        publish(self.service.broker(), node, self.published, text);
        self.pump();
    }

    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        for turn in 0.. {
            assert!(turn < 20_000, "the clock spins");
            let deadline = self.session.as_ref().and_then(Dialogue::deadline);
            let Some(deadline) = deadline.filter(|deadline| *deadline <= end) else { break };
            self.now = self.now.max(deadline);
            self.tick();
        }
        self.now = end;
        self.tick();
    }

    fn tick(&mut self) {
        self.service.handle_timeout(self.now);
        self.with(Dialogue::handle_timeout);
    }

    /// The client never comes again.
    fn finish(mut self) {
        self.lossy = false;
        for turn in 0.. {
            assert!(turn < 20_000, "a session ends that nobody asks for");
            let Some(deadline) = self.session.as_ref().and_then(Dialogue::deadline) else { break };
            self.now = self.now.max(deadline);
            self.tick();
        }
        if let Some(session) = &self.session {
            assert!(session.core.is_over() && session.stream.is_closed());
            let waits = session.open.keys().find(|token| !session.answered.contains(token));
            assert!(waits.is_none(), "each request has an answer");
        }
        assert!(self.service.broker().sessions(BARE).is_empty());
        assert_eq!(self.service.sessions(), 1, "the neighbour");
    }
}

impl Dialogue {
    fn create(play: &mut Play, request: &Request<'_>) -> Option<Self> {
        let identity = Identity { sid: "s", authid: "a", from: "localhost" };
        let core = Session::create(play.now, play.settings.clone(), request, identity, Token(0)).ok()?;
        let rid = request.rid.expect("created by one");
        let channel = Channel { binding: None, ..play.setting.channel() };
        let mut stream = Stream::new(play.service.clone(), Framing::Bosh, channel, play.now);
        let to = request.creation.as_ref().and_then(|creation| creation.to.clone());
        stream.handle_open(play.now, &Open { to, version: Some("1.0".into()), ..Open::default() });
        let mut dialogue = Self {
            core,
            stream,
            question: None,
            next_token: 1,
            open: HashMap::from([(0, rid)]),
            answered: HashSet::new(),
            waiting: BTreeMap::new(),
            heard: HashMap::new(),
            turn: rid,
            asked: BTreeMap::new(),
            obscure: false,
            due: Dues::default(),
            lost: false,
            terminated: false,
            subid: String::new(),
        };
        dialogue.pump(&play.setting, &mut play.client, play.now, play.lossy);
        assert!(dialogue.answered.contains(&0), "a creation request is answered at once");
        Some(dialogue)
    }

    fn request(&mut self, now: Instant, request: Request<'_>, raw: bool) {
        self.obscure |= raw;
        let rid = request.rid.unwrap_or(0);
        let is_request = |element: &&Element| {
            element.is("iq", CLIENT) && !matches!(element.attr("type"), Some("result" | "error"))
        };
        let asked = request.payload.iter().filter(is_request).map(|iq| iq.attr("id").map(str::to_owned));
        let asked: VecDeque<_> = asked.collect();
        if rid >= self.turn && !self.heard.contains_key(&rid) && !asked.is_empty() {
            self.asked.entry(rid).or_insert(asked);
        }
        self.open.insert(self.next_token, rid);
        self.core.request(now, request, Token(self.next_token));
        self.next_token += 1;
    }

    fn deadline(&self) -> Option<Instant> {
        let deadlines = [self.core.deadline(), self.stream.deadline()].into_iter().flatten().min();
        deadlines.filter(|_| !self.core.is_over())
    }

    fn handle_timeout(&mut self, now: Instant) {
        if self.stream.deadline().is_some_and(|deadline| now >= deadline) {
            self.stream.handle_timeout(now);
        }
        self.core.handle_timeout(now);
        if self.stream.wants_input() {
            self.core.set_blocked(false);
        }
    }

    fn close(&mut self, now: Instant, error: Option<StreamError>) {
        let xml = error.map(|error| error.to_xml()).unwrap_or_default();
        let condition = error.map(|_| Condition::RemoteStreamError);
        let Self { core, stream, .. } = self;
        let mut queue = VecDeque::new();
        let _ = stream.outbox().try_take(&mut queue, usize::MAX);
        core.close(now, condition, |out| {
            queue.iter().for_each(|parcel: &Parcel| stream.write_parcel(parcel, out));
            out.extend_from_slice(xml.as_bytes());
        });
    }

    fn deliver(&mut self, now: Instant) -> Result<(), EndReason> {
        if self.core.wants_payload() {
            let mut queue = VecDeque::new();
            if self.stream.outbox().try_take(&mut queue, 256 << 10)? > 0 {
                let Self { core, stream, .. } = self;
                core.deliver(now, 0, |out| {
                    queue.iter().for_each(|parcel| stream.write_parcel(parcel, out));
                });
            }
        }
        Ok(())
    }

    fn act(&mut self, now: Instant, setting: &Setting, client: &Client) {
        while let Some(action) = self.stream.poll_action() {
            match action {
                Action::Authenticate(question) => {
                    crate::dialogue::judge(&question, setting, client);
                    self.question = Some(question);
                    self.core.set_blocked(true);
                }
                Action::Close(error) => self.close(now, error),
                Action::StartTls => panic!("never offered"),
            }
        }
    }

    fn pump(&mut self, setting: &Setting, client: &mut Client, now: Instant, lossy: bool) {
        self.lost |= self.stream.outbox().is_ended() == Some(EndReason::Overflow);
        loop {
            self.act(now, setting, client);
            match self.core.poll_work(now) {
                Some(Work::Stanza(stanza)) => self.stream.handle_element(now, stanza),
                Some(Work::Restart(creation)) => {
                    let (to, lang) = (creation.to, creation.lang);
                    let open = Open { to, lang, version: Some("1.0".into()), ..Open::default() };
                    self.stream.handle_open(now, &open);
                }
                None if self.stream.is_closed() => break,
                None => match self.deliver(now) {
                    Ok(()) => break,
                    Err(reason) => self.stream.handle_outbox_end(reason),
                },
            }
        }
        if self.stream.is_bound() {
            self.core.set_established();
        }
        self.core.settle(now);
        if self.core.has_ended() && !self.stream.is_closed() {
            self.stream.handle_eof();
            let _ = self.stream.poll_action();
        }
        let limits = &self.stream.service().config().limits;
        let outbox = self.stream.outbox();
        assert!(outbox.len() <= limits.outbox_items && outbox.bytes() <= limits.outbox_bytes);
        while let Some((Token(token), reply)) = self.core.poll_answer() {
            assert!(self.answered.insert(token), "one answer for one request");
            let rid = *self.open.get(&token).expect("an answer to somebody");
            if !lossy {
                self.hear(client, rid, &reply);
            }
        }
        assert!(self.open.len() - self.answered.iter().filter(|t| self.open.contains_key(t)).count() <= 64);
        assert!(!self.core.is_over() || self.core.deadline().is_none());
        self.check_heard();
    }

    /// An answer arrives.
    fn hear(&mut self, client: &mut Client, rid: u64, reply: &Reply) {
        let limits = xmpp::Limits { depth: 80, children: 1_000_000, ..xmpp::Limits::default() };
        let root = xmpp::reader::parse_document(&reply.bytes, &limits).expect("answers are XML");
        assert!(root.is("body", HTTPBIND));
        // Another connection has the request now: no answer, the client is to ask again.
        if root.attr("type") == Some("error") {
            return;
        }
        if root.attr("type") == Some("terminate") {
            self.terminated = true;
        } else if let Some(before) = self.heard.insert(rid, reply.bytes.to_vec()) {
            return assert_eq!(before, reply.bytes, "a repeated answer is the same");
        }
        if rid >= self.turn {
            self.waiting.insert(rid, root);
        }
        while let Some(root) = self.waiting.remove(&self.turn) {
            root.children().for_each(|child| self.hear_element(client, child));
            self.turn += 1;
        }
    }

    fn hear_element(&mut self, client: &mut Client, element: &Element) {
        if let Some(subid) = subid(element) {
            subid.clone_into(&mut self.subid);
        }
        client.hear(element);
        if let Some(number) = event_number(element) {
            self.due.hear(number, element.attr("to").expect("an address"));
        }
        if element.is("iq", CLIENT)
            && matches!(element.attr("type"), Some("result" | "error"))
            && !self.obscure
        {
            let mut first = self.asked.first_entry().expect("an answer without a question");
            let asked = first.get_mut().pop_front().expect("never empty");
            if first.get().is_empty() {
                first.remove();
            }
            assert_eq!(element.attr("id"), asked.as_deref(), "answers keep the order of requests");
        }
    }

    /// When all has been said and heard, nothing is missing.
    fn check_heard(&self) {
        let all_heard = self.open.values().all(|rid| *rid < self.turn) && self.waiting.is_empty();
        let said = self.stream.outbox().is_empty() && !self.core.has_ended() && !self.stream.is_closed();
        if all_heard && said && !self.terminated && !self.lost {
            self.due.check_heard();
        }
    }
}

/// Reads a request by the fast way and the full one.
fn parse<'a>(fingerprint: &Fingerprint, service: &Service, body: &'a [u8]) -> Option<Request<'a>> {
    let fast = scan_empty(body, fingerprint);
    let full = xmpp::reader::parse_document(body, &service.config().limits)
        .ok()
        .and_then(|root| from_element(root, fingerprint.of(body)));
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
