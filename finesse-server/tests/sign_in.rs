//! Odd user names and passwords on every door, from the file and from the database of Unified CCE; and who is locked out.

#[path = "support/live.rs"]
#[allow(dead_code, reason = "shared with other tests, each of which uses its part")]
mod live;
#[path = "support/postgres.rs"]
#[allow(dead_code, reason = "shared with other tests, each of which uses its part")]
mod postgres;

use std::time::Duration;

use argon2::{Argon2, Params, PasswordHasher};
use base64::Engine as _;
use finesse_server::config::Config;
use finesse_server::server::{Listeners, Server, Setup};
use live::*;
use postgres::Postgres;
use tokio::net::TcpStream;

/// Names with the local part that XEP-0106 makes of them.
const NAMES: [(&str, &str); 8] = [
    ("grün", "grün"),
    ("anna@home", "anna\\40home"),
    ("a+b", "a+b"),
    ("o'neil", "o\\27neil"),
    ("\"q\"", "\\22q\\22"),
    ("back\\slash", "back\\slash"),
    ("anna maria", "anna\\20maria"),
    (HUNDRED, HUNDRED),
];

const HUNDRED: &str =
    "x234567890x234567890x234567890x234567890x234567890x234567890x234567890x234567890x234567890x234567890";

/// Passwords, of which each name has one.
const PASSWORDS: [&str; 8] =
    ["grün §", "a:b@c+d", "\"quoted'\"", "back\\slash", " space ", "😀🎧", "<&>%20", HUNDRED];

fn hash(password: &str) -> String {
    Argon2::from(Params::new(8, 1, 1, None).unwrap()).hash_password(password.as_bytes()).unwrap().to_string()
}

fn user(id: &str, password: &str, more: &str) -> String {
    format!("[[user]]\nid = {}\npassword_hash = \"{}\"\n{more}", toml::Value::from(id), hash(password))
}

fn doors() -> String {
    format!(
        "[xmpp]\nstarttls = \"off\"\n[server]\nplain_http = \"serve\"\n{}",
        listen(&[("http", any()), ("bosh", any()), ("xmpp", any())])
    )
}

async fn serve(config: Config) -> Server {
    let users = if config.realm.cce.host.is_empty() { config.user.len() } else { NAMES.len() };
    let server = Server::start(Setup {
        directory: config.directory().unwrap().into(),
        realm: finesse_server::server::realm(&config).unwrap().into(),
        listeners: Listeners::bind(&config).unwrap(),
        tls: finesse_server::http::tls::load(&config).unwrap(),
        config,
    });
    let limit = tokio::time::Instant::now() + Duration::from_secs(60);
    while server.directory().user_count() != users {
        assert!(tokio::time::Instant::now() < limit, "{} users", server.directory().user_count());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    server
}

/// A request for one's own object in percent-encoding; the status.
async fn rest(server: &Server, method: &str, path: &str, credentials: &[u8]) -> (u16, String) {
    let socket = TcpStream::connect(server.addresses().http.unwrap()).await.unwrap();
    let mut client = Client::stream(socket).await;
    let path: String =
        path.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>().replace("%2F", "/");
    let text = base64::engine::general_purpose::STANDARD.encode(credentials);
    let request = format!(
        "{method} /finesse/api/{path} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {text}\r\nContent-Length: 0\r\n\r\n"
    );
    client.http(&request).await
}

/// Both spellings of the credentials in bytes.
fn spellings(name: &str, password: &str) -> Vec<Vec<u8>> {
    let text = format!("{name}:{password}");
    let latin_1: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
    [Some(text.into_bytes()), latin_1].into_iter().flatten().collect()
}

async fn every_door_opens(server: &Server) {
    let at = server.addresses();
    for ((name, local), password) in NAMES.iter().zip(PASSWORDS) {
        for credentials in spellings(name, password) {
            let (status, body) = rest(server, "GET", &format!("User/{name}"), &credentials).await;
            assert_eq!(status, 503, "{name}: past the credentials and the path, out of service\n{body}");
        }
        let wrong =
            rest(server, "GET", &format!("User/{name}"), format!("{name}:{password}x").as_bytes()).await;
        assert_eq!(wrong.0, 401, "{name}");
        let mut stream = Client::stream(TcpStream::connect(at.xmpp.unwrap()).await.unwrap()).await;
        stream.send(STREAM).await;
        stream.until("</stream:features>").await;
        stream.send(&plain_with(name, password)).await;
        stream.until("<success").await;
        stream.send(STREAM).await;
        stream.until("</stream:features>").await;
        stream.send(&bind("desk")).await;
        let bound = stream.until("</jid></bind></iq>").await;
        assert!(bound.contains(&format!("<jid>{local}@localhost/desk</jid>")), "{name}: {bound}");
        let socket = TcpStream::connect(at.bosh.unwrap()).await.unwrap();
        let (status, mut socket) = Client::websocket(socket, "").await;
        assert_eq!(status, 101);
        socket.login_as(name, password, "web").await;
        let client = Client::stream(TcpStream::connect(at.bosh.unwrap()).await.unwrap()).await;
        let mut bosh = Bosh::create(client).await;
        let mut answer = bosh.request("", &plain_with(name, password)).await;
        while !answer.contains("<success") {
            assert!(!answer.contains("<failure"), "{name}: {answer}");
            answer = bosh.request("", "").await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_names_and_passwords_of_the_file_open_every_door() {
    let users: String =
        NAMES.iter().zip(PASSWORDS).map(|((name, _), password)| user(name, password, "")).collect();
    let server = serve(config(&format!("{}{users}", doors()))).await;
    every_door_opens(&server).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_names_and_passwords_of_the_database_open_every_door() {
    let agents: Vec<(&str, &str, &str, &str)> =
        NAMES.iter().zip(PASSWORDS).map(|((name, _), password)| (*name, *name, password, "Y")).collect();
    let postgres = Postgres::start(&agents).await;
    let realm = format!(
        "[realm]\nkind = \"cce\"\n[realm.cce]\ndatabase = \"postgres\"\n{}\nname = \"awdb\"\nuser = \"awdb\"\n\
         password = \"db secret\"\ntls = \"off\"\n",
        postgres.keys()
    );
    let server = serve(config(&format!("{}{realm}", doors()))).await;
    every_door_opens(&server).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn administrators_see_who_is_locked_out_on_either_door_and_let_him_in_again() {
    let users = user("1001", "right", "") + &user("admin", "admin", "roles = [\"administrator\"]\n");
    let server = serve(config(&format!("{}{users}[auth]\nlockout_failures = 2\n", doors()))).await;
    let (status, list) = rest(&server, "GET", "LockedUsers", b"admin:admin").await;
    assert!(status == 200 && list.ends_with("<LockedUsers></LockedUsers>"), "{list}");
    assert_eq!(rest(&server, "GET", "User/1001", b"1001:wrong").await.0, 401);
    let mut stream =
        Client::stream(TcpStream::connect(server.addresses().xmpp.unwrap()).await.unwrap()).await;
    stream.send(STREAM).await;
    stream.until("</stream:features>").await;
    stream.send(&plain_with("1001", "wrong")).await;
    stream.until("<not-authorized").await;
    assert_eq!(rest(&server, "GET", "User/1001", b"1001:right").await.0, 401, "locked out");
    let (_, list) = rest(&server, "GET", "LockedUsers", b"admin:admin").await;
    for part in
        ["<failures>2</failures>", "<id>1001</id>", "<realm>file</realm>", "<address>127.0.0.1</address>"]
    {
        assert!(list.contains(part), "{list}");
    }
    assert_eq!(rest(&server, "DELETE", "LockedUser/1001", b"admin:admin").await.0, 200);
    assert_eq!(rest(&server, "DELETE", "LockedUser/1001", b"admin:admin").await.0, 404, "he is not any more");
    assert_eq!(rest(&server, "GET", "User/1001", b"1001:right").await.0, 503, "past the credentials");
    assert_eq!(rest(&server, "GET", "LockedUsers", b"1001:right").await.0, 401, "not for agents");
    assert_eq!(rest(&server, "DELETE", "LockedUser/1001", b"1001:right").await.0, 401);
    assert_eq!(rest(&server, "POST", "LockedUsers", b"admin:admin").await.0, 405);
    server.stop().await;
}
