//! Scratch memory of a worker thread, and which parcels share a write.

use std::cell::Cell;
use std::collections::VecDeque;

use broker::{Class, Parcel};

use super::Boundaries;

/// Bytes read at once. Small requests in it make fewer answers than an outbox holds.
const READ: usize = 32 << 10;
/// Bytes gathered for one write, and taken from an outbox at once.
pub(super) const WRITE: usize = 64 << 10;
/// Buffers above this size are not kept.
const KEEP: usize = 256 << 10;

/// Buffers that a connection borrows while it is polled, so that an idle one holds none.
pub(super) struct Scratch {
    pub(super) input: Box<[u8]>,
    pub(super) output: Vec<u8>,
    pub(super) parcels: VecDeque<Parcel>,
}

thread_local! {
    static SCRATCH: Cell<Option<Box<Scratch>>> = const { Cell::new(None) };
}

impl Scratch {
    fn new() -> Self {
        Self {
            input: vec![0; READ].into_boxed_slice(),
            output: Vec::with_capacity(WRITE),
            parcels: VecDeque::new(),
        }
    }

    /// Lends the thread's buffers to `work`. A call inside of a call gets buffers of its own.
    pub(super) fn with<T>(work: impl FnOnce(&mut Self) -> T) -> T {
        let mut scratch = SCRATCH.take().unwrap_or_else(|| Box::new(Self::new()));
        let result = work(&mut scratch);
        scratch.parcels.clear();
        if scratch.output.capacity() <= KEEP {
            scratch.output.clear();
            SCRATCH.set(Some(scratch));
        }
        result
    }
}

/// What may leave together on a transport whose readers look at write boundaries.
fn kind(parcel: &Parcel) -> Class {
    match parcel {
        Parcel::Event { .. } | Parcel::Special { .. } => Class::Notice,
        Parcel::Direct { class, .. } => *class,
    }
}

/// Whether a parcel has to reach its reader before anything follows.
pub(super) fn stands_apart(boundaries: Boundaries, parcel: &Parcel) -> bool {
    match boundaries {
        #[cfg(feature = "websocket")]
        Boundaries::None => false,
        Boundaries::Each | Boundaries::Classes => kind(parcel) == Class::Barrier,
    }
}

/// Whether `next` may follow `previous` in one write. Readers that look for `<message` at the start of a
/// segment lose an event behind an answer.
pub(super) fn may_share(boundaries: Boundaries, previous: &Parcel, next: &Parcel) -> bool {
    match boundaries {
        #[cfg(feature = "websocket")]
        Boundaries::None => true,
        Boundaries::Each => false,
        Boundaries::Classes => {
            let (previous, next) = (kind(previous), kind(next));
            previous == next && next != Class::Barrier
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use broker::{Event, Via};

    #[test]
    fn answers_and_events_do_not_share() {
        let answer = Parcel::answer("a");
        let notice = Parcel::notice("n");
        let event = Parcel::Event { event: Event::new("e"), via: Via::Bare };
        let barrier = Parcel::barrier("b");
        let share = |a: &Parcel, b: &Parcel| may_share(Boundaries::Classes, a, b);
        assert!(share(&answer, &answer) && share(&event, &event) && share(&notice, &event));
        assert!(!share(&answer, &event) && !share(&event, &answer) && !share(&notice, &answer));
        assert!(!share(&barrier, &answer) && !share(&answer, &barrier) && !share(&barrier, &barrier));
        assert!(!may_share(Boundaries::Each, &event, &event));
        assert!(stands_apart(Boundaries::Each, &barrier) && !stands_apart(Boundaries::Classes, &answer));
    }
}
