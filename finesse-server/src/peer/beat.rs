//! When something is said to the other node, and whether it can be reached: one call at a time, at every beat or sooner.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::message::{Envelope, ITEMS, Item, Status, VERSION};

/// Most items that wait to be said; the oldest is dropped for one more. Whoever asked notices that no answer comes.
const QUEUE: usize = 20_000;

/// How the hearts beat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Time between calls when there is nothing to say.
    pub beat: Duration,
    /// How long a call may take.
    pub call: Duration,
    /// How long without an answered call the other node counts as unreachable.
    pub lost: Duration,
}

impl Default for Rules {
    fn default() -> Self {
        Self { beat: Duration::from_secs(1), call: Duration::from_secs(2), lost: Duration::from_secs(4) }
    }
}

/// What the machine has learned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// The other node can be reached. All it has to know has to be said once more.
    Reachable,
    /// It cannot, for this reason.
    Unreachable(String),
    /// Its status has changed.
    Status(Status),
    /// It has said this.
    Item(Item),
}

/// Why a call came to nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Failure(pub String);

/// The machine.
#[derive(Debug)]
pub struct Machine {
    rules: Rules,
    boot: u64,
    seq: u64,
    status: Status,
    queue: VecDeque<Item>,
    /// A call is being made.
    calling: bool,
    /// When the next one is due.
    next: Instant,
    /// When the last answered call was made.
    answered: Option<Instant>,
    reachable: bool,
    failure: String,
    heard: Option<Heard>,
    news: VecDeque<News>,
}

#[derive(Debug)]
struct Heard {
    boot: u64,
    seq: u64,
    status: Status,
}

impl Machine {
    /// A node that has not been heard of the other one. `boot` names this process.
    pub fn new(rules: Rules, boot: u64, now: Instant) -> Self {
        Self {
            rules,
            boot,
            seq: 0,
            status: Status::default(),
            queue: VecDeque::new(),
            calling: false,
            next: now,
            answered: None,
            reachable: false,
            failure: "not called yet".into(),
            heard: None,
            news: VecDeque::new(),
        }
    }

    /// The own status from now on; a change is said at once.
    pub fn set_status(&mut self, now: Instant, status: Status) {
        if self.status != status {
            self.status = status;
            self.next = self.next.min(now);
        }
    }

    /// Something to say, at once. To a node that cannot be reached nothing is said.
    pub fn say(&mut self, now: Instant, item: Item) {
        if !self.reachable {
            return;
        }
        if self.queue.len() >= QUEUE {
            self.queue.pop_front();
        }
        self.queue.push_back(item);
        self.next = self.next.min(now);
    }

    /// The next call, if it is due and none is being made.
    pub fn poll_call(&mut self, now: Instant) -> Option<Envelope> {
        if self.calling || now < self.next {
            return None;
        }
        self.calling = true;
        self.next = now + self.rules.beat;
        let items = self.queue.drain(..self.queue.len().min(ITEMS)).collect();
        if !self.queue.is_empty() {
            self.next = now;
        }
        Some(self.envelope(items))
    }

    /// How long a call may take.
    pub fn patience(&self) -> Duration {
        self.rules.call
    }

    /// A call has been answered, or has come to nothing. `called` is when it was made.
    pub fn handle_answer(&mut self, now: Instant, called: Instant, answer: Result<Envelope, Failure>) {
        self.calling = false;
        match answer {
            Ok(answer) => {
                self.answered = Some(called);
                if !std::mem::replace(&mut self.reachable, true) {
                    self.news.push_back(News::Reachable);
                }
                self.take(answer);
            }
            Err(Failure(failure)) => {
                self.failure = failure;
                // What was said may have been lost; what matters is said again when the other one answers.
                self.next = self.next.max(now + self.rules.beat / 2);
            }
        }
        self.handle_timeout(now);
    }

    /// The other node calls; `items` is what it is answered.
    pub fn handle_call(&mut self, call: Envelope, items: Vec<Item>) -> Envelope {
        self.take(call);
        self.envelope(items)
    }

    /// When [`Machine::handle_timeout`] or [`Machine::poll_call`] is due next.
    pub fn deadline(&self) -> Instant {
        let lost = self.answered.filter(|_| self.reachable).map(|at| at + self.rules.lost);
        let next = (!self.calling).then_some(self.next);
        // A call that is being made comes back by itself.
        [lost, next].into_iter().flatten().min().unwrap_or(self.next + self.rules.call)
    }

    /// Notices that the other node has been silent for too long.
    pub fn handle_timeout(&mut self, now: Instant) {
        let lost = self.answered.is_some_and(|at| now.saturating_duration_since(at) >= self.rules.lost);
        if self.reachable && lost {
            self.reachable = false;
            self.queue.clear();
            self.heard = None;
            self.news.push_back(News::Unreachable(self.failure.clone()));
        }
    }

    /// What has been learned, in order.
    pub fn poll_news(&mut self) -> Option<News> {
        self.news.pop_front()
    }

    /// Answers and calls pass each other: only the latest status counts. Another process is always the later one.
    fn take(&mut self, envelope: Envelope) {
        let Envelope { boot, seq, status, items, .. } = envelope;
        let late = self.heard.as_ref().is_some_and(|heard| heard.boot == boot && heard.seq >= seq);
        if !late {
            let same = self.heard.as_ref().is_some_and(|heard| heard.status == status);
            self.heard = Some(Heard { boot, seq, status: status.clone() });
            if !same {
                self.news.push_back(News::Status(status));
            }
        }
        self.news.extend(items.into_iter().filter(|item| *item != Item::Unknown).map(News::Item));
    }

    fn envelope(&mut self, items: Vec<Item>) -> Envelope {
        self.seq += 1;
        let (boot, seq, status) = (self.boot, self.seq, self.status.clone());
        Envelope { version: VERSION, min: 1, boot, seq, status, items }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    fn news(machine: &mut Machine) -> Vec<News> {
        std::iter::from_fn(|| machine.poll_news()).collect()
    }

    fn came(user: &str) -> Item {
        Item::Came { user: user.into() }
    }

    fn serving(machine: &Machine) -> Status {
        Status { serving: true, ..machine.status.clone() }
    }

    /// Two machines that have spoken once.
    fn pair() -> (Machine, Machine, Instant) {
        let now = Instant::now();
        let (mut one, mut two) =
            (Machine::new(Rules::default(), 1, now), Machine::new(Rules::default(), 2, now));
        call(&mut one, &mut two, now);
        news(&mut one);
        news(&mut two);
        (one, two, now)
    }

    fn call(from: &mut Machine, to: &mut Machine, now: Instant) {
        let envelope = from.poll_call(now).expect("a call is due");
        let answer = to.handle_call(envelope, vec![]);
        from.handle_answer(now, now, Ok(answer));
    }

    #[test]
    fn an_answered_call_makes_the_other_node_reachable_and_a_call_at_each_beat_keeps_it() {
        let now = Instant::now();
        let (mut one, mut two) =
            (Machine::new(Rules::default(), 1, now), Machine::new(Rules::default(), 2, now));
        call(&mut one, &mut two, now);
        assert_eq!(news(&mut one), [News::Reachable, News::Status(Status::default())]);
        assert_eq!(news(&mut two), [News::Status(Status::default())], "it was called, and has not called");
        assert_eq!(one.poll_call(now), None);
        assert_eq!(one.deadline(), now + seconds(1));
        for second in 1..100 {
            call(&mut one, &mut two, now + seconds(second));
        }
        assert!(news(&mut one).is_empty());
    }

    #[test]
    fn a_node_whose_calls_are_not_answered_loses_the_other_one_after_its_time() {
        let (mut one, _, now) = pair();
        let mut lost = None;
        for tenth in 10..100 {
            let at = now + Duration::from_millis(100) * tenth;
            if one.poll_call(at).is_some() {
                one.handle_answer(at, at, Err(Failure("refused".into())));
            }
            one.handle_timeout(at);
            if let Some(news) = one.poll_news() {
                assert_eq!(news, News::Unreachable("refused".into()));
                assert_eq!(lost.replace(tenth), None);
            }
        }
        assert_eq!(lost, Some(40));
    }

    #[test]
    fn news_does_not_wait_for_the_beat_and_calls_are_made_one_at_a_time() {
        let (mut one, mut two, now) = pair();
        one.say(now, came("1002"));
        let envelope = one.poll_call(now).expect("at once");
        assert_eq!(envelope.items, [came("1002")]);
        one.say(now, came("1003"));
        assert_eq!(one.poll_call(now), None);
        let answer = two.handle_call(envelope, vec![]);
        one.handle_answer(now, now, Ok(answer));
        assert_eq!(one.poll_call(now).map(|envelope| envelope.items), Some(vec![came("1003")]));
        assert_eq!(news(&mut two), [News::Item(came("1002"))]);
    }

    #[test]
    fn a_status_that_was_overtaken_is_not_taken() {
        let (mut one, mut two, now) = pair();
        let old = one.poll_call(now + seconds(1)).unwrap();
        one.set_status(now, serving(&one));
        let answer = one.handle_call(two.poll_call(now).unwrap(), vec![]);
        two.handle_answer(now, now, Ok(answer));
        assert!(matches!(&news(&mut two)[..], [News::Reachable, News::Status(status)] if status.serving));
        two.handle_call(old, vec![]);
        assert!(news(&mut two).is_empty());
    }

    #[test]
    fn another_process_begins_anew() {
        let (mut one, mut two, now) = pair();
        one.set_status(now, serving(&one));
        call(&mut one, &mut two, now);
        news(&mut two);
        let mut restarted = Machine::new(Rules::default(), 3, now);
        call(&mut restarted, &mut two, now);
        assert_eq!(news(&mut two), [News::Status(Status::default())]);
    }

    #[test]
    fn much_is_said_in_parts_and_the_queue_is_bounded() {
        let (mut one, mut two, now) = pair();
        for user in 0..QUEUE + 5 {
            one.say(now, came(&user.to_string()));
        }
        let mut said = 0;
        while said < QUEUE {
            let envelope = one.poll_call(now).expect("there is more to say");
            assert!(envelope.items.len() <= ITEMS && Envelope::parse(&envelope.to_json()).is_ok());
            said += envelope.items.len();
            let answer = two.handle_call(envelope, vec![]);
            one.handle_answer(now, now, Ok(answer));
        }
        assert_eq!(one.poll_call(now), None);
        assert_eq!(news(&mut two).first(), Some(&News::Item(came("5"))), "the oldest were dropped");
    }

    #[test]
    fn nothing_is_kept_for_a_node_that_cannot_be_reached() {
        let now = Instant::now();
        let mut one = Machine::new(Rules::default(), 1, now);
        one.say(now, came("1002"));
        assert!(one.poll_call(now).unwrap().items.is_empty());
    }
}
