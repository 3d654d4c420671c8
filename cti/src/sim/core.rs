//! The contact centre itself: agents, phones, queues, calls. Pure state and rules in virtual time; no sockets, no
//! clock, no protocol bytes.

pub(crate) mod acd;
pub(crate) mod admin;
pub(crate) mod agent;
pub(crate) mod assist;
pub(crate) mod call;
pub(crate) mod control;
pub(crate) mod event;
pub(crate) mod ledger;
pub(crate) mod merge;
pub(crate) mod outbound;
pub(crate) mod place;
pub(crate) mod random;
pub(crate) mod reason;
pub(crate) mod record;
pub(crate) mod respond;
pub(crate) mod robot;
pub(crate) mod script;
pub(crate) mod settle;
pub(crate) mod signon;
pub(crate) mod supervise;
pub(crate) mod tally;
pub(crate) mod truth;
pub(crate) mod world;
