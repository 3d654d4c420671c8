//! Nodes that exist without having been created.

use std::sync::Arc;

/// Nodes that the embedder knows, such as one for each configured user.
///
/// They exist as long as [`exists`](Self::exists) says so; the broker keeps state only for those
/// with subscriptions. Both methods are called outside all locks, from whatever thread asked, and
/// should be quick: a map lookup, not a query.
pub trait NodeSource: Send + Sync {
    /// Whether there is a node of this name.
    fn exists(&self, node: &str) -> bool;

    /// Nodes to which the account is subscribed without asking, from the moment its first
    /// session binds until its last one leaves. Names that do not exist are left out.
    fn auto_subscriptions(&self, bare: &str) -> Vec<Arc<str>> {
        let _ = bare;
        Vec::new()
    }
}

/// The source of a broker that has none: only created nodes exist.
pub(crate) struct NoSource;

impl NodeSource for NoSource {
    fn exists(&self, _node: &str) -> bool {
        false
    }
}
