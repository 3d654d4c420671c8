//! Writing `<body/>` by hand.
//!
//! Old clients look for the literal `xmlns`, `xmpp:` and `stream:` in the text, so that no XML
//! library may choose prefixes here. The most frequent answer, the empty body, is a constant.

use bytes::Bytes;

use super::Condition;

const OPEN: &[u8] = b"<body xmlns=\"http://jabber.org/protocol/httpbind\"";
const STREAM_NS: &[u8] = b" xmlns:stream=\"http://etherx.jabber.org/streams\"";
const CLOSE: &[u8] = b"</body>";
const EMPTY: &[u8] = b"<body xmlns=\"http://jabber.org/protocol/httpbind\"/>";
const TERMINATE: &[u8] = b"<body xmlns=\"http://jabber.org/protocol/httpbind\" type=\"terminate\"/>";
const RECOVER: &[u8] = b"<body xmlns=\"http://jabber.org/protocol/httpbind\" type=\"error\"/>";

/// An empty body: the answer to a poll with nothing to say.
pub fn empty() -> Bytes {
    Bytes::from_static(EMPTY)
}

/// An orderly end (XEP-0124 §13).
pub fn terminate() -> Bytes {
    Bytes::from_static(TERMINATE)
}

/// The recoverable error: the client shall repeat what was not answered (XEP-0124 §17.3).
pub fn recoverable() -> Bytes {
    Bytes::from_static(RECOVER)
}

/// An end with a condition and nothing else in the body.
pub fn failure(condition: Condition) -> Bytes {
    let mut body = Builder::new(Vec::with_capacity(128), false);
    body.terminate(Some(condition));
    body.finish()
}

/// One body under construction: attributes first, then payload, then [`finish`](Self::finish).
pub(super) struct Builder {
    out: Vec<u8>,
}

impl Builder {
    /// Starts a body in `out`. `stream` declares the prefix `stream`, which features and stream
    /// errors need.
    pub(super) fn new(mut out: Vec<u8>, stream: bool) -> Self {
        out.extend_from_slice(OPEN);
        if stream {
            out.extend_from_slice(STREAM_NS);
        }
        Self { out }
    }

    /// Adds an attribute whose value needs no escaping.
    pub(super) fn plain(&mut self, name: &str, value: &str) {
        debug_assert!(!value.contains(['"', '&', '<']));
        self.out.push(b' ');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"=\"");
        self.out.extend_from_slice(value.as_bytes());
        self.out.push(b'"');
    }

    /// Adds a number.
    pub(super) fn number(&mut self, name: &str, value: u64) {
        let mut digits = [0u8; 20];
        let mut at = digits.len();
        let mut rest = value;
        loop {
            at -= 1;
            digits[at] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        self.plain(name, std::str::from_utf8(&digits[at..]).unwrap_or_default());
    }

    /// Adds an attribute with any value.
    pub(super) fn escaped(&mut self, name: &str, value: &str) {
        self.out.push(b' ');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"=\"");
        self.out.extend_from_slice(&minidom::element::escape(value.as_bytes()));
        self.out.push(b'"');
    }

    /// Adds `type="terminate"` and the condition.
    pub(super) fn terminate(&mut self, condition: Option<Condition>) {
        self.plain("type", "terminate");
        if let Some(condition) = condition {
            self.plain("condition", condition.name());
        }
    }

    /// Ends the start tag and hands the buffer out for the payload.
    pub(super) fn payload(&mut self) -> &mut Vec<u8> {
        self.out.push(b'>');
        &mut self.out
    }

    /// Ends a body that carries no payload.
    pub(super) fn finish(mut self) -> Bytes {
        self.out.extend_from_slice(b"/>");
        Bytes::from(self.out)
    }

    /// Ends a body after its payload.
    pub(super) fn finish_payload(mut self) -> Bytes {
        self.out.extend_from_slice(CLOSE);
        Bytes::from(self.out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_escapes() {
        let mut body = Builder::new(Vec::new(), true);
        body.number("ack", 0);
        body.number("time", u64::MAX);
        body.escaped("from", "a\"<&>'");
        body.payload().extend_from_slice(b"<x/>");
        let text = String::from_utf8(body.finish_payload().to_vec()).unwrap();
        assert_eq!(
            text,
            "<body xmlns=\"http://jabber.org/protocol/httpbind\" \
             xmlns:stream=\"http://etherx.jabber.org/streams\" ack=\"0\" time=\"18446744073709551615\" \
             from=\"a&quot;&lt;&amp;&gt;&apos;\"><x/></body>"
        );
    }

    #[test]
    fn failures_name_their_condition() {
        let text = failure(Condition::ItemNotFound);
        assert_eq!(
            text,
            "<body xmlns=\"http://jabber.org/protocol/httpbind\" type=\"terminate\" \
             condition=\"item-not-found\"/>"
        );
    }
}
