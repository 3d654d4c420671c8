//! Cross-origin requests: which pages of other origins may call the API (Fetch standard, CORS protocol).

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ALLOW, HeaderMap,
    HeaderValue, ORIGIN, VARY,
};
use hyper::{Response, StatusCode};

use super::Answer;

/// Origins of pages served from this machine to itself.
pub const LOCAL: [&str; 6] = [
    "http://localhost:*",
    "https://localhost:*",
    "http://127.0.0.1:*",
    "https://127.0.0.1:*",
    "http://[::1]:*",
    "https://[::1]:*",
];

/// A list of origins, with `*` for any, and `:*` at the end for any port.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins(Vec<String>);

impl Origins {
    /// The given origins.
    pub fn new(list: impl IntoIterator<Item = impl Into<String>>) -> Origins {
        Origins(list.into_iter().map(|origin| origin.into().to_ascii_lowercase()).collect())
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

    /// Pages served from this machine to itself, on any port.
    pub fn local() -> Origins {
        Origins::new(LOCAL)
    }

    /// Whether pages of `origin` are let in.
    pub fn admit(&self, origin: &str) -> bool {
        let origin = origin.to_ascii_lowercase();
        self.0.iter().any(|pattern| match pattern.strip_suffix(":*") {
            Some(host) => origin.strip_prefix(host).is_some_and(|rest| {
                rest.is_empty()
                    || rest.strip_prefix(':').is_some_and(|port| {
                        (1..=5).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit())
                    })
            }),
            None => pattern == "*" || *pattern == origin,
        })
    }
}

/// The headers that one request's origin earns.
pub(super) struct Headers {
    admitted: Option<HeaderValue>,
    varies: bool,
}

impl Headers {
    pub(super) fn of(request: &HeaderMap, origins: &Origins) -> Headers {
        let admitted = request
            .get(ORIGIN)
            .filter(|origin| origin.to_str().is_ok_and(|origin| origins.admit(origin)))
            .cloned();
        Headers { admitted, varies: !origins.0.is_empty() }
    }

    pub(super) fn apply(&self, headers: &mut HeaderMap) {
        if self.varies {
            headers.append(VARY, HeaderValue::from_static("Origin"));
        }
        if let Some(origin) = &self.admitted {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            headers.insert(
                ACCESS_CONTROL_EXPOSE_HEADERS,
                HeaderValue::from_static("requestId, Location, Retry-After, Content-Range"),
            );
        }
    }

    /// Answer to OPTIONS, which carries no credentials.
    pub(super) fn preflight(&self, request: &HeaderMap) -> Answer {
        let mut answer = Response::new(Full::new(Bytes::new()));
        *answer.status_mut() = StatusCode::NO_CONTENT;
        let headers = answer.headers_mut();
        headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD, PUT, POST, OPTIONS"));
        self.apply(headers);
        if self.admitted.is_some() && request.contains_key(ACCESS_CONTROL_REQUEST_METHOD) {
            headers.insert(
                ACCESS_CONTROL_ALLOW_METHODS,
                HeaderValue::from_static("GET, HEAD, PUT, POST, OPTIONS"),
            );
            headers.insert(
                ACCESS_CONTROL_ALLOW_HEADERS,
                HeaderValue::from_static(
                    "Authorization, Content-Type, requestId, X-Requested-With, Range, Cache-Control",
                ),
            );
            headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("3600"));
        }
        answer
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
        assert!(Origins::new(["*"]).admit("https://any.example"));
        assert!(!Origins::default().admit("http://localhost"));
        assert!(Origins::local().admit("https://[::1]:8445"));
    }
}
