//! What the protocol's messages look like: names, numbers, layouts.
//!
//! Owns the static tables of GED-188 for versions 13 to 24 in both dialects and the look-ups in them. Holds facts
//! only; what to do with them is the codec's affair. The constants live in [`crate::kind`], [`crate::field`],
//! [`crate::tag`] and [`crate::enums`].

mod cce;
mod ccx;
mod layout;

pub use layout::{FixedField, FloatingField, Layout, Type};

use crate::kind::{Kind, MESSAGES};
use crate::tag::{TAGS, Tag};

/// The two dialects of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// Unified Contact Center Enterprise.
    Cce,
    /// Unified Contact Center Express: fewer messages, UTF-8 text, some layouts of its own.
    Ccx,
}

/// Who sends a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The client sends it.
    ToServer,
    /// The CTI server sends it.
    ToClient,
    /// Either side sends it.
    Both,
}

/// In which dialects a message is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialects {
    /// Only in CCE.
    Cce,
    /// In CCE and in CCX.
    Both,
}

/// The part of the protocol that a message belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Category {
    Failure,
    Session,
    CallEvent,
    CallData,
    CallControl,
    AgentEvent,
    AgentControl,
    Snapshot,
    Monitor,
    ClientMonitor,
    Statistics,
    Supervisor,
    ServerService,
    Recording,
    Task,
    Route,
    Config,
    Team,
    Maintenance,
    Misc,
}

/// What the tables know of one message.
#[derive(Debug)]
pub struct MessageInfo {
    /// Its number.
    pub kind: Kind,
    /// Its published name, for example `BEGIN_CALL_EVENT`.
    pub name: &'static str,
    /// Who sends it.
    pub direction: Direction,
    /// What it is about.
    pub category: Category,
    /// The protocol version that introduced it; 13 means "13 or earlier".
    pub since: u32,
    /// Which dialects have it.
    pub dialects: Dialects,
    pub(crate) cce: Option<&'static Layout>,
    pub(crate) ccx: Option<&'static Layout>,
}

impl MessageInfo {
    /// The table row of one message; called while the table is built.
    pub(crate) const fn row(
        id: u32,
        name: &'static str,
        direction: Direction,
        category: Category,
        since: u32,
        dialects: Dialects,
    ) -> Self {
        let (cce, ccx) = (cce::layout(id), ccx::layout(id));
        Self { kind: Kind(id), name, direction, category, since, dialects, cce, ccx }
    }

    /// The layout of the body in `dialect`. A message without a CCX layout of its own has the CCE layout.
    /// `None` when no layout is published; the body is then kept as opaque bytes.
    pub fn layout(&self, dialect: Dialect) -> Option<&'static Layout> {
        match dialect {
            Dialect::Cce => self.cce,
            Dialect::Ccx => self.ccx.or(self.cce),
        }
    }
}

/// What the tables know of one floating field tag.
#[derive(Debug)]
pub struct TagInfo {
    /// Its number.
    pub tag: Tag,
    /// Its published name, for example `ConnectionDeviceID`.
    pub name: &'static str,
    /// The usual type; a message layout may say otherwise.
    pub ty: Type,
    /// The usual upper limit in bytes; 0 when none is published.
    pub max: u16,
    /// The protocol version that introduced it; 13 means "13 or earlier".
    pub since: u32,
    pub(crate) nothing: Nothing,
}

/// Whether a field has a value that means "nothing", and how wide it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nothing {
    /// Every value means itself.
    Never,
    /// 0xFFFF means nothing.
    Short,
    /// 0xFFFF_FFFF means nothing.
    Wide,
}

impl Nothing {
    /// The value that means nothing.
    pub(crate) const fn value(self) -> Option<u32> {
        match self {
            Self::Never => None,
            Self::Short => Some(0xFFFF),
            Self::Wide => Some(0xFFFF_FFFF),
        }
    }

    /// `value`, unless it means nothing.
    pub(crate) fn filter(self, value: u32) -> Option<u32> {
        (self.value() != Some(value)).then_some(value)
    }
}

/// Every message of the tables, by rising number.
pub fn messages() -> &'static [MessageInfo] {
    MESSAGES
}

/// Every floating field tag of the tables, by rising number.
pub fn tags() -> &'static [TagInfo] {
    TAGS
}

/// The table row of a message, if its number is known.
pub fn message(kind: Kind) -> Option<&'static MessageInfo> {
    let row = *MESSAGE_ROWS.get(kind.0 as usize)?;
    MESSAGES.get(row as usize)
}

/// The table row of a tag, if its number is known.
pub fn tag(tag: Tag) -> Option<&'static TagInfo> {
    let row = *TAG_ROWS.get(tag.0 as usize)?;
    TAGS.get(row as usize)
}

/// The message with this published name.
pub fn message_by_name(name: &str) -> Option<&'static MessageInfo> {
    MESSAGES.iter().find(|m| m.name == name)
}

/// Row number of a message by its id; `u16::MAX` where there is none.
static MESSAGE_ROWS: [u16; 320] = {
    let mut rows = [u16::MAX; 320];
    let mut i = 0;
    while i < MESSAGES.len() {
        rows[MESSAGES[i].kind.0 as usize] = i as u16;
        i += 1;
    }
    rows
};

/// Row number of a tag by its number; `u16::MAX` where there is none.
static TAG_ROWS: [u16; 320] = {
    let mut rows = [u16::MAX; 320];
    let mut i = 0;
    while i < TAGS.len() {
        rows[TAGS[i].tag.0 as usize] = i as u16;
        i += 1;
    }
    rows
};
