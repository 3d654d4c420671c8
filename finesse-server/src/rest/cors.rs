//! Cross-origin requests: which pages of other origins may call the API (Fetch standard, CORS protocol).

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ALLOW, HeaderMap,
    HeaderValue, ORIGIN, VARY,
};
use hyper::{Response, StatusCode};
pub use xmpp::Origins;

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
        Headers { admitted, varies: !origins.is_empty() }
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
