//! The feeds: which nodes there are, who may listen to them and who does without asking, and how an update
//! becomes an event of the broker (Finesse Web Services Developer Guide, "Finesse Notifications").

use broker::{Broker, Published};

use crate::model::output::Update;

mod node;
mod nodes;

pub use node::{Node, UserFeed};
pub use nodes::Nodes;

/// Publishes updates. Keeps one buffer for the documents; a document is made only if somebody listens.
#[derive(Debug)]
pub struct Publisher {
    broker: Broker,
    pubsub_domain: String,
    document: String,
}

impl Publisher {
    /// Publishes through `broker` in the name of `pubsub_domain`.
    pub fn new(broker: Broker, pubsub_domain: impl Into<String>) -> Self {
        Self { broker, pubsub_domain: pubsub_domain.into(), document: String::new() }
    }

    /// Publishes an update on a node.
    pub fn publish(&mut self, node: &str, update: &Update) -> Published {
        let Self { broker, pubsub_domain, document } = self;
        broker.publish_with(node, || {
            document.clear();
            update.write(document);
            xmpp::notification(pubsub_domain, node, document)
        })
    }
}
