//! The seam behind which accounts live: the configuration file, the database of Unified CCE, Unified CM behind CCX.

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;

use super::{Case, Identity, Refused};

/// Who has an account, and whether a password is his. What is the same for all of them (memory of what was verified,
/// lock-out, many attempts at once) is around it, in [`Realm`](super::Realm).
pub trait Backend: Send + Sync + 'static {
    /// What the journal and the list of locked users call it: `file`, `cce`, `ccx`.
    fn name(&self) -> &'static str;

    /// The account that a name means. Answers from memory.
    fn find(&self, name: &str, case: Case) -> Option<Known>;

    /// Verifies a password, and takes as long for a name that nobody has. May be dropped at any time.
    fn check<'a>(&'a self, attempt: Attempt<'a>) -> Checking<'a>;

    /// Takes as long as [`check`](Self::check) with a wrong password, and looks at none: for a user who is locked out.
    fn pretend<'a>(&'a self, attempt: Attempt<'a>) -> Checking<'a> {
        let _ = attempt;
        Box::pin(std::future::ready(Err(Refused::Credentials)))
    }

    /// Questions put so far to whatever stands behind it.
    fn questions(&self) -> u64 {
        0
    }
}

/// What [`Backend::check`] returns: the account whose password it is, or why there is none.
pub type Checking<'a> = Pin<Box<dyn Future<Output = Result<Known, Refused>> + Send + 'a>>;

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Whose it is.
    pub identity: Identity,
    /// Another whenever the password is another; what was verified before does not count any more then.
    pub version: u64,
}

/// Somebody who says who he is.
#[derive(Clone, Copy)]
pub struct Attempt<'a> {
    /// Id or login name.
    pub name: &'a str,
    /// How the name is compared.
    pub case: Case,
    /// Never empty.
    pub password: &'a str,
    /// The address, unless it is a trusted one.
    pub stranger: Option<IpAddr>,
}
