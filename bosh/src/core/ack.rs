//! Acknowledgements (XEP-0124 §9): what we tell of requests, what the client tells of answers.

use std::time::{Duration, Instant};

use super::Condition;
use super::replay::Replay;

/// How old an unacknowledged answer has to be before the client is told that it seems lost.
const REPORT_AFTER: Duration = Duration::from_secs(2);

/// The client's side of the bookkeeping.
#[derive(Debug)]
pub(super) struct Acks {
    /// The client acknowledges: `ack="1"` in its first request (XEP-0124 §9.2).
    pub(super) client: bool,
    /// An answer to tell the client about with the next one.
    report: Option<u64>,
}

impl Acks {
    pub(super) fn new(client: bool) -> Self {
        Self { client, report: None }
    }

    /// Takes the `ack` of one new request; `answered` is the highest id answered so far. A missing
    /// `ack` means that everything answered has arrived.
    pub(super) fn take(
        &mut self,
        now: Instant,
        ack: Option<&str>,
        answered: u64,
        replay: &mut Replay,
    ) -> Result<(), Condition> {
        if !self.client {
            return Ok(());
        }
        let Some(ack) = ack else {
            // Other requests may be under way whose answers this one crossed: nothing is dropped, but
            // nothing is reported either.
            self.report = None;
            return Ok(());
        };
        let ack: u64 = super::body::decimal(ack).ok_or(Condition::BadRequest)?;
        if ack > answered {
            return Err(Condition::BadRequest);
        }
        replay.acknowledge(ack);
        self.report = replay
            .get(ack + 1)
            .is_some_and(|kept| now.saturating_duration_since(kept.at) > REPORT_AFTER)
            .then_some(ack + 1);
        Ok(())
    }

    /// Whether the next answer should leave at once because it carries a report.
    pub(super) fn has_report(&self) -> bool {
        self.report.is_some()
    }

    /// The report for the next answer: the id, and the milliseconds since it was answered.
    pub(super) fn take_report(&mut self, now: Instant, replay: &Replay) -> Option<(u64, u64)> {
        let rid = self.report.take()?;
        let at = replay.get(rid)?.at;
        let elapsed = now.saturating_duration_since(at).as_millis();
        Some((rid, u64::try_from(elapsed).unwrap_or(u64::MAX)))
    }
}
