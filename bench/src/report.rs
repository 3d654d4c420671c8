//! What a run found, for people and for scripts.

use anyhow::Result;
use hdrhistogram::Histogram;
use serde::Serialize;

use crate::options::{Mode, Options};
use crate::process::Usage;

/// Wall time, the server's CPU time in it, and its memory at the end.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Phase {
    pub seconds: f64,
    pub cpu_s: f64,
    pub rss_kib: f64,
}

/// Result of a run.
pub struct Report {
    login: Phase,
    logins: Histogram<u64>,
    sessions: usize,
    rss_per_session_kib: f64,
    pub measured: Option<Phase>,
    pub deliveries: u64,
    pub latency: Histogram<u64>,
    pub errors: Vec<String>,
}

#[derive(Serialize)]
struct Summary<'a> {
    label: &'a str,
    mode: String,
    transport: String,
    sessions: usize,
    team: usize,
    login_cpu_ms_per_session: f64,
    logins_per_s: f64,
    login_p50_ms: f64,
    login_p99_ms: f64,
    rss_kib_per_session: f64,
    measured: Option<Phase>,
    deliveries: u64,
    deliveries_per_s: f64,
    cpu_s_per_million: f64,
    cpu_ms_per_session_minute: f64,
    p50_ms: f64,
    p99_ms: f64,
    max_ms: f64,
    errors: usize,
}

fn ms(histogram: &Histogram<u64>, quantile: f64) -> f64 {
    histogram.value_at_quantile(quantile) as f64 / 1e6
}

impl Report {
    pub fn new(
        options: &Options,
        login: Phase,
        logins: Histogram<u64>,
        before: Usage,
        settled: Usage,
    ) -> Report {
        let latency = Histogram::new_from(&logins);
        let rss_per_session_kib = (settled.rss_kib - before.rss_kib) / options.sessions as f64;
        Report {
            login,
            logins,
            sessions: options.sessions,
            rss_per_session_kib,
            measured: None,
            deliveries: 0,
            latency,
            errors: Vec::new(),
        }
    }

    /// Whether nothing was lost, doubled, reordered or refused.
    pub fn clean(&self) -> bool {
        self.errors.is_empty()
    }

    /// Prints the report, and writes it as JSON where asked.
    pub fn print(&self, options: &Options) -> Result<()> {
        let name = |value: &dyn std::fmt::Debug| format!("{value:?}").to_lowercase();
        let seconds = self.measured.map_or(0.0, |m| m.seconds);
        let cpu = self.measured.map_or(0.0, |m| m.cpu_s);
        let per = |value: f64, by: f64| if by > 0.0 { value / by } else { 0.0 };
        let summary = Summary {
            label: &options.label,
            mode: name(&options.mode),
            transport: name(&options.transport),
            sessions: self.sessions,
            team: if options.mode == Mode::Fanout { options.team } else { 1 },
            login_cpu_ms_per_session: self.login.cpu_s * 1e3 / self.sessions as f64,
            logins_per_s: per(self.sessions as f64, self.login.seconds),
            login_p50_ms: ms(&self.logins, 0.5),
            login_p99_ms: ms(&self.logins, 0.99),
            rss_kib_per_session: self.rss_per_session_kib,
            measured: self.measured,
            deliveries: self.deliveries,
            deliveries_per_s: per(self.deliveries as f64, seconds),
            cpu_s_per_million: per(cpu * 1e6, self.deliveries as f64),
            cpu_ms_per_session_minute: per(cpu * 1e3 * 60.0, seconds * self.sessions as f64),
            p50_ms: ms(&self.latency, 0.5),
            p99_ms: ms(&self.latency, 0.99),
            max_ms: self.latency.max() as f64 / 1e6,
            errors: self.errors.len(),
        };
        let text = serde_json::to_string_pretty(&summary)?;
        println!("{text}");
        if let Some(path) = &options.json {
            std::fs::write(path, text)?;
        }
        for error in self.errors.iter().take(10) {
            eprintln!("{error}");
        }
        Ok(())
    }
}
