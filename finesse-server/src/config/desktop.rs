//! What desktops read at sign-in: `[desktop]` and the lists beside it. All of it takes effect at once when the file is
//! read again.

mod check;
mod workflows;

use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;

use super::{Config, Deployment};
use crate::catalogue::{
    Catalogue, Chat, Contact, Device, EccVariable, Entry, Layout, PAGES, PhoneBook, WrapUpReason,
};
pub(super) use check::check;
pub use workflows::{
    ActionKind, ActionVariableEntry, ParamEntry, RuleEntry, WorkflowActionEntry, WorkflowEntry,
};

/// Since this version of the CTI protocol a sign-in can name a device.
const DEVICES_SINCE: u32 = 24;

/// `[desktop]`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Desktop {
    /// Page layout of teams without one of their own (XML); empty: a plain one.
    pub layout: String,
    /// URL of the first chat server.
    pub chat_primary: String,
    /// URL of the second.
    pub chat_secondary: String,
}

/// `[[wrap_up_reason]]`.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct WrapUpReasonEntry {
    /// Number in its path.
    pub id: u32,
    /// Text shown to people.
    pub label: String,
    /// Numbers of the teams that may use it; all when absent or empty.
    #[serde(default)]
    pub teams: Vec<u32>,
}

/// `[[media_layout]]`.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct MediaLayoutEntry {
    /// Number in its path; 0 replaces the default layout.
    pub id: u32,
    /// The name by which calls ask for it.
    pub name: String,
    /// For people.
    #[serde(default)]
    pub description: String,
    /// What is shown above the columns.
    pub header: CallDataEntry,
    /// Left column.
    #[serde(default)]
    pub left: Vec<CallDataEntry>,
    /// Right column.
    #[serde(default)]
    pub right: Vec<CallDataEntry>,
}

/// One piece of call data in a layout.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct CallDataEntry {
    /// Name of the call variable or property.
    pub property: String,
    /// Text shown to people.
    #[serde(default)]
    pub display: String,
    /// Whether it is shown before the call is answered.
    #[serde(default)]
    pub pop_over: bool,
    /// Whether agents can change it.
    #[serde(default)]
    pub editable: bool,
}

/// `[[phone_book]]`.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct PhoneBookEntry {
    /// Number in its path.
    pub id: u32,
    /// Name shown to people.
    pub name: String,
    /// Numbers of the teams that have it; all when absent or empty.
    #[serde(default)]
    pub teams: Vec<u32>,
    /// Its entries; their numbers are their places, from 1.
    #[serde(default)]
    pub contacts: Vec<ContactEntry>,
}

/// An entry of a phone book.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct ContactEntry {
    /// Given name.
    #[serde(default)]
    pub first_name: String,
    /// Family name.
    #[serde(default)]
    pub last_name: String,
    /// What is dialled.
    pub phone_number: String,
    /// A note.
    #[serde(default)]
    pub description: String,
}

/// `[[team_layout]]`.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct TeamLayoutEntry {
    /// Number of the team.
    pub team: u32,
    /// Its page layout (XML).
    pub layout: String,
}

/// `[[ecc_variable]]`.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct EccVariableEntry {
    /// Name, with `user.` in front.
    pub name: String,
    /// Most bytes of a value.
    pub length: u32,
}

/// `[[device]]`.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct DeviceEntry {
    /// Its name.
    pub id: String,
    /// Its extension.
    pub extension: String,
    /// Kind of terminal, as JTAPI numbers it.
    #[serde(rename = "type")]
    pub kind: u32,
    /// The same for people.
    #[serde(default)]
    pub type_name: String,
}

impl From<&WrapUpReasonEntry> for WrapUpReason {
    fn from(entry: &WrapUpReasonEntry) -> WrapUpReason {
        WrapUpReason {
            id: entry.id,
            label: entry.label.clone(),
            for_all: entry.teams.is_empty(),
            teams: entry.teams.clone(),
        }
    }
}

impl From<&CallDataEntry> for Entry {
    fn from(entry: &CallDataEntry) -> Entry {
        Entry {
            display: entry.display.clone(),
            property: entry.property.clone(),
            pop_over: entry.pop_over,
            editable: entry.editable,
        }
    }
}

impl From<&MediaLayoutEntry> for Layout {
    fn from(entry: &MediaLayoutEntry) -> Layout {
        let column = |entries: &[CallDataEntry]| entries.iter().map(Entry::from).collect();
        Layout {
            id: entry.id,
            name: entry.name.clone(),
            description: entry.description.clone(),
            header: (&entry.header).into(),
            columns: [column(&entry.left), column(&entry.right)],
        }
    }
}

impl From<&PhoneBookEntry> for PhoneBook {
    fn from(entry: &PhoneBookEntry) -> PhoneBook {
        let contacts = (1..).zip(&entry.contacts).map(|(id, contact)| Contact {
            id,
            first_name: contact.first_name.clone(),
            last_name: contact.last_name.clone(),
            phone_number: contact.phone_number.clone(),
            description: contact.description.clone(),
        });
        PhoneBook {
            id: entry.id,
            name: entry.name.clone(),
            global: entry.teams.is_empty(),
            teams: entry.teams.clone(),
            contacts: contacts.collect(),
        }
    }
}

impl From<&DeviceEntry> for Device {
    fn from(entry: &DeviceEntry) -> Device {
        Device {
            id: entry.id.clone(),
            kind: entry.kind,
            kind_name: entry.type_name.clone(),
            extension: entry.extension.clone(),
        }
    }
}

impl Config {
    /// What desktops read at sign-in.
    pub fn catalogue(&self) -> Catalogue {
        let ccx = self.server.deployment == Deployment::Ccx;
        let mut layouts: Vec<Arc<Layout>> = all(&self.media_layout);
        if !layouts.iter().any(|layout| layout.is_default()) {
            layouts.push(Arc::new(Layout::built_in()));
        }
        layouts.sort_by_key(|layout| !layout.is_default());
        let mut phone_books: Vec<Arc<PhoneBook>> = all(&self.phone_book);
        phone_books.sort_by_key(|book| !book.global);
        let workflow_actions = all(&self.workflow_action);
        let ecc = self.ecc_variable.iter().map(Spanned::get_ref);
        let pages = self.team_layout.iter().map(Spanned::get_ref);
        Catalogue {
            ccx,
            names_devices: !ccx && self.cti.version >= DEVICES_SINCE,
            wrap_up_reasons: all(&self.wrap_up_reason),
            layouts,
            phone_books,
            workflows: workflows::build(&self.workflow, &workflow_actions),
            workflow_actions,
            pages: match self.desktop.layout.trim() {
                "" => PAGES.into(),
                layout => layout.to_owned(),
            },
            team_pages: pages.map(|entry| (entry.team, entry.layout.trim().to_owned())).collect(),
            ecc_variables: ecc
                .map(|entry| EccVariable { name: entry.name.clone(), length: entry.length })
                .collect(),
            chat: Chat {
                primary: self.desktop.chat_primary.clone(),
                secondary: self.desktop.chat_secondary.clone(),
            },
            devices: self.device.iter().map(|entry| entry.get_ref().into()).collect(),
        }
    }
}

fn all<'a, E, T: From<&'a E>>(entries: &'a [Spanned<E>]) -> Vec<Arc<T>> {
    entries.iter().map(|entry| Arc::new(T::from(entry.get_ref()))).collect()
}
