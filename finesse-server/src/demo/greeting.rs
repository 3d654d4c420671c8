//! What the demo says when everything is up: for people on standard error, for programs one line on standard output.

use std::io::Write;
use std::net::SocketAddr;

use serde_json::json;

use super::reachable;
use crate::cli::DemoArgs;
use crate::server::Addresses;

/// Prints both.
pub(super) fn print(
    args: &DemoArgs,
    addresses: Addresses,
    simulator: &cti::sim::Simulator,
) -> std::io::Result<()> {
    let at = |address: Option<SocketAddr>| {
        address.map(reachable).map(|address| address.to_string()).unwrap_or_default()
    };
    let urls = Urls {
        http: format!("http://{}", at(addresses.http)),
        https: format!("https://{}", at(addresses.https)),
        bosh: at(addresses.bosh),
        bosh_tls: at(addresses.bosh_tls),
        xmpp: at(addresses.xmpp),
        xmpp_tls: at(addresses.xmpp_tls),
        component: addresses.component.map(|address| reachable(address).to_string()),
        cti: simulator.addrs().map(|address| reachable(address).to_string()),
        control: simulator.control_addr().map(|address| address.to_string()),
    };
    eprintln!("{}", for_people(args, &urls));
    let mut out = std::io::stdout().lock();
    writeln!(out, "READY {}", for_programs(args, &urls))?;
    out.flush()
}

struct Urls {
    http: String,
    https: String,
    bosh: String,
    bosh_tls: String,
    xmpp: String,
    xmpp_tls: String,
    component: Option<String>,
    cti: [String; 2],
    control: Option<String>,
}

fn for_programs(args: &DemoArgs, urls: &Urls) -> serde_json::Value {
    let mut line = json!({
        "pid": std::process::id(),
        "domain": args.domain,
        "pubsub": format!("pubsub.{}", args.domain),
        "http": urls.http,
        "https": urls.https,
        "bosh": format!("http://{}/http-bind/", urls.bosh),
        "bosh_tls": format!("https://{}/http-bind/", urls.bosh_tls),
        "ws": format!("ws://{}/ws/", urls.bosh),
        "wss": format!("wss://{}/ws/", urls.bosh_tls),
        "xmpp": urls.xmpp,
        "xmpp_tls": urls.xmpp_tls,
        "cti_a": urls.cti[0],
        "cti_b": urls.cti[1],
    });
    if let Some(control) = &urls.control {
        line["control"] = json!(control);
    }
    if let Some(component) = &urls.component {
        line["component"] = component.as_str().into();
    }
    line
}

fn for_people(args: &DemoArgs, urls: &Urls) -> String {
    // 1002 is the first who is no supervisor; with a single agent there is only the supervisor.
    let agent = if args.agents > 1 { 1002 } else { 1001 };
    let extension = agent + 1000;
    let last = 1000 + args.agents;
    let credentials = quoted(&format!("{agent}:{}", args.password));
    let user = format!("{}/finesse/api/User/{agent}", urls.http);
    let put = |body: &str| {
        format!(
            "curl -u {credentials} -X PUT -H 'Content-Type: application/xml' \\\n       -d '{body}' {user}"
        )
    };
    let program = std::env::args().next().unwrap_or_else(|| "finesse-server".into());
    let mut watch = format!("{} watch --user {agent} --server {}", quoted(&program), urls.xmpp);
    if args.password != "finesse" {
        watch.push_str(&format!(" --password {}", quoted(&args.password)));
    }
    if args.domain != "localhost" {
        watch.push_str(&format!(" --domain {}", args.domain));
    }
    let [cti_a, cti_b] = &urls.cti;
    format!(
        "A contact centre is running.

  REST        {http}/finesse/api/   {https}/finesse/api/
  BOSH        http://{bosh}/http-bind/    https://{bosh_tls}/http-bind/
  WebSocket   ws://{bosh}/ws/             wss://{bosh_tls}/ws/
  XMPP        {xmpp}   {xmpp_tls} (TLS)   domain {domain}
  CTI         {cti_a}  {cti_b} (simulator)

  Agents 1001 to {last} at extensions 2001 to {last_extension}, administrator admin; password: {password}

Three things to try:

  1. Sign an agent in and make him ready:
     {login}
     {ready}
  2. Watch what happens to him:
     {watch}
  3. Open the sample client and do both with the mouse:
     {http}/

Ctrl-C ends it.",
        http = urls.http,
        https = urls.https,
        bosh = urls.bosh,
        bosh_tls = urls.bosh_tls,
        xmpp = urls.xmpp,
        xmpp_tls = urls.xmpp_tls,
        domain = args.domain,
        last_extension = last + 1000,
        password = args.password,
        login = put(&format!("<User><state>LOGIN</state><extension>{extension}</extension></User>")),
        ready = put("<User><state>READY</state></User>"),
    )
}

/// An argument as a shell takes it.
fn quoted(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:@+,".contains(&byte);
    if !text.is_empty() && text.bytes().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_survive_a_shell() {
        assert_eq!(quoted("1002:finesse"), "1002:finesse");
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("it's"), "'it'\\''s'");
        assert_eq!(quoted(""), "''");
    }
}
