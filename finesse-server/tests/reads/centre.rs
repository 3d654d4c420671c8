//! A small contact centre behind the real router, without sockets.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use bytes::Bytes;
use finesse_server::config::Config;
use finesse_server::model::command::{ApiError, Command, Reply};
use finesse_server::realm::{Account, Builder, Kind, Proof, Rules};
use finesse_server::rest::cors::Origins;
use finesse_server::rest::{Ask, Rest, Settings};
use http_body_util::{BodyExt, Full};
use hyper::{HeaderMap, Request};

/// Teams 1 (supervisor 1001, agent 1002) and 2 (agent 1003), an administrator, an agent without a team.
pub const PEOPLE: &str = r#"
[[team]]
id = 1
name = "Sales"
[[team]]
id = 2
name = "Billing & Co"
[[user]]
id = "1001"
login_name = "anna"
roles = ["supervisor"]
team = 1
supervises = [1]
password_hash = "HASH"
[[user]]
id = "1002"
team = 1
password_hash = "HASH"
[[user]]
id = "1003"
team = 2
password_hash = "HASH"
[[user]]
id = "1004"
password_hash = "HASH"
[[user]]
id = "admin"
roles = ["administrator"]
password_hash = "HASH"
"#;

const HASH: &str = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$ENZTpHpJLWqvfXL0pVX6mvJWqHp6sEeVvSuBc4MSaNc";

/// In service or not; is asked nothing.
struct Model(AtomicBool, Mutex<Vec<(String, String)>>);

impl Ask for Model {
    fn ask(&self, _: Command) -> Pin<Box<dyn Future<Output = Reply> + Send + '_>> {
        Box::pin(async { Reply::Refused(ApiError::internal()) })
    }

    fn serving(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn publish(&self, node: &str, document: &str) {
        self.1.lock().unwrap().push((node.into(), document.into()));
    }
}

/// The API of such a centre.
pub struct Centre {
    pub rest: Rest,
    model: Arc<Model>,
}

/// An answer.
#[derive(Debug)]
pub struct Got {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

pub fn parse(more: &str) -> Config {
    Config::parse("test.toml", &format!("{more}\n{PEOPLE}").replace("HASH", HASH)).unwrap()
}

pub fn settings(config: &Config) -> Settings {
    Settings {
        realm: "Finesse".into(),
        public_system_info: true,
        body_bytes: 256 * 1024,
        body_timeout: Duration::from_secs(5),
        rate: 0,
        burst: 1,
        origins: Origins::new([""; 0]),
        extensions: config.server.rest_extensions,
        team_messages: config.limits.team_messages as usize,
        client_logs: (&config.client_logs).into(),
        catalogue: Arc::new(config.catalogue()),
    }
}

impl Centre {
    /// With this in its configuration, sections without a name first.
    pub fn new(more: &str) -> Centre {
        let config = parse(more);
        let directory = Arc::new(config.directory().unwrap());
        let mut realm = Builder::new(Rules::default()).unwrap();
        for user in directory.users() {
            let proof = Proof::Keyed(realm.digest(&user.id, "x"));
            let login_name = Some(user.login_name.clone());
            realm.add(Account {
                id: user.id.clone(),
                login_name,
                kind: Kind::Person,
                proof,
                scram: Vec::new(),
            });
        }
        let model = Arc::new(Model(AtomicBool::new(true), Mutex::default()));
        let rest = Rest::new(settings(&config), Arc::new(realm.build()), model.clone(), directory);
        Centre { rest, model }
    }

    pub fn out_of_service(&self) {
        self.model.0.store(false, Ordering::Relaxed);
    }

    /// What has been published since the last look: node and document.
    pub fn published(&self) -> Vec<(String, String)> {
        std::mem::take(&mut self.model.1.lock().unwrap())
    }

    pub async fn send(
        &self,
        user: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Got {
        let credentials = base64::engine::general_purpose::STANDARD.encode(format!("{user}:x"));
        let mut request = Request::builder()
            .method(method)
            .uri(format!("/finesse/api/{path}"))
            .header("Authorization", format!("Basic {credentials}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(Bytes::from(body.to_owned()))).unwrap();
        let answer = self.rest.handle(request, None).await;
        let (head, body) = answer.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Got {
            status: head.status.as_u16(),
            headers: head.headers,
            body: String::from_utf8(body.into()).unwrap(),
        }
    }

    pub async fn get(&self, user: &str, path: &str) -> Got {
        self.send(user, "GET", path, &[], "").await
    }

    /// The document that is answered 200.
    pub async fn document(&self, user: &str, path: &str) -> String {
        let got = self.get(user, path).await;
        assert_eq!(got.status, 200, "{user} {path}: {got:?}");
        assert_eq!(got.headers["content-type"], "application/xml;charset=UTF-8");
        got.body
    }

    /// Status and type of the error, as `404 Not Found`.
    pub async fn refused(&self, user: &str, path: &str) -> String {
        self.get(user, path).await.error()
    }
}

impl Got {
    /// Status and type of the error.
    pub fn error(&self) -> String {
        let kind = self.body.split("<ErrorType>").nth(1).and_then(|rest| rest.split('<').next());
        format!("{} {}", self.status, kind.unwrap_or_else(|| panic!("no error: {self:?}")))
    }
}
