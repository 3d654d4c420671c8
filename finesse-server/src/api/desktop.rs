//! What desktops read at sign-in beside reasons: layouts of call data, layouts of pages, phone books.

use std::sync::Arc;

use super::define::{Collection, Field, Listed, Nested, Resource, part};
use crate::catalogue::{Contact, Entry, Layout, PhoneBook};

static ENTRY: Resource<Entry> = Resource {
    name: "entry",
    about: "One piece of call data.",
    fields: &[
        Field::text("displayName", "Text for people, at most 50 characters.", |e| e.display.as_str().into()),
        Field::text("mediaProperty", "The piece of call data shown.", |e| e.property.as_str().into()),
        Field::boolean("showInPopOver", "Whether it is shown before the call is answered.", |e| e.pop_over),
        Field::boolean("uiEditable", "Whether agents can change it.", |e| e.editable),
    ],
};

static HEADER: Resource<Entry> = Resource {
    name: "header",
    about: "What is shown above the columns.",
    fields: &[part!(
        "entry",
        "The piece of call data.",
        &Nested { of: &ENTRY, each: |e, f| f(e), many: false },
    )],
};

static COLUMN: Resource<Vec<Entry>> = Resource {
    name: "column",
    about: "A column, from top to bottom.",
    fields: &[part!(
        "entry",
        "Pieces of call data.",
        &Nested { of: &ENTRY, each: |column: &Vec<Entry>, f| column.iter().for_each(f), many: true },
    )],
};

/// `MediaPropertiesLayout` (guide, "MediaPropertiesLayout").
pub static LAYOUT: Resource<Layout> = Resource {
    name: "MediaPropertiesLayout",
    about: "Which call data a desktop shows, and where.",
    fields: &[
        part!(
            "column",
            "The columns, the left one first.",
            &Nested { of: &COLUMN, each: |layout: &Layout, f| layout.columns.iter().for_each(f), many: true },
        ),
        Field::text("description", "At most 128 characters.", |layout| layout.description.as_str().into()),
        part!(
            "header",
            "What is shown above the columns.",
            &Nested { of: &HEADER, each: |layout: &Layout, f| f(&layout.header), many: false },
        ),
        Field::text("name", "The name by which a call asks for it.", |layout| layout.name.as_str().into()),
        Field::word("type", "Whether it is for calls that ask for none.", &["DEFAULT", "CUSTOM"], |layout| {
            if layout.is_default() { "DEFAULT" } else { "CUSTOM" }
        }),
        Field::text("uri", "Path of the object.", |layout| match layout.is_default() {
            true => "/finesse/api/MediaPropertiesLayout/default".into(),
            false => format!("/finesse/api/MediaPropertiesLayout/{}", layout.id).into(),
        }),
    ],
};

/// `MediaPropertiesLayouts`.
pub static LAYOUTS: Collection<Layout> = Collection {
    name: "MediaPropertiesLayouts",
    about: "The default layout and the others.",
    attribute: None,
    of: &LAYOUT,
};

/// A contact with the number of its book.
pub struct Numbered {
    /// Number of the book.
    pub book: u32,
    /// The contact.
    pub contact: Contact,
}

/// `Contact` (guide, "Contact").
pub static CONTACT: Resource<Numbered> = Resource {
    name: "Contact",
    about: "An entry of a phone book.",
    fields: &[
        Field::text("description", "At most 128 characters.", |c| c.contact.description.as_str().into()),
        Field::text("firstName", "At most 128 characters.", |c| c.contact.first_name.as_str().into()),
        Field::text("lastName", "At most 128 characters.", |c| c.contact.last_name.as_str().into()),
        Field::text("phoneNumber", "1 to 32 characters.", |c| c.contact.phone_number.as_str().into()),
        Field::text("uri", "Path of the object.", |c| {
            format!("/finesse/api/PhoneBook/{}/Contact/{}", c.book, c.contact.id).into()
        }),
    ],
};

/// `Contacts`.
pub static CONTACTS: Collection<Numbered> =
    Collection { name: "Contacts", about: "Entries of a phone book.", attribute: None, of: &CONTACT };

const NAME: &str = "At most 64 characters.";
const URI: &str = "Path of the object.";
const KIND: &str = "Whether it is for all or for some teams.";
const KINDS: &[&str] = &["GLOBAL", "TEAM"];

fn kind(book: &PhoneBook) -> &'static str {
    if book.global { "GLOBAL" } else { "TEAM" }
}

fn uri(book: &PhoneBook) -> String {
    format!("/finesse/api/PhoneBook/{}", book.id)
}

/// `PhoneBook` as administrators read it (guide, "PhoneBook").
pub static PHONE_BOOK: Resource<PhoneBook> = Resource {
    name: "PhoneBook",
    about: "A phone book.",
    fields: &[
        Field::text("contacts", "Path of its entries.", |book| format!("{}/Contacts", uri(book)).into()),
        Field::text("name", NAME, |book| book.name.as_str().into()),
        Field::word("type", KIND, KINDS, kind),
        Field::text("uri", URI, |book| uri(book).into()),
    ],
};

/// `PhoneBooks` as administrators read them.
pub static PHONE_BOOKS: Collection<PhoneBook> =
    Collection { name: "PhoneBooks", about: "Phone books.", attribute: None, of: &PHONE_BOOK };

/// A phone book with the entries that were asked for.
pub struct Open {
    /// The book.
    pub book: Arc<PhoneBook>,
    /// Which of its entries.
    pub part: std::ops::Range<usize>,
}

fn entries(open: &Open, f: &mut dyn FnMut(&Numbered)) {
    for contact in &open.book.contacts[open.part.clone()] {
        f(&Numbered { book: open.book.id, contact: contact.clone() });
    }
}

/// `PhoneBook` with its entries, as users have it.
static USER_BOOK: Resource<Open> = Resource {
    name: "PhoneBook",
    about: "A phone book with entries.",
    fields: &[
        part!("contacts", "Its entries.", &Listed { of: &CONTACT, each: entries }),
        Field::text("name", NAME, |open| open.book.name.as_str().into()),
        Field::word("type", KIND, KINDS, |open| kind(&open.book)),
        Field::text("uri", URI, |open| uri(&open.book).into()),
    ],
};

/// The same of a team, where the guide writes the name of the list in another way.
static TEAM_BOOK: Resource<Open> = Resource {
    name: "PhoneBook",
    about: "A phone book with entries.",
    fields: &[
        part!("Contacts", "Its entries.", &Listed { of: &CONTACT, each: entries }),
        Field::text("name", NAME, |open| open.book.name.as_str().into()),
        Field::word("type", KIND, KINDS, |open| kind(&open.book)),
        Field::text("uri", URI, |open| uri(&open.book).into()),
    ],
};

/// `PhoneBooks` of a user.
pub static USER_BOOKS: Collection<Open> = Collection {
    name: "PhoneBooks",
    about: "Phone books with entries, those for all first.",
    attribute: None,
    of: &USER_BOOK,
};

/// `PhoneBooks` of a team.
pub static TEAM_BOOKS: Collection<Open> = Collection {
    name: "PhoneBooks",
    about: "Phone books with entries, those for all first.",
    attribute: None,
    of: &TEAM_BOOK,
};
