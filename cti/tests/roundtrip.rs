//! Every message with a known layout, every version, both dialects: what is encoded is what is decoded.

use bytes::BytesMut;
use cti::tables::{self, FloatingField, Layout, Type};
use cti::{Codec, Dialect, Message, Tag, Value, Width, field, kind, tag};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// Random choices for one message.
struct Dice<'a>(&'a mut TestRng);

impl Dice<'_> {
    fn number(&mut self, below: u32) -> u32 {
        self.0.next_u32() % below
    }

    fn chance(&mut self, percent: u32) -> bool {
        self.number(100) < percent
    }

    /// Any value, often an extreme one.
    fn bits(&mut self, size: u16) -> u32 {
        let mask = if size == 4 { u32::MAX } else { (1 << (8 * size)) - 1 };
        match self.number(4) {
            0 => 0,
            1 => mask,
            _ => self.0.next_u32() & mask,
        }
    }

    fn text(&mut self, longest: u32, dialect: Dialect) -> String {
        let length = if self.chance(10) { longest } else { self.number(longest + 1) };
        let mut text: String = (0..length).map(|_| char::from(1 + self.number(126) as u8)).collect();
        if dialect == Dialect::Ccx && length > 1 {
            text.truncate(text.len() - 2);
            text.push('\u{fc}');
        }
        text
    }

    fn bytes(&mut self, longest: u32) -> Vec<u8> {
        (0..self.number(longest + 1)).map(|_| self.0.next_u32() as u8).collect()
    }

    fn value(&mut self, row: &FloatingField, dialect: Dialect) -> Value {
        let most = u32::from(if row.max == 0 { 255 } else { row.max.min(255) });
        match row.ty {
            Type::String => Value::Text(self.text(most - 1, dialect)),
            Type::Unspec => Value::Bytes(self.bytes(most)),
            Type::NamedVariable => Value::named(self.text(32, dialect), self.text(60, dialect)),
            Type::NamedArray => Value::NamedArray {
                name: self.text(32, dialect),
                index: self.number(255) as u8,
                value: self.text(60, dialect),
            },
            Type::UintArray | Type::UshortArray => {
                let size = row.ty.element().unwrap();
                Value::UintArray((0..self.number(5)).map(|_| self.bits(size)).collect())
            }
            Type::Char | Type::Short | Type::Int => {
                let bits = self.bits(row.ty.width().unwrap());
                Value::Int(extend(row.ty, bits).cast_signed())
            }
            Type::Bool => Value::Uint(self.number(2)),
            Type::Uchar | Type::Ushort | Type::Uint | Type::Time => {
                Value::Uint(self.bits(row.ty.width().unwrap()))
            }
        }
    }
}

fn extend(ty: Type, bits: u32) -> u32 {
    match ty {
        Type::Char => i32::from((bits as u8).cast_signed()).cast_unsigned(),
        Type::Short => i32::from((bits as u16).cast_signed()).cast_unsigned(),
        _ => bits,
    }
}

/// A message in the form in which the decoder gives it back.
fn message(kind: cti::Kind, layout: &Layout, codec: &Codec, dice: &mut Dice<'_>) -> Message {
    let (version, dialect) = (codec.version(), codec.dialect());
    let mut message = Message::new(kind);
    for row in layout.fixed.iter().filter(|row| row.since <= version) {
        match row.ty {
            Type::Unspec => message.set(row.field, [1, 2, 3, 4, 5, 6, 7, 8]),
            ty => message.set(row.field, extend(ty, dice.bits(row.size))),
        };
    }
    if kind == kind::OPEN_REQ {
        message.set(field::VERSION_NUMBER, version);
    }
    let widest = codec_tag_limit(dialect, version);
    let sendable = |row: &&FloatingField| row.exists_in(version) && row.tag.0 <= widest;
    let rows: Vec<_> = layout.floating.iter().filter(sendable).collect();
    let mut run: Vec<&FloatingField> = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        let named = matches!(row.tag, tag::NAMED_VARIABLE | tag::NAMED_ARRAY);
        let in_list = row.repeats && !named;
        if in_list {
            run.push(row);
        }
        if !in_list || at + 1 == rows.len() {
            let groups = if run.is_empty() { 0 } else { dice.number(4) };
            for _ in 0..groups {
                for member in &run {
                    if dice.chance(70) {
                        message.push(member.tag, dice.value(member, dialect));
                    }
                }
            }
            run.clear();
        }
        if !in_list {
            let times = if named { dice.number(4) } else { dice.number(2) };
            for _ in 0..times {
                message.push(row.tag, dice.value(row, dialect));
            }
        }
    }
    for (field, tag) in
        [(field::NUM_NAMED_VARIABLES, tag::NAMED_VARIABLE), (field::NUM_NAMED_ARRAYS, tag::NAMED_ARRAY)]
    {
        if message.raw(field).is_some() {
            message.set(field, message.all(tag).count() as u32);
        }
    }
    message
}

fn codec_tag_limit(dialect: Dialect, version: u32) -> u16 {
    let wide = if dialect == Dialect::Cce { 20 } else { 18 };
    if version >= wide { u16::MAX } else { 255 }
}

fn check(codec: &Codec, sent: &Message) -> Result<(), TestCaseError> {
    let mut wire = BytesMut::new();
    codec.encode(sent, &mut wire).map_err(|error| TestCaseError::fail(format!("{error}: {sent:?}")))?;
    let first = wire.clone();
    let read = codec.decode(&mut wire).unwrap().unwrap();
    let read = read.map_err(|error| TestCaseError::fail(format!("{error}: {sent:?}")))?;
    prop_assert!(wire.is_empty());
    prop_assert_eq!(&read, sent, "version {} {:?}", codec.version(), codec.dialect());
    let mut again = BytesMut::new();
    codec.encode(&read, &mut again).unwrap();
    prop_assert_eq!(again, first);
    Ok(())
}

#[test]
fn every_message_in_every_version_and_dialect() {
    let mut rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut tried = 0;
    for info in tables::messages() {
        for dialect in [Dialect::Cce, Dialect::Ccx] {
            let Some(layout) = info.layout(dialect) else { continue };
            for version in 13..=24 {
                for width in [Width::One, Width::Two] {
                    let codec = Codec::new(dialect, version).with_ccx_length(width);
                    for _ in 0..3 {
                        let sent = message(info.kind, layout, &codec, &mut Dice(&mut rng));
                        check(&codec, &sent).unwrap_or_else(|error| panic!("{}: {error}", info.name));
                        tried += 1;
                    }
                }
            }
        }
    }
    assert!(tried > 20_000, "{tried}");
}

proptest! {
    #![proptest_config(Config::with_cases(4000))]

    #[test]
    fn decoding_is_total(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        kind in 0u32..330,
        version in 0u32..40,
        ccx in any::<bool>(),
    ) {
        let codec = Codec::new(if ccx { Dialect::Ccx } else { Dialect::Cce }, version);
        let mut wire = BytesMut::new();
        wire.extend_from_slice(&(bytes.len() as u32).to_be_bytes());
        wire.extend_from_slice(&kind.to_be_bytes());
        wire.extend_from_slice(&bytes);
        let mut torn = BytesMut::from(&wire[..wire.len() - 1]);
        prop_assert_eq!(codec.decode(&mut torn), Ok(None));
        let frame = codec.decode(&mut wire).unwrap().unwrap();
        prop_assert!(wire.is_empty());
        if let Ok(message) = frame {
            let _ = message.warnings(codec.dialect());
            let _ = message.records();
        }
    }
}

/// Values of any type under any tag are refused or survive; nothing panics and nothing is half written.
#[test]
fn encoding_is_total() {
    let mut runner = TestRunner::new(Config::with_cases(4000));
    let value = prop_oneof![
        any::<u32>().prop_map(Value::Uint),
        any::<i32>().prop_map(Value::Int),
        ".{0,300}".prop_map(Value::Text),
        prop::collection::vec(any::<u8>(), 0..300).prop_map(Value::Bytes),
        prop::collection::vec(any::<u32>(), 0..5).prop_map(Value::UintArray),
        (".{0,40}", ".{0,220}").prop_map(|(name, value)| Value::named(name, value)),
    ];
    let fields = prop::collection::vec((0u16..330, value), 0..6);
    runner
        .run(&(fields, 0u32..300, 13u32..25, any::<u32>()), |(fields, kind, version, number)| {
            let mut message = Message::new(cti::Kind(kind));
            message.set(field::INVOKE_ID, number).set(field::AGENT_STATE, number);
            for (tag, value) in fields {
                message.push(Tag(tag), value);
            }
            let mut out = BytesMut::new();
            match Codec::new(Dialect::Cce, version).encode(&message, &mut out) {
                Ok(()) => {
                    let read = Codec::new(Dialect::Cce, version).decode(&mut out);
                    prop_assert!(matches!(read, Ok(Some(_))), "{:?}", read);
                    prop_assert!(out.is_empty());
                }
                Err(_) => prop_assert!(out.is_empty()),
            }
            Ok(())
        })
        .unwrap();
}
