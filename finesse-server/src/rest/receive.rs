//! Bodies on their way in: whole, bounded in size and in time, and read as what their content type says.

use bytes::{Buf, Bytes};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::header::{CONTENT_TYPE, HeaderMap};
use std::time::{SystemTime, UNIX_EPOCH};

use super::body::{self, Charset, Element};
use super::client_logs::Log;
use super::{Outcome, Rest};
use crate::authority::{self, Object, Operation};
use crate::model::command::{ApiError, Reply};

impl Rest {
    /// Reads a body of at most `limit` bytes.
    async fn bytes<B>(&self, body: B, limit: usize) -> Result<Bytes, ApiError>
    where
        B: hyper::body::Body + Send,
        B::Data: Buf + Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let too_long =
            || ApiError::new(413, "Bad Request", "The body of the request is too long", limit.to_string());
        // What is announced as too long need not be waited for.
        if body.size_hint().lower() > limit as u64 {
            return Err(too_long());
        }
        let collect = Limited::new(body, limit).collect();
        match tokio::time::timeout(self.current().settings.body_timeout, Box::pin(collect)).await {
            Ok(Ok(collected)) => Ok(collected.to_bytes()),
            Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_long()),
            Ok(Err(_)) => Err(ApiError::bad_request("The body of the request did not arrive whole", "")),
            Err(_) => {
                Err(ApiError::new(408, "Bad Request", "The body of the request did not arrive in time", ""))
            }
        }
    }

    /// Reads and parses a request body.
    pub(super) async fn body<B>(&self, headers: &HeaderMap, body: B) -> Result<Element, ApiError>
    where
        B: hyper::body::Body + Send,
        B::Data: Buf + Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let limit = self.current().settings.body_bytes;
        xml(headers, &self.bytes(body, limit).await?)
    }

    /// `POST User/{id}/ClientLog` and `CompressedClientLog`.
    pub(super) async fn take_log<B>(
        &self,
        caller: &str,
        user: &str,
        compressed: bool,
        headers: &HeaderMap,
        body: B,
    ) -> Outcome
    where
        B: hyper::body::Body + Send,
        B::Data: Buf + Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        Outcome::Reply(
            match self.store_log(caller, user, compressed, headers, body).await {
                Ok(()) => Reply::Accepted,
                Err(error) => Reply::Refused(error),
            },
            None,
        )
    }

    async fn store_log<B>(
        &self,
        caller: &str,
        user: &str,
        compressed: bool,
        headers: &HeaderMap,
        body: B,
    ) -> Result<(), ApiError>
    where
        B: hyper::body::Body + Send,
        B::Data: Buf + Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let caller = self.person(caller)?;
        authority::judge(&self.0.directory.load(), Operation::SendClientLog, &caller, Object::User(user))?;
        let logs = self.current().settings.client_logs.clone();
        let writers = &self.0.log_writers;
        let Ok(_place) = writers.received.try_acquire() else {
            return Err(ApiError::new(503, "Service Unavailable", "Too many logs arrive at this moment", ""));
        };
        let bytes = self.bytes(body, logs.bytes_each).await?;
        let content_type =
            headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let log = match compressed {
            true => Log::of_bytes(content_type, bytes).await?,
            false => Log::of_element(&xml(headers, &bytes)?)?,
        };
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let utc_ms = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
        let file = logs.store(writers, &caller.id, utc_ms, log).await?;
        tracing::info!(user = %caller.id, file, "client log stored");
        Ok(())
    }
}

/// A body as XML. One without a content type is accepted if it is.
fn xml(headers: &HeaderMap, bytes: &[u8]) -> Result<Element, ApiError> {
    let content_type = headers.get(CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()));
    let Some(content_type) = content_type else {
        return body::parse(bytes, Charset::Utf8).map_err(|error| match bytes.is_empty() {
            true => error,
            false => ApiError::unsupported_media_type(""),
        });
    };
    match body::charset(&content_type) {
        Some(charset) => body::parse(bytes, charset),
        None => Err(ApiError::unsupported_media_type(&content_type)),
    }
}
