//! `explain`: why a user was signed out, refused or disconnected.

use std::fs::File;
use std::io::{BufReader, stdin};
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::explain::{Reader, Wanted, moment, tell};

/// Options of `explain`.
#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// User id.
    #[arg(long, value_name = "ID")]
    user: String,
    /// About when: 10:42, 10:42:30 (today, or yesterday if that is still to come; in the time zone of this machine), or a
    /// date and time such as 2026-03-02T10:42 or 2026-03-02T09:42:30Z. Without it: the last sign-out, or else the last
    /// refusal or disconnect.
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// Log written with log.format = "json", oldest first; may be repeated. "-" is standard input.
    #[arg(long = "log", value_name = "FILE", required = true)]
    logs: Vec<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Reads the logs and prints the answer.
///
/// # Errors
/// A log that cannot be read, a time that is none or more than one, or nothing found.
pub(super) fn run(args: &ExplainArgs) -> anyhow::Result<()> {
    let zone = TimeZone::system();
    let wanted = match &args.at {
        None => Wanted::Last,
        Some(text) => Wanted::Near(moment::parse(text, Timestamp::now(), &zone)?),
    };
    let mut reader = Reader::new(&args.user, wanted);
    for path in &args.logs {
        if path.as_os_str() == "-" {
            reader.read(stdin().lock()).context("standard input cannot be read")?;
            continue;
        }
        let file = File::open(path).with_context(|| format!("{} cannot be read", path.display()))?;
        reader
            .read(BufReader::with_capacity(1 << 20, file))
            .with_context(|| format!("{} cannot be read", path.display()))?;
    }
    let Some(answer) = tell(&args.user, wanted, &reader.finish()) else {
        bail!("the log tells of no sign-out, refusal or disconnect of user {}", args.user);
    };
    if args.json {
        println!("{}", answer.to_json());
    } else {
        print!("{}", answer.to_text(&zone));
    }
    Ok(())
}
