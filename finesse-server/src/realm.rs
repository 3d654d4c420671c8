//! Who somebody is: the accounts of the configuration, verified for REST and XMPP by one set of rules.
//!
//! A password is checked against a slow hash (argon2id) once; afterwards a keyed digest of it is remembered for a
//! while, so that HTTP Basic with every request costs one HMAC. Unknown users cost the time of known ones. Wrong
//! passwords are counted by user and address ([`LockoutRules`]). Nothing here is ever written down or logged.

pub mod basic;
mod digest;
mod hashing;
mod lockout;
mod scram;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use argon2::{Argon2, PasswordHasher};
use parking_lot::{Mutex, RwLock};
use xmpp::Network;
use xmpp::sasl::scram::{Decoys, Hash, Verifier};

pub use digest::Digest;
use digest::Keyed;
use hashing::{Busy, Hashing};
pub use lockout::LockoutRules;
use lockout::{Record, Strangers};

/// What an account may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A person of the directory: REST and XMPP.
    Person,
    /// XMPP only; may subscribe to any node.
    Reader,
    /// XMPP only; may also create nodes and publish on any.
    Publisher,
}

/// How an account's password is verified.
#[derive(Clone, Debug)]
pub enum Proof {
    /// argon2id hash in PHC string form.
    Argon2(Arc<str>),
    /// Digest under the key of this process, from [`Builder::digest`]: for passwords that are no secret.
    Keyed(Digest),
}

/// One account.
#[derive(Clone, Debug)]
pub struct Account {
    /// Id of the user.
    pub id: Arc<str>,
    /// Other name accepted at sign-in, compared without case.
    pub login_name: Option<String>,
    /// What it may be used for.
    pub kind: Kind,
    /// How its password is verified.
    pub proof: Proof,
    /// Verifiers of the same password for SCRAM, at most one for each hash function.
    pub scram: Vec<Verifier>,
}

/// Somebody whose password was right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Id of the user.
    pub id: Arc<str>,
    /// What the account may be used for.
    pub kind: Kind,
}

/// Why somebody is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The credentials were not accepted. Which of the reasons (unknown, wrong, locked) applies is not told.
    Credentials,
    /// So many attempts are being verified that this one was not looked at.
    Busy,
}

/// Numbers that govern a realm.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// How long a verified password is remembered, counted from its verification.
    pub remember: Duration,
    /// Whether login names are accepted beside ids.
    pub login_names: bool,
    /// Lock-out.
    pub lockout: LockoutRules,
    /// Bytes for the password hashes that are computed at once. One may be computed in any case.
    pub hashing: usize,
}

impl Default for Rules {
    fn default() -> Rules {
        Rules {
            remember: Duration::from_secs(30 * 60),
            login_names: true,
            lockout: LockoutRules::default(),
            hashing: 256 << 20,
        }
    }
}

/// How names are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// Ids exactly, as in REST.
    Exact,
    /// Ids without case, as in XMPP, where addresses fold.
    Folded,
}

/// The accounts of one server.
pub struct Realm {
    entries: Vec<Entry>,
    by_id: HashMap<String, usize>,
    by_login_name: HashMap<String, usize>,
    rules: Rules,
    key: Keyed,
    /// Verified when the user is unknown, so that the answer takes as long.
    decoy: Proof,
    /// What is known of names that nobody has: they are answered as slowly as those of users.
    strangers: Strangers,
    /// Hash functions for which every account has a verifier.
    hashes: Vec<Hash>,
    decoys: Decoys,
    hashing: Hashing,
    trusted: RwLock<Vec<Network>>,
}

struct Entry {
    account: Account,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    verified: Option<(Digest, Instant)>,
    record: Record,
}

impl std::fmt::Debug for Realm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Realm").field("accounts", &self.entries.len()).finish_non_exhaustive()
    }
}

/// Collects accounts; made first because keyed accounts need the realm's key.
pub struct Builder {
    rules: Rules,
    key: Keyed,
    accounts: Vec<Account>,
}

impl Builder {
    /// A builder with a fresh random key.
    ///
    /// # Errors
    /// The operating system gives no random bytes.
    pub fn new(rules: Rules) -> Result<Builder, getrandom::Error> {
        Ok(Builder { rules, key: Keyed::random()?, accounts: Vec::new() })
    }

    /// Digest of a password for [`Proof::Keyed`].
    pub fn digest(&self, id: &str, password: &str) -> Digest {
        self.key.digest(id, password)
    }

    /// Adds an account. Of two with the same id (without case) the first counts.
    pub fn add(&mut self, account: Account) {
        self.accounts.push(account);
    }

    /// The realm.
    pub fn build(self) -> Realm {
        let Builder { rules, key, accounts } = self;
        let decoy = decoy(&accounts, &key);
        let (hashes, decoys) = scram::common(&accounts);
        let (mut by_id, mut by_login_name) = (HashMap::new(), HashMap::new());
        for (index, account) in accounts.iter().enumerate() {
            by_id.entry(account.id.to_lowercase()).or_insert(index);
            if let Some(name) = &account.login_name {
                by_login_name.entry(name.to_lowercase()).or_insert(index);
            }
        }
        let entries: Vec<_> =
            accounts.into_iter().map(|account| Entry { account, state: Mutex::default() }).collect();
        let costs = entries.iter().filter_map(|entry| match &entry.account.proof {
            Proof::Argon2(phc) => hashing::cost(phc),
            Proof::Keyed(_) => None,
        });
        let hashing = Hashing::new(rules.hashing, costs.max().unwrap_or_default());
        let strangers = Strangers::default();
        let trusted = RwLock::new(Network::loopback());
        Realm {
            entries,
            by_id,
            by_login_name,
            rules,
            key,
            decoy,
            strangers,
            hashes,
            decoys,
            hashing,
            trusted,
        }
    }
}

/// A proof that nothing fulfils and that costs what the first real one costs.
fn decoy(accounts: &[Account], key: &Keyed) -> Proof {
    let nobody = key.digest("", "");
    let Some(real) = accounts.iter().find_map(|account| match &account.proof {
        Proof::Argon2(phc) => Some(phc),
        Proof::Keyed(_) => None,
    }) else {
        return Proof::Keyed(nobody);
    };
    let params = argon2::password_hash::phc::PasswordHash::new(real)
        .ok()
        .and_then(|hash| argon2::Params::try_from(&hash).ok())
        .unwrap_or_default();
    match Argon2::from(params).hash_password(nobody.as_bytes()) {
        Ok(hash) => Proof::Argon2(hash.to_string().into()),
        Err(_) => Proof::Argon2(real.clone()),
    }
}

/// Hash of a new password, with fresh salt and the recommended cost, as PHC string.
///
/// # Errors
/// The operating system gives no random bytes.
pub fn hash_password(password: &str) -> Result<String, argon2::password_hash::Error> {
    Ok(Argon2::default().hash_password(password.as_bytes())?.to_string())
}

impl Realm {
    /// Id and kind of the account that `name` means.
    pub fn find(&self, name: &str, case: Case) -> Option<Identity> {
        self.entry(name, case).map(Entry::identity)
    }

    /// From now on logins from these addresses do not wait behind those of others (the loopback addresses).
    pub fn trust(&self, addresses: Vec<Network>) {
        *self.trusted.write() = addresses;
    }

    /// Slow password hashes computed so far, and the KiB of memory that they filled together: what guessing costs.
    pub fn hashes(&self) -> (u64, u64) {
        self.hashing.done()
    }

    /// Number of accounts.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are no accounts.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn entry(&self, name: &str, case: Case) -> Option<&Entry> {
        let folded = name.to_lowercase();
        let by_id = self.by_id.get(&folded).map(|&index| &self.entries[index]);
        if let Some(entry) = by_id.filter(|entry| case == Case::Folded || *entry.account.id == *name) {
            return Some(entry);
        }
        if !self.rules.login_names {
            return None;
        }
        self.by_login_name.get(&folded).map(|&index| &self.entries[index])
    }

    /// Verifies a password without waiting, if it is remembered or its proof is cheap: the ordinary case.
    /// `None`: [`Realm::verify`] has to decide.
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
        let entry = self.entry(name, case)?;
        let digest = self.key.digest(&entry.account.id, password);
        let mut state = entry.state.lock();
        let right = match (&entry.account.proof, &state.verified) {
            (Proof::Keyed(expected), _) => *expected == digest,
            (Proof::Argon2(_), Some((expected, at))) => {
                *expected == digest && now.saturating_duration_since(*at) < self.rules.remember
            }
            (Proof::Argon2(_), None) => false,
        };
        if !right || state.record.refuses(peer, now, &self.rules) {
            return None;
        }
        state.record.succeeded(peer, now);
        Some(entry.identity())
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
        if let Some(identity) = self.verify_now(name, case, password, peer, now) {
            return Ok(identity);
        }
        let Some(entry) = self.entry(name, case) else {
            self.pretend(password, peer).await?;
            return self.refuse_stranger(name, peer, now).await;
        };
        let locked = entry.state.lock().record.refuses(peer, now, &self.rules);
        if locked {
            // The time must not tell that the account is locked.
            self.pretend(password, peer).await?;
            return Err(Refused::Credentials);
        }
        if self.prove_entry(entry, password, peer, now).await? {
            let mut state = entry.state.lock();
            state.verified = Some((self.key.digest(&entry.account.id, password), now));
            state.record.succeeded(peer, now);
            return Ok(entry.identity());
        }
        self.refuse(entry, peer, now).await
    }

    /// Counts a wrong password and answers it, late from the third on.
    async fn refuse(&self, entry: &Entry, peer: Option<IpAddr>, now: Instant) -> Result<Identity, Refused> {
        let delay = entry.state.lock().record.failed(peer, now, &self.rules.lockout);
        tracing::info!(user = %entry.account.id, peer = ?peer, "wrong password");
        late(delay).await
    }

    /// Answers for a user that does not exist as [`refuse`](Self::refuse) does for one that does.
    async fn refuse_stranger(
        &self,
        name: &str,
        peer: Option<IpAddr>,
        now: Instant,
    ) -> Result<Identity, Refused> {
        let digest = self.key.digest(&name.to_lowercase(), "");
        late(self.strangers.failed(digest, peer, now, &self.rules)).await
    }

    /// Verifies against an account; of many attempts at once with the same password one computes the hash.
    async fn prove_entry(
        &self,
        entry: &Entry,
        password: &str,
        peer: Option<IpAddr>,
        now: Instant,
    ) -> Result<bool, Refused> {
        let verified = || self.verify_now(&entry.account.id, Case::Exact, password, peer, now).is_some();
        self.prove(&entry.account.proof, &entry.account.id, password, peer, verified).await
    }

    /// As slow as a wrong password of a known user.
    async fn pretend(&self, password: &str, peer: Option<IpAddr>) -> Result<bool, Refused> {
        self.prove(&self.decoy, "", password, peer, || false).await
    }

    async fn prove(
        &self,
        proof: &Proof,
        id: &str,
        password: &str,
        peer: Option<IpAddr>,
        verified: impl FnOnce() -> bool,
    ) -> Result<bool, Refused> {
        match proof {
            Proof::Keyed(expected) => Ok(*expected == self.key.digest(id, password)),
            Proof::Argon2(phc) => {
                let stranger = peer.filter(|peer| !Network::any(&self.trusted.read(), *peer));
                let turn = self.hashing.enter(stranger).map_err(|Busy| Refused::Busy)?;
                Ok(turn.verify(phc.clone(), password, verified).await)
            }
        }
    }
}

async fn late(delay: Duration) -> Result<Identity, Refused> {
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    Err(Refused::Credentials)
}

impl Entry {
    fn identity(&self) -> Identity {
        Identity { id: self.account.id.clone(), kind: self.account.kind }
    }
}

/// [`xmpp::Principal::tag`] of a kind of account.
pub const fn tag(kind: Kind) -> u64 {
    match kind {
        Kind::Person => 0,
        Kind::Reader => 1,
        Kind::Publisher => 2,
    }
}

/// The realm as the XMPP service asks it: user id or login name, without case.
#[derive(Clone, Debug)]
pub struct XmppRealm(pub Arc<Realm>);

impl xmpp::Authenticator for XmppRealm {
    fn authenticate(&self, credentials: xmpp::Credentials) -> xmpp::auth::Verdict {
        let realm = self.0.clone();
        Box::pin(async move {
            let password = credentials.password.expose();
            let outcome = realm
                .verify(&credentials.user, Case::Folded, password, credentials.peer, Instant::now())
                .await;
            match outcome {
                Ok(identity) => Ok(xmpp::Principal { user: identity.id, tag: tag(identity.kind) }),
                Err(Refused::Credentials) => Err(xmpp::AuthFailure::NotAuthorized),
                Err(Refused::Busy) => Err(xmpp::AuthFailure::Temporary),
            }
        })
    }

    fn scram(&self) -> Option<&dyn xmpp::Verifiers> {
        Some(self)
    }

    /// Whoever comes back with a token has to have his account still. Wrong passwords of others do not keep him out.
    fn readmit(&self, principal: xmpp::Principal, _: Option<IpAddr>) -> xmpp::auth::Verdict {
        let found = self.0.find(&principal.user, Case::Exact);
        let found = found.map(|identity| xmpp::Principal { user: identity.id, tag: tag(identity.kind) });
        Box::pin(std::future::ready(found.ok_or(xmpp::AuthFailure::NotAuthorized)))
    }
}
