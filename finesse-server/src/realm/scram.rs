//! SCRAM (RFC 5802): verifiers of the accounts, under the rules of lock-out that passwords have.

use std::net::IpAddr;
use std::time::Instant;

use sha2::{Digest, Sha256};
use xmpp::Verifiers;
use xmpp::auth::{Attempt, Lookup, Verdict};
use xmpp::sasl::scram::{Decoys, Hash, Verifier};

use super::streams::verdict;
use super::{Account, Backend as _, Case, Identity, Realm, Refused, XmppRealm};

/// Hash functions for which every account has a verifier, and decoys that look like the real ones. What the decoys
/// are made of stays the same as long as the accounts do, over restarts too.
pub(super) fn common(accounts: &[Account]) -> (Vec<Hash>, Decoys) {
    let has = |account: &Account, hash| account.scram.iter().any(|verifier| verifier.hash() == hash);
    let all = |hash: &Hash| !accounts.is_empty() && accounts.iter().all(|account| has(account, *hash));
    let mut secret = Sha256::new();
    for verifier in accounts.iter().flat_map(|account| &account.scram) {
        secret.update(zeroize::Zeroizing::new(verifier.to_text()).as_bytes());
    }
    let first = accounts.iter().find_map(|account| account.scram.first());
    (Hash::ALL.into_iter().filter(all).collect(), Decoys::new(&secret.finalize(), first))
}

impl Realm {
    fn verifier(&self, name: &str, hash: Hash) -> Option<Verifier> {
        let account = self.file.account(name, Case::Folded)?;
        account.scram.iter().find(|verifier| verifier.hash() == hash).cloned()
    }

    /// Judges an attempt whose password was proven or not by other means: counts it, and refuses a locked account.
    /// Late from the third wrong password on, for unknown users too.
    async fn conclude(
        &self,
        name: &str,
        proven: bool,
        peer: Option<IpAddr>,
        now: Instant,
    ) -> Result<Identity, Refused> {
        let Some(known) = self.file.find(name, Case::Folded) else {
            return self.refuse_stranger(name, peer, now).await;
        };
        {
            let slot = self.slots.of(&known.identity.id, now, &self.rules);
            let mut state = slot.0.lock();
            if state.record.refuses(peer, now, &self.rules) {
                return Err(Refused::Credentials);
            }
            if proven {
                let forgives = state.record.succeeded(peer, now);
                drop(state);
                self.tell_forgiven(forgives, &known.identity.id, peer);
                return Ok(known.identity);
            }
        }
        self.refuse(&known, self.file.name(), peer, now).await
    }
}

impl Verifiers for XmppRealm {
    fn hashes(&self) -> &[Hash] {
        // Who is not in the file has no verifier.
        if self.0.people.is_some() { &[] } else { &self.0.file.hashes }
    }

    fn decoys(&self) -> &Decoys {
        &self.0.file.decoys
    }

    fn lookup(&self, attempt: &Attempt) -> Lookup {
        let found = self.0.verifier(&attempt.user, attempt.hash);
        Box::pin(std::future::ready(Ok(found)))
    }

    fn conclude(&self, attempt: Attempt, proven: bool) -> Verdict {
        let realm = self.0.clone();
        Box::pin(async move {
            let Attempt { user, peer, .. } = attempt;
            verdict(realm.conclude(&user, proven, peer, Instant::now()).await)
        })
    }
}
