//! Foreign clients log in by the newer ways: SCRAM with slixmpp, SASL2 with Bind 2 and tokens with xmpp.js.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use broker::Broker;
use e2e::clients::{folder, installed};
use finesse_server::realm::{Account, Builder, Kind, Proof, Rules, XmppRealm};
use tokio::net::TcpListener;
use tokio::process::Command;
use xmpp::sasl::scram::{Hash, Verifier};
use xmpp::tcp::TcpOptions;
use xmpp::{Config, FastOptions, OpenPolicy, Service};

const DOMAIN: &str = "localhost";
const PASSWORD: &str = "Grün, 1 = eins";

/// A listener with TLS and everything switched on; its address.
async fn listener() -> Result<String> {
    let mut realm = Builder::new(Rules::default())?;
    let proof = Proof::Keyed(realm.digest("1001", PASSWORD));
    let scram = Hash::ALL.map(|hash| Verifier::new(hash, PASSWORD));
    let scram = scram.into_iter().collect::<Result<Vec<_>, _>>()?;
    realm.add(Account { id: "1001".into(), login_name: None, kind: Kind::Person, proof, scram });
    let config =
        Config { scram: true, sasl2: true, fast: Some(FastOptions::default()), ..Config::new(DOMAIN) };
    let broker = Broker::new(broker::Config::default());
    let service =
        Service::new(config, broker, Arc::new(XmppRealm(Arc::new(realm.build()))), Arc::new(OpenPolicy));
    let tls = finesse_server::http::tls::self_signed(&[DOMAIN])?.xmpp;
    let options = TcpOptions { tls: Some(tls), direct_tls: true, ..TcpOptions::default() };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    tokio::spawn(xmpp::tcp::serve(listener, service, options, std::future::pending()));
    Ok(address)
}

/// What the client printed, if it ended well.
async fn run(mut command: Command, password: &str) -> Result<String> {
    command
        .env("FINESSE_XMPP_TLS", listener().await?)
        .env("FINESSE_DOMAIN", DOMAIN)
        .env("FINESSE_USER", "1001")
        .env("FINESSE_PASSWORD", password)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = tokio::time::timeout(Duration::from_secs(60), command.output()).await;
    let output = output.context("the client did not end in time")??;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    Ok(said)
}

fn slixmpp(mechanism: &str) -> Result<Command> {
    let mut command = Command::new(installed("python/bin/python")?);
    command.arg(folder().join("slixmpp/login.py")).arg(mechanism);
    Ok(command)
}

#[tokio::test(flavor = "multi_thread")]
async fn x15_slixmpp_logs_in_by_scram() -> Result<()> {
    for mechanism in ["SCRAM-SHA-1", "SCRAM-SHA-256", "PLAIN"] {
        let said = run(slixmpp(mechanism)?, PASSWORD).await?;
        ensure!(said.trim() == format!("MECHANISM {mechanism}"), "{said}");
    }
    // By its own choice. Python has no tls-exporter, so that it does not get to the -PLUS variants.
    let said = run(slixmpp("")?, PASSWORD).await?;
    ensure!(said.starts_with("MECHANISM SCRAM-SHA-256"), "{said}");
    let wrong = run(slixmpp("SCRAM-SHA-256")?, "wrong").await;
    ensure!(wrong.is_err_and(|error| error.to_string().contains("REFUSED")), "a wrong password got in");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn x80_xmpp_js_comes_back_with_a_token() -> Result<()> {
    installed("npm")?;
    let mut command = Command::new("node");
    command.arg(folder().join("xmppjs/login.mjs"));
    let said = run(command, PASSWORD).await?;
    let lines: Vec<Vec<&str>> = said.lines().map(|line| line.split(' ').collect()).collect();
    let [first, second] = lines.as_slice() else { anyhow::bail!("{said}") };
    ensure!(
        first[..2] == ["PASSWORD", "SCRAM-SHA-1"] && second[..2] == ["TOKEN", "HT-SHA-256-NONE"],
        "{said}"
    );
    ensure!(first[2].starts_with("1001@localhost/desk/") && first[2] == second[2], "{said}");
    Ok(())
}
