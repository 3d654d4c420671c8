//! `demo`: a simulated telephone system and the server in front of it, connected over real TCP, with sample users.

mod greeting;
mod sample;
mod scenario;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use cti::sim;
use toml::Spanned;
use xmpp::sasl::scram::{Hash, Verifier};

use crate::cli::{DemoArgs, End, SimArgs, StartTlsArg};
use crate::config::{Config, ConfigError, Deployment, PlainHttp, StartTlsMode};
use crate::directory::{Directory, Queue, Roles, Team, User};
use crate::http::tls;
use crate::realm::{Account, Builder, Kind, Proof, Realm};
use crate::server::{self, Listeners, Server, Setup};

/// Publishers among the load-test accounts.
const PUBLISHERS: u32 = 8;

/// Password of the agents of `cti-sim`.
const PASSWORD: &str = "finesse";

/// How long the system may take to come into service before that is said.
const START: Duration = Duration::from_secs(10);

/// A simulated telephone system and the server in front of it, in one process.
pub struct System {
    /// The telephone system; its [`control`](sim::Simulator::control) makes calls and faults.
    pub simulator: sim::Simulator,
    /// The server, connected to side A.
    pub server: Server,
}

impl System {
    /// Starts both on the ports of `args`. The people are those of `centre`, and an administrator. The server comes
    /// into service a moment later ([`Server::in_service`]).
    ///
    /// # Errors
    /// A port is taken (as a [`ConfigError`]).
    pub async fn start(args: &DemoArgs, centre: sim::Config) -> anyhow::Result<System> {
        System::start_with(args, centre, |_| {}).await
    }

    /// The same with changes to the server's configuration.
    ///
    /// # Errors
    /// As [`System::start`].
    pub async fn start_with(
        args: &DemoArgs,
        centre: sim::Config,
        change: impl FnOnce(&mut Config),
    ) -> anyhow::Result<System> {
        let directory = Arc::new(directory(&centre)?);
        let mut config = config(args);
        if centre.dialect == cti::Dialect::Ccx {
            config.server.deployment = Deployment::Ccx;
        }
        change(&mut config);
        let listeners = Listeners::bind(&config).map_err(|error| with_hint(&error))?;
        let names = [args.domain.as_str(), "localhost", &args.bind.to_string()];
        let tls = tls::self_signed(&names)?;
        let realm = Arc::new(realm(args, &config, &directory)?);
        let simulator = start_simulator(centre).await?;
        let [side_a, side_b] = simulator.addrs();
        (config.cti.side_a, config.cti.side_b) = (side_a.to_string(), side_b.to_string());
        let server = Server::start(Setup { config, directory, realm, listeners, tls });
        Ok(System { simulator, server })
    }

    /// Ends both in order, within a few seconds.
    pub async fn stop(self) {
        self.server.stop().await;
        let _ = tokio::time::timeout(Duration::from_secs(1), self.simulator.shutdown()).await;
    }
}

/// Runs the demo until it is ended from outside.
///
/// # Errors
/// A port is taken (as a [`ConfigError`]), or the system does not come into service.
pub async fn run(mut args: DemoArgs) -> anyhow::Result<()> {
    crate::cli::start_log("warn", crate::config::LogFormat::Text);
    let stage = match &args.scenario {
        Some(name) if name == scenario::LIST => return scenario::list(),
        Some(name) => scenario::read(name)?.centre(&args.password),
        None => sim::Config {
            callers: sim::Callers { calls_per_minute: args.calls_per_minute, ..sim::Callers::default() },
            ..sim::Config::demo(args.agents as usize, &args.password)
        },
    };
    args.agents = u32::try_from(stage.agents.len()).unwrap_or(u32::MAX);
    let mut end = End::new()?;
    let centre = sim::Config {
        bind: args.bind,
        ports: ports(args.cti_port),
        control_port: args.control_port,
        ..stage
    };
    let system = System::start(&args, centre).await?;
    let in_service = tokio::select! {
        in_service = system.server.in_service(START) => in_service,
        () = end.wait() => return Ok(()),
    };
    anyhow::ensure!(in_service, "the server did not come into service within {} s", START.as_secs());
    if let Some(name) = &args.scenario {
        let scenario = scenario::read(name)?;
        eprintln!("{}: {}\n", scenario.title(), scenario.about());
    }
    greeting::print(&args, system.server.addresses(), &system.simulator)?;
    end.wait().await;
    eprintln!("Ending.");
    system.stop().await;
    Ok(())
}

/// `cti-sim`: the simulator alone.
///
/// # Errors
/// A port is taken.
pub async fn simulator_alone(args: SimArgs) -> anyhow::Result<()> {
    crate::cli::start_log("info", crate::config::LogFormat::Text);
    let stage = match &args.scenario {
        Some(name) if name == scenario::LIST => return scenario::list(),
        Some(name) => scenario::read(name)?.centre(PASSWORD),
        None if args.load => sim::Config {
            dialect: args.dialect(),
            ..sim::Config::load(args.agents as usize, PASSWORD, args.calls_per_agent)
        },
        None => sim::Config {
            dialect: args.dialect(),
            callers: sim::Callers { calls_per_minute: args.calls_per_minute, ..sim::Callers::default() },
            ..sim::Config::demo(args.agents as usize, PASSWORD)
        },
    };
    let mut end = End::new()?;
    let config = sim::Config {
        bind: args.bind,
        ports: ports(args.cti_port),
        control_port: args.control_port,
        ..stage
    };
    let simulator = start_simulator(config).await?;
    let [side_a, side_b] = simulator.addrs();
    let mut ready = serde_json::json!({ "pid": std::process::id(), "cti_a": side_a, "cti_b": side_b });
    if let Some(door) = simulator.control_addr() {
        ready["control"] = serde_json::json!(door);
    }
    println!("READY {ready}");
    end.wait().await;
    simulator.shutdown().await;
    Ok(())
}

async fn start_simulator(config: sim::Config) -> anyhow::Result<sim::Simulator> {
    let place = format!("{}:{}", config.bind, config.ports[0]);
    let taken = |error: &dyn std::fmt::Display| {
        ConfigError::whole_file(
            String::new(),
            format!(
                "the simulated CTI server cannot listen on {place} and the next port: {error}; choose another with --cti-port, or 0 for any free ones"
            ),
        )
    };
    sim::Simulator::start(config).await.map_err(|error| taken(&error).into())
}

/// Side B has the port behind that of side A.
fn ports(side_a: u16) -> [u16; 2] {
    [side_a, if side_a == 0 { 0 } else { side_a.wrapping_add(1) }]
}

/// The people of the simulated contact centre, and an administrator.
fn directory(centre: &sim::Config) -> anyhow::Result<Directory> {
    let mut builder = Directory::builder();
    for team in &centre.teams {
        builder = builder.team(Team { id: team.id, name: team.name.clone() });
    }
    for agent in &centre.agents {
        builder = builder.user(User {
            id: agent.id.as_str().into(),
            login_name: agent.login_name.clone(),
            first_name: agent.first_name.clone(),
            last_name: agent.last_name.clone(),
            roles: Roles { agent: true, supervisor: agent.supervisor, administrator: false },
            team: Some(agent.team),
            supervises: if agent.supervisor { vec![agent.team] } else { Vec::new() },
        });
    }
    builder = builder.user(User {
        id: "admin".into(),
        login_name: "admin".into(),
        first_name: "Sample".into(),
        last_name: "Administrator".into(),
        roles: Roles { agent: false, supervisor: false, administrator: true },
        team: None,
        supervises: Vec::new(),
    });
    for queue in &centre.queues {
        let serves = |agent: &&sim::AgentConfig| agent.queues.contains(&queue.number);
        let members = centre.agents.iter().filter(serves).map(|agent| agent.id.as_str().into()).collect();
        builder = builder.queue(Queue { id: queue.number, name: queue.name.clone(), members });
    }
    builder.build().context("the sample users contradict one another")
}

/// Sample users and load-test accounts, all with the one password; it is printed, so a keyed hash is enough.
fn realm(args: &DemoArgs, config: &Config, directory: &Directory) -> anyhow::Result<Realm> {
    let mut builder = Builder::new(server::rules(config)).context("no random bytes")?;
    // One password, hence one verifier for each hash function.
    let hashes = if config.xmpp.scram { &Hash::ALL[..] } else { &[] };
    let scram = hashes.iter().map(|&hash| Verifier::new(hash, &args.password));
    let scram =
        scram.collect::<Result<Vec<_>, _>>().context("the password cannot be used with --extensions")?;
    let mut add = |id: &str, login_name: Option<String>, kind| {
        let proof = Proof::Keyed(builder.digest(id, &args.password));
        builder.add(Account { id: id.into(), login_name, kind, proof, scram: scram.clone() });
    };
    for user in directory.users() {
        add(&user.id, Some(user.login_name.clone()), Kind::Person);
    }
    if args.load_accounts > 0 {
        (0..args.load_accounts).for_each(|n| add(&format!("u{n}"), None, Kind::Reader));
        (0..PUBLISHERS).for_each(|n| add(&format!("pub{n}"), None, Kind::Publisher));
    }
    Ok(builder.build())
}

fn config(args: &DemoArgs) -> Config {
    let at = |port| vec![Spanned::new(0..0, SocketAddr::new(args.bind, port))];
    let mut config = Config::default();
    config.server.domain = args.domain.clone();
    config.server.plain_http = PlainHttp::Serve;
    config.listen.http = at(args.http_port);
    config.listen.https = at(args.https_port);
    config.listen.bosh = at(args.bosh_port);
    config.listen.bosh_tls = at(args.bosh_tls_port);
    config.listen.xmpp = at(args.xmpp_port);
    config.listen.xmpp_tls = at(args.xmpp_tls_port);
    config.listen.component = args.component_port.map(at).unwrap_or_default();
    config.component.name = format!("component.{}", args.domain);
    config.component.secret = args.password.clone().into();
    config.xmpp.coalesce = args.coalesce;
    config.xmpp.scram = args.extensions;
    config.xmpp.sasl2 = args.extensions;
    config.xmpp.fast = args.extensions;
    config.xmpp.stream_management = args.extensions;
    config.xmpp.starttls = match args.starttls {
        StartTlsArg::Off => StartTlsMode::Off,
        StartTlsArg::Optional => StartTlsMode::Optional,
    };
    config.server.rest_extensions = args.extensions;
    sample::fill(&mut config);
    config.cors.rest = crate::rest::cors::LOCAL.iter().map(|origin| (*origin).to_owned()).collect();
    config
}

/// Names the option instead of the key.
fn with_hint(error: &ConfigError) -> ConfigError {
    let text = error.message();
    let option = text.strip_prefix("listen.").and_then(|rest| rest.split_once(": "));
    let Some((key, what)) = option else { return error.clone() };
    let option = format!("--{}-port", key.replace('_', "-"));
    ConfigError::whole_file(
        String::new(),
        format!("{what}; choose another port with {option}, or 0 for any free one"),
    )
}

/// How others on this machine reach a listener bound to `address`.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(std::net::Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_users_are_as_documented() {
        let directory = directory(&sim::Config::demo(20, "finesse")).unwrap();
        assert_eq!(directory.user_count(), 21);
        let first = directory.user("1001").unwrap();
        assert!(first.roles.supervisor && first.supervises == [1]);
        assert!(!directory.user("1002").unwrap().roles.supervisor);
        assert!(directory.user("1011").unwrap().roles.supervisor);
        assert!(directory.user("admin").unwrap().roles.administrator);
        assert_eq!((directory.teams().count(), directory.queues().count()), (2, 2));
    }

    #[test]
    fn a_taken_port_names_the_option() {
        let error = ConfigError::whole_file(
            String::new(),
            "listen.bosh_tls: cannot listen on [::1]:7443: in use".into(),
        );
        let text = with_hint(&error).to_string();
        assert!(
            text.starts_with("cannot listen on [::1]:7443: in use; choose another port with --bosh-tls-port"),
            "{text}"
        );
    }

    #[test]
    fn an_address_for_all_is_shown_as_loopback() {
        assert_eq!(reachable("0.0.0.0:80".parse().unwrap()).to_string(), "127.0.0.1:80");
        assert_eq!(reachable("[::]:80".parse().unwrap()).to_string(), "[::1]:80");
        assert_eq!(reachable("192.0.2.1:80".parse().unwrap()).to_string(), "192.0.2.1:80");
    }
}
