//! Replies of the model as HTTP responses.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE,
    X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Response, StatusCode};

use super::Answer;
use crate::model::command::{ApiError, Reply};

/// The header that ties a request to its event. Header names have no case.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("requestid");

const XML: HeaderValue = HeaderValue::from_static("application/xml;charset=UTF-8");

/// The response that says what the model said.
pub(super) fn of(reply: Reply) -> Answer {
    match reply {
        Reply::Document(xml) => xml_response(StatusCode::OK, xml),
        Reply::Accepted => with_status(StatusCode::ACCEPTED, Bytes::new()),
        Reply::Refused(error) => refused(&error),
    }
}

fn refused(error: &ApiError) -> Answer {
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut answer = xml_response(status, error.to_xml());
    if status == StatusCode::SERVICE_UNAVAILABLE {
        answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
    }
    answer
}

/// 401 with a challenge.
pub(super) fn challenge(error: &ApiError, realm: &str) -> Answer {
    let mut answer = refused(error);
    // The configuration admits printable ASCII without quotes only.
    let value = HeaderValue::from_str(&format!("Basic realm=\"{realm}\", charset=\"UTF-8\""))
        .unwrap_or(HeaderValue::from_static("Basic realm=\"Finesse\", charset=\"UTF-8\""));
    answer.headers_mut().insert(WWW_AUTHENTICATE, value);
    answer
}

/// 503 with the time to wait: too many sign in at once.
pub(super) fn busy() -> Answer {
    refused(&ApiError::new(503, "Service Unavailable", "Too many users sign in at this moment", ""))
}

/// 429 with the time to wait.
pub(super) fn too_many(user: &str, wait: Duration) -> Answer {
    let mut answer =
        refused(&ApiError::new(429, "Too Many Requests", "The user makes too many requests", user));
    answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
    answer
}

/// 405 with what is allowed.
pub(super) fn not_allowed(method: &str, allow: &'static str) -> Answer {
    let mut answer = refused(&ApiError::method_not_allowed(method));
    answer.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
    answer
}

/// What every response carries.
pub(super) fn finish(answer: &mut Answer, request_id: Option<HeaderValue>) {
    let headers = answer.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(request_id) = request_id {
        headers.insert(REQUEST_ID, request_id);
    }
}

fn xml_response(status: StatusCode, xml: String) -> Answer {
    let mut answer = with_status(status, xml.into());
    answer.headers_mut().insert(CONTENT_TYPE, XML);
    answer
}

fn with_status(status: StatusCode, body: Bytes) -> Answer {
    let mut answer = Response::new(Full::new(body));
    *answer.status_mut() = status;
    answer
}
