//! One message as a table-driven record, and the views of its lists.
//!
//! Owns the values of a message; never its bytes. A message knows its kind and its values by field and tag, not
//! the dialect or version that it travels in: that is the codec's.

use std::fmt;

use crate::field::{self, Field};
use crate::kind::{self, Kind};
use crate::tables::{self, Dialect, Layout};
use crate::tag::{self, Tag};
use crate::value::{Scalar, Value};

mod group;
mod warning;

pub use group::Group;
pub use warning::Warning;

/// A message of the protocol.
///
/// ```
/// use cti::{Message, field, kind, tag};
///
/// let request = Message::new(kind::MAKE_CALL_REQ)
///     .with(field::INVOKE_ID, 7u32)
///     .with(field::PERIPHERAL_ID, 5000u32)
///     .with_tag(tag::DIALED_NUMBER, "2002")
///     .with_tag(tag::AGENT_INSTRUMENT, "2001");
/// assert_eq!(request.uint(field::INVOKE_ID), Some(7));
/// assert_eq!(request.tag_text(tag::DIALED_NUMBER), Some("2002"));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// Which message it is.
    pub kind: Kind,
    fixed: Vec<(Field, u64)>,
    floating: Vec<(Tag, Value)>,
    body: Vec<u8>,
}

impl Message {
    /// An empty message. Fixed fields that are never set travel as the field's "nothing" value, or 0.
    pub fn new(kind: Kind) -> Self {
        Self { kind, fixed: Vec::new(), floating: Vec::new(), body: Vec::new() }
    }

    /// A message whose layout is not published, with its body as it travels.
    pub fn opaque(kind: Kind, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..Self::new(kind) }
    }

    pub(crate) fn from_parts(kind: Kind, fixed: Vec<(Field, u64)>, floating: Vec<(Tag, Value)>) -> Self {
        Self { kind, fixed, floating, body: Vec::new() }
    }

    /// Sets a fixed field.
    pub fn set(&mut self, field: Field, value: impl Into<Scalar>) -> &mut Self {
        let value = value.into().0;
        match self.fixed.iter_mut().find(|(known, _)| *known == field) {
            Some(entry) => entry.1 = value,
            None => self.fixed.push((field, value)),
        }
        self
    }

    /// Sets a fixed field; for chains.
    #[must_use]
    pub fn with(mut self, field: Field, value: impl Into<Scalar>) -> Self {
        self.set(field, value);
        self
    }

    /// Adds a floating field behind the others. The encoder brings single fields into the order of the layout and
    /// keeps the members of lists as they were added.
    pub fn push(&mut self, tag: Tag, value: impl Into<Value>) -> &mut Self {
        self.floating.push((tag, value.into()));
        self
    }

    /// Adds a floating field; for chains.
    #[must_use]
    pub fn with_tag(mut self, tag: Tag, value: impl Into<Value>) -> Self {
        self.push(tag, value);
        self
    }

    /// Adds a floating field if there is a value for it; for chains.
    #[must_use]
    pub fn with_some(mut self, tag: Tag, value: Option<impl Into<Value>>) -> Self {
        if let Some(value) = value {
            self.push(tag, value);
        }
        self
    }

    /// Adds an agent id under the tag that the dialect uses: AgentID in CCE, AgentIDLong in CCX.
    #[must_use]
    pub fn with_agent_id(self, dialect: Dialect, id: impl Into<Value>) -> Self {
        self.with_tag(if dialect == Dialect::Ccx { tag::AGENT_ID_LONG } else { tag::AGENT_ID }, id)
    }

    /// Adds an expanded call variable; for chains.
    #[must_use]
    pub fn with_named(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.with_tag(tag::NAMED_VARIABLE, Value::named(name, value))
    }

    /// Removes every floating field with this tag.
    pub fn remove(&mut self, tag: Tag) {
        self.floating.retain(|(known, _)| *known != tag);
    }

    /// The value of a fixed field, also when it means "nothing". `None` when the message does not carry the field.
    pub fn raw(&self, field: Field) -> Option<u32> {
        Some(self.bits(field)? as u32)
    }

    /// The value of a fixed field. `None` when the message does not carry the field (on this version), or when the
    /// value is the one that means "nothing".
    pub fn uint(&self, field: Field) -> Option<u32> {
        self.raw(field).and_then(|value| field.rule().filter(value))
    }

    /// The value of a signed fixed field.
    pub fn int(&self, field: Field) -> Option<i32> {
        self.raw(field).map(u32::cast_signed)
    }

    /// InvokeID, in messages that have one.
    pub fn invoke_id(&self) -> Option<u32> {
        self.raw(field::INVOKE_ID)
    }

    pub(crate) fn bits(&self, field: Field) -> Option<u64> {
        self.fixed.iter().find(|(known, _)| *known == field).map(|(_, value)| *value)
    }

    /// The first floating field with this tag.
    pub fn tag_value(&self, tag: Tag) -> Option<&Value> {
        self.all(tag).next()
    }

    /// The text of the first floating field with this tag.
    pub fn tag_text(&self, tag: Tag) -> Option<&str> {
        self.tag_value(tag)?.as_text()
    }

    /// The integer of the first floating field with this tag. `None` also when it means "nothing".
    pub fn tag_uint(&self, tag: Tag) -> Option<u32> {
        tag.rule().filter(self.tag_value(tag)?.as_uint()?)
    }

    /// The bytes of the first floating field with this tag.
    pub fn tag_bytes(&self, tag: Tag) -> Option<&[u8]> {
        self.tag_value(tag)?.as_bytes()
    }

    /// Every floating field with this tag, in wire order.
    pub fn all(&self, tag: Tag) -> impl Iterator<Item = &Value> {
        self.floating.iter().filter(move |(known, _)| *known == tag).map(|(_, value)| value)
    }

    /// The elements of an array field, whether it came as one field or as several.
    pub fn array(&self, tag: Tag) -> Vec<u32> {
        group::elements(self.all(tag))
    }

    /// The fixed fields and their raw values: in wire order when decoded, in the order of setting otherwise.
    pub fn fixed(&self) -> impl Iterator<Item = (Field, u64)> {
        self.fixed.iter().copied()
    }

    /// The floating fields in wire order.
    pub fn floating(&self) -> &[(Tag, Value)] {
        &self.floating
    }

    /// The body of a message without a published layout; empty for all others.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The layout of this message in `dialect`, if one is published.
    pub fn layout(&self, dialect: Dialect) -> Option<&'static Layout> {
        tables::message(self.kind)?.layout(dialect)
    }

    /// The list that `opener` opens: one group for each element, in wire order. A member that is repeated without
    /// its opener opens a group too, except in configuration records, which only RecordType opens.
    ///
    /// ```
    /// use cti::{Message, kind, tag};
    ///
    /// let event = Message::new(kind::CALL_CONFERENCED_EVENT)
    ///     .with_tag(tag::CONNECTED_PARTY_CALL_ID, 100u32)
    ///     .with_tag(tag::CONNECTED_PARTY_DEVICE_ID, "2001")
    ///     .with_tag(tag::CONNECTED_PARTY_CALL_ID, 100u32)
    ///     .with_tag(tag::CONNECTED_PARTY_DEVICE_ID, "2002");
    /// let parties = event.groups(tag::CONNECTED_PARTY_CALL_ID);
    /// assert_eq!(parties.len(), 2);
    /// assert_eq!(parties[1].tag_text(tag::CONNECTED_PARTY_DEVICE_ID), Some("2002"));
    /// ```
    pub fn groups(&self, opener: Tag) -> Vec<Group<'_>> {
        group::split(self.floating.iter(), opener)
    }

    /// The records of a configuration message, or the members of a TEAM_CONFIG_EVENT.
    pub fn records(&self) -> Vec<Group<'_>> {
        self.groups(self.record_opener())
    }

    fn record_opener(&self) -> Tag {
        let first = self.floating.first().map(|(tag, _)| *tag);
        match self.kind {
            kind::TEAM_CONFIG_EVENT => tag::AGENT_ID_LONG,
            // The published table puts RecordType last here, against the rule for the other records.
            kind::CONFIG_AGENT_SERVICE_EVENT if first != Some(tag::RECORD_TYPE) => tag::AGENT_SKILL_TARGET_ID,
            _ => tag::RECORD_TYPE,
        }
    }

    /// The scalar expanded call variables: name and value.
    pub fn named_variables(&self) -> impl Iterator<Item = (&str, &str)> {
        self.all(tag::NAMED_VARIABLE).filter_map(|value| match value {
            Value::NamedVariable { name, value } => Some((name.as_str(), value.as_str())),
            _ => None,
        })
    }

    /// The elements of expanded call variable arrays: name, index and value.
    pub fn named_arrays(&self) -> impl Iterator<Item = (&str, u8, &str)> {
        self.all(tag::NAMED_ARRAY).filter_map(|value| match value {
            Value::NamedArray { name, index, value } => Some((name.as_str(), *index, value.as_str())),
            _ => None,
        })
    }

    /// CallVariable`n`, `n` from 1 to 10.
    pub fn call_variable(&self, n: u8) -> Option<&str> {
        self.tag_text(Tag::call_variable(n)?)
    }

    /// The agent id, under whichever tag the dialect sends it.
    pub fn agent_id(&self) -> Option<&str> {
        self.tag_text(tag::AGENT_ID_LONG).or_else(|| self.tag_text(tag::AGENT_ID))
    }

    /// What is odd about a decoded message without making it unusable.
    pub fn warnings(&self, dialect: Dialect) -> Vec<Warning> {
        warning::find(self, dialect)
    }
}

/// Prints names and values; credentials are masked.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {{", self.kind)?;
        for (field, value) in self.fixed() {
            write!(f, " {field:?}={value}")?;
        }
        for (tag, value) in &self.floating {
            match tag.name() {
                Some(name) => write!(f, " {name}=")?,
                None => write!(f, " {}=", tag.0)?,
            }
            if tag.is_secret() { f.write_str("***")? } else { write!(f, "{value:?}")? }
        }
        if !self.body.is_empty() {
            write!(f, " {} bytes", self.body.len())?;
        }
        f.write_str(" }")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_values_are_none_and_stay_visible_as_raw() {
        let message = Message::new(kind::CALL_DELIVERED_EVENT)
            .with(field::CONNECTION_CALL_ID, u32::MAX)
            .with(field::LINE_HANDLE, 0xFFFFu16)
            .with(field::SKILL_GROUP_NUMBER, 0u32)
            .with_tag(tag::SKILL_GROUP_ID, u32::MAX);
        assert_eq!(message.uint(field::CONNECTION_CALL_ID), None);
        assert_eq!(message.raw(field::CONNECTION_CALL_ID), Some(u32::MAX));
        assert_eq!(message.uint(field::LINE_HANDLE), None);
        assert_eq!(message.uint(field::SKILL_GROUP_NUMBER), Some(0));
        assert_eq!(message.tag_uint(tag::SKILL_GROUP_ID), None);
        assert_eq!(message.uint(field::SERVICE_ID), None);
    }

    #[test]
    fn setting_twice_keeps_the_last() {
        let message =
            Message::new(kind::HEARTBEAT_REQ).with(field::INVOKE_ID, 1u32).with(field::INVOKE_ID, 2u32);
        assert_eq!(message.fixed().count(), 1);
        assert_eq!(message.invoke_id(), Some(2));
    }

    #[test]
    fn signed_fields_keep_their_sign() {
        let message = Message::new(kind::OPEN_CONF).with(field::DEPARTMENT_ID, -1i32);
        assert_eq!(message.int(field::DEPARTMENT_ID), Some(-1));
        assert_eq!(message.uint(field::DEPARTMENT_ID), Some(u32::MAX));
    }

    #[test]
    fn debug_masks_credentials() {
        let message = Message::new(kind::OPEN_REQ)
            .with_tag(tag::CLIENT_ID, "desk")
            .with_tag(tag::CLIENT_PASSWORD, b"hunter2".as_slice())
            .with_tag(tag::AGENT_PASSWORD, "hunter2");
        let text = format!("{message:?}");
        assert!(text.contains("desk") && !text.contains("hunter2"), "{text}");
        let bytes = format!("{:?}", b"hunter2".as_slice());
        assert!(!text.contains(&bytes), "{text}");
    }

    #[test]
    fn the_agent_id_is_found_under_either_tag() {
        for dialect in [Dialect::Cce, Dialect::Ccx] {
            let message = Message::new(kind::AGENT_STATE_EVENT).with_agent_id(dialect, "1001");
            assert_eq!(message.agent_id(), Some("1001"));
        }
    }
}
