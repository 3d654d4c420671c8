//! Time limits of one stream: what it waits for, and until when.

use std::time::Instant;

use broker::Parcel;

use super::rate::Rate;
use super::{Framing, Phase, Stream, render};
use crate::config::{Limits, Timeouts};
use crate::{AuthFailure, StreamError};

/// Instants from which deadlines follow; nothing is armed anywhere.
pub(super) struct Clock {
    /// Last input for the stream.
    input: Instant,
    /// Last sign of life of any kind; a pong of the transport is one, but does not keep the stream from
    /// being probed.
    alive: Instant,
    /// When the present phase of logging in has to be over.
    login: Instant,
    /// Since when the realm works.
    realm_since: Option<Instant>,
    /// Since when a stanza is incomplete.
    partial_since: Option<Instant>,
    /// A ping went out for the present silence.
    probed: bool,
    rate: Option<Rate>,
    /// Nothing is read before this.
    throttled: Option<Instant>,
}

impl Clock {
    pub(super) fn new(now: Instant, limits: &Limits, timeouts: &Timeouts) -> Self {
        Self {
            input: now,
            alive: now,
            login: now + timeouts.authenticate,
            realm_since: None,
            partial_since: None,
            probed: false,
            rate: Some(Rate::new(now, limits.stanzas_per_second, limits.stanza_burst)),
            throttled: None,
        }
    }

    pub(super) fn heard(&mut self, now: Instant) {
        self.input = now;
        self.alive = now;
        self.probed = false;
    }

    /// An instant that has passed.
    pub(super) fn begun(&self) -> Instant {
        self.alive
    }

    /// The transport below is alive.
    pub(super) fn alive(&mut self, now: Instant) {
        self.alive = now;
    }

    /// A stanza has begun; the clock runs from its first byte.
    pub(super) fn partial(&mut self, now: Instant) {
        self.partial_since.get_or_insert(now);
    }

    pub(super) fn complete(&mut self) {
        self.partial_since = None;
    }

    /// The realm is asked: logging in stands still.
    pub(super) fn pause_login(&mut self, now: Instant) {
        self.realm_since = Some(now);
    }

    pub(super) fn resume_login(&mut self, now: Instant) {
        if let Some(since) = self.realm_since.take() {
            self.login += now.saturating_duration_since(since);
            self.heard(now);
        }
    }

    /// Authenticated: the time to bind begins.
    pub(super) fn start_binding(&mut self, now: Instant, timeouts: &Timeouts) {
        self.login = now + timeouts.bind;
    }

    /// The session may send as fast as it likes.
    pub(super) fn lift_rate(&mut self) {
        self.rate = None;
    }

    /// Counts one stanza; true if it slows the session down.
    pub(super) fn count_stanza(&mut self, now: Instant) -> bool {
        if let Some(rate) = &mut self.rate {
            rate.take(now);
            self.throttled = rate.blocked_until(now);
        }
        self.throttled.is_some()
    }

    pub(super) fn is_throttled(&self) -> bool {
        self.throttled.is_some()
    }

    pub(super) fn is_flooded(&self, now: Instant) -> bool {
        self.rate.is_some_and(|rate| rate.is_exceeded(now))
    }

    /// A BOSH session has time limits of its own once it is bound; silence is normal there.
    pub(super) fn deadline(&self, phase: Phase, framing: Framing, timeouts: &Timeouts) -> Option<Instant> {
        let watches_silence = framing != Framing::Bosh;
        let phase_end = match phase {
            Phase::Closed | Phase::Detached => return None,
            Phase::Authentication => self.realm_since.map(|since| since + timeouts.realm),
            Phase::Bound if !watches_silence => None,
            Phase::Bound if self.probed => Some(self.alive + timeouts.idle_close),
            Phase::Bound => Some(self.input + timeouts.idle_probe),
            _ => Some(self.login),
        };
        let partial = self.partial_since.map(|since| since + timeouts.partial_stanza);
        let throttled = self.throttled.filter(|_| watches_silence);
        [phase_end, partial, throttled].into_iter().flatten().min()
    }
}

impl Stream {
    /// Time has passed; may be called too early or too late.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.clock.throttled.is_some_and(|until| until <= now) {
            self.clock.throttled = None;
            // Silence was ours, not the client's.
            self.clock.heard(now);
        }
        if self.phase == Phase::Detached {
            return self.wait_detached(now);
        }
        self.sm_timeout(now);
        let timeouts = self.timeouts();
        if self.clock.partial_since.is_some_and(|since| since + timeouts.partial_stanza <= now) {
            return self.fail(StreamError::ConnectionTimeout);
        }
        match self.phase {
            Phase::Closed | Phase::Detached => {}
            Phase::Authentication
                if self.clock.realm_since.is_none_or(|since| now < since + timeouts.realm) => {}
            Phase::Authentication => self.handle_auth(now, Err(AuthFailure::Temporary)),
            Phase::Bound => self.check_silence(now),
            _ if self.clock.login <= now => self.fail(StreamError::ConnectionTimeout),
            _ => {}
        }
    }

    fn check_silence(&mut self, now: Instant) {
        let timeouts = self.timeouts();
        if self.framing == Framing::Bosh {
            return;
        }
        if self.clock.alive + timeouts.idle_close <= now {
            if !self.detach() {
                self.fail(StreamError::ConnectionTimeout);
            }
        } else if !self.clock.probed && self.clock.input + timeouts.idle_probe <= now {
            self.clock.probed = true;
            self.probe();
        }
    }

    /// Any answer, also an error, is a sign of life (XEP-0199 §4.2).
    fn probe(&self) {
        if let Some(splicer) = &self.splicer {
            let ping = render::ping(&self.service.config().domain, splicer.full());
            let _ = self.outbox.push(Parcel::notice(ping));
        }
    }
}
