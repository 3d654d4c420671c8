//! Nothing secret is in the log of a whole run at the finest level: a demo serves good and bad logins through every
//! door, and its log is searched for what went over the wire.

use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::Parser;
use e2e::demo::Demo;
use load::login::login;
use load::options::{Options, Transport};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const RIGHT: &str = "Sesam-oeffne-dich-4711";
const WRONG: &str = "Sesam-schliess-dich-0815";
const USER: &str = "1001";

fn port(address: &str) -> Result<u16> {
    let digits = |text: &str| text.chars().take_while(char::is_ascii_digit).collect::<String>();
    let (_, rest) = address.rsplit_once(':').context("no port")?;
    Ok(digits(rest).parse()?)
}

/// Status line of `GET /finesse/api/User/1001` with `password`.
async fn rest(demo: &Demo, password: &str) -> Result<String> {
    let mut socket = TcpStream::connect(("127.0.0.1", port(&demo.ready.http)?)).await?;
    let credentials = STANDARD.encode(format!("{USER}:{password}"));
    let request = format!(
        "GET /finesse/api/User/{USER} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Basic {credentials}\r\n\r\n"
    );
    socket.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await?;
    Ok(answer.lines().next().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn nothing_secret_is_in_the_log_of_a_whole_run() -> Result<()> {
    let path = std::env::temp_dir().join(format!("finesse-log-{}", std::process::id()));
    let demo =
        Demo::start_logged(&["--agents", "2", "--starttls", "off"], RIGHT, std::fs::File::create(&path)?)
            .await?;
    let options = |password: &str| -> Result<Options> {
        let mut options = Options::try_parse_from(["load", "idle"])?;
        options.password = password.into();
        options.port = port(&demo.ready.xmpp)?;
        options.http_port = port(&demo.ready.bosh)?;
        Ok(options)
    };
    let (right, wrong) = (options(RIGHT)?, options(WRONG)?);
    let mut links = Vec::new();
    for transport in [Transport::Tcp, Transport::Bosh, Transport::Ws] {
        links.push(login(&right, transport, USER).await?);
        ensure!(login(&wrong, transport, USER).await.is_err(), "a wrong password was let in");
    }
    ensure!(rest(&demo, RIGHT).await?.contains("200"));
    ensure!(rest(&demo, WRONG).await?.contains("401"));
    let sid = links[1].sid().to_owned();
    ensure!(sid.len() > 20, "the session id is {sid:?}");
    drop(links);
    demo.interrupt().await?;

    let log = std::fs::read_to_string(&path)?;
    std::fs::remove_file(&path)?;
    // The search would find nothing in an empty log either.
    for expected in ["logged in", USER, "transport=\"tcp\"", "transport=\"websocket\"", "transport=\"bosh\""]
    {
        ensure!(log.contains(expected), "{expected} is not in the log:\n{log}");
    }
    let plain = |password: &str| STANDARD.encode(format!("\0{USER}\0{password}"));
    let basic = |password: &str| STANDARD.encode(format!("{USER}:{password}"));
    let secrets = [sid, RIGHT.into(), WRONG.into(), plain(RIGHT), plain(WRONG), basic(RIGHT), basic(WRONG)];
    // The greeting of the demo, which says the sample password, has no time in front.
    let logged = |line: &&str| line.starts_with(|first: char| first.is_ascii_digit());
    for secret in secrets {
        let greeted = secret == RIGHT;
        let line = log.lines().find(|line| line.contains(&secret) && (!greeted || logged(line)));
        ensure!(line.is_none(), "a secret is in the log: {line:?}");
    }
    Ok(())
}
