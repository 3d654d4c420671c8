//! The reader: every chunking gives the same elements, every limit its error.

use xmpp::Limits;
use xmpp::StreamError;
use xmpp::reader::{Item, Reader, XmlError, parse_document};

const HEADER: &str = "<?xml version='1.0'?><stream:stream to='x' version='1.0' xmlns='jabber:client' \
    xmlns:stream='http://etherx.jabber.org/streams'>";

fn read_chunked(bytes: &[u8], chunk: usize, limits: &Limits, max: usize) -> Result<Vec<Item>, XmlError> {
    let mut reader = Reader::new(limits, max);
    let mut items = Vec::new();
    for mut input in bytes.chunks(chunk) {
        while let Some(item) = reader.read(&mut input, limits)? {
            let closed = matches!(item, Item::Closed);
            items.push(item);
            if closed {
                return Ok(items);
            }
        }
    }
    Ok(items)
}

/// Reads `stanzas` behind a header in one go.
fn read(stanzas: impl AsRef<[u8]>) -> Result<Vec<Item>, XmlError> {
    let bytes = [HEADER.as_bytes(), stanzas.as_ref()].concat();
    read_chunked(&bytes, bytes.len(), &Limits::default(), 4096)
}

fn error(stanzas: impl AsRef<[u8]>) -> StreamError {
    let stanzas = stanzas.as_ref();
    match read(stanzas) {
        Err(error) => error.stream_error(),
        Ok(items) => panic!("{} was read as {items:?}", String::from_utf8_lossy(stanzas)),
    }
}

#[test]
fn every_chunking_gives_the_same_elements() {
    let text = format!(
        "\r\n{HEADER}\r\n <iq type='set' id='1'><pubsub xmlns='http://jabber.org/protocol/pubsub'>\
         <publish node='/a/b'><item id=\"x\"><notification xmlns='n'>&lt;a&gt; é\r\n\u{1f600} ]] &#x41;\
         <![CDATA[<raw> & ]]]]>&amp;</notification></item></publish></pubsub></iq>\r\n\r\n<presence/>\
         <message xml:lang='de' xmlns:f='urn:f' f:k='v&apos;'><f:x/><body>1</body> </message></stream:stream>rest"
    );
    let limits = Limits::default();
    let whole = format!("{:?}", read_chunked(text.as_bytes(), text.len(), &limits, 4096).unwrap());
    for chunk in 1..text.len() {
        let cut = read_chunked(text.as_bytes(), chunk, &limits, 4096).unwrap();
        assert_eq!(format!("{cut:?}"), whole, "in chunks of {chunk}");
    }
    let items = read_chunked(text.as_bytes(), 5, &limits, 4096).unwrap();
    let [Item::Header(header), Item::Element(iq), Item::Element(_), Item::Element(message), Item::Closed] =
        items.as_slice()
    else {
        panic!("{items:?}")
    };
    assert_eq!(header.content_namespace, "jabber:client");
    let publish = iq.children().next().and_then(|pubsub| pubsub.children().next()).unwrap();
    let notification = publish.children().next().and_then(|item| item.children().next()).unwrap();
    assert_eq!(notification.nodes().count(), 1, "one text node, whatever it was made of");
    assert_eq!(notification.text(), "<a> é\n\u{1f600} ]] A<raw> & ]]&");
    assert!(message.has_ns("jabber:client") && message.children().next().unwrap().has_ns("urn:f"));
}

#[test]
fn x9_attack_table() {
    use StreamError::*;
    for (stanzas, expected) in [
        (&b"<!DOCTYPE a>"[..], RestrictedXml),
        (b"<!ENTITY a 'b'>", RestrictedXml),
        (b"<a><!-- x --></a>", RestrictedXml),
        (b"<!-- x -->", RestrictedXml),
        (b"<?pi x?>", RestrictedXml),
        (b"<?xml-stylesheet x?>", RestrictedXml),
        (b"<a>&foo;</a>", RestrictedXml),
        (b"<a b='&foo;'/>", RestrictedXml),
        (b"<?xml version='1.0'?>", NotWellFormed),
        (b"<a>&#0;</a>", NotWellFormed),
        (b"<a>&#xD800;</a>", NotWellFormed),
        (b"<a b='&#0;'/>", NotWellFormed),
        (b"<a></b>", NotWellFormed),
        (b"<a><b></a></b>", NotWellFormed),
        (b"<a>\x01</a>", NotWellFormed),
        (b"<a b='\x01'/>", NotWellFormed),
        (b"<x:a/>", NotWellFormed),
        (b"<a x:b='c'/>", NotWellFormed),
        (b"<a xmlns:xml='urn:x'/>", NotWellFormed),
        (b"<a xmlns:xmlns='urn:x'/>", NotWellFormed),
        (b"<a xmlns:p=''/>", NotWellFormed),
        (b"<a b='1' b='2'/>", NotWellFormed),
        (b"<a xmlns:p='u' xmlns:q='u' p:b='1' q:b='2'/>", NotWellFormed),
        (b"<a xmlns='u' xmlns='v'/>", NotWellFormed),
        (b"<a b=c/>", NotWellFormed),
        (b"<a b/>", NotWellFormed),
        (b"<a b='<'/>", NotWellFormed),
        (b"<a>]]></a>", NotWellFormed),
        (b"<1a/>", NotWellFormed),
        (b"<a>\xff</a>", BadFormat),
        (b"<a>\xc0\xaf</a>", BadFormat),
        (b"<a>\xed\xa0\x80</a>", BadFormat),
        (b"<a b='\xff'/>", BadFormat),
        (b"text<a/>", InvalidXml),
        (b"<a/>&lt;<a/>", InvalidXml),
    ] {
        assert_eq!(error(stanzas), expected, "{}", String::from_utf8_lossy(stanzas));
    }
    for start in
        [&b"\xfe\xff\0<\0a"[..], b"\xff\xfe<\0a\0", b"\0<\0a", b"<?xml version='1.0' encoding='UTF-16'?>"]
    {
        let read = read_chunked(start, start.len(), &Limits::default(), 4096);
        assert_eq!(read.unwrap_err().stream_error(), UnsupportedEncoding, "{start:?}");
    }
}

#[test]
fn every_limit_is_exact() {
    let limits = Limits {
        depth: 3,
        attributes: 2,
        attribute_value: 20,
        attribute_total: 30,
        name: 8,
        namespaces_per_element: 2,
        namespaces_in_scope: 5,
        children: 3,
        ..Limits::default()
    };
    let long = "v".repeat(20);
    for (fits, does_not) in [
        ("<a><b><c/></b></a>".to_owned(), "<a><b><c><d/></c></b></a>".to_owned()),
        ("<a b='' c=''/>".into(), "<a b='' c='' d=''/>".into()),
        (format!("<a b='{long}'/>"), format!("<a b='{long}v'/>")),
        (format!("<a b='{long}' c='0123456789'/>"), format!("<a b='{long}' c='0123456789+'/>")),
        ("<abcdefgh/>".into(), "<abcdefghi/>".into()),
        ("<a abcdefgh=''/>".into(), "<a abcdefghi=''/>".into()),
        ("<a xmlns='1' xmlns:b='2'/>".into(), "<a xmlns='1' xmlns:b='2' xmlns:c='3'/>".into()),
        (
            "<a xmlns:b='2'><b xmlns:c='3'><c xmlns:d='4'/></b></a>".into(),
            "<a xmlns:b='2'><b xmlns:c='3'><c xmlns:d='4' xmlns:e='5'/></b></a>".into(),
        ),
        ("<a><b/><b/><b/></a>".into(), "<a><b/><b/><b/><b/></a>".into()),
        ("<a>t<b/>t</a>".into(), "<a>t<b/>t<b/></a>".into()),
    ] {
        let header = "<s:s xmlns:s='1' xmlns='2'>";
        let read = |stanza: &str| {
            let bytes = format!("{header}{stanza}");
            read_chunked(bytes.as_bytes(), bytes.len(), &limits, 4096)
        };
        assert_eq!(read(&fits).map(|items| items.len()), Ok(2), "{fits}");
        assert!(matches!(read(&does_not), Err(XmlError::Limit(_))), "{does_not}");
    }
}

#[test]
fn size_limit_is_exact_and_found_before_the_end() {
    let limits = Limits::default();
    let stanza = format!("<a>{}</a>", "x".repeat(1000));
    let bytes = format!("<s:s xmlns:s='1'>{stanza}\n\n{stanza}");
    for chunk in [1, 100, bytes.len()] {
        let read = |max| read_chunked(bytes.as_bytes(), chunk, &limits, max);
        assert_eq!(read(stanza.len()).map(|items| items.len()), Ok(3));
        assert_eq!(read(stanza.len() - 1).map(|items| items.len()), Err(XmlError::Size));
    }
    // An element that never ends, in any of its parts.
    for start in ["<a>x", "<a b='x", "<a x", "<a><b/>"] {
        let endless = format!("<s:s xmlns:s='1'>{start}{}", "x".repeat(100_000));
        let error = read_chunked(endless.as_bytes(), 1000, &limits, 50_000).unwrap_err();
        assert!(matches!(error, XmlError::Size | XmlError::Limit(_)), "{start}: {error:?}");
    }
}

#[test]
fn white_space_between_stanzas_counts_for_nothing() {
    let bytes = format!("<s:s xmlns:s='1'>{}<a/>", " \r\n\t".repeat(10_000));
    let items = read_chunked(bytes.as_bytes(), 7, &Limits::default(), 100).unwrap();
    assert_eq!(items.len(), 2);
}

#[test]
fn documents_tolerate_what_clients_send_around_them() {
    let limits = Limits::default();
    for text in
        ["<a/>", "\u{feff}<a/>", " \r\n<a/>\r\n ", "\u{feff} <?xml version='1.0' encoding=\"utf-8\"?>\n<a/>"]
    {
        assert_eq!(
            parse_document(text.as_bytes(), &limits).map(|a| a.name().to_owned()),
            Ok("a".into()),
            "{text}"
        );
    }
    for (text, error) in [
        ("", XmlError::Incomplete),
        (" ", XmlError::Incomplete),
        ("<a>", XmlError::Incomplete),
        ("<a", XmlError::Incomplete),
        ("<a/><b/>", XmlError::Trailing),
        ("<a/>x", XmlError::Trailing),
        ("x<a/>", XmlError::Text),
        ("<a/><!-- -->", XmlError::Trailing),
    ] {
        assert_eq!(parse_document(text.as_bytes(), &limits).unwrap_err(), error, "{text}");
    }
}

#[test]
fn deep_nesting_within_the_limit_is_read_and_dropped() {
    let limits = Limits { depth: 64, ..Limits::default() };
    let text = format!("{}{}", "<a>".repeat(64), "</a>".repeat(64));
    assert!(parse_document(text.as_bytes(), &limits).is_ok());
}
