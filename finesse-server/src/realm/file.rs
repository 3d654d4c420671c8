//! The realm of the configuration file: accounts that are there from the start, with a slow hash of each password.

use std::collections::HashMap;
use std::sync::Arc;

use argon2::{Argon2, PasswordHasher};
use xmpp::sasl::scram::{Decoys, Hash, Verifier};

use super::backend::{Attempt, Backend, Checking, Known};
use super::digest::{Digest, Keyed};
use super::hashing::{self, Busy, Hashing};
use super::{Case, Identity, Kind, Refused, Rules, scram};

/// How an account's password is verified.
#[derive(Clone, Debug)]
pub enum Proof {
    /// argon2id hash in PHC string form.
    Argon2(Arc<str>),
    /// Digest under the key of this process, from [`Builder::digest`](super::Builder::digest): for passwords that are no
    /// secret.
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

/// The accounts of the file.
pub(super) struct File {
    accounts: Vec<Account>,
    by_id: HashMap<String, usize>,
    by_login_name: HashMap<String, usize>,
    login_names: bool,
    key: Arc<Keyed>,
    /// Verified when the user is unknown, so that the answer takes as long.
    decoy: Proof,
    /// Hash functions for which every account has a verifier.
    pub(super) hashes: Vec<Hash>,
    pub(super) decoys: Decoys,
    hashing: Hashing,
}

impl File {
    pub(super) fn new(accounts: Vec<Account>, key: Arc<Keyed>, rules: &Rules) -> File {
        let decoy = decoy(&accounts, &key);
        let (hashes, decoys) = scram::common(&accounts);
        let (mut by_id, mut by_login_name) = (HashMap::new(), HashMap::new());
        for (index, account) in accounts.iter().enumerate() {
            by_id.entry(account.id.to_lowercase()).or_insert(index);
            if let Some(name) = &account.login_name {
                by_login_name.entry(name.to_lowercase()).or_insert(index);
            }
        }
        let costs = accounts.iter().filter_map(|account| match &account.proof {
            Proof::Argon2(phc) => hashing::cost(phc),
            Proof::Keyed(_) => None,
        });
        let hashing = Hashing::new(rules.hashing, costs.max().unwrap_or_default(), rules.attempts);
        let login_names = rules.login_names;
        File { accounts, by_id, by_login_name, login_names, key, decoy, hashes, decoys, hashing }
    }

    pub(super) fn len(&self) -> usize {
        self.accounts.len()
    }

    /// Hashes computed so far, and the KiB that they filled.
    pub(super) fn hashes(&self) -> (u64, u64) {
        self.hashing.done()
    }

    pub(super) fn account(&self, name: &str, case: Case) -> Option<&Account> {
        let folded = name.to_lowercase();
        let by_id = self.by_id.get(&folded).map(|&index| &self.accounts[index]);
        if let Some(account) = by_id.filter(|account| case == Case::Folded || *account.id == *name) {
            return Some(account);
        }
        if !self.login_names {
            return None;
        }
        self.by_login_name.get(&folded).map(|&index| &self.accounts[index])
    }

    async fn prove(&self, proof: &Proof, id: &str, attempt: Attempt<'_>) -> Result<bool, Refused> {
        match proof {
            Proof::Keyed(expected) => Ok(*expected == self.key.digest(id, attempt.password)),
            Proof::Argon2(phc) => {
                let turn = self.hashing.enter(attempt.stranger).map_err(|Busy| Refused::Busy)?;
                Ok(turn.verify(phc.clone(), attempt.password).await)
            }
        }
    }
}

impl Account {
    pub(super) fn known(&self) -> Known {
        Known { identity: Identity { id: self.id.clone(), kind: self.kind }, version: 0 }
    }
}

impl Backend for File {
    fn name(&self) -> &'static str {
        "file"
    }

    fn find(&self, name: &str, case: Case) -> Option<Known> {
        self.account(name, case).map(Account::known)
    }

    fn check<'a>(&'a self, attempt: Attempt<'a>) -> Checking<'a> {
        Box::pin(async move {
            let Some(account) = self.account(attempt.name, attempt.case) else {
                return self.pretend(attempt).await;
            };
            match self.prove(&account.proof, &account.id, attempt).await? {
                true => Ok(account.known()),
                false => Err(Refused::Credentials),
            }
        })
    }

    fn pretend<'a>(&'a self, attempt: Attempt<'a>) -> Checking<'a> {
        Box::pin(async move { self.prove(&self.decoy, "", attempt).await.and(Err(Refused::Credentials)) })
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
