//! Counters, and what an operator sees of them.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::core::Condition;

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {
        #[derive(Debug, Default)]
        pub(crate) struct Counters { $(pub(crate) $name: Counter,)+ }

        /// A snapshot of an endpoint's counters. All but the first two only grow.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct Stats {
            /// Sessions in the table.
            pub sessions: u64,
            /// Requests that are held back at this moment.
            pub held: u64,
            $($(#[$doc])* pub $name: u64,)+
        }

        impl Counters {
            pub(crate) fn snapshot(&self, sessions: u64, held: u64) -> Stats {
                Stats { sessions, held, $($name: self.$name.get(),)+ }
            }
        }
    };
}

counters! {
    /// Requests with a body that reached the protocol.
    requests,
    /// Of these, empty bodies that the parser did not see.
    polls,
    /// Sessions created.
    created,
    /// Sessions ended by their client.
    terminated,
    /// Sessions that went silent.
    expired,
    /// Sessions ended by the stream behind them: conflict, removal, an error.
    closed,
    /// Sessions ended for a violation of the protocol other than those below.
    failed,
    /// Sessions ended for too much of anything.
    policy_violations,
    /// Requests with an unknown session id.
    unknown_sid,
    /// Of these, refused because the address guesses.
    guesses_refused,
    /// Session creation refused by the limits of one address.
    address_refused,
    /// Session creation refused by the limits of all.
    total_refused,
    /// Bodies that were too large.
    oversize,
    /// Bodies that did not arrive in time.
    body_timeouts,
    /// Bodies that were no XML, or not what is allowed of it.
    malformed,
    /// Origins that were refused.
    origin_refused,
}

#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Counters {
    /// A session has ended with a condition.
    pub(crate) fn ended(&self, condition: Option<Condition>) {
        match condition {
            None => self.terminated.add(),
            Some(Condition::PolicyViolation) => self.policy_violations.add(),
            Some(Condition::RemoteStreamError | Condition::SystemShutdown | Condition::SeeOtherUri) => {
                self.closed.add();
            }
            Some(_) => self.failed.add(),
        }
    }
}
