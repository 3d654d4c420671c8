//! Who logs in: credentials as a client sent them, and the embedder's answer.
//!
//! Owns the types on both sides of the [`Authenticator`] seam. Never verifies anything itself.

use std::fmt;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

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
