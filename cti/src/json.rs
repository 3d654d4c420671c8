//! Messages as JSON, one object a line, for people who look at captures.
//!
//! `{"message":NAME,"fixed":{FIELD:value},"floating":[{"tag":n,"name":NAME,"value":value}]}`: fixed fields in wire
//! order; integers as numbers, `null` where the protocol says "nothing", STRING as text, UNSPEC as hex, arrays as
//! arrays, expanded call variables as `{"name":…,"value":…}` with an `"index"` for array elements. A tag that no table
//! knows has the name `null` and its bytes as hex. A message without a published layout has its bytes as hex under
//! `"body"`; one without a name is called `MESSAGE_` and its number.
//!
//! ```
//! use cti::json::{Secrets, line};
//! use cti::{Codec, Dialect};
//!
//! let codec = Codec::new(Dialect::Cce, 24);
//! assert_eq!(
//!     line(&codec, "000000040000000500000007", Secrets::Mask),
//!     r#"{"message":"HEARTBEAT_REQ","fixed":{"InvokeID":7},"floating":[]}"#
//! );
//! assert_eq!(line(&codec, "zz", Secrets::Mask), r#"{"error":"'z' is not a hex digit"}"#);
//! ```

use std::fmt::Write;

use bytes::BytesMut;

use crate::codec::{Codec, HEADER};
use crate::field::Field;
use crate::message::Message;
use crate::tables::{Dialect, Type};
use crate::tag::Tag;
use crate::value::Value;

/// Whether credentials are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Secrets {
    /// Passwords appear as `"***"`.
    #[default]
    Mask,
    /// Passwords appear as they are.
    Show,
}

/// Decodes one frame given as hex digits. White space between the digits and a leading `0x` are accepted. Anything
/// but exactly one whole, well-formed frame gives `{"error":TEXT}`.
pub fn line(codec: &Codec, hex: &str, secrets: Secrets) -> String {
    match decode(codec, hex) {
        Ok(decoded) => message(&decoded, codec.dialect(), secrets),
        Err(error) => {
            let mut out = String::from("{\"error\":");
            string(&error, &mut out);
            out.push('}');
            out
        }
    }
}

/// One message as a JSON object.
pub fn message(message: &Message, dialect: Dialect, secrets: Secrets) -> String {
    let mut out = String::with_capacity(256);
    out.push_str("{\"message\":");
    string(&message.kind.to_string(), &mut out);
    out.push_str(",\"fixed\":{");
    for (n, (field, value)) in message.fixed().enumerate() {
        comma(n, &mut out);
        string(field.name(), &mut out);
        out.push(':');
        fixed_value(message, dialect, field, value, &mut out);
    }
    out.push_str("},\"floating\":[");
    for (n, (tag, value)) in message.floating().iter().enumerate() {
        comma(n, &mut out);
        floating_field(message, dialect, secrets, *tag, value, &mut out);
    }
    out.push(']');
    if !message.body().is_empty() {
        out.push_str(",\"body\":");
        bytes(message.body(), &mut out);
    }
    out.push('}');
    out
}

fn decode(codec: &Codec, hex: &str) -> Result<Message, String> {
    let mut frame = parse_hex(hex)?;
    let announced = codec.frame_length(&frame).map_err(|error| error.to_string())?;
    let given = frame.len();
    match announced {
        None => return Err(format!("{given} bytes are no header")),
        Some(announced) if given < announced.max(HEADER) => {
            return Err(format!("frame of {announced} bytes announced, only {given} given"));
        }
        Some(announced) if given > announced => {
            return Err(format!("{} bytes after the end of the frame", given - announced));
        }
        Some(_) => {}
    }
    match codec.decode(&mut frame) {
        Ok(Some(Ok(message))) => Ok(message),
        Ok(Some(Err(bad))) => Err(bad.to_string()),
        Ok(None) => Err("incomplete frame".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

fn parse_hex(text: &str) -> Result<BytesMut, String> {
    let text = text.trim();
    let text = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
    let mut out = BytesMut::with_capacity(text.len() / 2);
    let mut high = None;
    for digit in text.chars().filter(|c| !c.is_ascii_whitespace()) {
        let value = digit.to_digit(16).ok_or_else(|| format!("{digit:?} is not a hex digit"))? as u8;
        match high.take() {
            None => high = Some(value << 4),
            Some(high) => out.extend_from_slice(&[high | value]),
        }
    }
    if high.is_some() { Err("odd number of hex digits".to_owned()) } else { Ok(out) }
}

fn fixed_value(message: &Message, dialect: Dialect, field: Field, value: u64, out: &mut String) {
    let row = message.layout(dialect).and_then(|layout| layout.fixed.iter().find(|row| row.field == field));
    match row.map(|row| (row.ty, row.size)) {
        Some((Type::Unspec, size)) => bytes(&value.to_be_bytes()[..usize::from(size).min(8)], out),
        Some((ty, _)) if ty.signed() => number((value as u32).cast_signed(), out),
        _ => match field.rule().filter(value as u32) {
            Some(value) => number(value, out),
            None => out.push_str("null"),
        },
    }
}

fn floating_field(
    message: &Message,
    dialect: Dialect,
    secrets: Secrets,
    tag: Tag,
    value: &Value,
    out: &mut String,
) {
    let row = message.layout(dialect).and_then(|layout| layout.floating.iter().find(|row| row.tag == tag));
    out.push_str("{\"tag\":");
    number(tag.0, out);
    out.push_str(",\"name\":");
    match row.map(|row| row.name()).or(tag.name()) {
        Some(name) => string(name, out),
        None => out.push_str("null"),
    }
    out.push_str(",\"value\":");
    if tag.is_secret() && secrets == Secrets::Mask {
        string("***", out);
    } else {
        floating_value(tag, value, out);
    }
    out.push('}');
}

fn floating_value(tag: Tag, value: &Value, out: &mut String) {
    match value {
        Value::Uint(value) => match tag.rule().filter(*value) {
            Some(value) => number(value, out),
            None => out.push_str("null"),
        },
        Value::Int(value) => number(*value, out),
        Value::Text(text) => string(text, out),
        Value::Bytes(value) => bytes(value, out),
        Value::NamedVariable { name, value } => named(name, None, value, out),
        Value::NamedArray { name, index, value } => named(name, Some(*index), value, out),
        Value::UintArray(elements) => {
            out.push('[');
            for (n, element) in elements.iter().enumerate() {
                comma(n, out);
                number(*element, out);
            }
            out.push(']');
        }
    }
}

fn named(name: &str, index: Option<u8>, value: &str, out: &mut String) {
    out.push_str("{\"name\":");
    string(name, out);
    if let Some(index) = index {
        out.push_str(",\"index\":");
        number(index, out);
    }
    out.push_str(",\"value\":");
    string(value, out);
    out.push('}');
}

fn comma(n: usize, out: &mut String) {
    if n > 0 {
        out.push(',');
    }
}

fn number(value: impl std::fmt::Display, out: &mut String) {
    // Writing to a String cannot fail.
    let _ = write!(out, "{value}");
}

fn bytes(bytes: &[u8], out: &mut String) {
    out.push('"');
    for byte in bytes {
        let _ = write!(out, "{byte:02x}");
    }
    out.push('"');
}

/// A string with the escapes of RFC 8259.
fn string(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            // DEL and the C1 controls are legal in JSON, but they could steer a terminal.
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{field, kind, tag};

    fn frame(codec: &Codec, message: &Message) -> String {
        let mut wire = BytesMut::new();
        codec.encode(message, &mut wire).unwrap();
        wire.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn shown(message: &Message) -> String {
        let codec = Codec::new(Dialect::Cce, 24);
        line(&codec, &frame(&codec, message), Secrets::Mask)
    }

    #[test]
    fn every_kind_of_value_has_its_form() {
        let text = shown(
            &Message::new(kind::CALL_AGENT_GREETING_EVENT)
                .with(field::CONNECTION_CALL_ID, 5u32)
                .with_tag(tag::ANI, "a\"\\\u{1}\u{e9}\u{7f}")
                .with_tag(tag::SKILL_GROUP_NUMBER, u32::MAX)
                .with_tag(tag::APPLICATION_PATH_ID, -1i32)
                .with_tag(tag::FLT_AGENT_MRDID, vec![1u32, 2])
                .with_tag(tag::USER_TO_USER_INFO, vec![0u8, 255])
                .with_named("user.x", "1")
                .with_tag(
                    tag::NAMED_ARRAY,
                    Value::NamedArray { name: "y".into(), index: 3, value: "2".into() },
                )
                .with_tag(Tag(999), vec![1u8]),
        );
        for part in [
            r#""ConnectionCallID":5,"#,
            r#""ConnectionDeviceIDType":null,"#,
            r#"{"tag":8,"name":"ANI","value":"a\"\\\u0001é\u007f"}"#,
            r#"{"tag":62,"name":"SkillGroupNumber","value":null}"#,
            r#"{"tag":97,"name":"ApplicationPathID","value":-1}"#,
            r#"{"tag":262,"name":"FltAgentMRDID","value":[1,2]}"#,
            r#"{"tag":9,"name":"UserToUserInfo","value":"00ff"}"#,
            r#"{"tag":82,"name":"NamedVariable","value":{"name":"user.x","value":"1"}}"#,
            r#"{"tag":83,"name":"NamedArray","value":{"name":"y","index":3,"value":"2"}}"#,
            r#"{"tag":999,"name":null,"value":"01"}"#,
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }

    #[test]
    fn fixed_fields_are_in_wire_order_and_reserved_bytes_are_hex() {
        let text = shown(&Message::new(kind::TEAM_CONFIG_REQ).with(field::CONFIG_PARAM, 1u16));
        assert_eq!(
            text,
            r#"{"message":"TEAM_CONFIG_REQ","fixed":{"InvokeID":0,"ConfigParam":1,"Reserved":"0000000000000000"},"floating":[]}"#
        );
        let text = shown(&Message::new(kind::OPEN_CONF).with(field::DEPARTMENT_ID, -2i32));
        assert!(text.contains("\"DepartmentID\":-2,\"SessionType\":0}"), "{text}");
    }

    #[test]
    fn passwords_are_masked_unless_asked_for() {
        let codec = Codec::new(Dialect::Cce, 20);
        let open = Message::new(kind::OPEN_REQ)
            .with(field::VERSION_NUMBER, 20u32)
            .with_tag(tag::CLIENT_ID, "desk")
            .with_tag(tag::CLIENT_PASSWORD, b"secret".as_slice());
        let login = Message::new(kind::SET_AGENT_STATE_REQ).with_tag(tag::AGENT_PASSWORD, "secret");
        for (message, open_form) in [(&open, "736563726574"), (&login, "secret")] {
            let hex = frame(&codec, message);
            let masked = line(&codec, &hex, Secrets::Mask);
            assert!(masked.contains("\"***\"") && !masked.contains(open_form), "{masked}");
            let shown = line(&codec, &hex, Secrets::Show);
            assert!(shown.contains(open_form) && !shown.contains("***"), "{shown}");
        }
    }

    #[test]
    fn messages_without_layout_or_name_show_their_body() {
        let codec = Codec::new(Dialect::Cce, 24);
        assert_eq!(
            line(&codec, "00000002 00000097 abcd", Secrets::Mask),
            r#"{"message":"MEDIA_LOGIN_REQ","fixed":{},"floating":[],"body":"abcd"}"#
        );
        assert_eq!(
            line(&codec, "0x00000000000003E7", Secrets::Mask),
            r#"{"message":"MESSAGE_999","fixed":{},"floating":[]}"#
        );
    }

    #[test]
    fn ccx_names_differ_where_the_tables_do() {
        let codec = Codec::new(Dialect::Ccx, 18);
        let message = Message::new(kind::OPEN_CONF).with_tag(Tag(248), 31u16);
        let text = line(&codec, &frame(&codec, &message), Secrets::Mask);
        assert!(text.contains(r#"{"tag":248,"name":"ConfigMsgMaskGranted","value":31}"#), "{text}");
    }

    #[test]
    fn whatever_is_not_one_whole_frame_is_an_error() {
        let codec = Codec::new(Dialect::Cce, 20);
        let cases = [
            ("", "0 bytes are no header"),
            ("000", "odd number of hex digits"),
            ("0000zz", "'z' is not a hex digit"),
            ("0000", "2 bytes are no header"),
            ("0000000000", "frame of 8 bytes announced, only 5 given"),
            ("00000004000000050000", "frame of 12 bytes announced, only 10 given"),
            ("00000004000000050000000700", "1 bytes after the end of the frame"),
            ("000000040000000500000007000000040000000500000007", "12 bytes after the end of the frame"),
            ("ffffffff00000005", "message of 4294967303 bytes announced, the limit is 12500"),
            ("000000020000000500ff", "HEARTBEAT_REQ: body of 2 bytes is shorter than the fixed part of 4"),
            (
                "0000000900000005000000070007000501",
                "HEARTBEAT_REQ: field with tag 7 announces 5 bytes, 1 are left",
            ),
        ];
        for (hex, error) in cases {
            let mut expected = String::from("{\"error\":");
            string(error, &mut expected);
            expected.push('}');
            assert_eq!(line(&codec, hex, Secrets::Mask), expected, "{hex}");
        }
    }
}
