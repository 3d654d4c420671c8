//! Phone books. Users and teams get them with their contacts, of which a request can ask for a range.

use std::sync::Arc;

use super::{Asked, Endpoint, Found};
use crate::api::define::{Collection, document};
use crate::api::desktop::{
    CONTACT, CONTACTS, Numbered, Open, PHONE_BOOK, PHONE_BOOKS, TEAM_BOOKS, USER_BOOKS,
};
use crate::authority::Operation;
use crate::catalogue::PhoneBook;
use crate::model::error::ApiError;

type Answer = Result<Found, ApiError>;

/// Most contacts in one answer.
const CONTACTS_AT_ONCE: usize = 6000;

pub(super) static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        path: "User/{id}/PhoneBooks",
        about: "Phone books of the user with contacts; header Range: objects=1-6000.",
        operation: Operation::ReadUserResources,
        query: &[],
        shape: || USER_BOOKS.shape(),
        answer: |asked| open_books(asked, &USER_BOOKS),
    },
    Endpoint {
        path: "TeamResource/{id}/PhoneBooks",
        about: "Phone books of the team with contacts; header Range: objects=1-6000.",
        operation: Operation::ReadTeamResources,
        query: &[],
        shape: || TEAM_BOOKS.shape(),
        answer: |asked| open_books(asked, &TEAM_BOOKS),
    },
    Endpoint {
        path: "PhoneBooks",
        about: "All phone books.",
        operation: Operation::ReadConfiguration,
        query: &[],
        shape: || PHONE_BOOKS.shape(),
        answer: |asked| {
            let books = asked.sources.catalogue.phone_books.iter();
            Ok(PHONE_BOOKS.document("", books.map(Arc::as_ref)).into())
        },
    },
    Endpoint {
        path: "PhoneBook/{id}",
        about: "A phone book.",
        operation: Operation::ReadConfiguration,
        query: &[],
        shape: || PHONE_BOOK.shape(),
        answer: |asked| Ok(document(&PHONE_BOOK, &**book(asked)?).into()),
    },
    Endpoint {
        path: "PhoneBook/{id}/Contacts",
        about: "The contacts of a phone book.",
        operation: Operation::ReadConfiguration,
        query: &[],
        shape: || CONTACTS.shape(),
        answer: |asked| {
            let book = book(asked)?;
            let contacts = book.contacts.iter();
            let contacts: Vec<Numbered> =
                contacts.map(|contact| Numbered { book: book.id, contact: contact.clone() }).collect();
            Ok(CONTACTS.document("", &contacts).into())
        },
    },
    Endpoint {
        path: "PhoneBook/{id}/Contact/{item}",
        about: "A contact.",
        operation: Operation::ReadConfiguration,
        query: &[],
        shape: || CONTACT.shape(),
        answer: |asked| {
            let book = book(asked)?;
            let found = |id| book.contacts.iter().find(|contact| contact.id == id);
            let contact = asked.numbered(&asked.request.item, found)?.clone();
            Ok(document(&CONTACT, &Numbered { book: book.id, contact }).into())
        },
    },
    Endpoint {
        path: "Team/{id}/PhoneBooks",
        about: "Phone books assigned to the team, without those for all.",
        operation: Operation::ReadTeamAssignments,
        query: &[],
        shape: || PHONE_BOOKS.shape(),
        answer: |asked| {
            let books = asked.sources.catalogue.phone_books_of(asked.team_id());
            Ok(PHONE_BOOKS.document("", books.filter(|book| !book.global).map(Arc::as_ref)).into())
        },
    },
];

fn book<'a>(asked: &Asked<'a>) -> Result<&'a Arc<PhoneBook>, ApiError> {
    let books = &asked.sources.catalogue.phone_books;
    asked.numbered(&asked.request.id, |id| books.iter().find(|book| book.id == id))
}

/// The books of a user or team. Contacts are counted through all books from 1; every book is listed, with those of its
/// contacts that are in the range.
fn open_books(asked: &Asked<'_>, collection: &Collection<Open>) -> Answer {
    let range = range(asked.sources.range)?;
    let books = asked.sources.catalogue.phone_books_of(asked.team_id());
    let mut before = 0;
    let place = |book: &Arc<PhoneBook>| {
        let count = book.contacts.len();
        let at = |place: usize| place.saturating_sub(before).min(count);
        let part = at(range.start)..at(range.end);
        before += count;
        Open { book: book.clone(), part }
    };
    let open: Vec<Open> = books.map(place).collect();
    let xml = collection.document("", &open);
    let whole = range.start == 0 && range.end >= before;
    let last = range.end.min(before);
    let partial = (!whole).then(|| match range.start < last {
        true => format!("objects {}-{last}/{before}", range.start + 1),
        false => format!("objects */{before}"),
    });
    Ok(Found { xml, partial })
}

/// The contacts that `Range: objects=FROM-TO` asks for, counted from 0. Without a header, or with one in another
/// unit, as many as fit.
fn range(header: Option<&str>) -> Result<std::ops::Range<usize>, ApiError> {
    let Some(text) = header.and_then(|header| header.trim().strip_prefix("objects=")) else {
        return Ok(0..CONTACTS_AT_ONCE);
    };
    let number = |text: &str| {
        let plain = text.bytes().all(|b| b.is_ascii_digit());
        text.parse::<usize>().ok().filter(|n| plain && (1..=CONTACTS_AT_ONCE).contains(n))
    };
    let ends = text.split_once('-').and_then(|(from, to)| number(from.trim()).zip(number(to.trim())));
    match ends {
        Some((from, to)) if from <= to => Ok(from - 1..to),
        _ => Err(ApiError::new(416, "Range Not Satisfiable", "Invalid Range Specified", text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_go_from_1_to_6000() {
        assert_eq!(range(None), Ok(0..6000));
        assert_eq!(range(Some("bytes=0-5")), Ok(0..6000));
        assert_eq!(range(Some(" objects=1-6000")), Ok(0..6000));
        assert_eq!(range(Some("objects=3-3")), Ok(2..3));
        for bad in ["0-5", "1-6001", "5-4", "x-5", "5", "", "1-", "-5", "+1-5", "1-5-9"] {
            let error = range(Some(&format!("objects={bad}"))).unwrap_err();
            assert_eq!((error.status, error.kind), (416, "Range Not Satisfiable"), "{bad}");
        }
    }
}
