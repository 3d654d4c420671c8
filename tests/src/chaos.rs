//! A bad network between real clients and the server, and a server that has a lot to say.
//!
//! [`Site`] is the notification service in this process with one node for each user; [`http`] and [`tcp`] are
//! proxies in front of it that break what passes; [`Tally`] judges what the clients have read: each event once and
//! in order, all of them or up to an end that the client was told of.

pub mod bosh_client;
pub mod crowd;
pub mod dice;
pub mod http;
pub mod site;
pub mod tcp;

use std::collections::BTreeMap;
use std::fmt;

use anyhow::{Result, ensure};

pub use crowd::{Crowd, Program};
pub use dice::Dice;
pub use site::Site;

/// What one client has to say in the end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Numbers of the events it read, in the order in which it did.
    pub received: Vec<u64>,
    /// Why its session ended, if that was not its own wish.
    pub ended: Option<String>,
    /// How often it had to repeat a request, or to resume its stream.
    pub recovered: u64,
}

/// All reports of a run.
#[derive(Debug, Default)]
pub struct Tally {
    /// Clients that read everything.
    pub whole: usize,
    /// Clients that were told of an end, by what they were told.
    pub ended: BTreeMap<String, usize>,
    /// Events read by all.
    pub events: u64,
    /// Repetitions and resumptions of all.
    pub recovered: u64,
}

impl Tally {
    /// Judges the reports of clients that should have read events 1 to `last`.
    ///
    /// # Errors
    /// An event that is lost, doubled or out of order.
    pub fn judge(reports: &BTreeMap<String, Report>, last: u64) -> Result<Self> {
        let mut tally = Self::default();
        for (user, report) in reports {
            for (number, due) in report.received.iter().zip(1..) {
                ensure!(*number == due, "{user} read event {number} where {due} was due: {report:?}");
            }
            let count = report.received.len() as u64;
            tally.events += count;
            tally.recovered += report.recovered;
            match &report.ended {
                Some(reason) => *tally.ended.entry(reason.clone()).or_default() += 1,
                None => {
                    ensure!(count == last, "{user} read {count} of {last} events and was not told of an end");
                    tally.whole += 1;
                }
            }
        }
        Ok(tally)
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { whole, ended, events, recovered } = self;
        write!(f, "{events} events; {whole} clients read all of theirs, {recovered} recoveries")?;
        ended.iter().try_for_each(|(reason, count)| write!(f, "; {count} ended: {reason}"))
    }
}
