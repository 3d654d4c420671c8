//! What can be refused.

/// Why an operation was refused. Nothing is changed and nothing queued when one is returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A node name is empty or longer than 1024 bytes.
    #[error("node name is empty or longer than 1024 bytes")]
    BadName,
    /// The resource is taken and the caller asked not to replace its session.
    #[error("resource is in use")]
    Conflict,
    /// The session has ended, was replaced, or its account was removed.
    #[error("session is gone")]
    Gone,
    /// The node exists already, in the table or in the node source.
    #[error("node exists")]
    NodeExists,
    /// A session needs an address with a resource.
    #[error("address has no resource")]
    NoResource,
    /// No such node, neither in the table nor in the node source.
    #[error("no such node")]
    NoSuchNode,
    /// There is no such subscription.
    #[error("not subscribed")]
    NotSubscribed,
    /// The outbox belongs to another session.
    #[error("outbox belongs to another session")]
    OutboxInUse,
    /// The configured number of nodes is reached.
    #[error("too many nodes")]
    TooManyNodes,
    /// The configured number of subscriptions of the account or of the session is reached.
    #[error("too many subscriptions")]
    TooManySubscriptions,
}
