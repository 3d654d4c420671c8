//! Attacks in XML, over BOSH: each gets the documented answer, costs a bounded amount and touches no other session.
//! What is wrong around the XML is in `attacks.rs`, what comes inside of a session in `attacks_inside.rs`.

#[path = "common/arena.rs"]
mod arena;
mod common;
#[path = "common/web.rs"]
mod web;

use arena::{Arena, PING};
use common::{NS, assert_condition, attribute};
use web::{CREATE, Client, post_as};
use xmpp::Refusal;

#[tokio::test]
async fn attack_dtd_and_entities_bosh() {
    let inside = [
        "%><!DOCTYPE x [<!ENTITY a 'b'>]></body>",
        "%><!ENTITY a 'b'></body>",
        "%><a><!DOCTYPE x SYSTEM 'file:///etc/passwd'></a></body>",
    ];
    Arena::ends(&inside, "bad-request", Refusal::Malformed).await;
    // Before the root it is no body at all, and no session is named.
    let mut arena = Arena::new().await;
    let laughs: String =
        (1..10).map(|n| format!("<!ENTITY l{n} '{}'>", format!("&l{};", n - 1).repeat(10))).collect();
    for attack in [
        format!("<!DOCTYPE b [<!ENTITY l0 'ha'>{laughs}]><body rid='1' {CREATE} {NS}>&l9;</body>"),
        format!("<!DOCTYPE b SYSTEM 'file:///etc/passwd'><body rid='1' {CREATE} {NS}/>"),
    ] {
        let answer = arena.server.connect().await.roundtrip(&attack).await;
        assert_eq!(answer.status, 400);
        assert_condition(&answer.body, "bad-request");
    }
    assert_eq!(arena.count(Refusal::Malformed), 2);
    arena.is_calm().await;
}

#[tokio::test]
async fn attack_undefined_entity_bosh() {
    Arena::ends(&["%><a>&foo;</a></body>", "%><a b='&foo;'/></body>"], "bad-request", Refusal::Malformed)
        .await;
}

#[tokio::test]
async fn attack_illegal_character_reference_bosh() {
    let attacks = ["%><a>&#0;</a></body>", "%><a>&#xD800;</a></body>", "%><a b='&#x110000;'/></body>"];
    Arena::ends(&attacks, "bad-request", Refusal::Malformed).await;
}

#[tokio::test]
async fn attack_comment_and_pi_bosh() {
    let attacks =
        ["%><!-- x --></body>", "%><?php x?></body>", "%><a><!-- x --></a></body>", "%/><!-- x -->"];
    Arena::ends(&attacks, "bad-request", Refusal::Malformed).await;
}

#[tokio::test]
async fn attack_second_xml_declaration_bosh() {
    let attacks = ["%><?xml version='1.0'?></body>", "%><a><?xml version='1.0'?></a></body>"];
    Arena::ends(&attacks, "bad-request", Refusal::Malformed).await;
}

#[tokio::test]
async fn attack_unclosed_or_crossing_tags_bosh() {
    let deep = format!("%>{}{}", "<x xmlns='urn:x'>".repeat(3), "</x>".repeat(2));
    let attacks = ["%><a></body>", "%><a><b></a></b></body>", &deep, "%>", "%/><a/>", "%></body></body>"];
    Arena::ends(&attacks, "bad-request", Refusal::Malformed).await;
}

#[tokio::test]
async fn attack_control_characters_bosh() {
    let attacks = ["%><a>\u{1}</a></body>", "%><a b='\u{1f}'/></body>", "%><a>\u{0}</a></body>"];
    Arena::ends(&attacks, "bad-request", Refusal::Malformed).await;
}

#[tokio::test]
async fn attack_text_under_stream_bosh() {
    let attacks = ["%>text</body>", "%><presence/>text</body>", "%>&lt;</body>"];
    Arena::ends(&attacks, "bad-request", Refusal::Malformed).await;
}

#[tokio::test]
async fn attack_unbound_prefix_bosh() {
    let attacks = [
        "%><x:a/></body>",
        "%><a x:b='c'/></body>",
        "%><a xmlns:xml='urn:x'/></body>",
        "%><a xmlns:xmlns='urn:x'/></body>",
        "%><a xmlns:x=''/></body>",
    ];
    Arena::ends(&attacks, "bad-request", Refusal::Malformed).await;
}

#[tokio::test]
async fn attack_duplicate_attribute_bosh() {
    let attacks = ["%><a b='1' b='2'/></body>", "%><a xmlns:x='u' xmlns:y='u' x:b='1' y:b='2'/></body>"];
    Arena::ends(&attacks, "bad-request", Refusal::Malformed).await;
}

#[tokio::test]
async fn attack_namespace_confusion_bosh() {
    let attacks = [
        "%><iq xmlns='evil' type='get' id='1'/></body>",
        "%><message xmlns='jabber:server'/></body>",
        "%><s:features xmlns:s='http://etherx.jabber.org/streams'/></body>",
    ];
    Arena::ends(&attacks, "bad-request", Refusal::Protocol).await;
    // A root of another namespace names no session, whatever it says.
    let mut arena = Arena::new().await;
    let mut client = Client::login(&arena.server, "1001").await;
    for root in [format!("<body xmlns='urn:other' rid='1' sid='{}'/>", client.sid), "<html/>".to_owned()] {
        let answer = arena.server.connect().await.roundtrip(&root).await;
        assert_eq!(answer.status, 400);
        assert_condition(&answer.body, "bad-request");
    }
    assert!(client.ask(PING).await.contains("id=\"p\""));
    Arena::leave(client).await;
    arena.is_calm().await;
}

#[tokio::test]
async fn attack_invalid_utf8_bosh() {
    let mut arena = Arena::new().await;
    let attacks = [&b"\xff"[..], b"\xc0\xaf", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80"];
    for (n, bytes) in (1..).zip(attacks) {
        let victim = Client::login(&arena.server, "1001").await;
        let mut body = format!("<body rid='{}' sid='{}' {NS}><a>", victim.rid + 1, victim.sid).into_bytes();
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"</a></body>");
        assert_condition(&post_as(&arena.server, body, None, false).await.1, "bad-request");
        assert_eq!(arena.count(Refusal::Malformed), n);
        arena.is_calm().await;
    }
    let utf16: Vec<u8> = "\u{feff}<body/>".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(post_as(&arena.server, utf16, None, false).await.0, 400);
    let declared = format!("<?xml version='1.0' encoding='UTF-16'?><body rid='1' {CREATE} {NS}/>");
    assert_eq!(post_as(&arena.server, declared.into_bytes(), None, false).await.0, 400);
    assert_eq!(arena.count(Refusal::Malformed), 6);
    arena.is_calm().await;
}

#[tokio::test]
async fn attack_lookalikes_in_payload_bosh() {
    let mut arena = Arena::new().await;
    let mut client = Client::login(&arena.server, "1001").await;
    let said = client
        .ask(&format!(
            "<message to='1001@localhost/desk'><x xmlns='urn:x'><body xmlns='http://jabber.org/protocol/httpbind' \
             type='terminate'/><presence xmlns='jabber:client' type='unavailable'/></x></message>{PING}"
        ))
        .await;
    assert_eq!(attribute(&said, "type"), None, "{said}");
    assert!(said.contains("id=\"p\"") && said.contains("<message "), "{said}");
    assert_eq!((arena.server.endpoint.stats().sessions, arena.server.service.sessions()), (2, 2));
    assert_eq!(arena.server.service.stats().refusals.total(), 0);
    Arena::leave(client).await;
    arena.is_calm().await;
}

#[tokio::test]
async fn attack_depth_bomb_bosh() {
    let open = format!("%>{}", "<a xmlns='u'>".repeat(10_000));
    let closed = format!("%>{}{}</body>", "<a xmlns='u'>".repeat(80), "</a>".repeat(80));
    Arena::ends(&[&open, &closed], "policy-violation", Refusal::Structure).await;
}

#[tokio::test]
async fn attack_attribute_bomb_bosh() {
    let many: String = (0..80).map(|n| format!(" a{n}='1'")).collect();
    let attacks = [
        format!("%><a{many}/></body>"),
        format!("%><a b='{}'/></body>", "x".repeat(20_000)),
        format!("%><a xmlns='u'>{}</a></body>", "<b/>".repeat(10_100)),
    ];
    Arena::ends(&attacks.each_ref().map(String::as_str), "policy-violation", Refusal::Structure).await;
}

#[tokio::test]
async fn attack_huge_name_bosh() {
    let name = "n".repeat(400);
    let attacks = [format!("%><{name}/></body>"), format!("%><a {name}='1'/></body>")];
    Arena::ends(&attacks.each_ref().map(String::as_str), "policy-violation", Refusal::Structure).await;
}
