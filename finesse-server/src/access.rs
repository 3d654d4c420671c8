//! Rights on nodes for accounts that are nobody in the contact centre: load-test accounts and external publishers.
//! Everybody else's rights are the model's.

use std::sync::Arc;

use xmpp::{Access, AccessPolicy, Principal};

use crate::realm::{Kind, tag};

/// The rights of persons, with those of the other accounts around them.
pub struct Rights {
    persons: Arc<dyn AccessPolicy>,
}

impl Rights {
    /// `persons` is asked about everybody of the directory.
    pub fn new(persons: Arc<dyn AccessPolicy>) -> Rights {
        Rights { persons }
    }

    /// What a publisher may do and a reader may not.
    fn owning(&self, who: &Principal, ask: impl FnOnce(&dyn AccessPolicy) -> Access) -> Access {
        match who.tag {
            PUBLISHER => Access::Allow,
            READER => Access::Forbidden,
            _ => ask(&*self.persons),
        }
    }

    /// What readers and publishers may do on any node.
    fn reading(&self, who: &Principal, ask: impl FnOnce(&dyn AccessPolicy) -> Access) -> Access {
        match who.tag {
            PUBLISHER | READER => Access::Allow,
            _ => ask(&*self.persons),
        }
    }
}

const READER: u64 = tag(Kind::Reader);
const PUBLISHER: u64 = tag(Kind::Publisher);

impl AccessPolicy for Rights {
    fn subscribe(&self, who: &Principal, node: &str) -> Access {
        self.reading(who, |persons| persons.subscribe(who, node))
    }

    fn publish(&self, who: &Principal, node: &str) -> Access {
        self.owning(who, |persons| persons.publish(who, node))
    }

    fn create(&self, who: &Principal, node: &str) -> Access {
        self.owning(who, |persons| persons.create(who, node))
    }

    fn configure(&self, who: &Principal, node: &str) -> Access {
        self.owning(who, |persons| persons.configure(who, node))
    }

    fn retrieve(&self, who: &Principal, node: &str) -> Access {
        self.reading(who, |persons| persons.retrieve(who, node))
    }

    fn may_flood(&self, who: &Principal) -> bool {
        match who.tag {
            PUBLISHER => true,
            READER => false,
            _ => self.persons.may_flood(who),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use xmpp::Right;

    struct Closed;

    impl AccessPolicy for Closed {
        fn subscribe(&self, _: &Principal, _: &str) -> Access {
            Access::NotAllowed
        }
    }

    #[test]
    fn each_kind_has_its_rights() {
        let rights = Rights::new(Arc::new(Closed));
        let who = |kind| Principal { user: "x".into(), tag: tag(kind) };
        let all = |kind| {
            let who = who(kind);
            [rights.subscribe(&who, "/n"), rights.publish(&who, "/n"), rights.create(&who, "/n")]
        };
        assert_eq!(all(Kind::Publisher), [Access::Allow; 3]);
        assert_eq!(all(Kind::Reader), [Access::Allow, Access::Forbidden, Access::Forbidden]);
        assert_eq!(all(Kind::Person), [Access::NotAllowed, Access::Defer, Access::Forbidden]);
        let component = |right| rights.component("events.example", right, "/n");
        assert_eq!(component(Right::Publish), Access::Allow);
        assert_eq!(component(Right::Create), Access::Allow);
        assert_eq!(component(Right::Configure), Access::Defer);
        assert!(rights.may_flood(&who(Kind::Publisher)) && !rights.may_flood(&who(Kind::Reader)));
    }
}
