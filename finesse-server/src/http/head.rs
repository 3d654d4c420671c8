//! The raw header of an HTTP/1.1 request, as far as hyper does not tell: whether it names both a length and a
//! transfer coding. Such a request is read differently by different programs, which is what smuggling one request
//! inside another lives on (RFC 9112 §6.3, §11.2).

use hyper::header::{HeaderMap, TRANSFER_ENCODING};

const CODING: &[u8] = b"transfer-encoding:";
const LENGTH: &[u8] = b"content-length:";

/// What a header was seen to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    coding: bool,
    length: bool,
    /// Lines behind the request line.
    fields: usize,
}

impl Head {
    /// Whether a request, as hyper has read it, may be answered: it has no transfer coding, or its header was seen
    /// whole and has nothing beside the coding that says where the body ends.
    pub(super) fn allows(seen: Option<Head>, headers: &HeaderMap) -> bool {
        !headers.contains_key(TRANSFER_ENCODING)
            || seen.is_some_and(|head| head.coding && !head.length && head.fields == headers.len())
    }
}

/// A header on its way.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// The beginning of the present line, in lower case.
    line: [u8; CODING.len()],
    length: usize,
    lines: usize,
    seen_coding: bool,
    seen_length: bool,
}

impl Scan {
    /// Takes bytes in; returns what the header held when they complete it.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Option<Head> {
        for &byte in bytes {
            match byte {
                b'\n' => {
                    // Empty lines before the request line are skipped, as hyper does.
                    if self.length == 0 && self.lines > 0 {
                        let (coding, length) = (self.seen_coding, self.seen_length);
                        return Some(Head { coding, length, fields: self.lines - 1 });
                    }
                    self.end_line();
                }
                b'\r' => {}
                _ if self.length < self.line.len() => {
                    self.line[self.length] = byte.to_ascii_lowercase();
                    self.length += 1;
                }
                _ => {}
            }
        }
        None
    }

    fn end_line(&mut self) {
        let line = &self.line[..self.length];
        self.seen_coding |= line == CODING;
        self.seen_length |= line.starts_with(LENGTH);
        self.lines += usize::from(self.length > 0);
        self.length = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(text: &str) -> Option<Head> {
        let mut scan = Scan::default();
        // One byte at a time: lines may arrive in any pieces.
        text.as_bytes().chunks(1).find_map(|byte| scan.feed(byte))
    }

    #[test]
    fn both_framings_are_seen_in_any_order_and_case() {
        let both = |text| head(text).is_some_and(|head| head.coding && head.length);
        assert!(both("POST / HTTP/1.1\r\nContent-Length: 3\r\ntransfer-encoding: chunked\r\n\r\n"));
        assert!(both("\r\nPOST / HTTP/1.1\nTRANSFER-ENCODING:chunked\nHost: a\ncontent-length:0\n\n"));
        let one = head("POST /content-length: HTTP/1.1\r\nX-Content-Length: 3\r\nHost: a\r\n\r\n").unwrap();
        assert_eq!(one, Head { coding: false, length: false, fields: 2 });
        assert_eq!(head("POST / HTTP/1.1\r\nContent-Length: 3\r\n"), None);
    }

    #[test]
    fn a_coding_that_was_not_seen_alone_is_not_allowed() {
        let mut headers = HeaderMap::new();
        assert!(Head::allows(None, &headers));
        headers.insert(TRANSFER_ENCODING, "chunked".parse().unwrap());
        let seen = |coding, length, fields| Some(Head { coding, length, fields });
        assert!(Head::allows(seen(true, false, 1), &headers));
        for bad in [None, seen(true, true, 2), seen(false, false, 1), seen(true, false, 2)] {
            assert!(!Head::allows(bad, &headers), "{bad:?}");
        }
    }
}
