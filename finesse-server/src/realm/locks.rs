//! Who is locked out: to be listed, to be let in again, and to be told to the other node of a pair.
//!
//! Each node counts what it has seen itself and adds what the other one says that it has seen; so nothing is counted
//! twice, however often it is said.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::{Case, Realm};

/// What the other node of a pair has to know of a user's wrong passwords.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockNews {
    /// Id of the user.
    pub user: Arc<str>,
    /// Wrong passwords at this node, all there are.
    pub failures: u32,
    /// How long he is still refused; zero if he is not.
    pub left: Duration,
    /// A right password came from this address.
    pub forgiven: Option<IpAddr>,
    /// An administrator has let him in again.
    pub unlocked: bool,
}

/// The address that was forgiven, and whether an administrator has let the user in.
type Change = (Option<IpAddr>, bool);

/// Users of whom the other node does not know the latest. Each stands here once, so that there are no more than slots.
#[derive(Debug, Default)]
pub(super) struct Untold {
    users: Mutex<HashMap<Arc<str>, Change>>,
    notify: Notify,
}

impl Untold {
    /// Something has changed about this user.
    pub(super) fn add(&self, user: &Arc<str>, forgiven: Option<IpAddr>, unlocked: bool) {
        let mut users = self.users.lock();
        let news = users.entry(user.clone()).or_default();
        news.0 = forgiven.or(news.0);
        news.1 |= unlocked;
        drop(users);
        self.notify.notify_one();
    }
}

/// A user who is locked out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locked {
    /// Id of the user.
    pub user: Arc<str>,
    /// Name of the realm that has his account.
    pub realm: &'static str,
    /// Wrong passwords in a row.
    pub failures: u32,
    /// Addresses that they came from; a few, as far as known.
    pub from: Vec<IpAddr>,
    /// How long the lock will hold.
    pub left: Duration,
}

impl Realm {
    /// Who is locked out at present, by id.
    pub fn locked(&self, now: Instant) -> Vec<Locked> {
        let mut list: Vec<Locked> = Vec::new();
        for (user, slot) in self.slots.all() {
            let state = slot.0.lock();
            let Some(left) = state.record.locked(now) else { continue };
            let (failures, from) = state.record.failures();
            drop(state);
            let realm = self.locate(&user, Case::Exact).0.name();
            list.push(Locked { user, realm, failures, from, left });
        }
        list.sort_by(|one, other| one.user.cmp(&other.user));
        list
    }

    /// Lets a user in again whatever was done wrong in his name. Whether he was locked out.
    pub fn unlock(&self, id: &str, now: Instant) -> bool {
        let Some(slot) = self.slots.get(id) else { return false };
        let record = &mut slot.0.lock().record;
        let locked = record.locked(now).is_some();
        record.unlock();
        if locked {
            tracing::info!(target: "journal", user = id, "user unlocked");
        }
        self.untold.add(&id.into(), None, true);
        locked
    }

    /// Waits for something that the other node of a pair has to know, and takes all there is. Cancel safe.
    pub async fn lock_news(&self) -> Vec<LockNews> {
        loop {
            let users = std::mem::take(&mut *self.untold.users.lock());
            if !users.is_empty() {
                let news = users.into_iter().map(|(user, (forgiven, unlocked))| LockNews {
                    forgiven,
                    unlocked,
                    ..self.lock_state(user, Instant::now())
                });
                return news.collect();
            }
            self.untold.notify.notified().await;
        }
    }

    /// All that another node has to know which has not heard of this one before.
    pub fn all_locks(&self, now: Instant) -> Vec<LockNews> {
        let all = self.slots.all().into_iter().map(|(user, _)| self.lock_state(user, now));
        all.filter(|news| news.failures > 0 || !news.left.is_zero()).collect()
    }

    fn lock_state(&self, user: Arc<str>, now: Instant) -> LockNews {
        let slot = self.slots.get(&user);
        let (failures, left) = slot.map_or((0, Duration::ZERO), |slot| slot.0.lock().record.told(now));
        LockNews { user, failures, left, forgiven: None, unlocked: false }
    }

    /// Takes over what the other node of a pair says of a user. Users that this node does not know are left out.
    pub fn hear_locks(&self, news: &LockNews, now: Instant) {
        let Some(known) = self.locate(&news.user, Case::Exact).1 else { return };
        let id = &known.identity.id;
        // Nobody needs a place to be told that he has done nothing.
        let blank = news.failures == 0 && news.left.is_zero();
        let slot = match self.slots.get(id) {
            Some(slot) => slot,
            None if blank => return,
            None => self.slots.of(id, now, &self.rules),
        };
        let record = &mut slot.0.lock().record;
        if news.unlocked {
            record.unlock();
        }
        record.failed_elsewhere(news.failures);
        let forgave = news.forgiven.is_some() && record.forgive(news.forgiven);
        if !news.left.is_zero() {
            record.lock_until(now + news.left.min(self.rules.lockout.period));
        }
        if forgave {
            self.untold.add(id, None, false);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Account, Builder, Kind, Proof, Rules};
    use super::*;

    fn peer(last: u8) -> Option<IpAddr> {
        Some(IpAddr::from([10, 0, 0, last]))
    }

    /// A node with the user 1001.
    fn node() -> Realm {
        let mut builder = Builder::new(Rules::default()).unwrap();
        let proof = Proof::Keyed(builder.digest("1001", "secret"));
        let id = "1001".into();
        builder.add(Account { id, login_name: None, kind: Kind::Person, proof, scram: vec![] });
        builder.build()
    }

    /// Tries a password as 1001; whether it was right.
    async fn attempt(node: &Realm, password: &str, from: u8) -> bool {
        node.verify("1001", Case::Exact, password, peer(from), Instant::now()).await.is_ok()
    }

    /// Says what is new on one node to the other, until neither has anything to say.
    async fn talk(one: &Realm, two: &Realm) {
        for (from, to) in [(one, two), (two, one), (one, two)] {
            if from.untold.users.lock().is_empty() {
                continue;
            }
            for news in from.lock_news().await {
                to.hear_locks(&news, Instant::now());
                to.hear_locks(&news, Instant::now());
            }
        }
        assert!(one.untold.users.lock().is_empty() && two.untold.users.lock().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn wrong_passwords_at_both_nodes_add_up_once() {
        let (one, two) = (node(), node());
        for _ in 0..2 {
            assert!(!attempt(&one, "wrong", 1).await);
            talk(&one, &two).await;
            assert!(!attempt(&two, "wrong", 1).await);
            talk(&one, &two).await;
        }
        assert!(
            one.locked(Instant::now()).is_empty() && two.locked(Instant::now()).is_empty(),
            "four are too few"
        );
        assert!(!attempt(&two, "wrong", 1).await);
        assert!(!attempt(&two, "secret", 2).await, "locked here");
        assert!(attempt(&one, "secret", 2).await, "not told yet");
        talk(&one, &two).await;
        assert_eq!(one.locked(Instant::now()).len(), 1);
        assert!(!attempt(&one, "secret", 3).await, "locked there as well");
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_let_in_again_is_so_on_both() {
        let (one, two) = (node(), node());
        for _ in 0..5 {
            attempt(&one, "wrong", 1).await;
        }
        talk(&one, &two).await;
        assert!(!attempt(&two, "secret", 2).await);
        assert!(two.unlock("1001", Instant::now()));
        talk(&one, &two).await;
        assert!(attempt(&one, "secret", 2).await && attempt(&two, "secret", 3).await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_right_password_forgives_what_the_address_did_on_both() {
        let (one, two) = (node(), node());
        for _ in 0..4 {
            attempt(&one, "wrong", 1).await;
        }
        talk(&one, &two).await;
        assert!(attempt(&two, "secret", 1).await);
        talk(&one, &two).await;
        for _ in 0..4 {
            attempt(&two, "wrong", 1).await;
        }
        talk(&one, &two).await;
        assert!(one.locked(Instant::now()).is_empty() && two.locked(Instant::now()).is_empty());
        assert_eq!(two.all_locks(Instant::now())[0].failures, 4);
        assert!(one.all_locks(Instant::now()).is_empty(), "what it has heard is not its own to say");
    }

    #[tokio::test(start_paused = true)]
    async fn right_passwords_that_forgive_nothing_are_not_told() {
        let (one, two) = (node(), node());
        for _ in 0..3 {
            assert!(attempt(&one, "secret", 1).await);
        }
        assert!(one.untold.users.lock().is_empty());
        let nobody = LockNews {
            user: "nobody".into(),
            failures: 3,
            left: Duration::from_secs(9),
            forgiven: None,
            unlocked: false,
        };
        two.hear_locks(&nobody, Instant::now());
        assert!(two.locked(Instant::now()).is_empty());
        // Longer than a lock can be is not believed.
        two.hear_locks(
            &LockNews { user: "1001".into(), left: Duration::from_secs(1 << 30), ..nobody },
            Instant::now(),
        );
        assert!(two.locked(Instant::now())[0].left <= Rules::default().lockout.period);
    }
}
