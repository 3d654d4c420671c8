//! Load rig. Logs in subscribers over TCP, BOSH or WebSocket, publishes over XEP-0060 (or NATS), and reports the
//! server's CPU time, memory and end-to-end latency; every item carries its number, so that a lost, doubled or
//! reordered one fails the run. Client and server share the machine: compare CPU seconds per unit, in one run.

use clap::Parser;

fn main() -> anyhow::Result<()> {
    let options = load::options::Options::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report = tokio::task::LocalSet::new().block_on(&runtime, load::run::run(&options))?;
    report.print(&options)?;
    std::process::exit(i32::from(!report.clean()));
}
