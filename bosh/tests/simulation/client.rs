//! A client as XEP-0124 wants it: it counts requests, keeps within its window, reads answers in the order of
//! their requests and repeats what got none.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use bosh::core::{Terms, sha1_hex};

use super::common::{NS, attribute};
use super::dice::Dice;
use super::model::Body;

/// Which of the optional parts a client uses, and which manners it lacks.
#[derive(Clone, Copy, Debug)]
pub struct Habits {
    pub acks: bool,
    pub keys: bool,
    pub pauses: bool,
    /// Opens empty requests although one is held.
    pub impatient: bool,
    /// Now and then breaks a rule on purpose.
    pub malicious: bool,
}

/// One request without an answer.
pub struct Pending {
    pub body: Rc<Body>,
    /// The attempt whose answer would still arrive.
    pub attempt: u64,
    pub tries: u32,
}

/// A sequence of keys, used from its end (XEP-0124 §15).
struct Keys(Vec<String>);

impl Keys {
    fn new(seed: u64) -> Self {
        let mut keys = vec![sha1_hex(&seed.to_string())];
        for _ in 0..9 {
            keys.push(sha1_hex(keys.last().expect("never empty")));
        }
        Self(keys)
    }
}

/// What became of an answer.
#[derive(Debug, PartialEq)]
pub enum Heard {
    /// Nothing: its request was answered before, or given up.
    Late,
    Taken,
    /// The request has to be sent again.
    SendAgain,
    /// The session is over, with this condition.
    Over(Option<String>),
}

pub struct Client {
    pub habits: Habits,
    terms: Terms,
    max_pause: Option<u64>,
    next_rid: u64,
    next_answer: u64,
    keys: Option<Keys>,
    pub open: BTreeMap<u64, Pending>,
    /// Answers that came before those of earlier requests.
    early: BTreeMap<u64, String>,
    pub outgoing: VecDeque<u64>,
    pub received: Vec<u64>,
    /// A pause was asked for: nothing is sent until it is over.
    pub pausing: Option<u64>,
    pub over: bool,
}

impl Client {
    /// The creation request: `newkey` if the client uses keys.
    pub fn greeting(habits: Habits, seed: u64) -> String {
        let ack = if habits.acks { " ack='1'" } else { "" };
        let newkey = Keys::new(seed).0.pop().filter(|_| habits.keys);
        let newkey = newkey.map(|key| format!(" newkey='{key}'")).unwrap_or_default();
        format!("{ack}{newkey}")
    }

    pub fn new(habits: Habits, seed: u64, terms: Terms, first: u64, max_pause: Option<u64>) -> Self {
        let keys = habits.keys.then(|| {
            let mut keys = Keys::new(seed);
            keys.0.pop();
            keys
        });
        Self {
            habits,
            terms,
            max_pause,
            next_rid: first,
            next_answer: first,
            keys,
            open: BTreeMap::new(),
            early: BTreeMap::new(),
            outgoing: VecDeque::new(),
            received: Vec::new(),
            pausing: None,
            over: false,
        }
    }

    fn window_is_open(&self) -> bool {
        self.next_rid < self.next_answer + u64::from(self.terms.requests)
    }

    /// The next request, when there is a reason to send one.
    pub fn next_body(&mut self, dice: &mut Dice) -> Option<Rc<Body>> {
        if self.pausing.is_some() || self.over || !self.window_is_open() {
            return None;
        }
        let polls =
            !self.terms.is_polling() && (self.open.is_empty() || self.habits.impatient && dice.chance(2));
        if self.outgoing.is_empty() && !polls {
            return None;
        }
        let wants_pause = self.habits.pauses && self.outgoing.is_empty() && dice.chance(3);
        let pause = self.max_pause.filter(|_| wants_pause).map(|most| 1 + dice.roll(most));
        let most = dice.roll(3) as usize + 1;
        let ups = self.outgoing.drain(..most.min(self.outgoing.len())).collect();
        self.pausing = pause;
        Some(self.body(dice, ups, pause, false))
    }

    /// A request that asks for nothing, as polling clients send it.
    pub fn poll(&mut self, dice: &mut Dice) -> Option<Rc<Body>> {
        let may = self.pausing.is_none() && !self.over && self.open.is_empty();
        may.then(|| self.body(dice, Vec::new(), None, false))
    }

    /// The last request, beyond the window if need be.
    pub fn farewell(&mut self, dice: &mut Dice) -> Rc<Body> {
        let ups = self.outgoing.drain(..).collect();
        self.body(dice, ups, None, true)
    }

    fn body(&mut self, dice: &mut Dice, ups: Vec<u64>, pause: Option<u64>, terminate: bool) -> Rc<Body> {
        let rid = self.next_rid;
        self.next_rid += 1;
        let ack = (self.habits.acks && dice.chance(90)).then(|| self.next_answer - 1);
        let (mut text, key_is_right) = self.key(dice, rid);
        ack.iter().for_each(|ack| text += &format!(" ack='{ack}'"));
        pause.iter().for_each(|pause| text += &format!(" pause='{pause}'"));
        if terminate {
            text += " type='terminate'";
        }
        let content: String = ups.iter().map(|n| format!("<up n='{n}'/>")).collect();
        let text = format!("<body rid='{rid}' sid='secret'{text} {NS}>{content}</body>");
        Rc::new(Body { rid, text, ups, key_is_right, ack, pause, terminate })
    }

    /// The attributes of the key sequence; a malicious client does not have the key.
    fn key(&mut self, dice: &mut Dice, rid: u64) -> (String, bool) {
        let Some(keys) = &mut self.keys else { return (String::new(), true) };
        if self.habits.malicious && dice.chance(1) {
            return (" key='0000'".into(), false);
        }
        let key = keys.0.pop().expect("refilled when used up");
        if !keys.0.is_empty() {
            return (format!(" key='{key}'"), true);
        }
        *keys = Keys::new(rid);
        let newkey = keys.0.pop().expect("ten keys");
        (format!(" key='{key}' newkey='{newkey}'"), true)
    }

    /// An answer has come for one attempt.
    pub fn hear(&mut self, rid: u64, attempt: u64, text: String) -> Heard {
        if self.open.get(&rid).is_none_or(|pending| pending.attempt != attempt) {
            return Heard::Late;
        }
        if attribute(&text, "type") == Some("error") {
            return Heard::SendAgain;
        }
        if let Some("terminate") = attribute(&text, "type") {
            self.over = true;
            return Heard::Over(attribute(&text, "condition").map(str::to_owned));
        }
        self.open.remove(&rid);
        self.early.insert(rid, text);
        while let Some(text) = self.early.remove(&self.next_answer) {
            self.next_answer += 1;
            self.received.extend(downs(&text));
        }
        Heard::Taken
    }
}

/// Numbers of the payload in an answer.
pub fn downs(text: &str) -> impl Iterator<Item = u64> {
    let number = |piece: &str| piece.split('\'').next().and_then(|n| n.parse().ok());
    text.split("<down n='").skip(1).map(move |piece| number(piece).expect("a number"))
}
