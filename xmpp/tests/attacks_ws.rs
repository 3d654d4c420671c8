//! The WebSocket column of the attack table: each attack gets the documented answer, costs a bounded amount and touches
//! no other session. What TCP and WebSocket have in common is in `attack`.

mod attack;
mod support;

use std::time::Duration;

use attack::malformed::{Answer, BAD_FORMAT, MALFORMED, expect_end};
use attack::{Arena, Door, PING, Peer, UPGRADE, eventually, floods, frame, logins, malformed, rights};
use xmpp::{Origins, Refusal};

#[tokio::test]
async fn attack_dtd_and_entities_ws() {
    malformed::dtd_and_entities(Door::Ws).await;
}

#[tokio::test]
async fn attack_undefined_entity_ws() {
    malformed::undefined_entity(Door::Ws).await;
}

#[tokio::test]
async fn attack_illegal_character_reference_ws() {
    malformed::illegal_character_reference(Door::Ws).await;
}

#[tokio::test]
async fn attack_comment_and_pi_ws() {
    malformed::comment_and_pi(Door::Ws).await;
}

#[tokio::test]
async fn attack_unclosed_or_crossing_tags_ws() {
    malformed::unclosed_or_crossing_tags(Door::Ws).await;
}

#[tokio::test]
async fn attack_control_characters_ws() {
    malformed::control_characters(Door::Ws).await;
}

#[tokio::test]
async fn attack_unbound_prefix_ws() {
    malformed::unbound_prefix(Door::Ws).await;
}

#[tokio::test]
async fn attack_duplicate_attribute_ws() {
    malformed::duplicate_attribute(Door::Ws).await;
}

#[tokio::test]
async fn attack_namespace_confusion_ws() {
    malformed::namespace_confusion(Door::Ws).await;
}

#[tokio::test]
async fn attack_lookalikes_in_payload_ws() {
    malformed::lookalikes_in_payload(Door::Ws).await;
}

#[tokio::test]
async fn attack_depth_bomb_ws() {
    malformed::depth_bomb(Door::Ws).await;
}

#[tokio::test]
async fn attack_attribute_bomb_ws() {
    malformed::attribute_bomb(Door::Ws).await;
}

#[tokio::test]
async fn attack_huge_name_ws() {
    malformed::huge_name(Door::Ws).await;
}

#[tokio::test]
async fn attack_oversize_stanza_ws() {
    malformed::oversize_stanza(Door::Ws).await;
}

#[tokio::test]
async fn attack_dribbled_stanza_ws() {
    malformed::dribbled_stanza(Door::Ws).await;
}

#[tokio::test]
async fn attack_deep_recursion_ws() {
    malformed::deep_recursion(Door::Ws).await;
}

#[tokio::test]
async fn attack_reflected_xml_ws() {
    malformed::reflected_xml(Door::Ws).await;
}

#[tokio::test]
async fn attack_stanza_before_auth_ws() {
    logins::stanza_before_auth(Door::Ws).await;
}

#[tokio::test]
async fn attack_password_guessing_ws() {
    logins::password_guessing(Door::Ws).await;
}

#[tokio::test]
async fn attack_login_flood_ws() {
    logins::login_flood(Door::Ws).await;
}

#[tokio::test]
async fn attack_user_enumeration_ws() {
    logins::user_enumeration(Door::Ws).await;
}

#[tokio::test]
async fn attack_authzid_tricks_ws() {
    logins::authzid_tricks(Door::Ws).await;
}

#[tokio::test]
async fn attack_log_injection_ws() {
    logins::log_injection(Door::Ws).await;
}

#[tokio::test]
async fn attack_subscribing_others_ws() {
    rights::subscribing_others(Door::Ws).await;
}

#[tokio::test]
async fn attack_forged_from_ws() {
    rights::forged_from(Door::Ws).await;
}

#[tokio::test]
async fn attack_cross_user_publish_ws() {
    rights::cross_user_publish(Door::Ws).await;
}

#[tokio::test]
async fn attack_subscription_flood_ws() {
    rights::subscription_flood(Door::Ws).await;
}

#[tokio::test]
async fn attack_node_creation_flood_ws() {
    rights::node_creation_flood(Door::Ws).await;
}

#[tokio::test]
async fn attack_disco_amplification_ws() {
    rights::disco_amplification(Door::Ws).await;
}

#[tokio::test]
async fn attack_hash_flooding_ws() {
    rights::hash_flooding(Door::Ws).await;
}

#[tokio::test]
async fn attack_connection_flood_ws() {
    floods::connection_flood(Door::Ws).await;
}

#[tokio::test]
async fn attack_session_flood_ws() {
    floods::session_flood(Door::Ws).await;
}

#[tokio::test]
async fn attack_stanza_flood_ws() {
    floods::stanza_flood(Door::Ws).await;
}

#[tokio::test]
async fn attack_never_reading_ws() {
    floods::never_reading(Door::Ws).await;
}

#[tokio::test]
async fn attack_second_xml_declaration_ws() {
    malformed::ends(Door::Ws, &["<a><?xml version='1.0'?></a>"], MALFORMED).await;
    // Before a message it is tolerated.
    let mut arena = Arena::new(Door::Ws).await;
    let mut peer = arena.login("1001").await;
    peer.ask(&format!("<?xml version='1.0'?>{PING}")).await;
    drop(peer);
    arena.is_calm().await;
}

#[tokio::test]
async fn attack_text_under_stream_ws() {
    malformed::ends(Door::Ws, &["text", "text<a/>", "<a/>text", "<a/><b/>"], BAD_FORMAT).await;
}

/// Sends bytes in a session and expects the close frame and nothing else.
async fn closes(arena: &mut Arena, bytes: &[u8], code: u16) {
    let mut victim = arena.login("1001").await;
    victim.write(bytes).await;
    assert_eq!(victim.rest().await, "");
    assert_eq!(victim.code, Some(code), "{bytes:.50?}");
    drop(victim);
    arena.is_calm().await;
}

#[tokio::test]
async fn attack_invalid_utf8_ws() {
    let mut arena = Arena::new(Door::Ws).await;
    let attacks = [
        &b"<a>\xff</a>"[..],
        b"<a>\xc0\xaf</a>",
        b"<a>\xed\xa0\x80</a>",
        b"\xfe\xff\0<\0a",
        b"\xff\xfe<\0a\0",
    ];
    for (n, attack) in (1..).zip(attacks) {
        closes(&mut arena, &frame(0x81, attack), 1007).await;
        assert_eq!(arena.count(Refusal::Malformed), n);
    }
}

#[tokio::test]
async fn attack_compression_ws() {
    logins::compression(Door::Ws).await;
    let mut arena = Arena::new(Door::Ws).await;
    closes(&mut arena, &frame(0xc1, b"\x4a\x4c\x04\x00"), 1002).await;
    assert_eq!(arena.count(Refusal::Malformed), 1);
    let mut peer = Peer::silent(Door::Ws, arena.addr).await;
    let offer = UPGRADE.replace("Upgrade: w", "Sec-WebSocket-Extensions: permessage-deflate\r\nUpgrade: w");
    let head = peer.request(&offer).await;
    assert!(head.starts_with("HTTP/1.1 101") && !head.contains("extensions"), "{head}");
    drop(peer);
    arena.is_calm().await;
}

#[tokio::test]
async fn attack_slow_header_ws() {
    let mut arena = Arena::with(Door::Ws, |setting| setting.header = Duration::from_millis(200)).await;
    let mut slow = Vec::new();
    for _ in 0..20 {
        let mut peer = Peer::silent(Door::Ws, arena.addr).await;
        peer.write(&UPGRADE.as_bytes()[..60]).await;
        slow.push(peer);
    }
    assert_eq!(arena.admission.open(), (1, 0), "no place is given before there is a request");
    arena.is_undisturbed().await;
    for peer in &mut slow {
        let head = peer.request("").await;
        assert!(head.is_empty() || head.starts_with("HTTP/1.1 408"), "{head}");
    }
    arena.is_calm().await;
}

#[tokio::test]
async fn attack_http_smuggling_ws() {
    let mut arena = Arena::new(Door::Ws).await;
    let before = arena.count(Refusal::Handshake);
    let framings = [
        "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 5",
        "Transfer-Encoding: chunked",
        "Content-Length: 5",
    ];
    for framing in framings {
        let mut peer = Peer::silent(Door::Ws, arena.addr).await;
        let request = UPGRADE.replace("\r\n\r\n", &format!("\r\n{framing}\r\n\r\n0\r\n\r\n"));
        let head = peer.request(&format!("{request}{UPGRADE}")).await;
        assert!(head.starts_with("HTTP/1.1 400") && head.contains("connection: close"), "{framing}: {head}");
        assert_eq!(peer.request("").await, "", "nothing behind it is answered");
    }
    let mut peer = Peer::silent(Door::Ws, arena.addr).await;
    let head = peer
        .request(&UPGRADE.replace("\r\n\r\n", "\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n"))
        .await;
    assert!(head.starts_with("HTTP/1.1 400"), "{head}");
    assert_eq!(arena.count(Refusal::Handshake) - before, 4, "the last is refused below us");
    arena.is_calm().await;
}

#[tokio::test]
async fn attack_cross_site_origin_ws() {
    let mut arena =
        Arena::with(Door::Ws, |setting| setting.origins = Origins::new(["https://desk.example"])).await;
    let evil = ["https://evil.example", "https://desk.example.evil.example", "http://desk.example", "null"];
    for (n, origin) in (1..).zip(evil) {
        let mut peer = Peer::silent(Door::Ws, arena.addr).await;
        let head = peer.request(&UPGRADE.replace("Host: x", &format!("Host: x\r\nOrigin: {origin}"))).await;
        assert!(head.starts_with("HTTP/1.1 403") && !head.contains("accept"), "{head}");
        assert_eq!(arena.count(Refusal::Origin), n);
    }
    let mut peer = Peer::silent(Door::Ws, arena.addr).await;
    let head = peer.request(&UPGRADE.replace("Host: x", "Host: x\r\nOrigin: https://desk.example")).await;
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    drop(peer);
    arena.is_calm().await;
}

/// A message of empty fragments without end is given up like any other that does not get ready.
#[tokio::test]
async fn attack_fragment_flood_ws() {
    let mut arena =
        Arena::with(Door::Ws, |setting| setting.xmpp.timeouts.partial_stanza = Duration::from_millis(200))
            .await;
    let mut victim = arena.login("1001").await;
    victim.frame(0x01, b"<a").await;
    let flood = frame(0x00, b"").repeat(1000);
    for _ in 0..20 {
        victim.write(&flood).await;
    }
    arena.is_undisturbed().await;
    assert!(arena.service.stats().memory < arena.service.stats().memory_limit / 1000);
    let answer = Answer { error: "connection-timeout", counter: Refusal::Timeout, code: 1008 };
    expect_end(&mut victim, answer, "fragments").await;
    assert_eq!(arena.count(Refusal::Timeout), 1);
    drop(victim);
    arena.is_calm().await;

    // Small fragments add up to the size of a message, and no further.
    let mut victim = arena.login("1001").await;
    victim.frame(0x01, b"<a>").await;
    victim.write(&frame(0x00, &[b'x'; 1000]).repeat(300)).await;
    let answer = Answer { error: "policy-violation", counter: Refusal::Oversize, code: 1009 };
    expect_end(&mut victim, answer, "many fragments").await;
    assert_eq!(arena.count(Refusal::Oversize), 1);
    drop(victim);
    arena.is_calm().await;
}

/// Pings are answered, the latest of those that wait at least, and cost no memory.
#[tokio::test]
async fn attack_control_frame_flood_ws() {
    let mut arena = Arena::new(Door::Ws).await;
    let mut victim = arena.login("1001").await;
    let pings = frame(0x89, &[b'x'; 125]).repeat(100);
    for _ in 0..50 {
        victim.write(&pings).await;
    }
    victim.ask(PING).await;
    assert!((1..=5000).contains(&victim.pongs), "{}", victim.pongs);
    arena.is_undisturbed().await;
    drop(victim);
    eventually("nothing is left", || arena.service.sessions() == 1).await;
    arena.is_calm().await;
    // A control frame may neither be long nor in parts (RFC 6455 §5.5).
    closes(&mut arena, &frame(0x89, &[b'x'; 126]), 1002).await;
    closes(&mut arena, &frame(0x09, b"part"), 1002).await;
    assert_eq!(arena.count(Refusal::Malformed), 2);
}
