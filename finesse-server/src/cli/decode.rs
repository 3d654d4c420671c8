//! `cti-decode`: frames of a capture as JSON, one object a line.

use std::io::{BufRead, Write};

use cti::json::{self, Secrets};
use cti::{Codec, Dialect};

/// Longest line of hexadecimal taken, in bytes: a frame is at most a few KiB.
const LONGEST_LINE: u64 = 1 << 20;

/// Decodes one frame, or all lines of standard input.
pub(super) fn run(
    dialect: Dialect,
    version: u32,
    show_secrets: bool,
    hex: Option<&str>,
) -> anyhow::Result<()> {
    let codec = Codec::new(dialect, version);
    let secrets = if show_secrets { Secrets::Show } else { Secrets::Mask };
    let mut out = std::io::stdout().lock();
    let mut print = |line: &[u8]| -> std::io::Result<()> {
        let text = String::from_utf8_lossy(line);
        if text.trim().is_empty() {
            return Ok(());
        }
        writeln!(out, "{}", json::line(&codec, text.trim(), secrets))?;
        out.flush()
    };
    let done = match hex {
        Some(hex) => print(hex.as_bytes()),
        None => each_line(&mut std::io::stdin().lock(), &mut print),
    };
    match done {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        done => Ok(done?),
    }
}

fn each_line(
    input: &mut impl BufRead,
    print: &mut impl FnMut(&[u8]) -> std::io::Result<()>,
) -> std::io::Result<()> {
    let mut line = Vec::new();
    loop {
        line.clear();
        if std::io::Read::take(&mut *input, LONGEST_LINE).read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        print(&line)?;
    }
}
