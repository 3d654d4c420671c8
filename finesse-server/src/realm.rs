//! Who somebody is, for REST and XMPP by one set of rules.
//!
//! Accounts live in a [`Backend`]: those of the configuration file in any case, and those of Unified CCE or of
//! Unified CM beside them. The [`Realm`] is around them: it remembers a keyed digest of each verified password for a
//! while, so that HTTP Basic with every request costs one HMAC; it lets one of many attempts with the same
//! credentials ask; it counts wrong passwords by user and address ([`LockoutRules`]). Unknown users cost the time of
//! known ones. Nothing here is ever written down or logged.

pub mod basic;

mod backend;
pub mod cce;
pub mod ccx;
mod digest;
mod file;
mod flights;
mod hashing;
mod lockout;
mod locks;
mod memory;
pub(crate) mod outbound;
mod scram;
mod streams;
mod verify;

use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use tokio::sync::mpsc;
use xmpp::Network;

pub use backend::{Attempt, Backend, Checking, Known};
pub use digest::Digest;
use digest::Keyed;
use file::File;
pub use file::{Account, Proof, hash_password};
use flights::Flights;
pub use lockout::LockoutRules;
use lockout::Strangers;
pub use locks::{LockNews, Locked};
use memory::{Refusals, Slots};
pub use streams::{XmppRealm, tag};

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
    /// Whoever knows does not answer. Counts against nobody.
    Unavailable,
}

/// Numbers that govern a realm.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// How long a verified password is remembered, counted from its verification.
    pub remember: Duration,
    /// The same while whoever knows does not answer.
    pub stale: Duration,
    /// How long it is remembered that a backend other than the file has refused certain credentials.
    pub negative: Duration,
    /// Users of whom something is remembered at once; and credentials that were refused.
    pub users: usize,
    /// Attempts that are being verified at once.
    pub attempts: usize,
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
            stale: Duration::from_secs(12 * 60 * 60),
            negative: Duration::from_secs(5),
            users: 50_000,
            attempts: 16_384,
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
    file: File,
    people: Option<Arc<dyn Backend>>,
    rules: Rules,
    key: Arc<Keyed>,
    slots: Slots,
    flights: Flights,
    refusals: Refusals,
    /// What is known of names that nobody has: they are answered as slowly as those of users.
    strangers: Strangers,
    trusted: RwLock<Vec<Network>>,
    news: Mutex<Option<mpsc::Receiver<cce::News>>>,
    /// What the other node of a pair has not been told.
    untold: locks::Untold,
}

impl std::fmt::Debug for Realm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Realm").field("accounts", &self.file.len()).finish_non_exhaustive()
    }
}

/// Collects accounts; made first because keyed accounts need the realm's key.
pub struct Builder {
    rules: Rules,
    key: Arc<Keyed>,
    accounts: Vec<Account>,
    people: Option<Arc<dyn Backend>>,
    news: Option<mpsc::Receiver<cce::News>>,
}

impl Builder {
    /// A builder with a fresh random key.
    ///
    /// # Errors
    /// The operating system gives no random bytes.
    pub fn new(rules: Rules) -> Result<Builder, getrandom::Error> {
        let key = Arc::new(Keyed::random()?);
        Ok(Builder { rules, key, accounts: Vec::new(), people: None, news: None })
    }

    /// Digest of a password for [`Proof::Keyed`].
    pub fn digest(&self, id: &str, password: &str) -> Digest {
        self.key.digest(id, password)
    }

    /// Adds an account of the file. Of two with the same id (without case) the first counts.
    pub fn add(&mut self, account: Account) {
        self.accounts.push(account);
    }

    /// Where the other accounts are. Of two with the same name that of the file counts.
    pub fn people(&mut self, backend: Arc<dyn Backend>) {
        self.people = Some(backend);
    }

    /// The other accounts are those of a peripheral in the database of Unified CCE. Has to be called inside a tokio
    /// runtime; [`Realm::take_news`] tells what they mean for the directory.
    pub fn cce(&mut self, config: &crate::config::CceRealm, peripheral: u32) {
        let (sender, news) = mpsc::channel(1);
        self.people(Arc::new(cce::Cce::spawn(self.key.clone(), config, peripheral, &self.rules, sender)));
        self.news = Some(news);
    }

    /// The passwords of these users (ids with their login names) are those of Unified CM.
    ///
    /// # Errors
    /// An address, a certificate or the account is none.
    pub fn ccx(
        &mut self,
        config: &crate::config::CcxRealm,
        people: impl IntoIterator<Item = (Arc<str>, String)>,
    ) -> Result<(), String> {
        self.people(Arc::new(ccx::Ccx::new(config, people, &self.rules)?));
        Ok(())
    }

    /// The realm.
    pub fn build(self) -> Realm {
        let Builder { rules, key, accounts, people, news } = self;
        Realm {
            file: File::new(accounts, key.clone(), &rules),
            people,
            slots: Slots::new(rules.users),
            flights: Flights::new(rules.attempts),
            refusals: Refusals::new(rules.users),
            strangers: Strangers::default(),
            trusted: RwLock::new(Network::loopback()),
            news: Mutex::new(news),
            untold: locks::Untold::default(),
            rules,
            key,
        }
    }
}

impl Realm {
    /// Id and kind of the account that `name` means, as far as memory tells.
    pub fn find(&self, name: &str, case: Case) -> Option<Identity> {
        self.locate(name, case).1.map(|known| known.identity)
    }

    /// From now on logins from these addresses do not wait behind those of others (the loopback addresses).
    pub fn trust(&self, addresses: Vec<Network>) {
        *self.trusted.write() = addresses;
    }

    /// Slow password hashes computed so far, and the KiB of memory that they filled together: what guessing costs.
    pub fn hashes(&self) -> (u64, u64) {
        self.file.hashes()
    }

    /// What the realm tells the directory; for the one who keeps that.
    pub fn take_news(&self) -> Option<mpsc::Receiver<cce::News>> {
        self.news.lock().take()
    }

    /// Questions put so far to whatever stands behind the realm: what sign-ins cost others.
    pub fn questions(&self) -> u64 {
        self.people.as_ref().map_or(0, |people| people.questions())
    }

    /// Number of accounts in the file.
    pub fn len(&self) -> usize {
        self.file.len()
    }

    /// Whether the file has no accounts.
    pub fn is_empty(&self) -> bool {
        self.file.len() == 0
    }

    /// The backend that has, or would have, the account of this name.
    fn locate(&self, name: &str, case: Case) -> (&dyn Backend, Option<Known>) {
        if let Some(known) = self.file.find(name, case) {
            return (&self.file, Some(known));
        }
        match &self.people {
            Some(people) => (&**people, people.find(name, case)),
            None => (&self.file, None),
        }
    }
}
