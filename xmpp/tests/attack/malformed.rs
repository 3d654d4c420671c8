//! Input that is no XML, more than XML, or too much of it.

use std::time::Duration;

use xmpp::Refusal;

use super::{Arena, CLOSE, Door, PING, Peer};

/// What an attack is answered with.
#[derive(Clone, Copy)]
pub struct Answer {
    /// Name of the stream error.
    pub error: &'static str,
    pub counter: Refusal,
    /// Code of the WebSocket's close frame.
    pub code: u16,
}

pub const RESTRICTED: Answer =
    Answer { error: "restricted-xml", counter: Refusal::RestrictedXml, code: 1000 };
pub const MALFORMED: Answer = Answer { error: "not-well-formed", counter: Refusal::Malformed, code: 1000 };
pub const BAD_FORMAT: Answer = Answer { error: "bad-format", counter: Refusal::Malformed, code: 1007 };
pub const INVALID: Answer = Answer { error: "invalid-xml", counter: Refusal::Malformed, code: 1000 };
pub const UNSUPPORTED: Answer =
    Answer { error: "unsupported-stanza-type", counter: Refusal::Protocol, code: 1000 };
pub const STRUCTURE: Answer = Answer { error: "policy-violation", counter: Refusal::Structure, code: 1000 };

/// Each attack ends a logged-in session of its own with `answer`, is counted once and leaves nothing behind.
pub async fn ends(door: Door, attacks: &[&str], answer: Answer) {
    let mut arena = Arena::new(door).await;
    for (n, attack) in (1..).zip(attacks) {
        let mut victim = arena.login("1001").await;
        victim.send(attack).await;
        expect_end(&mut victim, answer, attack).await;
        assert_eq!(arena.count(answer.counter), n, "{attack:.100}");
        drop(victim);
        arena.is_calm().await;
    }
    assert_eq!(arena.service.stats().refusals.total(), attacks.len() as u64);
}

/// The end of a stream as this transport writes it.
pub async fn expect_end(victim: &mut Peer, answer: Answer, attack: &str) {
    let said = victim.rest().await;
    let error = format!("<{} xmlns=\"urn:ietf:params:xml:ns:xmpp-streams\"", answer.error);
    assert!(said.contains(&error), "{attack:.100}: {said}");
    match victim.door {
        Door::Tcp => assert!(said.ends_with("</stream:error></stream:stream>"), "{said}"),
        Door::Ws => {
            assert!(said.ends_with(CLOSE), "{said}");
            assert_eq!(victim.code, Some(answer.code), "{attack:.100}: {said}");
        }
    }
    assert!(said.len() < 1000, "a short answer without internals: {said}");
}

pub async fn dtd_and_entities(door: Door) {
    let laughs: String =
        (1..10).map(|n| format!("<!ENTITY l{n} '{}'>", format!("&l{};", n - 1).repeat(10))).collect();
    let attacks = [
        "<!DOCTYPE a>",
        "<!DOCTYPE a SYSTEM 'file:///etc/passwd'>",
        "<!ENTITY a 'b'>",
        "<message xmlns='jabber:client'><!DOCTYPE x [<!ENTITY a 'b'>]></message>",
        &format!("<!DOCTYPE l [<!ENTITY l0 'ha'>{laughs}]><message xmlns='jabber:client'>&l9;</message>"),
    ];
    ends(door, &attacks, RESTRICTED).await;
}

pub async fn undefined_entity(door: Door) {
    ends(door, &["<a>&foo;</a>", "<a b='&foo;'/>", "<a>&lt;&nbsp;</a>"], RESTRICTED).await;
}

pub async fn illegal_character_reference(door: Door) {
    let attacks = ["<a>&#0;</a>", "<a>&#xD800;</a>", "<a b='&#0;'/>", "<a>&#x110000;</a>", "<a>&#1;</a>"];
    ends(door, &attacks, MALFORMED).await;
}

pub async fn comment_and_pi(door: Door) {
    let mut attacks =
        vec!["<a><!-- x --></a>", "<!-- x --><a/>", "<a><?php x?></a>", "<a><?xml-stylesheet x?></a>"];
    // At the start of a message it is taken for a bad declaration.
    if door == Door::Tcp {
        attacks.push("<?xml-stylesheet x?>");
    }
    ends(door, &attacks, RESTRICTED).await;
}

pub async fn unclosed_or_crossing_tags(door: Door) {
    let mut attacks = vec!["<a></b>", "<a><b></a></b>", "<a><b></c></b></a>"];
    // Without an end of the message a stream waits for more, until it is too slow.
    if door == Door::Ws {
        attacks.extend(["<a>", "<a><b></b>", "<a", "<a b='"]);
    }
    ends(door, &attacks, MALFORMED).await;
}

pub async fn control_characters(door: Door) {
    ends(door, &["<a>\u{1}</a>", "<a b='\u{1}'/>", "<a>\u{0}</a>", "<a>\u{fffe}</a>"], MALFORMED).await;
}

pub async fn unbound_prefix(door: Door) {
    let attacks =
        ["<x:a/>", "<a x:b='c'/>", "<a xmlns:xml='urn:x'/>", "<a xmlns:xmlns='urn:x'/>", "<a xmlns:p=''/>"];
    ends(door, &attacks, MALFORMED).await;
}

pub async fn duplicate_attribute(door: Door) {
    let attacks =
        ["<a b='1' b='2'/>", "<a xmlns:p='u' xmlns:q='u' p:b='1' q:b='2'/>", "<a xmlns='u' xmlns='v'/>"];
    ends(door, &attacks, MALFORMED).await;
}

pub async fn namespace_confusion(door: Door) {
    let attacks = [
        "<iq xmlns='evil' type='get' id='1'/>",
        "<message xmlns='jabber:server'/>",
        "<body xmlns='http://jabber.org/protocol/httpbind'/>",
        "<f:features xmlns:f='http://etherx.jabber.org/streams'/>",
    ];
    ends(door, &attacks, UNSUPPORTED).await;
}

/// Stanzas, stream ends and logins inside of a payload are payload, and reach the other as they are.
pub async fn lookalikes_in_payload(door: Door) {
    let mut arena = Arena::new(door).await;
    let mut other = arena.login("1002").await;
    let mut sender = arena.login("1001").await;
    let payload = "<x xmlns='urn:x'><presence xmlns='jabber:client' type='unavailable'/>\
        <iq xmlns='jabber:client' type='get' id='inner'><ping xmlns='urn:xmpp:ping'/></iq>\
        <close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>\
        <auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AHgAeA==</auth></x>";
    let to = format!("1002@{}/desk", crate::support::DOMAIN);
    sender.send(&format!("<message xmlns='jabber:client' to='{to}'>{payload}</message>")).await;
    let said = other.until("</message>").await;
    assert!(said.contains("id=\"inner\"") && said.contains("AHgAeA=="), "{said}");
    let said = sender.ask(PING).await;
    assert_eq!(said.matches("<iq ").count(), 1, "nothing inside was obeyed: {said}");
    assert_eq!((arena.service.sessions(), arena.asked()), (3, 3));
    assert_eq!(arena.service.stats().refusals.total(), 0);
    drop((other, sender));
    arena.is_calm().await;
}

pub async fn depth_bomb(door: Door) {
    let bomb = format!("<a xmlns='u'>{}", "<a>".repeat(10_000));
    ends(door, &[&bomb], STRUCTURE).await;
}

pub async fn attribute_bomb(door: Door) {
    let many: String = (0..80).map(|n| format!(" a{n}='1'")).collect();
    let namespaces: String = (0..40).map(|n| format!(" xmlns:n{n}='u{n}'")).collect();
    let attacks = [
        format!("<a{many}/>"),
        format!("<a{namespaces}/>"),
        format!("<a b='{}'/>", "x".repeat(20_000)),
        format!("<a xmlns='u'>{}</a>", "<b/>".repeat(10_100)),
    ];
    ends(door, &attacks.each_ref().map(String::as_str), STRUCTURE).await;
}

pub async fn huge_name(door: Door) {
    let name = "n".repeat(400);
    let attacks = [format!("<{name}/>"), format!("<a {name}='1'/>"), format!("<a xmlns:{name}='u'/>")];
    ends(door, &attacks.each_ref().map(String::as_str), STRUCTURE).await;
}

pub async fn oversize_stanza(door: Door) {
    let mut arena = Arena::new(door).await;
    let answer = Answer { error: "policy-violation", counter: Refusal::Oversize, code: 1009 };
    // What begins too large is refused before it is there: the attacker never sends its end.
    let stanza = format!("<message xmlns='jabber:client'><x>{}", "x".repeat(300 << 10));
    let mut victim = arena.login("1001").await;
    victim.send(&stanza).await;
    expect_end(&mut victim, answer, "a stanza").await;
    drop(victim);
    let mut stranger = arena.opened().await;
    stranger.send(&stanza[..70 << 10]).await;
    expect_end(&mut stranger, answer, "before authentication").await;
    drop(stranger);
    assert_eq!(arena.count(Refusal::Oversize), 2);
    arena.is_calm().await;
}

/// The start of a stanza, then nothing: given up, and what was held is free.
pub async fn dribbled_stanza(door: Door) {
    let mut arena = Arena::with(door, |setting| {
        setting.xmpp.timeouts.partial_stanza = Duration::from_millis(200);
    })
    .await;
    let answer = Answer { error: "connection-timeout", counter: Refusal::Timeout, code: 1008 };
    let start = format!("<message xmlns='jabber:client'><x>{}", "x".repeat(50_000));
    let mut victim = arena.login("1001").await;
    match door {
        Door::Tcp => victim.send(&start).await,
        Door::Ws => victim.frame(0x01, start.as_bytes()).await,
    }
    let (service, calm) = (arena.service.clone(), arena.calm);
    super::eventually("it is counted", || service.stats().memory > calm + 50_000).await;
    assert!(service.stats().memory < calm + (512 << 10), "{}", service.stats().memory);
    arena.is_undisturbed().await;
    expect_end(&mut victim, answer, "dribble").await;
    assert_eq!(arena.count(Refusal::Timeout), 1);
    drop(victim);
    arena.is_calm().await;
}

/// A stanza as deep as is allowed goes through reading, the echo of an error, and dropping.
pub async fn deep_recursion(door: Door) {
    let mut arena = Arena::new(door).await;
    let mut victim = arena.login("1001").await;
    let deep = format!("<q xmlns='urn:x'>{}{}</q>", "<a>".repeat(62), "</a>".repeat(62));
    for _ in 0..20 {
        let said = victim.ask(&format!("<iq xmlns='jabber:client' type='get' id='d'>{deep}</iq>")).await;
        assert!(said.contains("<service-unavailable "), "{said}");
    }
    victim
        .send(&format!("<iq xmlns='jabber:client' type='get' id='d'>{}", deep.replace("<q", "<a><q")))
        .await;
    expect_end(&mut victim, STRUCTURE, "one deeper").await;
    assert_eq!(arena.count(Refusal::Structure), 1);
    drop(victim);
    arena.is_calm().await;
}

/// What is echoed in an error is escaped again.
pub async fn reflected_xml(door: Door) {
    let mut arena = Arena::new(door).await;
    let mut victim = arena.login("1001").await;
    for content in [
        "<q xmlns='urn:&lt;evil/&gt;&apos;'/>",
        "<q xmlns='urn:x' a='&quot;&gt;&lt;evil/&gt;'>&lt;evil/&gt;</q>",
    ] {
        let id = "&quot;/&gt;&lt;evil/&gt;";
        let said =
            victim.ask(&format!("<iq xmlns='jabber:client' type='get' id='{id}'>{content}</iq>")).await;
        assert!(said.contains("type=\"error\"") && !said.contains("<evil"), "{said}");
        let answer: minidom::Element = said.parse().expect("one element");
        assert_eq!(answer.attr("id"), Some("\"/><evil/>"), "{said}");
    }
    drop(victim);
    arena.is_calm().await;
}
