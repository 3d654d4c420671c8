//! Requirement 53 in virtual time: a client that repeats broken requests properly (XEP-0124 §14.3) loses
//! nothing and gets nothing twice, however requests and answers are dropped, delayed and reordered.

mod common;

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use common::{Toy, attribute};
use proptest::prelude::*;

/// A small generator: the dialogue depends on the seed alone.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % sides
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.roll(100) < percent
    }
}

/// What a connection does to one request.
#[derive(Clone, Copy, PartialEq)]
enum Fate {
    Fine,
    /// Never arrives.
    RequestLost,
    /// The answer never arrives; the server does not notice.
    AnswerLost,
    /// Breaks while the request is held; the server notices.
    Breaks,
}

struct Request {
    rid: u64,
    body: String,
    tries: u32,
    /// When this try reaches the server, if it has not.
    arrives: Option<Instant>,
    /// When the client gives this try up.
    gives_up: Option<Instant>,
    breaks: Option<Instant>,
    fate: Fate,
    token: Option<u64>,
}

struct Client {
    next_rid: u64,
    window: usize,
    open: BTreeMap<u64, Request>,
    /// Answers that came early wait for those before them.
    early: BTreeMap<u64, String>,
    next_answer: u64,
    outgoing: VecDeque<u64>,
    sent: u64,
    received: Vec<u64>,
}

impl Client {
    fn launch(request: &mut Request, dice: &mut Dice, now: Instant, loss: u64) {
        let millis = |dice: &mut Dice, most| Duration::from_millis(dice.roll(most));
        request.tries += 1;
        request.fate = match dice.roll(3) {
            _ if request.tries > 6 || !dice.chance(loss) => Fate::Fine,
            0 => Fate::RequestLost,
            1 => Fate::AnswerLost,
            _ => Fate::Breaks,
        };
        let arrival = now + millis(dice, 800);
        request.arrives = (request.fate != Fate::RequestLost).then_some(arrival);
        request.gives_up = (request.fate != Fate::Fine).then(|| arrival + millis(dice, 4_000));
        request.breaks = (request.fate == Fate::Breaks).then(|| arrival + millis(dice, 1_000));
        request.token = None;
    }

    /// Opens requests: one for each piece of payload, a poll when nothing is open.
    fn send(&mut self, dice: &mut Dice, now: Instant, loss: u64) {
        // The window counts from the first request without an answer, as on the other side.
        while self.next_rid < self.next_answer + self.window as u64
            && (self.open.is_empty() || !self.outgoing.is_empty())
        {
            let mut content = String::new();
            for _ in 0..=dice.roll(2) {
                if let Some(n) = self.outgoing.pop_front() {
                    content += &format!("<up n='{n}'/>");
                }
            }
            let rid = self.next_rid;
            self.next_rid += 1;
            let body = format!("<body rid='{rid}' sid='secret' {}>{content}</body>", common::NS);
            let mut request = Request {
                rid,
                body,
                tries: 0,
                arrives: None,
                gives_up: None,
                breaks: None,
                fate: Fate::Fine,
                token: None,
            };
            Self::launch(&mut request, dice, now, loss);
            self.open.insert(rid, request);
        }
    }

    /// Reads answers in the order of their requests.
    fn take(&mut self, rid: u64, body: String) {
        self.open.remove(&rid);
        self.early.insert(rid, body);
        while let Some(body) = self.early.remove(&self.next_answer) {
            self.next_answer += 1;
            assert_eq!(attribute(&body, "type"), None, "the session went on: {body}");
            for piece in body.split("<down n='").skip(1) {
                self.received.push(piece.split('\'').next().unwrap().parse().unwrap());
            }
        }
    }
}

fn dialogue(seed: u64, steps: u32, loss: u64, hold: u8) {
    let mut dice = Dice(seed | 1);
    let (mut toy, _) = Toy::open(&format!("wait='20' hold='{hold}' ver='1.11'"));
    let mut client = Client {
        next_rid: 1001,
        window: usize::from(toy.session.terms().requests),
        open: BTreeMap::new(),
        early: BTreeMap::new(),
        next_answer: 1001,
        outgoing: VecDeque::new(),
        sent: 0,
        received: Vec::new(),
    };
    let mut pushed = 0u64;
    for step in 0..steps + 20_000 {
        let winding_up = step >= steps;
        if winding_up && client.received.len() == pushed as usize && toy.up.len() == client.sent as usize {
            break;
        }
        if !winding_up && dice.chance(20) {
            client.outgoing.push_back(client.sent);
            client.sent += 1;
        }
        if !winding_up && dice.chance(30) {
            toy.push(format!("<down n='{pushed}'/>"));
            pushed += 1;
        }
        client.send(&mut dice, toy.now, if winding_up { 0 } else { loss });
        network(&mut toy, &mut client, &mut dice, if winding_up { 0 } else { loss });
        toy.advance(Duration::from_millis(dice.roll(400)));
        assert!(!toy.session.has_ended(), "seed {seed} step {step}");
    }
    assert_eq!(client.received, (0..pushed).collect::<Vec<_>>(), "seed {seed}");
    let up: Vec<String> = (0..client.sent).map(|n| format!("up {n}")).collect();
    assert_eq!(toy.up, up, "seed {seed}");
}

/// One look at every open request.
fn network(toy: &mut Toy, client: &mut Client, dice: &mut Dice, loss: u64) {
    let rids: Vec<u64> = client.open.keys().copied().collect();
    for rid in rids {
        let request = client.open.get_mut(&rid).unwrap();
        if request.arrives.is_some_and(|at| toy.now >= at) {
            request.arrives = None;
            request.token = Some(toy.send_raw(&request.body));
        }
        if let Some(token) = request.token {
            if request.breaks.is_some_and(|at| toy.now >= at) {
                request.breaks = None;
                toy.detach(token);
            }
            if let Some(body) = toy.take(token) {
                let recoverable = attribute(&body, "type") == Some("error");
                if request.fate == Fate::Fine && !recoverable {
                    client.take(rid, body);
                    continue;
                }
            }
        }
        if request.gives_up.is_some_and(|at| toy.now >= at) {
            assert_eq!(request.rid, rid);
            Client::launch(request, dice, toy.now, loss);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn x53_nothing_is_lost_doubled_or_reordered(seed in any::<u64>(), loss in 0u64..60, hold in 1u8..=2) {
        dialogue(seed, 2_500, loss, hold);
    }
}

#[test]
fn x53_a_long_dialogue_with_each_tenth_connection_broken() {
    dialogue(0x5eed, 200_000, 10, 1);
}
