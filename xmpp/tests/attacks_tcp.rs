//! The TCP column of the attack table: each attack gets the documented answer, costs a bounded amount and touches no
//! other session. What TCP and WebSocket have in common is in `attack`.

mod attack;
mod support;

use std::sync::Arc;
use std::time::Duration;

use attack::malformed::{Answer, BAD_FORMAT, INVALID, MALFORMED, expect_end};
use attack::{Arena, Door, Peer, floods, logins, malformed, rights};
use support::{DOMAIN, auth, open_tcp, plain};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio_rustls::rustls;
use xmpp::tcp::{Admission, AdmissionLimits, TcpOptions, serve};
use xmpp::{Refusal, Service, StartTls};

#[tokio::test]
async fn attack_dtd_and_entities_tcp() {
    malformed::dtd_and_entities(Door::Tcp).await;
}

#[tokio::test]
async fn attack_undefined_entity_tcp() {
    malformed::undefined_entity(Door::Tcp).await;
}

#[tokio::test]
async fn attack_illegal_character_reference_tcp() {
    malformed::illegal_character_reference(Door::Tcp).await;
}

#[tokio::test]
async fn attack_comment_and_pi_tcp() {
    malformed::comment_and_pi(Door::Tcp).await;
}

#[tokio::test]
async fn attack_unclosed_or_crossing_tags_tcp() {
    malformed::unclosed_or_crossing_tags(Door::Tcp).await;
}

#[tokio::test]
async fn attack_control_characters_tcp() {
    malformed::control_characters(Door::Tcp).await;
}

#[tokio::test]
async fn attack_unbound_prefix_tcp() {
    malformed::unbound_prefix(Door::Tcp).await;
}

#[tokio::test]
async fn attack_duplicate_attribute_tcp() {
    malformed::duplicate_attribute(Door::Tcp).await;
}

#[tokio::test]
async fn attack_namespace_confusion_tcp() {
    malformed::namespace_confusion(Door::Tcp).await;
}

#[tokio::test]
async fn attack_lookalikes_in_payload_tcp() {
    malformed::lookalikes_in_payload(Door::Tcp).await;
}

#[tokio::test]
async fn attack_depth_bomb_tcp() {
    malformed::depth_bomb(Door::Tcp).await;
}

#[tokio::test]
async fn attack_attribute_bomb_tcp() {
    malformed::attribute_bomb(Door::Tcp).await;
}

#[tokio::test]
async fn attack_huge_name_tcp() {
    malformed::huge_name(Door::Tcp).await;
}

#[tokio::test]
async fn attack_oversize_stanza_tcp() {
    malformed::oversize_stanza(Door::Tcp).await;
}

#[tokio::test]
async fn attack_dribbled_stanza_tcp() {
    malformed::dribbled_stanza(Door::Tcp).await;
}

#[tokio::test]
async fn attack_deep_recursion_tcp() {
    malformed::deep_recursion(Door::Tcp).await;
}

#[tokio::test]
async fn attack_reflected_xml_tcp() {
    malformed::reflected_xml(Door::Tcp).await;
}

#[tokio::test]
async fn attack_stanza_before_auth_tcp() {
    logins::stanza_before_auth(Door::Tcp).await;
}

#[tokio::test]
async fn attack_password_guessing_tcp() {
    logins::password_guessing(Door::Tcp).await;
}

#[tokio::test]
async fn attack_login_flood_tcp() {
    logins::login_flood(Door::Tcp).await;
}

#[tokio::test]
async fn attack_user_enumeration_tcp() {
    logins::user_enumeration(Door::Tcp).await;
}

#[tokio::test]
async fn attack_authzid_tricks_tcp() {
    logins::authzid_tricks(Door::Tcp).await;
}

#[tokio::test]
async fn attack_compression_tcp() {
    logins::compression(Door::Tcp).await;
}

#[tokio::test]
async fn attack_log_injection_tcp() {
    logins::log_injection(Door::Tcp).await;
}

#[tokio::test]
async fn attack_subscribing_others_tcp() {
    rights::subscribing_others(Door::Tcp).await;
}

#[tokio::test]
async fn attack_forged_from_tcp() {
    rights::forged_from(Door::Tcp).await;
}

#[tokio::test]
async fn attack_cross_user_publish_tcp() {
    rights::cross_user_publish(Door::Tcp).await;
}

#[tokio::test]
async fn attack_subscription_flood_tcp() {
    rights::subscription_flood(Door::Tcp).await;
}

#[tokio::test]
async fn attack_node_creation_flood_tcp() {
    rights::node_creation_flood(Door::Tcp).await;
}

#[tokio::test]
async fn attack_disco_amplification_tcp() {
    rights::disco_amplification(Door::Tcp).await;
}

#[tokio::test]
async fn attack_hash_flooding_tcp() {
    rights::hash_flooding(Door::Tcp).await;
}

#[tokio::test]
async fn attack_connection_flood_tcp() {
    floods::connection_flood(Door::Tcp).await;
}

#[tokio::test]
async fn attack_session_flood_tcp() {
    floods::session_flood(Door::Tcp).await;
}

#[tokio::test]
async fn attack_stanza_flood_tcp() {
    floods::stanza_flood(Door::Tcp).await;
}

#[tokio::test]
async fn attack_never_reading_tcp() {
    floods::never_reading(Door::Tcp).await;
}

#[tokio::test]
async fn attack_second_xml_declaration_tcp() {
    malformed::ends(Door::Tcp, &["<?xml version='1.0'?>", "<a><?xml version='1.0'?></a>"], MALFORMED).await;
}

#[tokio::test]
async fn attack_text_under_stream_tcp() {
    malformed::ends(Door::Tcp, &["text<a/>", "&lt;<a/>", "<![CDATA[x]]><a/>"], INVALID).await;
    // White space is a sign of life.
    let mut arena = Arena::new(Door::Tcp).await;
    let mut peer = arena.login("1001").await;
    peer.send(" \r\n\t").await;
    peer.ask(attack::PING).await;
    drop(peer);
    arena.is_calm().await;
}

#[tokio::test]
async fn attack_invalid_utf8_tcp() {
    let mut arena = Arena::new(Door::Tcp).await;
    let attacks = [
        &b"<a>\xff</a>"[..],
        b"<a>\xc0\xaf</a>",
        b"<a>\xed\xa0\x80</a>",
        b"<a b='\xff'/>",
        b"<a>\xf8\x88\x80\x80\x80</a>",
    ];
    for attack in attacks {
        let mut victim = arena.login("1001").await;
        victim.write(attack).await;
        expect_end(&mut victim, BAD_FORMAT, "UTF-8").await;
    }
    let encoding = Answer { error: "unsupported-encoding", ..BAD_FORMAT };
    for start in [&b"\xfe\xff\0<\0a"[..], b"\xff\xfe<\0a\0", b"<?xml version='1.0' encoding='UTF-16'?>"] {
        let mut stranger = arena.connect().await;
        stranger.write(start).await;
        expect_end(&mut stranger, encoding, "encoding").await;
    }
    assert_eq!(arena.count(Refusal::Malformed), 8);
    arena.is_calm().await;
}

/// A certificate made for the test, and a client that trusts it.
fn tls() -> (Arc<rustls::ServerConfig>, tokio_rustls::TlsConnector) {
    let made = rcgen::generate_simple_self_signed([DOMAIN.to_owned()]).expect("a certificate");
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let server = rustls::ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .expect("matching key");
    let mut roots = rustls::RootCertStore::empty();
    roots.add(made.cert.der().clone()).expect("a root");
    let client = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    (Arc::new(server), Arc::new(client).into())
}

/// A listener with TLS beside the arena's, for the same service.
async fn listen(service: &Service, options: TcpOptions) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(serve(listener, service.clone(), options, std::future::pending()));
    addr
}

#[tokio::test]
async fn attack_starttls_injection_tcp() {
    let (tls, connector) = tls();
    let mut arena = Arena::new(Door::Tcp).await;
    let options = TcpOptions { tls: Some(tls), starttls: StartTls::Optional, ..TcpOptions::default() };
    let admission = options.admission.clone();
    let addr = listen(&arena.service, options).await;
    let asked = arena.asked();
    let mut clear = Peer::connect(Door::Tcp, addr).await;
    assert!(clear.open().await.contains("<starttls "));
    // In one segment, and far more than a buffer.
    let injected = format!("{}{}", open_tcp(DOMAIN), auth(&plain("", "1001", "secret")));
    clear
        .send(format!("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>{injected}{}", " ".repeat(1000)))
        .await;
    clear.until("<proceed xmlns=\"urn:ietf:params:xml:ns:xmpp-tls\"/>").await;
    let mut client = connector.connect(DOMAIN.try_into().unwrap(), clear.io).await.expect("handshake");
    tokio::io::AsyncWriteExt::write_all(&mut client, open_tcp(DOMAIN).as_bytes()).await.unwrap();
    let mut said = String::new();
    while !said.contains("</stream:features>") {
        let mut chunk = [0; 4096];
        let read = client.read(&mut chunk).await.unwrap();
        assert_ne!(read, 0, "{said}");
        said += std::str::from_utf8(&chunk[..read]).unwrap();
    }
    assert!(said.contains("PLAIN") && !said.contains("<success"), "{said}");
    assert_eq!(said.matches("<stream:stream ").count(), 1, "{said}");
    assert_eq!(arena.asked(), asked, "no credentials were looked at");
    drop(client);
    attack::eventually("it is gone", || admission.open() == (0, 0)).await;
    arena.is_calm().await;
}

#[tokio::test]
async fn attack_slow_tls_handshake_tcp() {
    let (tls, _) = tls();
    let mut arena =
        Arena::with(Door::Tcp, |setting| setting.xmpp.timeouts.handshake = Duration::from_millis(200)).await;
    for (direct_tls, starttls) in [(true, StartTls::Off), (false, StartTls::Optional)] {
        let options = TcpOptions { tls: Some(tls.clone()), direct_tls, starttls, ..TcpOptions::default() };
        let admission = options.admission.clone();
        let addr = listen(&arena.service, options).await;
        let before = arena.count(Refusal::Handshake);
        let mut slow = Vec::new();
        for _ in 0..10 {
            let mut peer = Peer::silent(Door::Tcp, addr).await;
            if !direct_tls {
                peer.open().await;
                peer.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>").await;
                peer.until("<proceed xmlns=\"urn:ietf:params:xml:ns:xmpp-tls\"/>").await;
            }
            // The beginning of a ClientHello, and nothing more.
            peer.write(b"\x16\x03\x01\x02\x00\x01").await;
            slow.push(peer);
        }
        arena.is_undisturbed().await;
        for mut peer in slow {
            assert_eq!(peer.rest().await, "", "closed without a word");
        }
        assert_eq!(arena.count(Refusal::Handshake) - before, 10);
        attack::eventually("they are gone", || admission.open() == (0, 0)).await;
        arena.is_calm().await;
    }
}

#[tokio::test]
async fn attack_tls_handshakes_beyond_memory_tcp() {
    let (tls, _) = tls();
    let mut arena = Arena::with(Door::Tcp, |setting| setting.broker.memory = 1 << 20).await;
    let admission = Admission::new(AdmissionLimits { trusted: Vec::new(), ..AdmissionLimits::default() });
    let options = TcpOptions {
        tls: Some(tls),
        direct_tls: true,
        admission: admission.clone(),
        ..TcpOptions::default()
    };
    let addr = listen(&arena.service, options).await;
    let mut slow = Vec::new();
    for _ in 0..12 {
        let mut peer = Peer::silent(Door::Tcp, addr).await;
        peer.write(b"\x16\x03\x01\x02\x00\x01").await;
        slow.push(peer);
    }
    attack::eventually("some are refused", || {
        arena.count(Refusal::Memory) + admission.open().0 as u64 == 12 && admission.open().0 < 12
    })
    .await;
    assert!(admission.open().0 >= 4, "{:?}", admission.open());
    assert!(arena.service.stats().memory <= 1 << 19, "strangers have half of the budget");
    arena.is_undisturbed().await;
    drop(slow);
    attack::eventually("they are gone", || admission.open() == (0, 0)).await;
    arena.is_calm().await;
}
