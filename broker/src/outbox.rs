//! The bounded queue of one session, with the waker of whoever empties it.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::Address;
use crate::budget::{Hold, OverBudget, Rank};
use crate::error::Error;
use crate::event::{Event, Parcel, Via};
use crate::stats::Counters;
use crate::sync::Mutex;
use crate::wake::wake;

/// Slots that a drained queue keeps; what a burst needed beyond it is given back.
const KEEP_SLOTS: usize = 4;
/// What the budget counts for a parcel beside its bytes: its place in the queue.
const PARCEL: usize = 64;

/// Bounds of an [`Outbox`] and what happens when they are reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutboxLimits {
    /// Parcels that may wait. Default 1000.
    pub max_items: usize,
    /// Bytes that may wait, without spliced parts. A parcel that finds the outbox empty is taken
    /// whatever its size. Default 4 MiB.
    pub max_bytes: usize,
    /// What to do with a parcel that does not fit. Default [`Overflow::EndSession`].
    pub overflow: Overflow,
}

impl Default for OutboxLimits {
    fn default() -> Self {
        Self { max_items: 1000, max_bytes: 4 * 1024 * 1024, overflow: Overflow::EndSession }
    }
}

/// What happens to a session that does not keep up. Every case is counted in
/// [`Stats`](crate::Stats).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Overflow {
    /// Free the queue at once and end the session with [`EndReason::Overflow`].
    #[default]
    EndSession,
    /// Drop the oldest events until the new parcel fits. Parcels for this session alone are never
    /// dropped; if they fill the queue, the session ends.
    DropOldest,
    /// A new event takes the place of queued ones with the same [key](Event::keyed) and the same
    /// subscription. If that makes no room, the session ends.
    Coalesce,
}

/// Why an outbox has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EndReason {
    /// The consumer was too slow; what waited has been dropped.
    Overflow,
    /// More waited than the [budget](crate::Budget) allowed; it has been dropped.
    Memory,
    /// Another session has bound the same full address.
    Replaced,
    /// The broker or its embedder shuts down.
    Shutdown,
    /// The account was removed.
    Removed,
    /// The client is to go to another server.
    Moved,
    /// The consumer or its transport has closed it.
    Closed,
}

impl fmt::Display for EndReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Overflow => "consumer too slow",
            Self::Memory => "out of memory for clients",
            Self::Replaced => "replaced by a newer session",
            Self::Shutdown => "shutdown",
            Self::Removed => "account removed",
            Self::Moved => "moved to another server",
            Self::Closed => "closed",
        })
    }
}

/// The outbox takes nothing any more, for this reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("outbox has ended: {0}")]
pub struct Ended(pub EndReason);

/// A bounded queue of [`Parcel`]s from any number of producers to one consumer.
///
/// It needs no task and no channel of its own: the consumer parks its waker inside and is woken at
/// most once until it has drained. Cloning gives another handle to the same queue. Two consumers
/// at once would steal each other's parcels and wakers.
#[derive(Clone)]
pub struct Outbox(Arc<Inner>);

struct Inner {
    max_items: u32,
    max_bytes: u32,
    state: Mutex<State>,
}

/// Laid out to be small: there is one for each session, and most of them idle.
struct State {
    queue: VecDeque<Parcel>,
    waker: Option<Waker>,
    owner: Option<Arc<Owner>>,
    bytes: usize,
    /// Bytes reserved in the budget, for what waits beyond the free allowance.
    reserved: u32,
    ended: Option<EndReason>,
    overflow: Overflow,
}

/// The session that an outbox serves; outlives the session as long as a node names it.
pub(crate) struct Owner {
    pub(crate) address: Address,
    pub(crate) counters: Arc<Counters>,
}

impl Outbox {
    /// An empty outbox; it allocates nothing for its queue until something waits. Once a session is
    /// bound to it, what waits is on the [budget](crate::Budget) of the session's broker.
    pub fn new(limits: OutboxLimits) -> Self {
        let narrow = |bound: usize| u32::try_from(bound).unwrap_or(u32::MAX);
        Self(Arc::new(Inner {
            max_items: narrow(limits.max_items),
            max_bytes: narrow(limits.max_bytes),
            state: Mutex::new(State {
                queue: VecDeque::new(),
                waker: None,
                owner: None,
                bytes: 0,
                reserved: 0,
                ended: None,
                overflow: limits.overflow,
            }),
        }))
    }

    /// Queues a parcel and wakes the consumer if it is parked.
    ///
    /// # Errors
    ///
    /// [`Ended`] if the outbox has ended, or ends now because it overflows.
    pub fn push(&self, parcel: Parcel) -> Result<(), Ended> {
        let (result, waker) = self.enqueue(parcel);
        wake(waker);
        result
    }

    /// Moves parcels to the back of `into`, up to `max_bytes` but at least one, and returns how
    /// many; parks the waker if nothing waits. A consumer that left some behind is not parked and
    /// must ask again.
    ///
    /// Ready with the reason once the outbox has ended and everything queued before that was
    /// taken; after an overflow at once.
    pub fn poll_take(
        &self,
        cx: &mut Context<'_>,
        into: &mut VecDeque<Parcel>,
        max_bytes: usize,
    ) -> Poll<Result<usize, EndReason>> {
        let mut state = self.0.state.lock();
        match state.take(into, max_bytes) {
            Ok(0) => {
                let stale = state.park(cx.waker());
                drop(state);
                drop(stale);
                Poll::Pending
            }
            taken => Poll::Ready(taken),
        }
    }

    /// Like [`poll_take`](Self::poll_take) without parking: 0 if nothing waits.
    ///
    /// # Errors
    ///
    /// The reason once the outbox has ended and everything queued before that was taken.
    pub fn try_take(&self, into: &mut VecDeque<Parcel>, max_bytes: usize) -> Result<usize, EndReason> {
        self.0.state.lock().take(into, max_bytes)
    }

    /// Ready with the reason once the outbox has ended, whether or not parcels wait; parks the waker
    /// otherwise. For a consumer that lets parcels gather: every parcel wakes it, and it asks again.
    pub fn poll_ended(&self, cx: &mut Context<'_>) -> Poll<EndReason> {
        let mut state = self.0.state.lock();
        if let Some(reason) = state.ended {
            return Poll::Ready(reason);
        }
        let stale = state.park(cx.waker());
        drop(state);
        drop(stale);
        Poll::Pending
    }

    /// Ends the outbox: nothing is taken in any more, the consumer is woken and learns the reason
    /// after what is queued. The first reason stays.
    pub fn end(&self, reason: EndReason) {
        wake(self.finish(reason));
    }

    /// The reason if it has ended, even if parcels still wait.
    pub fn is_ended(&self) -> Option<EndReason> {
        self.0.state.lock().ended
    }

    /// How many parcels and bytes may wait.
    pub fn bounds(&self) -> (usize, usize) {
        (self.0.max_items as usize, self.0.max_bytes as usize)
    }

    /// Parcels that wait.
    pub fn len(&self) -> usize {
        self.0.state.lock().queue.len()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes that wait, without what a transport splices.
    pub fn bytes(&self) -> usize {
        self.0.state.lock().bytes
    }

    /// Whether both are handles to the same queue.
    pub fn same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Queues without waking: the waker is for the caller, after its locks.
    pub(crate) fn enqueue(&self, parcel: Parcel) -> (Result<(), Ended>, Option<Waker>) {
        let mut state = self.0.state.lock();
        let result = self.0.put(&mut state, parcel);
        (result, state.waker.take())
    }

    /// Queues a reference to the event, which has `len` bytes; see [`enqueue`](Self::enqueue). The way that
    /// every delivery goes: `len` is handed in, so that a fan-out asks for it once.
    #[inline]
    pub(crate) fn enqueue_event(
        &self,
        event: &Event,
        len: usize,
        via: Via,
    ) -> (Result<(), Ended>, Option<Waker>) {
        let mut state = self.0.state.lock();
        let result = if self.0.has_room(&state, len) {
            state.bytes += len;
            state.queue.push_back(Parcel::Event { event: event.clone(), via });
            Ok(())
        } else {
            self.0.put(&mut state, Parcel::Event { event: event.clone(), via })
        };
        (result, state.waker.take())
    }

    /// Ends it without waking: the waker is for the caller, after its locks.
    pub(crate) fn finish(&self, reason: EndReason) -> Option<Waker> {
        let mut state = self.0.state.lock();
        if state.ended.is_some() {
            return None;
        }
        state.ended = Some(reason);
        state.waker.take()
    }

    /// Makes it the outbox of a session. It serves one in its life, so that it names its owner
    /// reliably to whoever still finds it on a node.
    pub(crate) fn claim(&self, owner: &Arc<Owner>) -> Result<(), Error> {
        let mut state = self.0.state.lock();
        if state.ended.is_some() {
            return Err(Error::Gone);
        }
        if state.owner.is_some() {
            return Err(Error::OutboxInUse);
        }
        state.owner = Some(owner.clone());
        Ok(())
    }

    /// Takes back a claim that came to nothing.
    pub(crate) fn release(&self) {
        let mut state = self.0.state.lock();
        state.give_back();
        state.owner = None;
    }

    /// The session it serves or has served.
    pub(crate) fn owner(&self) -> Option<Arc<Owner>> {
        self.0.state.lock().owner.clone()
    }
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.0.state.lock();
        f.debug_struct("Outbox")
            .field("len", &state.queue.len())
            .field("bytes", &state.bytes)
            .field("parked", &state.waker.is_some())
            .field("ended", &state.ended)
            .finish()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.state.lock().give_back();
    }
}

impl Inner {
    /// Whether so many bytes may be queued as things are: nothing to make room for, nothing to reserve.
    #[inline]
    fn has_room(&self, state: &State, len: usize) -> bool {
        state.ended.is_none()
            && self.fits(state, len)
            && state.cost_with(len) <= state.reserved as usize + Hold::FREE
    }

    /// Queues a parcel, or ends the outbox.
    #[inline(never)]
    fn put(&self, state: &mut State, parcel: Parcel) -> Result<(), Ended> {
        let len = parcel.len();
        self.admit(state, &parcel, len)?;
        state.bytes += len;
        state.queue.push_back(parcel);
        Ok(())
    }

    /// Makes room for a parcel by the overflow policy, or ends the outbox.
    fn admit(&self, state: &mut State, parcel: &Parcel, len: usize) -> Result<(), Ended> {
        if let Some(reason) = state.ended {
            return Err(Ended(reason));
        }
        if !self.fits(state, len) {
            match state.overflow {
                Overflow::EndSession => {}
                Overflow::DropOldest => state.drop_oldest(|state| self.fits(state, len)),
                Overflow::Coalesce => state.coalesce(parcel),
            }
        }
        if self.fits(state, len) {
            return state.afford(len);
        }
        state.give_up(EndReason::Overflow);
        state.count(|counters| counters.overflowed.add(1));
        Err(Ended(EndReason::Overflow))
    }

    #[inline]
    fn fits(&self, state: &State, len: usize) -> bool {
        state.queue.is_empty()
            || (state.queue.len() < self.max_items as usize && state.bytes + len <= self.max_bytes as usize)
    }
}

impl State {
    /// What the budget counts once `len` more bytes wait.
    #[inline]
    fn cost_with(&self, len: usize) -> usize {
        self.bytes + len + PARCEL * (self.queue.len() + 1)
    }

    /// Makes sure that the budget has room for what waits beyond the free allowance, or ends the
    /// outbox. The usual parcel finds room in what is free or reserved already.
    fn afford(&mut self, len: usize) -> Result<(), Ended> {
        let needed = self.cost_with(len).saturating_sub(Hold::FREE);
        if needed <= self.reserved as usize {
            return Ok(());
        }
        let Some(owner) = &self.owner else { return Ok(()) };
        let budget = &owner.counters.budget;
        match budget.reserve(self.reserved as usize, needed, Rank::Session) {
            Ok(reserved) => {
                // Outboxes are bounded by 32 bits; a parcel that is larger still is counted as that.
                self.reserved = u32::try_from(reserved).unwrap_or(u32::MAX);
                budget.release(reserved - self.reserved as usize);
                Ok(())
            }
            Err(OverBudget) => {
                self.give_up(EndReason::Memory);
                self.count(|counters| counters.starved.add(1));
                Err(Ended(EndReason::Memory))
            }
        }
    }

    /// See [`Outbox::poll_take`]; 0 if nothing waits.
    #[inline]
    fn take(&mut self, into: &mut VecDeque<Parcel>, max_bytes: usize) -> Result<usize, EndReason> {
        match self.queue.len() {
            0 => self.ended.map_or(Ok(0), Err),
            // Nearly always. From the back: the queue begins at its first slot again, so that a session which
            // keeps up goes by the same few bytes of memory with every event.
            1 if self.reserved == 0 && self.queue.capacity() <= KEEP_SLOTS => {
                if let Some(parcel) = self.queue.pop_back() {
                    into.push_back(parcel);
                }
                self.bytes = 0;
                Ok(1)
            }
            waiting => Ok(self.take_many(waiting, into, max_bytes)),
        }
    }

    #[inline(never)]
    fn take_many(&mut self, waiting: usize, into: &mut VecDeque<Parcel>, max_bytes: usize) -> usize {
        let count = if self.bytes <= max_bytes { waiting } else { self.prefix(max_bytes) };
        if count < waiting {
            self.bytes -= self.queue.iter().take(count).map(Parcel::len).sum::<usize>();
            into.extend(self.queue.drain(..count));
            return count;
        }
        into.append(&mut self.queue);
        self.bytes = 0;
        self.give_back();
        if self.queue.capacity() > KEEP_SLOTS {
            self.queue = VecDeque::new();
        }
        count
    }

    /// How many parcels make up to `max_bytes`, at least one.
    fn prefix(&self, max_bytes: usize) -> usize {
        let mut sum = 0;
        let fitting = self.queue.iter().take_while(|parcel| {
            sum += parcel.len();
            sum <= max_bytes
        });
        fitting.count().max(1)
    }

    /// Stores the waker; gives back one that it replaces, to be dropped after unlocking.
    #[inline]
    fn park(&mut self, waker: &Waker) -> Option<Waker> {
        match &self.waker {
            Some(parked) if parked.will_wake(waker) => None,
            _ => self.waker.replace(waker.clone()),
        }
    }

    fn drop_oldest(&mut self, enough: impl Fn(&Self) -> bool) {
        let mut at = 0;
        let mut dropped = 0;
        while at < self.queue.len() && !enough(self) {
            if matches!(self.queue[at], Parcel::Event { .. } | Parcel::Special { .. }) {
                self.discard(at);
                dropped += 1;
            } else {
                at += 1;
            }
        }
        self.count(|counters| counters.dropped.add(dropped));
    }

    fn coalesce(&mut self, newer: &Parcel) {
        let (Parcel::Event { event, via } | Parcel::Special { event, via, .. }) = newer else { return };
        let Some(key) = event.key() else { return };
        let mut merged = 0;
        for at in (0..self.queue.len()).rev() {
            let same = matches!(&self.queue[at], Parcel::Event { event: old, via: of } | Parcel::Special { event: old, via: of, .. }
                if old.key() == Some(key) && of == via);
            if same {
                self.discard(at);
                merged += 1;
            }
        }
        self.count(|counters| counters.coalesced.add(merged));
    }

    fn discard(&mut self, at: usize) {
        if let Some(parcel) = self.queue.remove(at) {
            self.bytes -= parcel.len();
        }
    }

    /// Gives back what was reserved.
    fn give_back(&mut self) {
        let reserved = std::mem::take(&mut self.reserved) as usize;
        if reserved > 0 {
            self.count(|counters| counters.budget.release(reserved));
        }
    }

    /// Ends it and frees the queue.
    fn give_up(&mut self, reason: EndReason) {
        self.ended = Some(reason);
        self.queue = VecDeque::new();
        self.bytes = 0;
        self.give_back();
    }

    fn count(&self, add: impl FnOnce(&Counters)) {
        if let Some(owner) = &self.owner {
            add(&owner.counters);
        }
    }
}

#[cfg(all(test, not(broker_loom)))]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Wakes(AtomicUsize);

    impl Wake for Wakes {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn outbox(max_items: usize, max_bytes: usize, overflow: Overflow) -> Outbox {
        Outbox::new(OutboxLimits { max_items, max_bytes, overflow })
    }

    fn event(text: &'static str) -> Parcel {
        Parcel::Event { event: Event::new(text), via: Via::Bare }
    }

    fn keyed(text: &'static str, key: u64, via: Via) -> Parcel {
        Parcel::Event { event: Event::new(text).keyed(key), via }
    }

    fn texts(outbox: &Outbox) -> Vec<String> {
        let mut into = VecDeque::new();
        let _ = outbox.try_take(&mut into, usize::MAX);
        into.iter().map(|parcel| String::from_utf8_lossy(parcel.bytes()).into_owned()).collect()
    }

    #[test]
    fn wakes_once_until_drained() {
        let outbox = Outbox::new(OutboxLimits::default());
        let wakes = Arc::new(Wakes::default());
        let waker = Waker::from(wakes.clone());
        let mut cx = Context::from_waker(&waker);
        let mut into = VecDeque::new();
        for round in 1..=3 {
            assert!(outbox.poll_take(&mut cx, &mut into, usize::MAX).is_pending());
            outbox.push(event("a")).unwrap();
            outbox.push(event("b")).unwrap();
            assert_eq!(wakes.0.load(Ordering::Relaxed), round);
            assert_eq!(outbox.poll_take(&mut cx, &mut into, usize::MAX), Poll::Ready(Ok(2)));
        }
        assert_eq!(into.len(), 6);
    }

    #[test]
    fn the_latest_waker_counts() {
        let outbox = Outbox::new(OutboxLimits::default());
        let (first, second) = (Arc::new(Wakes::default()), Arc::new(Wakes::default()));
        for wakes in [&first, &second] {
            let waker = Waker::from(wakes.clone());
            assert!(outbox.poll_take(&mut Context::from_waker(&waker), &mut VecDeque::new(), 1).is_pending());
        }
        outbox.end(EndReason::Closed);
        assert_eq!((first.0.load(Ordering::Relaxed), second.0.load(Ordering::Relaxed)), (0, 1));
        assert_eq!(Arc::strong_count(&first), 1, "the replaced waker is dropped");
    }

    #[test]
    fn takes_up_to_the_bytes_asked_for_but_at_least_one() {
        let outbox = Outbox::new(OutboxLimits::default());
        ["aaaa", "bb", "cc", "d"].into_iter().for_each(|text| outbox.push(event(text)).unwrap());
        let mut into = VecDeque::new();
        let mut take = |max| (outbox.try_take(&mut into, max), outbox.bytes(), outbox.len());
        assert_eq!(take(0), (Ok(1), 5, 3));
        assert_eq!(take(4), (Ok(2), 1, 1));
        assert_eq!(take(4), (Ok(1), 0, 0));
        assert_eq!(take(4), (Ok(0), 0, 0));
        assert_eq!(into.len(), 4);
    }

    #[test]
    fn what_was_queued_before_the_end_comes_before_the_reason() {
        let outbox = Outbox::new(OutboxLimits::default());
        outbox.push(event("last")).unwrap();
        outbox.end(EndReason::Shutdown);
        outbox.end(EndReason::Closed);
        assert_eq!(outbox.push(event("late")), Err(Ended(EndReason::Shutdown)));
        assert_eq!(outbox.is_ended(), Some(EndReason::Shutdown));
        let mut into = VecDeque::new();
        assert_eq!(outbox.try_take(&mut into, usize::MAX), Ok(1));
        assert_eq!(outbox.try_take(&mut into, usize::MAX), Err(EndReason::Shutdown));
    }

    #[test]
    fn overflow_by_count_and_by_bytes_frees_the_queue_and_wakes() {
        for (outbox, last) in
            [(outbox(2, 100, Overflow::EndSession), "x"), (outbox(100, 7, Overflow::EndSession), "xxxx")]
        {
            let wakes = Arc::new(Wakes::default());
            let waker = Waker::from(wakes.clone());
            outbox.push(event("aa")).unwrap();
            outbox.push(event("bb")).unwrap();
            let mut into = VecDeque::new();
            outbox.0.state.lock().waker = Some(waker);
            assert_eq!(outbox.push(event(last)), Err(Ended(EndReason::Overflow)));
            assert_eq!(wakes.0.load(Ordering::Relaxed), 1);
            assert_eq!((outbox.len(), outbox.bytes()), (0, 0));
            assert_eq!(outbox.0.state.lock().queue.capacity(), 0);
            assert_eq!(outbox.try_take(&mut into, usize::MAX), Err(EndReason::Overflow));
        }
    }

    #[test]
    fn one_parcel_larger_than_the_bound_passes_through_an_empty_outbox() {
        let outbox = outbox(10, 4, Overflow::EndSession);
        outbox.push(event("larger than four")).unwrap();
        assert_eq!(texts(&outbox), ["larger than four"]);
        outbox.push(event("abcd")).unwrap();
        assert!(outbox.push(event("e")).is_err());
    }

    #[test]
    fn drop_oldest_spares_what_is_for_this_session_alone() {
        let outbox = outbox(3, 100, Overflow::DropOldest);
        for parcel in [Parcel::answer("answer"), event("1"), event("2"), event("3"), Parcel::notice("n")] {
            outbox.push(parcel).unwrap();
        }
        assert_eq!(texts(&outbox), ["answer", "3", "n"]);
        (0..3).for_each(|_| outbox.push(Parcel::answer("a")).unwrap());
        assert_eq!(outbox.push(event("x")), Err(Ended(EndReason::Overflow)));
    }

    #[test]
    fn coalesce_replaces_only_the_same_key_of_the_same_subscription() {
        let outbox = outbox(3, 100, Overflow::Coalesce);
        outbox.push(keyed("a1", 1, Via::Bare)).unwrap();
        outbox.push(keyed("f1", 1, Via::Full)).unwrap();
        outbox.push(keyed("b1", 2, Via::Bare)).unwrap();
        outbox.push(keyed("a2", 1, Via::Bare)).unwrap();
        assert_eq!(outbox.bytes(), 6);
        assert_eq!(texts(&outbox), ["f1", "b1", "a2"]);
        (0..3).for_each(|_| outbox.push(keyed("a", 1, Via::Bare)).unwrap());
        assert!(outbox.push(event("no key")).is_err());
    }

    #[test]
    fn memory_of_a_burst_is_given_back() {
        let outbox = Outbox::new(OutboxLimits::default());
        let capacity = || outbox.0.state.lock().queue.capacity();
        assert_eq!(capacity(), 0);
        (0..500).for_each(|_| outbox.push(event("x")).unwrap());
        let mut into = VecDeque::new();
        outbox.try_take(&mut into, 400).unwrap();
        assert!(capacity() >= 100);
        outbox.try_take(&mut into, usize::MAX).unwrap();
        assert_eq!(capacity(), 0);
        outbox.push(event("x")).unwrap();
        outbox.try_take(&mut into, usize::MAX).unwrap();
        assert!((1..=KEEP_SLOTS).contains(&capacity()), "a trickle does not allocate each time");
    }
}
