//! Call data to and from floating fields.

use super::clip;
use crate::sim::core::call::CallData;
use crate::{Message, Tag, Value, tag};

/// Most bytes of expanded variables in one message, names and final NULs included.
const ECC_LIMIT: usize = 2000;

/// Adds everything that is set.
pub(super) fn push(message: &mut Message, data: &CallData) {
    let texts = [
        (tag::ANI, &data.ani, 39),
        (tag::DNIS, &data.dnis, 31),
        (tag::DIALED_NUMBER, &data.dialed, 39),
        (tag::CALLER_ENTERED_DIGITS, &data.entered, 39),
    ];
    for (tag, text, max) in texts {
        if let Some(text) = text {
            message.push(tag, clip(text, max));
        }
    }
    for (n, text) in (1..).zip(&data.variables) {
        if let (Some(tag), Some(text)) = (Tag::call_variable(n), text) {
            message.push(tag, clip(text, 40));
        }
    }
    if let Some(text) = &data.wrap_up {
        message.push(tag::CALL_WRAPUP_DATA, clip(text, 39));
    }
    push_expanded(message, data);
}

fn push_expanded(message: &mut Message, data: &CallData) {
    let mut room = ECC_LIMIT;
    let mut fits = |bytes: usize| {
        room = room.saturating_sub(bytes);
        room > 0
    };
    for (name, value) in &data.scalars {
        let (name, value) = (clip(name, 32), clip(value, 210));
        if fits(name.len() + value.len() + 2) {
            message.push(tag::NAMED_VARIABLE, Value::named(name, value));
        }
    }
    for ((name, index), value) in &data.arrays {
        let (name, value) = (clip(name, 32), clip(value, 210));
        if fits(name.len() + value.len() + 3) {
            let value = Value::NamedArray { name: name.into(), index: *index, value: value.into() };
            message.push(tag::NAMED_ARRAY, value);
        }
    }
}

/// What a request sets.
pub(super) fn read(message: &Message) -> CallData {
    let text = |tag| message.tag_text(tag).map(str::to_owned);
    let mut data = CallData {
        ani: text(tag::ANI),
        entered: text(tag::CALLER_ENTERED_DIGITS),
        wrap_up: text(tag::CALL_WRAPUP_DATA),
        customer: text(tag::CUSTOMER_PHONE_NUMBER),
        account: text(tag::CUSTOMER_ACCOUNT_NUMBER),
        ..CallData::default()
    };
    for (n, slot) in (1..).zip(&mut data.variables) {
        *slot = message.call_variable(n).map(str::to_owned);
    }
    data.scalars = message.named_variables().map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
    data.arrays = message.named_arrays().map(|(n, i, v)| ((n.to_owned(), i), v.to_owned())).collect();
    data
}
