//! Tells an embedder when a user's first available resource comes and his last one goes.
//!
//! Calls are made by a waker, so that they come after every lock of whoever caused them, a transport's own
//! included.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};
use std::task::{Wake, Waker};

use broker::WakeLater;
use parking_lot::Mutex;

use super::{Bound, Service};
use crate::auth::Principal;
use crate::stream::Framing;

/// How a user's last available resource went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Departure {
    /// The resource.
    pub resource: Arc<str>,
    /// What carried it; `None` if that is not known, because a newer session took the resource.
    pub transport: Option<Framing>,
    /// Why: the condition of a stream error, or a few words.
    pub cause: &'static str,
}

/// Hears whether users can be reached, for example to sign out those who have gone. See
/// [`Service::observe_presence`].
///
/// A resource that [counts](Self::counts) does so from its initial presence until it becomes unavailable, its
/// stream ends, or its connection is lost: a session that waits to be resumed (XEP-0198) does not count while it
/// waits.
///
/// Calls for one user come one after the other, in turn `available` and `unavailable`; a change and its
/// undoing may be left out while a call for that user runs. They are made without any lock, on the thread
/// that caused them, and should not take long.
pub trait PresenceObserver: Send + Sync + 'static {
    /// Whether a resource that is being bound counts; by default each does.
    fn counts(&self, user: &Principal, resource: &str) -> bool {
        let _ = (user, resource);
        true
    }

    /// The user's first resource has become available.
    fn available(&self, user: &Principal) {
        let _ = user;
    }

    /// The user's last available resource has gone, in this way.
    fn unavailable(&self, user: &Principal, last: &Departure) {
        let _ = (user, last);
    }
}

/// The observer, and what it has been told.
#[derive(Default)]
pub(crate) struct Watch {
    observer: OnceLock<Arc<dyn PresenceObserver>>,
    /// Users who are available as far as the observer knows, and those about whom it is being told, by bare
    /// address; so bounded by the bound sessions.
    told: Mutex<HashMap<Arc<str>, Told>>,
}

struct Told {
    user: Principal,
    available: bool,
    /// A call is being made; whoever makes it looks again afterwards.
    telling: bool,
}

/// The presence of an account may have changed.
struct Change {
    service: Service,
    account: Arc<str>,
    user: Principal,
    /// How the session that changed went, if it did.
    last: Departure,
}

/// To be called after a change of a resource's availability; `transport` and `cause` are for the case that the
/// resource has gone.
pub(crate) fn presence_changed(bound: &Bound, transport: Option<Framing>, cause: &'static str) {
    if bound.shared().watch.observer.get().is_some() {
        let (service, account, user) =
            (bound.service.clone(), bound.account.clone(), bound.principal().clone());
        let last = Departure { resource: bound.resource().into(), transport, cause };
        WakeLater::wake(Waker::from(Arc::new(Change { service, account, user, last })));
    }
}

impl Watch {
    /// Whether a resource counts for the observer, if there is one.
    pub(crate) fn counts(&self, user: &Principal, resource: &str) -> bool {
        let counts = |observer: &Arc<dyn PresenceObserver>| {
            catch_unwind(AssertUnwindSafe(|| observer.counts(user, resource))).unwrap_or(true)
        };
        self.observer.get().is_none_or(counts)
    }
}

impl Wake for Change {
    fn wake(self: Arc<Self>) {
        let watch = &self.service.0.watch;
        let Some(observer) = watch.observer.get() else { return };
        while let Some((user, available)) = self.next() {
            let call = || match available {
                true => observer.available(&user),
                false => observer.unavailable(&user, &self.last),
            };
            if catch_unwind(AssertUnwindSafe(call)).is_err() {
                tracing::error!("the presence observer panicked");
            }
            if let Some(told) = watch.told.lock().get_mut(&self.account) {
                told.telling = false;
            }
        }
    }
}

impl Change {
    /// What has to be told next about the account, if nobody else is telling.
    fn next(&self) -> Option<(Principal, bool)> {
        let mut told = self.service.0.watch.told.lock();
        let present = self.service.0.accounts.is_present(&self.account);
        match told.get_mut(&self.account) {
            Some(told) if told.telling => None,
            Some(entry) if entry.available != present => {
                (entry.available, entry.telling) = (present, true);
                Some((entry.user.clone(), present))
            }
            Some(entry) => {
                if !entry.available {
                    told.remove(&self.account);
                }
                None
            }
            None if present => {
                let user = self.user.clone();
                told.insert(
                    self.account.clone(),
                    Told { user: user.clone(), available: true, telling: true },
                );
                Some((user, true))
            }
            None => None,
        }
    }
}

impl Service {
    /// Has `observer` told whose presence comes and goes from now on. To be called before any session is let
    /// in; there can be one observer. False if there is one already.
    pub fn observe_presence(&self, observer: Arc<dyn PresenceObserver>) -> bool {
        self.0.watch.observer.set(observer).is_ok()
    }
}
