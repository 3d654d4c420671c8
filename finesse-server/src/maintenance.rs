//! Maintenance mode: clients are moved to the other node in batches, so that they do not rush upon it, while this one
//! goes on serving (Finesse administration guide, "Maintenance mode").
//!
//! [`Drain`] is a state machine without I/O: it says when how many sessions are to be moved, and is told how many are left.

use std::time::{Duration, Instant};

/// Time between batches.
const TICK: Duration = Duration::from_secs(1);

/// How clients are moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Sessions moved in a second; 2,000 users are gone in ten.
    pub per_second: u32,
    /// How long it may take until it has failed: clients that come back at once are moved again and again.
    pub limit: Duration,
}

impl Default for Rules {
    fn default() -> Self {
        Self { per_second: 200, limit: Duration::from_secs(3600) }
    }
}

/// How far it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// The node serves as ever.
    #[default]
    Off,
    /// Clients are being moved.
    InProgress,
    /// Nobody is left. Who comes is sent on.
    Completed,
    /// It took too long.
    Failed,
}

impl Mode {
    /// `finesseMMode`, and `status` of the maintenance document.
    pub fn name(self) -> &'static str {
        match self {
            Self::Off => "",
            Self::InProgress => "IN_PROGRESS",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
        }
    }
}

/// Sessions that are there, by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sessions {
    /// With the resource of the desktop.
    pub desktop: usize,
    /// All others.
    pub others: usize,
}

impl Sessions {
    /// All of them.
    pub fn total(self) -> usize {
        self.desktop + self.others
    }
}

/// The machine.
#[derive(Debug)]
pub struct Drain {
    rules: Rules,
    mode: Mode,
    since: Option<Instant>,
    next: Option<Instant>,
    left: Sessions,
}

/// Why it cannot begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NowhereToGo;

impl Drain {
    /// Not in maintenance.
    pub fn new(rules: Rules) -> Self {
        Self { rules, mode: Mode::Off, since: None, next: None, left: Sessions::default() }
    }

    /// How far it is.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Since when the node has been in maintenance.
    pub fn since(&self) -> Option<Instant> {
        self.since
    }

    /// Sessions at the last look.
    pub fn left(&self) -> Sessions {
        self.left
    }

    /// How long it will take still, if nobody comes back.
    pub fn estimate(&self) -> Duration {
        let total = u32::try_from(self.left.total()).unwrap_or(u32::MAX);
        TICK * total.div_ceil(self.rules.per_second.max(1))
    }

    /// Begins, or begins anew; goes on if it is in progress. Whether anything has changed.
    ///
    /// # Errors
    /// Clients have nowhere to go.
    pub fn start(&mut self, now: Instant, refuge: bool) -> Result<bool, NowhereToGo> {
        if !refuge {
            return Err(NowhereToGo);
        }
        if self.mode == Mode::InProgress {
            return Ok(false);
        }
        (self.mode, self.since, self.next) = (Mode::InProgress, Some(now), Some(now));
        Ok(true)
    }

    /// Ends it: who is still there may stay. Whether anything has changed.
    pub fn cancel(&mut self) -> bool {
        let was = std::mem::take(&mut self.mode);
        (self.since, self.next) = (None, None);
        was != Mode::Off
    }

    /// When [`Drain::batch`] is due.
    pub fn deadline(&self) -> Option<Instant> {
        self.next
    }

    /// How many sessions are to be moved now; those that are left afterwards have to be [told](Drain::look). Nobody is
    /// moved while there is nowhere to go.
    pub fn batch(&mut self, now: Instant, refuge: bool) -> Option<usize> {
        if self.next.is_none_or(|at| at > now) {
            return None;
        }
        self.next = Some(now + TICK);
        Some(if refuge { self.rules.per_second as usize } else { 0 })
    }

    /// So many sessions are left. Whether the mode has changed.
    pub fn look(&mut self, now: Instant, left: Sessions) -> bool {
        self.left = left;
        let late = self.since.is_some_and(|since| now.saturating_duration_since(since) >= self.rules.limit);
        let mode = match self.mode {
            Mode::InProgress if left.total() == 0 => Mode::Completed,
            Mode::InProgress if late => Mode::Failed,
            mode => mode,
        };
        if mode == Mode::Failed {
            self.next = None;
        }
        std::mem::replace(&mut self.mode, mode) != mode
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn others(others: usize) -> Sessions {
        Sessions { desktop: 0, others }
    }

    /// Runs for so many seconds with so many sessions; how many were moved in each.
    fn run(drain: &mut Drain, now: &mut Instant, sessions: &mut usize, seconds: u64) -> Vec<usize> {
        let mut batches = Vec::new();
        for _ in 0..seconds {
            if let Some(batch) = drain.batch(*now, true) {
                let moved = batch.min(*sessions);
                *sessions -= moved;
                batches.push(moved);
                drain.look(*now, others(*sessions));
            }
            *now += TICK;
        }
        batches
    }

    #[test]
    fn two_thousand_are_moved_in_ten_seconds_in_even_batches() {
        let (mut drain, mut now, mut sessions) = (Drain::new(Rules::default()), Instant::now(), 2000);
        assert_eq!(drain.start(now, true), Ok(true));
        assert_eq!(run(&mut drain, &mut now, &mut sessions, 5), [200; 5]);
        assert_eq!((drain.mode(), drain.estimate()), (Mode::InProgress, Duration::from_secs(5)));
        assert_eq!(drain.start(now, true), Ok(false), "it goes on");
        run(&mut drain, &mut now, &mut sessions, 5);
        assert_eq!((drain.mode(), sessions), (Mode::Completed, 0));
        // Who comes now is sent on.
        sessions = 3;
        assert_eq!(run(&mut drain, &mut now, &mut sessions, 1), [3]);
        assert_eq!(drain.mode(), Mode::Completed);
    }

    #[test]
    fn a_drain_that_is_cancelled_moves_nobody_any_more() {
        let (mut drain, mut now, mut sessions) = (Drain::new(Rules::default()), Instant::now(), 1000);
        assert!(!drain.cancel());
        assert_eq!(drain.start(now, true), Ok(true));
        run(&mut drain, &mut now, &mut sessions, 2);
        assert!(drain.cancel());
        assert_eq!((drain.mode(), drain.since(), drain.deadline()), (Mode::Off, None, None));
        assert!(run(&mut drain, &mut now, &mut sessions, 5).is_empty());
        assert_eq!(sessions, 600);
    }

    #[test]
    fn nobody_is_moved_while_there_is_nowhere_to_go() {
        let (mut drain, now) = (Drain::new(Rules::default()), Instant::now());
        assert_eq!(drain.start(now, false), Err(NowhereToGo));
        assert_eq!(drain.mode(), Mode::Off);
        assert_eq!(drain.start(now, true), Ok(true));
        assert_eq!(drain.batch(now, false), Some(0));
        assert_eq!(drain.batch(now + TICK, true), Some(200));
    }

    #[test]
    fn clients_that_come_back_for_ever_make_it_fail() {
        let (mut drain, now) = (Drain::new(Rules::default()), Instant::now());
        assert_eq!(drain.start(now, true), Ok(true));
        assert!(!drain.look(now + Duration::from_secs(3599), others(1)));
        assert!(drain.look(now + Duration::from_secs(3600), others(1)));
        assert_eq!((drain.mode(), drain.deadline()), (Mode::Failed, None));
        assert_eq!(drain.start(now, true), Ok(true), "once more");
    }
}
