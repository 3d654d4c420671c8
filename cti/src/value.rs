//! Values of message fields.

/// The value of a floating field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// An unsigned integer, a BOOL or a TIME.
    Uint(u32),
    /// A signed integer.
    Int(i32),
    /// Text without its final NUL.
    Text(String),
    /// Opaque bytes; also a field whose length does not suit the type that the tables give it.
    Bytes(Vec<u8>),
    /// An expanded call variable.
    NamedVariable {
        /// Its name.
        name: String,
        /// Its value; empty clears the variable.
        value: String,
    },
    /// One element of an array of expanded call variables.
    NamedArray {
        /// The array's name.
        name: String,
        /// The element's index, 0 to 254.
        index: u8,
        /// Its value; empty clears the element.
        value: String,
    },
    /// An array of unsigned integers.
    UintArray(Vec<u32>),
}

impl Value {
    /// A scalar expanded call variable.
    pub fn named(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self::NamedVariable { name: name.into(), value: value.into() }
    }

    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The integer, if it is one; a negative one as its 32-bit pattern.
    pub fn as_uint(&self) -> Option<u32> {
        match self {
            Self::Uint(value) => Some(*value),
            Self::Int(value) => Some(value.cast_unsigned()),
            _ => None,
        }
    }

    /// The bytes of an opaque field.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Self::Uint(value)
    }
}

impl From<u16> for Value {
    fn from(value: u16) -> Self {
        Self::Uint(value.into())
    }
}

impl From<u8> for Value {
    fn from(value: u8) -> Self {
        Self::Uint(value.into())
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Uint(value.into())
    }
}

impl From<i32> for Value {
    fn from(value: i32) -> Self {
        Self::Int(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<&String> for Value {
    fn from(value: &String) -> Self {
        Self::Text(value.clone())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<&[u8]> for Value {
    fn from(value: &[u8]) -> Self {
        Self::Bytes(value.to_vec())
    }
}

impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Self {
        Self::Bytes(value)
    }
}

impl From<Vec<u32>> for Value {
    fn from(value: Vec<u32>) -> Self {
        Self::UintArray(value)
    }
}

/// The value of a fixed field: an integer of up to 4 bytes, or up to 8 reserved bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scalar(pub(crate) u64);

impl From<u32> for Scalar {
    fn from(value: u32) -> Self {
        Self(value.into())
    }
}

impl From<u16> for Scalar {
    fn from(value: u16) -> Self {
        Self(value.into())
    }
}

impl From<u8> for Scalar {
    fn from(value: u8) -> Self {
        Self(value.into())
    }
}

impl From<bool> for Scalar {
    fn from(value: bool) -> Self {
        Self(value.into())
    }
}

impl From<i32> for Scalar {
    fn from(value: i32) -> Self {
        Self(value.cast_unsigned().into())
    }
}

impl From<[u8; 8]> for Scalar {
    fn from(value: [u8; 8]) -> Self {
        Self(u64::from_be_bytes(value))
    }
}
