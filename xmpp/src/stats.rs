//! What was refused and why, and what a service shows of itself.
//!
//! Owns the names under which refusals are counted, for every transport. Counting is one relaxed addition
//! and happens only where something is refused: nothing of it is on the path of a publication.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::StreamError;

macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident => $label:literal),+ $(,)?) => {
        /// Why something was refused. Each has a [name](Refusal::name) that stays the same, for use as the
        /// label of a metric.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Refusal { $($(#[$doc])* $name,)+ }

        impl Refusal {
            /// Every reason, in a fixed order.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// Name of the reason: lower case with underscores.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $label,)+ }
            }
        }
    };
}

refusals! {
    /// Connection: as many as there may be are open.
    Connections => "connections",
    /// Connection or session: too many have not authenticated.
    Unauthenticated => "unauthenticated",
    /// Connection or session: its address has as many as it may have.
    AddressConnections => "address_connections",
    /// Connection or session: its address opens them too fast.
    AddressRate => "address_rate",
    /// Connection or session: all together open them too fast.
    TotalRate => "total_rate",
    /// Connection, session or input: the memory set aside for clients is used up.
    Memory => "memory",
    /// Connection or session: the server is stopping.
    Stopping => "stopping",
    /// TLS handshake or WebSocket upgrade that failed or took too long.
    Handshake => "handshake",
    /// Connection from an address that the listener is not for, or without the PROXY header it needs.
    NotListed => "not_listed",
    /// Request of a page whose origin is not let in.
    Origin => "origin",
    /// Request with a compressed body.
    Encoding => "encoding",
    /// Credentials that were not accepted.
    Login => "login",
    /// Stream ended after too many failed logins.
    LoginRetries => "login_retries",
    /// Input that is not XML, or not in the form that the transport prescribes.
    Malformed => "malformed",
    /// Document type, entity, comment, processing instruction.
    RestrictedXml => "restricted_xml",
    /// Stanza, message or body that is too large.
    Oversize => "oversize",
    /// Too deep, too many attributes, names too long, and the like.
    Structure => "structure",
    /// Stanza before authentication or binding.
    Premature => "premature",
    /// Any other offence against the protocol that ends a stream.
    Protocol => "protocol",
    /// Client that was silent too long, or slow with a stanza, a body or logging in.
    Timeout => "timeout",
    /// Stanza that came too fast: the session is not read from for a moment.
    Throttled => "throttled",
    /// Session ended because it sends too many stanzas.
    Flood => "flood",
    /// Session ended because it does not read what waits for it.
    Overflow => "overflow",
    /// Session ended by a rule that has no name of its own.
    Policy => "policy",
    /// Request for something the user has no right to.
    Forbidden => "forbidden",
    /// Stanza that claims to be from somebody else.
    ForgedFrom => "forged_from",
    /// Subscription beyond what an account or a session may have.
    Subscriptions => "subscriptions",
    /// Resource beyond what an account may have.
    Resources => "resources",
    /// Request that met another bound: nodes, stored items, lists.
    Quota => "quota",
    /// BOSH: session id that there is not.
    UnknownSid => "unknown_sid",
    /// BOSH: such an id from an address that has tried many.
    Guessing => "guessing",
    /// BOSH: request id outside of the window, answer that is not kept any more, wrong key.
    Sequence => "sequence",
    /// BOSH: request that is not as it has to be, repeated with another body, or in clear where it was not.
    BadRequest => "bad_request",
    /// BOSH: too many requests, too frequent polls, too many repetitions, too long a pause.
    Overactivity => "overactivity",
}

impl Refusal {
    /// The reason behind a stream error; `None` for ends that refuse nothing (conflict, shutdown, reset).
    pub(crate) fn of(error: StreamError) -> Option<Self> {
        use StreamError as E;
        Some(match error {
            E::NotWellFormed | E::BadFormat | E::InvalidXml | E::UnsupportedEncoding => Self::Malformed,
            E::RestrictedXml => Self::RestrictedXml,
            E::NotAuthorized => Self::Premature,
            E::ConnectionTimeout => Self::Timeout,
            E::InvalidFrom => Self::ForgedFrom,
            E::PolicyViolation(text) => Self::of_policy(text),
            E::ResourceConstraint(_) => Self::Memory,
            E::Conflict | E::SystemShutdown | E::Reset | E::HostGone | E::InternalServerError => return None,
            _ => Self::Protocol,
        })
    }

    /// The sentences are those for the peer; one that is not listed counts as [`Refusal::Policy`].
    fn of_policy(text: &str) -> Self {
        match text {
            "stanza too large" | "message too large" => Self::Oversize,
            "too many stanzas" => Self::Flood,
            "too slow in reading" => Self::Overflow,
            "too many failed logins" => Self::LoginRetries,
            _ if crate::reader::is_structural(text) => Self::Structure,
            _ => Self::Policy,
        }
    }
}

/// How often each reason applied. Counts only grow.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Refusals([u64; Refusal::ALL.len()]);

impl Refusals {
    /// How often `reason` applied.
    pub fn get(&self, reason: Refusal) -> u64 {
        self.0[reason as usize]
    }

    /// All reasons with their counts, also those that never applied.
    pub fn iter(&self) -> impl Iterator<Item = (Refusal, u64)> + '_ {
        Refusal::ALL.iter().map(|reason| (*reason, self.get(*reason)))
    }

    /// All reasons together.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }
}

/// Shows the reasons that applied.
impl std::fmt::Debug for Refusals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let applied = self.iter().filter(|(_, count)| *count > 0);
        f.debug_map().entries(applied.map(|(reason, count)| (reason.name(), count))).finish()
    }
}

/// What a [`Service`](crate::Service) has counted, over all its transports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Bound sessions at this moment.
    pub sessions: u64,
    /// Logins that succeeded.
    pub logins: u64,
    /// What was refused, by reason; failed logins are among them as [`Refusal::Login`].
    pub refusals: Refusals,
    /// Bytes held for clients at this moment; see [`broker::Budget`].
    pub memory: u64,
    /// Bytes that may be held for them.
    pub memory_limit: u64,
}

/// The counters behind [`Stats`].
pub(crate) struct Counters {
    logins: AtomicU64,
    refusals: [AtomicU64; Refusal::ALL.len()],
}

impl Counters {
    pub(crate) fn new() -> Self {
        Self { logins: AtomicU64::new(0), refusals: std::array::from_fn(|_| AtomicU64::new(0)) }
    }

    pub(crate) fn login(&self) {
        self.logins.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn refused(&self, reason: Refusal) {
        self.refusals[reason as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn snapshot(&self, sessions: usize, budget: &broker::Budget) -> Stats {
        Stats {
            sessions: sessions as u64,
            logins: self.logins.load(Ordering::Relaxed),
            refusals: Refusals(std::array::from_fn(|at| self.refusals[at].load(Ordering::Relaxed))),
            memory: budget.used() as u64,
            memory_limit: budget.limit() as u64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_labels_and_no_name_comes_twice() {
        let mut names: Vec<_> = Refusal::ALL.iter().map(|reason| reason.name()).collect();
        assert!(names.iter().all(|name| name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Refusal::ALL.len());
    }

    #[test]
    fn reasons_of_stream_errors() {
        let of = |text| Refusal::of(StreamError::PolicyViolation(text));
        assert_eq!(of("stanza too large"), Some(Refusal::Oversize));
        assert_eq!(of("elements nested too deeply"), Some(Refusal::Structure));
        assert_eq!(of("too slow in reading"), Some(Refusal::Overflow));
        assert_eq!(of("something new"), Some(Refusal::Policy));
        assert_eq!(Refusal::of(StreamError::Conflict), None);
    }

    #[test]
    fn a_snapshot_shows_what_applied() {
        let counters = Counters::new();
        counters.refused(Refusal::Flood);
        counters.refused(Refusal::Flood);
        counters.login();
        let stats = counters.snapshot(3, &broker::Budget::new(9));
        assert_eq!((stats.sessions, stats.logins, stats.refusals.get(Refusal::Flood)), (3, 1, 2));
        assert_eq!(format!("{:?}", stats.refusals), "{\"flood\": 2}");
        assert_eq!(stats.refusals.total(), 2);
    }
}
