//! A scanner of others (sslscan) looks at every port that speaks TLS, from the first byte or after STARTTLS.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use e2e::demo::Demo;
use tokio::process::Command;

/// What the scanner says of a port, as XML.
async fn scan(address: &str, options: &[&str]) -> Result<String> {
    let mut command = Command::new("sslscan");
    command.args(["--no-colour", "--xml=-"]).args(options).arg(address);
    let output = command.output().await.context("no sslscan; tests/setup installs it")?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(output.status.success(), "sslscan: {}\n{said}", output.status);
    Ok(said)
}

/// Values of an attribute in all elements that begin like this.
fn values<'a>(scan: &'a str, element: &str, attribute: &str) -> BTreeSet<&'a str> {
    let mark = format!(" {attribute}=\"");
    let elements = scan.lines().map(str::trim).filter(|line| line.starts_with(element));
    elements.filter_map(|line| line.split_once(&mark)?.1.split('"').next()).collect()
}

/// Port of an address or URL, at the name that the scanner then asks for.
fn port(url: &str) -> String {
    let rest = url.split("://").last().unwrap_or(url);
    let address = rest.split('/').next().unwrap_or(rest);
    format!("localhost:{}", address.rsplit(':').next().unwrap_or_default())
}

/// Ends in an error unless the port speaks TLS 1.2 and 1.3 with ciphers of forward secrecy, and nothing else.
async fn judge(address: &str, options: &[&str]) -> Result<()> {
    let said = scan(address, options).await?;
    let enabled: BTreeSet<&str> = said
        .lines()
        .filter(|line| line.contains("<protocol ") && line.contains("enabled=\"1\""))
        .filter_map(|line| line.split_once(" version=\"")?.1.split('"').next())
        .collect();
    ensure!(enabled == BTreeSet::from(["1.2", "1.3"]), "{address}: {enabled:?}\n{said}");
    let strength = values(&said, "<cipher ", "strength");
    ensure!(strength.is_subset(&BTreeSet::from(["acceptable", "strong"])), "{address}: {said}");
    let ciphers = values(&said, "<cipher ", "cipher");
    ensure!(!ciphers.is_empty(), "{address}: no cipher\n{said}");
    for cipher in ciphers {
        let forward = cipher.starts_with("TLS_") || cipher.starts_with("ECDHE-");
        let sealed = cipher.contains("GCM") || cipher.contains("CHACHA20");
        ensure!(forward && sealed, "{address} speaks {cipher}");
    }
    ensure!(values(&said, "<heartbleed ", "vulnerable") == BTreeSet::from(["0"]), "{said}");
    ensure!(!said.contains("<renegotiation supported=\"1\""), "{address} renegotiates");
    Ok(())
}

#[tokio::test]
async fn every_port_speaks_todays_tls_only() -> Result<()> {
    let demo = Demo::start(&["--agents", "1", "--calls-per-minute", "0"]).await?;
    let ready = &demo.ready;
    let direct = [&ready.https, &ready.bosh_tls, &ready.xmpp_tls].map(|url| port(url));
    let upgraded = port(&ready.xmpp);
    tokio::try_join!(
        judge(&direct[0], &[]),
        judge(&direct[1], &[]),
        judge(&direct[2], &[]),
        judge(&upgraded, &["--starttls-xmpp"]),
    )?;
    Ok(())
}
