//! What travels: events shared by all their receivers, and parcels as one session sees them.

use std::sync::Arc;

use bytes::Bytes;

use crate::manner::Extra;

/// One published event, rendered once and shared by every session that receives it.
///
/// Cloning is a refcount. The rendering may have two cuts: the places where a transport splices
/// what differs between receivers, the subscriber's address and a message id.
#[derive(Clone, Debug)]
pub struct Event(Arc<Rendered>);

#[derive(Debug)]
struct Rendered {
    bytes: Bytes,
    cuts: Option<(usize, usize)>,
    key: Option<u64>,
}

impl Event {
    /// An event that is the same for every receiver.
    pub fn new(bytes: impl Into<Bytes>) -> Self {
        Self(Arc::new(Rendered { bytes: bytes.into(), cuts: None, key: None }))
    }

    /// An event into which a transport splices the subscriber's address at byte offset `to_at`
    /// and a message id at `id_at`. Offsets count in `bytes`, before any splicing.
    ///
    /// # Panics
    ///
    /// Unless `to_at <= id_at <= bytes.len()`: the offsets are the renderer's constants, never
    /// data from outside.
    pub fn with_cuts(bytes: Bytes, to_at: usize, id_at: usize) -> Self {
        assert!(to_at <= id_at && id_at <= bytes.len(), "cuts {to_at}, {id_at} outside {}", bytes.len());
        Self(Arc::new(Rendered { bytes, cuts: Some((to_at, id_at)), key: None }))
    }

    /// Gives the event a coalescing key: under [`Overflow::Coalesce`](crate::Overflow) a newer
    /// event with the same key may take the place of this one in a queue that is full.
    #[must_use]
    pub fn keyed(mut self, key: u64) -> Self {
        match Arc::get_mut(&mut self.0) {
            Some(rendered) => rendered.key = Some(key),
            None => {
                let Rendered { bytes, cuts, .. } = &*self.0;
                self.0 = Arc::new(Rendered { bytes: bytes.clone(), cuts: *cuts, key: Some(key) });
            }
        }
        self
    }

    /// The shared rendering, without what is spliced.
    pub fn bytes(&self) -> &Bytes {
        &self.0.bytes
    }

    /// Where the subscriber's address and the message id go, in this order, as byte offsets.
    pub fn cuts(&self) -> Option<(usize, usize)> {
        self.0.cuts
    }

    /// The coalescing key, if one was given.
    pub fn key(&self) -> Option<u64> {
        self.0.key
    }

    /// Length of the shared rendering in bytes.
    pub fn len(&self) -> usize {
        self.0.bytes.len()
    }

    /// Whether the rendering is empty.
    pub fn is_empty(&self) -> bool {
        self.0.bytes.is_empty()
    }

    /// Whether both are the same published event, not merely equal bytes.
    pub fn same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// Which of a session's subscriptions a delivery is for; a session that holds both to one node
/// gets two copies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Via {
    /// The subscription of the account: every session with [`Reach::All`](crate::Reach) receives.
    Bare,
    /// The subscription of this one session's full address.
    Full,
}

/// What a parcel that is not an event is, as far as writing it is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// The answer to a request of this session.
    Answer,
    /// Something the session did not ask for, such as presence.
    Notice,
    /// Must leave in a write of its own, such as a stream header.
    Barrier,
}

/// One thing in a session's outbox.
#[derive(Clone, Debug)]
pub enum Parcel {
    /// A published event, shared with the other receivers.
    Event {
        /// The event.
        event: Event,
        /// Which subscription it is for: decides the address that is spliced in.
        via: Via,
    },
    /// A published event for a subscription that wants something added.
    Special {
        /// The event.
        event: Event,
        /// Which subscription it is for.
        via: Via,
        /// What a transport adds while it writes.
        extra: Arc<Extra>,
    },
    /// Bytes for this session alone, complete as they are.
    Direct {
        /// What to write.
        bytes: Bytes,
        /// How to write it.
        class: Class,
    },
}

impl Parcel {
    /// An answer to a request of the session.
    pub fn answer(bytes: impl Into<Bytes>) -> Self {
        Self::Direct { bytes: bytes.into(), class: Class::Answer }
    }

    /// Something the session did not ask for.
    pub fn notice(bytes: impl Into<Bytes>) -> Self {
        Self::Direct { bytes: bytes.into(), class: Class::Notice }
    }

    /// Bytes that must leave in a write of their own.
    pub fn barrier(bytes: impl Into<Bytes>) -> Self {
        Self::Direct { bytes: bytes.into(), class: Class::Barrier }
    }

    /// The bytes as they are shared, without what a transport splices into an event.
    pub fn bytes(&self) -> &Bytes {
        match self {
            Self::Event { event, .. } | Self::Special { event, .. } => event.bytes(),
            Self::Direct { bytes, .. } => bytes,
        }
    }

    /// Length in bytes as the outbox counts it (without spliced parts).
    pub fn len(&self) -> usize {
        self.bytes().len()
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.bytes().is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_and_length_are_of_the_shared_bytes() {
        let event = Event::with_cuts(Bytes::from_static(b"<m to='' id=''/>"), 7, 13);
        assert_eq!(event.cuts(), Some((7, 13)));
        assert_eq!(event.len(), 16);
        assert_eq!(Event::new("x").cuts(), None);
    }

    #[test]
    #[should_panic(expected = "outside")]
    fn cuts_outside_the_bytes_are_a_bug_of_the_renderer() {
        let _ = Event::with_cuts(Bytes::from_static(b"abc"), 2, 4);
    }

    #[test]
    fn a_key_does_not_leak_into_clones_made_before() {
        let plain = Event::new("x");
        let keyed = plain.clone().keyed(7);
        assert_eq!((plain.key(), keyed.key()), (None, Some(7)));
        assert!(!plain.same(&keyed));
    }
}
