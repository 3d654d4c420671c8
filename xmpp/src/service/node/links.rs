//! The fields of a node's configuration that are about collections (XEP-0248 §10, §16).

use std::sync::Arc;

use super::super::form::{Kind, Writer};
use super::config::Fault;

/// Collections that a node may be in.
pub(crate) const PARENTS: usize = 8;

/// Nodes that a collection may have.
pub(crate) const CHILDREN: usize = 1000;

/// Accounts that one collection may name.
const WHITELIST: usize = 100;

/// Who may put nodes into a collection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Association {
    All,
    #[default]
    Owners,
    Whitelist,
}

const TYPES: &[&str] = &["leaf", "collection"];
const POLICIES: &[&str] = &["all", "owners", "whitelist"];

/// How a node is tied to others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Links {
    /// It is a collection itself.
    pub(crate) collection: bool,
    /// The collections it is in.
    pub(crate) parents: Vec<Arc<str>>,
    pub(crate) children_max: usize,
    pub(crate) policy: Association,
    /// Bare addresses.
    pub(crate) whitelist: Vec<String>,
}

impl Default for Links {
    fn default() -> Self {
        Self {
            collection: false,
            parents: Vec::new(),
            children_max: CHILDREN,
            policy: Association::default(),
            whitelist: Vec::new(),
        }
    }
}

impl Links {
    /// Takes over a field. False: it is none of these.
    pub(super) fn set(&mut self, field: &str, values: &[String]) -> Result<bool, Fault> {
        let given = || values.iter().filter(|value| !value.is_empty());
        let one = || match values {
            [value] => Ok(value.trim()),
            _ => Err(Fault::Value),
        };
        let choice = |choices: &[&str]| {
            let value = one()?;
            choices.iter().position(|choice| *choice == value).ok_or(Fault::Value)
        };
        match field {
            "node_type" => self.collection = choice(TYPES)? == 1,
            "collection" => {
                self.parents = given().map(|name| name.as_str().into()).collect();
                self.parents.sort_unstable();
                self.parents.dedup();
                if self.parents.len() > PARENTS {
                    return Err(Fault::Value);
                }
            }
            "children_max" => {
                let max = one()?.parse().map_err(|_| Fault::Value)?;
                self.children_max = if max <= CHILDREN { max } else { return Err(Fault::Value) };
            }
            "children_association_policy" => {
                self.policy =
                    [Association::All, Association::Owners, Association::Whitelist][choice(POLICIES)?];
            }
            "children_association_whitelist" => {
                self.whitelist = given().cloned().collect();
                if self.whitelist.len() > WHITELIST {
                    return Err(Fault::Value);
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Appends the fields to a form; `children` are the nodes in the collection.
    pub(super) fn push(&self, form: &mut Writer<'_>, children: &[Arc<str>]) {
        fn all(names: &[Arc<str>]) -> Vec<&str> {
            names.iter().map(|name| &**name).collect()
        }
        let kind = TYPES[usize::from(self.collection)];
        form.field("pubsub#node_type", Kind::List(TYPES), "Kind of node", kind);
        form.fields("pubsub#collection", Kind::Lines, "Collections that the node is in", &all(&self.parents));
        if !self.collection {
            return;
        }
        form.fields("pubsub#children", Kind::Lines, "Nodes in the collection", &all(children));
        let max = self.children_max.to_string();
        form.field("pubsub#children_max", Kind::Text, "Nodes that it may have", &max);
        let policy = POLICIES[self.policy as usize];
        let label = "Who may put nodes into it";
        form.field("pubsub#children_association_policy", Kind::List(POLICIES), label, policy);
        let listed: Vec<&str> = self.whitelist.iter().map(String::as_str).collect();
        let label = "Accounts that may, under the policy whitelist";
        form.fields("pubsub#children_association_whitelist", Kind::Lines, label, &listed);
    }
}
