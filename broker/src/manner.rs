//! How a subscription wants its events where it does not want them as they are.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use crate::event::{Event, Parcel, Via};

/// States of a session that a [`Manner`] tells apart (see
/// [`Session::set_state`](crate::Session::set_state)).
pub const STATES: usize = 5;

/// What a transport adds to each event of a subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extra {
    /// Written at the end of the event, in front of whatever closes it.
    pub bytes: Bytes,
    /// Whether a readable summary of the event is wanted as well; the transport makes it.
    pub summary: bool,
}

/// What becomes of an event of a subscription while its session is in one state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Treatment {
    /// It is delivered as it is.
    #[default]
    Plain,
    /// It is not delivered.
    Withhold,
    /// It is delivered with something added.
    With(Arc<Extra>),
}

impl Treatment {
    /// The event as it is queued; `None` if it is withheld.
    pub fn parcel(&self, event: &Event, via: Via) -> Option<Parcel> {
        let event = event.clone();
        match self {
            Self::Plain => Some(Parcel::Event { event, via }),
            Self::Withhold => None,
            Self::With(extra) => Some(Parcel::Special { event, via, extra: extra.clone() }),
        }
    }
}

/// How one subscription wants its events, by the state of the session that receives them.
///
/// The broker keeps it as long as the subscription and no longer, with a note of whoever made it
/// that it does not look at. A node delivers to such subscriptions on a path of its own, in the same
/// order and under the same lock as to all others; the event stays shared.
pub struct Manner {
    by_state: [Treatment; STATES],
    note: Box<dyn Any + Send + Sync>,
}

impl Manner {
    /// One treatment for each state, and the maker's note.
    pub fn new<T: Any + Send + Sync>(by_state: [Treatment; STATES], note: T) -> Self {
        Self { by_state, note: Box::new(note) }
    }

    /// What becomes of events while the session is in `state`; states that are none are as the last.
    pub fn treatment(&self, state: u8) -> &Treatment {
        &self.by_state[usize::from(state).min(STATES - 1)]
    }

    /// The maker's note, if it is a `T`.
    pub fn note<T: Any>(&self) -> Option<&T> {
        self.note.downcast_ref()
    }
}

impl fmt::Debug for Manner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Manner").field("by_state", &self.by_state).finish_non_exhaustive()
    }
}

/// One subscription, as administrators see it.
#[derive(Clone, Debug)]
pub struct SubscriptionInfo {
    /// Given by the node source; ends with the account's last session.
    pub automatic: bool,
    /// How it wants its events; `None`: as they are.
    pub manner: Option<Arc<Manner>>,
}
