//! Sending clients elsewhere: when the server stops, or to empty it before.

use std::sync::Arc;

use broker::EndReason;

use super::Service;
use crate::config::Alternate;

impl Service {
    /// Says where clients are told to go when the service stops or [moves](Self::move_sessions) them; `None`
    /// (as in the beginning): nowhere. A transport for which the alternate has no address tells them
    /// `system-shutdown`.
    pub fn redirect(&self, alternate: Option<Alternate>) {
        *self.0.alternate.write() = alternate.map(Arc::new);
    }

    /// Where clients are told to go.
    pub fn alternate(&self) -> Option<Arc<Alternate>> {
        self.0.alternate.read().clone()
    }

    /// Names of all bound resources, one for each session.
    pub fn resources(&self) -> Vec<Arc<str>> {
        self.0.accounts.resources()
    }

    /// Ends up to `max` sessions as a stop would do, sessions that wait to be resumed included, and returns
    /// how many. Called at intervals it empties the server without a rush on the other one. Nobody is kept
    /// from coming back.
    pub fn move_sessions(&self, max: usize) -> usize {
        let leaving = self.0.accounts.outboxes().into_iter().filter(|outbox| outbox.is_ended().is_none());
        leaving.take(max).map(|outbox| outbox.end(EndReason::Moved)).count()
    }
}
