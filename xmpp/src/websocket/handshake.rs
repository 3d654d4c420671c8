//! The upgrade request: who is let in, and what the others are told (RFC 6455 §4.2, RFC 7395 §3.1).

use std::time::Instant;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode, Version};
use sha1::{Digest, Sha1};
use tracing::Instrument;

use super::WsOptions;
use crate::service::Service;
use crate::shell;
use crate::stats::Refusal;

/// RFC 6455 §1.3.
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const PROTOCOL: &str = "xmpp";

/// Answers an upgrade request on the WebSocket path and, if it is a good one, runs the session in a task of
/// its own once hyper has written the answer (`101`).
///
/// Refusals: `405` not GET; `400` no upgrade, no `xmpp` among the sub-protocols, a bad key; `426` another
/// version than 13; `403` an origin that is not let in; `503` too many connections. The connection has to be
/// served `with_upgrades`. Must be called inside of a tokio runtime.
pub fn upgrade<B>(mut request: Request<B>, service: Service, options: WsOptions) -> Response<Full<Bytes>> {
    let accept = match judge(&request, &options) {
        Ok(accept) => accept,
        Err(status) => {
            let reason = if status == StatusCode::FORBIDDEN { Refusal::Origin } else { Refusal::Handshake };
            service.count_refusal(reason);
            return refusal(status);
        }
    };
    let budget = service.broker().budget();
    let permit = match options.admission.enter(options.peer, budget, crate::tcp::CONNECTION, Instant::now()) {
        Ok(permit) => permit,
        Err(reason) => {
            service.count_refusal(reason);
            return refusal(StatusCode::SERVICE_UNAVAILABLE);
        }
    };
    let upgraded = hyper::upgrade::on(&mut request);
    let patience = service.config().timeouts.handshake;
    let span = shell::span("websocket", options.peer);
    let session = async move {
        match tokio::time::timeout(patience, upgraded).await {
            Ok(Ok(upgraded)) => super::session(upgraded, service, options, permit).await,
            Ok(Err(error)) => tracing::debug!(%error, "upgrade failed"),
            Err(_) => service.count_refusal(Refusal::Handshake),
        }
    };
    tokio::spawn(session.instrument(span));
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(PROTOCOL));
    response
}

/// Value of `Sec-WebSocket-Accept`, or why not.
fn judge<B>(request: &Request<B>, options: &WsOptions) -> Result<HeaderValue, StatusCode> {
    let headers = request.headers();
    if request.method() != Method::GET {
        return Err(StatusCode::METHOD_NOT_ALLOWED);
    }
    let upgrades = request.version() == Version::HTTP_11
        && has_token(headers, &header::CONNECTION, "upgrade", false)
        && has_token(headers, &header::UPGRADE, "websocket", false);
    // What comes behind the header is frames: a body would be read as one thing here and as another by a
    // proxy in front (RFC 9112 §11.2).
    let has_body = headers.contains_key(header::TRANSFER_ENCODING)
        || headers.get(header::CONTENT_LENGTH).is_some_and(|length| length != "0");
    if !upgrades || has_body {
        return Err(StatusCode::BAD_REQUEST);
    }
    if headers.get(header::SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        return Err(StatusCode::UPGRADE_REQUIRED);
    }
    if !has_token(headers, &header::SEC_WEBSOCKET_PROTOCOL, PROTOCOL, true) {
        return Err(StatusCode::BAD_REQUEST);
    }
    let origin = headers.get(header::ORIGIN);
    if origin.is_some_and(|origin| !options.origins.admit_bytes(origin.as_bytes())) {
        return Err(StatusCode::FORBIDDEN);
    }
    let key = headers.get(header::SEC_WEBSOCKET_KEY).ok_or(StatusCode::BAD_REQUEST)?.as_bytes();
    if STANDARD.decode(key).map_or(0, |nonce| nonce.len()) != 16 {
        return Err(StatusCode::BAD_REQUEST);
    }
    let digest = Sha1::new().chain_update(key).chain_update(GUID).finalize();
    HeaderValue::from_str(&STANDARD.encode(digest)).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}

/// Looks for a token in a comma-separated header that may come several times.
fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str, exact: bool) -> bool {
    headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).flat_map(|v| v.split(',')).any(|t| {
        let t = t.trim();
        if exact { t == token } else { t.eq_ignore_ascii_case(token) }
    })
}

fn refusal(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    match status {
        StatusCode::UPGRADE_REQUIRED => {
            headers.insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
            headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
            headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
        }
        StatusCode::SERVICE_UNAVAILABLE => {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        StatusCode::METHOD_NOT_ALLOWED => {
            headers.insert(header::ALLOW, HeaderValue::from_static("GET"));
        }
        StatusCode::BAD_REQUEST => {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        _ => {}
    }
    response
}
