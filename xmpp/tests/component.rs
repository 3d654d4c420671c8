//! External components (XEP-0114): handshake, addresses, rights, and what passes between them and clients.

mod support;

use support::*;
use xmpp::component::{Component, handshake};
use xmpp::{Access, AccessPolicy, Channel, Config, Framing, Password, Principal, Refusal, Right, Service};

const NAME: &str = "events.example.net";
const STREAMS: &str = "http://etherx.jabber.org/streams";

fn with_component() -> Config {
    let component = |domain: &str| Component { domain: domain.into(), secret: Password::new("hush".into()) };
    Config { components: vec![component(NAME), component("other.example.net")], ..config() }
}

fn component_service() -> Service {
    service_with(with_component())
}

fn open(to: &str) -> String {
    format!("<stream:stream to='{to}' xmlns='jabber:component:accept' xmlns:stream='{STREAMS}'>")
}

/// Value of `id` of the header.
fn id(header: &str) -> &str {
    header.split_once(" id=\"").expect("an id").1.split('"').next().expect("quoted")
}

fn component(service: &Service) -> Client {
    Client::new(service, Framing::Component, Channel::default())
}

fn connected_as(service: &Service, name: &str) -> Client {
    let mut peer = component(service);
    let header = peer.send(open(name));
    let answer = peer.send(format!("<handshake>{}</handshake>", handshake(id(&header), "hush")));
    assert_eq!(answer, "<handshake/>");
    peer
}

fn connected(service: &Service) -> Client {
    connected_as(service, NAME)
}

/// A bound, available client that has read what it is greeted with.
fn user(service: &Service, name: &str) -> Client {
    let mut client = Client::bound(service, name, "desk");
    client.send("<presence/>");
    client
}

fn pubsub(from: &str, kind: &str, inner: &str) -> String {
    format!(
        "<iq type='{kind}' id='q' from='{from}' to='pubsub.{DOMAIN}'>\
         <pubsub xmlns='http://jabber.org/protocol/pubsub'>{inner}</pubsub></iq>"
    )
}

fn publish(node: &str, id: &str) -> String {
    pubsub(
        NAME,
        "set",
        &format!("<publish node='{node}'><item id='{id}'><x xmlns='urn:x'>{id}</x></item></publish>"),
    )
}

#[test]
fn x79_the_header_is_answered_with_the_name_and_an_id_and_the_handshake_with_itself() {
    let service = component_service();
    let mut peer = component(&service);
    let header = peer.send(open(NAME));
    assert!(header.contains(&format!(
        " from=\"{NAME}\" id=\"{}\" version=\"1.0\" xml:lang=\"en\" xmlns=\"jabber:component:accept\" \
         xmlns:stream=\"{STREAMS}\">",
        id(&header)
    )));
    assert!(header.ends_with('>') && !header.contains("features"), "{header}");
    assert_eq!(id(&header).len(), 32);
    let other = component(&service).send(open(NAME));
    assert_ne!(id(&header), id(&other), "every stream has an id of its own");
}

#[test]
fn x79_headers_that_fit_no_component_are_refused_behind_our_own() {
    for (header, error) in [
        (open("nobody.example.net"), "host-unknown"),
        (open(DOMAIN), "host-unknown"),
        (
            format!("<stream:stream xmlns='jabber:component:accept' xmlns:stream='{STREAMS}'>"),
            "improper-addressing",
        ),
        (open(NAME).replace("component:accept", "client"), "invalid-namespace"),
        (open(NAME).replace("component:accept", "component:connect"), "invalid-namespace"),
    ] {
        let mut peer = component(&component_service());
        let answer = peer.send(&header);
        assert_eq!(peer.error(), Some(error), "{header}");
        assert!(
            answer.contains("<stream:stream from=") && answer.ends_with("</stream:error></stream:stream>")
        );
    }
    // Without components in the configuration nobody gets in.
    let mut peer = component(&service());
    peer.send(open(NAME));
    assert_eq!(peer.error(), Some("host-unknown"));
}

#[test]
fn x79_a_wrong_handshake_is_not_authorized() {
    let service = component_service();
    let mut peer = component(&service);
    let header = peer.send(open(NAME));
    let good = handshake(id(&header), "hush");
    drop(peer);
    for wrong in [good.clone(), handshake("x", "hush"), String::new(), good.to_uppercase()] {
        let mut peer = component(&service);
        peer.send(open(NAME));
        let answer = peer.send(format!("<handshake>{wrong}</handshake>"));
        assert_eq!(peer.error(), Some("not-authorized"), "{wrong}");
        assert!(answer.ends_with(
            "<stream:error><not-authorized xmlns=\"urn:ietf:params:xml:ns:xmpp-streams\"/></stream:error>\
             </stream:stream>"
        ));
    }
    assert_eq!(service.stats().refusals.get(Refusal::Login), 4);
}

#[test]
fn x79_nothing_but_the_handshake_comes_before_stanzas() {
    for (element, error) in [
        (publish("/n", "1"), "not-authorized"),
        ("<presence from='a' to='b'/>".into(), "not-authorized"),
        (
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'/>".into(),
            "unsupported-stanza-type",
        ),
        ("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>".into(), "unsupported-stanza-type"),
    ] {
        let mut peer = component(&component_service());
        peer.send(open(NAME));
        peer.send(&element);
        assert_eq!(peer.error(), Some(error), "{element}");
    }
    let mut late = component(&component_service());
    late.send(open(NAME));
    late.pass(config().timeouts.authenticate);
    assert_eq!(late.error(), Some("connection-timeout"));
}

#[test]
fn x79_a_second_connection_of_the_same_name_is_a_conflict() {
    let service = component_service();
    let first = connected(&service);
    let mut second = component(&service);
    let header = second.send(open(NAME));
    second.send(format!("<handshake>{}</handshake>", handshake(id(&header), "hush")));
    assert_eq!(second.error(), Some("conflict"));
    assert!(!first.stream.is_closed(), "the first one stays");
    let other = connected_as(&service, "other.example.net");
    assert!(other.stream.is_bound(), "another name is no conflict");
    drop(first);
    assert!(connected(&service).stream.is_bound(), "the name is free again");
}

#[test]
fn x79_from_has_to_be_in_the_domain_and_both_addresses_there() {
    for (stanza, error) in [
        (format!("<message from='a@{DOMAIN}' to='b@{DOMAIN}/x'/>"), "invalid-from"),
        (format!("<message from='{NAME}.evil.example' to='b@{DOMAIN}/x'/>"), "invalid-from"),
        (format!("<message from='other.example.net' to='b@{DOMAIN}/x'/>"), "invalid-from"),
        (format!("<message from='@' to='b@{DOMAIN}/x'/>"), "invalid-from"),
        (format!("<message to='b@{DOMAIN}/x'/>"), "improper-addressing"),
        (format!("<message from='{NAME}'/>"), "improper-addressing"),
        (
            format!("<iq type='get' id='1' from='{NAME}' to=''><ping xmlns='urn:xmpp:ping'/></iq>"),
            "improper-addressing",
        ),
    ] {
        let service = component_service();
        let mut peer = connected(&service);
        let victim = user(&service, "b");
        peer.send(&stanza);
        assert_eq!(peer.error(), Some(error), "{stanza}");
        assert!(victim.stream.outbox().is_empty());
    }
}

#[test]
fn x79_answers_go_to_the_address_that_asked_and_inherit_the_namespace() {
    let mut peer = connected(&component_service());
    let answer = peer.send(format!(
        "<iq type='get' id='p' from='Bot@{NAME}/Run&amp;1' to='{DOMAIN}'><ping xmlns='urn:xmpp:ping'/></iq>"
    ));
    assert_eq!(
        answer,
        format!("<iq type=\"result\" id=\"p\" from=\"{DOMAIN}\" to=\"bot@{NAME}/Run&amp;1\"/>")
    );
    let error = peer.send(format!("<iq type='get' id='p' from='{NAME}' to='@'><x xmlns='urn:x'/></iq>"));
    assert!(error.contains("jid-malformed") && error.contains(&format!(" to=\"{NAME}\"")), "{error}");
}

#[test]
fn x79_a_component_publishes_to_clients_without_a_rate() {
    let service = component_service();
    let mut peer = connected(&service);
    assert!(peer.send(pubsub(NAME, "set", "<create node='/news'/>")).contains("type=\"result\""));
    let mut reader = user(&service, "1001");
    let jid = format!("1001@{DOMAIN}");
    let inner = format!("<subscribe node='/news' jid='{jid}'/>");
    let iq = pubsub("", "set", &inner).replace(" from=''", "");
    assert!(reader.send(iq).contains("subscription=\"subscribed\""));
    let many = usize::try_from(config().limits.stanza_burst).unwrap() * 2;
    for n in 0..many {
        assert!(peer.send(publish("/news", &n.to_string())).contains("type=\"result\""), "{n}");
        assert!(peer.stream.wants_input(), "not slowed down");
        let event = reader.send("");
        assert!(event.contains(&format!("<item id=\"{n}\"><x xmlns=\"urn:x\">{n}</x></item>")), "{event}");
        assert!(event.starts_with("<message xmlns=\"jabber:client\""), "clients see their namespace");
    }
}

#[test]
fn x79_a_component_owns_what_it_creates_and_may_subscribe() {
    let service = component_service();
    let mut peer = connected(&service);
    peer.send(pubsub(&format!("maker@{NAME}"), "set", "<create node='/own'/>"));
    let delete = |from: &str| {
        format!(
            "<iq type='set' id='d' from='{from}' to='pubsub.{DOMAIN}'>\
             <pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><delete node='/own'/></pubsub></iq>"
        )
    };
    let answer = peer.send(pubsub(NAME, "set", &format!("<subscribe node='/own' jid='{NAME}'/>")));
    assert!(answer.contains("subscription=\"subscribed\""), "{answer}");
    let said = peer.send(publish("/own", "7"));
    assert!(said.contains(&format!("<message from=\"pubsub.{DOMAIN}\" to=\"{NAME}\"")), "{said}");
    assert!(said.contains("<item id=\"7\">"), "{said}");
    let foreign = peer.send(pubsub(NAME, "set", &format!("<subscribe node='/own' jid='a@{DOMAIN}'/>")));
    assert!(foreign.contains("invalid-jid"), "{foreign}");
    let said = peer.send(delete(&format!("other@{NAME}")));
    assert!(said.contains("<iq type=\"result\" id=\"d\""), "all its addresses are one owner: {said}");
}

/// Everything is allowed to clients, nothing but publishing to `/in` to components.
struct Narrow;

impl AccessPolicy for Narrow {
    fn create(&self, _: &Principal, _: &str) -> Access {
        Access::Allow
    }
    fn component(&self, domain: &str, right: Right, node: &str) -> Access {
        assert_eq!(domain, NAME);
        match (right, node) {
            (Right::Publish, "/in") => Access::Allow,
            _ => Access::Forbidden,
        }
    }
}

#[test]
fn x79_the_access_policy_decides_what_a_component_may() {
    let broker = broker::Broker::new(broker::Config::default());
    let service =
        Service::new(with_component(), broker, std::sync::Arc::new(Realm), std::sync::Arc::new(Narrow));
    let mut owner = user(&service, "1001");
    for node in ["/in", "/out"] {
        owner.send(pubsub("", "set", &format!("<create node='{node}'/>")).replace(" from=''", ""));
    }
    let mut peer = connected(&service);
    assert!(peer.send(publish("/in", "1")).contains("type=\"result\""));
    for refused in [
        publish("/out", "1"),
        pubsub(NAME, "set", "<create node='/more'/>"),
        pubsub(NAME, "set", &format!("<subscribe node='/in' jid='{NAME}'/>")),
        pubsub(NAME, "get", "<items node='/in'/>"),
    ] {
        assert!(peer.send(&refused).contains("<forbidden "), "{refused}");
    }
}

#[test]
fn x79_stanzas_pass_between_clients_and_the_component() {
    let service = component_service();
    let mut peer = connected(&service);
    let mut client = user(&service, "1001");
    let full = format!("1001@{DOMAIN}/desk");

    client.send(format!(
        "<iq type='get' id='v' from='forged@x' to='bot@{NAME}'><query xmlns='jabber:iq:version'/></iq>"
    ));
    assert_eq!(
        peer.send(""),
        format!(
            "<iq from=\"{full}\" to=\"bot@{NAME}\" type=\"get\" id=\"v\"><query xmlns=\"jabber:iq:version\"/></iq>"
        )
    );
    peer.send(format!(
        "<iq type='result' id='v' from='bot@{NAME}' to='{full}'><query xmlns='jabber:iq:version'/></iq>"
    ));
    assert_eq!(
        client.send(""),
        format!(
            "<iq xmlns=\"jabber:client\" from=\"bot@{NAME}\" to=\"{full}\" type=\"result\" id=\"v\">\
             <query xmlns=\"jabber:iq:version\"/></iq>"
        )
    );
    peer.send(format!("<message from='{NAME}' to='{full}' type='chat'><body>a &lt; b</body></message>"));
    assert_eq!(
        client.send(""),
        format!(
            "<message xmlns=\"jabber:client\" from=\"{NAME}\" to=\"{full}\" type=\"chat\">\
             <body>a &lt; b</body></message>"
        )
    );
    client.send(format!("<presence to='{NAME}'><show>away</show></presence>"));
    assert_eq!(
        peer.send(""),
        format!("<presence from=\"{full}\" to=\"{NAME}\"><show>away</show></presence>")
    );
    peer.send(format!("<iq type='get' id='w' from='{NAME}' to='{full}'><ping xmlns='urn:xmpp:ping'/></iq>"));
    assert!(client.send("").contains("<ping "));
}

#[test]
fn x79_x23_an_absent_component_is_service_unavailable() {
    let service = component_service();
    let mut client = user(&service, "1001");
    let get = format!("<iq type='get' id='v' to='{NAME}'><query xmlns='jabber:iq:version'/></iq>");
    assert!(client.send(&get).contains("<service-unavailable "));
    assert!(
        client
            .send(format!("<message to='bot@{NAME}'><body>x</body></message>"))
            .contains("<service-unavailable ")
    );
    for silent in [
        format!("<iq type='result' id='v' to='{NAME}'/>"),
        format!("<message type='error' to='{NAME}'/>"),
        format!("<presence to='{NAME}'/>"),
    ] {
        assert_eq!(client.send(&silent), "", "{silent}");
    }
    assert!(client.send(get.replace(NAME, "elsewhere.example")).contains("<remote-server-not-found "));
    // And the other way round.
    let mut peer = connected(&service);
    let answer = peer.send(format!(
        "<iq type='get' id='x' from='{NAME}' to='a@{DOMAIN}/gone'><ping xmlns='urn:xmpp:ping'/></iq>"
    ));
    assert!(answer.contains("<service-unavailable "), "{answer}");
    drop(peer);
    assert!(client.send(&get).contains("<service-unavailable "));
}

#[test]
fn x79_clients_cannot_end_the_component_by_writing_to_it() {
    let service = component_service();
    let mut peer = connected(&service);
    let mut clients: Vec<Client> = (0..10).map(|n| user(&service, &format!("pub{n}"))).collect();
    let mut refused = 0;
    for _ in 0..100 {
        for client in &mut clients {
            let answer = client.send(format!("<iq type='get' id='v' to='{NAME}'><x xmlns='urn:x'/></iq>"));
            refused += usize::from(answer.contains("<resource-constraint "));
        }
    }
    assert_eq!(refused, 1000 - config().limits.outbox_items / 2);
    assert_eq!(peer.send("").matches("<iq ").count(), config().limits.outbox_items / 2);
    assert!(!peer.stream.is_closed());
}

#[test]
fn x79_a_stop_ends_components_too() {
    let service = component_service();
    let mut peer = connected(&service);
    service.shutdown();
    assert!(peer.send("").contains("<system-shutdown "));
    let mut late = component(&service);
    let header = late.send(open(NAME));
    late.send(format!("<handshake>{}</handshake>", handshake(id(&header), "hush")));
    assert_eq!(late.error(), Some("system-shutdown"));
}

#[cfg(feature = "component")]
#[tokio::test]
async fn x79_the_listener_serves_a_component_over_a_socket_until_it_is_stopped() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use xmpp::tcp::{Admission, AdmissionLimits};

    async fn until(socket: &mut tokio::net::TcpStream, end: &str) -> String {
        let mut seen = Vec::new();
        while !String::from_utf8_lossy(&seen).contains(end) {
            assert_ne!(socket.read_buf(&mut seen).await.unwrap(), 0, "ended: {seen:?}");
        }
        String::from_utf8(seen).unwrap()
    }

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let admission = Admission::new(AdmissionLimits::default());
    let server = tokio::spawn(xmpp::component::serve(listener, component_service(), admission, async {
        let _ = stopped.await;
    }));
    let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
    socket.write_all(open(NAME).as_bytes()).await.unwrap();
    let header = until(&mut socket, "component:accept\" ").await;
    let proof = format!("<handshake>{}</handshake>", handshake(id(&header), "hush"));
    socket.write_all(proof.as_bytes()).await.unwrap();
    until(&mut socket, "<handshake/>").await;
    socket.write_all(pubsub(NAME, "set", "<create node='/n'/>").as_bytes()).await.unwrap();
    until(&mut socket, "type=\"result\"").await;
    stop.send(()).unwrap();
    let end = until(&mut socket, "</stream:stream>").await;
    assert!(end.contains("<system-shutdown "), "{end}");
    drop(socket);
    server.await.unwrap();
}
