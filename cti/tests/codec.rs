//! Golden frames, sizes and the rules of the codec, seen from outside.

use bytes::BytesMut;
use cti::{
    BodyError, Codec, Dialect, EncodeError, FrameError, Kind, Message, Value, Width, field, kind, tag,
};

fn hex(text: &str) -> BytesMut {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn encode(codec: &Codec, message: &Message) -> BytesMut {
    let mut out = BytesMut::new();
    codec.encode(message, &mut out).unwrap();
    out
}

fn decode(codec: &Codec, frame: &str) -> cti::Frame {
    let mut input = hex(frame);
    let frame = codec.decode(&mut input).unwrap().expect("a whole frame");
    assert!(input.is_empty());
    frame
}

/// A frame written by hand is what the encoder writes, and reads as the message.
fn golden(codec: Codec, message: Message, frame: &str) {
    assert_eq!(encode(&codec, &message), hex(frame), "{message:?}");
    let read = decode(&codec, frame).unwrap();
    assert_eq!(encode(&codec, &read), hex(frame), "{read:?}");
    for (field, value) in message.fixed() {
        assert_eq!(read.raw(field), Some(value as u32), "{field:?}");
    }
    assert_eq!(read.floating(), message.floating());
}

#[test]
fn golden_heartbeat() {
    let message = Message::new(kind::HEARTBEAT_REQ).with(field::INVOKE_ID, 7u32);
    golden(Codec::new(Dialect::Cce, 24), message, "00000004 00000005 00000007");
}

fn open_request(version: u32) -> Message {
    Message::new(kind::OPEN_REQ)
        .with(field::INVOKE_ID, 1u32)
        .with(field::VERSION_NUMBER, version)
        .with(field::IDLE_TIMEOUT, 20u32)
        .with(field::PERIPHERAL_ID, u32::MAX)
        .with(field::SERVICES_REQUESTED, 0x96u32)
        .with(field::CALL_MSG_MASK, 0x0FFF_FFFFu32)
        .with(field::AGENT_STATE_MASK, 0x3FFFu32)
        .with_tag(tag::CLIENT_ID, "desk")
        .with_tag(tag::CLIENT_PASSWORD, b"pw".as_slice())
        .with_tag(tag::CLIENT_SIGNATURE, "")
}

#[test]
fn golden_open_request_with_narrow_and_wide_tags() {
    let fixed = "00000014 ffffffff 00000096 0fffffff 00003fff 00000000 00000000 00000000 00000000";
    golden(
        Codec::new(Dialect::Cce, 13),
        open_request(13),
        &format!("0000003a 00000003 00000001 0000000d {fixed} 01 05 6465736b00 02 02 7077 03 01 00"),
    );
    golden(
        Codec::new(Dialect::Cce, 20),
        open_request(20),
        &format!(
            "00000040 00000003 00000001 00000014 {fixed} 0001 0005 6465736b00 0002 0002 7077 0003 0001 00"
        ),
    );
}

#[test]
fn open_request_is_read_by_the_version_it_asks_for() {
    let server = Codec::new(Dialect::Cce, 13);
    let mut wire = encode(&Codec::new(Dialect::Cce, 24), &open_request(24));
    let message = server.decode(&mut wire).unwrap().unwrap().unwrap();
    assert_eq!(message.uint(field::VERSION_NUMBER), Some(24));
    assert_eq!(message.tag_bytes(tag::CLIENT_PASSWORD), Some(b"pw".as_slice()));
}

#[test]
fn golden_begin_call() {
    let message = Message::new(kind::BEGIN_CALL_EVENT)
        .with(field::MONITOR_ID, 0u32)
        .with(field::PERIPHERAL_ID, 5000u32)
        .with(field::PERIPHERAL_TYPE, 17u16)
        .with(field::NUM_CTI_CLIENTS, 0u16)
        .with(field::NUM_NAMED_VARIABLES, 1u16)
        .with(field::NUM_NAMED_ARRAYS, 1u16)
        .with(field::CALL_TYPE, 1u16)
        .with(field::CONNECTION_DEVICE_ID_TYPE, 0u16)
        .with(field::CONNECTION_CALL_ID, 100u32)
        .with(field::CALLED_PARTY_DISPOSITION, 0u16)
        .with_tag(tag::CONNECTION_DEVICE_ID, "2001")
        .with_tag(tag::ANI, "555")
        .with_tag(tag::CALL_VARIABLE1, "a")
        .with_tag(tag::NAMED_VARIABLE, Value::named("user.x", "1"))
        .with_tag(
            tag::NAMED_ARRAY,
            Value::NamedArray { name: "user.y".into(), index: 2, value: String::new() },
        );
    golden(
        Codec::new(Dialect::Cce, 20),
        message,
        "0000004b 00000017 00000000 00001388 0011 0000 0001 0001 0001 0000 00000064 0000 \
         0019 0005 3230303100 0008 0004 35353500 000d 0002 6100 \
         0052 0009 757365722e78003100 0053 0009 02757365722e790000",
    );
}

#[test]
fn golden_control_failure_and_agent_state() {
    golden(
        Codec::new(Dialect::Cce, 20),
        Message::new(kind::CONTROL_FAILURE_CONF)
            .with(field::INVOKE_ID, 9u32)
            .with(field::FAILURE_CODE, 259u16)
            .with(field::PERIPHERAL_ERROR_CODE, 10108u32),
        "0000000a 00000023 00000009 0103 0000277c",
    );
    golden(
        Codec::new(Dialect::Ccx, 18),
        Message::new(kind::QUERY_AGENT_STATE_REQ)
            .with(field::INVOKE_ID, 9u32)
            .with(field::PERIPHERAL_ID, 1u32)
            .with(field::MRDID, 1u32)
            .with(field::ICM_AGENT_ID, 0u32)
            .with_tag(tag::AGENT_ID_LONG, "j\u{e9}"),
        "00000017 00000024 00000009 00000001 00000001 00000000 00c2 04 6ac3a900",
    );
}

#[test]
fn fixed_parts_have_the_published_sizes() {
    let table: [(Kind, [usize; 5]); 16] = [
        (kind::OPEN_REQ, [44, 44, 44, 44, 44]),
        (kind::OPEN_CONF, [26, 26, 30, 30, 32]),
        (kind::AGENT_STATE_EVENT, [58, 58, 62, 62, 62]),
        (kind::QUERY_AGENT_STATE_CONF, [30, 30, 34, 34, 34]),
        (kind::SET_AGENT_STATE_REQ, [21, 21, 21, 21, 21]),
        (kind::SYSTEM_EVENT, [26, 26, 26, 26, 26]),
        (kind::BEGIN_CALL_EVENT, [26, 26, 26, 26, 26]),
        (kind::CALL_DELIVERED_EVENT, [54, 54, 54, 54, 54]),
        (kind::CALL_ESTABLISHED_EVENT, [50, 50, 50, 50, 50]),
        (kind::CALL_DATA_UPDATE_EVENT, [40, 40, 40, 40, 40]),
        (kind::MAKE_CALL_REQ, [28, 32, 32, 32, 32]),
        (kind::CONFERENCE_CALL_REQ, [40, 40, 40, 40, 40]),
        (kind::AGENT_PRE_CALL_EVENT, [30, 30, 30, 34, 34]),
        (kind::AGENT_TEAM_CONFIG_EVENT, [12, 12, 16, 16, 16]),
        (kind::TEAM_CONFIG_EVENT, [16, 16, 16, 16, 16]),
        (kind::CONTROL_FAILURE_CONF, [10, 10, 10, 10, 10]),
    ];
    for (kind, sizes) in table {
        for (version, size) in [13, 18, 19, 20, 24].into_iter().zip(sizes) {
            let wire = encode(&Codec::new(Dialect::Cce, version), &Message::new(kind));
            assert_eq!(wire.len(), 8 + size, "{kind} in version {version}");
        }
    }
}

#[test]
fn unset_fields_travel_as_nothing() {
    let codec = Codec::new(Dialect::Cce, 20);
    let read = codec.decode(&mut encode(&codec, &Message::new(kind::CALL_DELIVERED_EVENT))).unwrap().unwrap();
    let read = read.unwrap();
    assert_eq!(read.uint(field::CONNECTION_CALL_ID), None);
    assert_eq!(read.raw(field::CONNECTION_DEVICE_ID_TYPE), Some(0xFFFF));
    assert_eq!(read.uint(field::EVENT_CAUSE), Some(0));
    // In CCX most of them have a constant.
    let codec = Codec::new(Dialect::Ccx, 20);
    let read = codec.decode(&mut encode(&codec, &Message::new(kind::CALL_DELIVERED_EVENT))).unwrap().unwrap();
    assert_eq!(read.unwrap().uint(field::PERIPHERAL_TYPE), Some(21));
}

#[test]
fn fields_of_later_versions_are_absent_below() {
    let message = Message::new(kind::OPEN_CONF)
        .with(field::INVOKE_ID, 1u32)
        .with(field::DEPARTMENT_ID, 3i32)
        .with(field::SESSION_TYPE, 1u16);
    for (version, department, session) in [(18, None, None), (19, Some(3), None), (24, Some(3), Some(1))] {
        let codec = Codec::new(Dialect::Cce, version);
        let read = codec.decode(&mut encode(&codec, &message)).unwrap().unwrap().unwrap();
        assert_eq!((read.int(field::DEPARTMENT_ID), read.uint(field::SESSION_TYPE)), (department, session));
    }
    // CCX never has them.
    let codec = Codec::new(Dialect::Ccx, 24);
    let read = codec.decode(&mut encode(&codec, &message)).unwrap().unwrap().unwrap();
    assert_eq!(read.raw(field::DEPARTMENT_ID), None);
}

#[test]
fn tags_above_255_are_dropped_where_a_tag_has_one_byte() {
    let message = Message::new(kind::SET_AGENT_STATE_REQ)
        .with_tag(tag::AGENT_ID, "1001")
        .with_tag(tag::SSO_ENABLED, 1u16)
        .with_tag(Tag::max(), vec![1u8]);
    let read = |version| {
        let codec = Codec::new(Dialect::Cce, version);
        codec.decode(&mut encode(&codec, &message)).unwrap().unwrap().unwrap()
    };
    assert_eq!(read(19).floating().len(), 1);
    assert_eq!(read(20).tag_uint(tag::SSO_ENABLED), Some(1));
    assert_eq!(read(20).floating().len(), 3);
}

/// A tag that no table knows.
struct Tag;

impl Tag {
    fn max() -> cti::Tag {
        cti::Tag(u16::MAX)
    }
}

#[test]
fn single_fields_go_out_in_layout_order_and_lists_stay_together() {
    let codec = Codec::new(Dialect::Cce, 20);
    let message = Message::new(kind::AGENT_STATE_EVENT)
        .with_tag(tag::SKILL_GROUP_NUMBER, 1u32)
        .with_tag(tag::SKILL_GROUP_STATE, 3u16)
        .with_tag(tag::SKILL_GROUP_NUMBER, 2u32)
        .with_tag(tag::SKILL_GROUP_STATE, 4u16)
        .with_tag(tag::AGENT_INSTRUMENT, "2001")
        .with_tag(tag::AGENT_ID, "1001");
    let read = codec.decode(&mut encode(&codec, &message)).unwrap().unwrap().unwrap();
    let tags: Vec<u16> = read.floating().iter().map(|(tag, _)| tag.0).collect();
    assert_eq!(tags, [5, 6, 62, 65, 62, 65]);
}

#[test]
fn of_a_single_field_sent_twice_the_last_wins() {
    let codec = Codec::new(Dialect::Cce, 13);
    let read = decode(&codec, "00000012 00000001 00000001 00000002 d901 00 ff01 07 d902 6100").unwrap();
    assert_eq!(read.tag_text(tag::CTIOSCIL_CLIENT_ID), Some("a"));
    assert_eq!(read.floating().len(), 2);
    assert_eq!(read.tag_bytes(cti::Tag(255)), None);
}

#[test]
fn arrays_are_read_in_both_encodings_and_sent_as_one_field() {
    let codec = Codec::new(Dialect::Cce, 24);
    let array = Message::new(kind::CONFIG_AGENT_EVENT)
        .with(field::NUM_RECORDS, 1u16)
        .with_tag(tag::RECORD_TYPE, 0u16)
        .with_tag(tag::FLT_AGENT_MRDID, vec![1u32, 2]);
    let repeated = Message::new(kind::CONFIG_AGENT_EVENT)
        .with(field::NUM_RECORDS, 1u16)
        .with_tag(tag::RECORD_TYPE, 0u16)
        .with_tag(tag::FLT_AGENT_MRDID, 1u32)
        .with_tag(tag::FLT_AGENT_MRDID, 2u32);
    for message in [array, repeated] {
        let read = codec.decode(&mut encode(&codec, &message)).unwrap().unwrap().unwrap();
        assert_eq!(read.records()[0].array(tag::FLT_AGENT_MRDID), [1, 2]);
    }
}

#[test]
fn a_frame_arrives_in_pieces_and_several_arrive_at_once() {
    let codec = Codec::new(Dialect::Cce, 20);
    let mut wire = encode(&codec, &open_request(20));
    wire.unsplit(encode(&codec, &Message::new(kind::HEARTBEAT_REQ).with(field::INVOKE_ID, 2u32)));
    let mut input = BytesMut::new();
    let mut kinds = Vec::new();
    for byte in wire {
        input.extend_from_slice(&[byte]);
        while let Some(frame) = codec.decode(&mut input).unwrap() {
            kinds.push(frame.unwrap().kind);
        }
    }
    assert_eq!(kinds, [kind::OPEN_REQ, kind::HEARTBEAT_REQ]);
}

#[test]
fn an_announcement_above_the_limit_ends_the_stream() {
    let codec = Codec::new(Dialect::Cce, 20);
    // 12492 bytes of body are the most.
    assert_eq!(codec.decode(&mut hex("000030cc 00000005")), Ok(None));
    let error = codec.decode(&mut hex("000030cd"));
    assert_eq!(error, Err(FrameError::TooLong { announced: 12_501, limit: 12_500 }));
    assert!(codec.decode(&mut hex("ffffffff 00000005")).is_err());
    assert!(codec.with_limit(4096).decode(&mut hex("00000ff9")).is_err());
}

#[test]
fn a_bad_body_spoils_only_its_own_message() {
    let codec = Codec::new(Dialect::Cce, 20);
    let mut input = hex("00000002 00000005 0000  00000004 00000006 00000007");
    let bad = codec.decode(&mut input).unwrap().unwrap().unwrap_err();
    assert_eq!(bad.kind, kind::HEARTBEAT_REQ);
    assert_eq!(bad.error, BodyError::ShortFixed { found: 2, needed: 4 });
    assert_eq!(codec.decode(&mut input).unwrap().unwrap().unwrap().kind, kind::HEARTBEAT_CONF);
    let bad = decode(&codec, "0000000d 00000001 00000001 00000002 00d9 00ff 61").unwrap_err();
    assert_eq!(bad.error, BodyError::ShortField { tag: tag::CTIOSCIL_CLIENT_ID, announced: 255, left: 1 });
    assert_eq!(bad.invoke_id, Some(1));
    let bad = decode(&codec, "0000000b 00000001 00000001 00000002 00d900").unwrap_err();
    assert_eq!(bad.error, BodyError::ShortHeader(3));
}

#[test]
fn unknown_messages_and_fields_are_kept() {
    let codec = Codec::new(Dialect::Cce, 13);
    let unknown = decode(&codec, "00000003 000003e7 010203").unwrap();
    assert_eq!((unknown.kind, unknown.body()), (Kind(999), [1, 2, 3].as_slice()));
    assert_eq!(encode(&codec, &unknown), hex("00000003 000003e7 010203"));
    let odd = decode(&codec, "00000009 00000005 00000007 fa 03 010203").unwrap();
    assert_eq!(odd.tag_bytes(cti::Tag(250)), Some([1, 2, 3].as_slice()));
}

#[test]
fn a_field_of_odd_length_stays_bytes() {
    let codec = Codec::new(Dialect::Cce, 13);
    let message = Message::new(kind::OPEN_CONF).with_tag(tag::NUM_PERIPHERALS, vec![1u8, 2, 3]);
    let wire = encode(&Codec::new(Dialect::Cce, 14), &message);
    let read = Codec::new(Dialect::Cce, 14).decode(&mut wire.clone()).unwrap().unwrap().unwrap();
    assert_eq!(read.tag_value(tag::NUM_PERIPHERALS), Some(&Value::Bytes(vec![1, 2, 3])));
    assert!(codec.decode(&mut wire.clone()).unwrap().unwrap().is_ok());
}

#[test]
fn text_ends_at_its_nul_or_at_its_length() {
    let codec = Codec::new(Dialect::Cce, 13);
    for (bytes, text) in [("04 61620000", "ab"), ("02 6162", "ab"), ("00", ""), ("03 e46200", "\u{e4}b")] {
        let digits = bytes.replace(' ', "").len() / 2;
        let read = decode(&codec, &format!("{:08x} 00000002 00000001 07 {bytes}", 5 + digits)).unwrap();
        assert_eq!(read.tag_text(tag::TEXT), Some(text));
    }
}

#[test]
fn both_forms_of_a_refusal_are_understood() {
    let codec = Codec::new(Dialect::Cce, 24);
    let usual = decode(&codec, "00000008 00000001 00000007 0000000f").unwrap();
    assert_eq!((usual.invoke_id(), usual.uint(field::STATUS)), (Some(7), Some(15)));
    let long = decode(&codec, "0000000a 00000001 00000007 005c 00000001").unwrap();
    assert_eq!(long.uint(field::STATUS), Some(92));
    assert_eq!(long.uint(field::PERIPHERAL_ERROR_CODE), Some(1));
}

#[test]
fn unconfirmed_layouts_are_read_both_ways() {
    let codec = Codec::new(Dialect::Cce, 20);
    for codec in [codec, Codec::new(Dialect::Cce, 24)] {
        let short = decode(&codec, "00000008 000000e8 00000003 00001388").unwrap();
        assert_eq!((short.raw(field::CONFIG_MSG_MASK), short.uint(field::PERIPHERAL_ID)), (None, Some(5000)));
        let long = decode(&codec, "0000000c 000000e8 00000003 00000007 00001388").unwrap();
        assert_eq!(
            (long.raw(field::CONFIG_MSG_MASK), long.uint(field::PERIPHERAL_ID)),
            (Some(7), Some(5000))
        );
    }
    for reserved in ["0000", "00000000"] {
        let body = format!("00000001 00001388 {reserved} 0006 0005 3230303100");
        let length = body.replace(' ', "").len() / 2;
        let read = decode(&codec, &format!("{length:08x} 0000004e {body}")).unwrap();
        assert_eq!(read.tag_text(tag::AGENT_INSTRUMENT), Some("2001"), "{reserved}");
    }
    let old = codec.with_old_team_numbers(true);
    let wire = encode(&old, &Message::new(kind::TEAM_CONFIG_CONF));
    assert_eq!(wire[7], 238);
    assert_eq!(old.decode(&mut wire.clone()).unwrap().unwrap().unwrap().kind, kind::TEAM_CONFIG_CONF);
    assert_ne!(codec.decode(&mut wire.clone()).unwrap().unwrap().map(|m| m.kind), Ok(kind::TEAM_CONFIG_CONF));
}

#[test]
fn the_ccx_length_width_is_a_setting() {
    let message = Message::new(kind::OPEN_CONF).with_tag(tag::AGENT_EXTENSION, "1");
    let narrow = encode(&Codec::new(Dialect::Ccx, 18), &message);
    let wide = encode(&Codec::new(Dialect::Ccx, 18).with_ccx_length(Width::Two), &message);
    assert_eq!((&narrow[34..], &wide[34..]), (&[0, 4, 2, b'1', 0][..], &[0, 4, 0, 2, b'1', 0][..]));
    let cce = encode(&Codec::new(Dialect::Cce, 18).with_ccx_length(Width::Two), &message);
    assert_eq!(&cce[34..], &[4, 2, b'1', 0]);
}

#[test]
fn what_cannot_be_sent_is_refused_and_leaves_nothing() {
    let codec = Codec::new(Dialect::Cce, 20);
    let ecc = |bytes: usize| {
        let value = "x".repeat(200);
        let mut message = Message::new(kind::BEGIN_CALL_EVENT);
        // Each takes 2 + 1 + 200 + 1 bytes with its name and NULs.
        for _ in 0..bytes / 204 {
            message.push(tag::NAMED_VARIABLE, Value::named("ab", value.clone()));
        }
        message
    };
    let cases = [
        (
            Message::new(kind::HEARTBEAT_REQ).with(field::INVOKE_ID, [1; 8]),
            EncodeError::FixedRange(field::INVOKE_ID),
        ),
        (
            Message::new(kind::SET_AGENT_STATE_REQ).with(field::AGENT_STATE, 70_000u32),
            EncodeError::FixedRange(field::AGENT_STATE),
        ),
        (
            Message::new(kind::OPEN_REQ).with_tag(tag::CLIENT_ID, "x".repeat(64)),
            EncodeError::FieldTooLong(tag::CLIENT_ID),
        ),
        (Message::new(kind::OPEN_REQ).with_tag(tag::CLIENT_ID, 1u32), EncodeError::WrongType(tag::CLIENT_ID)),
        (
            Message::new(kind::OPEN_REQ).with_tag(tag::CLIENT_ID, "a\0b"),
            EncodeError::NulInText(tag::CLIENT_ID),
        ),
        (
            Message::new(kind::BEGIN_CALL_EVENT).with_named("n".repeat(33), ""),
            EncodeError::FieldTooLong(tag::NAMED_VARIABLE),
        ),
        (ecc(2040), EncodeError::TooMuchEcc(2040)),
        (Message::opaque(Kind(999), vec![0; 12_493]), EncodeError::MessageTooLong(12_501)),
    ];
    for (message, expected) in cases {
        let mut out = BytesMut::from(&b"before"[..]);
        assert_eq!(codec.encode(&message, &mut out), Err(expected));
        assert_eq!(&out[..], b"before");
    }
    encode(&codec, &ecc(1836));
    encode(&codec, &Message::new(kind::OPEN_REQ).with_tag(tag::CLIENT_ID, "x".repeat(63)));
    encode(&codec, &Message::new(kind::BEGIN_CALL_EVENT).with_named("n".repeat(32), "v".repeat(210)));
    encode(&codec, &Message::opaque(Kind(999), vec![0; 12_492]));
}

#[test]
fn expanded_call_variables_are_counted_by_the_encoder() {
    let codec = Codec::new(Dialect::Cce, 20);
    let message = Message::new(kind::BEGIN_CALL_EVENT)
        .with(field::NUM_NAMED_VARIABLES, 9u16)
        .with_named("a", "1")
        .with_named("b", "2");
    let read = codec.decode(&mut encode(&codec, &message)).unwrap().unwrap().unwrap();
    assert_eq!(read.uint(field::NUM_NAMED_VARIABLES), Some(2));
    assert_eq!(read.named_variables().collect::<Vec<_>>(), [("a", "1"), ("b", "2")]);
    assert!(read.warnings(Dialect::Cce).iter().all(|w| !matches!(w, cti::Warning::Count { .. })));
}

#[test]
fn fields_travel_only_in_the_versions_that_have_them() {
    let message = Message::new(kind::BEGIN_CALL_EVENT)
        .with_tag(tag::CONNECTION_DEVICE_ID, "2001")
        .with_tag(tag::CALL_REFERENCE_ID, vec![1u8, 2]);
    for (version, fields) in [(13, 1), (14, 2), (24, 2)] {
        let codec = Codec::new(Dialect::Cce, version);
        let read = codec.decode(&mut encode(&codec, &message)).unwrap().unwrap().unwrap();
        assert_eq!(read.floating().len(), fields, "version {version}");
    }
    let message = Message::new(kind::RTP_STARTED_EVENT).with_tag(tag::SENDING_ADDRESS_IPV6, "::1");
    let sent = |version| encode(&Codec::new(Dialect::Cce, version), &message).len();
    assert!(sent(13) == sent(19) && sent(14) > sent(13) && sent(18) == sent(14));
}
