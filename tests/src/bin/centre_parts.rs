//! The parts of a site that the fail-over tests start, kill and stop: relays, and processes of desktops.

fn main() -> anyhow::Result<()> {
    load::centre::part::run(&std::env::args().skip(1).collect::<Vec<_>>())
}
