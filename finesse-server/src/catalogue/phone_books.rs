//! Phone books.

/// A phone book (guide, "PhoneBook").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhoneBook {
    /// Number in its path.
    pub id: u32,
    /// Name shown to people.
    pub name: String,
    /// Whether every team has it.
    pub global: bool,
    /// Teams that have it when it is not global.
    pub teams: Vec<u32>,
    /// Its entries.
    pub contacts: Vec<Contact>,
}

/// An entry of a phone book (guide, "Contact").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// Number in its path, unique in the book.
    pub id: u32,
    /// Given name.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
    /// What is dialled.
    pub phone_number: String,
    /// A note.
    pub description: String,
}
