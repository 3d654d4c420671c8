//! Reading the body of a request, with bounds on its size and on the time it takes.

use std::pin::pin;
use std::sync::Arc;

use broker::Rank;
use bytes::{Bytes, BytesMut};
use hyper::body::Body;

use crate::cell::Cell;
use crate::config::Config;
use crate::core;
use crate::http::Shared;

/// Why there is no body.
pub(crate) enum BodyError {
    /// Larger than a stranger may send.
    TooLarge,
    /// Larger than this session may send.
    Session(Arc<Cell>),
    /// There is no memory for it at the moment.
    Memory,
    /// Did not arrive in time.
    Timeout,
    /// The connection broke, or the framing was wrong.
    Broken,
}

/// Reads a whole body. One that comes in one piece, as nearly all do, is not copied.
pub(crate) async fn read<B>(shared: &Arc<Shared>, config: &Config, body: B) -> Result<Bytes, BodyError>
where
    B: Body<Data = Bytes>,
{
    match tokio::time::timeout(config.body_timeout, collect(shared, config, body)).await {
        Ok(result) => result,
        Err(_) => Err(BodyError::Timeout),
    }
}

async fn collect<B>(shared: &Shared, config: &Config, body: B) -> Result<Bytes, BodyError>
where
    B: Body<Data = Bytes>,
{
    let mut body = pin!(body);
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    let mut whole = Bytes::new();
    let mut parts = BytesMut::new();
    let mut most = config.max_body_before_auth;
    let mut hold = shared.service.broker().budget().hold();
    while let Some(frame) = std::future::poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        let Ok(data) = frame.map_err(|_| BodyError::Broken)?.into_data() else { continue };
        if whole.is_empty() && parts.is_empty() {
            whole = data;
        } else {
            if parts.is_empty() {
                parts = BytesMut::with_capacity(announced.min(most).max(whole.len() + data.len()));
                parts.extend_from_slice(&whole);
                whole = Bytes::new();
            }
            parts.extend_from_slice(&data);
        }
        hold.set(parts.capacity(), Rank::Stranger).map_err(|_| BodyError::Memory)?;
        let so_far = if parts.is_empty() { &whole[..] } else { &parts[..] };
        if so_far.len().max(announced) > most {
            most = allowance(shared, config, so_far, announced)?;
        }
    }
    Ok(if parts.is_empty() { whole } else { parts.freeze() })
}

/// More than a stranger may send: fine for a session that has authenticated, up to its own bound.
fn allowance(shared: &Shared, config: &Config, so_far: &[u8], announced: usize) -> Result<usize, BodyError> {
    let cell = core::peek_sid(so_far).and_then(|sid| shared.registry.get(sid));
    let Some(cell) = cell else { return Err(BodyError::TooLarge) };
    if cell.is_authenticated() && so_far.len().max(announced) <= config.max_body {
        return Ok(config.max_body);
    }
    Err(BodyError::Session(cell))
}
