//! Who receives: an account, or one session of it.

use std::fmt;
use std::sync::Arc;

/// Address of an account (`1001@localhost`) or, with a resource, of one session of it
/// (`1001@localhost/desktop`).
///
/// The broker compares both parts bytewise and attaches no meaning to them; normalising (case,
/// escaping) is the business of whoever makes the address. Cloning is two refcounts.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address {
    /// The account.
    pub bare: Arc<str>,
    /// The session within the account; `None` addresses the account itself.
    pub resource: Option<Arc<str>>,
}

impl Address {
    /// Address of an account.
    pub fn bare(bare: impl Into<Arc<str>>) -> Self {
        Self { bare: bare.into(), resource: None }
    }

    /// Address of one session of an account.
    pub fn full(bare: impl Into<Arc<str>>, resource: impl Into<Arc<str>>) -> Self {
        Self { bare: bare.into(), resource: Some(resource.into()) }
    }

    /// The account of this address, without the resource.
    #[must_use]
    pub fn to_bare(&self) -> Self {
        Self { bare: self.bare.clone(), resource: None }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.bare)?;
        match &self.resource {
            Some(resource) => write!(f, "/{resource}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn displays_like_a_jid() {
        assert_eq!(Address::bare("1001@localhost").to_string(), "1001@localhost");
        let full = Address::full("1001@localhost", "desktop");
        assert_eq!(full.to_string(), "1001@localhost/desktop");
        assert_eq!(full.to_bare(), Address::bare("1001@localhost"));
    }
}
