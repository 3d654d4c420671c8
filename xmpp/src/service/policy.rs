//! Who may do what with a node: the embedder's say, asked before the node's own configuration.

use crate::auth::Principal;

/// Answer of an [`AccessPolicy`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// Permitted. For publishing and configuring this stands above the node's affiliations and publish
    /// model; for subscribing and retrieving the node's access model is still applied.
    Allow,
    /// The node's configuration and affiliations decide (XEP-0060 §4.1, §4.5). Nobody owns a node that was
    /// not created over XMPP, so that this means open to subscribers and closed to publishers there; for
    /// creating a node it means no.
    Defer,
    /// Refused with `forbidden`.
    Forbidden,
    /// Refused with `not-allowed` and, where the standard has it, `closed-node`.
    NotAllowed,
}

/// What somebody wants to do with a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Right {
    /// Subscribe to it.
    Subscribe,
    /// Publish to it.
    Publish,
    /// Create it.
    Create,
    /// Act as an owner of it: configure, purge and delete it, manage its subscribers and affiliations.
    Configure,
    /// Read its stored items.
    Retrieve,
}

/// The embedder's rights. Called for every request, without any lock held; has to answer at once.
pub trait AccessPolicy: Send + Sync + 'static {
    /// May `who` subscribe to the existing node `node`?
    fn subscribe(&self, who: &Principal, node: &str) -> Access {
        let _ = (who, node);
        Access::Defer
    }

    /// May `who` publish to the existing node `node`?
    fn publish(&self, who: &Principal, node: &str) -> Access {
        let _ = (who, node);
        Access::Defer
    }

    /// May `who` create the node `node`?
    fn create(&self, who: &Principal, node: &str) -> Access {
        let _ = (who, node);
        Access::Forbidden
    }

    /// May `who` act as an owner of `node`: configure, purge and delete it, manage its subscribers and
    /// affiliations?
    fn configure(&self, who: &Principal, node: &str) -> Access {
        let _ = (who, node);
        Access::Defer
    }

    /// May `who` read the stored items of `node`?
    fn retrieve(&self, who: &Principal, node: &str) -> Access {
        let _ = (who, node);
        Access::Defer
    }

    /// May the external component `domain` do this with `node`? Every component may publish and create, unless
    /// the embedder says otherwise; the nodes decide about the rest.
    fn component(&self, domain: &str, right: Right, node: &str) -> Access {
        let _ = (domain, node);
        match right {
            Right::Publish | Right::Create => Access::Allow,
            Right::Subscribe | Right::Configure | Right::Retrieve => Access::Defer,
        }
    }

    /// Does `owner`, a bare address, let `who` see his presence? Decides about subscribing to and reading nodes
    /// with the access model `presence` (XEP-0060 §4.5). There are no rosters here, so that by default
    /// nobody does.
    fn sees_presence(&self, who: &Principal, owner: &str) -> bool {
        let _ = (who, owner);
        false
    }

    /// Is `who` in one of `groups` of the roster of `owner`, a bare address? Decides about nodes with the
    /// access model `roster`; `groups` is what the node's configuration allows. By default nobody is.
    fn in_roster_group(&self, who: &Principal, owner: &str, groups: &[String]) -> bool {
        let _ = (who, owner, groups);
        false
    }

    /// True for accounts that are exempt from the rate of stanzas: those that publish.
    fn may_flood(&self, who: &Principal) -> bool {
        let _ = who;
        false
    }
}

/// Everybody may create nodes, and the nodes decide about the rest (the default of Openfire and of most
/// pubsub services). For embedders and examples.
#[derive(Clone, Copy, Debug, Default)]
pub struct OpenPolicy;

impl AccessPolicy for OpenPolicy {
    fn create(&self, _: &Principal, _: &str) -> Access {
        Access::Allow
    }
}
