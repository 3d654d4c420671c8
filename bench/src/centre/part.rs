//! The parts of a site that are processes of this project's own: one program has both.

use anyhow::{Result, bail};

/// Runs the part that the first argument names: `relay` or `desks`.
///
/// # Errors
/// There is no such part, or it fails.
pub fn run(arguments: &[String]) -> Result<()> {
    // One thread each: there are many of them, and two cores.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match arguments {
        [part, addresses @ ..] if part == "relay" => runtime.block_on(super::relay::run(addresses)),
        [part] if part == "desks" => runtime.block_on(super::crowd::run()),
        _ => bail!("a part is `relay LISTEN TO…` or `desks`"),
    }
}
