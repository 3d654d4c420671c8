//! Two nodes as two processes, connected by their link: who moves from one to the other stays signed in, who is nowhere is
//! signed out.

use anyhow::{Result, ensure};
use cti::sim;
use e2e::centre::element;
use e2e::demo::PASSWORD;
use e2e::pair::{HOSTS, Pair};

fn centre() -> sim::Config {
    let callers = sim::Callers { calls_per_minute: 0.0, ..sim::Callers::default() };
    sim::Config { callers, ..sim::Config::demo(20, PASSWORD) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn n46_who_moves_to_the_other_node_is_not_signed_out_and_who_is_nowhere_is() -> Result<()> {
    let mut pair = Pair::start("moves", centre(), "[absence]\ngrace_seconds = 10").await?;
    let mut moves = pair.arrive(0, "1002", "2002").await?;
    moves.becomes("LOGIN", "NOT_READY").await?;
    let mut goes = pair.arrive(0, "1003", "2003").await?;
    goes.becomes("LOGIN", "NOT_READY").await?;
    drop(moves);
    let mut moved = pair.arrive(1, "1002", "2002").await?;
    moved.becomes("READY", "READY").await?;
    drop(goes);
    ensure!(pair.until_truth("1003", "LOGOUT").await? == 255);
    // It was asked about both: about the one when his time was over, or before, when he arrived there.
    pair.until_logged(0, &["absence", "user=1002", "to=\"cancelled\"", "cause=\"present on the peer\""])
        .await?;
    pair.until_logged(
        0,
        &["absence", "user=1003", "from=\"asking the peer\"", "cause=\"not present on the peer\""],
    )
    .await?;
    ensure!(pair.truth("1002")?.0 == "AVAILABLE");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn n54_both_nodes_of_cce_tell_of_everybody_and_of_each_other() -> Result<()> {
    let pair = Pair::start("cce", centre(), "").await?;
    let mut here = pair.arrive(0, "1002", "2002").await?;
    let mut there = pair.arrive(1, "1002", "2002").await?;
    let request =
        here.asks("PUT", "User/1002", "<User><state>LOGIN</state><extension>2002</extension></User>").await?;
    let told = here.until("the sign-in", |news| news.text("state") == "NOT_READY").await?;
    ensure!(told.text("requestId") == request, "{told:?}");
    let told = there.until("the sign-in", |news| news.text("state") == "NOT_READY").await?;
    ensure!(told.text("requestId").is_empty(), "only the node that was asked knows the request: {told:?}");
    for (node, host) in HOSTS.into_iter().enumerate() {
        let info = pair.system_info(node).await?;
        ensure!(element(&info, "xmppDomain") == Some(host), "{info}");
        for (name, other) in [("primaryNode", 0), ("secondaryNode", 1)] {
            let shown = info.split_once(&format!("<{name}>")).map_or("", |(_, rest)| rest);
            ensure!(element(shown, "host") == Some(HOSTS[other]), "{info}");
            ensure!(element(shown, "xmppPort").is_some_and(|port| !port.is_empty()), "{info}");
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_loses_its_side_is_followed_by_the_other() -> Result<()> {
    let mut pair = Pair::start("sides", centre(), "").await?;
    let control = pair.simulator.control();
    ensure!(control.sessions() == [2, 0], "{:?}", control.sessions());
    let mut watches = pair.arrive(1, "1002", "2002").await?;
    // The primary node cannot reach side A any more; the other one can.
    pair.way.abort();
    pair.until_logged(0, &["cti", "side=B", "to=\"up\""]).await?;
    pair.until_logged(1, &["cti", "side=B", "cause=\"the peer had to move to this side\""]).await?;
    watches.until("the way there", |news| news.text("status") == "OUT_OF_SERVICE").await?;
    watches.until("the end of the way", |news| news.text("status") == "IN_SERVICE").await?;
    ensure!(control.sessions() == [0, 2], "{:?}", control.sessions());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_other_node_a_second_grace_period_passes_and_this_one_decides_alone() -> Result<()> {
    let more = "second_grace_seconds = 2\nlost_seconds = 1\n[absence]\ngrace_seconds = 1";
    let mut pair = Pair::start("alone", centre(), more).await?;
    let mut goes = pair.arrive(0, "1003", "2003").await?;
    goes.becomes("LOGIN", "NOT_READY").await?;
    pair.kill(1).await?;
    pair.until_logged(0, &["peer", "to=\"unreachable\""]).await?;
    drop(goes);
    ensure!(pair.until_truth("1003", "LOGOUT").await? == 255);
    let cause = "cause=\"both grace periods over without an answer of the peer\"";
    pair.until_logged(0, &["absence", "user=1003", "from=\"second grace\"", cause]).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn n54_the_standby_of_ccx_is_out_of_service_says_so_and_takes_over() -> Result<()> {
    let centre = sim::Config { dialect: cti::Dialect::Ccx, ..centre() };
    let mut pair = Pair::start("ccx", centre, "lost_seconds = 1").await?;
    pair.until_status(0, "IN_SERVICE").await?;
    let info = pair.until_status(1, "OUT_OF_SERVICE").await?;
    ensure!(element(&info, "statusReason") == Some("STANDBY"), "{info}");
    // Clients are let in and told; what they ask is refused.
    let mut waits = pair.arrive(1, "1002", "2002").await?;
    let sign_in = "<User><state>LOGIN</state><extension>2002</extension></User>";
    let (status, body) = waits.tries("PUT", "User/1002", sign_in).await?;
    ensure!(status == 503, "{status} {body}");
    pair.kill(0).await?;
    waits.until("the change of the status", |news| news.text("status") == "IN_SERVICE").await?;
    waits.becomes("LOGIN", "NOT_READY").await?;
    pair.until_logged(1, &["role", "to=\"active\"", "cause=\"the peer is unreachable\""]).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_administrator_empties_a_node_and_nobody_is_signed_out() -> Result<()> {
    let mut pair = Pair::start("drain", centre(), "[absence]\ngrace_seconds = 10").await?;
    let mut agent = pair.arrive(0, "1002", "2002").await?;
    agent.becomes("LOGIN", "NOT_READY").await?;
    let mut admin = pair.rest(0, "admin").await?;
    admin.accepted("POST", "MaintenanceMode", "m", "").await?;
    let told = agent.until("maintenance", |news| news.text("finesseMMode") == "IN_PROGRESS").await?;
    ensure!(told.text("status") == "IN_SERVICE", "it serves on: {told:?}");
    // The stream ends with the word where to go; whoever goes there is present and stays signed in.
    let farewell = agent.farewell().await?;
    let there = format!("{}:{}", HOSTS[1], pair.xmpp_port(1));
    ensure!(farewell.contains("<see-other-host") && farewell.contains(&there), "{farewell}");
    let mut moved = pair.arrive(1, "1002", "2002").await?;
    moved.becomes("READY", "READY").await?;
    pair.until_logged(0, &["maintenance", "to=\"COMPLETED\""]).await?;
    let mut admin = pair.rest(0, "admin").await?;
    let (status, shown) = admin.request("GET", "MaintenanceMode", "", "").await?;
    ensure!(status == 200 && element(&shown, "status") == Some("COMPLETED"), "{status} {shown}");
    ensure!(element(&pair.system_info(0).await?, "finesseMMode") == Some("COMPLETED"));
    pair.until_logged(0, &["absence", "user=1002", "to=\"cancelled\"", "cause=\"present on the peer\""])
        .await?;
    ensure!(pair.truth("1002")?.0 == "AVAILABLE");
    Ok(())
}
