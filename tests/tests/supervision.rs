//! A supervisor listens to an agent's call, joins it and drops the agent, over REST, notifications and CTI.

use anyhow::{Result, ensure};
use cti::sim;
use e2e::demo::{PASSWORD, in_process};
use e2e::scene::{Scene, play};
use finesse_server::demo::System;

const SUPERVISOR: &str = "2001";
const AGENT: &str = "2002";
const CUSTOMER: &str = "0305550123";

fn monitor() -> String {
    format!(
        "<Dialog><requestedAction>SILENT_MONITOR</requestedAction><fromAddress>{SUPERVISOR}</fromAddress>\
         <toAddress>{AGENT}</toAddress></Dialog>"
    )
}

fn barge(monitor: &str) -> String {
    format!(
        "<Dialog><requestedAction>BARGE_CALL</requestedAction><fromAddress>{SUPERVISOR}</fromAddress>\
         <toAddress>{AGENT}</toAddress>\
         <associatedDialogUri>/finesse/api/Dialog/{monitor}</associatedDialogUri></Dialog>"
    )
}

#[tokio::test]
async fn a_supervisor_listens_joins_and_intercepts() -> Result<()> {
    let callers = sim::Callers { calls_per_minute: 0.0, talk: None, patience: None };
    let centre = sim::Config { callers, ..sim::Config::demo(4, PASSWORD) };
    let system = System::start(&in_process(4), centre).await?;
    play(system, story).await
}

async fn story(scene: Scene) -> Result<()> {
    let control = &scene.control;
    let mut boss = scene.arrives("1001", SUPERVISOR).await?;
    let mut agent = scene.arrives("1002", AGENT).await?;
    boss.becomes("LOGIN", "NOT_READY").await?;
    agent.becomes("LOGIN", "NOT_READY").await?;

    // Nothing to hear yet: accepted, and refused by the CTI server.
    let request = boss.asks("POST", "User/1001/Dialogs", &monitor()).await?;
    let refused = boss.until_dialog("the refusal", |news| news.text("errorData") == "13145").await?;
    ensure!(refused.text("requestId") == request, "{refused:?}");
    let (status, body) = agent.tries("POST", "User/1002/Dialogs", &monitor()).await?;
    ensure!(status == 401 && body.contains("Invalid Authorization User Specified"), "{status} {body}");

    agent.becomes("READY", "READY").await?;
    let call = control.inject_call(sim::InboundCall::to_queue(CUSTOMER, 1))?.to_string();
    agent.until_dialog("the call", |news| news.leg(AGENT) == Some("ALERTING")).await?;
    agent.acts(&call, "ANSWER", AGENT).await?;
    agent.until_state("TALKING").await?;

    let request = boss.asks("POST", "User/1001/Dialogs", &monitor()).await?;
    let begins = boss.until_dialog("the listening call", |news| news.event() == "POST").await?;
    ensure!(begins.text("requestId") == request, "{begins:?}");
    let active = boss
        .until_dialog("listening", |news| news.leg(SUPERVISOR) == Some("ACTIVE") && news.leg(AGENT).is_some())
        .await?;
    let listening = active.text("id").to_owned();
    ensure!(active.text("callType") == "SUPERVISOR_MONITOR" && active.update.contains(">BARGE_CALL<"));
    boss.until_state("TALKING").await?;

    // It ends and begins again.
    let request = boss.acts(&listening, "DROP", SUPERVISOR).await?;
    let dropped = boss.until_dialog("dropped", |news| news.leg(SUPERVISOR) == Some("DROPPED")).await?;
    ensure!(dropped.text("requestId") == request, "{dropped:?}");
    boss.until_dialog("the end", |news| news.event() == "DELETE").await?;
    let (status, _) = boss.tries("GET", &format!("Dialog/{listening}"), "").await?;
    ensure!(status == 404, "the listening call is still there: {status}");
    boss.asks("POST", "User/1001/Dialogs", &monitor()).await?;
    let active = boss.until_dialog("listening", |news| news.leg(AGENT) == Some("ACTIVE")).await?;
    let listening = active.text("id").to_owned();

    let request = boss.asks("POST", "User/1001/Dialogs", &barge(&listening)).await?;
    let joined = boss.until_dialog("joined", |n| n.event() == "POST" && n.text("id") == call).await?;
    ensure!(joined.text("requestId") == request && joined.text("callType") == "CONFERENCE", "{joined:?}");
    for address in [CUSTOMER, AGENT, SUPERVISOR] {
        ensure!(joined.leg(address) == Some("ACTIVE"), "{address} in {joined:?}");
    }
    boss.until_dialog("the listening call goes", |n| n.event() == "DELETE" && n.text("id") == listening)
        .await?;
    // The agent heard of the conference, and of nothing before it.
    let conference = agent.until_dialog("a conference", |n| n.text("callType") == "CONFERENCE").await?;
    ensure!(conference.text("id") == call && conference.text("secondaryId") == listening, "{conference:?}");

    let request = boss.acts(&call, "PARTICIPANT_DROP", AGENT).await?;
    let alone = boss.until_dialog("the agent is out", |n| n.leg(AGENT) == Some("DROPPED")).await?;
    ensure!(alone.text("requestId") == request && alone.leg(CUSTOMER) == Some("ACTIVE"), "{alone:?}");
    agent.until_dialog("the call leaves the agent", |n| n.event() == "DELETE").await?;
    agent.until_state("READY").await?;
    boss.acts(&call, "DROP", SUPERVISOR).await?;
    boss.until_state("NOT_READY").await?;
    boss.until_dialog("the end of the call", |n| n.event() == "DELETE" && n.text("id") == call).await?;
    ensure!(control.snapshot().calls.is_empty(), "{:?}", control.snapshot().calls);
    Ok(())
}
