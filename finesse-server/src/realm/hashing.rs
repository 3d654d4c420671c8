//! The slow hash, at most so many at once and so many waiting, so that guessing passwords cannot become the
//! weapon: neither the processors nor the memory of the server go to whoever asks most.
//!
//! A place in the queue is taken for each address up to half of them, so that one guesser leaves room for others.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use argon2::{Argon2, PasswordVerifier};
use parking_lot::Mutex;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

/// Attempts that may wait or compute at once.
const QUEUE: usize = 512;

/// There is no place in the queue: try again later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Busy;

/// Computes slow hashes.
pub(super) struct Hashing {
    slots: Arc<Semaphore>,
    queue: Arc<Queue>,
}

struct Queue {
    most: usize,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    all: usize,
    by_address: HashMap<Option<IpAddr>, usize>,
}

/// A place in the queue; dropping it leaves.
pub(super) struct Turn {
    queue: Arc<Queue>,
    slots: Arc<Semaphore>,
    peer: Option<IpAddr>,
}

impl Hashing {
    /// As many hashes at once as there are processors: each takes all of one, and 19 MiB.
    pub(super) fn new() -> Hashing {
        let slots = std::thread::available_parallelism().map_or(2, usize::from);
        Hashing::with(slots, QUEUE)
    }

    fn with(slots: usize, most: usize) -> Hashing {
        let queue = Arc::new(Queue { most, waiting: Mutex::default() });
        Hashing { slots: Arc::new(Semaphore::new(slots)), queue }
    }

    /// A place in the queue for an attempt from `peer`.
    pub(super) fn enter(&self, peer: Option<IpAddr>) -> Result<Turn, Busy> {
        let waiting = &mut *self.queue.waiting.lock();
        if waiting.all >= self.queue.most {
            return Err(Busy);
        }
        let own = waiting.by_address.entry(peer).or_default();
        if *own >= self.queue.most / 2 {
            return Err(Busy);
        }
        *own += 1;
        waiting.all += 1;
        Ok(Turn { queue: self.queue.clone(), slots: self.slots.clone(), peer })
    }
}

impl Turn {
    /// Waits for a processor and verifies `password`, unless `shortcut` finds by then that it is right.
    ///
    /// Cancel safe: a hash that has begun keeps its processor and its place until it is done, so that hanging
    /// up does not start more of them than there may be.
    pub(super) async fn verify(self, phc: Arc<str>, password: &str, shortcut: impl FnOnce() -> bool) -> bool {
        let Ok(slot) = self.slots.clone().acquire_owned().await else { return false };
        if shortcut() {
            return true;
        }
        let password = Zeroizing::new(password.to_owned());
        let computed = tokio::task::spawn_blocking(move || {
            let right = Argon2::default().verify_password(password.as_bytes(), &*phc).is_ok();
            drop((slot, self));
            right
        });
        computed.await.unwrap_or(false)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let waiting = &mut *self.queue.waiting.lock();
        waiting.all -= 1;
        if let Some(own) = waiting.by_address.get_mut(&self.peer) {
            *own -= 1;
            if *own == 0 {
                waiting.by_address.remove(&self.peer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use argon2::{Params, PasswordHasher};

    use super::*;

    fn peer(last: u8) -> Option<IpAddr> {
        Some([192, 0, 2, last].into())
    }

    #[test]
    fn one_address_leaves_room_for_others() {
        let hashing = Hashing::with(1, 4);
        let guesser: Vec<_> = (0..2).map(|_| hashing.enter(peer(1)).unwrap()).collect();
        assert!(hashing.enter(peer(1)).is_err());
        let _others = [hashing.enter(peer(2)).unwrap(), hashing.enter(None).unwrap()];
        assert!(hashing.enter(peer(3)).is_err(), "full");
        drop(guesser);
        assert!(hashing.enter(peer(1)).is_ok());
        assert_eq!(hashing.queue.waiting.lock().by_address.len(), 2, "nobody is remembered");
    }

    #[tokio::test]
    async fn hanging_up_does_not_start_more_hashes() {
        let argon = Argon2::from(Params::new(32 << 10, 8, 1, None).unwrap());
        let phc: Arc<str> = argon.hash_password(b"x").unwrap().to_string().into();
        let hashing = Hashing::with(1, 100);
        for _ in 0..10 {
            let attempt = hashing.enter(peer(1)).unwrap().verify(phc.clone(), "y", || false);
            // Polled once: the first has begun to compute, the others wait for it; all hang up.
            let mut attempt = Box::pin(attempt);
            let _ = std::future::poll_fn(|cx| std::task::Poll::Ready(attempt.as_mut().poll(cx))).await;
        }
        assert_eq!(hashing.slots.available_permits(), 0, "still computing for nobody");
        assert_eq!(hashing.queue.waiting.lock().all, 1, "and one only");
        assert!(hashing.enter(peer(1)).unwrap().verify(phc, "x", || false).await);
        assert_eq!((hashing.slots.available_permits(), hashing.queue.waiting.lock().all), (1, 0));
    }
}
