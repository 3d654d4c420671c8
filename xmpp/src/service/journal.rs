//! What the journal says of sessions: that one begins, is carried on, or ends, and why.
//!
//! Entries are written by a waker, so that they come after every lock of whoever caused them, a transport's own
//! included. While nobody listens to the target `journal` none is made.

use std::sync::Arc;
use std::task::{Wake, Waker};

use broker::WakeLater;

use super::Bound;
use super::bound::Fate;

/// What happened to a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A resource was bound.
    Begins,
    /// Another connection carries it on.
    Resumed,
    /// Its connection is lost; another may carry it on.
    Waits,
    /// It has ended.
    Ends,
}

struct Entry {
    step: Step,
    user: Arc<str>,
    session: Box<str>,
    fate: Fate,
}

/// Writes that this happened to a session.
pub(crate) fn note(bound: &Bound, step: Step) {
    if tracing::enabled!(target: "journal", tracing::Level::INFO) {
        let (user, session) = (bound.principal().user.clone(), bound.resource().into());
        WakeLater::wake(Waker::from(Arc::new(Entry { step, user, session, fate: bound.fate() })));
    }
}

impl Wake for Entry {
    fn wake(self: Arc<Self>) {
        // Names as strings, which writers escape: they may be what a client sent.
        let (user, session) = (&*self.user, &*self.session);
        let transport = self.fate.transport.map_or("", |transport| transport.name());
        match self.step {
            Step::Begins => tracing::info!(target: "journal", user, session, transport, "session begins"),
            Step::Resumed => tracing::info!(target: "journal", user, session, transport, "session resumed"),
            Step::Waits => {
                let cause = "connection lost; may be resumed";
                tracing::info!(target: "journal", user, session, transport, cause, "session waits");
            }
            Step::Ends => {
                let (cause, detail) = (self.fate.cause, self.fate.text);
                tracing::info!(target: "journal", user, session, transport, cause, detail, "session ends");
            }
        }
    }
}
