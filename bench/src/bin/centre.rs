//! Measures a pair of servers with a contact centre around them (`bench/centre`), and is the processes of relays and
//! desktops that it starts.

use clap::Parser;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == "relay" || first == "desks") {
        return load::centre::part::run(&arguments);
    }
    let options = load::figures::Options::parse();
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(load::figures::run(&options))
}
