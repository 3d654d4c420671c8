//! Layouts of call data and of pages.

/// Which call data a desktop shows, and where (guide, "MediaPropertiesLayout").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Number in its path; 0 for the default layout.
    pub id: u32,
    /// The name by which a call asks for it, in `user.layout`.
    pub name: String,
    /// For people.
    pub description: String,
    /// What is shown above the columns.
    pub header: Entry,
    /// Left and right column.
    pub columns: [Vec<Entry>; 2],
}

/// One piece of call data in a layout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Text shown to people; may be empty.
    pub display: String,
    /// Name of the call variable or property.
    pub property: String,
    /// Whether it is shown before the call is answered.
    pub pop_over: bool,
    /// Whether agents can change it.
    pub editable: bool,
}

impl Layout {
    /// Whether it is for calls that ask for none.
    pub fn is_default(&self) -> bool {
        self.id == 0
    }

    /// The default layout of a server that is told of none: the ten call variables.
    pub fn built_in() -> Layout {
        let entry = |number: usize| Entry {
            display: format!("Variable {number}"),
            property: format!("callVariable{number}"),
            pop_over: false,
            editable: false,
        };
        Layout {
            id: 0,
            name: "Default Layout".into(),
            description: "For calls that ask for no other".into(),
            header: entry(1),
            columns: [(2..=6).map(entry).collect(), (7..=10).map(entry).collect()],
        }
    }
}

/// The page layout of a server that is told of none: an empty home page for each role.
pub const PAGES: &str = "<finesseLayout xmlns=\"http://www.cisco.com/vtg/finesse\">\
    <layout><role>Agent</role><page/><tabs><tab><id>home</id><label>Home</label></tab></tabs></layout>\
    <layout><role>Supervisor</role><page/><tabs><tab><id>home</id><label>Home</label></tab></tabs></layout>\
    </finesseLayout>";
