//! The control door: one JSON object a line on a loopback port, for tests in other processes.

use std::io;

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::{AgentChange, AgentState, CallId, Control, InboundCall, Mischief, OutboundCall, Rule, Side};

/// Longest line accepted, in bytes.
const MAX_LINE: u64 = 64 * 1024;

/// What a line can ask for; its `do` names the variant.
#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
enum Command {
    Call(InboundCall),
    HangUp {
        call: CallId,
    },
    Outbound(OutboundCall),
    DropLink {
        side: Side,
    },
    Silence {
        side: Side,
        on: bool,
    },
    Refuse {
        side: Side,
        on: bool,
    },
    Standby {
        side: Side,
        on: bool,
    },
    FreezeHeartbeats {
        side: Side,
        on: bool,
    },
    Freeze {
        side: Side,
        on: bool,
    },
    Stop {
        side: Side,
    },
    Start {
        side: Side,
    },
    Rule(Rule),
    Rules,
    ClearRules,
    Scenario,
    Phone {
        extension: String,
        in_service: bool,
    },
    Peripheral {
        online: bool,
    },
    Agent {
        agent: String,
        state: AgentState,
        #[serde(default)]
        reason: u16,
    },
    ChangeAgent {
        agent: String,
        change: AgentChange,
    },
    SignOutAll {
        #[serde(default)]
        reason: u16,
    },
    CallsPerMinute {
        rate: f64,
    },
    Mischief(Mischief),
    Snapshot,
    Sessions,
}

/// Answers connections until told to stop.
pub(super) async fn serve(listener: TcpListener, control: Control, mut stopped: watch::Receiver<bool>) {
    let mut visitors = JoinSet::new();
    loop {
        tokio::select! {
            () = super::server::told_to_stop(&mut stopped) => return,
            Some(_) = visitors.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    visitors.spawn(visit(stream, control.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "control door cannot accept a connection");
                    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                }
            },
        }
    }
}

async fn visit(stream: TcpStream, control: Control) {
    if let Err(error) = converse(stream, &control).await {
        tracing::debug!(%error, "connection of the control door ended");
    }
}

async fn converse(mut stream: TcpStream, control: &Control) -> io::Result<()> {
    let (reader, mut writer) = stream.split();
    let mut reader = BufReader::new(reader);
    let mut line = String::new();
    loop {
        line.clear();
        if (&mut reader).take(MAX_LINE).read_line(&mut line).await? == 0 {
            return Ok(());
        }
        if !line.ends_with('\n') && line.len() as u64 >= MAX_LINE {
            writer.write_all(b"{\"error\":\"line too long\"}\n").await?;
            return Ok(());
        }
        if line.trim().is_empty() {
            continue;
        }
        let mut answer = obey(&line, control).to_string();
        answer.push('\n');
        writer.write_all(answer.as_bytes()).await?;
    }
}

/// Carries out one line.
fn obey(line: &str, control: &Control) -> Value {
    match serde_json::from_str(line) {
        Ok(command) => carry_out(command, control).unwrap_or_else(|error| json!({ "error": error })),
        Err(error) => json!({ "error": error.to_string() }),
    }
}

fn carry_out(command: Command, control: &Control) -> Result<Value, String> {
    match command {
        Command::Call(call) => {
            let call = control.inject_call(call).map_err(|e| e.to_string())?;
            return Ok(json!({ "ok": true, "call": call }));
        }
        Command::HangUp { call } if control.caller_hang_up(call) => {}
        Command::HangUp { call } => return Err(format!("no call {call} with somebody outside")),
        Command::Outbound(call) => {
            let call = control.outbound(call).map_err(|e| e.to_string())?;
            return Ok(json!({ "ok": true, "call": call }));
        }
        Command::DropLink { side } => control.drop_link(side),
        Command::Silence { side, on } => control.silence(side, on),
        Command::Refuse { side, on } => control.refuse(side, on),
        Command::Standby { side, on } => control.standby(side, on),
        Command::FreezeHeartbeats { side, on } => control.freeze_heartbeats(side, on),
        Command::Freeze { side, on } => control.freeze(side, on),
        Command::Stop { side } => control.stop(side),
        Command::Start { side } => control.restart(side),
        Command::Rule(rule) => control.add_rule(rule)?,
        Command::Rules => return Ok(json!({ "rules": control.rules() })),
        Command::Scenario => return Ok(json!({ "scenario": control.scenario() })),
        Command::ClearRules => control.clear_rules(),
        Command::Phone { extension, in_service } => {
            control.set_in_service(&extension, in_service).map_err(|e| e.to_string())?;
        }
        Command::Peripheral { online } => control.set_online(online),
        Command::Agent { agent, state, reason } => {
            control.set_agent_state(&agent, state, reason).map_err(|e| e.to_string())?;
        }
        Command::ChangeAgent { agent, change } => {
            control.change_agent(&agent, change).map_err(|e| e.to_string())?;
        }
        Command::SignOutAll { reason } => control.sign_out_all(reason),
        Command::CallsPerMinute { rate } => control.set_calls_per_minute(rate),
        Command::Mischief(mischief) => control.set_mischief(mischief),
        Command::Snapshot => return serde_json::to_value(control.snapshot()).map_err(|e| e.to_string()),
        Command::Sessions => {
            let [a, b] = control.sessions();
            return Ok(json!({ "a": a, "b": b }));
        }
    }
    Ok(json!({ "ok": true }))
}
