//! Queues with their statistics (GED-188, QUERY_SKILL_GROUP_STATISTICS).

use std::sync::Arc;

use cti::{Message, field};

use super::time::{Now, UtcSeconds};
use super::xml::Writer;
use crate::directory;

/// The numbers of a queue; a queue that nobody reports has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Agents busy in other queues.
    pub busy_other: Option<u32>,
    /// Agents signed in.
    pub logged_on: Option<u32>,
    /// Agents not ready.
    pub not_ready: Option<u32>,
    /// Agents ready.
    pub ready: Option<u32>,
    /// Agents in calls from outside.
    pub talking_in: Option<u32>,
    /// Agents in calls among themselves.
    pub talking_internal: Option<u32>,
    /// Agents in calls to outside.
    pub talking_out: Option<u32>,
    /// Agents in after-call work, then not ready.
    pub wrap_up_not_ready: Option<u32>,
    /// Agents in after-call work, then ready.
    pub wrap_up_ready: Option<u32>,
    /// Calls that wait.
    pub waiting: Option<u32>,
    /// Since when the longest waiting call waits, in seconds since 1970.
    pub longest_since: Option<i64>,
}

impl Statistics {
    /// Reads QUERY_SKILL_GROUP_STATISTICS_CONF.
    pub fn from_cti(message: &Message, now: Now) -> Self {
        let get = |field| message.uint(field);
        // Calls wait in the router or at the peripheral; a server counts in one of the two.
        let waiting = match (get(field::ROUTER_CALLS_Q_NOW), get(field::CALLS_Q_NOW)) {
            (None, None) => None,
            (router, local) => Some(router.unwrap_or(0).max(local.unwrap_or(0))),
        };
        let longest = get(field::LONGEST_ROUTER_CALL_Q_NOW).max(get(field::LONGEST_CALL_Q_NOW));
        Self {
            busy_other: get(field::AGENTS_BUSY_OTHER),
            logged_on: get(field::AGENTS_LOGGED_ON),
            not_ready: get(field::AGENTS_NOT_READY),
            ready: get(field::AGENTS_AVAIL),
            talking_in: get(field::AGENTS_TALKING_IN),
            talking_internal: get(field::AGENTS_TALKING_OTHER),
            talking_out: get(field::AGENTS_TALKING_OUT),
            wrap_up_not_ready: get(field::AGENTS_WORK_NOT_READY),
            wrap_up_ready: get(field::AGENTS_WORK_READY),
            waiting,
            longest_since: longest
                .filter(|_| waiting.is_some_and(|n| n > 0))
                .map(|seconds| now.utc_ms / 1000 - i64::from(seconds)),
        }
    }

    /// Whether two readings say the same. The start of the longest wait is computed from a duration in seconds
    /// and may be off by one between readings.
    pub fn same_as(&self, other: &Self) -> bool {
        let near = match (self.longest_since, other.longest_since) {
            (Some(a), Some(b)) => a.abs_diff(b) <= 1,
            (a, b) => a == b,
        };
        near && Self { longest_since: None, ..*self } == Self { longest_since: None, ..*other }
    }
}

/// A queue as clients see it.
#[derive(Clone, Debug)]
pub struct QueueView {
    /// What is configured.
    pub queue: Arc<directory::Queue>,
    /// `/finesse/api/Queue/{id}`: path, node and source at once.
    pub uri: Arc<str>,
    /// Its numbers.
    pub statistics: Statistics,
}

impl QueueView {
    /// A queue without numbers.
    pub fn new(queue: &Arc<directory::Queue>) -> Self {
        let uri = format!("/finesse/api/Queue/{}", queue.id).into();
        Self { queue: queue.clone(), uri, statistics: Statistics::default() }
    }

    /// Writes the `Queue` document. Unknown numbers are `-1`, unknown times empty.
    pub fn write(&self, w: &mut Writer<'_>) {
        let number = |n: Option<u32>| n.map_or(-1, i64::from);
        let s = &self.statistics;
        w.open("Queue");
        w.text("name", &self.queue.name);
        w.open("statistics");
        w.value("agentsBusyOther", number(s.busy_other));
        w.value("agentsLoggedOn", number(s.logged_on));
        w.value("agentsNotReady", number(s.not_ready));
        w.value("agentsReady", number(s.ready));
        w.value("agentsTalkingInbound", number(s.talking_in));
        w.value("agentsTalkingInternal", number(s.talking_internal));
        w.value("agentsTalkingOutbound", number(s.talking_out));
        w.value("agentsWrapUpNotReady", number(s.wrap_up_not_ready));
        w.value("agentsWrapUpReady", number(s.wrap_up_ready));
        w.value("callsInQueue", number(s.waiting));
        w.option("startTimeOfLongestCallInQueue", s.longest_since.map(|t| UtcSeconds(t * 1000)));
        w.close("statistics");
        w.text("uri", &self.uri);
        w.close("Queue");
    }
}
