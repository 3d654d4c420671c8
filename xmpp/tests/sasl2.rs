//! SASL2 with Bind 2 (XEP-0388, XEP-0386), over every framing; and that who does not use them sees no difference.

mod scram_client;
mod support;

use minidom::Element;
use scram_client::{Scram, ScramRealm, service_of, text_of};
use support::{Client, DOMAIN, SUCCESS, auth, bind, config, open_tcp, plain};
use xmpp::sasl::scram::Hash;
use xmpp::{Channel, Config, Conflict, Framing, Open, Service, StartTls};

const NS: &str = "xmlns=\"urn:xmpp:sasl:2\"";

fn on() -> Config {
    Config { sasl2: true, scram: true, ..config() }
}

fn service_with(config: Config) -> Service {
    service_of(ScramRealm::new(&Hash::ALL), config)
}

fn opened(service: &Service) -> Client {
    let mut client = Client::tcp(service);
    client.send(open_tcp(DOMAIN));
    client
}

fn authenticate(mechanism: &str, message: &str, more: &str) -> String {
    format!(
        "<authenticate {NS} mechanism='{mechanism}'><initial-response>{message}</initial-response>{more}\
         </authenticate>"
    )
}

fn with_plain(more: &str) -> String {
    authenticate("PLAIN", &plain("", "1001", "secret"), more)
}

fn failure(condition: &str) -> String {
    format!("<failure {NS}><{condition} xmlns=\"urn:ietf:params:xml:ns:xmpp-sasl\"/></failure>")
}

const AGENT: &str =
    "<user-agent id='d4565fa7-4d72-4749-b3d3-740edbf87770'><software>Desk</software></user-agent>";
const BIND: &str = "<bind xmlns='urn:xmpp:bind:0'><tag>Desk</tag></bind>";
const LIMITS: &str = "<limits xmlns=\"urn:xmpp:stream-limits:0\"><max-bytes>262144</max-bytes>\
                      <idle-seconds>120</idle-seconds></limits>";
const LEGACY_BIND: &str = "<bind xmlns=\"urn:ietf:params:xml:ns:xmpp-bind\"/>\
                           <session xmlns=\"urn:ietf:params:xml:ns:xmpp-session\"><optional/></session>";

fn identity(answer: &str) -> &str {
    text_of(answer, "authorization-identifier")
}

#[test]
fn x80_sasl1_clients_see_no_difference() {
    let talk = |config: Config| {
        let service = service_with(config);
        let mut said = Vec::new();
        for first in [plain("", "1001", "wrong"), plain("", "1001", "secret")] {
            let mut client = Client::tcp(&service);
            let header = open_tcp(DOMAIN).replace("to=", "from='other@elsewhere.example' to=");
            said.push(client.send(&header));
            said.push(client.send(auth(&first)));
            said.push(client.send(auth(&plain("", "1001", "secret"))));
            said.push(client.send(open_tcp(DOMAIN)));
            said.push(client.send(bind("desk")));
        }
        let ids = |text: &str| match (text.find(" id=\""), text.contains("<stream:stream")) {
            (Some(at), true) => format!("{}{}", &text[..at], &text[at + 38..]),
            _ => text.to_owned(),
        };
        said.iter().map(|text| ids(text)).collect::<Vec<_>>()
    };
    let off = talk(Config { scram: true, ..config() });
    let on = talk(Config { fast: Some(Default::default()), ..on() });
    let without: Vec<String> = on
        .iter()
        .map(|text| match (text.find("<authentication "), text.find("</authentication>")) {
            (Some(from), Some(to)) => format!("{}{}", &text[..from], &text[to + "</authentication>".len()..]),
            _ => text.clone(),
        })
        .collect();
    assert_eq!(without, off);
    assert_ne!(on, off, "it was offered");
}

#[test]
fn x80_sasl2_is_off_by_default() {
    let service = service_with(config());
    let mut client = Client::tcp(&service);
    assert!(!client.send(open_tcp(DOMAIN)).contains("urn:xmpp:sasl:2"));
    client.send(with_plain(""));
    assert_eq!(client.error(), Some("unsupported-stanza-type"));
}

#[test]
fn x80_sasl2_is_offered_with_bind_2() {
    let mut client = Client::tcp(&service_with(on()));
    let features = client.send(open_tcp(DOMAIN));
    assert!(features.contains(&format!(
        "<authentication {NS}><mechanism>SCRAM-SHA-256</mechanism><mechanism>SCRAM-SHA-1</mechanism>\
         <mechanism>PLAIN</mechanism><inline><bind xmlns=\"urn:xmpp:bind:0\"/></inline></authentication>"
    )));
}

#[test]
fn x80_success_is_followed_by_features_without_a_restart() {
    let service = service_with(on());
    let mut client = opened(&service);
    let answer = client.send(with_plain(""));
    assert_eq!(
        answer,
        format!(
            "<success {NS}><authorization-identifier>1001@{DOMAIN}</authorization-identifier></success>\
             <stream:features>{LEGACY_BIND}{LIMITS}</stream:features>"
        )
    );
    assert!(client.send(bind("desk")).contains(&format!("<jid>1001@{DOMAIN}/desk</jid>")));
    let ping = "<iq type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>";
    assert!(client.send(ping).contains("type=\"result\" id=\"p\""));
    let large = format!("<message id='{}'/>", "x".repeat(1000)).repeat(70);
    client.send(format!("<message><body>{}</body></message>", "x".repeat(100 << 10)));
    client.send(large);
    assert_eq!(client.error(), None, "the limits are those of authenticated streams");
}

#[test]
fn x80_scram_goes_over_sasl2() {
    let service = service_with(on());
    let mut client = opened(&service);
    let scram = Scram::new("n,,", &[], "1001", "secret");
    let challenge = client.send(authenticate("SCRAM-SHA-256", &scram.first(), BIND));
    assert!(challenge.starts_with(&format!("<challenge {NS}>")), "{challenge}");
    let (last, signature) = scram.last(text_of(&challenge, "challenge"));
    let answer = client.send(format!("<response {NS}>{last}</response>"));
    assert_eq!(text_of(&answer, "additional-data"), signature);
    assert!(identity(&answer).starts_with(&format!("1001@{DOMAIN}/Desk/")));
    // Without an initial response it is asked for.
    let mut client = opened(&service);
    let asked = client.send(format!("<authenticate {NS} mechanism='SCRAM-SHA-256'/>"));
    assert_eq!(asked, format!("<challenge {NS}/>"));
    let challenge = client.send(format!("<response {NS}>{}</response>", scram.first()));
    let (last, _) = scram.last(text_of(&challenge, "challenge"));
    assert!(client.send(format!("<response {NS}>{last}</response>")).starts_with("<success"));
}

#[test]
fn x80_bind_2_binds_with_the_login() {
    let service = service_with(on());
    let mut client = opened(&service);
    let answer = client.send(with_plain(&format!("{AGENT}{BIND}")));
    let full = identity(&answer).to_owned();
    assert!(full.starts_with(&format!("1001@{DOMAIN}/Desk/")) && !full.contains("d4565fa7"), "{full}");
    assert_eq!(
        answer,
        format!(
            "<success {NS}><authorization-identifier>{full}</authorization-identifier>\
             <bound xmlns=\"urn:xmpp:bind:0\"/></success><stream:features>{LIMITS}</stream:features>"
        )
    );
    assert!(client.stream.is_bound());
    assert!(client.send("<presence/>").contains(&format!("from=\"{full}\"")));
    // The same installation comes back: same resource, its old session ends.
    for conflict in [Conflict::ReplaceOld, Conflict::RefuseNew, Conflict::Rename] {
        let service = service_with(Config { conflict, ..on() });
        let mut old = opened(&service);
        assert_eq!(identity(&old.send(with_plain(&format!("{AGENT}{BIND}")))), full);
        let mut new = opened(&service);
        assert_eq!(identity(&new.send(with_plain(&format!("{AGENT}{BIND}")))), full);
        assert!(old.take().contains("<conflict"));
        assert_eq!(service.sessions(), 1);
    }
    // Another tag, no tag, another user, nothing to know it by.
    let other = |user: &str, more: &str| {
        let answer = opened(&service).send(authenticate("PLAIN", &plain("", user, "secret"), more));
        identity(&answer).to_owned()
    };
    let untagged = other("1001", &format!("{AGENT}<bind xmlns='urn:xmpp:bind:0'/>"));
    assert_eq!(untagged.split('/').count(), 2);
    let resource = |full: &str| full.rsplit('/').next().unwrap().to_owned();
    assert_ne!(resource(&untagged), resource(&full));
    assert_ne!(resource(&other("1002", &format!("{AGENT}{BIND}"))), resource(&full));
    assert_ne!(other("1001", BIND), other("1001", BIND), "random");
}

#[test]
fn x80_a_failed_bind_leaves_the_login() {
    let service = service_with(Config { max_resources: 1, ..on() });
    let mut first = opened(&service);
    first.send(with_plain(BIND));
    let mut second = opened(&service);
    let answer = second.send(with_plain(BIND));
    assert_eq!(identity(&answer), format!("1001@{DOMAIN}"));
    assert!(answer.contains("<failed xmlns=\"urn:xmpp:bind:0\"><error type=\"wait\">"), "{answer}");
    assert!(answer.ends_with(&format!("<stream:features>{LEGACY_BIND}{LIMITS}</stream:features>")));
    drop(first);
    assert!(second.send(bind("desk")).contains("/desk</jid>"));
    let long = format!("<bind xmlns='urn:xmpp:bind:0'><tag>{}</tag></bind>", "x".repeat(2000));
    assert!(opened(&service).send(with_plain(&long)).contains("<bad-request"));
}

#[test]
fn x80_failures_of_sasl2_and_another_attempt() {
    for (element, condition) in [
        (authenticate("NONE", "AAAA", ""), "invalid-mechanism"),
        (format!("<authenticate {NS}/>"), "invalid-mechanism"),
        (authenticate("HT-SHA-256-NONE", "AAAA", "<fast xmlns='urn:xmpp:fast:0'/>"), "invalid-mechanism"),
        (authenticate("PLAIN", "*", ""), "incorrect-encoding"),
        (authenticate("PLAIN", "", ""), "malformed-request"),
        (authenticate("PLAIN", &plain("", "1001", "wrong"), BIND), "not-authorized"),
        (authenticate("PLAIN", &plain("1002", "1001", "secret"), BIND), "invalid-authzid"),
        (authenticate("PLAIN", &plain("", "unreachable", "secret"), BIND), "temporary-auth-failure"),
        (authenticate("PLAIN", &plain("", "disabled", "secret"), BIND), "account-disabled"),
        (format!("<response {NS}>AAAA</response>"), "malformed-request"),
        (format!("<abort {NS}/>"), "aborted"),
    ] {
        let service = service_with(on());
        let mut client = opened(&service);
        assert_eq!(client.send(&element), failure(condition), "{element}");
        assert_eq!(service.sessions(), 0, "nothing was bound");
        assert!(client.send(with_plain("")).starts_with("<success"));
        let mut client = opened(&service);
        client.send(&element);
        assert_eq!(client.send(auth(&plain("", "1001", "secret"))), SUCCESS, "or the older way");
    }
    let mut client = opened(&service_with(on()));
    for _ in 0..3 {
        client.send(authenticate("PLAIN", &plain("", "1001", "wrong"), ""));
    }
    assert_eq!(client.error(), Some("policy-violation"), "failures are counted");
}

#[test]
fn x80_nothing_may_come_between_the_steps() {
    let scram = Scram::new("n,,", &[], "1001", "secret");
    for between in [
        "<presence/>".to_owned(),
        with_plain(""),
        auth(&plain("", "1001", "secret")),
        "<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>".into(),
    ] {
        let mut client = opened(&service_with(on()));
        client.send(authenticate("SCRAM-SHA-256", &scram.first(), ""));
        client.send(&between);
        assert_eq!(client.error(), Some("policy-violation"), "{between}");
    }
    let mut client = opened(&service_with(on()));
    client.send(authenticate("SCRAM-SHA-256", &scram.first(), ""));
    assert_eq!(client.send(format!("<abort {NS}/>")), failure("aborted"));
    assert!(client.send(with_plain("")).starts_with("<success"));
    let mut client = opened(&service_with(on()));
    client.send(with_plain(""));
    client.send(with_plain(""));
    assert_eq!(client.error(), Some("unsupported-stanza-type"), "once is enough");
}

#[test]
fn x80_the_header_and_the_login_name_the_same_user() {
    let service = service_with(on());
    for (from, accepted) in [
        ("1001@fin-a.example.net", true),
        ("1001@FIN-A.example.net/desk", true),
        ("", true),
        ("1002@fin-a.example.net", false),
        ("1001@elsewhere.example", false),
    ] {
        let mut client = Client::tcp(&service);
        client.send(open_tcp(DOMAIN).replace("to=", &format!("from='{from}' to=")));
        let answer = client.send(with_plain(""));
        assert_eq!(answer.starts_with("<success"), accepted, "{from}: {answer}");
        assert!(accepted || answer == failure("invalid-authzid"));
    }
}

#[test]
fn x80_starttls_comes_first_where_it_is_required() {
    let channel = Channel { starttls: StartTls::Required, ..Channel::default() };
    let mut client = Client::new(&service_with(on()), Framing::Tcp, channel);
    assert!(!client.send(open_tcp(DOMAIN)).contains("urn:xmpp:sasl:2"));
    assert_eq!(client.send(with_plain("")), failure("encryption-required"));
}

#[test]
fn x80_sasl2_over_websocket() {
    let service = service_with(on());
    let mut client = Client::websocket(&service);
    let open = format!("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='{DOMAIN}' version='1.0'/>");
    assert!(client.message(&open).contains("<authentication xmlns=\"urn:xmpp:sasl:2\">"));
    client.stream.handle_message(client.now, &with_plain(&format!("{AGENT}{BIND}")));
    client.message("");
    let mut client = Client::websocket(&service);
    client.message(&open);
    let answer = client.message(&with_plain(BIND));
    let (success, features) = answer.split_at(answer.find("<stream:features").unwrap());
    assert!(success.ends_with("<bound xmlns=\"urn:xmpp:bind:0\"/></success>"));
    assert_eq!(
        features,
        format!(
            "<stream:features xmlns:stream=\"http://etherx.jabber.org/streams\">{LIMITS}</stream:features>"
        )
    );
    assert!(client.message("<presence xmlns='jabber:client'/>").contains("<presence"));
}

/// A client of BOSH: elements without a stream around them.
struct Bosh(Client);

impl Bosh {
    fn new(service: &Service, secure: bool) -> (Self, String) {
        let channel = Channel { secure, ..Channel::default() };
        let mut client = Client::new(service, Framing::Bosh, channel);
        let open = Open { to: Some(DOMAIN.into()), version: Some("1.0".into()), ..Open::default() };
        client.stream.handle_open(client.now, &open);
        let features = client.take();
        (Self(client), features)
    }

    fn element(&mut self, xml: &str) -> String {
        self.0.stream.handle_element(self.0.now, xml.parse::<Element>().unwrap());
        self.0.send("")
    }
}

#[test]
fn x80_sasl2_over_bosh() {
    let service = service_with(on());
    let (mut client, features) = Bosh::new(&service, false);
    assert!(features.contains("<authentication xmlns=\"urn:xmpp:sasl:2\">"));
    let answer = client.element(&with_plain(&format!("{AGENT}{BIND}")));
    assert!(
        answer.contains("<bound xmlns=\"urn:xmpp:bind:0\"/></success><stream:features><limits"),
        "{answer}"
    );
    assert!(client.0.stream.is_bound());
    assert!(client.element("<presence xmlns='jabber:client'/>").contains("<presence"));
    let (mut client, _) = Bosh::new(&service, false);
    assert!(client.element(&with_plain("")).contains(LEGACY_BIND));
    assert!(client.element(&bind("desk")).contains("/desk</jid>"), "no restart is needed");
}
