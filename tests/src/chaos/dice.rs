//! Seeded chance, shared by the connections of a proxy.

use std::sync::Mutex;
use std::time::Duration;

/// A generator that several tasks may roll.
pub struct Dice(Mutex<u64>);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1))
    }

    /// A number below `sides`.
    pub fn roll(&self, sides: u64) -> u64 {
        let mut state = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        *state ^= *state >> 12;
        *state ^= *state << 25;
        *state ^= *state >> 27;
        (state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) % sides.max(1)
    }

    /// True so many times in a thousand.
    pub fn permille(&self, times: u64) -> bool {
        self.roll(1000) < times
    }

    /// Up to `most` milliseconds.
    pub fn millis(&self, most: u64) -> Duration {
        Duration::from_millis(self.roll(most))
    }
}
