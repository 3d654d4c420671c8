//! What is configured for desktops beside people and queues: what clients read at sign-in. Immutable; a change of the
//! configuration makes a new one, which takes effect at once.

mod layouts;
mod phone_books;
mod workflows;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use layouts::{Entry, Layout, PAGES};
pub use phone_books::{Contact, PhoneBook};
pub use workflows::{ActionVariable, Rule, SystemVariable, Variable, Workflow, WorkflowAction};

/// A label that an agent gives a call (guide, "WrapUpReason").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrapUpReason {
    /// Number in its path.
    pub id: u32,
    /// Text shown to people, at most 39 bytes.
    pub label: String,
    /// Whether every team may use it.
    pub for_all: bool,
    /// Teams that may use it when not for all.
    pub teams: Vec<u32>,
}

/// An expanded call context variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EccVariable {
    /// Name, with `user.` in front.
    pub name: String,
    /// Most bytes of a value.
    pub length: u32,
}

/// Where the chat servers are; empty: nowhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chat {
    /// URL of the first.
    pub primary: String,
    /// URL of the second.
    pub secondary: String,
}

/// A phone (guide, "Devices").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Its name.
    pub id: String,
    /// Kind of terminal, as JTAPI numbers it.
    pub kind: u32,
    /// The same for people.
    pub kind_name: String,
    /// Its extension.
    pub extension: String,
}

/// All of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Catalogue {
    /// Whether the deployment is UCCX, which lacks some of it.
    pub ccx: bool,
    /// Whether sign-ins may name a device: with CTI protocol 24 on CCE.
    pub names_devices: bool,
    /// Wrap-up reasons in the order of the configuration.
    pub wrap_up_reasons: Vec<Arc<WrapUpReason>>,
    /// Layouts of call data, the default one first.
    pub layouts: Vec<Arc<Layout>>,
    /// Phone books, the global ones first.
    pub phone_books: Vec<Arc<PhoneBook>>,
    /// Workflows in their order.
    pub workflows: Vec<Arc<Workflow>>,
    /// What workflows can do.
    pub workflow_actions: Vec<Arc<WorkflowAction>>,
    /// The page layout of teams without one of their own.
    pub pages: String,
    /// Page layouts of teams.
    pub team_pages: BTreeMap<u32, String>,
    /// Expanded call context variables.
    pub ecc_variables: Vec<EccVariable>,
    /// Chat servers.
    pub chat: Chat,
    /// Phones.
    pub devices: Vec<Device>,
}

impl Default for Catalogue {
    fn default() -> Self {
        Self {
            ccx: false,
            names_devices: true,
            wrap_up_reasons: Vec::new(),
            layouts: vec![Arc::new(Layout::built_in())],
            phone_books: Vec::new(),
            workflows: Vec::new(),
            workflow_actions: Vec::new(),
            pages: PAGES.into(),
            team_pages: BTreeMap::new(),
            ecc_variables: Vec::new(),
            chat: Chat::default(),
            devices: Vec::new(),
        }
    }
}

impl Catalogue {
    /// The wrap-up reasons of a team, or of somebody without one.
    pub fn wrap_up_reasons_of(&self, team: Option<u32>) -> impl Iterator<Item = &Arc<WrapUpReason>> {
        self.wrap_up_reasons.iter().filter(move |r| serves(r.for_all, &r.teams, team))
    }

    /// The phone books of a team, or of somebody without one: the global ones first.
    pub fn phone_books_of(&self, team: Option<u32>) -> impl Iterator<Item = &Arc<PhoneBook>> {
        self.phone_books.iter().filter(move |book| serves(book.global, &book.teams, team))
    }

    /// The workflows of a team; somebody without one has none.
    pub fn workflows_of(&self, team: Option<u32>) -> impl Iterator<Item = &Arc<Workflow>> {
        self.workflows.iter().filter(move |workflow| serves(false, &workflow.teams, team))
    }
}

/// Whether something configured for these teams is for this one.
fn serves(for_all: bool, teams: &[u32], team: Option<u32>) -> bool {
    for_all || team.is_some_and(|team| teams.contains(&team))
}
