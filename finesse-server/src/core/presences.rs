//! Whose presence has changed since the model's task last looked: the XMPP service tells it on whatever thread causes it.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;
use xmpp::{Departure, Framing, PresenceObserver, Principal};

use crate::absence::Last;
use crate::config::Resources;
use crate::model::Presence;

/// Changes that wait to be taken. For each user the latest is kept, and so no more than there are users.
#[derive(Debug)]
pub(super) struct Presences {
    counted: Resources,
    changed: Mutex<HashMap<Arc<str>, Presence>>,
    notify: Notify,
}

impl Presences {
    /// Those resources count.
    pub(super) fn new(counted: Resources) -> Arc<Self> {
        Arc::new(Self { counted, changed: Mutex::default(), notify: Notify::new() })
    }

    /// Waits for changes and takes all there are. Cancel safe.
    pub(super) async fn take(&self) -> HashMap<Arc<str>, Presence> {
        loop {
            let changed = std::mem::take(&mut *self.changed.lock());
            if !changed.is_empty() {
                return changed;
            }
            self.notify.notified().await;
        }
    }

    fn put(&self, user: &Principal, presence: Presence) {
        // Load generators and bots have no state that could end.
        if user.tag == crate::realm::tag(crate::realm::Kind::Person) {
            self.changed.lock().insert(user.user.clone(), presence);
            self.notify.notify_one();
        }
    }
}

impl PresenceObserver for Presences {
    fn counts(&self, _: &Principal, resource: &str) -> bool {
        match self.counted {
            Resources::All => true,
            Resources::Desktop => resource == "desktop",
        }
    }

    fn available(&self, user: &Principal) {
        self.put(user, Presence::Came);
    }

    fn unavailable(&self, user: &Principal, last: &Departure) {
        let transport = last.transport.map_or("", Framing::name);
        self.put(
            user,
            Presence::Went(Last { resource: last.resource.clone(), transport, cause: last.cause }),
        );
    }
}
