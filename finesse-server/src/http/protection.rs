//! Headers that every answer carries, whoever made it: what browsers may not do with it.

use hyper::Response;
use hyper::header::{
    CACHE_CONTROL, HeaderValue, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};

/// Adds `X-Content-Type-Options`, `Referrer-Policy`, unless the answer has its own `Cache-Control`, and
/// `Strict-Transport-Security` (RFC 6797) where there is a value: over TLS only (§7.2).
pub(super) fn protect<B>(mut answer: Response<B>, transport_security: Option<&HeaderValue>) -> Response<B> {
    let headers = answer.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if let Some(value) = transport_security {
        headers.insert(STRICT_TRANSPORT_SECURITY, value.clone());
    }
    answer
}

/// Value of `Strict-Transport-Security` for so many seconds; `None` for 0.
pub fn transport_security(seconds: u32) -> Option<HeaderValue> {
    let value = (seconds > 0).then(|| HeaderValue::try_from(format!("max-age={seconds}")));
    value.and_then(Result::ok)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_answer_says_about_caching_stays() {
        let mut own = Response::new(());
        own.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        assert_eq!(protect(own, None).headers()[CACHE_CONTROL], "no-cache");
        let other = protect(Response::new(()), transport_security(60).as_ref());
        assert_eq!(other.headers()[CACHE_CONTROL], "no-store");
        assert_eq!(other.headers()[STRICT_TRANSPORT_SECURITY], "max-age=60");
        assert_eq!(transport_security(0), None);
    }
}
