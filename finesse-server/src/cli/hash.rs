//! `hash-password`: a line of standard input in, a hash for the configuration file out.

use std::io::{BufRead, IsTerminal};

use anyhow::{Context, bail};
#[cfg(unix)]
use rustix::termios::{self, LocalModes, OptionalActions, Termios};
use xmpp::sasl::scram::{Hash, Verifier};
use zeroize::Zeroizing;

/// Reads one line and prints its hash; with `scram` as lines of a user's entry, with verifiers.
pub(super) fn run(scram: bool) -> anyhow::Result<()> {
    let stdin = std::io::stdin();
    let mut line = Zeroizing::new(String::new());
    {
        let _silence = stdin.is_terminal().then(|| Silence::new(&stdin));
        stdin.lock().read_line(&mut line).context("the password must be UTF-8")?;
    }
    let password = line.strip_suffix('\n').unwrap_or(&line);
    let password = password.strip_suffix('\r').unwrap_or(password);
    if password.is_empty() {
        bail!("an empty password cannot be used");
    }
    let hash = crate::realm::hash_password(password).context("the password cannot be hashed")?;
    if !scram {
        println!("{hash}");
        return Ok(());
    }
    let verifiers = Hash::ALL.map(|hash| Verifier::new(hash, password));
    println!("password_hash = \"{hash}\"\nscram = [");
    for verifier in verifiers {
        println!("    \"{}\",", verifier?.to_text());
    }
    println!("]");
    Ok(())
}

/// While it lives, a terminal does not show what is typed. Signals that end the process meanwhile leave the terminal
/// silent, as with `stty -echo`; interactive shells restore it with their next prompt.
struct Silence<'a> {
    #[cfg(unix)]
    before: Option<(&'a std::io::Stdin, Termios)>,
    #[cfg(not(unix))]
    terminal: std::marker::PhantomData<&'a std::io::Stdin>,
}

impl<'a> Silence<'a> {
    #[cfg(unix)]
    fn new(terminal: &'a std::io::Stdin) -> Self {
        let set = || {
            let before = termios::tcgetattr(terminal)?;
            let mut quiet = before.clone();
            quiet.local_modes -= LocalModes::ECHO;
            quiet.local_modes |= LocalModes::ECHONL;
            termios::tcsetattr(terminal, OptionalActions::Flush, &quiet)?;
            rustix::io::Result::Ok(before)
        };
        let before = set().ok().map(|before| (terminal, before));
        eprintln!("Password, then Enter{}:", if before.is_some() { " (nothing is shown)" } else { "" });
        Silence { before }
    }

    #[cfg(not(unix))]
    fn new(_: &'a std::io::Stdin) -> Self {
        eprintln!("Password, then Enter (it will be visible; pipe it in to avoid that):");
        Silence { terminal: std::marker::PhantomData }
    }
}

impl Drop for Silence<'_> {
    fn drop(&mut self) {
        #[cfg(unix)]
        if let Some((terminal, before)) = &self.before {
            // Nothing better can be done if the terminal has gone.
            let _ = termios::tcsetattr(terminal, OptionalActions::Now, before);
        }
    }
}
