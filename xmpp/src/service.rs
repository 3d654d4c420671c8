//! The service behind the streams: bound sessions, presence, discovery and publish-subscribe.
//!
//! A [`Service`] is shared by every stream of every transport. [`Service::bind`] gives a [`Bound`] session,
//! which takes the stanzas of its client and puts answers and effects into outboxes. Nodes and
//! subscriptions live in the broker; what XEP-0060 knows beyond them (configuration, stored items,
//! affiliations) lives here. No runtime, no I/O, no clock.

mod accounts;
mod address;
mod bounce;
mod bound;
mod components;
mod disco;
mod event;
mod form;
mod journal;
mod message;
mod node;
mod ns;
mod observer;
mod policy;
mod presence;
mod pubsub;
mod query;
mod redirect;
mod relay;
mod removal;
mod rsm;
mod serialize;
mod stamp;
mod stanza;
mod tokens;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use parking_lot::RwLock;

use broker::{Address, Broker, EndReason, OnConflict, Outbox, Reach};

use crate::auth::{Asked, Authenticator, Principal, Question};
use crate::config::{Alternate, Config, Conflict, Profile};
use crate::failures::LoginFailures;
use crate::sasl::scram::Hash;
use crate::stats::{Counters, Refusal, Stats};
use accounts::{Accounts, Refused, Terms};
pub use bound::Bound;
use components::Components;
pub use event::{event, notification};
pub use observer::{Departure, PresenceObserver};
pub use policy::{Access, AccessPolicy, OpenPolicy, Right};
pub(crate) use stamp::ahead;
use stanza::{Condition, Detail, StanzaError};
use tokens::Tokens;
pub(crate) use tokens::{Admitted, Agent, Shown};

/// The XMPP service of one domain. Cloning shares it.
#[derive(Clone)]
pub struct Service(pub(crate) Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) broker: Broker,
    authenticator: Arc<dyn Authenticator>,
    /// Tokens for the next login, where they are given.
    tokens: Option<Tokens>,
    /// Asked of the realm once, since streams tell their features under their owners' locks.
    scram: Box<[Hash]>,
    pub(crate) policy: Arc<dyn AccessPolicy>,
    pub(crate) accounts: Accounts,
    pub(crate) components: Components,
    pub(crate) nodes: node::Nodes,
    /// Held while what is special about subscriptions changes.
    pub(crate) stripes: pubsub::Stripes,
    /// When the next subscription expires.
    pub(crate) leases: pubsub::Leases,
    /// Where clients are sent that have to go.
    alternate: RwLock<Option<Arc<Alternate>>>,
    /// Who is told of users that come and go.
    pub(crate) watch: observer::Watch,
    /// Sessions that outlive their connection.
    pub(crate) resumable: crate::sm::Table,
    /// Whether the application behind the service is there.
    pub(crate) application: AtomicBool,
    stopping: AtomicBool,
    pub(crate) counters: Counters,
    failures: LoginFailures,
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service").field("domain", &self.0.config.domain).finish_non_exhaustive()
    }
}

/// Why a resource could not be bound (RFC 6120 §7.6.2, §7.7.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// The resource is not a valid resource part.
    #[error("bad resource")]
    BadRequest,
    /// The resource is in use and the configuration refuses the newer session.
    #[error("resource in use")]
    Conflict,
    /// The account has as many resources as it may have.
    #[error("too many resources")]
    TooManyResources,
    /// The user's id cannot be made an address, or there was no randomness for a resource.
    #[error("no address for this user")]
    Internal,
    /// The service is stopping.
    #[error("service is stopping")]
    Stopping,
}

/// How a resource is bound.
struct Manner {
    /// The client will know the resource again: its subscriptions outlive the session.
    chosen: bool,
    /// A session of the same resource ends.
    replace: bool,
}

impl BindError {
    /// `<error/>` for the answer to the bind request, with double quotes and its own namespaces.
    pub fn to_xml(&self) -> String {
        let error = match self {
            Self::BadRequest => Condition::BadRequest.into(),
            Self::Conflict => Condition::Conflict.into(),
            Self::TooManyResources => {
                StanzaError { condition: Condition::ResourceConstraint, detail: Detail::ResourceLimit }
            }
            Self::Internal => Condition::InternalServerError.into(),
            Self::Stopping => Condition::ServiceUnavailable.into(),
        };
        let mut out = Vec::with_capacity(256);
        error.push(&mut out, false);
        String::from_utf8(out).unwrap_or_default()
    }
}

impl Service {
    /// A service for `config.domain` on top of `broker`. The application counts as absent until
    /// [`set_application`](Self::set_application) says otherwise.
    pub fn new(
        config: Config,
        broker: Broker,
        authenticator: Arc<dyn Authenticator>,
        policy: Arc<dyn AccessPolicy>,
    ) -> Self {
        let components = Components::new(config.components.len());
        let scram = authenticator.scram().filter(|_| config.scram);
        let scram = crate::stream::offered(scram.map_or(&[], |scram| scram.hashes()));
        let tokens = config.fast.clone().filter(|_| config.sasl2).map(Tokens::new);
        Self(Arc::new(Shared {
            config,
            components,
            broker,
            scram,
            tokens,
            authenticator,
            policy,
            accounts: Accounts::new(),
            nodes: node::Nodes::new(),
            stripes: pubsub::Stripes::new(),
            leases: pubsub::Leases::default(),
            alternate: RwLock::new(None),
            watch: observer::Watch::default(),
            resumable: crate::sm::Table::new(),
            application: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            counters: Counters::new(),
            failures: LoginFailures::new(),
        }))
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// The broker that carries the events.
    pub fn broker(&self) -> &Broker {
        &self.0.broker
    }

    /// The realm.
    pub fn authenticator(&self) -> &Arc<dyn Authenticator> {
        &self.0.authenticator
    }

    /// Hash functions with which SCRAM is offered.
    pub(crate) fn scram_hashes(&self) -> &[Hash] {
        &self.0.scram
    }

    /// Whether streams have a use for channel-binding data.
    #[cfg(feature = "tcp")]
    pub(crate) fn binds_channels(&self) -> bool {
        !self.0.scram.is_empty()
    }

    /// Tokens for the next login, where they are given.
    pub(crate) fn tokens(&self) -> Option<&Tokens> {
        self.0.tokens.as_ref()
    }

    /// Takes away every token that `user` (his id, not escaped) was given for a next login (XEP-0484): to be called when
    /// his password changes or he may not log in any more. Sessions go on.
    pub fn revoke_tokens(&self, user: &str) {
        if let Some(tokens) = self.tokens() {
            tokens.revoke(user);
        }
    }

    /// Local part of a user's address; `None` if his id cannot be made one.
    pub(crate) fn local_of(&self, user: &str) -> Option<String> {
        address::local_part(user)
    }

    /// Puts a question of a stream to the realm. Dropping the future abandons the attempt.
    pub fn ask(&self, question: Question) -> Asked {
        crate::auth::ask(&self.0.authenticator, question)
    }

    /// The rights.
    pub fn policy(&self) -> &Arc<dyn AccessPolicy> {
        &self.0.policy
    }

    /// Bound sessions at this moment.
    pub fn sessions(&self) -> usize {
        self.0.accounts.len()
    }

    /// What has been counted so far, on all transports.
    pub fn stats(&self) -> Stats {
        self.0.counters.snapshot(self.sessions(), self.0.broker.budget())
    }

    /// Counts a refusal by a transport: of a connection or of input that no stream has seen. What a
    /// [`Stream`](crate::Stream) refuses it counts by itself.
    pub fn count_refusal(&self, reason: Refusal) {
        self.0.counters.refused(reason);
    }

    /// Failed logins by address, for transports that keep failing answers back.
    pub fn login_failures(&self) -> &LoginFailures {
        &self.0.failures
    }

    /// Tells whether the application is there. A change is announced to every available session as the
    /// presence of [`Config::application`]; new sessions hear of it right after their initial presence.
    pub fn set_application(&self, available: bool) {
        if self.0.application.swap(available, Ordering::SeqCst) != available {
            presence::announce_application(&self.0, available);
        }
    }

    /// Binds a resource for `principal` (RFC 6120 §7). The session's answers and events go to `outbox`.
    ///
    /// `resource` is what the client wished, as it came; none, an empty one or white space gets one with 128
    /// random bits, whose subscriptions end with the session. A resource in use is treated by
    /// [`Config::conflict`]; a replaced session's outbox ends with [`EndReason::Replaced`].
    pub fn bind(
        &self,
        principal: &Principal,
        resource: Option<&str>,
        outbox: Outbox,
    ) -> Result<Bound, BindError> {
        let bound = self.bind_closed(principal, resource, outbox)?;
        bound.open();
        Ok(bound)
    }

    /// [`bind`](Self::bind) for a session that has to be [opened](Bound::open) once its client is told.
    pub(crate) fn bind_closed(
        &self,
        principal: &Principal,
        resource: Option<&str>,
        outbox: Outbox,
    ) -> Result<Bound, BindError> {
        let shared = &self.0;
        if shared.stopping.load(Ordering::SeqCst) {
            return Err(BindError::Stopping);
        }
        let bare = self.account_of(principal).ok_or(BindError::Internal)?;
        let wish = address::resource(resource).map_err(|_| BindError::BadRequest)?;
        let wish = match wish {
            Some(wish) if shared.config.conflict == Conflict::Rename && shared.accounts.has(&bare, &wish) => {
                None
            }
            wish => wish,
        };
        let chosen = wish.is_some();
        let resource: Arc<str> = match wish {
            Some(wish) => wish.into(),
            None => address::random_resource().ok_or(BindError::Internal)?.into(),
        };
        let replace = shared.config.conflict != Conflict::RefuseNew;
        self.enter(principal, bare, resource, Manner { chosen, replace }, outbox)
    }

    /// Binds a resource of the server's choice: `tag/id`, or `id` without a tag. A client that says which
    /// installation it is gets the same each time and replaces its own old session (XEP-0386 §4.2, §4.2.1), whatever
    /// [`Config::conflict`] says. The session has to be [opened](Bound::open) once its client is told.
    pub(crate) fn bind_client(
        &self,
        principal: &Principal,
        tag: Option<&str>,
        agent: Option<&Agent>,
        outbox: Outbox,
    ) -> Result<Bound, BindError> {
        if self.0.stopping.load(Ordering::SeqCst) {
            return Err(BindError::Stopping);
        }
        let bare = self.account_of(principal).ok_or(BindError::Internal)?;
        let id = match agent {
            Some(agent) => address::stable_resource(&bare, tag.unwrap_or_default(), agent),
            None => address::random_resource().ok_or(BindError::Internal)?,
        };
        let wish = tag.map_or(id.clone(), |tag| format!("{tag}/{id}"));
        let resource = address::resource(Some(&wish)).map_err(|_| BindError::BadRequest)?.unwrap_or(id);
        let manner = Manner { chosen: agent.is_some(), replace: true };
        self.enter(principal, bare, resource.into(), manner, outbox)
    }

    /// Bare address of a user; `None` if his id cannot be made one.
    pub(crate) fn account_of(&self, principal: &Principal) -> Option<Arc<str>> {
        let local = address::local_part(&principal.user)?;
        Some(format!("{local}@{}", self.0.config.domain).into())
    }

    fn enter(
        &self,
        principal: &Principal,
        bare: Arc<str>,
        resource: Arc<str>,
        Manner { chosen, replace }: Manner,
        outbox: Outbox,
    ) -> Result<Bound, BindError> {
        let shared = &self.0;
        let counted = shared.watch.counts(principal, &resource);
        let terms = Terms { replace, max: shared.config.max_resources, counted };
        let entered =
            shared.accounts.enter(&bare, &resource, outbox.clone(), terms).map_err(
                |refused| match refused {
                    Refused::InUse => BindError::Conflict,
                    Refused::TooMany => BindError::TooManyResources,
                },
            )?;
        // The table decides who is the newer one of two that bind at once. The older one may not have its seat
        // in the broker yet, and will not get it.
        if let Some(replaced) = entered.replaced {
            replaced.end(EndReason::Replaced);
        }
        // Looked at again: a stop that came before has not seen the entry.
        if shared.stopping.load(Ordering::SeqCst) {
            shared.accounts.leave(&bare, entered.id);
            return Err(BindError::Stopping);
        }
        let address = Address { bare: bare.clone(), resource: Some(resource.clone()) };
        let session = shared.broker.bind(address, outbox.clone(), OnConflict::Replace).map_err(|_| {
            shared.accounts.leave(&bare, entered.id);
            match outbox.is_ended() {
                Some(EndReason::Replaced) => BindError::Conflict,
                Some(EndReason::Shutdown) => BindError::Stopping,
                _ => BindError::Internal,
            }
        })?;
        session.forget_on_leave(!chosen);
        let bound = Bound::new(self.clone(), principal.clone(), session, entered.id, bare, &resource);
        // Whoever had the resource before has taken his presence with him.
        pubsub::gone(shared, &bound.account, &resource);
        presence::tell_gone(&bound, entered.bereaved);
        observer::presence_changed(&bound, None, "replaced by a newer session");
        Ok(bound)
    }

    /// Lets a component in that has proved its secret; `index` is its place in [`Config::components`]. Its
    /// answers, events and what is addressed to its domain go to `outbox`.
    ///
    /// [`BindError::Conflict`] while it is connected already.
    pub(crate) fn attach(&self, index: usize, outbox: Outbox) -> Result<Bound, BindError> {
        let shared = &self.0;
        if shared.stopping.load(Ordering::SeqCst) {
            return Err(BindError::Stopping);
        }
        let component = shared.config.components.get(index).ok_or(BindError::Internal)?;
        if !shared.components.enter(index, &outbox) {
            return Err(BindError::Conflict);
        }
        // Looked at again: a stop that came before has not seen it.
        if shared.stopping.load(Ordering::SeqCst) {
            shared.components.leave(index, &outbox);
            return Err(BindError::Stopping);
        }
        let domain: Arc<str> = component.domain.as_str().into();
        let address = Address { bare: domain.clone(), resource: Some("component".into()) };
        let session = shared.broker.bind(address, outbox.clone(), OnConflict::Replace).map_err(|_| {
            shared.components.leave(index, &outbox);
            BindError::Internal
        })?;
        session.set_reach(Reach::All);
        Ok(Bound::component(self.clone(), session, index, domain))
    }

    /// Does what is due at `now`: subscriptions end whose time is over (`pubsub#expire`, to the second).
    /// Returns when to call again at the latest, if nothing changes until then; a call too early or too often
    /// costs a look at one number. TCP listeners of this crate and endpoints of `bosh` with a session call it by
    /// themselves; a service without either has to be called.
    pub fn handle_timeout(&self, now: Instant) -> Option<Instant> {
        pubsub::expire(&self.0, now)
    }

    /// Forgets a user: ends his sessions with [`EndReason::Removed`], his subscriptions, those that wait for
    /// consent, his affiliations, and his tokens. Returns whether there was anything but tokens.
    ///
    /// Nodes that he alone owned stay, owned by nobody: what [`AccessPolicy::configure`] allows can still be
    /// done with them. Verified credentials that the embedder caches are the embedder's to forget.
    pub fn remove_user(&self, user: &str) -> bool {
        removal::remove_user(&self.0, user)
    }

    /// The bare address of a user of this service: his id in lower case, escaped (XEP-0106), at the domain. `None` if
    /// the id cannot be part of an address.
    pub fn bare_address(&self, user: &str) -> Option<String> {
        Some(format!("{}@{}", address::local_part(user)?, self.0.config.domain))
    }

    /// Ends every session with [`EndReason::Shutdown`] and lets nobody in any more.
    pub fn shutdown(&self) {
        self.0.stopping.store(true, Ordering::SeqCst);
        for outbox in self.0.accounts.outboxes().into_iter().chain(self.0.components.outboxes()) {
            outbox.end(EndReason::Shutdown);
        }
    }
}

impl Shared {
    /// True in the profile that follows the standards to the letter.
    pub(crate) fn strict(&self) -> bool {
        self.config.profile == Profile::Strict
    }

    /// True if an address may have several subscriptions to a node.
    pub(crate) fn multi_subscribe(&self) -> bool {
        self.strict() && self.config.multi_subscribe
    }

    /// True if there are collections.
    pub(crate) fn collections(&self) -> bool {
        self.strict() && self.config.collections
    }

    /// True if subscriptions have options.
    pub(crate) fn subscription_options(&self) -> bool {
        self.config.subscription_options.unwrap_or_else(|| self.strict())
    }
}
