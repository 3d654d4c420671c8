//! Reason codes and wrap-up reasons.

use std::sync::Arc;

use super::define::{Collection, Field, Resource};
use crate::catalogue::WrapUpReason;
use crate::directory::{ReasonCategory, ReasonCode};

/// The name of a category in documents.
pub fn category_name(category: ReasonCategory) -> &'static str {
    match category {
        ReasonCategory::NotReady => "NOT_READY",
        ReasonCategory::Logout => "LOGOUT",
    }
}

/// `ReasonCode` (guide, "ReasonCode").
pub static REASON_CODE: Resource<ReasonCode> = Resource {
    name: "ReasonCode",
    about: "A reason that an agent gives for going not ready or signing out.",
    fields: &[
        Field::word("category", "When it can be given.", &["NOT_READY", "LOGOUT"], |code| {
            category_name(code.category)
        }),
        Field::integer("code", "The number that the CTI server is sent.", |code| Some(code.code.into())),
        Field::boolean("forAll", "Whether every team can use it.", |code| code.for_all),
        Field::integer("id", "What reasonCodeId of a state change refers to.", |code| Some(code.id.into())),
        Field::text("label", "Text for people, at most 40 characters.", |code| code.label.as_str().into()),
        Field::boolean("systemCode", "Whether the system gives it by itself.", |_| false),
        Field::text("uri", "Path of the object.", |code| {
            format!("/finesse/api/ReasonCode/{}", code.id).into()
        }),
    ],
};

/// `ReasonCodes`.
pub static REASON_CODES: Collection<ReasonCode> = Collection {
    name: "ReasonCodes",
    about: "Reason codes of a category.",
    attribute: Some("category"),
    of: &REASON_CODE,
};

/// A wrap-up reason under the path by which it was asked for: users have one of their own.
pub struct AddressedWrapUp {
    /// Path of the collection's owner: `/finesse/api`, or with `/User/{id}` behind.
    pub base: Arc<str>,
    /// The reason.
    pub reason: Arc<WrapUpReason>,
}

/// `WrapUpReason` (guide, "WrapUpReason").
pub static WRAP_UP_REASON: Resource<AddressedWrapUp> = Resource {
    name: "WrapUpReason",
    about: "A label that an agent gives a call.",
    fields: &[
        Field::boolean("forAll", "Whether every team can use it.", |of| of.reason.for_all),
        Field::text("label", "Text for people, at most 39 bytes.", |of| of.reason.label.as_str().into()),
        Field::text("uri", "Path of the object.", |of| {
            format!("{}/WrapUpReason/{}", of.base, of.reason.id).into()
        }),
    ],
};

/// `WrapUpReasons`.
pub static WRAP_UP_REASONS: Collection<AddressedWrapUp> =
    Collection { name: "WrapUpReasons", about: "Labels for calls.", attribute: None, of: &WRAP_UP_REASON };
