//! Who logs in: credentials as a client sent them, and the embedder's answer.
//!
//! Owns the types on both sides of the [`Authenticator`] seam. Never verifies anything itself.

use std::fmt;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use crate::sasl::scram::{Decoys, Hash, Verifier};

/// An authenticated user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// Canonical id of the user, not escaped. The local part of the user's address is this id in lower
    /// case, escaped by XEP-0106.
    pub user: Arc<str>,
    /// Free for the embedder, for example the index of a role. The crate only carries it.
    pub tag: u64,
}

/// A password as a client sent it. Masked in `Debug`, overwritten when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// Takes over `text`.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The password itself; name chosen so that a reader of the caller stops here.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl Drop for Password {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.0);
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(***)")
    }
}

/// What a client presented (SASL PLAIN, RFC 4616).
#[derive(Clone, Debug)]
pub struct Credentials {
    /// User id, unescaped, without a domain. Not normalised: matching without case is the realm's work.
    pub user: String,
    /// Password in clear.
    pub password: Password,
    /// Address of the client, if the transport knows it.
    pub peer: Option<IpAddr>,
}

/// Why a login was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthFailure {
    /// Wrong password, unknown user or locked account: one answer for all three (`not-authorized`).
    NotAuthorized,
    /// The realm could not be asked (`temporary-auth-failure`), so that clients do not prompt again.
    Temporary,
    /// The account is switched off and the operator wants clients to know (`account-disabled`).
    Disabled,
}

/// What [`Authenticator::authenticate`] returns.
pub type Verdict = Pin<Box<dyn Future<Output = Result<Principal, AuthFailure>> + Send>>;

/// The embedder's realm.
pub trait Authenticator: Send + Sync + 'static {
    /// Verifies credentials. Dropping the future abandons the attempt. Unknown users have to take as long
    /// as wrong passwords.
    fn authenticate(&self, credentials: Credentials) -> Verdict;

    /// What SCRAM needs; `None`, the default, where passwords can only be verified in clear. Only asked with
    /// [`Config::scram`](crate::Config::scram).
    fn scram(&self) -> Option<&dyn Verifiers> {
        None
    }

    /// Somebody who logged in earlier comes back with a token (XEP-0484): may he still? By default he may. An
    /// error takes all his tokens away, save [`AuthFailure::Temporary`].
    fn readmit(&self, principal: Principal, _peer: Option<IpAddr>) -> Verdict {
        Box::pin(std::future::ready(Ok(principal)))
    }
}

/// One attempt to log in by SCRAM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// User id, unescaped, without a domain, not normalised.
    pub user: String,
    /// Hash function of the chosen mechanism.
    pub hash: Hash,
    /// Address of the client, if the transport knows it.
    pub peer: Option<IpAddr>,
}

/// What [`Verifiers::lookup`] returns.
pub type Lookup = Pin<Box<dyn Future<Output = Result<Option<Verifier>, AuthFailure>> + Send>>;

/// The side of a realm that SCRAM needs (RFC 5802).
pub trait Verifiers: Send + Sync {
    /// Hash functions for which *every* user has a verifier; no other is offered. Asked once, when the service is
    /// made.
    fn hashes(&self) -> &[Hash];

    /// Makes up verifiers for users that do not exist.
    fn decoys(&self) -> &Decoys;

    /// The verifier of a user for the attempt's hash; `None` for one that does not exist, who is then led
    /// through the same steps as the others. Errors end the attempt at once: only for what clients may know.
    fn lookup(&self, attempt: &Attempt) -> Lookup;

    /// The attempt is over; `proven` if the client knew the password. Here failures are counted and locked accounts
    /// refused. The result for `proven: false` has to be an error.
    fn conclude(&self, attempt: Attempt, proven: bool) -> Verdict;
}

/// Something the realm has to be asked; [`Service::ask`](crate::Service::ask) does.
#[derive(Debug)]
#[non_exhaustive]
pub enum Question {
    /// Are these credentials right?
    Password(Credentials),
    /// What is this user's verifier?
    Verifier(Attempt),
    /// The attempt came out so; may he in?
    Outcome {
        /// The attempt.
        attempt: Attempt,
        /// Whether the client knew the password.
        proven: bool,
    },
    /// The user with a valid token, or why there is none; may he in?
    Token {
        /// Whose token it is.
        owner: Result<Principal, AuthFailure>,
        /// Address of the client.
        peer: Option<IpAddr>,
    },
}

/// What the realm said to a [`Question`]; for [`Stream::handle_auth`](crate::Stream::handle_auth).
#[derive(Debug)]
#[non_exhaustive]
pub enum Answer {
    /// In, or not.
    Verdict(Result<Principal, AuthFailure>),
    /// The verifier asked for.
    Verifier(Result<Verifier, AuthFailure>),
}

impl Answer {
    /// True for the answer to a wrong password: the one that shells keep back from addresses that fail often.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Verdict(Err(AuthFailure::NotAuthorized)))
    }
}

impl From<Result<Principal, AuthFailure>> for Answer {
    fn from(verdict: Result<Principal, AuthFailure>) -> Self {
        Self::Verdict(verdict)
    }
}

/// What [`Service::ask`](crate::Service::ask) returns.
pub type Asked = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// Asks `realm`.
pub(crate) fn ask(realm: &Arc<dyn Authenticator>, question: Question) -> Asked {
    let verdict = match question {
        Question::Password(credentials) => realm.authenticate(credentials),
        Question::Verifier(attempt) => {
            let realm = realm.clone();
            return Box::pin(async move { Answer::Verifier(verifier(&*realm, attempt).await) });
        }
        Question::Outcome { attempt, proven } => match realm.scram() {
            Some(scram) if proven => scram.conclude(attempt, proven),
            // Whatever the realm makes of it.
            Some(scram) => {
                let verdict = scram.conclude(attempt, proven);
                Box::pin(async move { verdict.await.and(Err(AuthFailure::NotAuthorized)) })
            }
            None => Box::pin(std::future::ready(Err(AuthFailure::Temporary))),
        },
        Question::Token { owner: Ok(principal), peer } => realm.readmit(principal, peer),
        Question::Token { owner: Err(failure), .. } => Box::pin(std::future::ready(Err(failure))),
    };
    Box::pin(async move { Answer::Verdict(verdict.await) })
}

async fn verifier(realm: &dyn Authenticator, attempt: Attempt) -> Result<Verifier, AuthFailure> {
    let lookup = realm.scram().ok_or(AuthFailure::Temporary)?.lookup(&attempt);
    let found = lookup.await?.filter(|verifier| verifier.hash() == attempt.hash);
    let scram = realm.scram().ok_or(AuthFailure::Temporary)?;
    // Made up for everybody, so that its time does not tell who exists.
    let decoy = scram.decoys().verifier(attempt.hash, &attempt.user);
    Ok(found.unwrap_or(decoy))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_never_shows_a_password() {
        let credentials =
            Credentials { user: "1001".into(), password: Password::new("hunter2".into()), peer: None };
        assert!(!format!("{credentials:?}").contains("hunter2"));
        assert_eq!(credentials.password.expose(), "hunter2");
    }
}
