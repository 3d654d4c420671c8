//! Two nodes in virtual time, and a link between them that loses and delays.

mod absence;
mod sides;

use std::time::{Duration, Instant};

/// Something on its way between the nodes.
struct Letter<T> {
    at: Instant,
    to: usize,
    what: T,
}

/// The link: each letter takes its own time, up to a bound, or is lost.
struct Post<T> {
    letters: Vec<Letter<T>>,
    longest: Duration,
    /// Whether anything arrives at all.
    open: bool,
    dice: Dice,
}

/// A small generator, so that a seed is a whole story.
#[derive(Clone)]
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides.max(1)
    }
}

impl<T> Post<T> {
    fn new(longest: Duration, seed: u64) -> Self {
        Self { letters: vec![], longest, open: true, dice: Dice(seed) }
    }

    fn send(&mut self, now: Instant, to: usize, what: T) {
        let millis = self.dice.roll(self.longest.as_millis() as u64 + 1);
        if self.open {
            self.letters.push(Letter { at: now + Duration::from_millis(millis), to, what });
        }
    }

    /// Takes the next letter that has arrived.
    fn take(&mut self, now: Instant) -> Option<(usize, T)> {
        let next = (0..self.letters.len()).min_by_key(|&at| self.letters[at].at)?;
        if self.letters[next].at > now {
            return None;
        }
        let letter = self.letters.remove(next);
        self.open.then_some((letter.to, letter.what))
    }
}
