//! Replies of the model as HTTP responses.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{
    ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_RANGE, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION,
    RETRY_AFTER, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Response, StatusCode};

use super::{Answer, Outcome};
use crate::api::{Shape, json, openapi, runtime};
use crate::model::command::{ApiError, Reply};

/// The header that ties a request to its event. Header names have no case.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("requestid");

const XML: HeaderValue = HeaderValue::from_static("application/xml;charset=UTF-8");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// The form of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Xml,
    Json,
}

impl Format {
    /// JSON if `Accept` names it and does not prefer XML; what says nothing of either gets XML, as ever.
    pub(super) fn wanted(headers: &HeaderMap) -> Format {
        let (mut json, mut xml) = (0.0, 0.0);
        let values = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
        for range in values.flat_map(|value| value.split(',')) {
            let mut parts = range.split(';').map(str::trim);
            let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
            let quality = parts.find_map(|part| part.strip_prefix("q="));
            let quality = quality.map_or(1.0, |text| text.parse().unwrap_or(0.0));
            match essence.as_str() {
                "application/json" => json = f32::max(json, quality),
                "application/xml" | "text/xml" => xml = f32::max(xml, quality),
                _ => {}
            }
        }
        if json > 0.0 && json >= xml { Format::Json } else { Format::Xml }
    }
}

/// The response that says what came out.
pub(super) fn of(outcome: Outcome, format: Format) -> Answer {
    match outcome {
        Outcome::Reply(Reply::Document(xml), shape) => document(StatusCode::OK, xml, format, shape),
        Outcome::Reply(Reply::Accepted, _) => with_status(StatusCode::ACCEPTED, Bytes::new()),
        Outcome::Reply(Reply::Refused(error), _) => refused(&error, format),
        Outcome::Found(found, shape) => {
            let status = match found.partial {
                Some(_) => StatusCode::PARTIAL_CONTENT,
                None => StatusCode::OK,
            };
            let mut answer = document(status, found.xml, format, Some(shape));
            if let Some(range) = found.partial.and_then(|range| HeaderValue::try_from(range).ok()) {
                answer.headers_mut().insert(CONTENT_RANGE, range);
            }
            answer
        }
        Outcome::Done(location) => {
            let mut answer = with_status(StatusCode::OK, Bytes::new());
            if let Some(location) = location.and_then(|location| HeaderValue::try_from(location).ok()) {
                answer.headers_mut().insert(LOCATION, location);
            }
            answer
        }
        Outcome::Description => json_response(StatusCode::OK, openapi::description()),
    }
}

pub(super) fn refused(error: &ApiError, format: Format) -> Answer {
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut answer = document(status, error.to_xml(), format, Some(runtime::api_errors));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
    }
    answer
}

/// A document of a shape in the form asked for. One without a shape is XML in any case.
fn document(status: StatusCode, xml: String, format: Format, shape: Option<fn() -> Shape>) -> Answer {
    let shape = shape.filter(|_| format == Format::Json);
    match shape.and_then(|shape| json::from_xml(&xml, &shape())) {
        Some(json) => json_response(status, &json),
        None => xml_response(status, xml),
    }
}

/// 401 with a challenge.
pub(super) fn challenge(error: &ApiError, realm: &str, format: Format) -> Answer {
    let mut answer = refused(error, format);
    // The configuration admits printable ASCII without quotes only.
    let value = HeaderValue::from_str(&format!("Basic realm=\"{realm}\", charset=\"UTF-8\""))
        .unwrap_or(HeaderValue::from_static("Basic realm=\"Finesse\", charset=\"UTF-8\""));
    answer.headers_mut().insert(WWW_AUTHENTICATE, value);
    answer
}

/// 503 with the time to wait: too many sign in at once.
pub(super) fn busy(why: &'static str, format: Format) -> Answer {
    refused(&ApiError::new(503, "Service Unavailable", why, ""), format)
}

/// 429 with the time to wait.
pub(super) fn too_many(user: &str, wait: Duration, format: Format) -> Answer {
    let error = ApiError::new(429, "Too Many Requests", "The user makes too many requests", user);
    let mut answer = refused(&error, format);
    answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
    answer
}

/// 405 with what is allowed.
pub(super) fn not_allowed(method: &str, allow: &str, format: Format) -> Answer {
    let mut answer = refused(&ApiError::method_not_allowed(method), format);
    if let Ok(allow) = HeaderValue::try_from(allow) {
        answer.headers_mut().insert(ALLOW, allow);
    }
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

fn json_response(status: StatusCode, json: &serde_json::Value) -> Answer {
    let mut answer = with_status(status, json.to_string().into());
    answer.headers_mut().insert(CONTENT_TYPE, JSON);
    answer
}

fn with_status(status: StatusCode, body: Bytes) -> Answer {
    let mut answer = Response::new(Full::new(body));
    *answer.status_mut() = status;
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_for_those_who_name_it() {
        let wanted = |accept: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, accept.parse().unwrap());
            Format::wanted(&headers)
        };
        for accept in
            ["application/json", "Application/JSON; q=0.5, */*", "application/json, application/xml;q=0.9"]
        {
            assert_eq!(wanted(accept), Format::Json, "{accept}");
        }
        for accept in
            ["", "*/*", "application/xml", "application/json;q=0", "application/json;q=0.5, text/xml"]
        {
            assert_eq!(wanted(accept), Format::Xml, "{accept}");
        }
        assert_eq!(Format::wanted(&HeaderMap::new()), Format::Xml);
    }
}
