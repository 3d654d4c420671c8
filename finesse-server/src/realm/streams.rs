//! The realm as the XMPP service asks it.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use super::{Case, Identity, Kind, Realm, Refused};

/// [`xmpp::Principal::tag`] of a kind of account.
pub const fn tag(kind: Kind) -> u64 {
    match kind {
        Kind::Person => 0,
        Kind::Reader => 1,
        Kind::Publisher => 2,
    }
}

/// User id or login name, without case.
#[derive(Clone, Debug)]
pub struct XmppRealm(pub Arc<Realm>);

pub(super) fn verdict(outcome: Result<Identity, Refused>) -> Result<xmpp::Principal, xmpp::AuthFailure> {
    match outcome {
        Ok(identity) => Ok(xmpp::Principal { user: identity.id, tag: tag(identity.kind) }),
        Err(Refused::Credentials) => Err(xmpp::AuthFailure::NotAuthorized),
        Err(Refused::Busy | Refused::Unavailable) => Err(xmpp::AuthFailure::Temporary),
    }
}

impl xmpp::Authenticator for XmppRealm {
    fn authenticate(&self, credentials: xmpp::Credentials) -> xmpp::auth::Verdict {
        let realm = self.0.clone();
        Box::pin(async move {
            let password = credentials.password.expose();
            let (user, peer) = (&credentials.user, credentials.peer);
            verdict(realm.verify(user, Case::Folded, password, peer, Instant::now()).await)
        })
    }

    fn scram(&self) -> Option<&dyn xmpp::Verifiers> {
        Some(self)
    }

    /// Whoever comes back with a token has to have his account still. Wrong passwords of others do not keep him out.
    fn readmit(&self, principal: xmpp::Principal, _: Option<IpAddr>) -> xmpp::auth::Verdict {
        let found = self.0.find(&principal.user, Case::Exact);
        Box::pin(std::future::ready(verdict(found.ok_or(Refused::Credentials))))
    }
}
