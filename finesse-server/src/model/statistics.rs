//! Reads the numbers of the queues in turn, so that each is read once in the interval, and publishes changes. A
//! feed of a queue is therefore at most as frequent as the interval. CCX has no such feed.

use std::sync::Arc;
use std::time::Instant;

use cti::{Message, field, kind};

use super::Model;
use super::output::{Change, Output, Payload, Source, Update};
use super::queue::{QueueView, Statistics};
use super::requests::Purpose;
use super::time::Now;
use crate::directory::Directory;

/// Rounds that a queue is left out after the CTI server would not tell its numbers.
const SKIPPED_ROUNDS: u8 = 6;

/// The queues and whose turn it is.
#[derive(Debug)]
pub(super) struct Readings {
    pub(super) queues: Vec<Reading>,
    turn: usize,
    next: Option<Instant>,
}

/// One queue.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) view: Arc<QueueView>,
    skip: u8,
}

impl Readings {
    pub(super) fn new(directory: &Directory) -> Self {
        let reading = |queue| Reading { view: Arc::new(QueueView::new(queue)), skip: 0 };
        Self { queues: directory.queues().map(reading).collect(), turn: 0, next: None }
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.next
    }

    /// The queues of another directory; what is known of those that stay is kept.
    fn follow(&mut self, directory: &Directory) {
        let mut former = std::mem::take(&mut self.queues);
        for queue in directory.queues() {
            let known = former.iter().position(|reading| reading.view.queue.id == queue.id);
            self.queues.push(match known.map(|at| former.swap_remove(at)) {
                Some(mut reading) => {
                    if reading.view.queue != *queue {
                        Arc::make_mut(&mut reading.view).queue = queue.clone();
                    }
                    reading
                }
                None => Reading { view: Arc::new(QueueView::new(queue)), skip: 0 },
            });
        }
        self.turn = 0;
    }

    pub(super) fn find(&self, id: u32) -> Option<&Arc<QueueView>> {
        self.queues.iter().map(|r| &r.view).find(|v| v.queue.id == id)
    }
}

impl Model {
    /// Starts reading when the server goes in service, stops it when it goes out.
    pub(super) fn schedule_statistics(&mut self, now: Now, on: bool) {
        let wanted = on
            && !self.settings.ccx()
            && !self.settings.statistics_interval.is_zero()
            && !self.readings.queues.is_empty();
        self.readings.next = wanted.then_some(now.instant);
    }

    /// Takes the queues of the present directory over.
    pub(super) fn follow_queues(&mut self, now: Now) {
        self.readings.follow(&self.directory);
        if self.readings.next.is_none() || self.readings.queues.is_empty() {
            let serving = self.service.serving();
            self.schedule_statistics(now, serving);
        }
    }

    /// Asks for the queues whose turn has come.
    pub(super) fn read_statistics(&mut self, now: Now) {
        let count = self.readings.queues.len();
        let Some(mut next) = self.readings.next.filter(|at| *at <= now.instant) else { return };
        let step = self.settings.statistics_interval / u32::try_from(count.max(1)).unwrap_or(u32::MAX);
        // After a long pause one round is enough.
        for _ in 0..count {
            if next > now.instant {
                break;
            }
            next += step;
            self.read_one(now);
        }
        self.readings.next = Some(next.max(now.instant + step));
    }

    fn read_one(&mut self, now: Now) {
        let at = self.readings.turn;
        self.readings.turn = (at + 1) % self.readings.queues.len();
        let reading = &mut self.readings.queues[at];
        if reading.skip > 0 {
            reading.skip -= 1;
            return;
        }
        let message = Message::new(kind::QUERY_SKILL_GROUP_STATISTICS_REQ)
            .with(field::PERIPHERAL_ID, self.settings.peripheral_id)
            .with(field::SKILL_GROUP_NUMBER, reading.view.queue.id);
        let queue = reading.view.queue.id;
        self.send(now, message, Purpose::Statistics(queue));
    }

    /// Takes the numbers of a queue in.
    pub(super) fn statistics_answer(&mut self, now: Now, queue: u32, answer: Option<&Message>) {
        // It may have gone meanwhile.
        let Some(reading) = self.readings.queues.iter_mut().find(|r| r.view.queue.id == queue) else {
            return;
        };
        let Some(answer) = answer else {
            reading.skip = SKIPPED_ROUNDS;
            return;
        };
        let statistics = Statistics::from_cti(answer, now);
        if statistics.same_as(&reading.view.statistics) {
            return;
        }
        Arc::make_mut(&mut reading.view).statistics = statistics;
        if !self.service.serving() {
            return;
        }
        let view = &reading.view;
        self.out.push_back(Output::Publish {
            node: view.uri.clone(),
            update: Update {
                payload: Payload::Queue(view.clone()),
                change: Change::Put,
                request_id: None,
                source: Source::Path(view.uri.clone()),
            },
        });
    }
}
