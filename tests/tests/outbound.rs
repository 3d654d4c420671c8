//! A campaign previews a customer to an agent, who accepts, talks, wants the customer called back, and sends a log.

use anyhow::{Result, ensure};
use cti::sim;
use e2e::demo::{PASSWORD, in_process};
use e2e::scene::{Scene, play};
use finesse_server::demo::System;

#[tokio::test]
async fn a_preview_becomes_a_call_and_the_desktop_sends_its_log() -> Result<()> {
    let callers = sim::Callers { calls_per_minute: 0.0, talk: None, patience: None };
    let centre = sim::Config { callers, ..sim::Config::demo(4, PASSWORD) };
    let logs = std::env::temp_dir().join(format!("finesse-e2e-logs-{}", std::process::id()));
    let directory = logs.display().to_string();
    let change = move |config: &mut finesse_server::config::Config| {
        config.client_logs.directory.clone_from(&directory);
    };
    let system = System::start_with(&in_process(4), centre, change).await?;
    let told = play(system, story).await;
    let stored = std::fs::read_dir(&logs).map(|files| files.flatten().map(|file| file.path()).collect());
    let stored: Vec<_> = stored.unwrap_or_default();
    let texts: Vec<String> =
        stored.iter().flat_map(|path: &std::path::PathBuf| std::fs::read_to_string(path)).collect();
    std::fs::remove_dir_all(&logs).ok();
    told?;
    ensure!(texts == ["no <route> to 5550177000"], "{stored:?}");
    Ok(())
}

async fn story(scene: Scene) -> Result<()> {
    let control = &scene.control;
    let mut agent = scene.arrives("1002", "2002").await?;
    agent.becomes("LOGIN", "NOT_READY").await?;
    agent.becomes("READY", "READY").await?;
    let preview = sim::OutboundCall { agent: Some("1002".into()), ..sim::OutboundCall::of("Renewals") };
    let call = control.outbound(preview)?.to_string();
    agent.until_state("RESERVED_OUTBOUND_PREVIEW").await?;
    let offer = agent.until_dialog("the preview", |news| news.leg("2002") == Some("ALERTING")).await?;
    ensure!(offer.text("callType") == "OUTBOUND_PREVIEW" && offer.text("toAddress") == "2002", "{offer:?}");
    ensure!(
        offer.update.contains("<action>ACCEPT</action><action>CLOSE</action><action>REJECT</action>"),
        "{offer:?}"
    );
    let request = agent.acts(&call, "ACCEPT", "2002").await?;
    let accepted = agent.until_dialog("the acceptance", |news| news.text("requestId") == request).await?;
    ensure!(accepted.leg("2002") == Some("ACCEPTED"), "{accepted:?}");
    let talks = agent.until_dialog("the customer", |news| news.leg("2002") == Some("ACTIVE")).await?;
    ensure!(talks.text("callType") == "OUTBOUND" && talks.text("fromAddress") == "2002", "{talks:?}");
    ensure!(talks.text("associatedDialogUri").ends_with(&call), "{talks:?}");
    let customer = talks.text("id").to_owned();
    agent.until_state("TALKING").await?;
    // What does not fit the call is told by an event.
    let body = |action: &str, name: &str, value: &str| {
        format!(
            "<Dialog><requestedAction>{action}</requestedAction><targetMediaAddress>2002</targetMediaAddress>\
             <actionParams><ActionParam><name>{name}</name><value>{value}</value></ActionParam></actionParams></Dialog>"
        )
    };
    let path = format!("Dialog/{customer}");
    let request = agent.asks("PUT", &path, &body("RECLASSIFY", "outboundClassification", "FAX")).await?;
    let refused = agent.until_dialog("the refusal", |news| news.text("requestId") == request).await?;
    ensure!(refused.text("errorType") == "Generic Error", "{refused:?}");
    let callback = body("UPDATE_SCHEDULED_CALLBACK", "callbackTime", "2027-02-06T11:30");
    let request = agent.asks("PUT", &path, &callback).await?;
    let news = agent.until_dialog("the callback", |news| news.text("requestId") == request).await?;
    ensure!(news.text("callbackTime") == "2027-02-06T11:30", "{news:?}");
    let truth = control.snapshot().contacts;
    ensure!(truth.iter().any(|c| c.callback.as_deref() == Some("02062027 11:30")), "{truth:?}");
    agent.acts(&customer, "DROP", "2002").await?;
    agent.until_dialog("the end", |news| news.event() == "DELETE" && news.text("id") == customer).await?;
    let log = "<ClientLog><logData>no &lt;route&gt; to 5550177000</logData></ClientLog>";
    agent.asks("POST", "User/1002/ClientLog", log).await?;
    Ok(())
}
