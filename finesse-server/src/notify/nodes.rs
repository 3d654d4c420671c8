//! The nodes of the configured users, teams and queues, and the rights on them.

use std::sync::Arc;

use broker::NodeSource;
use xmpp::{Access, AccessPolicy, Principal};

use super::node::Node;
use crate::directory::{Directory, Shared, User};
use crate::model::system::SYSTEM_INFO;

/// What the names of the contact centre's nodes begin with.
const NAMES: &str = "/finesse/api/";

/// Node source and access policy of the contact centre.
#[derive(Debug)]
pub struct Nodes {
    directory: Shared,
    open: bool,
}

impl Nodes {
    /// Every user may listen to the own feeds, those of the own teams, and, as a supervisor, to those of the
    /// members of the supervised teams; administrators to all.
    pub fn new(directory: impl Into<Shared>) -> Self {
        Self { directory: directory.into(), open: false }
    }

    /// Every user may listen to every feed, as on a server whose nodes are open.
    pub fn open(directory: impl Into<Shared>) -> Self {
        Self { directory: directory.into(), open: true }
    }

    fn may_listen(&self, who: &Principal, name: &str) -> bool {
        let directory = &*self.directory.load();
        let Some(user) = directory.user_ignoring_case(&who.user) else { return false };
        let Some(node) = Node::parse(name) else { return user.roles.administrator };
        if self.open || user.roles.administrator {
            return true;
        }
        match node {
            Node::SystemInfo => true,
            Node::User(id, _) => reaches(directory, user, id),
            Node::Team(id) => {
                user.team == Some(id) || (user.roles.supervisor && user.supervises.contains(&id))
            }
            Node::Queue(id) => directory.queues_of(user).any(|queue| queue.id == id),
        }
    }
}

fn reaches(directory: &Directory, user: &User, id: &str) -> bool {
    directory
        .user_ignoring_case(id)
        .is_some_and(|other| other.id == user.id || directory.supervises(user, other))
}

impl NodeSource for Nodes {
    fn exists(&self, node: &str) -> bool {
        let directory = self.directory.load();
        match Node::parse(node) {
            Some(Node::SystemInfo) => true,
            Some(Node::User(id, _)) => directory.user(id).is_some(),
            Some(Node::Team(id)) => directory.team(id).is_some(),
            Some(Node::Queue(id)) => directory.queue(id).is_some(),
            None => false,
        }
    }

    fn auto_subscriptions(&self, bare: &str) -> Vec<Arc<str>> {
        let local = bare.rsplit_once('@').map_or(bare, |(local, _)| local);
        let directory = self.directory.load();
        let Some(user) = directory.user_ignoring_case(&xmpp::sasl::unescape(local)) else {
            return Vec::new();
        };
        let mut nodes: Vec<Arc<str>> = vec![SYSTEM_INFO.into()];
        if user.roles.agent {
            let own = ["", "/Dialogs", "/Media", "/Dialogs/Media"];
            nodes.extend(own.map(|feed| format!("/finesse/api/User/{}{feed}", user.id).into()));
        }
        nodes
    }
}

impl AccessPolicy for Nodes {
    fn subscribe(&self, who: &Principal, node: &str) -> Access {
        // Nodes elsewhere are those of publishers from outside, who say themselves who may listen.
        if !node.starts_with(NAMES) {
            return Access::Defer;
        }
        if self.may_listen(who, node) { Access::Allow } else { Access::Forbidden }
    }

    fn publish(&self, _: &Principal, _: &str) -> Access {
        Access::Forbidden
    }

    fn create(&self, _: &Principal, _: &str) -> Access {
        Access::Forbidden
    }

    fn configure(&self, _: &Principal, _: &str) -> Access {
        Access::Forbidden
    }

    fn retrieve(&self, who: &Principal, node: &str) -> Access {
        self.subscribe(who, node)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::directory;

    fn nodes() -> Nodes {
        Nodes::new(directory())
    }

    fn may(nodes: &Nodes, user: &str, node: &str) -> bool {
        let who = Principal { user: user.into(), tag: 0 };
        nodes.subscribe(&who, &format!("/finesse/api/{node}")) == Access::Allow
    }

    /// Requirement 28.
    #[test]
    fn n28_users_have_their_feeds_without_asking() {
        let nodes = nodes();
        let all = nodes.auto_subscriptions("1001@localhost");
        let names: Vec<&str> = all.iter().map(|n| &**n).collect();
        assert_eq!(
            names,
            [
                "/finesse/api/SystemInfo",
                "/finesse/api/User/1001",
                "/finesse/api/User/1001/Dialogs",
                "/finesse/api/User/1001/Media",
                "/finesse/api/User/1001/Dialogs/Media",
            ]
        );
        assert!(all.iter().all(|n| nodes.exists(n)));
        assert_eq!(nodes.auto_subscriptions("admin@localhost").len(), 1);
        assert!(nodes.auto_subscriptions("u0@localhost").is_empty());
    }

    #[test]
    fn the_local_part_finds_the_configured_spelling() {
        let nodes = nodes();
        assert_eq!(&*nodes.auto_subscriptions("mkeller@localhost")[1], "/finesse/api/User/MKeller");
        assert!(may(&nodes, "mkeller", "User/MKeller/Dialogs"));
    }

    #[test]
    fn agents_hear_themselves_and_their_team_only() {
        let nodes = nodes();
        assert!(may(&nodes, "1002", "SystemInfo") && may(&nodes, "1002", "User/1002/Dialogs"));
        assert!(may(&nodes, "1002", "Team/1/Users") && may(&nodes, "1002", "Queue/10"));
        assert!(!may(&nodes, "1002", "User/1003") && !may(&nodes, "1002", "Team/2/Users"));
        assert!(!may(&nodes, "1002", "Queue/11") && !may(&nodes, "nobody", "SystemInfo"));
    }

    #[test]
    fn supervisors_hear_their_members_and_administrators_everybody() {
        let nodes = nodes();
        assert!(may(&nodes, "1001", "User/1002/Dialogs") && !may(&nodes, "1001", "User/MKeller"));
        assert!(may(&nodes, "admin", "User/MKeller") && may(&nodes, "admin", "Queue/11"));
        assert!(may(&Nodes::open(directory()), "1002", "User/MKeller"));
    }

    #[test]
    fn nodes_of_publishers_from_outside_decide_themselves() {
        let who = Principal { user: "1002".into(), tag: 0 };
        assert_eq!(nodes().subscribe(&who, "/news"), Access::Defer);
        assert_eq!(nodes().retrieve(&who, "/news"), Access::Defer);
        assert_eq!(nodes().subscribe(&who, "/finesse/api/Nothing"), Access::Forbidden);
    }

    #[test]
    fn nobody_publishes_creates_or_configures() {
        let nodes = nodes();
        for user in ["1001", "admin"] {
            let who = Principal { user: user.into(), tag: 0 };
            let node = "/finesse/api/User/1001";
            assert_eq!(nodes.publish(&who, node), Access::Forbidden);
            assert_eq!(nodes.create(&who, node), Access::Forbidden);
            assert_eq!(nodes.configure(&who, node), Access::Forbidden);
        }
    }

    #[test]
    fn unknown_ids_have_no_nodes() {
        let nodes = nodes();
        for name in ["User/9999", "User/mkeller", "Team/99/Users", "Queue/99", "Nothing"] {
            assert!(!nodes.exists(&format!("/finesse/api/{name}")), "{name}");
        }
    }
}
