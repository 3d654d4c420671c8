//! The slow hash, at most so many at once and so many waiting, so that guessing passwords cannot become the
//! weapon: neither the processors nor the memory of the server go to whoever asks most.
//!
//! A hash fills many MiB, and gets them from one computed before: left to the allocator, each thread would keep those
//! of several.
//!
//! A place in the queue is taken for each address up to a share, so that one guesser leaves room for others. The whole queue
//! is long: when a node of a pair dies, all its users sign in at the other at once.
//! Trusted addresses have a queue of their own, and half of the processors to themselves: however many strangers
//! guess, the other half is left for those who know their passwords and for everything else that the server does.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use argon2::password_hash::phc::{Output, PasswordHash};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use parking_lot::Mutex;
use subtle::ConstantTimeEq;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use zeroize::Zeroizing;

/// Attempts from one address that may wait or compute at once; of a short queue half.
const SHARE: usize = 256;

/// There is no place in the queue: try again later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Busy;

/// Computes slow hashes.
pub(super) struct Hashing {
    lines: Lines,
    queue: Arc<Queue>,
    memory: Arc<Memory>,
    done: Arc<Done>,
}

/// What was computed so far.
#[derive(Default)]
struct Done {
    hashes: AtomicU64,
    kibibytes: AtomicU64,
}

/// The blocks that hashes are computed in: as many as were computed at once so far.
type Memory = Mutex<Vec<Vec<Block>>>;

/// Who waits for a processor.
#[derive(Clone)]
struct Lines {
    slots: Arc<Semaphore>,
    /// Strangers go through this one first.
    strangers: Arc<Semaphore>,
}

/// The permission to compute one hash.
struct Processor {
    _slot: OwnedSemaphorePermit,
    _stranger: Option<OwnedSemaphorePermit>,
}

struct Queue {
    most: usize,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    trusted: usize,
    strangers: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// A place in the queue; dropping it leaves.
pub(super) struct Turn {
    queue: Arc<Queue>,
    lines: Lines,
    memory: Arc<Memory>,
    done: Arc<Done>,
    /// `None`: trusted.
    stranger: Option<IpAddr>,
}

impl Hashing {
    /// As many hashes at once as there are processors, since each takes all of one, and no more than `memory` has room
    /// for when one takes `cost` bytes, but one in any case. So many attempts `most` may wait or compute at once.
    pub(super) fn new(memory: usize, cost: usize, most: usize) -> Hashing {
        let processors = std::thread::available_parallelism().map_or(2, usize::from);
        Hashing::with(processors.min(memory / cost.max(1)).max(1), most)
    }

    fn with(slots: usize, most: usize) -> Hashing {
        let queue = Arc::new(Queue { most, waiting: Mutex::default() });
        let lines = Lines {
            slots: Arc::new(Semaphore::new(slots)),
            strangers: Arc::new(Semaphore::new(slots.div_ceil(2))),
        };
        Hashing { lines, queue, memory: Arc::default(), done: Arc::default() }
    }

    /// A place in the queue for an attempt from the address of a stranger, or from a trusted one (`None`).
    pub(super) fn enter(&self, stranger: Option<IpAddr>) -> Result<Turn, Busy> {
        let most = self.queue.most;
        let waiting = &mut *self.queue.waiting.lock();
        let all = if stranger.is_some() { &mut waiting.strangers } else { &mut waiting.trusted };
        if *all >= most {
            return Err(Busy);
        }
        if let Some(stranger) = stranger {
            let own = waiting.by_address.entry(stranger).or_default();
            if *own >= SHARE.min(most / 2) {
                return Err(Busy);
            }
            *own += 1;
        }
        *all += 1;
        let (queue, lines, memory) = (self.queue.clone(), self.lines.clone(), self.memory.clone());
        Ok(Turn { queue, lines, memory, done: self.done.clone(), stranger })
    }

    /// Hashes computed so far, and the KiB that they filled.
    pub(super) fn done(&self) -> (u64, u64) {
        (self.done.hashes.load(Ordering::Relaxed), self.done.kibibytes.load(Ordering::Relaxed))
    }
}

impl Turn {
    /// `None`: never.
    async fn processor(&self) -> Option<Processor> {
        let stranger = match self.stranger {
            Some(_) => Some(self.lines.strangers.clone().acquire_owned().await.ok()?),
            None => None,
        };
        let slot = self.lines.slots.clone().acquire_owned().await.ok()?;
        Some(Processor { _slot: slot, _stranger: stranger })
    }

    /// Waits for a processor and verifies `password`.
    ///
    /// Cancel safe: a hash that has begun keeps its processor and its place until it is done, so that hanging
    /// up does not start more of them than there may be.
    pub(super) async fn verify(self, phc: Arc<str>, password: &str) -> bool {
        let Some(processor) = self.processor().await else { return false };
        let password = Zeroizing::new(password.to_owned());
        let computed = tokio::task::spawn_blocking(move || {
            let mut blocks = self.memory.lock().pop().unwrap_or_default();
            let right = is_right(&phc, password.as_bytes(), &mut blocks).unwrap_or(false);
            self.done.hashes.fetch_add(1, Ordering::Relaxed);
            let filled = cost(&phc).unwrap_or_default() as u64 / 1024;
            self.done.kibibytes.fetch_add(filled, Ordering::Relaxed);
            self.memory.lock().push(blocks);
            drop((processor, self));
            right
        });
        computed.await.unwrap_or(false)
    }
}

/// Bytes that the hash of a PHC string takes while it is computed; `None` if it is none.
pub(super) fn cost(phc: &str) -> Option<usize> {
    let params = Params::try_from(&PasswordHash::new(phc).ok()?).ok()?;
    Some(params.block_count() * Block::SIZE)
}

/// Whether `password` has the hash `phc`, computed in `blocks`, which grow as needed; `None` if `phc` is none.
fn is_right(phc: &str, password: &[u8], blocks: &mut Vec<Block>) -> Option<bool> {
    let hash = PasswordHash::new(phc).ok()?;
    let (salt, expected) = (hash.salt.as_ref()?, hash.hash.as_ref()?);
    let params = Params::try_from(&hash).ok()?;
    let version = hash.version.map(Version::try_from).transpose().ok()?.unwrap_or_default();
    let argon = Argon2::new(Algorithm::try_from(hash.algorithm.as_str()).ok()?, version, params);
    let needed = argon.params().block_count();
    if blocks.len() < needed {
        // Not grown in place, which would take both for a moment.
        *blocks = Vec::new();
        *blocks = vec![Block::new(); needed];
    }
    let mut output = [0; Output::MAX_LENGTH];
    let output = output.get_mut(..expected.len())?;
    argon.hash_password_into_with_memory(password, salt, output, &mut blocks[..needed]).ok()?;
    Some(output.ct_eq(expected.as_ref()).into())
}

impl Drop for Turn {
    fn drop(&mut self) {
        let waiting = &mut *self.queue.waiting.lock();
        let Some(stranger) = self.stranger else {
            waiting.trusted -= 1;
            return;
        };
        waiting.strangers -= 1;
        if let Some(own) = waiting.by_address.get_mut(&stranger) {
            *own -= 1;
            if *own == 0 {
                waiting.by_address.remove(&stranger);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::Poll;

    use argon2::PasswordHasher;

    use super::*;

    fn peer(last: u8) -> Option<IpAddr> {
        Some([192, 0, 2, last].into())
    }

    #[test]
    fn one_address_leaves_room_for_others() {
        let hashing = Hashing::with(1, 4);
        let guesser: Vec<_> = (0..2).map(|_| hashing.enter(peer(1)).unwrap()).collect();
        assert!(hashing.enter(peer(1)).is_err());
        let _others = [hashing.enter(peer(2)).unwrap(), hashing.enter(peer(2)).unwrap()];
        assert!(hashing.enter(peer(3)).is_err(), "full");
        assert!(hashing.enter(None).is_ok(), "not for trusted addresses");
        drop(guesser);
        assert!(hashing.enter(peer(1)).is_ok());
        assert_eq!(hashing.queue.waiting.lock().by_address.len(), 1, "nobody is remembered");
    }

    #[test]
    fn all_users_of_a_node_that_died_find_a_place_and_one_address_does_not_take_it() {
        let hashing = Hashing::with(1, crate::realm::Rules::default().attempts);
        let guesser: Vec<_> = (0..SHARE).map(|_| hashing.enter(peer(1)).unwrap()).collect();
        assert!(hashing.enter(peer(1)).is_err());
        let home = |n: u16| hashing.enter(Some([198, 18, (n >> 8) as u8, n as u8].into()));
        let homes: Vec<_> = (0..6000).map(|n| home(n).unwrap()).collect();
        let call_centre: Vec<_> = (0..6000).map(|_| hashing.enter(None).unwrap()).collect();
        drop((guesser, homes, call_centre));
    }

    #[tokio::test]
    async fn hanging_up_does_not_start_more_hashes() {
        let argon = Argon2::from(Params::new(32 << 10, 8, 1, None).unwrap());
        let phc: Arc<str> = argon.hash_password(b"x").unwrap().to_string().into();
        let hashing = Hashing::with(1, 100);
        for _ in 0..10 {
            let attempt = hashing.enter(peer(1)).unwrap().verify(phc.clone(), "y");
            // Polled once: the first has begun to compute, the others wait for it; all hang up.
            let mut attempt = Box::pin(attempt);
            let _ = std::future::poll_fn(|cx| Poll::Ready(attempt.as_mut().poll(cx))).await;
        }
        assert_eq!(hashing.lines.slots.available_permits(), 0, "still computing for nobody");
        assert_eq!(hashing.queue.waiting.lock().strangers, 1, "and one only");
        assert!(hashing.enter(peer(1)).unwrap().verify(phc, "x").await);
        assert_eq!((hashing.lines.slots.available_permits(), hashing.queue.waiting.lock().strangers), (1, 0));
    }

    /// A processor, if there is one at once.
    async fn at_once(turn: &Turn) -> Option<Processor> {
        let mut processor = std::pin::pin!(turn.processor());
        match std::future::poll_fn(|cx| Poll::Ready(processor.as_mut().poll(cx))).await {
            Poll::Ready(processor) => processor,
            Poll::Pending => None,
        }
    }

    #[tokio::test]
    async fn x74_strangers_leave_half_of_the_processors() {
        let hashing = Hashing::with(4, 100);
        let strangers: Vec<_> = (0..50).map(|n| hashing.enter(peer(n)).unwrap()).collect();
        let mut computing = Vec::new();
        for stranger in &strangers {
            computing.extend(at_once(stranger).await);
        }
        assert_eq!(computing.len(), 2);
        let trusted: Vec<_> = (0..3).map(|_| hashing.enter(None).unwrap()).collect();
        let mut working = Vec::new();
        for turn in &trusted {
            working.extend(at_once(turn).await);
        }
        assert_eq!(working.len(), 2);
        computing.pop();
        assert!(at_once(&trusted[2]).await.is_some());
        assert_eq!(Hashing::with(1, 100).lines.strangers.available_permits(), 1, "one in any case");
    }

    #[tokio::test]
    async fn x74_hashes_are_computed_in_memory_that_is_used_again() {
        let phc = |cost| Argon2::from(Params::new(cost, 1, 1, None).unwrap()).hash_password(b"x").unwrap();
        let [small, large]: [Arc<str>; 2] = [64, 128].map(|cost| phc(cost).to_string().into());
        assert_eq!([&small, &large].map(|phc| cost(phc)), [Some(64 << 10), Some(128 << 10)]);
        let hashing = Hashing::with(2, 100);
        for (phc, password, right) in
            [(&small, "x", true), (&large, "x", true), (&small, "y", false), (&large, "y", false)]
        {
            let turn = hashing.enter(peer(1)).unwrap();
            assert_eq!(turn.verify(phc.clone(), password).await, right, "{phc} {password}");
            assert_eq!(hashing.memory.lock().len(), 1);
        }
        assert_eq!(hashing.memory.lock()[0].len(), 128);
        assert!(!hashing.enter(None).unwrap().verify("$argon2id$".into(), "x").await);
    }

    #[test]
    fn x74_as_many_hashes_at_once_as_there_is_memory_for() {
        let slots = |memory, cost| Hashing::new(memory, cost, 100).lines.slots.available_permits();
        let processors = std::thread::available_parallelism().map_or(2, usize::from);
        assert_eq!(slots(usize::MAX, 19 << 20), processors);
        assert_eq!(slots(20 << 20, 19 << 20), 1);
        assert_eq!(slots(0, 19 << 20), 1, "one in any case");
        assert_eq!(slots(0, 0), 1, "no slow hashes");
    }
}
