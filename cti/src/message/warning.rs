//! Oddities of a decoded message that a lenient receiver accepts.

use super::Message;
use crate::field::{self, Field};
use crate::tables::{Dialect, Type};
use crate::tag::{self, Tag};
use crate::value::Value;

/// Something odd in a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Warning {
    /// The fixed part claims another number of list elements than the floating part holds.
    Count {
        /// The field with the claim.
        field: Field,
        /// What it says.
        claimed: u32,
        /// How many there are.
        found: u32,
    },
    /// A floating field that is always present is absent.
    Missing(Tag),
    /// The length of a floating field does not suit its type; the message holds its bytes.
    OddLength(Tag),
}

/// Which list a count in the fixed part speaks of.
fn counted(field: Field, message: &Message) -> Option<Tag> {
    Some(match field {
        field::NUM_CTI_CLIENTS => tag::CTI_CLIENT_SIGNATURE,
        field::NUM_PARTIES => tag::CONNECTED_PARTY_CALL_ID,
        field::NUM_SKILL_GROUPS | field::NUM_FLT_SKILL_GROUPS => tag::SKILL_GROUP_NUMBER,
        field::NUM_LINES => tag::LINE_HANDLE,
        field::NUM_CALL_DEVICES | field::NUM_CALLS => tag::CALL_CONNECTION_CALL_ID,
        field::NUMBER_OF_AGENTS => tag::ATC_AGENT_ID,
        field::NUMBER_OF_AGENT_TEAMS => tag::TEAM_ID,
        field::NUM_NAMED_VARIABLES => tag::NAMED_VARIABLE,
        field::NUM_NAMED_ARRAYS => tag::NAMED_ARRAY,
        field::NUM_RECORDS => message.record_opener(),
        _ => return None,
    })
}

pub(super) fn find(message: &Message, dialect: Dialect) -> Vec<Warning> {
    let Some(layout) = message.layout(dialect) else { return Vec::new() };
    let mut warnings = Vec::new();
    for (field, claimed) in message.fixed() {
        let Some(opener) = counted(field, message) else { continue };
        let (claimed, found) = (claimed as u32, message.groups(opener).len() as u32);
        if claimed != found {
            warnings.push(Warning::Count { field, claimed, found });
        }
    }
    for field in layout.floating {
        if field.required && message.tag_value(field.tag).is_none() {
            warnings.push(Warning::Missing(field.tag));
        }
        let whole = |value: &Value| !matches!(value, Value::Bytes(_));
        if field.ty != Type::Unspec && !message.all(field.tag).all(whole) {
            warnings.push(Warning::OddLength(field.tag));
        }
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind;

    #[test]
    fn counts_and_missing_fields_are_reported() {
        let message = Message::new(kind::CALL_CONFERENCED_EVENT)
            .with(field::NUM_PARTIES, 3u16)
            .with_tag(tag::CONNECTED_PARTY_CALL_ID, 100u32)
            .with_tag(tag::PRIMARY_DEVICE_ID, vec![1u8])
            .with_tag(tag::SECONDARY_DEVICE_ID, "2002");
        let warnings = message.warnings(Dialect::Cce);
        assert!(warnings.contains(&Warning::Count { field: field::NUM_PARTIES, claimed: 3, found: 1 }));
        assert!(warnings.contains(&Warning::OddLength(tag::PRIMARY_DEVICE_ID)), "{warnings:?}");
    }

    #[test]
    fn an_open_request_without_password_field_is_incomplete() {
        let message = Message::new(kind::OPEN_REQ).with_tag(tag::CLIENT_ID, "");
        assert_eq!(message.warnings(Dialect::Cce), [Warning::Missing(tag::CLIENT_PASSWORD)]);
    }
}
