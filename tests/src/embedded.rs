//! A server built from the crates alone, as an embedder would: accounts that the test makes, every user may create
//! nodes. TCP on one port, WebSocket and BOSH on another.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use anyhow::Result;
use broker::Broker;
use http_body_util::BodyExt;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use xmpp::auth::Verdict;
use xmpp::tcp::TcpOptions;
use xmpp::websocket::{WsOptions, upgrade};
use xmpp::{AuthFailure, Authenticator, Credentials, OpenPolicy, Principal, Service};

/// Names and passwords.
#[derive(Clone, Default)]
pub struct Accounts(Arc<Mutex<HashMap<String, String>>>);

impl Accounts {
    /// Makes an account.
    pub fn add(&self, name: &str, password: &str) {
        self.0.lock().expect("no panic under this lock").insert(name.to_lowercase(), password.into());
    }
}

impl Authenticator for Accounts {
    fn authenticate(&self, login: Credentials) -> Verdict {
        let user = login.user.to_lowercase();
        let accounts = self.0.lock().expect("no panic under this lock");
        let good = accounts.get(&user).is_some_and(|password| password == login.password.expose());
        let verdict =
            if good { Ok(Principal { user: user.into(), tag: 0 }) } else { Err(AuthFailure::NotAuthorized) };
        Box::pin(std::future::ready(verdict))
    }
}

/// The running server; it ends when dropped.
pub struct Embedded {
    /// Plain TCP.
    pub xmpp: SocketAddr,
    /// `/ws/` and `/http-bind/`.
    pub http: SocketAddr,
    pub accounts: Accounts,
    pub service: Service,
    _tasks: JoinSet<()>,
}

impl Embedded {
    /// Serves `config` on free ports of loopback.
    pub async fn start(config: xmpp::Config) -> Result<Embedded> {
        let accounts = Accounts::default();
        let broker = Broker::new(broker::Config::default());
        let service = Service::new(config, broker, Arc::new(accounts.clone()), Arc::new(OpenPolicy));
        let plain = TcpListener::bind("127.0.0.1:0").await?;
        let web = TcpListener::bind("127.0.0.1:0").await?;
        let (xmpp, http) = (plain.local_addr()?, web.local_addr()?);
        let doors = TcpOptions::default();
        let mut tasks = JoinSet::new();
        tasks.spawn(serve_web(web, service.clone(), doors.clone()));
        tasks.spawn(xmpp::tcp::serve(plain, service.clone(), doors, std::future::pending()));
        Ok(Embedded { xmpp, http, accounts, service, _tasks: tasks })
    }
}

async fn serve_web(listener: TcpListener, service: Service, doors: TcpOptions) {
    let bosh = bosh::Endpoint::new(service.clone(), bosh::Config::default());
    let mut connections = JoinSet::new();
    while let Ok((stream, peer)) = listener.accept().await {
        let (service, bosh, admission) = (service.clone(), bosh.clone(), doors.admission.clone());
        connections.spawn(async move {
            let answer = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
                let (service, bosh, admission) = (service.clone(), bosh.clone(), admission.clone());
                async move {
                    let peer = Some(peer.ip());
                    let response = match request.uri().path() {
                        "/ws/" => {
                            let options = WsOptions { peer, admission, ..WsOptions::default() };
                            upgrade(request, service, options).map(BodyExt::boxed)
                        }
                        _ => bosh.handle(request, peer, false).await.map(BodyExt::boxed),
                    };
                    Ok::<_, Infallible>(response)
                }
            });
            let connection = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), answer)
                .with_upgrades();
            // A client that goes away is nothing to report.
            let _ = connection.await;
        });
    }
}
