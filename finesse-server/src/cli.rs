//! The command line.
//!
//! Exit codes: 0 done, 1 something failed on the way, 2 the command line or the configuration is wrong or an
//! address to listen on is taken.

mod decode;
mod explain;
mod hash;
mod signals;

use std::io::IsTerminal as _;
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

use crate::config::{Config, ConfigError, LogFormat};
use crate::{demo, watch};
pub use signals::{Drain, End, Reload};

/// Contact-centre desktop server: REST, XMPP, BOSH and WebSocket in front of a CTI link.
#[derive(Debug, Parser)]
#[command(name = "finesse-server", version, about, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start a complete system on this machine: simulated telephone system, server, sample agents.
    Demo(DemoArgs),
    /// Start the server with a configuration file.
    Run(ConfigArgs),
    /// Say what is wrong with a configuration file.
    CheckConfig(ConfigArgs),
    /// Start the simulated CTI server alone.
    CtiSim(SimArgs),
    /// Sign in over XMPP and print events as they arrive.
    Watch(WatchArgs),
    /// Read a password from standard input and print its hash for the configuration file.
    HashPassword {
        /// Print lines for the user's entry: the hash, and verifiers for SCRAM.
        #[arg(long)]
        scram: bool,
    },
    /// Say from the log why a user was signed out, refused or disconnected.
    Explain(explain::ExplainArgs),
    /// Decode CTI frames given in hexadecimal, one a line.
    CtiDecode(DecodeArgs),
}

/// Options of `demo`.
#[derive(Clone, Debug, Args)]
pub struct DemoArgs {
    /// Number of agents.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=5000))]
    pub agents: u32,
    /// Password of all sample users.
    #[arg(long, value_name = "P", default_value = "finesse", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub password: String,
    /// XMPP domain.
    #[arg(long, value_name = "D", default_value = "localhost", value_parser = domain)]
    pub domain: String,
    /// Address to listen on.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1")]
    pub bind: IpAddr,
    /// Simulated calls per minute; 0: none.
    #[arg(long, value_name = "F", default_value_t = 6.0, value_parser = calls_per_minute)]
    pub calls_per_minute: f64,
    /// Play a scenario: a name of the library (`list` prints it), or a file. It says how many agents and calls there are.
    #[arg(long, value_name = "NAME|FILE", conflicts_with_all = ["agents", "calls_per_minute"])]
    pub scenario: Option<String>,
    /// HTTP port; for this and the other ports, 0 means any free one.
    #[arg(long, value_name = "PORT", default_value_t = 8082)]
    pub http_port: u16,
    /// HTTPS port.
    #[arg(long, value_name = "PORT", default_value_t = 8445)]
    pub https_port: u16,
    /// BOSH and WebSocket port.
    #[arg(long, value_name = "PORT", default_value_t = 7071)]
    pub bosh_port: u16,
    /// BOSH and WebSocket port with TLS.
    #[arg(long, value_name = "PORT", default_value_t = 7443)]
    pub bosh_tls_port: u16,
    /// XMPP port.
    #[arg(long, value_name = "PORT", default_value_t = 5222)]
    pub xmpp_port: u16,
    /// XMPP port with TLS from the first byte.
    #[arg(long, value_name = "PORT", default_value_t = 5223)]
    pub xmpp_tls_port: u16,
    /// Port for the component `component.` and the domain, whose secret is the password; none: off.
    #[arg(long, value_name = "PORT")]
    pub component_port: Option<u16>,
    /// Port of side A of the simulated CTI server; side B has the next.
    #[arg(long, value_name = "PORT", default_value_t = 42027)]
    pub cti_port: u16,
    /// Port of the simulator's control door on 127.0.0.1; none: no door.
    #[arg(long, value_name = "PORT")]
    pub control_port: Option<u16>,
    /// Whether the XMPP port offers STARTTLS.
    #[arg(long, value_enum, default_value = "optional")]
    pub starttls: StartTlsArg,
    /// Whether stanzas that wait together leave in one write.
    #[arg(long, value_name = "BOOL", action = ArgAction::Set, default_value_t = true)]
    pub coalesce: bool,
    /// Also offer what is off otherwise: SCRAM, SASL2 with Bind 2 and tokens, stream management.
    #[arg(long)]
    pub extensions: bool,
    /// XMPP accounts u0… for load tests, with pub0 to pub7 that may publish on any node.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    pub load_accounts: u32,
}

/// Values of `--starttls`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StartTlsArg {
    /// Not offered.
    Off,
    /// Offered.
    Optional,
}

#[derive(Debug, Args)]
struct ConfigArgs {
    /// The configuration file.
    #[arg(long, value_name = "FILE", default_value = "finesse.toml")]
    config: PathBuf,
}

/// Options of `cti-sim`.
#[derive(Clone, Debug, Args)]
pub struct SimArgs {
    /// Number of agents.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=5000))]
    pub agents: u32,
    /// Address to listen on.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1")]
    pub bind: IpAddr,
    /// Port of side A; side B has the next; 0: any free ones.
    #[arg(long, value_name = "PORT", default_value_t = 42027)]
    pub cti_port: u16,
    /// Simulated calls per minute; 0: none.
    #[arg(long, value_name = "F", default_value_t = 6.0, value_parser = calls_per_minute)]
    pub calls_per_minute: f64,
    /// Agents act by themselves, at the call rate of a busy hour.
    #[arg(long, conflicts_with = "calls_per_minute")]
    pub load: bool,
    /// With `--load`: calls an hour for each agent.
    #[arg(long, value_name = "F", default_value_t = 30.0, value_parser = calls_per_minute, requires = "load")]
    pub calls_per_agent: f64,
    /// Play a scenario: a name of the library (`list` prints it), or a file. It says how many agents and calls there are.
    #[arg(long, value_name = "NAME|FILE", conflicts_with_all = ["agents", "calls_per_minute", "dialect", "load"])]
    pub scenario: Option<String>,
    /// Port of the control door on 127.0.0.1; 0: any free one; none: no door.
    #[arg(long, value_name = "PORT")]
    pub control_port: Option<u16>,
    /// Flavour of the contact centre.
    #[arg(long, value_enum, default_value = "cce")]
    dialect: DialectArg,
}

impl SimArgs {
    /// Flavour of the contact centre.
    pub fn dialect(&self) -> cti::Dialect {
        self.dialect.into()
    }
}

#[derive(Debug, Args)]
struct WatchArgs {
    /// User id.
    #[arg(long, value_name = "ID", default_value = "1001")]
    user: String,
    /// Password.
    #[arg(
        long,
        value_name = "P",
        env = "FINESSE_PASSWORD",
        hide_env_values = true,
        default_value = "finesse",
        hide_default_value = true
    )]
    password: String,
    /// XMPP listener, in clear.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:5222", value_parser = host_and_port)]
    server: String,
    /// XMPP domain.
    #[arg(long, value_name = "D", default_value = "localhost")]
    domain: String,
    /// Subscribe to this node as well, such as /finesse/api/Team/1/Users; may be repeated.
    #[arg(long = "node", value_name = "NODE")]
    nodes: Vec<String>,
    /// Print one JSON object a line.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct DecodeArgs {
    /// Protocol version.
    #[arg(long, value_name = "N", default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=24))]
    version: u32,
    /// Flavour of the protocol.
    #[arg(long, value_enum, default_value = "cce")]
    dialect: DialectArg,
    /// Show passwords.
    #[arg(long)]
    show_secrets: bool,
    /// A whole frame; without it, frames are read from standard input, one a line.
    #[arg(value_name = "HEX")]
    hex: Option<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum DialectArg {
    Cce,
    Ccx,
}

impl From<DialectArg> for cti::Dialect {
    fn from(arg: DialectArg) -> cti::Dialect {
        match arg {
            DialectArg::Cce => cti::Dialect::Cce,
            DialectArg::Ccx => cti::Dialect::Ccx,
        }
    }
}

fn calls_per_minute(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if (0.0..=60_000.0).contains(&rate) => Ok(rate),
        _ => Err("must be a number from 0 to 60000".into()),
    }
}

fn host_and_port(text: &str) -> Result<String, String> {
    match text.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port != 0) => {
            Ok(text.to_owned())
        }
        _ => Err("must be host:port".into()),
    }
}

fn domain(text: &str) -> Result<String, ConfigError> {
    crate::config::domain_name(text)
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Demo(args) => outcome(on_runtime(demo::run(args))),
        Command::Run(args) => outcome(load_and_run(&args)),
        Command::CheckConfig(args) => outcome(check(&args)),
        Command::CtiSim(args) => outcome(on_runtime(demo::simulator_alone(args))),
        Command::Watch(args) => outcome(on_runtime(watch_events(args))),
        Command::Explain(args) => outcome(explain::run(&args)),
        Command::HashPassword { scram } => outcome(hash::run(scram)),
        Command::CtiDecode(args) => {
            outcome(decode::run(args.dialect.into(), args.version, args.show_secrets, args.hex.as_deref()))
        }
    }
}

/// Prints an error and chooses the exit code.
fn outcome(result: anyhow::Result<()>) -> ExitCode {
    let Err(error) = result else { return ExitCode::SUCCESS };
    eprintln!("error: {error:#}");
    if error.is::<ConfigError>() { ExitCode::from(2) } else { ExitCode::FAILURE }
}

fn on_runtime(work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let result = runtime.block_on(work);
    // What still hangs (a password hash, a slow peer) must not keep the process.
    runtime.shutdown_timeout(std::time::Duration::from_millis(500));
    result
}

fn check(args: &ConfigArgs) -> anyhow::Result<()> {
    let config = Config::load(&args.config)?;
    config.directory()?;
    crate::http::tls::load(&config)?;
    crate::peer::tls::load(&config)?;
    println!(
        "{}: good ({} users, {} teams, {} queues)",
        args.config.display(),
        config.user.len(),
        config.team.len(),
        config.queue.len()
    );
    Ok(())
}

fn load_and_run(args: &ConfigArgs) -> anyhow::Result<()> {
    let config = Config::load(&args.config)?;
    start_log(&config.log.level, config.log.format);
    on_runtime(crate::server::run(&args.config, config))
}

async fn watch_events(args: WatchArgs) -> anyhow::Result<()> {
    let options = watch::Options {
        user: args.user,
        password: xmpp::Password::new(args.password),
        server: args.server,
        domain: args.domain,
        nodes: args.nodes,
        json: args.json,
    };
    let mut end = End::new()?;
    tokio::select! {
        result = watch::run(&options) => result,
        () = end.wait() => Ok(()),
    }
}

/// Starts logging to standard error; a second call changes nothing.
pub fn start_log(level: &str, format: LogFormat) {
    use tracing_subscriber::EnvFilter;
    let filter = std::env::var("FINESSE_LOG").ok().and_then(|text| EnvFilter::try_new(text).ok());
    let filter = filter.unwrap_or_else(|| EnvFilter::new(level));
    let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let log =
        tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(std::io::stderr);
    let started = match format {
        LogFormat::Text => log.try_init(),
        LogFormat::Json => log.json().try_init(),
    };
    if started.is_err() {
        tracing::debug!("logging was started before");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn demo_has_the_documented_defaults() {
        let Command::Demo(args) = Cli::parse_from(["finesse-server", "demo"]).command else { panic!() };
        let ports = [
            args.http_port,
            args.https_port,
            args.bosh_port,
            args.bosh_tls_port,
            args.xmpp_port,
            args.xmpp_tls_port,
            args.cti_port,
        ];
        assert_eq!(ports, [8082, 8445, 7071, 7443, 5222, 5223, 42027]);
        assert_eq!((args.agents, args.load_accounts, args.coalesce), (20, 0, true));
        assert_eq!((args.password.as_str(), args.domain.as_str()), ("finesse", "localhost"));
        assert_eq!((args.calls_per_minute, args.starttls), (6.0, StartTlsArg::Optional));
    }

    #[test]
    fn bad_values_are_refused() {
        for bad in [
            &["demo", "--calls-per-minute", "-1"][..],
            &["demo", "--calls-per-minute", "NaN"],
            &["demo", "--agents", "0"],
            &["demo", "--password", ""],
            &["demo", "--domain", "Not A Domain"],
            &["demo", "--scenario", "transfer", "--agents", "5"],
            &["cti-sim", "--scenario", "transfer", "--load"],
            &["cti-sim", "--calls-per-agent", "9"],
            &["demo", "--starttls", "required"],
            &["cti-decode", "--dialect", "avaya"],
            &["watch", "--server", "localhost"],
            &["watch", "--server", "localhost:http"],
            &["nothing"],
        ] {
            assert!(Cli::try_parse_from(["finesse-server"].iter().chain(bad)).is_err(), "{bad:?}");
        }
    }
}
