//! The realm of Unified CCX in front of servers that answer as Unified CM does over AXL, and as it does not.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use finesse_server::config::Config;
use finesse_server::realm::{Case, Realm, Refused};
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// How a node behaves.
#[derive(Clone, Debug)]
enum Manner {
    /// Knows one password for everybody.
    Knows(&'static str),
    /// Answers with this status and body.
    Says(u16, String),
    /// Sends half an answer and closes.
    Half,
    /// Takes the request and says nothing.
    Silent,
    /// Closes as soon as the request is there.
    Hangs,
    /// Knows this schema version and none above.
    Version(&'static str),
}

/// A node of Unified CM, on a socket with TLS.
struct Node {
    address: SocketAddr,
    /// SHA-256 of its certificate.
    pin: String,
    manner: Arc<Mutex<Manner>>,
    /// Requests, each whole.
    requests: Arc<Mutex<Vec<String>>>,
    connections: Arc<AtomicUsize>,
    authority: tempfile::NamedTempFile,
}

impl Node {
    async fn start(manner: Manner) -> Node {
        let made =
            rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
        let authority = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(authority.path(), made.cert.pem()).unwrap();
        let pin = Sha256::digest(made.cert.der()).iter().map(|byte| format!("{byte:02x}")).collect();
        let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let node = Node {
            address: listener.local_addr().unwrap(),
            pin,
            manner: Arc::new(Mutex::new(manner)),
            requests: Arc::default(),
            connections: Arc::default(),
            authority,
        };
        let (manner, requests, connections) =
            (node.manner.clone(), node.requests.clone(), node.connections.clone());
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::Relaxed);
                let (acceptor, manner, requests) = (acceptor.clone(), manner.clone(), requests.clone());
                tokio::spawn(async move {
                    let Ok(mut stream) = acceptor.accept(socket).await else { return };
                    let Some(request) = read(&mut stream).await else { return };
                    requests.lock().unwrap().push(request.clone());
                    let manner = manner.lock().unwrap().clone();
                    let answer = match manner {
                        Manner::Knows(password) => http(200, &answer(text(&request, "password") == password)),
                        Manner::Says(status, body) => http(status, &body),
                        Manner::Half => {
                            let whole = http(200, &answer(true));
                            whole[..whole.len() - 40].to_owned()
                        }
                        Manner::Silent => std::future::pending().await,
                        Manner::Hangs => return,
                        Manner::Version(version) => match request.contains(&format!("API/{version}\"")) {
                            true => http(200, &answer(true)),
                            false => http(599, ""),
                        },
                    };
                    let _ = stream.write_all(answer.as_bytes()).await;
                    let _ = stream.shutdown().await;
                });
            }
        });
        node
    }

    fn count(&self) -> usize {
        self.requests.lock().unwrap().len()
    }

    fn behave(&self, manner: Manner) {
        *self.manner.lock().unwrap() = manner;
    }
}

async fn read(stream: &mut (impl AsyncReadExt + Unpin)) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        let said = String::from_utf8_lossy(&bytes).into_owned();
        if said.contains("</soapenv:Envelope>") {
            return Some(said);
        }
    }
}

/// Text of an element, unescaped.
fn text(request: &str, element: &str) -> String {
    let (open, close) = (format!("<{element}>"), format!("</{element}>"));
    let raw = request.split_once(&open).and_then(|(_, rest)| rest.split_once(&close));
    let (raw, _) = raw.unwrap_or_else(|| panic!("no {element} in {request}"));
    assert!(!raw.contains(['<', '>']), "not escaped: {raw}");
    quick_xml::escape::unescape(raw).unwrap().into_owned()
}

fn http(status: u16, body: &str) -> String {
    format!("HTTP/1.1 {status} X\r\nContent-Type: text/xml\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

fn answer(right: bool) -> String {
    format!(
        "<?xml version='1.0' encoding='UTF-8'?>\
         <soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\"><soapenv:Body>\
         <ns:doAuthenticateUserResponse xmlns:ns=\"http://www.cisco.com/AXL/API/14.0\"><return>\
         <userAuthenticated>{right}</userAuthenticated><code>{}</code></return></ns:doAuthenticateUserResponse>\
         </soapenv:Body></soapenv:Envelope>",
        u8::from(!right)
    )
}

fn fault(text: &str) -> String {
    format!(
        "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\"><soapenv:Body><soapenv:Fault>\
         <faultcode>soapenv:Server</faultcode><faultstring>{text}</faultstring></soapenv:Fault></soapenv:Body>\
         </soapenv:Envelope>"
    )
}

/// A realm with the agents m.koval and 1002 in front of these nodes; `more` goes into `[realm.ccx]`.
fn realm(nodes: &[&Node], more: &str) -> Arc<Realm> {
    let urls: Vec<String> = nodes.iter().map(|node| format!("\"https://{}/axl/\"", node.address)).collect();
    let pins: Vec<String> = nodes.iter().map(|node| format!("\"{}\"", node.pin)).collect();
    let pins =
        if more.contains("authorities") { String::new() } else { format!("pins = [{}]\n", pins.join(", ")) };
    let text = format!(
        "[server]\ndeployment = \"ccx\"\n[realm]\nkind = \"ccx\"\n[realm.ccx]\nnodes = [{}]\n{pins}user = \"axl\"\n\
         password = \"axl secret\"\n{more}\n[[user]]\nid = \"m.koval\"\n[[user]]\nid = \"1002\"\nlogin_name = \"ben\"\n",
        urls.join(", ")
    );
    Arc::new(finesse_server::server::realm(&Config::parse("f", &text).unwrap()).unwrap())
}

async fn sign_in(realm: &Realm, name: &str, password: &str) -> Result<String, Refused> {
    let outcome = realm.verify(name, Case::Exact, password, None, Instant::now()).await;
    outcome.map(|identity| identity.id.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_asked_about_once_and_then_remembered() {
    let node = Node::start(Manner::Knows("right")).await;
    let realm = realm(&[&node], "");
    assert_eq!(sign_in(&realm, "m.koval", "right").await.as_deref(), Ok("m.koval"));
    for _ in 0..100 {
        sign_in(&realm, "m.koval", "right").await.unwrap();
    }
    assert_eq!(node.count(), 1);
    let request = node.requests.lock().unwrap()[0].clone();
    assert!(request.starts_with("POST /axl/ HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("authorization: Basic YXhsOmF4bCBzZWNyZXQ=\r\n"), "{request}");
    assert!(request.contains("soapaction: \"CUCM:DB ver=14.0 doAuthenticateUser\"\r\n"), "{request}");
    assert_eq!(sign_in(&realm, "BEN", "right").await.as_deref(), Ok("1002"));
    assert_eq!(text(&node.requests.lock().unwrap()[1], "userid"), "1002", "the id, whatever name was given");
}

/// Requirement 15: whatever is in a password arrives as it is.
#[tokio::test(flavor = "multi_thread")]
async fn odd_passwords_arrive_unchanged() {
    let node = Node::start(Manner::Knows("")).await;
    let realm = realm(&[&node], "per_second = 1000");
    let hundred = "x".repeat(100);
    for password in
        ["& < > \" '", "😀🎧", "a:b@c+d", "back\\slash", " space ", "Grüße §", "]]>", "&amp;", &hundred]
    {
        let known: &'static str = Box::leak(password.to_owned().into_boxed_str());
        node.behave(Manner::Knows(known));
        sign_in(&realm, "m.koval", password).await.unwrap_or_else(|error| panic!("{password}: {error:?}"));
    }
}

/// Requirements 21 and 22: a refused password is sent once, and a locked user's not at all.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_password_is_sent_once_and_counts() {
    let (one, two) = (Node::start(Manner::Knows("right")).await, Node::start(Manner::Knows("right")).await);
    let realm = realm(&[&one, &two], "");
    assert_eq!(sign_in(&realm, "m.koval", "wrong").await, Err(Refused::Credentials));
    assert_eq!(sign_in(&realm, "m.koval", "wrong").await, Err(Refused::Credentials));
    assert_eq!((one.count(), two.count()), (1, 0), "the second time it is known to be wrong");
    one.behave(Manner::Says(500, fault("User authentication failed")));
    for n in 0..3 {
        assert_eq!(sign_in(&realm, "m.koval", &format!("wrong{n}")).await, Err(Refused::Credentials));
    }
    let sent = one.count();
    one.behave(Manner::Knows("right"));
    assert_eq!(sign_in(&realm, "m.koval", "right").await, Err(Refused::Credentials), "locked out");
    assert_eq!((one.count(), two.count()), (sent, 0));
    let locked = realm.locked(Instant::now());
    assert_eq!((&*locked[0].user, locked[0].realm, locked[0].failures), ("m.koval", "ccx", 5));
    assert!(realm.unlock("m.koval", Instant::now()));
    sign_in(&realm, "m.koval", "right").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_no_agent_is_not_put_to_the_test() {
    let node = Node::start(Manner::Knows("right")).await;
    let realm = realm(&[&node], "");
    assert_eq!(sign_in(&realm, "somebody", "right").await, Err(Refused::Credentials));
    assert_eq!(sign_in(&realm, "m.koval", "").await, Err(Refused::Credentials));
    assert_eq!(node.count(), 0);
}

/// Requirement 19.
#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_first_requests_of_a_user_are_one_question() {
    let node = Node::start(Manner::Knows("right")).await;
    let realm = realm(&[&node], "");
    let all: Vec<_> = (0..200)
        .map(|_| {
            let realm = realm.clone();
            tokio::spawn(async move { sign_in(&realm, "m.koval", "right").await.is_ok() })
        })
        .collect();
    for one in all {
        assert!(one.await.unwrap());
    }
    assert_eq!(node.count(), 1);
}

/// Requirement 20 and what else can be wrong with a node: the next is asked, and later the first is left alone.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_does_not_answer_the_question_is_left_alone() {
    for manner in [
        Manner::Half,
        Manner::Silent,
        Manner::Hangs,
        Manner::Says(500, fault("The database is not available")),
        Manner::Says(200, "<html>Sign in</html>".into()),
        Manner::Says(302, String::new()),
        Manner::Says(200, format!("{}<", "<a>".repeat(100_000))),
    ] {
        let (bad, good) = (Node::start(manner.clone()).await, Node::start(Manner::Knows("right")).await);
        let realm = realm(&[&bad, &good], "answer_seconds = 1");
        sign_in(&realm, "m.koval", "right").await.unwrap_or_else(|error| panic!("{manner:?}: {error:?}"));
        sign_in(&realm, "1002", "right").await.unwrap();
        assert_eq!((bad.count(), good.count()), (1, 2), "{manner:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_takes_no_connection_is_left_alone() {
    let (gone, good) = (Node::start(Manner::Silent).await, Node::start(Manner::Knows("right")).await);
    // A full backlog would do as well: nobody takes the handshake up.
    let hole = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gone = Node { address: hole.local_addr().unwrap(), ..gone };
    let realm = realm(&[&gone, &good], "connect_seconds = 1");
    sign_in(&realm, "m.koval", "right").await.unwrap();
    sign_in(&realm, "1002", "right").await.unwrap();
    assert_eq!(good.count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_is_not_the_pinned_one_ends_the_connection_before_anything_is_said() {
    let (one, other) = (Node::start(Manner::Knows("right")).await, Node::start(Manner::Knows("right")).await);
    let false_one = Node { pin: other.pin.clone(), ..one };
    let realm = realm(&[&false_one], "");
    assert_eq!(sign_in(&realm, "m.koval", "right").await, Err(Refused::Unavailable));
    assert_eq!((false_one.count(), false_one.connections.load(Ordering::Relaxed)), (0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_a_configured_authority_is_believed_and_no_other() {
    let (node, other) =
        (Node::start(Manner::Knows("right")).await, Node::start(Manner::Knows("right")).await);
    let authorities = |of: &Node| format!("authorities = {:?}", of.authority.path());
    sign_in(&realm(&[&node], &authorities(&node)), "m.koval", "right").await.unwrap();
    let refused = sign_in(&realm(&[&node], &authorities(&other)), "m.koval", "right").await;
    assert_eq!((refused, node.count()), (Err(Refused::Unavailable), 1));
}

/// Requirements 17 and 18: who was verified goes on, who was not is told so, nobody is counted, and AXL is left alone.
#[tokio::test(flavor = "multi_thread")]
async fn throttling_and_a_refused_account_count_against_nobody() {
    for (status, asked_again) in [(503, false), (401, true), (403, true)] {
        let node = Node::start(Manner::Knows("right")).await;
        let realm = realm(&[&node], "");
        sign_in(&realm, "m.koval", "right").await.unwrap();
        node.behave(Manner::Says(status, String::new()));
        for _ in 0..10 {
            assert_eq!(sign_in(&realm, "1002", "right").await, Err(Refused::Unavailable), "{status}");
        }
        assert_eq!(node.count() > 2, asked_again, "{status}");
        sign_in(&realm, "m.koval", "right").await.unwrap();
        let tomorrow = Instant::now() + Duration::from_secs(3600);
        let known = realm.verify("m.koval", Case::Exact, "right", None, tomorrow).await;
        assert!(known.is_ok(), "what was right before counts on while nobody can say, {status}");
        assert!(realm.locked(Instant::now()).is_empty());
        node.behave(Manner::Knows("right"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_schema_version_that_is_known_is_found_and_kept() {
    let node = Node::start(Manner::Version("12.0")).await;
    let realm = realm(&[&node], "version = \"15.0\"\nper_second = 1000");
    sign_in(&realm, "m.koval", "right").await.unwrap();
    assert_eq!(node.count(), 4, "15.0, 14.0, 12.5, 12.0");
    sign_in(&realm, "1002", "right").await.unwrap();
    assert_eq!(node.count(), 5);
}
