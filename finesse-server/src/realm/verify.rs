//! The way of an attempt: memory, lock-out, backend.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use xmpp::Network;

use super::memory::Verified;
use super::{Attempt, Backend, Case, Digest, Identity, Known, Realm, Refused};

impl Realm {
    /// Verifies a password without waiting, if it is remembered: the ordinary case. `None`: [`Realm::verify`] has to
    /// decide.
    pub fn verify_now(
        &self,
        name: &str,
        case: Case,
        password: &str,
        peer: Option<IpAddr>,
        now: Instant,
    ) -> Option<Identity> {
        if password.is_empty() {
            return None;
        }
        let known = self.locate(name, case).1?;
        let digest = self.key.digest(&known.identity.id, password);
        self.remembered(&known, &digest, peer, now, self.rules.remember)
    }

    /// Verifies a password. Takes as long for an unknown user as for a wrong password; answers later from the
    /// third wrong one on.
    ///
    /// Cancel safe: dropping the future forgets the attempt unless its outcome was known already.
    ///
    /// # Errors
    /// [`Refused`]; why credentials are wrong is not told.
    pub async fn verify(
        &self,
        name: &str,
        case: Case,
        password: &str,
        peer: Option<IpAddr>,
        now: Instant,
    ) -> Result<Identity, Refused> {
        if password.is_empty() {
            return Err(Refused::Credentials);
        }
        let (backend, known) = self.locate(name, case);
        let id = known.as_ref().map_or(name, |known| &*known.identity.id);
        let digest = self.key.digest(id, password);
        if let Some(known) = &known
            && let Some(identity) = self.remembered(known, &digest, peer, now, self.rules.remember)
        {
            return Ok(identity);
        }
        let stranger = peer.filter(|peer| !Network::any(&self.trusted.read(), *peer));
        let attempt = Attempt { name, case, password, stranger };
        if known.as_ref().is_some_and(|known| self.refuses(known, peer, now)) {
            // The time must not tell that the account is locked.
            match backend.pretend(attempt).await {
                Err(Refused::Busy) => return Err(Refused::Busy),
                _ => return Err(Refused::Credentials),
            }
        }
        let outcome = match self.refusals.holds(&digest, now, self.negative(backend)) {
            true => Err(Refused::Credentials),
            false => {
                let check = async {
                    // The attempt before may have found out since memory was asked.
                    let found = known.as_ref().filter(|known| {
                        self.remembered(known, &digest, peer, now, self.rules.remember).is_some()
                    });
                    if let Some(known) = found {
                        return Ok(known.clone());
                    }
                    let outcome = backend.check(attempt).await;
                    // Before the flight is over, so that the next attempt finds one or the other.
                    if let Ok(known) = &outcome {
                        let digest = self.key.digest(&known.identity.id, password);
                        let slot = self.slots.of(&known.identity.id, now, &self.rules);
                        slot.0.lock().verified = Some(Verified { digest, version: known.version, at: now });
                    }
                    outcome
                };
                self.flights.join(&digest, check).await
            }
        };
        self.conclude_check(backend, known, outcome, Seen { name, password, digest, peer, now }).await
    }

    async fn conclude_check(
        &self,
        backend: &dyn Backend,
        before: Option<Known>,
        outcome: Result<Known, Refused>,
        seen: Seen<'_>,
    ) -> Result<Identity, Refused> {
        let Seen { name, password, digest, peer, now } = seen;
        match outcome {
            Ok(known) => {
                let digest = self.key.digest(&known.identity.id, password);
                let slot = self.slots.of(&known.identity.id, now, &self.rules);
                let mut state = slot.0.lock();
                // Another attempt may have locked the account meanwhile, or it was not known by this name before.
                if state.record.refuses(peer, now, &self.rules) {
                    return Err(Refused::Credentials);
                }
                state.verified = Some(Verified { digest, version: known.version, at: now });
                let forgives = state.record.succeeded(peer, now);
                drop(state);
                self.tell_forgiven(forgives, &known.identity.id, peer);
                self.refusals.forget(&digest);
                tracing::debug!(user = %known.identity.id, realm = backend.name(), ?peer, "credentials verified");
                Ok(known.identity)
            }
            Err(Refused::Credentials) => {
                let negative = self.negative(backend);
                if !negative.is_zero() && !self.refusals.holds(&digest, now, negative) {
                    self.refusals.insert(&digest, now, negative);
                }
                match before {
                    Some(known) => self.refuse(&known, backend.name(), peer, now).await,
                    None => self.refuse_stranger(name, peer, now).await,
                }
            }
            Err(Refused::Unavailable) => {
                let kept =
                    before.and_then(|known| self.remembered(&known, &digest, peer, now, self.rules.stale));
                if kept.is_none() {
                    journal_refusal(name, backend.name(), "unavailable", peer);
                }
                kept.ok_or(Refused::Unavailable)
            }
            Err(Refused::Busy) => Err(Refused::Busy),
        }
    }

    /// The user, if this is the password that was verified no longer ago than `limit` and he is not locked out.
    fn remembered(
        &self,
        known: &Known,
        digest: &Digest,
        peer: Option<IpAddr>,
        now: Instant,
        limit: Duration,
    ) -> Option<Identity> {
        let slot = self.slots.get(&known.identity.id)?;
        let mut state = slot.0.lock();
        if !state.remembers(digest, known.version, now, limit) || state.record.refuses(peer, now, &self.rules)
        {
            return None;
        }
        let forgives = state.record.succeeded(peer, now);
        drop(state);
        self.tell_forgiven(forgives, &known.identity.id, peer);
        Some(known.identity.clone())
    }

    /// The other node of a pair has to know of a right password if it forgives something.
    pub(super) fn tell_forgiven(&self, forgives: bool, id: &Arc<str>, peer: Option<IpAddr>) {
        if forgives {
            self.untold.add(id, peer, false);
        }
    }

    /// For how long a backend's refusal is remembered. The file's own costs as much the second time, so that nobody
    /// learns who has tried before.
    fn negative(&self, backend: &dyn Backend) -> Duration {
        match backend.name() {
            "file" => Duration::ZERO,
            _ => self.rules.negative,
        }
    }

    fn refuses(&self, known: &Known, peer: Option<IpAddr>, now: Instant) -> bool {
        let slot = self.slots.get(&known.identity.id);
        slot.is_some_and(|slot| slot.0.lock().record.refuses(peer, now, &self.rules))
    }

    /// Counts a wrong password and answers it, late from the third on.
    pub(super) async fn refuse(
        &self,
        known: &Known,
        realm: &'static str,
        peer: Option<IpAddr>,
        now: Instant,
    ) -> Result<Identity, Refused> {
        let id = &known.identity.id;
        let slot = self.slots.of(id, now, &self.rules);
        let (delay, locks) = {
            let record = &mut slot.0.lock().record;
            let before = record.locked(now).is_some();
            let delay = record.failed(peer, now, &self.rules.lockout);
            (delay, !before && record.locked(now).is_some())
        };
        self.untold.add(id, None, false);
        journal_refusal(id, realm, "credentials", peer);
        if locks {
            let seconds = self.rules.lockout.period.as_secs();
            tracing::warn!(target: "journal", user = %id, realm, ?peer, seconds, "user locked out");
        }
        late(delay).await
    }

    /// Answers for a user that does not exist as [`refuse`](Self::refuse) does for one that does.
    pub(super) async fn refuse_stranger(
        &self,
        name: &str,
        peer: Option<IpAddr>,
        now: Instant,
    ) -> Result<Identity, Refused> {
        let digest = self.key.digest(&name.to_lowercase(), "");
        // The name is not written down: people type their passwords there.
        journal_refusal("", "", "unknown user", peer);
        late(self.strangers.failed(digest, peer, now, &self.rules)).await
    }
}

/// What is known of an attempt when its outcome is there.
struct Seen<'a> {
    name: &'a str,
    password: &'a str,
    digest: Digest,
    peer: Option<IpAddr>,
    now: Instant,
}

fn journal_refusal(user: &str, realm: &'static str, reason: &'static str, peer: Option<IpAddr>) {
    tracing::info!(target: "journal", user, realm, reason, ?peer, "credentials refused");
}

async fn late(delay: Duration) -> Result<Identity, Refused> {
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    Err(Refused::Credentials)
}
