//! How many questions leave: so many a second at most, and so many at once. AXL is an interface for provisioning, not
//! for a storm of sign-ins.

use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::{Semaphore, SemaphorePermit};

/// The gate.
pub(super) struct Pace {
    interval: Duration,
    /// Longest wait at the gate.
    patience: Duration,
    next: Mutex<Option<Instant>>,
    slots: Semaphore,
}

impl Pace {
    pub(super) fn new(per_second: u32, at_once: u32, patience: Duration) -> Pace {
        Pace {
            interval: Duration::from_secs(1) / per_second.max(1),
            patience,
            next: Mutex::new(None),
            slots: Semaphore::new(at_once.max(1) as usize),
        }
    }

    /// Waits for one's turn; `None`: that would take too long. Cancel safe; a turn that is not taken passes.
    pub(super) async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        let wait = self.reserve(Instant::now())?;
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        tokio::time::timeout(self.patience, self.slots.acquire()).await.ok()?.ok()
    }

    /// How long until one's turn.
    fn reserve(&self, now: Instant) -> Option<Duration> {
        let next = &mut *self.next.lock();
        let at = next.map_or(now, |next| next.max(now));
        let wait = at.saturating_duration_since(now);
        if wait > self.patience {
            return None;
        }
        *next = Some(at + self.interval);
        Some(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_are_spread_and_nobody_waits_longer_than_he_may() {
        let pace = Pace::new(20, 8, Duration::from_millis(200));
        let now = Instant::now();
        let waits: Vec<_> = (0..6).map(|_| pace.reserve(now).map(|wait| wait.as_millis())).collect();
        assert_eq!(waits, [Some(0), Some(50), Some(100), Some(150), Some(200), None]);
        assert_eq!(pace.reserve(now + Duration::from_secs(1)), Some(Duration::ZERO));
    }
}
