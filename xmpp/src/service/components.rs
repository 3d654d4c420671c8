//! Which components are connected.

use broker::Outbox;
use parking_lot::Mutex;

/// A place for each configured component, in the order of the configuration.
pub(crate) struct Components(Box<[Mutex<Option<Outbox>>]>);

impl Components {
    pub(crate) fn new(count: usize) -> Self {
        Self((0..count).map(|_| Mutex::default()).collect())
    }

    /// Takes the place of a component. False while another connection has it.
    pub(crate) fn enter(&self, index: usize, outbox: &Outbox) -> bool {
        let Some(place) = self.0.get(index) else { return false };
        let mut place = place.lock();
        if place.as_ref().is_some_and(|other| other.is_ended().is_none()) {
            return false;
        }
        *place = Some(outbox.clone());
        true
    }

    /// Gives the place back, if this connection still has it.
    pub(crate) fn leave(&self, index: usize, outbox: &Outbox) {
        if let Some(place) = self.0.get(index) {
            place.lock().take_if(|own| own.same(outbox));
        }
    }

    /// Where stanzas to a component go; `None`: it is not connected.
    pub(crate) fn find(&self, index: usize) -> Option<Outbox> {
        self.0.get(index)?.lock().clone()
    }

    /// Outboxes of all that are connected.
    pub(crate) fn outboxes(&self) -> Vec<Outbox> {
        self.0.iter().filter_map(|place| place.lock().clone()).collect()
    }
}
