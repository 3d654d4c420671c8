//! The server put together: model, broker, XMPP service, REST, and the listeners in front of them.

mod doors;
mod listeners;
mod people;
mod reload;
mod settings;

use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use broker::Broker;
use cti::link::LinkConfig;
use tokio::sync::watch;
use tokio::task::JoinSet;
use xmpp::tcp::Admission;

use crate::absence;
use crate::access::Rights;
use crate::config::{Config, Deployment, RealmKind};
use crate::core::{self, Core};
use crate::directory::{Directory, Shared};
use crate::health::Health;
use crate::http::Interfaces;
use crate::http::tls::Tls;
use crate::model;
use crate::model::command::{Command, Reply};
use crate::model::system::{Identity, Ports, SharedPlaces, SharedPorts};
use crate::notify::Nodes;
use crate::peer::message::Places;
use crate::realm::{Account, Builder, Kind, LockoutRules, Proof, Realm, Rules, XmppRealm};
use crate::rest::{Ask, Rest};
use doors::{Behind, Doors};
pub use listeners::Listeners;
use people::People;

/// How often subscriptions of absent resources are looked through.
const SWEEP: Duration = Duration::from_secs(600);

/// How long a stop may take before what is left is cut off.
const STOP: Duration = Duration::from_secs(4);

/// What a server is made of.
pub struct Setup {
    /// The configuration; its users are not looked at, `directory` and `realm` are.
    pub config: Config,
    /// Users, teams, queues, reason codes.
    pub directory: Arc<Directory>,
    /// The accounts.
    pub realm: Arc<Realm>,
    /// Bound sockets.
    pub listeners: Listeners,
    /// Certificate.
    pub tls: Tls,
}

/// Where a running server can be reached: the first listener of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Addresses {
    /// HTTP in clear.
    pub http: Option<SocketAddr>,
    /// HTTPS.
    pub https: Option<SocketAddr>,
    /// BOSH and WebSocket in clear.
    pub bosh: Option<SocketAddr>,
    /// BOSH and WebSocket over TLS.
    pub bosh_tls: Option<SocketAddr>,
    /// XMPP in clear.
    pub xmpp: Option<SocketAddr>,
    /// XMPP with TLS from the first byte.
    pub xmpp_tls: Option<SocketAddr>,
    /// External components.
    pub component: Option<SocketAddr>,
}

/// A running server. Dropping it cuts everything off; [`Server::stop`] ends it in order.
pub struct Server {
    doors: Doors,
    ports: SharedPorts,
    behind: Behind,
    tasks: JoinSet<()>,
    core: Core,
    people: People,
    started_with: Arc<Config>,
    config: watch::Sender<Arc<Config>>,
}

/// The model as REST asks it.
struct Model {
    core: Core,
    broker: Broker,
    pubsub_domain: String,
}

impl Ask for Model {
    fn ask(&self, command: Command) -> Pin<Box<dyn Future<Output = Reply> + Send + '_>> {
        Box::pin(self.core.ask(command))
    }

    fn serving(&self) -> bool {
        self.core.serving()
    }

    fn publish(&self, node: &str, document: &str) {
        self.broker.publish_with(node, || xmpp::notification(&self.pubsub_domain, node, document));
    }
}

/// Rules of sign-in from the configuration.
pub fn rules(config: &Config) -> Rules {
    let auth = &config.auth;
    let seconds = |seconds: u32| Duration::from_secs(seconds.into());
    Rules {
        remember: seconds(auth.remember_seconds),
        stale: seconds(config.realm.stale_seconds),
        negative: seconds(config.realm.negative_seconds),
        users: config.realm.users as usize,
        attempts: config.realm.attempts as usize,
        login_names: auth.login_names,
        lockout: LockoutRules {
            failures: auth.lockout_failures,
            period: seconds(auth.lockout_seconds),
            ..LockoutRules::default()
        },
        hashing: settings::hashing(config),
    }
}

/// The accounts of the configuration file, and those of the realm beside it. Has to be called inside a tokio runtime
/// if there is one.
///
/// # Errors
/// The operating system gives no random bytes.
pub fn realm(config: &Config) -> anyhow::Result<Realm> {
    let mut builder = Builder::new(rules(config)).context("no random bytes")?;
    let users = || config.user.iter().map(toml::Spanned::get_ref);
    for user in users() {
        let Some(hash) = &user.password_hash else { continue };
        builder.add(Account {
            id: user.id.as_str().into(),
            login_name: Some(user.login_name().to_owned()),
            kind: Kind::Person,
            proof: Proof::Argon2(hash.phc().into()),
            scram: user.scram.iter().map(|verifier| verifier.get().clone()).collect(),
        });
    }
    match config.realm.kind {
        RealmKind::File => {}
        RealmKind::Cce => builder.cce(&config.realm.cce, config.peripheral_id()),
        RealmKind::Ccx => {
            let elsewhere = users().filter(|user| user.password_hash.is_none());
            let people = elsewhere.map(|user| (user.id.as_str().into(), user.login_name().to_owned()));
            builder.ccx(&config.realm.ccx, people).map_err(|error| anyhow::anyhow!("realm.ccx: {error}"))?;
        }
    }
    Ok(builder.build())
}

/// `run`: serves until ended from outside; SIGHUP makes it read `path` again ([`Server::reconfigure`]).
///
/// # Errors
/// What [`Listeners::bind`] and the certificate say.
pub async fn run(path: &Path, config: Config) -> anyhow::Result<()> {
    let mut end = crate::cli::End::new()?;
    let mut reload = crate::cli::Reload::new()?;
    let mut drain = crate::cli::Drain::new()?;
    let listeners = Listeners::bind(&config)?;
    let tls = crate::http::tls::load(&config)?;
    if config.tls.certificate.is_none() && config.uses_tls() {
        tracing::warn!("no certificate configured; a self-signed one is used until the server ends");
    }
    let directory = Arc::new(config.directory()?);
    let realm = Arc::new(realm(&config)?);
    let mut server = Server::start(Setup { config, directory, realm, listeners, tls });
    tracing::info!(addresses = ?server.addresses(), "serving");
    loop {
        tokio::select! {
            () = end.wait() => break,
            start = drain.wait() => server.core.drain(start).await,
            () = reload.wait() => server.reload(path),
        }
    }
    tracing::info!("ending");
    server.stop().await;
    Ok(())
}

impl Server {
    /// Starts everything; has to be called inside a tokio runtime. Listeners accept at once; the model is out of
    /// service until the CTI server has answered.
    pub fn start(setup: Setup) -> Server {
        let Setup { config, directory, realm, listeners, tls } = setup;
        let Listeners(bound, peer) = listeners;
        let addresses = listeners::addresses(bound.iter().map(|bound| (bound.kind, bound.local)));
        let shared_directory = Shared::from(directory.clone());
        let nodes = Arc::new(Nodes::new(shared_directory.clone()));
        let broker = Broker::with_source(settings::broker(&config), nodes.clone());
        let rights = Arc::new(Rights::new(nodes));
        let service = xmpp::Service::new(
            settings::xmpp(&config),
            broker.clone(),
            Arc::new(XmppRealm(realm.clone())),
            rights.clone(),
        );
        service.redirect(settings::alternate(&config));
        let shared = SharedPorts::default();
        shared.set(ports(addresses));
        let settings = model_settings(&config, shared.clone());
        let pair = peer.map(|link| core::Pair {
            link: crate::peer::link::spawn(link),
            primary: config.peer.primary,
            follow: config.peer.follow_cti_side && config.server.deployment == Deployment::Cce,
            standby: config.server.deployment == Deployment::Ccx,
            realm: realm.clone(),
            tells_clients: settings::alternate(&config).is_none(),
        });
        let core = core::spawn(core::Parts {
            settings,
            directory,
            link: link(&config),
            service: service.clone(),
            counted: config.absence.resources,
            pair,
        });
        realm.trust(settings::admission(&config).trusted);
        let model =
            Model { core: core.clone(), broker: broker.clone(), pubsub_domain: config.server.pubsub() };
        let rest =
            Rest::new(settings::rest(&config), realm.clone(), Arc::new(model), shared_directory.clone());
        let (stop, stopping) = watch::channel(false);
        let interfaces = Arc::new(Interfaces::new(
            rest,
            bosh::Endpoint::new(service.clone(), settings::bosh(&config)),
            service.clone(),
            Admission::new(settings::admission(&config)),
            Health::new(core.standing(), stopping),
            settings::rules(&config, addresses),
        ));
        let people = People {
            directory: shared_directory,
            core: core.clone(),
            service: service.clone(),
            rights,
            realm: realm.clone(),
        };
        let news = realm.take_news();
        let behind = Behind { interfaces, realm, tls, stop };
        let (mut doors, mut tasks) = (Doors::default(), JoinSet::new());
        doors.carry_out(bound.into(), &config, &behind, &mut tasks);
        let stop = || behind.stop.subscribe();
        tasks.spawn(sweep(broker, stop()));
        service.set_application(true);
        tasks.spawn(watch_over(core.status(), service, stop()));
        let started_with = Arc::new(config);
        if let Some(news) = news {
            tasks.spawn(people.clone().follow(news, started_with.clone(), stop()));
        }
        let (config, changes) = watch::channel(started_with.clone());
        tasks.spawn(reload::watch_certificate(changes, behind.tls.clone(), stop()));
        Server { doors, ports: shared, behind, tasks, core, people, started_with, config }
    }

    /// Where it can be reached.
    pub fn addresses(&self) -> Addresses {
        self.doors.addresses()
    }

    /// Lets another directory hold, built after the present one ([`Server::directory`]). When it returns, REST, the
    /// nodes and the model have taken it over; users who are gone have no session any more, and nobody has a
    /// subscription that he could not make now.
    pub async fn exchange_directory(&self, directory: Arc<Directory>) {
        self.people.exchange(directory).await;
    }

    /// The directory that holds at present.
    pub fn directory(&self) -> Arc<Directory> {
        self.people.directory.load()
    }

    /// What the notification service has counted: sessions, logins, refusals by reason, memory.
    pub fn stats(&self) -> xmpp::Stats {
        self.behind.interfaces.xmpp.stats()
    }

    /// Waits until the model is in service, or for `limit`. Returns whether it is.
    pub async fn in_service(&self, limit: Duration) -> bool {
        tokio::time::timeout(limit, self.core.in_service()).await.is_ok()
    }

    /// Stops listening, says good-bye to every client, ends the CTI session, within a few seconds.
    pub async fn stop(mut self) {
        self.behind.interfaces.xmpp.set_application(false);
        self.behind.stop.send_replace(true);
        self.behind.interfaces.bosh.shutdown();
        let all = async {
            while self.tasks.join_next().await.is_some() {}
            self.core.stop().await;
        };
        if tokio::time::timeout(STOP, all).await.is_err() {
            tracing::debug!("some connections were cut off");
        }
    }
}

/// Resolves when the server stops.
async fn stopped(mut stop: watch::Receiver<bool>) {
    let _ = stop.wait_for(|&stop| stop).await;
}

/// Shows clients by the application's presence that it has failed. A lost CTI server is no such case: clients hear
/// of that on the SystemInfo node, and need the presence to complete their sign-in meanwhile.
async fn watch_over(mut status: watch::Receiver<bool>, service: xmpp::Service, stop: watch::Receiver<bool>) {
    let failed = async { while status.changed().await.is_ok() {} };
    tokio::select! {
        () = failed => service.set_application(false),
        () = stopped(stop) => {}
    }
}

/// Forgets subscriptions of resources that have long been absent.
async fn sweep(broker: Broker, mut stop: watch::Receiver<bool>) {
    while tokio::time::timeout(SWEEP, stop.wait_for(|&stop| stop)).await.is_err() {
        broker.sweep(Instant::now());
    }
}

fn dialect(config: &Config) -> cti::Dialect {
    match config.server.deployment {
        Deployment::Cce => cti::Dialect::Cce,
        Deployment::Ccx => cti::Dialect::Ccx,
    }
}

fn ports(addresses: Addresses) -> Ports {
    let port = |address: Option<SocketAddr>| address.map(|address| address.port());
    let Addresses { https, xmpp, xmpp_tls, .. } = addresses;
    Ports { https: port(https), xmpp: port(xmpp), xmpp_secure: port(xmpp_tls) }
}

fn model_settings(config: &Config, ports: SharedPorts) -> model::Settings {
    let other = SharedPlaces::default();
    if config.peer.is_configured() {
        other.set(Places { host: config.peer.host().to_owned(), ..Places::default() });
    }
    let identity = Identity {
        host: config.server.host().to_owned(),
        secondary: config.peer.is_configured() && !config.peer.primary,
        other,
        domain: config.server.domain.clone(),
        pubsub_domain: config.server.pubsub(),
        ports,
        timezone_offset: jiff::Zoned::now().offset().seconds() / 60,
    };
    model::Settings {
        peripheral_id: config.peripheral_id(),
        heartbeat_interval: config.cti.heartbeat_seconds,
        request_timeout: Duration::from_secs(config.cti.request_timeout_seconds.into()),
        recording: config.calls.recording,
        drop_participant_for: config.calls.drop_participant_for.into(),
        resync_window: config.cti.resync_window as usize,
        damping: config.cti.damping(),
        maintenance: config.maintenance.rules(),
        absence: absence::Rules {
            second_grace: Duration::from_secs(config.peer.second_grace_seconds.into()),
            ..config.absence.rules()
        },
        ..model::Settings::new(dialect(config), config.cti.version, identity)
    }
}

fn link(config: &Config) -> LinkConfig {
    let sides = [&config.cti.side_a, &config.cti.side_b];
    let sides = sides.into_iter().filter(|side| !side.is_empty()).cloned().collect();
    let client = cti::client::Config {
        client_id: config.cti.client_id.clone(),
        client_password: config.cti.client_password.expose().into(),
        signature: "finesse-server".into(),
        peripheral: (config.server.deployment == Deployment::Cce).then_some(config.peripheral_id()),
        heartbeat: Duration::from_secs(config.cti.heartbeat_seconds.into()),
        request_timeout: Duration::from_secs(config.cti.request_timeout_seconds.into()),
        ..cti::client::Config::new(dialect(config), config.cti.version)
    };
    LinkConfig { damping: config.cti.damping(), ..LinkConfig::new(sides, client) }
}
