//! Takes down every value that is logged on this thread.

use std::fmt::Debug;
use std::sync::{Arc, Mutex, OnceLock};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Dispatch, Event, Metadata, Subscriber};

/// While there is but one dispatcher in the process, a place in the code that logs for the first time asks the
/// one of its own thread whether anybody wants that, and never again: a test beside this one, on a thread without
/// one, would switch it off for all. With a second one all are asked.
static ANOTHER: OnceLock<Dispatch> = OnceLock::new();

/// What was logged. Clones share it.
#[derive(Clone, Default)]
pub struct Recorder(Arc<Mutex<Vec<String>>>);

impl Recorder {
    /// Listens on this thread until the guard is dropped.
    pub fn install(&self) -> tracing::subscriber::DefaultGuard {
        ANOTHER.get_or_init(|| Dispatch::new(Self::default()));
        tracing::subscriber::set_default(self.clone())
    }

    pub fn values(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

struct Values<'a>(&'a mut Vec<String>);

impl Visit for Values<'_> {
    /// Writers escape what they get as `Debug` and print what was made by `Display` as it is; both come here.
    fn record_debug(&mut self, _: &Field, value: &dyn Debug) {
        self.0.push(format!("{value:?}"));
    }
}

impl Subscriber for Recorder {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        ["xmpp", "broker", "bosh"].iter().any(|name| metadata.target().starts_with(name))
    }
    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        attributes.record(&mut Values(&mut self.0.lock().unwrap()));
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut Values(&mut self.0.lock().unwrap()));
    }
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        event.record(&mut Values(&mut self.0.lock().unwrap()));
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}
