//! Tokens for the next login (XEP-0484): one round trip and no password.

mod scram_client;
mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use scram_client::{ScramRealm, service_of, text_of};
use support::{Client, DOMAIN, config, open_tcp, plain};
use xmpp::sasl::binding::ChannelBinding;
use xmpp::sasl::ht;
use xmpp::sasl::scram::Hash;
use xmpp::{AuthFailure, Channel, Config, FastOptions, Framing, Service};

const NS: &str = "xmlns=\"urn:xmpp:sasl:2\"";
const AGENT: &str = "<user-agent id='d4565fa7-4d72-4749-b3d3-740edbf87770'/>";
const BIND: &str = "<bind xmlns='urn:xmpp:bind:0'><tag>Desk</tag></bind>";
const DAY: Duration = Duration::from_secs(24 * 3600);

fn on() -> Config {
    Config { sasl2: true, scram: true, fast: Some(FastOptions::default()), ..config() }
}

/// A service and the switch by which its realm refuses those who come back.
fn service() -> (Service, Arc<Mutex<Option<AuthFailure>>>) {
    let realm = ScramRealm::new(&Hash::ALL);
    let readmits = realm.readmits.clone();
    (service_of(realm, on()), readmits)
}

fn tls(binding: Option<[u8; 32]>) -> Channel {
    let binding = binding.map(|data| Box::new(ChannelBinding { exporter: Some(data), end_point: None }));
    Channel { secure: true, binding, ..Channel::default() }
}

/// A client that has not sent anything.
fn fresh(service: &Service, binding: Option<[u8; 32]>) -> Client {
    Client::new(service, Framing::Tcp, tls(binding))
}

fn authenticate(mechanism: &str, message: &str, more: &str) -> String {
    format!(
        "<authenticate {NS} mechanism='{mechanism}'><initial-response>{message}</initial-response>{more}\
         </authenticate>"
    )
}

fn wish(ht: &str) -> String {
    format!("<request-token xmlns='urn:xmpp:fast:0' mechanism='{ht}'/>")
}

/// Logs in by password; the whole answer.
fn by_password(service: &Service, binding: Option<[u8; 32]>, more: &str) -> String {
    let mut client = fresh(service, binding);
    client.send(open_tcp(DOMAIN));
    client.send(authenticate("PLAIN", &plain("", "1001", "secret"), more))
}

fn token_of(answer: &str) -> Option<String> {
    let rest = answer.split("<token ").nth(1)?;
    Some(rest.split("token=\"").nth(1)?.split('"').next()?.to_owned())
}

/// A token of `ht`, got with a password.
fn token(service: &Service, binding: Option<[u8; 32]>, ht: &str) -> String {
    let answer = by_password(service, binding, &format!("{AGENT}{}", wish(ht)));
    token_of(&answer).unwrap_or_else(|| panic!("no token: {answer}"))
}

/// The login with a token.
fn by_token(ht: &str, token: &str, data: &[u8], attributes: &str, more: &str) -> String {
    let hash = ht::hash(token.as_bytes(), b"Initiator", data);
    let message = STANDARD.encode([b"1001\0", &hash[..]].concat());
    let fast = format!("<fast xmlns='urn:xmpp:fast:0' {attributes}/>");
    authenticate(ht, &message, &format!("{fast}{more}"))
}

fn outcome(service: &Service, after: Duration, element: &str) -> String {
    let mut client = fresh(service, None);
    client.now += after;
    client.send(open_tcp(DOMAIN));
    client.send(element)
}

fn failure(condition: &str) -> String {
    format!("<failure {NS}><{condition} xmlns=\"urn:ietf:params:xml:ns:xmpp-sasl\"/></failure>")
}

#[test]
fn x80_tokens_are_offered_under_tls_only() {
    let (service, _) = service();
    let features = |channel: Channel| Client::new(&service, Framing::Tcp, channel).send(open_tcp(DOMAIN));
    assert!(!features(Channel::default()).contains("urn:xmpp:fast:0"));
    assert!(features(tls(None)).contains(
        "<inline><bind xmlns=\"urn:xmpp:bind:0\"/><fast xmlns=\"urn:xmpp:fast:0\">\
         <mechanism>HT-SHA-256-NONE</mechanism></fast></inline>"
    ));
    assert!(features(tls(Some([7; 32]))).contains(
        "<fast xmlns=\"urn:xmpp:fast:0\"><mechanism>HT-SHA-256-EXPR</mechanism>\
         <mechanism>HT-SHA-256-NONE</mechanism></fast>"
    ));
    let off = service_of(ScramRealm::new(&Hash::ALL), Config { fast: None, ..on() });
    assert!(!fresh(&off, None).send(open_tcp(DOMAIN)).contains("urn:xmpp:fast:0"));
    let alone = service_of(ScramRealm::new(&Hash::ALL), Config { sasl2: false, ..on() });
    assert!(!fresh(&alone, None).send(open_tcp(DOMAIN)).contains("urn:xmpp:fast:0"));
}

#[test]
fn x80_a_reconnect_takes_one_write_each_way_and_no_password() {
    let (service, _) = service();
    let token = token(&service, None, "HT-SHA-256-NONE");
    let mut client = fresh(&service, None);
    // Header, login and binding leave together, before anything of the server's has been read.
    let everything = format!(
        "{}{}<presence/>",
        open_tcp(DOMAIN).replace("to=", &format!("from='1001@{DOMAIN}' to=")),
        by_token("HT-SHA-256-NONE", &token, &[], "", &format!("{AGENT}{BIND}"))
    );
    let answer = client.send(everything);
    let order = ["<stream:stream ", "<stream:features>", "<success ", "<stream:features>", "<presence "];
    let mut at = 0;
    for part in order {
        at += answer[at..].find(part).unwrap_or_else(|| panic!("no {part} in {answer}")) + 1;
    }
    let signature = ht::hash(token.as_bytes(), b"Responder", &[]);
    assert_eq!(
        text_of(&answer, "additional-data"),
        STANDARD.encode(signature),
        "the server knows the token too"
    );
    assert!(text_of(&answer, "authorization-identifier").starts_with(&format!("1001@{DOMAIN}/Desk/")));
    assert!(client.stream.is_bound() && client.unread.is_empty());
}

#[test]
fn x80_a_reconnect_over_websocket_and_bosh() {
    let (service, _) = service();
    let token = token(&service, None, "HT-SHA-256-NONE");
    let login = by_token("HT-SHA-256-NONE", &token, &[], "", &format!("{AGENT}{BIND}"));
    let mut client = Client::new(&service, Framing::WebSocket, tls(None));
    let open = format!("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='{DOMAIN}' version='1.0'/>");
    client.stream.handle_message(client.now, &open);
    assert!(client.message(&login).contains("<bound xmlns=\"urn:xmpp:bind:0\"/>"));
    let mut client = Client::new(&service, Framing::Bosh, tls(None));
    let open = xmpp::Open { to: Some(DOMAIN.into()), version: Some("1.0".into()), ..Default::default() };
    client.stream.handle_open(client.now, &open);
    client.stream.handle_element(client.now, login.parse().unwrap());
    assert!(client.send("").contains("<bound xmlns=\"urn:xmpp:bind:0\"/>"));
}

#[test]
fn x80_a_token_is_given_to_who_asks_and_can_be_known_again() {
    let (service, _) = service();
    let none = wish("HT-SHA-256-NONE");
    let answer = by_password(&service, None, &format!("{AGENT}{none}"));
    assert!(
        answer.contains("<token xmlns=\"urn:xmpp:fast:0\" expiry=\"2") && answer.contains("Z\" token=\"")
    );
    assert_eq!(token_of(&by_password(&service, None, AGENT)), None);
    assert_eq!(token_of(&by_password(&service, None, &none)), None, "without an id there is no telling");
    let bound = format!("{AGENT}{}", wish("HT-SHA-256-EXPR"));
    assert_eq!(token_of(&by_password(&service, None, &bound)), None, "not offered here");
    assert!(token_of(&by_password(&service, Some([7; 32]), &bound)).is_some());
    let mut client = fresh(&service, None);
    client.send(open_tcp(DOMAIN));
    let refused = client.send(authenticate("PLAIN", &plain("", "1001", "wrong"), &format!("{AGENT}{none}")));
    assert_eq!(refused, failure("not-authorized"));
}

#[test]
fn x80_a_token_is_bound_to_its_channel_and_its_mechanism() {
    let (service, _) = service();
    let token = token(&service, Some([7; 32]), "HT-SHA-256-EXPR");
    let login = |binding: Option<[u8; 32]>, ht: &str, data: &[u8]| {
        let mut client = fresh(&service, binding);
        client.send(open_tcp(DOMAIN));
        client.send(by_token(ht, &token, data, "", AGENT))
    };
    assert_eq!(login(Some([8; 32]), "HT-SHA-256-EXPR", &[7; 32]), failure("not-authorized"), "relayed");
    assert_eq!(login(Some([8; 32]), "HT-SHA-256-NONE", &[]), failure("not-authorized"), "downgraded");
    assert_eq!(login(None, "HT-SHA-256-EXPR", &[7; 32]), failure("invalid-mechanism"));
    let answer = login(Some([8; 32]), "HT-SHA-256-EXPR", &[8; 32]);
    assert!(answer.starts_with("<success"), "{answer}");
}

#[test]
fn x80_wrong_tokens_are_refused_and_counted() {
    let (service, _) = service();
    let token = token(&service, None, "HT-SHA-256-NONE");
    let none = "HT-SHA-256-NONE";
    let other_agent = "<user-agent id='0'/>";
    for (element, condition) in [
        (by_token(none, "wrong", &[], "", AGENT), "not-authorized"),
        (by_token(none, &token, &[], "", other_agent), "not-authorized"),
        (by_token(none, &token, &[], "", ""), "malformed-request"),
        (by_token(none, &token, &[], "count='x'", AGENT), "malformed-request"),
        (by_token(none, &token, &[], "count='-1'", AGENT), "malformed-request"),
        (by_token(none, &token, &[], "count='0'", AGENT), "not-authorized"),
        (by_token(none, &token, &[], "", AGENT).replace("<fast ", "<other "), "malformed-request"),
        (authenticate(none, "AAAA", &format!("{AGENT}<fast xmlns='urn:xmpp:fast:0'/>")), "malformed-request"),
    ] {
        assert_eq!(outcome(&service, Duration::ZERO, &element), failure(condition), "{element}");
    }
    let mut client = fresh(&service, None);
    client.send(open_tcp(DOMAIN));
    for _ in 0..3 {
        client.send(by_token(none, "wrong", &[], "", AGENT));
    }
    assert_eq!(client.error(), Some("policy-violation"));
    let clear = Client::new(&service, Framing::Tcp, Channel::default());
    let mut clear = clear;
    clear.send(open_tcp(DOMAIN));
    assert_eq!(clear.send(by_token(none, &token, &[], "", AGENT)), failure("invalid-mechanism"));
}

#[test]
fn x80_a_count_cannot_be_replayed() {
    let (service, _) = service();
    let token = token(&service, None, "HT-SHA-256-NONE");
    let login = by_token("HT-SHA-256-NONE", &token, &[], "count='3'", AGENT);
    assert!(outcome(&service, Duration::ZERO, &login).starts_with("<success"));
    assert_eq!(outcome(&service, Duration::ZERO, &login), failure("not-authorized"));
}

#[test]
fn x80_tokens_are_rotated_and_expire() {
    let (service, _) = service();
    let none = "HT-SHA-256-NONE";
    let first = token(&service, None, none);
    let login = |token: &str, after| outcome(&service, after, &by_token(none, token, &[], "", AGENT));
    assert_eq!(token_of(&login(&first, DAY / 2)), None);
    let second = token_of(&login(&first, 2 * DAY)).expect("it was due");
    assert!(login(&first, 2 * DAY).starts_with("<success"), "the second may not have arrived");
    let third = token_of(&login(&first, 2 * DAY)).expect("still due");
    assert_eq!(login(&second, 2 * DAY), failure("not-authorized"), "replaced before it was used");
    assert!(login(&third, 2 * DAY + DAY / 2).starts_with("<success"));
    assert_eq!(login(&first, 2 * DAY + DAY / 2), failure("not-authorized"), "the third was used");
    assert_eq!(login(&third, 17 * DAY), failure("credentials-expired"));
    assert_eq!(login(&third, 17 * DAY), failure("not-authorized"));
}

#[test]
fn x80_clients_realm_and_embedder_take_tokens_back() {
    let none = "HT-SHA-256-NONE";
    let (service, readmits) = service();
    let login = |token: &str, attributes: &str, more: &str| {
        outcome(&service, 2 * DAY, &by_token(none, token, &[], attributes, &format!("{AGENT}{more}")))
    };
    // The client.
    let mine = token(&service, None, none);
    let last = login(&mine, "invalidate='true'", "");
    assert!(last.starts_with("<success") && token_of(&last).is_none(), "{last}");
    assert_eq!(login(&mine, "", ""), failure("not-authorized"));
    let mine = token(&service, None, none);
    let next = token_of(&login(&mine, "invalidate='1'", &wish(none))).expect("asked for");
    assert_eq!(login(&mine, "", ""), failure("not-authorized"));
    assert!(login(&next, "", "").starts_with("<success"));
    // The realm, for now and for good.
    *readmits.lock().unwrap() = Some(AuthFailure::Temporary);
    assert_eq!(login(&next, "", ""), failure("temporary-auth-failure"));
    *readmits.lock().unwrap() = None;
    assert!(login(&next, "", "").starts_with("<success"));
    *readmits.lock().unwrap() = Some(AuthFailure::Disabled);
    assert_eq!(login(&next, "", ""), failure("account-disabled"));
    *readmits.lock().unwrap() = None;
    assert_eq!(login(&next, "", ""), failure("not-authorized"), "they are gone");
    // The embedder.
    let mine = token(&service, None, none);
    service.revoke_tokens("1002");
    assert!(login(&mine, "", "").starts_with("<success"));
    service.revoke_tokens("1001");
    assert_eq!(login(&mine, "", ""), failure("not-authorized"));
}

fn managed() -> Service {
    let stream_management = Some(xmpp::StreamManagement::default());
    service_of(ScramRealm::new(&Hash::ALL), Config { stream_management, ..on() })
}

const ENABLE: &str =
    "<bind xmlns='urn:xmpp:bind:0'><tag>Desk</tag><enable xmlns='urn:xmpp:sm:3' resume='true'/></bind>";

fn attribute<'a>(xml: &'a str, name: &str) -> &'a str {
    let start = format!(" {name}=\"");
    let rest = xml.split(&start).nth(1).unwrap_or_else(|| panic!("no {name} in {xml}"));
    rest.split('"').next().unwrap()
}

#[test]
fn x80_stream_management_begins_with_the_login() {
    let service = managed();
    let mut client = fresh(&service, None);
    assert!(client.send(open_tcp(DOMAIN)).contains(
        "<inline><sm xmlns=\"urn:xmpp:sm:3\"/><bind xmlns=\"urn:xmpp:bind:0\"><inline>\
         <feature var=\"urn:xmpp:sm:3\"/></inline></bind><fast "
    ));
    let answer =
        client.send(authenticate("PLAIN", &plain("", "1001", "secret"), &format!("{AGENT}{ENABLE}")));
    assert!(
        answer.contains("<bound xmlns=\"urn:xmpp:bind:0\"><enabled xmlns=\"urn:xmpp:sm:3\" id=\""),
        "{answer}"
    );
    assert!(answer.contains("</bound></success><stream:features><limits"), "{answer}");
    client.send("<presence/>");
    assert!(client.send("<r xmlns='urn:xmpp:sm:3'/>").contains("<a xmlns=\"urn:xmpp:sm:3\" h=\"1\"/>"));
    // Where it is not offered nothing is enabled.
    let (without, _) = self::service();
    let answer = by_password(&without, None, &format!("{AGENT}{ENABLE}"));
    assert!(answer.contains("<bound xmlns=\"urn:xmpp:bind:0\"/></success>"), "{answer}");
}

/// A client whose connection has broken, with its full address, resume id and token; one message has been missed.
fn broken(service: &Service) -> (Client, String, String, String) {
    let mut client = fresh(service, None);
    client.send(open_tcp(DOMAIN));
    let more = format!("{AGENT}{ENABLE}{}", wish("HT-SHA-256-NONE"));
    let answer = client.send(authenticate("PLAIN", &plain("", "1001", "secret"), &more));
    let (id, token) = (attribute(&answer, "id").to_owned(), token_of(&answer).unwrap());
    let full = text_of(&answer, "authorization-identifier").to_owned();
    client.stream.handle_eof();
    client.stream.handle_timeout(client.now);
    assert!(client.stream.is_detached());
    let (bare, resource) = full.split_once('/').unwrap();
    let missed = broker::Parcel::notice("<message><body>missed</body></message>");
    service.broker().send(&broker::Address::full(bare, resource), missed);
    (client, full, id, token)
}

fn comes_back(service: &Service, framing: Framing, id: &str, token: &str) -> (Client, String) {
    let resume = format!("<resume xmlns='urn:xmpp:sm:3' previd='{id}' h='0'/>");
    let login = by_token("HT-SHA-256-NONE", token, &[], "", &format!("{AGENT}{resume}{ENABLE}"));
    let mut client = Client::new(service, framing, tls(None));
    if framing == Framing::Tcp {
        let said = client.send(format!("{}{login}", open_tcp(DOMAIN)));
        return (client, said);
    }
    let open = format!("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='{DOMAIN}' version='1.0'/>");
    client.stream.handle_message(client.now, &open);
    let said = client.message(&login);
    (client, said)
}

#[test]
fn x80_a_session_is_resumed_in_one_round_trip_and_misses_nothing() {
    for framing in [Framing::Tcp, Framing::WebSocket] {
        let service = managed();
        let (_old, full, id, token) = broken(&service);
        let (mut client, said) = comes_back(&service, framing, &id, &token);
        let mut at = 0;
        for part in ["<stream:features", "<success ", "<resumed ", "</success>", "<stream:features", "missed"]
        {
            at += said[at..].find(part).unwrap_or_else(|| panic!("no {part} in {said}")) + 1;
        }
        let identity = format!("<authorization-identifier>{full}</authorization-identifier>");
        assert!(said.contains(&identity), "the address of the session that goes on: {said}");
        assert!(!said.contains("<bound"), "a resumed session has its resource: {said}");
        assert_eq!(client.stream.bound().unwrap().full().to_string(), full);
        assert_eq!(service.sessions(), 1);
        let ping = "<iq xmlns='jabber:client' type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>";
        let pong = if framing == Framing::Tcp { client.send(ping) } else { client.message(ping) };
        assert!(pong.contains("type=\"result\" id=\"p\""), "{pong}");
    }
}

#[test]
fn x80_a_session_that_is_gone_is_replaced_in_the_same_round_trip() {
    let service = managed();
    let (old, full, _, token) = broken(&service);
    drop(old);
    let (client, said) = comes_back(&service, Framing::Tcp, "unknown", &token);
    let failed = said.find("<failed xmlns=\"urn:xmpp:sm:3\"").expect("why not");
    let bound = said.find("<bound xmlns=\"urn:xmpp:bind:0\"><enabled ").expect("a new one");
    assert!(failed < bound);
    assert_eq!(text_of(&said, "authorization-identifier"), full, "with the same resource");
    assert!(client.stream.is_bound());
}

#[test]
fn x80_somebody_elses_session_is_not_resumed() {
    let service = managed();
    let (_old, _, id, _) = broken(&service);
    let mut client = fresh(&service, None);
    client.send(open_tcp(DOMAIN));
    let resume = format!("<resume xmlns='urn:xmpp:sm:3' previd='{id}' h='0'/>");
    let answer = client.send(authenticate("PLAIN", &plain("", "1002", "secret"), &resume));
    assert!(answer.contains("<failed xmlns=\"urn:xmpp:sm:3\"") && answer.contains("<bind "), "{answer}");
    assert_eq!(service.sessions(), 1);
}
