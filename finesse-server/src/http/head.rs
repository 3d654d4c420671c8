//! The raw header of an HTTP/1.1 request, as far as hyper does not tell: whether it names both a length and a
//! transfer coding. Such a request is read differently by different programs, which is what smuggling one request
//! inside another lives on (RFC 9112 §6.3, §11.2).

use hyper::Method;
use hyper::header::{HeaderMap, TRANSFER_ENCODING};
use memchr::memchr;

const CODING: &[u8] = b"transfer-encoding:";
const LENGTH: &[u8] = b"content-length:";

/// What a header was seen to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    coding: bool,
    length: bool,
    /// Lines behind the first.
    fields: usize,
    /// The beginning of the first line, in lower case.
    first: [u8; CODING.len()],
}

impl Head {
    /// Whether a request, as hyper has read it, may be answered: it has no transfer coding, or no other than
    /// `chunked`, its header was seen whole, and nothing beside the coding says where the body ends.
    pub(super) fn allows(seen: Option<Head>, method: &Method, headers: &HeaderMap) -> bool {
        let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
        let Some(coding) = codings.next() else { return true };
        let chunked = codings.next().is_none() && coding.as_bytes().eq_ignore_ascii_case(b"chunked");
        chunked && seen.is_some_and(|head| head.is_whole(method, headers) && head.coding && !head.length)
    }

    /// Whether the scan began where the header did. hyper reads a little ahead while a request is under way, and
    /// what it reads then is not seen: the count tells of lines that are missing, the method of half a line.
    fn is_whole(&self, method: &Method, headers: &HeaderMap) -> bool {
        let name = method.as_str().as_bytes();
        let begins = self.first.len() > name.len()
            && self.first[name.len()] == b' '
            && self.first[..name.len()].eq_ignore_ascii_case(name);
        // A method of letters cannot be the value of a length.
        begins && name.iter().all(u8::is_ascii_alphabetic) && self.fields == headers.len()
    }
}

/// A header on its way.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// The beginning of the present line, in lower case.
    line: [u8; CODING.len()],
    length: usize,
    lines: usize,
    first: [u8; CODING.len()],
    seen_coding: bool,
    seen_length: bool,
}

impl Scan {
    /// Takes bytes in; returns what the header held when they complete it.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Option<Head> {
        let mut rest = bytes;
        while let Some(end) = memchr(b'\n', rest) {
            self.part(&rest[..end]);
            // Empty lines before the request line are skipped, as hyper does.
            if self.length == 0 && self.lines > 0 {
                let (coding, length) = (self.seen_coding, self.seen_length);
                let (fields, first) = (self.lines - 1, self.first);
                return Some(Head { coding, length, fields, first });
            }
            self.end_line();
            rest = &rest[end + 1..];
        }
        self.part(rest);
        None
    }

    /// A line, or a part of one.
    fn part(&mut self, part: &[u8]) {
        // Every request goes through here: of most lines the first byte tells that they do not matter.
        let matters = |byte: u8| matches!(byte, b't' | b'T' | b'c' | b'C' | b'\r');
        let most = match part.first() {
            Some(&byte) if self.lines > 0 && self.length == 0 && !matters(byte) => 1,
            // Of such a line the rest comes: one letter more changes nothing.
            _ => self.line.len(),
        };
        for byte in part.iter().filter(|byte| **byte != b'\r') {
            if self.length >= most {
                break;
            }
            self.line[self.length] = byte.to_ascii_lowercase();
            self.length += 1;
        }
    }

    fn end_line(&mut self) {
        let line = &self.line[..self.length];
        self.seen_coding |= line == CODING;
        self.seen_length |= line.starts_with(LENGTH);
        if self.lines == 0 {
            self.first[..line.len()].copy_from_slice(line);
        }
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
        assert_eq!((one.coding, one.length, one.fields), (false, false, 2));
        assert_eq!(&one.first, b"post /content-leng");
        assert_eq!(head("POST / HTTP/1.1\r\nContent-Length: 3\r\n"), None);
    }

    /// What becomes of a request of which hyper reads everything, and the scan what is behind `|`.
    fn allowed(text: &str) -> bool {
        let (hidden, seen) = text.split_once('|').unwrap();
        let whole = format!("{hidden}{seen}");
        let mut lines = whole.split("\r\n");
        let method = lines.next().unwrap().split(' ').next().unwrap().parse().unwrap();
        let mut headers = HeaderMap::new();
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            // As hyper does: a coding makes a length go away.
            if !name.eq_ignore_ascii_case("content-length") {
                let name: hyper::header::HeaderName = name.parse().unwrap();
                headers.append(name, value.trim().parse().unwrap());
            }
        }
        Head::allows(head(seen), &method, &headers)
    }

    #[test]
    fn x73_a_coding_that_was_not_seen_alone_is_not_allowed() {
        assert!(allowed("|POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"));
        assert!(allowed("POST / HTTP/1.1\r\nHost|: a\r\n\r\n"), "no coding");
        let both = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n";
        for at in 0..=both.len() {
            assert!(!allowed(&format!("{}|{}", &both[..at], &both[at..])), "{at}");
        }
        // Half a line of a length in front, alone or with a method that looks like one.
        for at in 0..24 {
            for method in ["POST", "3"] {
                let both = format!(
                    "{method} / HTTP/1.1\r\nContent-Length: 3 \r\nTransfer-Encoding: chunked\r\n\r\n"
                );
                let (hidden, seen) = both.split_at(both.find("Content").unwrap() + at.min(19));
                assert!(!allowed(&format!("{hidden}|{seen}")), "{hidden}|{seen}");
            }
        }
        for odd in ["gzip, chunked", "chunked, chunked", "xchunked", "chunked\r\nTransfer-Encoding: chunked"]
        {
            assert!(!allowed(&format!("|POST / HTTP/1.1\r\nTransfer-Encoding: {odd}\r\n\r\n")), "{odd}");
        }
    }
}
