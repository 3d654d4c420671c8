//! One managed session, shared by the stream that has it and the table in which it is found again.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use broker::{EndReason, Outbox, Parcel, WakeLater};
use bytes::Bytes;
use parking_lot::Mutex;

use super::ledger::{Full, Ledger};
use super::{Key, TooHigh};
use crate::service::Bound;

/// The session belongs to another stream now, or has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Superseded;

/// What [`Slot::poll_take`] came to.
pub(crate) enum Taken {
    /// So many of the parcels taken are stanzas that the peer has to acknowledge.
    Stanzas(usize),
    /// More is unacknowledged than may be kept.
    Full,
    /// The outbox has ended.
    Ended(EndReason),
}

/// What a stream gets that resumes a session.
pub(crate) struct Adopted {
    /// Marks the stream as the owner from now on.
    pub(crate) owner: u32,
    /// Stanzas of the client that were handled.
    pub(crate) handled: u32,
    /// To be sent again, oldest first.
    pub(crate) unacked: VecDeque<Parcel>,
    /// Number of the message id of the first event among them.
    pub(crate) first_id: u32,
}

/// A managed session. The bound resource leaves when the last reference is dropped.
pub(crate) struct Slot {
    bound: Bound,
    outbox: Outbox,
    /// Set if the session can be resumed.
    key: Option<Key>,
    /// How long it may be without a connection.
    max: Duration,
    state: Mutex<State>,
}

struct State {
    /// Counts the streams that had it; the last one is the owner.
    owner: u32,
    ended: bool,
    /// The connection is lost.
    detached: bool,
    /// A stanza of the client is being handled, by the owner or by the one before.
    busy: bool,
    ledger: Ledger,
    /// Wakes the task of the owner.
    waker: Option<Waker>,
}

impl Slot {
    /// A session whose answer to `<enable/>` is `marker`; owned by stream number 0. With a key it can be
    /// resumed for up to `max`.
    pub(crate) fn new(bound: Bound, key: Option<(Key, Duration)>, marker: Bytes, next_id: u32) -> Arc<Self> {
        let (key, max) = key.map_or((None, Duration::ZERO), |(key, max)| (Some(key), max));
        let ledger = Ledger::new(marker, key.is_some(), next_id);
        let outbox = bound.outbox().clone();
        let state = State { owner: 0, ended: false, detached: false, busy: false, ledger, waker: None };
        let slot = Arc::new(Self { bound, outbox, key: key.clone(), max, state: Mutex::new(state) });
        if let Some(key) = key {
            slot.bound.shared().resumable.insert(key, &slot);
        }
        slot
    }

    /// The session.
    pub(crate) fn bound(&self) -> &Bound {
        &self.bound
    }

    /// Where its answers and events go.
    pub(crate) fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// How long it may be without a connection.
    pub(crate) fn max(&self) -> Duration {
        self.max
    }

    /// Works on the session if it still belongs to `owner`. Wakes nobody before it is unlocked.
    fn with<R>(&self, owner: u32, work: impl FnOnce(&mut State) -> R) -> Result<R, Superseded> {
        let _quiet = WakeLater::new();
        let mut state = self.state.lock();
        if state.ended || state.owner != owner {
            return Err(Superseded);
        }
        Ok(work(&mut state))
    }

    /// Whether the session still belongs to `owner`.
    pub(crate) fn belongs_to(&self, owner: u32) -> bool {
        self.with(owner, |_| ()).is_ok()
    }

    /// One stanza of the client is about to be handled, until what this returns is dropped. Counted before: a
    /// resume in the middle of it must not have it sent again.
    pub(crate) fn receive(&self, owner: u32) -> Result<Handling<'_>, Superseded> {
        self.with(owner, |state| {
            state.ledger.receive();
            state.busy = true;
        })?;
        Ok(Handling { slot: self, owner })
    }

    /// Whether the stream that had the session before is in the middle of a stanza. Whoever has parked by
    /// [`poll_take`](Self::poll_take) before it asks is woken at the end of that.
    pub(crate) fn is_busy(&self) -> bool {
        self.state.lock().busy
    }

    /// Stanzas of the client that were handled; `None` before the client was told that they are counted.
    pub(crate) fn received(&self, owner: u32) -> Result<Option<u32>, Superseded> {
        self.with(owner, |state| state.ledger.has_begun().then(|| state.ledger.received()))
    }

    /// About how many bytes of memory the unacknowledged stanzas take; shared renderings count in full.
    pub(crate) fn held(&self) -> usize {
        self.state.lock().ledger.held()
    }

    /// The client has acknowledged.
    pub(crate) fn acknowledge(&self, owner: u32, h: u32) -> Result<Result<(), TooHigh>, Superseded> {
        self.with(owner, |state| state.ledger.acknowledge(h))
    }

    /// Takes parcels out of the outbox and notes those that the peer has to acknowledge, in one step as seen
    /// by a resume. Without `parks` or a context nothing is parked; pending means then that nothing waits.
    pub(crate) fn poll_take(
        &self,
        owner: u32,
        mut cx: Option<&mut Context<'_>>,
        parks: bool,
        into: &mut VecDeque<Parcel>,
        max_bytes: usize,
    ) -> Result<Poll<Taken>, Superseded> {
        let options = self.bound.shared().config.stream_management.unwrap_or_default();
        self.with(owner, |state| {
            let start = into.len();
            if let Some(cx) = &cx {
                state.remember(cx.waker());
            }
            let taken = match cx.take_if(|_| parks) {
                None => self.outbox.try_take(into, max_bytes),
                Some(cx) => match self.outbox.poll_take(cx, into, max_bytes) {
                    Poll::Ready(taken) => taken,
                    Poll::Pending => return Poll::Pending,
                },
            };
            match taken {
                Err(reason) => return Poll::Ready(Taken::Ended(reason)),
                Ok(0) => return Poll::Pending,
                Ok(_) => {}
            }
            let mut counted = 0;
            for at in start..into.len() {
                match state.ledger.send(&into[at], &options) {
                    Ok(is_stanza) => counted += usize::from(is_stanza),
                    Err(Full) => {
                        into.truncate(at);
                        return Poll::Ready(Taken::Full);
                    }
                }
            }
            Poll::Ready(Taken::Stanzas(counted))
        })
    }

    /// The connection of `owner` is lost. False if the session cannot be resumed, because nobody asked for it
    /// or the client cannot know how.
    pub(crate) fn detach(&self, owner: u32) -> bool {
        let detached = self.with(owner, |state| {
            let can = self.key.is_some() && state.ledger.has_begun() && self.outbox.is_ended().is_none();
            if can {
                state.detached = true;
                self.bound.set_away(true);
            }
            can
        });
        detached.unwrap_or(false)
    }

    /// Waits for the end of a detached session, or for its resumption.
    pub(crate) fn poll_ended(&self, owner: u32, cx: &mut Context<'_>) -> Result<Poll<EndReason>, Superseded> {
        self.with(owner, |state| {
            state.remember(cx.waker());
            self.outbox.poll_ended(cx)
        })
    }

    /// Takes the session over from whichever stream has it, given that the client has handled `h` stanzas.
    pub(crate) fn adopt(&self, h: u32) -> Result<Result<Adopted, TooHigh>, Superseded> {
        let _quiet = WakeLater::new();
        let state = &mut *self.state.lock();
        if state.ended || self.outbox.is_ended().is_some() {
            return Err(Superseded);
        }
        if let Err(too_high) = state.ledger.acknowledge(h) {
            return Ok(Err(too_high));
        }
        state.owner = state.owner.wrapping_add(1);
        if std::mem::take(&mut state.detached) {
            self.bound.set_away(false);
        }
        if let Some(waker) = state.waker.take() {
            WakeLater::wake(waker);
        }
        Ok(Ok(Adopted {
            owner: state.owner,
            handled: state.ledger.received(),
            unacked: state.ledger.unacked().cloned().collect(),
            first_id: state.ledger.first_id(),
        }))
    }

    /// Ends the session if it still belongs to `owner`: nobody can resume it any more.
    pub(crate) fn end(&self, owner: u32, reason: EndReason) -> Result<(), Superseded> {
        self.with(owner, |state| {
            state.ended = true;
            self.outbox.end(reason);
            if let (true, Some(key)) = (state.detached, &self.key) {
                let handled = state.ledger.received();
                self.bound.shared().resumable.remember(key, &self.bound.account, handled);
            }
        })
    }
}

/// A stanza of the client that is being handled: no other stream handles one of the same session meanwhile.
pub(crate) struct Handling<'a> {
    slot: &'a Slot,
    owner: u32,
}

impl Drop for Handling<'_> {
    fn drop(&mut self) {
        let _quiet = WakeLater::new();
        let state = &mut *self.slot.state.lock();
        state.busy = false;
        if state.owner != self.owner
            && let Some(waker) = state.waker.take()
        {
            WakeLater::wake(waker);
        }
    }
}

impl State {
    fn remember(&mut self, waker: &Waker) {
        match &mut self.waker {
            Some(known) => known.clone_from(waker),
            None => self.waker = Some(waker.clone()),
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(key) = &self.key {
            self.bound.shared().resumable.remove(key);
        }
    }
}
