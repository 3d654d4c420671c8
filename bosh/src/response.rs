//! HTTP responses: always with a length, never chunked, never cached.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use hyper::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_MAX_AGE, ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
    HeaderMap, HeaderValue, ORIGIN, RETRY_AFTER, VARY,
};
use hyper::{Response, StatusCode};

use crate::config::Config;

/// The body of every response: one buffer whose length is known, so that hyper writes `Content-Length`.
/// Old clients cannot read chunks.
#[derive(Clone, Debug, Default)]
pub struct Body(Option<Bytes>);

impl Body {
    /// A body of these bytes.
    pub fn new(bytes: Bytes) -> Self {
        Self((!bytes.is_empty()).then_some(bytes))
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}

/// `Content-Type` of answers unless the client asks for another one.
pub(crate) const TEXT_XML: HeaderValue = HeaderValue::from_static("text/xml; charset=utf-8");

/// What a client may ask for with the attribute `content` (XEP-0124 §7.1).
pub(crate) fn content_type(asked: &str) -> Option<HeaderValue> {
    let mut parts = asked.split(';').map(str::trim);
    let kind = match parts.next()?.to_ascii_lowercase().as_str() {
        "text/xml" => return None,
        "text/html" => HeaderValue::from_static("text/html; charset=utf-8"),
        "application/xml" => HeaderValue::from_static("application/xml; charset=utf-8"),
        _ => return None,
    };
    // We write UTF-8 and nothing else; who asks for another set gets the usual type.
    let readable = parts.filter(|part| !part.is_empty()).all(|part| {
        part.split_once('=').is_some_and(|(name, value)| {
            name.trim().eq_ignore_ascii_case("charset")
                && value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
        })
    });
    readable.then_some(kind)
}

/// What the origin of a request means for its response.
pub(crate) enum Origin {
    /// No browser, or the same origin.
    None,
    /// Let in; the response names it.
    Allowed(HeaderValue),
    Refused,
}

impl Origin {
    pub(crate) fn of(headers: &HeaderMap, config: &Config) -> Self {
        let Some(origin) = headers.get(ORIGIN) else { return Self::None };
        match config.origins.admit_bytes(origin.as_bytes()) {
            true => Self::Allowed(origin.clone()),
            false => Self::Refused,
        }
    }

    fn write(self, headers: &mut HeaderMap) {
        if let Self::Allowed(origin) = self {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.insert(VARY, HeaderValue::from_static("Origin"));
        }
    }
}

/// No document up to this length holds a stanza: the empty bodies of polls are spared the header.
const SILENT: usize = 64;

/// A response with a document. Stanzas in it may be another user's words, and a form on a foreign page can make a
/// browser show the answer as a page of this server: the sandbox keeps scripts in it from running.
pub(crate) fn document(
    status: StatusCode,
    content_type: HeaderValue,
    origin: Origin,
    bytes: Bytes,
) -> Response<Body> {
    let speaks = bytes.len() > SILENT;
    let mut response = Response::new(Body::new(bytes));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, content_type);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if speaks {
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox"));
    }
    origin.write(headers);
    response
}

/// A response that says everything by its status.
pub(crate) fn bare(status: StatusCode, origin: Origin) -> Response<Body> {
    let mut response = Response::new(Body::default());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    match status {
        StatusCode::METHOD_NOT_ALLOWED => {
            headers.insert(ALLOW, HeaderValue::from_static("POST, OPTIONS"));
        }
        StatusCode::SERVICE_UNAVAILABLE => {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("5"));
        }
        // The rest of the request is still on its way, or the client is not welcome.
        StatusCode::PAYLOAD_TOO_LARGE
        | StatusCode::REQUEST_TIMEOUT
        | StatusCode::FORBIDDEN
        | StatusCode::BAD_REQUEST => {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        _ => {}
    }
    origin.write(headers);
    response
}

/// The answer to a CORS preflight request.
pub(crate) fn preflight(config: &Config, origin: Origin) -> Response<Body> {
    if matches!(origin, Origin::Refused) {
        return bare(StatusCode::FORBIDDEN, origin);
    }
    let mut response = bare(StatusCode::OK, origin);
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST, GET, OPTIONS"));
    let mut allowed = String::from("Content-Type");
    for name in &config.cors_headers {
        allowed.push_str(", ");
        allowed.push_str(name);
    }
    if let Ok(allowed) = HeaderValue::try_from(allowed) {
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, allowed);
    }
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x46_only_known_content_types_are_taken() {
        let html = content_type("text/html; charset=utf-8").unwrap();
        assert_eq!(html, "text/html; charset=utf-8");
        assert_eq!(content_type("Application/XML").unwrap(), "application/xml; charset=utf-8");
        for other in
            ["text/xml; charset=utf-8", "text/plain", "text/html; charset=latin1", "", "text/html; x"]
        {
            assert!(content_type(other).is_none(), "{other}");
        }
    }
}
