//! A bound session: the handle by which a transport acts for its client.

use std::sync::Arc;

use crate::Address;
use crate::account::{Account, Edit, Reach, Refused, Subscribed, Wish};
use crate::broker::Shared;
use crate::error::Error;
use crate::event::{Parcel, Via};
use crate::manner::Manner;
use crate::outbox::{Ended, Outbox, Owner};

/// What happens when a session binds an address that another one has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnConflict {
    /// The older session's outbox ends with [`EndReason::Replaced`](crate::EndReason).
    Replace,
    /// The newer one is refused with [`Error::Conflict`].
    Refuse,
}

/// One session of an account, as administrators see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionInfo {
    /// Its full address.
    pub address: Address,
    /// Its reach.
    pub reach: Reach,
}

/// A session bound to its full address. Dropping it leaves: everything that belonged to the
/// session alone is gone when `drop` returns, in time proportional to what there was. Its outbox
/// goes on taking parcels until it is ended.
///
/// A session that was replaced or whose account was removed is dead: its outbox has ended and its
/// methods change nothing.
#[must_use = "dropping a session leaves"]
pub struct Session {
    broker: Arc<Shared>,
    account: Arc<Account>,
    owner: Arc<Owner>,
    outbox: Outbox,
}

impl Session {
    pub(crate) fn new(broker: Arc<Shared>, account: Arc<Account>, owner: Arc<Owner>, outbox: Outbox) -> Self {
        Self { broker, account, owner, outbox }
    }

    /// The full address.
    pub fn address(&self) -> &Address {
        &self.owner.address
    }

    /// The queue from which its transport serves the client.
    pub fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// Queues a parcel for this session.
    ///
    /// # Errors
    ///
    /// As [`Outbox::push`].
    pub fn send(&self, parcel: Parcel) -> Result<(), Ended> {
        self.outbox.push(parcel)
    }

    /// Says which subscriptions the session receives for from now on. When it returns, nothing
    /// outside the reach is queued any more.
    pub fn set_reach(&self, reach: Reach) {
        self.edit(|edit, seat| edit.set_reach(seat, reach));
    }

    /// Says in which state the session is from now on, a number below [`STATES`](crate::STATES) that
    /// means something to the [`Manner`]s of its subscriptions; 0 at first.
    pub fn set_state(&self, state: u8) {
        self.edit(|edit, seat| edit.set_state(seat, state));
    }

    /// Whether the full-address subscriptions end with the session, as is right for a resource
    /// that nobody can come back under, instead of lying dormant (the default).
    pub fn forget_on_leave(&self, forget: bool) {
        self.edit(|edit, seat| edit.set_forget(seat, forget));
    }

    /// Subscribes the session's full address or its account. The answer, if one is given, is in
    /// the outbox before the first event of the subscription; on an error it is not queued.
    /// Subscribing again changes nothing and is answered likewise.
    ///
    /// # Errors
    ///
    /// [`Error::BadName`], [`Error::NoSuchNode`], [`Error::TooManyNodes`],
    /// [`Error::TooManySubscriptions`]; [`Error::Gone`] if the session is dead.
    pub fn subscribe(&self, node: &str, via: Via, answer: Option<Parcel>) -> Result<Subscribed, Error> {
        self.subscribe_by(node, via, || Wish::Nothing, answer)
    }

    /// Like [`subscribe`](Self::subscribe), in a manner of its own; an existing subscription gets the
    /// manner too. `None`: events as they are.
    ///
    /// # Errors
    ///
    /// As [`subscribe`](Self::subscribe).
    pub fn subscribe_with(
        &self,
        node: &str,
        via: Via,
        manner: Option<Arc<Manner>>,
        answer: Option<Parcel>,
    ) -> Result<Subscribed, Error> {
        self.subscribe_by(node, via, || Wish::Have(manner.clone()), answer)
    }

    /// Changes the manner of a subscription of the session's full address or of its account. The
    /// answer, if one is given, comes before the first event in the new manner.
    ///
    /// # Errors
    ///
    /// [`Error::NotSubscribed`]; [`Error::Gone`] if the session is dead.
    pub fn set_manner(
        &self,
        node: &str,
        via: Via,
        manner: Option<Arc<Manner>>,
        answer: Option<Parcel>,
    ) -> Result<(), Error> {
        let found = self.broker.find_node(node).ok_or(Error::NotSubscribed)?;
        let answer = answer.map(|parcel| (&self.outbox, parcel));
        let outcome = self
            .edit(|edit, seat| edit.set_manner((via == Via::Full).then_some(seat), &found, manner, answer));
        outcome.unwrap_or(Err(Error::Gone))
    }

    fn subscribe_by(
        &self,
        node: &str,
        via: Via,
        wish: impl Fn() -> Wish,
        answer: Option<Parcel>,
    ) -> Result<Subscribed, Error> {
        loop {
            let found = self.broker.resolve(node)?;
            let answer = answer.clone().map(|parcel| (&self.outbox, parcel));
            let outcome = self.edit(|edit, seat| match via {
                Via::Bare => edit.subscribe_bare(&found, false, wish(), answer),
                Via::Full => edit.subscribe_full(seat, &found, wish(), answer),
            });
            match outcome.ok_or(Error::Gone)? {
                Ok(subscribed) => return Ok(subscribed),
                Err(Refused::Because(error)) => return Err(error),
                Err(Refused::Stale) => self.broker.remove_node(&found),
            }
        }
    }

    /// Ends a subscription of the session's full address or of its account. The answer, if one is
    /// given, comes after the last event of the subscription; on an error it is not queued.
    ///
    /// # Errors
    ///
    /// [`Error::NotSubscribed`]; [`Error::Gone`] if the session is dead.
    pub fn unsubscribe(&self, node: &str, via: Via, answer: Option<Parcel>) -> Result<(), Error> {
        let found = self.broker.find_node(node).ok_or(Error::NotSubscribed)?;
        let answer = answer.map(|parcel| (&self.outbox, parcel));
        let outcome = self.edit(|edit, seat| match via {
            Via::Bare => edit.unsubscribe_bare(&found, answer),
            Via::Full => edit.unsubscribe_full(seat, &found, answer),
        });
        outcome.unwrap_or(Err(Error::Gone))
    }

    /// Works on the account with the seat of this session; `None` if the session is dead.
    fn edit<R>(&self, work: impl FnOnce(&mut Edit<'_>, usize) -> R) -> Option<R> {
        let edited = self.broker.edit(&self.account, |edit| {
            let seat = edit.seat_of(&self.outbox)?;
            Some(work(edit, seat))
        });
        edited.flatten()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.edit(|edit, seat| edit.leave(seat));
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("address", &format_args!("{}", self.owner.address))
            .field("outbox", &self.outbox)
            .finish()
    }
}
