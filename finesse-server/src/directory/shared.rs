//! The directory of the present, for those who look at it from many tasks.

use std::sync::Arc;

use parking_lot::RwLock;

use super::Directory;

/// A place from which the directory is taken anew for each question. Clones are the same place.
#[derive(Clone, Debug, Default)]
pub struct Shared(Arc<RwLock<Arc<Directory>>>);

impl Shared {
    /// What holds at present. What belongs together has to be asked of one of them.
    pub fn load(&self) -> Arc<Directory> {
        self.0.read().clone()
    }

    /// From now on this one holds.
    pub fn exchange(&self, directory: Arc<Directory>) {
        *self.0.write() = directory;
    }
}

impl From<Arc<Directory>> for Shared {
    fn from(directory: Arc<Directory>) -> Shared {
        Shared(Arc::new(RwLock::new(directory)))
    }
}
