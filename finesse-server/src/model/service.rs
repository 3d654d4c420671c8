//! In and out of service: the link, the health of the peripheral, and the rebuilding of the state after each
//! opening of a session. Order matters to clients: OUT_OF_SERVICE is published before requests are refused, IN_SERVICE
//! after they work again, and in between nothing else is published. A session that comes and goes is kept, but has to hold
//! for a while before the server is in service again, so that clients do not move back and forth with it.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use cti::failover::{Damper, Damping};

use super::Model;
use super::dialog::Connection;
use super::output::{Change, Output, Payload, Source, Update};
use super::system::{SYSTEM_INFO, SystemView};
use super::time::{Now, Utc};

/// Where the server stands.
#[derive(Debug)]
pub(super) struct Service {
    phase: Phase,
    /// When the CTI server last said anything, in milliseconds since 1970.
    pub(super) last_sign: Option<i64>,
    announced: bool,
    node: Arc<str>,
    damper: Damper,
    /// When the present session has held for long enough.
    steady_at: Option<Instant>,
    /// The other node of the pair serves.
    standby: bool,
}

#[derive(Debug)]
enum Phase {
    /// No session.
    Down,
    /// A session, but the peripheral is off line.
    Deaf,
    /// The state is being rebuilt.
    Rebuilding(Rebuild),
    /// The state is known; the session has to hold for a while longer, or the other node of the pair serves.
    Proving,
    /// In service.
    Serving,
}

/// What is still to be asked while the state is being rebuilt.
#[derive(Debug, Default)]
pub(super) struct Rebuild {
    pub(super) agents: VecDeque<usize>,
    pub(super) devices: VecDeque<usize>,
    pub(super) calls: VecDeque<(u32, Connection)>,
    pub(super) asked: HashSet<u32>,
    pub(super) outstanding: usize,
}

impl Service {
    pub(super) fn new(damping: Damping) -> Self {
        Self {
            phase: Phase::Down,
            last_sign: None,
            announced: false,
            node: SYSTEM_INFO.into(),
            damper: Damper::new(damping),
            steady_at: None,
            standby: false,
        }
    }

    /// When a session that is only waited for has held for long enough.
    pub(super) fn steady_at(&self) -> Option<Instant> {
        self.steady_at.filter(|_| matches!(self.phase, Phase::Proving) && !self.standby)
    }

    pub(super) fn serving(&self) -> bool {
        matches!(self.phase, Phase::Serving)
    }

    /// Whether the state is known, and with it whatever the CTI server tells.
    pub(super) fn is_told(&self) -> bool {
        matches!(self.phase, Phase::Proving | Phase::Serving)
    }

    pub(super) fn reason(&self) -> &'static str {
        match self.phase {
            Phase::Serving => "",
            _ if self.standby => "STANDBY",
            Phase::Down => "CTI_SERVER_NOT_CONNECTED",
            Phase::Deaf => "PERIPHERAL_OFFLINE",
            Phase::Rebuilding(_) => "INITIALIZING",
            Phase::Proving => "CTI_SERVER_UNSTEADY",
        }
    }

    pub(super) fn rebuild(&mut self) -> Option<&mut Rebuild> {
        match &mut self.phase {
            Phase::Rebuilding(rebuild) => Some(rebuild),
            _ => None,
        }
    }
}

impl Model {
    pub(super) fn link_up(&mut self, now: Now, healthy: bool) {
        self.service.last_sign = Some(now.utc_ms);
        self.leave_service(now, Phase::Deaf);
        self.health(now, healthy);
    }

    pub(super) fn link_down(&mut self, now: Now) {
        self.leave_service(now, Phase::Down);
    }

    pub(super) fn health(&mut self, now: Now, healthy: bool) {
        match (&self.service.phase, healthy) {
            (Phase::Deaf, true) => self.start_rebuilding(now),
            (Phase::Rebuilding(_) | Phase::Proving | Phase::Serving, false) => {
                self.leave_service(now, Phase::Deaf)
            }
            _ => {}
        }
    }

    fn leave_service(&mut self, now: Now, phase: Phase) {
        let was = std::mem::replace(&mut self.service.phase, phase);
        self.requests.clear();
        for seat in &mut self.seats {
            seat.forget_requests();
        }
        if matches!(was, Phase::Serving | Phase::Proving) && !matches!(self.service.phase, Phase::Proving) {
            self.service.damper.lost(now.instant);
        }
        if matches!(was, Phase::Serving) {
            for seat in &mut self.seats {
                seat.was_signed_in = seat.view.signed_in();
            }
            self.publish_status(now);
            self.out.push_back(Output::Service { in_service: false });
            self.schedule_statistics(now, false);
        }
    }

    /// This node of a pair serves from now on, or the other one does. The state is kept up to date on both.
    pub(super) fn set_standby(&mut self, now: Now, standby: bool) {
        self.service.standby = standby;
        if standby && self.service.serving() {
            self.leave_service(now, Phase::Proving);
        }
        self.prove_steady(now);
    }

    fn start_rebuilding(&mut self, now: Now) {
        self.calls.generation += 1;
        self.service.steady_at = Some(now.instant + self.service.damper.steady(now.instant));
        let agents = self.directory.positions().enumerate();
        let agents = agents.filter(|(_, user)| user.is_some_and(|user| user.roles.agent)).map(|(at, _)| at);
        let agents = agents.collect();
        self.service.phase = Phase::Rebuilding(Rebuild { agents, ..Rebuild::default() });
        self.pump(now);
    }

    /// Everything has been asked and answered.
    pub(super) fn rebuilt(&mut self, now: Now) {
        self.service.phase = Phase::Proving;
        self.prove_steady(now);
    }

    /// Goes in service if the session has held for long enough.
    pub(super) fn prove_steady(&mut self, now: Now) {
        if self.service.steady_at().is_some_and(|at| at <= now.instant) {
            self.enter_service(now);
        }
    }

    fn enter_service(&mut self, now: Now) {
        self.service.phase = Phase::Serving;
        self.out.push_back(Output::Service { in_service: true });
        self.publish_status(now);
        for at in 0..self.seats.len() {
            let seat = &mut self.seats[at];
            let known = std::mem::take(&mut seat.was_signed_in) || seat.view.signed_in();
            if known {
                self.publish_user(at, None);
            }
        }
        self.publish_missed();
        self.publish_calls(now);
        self.schedule_statistics(now, true);
    }

    /// Calls that the new session has not confirmed are over; all others are published as they are.
    fn publish_calls(&mut self, now: Now) {
        let generation = self.calls.generation;
        let mut ids: Vec<u32> = self.calls.map.keys().copied().collect();
        ids.sort_unstable();
        self.calls.dirty.clear();
        for id in ids {
            match self.calls.map.get(&id) {
                Some(entry) if entry.generation < generation => self.end_call(now, id),
                Some(_) => self.calls.dirty.push(id),
                None => {}
            }
        }
    }

    fn publish_status(&mut self, now: Now) {
        let in_service = self.service.serving();
        if std::mem::replace(&mut self.service.announced, in_service) != in_service {
            self.publish_system(now);
        }
    }

    /// Publishes the present reading of the server's state.
    pub(super) fn publish_system(&mut self, now: Now) {
        let node = self.service.node.clone();
        self.out.push_back(Output::Publish {
            update: Update {
                payload: Payload::System(Arc::new(self.system_view(now))),
                change: Change::Put,
                request_id: None,
                source: Source::Path(node.clone()),
            },
            node,
        });
    }

    /// The present reading of the server's state.
    pub(super) fn system_view(&self, now: Now) -> SystemView {
        SystemView {
            identity: self.settings.identity.clone(),
            ccx: self.settings.ccx(),
            cti_version: self.settings.version,
            heartbeat_interval: self.settings.heartbeat_interval,
            peripheral_id: self.settings.peripheral_id,
            now: Utc(now.utc_ms),
            in_service: self.service.serving(),
            reason: self.service.reason(),
            last_heartbeat: self.service.last_sign,
            maintenance: self.maintenance(),
            in_maintenance: self.seconds_in_maintenance(now),
        }
    }
}
