//! Writes a parcel as one session sees it: the rendering of an event is shared by all its receivers, the
//! address and the message id are filled in here.

use broker::{Parcel, Via};
use std::sync::Arc;

/// Characters of the running part of a message id.
const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
/// How many of them make up an id.
const ID_LEN: u32 = 5;

/// Per-session state of writing: two addresses and a counter.
#[derive(Clone, Debug)]
pub struct Splicer {
    bare: Arc<str>,
    full: Arc<str>,
    next_id: u32,
}

impl Splicer {
    /// `bare` and `full` are the session's addresses, escaped as attribute values.
    pub fn new(bare: Arc<str>, full: Arc<str>) -> Self {
        Self { bare, full, next_id: 0 }
    }

    /// The session's full address, escaped.
    pub fn full(&self) -> &Arc<str> {
        &self.full
    }

    /// Appends `parcel` to `out`. An event gets `to` by the subscription it is for, and an id of the bare
    /// address and five characters that differ from message to message of the session.
    pub fn write(&mut self, parcel: &Parcel, out: &mut Vec<u8>) {
        let Parcel::Event { event, via } = parcel else { return write_plain(parcel, out) };
        let Some((to_at, id_at)) = event.cuts() else { return write_plain(parcel, out) };
        let to = match via {
            Via::Bare => &self.bare,
            Via::Full => &self.full,
        };
        let bytes = event.bytes();
        out.reserve(bytes.len() + to.len() + self.bare.len() + 2 + ID_LEN as usize);
        out.extend_from_slice(&bytes[..to_at]);
        out.extend_from_slice(to.as_bytes());
        out.extend_from_slice(&bytes[to_at..id_at]);
        out.extend_from_slice(self.bare.as_bytes());
        out.extend_from_slice(b"__");
        out.extend_from_slice(&self.id());
        out.extend_from_slice(&bytes[id_at..]);
    }

    fn id(&mut self) -> [u8; ID_LEN as usize] {
        let mut rest = self.next_id;
        self.next_id = self.next_id.wrapping_add(1) % 36u32.pow(ID_LEN);
        let mut id = [b'0'; ID_LEN as usize];
        for place in id.iter_mut().rev() {
            *place = DIGITS[(rest % 36) as usize];
            rest /= 36;
        }
        id
    }
}

/// Appends a parcel that has nothing to splice.
pub(crate) fn write_plain(parcel: &Parcel, out: &mut Vec<u8>) {
    out.extend_from_slice(parcel.bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use broker::Event;

    fn written(splicer: &mut Splicer, parcel: &Parcel) -> String {
        let mut out = Vec::new();
        splicer.write(parcel, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn address_follows_the_subscription_and_ids_differ() {
        let mut splicer = Splicer::new("u@d".into(), "u@d/r".into());
        let event = Event::with_cuts(bytes::Bytes::from_static(b"<m to=\"\" id=\"n__\"/>"), 7, 16);
        let bare = Parcel::Event { event: event.clone(), via: Via::Bare };
        let full = Parcel::Event { event, via: Via::Full };
        assert_eq!(written(&mut splicer, &bare), "<m to=\"u@d\" id=\"n__u@d__00000\"/>");
        assert_eq!(written(&mut splicer, &full), "<m to=\"u@d/r\" id=\"n__u@d__00001\"/>");
        splicer.next_id = 36u32.pow(5) - 1;
        assert!(written(&mut splicer, &bare).contains("__zzzzz"));
        assert!(written(&mut splicer, &bare).contains("__00000"));
    }

    #[test]
    fn what_has_no_cuts_is_copied() {
        let mut splicer = Splicer::new("u@d".into(), "u@d/r".into());
        assert_eq!(written(&mut splicer, &Parcel::answer("<iq/>")), "<iq/>");
        let event = Parcel::Event { event: Event::new("<m/>"), via: Via::Bare };
        assert_eq!(written(&mut splicer, &event), "<m/>");
    }
}
