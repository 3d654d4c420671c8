//! Values to bytes.

use bytes::{BufMut, BytesMut};

use super::{Codec, EncodeError, HEADER, MAX_ECC, Width, Widths};
use crate::field;
use crate::kind;
use crate::message::Message;
use crate::tables::{self, FixedField, FloatingField, Layout, Type};
use crate::tag::{self, Tag};
use crate::value::Value;

/// Longest name and value of an expanded call variable in bytes, each with its NUL.
const NAME: usize = 33;
const NAMED_VALUE: usize = 211;

/// Appends one message; on error `out` is as before.
pub(super) fn message(codec: &Codec, message: &Message, out: &mut BytesMut) -> Result<(), EncodeError> {
    let start = out.len();
    let written = write(codec, message, out).and_then(|()| {
        let length = out.len() - start;
        if length > codec.limit { Err(EncodeError::MessageTooLong(length)) } else { Ok(length) }
    });
    match written {
        Ok(length) => {
            // A message within any limit that a usize can hold and that was built in memory fits 32 bits.
            let body = u32::try_from(length - HEADER).map_err(|_| EncodeError::MessageTooLong(length))?;
            out[start..start + 4].copy_from_slice(&body.to_be_bytes());
            Ok(())
        }
        Err(error) => {
            out.truncate(start);
            Err(error)
        }
    }
}

fn write(codec: &Codec, message: &Message, out: &mut BytesMut) -> Result<(), EncodeError> {
    out.put_u32(0);
    out.put_u32(codec.wire_of_kind(message.kind).0);
    let Some(layout) = message.layout(codec.dialect) else {
        out.put_slice(message.body());
        return Ok(());
    };
    let version = match message.kind {
        kind::OPEN_REQ => message.raw(field::VERSION_NUMBER).unwrap_or(codec.version),
        _ => codec.version,
    };
    for row in layout.fixed.iter().filter(|row| row.since <= codec.version.max(13)) {
        put_fixed(row, fixed_value(row, message), out)?;
    }
    let writer = Writer { layout, version, widths: codec.widths(version) };
    writer.floating_part(message.floating(), out)
}

/// What a fixed field says: the true number of expanded call variables, else what was set, else "nothing".
fn fixed_value(row: &FixedField, message: &Message) -> u64 {
    match row.field {
        field::NUM_NAMED_VARIABLES => message.all(tag::NAMED_VARIABLE).count() as u64,
        field::NUM_NAMED_ARRAYS => message.all(tag::NAMED_ARRAY).count() as u64,
        _ => message
            .bits(row.field)
            .unwrap_or_else(|| row.default.or_else(|| row.field.nothing()).unwrap_or(0).into()),
    }
}

fn put_fixed(row: &FixedField, value: u64, out: &mut BytesMut) -> Result<(), EncodeError> {
    if row.ty == Type::Unspec {
        out.put_slice(&value.to_be_bytes()[..usize::from(row.size).min(8)]);
        return Ok(());
    }
    let value = u32::try_from(value).map_err(|_| EncodeError::FixedRange(row.field))?;
    put_integer(row.ty.signed(), row.size, value, out).ok_or(EncodeError::FixedRange(row.field))
}

/// Writes an integer of `size` bytes, if the value fits.
fn put_integer(signed: bool, size: u16, value: u32, out: &mut BytesMut) -> Option<()> {
    match size {
        1 if signed => out.put_i8(value.cast_signed().try_into().ok()?),
        1 => out.put_u8(value.try_into().ok()?),
        2 if signed => out.put_i16(value.cast_signed().try_into().ok()?),
        2 => out.put_u16(value.try_into().ok()?),
        _ => out.put_u32(value),
    }
    Some(())
}

struct Writer {
    layout: &'static Layout,
    version: u32,
    widths: Widths,
}

impl Writer {
    fn floating_part(&self, fields: &[(Tag, Value)], out: &mut BytesMut) -> Result<(), EncodeError> {
        let mut ecc = 0;
        let mut put = |(tag, value): &(Tag, Value), out: &mut BytesMut| {
            let start = out.len();
            self.put_field(*tag, value, out)?;
            if matches!(*tag, tag::NAMED_VARIABLE | tag::NAMED_ARRAY) {
                ecc +=
                    (out.len() - start).saturating_sub(self.widths.tag.bytes() + self.widths.length.bytes());
            }
            if ecc > MAX_ECC { Err(EncodeError::TooMuchEcc(ecc)) } else { Ok(()) }
        };
        let slots: Vec<usize> = fields.iter().map(|(tag, _)| self.slot(*tag)).collect();
        if slots.is_sorted() {
            return fields.iter().try_for_each(|field| put(field, out));
        }
        let mut order: Vec<usize> = (0..fields.len()).collect();
        order.sort_by_key(|at| slots[*at]);
        order.into_iter().try_for_each(|at| put(&fields[at], out))
    }

    fn row(&self, tag: Tag) -> Option<&'static FloatingField> {
        self.layout.floating.iter().find(|row| row.tag == tag)
    }

    /// Where a field stands. The members of a list share the place of the first of them, so that the groups stay
    /// together; fields that the layout does not have come last.
    fn slot(&self, tag: Tag) -> usize {
        let rows = self.layout.floating;
        let Some(at) = rows.iter().position(|row| row.tag == tag) else { return rows.len() };
        let in_list = |row: &FloatingField| {
            let array = row.ty.element().is_some() && rows.iter().any(|r| r.tag == tag::RECORD_TYPE);
            (row.repeats || array) && !matches!(row.tag, tag::NAMED_VARIABLE | tag::NAMED_ARRAY)
        };
        if !in_list(&rows[at]) {
            return at;
        }
        at - rows[..at].iter().rev().take_while(|row| in_list(row)).count()
    }

    fn put_field(&self, tag: Tag, value: &Value, out: &mut BytesMut) -> Result<(), EncodeError> {
        let row = self.row(tag);
        let known = tables::tag(tag);
        let exists = match row {
            Some(row) => row.exists_in(self.version),
            None => known.is_none_or(|known| known.since <= self.version.max(13)),
        };
        if !exists || usize::from(tag.0) > self.widths.tag.max() {
            return Ok(());
        }
        put_number(self.widths.tag, tag.0, out);
        let length_at = out.len();
        put_number(self.widths.length, 0, out);
        let start = out.len();
        let ty = row.map(|row| row.ty).or(known.map(|known| known.ty));
        let max = row.map(|row| row.max).or(known.map(|known| known.max)).unwrap_or(0);
        put_value(tag, ty, max, value, out)?;
        let length = out.len() - start;
        let wrong = ty.and_then(Type::width).is_none() && max > 0 && length > usize::from(max);
        if wrong || length > self.widths.length.max() {
            return Err(EncodeError::FieldTooLong(tag));
        }
        match self.widths.length {
            Width::One => out[length_at] = length as u8,
            Width::Two => out[length_at..start].copy_from_slice(&(length as u16).to_be_bytes()),
        }
        Ok(())
    }
}

fn put_number(width: Width, number: u16, out: &mut BytesMut) {
    match width {
        Width::One => out.put_u8(number as u8),
        Width::Two => out.put_u16(number),
    }
}

/// Writes a value as its field's type wants it. Bytes go out as they are, whatever the type.
fn put_value(
    tag: Tag,
    ty: Option<Type>,
    max: u16,
    value: &Value,
    out: &mut BytesMut,
) -> Result<(), EncodeError> {
    let wrong = EncodeError::WrongType(tag);
    let too_long = EncodeError::FieldTooLong(tag);
    let ty = ty.unwrap_or(match value {
        Value::Text(_) => Type::String,
        Value::Int(_) => Type::Int,
        Value::UintArray(_) => Type::UintArray,
        Value::NamedVariable { .. } => Type::NamedVariable,
        Value::NamedArray { .. } => Type::NamedArray,
        _ => Type::Uint,
    });
    match (value, ty) {
        (Value::Bytes(bytes), _) => out.put_slice(bytes),
        (Value::Text(text), Type::String) => put_text(tag, text, usize::MAX, out)?,
        (Value::Text(text), Type::Unspec) => out.put_slice(text.as_bytes()),
        (Value::NamedVariable { name, value }, Type::NamedVariable) => put_named(tag, name, value, out)?,
        (Value::NamedArray { name, index, value }, Type::NamedArray) => {
            out.put_u8(*index);
            put_named(tag, name, value, out)?;
        }
        (Value::UintArray(elements), _) => {
            let size = ty.element().ok_or(wrong)?;
            for element in elements {
                put_integer(false, size, *element, out).ok_or(too_long)?;
            }
        }
        (Value::Uint(_) | Value::Int(_), _) => {
            // A BOOL may be printed wider than its type.
            let size = ty.width().map(|width| width.max(max)).or(ty.element()).ok_or(wrong)?;
            let number = value.as_uint().ok_or(wrong)?;
            put_integer(ty.signed(), size, number, out).ok_or(too_long)?;
        }
        _ => return Err(wrong),
    }
    Ok(())
}

fn put_text(tag: Tag, text: &str, max: usize, out: &mut BytesMut) -> Result<(), EncodeError> {
    if text.len() >= max {
        return Err(EncodeError::FieldTooLong(tag));
    }
    if text.as_bytes().contains(&0) {
        return Err(EncodeError::NulInText(tag));
    }
    out.put_slice(text.as_bytes());
    out.put_u8(0);
    Ok(())
}

fn put_named(tag: Tag, name: &str, value: &str, out: &mut BytesMut) -> Result<(), EncodeError> {
    put_text(tag, name, NAME, out)?;
    put_text(tag, value, NAMED_VALUE, out)
}
