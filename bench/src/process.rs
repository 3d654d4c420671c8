//! CPU time and memory of the server, from /proc.

use std::fs;

use anyhow::{Context, Result};

/// Clock ticks a second; 100 on every Linux we know.
const TICKS: f64 = 100.0;

/// CPU seconds (user and system) and resident KiB.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    pub cpu_s: f64,
    pub rss_kib: f64,
}

/// Usage of process `pid`; zeros without one.
pub fn usage(pid: Option<u32>) -> Result<Usage> {
    let Some(pid) = pid else { return Ok(Usage::default()) };
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).context("the server is gone")?;
    // The name in parentheses may hold spaces.
    let rest: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split_whitespace().collect();
    let ticks = |i: usize| rest.get(i).and_then(|s| s.parse::<f64>().ok()).context("odd /proc/PID/stat");
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let rss_kib = status
        .lines()
        .find_map(|l| l.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse().ok())
        .context("no VmRSS")?;
    Ok(Usage { cpu_s: (ticks(11)? + ticks(12)?) / TICKS, rss_kib })
}

#[cfg(test)]
mod tests {
    #[test]
    fn own_usage_is_there() {
        let usage = super::usage(Some(std::process::id())).unwrap();
        assert!(usage.rss_kib > 100.0);
    }
}
