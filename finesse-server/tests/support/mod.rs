//! A REST API on a real socket in front of a model that only notes what it is asked, and a client that shows the
//! bytes.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use finesse_server::model::command::{Command, Reply};
use finesse_server::realm::{Account, Builder, Kind, Proof, Rules};
use finesse_server::rest::cors::{LOCAL, Origins};
use finesse_server::rest::{Ask, Rest, Settings};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Answers everything with one reply and keeps the questions.
pub struct Model {
    pub reply: Mutex<Reply>,
    pub asked: Mutex<Vec<Command>>,
}

impl Ask for Model {
    fn ask(&self, command: Command) -> Pin<Box<dyn Future<Output = Reply> + Send + '_>> {
        self.asked.lock().unwrap().push(command);
        let reply = self.reply.lock().unwrap().clone();
        Box::pin(async move { reply })
    }

    fn serving(&self) -> bool {
        true
    }

    fn publish(&self, _: &str, _: &str) {}
}

pub struct Server {
    pub address: SocketAddr,
    pub model: Arc<Model>,
}

pub fn settings() -> Settings {
    Settings {
        realm: "Finesse".into(),
        public_system_info: true,
        body_bytes: 256 * 1024,
        body_timeout: Duration::from_secs(5),
        rate: 50,
        burst: 100,
        origins: Origins::new(LOCAL),
        extensions: false,
        team_messages: 10,
        client_logs: Default::default(),
        catalogue: Arc::default(),
    }
}

/// Starts the API with users 1001 (login name `anna`, password `p:1`) and 1002 (password `grün`), and an XMPP-only
/// account `u0` (password `x`).
pub async fn start(settings: Settings) -> Server {
    let mut realm = Builder::new(Rules::default()).unwrap();
    for (id, login_name, kind, password) in [
        ("1001", Some("anna"), Kind::Person, "p:1"),
        ("1002", None, Kind::Person, "grün"),
        ("u0", None, Kind::Reader, "x"),
    ] {
        let proof = Proof::Keyed(realm.digest(id, password));
        realm.add(Account {
            id: id.into(),
            login_name: login_name.map(Into::into),
            kind,
            proof,
            scram: Vec::new(),
        });
    }
    let model = Arc::new(Model { reply: Mutex::new(Reply::Accepted), asked: Mutex::default() });
    let rest = Rest::new(settings, Arc::new(realm.build()), model.clone(), Arc::default());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((socket, peer)) = listener.accept().await {
            let rest = rest.clone();
            let service = service_fn(move |request| {
                let rest = rest.clone();
                async move { Ok::<_, Infallible>(rest.handle(request, Some(peer.ip())).await) }
            });
            let connection =
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(socket), service);
            tokio::spawn(async move { connection.await.ok() });
        }
    });
    Server { address, model }
}

/// A response as it came.
#[derive(Debug)]
pub struct Response {
    pub status: u16,
    pub headers: HashMap<String, String>,
    pub body: String,
}

impl Response {
    /// Text of an element of an `ApiErrors` body.
    pub fn error(&self, name: &str) -> &str {
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        let start = self.body.find(&open).unwrap_or_else(|| panic!("no {name} in {self:?}")) + open.len();
        &self.body[start..start + self.body[start..].find(&close).unwrap()]
    }

    pub fn kind(&self) -> (u16, &str) {
        (self.status, self.error("ErrorType"))
    }
}

/// `Authorization` header line for a user and password.
pub fn basic(user: &str, password: &str) -> String {
    let text = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
    format!("Authorization: Basic {text}\r\n")
}

pub fn anna() -> String {
    basic("1001", "p:1")
}

impl Server {
    /// Sends one request, given as method, target, header lines and body, on a connection of its own.
    pub async fn send(&self, method: &str, target: &str, headers: &str, body: &[u8]) -> Response {
        let length =
            if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
        let head = format!(
            "{method} {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}{length}\r\n"
        );
        self.raw(&[head.as_bytes(), body].concat()).await
    }

    /// Sends bytes and reads until the server closes.
    pub async fn raw(&self, bytes: &[u8]) -> Response {
        let mut socket = TcpStream::connect(self.address).await.unwrap();
        // The server may answer, and close, before it has read everything.
        let _ = socket.write_all(bytes).await;
        let mut answer = Vec::new();
        let read = tokio::time::timeout(Duration::from_secs(10), socket.read_to_end(&mut answer)).await;
        assert!(read.is_ok(), "no end of the answer: {}", String::from_utf8_lossy(&answer));
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {answer:?}"));
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        Response { status, headers, body: body.to_owned() }
    }

    /// The only command the model was asked, and forgets it.
    pub fn only_command(&self) -> Command {
        let mut asked = std::mem::take(&mut *self.model.asked.lock().unwrap());
        assert_eq!(asked.len(), 1, "{asked:?}");
        asked.remove(0)
    }

    pub fn nothing_asked(&self) -> bool {
        self.model.asked.lock().unwrap().is_empty()
    }
}
