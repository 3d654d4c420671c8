//! Writes a parcel as one session sees it: the rendering of an event is shared by all its receivers, the
//! address and the message id are filled in here.

use broker::{Event, Extra, Parcel, Via};
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

    /// Goes on with the message id of this number.
    pub(crate) fn continue_at(mut self, next_id: u32) -> Self {
        self.next_id = next_id;
        self
    }

    /// Number of the next message id.
    pub(crate) fn next_id(&self) -> u32 {
        self.next_id
    }

    /// The session's full address, escaped.
    pub fn full(&self) -> &Arc<str> {
        &self.full
    }

    /// Appends `parcel` to `out`. An event gets `to` by the subscription it is for, and an id of the bare
    /// address and five characters that differ from message to message of the session.
    ///
    /// What a subscription wants added, such as the SHIM headers of XEP-0060 §12.16, goes in front of the
    /// end tag; so does a `<body/>` with the text of the event.
    pub fn write(&mut self, parcel: &Parcel, out: &mut Vec<u8>) {
        match parcel {
            Parcel::Event { event, via } => self.write_event(event, *via, out),
            Parcel::Special { event, via, extra } => {
                self.write_event(event, *via, out);
                add(out, event, extra);
            }
            Parcel::Direct { .. } => write_plain(parcel, out),
        }
    }

    fn write_event(&mut self, event: &Event, via: Via, out: &mut Vec<u8>) {
        let bytes = event.bytes();
        let Some((to_at, id_at)) = event.cuts() else { return out.extend_from_slice(bytes) };
        let to = match via {
            Via::Bare => &self.bare,
            Via::Full => &self.full,
        };
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
        self.next_id = id_after(self.next_id);
        let mut id = [b'0'; ID_LEN as usize];
        for place in id.iter_mut().rev() {
            *place = DIGITS[(rest % 36) as usize];
            rest /= 36;
        }
        id
    }
}

/// End of every event message.
const END: &[u8] = b"</message>";

/// Adds to the message that has just been written.
fn add(out: &mut Vec<u8>, event: &Event, extra: &Extra) {
    if !out.ends_with(END) {
        return;
    }
    out.truncate(out.len() - END.len());
    if extra.summary {
        push_body(out, event.bytes());
    }
    out.extend_from_slice(&extra.bytes);
    out.extend_from_slice(END);
}

/// Appends the text of a rendered event as a body; none if there is no text. Neither tags nor attribute
/// values hold a `>` of their own, and the text is escaped already.
fn push_body(out: &mut Vec<u8>, bytes: &[u8]) {
    let start = out.len();
    out.extend_from_slice(b"<body>");
    let empty = out.len();
    let mut rest = bytes;
    while let Some(tag) = rest.iter().position(|byte| *byte == b'<') {
        out.extend_from_slice(&rest[..tag]);
        let end = rest[tag..].iter().position(|byte| *byte == b'>').map_or(rest.len(), |end| tag + end + 1);
        rest = &rest[end..];
    }
    if out.len() == empty {
        out.truncate(start);
    } else {
        out.extend_from_slice(b"</body>");
    }
}

/// The number of the message id behind this one.
pub(crate) fn id_after(id: u32) -> u32 {
    (id + 1) % 36u32.pow(ID_LEN)
}

/// Whether a parcel gets a message id when it is written.
pub(crate) fn takes_id(parcel: &Parcel) -> bool {
    match parcel {
        Parcel::Event { event, .. } | Parcel::Special { event, .. } => event.cuts().is_some(),
        Parcel::Direct { .. } => false,
    }
}

/// Appends a parcel that has nothing to splice.
pub(crate) fn write_plain(parcel: &Parcel, out: &mut Vec<u8>) {
    out.extend_from_slice(parcel.bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn additions_come_in_front_of_the_end() {
        let mut splicer = Splicer::new("u@d".into(), "u@d/r".into());
        let text = "<message to=\"\" id=\"n__\"><e a=\"&gt;&quot;\">a&lt;b<i/> c</e></message>";
        let event = Event::with_cuts(text.into(), 13, 22);
        let special = |summary| Parcel::Special {
            event: event.clone(),
            via: Via::Full,
            extra: Arc::new(Extra { bytes: "<h/>".into(), summary }),
        };
        let start = "<message to=\"u@d/r\" id=\"n__u@d__0000";
        let middle = "\"><e a=\"&gt;&quot;\">a&lt;b<i/> c</e>";
        assert_eq!(written(&mut splicer, &special(false)), format!("{start}0{middle}<h/></message>"));
        assert_eq!(
            written(&mut splicer, &special(true)),
            format!("{start}1{middle}<body>a&lt;b c</body><h/></message>")
        );
        let mut out = Vec::new();
        push_body(&mut out, b"<m><x/></m>");
        assert!(out.is_empty(), "no text, no body");
    }

    #[test]
    fn what_has_no_cuts_is_copied() {
        let mut splicer = Splicer::new("u@d".into(), "u@d/r".into());
        assert_eq!(written(&mut splicer, &Parcel::answer("<iq/>")), "<iq/>");
        let event = Parcel::Event { event: Event::new("<m/>"), via: Via::Bare };
        assert_eq!(written(&mut splicer, &event), "<m/>");
    }
}
