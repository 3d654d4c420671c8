//! Any bytes as a stream and as a document: no panic, and the same elements however the bytes are cut.
//! Cutting into single bytes also takes the lexer's way through text, cutting nowhere takes ours.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xmpp::Limits;
use xmpp::reader::{Item, Reader, parse_document};

fn limits() -> Limits {
    Limits { depth: 8, attributes: 6, children: 12, name: 32, attribute_value: 64, ..Limits::default() }
}

/// What was read, as text, and whether the stream ended in an error.
fn read(data: &[u8], chunk: usize) -> (Vec<String>, bool) {
    let limits = limits();
    let mut reader = Reader::new(&limits, 4096);
    let mut seen = Vec::new();
    for mut input in data.chunks(chunk.max(1)) {
        loop {
            match reader.read(&mut input, &limits) {
                Ok(Some(Item::Header(header))) => seen.push(format!("{header:?}")),
                Ok(Some(Item::Element(element))) => seen.push(format!("{element:?}")),
                Ok(Some(Item::Closed)) => return (seen, false),
                Ok(None) => break,
                Err(_) => return (seen, true),
            }
        }
        assert!(input.is_empty(), "the reader takes everything it is given");
    }
    (seen, false)
}

fuzz_target!(|data: &[u8]| {
    let Some((&first, data)) = data.split_first() else { return };
    let whole = read(data, data.len());
    assert_eq!(whole, read(data, 1));
    assert_eq!(whole, read(data, usize::from(first)));
    if let Ok(element) = parse_document(data, &limits()) {
        assert!(element.name().len() <= 32);
    }
});
