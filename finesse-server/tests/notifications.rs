//! What a client of the notification service sees, over a plain XMPP socket. Tests carry the numbers of the behaviour
//! that they pin down: login (7 to 13), presence (14 to 18), stanzas (19 to 27), subscriptions (38 to 45), keepalive
//! (51 to 53).

#[allow(dead_code, reason = "shared with other tests, each of which uses its part")]
#[path = "support/demo.rs"]
mod demo;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use base64::Engine as _;
use cti::sim::{self, Simulator};
use demo::Demo;
use finesse_server::config::Config;
use finesse_server::realm::{Account, Builder, Kind, Proof, Rules};
use finesse_server::server::{Listeners, Server, Setup};

const QUIET: [&str; 8] =
    ["--calls-per-minute", "0", "--starttls", "off", "--agents", "12", "--load-accounts", "1"];

/// A client that shows the bytes.
struct Client {
    socket: TcpStream,
    read: String,
}

impl Client {
    fn connect(address: impl std::net::ToSocketAddrs) -> Client {
        let socket = TcpStream::connect(address).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        Client { socket, read: String::new() }
    }

    fn send(&mut self, text: &str) {
        self.socket.write_all(text.as_bytes()).unwrap();
    }

    /// Everything up to and including `mark`.
    fn until(&mut self, mark: &str) -> String {
        let mut buffer = [0; 16 * 1024];
        loop {
            if let Some(at) = self.read.find(mark) {
                let rest = self.read.split_off(at + mark.len());
                return std::mem::replace(&mut self.read, rest);
            }
            match self.socket.read(&mut buffer) {
                Ok(n) if n > 0 => self.read.push_str(std::str::from_utf8(&buffer[..n]).unwrap()),
                end => panic!("no {mark:?} ({end:?}) in {:?}", self.read),
            }
        }
    }

    /// Sends an iq of the given id; the whole answer.
    fn ask(&mut self, id: &str, iq: &str) -> String {
        self.send(iq);
        let before = self.until(&format!("id=\"{id}\""));
        let head = &before[before.rfind("<iq").expect("an iq")..];
        let rest = self.until(">");
        let end = if rest.ends_with("/>") { String::new() } else { self.until("</iq>") };
        format!("{head}{rest}{end}")
    }

    fn open(&mut self) -> String {
        self.send(
            "<stream:stream to='localhost' version='1.0' xmlns='jabber:client' \
             xmlns:stream='http://etherx.jabber.org/streams'>",
        );
        self.until("</stream:features>")
    }

    fn authenticate(&mut self, user: &str, password: &str) {
        let plain = base64::engine::general_purpose::STANDARD.encode(format!("\0{user}\0{password}"));
        self.send(&format!(
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{plain}</auth>"
        ));
        self.until("<success xmlns=\"urn:ietf:params:xml:ns:xmpp-sasl\"/>");
        self.open();
    }

    fn bind(&mut self, resource: &str) -> String {
        self.ask(
            "b",
            &format!(
                "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>{resource}</bind></iq>"
            ),
        )
    }

    /// Signed in, bound to a resource, present.
    fn present(address: impl std::net::ToSocketAddrs, user: &str) -> Client {
        Client::present_as(address, user, "r")
    }

    fn present_as(address: impl std::net::ToSocketAddrs, user: &str, resource: &str) -> Client {
        let mut client = Client::connect(address);
        client.open();
        client.authenticate(user, "finesse");
        client.bind(&format!("<resource>{resource}</resource>"));
        client.send("<presence/>");
        client.until("from=\"finesse@localhost");
        client
    }

    fn pubsub(&mut self, id: &str, kind: &str, inner: &str) -> String {
        let iq = format!(
            "<iq type='{kind}' id='{id}' to='pubsub.localhost'>\
             <pubsub xmlns='http://jabber.org/protocol/pubsub'>{inner}</pubsub></iq>"
        );
        self.ask(id, &iq)
    }
}

fn at(demo: &Demo) -> &str {
    demo.value("xmpp")
}

fn put_user(demo: &Demo, user: &str, id: &str, body: &str) {
    let mut socket = demo.connect("http");
    let head = format!(
        "PUT /finesse/api/User/{user} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nrequestId: {id}\r\n\
         Content-Type: application/xml\r\nContent-Length: {}\r\n{}\r\n{body}",
        body.len(),
        demo::basic(user, "finesse")
    );
    socket.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
}

#[test]
fn n7_n8_plain_is_the_only_mechanism_and_needs_no_tls() {
    let demo = Demo::start(&QUIET);
    let mut client = Client::connect(at(&demo));
    let features = client.open();
    assert_eq!(features.matches("<mechanism>").count(), 1, "{features}");
    assert!(
        features.contains("<mechanism>PLAIN</mechanism>") && !features.contains("starttls"),
        "{features}"
    );
    client.authenticate("1002", "finesse");
}

#[test]
fn n10_n13_resources_are_taken_made_and_may_stand_side_by_side() {
    let demo = Demo::start(&QUIET);
    let mut clients: Vec<(Client, String)> = ["<resource>a</resource>", "<resource>b</resource>", ""]
        .into_iter()
        .map(|resource| {
            let mut client = Client::connect(at(&demo));
            client.open();
            client.authenticate("1002", "finesse");
            let bound = client.bind(resource);
            (client, bound)
        })
        .collect();
    assert!(clients[0].1.contains("<jid>1002@localhost/a</jid>"), "{}", clients[0].1);
    assert!(clients[1].1.contains("<jid>1002@localhost/b</jid>"), "{}", clients[1].1);
    assert!(clients[2].1.contains("<jid>1002@localhost/"), "{}", clients[2].1);
    for (client, _) in &mut clients {
        let session = "<iq type='set' id='s'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>";
        assert!(client.ask("s", session).contains("type=\"result\""));
    }
}

#[test]
fn n11_n41_the_own_feeds_are_listed_under_the_configured_id() {
    let demo = Demo::start(&QUIET);
    let mut shouting = Client::present(at(&demo), "ADMIN");
    let list = shouting.pubsub("l", "get", "<subscriptions/>");
    assert!(list.contains("jid=\"admin@localhost\""), "{list}");
    let mut client = Client::present(at(&demo), "1002");
    let list = client.pubsub("l", "get", "<subscriptions/>");
    for node in ["User/1002", "User/1002/Dialogs", "SystemInfo"] {
        assert!(list.contains(&format!("node=\"/finesse/api/{node}\"")), "{node}: {list}");
    }
    let inside = list.split("<subscriptions").nth(1).unwrap().split_once('>').unwrap().1;
    assert!(
        inside.starts_with("<subscription ") && !inside.contains("> ") && !inside.contains(">\n"),
        "{list}"
    );
}

#[test]
fn n16_n17_presence_decides_who_is_told() {
    let demo = Demo::start(&QUIET);
    let sessions =
        [("<presence/>", true), ("<presence><priority>-1</priority></presence>", false), ("", false)];
    let mut clients: Vec<Client> = Vec::new();
    for (n, (presence, _)) in sessions.iter().enumerate() {
        let mut client = Client::connect(at(&demo));
        client.open();
        client.authenticate("1003", "finesse");
        client.bind(&format!("<resource>r{n}</resource>"));
        client.send(presence);
        client.ask("p", "<iq type='get' id='p' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>");
        clients.push(client);
    }
    let mut second = Client::connect(at(&demo));
    second.open();
    second.authenticate("1003", "finesse");
    second.bind("<resource>second</resource>");
    second.send("<presence><priority>5</priority></presence>");
    second.until("from=\"finesse@localhost");
    put_user(&demo, "1003", "q", "<User><state>LOGIN</state><extension>2003</extension></User>");
    clients[0].until("&lt;state&gt;NOT_READY&lt;");
    second.until("&lt;state&gt;NOT_READY&lt;");
    for client in &mut clients[1..] {
        client.send("<iq type='get' id='end' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>");
        let all = client.until("id=\"end\"");
        assert!(!all.contains("pubsub#event"), "{all}");
    }
}

#[test]
fn n18_n51_rosters_and_pings_are_answered_by_whom_they_were_put_to() {
    let demo = Demo::start(&QUIET);
    let mut client = Client::present(at(&demo), "1002");
    let roster = client.ask("o", "<iq type='get' id='o'><query xmlns='jabber:iq:roster'/></iq>");
    assert!(roster.contains("type=\"result\"") && roster.contains("jabber:iq:roster"), "{roster}");
    for to in ["localhost", "pubsub.localhost", "1002@localhost", "1002@localhost/r"] {
        let ping = format!("<iq type='get' id='p' to='{to}'><ping xmlns='urn:xmpp:ping'/></iq>");
        let answer = client.ask("p", &ping);
        let expected = format!("from=\"{to}\"");
        assert!(answer.contains("type=\"result\"") && answer.contains(&expected), "{answer}");
    }
}

#[test]
fn n19_n20_n21_n22_n23_n24_n25_n26_n40_an_event_to_the_letter_and_a_copy_for_each_subscription() {
    let demo = Demo::start(&QUIET);
    let mut client = Client::present(at(&demo), "1002");
    let own = "<subscribe node='/finesse/api/User/1002' jid='1002@localhost/r'/>";
    for _ in 0..2 {
        // Requirement 39: saying it twice changes nothing.
        assert!(client.pubsub("s", "set", own).contains("subscription=\"subscribed\""));
    }
    put_user(&demo, "1002", "q<&>7", "<User><state>LOGIN</state><extension>2002</extension></User>");
    let mut to = Vec::new();
    let mut ids = Vec::new();
    for _ in 0..2 {
        let message = client.until("</message>");
        let message = &message[message.find("<message").unwrap()..];
        let attribute = |name: &str| {
            let head = &message[..message.find('>').unwrap()];
            head.split(&format!(" {name}=\"")).nth(1).unwrap().split('"').next().unwrap().to_owned()
        };
        assert_eq!(attribute("from"), "pubsub.localhost");
        to.push(attribute("to"));
        ids.push(attribute("id"));
        let body = message.split_once('>').unwrap().1;
        assert!(
            body.starts_with(
                "<event xmlns=\"http://jabber.org/protocol/pubsub#event\">\
                 <items node=\"/finesse/api/User/1002\"><item id=\""
            ),
            "{body}"
        );
        let notification = "<notification xmlns=\"http://jabber.org/protocol/pubsub\">&lt;Update&gt;&lt;data&gt;\
                            &lt;user&gt;";
        assert_eq!(body.matches(notification).count(), 1, "{body}");
        let tail = "&lt;/user&gt;&lt;/data&gt;&lt;event&gt;PUT&lt;/event&gt;\
                    &lt;requestId&gt;q&amp;lt;&amp;amp;&amp;gt;7&lt;/requestId&gt;\
                    &lt;source&gt;/finesse/api/User/1002&lt;/source&gt;&lt;/Update&gt;\
                    </notification></item></items></event></message>";
        assert!(body.ends_with(tail), "{body}");
    }
    to.sort();
    assert_eq!(to, ["1002@localhost", "1002@localhost/r"]);
    assert!(!ids[0].is_empty() && ids[0] != ids[1], "{ids:?}");
    put_user(&demo, "1002", "next", "<User><state>READY</state></User>");
    assert!(!client.until("next").contains("q&amp;"), "a third copy");
}

#[test]
fn n38_n43_n44_what_is_refused_and_how() {
    let demo = Demo::start(&QUIET);
    let mut client = Client::present(at(&demo), "1002");
    let item = "<item><notification xmlns='http://jabber.org/protocol/pubsub'>x</notification></item>";
    for (kind, inner, expected) in [
        ("set", "<subscribe node='/finesse/api/User/1002' jid='1003@localhost'/>".to_owned(), "<invalid-jid"),
        (
            "set",
            "<subscribe node='/finesse/api/User/nobody' jid='1002@localhost'/>".into(),
            "<item-not-found",
        ),
        ("set", "<subscribe node='/finesse/api/User/1003' jid='1002@localhost'/>".into(), "<forbidden"),
        ("set", format!("<publish node='/finesse/api/User/1002'>{item}</publish>"), "<forbidden"),
    ] {
        let answer = client.pubsub("x", kind, &inner);
        assert!(answer.contains("type=\"error\"") && answer.contains(expected), "{inner}: {answer}");
    }
    // The bare address is one's own too.
    let own = "<subscribe node='/finesse/api/SystemInfo' jid='1002@localhost'/>";
    assert!(client.pubsub("y", "set", own).contains("subscription=\"subscribed\""));
}

#[test]
fn n42_an_explicit_subscription_outlives_the_connection() {
    let demo = Demo::start(&QUIET);
    let mut client = Client::present(at(&demo), "1001");
    let team = "<subscribe node='/finesse/api/Team/1/Users' jid='1001@localhost/r'/>";
    assert!(client.pubsub("s", "set", team).contains("subscription=\"subscribed\""));
    client.send("</stream:stream>");
    client.until("</stream:stream>");
    put_user(&demo, "1004", "while-away", "<User><state>LOGIN</state><extension>2004</extension></User>");
    let mut client = Client::present(at(&demo), "1001");
    put_user(&demo, "1004", "back", "<User><state>READY</state></User>");
    let seen = client.until("&lt;state&gt;READY&lt;");
    assert!(seen.contains("Team/1/Users") && !seen.contains("NOT_READY"), "{seen}");
}

#[test]
fn n45_a_node_says_that_it_is_a_leaf() {
    let demo = Demo::start(&QUIET);
    let mut client = Client::present(at(&demo), "1002");
    let info = client.ask(
        "d",
        "<iq type='get' id='d' to='pubsub.localhost'>\
         <query xmlns='http://jabber.org/protocol/disco#info' node='/finesse/api/User/1002'/></iq>",
    );
    let first = info.split("<identity").nth(1).unwrap();
    assert!(first.contains("category=\"pubsub\"") && first.contains("type=\"leaf\""), "{info}");
}

#[test]
fn n52_n53_white_space_and_bursts_do_no_harm() {
    let demo = Demo::start(&QUIET);
    let mut client = Client::present(at(&demo), "1002");
    for _ in 0..50 {
        client.send(" \r\n");
    }
    let burst: String = (0..250)
        .map(|n| {
            format!(
                "<iq type='set' id='n{n}' to='pubsub.localhost'><pubsub \
                 xmlns='http://jabber.org/protocol/pubsub'><subscribe node='/finesse/api/SystemInfo' \
                 jid='1002@localhost/r'/></pubsub></iq>"
            )
        })
        .collect();
    client.send(&burst);
    for n in 0..250 {
        client.until(&format!("id=\"n{n}\""));
    }
    client.ask("p", "<iq type='get' id='p' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>");
}

/// The application is this server, not the CTI server behind it.
#[tokio::test(flavor = "multi_thread")]
async fn n14_n15_the_application_is_present_until_the_server_stops() {
    let mut sides = sim::Config::demo(2, "secret");
    sides.behaviour.response_delay = Duration::ZERO;
    let simulator = Simulator::start(sides).await.unwrap();
    let [side_a, _] = simulator.addrs();
    let text = format!(
        "[listen]\nhttp = []\nhttps = []\nbosh_tls = []\nxmpp_tls = []\nxmpp = [\"127.0.0.1:0\"]\n\
         [xmpp]\nstarttls = \"off\"\n[cti]\nside_a = \"{side_a}\"\nclient_password = \"secret\"\n"
    );
    let config = Config::parse("test.toml", &text).unwrap();
    let mut realm = Builder::new(Rules::default()).unwrap();
    let proof = Proof::Keyed(realm.digest("1002", "finesse"));
    realm.add(Account { id: "1002".into(), login_name: None, kind: Kind::Reader, proof, scram: Vec::new() });
    let server = Server::start(Setup {
        directory: config.directory().unwrap().into(),
        realm: realm.build().into(),
        listeners: Listeners::bind(&config).unwrap(),
        tls: finesse_server::http::tls::load(&config).unwrap(),
        config,
    });
    let address = server.addresses().xmpp.unwrap();
    let sign_in =
        |resource| tokio::task::spawn_blocking(move || Client::present_as(address, "1002", resource));
    let mut early = sign_in("early").await.unwrap();
    assert!(server.in_service(Duration::from_secs(10)).await);
    drop(simulator);
    // Whoever signs in while the CTI server is away needs the presence all the same.
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    while server.in_service(Duration::ZERO).await {
        assert!(std::time::Instant::now() < deadline, "the loss was noticed");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    drop(sign_in("late").await.unwrap());
    let reader = tokio::task::spawn_blocking(move || early.until("</stream:stream>"));
    server.stop().await;
    let rest = reader.await.unwrap();
    let gone: Vec<&str> = rest
        .split("<presence ")
        .filter(|stanza| {
            stanza.contains("from=\"finesse@localhost") && stanza.contains("type=\"unavailable\"")
        })
        .collect();
    assert_eq!(gone.len(), 1, "{rest}");
}
