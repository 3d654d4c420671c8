//! What was counted in both directions, and what the peer has not acknowledged.

use std::collections::VecDeque;

use broker::Parcel;
use bytes::Bytes;

use crate::config::StreamManagement;
use crate::splice;

/// The peer says it has handled more than was sent (XEP-0198 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooHigh {
    pub(crate) h: u32,
    pub(crate) sent: u32,
}

/// More is unacknowledged than may be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

/// Counters modulo 2^32, and the unacknowledged stanzas as far as they are kept for a resume: references to
/// shared renderings, no copies.
pub(crate) struct Ledger {
    received: u32,
    sent: u32,
    acked: u32,
    /// The parcel behind which counting begins; `None`: it is gone by.
    marker: Option<Bytes>,
    /// Whether anything is kept: only for a session that can be resumed.
    keeps: bool,
    unacked: VecDeque<Parcel>,
    bytes: usize,
    /// Number of the message id that the first kept event got, or the next one will get. Ids are given in
    /// order, so that it is enough to write all that is kept as it was written before.
    first_id: u32,
}

/// Whether a parcel is a stanza; elements of the stream itself are not counted. A parcel is one element.
pub(crate) fn is_stanza(parcel: &Parcel) -> bool {
    match parcel {
        Parcel::Event { .. } | Parcel::Special { .. } => true,
        Parcel::Direct { bytes, .. } => {
            [&b"<message"[..], b"<presence", b"<iq"].iter().any(|start| bytes.starts_with(start))
        }
    }
}

impl Ledger {
    /// Begins to count what is sent behind `marker`. `next_id` is the number of the next message id.
    pub(crate) fn new(marker: Bytes, keeps: bool, next_id: u32) -> Self {
        Self {
            received: 0,
            sent: 0,
            acked: 0,
            marker: Some(marker),
            keeps,
            unacked: VecDeque::new(),
            bytes: 0,
            first_id: next_id,
        }
    }

    /// As if that many stanzas had gone both ways before.
    #[cfg(test)]
    pub(crate) fn starting_at(mut self, count: u32) -> Self {
        (self.received, self.sent, self.acked) = (count, count, count);
        self
    }

    /// Stanzas handled: `h` of our own acknowledgements.
    pub(crate) fn received(&self) -> u32 {
        self.received
    }

    /// One more stanza is handled.
    pub(crate) fn receive(&mut self) {
        self.received = self.received.wrapping_add(1);
    }

    /// The peer knows that the session is managed.
    pub(crate) fn has_begun(&self) -> bool {
        self.marker.is_none()
    }

    /// A parcel is about to be written. Returns whether it was counted.
    pub(crate) fn send(&mut self, parcel: &Parcel, options: &StreamManagement) -> Result<bool, Full> {
        if let Some(marker) = &self.marker {
            let is_marker = marker.as_ptr() == parcel.bytes().as_ptr() && marker.len() == parcel.len();
            if is_marker {
                self.marker = None;
            } else if splice::takes_id(parcel) {
                self.first_id = splice::id_after(self.first_id);
            }
            return Ok(false);
        }
        if !is_stanza(parcel) {
            return Ok(false);
        }
        if self.keeps {
            self.keep(parcel, options)?;
        }
        self.sent = self.sent.wrapping_add(1);
        Ok(true)
    }

    fn keep(&mut self, parcel: &Parcel, options: &StreamManagement) -> Result<(), Full> {
        let fits = self.unacked.is_empty()
            || (self.unacked.len() < options.queue_items && self.bytes + parcel.len() <= options.queue_bytes);
        if !fits {
            return Err(Full);
        }
        self.bytes += parcel.len();
        self.unacked.push_back(parcel.clone());
        Ok(())
    }

    /// The peer has handled `h` stanzas. Wraps as the counters do, so that one below the last is far above.
    pub(crate) fn acknowledge(&mut self, h: u32) -> Result<(), TooHigh> {
        let newly = h.wrapping_sub(self.acked);
        if newly > self.sent.wrapping_sub(self.acked) {
            return Err(TooHigh { h, sent: self.sent });
        }
        self.acked = h;
        for parcel in self.unacked.drain(..(newly as usize).min(self.unacked.len())) {
            self.bytes -= parcel.len();
            if splice::takes_id(&parcel) {
                self.first_id = splice::id_after(self.first_id);
            }
        }
        if self.unacked.is_empty() {
            self.unacked = VecDeque::new();
        }
        Ok(())
    }

    /// About how many bytes of memory [`unacked`](Self::unacked) takes.
    pub(crate) fn held(&self) -> usize {
        self.bytes + self.unacked.capacity() * size_of::<Parcel>()
    }

    /// What has to be sent again, oldest first.
    pub(crate) fn unacked(&self) -> impl Iterator<Item = &Parcel> {
        self.unacked.iter()
    }

    /// Number of the message id with which writing it again begins.
    pub(crate) fn first_id(&self) -> u32 {
        self.first_id
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use broker::{Event, Via};

    fn options(queue_items: usize, queue_bytes: usize) -> StreamManagement {
        StreamManagement { queue_items, queue_bytes, ..StreamManagement::default() }
    }

    fn begun(keeps: bool) -> Ledger {
        let marker = Bytes::from_static(b"<enabled/>");
        let mut ledger = Ledger::new(marker.clone(), keeps, 0);
        assert_eq!(ledger.send(&Parcel::answer(marker), &options(9, 999)), Ok(false));
        ledger
    }

    fn event() -> Parcel {
        let event = Event::with_cuts(Bytes::from_static(b"<message to=\"\" id=\"\"/>"), 13, 19);
        Parcel::Event { event, via: Via::Bare }
    }

    #[test]
    fn x78_only_stanzas_behind_the_answer_to_enable_are_counted() {
        let marker = Bytes::from_static(b"<enabled/>");
        let mut ledger = Ledger::new(marker.clone(), true, 7);
        let all = options(9, 999);
        assert_eq!(ledger.send(&event(), &all), Ok(false), "it was queued before");
        assert_eq!(
            ledger.send(&Parcel::answer(b"<enabled/>".to_vec()), &all),
            Ok(false),
            "equal is not the same"
        );
        assert!(!ledger.has_begun());
        ledger.send(&Parcel::answer(marker), &all).unwrap();
        assert!(ledger.has_begun());
        for (text, counted) in
            [("<iq/>", true), ("<r/>", false), ("<presence/>", true), ("<a h=\"0\"/>", false)]
        {
            assert_eq!(ledger.send(&Parcel::notice(text), &all), Ok(counted), "{text}");
        }
        assert_eq!((ledger.sent, ledger.unacked().count(), ledger.first_id()), (2, 2, 8));
    }

    #[test]
    fn x78_counters_wrap() {
        let mut ledger = begun(true).starting_at(u32::MAX - 1);
        let all = options(9, 999);
        for _ in 0..4 {
            ledger.send(&event(), &all).unwrap();
            ledger.receive();
        }
        assert_eq!((ledger.sent, ledger.received()), (2, 2));
        assert_eq!(ledger.acknowledge(u32::MAX), Ok(()));
        assert_eq!((ledger.unacked().count(), ledger.first_id()), (3, 1));
        assert_eq!(ledger.acknowledge(0), Ok(()));
        assert_eq!(ledger.acknowledge(3), Err(TooHigh { h: 3, sent: 2 }));
        assert_eq!(ledger.acknowledge(u32::MAX), Err(TooHigh { h: u32::MAX, sent: 2 }), "never backwards");
        assert_eq!(ledger.acknowledge(2), Ok(()));
        assert_eq!((ledger.unacked().count(), ledger.bytes, ledger.first_id()), (0, 0, 4));
    }

    #[test]
    fn x78_what_is_kept_is_bounded_by_number_and_bytes() {
        let mut ledger = begun(true);
        let two = options(2, 999);
        assert_eq!(ledger.send(&event(), &two), Ok(true));
        assert_eq!(ledger.send(&event(), &two), Ok(true));
        assert_eq!(ledger.send(&event(), &two), Err(Full));
        ledger.acknowledge(1).unwrap();
        assert_eq!(ledger.send(&event(), &two), Ok(true));
        let mut ledger = begun(true);
        let small = options(9, 10);
        assert_eq!(ledger.send(&event(), &small), Ok(true), "one is always taken");
        assert_eq!(ledger.send(&event(), &small), Err(Full));
        let mut ledger = begun(false);
        for _ in 0..100 {
            assert_eq!(ledger.send(&event(), &small), Ok(true), "nothing is kept");
        }
        assert_eq!(ledger.acknowledge(101), Err(TooHigh { h: 101, sent: 100 }));
        assert_eq!(ledger.acknowledge(100), Ok(()));
    }
}
