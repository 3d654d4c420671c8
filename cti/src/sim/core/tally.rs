//! What is counted for statistics: times and calls of an agent or a queue, in windows of time.

use std::time::{Duration, Instant};

/// The kinds of calls that GED-188 counts apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// Routed to the agent, or handed over to him with a customer.
    Handled,
    /// The agent called outside.
    Out,
    /// The agent called inside.
    Internal,
    /// Somebody inside called the agent.
    Received,
    /// A customer of a campaign that does not ask its agents.
    AutoOut,
    /// A customer of a campaign that does.
    Preview,
    /// A campaign reserved the agent.
    Reservation,
    /// The agent listened to another's call.
    Monitor,
}

const FAMILIES: usize = 8;

/// Calls of one family.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Calls {
    /// Over by now.
    pub(crate) calls: u32,
    /// Of those, how many were on hold.
    pub(crate) held: u32,
    pub(crate) talk: Duration,
    pub(crate) held_time: Duration,
}

/// Counts of one window.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) logged_on: Duration,
    pub(crate) available: Duration,
    pub(crate) not_ready: Duration,
    /// In the work state.
    pub(crate) after_call: Duration,
    pub(crate) barge_in: u32,
    pub(crate) intercept: u32,
    pub(crate) emergency: u32,
    /// Calls that began to wait, how long those waited that do no more, and the longest of them.
    pub(crate) queued: u32,
    pub(crate) queue_time: Duration,
    pub(crate) longest_queued: Duration,
    families: [Calls; FAMILIES],
}

impl Tally {
    pub(crate) fn of(&self, family: Family) -> Calls {
        self.families[family as usize]
    }

    pub(crate) fn of_mut(&mut self, family: Family) -> &mut Calls {
        &mut self.families[family as usize]
    }

    fn add(&mut self, other: &Self) {
        for (mine, theirs) in [
            (&mut self.logged_on, other.logged_on),
            (&mut self.available, other.available),
            (&mut self.not_ready, other.not_ready),
            (&mut self.after_call, other.after_call),
            (&mut self.queue_time, other.queue_time),
        ] {
            *mine += theirs;
        }
        for (mine, theirs) in [
            (&mut self.barge_in, other.barge_in),
            (&mut self.intercept, other.intercept),
            (&mut self.emergency, other.emergency),
            (&mut self.queued, other.queued),
        ] {
            *mine += theirs;
        }
        self.longest_queued = self.longest_queued.max(other.longest_queued);
        for (mine, theirs) in self.families.iter_mut().zip(&other.families) {
            mine.calls += theirs.calls;
            mine.held += theirs.held;
            mine.talk += theirs.talk;
            mine.held_time += theirs.held_time;
        }
    }
}

/// Which counter of time a span belongs to.
pub(crate) type Clock = fn(&mut Tally) -> &mut Duration;

/// The windows of GED-188: `To5` the present minute and the four before, `ToHalf` the present half-hour, `Today` the
/// present day; `Session` since the last sign-in. The day of the simulated centre begins with its start.
#[derive(Clone, Debug)]
pub(crate) struct Windows {
    start: Instant,
    /// Each with the number of its minute.
    minutes: [(u64, Tally); 5],
    half: (u64, Tally),
    today: (u64, Tally),
    session: Tally,
}

const MINUTE: u64 = 60;
const HALF_HOUR: u64 = 30 * 60;
const DAY: u64 = 24 * 60 * 60;

impl Windows {
    pub(crate) fn new(start: Instant) -> Self {
        let none = || (0, Tally::default());
        Self {
            start,
            minutes: std::array::from_fn(|_| none()),
            half: none(),
            today: none(),
            session: Tally::default(),
        }
    }

    /// A new session begins.
    pub(crate) fn new_session(&mut self) {
        self.session = Tally::default();
    }

    /// Counts something that happens at one moment.
    pub(crate) fn count(&mut self, now: Instant, what: impl Fn(&mut Tally)) {
        let second = self.second(now);
        for tally in self.open(second) {
            what(tally);
        }
    }

    /// Adds the time from `from` to `to`, to each window as much as lies in it.
    pub(crate) fn span(&mut self, from: Instant, to: Instant, clock: Clock) {
        *clock(&mut self.session) += to.saturating_duration_since(from);
        let end = self.second(to);
        let first_minute = (end / MINUTE).saturating_sub(4);
        for minute in first_minute..=end / MINUTE {
            let time = self.overlap(from, to, minute * MINUTE, MINUTE);
            if !time.is_zero() {
                *clock(window(&mut self.minutes[(minute % 5) as usize], minute)) += time;
            }
        }
        let half = self.overlap(from, to, end / HALF_HOUR * HALF_HOUR, HALF_HOUR);
        *clock(window(&mut self.half, end / HALF_HOUR)) += half;
        let day = self.overlap(from, to, end / DAY * DAY, DAY);
        *clock(window(&mut self.today, end / DAY)) += day;
    }

    fn open(&mut self, second: u64) -> [&mut Tally; 4] {
        let minute = second / MINUTE;
        [
            window(&mut self.minutes[(minute % 5) as usize], minute),
            window(&mut self.half, second / HALF_HOUR),
            window(&mut self.today, second / DAY),
            &mut self.session,
        ]
    }

    fn second(&self, at: Instant) -> u64 {
        at.saturating_duration_since(self.start).as_secs()
    }

    /// How much of `from` to `to` lies in the window of `length` seconds that begins `begin` seconds after the start.
    fn overlap(&self, from: Instant, to: Instant, begin: u64, length: u64) -> Duration {
        let begin = self.start + Duration::from_secs(begin);
        to.min(begin + Duration::from_secs(length)).saturating_duration_since(from.max(begin))
    }

    pub(crate) fn session(&self) -> &Tally {
        &self.session
    }

    pub(crate) fn today(&self, now: Instant) -> Tally {
        let day = self.second(now) / DAY;
        if self.today.0 == day { self.today.1.clone() } else { Tally::default() }
    }

    pub(crate) fn half(&self, now: Instant) -> Tally {
        let half = self.second(now) / HALF_HOUR;
        if self.half.0 == half { self.half.1.clone() } else { Tally::default() }
    }

    pub(crate) fn five(&self, now: Instant) -> Tally {
        let minute = self.second(now) / MINUTE;
        let mut sum = Tally::default();
        for (_, tally) in self.minutes.iter().filter(|(at, _)| *at <= minute && *at + 5 > minute) {
            sum.add(tally);
        }
        sum
    }
}

/// The tally of a window, emptied when the window has moved on.
fn window(slot: &mut (u64, Tally), number: u64) -> &mut Tally {
    if slot.0 != number {
        *slot = (number, Tally::default());
    }
    &mut slot.1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_window_gets_what_lies_in_it() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut windows = Windows::new(start);
        windows.span(at(0), at(1900), |t| &mut t.available);
        windows.count(at(1900), |t| t.barge_in += 1);
        let now = at(1900);
        assert_eq!(windows.session().available.as_secs(), 1900);
        assert_eq!(windows.today(now).available.as_secs(), 1900);
        assert_eq!(windows.half(now).available.as_secs(), 100);
        // The present minute began at 1860, the fourth before it at 1620.
        assert_eq!(windows.five(now).available.as_secs(), 280);
        assert_eq!(windows.five(at(1860 + 5 * 60)), Tally::default());
        assert_eq!(windows.half(at(3600)).available, Duration::ZERO);
        assert_eq!(windows.today(at(86_400)), Tally::default());
        windows.new_session();
        assert_eq!(windows.session(), &Tally::default());
    }
}
