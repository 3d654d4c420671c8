//! A day at a [`Desk`]: everything that an agent's desktop asks of the notification service.

use anyhow::{Context, Result, ensure};
use tokio::process::Command;

use crate::centre::element;
use crate::demo::{Demo, PASSWORD};
use crate::desk::{Copy, Desk};
use crate::events::{Seen, check_story, own_leg};
use crate::rest::Rest;

/// The agent whose day it is.
const USER: &str = "1002";
const EXTENSION: &str = "2002";
const NODE: &str = "/finesse/api/User/1002";
const DIALOGS: &str = "/finesse/api/User/1002/Dialogs";

/// Runs the client that `command` starts through the day, in a contact centre of its own.
pub async fn at_the_desk(command: impl Fn() -> Result<Command>) -> Result<()> {
    until_replaced(command, "conflict").await
}

/// The same for a client that calls the stream error `conflict` something else.
pub async fn until_replaced(command: impl Fn() -> Result<Command>, conflict: &str) -> Result<()> {
    live(command, conflict, false).await
}

/// The same where SCRAM, SASL2, Bind 2, tokens and stream management are offered, for a client that may take them
/// or not. With `resumes` it also loses its connection and has its session resumed.
pub async fn with_extensions(command: impl Fn() -> Result<Command>, resumes: bool) -> Result<()> {
    if resumes {
        is_resumed(command()?).await?;
    }
    live(command, "conflict", true).await
}

async fn start(extensions: bool) -> Result<Demo> {
    // One call every two seconds and nobody else ready: the agent is offered one soon.
    let mut options = vec!["--agents", "4", "--calls-per-minute", "30"];
    options.extend(extensions.then_some("--extensions"));
    Demo::start(&options).await
}

/// What happens while the connection is lost arrives once it is back, in order and once.
async fn is_resumed(command: Command) -> Result<()> {
    let demo = start(true).await?;
    let mut desk = Desk::start(command, &demo, USER)?;
    let address = demo.ready.http.trim_start_matches("http://").trim_end_matches('/');
    let mut hand = Hand { rest: Rest::connect(address, USER, PASSWORD).await?, requests: 0 };
    let before = desk.does("connect desk").await?;
    let login = format!("<User><state>LOGIN</state><extension>{EXTENSION}</extension></User>");
    let first = hand.sets(NODE, &login).await?;
    desk.until("LOGIN", |copy| copy.seen.text("requestId") == Some(&first)).await?;
    desk.does("cut").await?;
    let missed = hand.sets(NODE, "<User><state>LOGOUT</state></User>").await?;
    let after = desk.does("resume").await?;
    ensure!(after == before, "resumed as {after}, was {before}");
    desk.until("what was missed", |copy| copy.seen.text("requestId") == Some(&missed)).await?;
    desk.does("ping").await?;
    let seen = desk.quit().await?;
    for request in [first, missed] {
        let copies = seen.iter().filter(|copy| copy.seen.text("requestId") == Some(&request)).count();
        ensure!(copies == 1, "{copies} copies of what came of {request}");
    }
    ensure!(demo.interrupt().await? == 0, "Ctrl-C ends cleanly");
    Ok(())
}

async fn live(command: impl Fn() -> Result<Command>, conflict: &str, extensions: bool) -> Result<()> {
    let demo = start(extensions).await?;
    let mut desk = Desk::start(command()?, &demo, USER)?;
    let address = demo.ready.http.trim_start_matches("http://").trim_end_matches('/');
    let mut hand = Hand { rest: Rest::connect(address, USER, PASSWORD).await?, requests: 0 };
    arrives(&mut desk, &demo.ready.domain, extensions).await?;
    signs_in(&mut desk, &mut hand).await?;
    listens_to_the_team(&mut desk, &mut hand).await?;
    is_refused(&mut desk).await?;
    let before_the_call = desk.seen.len();
    takes_a_call(&mut desk, &mut hand).await?;
    loses_the_connection(&mut desk, &mut hand).await?;

    let mut elsewhere = Desk::start(command()?, &demo, USER)?;
    elsewhere.does("connect desk").await?;
    let condition = desk.end().await?;
    ensure!(condition == conflict, "the replaced session ends with {condition}");
    hand.sets(NODE, "<User><state>LOGOUT</state></User>").await?;
    elsewhere.until("LOGOUT", |copy| in_state(copy, "LOGOUT") && !copy.full()).await?;
    elsewhere.does("close").await?;

    let mut seen = desk.quit().await?;
    // What was unsubscribed stays silent.
    for copy in &seen[before_the_call..] {
        ensure!(!copy.full() && !copy.seen.node.contains("Team"), "not subscribed any more: {copy:?}");
    }
    seen.extend(elsewhere.quit().await?);
    let own: Vec<Seen> = seen.into_iter().filter(|copy| !copy.full()).map(|copy| copy.seen).collect();
    check_story(&own, USER)?;
    ensure!(demo.interrupt().await? == 0, "Ctrl-C ends cleanly");
    Ok(())
}

/// What the agent's hand does on the screen.
struct Hand {
    rest: Rest,
    requests: usize,
}

impl Hand {
    /// Sends `body` to `path`; the id of the request.
    async fn sets(&mut self, path: &str, body: &str) -> Result<String> {
        self.requests += 1;
        let id = format!("request-{}", self.requests);
        let path = path.trim_start_matches("/finesse/api/");
        self.rest.accepted("PUT", path, &id, body).await?;
        Ok(id)
    }

    async fn acts(&mut self, dialog: &str, action: &str) -> Result<()> {
        let body = format!(
            "<Dialog><requestedAction>{action}</requestedAction>\
             <targetMediaAddress>{EXTENSION}</targetMediaAddress></Dialog>"
        );
        self.sets(&format!("Dialog/{dialog}"), &body).await.map(drop)
    }
}

fn in_state(copy: &Copy, state: &str) -> bool {
    copy.seen.node == NODE && copy.seen.text("state") == Some(state)
}

async fn arrives(desk: &mut Desk, domain: &str, extensions: bool) -> Result<()> {
    let address = desk.does("connect desk").await?;
    let (wish, bind2) = (format!("{USER}@{domain}/desk"), format!("{USER}@{domain}/desk/"));
    // Bind 2 lets the server choose behind what the client says.
    ensure!(address == wish || extensions && address.starts_with(&bind2), "bound to {address}");
    desk.does("ping").await?;
    let kind = desk.does(&format!("info {NODE}")).await?;
    ensure!(kind == "pubsub/leaf", "the node is a {kind}");
    let nodes = desk.does("subscriptions").await?;
    for node in [NODE, DIALOGS, "/finesse/api/SystemInfo"] {
        ensure!(nodes.split(' ').any(|n| n == node), "not subscribed to {node}: {nodes}");
    }
    Ok(())
}

/// Subscribed with the full address beside the bare one, the desk gets every event twice.
async fn signs_in(desk: &mut Desk, hand: &mut Hand) -> Result<()> {
    for _ in 0..2 {
        let state = desk.does(&format!("subscribe {NODE} full")).await?;
        ensure!(state == "subscribed", "the subscription is {state}");
    }
    let body = format!("<User><state>LOGIN</state><extension>{EXTENSION}</extension></User>");
    let request = hand.sets(NODE, &body).await?;
    let first = desk.until("NOT_READY", |copy| in_state(copy, "NOT_READY")).await?;
    let second = desk.until("a second copy", |copy| in_state(copy, "NOT_READY")).await?;
    ensure!(first.full() != second.full() && first.seen == second.seen, "{first:?} and {second:?}");
    ensure!(first.seen.text("requestId") == Some(&request), "another request id: {first:?}");
    Ok(())
}

async fn listens_to_the_team(desk: &mut Desk, hand: &mut Hand) -> Result<()> {
    let (status, user) = hand.rest.request("GET", &format!("User/{USER}"), "", "").await?;
    ensure!(status == 200, "GET User: {status}");
    let team = format!("/finesse/api/Team/{}/Users", element(&user, "teamId").context("no team")?);
    desk.does(&format!("subscribe {team} bare")).await?;
    hand.sets(NODE, "<User><state>READY</state></User>").await?;
    desk.until("own READY", |copy| in_state(copy, "READY") && copy.full()).await?;
    let of_team = |copy: &Copy| copy.seen.node == team && copy.seen.text("state") == Some("READY");
    let copy = desk.until("the team's READY", of_team).await?;
    ensure!(copy.seen.text("source") == Some(NODE), "the source is another: {copy:?}");

    desk.does(&format!("unsubscribe {team} bare")).await?;
    desk.does(&format!("unsubscribe {NODE} full")).await?;
    desk.is_refused(&format!("unsubscribe {NODE} full"), "unexpected-request").await
}

async fn is_refused(desk: &mut Desk) -> Result<()> {
    desk.is_refused("subscribe /finesse/api/User/1003 bare", "forbidden").await?;
    desk.is_refused("subscribe /finesse/api/User/nobody bare", "item-not-found").await?;
    desk.is_refused("info /finesse/api/User/nobody", "item-not-found").await
}

async fn takes_a_call(desk: &mut Desk, hand: &mut Hand) -> Result<()> {
    let offered =
        desk.until("offered", |copy| copy.seen.node == DIALOGS && copy.seen.event() == "POST").await?;
    let dialog = offered.seen.text("id").context("no dialog id")?.to_owned();
    for (action, state) in [("ANSWER", "ACTIVE"), ("HOLD", "HELD"), ("RETRIEVE", "ACTIVE")] {
        hand.acts(&dialog, action).await?;
        let source = format!("/finesse/api/Dialog/{dialog}");
        desk.until(action, |copy| {
            copy.seen.text("source") == Some(&source) && own_leg(&copy.seen.update, EXTENSION) == Some(state)
        })
        .await?;
    }
    // While talking this becomes the pending state, so that no second call comes in between.
    hand.sets(NODE, "<User><state>NOT_READY</state></User>").await?;
    desk.until("pending", |copy| copy.seen.text("pendingState") == Some("NOT_READY")).await?;
    hand.acts(&dialog, "DROP").await?;
    let after =
        desk.until("after the call", |copy| in_state(copy, "NOT_READY") || in_state(copy, "WORK")).await?;
    if in_state(&after, "WORK") {
        hand.sets(NODE, "<User><state>NOT_READY</state></User>").await?;
        desk.until("NOT_READY", |copy| in_state(copy, "NOT_READY")).await?;
    }
    // It may come before or after the state.
    desk.ever("the end of the call", |copy| copy.seen.node == DIALOGS && copy.seen.event() == "DELETE")
        .await?;
    Ok(())
}

/// Cut off without a word, the desk comes back under the same address and is subscribed as before.
async fn loses_the_connection(desk: &mut Desk, hand: &mut Hand) -> Result<()> {
    desk.does("cut").await?;
    desk.does("connect desk").await?;
    let request = hand.sets(NODE, "<User><state>NOT_READY</state></User>").await?;
    let again = desk
        .until("an event after the reconnection", |copy| copy.seen.text("requestId") == Some(&request))
        .await?;
    ensure!(in_state(&again, "NOT_READY") && !again.full(), "{again:?}");
    Ok(())
}
