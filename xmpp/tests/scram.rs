//! SCRAM over a stream: what is offered, the exchange, and what nobody may learn from it.

mod scram_client;
mod support;

use scram_client::{Scram, ScramRealm, service_of, text_of};
use support::{Client, DOMAIN, SUCCESS, auth, bind, config, open_tcp, plain, strict};
use xmpp::sasl::binding::ChannelBinding;
use xmpp::sasl::scram::Hash;
use xmpp::{Channel, Config, Framing, Service};

const SASL: &str = "xmlns=\"urn:ietf:params:xml:ns:xmpp-sasl\"";

fn on() -> Config {
    Config { scram: true, ..config() }
}

fn service() -> Service {
    service_of(ScramRealm::new(&Hash::ALL), on())
}

fn bound_channel() -> Channel {
    let binding = ChannelBinding { exporter: Some([7; 32]), end_point: Some(vec![9; 32]) };
    Channel { secure: true, binding: Some(Box::new(binding)), ..Channel::default() }
}

fn opened(service: &Service, channel: Channel) -> (Client, String) {
    let mut client = Client::new(service, Framing::Tcp, channel);
    let features = client.send(open_tcp(DOMAIN));
    (client, features)
}

fn auth_with(mechanism: &str, message: &str) -> String {
    format!("<auth {SASL} mechanism='{mechanism}'>{message}</auth>")
}

fn response(message: &str) -> String {
    format!("<response {SASL}>{message}</response>")
}

/// The answer to the last message of an exchange, and the signature that success has to carry.
fn exchange(client: &mut Client, mechanism: &str, scram: &Scram) -> (String, String) {
    let challenge = client.send(auth_with(mechanism, &scram.first()));
    assert!(challenge.starts_with(&format!("<challenge {SASL}>")), "{challenge}");
    let (last, signature) = scram.last(text_of(&challenge, "challenge"));
    (client.send(response(&last)), signature)
}

fn failure(condition: &str) -> String {
    format!("<failure {SASL}><{condition}/></failure>")
}

fn mechanisms(features: &str) -> Vec<&str> {
    features.split("<mechanism>").skip(1).map(|rest| rest.split('<').next().unwrap()).collect()
}

#[test]
fn x15_scram_is_offered_where_the_realm_has_verifiers_for_all() {
    let offer = |hashes: &[Hash], config: Config, channel: Channel| {
        let service = service_of(ScramRealm::new(hashes), config);
        opened(&service, channel).1
    };
    let plain = Channel::default;
    assert_eq!(mechanisms(&offer(&Hash::ALL, config(), bound_channel())), ["PLAIN"], "off by default");
    assert_eq!(mechanisms(&offer(&[], on(), bound_channel())), ["PLAIN"]);
    assert!(!offer(&[], on(), bound_channel()).contains("sasl-cb"));
    assert_eq!(mechanisms(&offer(&[Hash::Sha1], on(), plain())), ["SCRAM-SHA-1", "PLAIN"]);
    assert_eq!(
        mechanisms(&offer(&[Hash::Sha1, Hash::Sha256], on(), plain())),
        ["SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"]
    );
    let bound = offer(&Hash::ALL, on(), bound_channel());
    assert_eq!(
        mechanisms(&bound),
        ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"]
    );
    assert!(bound.contains(
        "<sasl-channel-binding xmlns=\"urn:xmpp:sasl-cb:0\"><channel-binding type=\"tls-exporter\"/>\
         <channel-binding type=\"tls-server-end-point\"/></sasl-channel-binding>"
    ));
    let empty = Channel { binding: Some(Box::default()), ..Channel::default() };
    assert_eq!(mechanisms(&offer(&[Hash::Sha1], on(), empty)), ["SCRAM-SHA-1", "PLAIN"]);
}

#[test]
fn x15_a_mechanism_that_is_not_offered_is_refused() {
    let plus = Scram::new("p=tls-exporter,,", &[7; 32], "1001", "secret");
    let (mut client, _) = opened(&service(), Channel::default());
    assert_eq!(client.send(auth_with("SCRAM-SHA-256-PLUS", &plus.first())), failure("invalid-mechanism"));
    let only = service_of(ScramRealm::new(&[Hash::Sha1]), on());
    let (mut client, _) = opened(&only, bound_channel());
    assert_eq!(client.send(auth_with("SCRAM-SHA-256", "biws")), failure("invalid-mechanism"));
    assert_eq!(client.send(auth_with("HT-SHA-256-NONE", "biws")), failure("invalid-mechanism"));
}

#[test]
fn x15_scram_logs_in_and_binds() {
    for service in [service(), service_of(ScramRealm::new(&Hash::ALL), Config { scram: true, ..strict() })] {
        let (mut client, _) = opened(&service, Channel::default());
        let (answer, signature) =
            exchange(&mut client, "SCRAM-SHA-256", &Scram::new("n,,", &[], "1001", "secret"));
        assert_eq!(answer, format!("<success {SASL}>{signature}</success>"));
        client.send(open_tcp(DOMAIN));
        assert!(client.send(bind("desk")).contains("<jid>1001@fin-a.example.net/desk</jid>"));
    }
}

#[test]
fn x15_scram_without_initial_response_is_asked_for_it() {
    let (mut client, _) = opened(&service(), Channel::default());
    assert_eq!(client.send(auth_with("SCRAM-SHA-256", "")), format!("<challenge {SASL}/>"));
    let scram = Scram::new("n,,", &[], "1001", "secret");
    let challenge = client.send(response(&scram.first()));
    let (last, signature) = scram.last(text_of(&challenge, "challenge"));
    assert_eq!(client.send(response(&last)), format!("<success {SASL}>{signature}</success>"));
}

#[test]
fn x15_channel_binding_over_a_stream() {
    for (name, data, accepted) in [
        ("tls-exporter", vec![7; 32], true),
        ("tls-exporter", vec![8; 32], false),
        ("tls-server-end-point", vec![9; 32], true),
        ("tls-server-end-point", vec![7; 32], false),
    ] {
        let (mut client, _) = opened(&service(), bound_channel());
        let scram = Scram::new(&format!("p={name},,"), &data, "1001", "secret");
        let (answer, signature) = exchange(&mut client, "SCRAM-SHA-256-PLUS", &scram);
        let success = format!("<success {SASL}>{signature}</success>");
        assert_eq!(answer, if accepted { success } else { failure("not-authorized") }, "{name}");
    }
    // With TLS by STARTTLS the data come later.
    let channel = Channel { starttls: xmpp::StartTls::Optional, ..Channel::default() };
    let (mut client, features) = opened(&service(), channel);
    assert_eq!(mechanisms(&features), ["SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"]);
    client.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
    client.stream.tls_started(client.now, bound_channel().binding);
    client.send(open_tcp(DOMAIN));
    let scram = Scram::new("p=tls-exporter,,", &[7; 32], "1001", "secret");
    assert!(exchange(&mut client, "SCRAM-SHA-256-PLUS", &scram).0.starts_with("<success"));
}

#[test]
fn x15_a_stripped_offer_is_noticed() {
    let y = Scram::new("y,,", &[], "1001", "secret");
    let (mut client, _) = opened(&service(), bound_channel());
    assert_eq!(client.send(auth_with("SCRAM-SHA-256", &y.first())), failure("not-authorized"));
    let (mut client, _) = opened(&service(), Channel::default());
    assert!(exchange(&mut client, "SCRAM-SHA-256", &y).0.starts_with("<success"), "nothing was stripped");
}

#[test]
fn x15_wrong_password_and_unknown_user_look_the_same() {
    let realm = ScramRealm::new(&Hash::ALL);
    let concluded = realm.concluded.clone();
    let service = service_of(realm, on());
    let attempt = |user: &str, password: &str| {
        let (mut client, _) = opened(&service, Channel::default());
        let scram = Scram::new("n,,", &[], user, password);
        let challenge = client.send(auth_with("SCRAM-SHA-256", &scram.first()));
        let (last, _) = scram.last(text_of(&challenge, "challenge"));
        (challenge.len(), client.send(response(&last)))
    };
    let wrong = attempt("1001", "wrong");
    assert_eq!(wrong.1, failure("not-authorized"));
    assert_eq!(attempt("nobody", "secret"), wrong);
    assert_eq!(attempt("locked", "secret"), wrong, "a locked account too");
    let seen: Vec<(String, bool)> = concluded.lock().unwrap().clone();
    let expected = [("1001", false), ("nobody", false), ("locked", true)];
    assert_eq!(seen, expected.map(|(user, proven)| (user.to_owned(), proven)), "the realm counts them all");
    let salt = || {
        let (mut client, _) = opened(&service, Channel::default());
        let scram = Scram::new("n,,", &[], "nobody", "secret");
        let challenge = client.send(auth_with("SCRAM-SHA-256", &scram.first()));
        let text = text_of(&challenge, "challenge").to_owned();
        let text = String::from_utf8(base64_decode(&text)).unwrap();
        text.split(',').nth(1).unwrap().to_owned()
    };
    assert_eq!(salt(), salt(), "the salt of a user who does not exist stays");
}

fn base64_decode(text: &str) -> Vec<u8> {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.decode(text).unwrap()
}

#[test]
fn x11_x12_x13_x14_failures_of_scram() {
    let first = Scram::new("n,,", &[], "1001", "secret").first();
    let b64 = |text: &str| {
        use base64::Engine;
        base64::engine::general_purpose::STANDARD.encode(text)
    };
    for (message, condition) in [
        ("*".to_owned(), "incorrect-encoding"),
        ("=".to_owned(), "malformed-request"),
        (b64("n,,n=1001"), "malformed-request"),
        (b64("n,,m=x,n=1001,r=abc"), "malformed-request"),
        (b64("n,a=1002,n=1001,r=abc"), "invalid-authzid"),
        (b64("p=tls-exporter,,n=1001,r=abc"), "malformed-request"),
        (b64("n,,n=unreachable,r=abc"), "temporary-auth-failure"),
    ] {
        let (mut client, _) = opened(&service(), Channel::default());
        assert_eq!(client.send(auth_with("SCRAM-SHA-256", &message)), failure(condition), "{message}");
        assert_eq!(client.send(auth(&plain("", "1001", "secret"))), SUCCESS, "another attempt may follow");
    }
    for (second, condition) in [
        (response("*"), "incorrect-encoding"),
        (response("="), "malformed-request"),
        (response(&b64("c=biws,r=abc,p=AAAA")), "malformed-request"),
        (format!("<abort {SASL}/>"), "aborted"),
        (auth_with("NONE", ""), "invalid-mechanism"),
    ] {
        let (mut client, _) = opened(&service(), Channel::default());
        client.send(auth_with("SCRAM-SHA-256", &first));
        assert_eq!(client.send(&second), failure(condition), "{second}");
        // The third failure ends the stream besides, where an attempt was given up for another one.
        let said = client.send(response("AAAA"));
        assert!(said.starts_with(&failure("malformed-request")), "the exchange is over: {said}");
    }
    let (mut client, _) = opened(&service(), Channel::default());
    for _ in 0..3 {
        exchange(&mut client, "SCRAM-SHA-256", &Scram::new("n,,", &[], "1001", "wrong"));
    }
    assert_eq!(client.error(), Some("policy-violation"));
}

#[test]
fn x13_a_realm_that_does_not_answer_is_unreachable() {
    let (mut client, _) = opened(&service(), Channel::default());
    let scram = Scram::new("n,,", &[], "slow", "secret");
    assert_eq!(client.send(auth_with("SCRAM-SHA-256", &scram.first())), "");
    assert_eq!(client.pass(std::time::Duration::from_secs(60)), failure("temporary-auth-failure"));
}

#[test]
fn x15_a_stanza_between_the_steps_ends_the_stream() {
    let (mut client, _) = opened(&service(), Channel::default());
    client.send(auth_with("SCRAM-SHA-256", &Scram::new("n,,", &[], "1001", "secret").first()));
    client.send("<presence/>");
    assert_eq!(client.error(), Some("not-authorized"));
}
