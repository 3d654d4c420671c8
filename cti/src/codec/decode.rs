//! Bytes to values.

use super::{BadMessage, BodyError, Codec, Frame, Width, Widths};
use crate::field::{self, Field};
use crate::kind::{self, Kind};
use crate::message::Message;
use crate::tables::{self, Dialect, FixedField, FloatingField, Layout, Type};
use crate::tag::Tag;
use crate::value::Value;

/// Decodes one body by its layout; without a layout the body is kept as it is.
pub(super) fn body(codec: &Codec, kind: Kind, bytes: &[u8]) -> Frame {
    let Some(layout) = tables::message(kind).and_then(|m| m.layout(codec.dialect)) else {
        return Ok(Message::opaque(kind, bytes));
    };
    if kind == kind::FAILURE_CONF
        && let Some(message) = long_failure(bytes)
    {
        return Ok(message);
    }
    let mut fixed = Vec::with_capacity(layout.fixed.len());
    let failed = |fixed: &[(Field, u64)], error| BadMessage { kind, invoke_id: invoke_id(fixed), error };
    let rest = match fixed_part(layout, codec.version, bytes, &mut fixed) {
        Ok(rest) => rest,
        Err(error) => return Err(failed(&fixed, error)),
    };
    // OPEN_REQ itself already uses the widths of the version that it asks for.
    let version = match kind {
        kind::OPEN_REQ => lookup(&fixed, field::VERSION_NUMBER).unwrap_or(codec.version),
        _ => codec.version,
    };
    // One codec sends four reserved bytes where the tables have two. There is no tag 0.
    let rest = match rest {
        [0, 0, rest @ ..] if kind == kind::QUERY_DEVICE_INFO_REQ => rest,
        _ => rest,
    };
    let reader = Reader { layout, dialect: codec.dialect, widths: codec.widths(version) };
    match reader.floating_part(rest) {
        Ok(floating) => Ok(Message::from_parts(kind, fixed, floating)),
        Err(error) => Err(failed(&fixed, error)),
    }
}

fn lookup(fixed: &[(Field, u64)], field: Field) -> Option<u32> {
    fixed.iter().find(|(known, _)| *known == field).map(|(_, value)| *value as u32)
}

fn invoke_id(fixed: &[(Field, u64)]) -> Option<u32> {
    lookup(fixed, field::INVOKE_ID)
}

/// The other published form of FAILURE_CONF: InvokeID, FailureCode and PeripheralErrorCode, ten bytes in all. The
/// usual form cannot have this length unless it ends in an empty field.
fn long_failure(bytes: &[u8]) -> Option<Message> {
    let bytes: &[u8; 10] = bytes.try_into().ok()?;
    let [i0, i1, i2, i3, f0, f1, p0, p1, p2, p3] = *bytes;
    // A Status below 65536 starts with two zero bytes; a FailureCode of zero would not be a failure.
    if (f0, f1) == (0, 0) {
        return None;
    }
    let code = u16::from_be_bytes([f0, f1]);
    Some(
        Message::new(kind::FAILURE_CONF)
            .with(field::INVOKE_ID, u32::from_be_bytes([i0, i1, i2, i3]))
            .with(field::STATUS, u32::from(code))
            .with(field::FAILURE_CODE, code)
            .with(field::PERIPHERAL_ERROR_CODE, u32::from_be_bytes([p0, p1, p2, p3])),
    )
}

/// Reads the fixed part and returns the rest of the body.
fn fixed_part<'a>(
    layout: &Layout,
    version: u32,
    bytes: &'a [u8],
    into: &mut Vec<(Field, u64)>,
) -> Result<&'a [u8], BodyError> {
    let present = |field: &&FixedField| is_present(field, layout, version, bytes.len());
    let mut rest = bytes;
    for field in layout.fixed.iter().filter(present) {
        let Some((value, after)) = rest.split_at_checked(field.size.into()) else {
            let needed = layout.fixed.iter().filter(present).map(|f| usize::from(f.size)).sum();
            return Err(BodyError::ShortFixed { found: bytes.len(), needed });
        };
        into.push((field.field, scalar(field.ty, value)));
        rest = after;
    }
    Ok(rest)
}

/// Whether a body of this length carries the field: by the version, and where that is unconfirmed by the length.
fn is_present(field: &FixedField, layout: &Layout, version: u32, length: usize) -> bool {
    let by_version = field.since <= version.max(13);
    if !field.optional {
        return by_version;
    }
    let all: usize = layout.fixed.iter().map(|f| usize::from(f.size)).sum();
    length == all || by_version && length != all - usize::from(field.size)
}

/// An integer of up to 8 bytes. Reserved bytes that are fewer than 8 stand at the high end.
fn scalar(ty: Type, bytes: &[u8]) -> u64 {
    if ty == Type::Unspec {
        let mut wide = [0; 8];
        wide[..bytes.len()].copy_from_slice(bytes);
        return u64::from_be_bytes(wide);
    }
    u64::from(integer(ty.signed(), bytes).unwrap_or(0))
}

/// An integer of 1, 2 or 4 bytes as a 32-bit pattern; signed ones are extended.
fn integer(signed: bool, bytes: &[u8]) -> Option<u32> {
    Some(match *bytes {
        [a] if signed => i32::from(a.cast_signed()).cast_unsigned(),
        [a] => a.into(),
        [a, b] if signed => i32::from(i16::from_be_bytes([a, b])).cast_unsigned(),
        [a, b] => u16::from_be_bytes([a, b]).into(),
        [a, b, c, d] => u32::from_be_bytes([a, b, c, d]),
        _ => return None,
    })
}

struct Reader {
    layout: &'static Layout,
    dialect: Dialect,
    widths: Widths,
}

impl Reader {
    fn floating_part(&self, mut rest: &[u8]) -> Result<Vec<(Tag, Value)>, BodyError> {
        let mut fields = Vec::new();
        let mut seen = Seen::default();
        let mut cursor = 0;
        while !rest.is_empty() {
            let (tag, value, after) = self.split_field(rest)?;
            let entry = self.find(tag, &mut cursor);
            let ty = entry.map(|f| f.ty).or_else(|| tables::tag(tag).map(|t| t.ty)).unwrap_or(Type::Unspec);
            if entry.is_some_and(|f| !f.repeats && f.ty.element().is_none()) {
                seen.note(tag);
            }
            fields.push((tag, value_of(ty, self.dialect, value)));
            rest = after;
        }
        if seen.twice {
            keep_last(&mut fields, &seen);
        }
        Ok(fields)
    }

    /// Splits the first floating field off: its tag, its bytes, the rest.
    fn split_field<'a>(&self, bytes: &'a [u8]) -> Result<(Tag, &'a [u8], &'a [u8]), BodyError> {
        let short = BodyError::ShortHeader(bytes.len());
        let (tag, rest) = split_number(bytes, self.widths.tag).ok_or(short)?;
        let (length, rest) = split_number(rest, self.widths.length).ok_or(short)?;
        let (value, rest) = rest.split_at_checked(length.into()).ok_or(BodyError::ShortField {
            tag: Tag(tag),
            announced: length.into(),
            left: rest.len(),
        })?;
        Ok((Tag(tag), value, rest))
    }

    /// The layout's row of a tag. Senders keep the order of the layout, so the search starts behind the last hit.
    fn find(&self, tag: Tag, cursor: &mut usize) -> Option<&'static FloatingField> {
        let rows = self.layout.floating;
        let (before, behind) = rows.split_at(*cursor);
        let at = match behind.iter().position(|f| f.tag == tag) {
            Some(at) => *cursor + at,
            None => before.iter().position(|f| f.tag == tag)?,
        };
        *cursor = at;
        Some(&rows[at])
    }
}

fn split_number(bytes: &[u8], width: Width) -> Option<(u16, &[u8])> {
    match width {
        Width::One => bytes.split_first().map(|(one, rest)| (u16::from(*one), rest)),
        Width::Two => bytes.split_first_chunk::<2>().map(|(two, rest)| (u16::from_be_bytes(*two), rest)),
    }
}

/// Which single fields have occurred. Only tags of layouts are noted, and those are below 320.
#[derive(Default)]
struct Seen {
    tags: [u64; 5],
    twice: bool,
}

impl Seen {
    fn note(&mut self, tag: Tag) {
        let (word, bit) = (usize::from(tag.0 / 64), 1 << (tag.0 % 64));
        let Some(word) = self.tags.get_mut(word) else { return };
        self.twice |= *word & bit != 0;
        *word |= bit;
    }

    /// Forgets a tag; whether it had been noted.
    fn take(&mut self, tag: Tag) -> bool {
        let (word, bit) = (usize::from(tag.0 / 64), 1 << (tag.0 % 64));
        let Some(word) = self.tags.get_mut(word) else { return false };
        let noted = *word & bit != 0;
        *word &= !bit;
        noted
    }

    fn knows(&self, tag: Tag) -> bool {
        self.tags.get(usize::from(tag.0 / 64)).is_some_and(|word| word & (1 << (tag.0 % 64)) != 0)
    }
}

/// Of a single field that occurred more than once, the last one wins.
fn keep_last(fields: &mut Vec<(Tag, Value)>, seen: &Seen) {
    let mut left = Seen { tags: seen.tags, twice: true };
    fields.reverse();
    fields.retain(|(tag, _)| !seen.knows(*tag) || left.take(*tag));
    fields.reverse();
}

/// The value of a floating field. Bytes that do not suit the type stay bytes.
fn value_of(ty: Type, dialect: Dialect, bytes: &[u8]) -> Value {
    let suited = match ty {
        Type::String => Some(Value::Text(text(dialect, until_nul(bytes)))),
        Type::Unspec => None,
        Type::NamedVariable => named_variable(dialect, bytes),
        Type::NamedArray => named_array(dialect, bytes),
        Type::UintArray => array::<4>(bytes),
        Type::UshortArray => array::<2>(bytes),
        _ => integer(ty.signed(), bytes)
            .map(|value| if ty.signed() { Value::Int(value.cast_signed()) } else { Value::Uint(value) }),
    };
    suited.unwrap_or_else(|| Value::Bytes(bytes.to_vec()))
}

fn until_nul(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    &bytes[..end]
}

/// CCX sends UTF-8 and CCE ASCII. Bytes that are neither come from 8-bit installations of CCE: Latin-1.
fn text(dialect: Dialect, bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) if dialect == Dialect::Cce => bytes.iter().map(|byte| char::from(*byte)).collect(),
        Err(_) => String::from_utf8_lossy(bytes).into_owned(),
    }
}

fn named_variable(dialect: Dialect, bytes: &[u8]) -> Option<Value> {
    let end = bytes.iter().position(|byte| *byte == 0)?;
    let (name, value) = (&bytes[..end], &bytes[end + 1..]);
    Some(Value::NamedVariable { name: text(dialect, name), value: text(dialect, until_nul(value)) })
}

fn named_array(dialect: Dialect, bytes: &[u8]) -> Option<Value> {
    let (index, bytes) = bytes.split_first()?;
    match named_variable(dialect, bytes)? {
        Value::NamedVariable { name, value } => Some(Value::NamedArray { name, index: *index, value }),
        _ => None,
    }
}

fn array<const N: usize>(bytes: &[u8]) -> Option<Value> {
    let (elements, rest) = bytes.as_chunks::<N>();
    rest.is_empty().then(|| {
        Value::UintArray(
            elements.iter().map(|e| e.iter().fold(0, |n, byte| n << 8 | u32::from(*byte))).collect(),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_read_by_their_length_and_sign() {
        assert_eq!(integer(false, &[0xFE]), Some(0xFE));
        assert_eq!(integer(true, &[0xFE]).map(u32::cast_signed), Some(-2));
        assert_eq!(integer(false, &[0xFF, 0xFE]), Some(0xFFFE));
        assert_eq!(integer(true, &[0xFF, 0xFE]).map(u32::cast_signed), Some(-2));
        assert_eq!(integer(true, &[0xFF, 0xFF, 0xFF, 0xFE]).map(u32::cast_signed), Some(-2));
        assert_eq!(integer(false, &[1, 2, 3]), None);
        assert_eq!(integer(false, &[]), None);
    }

    #[test]
    fn arrays_take_whole_elements_only() {
        assert_eq!(array::<2>(&[0, 1, 2, 3]), Some(Value::UintArray(vec![1, 0x203])));
        assert_eq!(array::<4>(&[0, 0, 0, 1]), Some(Value::UintArray(vec![1])));
        assert_eq!(array::<4>(&[0, 0, 1]), None);
        assert_eq!(array::<2>(&[]), Some(Value::UintArray(vec![])));
    }
}
