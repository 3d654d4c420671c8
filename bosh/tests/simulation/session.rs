//! One simulated session: the client, the network and the real session beside its model.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::fmt;
use std::rc::Rc;
use std::time::{Duration, Instant};

use bosh::core::Settings;

use super::client::{Client, Habits, Heard, downs};
use super::common::{Toy, attribute};
use super::dice::Dice;
use super::model::{Body, Expected, Model, State};

/// How a session came to its end.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Ending {
    /// The client said so, and everything had arrived.
    #[default]
    Terminated,
    /// The client was told: the condition.
    Told(String),
    /// Nothing was heard from the client for too long.
    Silence,
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Terminated => f.write_str("terminated by the client"),
            Self::Told(condition) => write!(f, "told {condition}"),
            Self::Silence => f.write_str("ended by silence"),
        }
    }
}

/// What happened in one session or in all.
#[derive(Debug, Default)]
pub struct Outcome {
    pub steps: u64,
    pub delivered: u64,
    pub requests: u64,
    pub repeated: u64,
    pub recovered: u64,
    pub paused: u64,
    pub ending: Ending,
}

impl Outcome {
    pub fn add(&mut self, other: &Self) {
        self.steps += other.steps;
        self.delivered += other.delivered;
        self.requests += other.requests;
        self.repeated += other.repeated;
        self.recovered += other.recovered;
        self.paused += other.paused;
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { delivered, requests, repeated, recovered, paused, .. } = self;
        write!(
            f,
            "{delivered} payloads delivered, {requests} requests, {repeated} of them repetitions, \
             {recovered} recoverable errors, {paused} pauses"
        )
    }
}

/// How bad the network is, in percent of the attempts.
#[derive(Clone, Copy)]
struct Weather {
    loss: u64,
    copies: u64,
    /// Longest way of a request or an answer, in milliseconds.
    way: u64,
}

enum Event {
    /// A request, or a copy of one, reaches the server.
    Arrive {
        body: Rc<Body>,
        attempt: u64,
        heard: bool,
    },
    /// An answer reaches the client.
    Answer {
        rid: u64,
        attempt: u64,
        text: String,
    },
    /// The client sees that an attempt is lost.
    Lost {
        rid: u64,
        attempt: u64,
    },
    /// The server sees that a connection is gone.
    Detach {
        attempt: u64,
    },
    /// Somebody has something to say.
    Push,
    Say,
    Poll,
    /// A pause is over.
    Wake,
}

/// Where the answer for a token goes.
struct Way {
    rid: u64,
    attempt: u64,
    /// The answer reaches the client.
    heard: bool,
}

struct Simulation {
    seed: u64,
    dice: Dice,
    weather: Weather,
    toy: Toy,
    model: Model,
    client: Client,
    events: BinaryHeap<Reverse<(Instant, u64)>>,
    scheduled: HashMap<u64, Event>,
    serial: u64,
    ways: HashMap<u64, Way>,
    /// Tokens of attempts whose connection breaks.
    connections: HashMap<u64, u64>,
    /// First answer to each request that may still come again.
    first_answers: HashMap<u64, String>,
    pushed: u64,
    said: u64,
    processed: u64,
    winding_up: bool,
    outcome: Outcome,
}

const FIRST: u64 = 1000;
/// Payload that the client did not send.
const FOREIGN: u64 = u64::MAX;

/// Runs one session to its end.
pub fn run(seed: u64) -> Outcome {
    let mut dice = Dice::new(seed);
    let settings = Settings {
        inactivity: Duration::from_secs(dice.of(&[10, 30, 60])),
        inactivity_polling: Duration::from_secs(dice.of(&[20, 90])),
        max_pause: dice.of(&[None, Some(30), Some(120)]).map(Duration::from_secs),
        ..Settings::default()
    };
    let habits = Habits {
        acks: dice.chance(40),
        keys: dice.chance(20),
        pauses: dice.chance(30),
        impatient: dice.chance(10),
        malicious: dice.chance(10),
    };
    let weather = Weather {
        loss: dice.of(&[0, 1, 10, 40]),
        copies: dice.of(&[0, 0, 0, 1, 5]),
        way: dice.of(&[1, 50, 800]),
    };
    let simulation = Simulation::new(seed, dice, settings, habits, weather);
    simulation.run()
}

impl Simulation {
    fn new(seed: u64, mut dice: Dice, settings: Settings, habits: Habits, weather: Weather) -> Self {
        let (hold, wait) = (dice.of(&[0, 1, 1, 1, 2, 2]), dice.of(&[0, 3, 20, 60, 60]));
        let greeting = Client::greeting(habits, seed);
        let attributes = format!("wait='{wait}' hold='{hold}' ver='1.11'{greeting}");
        let max_pause = settings.max_pause.map(|most| most.as_secs());
        let (mut toy, created) = Toy::open_with(settings.clone(), &attributes);
        toy.echo = false;
        let terms = toy.session.terms();
        let creation = Rc::new(Body {
            rid: FIRST,
            text: String::new(),
            ups: Vec::new(),
            key_is_right: true,
            ack: None,
            pause: None,
            terminate: false,
        });
        Self {
            seed,
            dice,
            weather,
            model: Model::new(settings, terms, habits.acks, creation, toy.now),
            client: Client::new(habits, seed, terms, FIRST + 1, max_pause),
            toy,
            events: BinaryHeap::new(),
            scheduled: HashMap::new(),
            serial: 0,
            ways: HashMap::new(),
            connections: HashMap::new(),
            first_answers: HashMap::from([(FIRST, created)]),
            pushed: 0,
            said: 0,
            processed: 0,
            winding_up: false,
            outcome: Outcome::default(),
        }
    }

    fn run(mut self) -> Outcome {
        for event in [Event::Push, Event::Say, Event::Poll] {
            self.later(Duration::ZERO, event);
        }
        self.send();
        let steps = 500 + self.dice.roll(4000);
        while self.model.state == State::Open && self.outcome.steps < steps {
            self.step();
        }
        self.wind_up();
        self.outcome.delivered = self.client.received.len() as u64;
        self.outcome
    }

    fn later(&mut self, after: Duration, event: Event) {
        self.serial += 1;
        self.events.push(Reverse((self.toy.now + after, self.serial)));
        self.scheduled.insert(self.serial, event);
    }

    /// The next event, or the session's own deadline if that is earlier.
    fn step(&mut self) {
        self.outcome.steps += 1;
        let deadline = self.toy.session.deadline();
        let next = self.events.peek().map(|Reverse((at, _))| *at);
        match (next, deadline) {
            (None, None) => panic!("seed {}: nothing will ever happen", self.seed),
            (Some(at), deadline) if deadline.is_none_or(|deadline| at <= deadline) => {
                let Some(Reverse((at, serial))) = self.events.pop() else { unreachable!("peeked") };
                self.toy.now = self.toy.now.max(at);
                self.tick();
                let event = self.scheduled.remove(&serial).expect("scheduled once");
                self.happen(event);
            }
            (_, deadline) => {
                self.toy.now = self.toy.now.max(deadline.expect("one of both"));
                self.tick();
                let after = self.toy.session.deadline();
                assert!(after != deadline, "seed {}: a deadline that comes to nothing", self.seed);
            }
        }
        self.send();
    }

    /// Time has passed.
    fn tick(&mut self) {
        let now = self.toy.now;
        self.toy.pump();
        self.model.run(now);
        self.compare();
    }

    fn happen(&mut self, event: Event) {
        let now = self.toy.now;
        match event {
            // Nobody begins to speak any more.
            Event::Push | Event::Say if self.winding_up => {}
            Event::Arrive { body, attempt, heard } => self.arrive(&body, attempt, heard),
            Event::Answer { rid, attempt, text } => self.hear(rid, attempt, text),
            Event::Lost { rid, attempt } => self.lost(rid, attempt),
            Event::Detach { attempt } => {
                let Some(token) = self.connections.remove(&attempt) else { return };
                self.toy.detach(token);
                self.toy.pump();
                self.model.detach(now, token);
                self.model.run(now);
                self.compare();
            }
            Event::Push => {
                for _ in 0..=self.dice.roll(3) {
                    self.model.down.push_back(self.pushed);
                    self.toy.down.push_back(format!("<down n='{}'/>", self.pushed));
                    self.pushed += 1;
                }
                self.tick();
                self.again(4000, Event::Push);
            }
            Event::Say => {
                self.client.outgoing.push_back(self.said);
                self.said += 1;
                self.again(3000, Event::Say);
            }
            Event::Poll => {
                if let Some(body) = self.client.poll(&mut self.dice) {
                    self.launch(body);
                }
                let least = if self.client.habits.impatient { 1500 } else { 2000 + 2 * self.weather.way };
                let after = Duration::from_millis(least) + self.dice.millis(2000);
                self.later(after, Event::Poll);
            }
            Event::Wake => self.client.pausing = None,
        }
    }

    fn again(&mut self, most: u64, event: Event) {
        let after = self.dice.millis(most);
        self.later(after, event);
    }

    fn send(&mut self) {
        while let Some(body) = self.client.next_body(&mut self.dice) {
            self.outcome.paused += u64::from(body.pause.is_some());
            self.launch(body);
        }
    }

    fn launch(&mut self, body: Rc<Body>) {
        let rid = body.rid;
        self.client.open.insert(rid, super::client::Pending { body, attempt: 0, tries: 0 });
        self.attempt(rid);
    }

    /// Puts a request on its way, for the first time or again.
    fn attempt(&mut self, rid: u64) {
        self.serial += 1;
        let attempt = self.serial;
        let Some(pending) = self.client.open.get_mut(&rid) else { return };
        pending.attempt = attempt;
        pending.tries += 1;
        let (body, tries) = (pending.body.clone(), pending.tries);
        self.outcome.requests += 1;
        self.outcome.repeated += u64::from(tries > 1);
        let bad = !self.winding_up && tries < 7 && self.dice.chance(self.weather.loss);
        let way = self.dice.millis(self.weather.way);
        let fate = if bad { 1 + self.dice.roll(3) } else { 0 };
        if fate != 1 {
            self.later(way, Event::Arrive { body: body.clone(), attempt, heard: fate == 0 });
        }
        if fate != 0 {
            let after = way + self.dice.millis(4000);
            self.later(after, Event::Lost { rid, attempt });
            if fate == 2 {
                // The server sees it as well, at about the same time.
                let before = after.saturating_sub(self.dice.millis(300));
                self.later(before, Event::Detach { attempt });
            }
        }
        if !self.winding_up && self.dice.chance(self.weather.copies) {
            let after = way + self.dice.millis(3000);
            self.later(after, Event::Arrive { body: body.clone(), attempt, heard: false });
        }
        if self.client.habits.malicious && !self.winding_up && self.dice.chance(1) {
            self.mischief(&body, attempt);
        }
    }

    /// A request that breaks a rule.
    fn mischief(&mut self, body: &Body, attempt: u64) {
        let Body { rid, ack, pause, .. } = *body;
        let (mut rid, mut pause, mut ack) = (rid, pause, ack);
        match self.dice.roll(4) {
            0 => rid += 3 + self.dice.roll(3),
            1 => pause = Some(121 + self.dice.roll(1000)),
            2 => ack = Some(rid + 5),
            // Another content under the same id.
            _ => {}
        }
        let attributes = [("ack", ack), ("pause", pause)]
            .iter()
            .filter_map(|(name, value)| value.map(|value| format!(" {name}='{value}'")))
            .collect::<String>();
        let content = format!("<up n='{FOREIGN}'/>");
        let text =
            format!("<body rid='{rid}' sid='secret'{attributes} {}>{content}</body>", super::common::NS);
        let ups = vec![FOREIGN];
        let key_is_right = !self.client.habits.keys;
        let body = Body { rid, text, ups, key_is_right, ack, pause, terminate: false };
        let after = self.dice.millis(self.weather.way);
        self.later(after, Event::Arrive { body: Rc::new(body), attempt, heard: false });
    }

    fn arrive(&mut self, body: &Rc<Body>, attempt: u64, heard: bool) {
        let token = self.toy.send_raw(&body.text);
        self.ways.insert(token, Way { rid: body.rid, attempt, heard });
        self.model.request(self.toy.now, body, token);
        if !heard {
            self.connections.entry(attempt).or_insert(token);
        }
        self.compare();
    }

    /// Everything that the session did is what the model said.
    fn compare(&mut self) {
        let seed = self.seed;
        for up in self.toy.up.drain(..) {
            let expected = self.model.up.get(self.processed as usize).map(|n| format!("up {n}"));
            assert_eq!(Some(up), expected, "seed {seed}: payload of the client");
            self.processed += 1;
        }
        assert_eq!(self.processed, self.model.up.len() as u64, "seed {seed}: payload is processed at once");
        for (token, expected) in std::mem::take(&mut self.model.due) {
            let text = self.toy.take(token);
            let text = text.unwrap_or_else(|| panic!("seed {seed}: no answer where {expected:?} is due"));
            self.judge(token, &expected, &text);
            self.outcome.recovered += u64::from(expected == Expected::Recoverable);
            if let Some(Way { rid, attempt, heard: true }) = self.ways.remove(&token) {
                let way = self.dice.millis(self.weather.way);
                self.later(way, Event::Answer { rid, attempt, text });
            }
        }
        assert!(self.toy.answers.is_empty(), "seed {seed}: answers that are not due: {:?}", self.toy.answers);
        let state = self.model.state;
        assert_eq!(self.toy.session.has_ended(), state != State::Open, "seed {seed}: {state:?}");
        assert_eq!(self.toy.session.is_over(), state == State::Over, "seed {seed}: {state:?}");
    }

    fn judge(&mut self, token: u64, expected: &Expected, text: &str) {
        let seed = self.seed;
        let kind = attribute(text, "type");
        match expected {
            Expected::Answer { downs: expected, report } => {
                assert_eq!(kind, None, "seed {seed}: {text}");
                assert_eq!(&downs(text).collect::<Vec<_>>(), expected, "seed {seed}: {text}");
                let said = attribute(text, "report").and_then(|rid| rid.parse().ok());
                assert_eq!(said, *report, "seed {seed}: {text}");
                let rid = self.ways[&token].rid;
                self.first_answers.insert(rid, text.to_owned());
                self.first_answers.remove(&rid.saturating_sub(8));
            }
            Expected::Again(rid) => {
                assert_eq!(self.first_answers[rid], text, "seed {seed}: the same bytes again");
            }
            Expected::Recoverable => assert_eq!(kind, Some("error"), "seed {seed}: {text}"),
            Expected::End(condition) => {
                assert_eq!(kind, Some("terminate"), "seed {seed}: {text}");
                let name = condition.map(|condition| condition.name());
                assert_eq!(attribute(text, "condition"), name, "seed {seed}: {text}");
            }
        }
    }

    fn hear(&mut self, rid: u64, attempt: u64, text: String) {
        let pauses = self.client.open.get(&rid).is_some_and(|pending| pending.body.pause.is_some());
        match self.client.hear(rid, attempt, text) {
            Heard::SendAgain => self.lost(rid, attempt),
            Heard::Taken if pauses => {
                let pause = self.client.pausing.unwrap_or(1);
                let after = Duration::from_secs(pause).mul_f64(0.9);
                self.later(after, Event::Wake);
            }
            Heard::Over(condition) => {
                assert!(self.model.state != State::Open, "seed {}: {condition:?}", self.seed);
                if let Some(condition) = condition {
                    self.outcome.ending = Ending::Told(condition);
                }
            }
            Heard::Late | Heard::Taken => {}
        }
    }

    fn lost(&mut self, rid: u64, attempt: u64) {
        let is_current = self.client.open.get(&rid).is_some_and(|pending| pending.attempt == attempt);
        if is_current && !self.client.over {
            self.attempt(rid);
        }
    }

    /// The weather gets better: everything arrives, or the client learns that the session is over.
    fn wind_up(&mut self) {
        let seed = self.seed;
        self.winding_up = true;
        let mut said_farewell = false;
        for turn in 0.. {
            assert!(turn < 20_000, "seed {seed}: the session comes to no end");
            let arrived = self.client.received.len() as u64 == self.pushed && self.processed == self.said;
            if self.model.state != State::Open && self.client.over {
                break;
            }
            if self.model.state != State::Open && self.client.open.is_empty() {
                // It asks once more, and learns of the end.
                let body = self.client.farewell(&mut self.dice);
                self.launch(body);
            }
            if self.model.state == State::Open && arrived && self.client.open.len() <= 1 && !said_farewell {
                said_farewell = self.client.pausing.is_none();
                if said_farewell {
                    let body = self.client.farewell(&mut self.dice);
                    self.launch(body);
                }
            }
            self.step();
        }
        self.finish();
    }

    fn finish(&mut self) {
        let seed = self.seed;
        let received = &self.client.received;
        assert!(received.iter().copied().eq(0..received.len() as u64), "seed {seed}: order of payloads");
        let up = &self.model.up;
        let own = up.iter().copied().filter(|n| *n != FOREIGN);
        // Mischief may take the place of a request, whose own payload is then never processed.
        let complete = self.client.habits.malicious || own.clone().eq(0..own.clone().count() as u64);
        assert!(complete && own.is_sorted_by(|a, b| a < b), "seed {seed}: order of the client's payloads");
        if self.model.was_silent {
            self.outcome.ending = Ending::Silence;
        }
        if self.outcome.ending == Ending::Terminated {
            assert_eq!(received.len() as u64, self.pushed, "seed {seed}: everything has arrived");
            assert_eq!(self.processed, self.said, "seed {seed}: everything was processed");
        }
    }
}
