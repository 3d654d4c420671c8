//! `hash-password`: a line of standard input in, a hash for the configuration file out.

use std::io::{BufRead, IsTerminal};

use anyhow::{Context, bail};
use zeroize::Zeroizing;

/// Reads one line and prints its hash.
pub(super) fn run() -> anyhow::Result<()> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        eprintln!("Password, then Enter (it will be visible; pipe it in to avoid that):");
    }
    let mut line = Zeroizing::new(String::new());
    stdin.lock().read_line(&mut line).context("the password must be UTF-8")?;
    let password = line.strip_suffix('\n').unwrap_or(&line);
    let password = password.strip_suffix('\r').unwrap_or(password);
    if password.is_empty() {
        bail!("an empty password cannot be used");
    }
    println!("{}", crate::realm::hash_password(password).context("the password cannot be hashed")?);
    Ok(())
}
