//! Any bytes into the CTI decoder: it answers with messages and errors, never with a panic, and what it read it can
//! write again. The first two bytes choose dialect, version and the settings; the rest is what a socket delivers.
#![no_main]

use bytes::BytesMut;
use cti::json::{self, Secrets};
use cti::{Codec, Dialect, Frame, Message, Width, field, kind};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let [version, settings, stream @ ..] = data else { return };
    let dialect = if settings & 1 == 0 { Dialect::Cce } else { Dialect::Ccx };
    let codec = Codec::new(dialect, u32::from(version % 28))
        .with_ccx_length(if settings & 2 == 0 { Width::One } else { Width::Two })
        .with_old_team_numbers(settings & 4 != 0);
    let whole = decode_all(&codec, BytesMut::from(stream));
    // The same bytes in two pieces give the same frames.
    let cut = usize::from(settings >> 3) * 7 % (stream.len() + 1);
    let mut pieces = BytesMut::from(&stream[..cut]);
    let mut frames = Vec::new();
    if take(&codec, &mut pieces, &mut frames) {
        pieces.extend_from_slice(&stream[cut..]);
        take(&codec, &mut pieces, &mut frames);
    }
    assert_eq!(frames, whole);
    for message in whole.iter().flatten() {
        inspect(&codec, message);
    }
    let hex: String = stream.iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(json::line(&codec, &hex, Secrets::Mask).ends_with('}'));
});

/// Takes every whole frame; whether the stream can still be followed.
fn take(codec: &Codec, input: &mut BytesMut, into: &mut Vec<Frame>) -> bool {
    loop {
        match codec.decode(input) {
            Ok(Some(frame)) => into.push(frame),
            Ok(None) => return true,
            Err(_) => return false,
        }
    }
}

fn decode_all(codec: &Codec, mut input: BytesMut) -> Vec<Frame> {
    let mut frames = Vec::new();
    take(codec, &mut input, &mut frames);
    frames
}

/// Views work on any message, and one that can be written again reads the same.
fn inspect(codec: &Codec, message: &Message) {
    message.warnings(codec.dialect());
    for record in message.records() {
        record.groups(cti::tag::SKILL_GROUP_NUMBER);
    }
    // With such a status and an empty field of no known tag, the usual form has the length of the other published one.
    if message.kind == kind::FAILURE_CONF && message.raw(field::STATUS).is_some_and(|status| status > 0xFFFF)
    {
        return;
    }
    let mut wire = BytesMut::new();
    // A receiver accepts more than a sender may send: longer texts, more expanded call variables.
    if codec.encode(message, &mut wire).is_err() {
        return;
    }
    let again = codec.decode(&mut wire).expect("own frame").expect("whole frame").expect("own message");
    assert!(wire.is_empty());
    // Counts are put right, fields of other versions are dropped and lists are put in order once; then it is stable.
    let mut second = BytesMut::new();
    codec.encode(&again, &mut second).expect("own message");
    let stable =
        codec.decode(&mut second.clone()).expect("own frame").expect("whole frame").expect("own message");
    assert_eq!(stable, again);
}
