//! Web origins that are let in (RFC 6454; RFC 6455 §10.2 for WebSocket, the Fetch standard for requests).

use std::sync::Arc;

/// A list of origins, with `*` for any, and `:*` at the end for any port. Clones share it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins(Arc<[String]>);

impl Origins {
    /// The given origins, compared without case.
    pub fn new(list: impl IntoIterator<Item = impl Into<String>>) -> Origins {
        Origins(list.into_iter().map(|origin| origin.into().to_ascii_lowercase()).collect())
    }

    /// Every origin.
    pub fn any() -> Origins {
        Origins::new(["*"])
    }

    /// Whether an entry of a list can match anything: an origin as browsers write it, or one of the patterns.
    pub fn is_pattern(text: &str) -> bool {
        let plain = text.strip_suffix(":*").unwrap_or(text);
        let rest = plain.split_once("://").filter(|(scheme, _)| {
            !scheme.is_empty() && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
        });
        let is_host = |host: &str| {
            !host.is_empty() && host.bytes().all(|b| b.is_ascii_graphic() && !b"/?#*@\\".contains(&b))
        };
        text == "*" || text == "null" || rest.is_some_and(|(_, host)| is_host(host))
    }

    /// Whether nobody is let in.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether pages of `origin` are let in.
    pub fn admit(&self, origin: &str) -> bool {
        let mut lower = None;
        self.0.iter().any(|pattern| {
            if pattern == "*" {
                return true;
            }
            let origin: &str = lower.get_or_insert_with(|| origin.to_ascii_lowercase());
            match pattern.strip_suffix(":*") {
                Some(host) => origin.strip_prefix(host).is_some_and(|rest| {
                    rest.is_empty()
                        || rest.strip_prefix(':').is_some_and(|port| {
                            (1..=5).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit())
                        })
                }),
                None => *pattern == origin,
            }
        })
    }

    /// [`Origins::admit`] for the raw value of a header.
    pub fn admit_bytes(&self, origin: &[u8]) -> bool {
        std::str::from_utf8(origin).is_ok_and(|origin| self.admit(origin))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_match_whole() {
        let origins = Origins::new(["https://crm.example.com", "http://localhost:*"]);
        for good in
            ["https://crm.example.com", "http://localhost", "http://localhost:8080", "HTTP://LOCALHOST:1"]
        {
            assert!(origins.admit(good), "{good}");
        }
        for bad in [
            "http://crm.example.com",
            "https://crm.example.com.evil.org",
            "http://localhost.evil",
            "http://localhost:",
            "http://localhost:1/x",
            "null",
            "",
        ] {
            assert!(!origins.admit(bad), "{bad}");
        }
        assert!(Origins::any().admit("https://any.example") && Origins::any().admit_bytes(b"null"));
        assert!(!Origins::any().admit_bytes(b"\xff"));
        assert!(!Origins::default().admit("http://localhost") && Origins::default().is_empty());
    }

    #[test]
    fn patterns_that_match_nothing_are_known() {
        for good in ["*", "null", "https://a.example", "http://a:1", "http://[::1]:*", "chrome-extension://x"]
        {
            assert!(Origins::is_pattern(good), "{good}");
        }
        for bad in ["", "a.example", "https://", "https://a/b", "https://*.example", "://a"] {
            assert!(!Origins::is_pattern(bad), "{bad}");
        }
    }
}
