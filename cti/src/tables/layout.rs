//! The shape of a layout table and the small vocabulary in which the tables are written.

use crate::field::Field;
use crate::tag::Tag;

/// Types of the protocol (GED-188, data types).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// Signed, 1 byte.
    Char,
    /// Unsigned, 1 byte.
    Uchar,
    /// Signed, 2 bytes.
    Short,
    /// Unsigned, 2 bytes.
    Ushort,
    /// Signed, 4 bytes.
    Int,
    /// Unsigned, 4 bytes.
    Uint,
    /// 0 or 1 in 2 bytes.
    Bool,
    /// Seconds since 1970-01-01 00:00 UTC in 4 bytes.
    Time,
    /// Text with a final NUL, which counts.
    String,
    /// Opaque bytes.
    Unspec,
    /// Name, NUL, value, NUL.
    NamedVariable,
    /// Index byte, name, NUL, value, NUL.
    NamedArray,
    /// Elements of 4 bytes.
    UintArray,
    /// Elements of 2 bytes.
    UshortArray,
}

impl Type {
    /// Size in bytes of an integer type; `None` for the others.
    pub const fn width(self) -> Option<u16> {
        match self {
            Self::Char | Self::Uchar => Some(1),
            Self::Short | Self::Ushort | Self::Bool => Some(2),
            Self::Int | Self::Uint | Self::Time => Some(4),
            _ => None,
        }
    }

    /// Element size in bytes of an array type; `None` for the others.
    pub const fn element(self) -> Option<u16> {
        match self {
            Self::UintArray => Some(4),
            Self::UshortArray => Some(2),
            _ => None,
        }
    }

    /// Whether negative values exist.
    pub const fn signed(self) -> bool {
        matches!(self, Self::Char | Self::Short | Self::Int)
    }
}

/// The body of a message: fixed part, then floating part.
#[derive(Debug)]
pub struct Layout {
    /// Fixed fields in wire order.
    pub fixed: &'static [FixedField],
    /// Floating fields in the order in which a sender puts them.
    pub floating: &'static [FloatingField],
}

/// One field of the fixed part.
#[derive(Debug)]
pub struct FixedField {
    /// Which field.
    pub field: Field,
    /// Its type.
    pub ty: Type,
    /// Its size on the wire in bytes.
    pub size: u16,
    /// Absent from the wire below this protocol version.
    pub since: u32,
    /// Name of the enumeration that its values belong to.
    pub values: Option<&'static str>,
    /// What a sender puts there when it has nothing to say.
    pub default: Option<u32>,
    /// The version that introduced it is unconfirmed: a receiver goes by the length of the body.
    pub optional: bool,
}

/// One field of the floating part.
#[derive(Debug)]
pub struct FloatingField {
    /// Its tag.
    pub tag: Tag,
    /// Its name in this message, where that differs from the tag's.
    pub alias: Option<&'static str>,
    /// Its type in this message.
    pub ty: Type,
    /// Upper limit in bytes, final NUL included; 0 when none is published.
    pub max: u16,
    /// Not sent below this protocol version.
    pub since: u32,
    /// Not sent above this protocol version.
    pub until: u32,
    /// Member of a list: may occur more than once.
    pub repeats: bool,
    /// Always present.
    pub required: bool,
}

impl FloatingField {
    /// Its published name in this message.
    pub fn name(&self) -> &'static str {
        self.alias.or(self.tag.name()).unwrap_or("")
    }

    /// Whether a sender of protocol `version` sends it.
    pub fn exists_in(&self, version: u32) -> bool {
        (self.since..=self.until).contains(&version.max(13))
    }
}

const fn fixed(field: Field, ty: Type, size: u16) -> FixedField {
    FixedField { field, ty, size, since: 13, values: None, default: None, optional: false }
}

pub(super) const fn uchar(field: Field) -> FixedField {
    fixed(field, Type::Uchar, 1)
}

pub(super) const fn ushort(field: Field) -> FixedField {
    fixed(field, Type::Ushort, 2)
}

pub(super) const fn bool(field: Field) -> FixedField {
    fixed(field, Type::Bool, 2)
}

pub(super) const fn int(field: Field) -> FixedField {
    fixed(field, Type::Int, 4)
}

pub(super) const fn uint(field: Field) -> FixedField {
    fixed(field, Type::Uint, 4)
}

pub(super) const fn time(field: Field) -> FixedField {
    fixed(field, Type::Time, 4)
}

/// Reserved bytes; at most 8, so that they fit a fixed field's value.
pub(super) const fn unspec(field: Field, size: u16) -> FixedField {
    assert!(size <= 8);
    fixed(field, Type::Unspec, size)
}

impl FixedField {
    pub(super) const fn since(self, since: u32) -> Self {
        Self { since, ..self }
    }

    pub(super) const fn of(self, values: &'static str) -> Self {
        Self { values: Some(values), ..self }
    }

    pub(super) const fn constant(self, default: u32) -> Self {
        Self { default: Some(default), ..self }
    }

    pub(super) const fn optional(self) -> Self {
        Self { optional: true, ..self }
    }
}

const fn floating(tag: Tag, ty: Type, max: u16) -> FloatingField {
    FloatingField { tag, alias: None, ty, max, since: 13, until: u32::MAX, repeats: false, required: false }
}

pub(super) const fn flt_uchar(tag: Tag) -> FloatingField {
    floating(tag, Type::Uchar, 1)
}

pub(super) const fn flt_ushort(tag: Tag) -> FloatingField {
    floating(tag, Type::Ushort, 2)
}

pub(super) const fn flt_bool(tag: Tag) -> FloatingField {
    floating(tag, Type::Bool, 2)
}

pub(super) const fn flt_int(tag: Tag) -> FloatingField {
    floating(tag, Type::Int, 4)
}

pub(super) const fn flt_uint(tag: Tag) -> FloatingField {
    floating(tag, Type::Uint, 4)
}

pub(super) const fn flt_time(tag: Tag) -> FloatingField {
    floating(tag, Type::Time, 4)
}

pub(super) const fn text(tag: Tag, max: u16) -> FloatingField {
    floating(tag, Type::String, max)
}

pub(super) const fn bytes(tag: Tag, max: u16) -> FloatingField {
    floating(tag, Type::Unspec, max)
}

pub(super) const fn named_variable(tag: Tag) -> FloatingField {
    floating(tag, Type::NamedVariable, 251).repeats()
}

pub(super) const fn named_array(tag: Tag) -> FloatingField {
    floating(tag, Type::NamedArray, 252).repeats()
}

pub(super) const fn uints(tag: Tag) -> FloatingField {
    floating(tag, Type::UintArray, 0)
}

pub(super) const fn ushorts(tag: Tag) -> FloatingField {
    floating(tag, Type::UshortArray, 0)
}

impl FloatingField {
    pub(super) const fn since(self, since: u32) -> Self {
        Self { since, ..self }
    }

    pub(super) const fn until(self, until: u32) -> Self {
        Self { until, ..self }
    }

    pub(super) const fn named(self, name: &'static str) -> Self {
        Self { alias: Some(name), ..self }
    }

    pub(super) const fn repeats(self) -> Self {
        Self { repeats: true, ..self }
    }

    pub(super) const fn required(self) -> Self {
        Self { required: true, ..self }
    }

    /// A BOOL that takes 4 bytes, as CCX prints one of them.
    pub(super) const fn wide(self) -> Self {
        Self { max: 4, ..self }
    }
}
