//! Time and allocations of reading what publishers send: a pipelined publication of 1 KiB, plain and
//! escaped, a WebSocket message of the same, and a ping. Figures are for one stanza.

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use xmpp::Limits;
use xmpp::reader::{Item, Reader, parse_document};

#[global_allocator]
static ALLOCATOR: divan::AllocProfiler = divan::AllocProfiler::system();

fn main() {
    divan::main();
}

const HEADER: &[u8] = b"<stream:stream to='localhost' version='1.0' xmlns='jabber:client' \
    xmlns:stream='http://etherx.jabber.org/streams'>";

fn publication(escaped: bool) -> String {
    let text = if escaped {
        "&lt;state&gt;TALKING&lt;/state&gt;".repeat(1024 / 34)
    } else {
        "abcdefghijklmnopqrstuvwxyz".repeat(1024 / 26)
    };
    format!(
        "<iq xmlns='jabber:client' type='set' to='pubsub.localhost' id='p1'>\
         <pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='/finesse/api/User/1001'>\
         <item><notification xmlns='http://jabber.org/protocol/pubsub'>{text}</notification></item>\
         </publish></pubsub></iq>"
    )
}

fn stream(bencher: Bencher, stanza: &str) {
    let limits = Limits::default();
    let mut reader = Reader::new(&limits, limits.stanza_bytes);
    let mut header = HEADER;
    assert!(matches!(reader.read(&mut header, &limits), Ok(Some(Item::Header(_)))));
    bencher.counter(ItemsCount::new(1u32)).counter(BytesCount::of_str(stanza)).bench_local(|| {
        let mut input = stanza.as_bytes();
        let item = reader.read(&mut input, &limits).expect("well-formed");
        assert!(matches!(item, Some(Item::Element(_))));
        item
    });
}

#[divan::bench]
fn publication_plain(bencher: Bencher) {
    stream(bencher, &publication(false));
}

#[divan::bench]
fn publication_escaped(bencher: Bencher) {
    stream(bencher, &publication(true));
}

#[divan::bench]
fn ping(bencher: Bencher) {
    stream(bencher, "<iq type='get' id='p1' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>");
}

#[divan::bench(args = [false, true])]
fn document(bencher: Bencher, escaped: bool) {
    let (limits, text) = (Limits::default(), publication(escaped));
    bencher.bench_local(|| parse_document(text.as_bytes(), &limits).expect("well-formed"));
}
