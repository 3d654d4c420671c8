//! Scenarios: a contact centre and what happens in it, written down in a TOML file that reads like a script.
//!
//! A scenario has a cast (agents, queues, campaigns, rules, agents who act by themselves) and steps, taken one after the
//! other: at a time, some time after the one before, or when something is true. Steps may also say what must be true. The
//! library ([`Scenario::library`]) is shared by tests, which rehearse it in virtual time, and by whoever shows a centre.
//! `docs/simulator.md` describes the format.

mod act;
mod cast;
mod condition;
mod line;
mod play;
mod step;
mod words;

use std::ops::Range;
use std::time::{Duration, Instant};

use super::exchange::Exchange;
use super::{Config, Snapshot};
use cast::Text;
pub(crate) use play::Play;
pub use play::Progress;
pub use step::Step;

/// Longest time that a rehearsal takes, in the centre's time.
const LONGEST: Duration = Duration::from_secs(48 * 60 * 60);

macro_rules! library {
    ($($name:literal)*) => {
        &[$(($name, include_str!(concat!("../../scenarios/", $name, ".toml")))),*]
    };
}

/// Names and texts of the scenarios that come with the simulator.
static LIBRARY: &[(&str, &str)] = library![
    "busy-hour"
    "ccx-day"
    "conference"
    "help"
    "outbound-predictive"
    "outbound-preview"
    "quiet-day"
    "refusals"
    "side-a-dies"
    "supervisor-barge"
    "transfer"
];

/// A mistake in a scenario. Prints as `file:line:column: message`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}:{column}: {message}")]
pub struct ScenarioError {
    /// The name of the file as it was given.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1, in characters.
    pub column: usize,
    /// What is wrong.
    pub message: String,
}

/// A scenario, read and checked.
#[derive(Debug)]
pub struct Scenario {
    file: String,
    text: Text,
    source: String,
}

/// What a rehearsal showed.
#[derive(Clone, Debug)]
pub struct Rehearsal {
    /// Steps taken.
    pub steps: usize,
    /// How long it took in the centre's time.
    pub lasted: Duration,
    /// The truth at the end.
    pub end: Snapshot,
}

impl Scenario {
    /// Names of the scenarios that come with the simulator, in alphabetical order.
    pub fn library() -> impl Iterator<Item = &'static str> {
        LIBRARY.iter().map(|(name, _)| *name)
    }

    /// The scenario of the library with this name.
    ///
    /// # Errors
    /// A mistake in it.
    pub fn named(name: &str) -> Option<Result<Self, ScenarioError>> {
        let (_, text) = LIBRARY.iter().find(|(known, _)| *known == name)?;
        Some(Self::read(&format!("{name}.toml"), text))
    }

    /// Reads a scenario; `file` is what errors call it.
    ///
    /// # Errors
    /// The first mistake, with its place.
    pub fn read(file: &str, source: &str) -> Result<Self, ScenarioError> {
        let error = |span: Range<usize>, message: &str| {
            let (line, column) = position(source, span.start);
            let message = message.trim_end().replace('\n', ", ");
            ScenarioError { file: file.into(), line, column, message }
        };
        let text: Text =
            toml::from_str(source).map_err(|e| error(e.span().unwrap_or_default(), e.message()))?;
        let scenario = Self { file: file.into(), text, source: source.into() };
        scenario.build("")?;
        Ok(scenario)
    }

    /// A short name of what happens.
    pub fn title(&self) -> &str {
        &self.text.title
    }

    /// What it shows.
    pub fn about(&self) -> &str {
        &self.text.about
    }

    /// The contact centre in which it is played as soon as it starts, with this password for every agent.
    pub fn centre(&self, password: &str) -> Config {
        // It was built once when it was read.
        self.build(password).unwrap_or_else(|_| Config::demo(1, password))
    }

    /// Plays it in virtual time, without clients, until its last step is done.
    ///
    /// # Errors
    /// The step that could not be taken, or whose expectation is not true.
    pub fn rehearse(&self) -> Result<Rehearsal, String> {
        let start = Instant::now();
        let mut exchange = Exchange::new(self.centre(""), start, 0);
        let mut now = start;
        exchange.settle(now);
        while !exchange.progress().is_some_and(|p| p.is_over()) {
            let next = exchange.deadline().filter(|next| *next <= start + LONGEST);
            let Some(next) = next else { return Err(format!("{}: does not end", self.file)) };
            now = now.max(next);
            exchange.handle_timeout(now);
        }
        let progress = exchange.progress().unwrap_or(Progress { done: 0, steps: 0, failed: None });
        match progress.failed {
            Some(failed) => Err(failed),
            None => {
                let end = exchange.world.snapshot();
                Ok(Rehearsal { steps: progress.done, lasted: now - start, end })
            }
        }
    }

    fn build(&self, password: &str) -> Result<Config, ScenarioError> {
        let error = |(span, message): cast::Complaint| {
            let (line, column) = position(&self.source, span.start);
            ScenarioError { file: self.file.clone(), line, column, message }
        };
        let mut config = self.text.centre(password).map_err(error)?;
        let mut names: Vec<&str> = Vec::new();
        let mut steps = Vec::new();
        for line in &self.text.steps {
            let (row, column) = position(&self.source, line.span().start);
            let place = format!("{}:{row}:{column}", self.file);
            let step = line.as_ref().clone().step(&config, place).map_err(|m| error((line.span(), m)))?;
            steps.push((line.span(), step));
        }
        for (span, step) in &steps {
            if let Some(name) = step.speaks_of().into_iter().find(|name| !names.contains(name)) {
                return Err(error((span.clone(), format!("no step before gives a call the name {name:?}"))));
            }
            names.extend(step.name.as_deref());
        }
        config.steps = steps.into_iter().map(|(_, step)| step).collect();
        Ok(config)
    }
}

/// Line and column, both from 1, of a byte offset; columns count characters.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.rsplit('\n').next().unwrap_or(before);
    (before.matches('\n').count() + 1, line.chars().count() + 1)
}
