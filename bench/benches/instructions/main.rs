//! What `bench/instructions` counts: one workload, so many rounds, and the number of things done.
//!
//! A run costs its set-up and its rounds; the script takes the difference of two runs, which is the rounds alone. All
//! of it happens on one thread, without a socket and without waiting, so that the count hardly changes from run to run.

mod bosh;
mod fanout;
mod streams;
mod wire;

/// Bytes of an event's text.
const PAYLOAD: usize = 1024;

/// Does a number of rounds and says how many units of work these were.
type Workload = fn(usize) -> usize;

const WORKLOADS: [(&str, Workload); 8] = [
    ("fanout", fanout::fanout),
    ("unicast", fanout::unicast),
    ("tcp-fanout", streams::fanout),
    ("tcp-publish", streams::publish),
    ("bosh-poll", bosh::poll),
    ("bosh-event", bosh::event),
    ("http-poll", bosh::http_poll),
    ("http-event", bosh::http_event),
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let chosen = arguments.first().and_then(|name| WORKLOADS.iter().find(|(known, _)| known == name));
    let rounds = arguments.get(1).and_then(|rounds| rounds.parse().ok());
    match chosen.zip(rounds) {
        Some(((_, workload), rounds)) => println!("{}", workload(rounds)),
        // Also what `cargo bench` gets, which times nothing here.
        None => WORKLOADS.iter().for_each(|(name, _)| println!("{name}")),
    }
}
