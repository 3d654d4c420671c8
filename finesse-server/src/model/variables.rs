//! The data of a call: call variables, expanded (ECC) variables, wrap-up reason; how CTI messages change them and
//! how requests are checked before they are sent.

use std::collections::BTreeMap;

use cti::{Message, Value, kind, tag};

use super::error::ApiError;
use super::xml::Writer;

/// From this protocol version on CALL_DATA_UPDATE_EVENT carries every expanded variable of the call.
const WHOLE_SET_SINCE: u32 = 22;
/// Longest value of a call variable in bytes, without the final NUL.
const VARIABLE_BYTES: usize = 40;
/// Longest wrap-up reason in bytes, without the final NUL.
const WRAP_UP_BYTES: usize = 39;
/// What stands between labels. No public source tells what CCX has there.
const WRAP_UP_SEPARATOR: char = ',';
/// All expanded variables of one request together, in bytes.
const EXPANDED_BYTES: usize = 2000;

/// The data of one call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variables {
    numbered: [Option<String>; 10],
    scalars: BTreeMap<String, String>,
    arrays: BTreeMap<(String, u8), String>,
    /// `wrapUpReason`: CallWrapupData of the protocol.
    pub wrap_up: String,
}

impl Variables {
    /// Takes over what a message carries and tells whether anything changed. `version` decides whether the
    /// expanded variables of an update replace or complete the known ones.
    pub fn apply(&mut self, message: &Message, version: u32) -> bool {
        let mut changed = false;
        for (n, slot) in (1u8..).zip(&mut self.numbered) {
            if let Some(value) = message.call_variable(n)
                && slot.as_deref() != Some(value)
            {
                *slot = Some(value.to_owned());
                changed = true;
            }
        }
        if let Some(text) = message.tag_text(tag::CALL_WRAPUP_DATA)
            && text != self.wrap_up
        {
            self.wrap_up = text.to_owned();
            changed = true;
        }
        let whole = message.kind == kind::CALL_DATA_UPDATE_EVENT && version >= WHOLE_SET_SINCE;
        self.apply_expanded(message, whole) || changed
    }

    fn apply_expanded(&mut self, message: &Message, whole: bool) -> bool {
        let mut changed = false;
        if whole {
            let before = self.scalars.len() + self.arrays.len();
            self.scalars.retain(|name, _| message.named_variables().any(|(n, _)| n == name));
            self.arrays
                .retain(|(name, index), _| message.named_arrays().any(|(n, i, _)| n == name && i == *index));
            changed = before != self.scalars.len() + self.arrays.len();
        }
        for (name, value) in message.named_variables() {
            if self.scalars.get(name).map(String::as_str) != Some(value) {
                self.scalars.insert(name.to_owned(), value.to_owned());
                changed = true;
            }
        }
        for (name, index, value) in message.named_arrays() {
            let key = (name.to_owned(), index);
            if self.arrays.get(&key).map(String::as_str) != Some(value) {
                self.arrays.insert(key, value.to_owned());
                changed = true;
            }
        }
        changed
    }

    /// Completes what is not known yet from an older source; known values stay.
    pub fn complete(&mut self, message: &Message) {
        let known = std::mem::take(self);
        self.apply(message, 0);
        for (slot, value) in self.numbered.iter_mut().zip(known.numbered) {
            if value.is_some() {
                *slot = value;
            }
        }
        self.scalars.extend(known.scalars);
        self.arrays.extend(known.arrays);
        if !known.wrap_up.is_empty() {
            self.wrap_up = known.wrap_up;
        }
    }

    /// The labels in `wrapUpItems`.
    pub fn wrap_up_items(&self) -> impl Iterator<Item = &str> {
        self.wrap_up.split(WRAP_UP_SEPARATOR).map(str::trim).filter(|item| !item.is_empty())
    }

    /// The value of an expanded variable.
    pub fn scalar(&self, name: &str) -> Option<&str> {
        self.scalars.get(name).map(String::as_str)
    }

    /// Writes `callvariables`; the variable `instead.0` with the value `instead.1`, if there is one.
    pub fn write(&self, w: &mut Writer<'_>, instead: (&str, Option<&str>)) {
        w.open("callvariables");
        for (n, value) in (1..).zip(&self.numbered) {
            if let Some(value) = value {
                w.open("CallVariable");
                w.value("name", format_args!("callVariable{n}"));
                w.text("value", value);
                w.close("CallVariable");
            }
        }
        for (name, value) in &self.scalars {
            w.open("CallVariable");
            w.text("name", name);
            let other = instead.1.filter(|_| name == instead.0);
            w.text("value", other.unwrap_or(value));
            w.close("CallVariable");
        }
        for ((name, index), value) in &self.arrays {
            w.open("CallVariable");
            w.value("name", format_args!("{name}[{index}]"));
            w.text("value", value);
            w.close("CallVariable");
        }
        w.close("callvariables");
    }
}

/// Checks the variables of a request and adds them to the message that will carry them.
///
/// # Errors
/// `Invalid Input` for a name given twice or not known, for variables of the dialer and for values that are too
/// long: the CTI server would cut them without a word.
pub fn add_to(message: &mut Message, variables: &[(String, String)]) -> Result<(), ApiError> {
    let mut expanded = 0;
    for (at, (name, value)) in variables.iter().enumerate() {
        let refuse = || Err(ApiError::invalid_input("Invalid call variable", name));
        if variables[..at].iter().any(|(other, _)| other == name) {
            return refuse();
        }
        match parse_name(name) {
            Some(Name::Numbered(n)) if value.len() <= VARIABLE_BYTES => {
                let Some(tag) = cti::tag::Tag::call_variable(n) else { return refuse() };
                message.push(tag, value.as_str());
            }
            Some(Name::Scalar) if value.len() <= 210 => {
                expanded += name.len() + value.len();
                message.push(tag::NAMED_VARIABLE, Value::named(name, value));
            }
            Some(Name::Element(base, index)) if value.len() <= 210 => {
                expanded += base.len() + value.len() + 1;
                let element = Value::NamedArray { name: base.to_owned(), index, value: value.to_owned() };
                message.push(tag::NAMED_ARRAY, element);
            }
            _ => return refuse(),
        }
    }
    if expanded > EXPANDED_BYTES {
        return Err(ApiError::invalid_input("The call variables are too long together", "callvariables"));
    }
    Ok(())
}

/// Checks a wrap-up reason and adds it.
///
/// # Errors
/// `Invalid Input` when it is too long.
pub fn add_wrap_up(message: &mut Message, reason: &str) -> Result<(), ApiError> {
    if reason.len() > WRAP_UP_BYTES {
        return Err(ApiError::invalid_input("The wrap-up reason is too long", "wrapUpReason"));
    }
    message.push(tag::CALL_WRAPUP_DATA, reason);
    Ok(())
}

/// Several labels as the one text that the protocol has for them.
///
/// # Errors
/// `Invalid Input` for one that could not be told from two.
pub fn wrap_up_of(items: &[String]) -> Result<String, ApiError> {
    match items.iter().find(|item| item.is_empty() || item.contains(WRAP_UP_SEPARATOR)) {
        Some(item) => Err(ApiError::invalid_input("Not a label for a call", item)),
        None => Ok(items.join(",")),
    }
}

enum Name<'a> {
    Numbered(u8),
    Scalar,
    Element(&'a str, u8),
}

fn parse_name(name: &str) -> Option<Name<'_>> {
    if let Some(n) = name.strip_prefix("callVariable") {
        let n: u8 = n.parse().ok()?;
        return (1..=10).contains(&n).then_some(Name::Numbered(n));
    }
    let plain = |text: &str| {
        (6..=32).contains(&text.len())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
    };
    if !name.starts_with("user.") {
        return None;
    }
    match name.strip_suffix(']').and_then(|n| n.split_once('[')) {
        Some((base, index)) if plain(base) => {
            let index: u8 = index.parse().ok()?;
            (index < u8::MAX).then_some(Name::Element(base, index))
        }
        None if plain(name) => Some(Name::Scalar),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn update() -> Message {
        Message::new(kind::CALL_DATA_UPDATE_EVENT)
    }

    fn xml(v: &Variables) -> String {
        let mut out = String::new();
        v.write(&mut Writer::new(&mut out), ("", None));
        out
    }

    #[test]
    fn before_version_22_updates_merge_and_from_then_on_they_replace() {
        let first = update().with_named("user.a", "1").with_named("user.b", "2");
        let second = update().with_named("user.b", "3");
        let mut old = Variables::default();
        old.apply(&first, 20);
        assert!(old.apply(&second, 20));
        assert!(xml(&old).contains("user.a"));
        let mut new = Variables::default();
        new.apply(&first, 22);
        assert!(new.apply(&second, 22));
        assert!(!xml(&new).contains("user.a"));
        assert!(xml(&new).contains("<name>user.b</name><value>3</value>"));
        // Only the update carries the whole set.
        new.apply(&Message::new(kind::CALL_DELIVERED_EVENT).with_named("user.c", "4"), 22);
        assert!(xml(&new).contains("user.b"));
    }

    #[test]
    fn the_same_data_again_is_no_change() {
        let message = update().with_tag(tag::CALL_VARIABLE1, "x").with_tag(tag::CALL_WRAPUP_DATA, "Invoice");
        let mut v = Variables::default();
        assert!(v.apply(&message, 20));
        assert!(!v.apply(&message, 20));
        assert!(v.apply(&update().with_tag(tag::CALL_VARIABLE1, ""), 20));
    }

    #[test]
    fn a_late_snapshot_completes_and_does_not_overwrite() {
        let mut v = Variables::default();
        v.apply(&update().with_tag(tag::CALL_VARIABLE1, "new"), 20);
        v.complete(&update().with_tag(tag::CALL_VARIABLE1, "old").with_tag(tag::CALL_VARIABLE2, "two"));
        let text = xml(&v);
        assert!(text.contains("<value>new</value>") && text.contains("<value>two</value>"));
    }

    #[test]
    fn names_of_requests_are_checked() {
        let try_one = |name: &str, value: &str| {
            let given = [(name.to_owned(), value.to_owned())];
            add_to(&mut Message::new(kind::SET_CALL_DATA_REQ), &given)
        };
        assert!(try_one("callVariable10", "x").is_ok());
        assert!(try_one("user.items[0]", "x").is_ok());
        assert!(try_one("user.contractNo", "88").is_ok());
        for bad in
            ["callVariable0", "callVariable11", "callvariable1", "BAStatus", "user.", "user.x[", "other"]
        {
            assert_eq!(try_one(bad, "x").unwrap_err().kind, "Invalid Input", "{bad}");
        }
        assert!(try_one("callVariable1", &"x".repeat(41)).is_err());
        let twice = [("callVariable1".into(), "a".into()), ("callVariable1".into(), "b".into())];
        assert!(add_to(&mut update(), &twice).is_err());
    }
}
