//! Simulation of BOSH sessions (requirements 53 and 54; XEP-0124 §8 to §17) in virtual time.
//!
//! Clients of many habits talk to a [`bosh::core::Session`] over a network that delays, swaps, repeats, loses
//! and breaks. Each step is compared with a [`model`] that knows every rule: which request is answered when
//! and with what, byte for byte when it is repeated, and what ends a session. What a client has read is
//! every payload once and in order, up to an end that it was told of.
//!
//! The seed is printed with every failure. `BOSH_SIMULATION_SEED` and `BOSH_SIMULATION_STEPS` choose another
//! run; one session alone is run by the seed that the failure names and one step.

#[path = "../common/mod.rs"]
mod common;

mod client;
mod dice;
mod model;
mod session;

use std::collections::BTreeMap;

use session::{Ending, Outcome};

/// Steps of the usual run.
const STEPS: u64 = 3_000_000;
const SEED: u64 = 20_260_115;

fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).map_or(usual, |text| text.parse().expect("a number"))
}

#[test]
fn x53_x54_sessions_in_a_bad_network_do_what_the_model_says() {
    let (seed, steps) = (number("BOSH_SIMULATION_SEED", SEED), number("BOSH_SIMULATION_STEPS", STEPS));
    let mut total = Outcome::default();
    let mut endings: BTreeMap<String, u64> = BTreeMap::new();
    let mut sessions = 0u64;
    while total.steps < steps {
        let outcome = session::run(seed.wrapping_add(sessions));
        sessions += 1;
        total.add(&outcome);
        *endings.entry(outcome.ending.to_string()).or_default() += 1;
    }
    println!("seed {seed}: {} steps, {sessions} sessions, {total}", total.steps);
    endings.iter().for_each(|(ending, count)| println!("  {count:6} {ending}"));
    if sessions > 1000 {
        // A simulation that never comes to these would prove nothing.
        assert!(total.recovered > 1000 && total.repeated > 10_000 && total.paused > 100, "{total}");
        for ending in [Ending::Terminated, Ending::Silence].map(|ending| ending.to_string()) {
            assert!(endings.contains_key(&ending), "{ending}: {endings:?}");
        }
        for condition in ["item-not-found", "policy-violation", "bad-request", "remote-connection-failed"] {
            assert!(endings.contains_key(&format!("told {condition}")), "{condition}: {endings:?}");
        }
    }
}
