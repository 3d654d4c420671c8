//! Many attempts at once with the same credentials: one asks the backend, the others wait for what it says.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::OnceCell;

use super::backend::Known;
use super::{Digest, Refused};

/// What attempts are waiting for, by the keyed digest of their credentials.
pub(super) struct Flights {
    most: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    attempts: usize,
    flights: HashMap<[u8; 32], Flight>,
}

struct Flight {
    attempts: usize,
    outcome: Arc<OnceCell<Result<Known, Refused>>>,
}

impl Flights {
    /// At most so many attempts at once; further ones are [`Refused::Busy`].
    pub(super) fn new(most: usize) -> Flights {
        Flights { most, state: Mutex::default() }
    }

    /// The outcome of `check`, or of that of another attempt with the same credentials. Cancel safe: when the one that
    /// asks is dropped, the next asks.
    pub(super) async fn join(
        &self,
        credentials: &Digest,
        check: impl Future<Output = Result<Known, Refused>>,
    ) -> Result<Known, Refused> {
        let Some(aboard) = self.enter(*credentials.as_array()) else { return Err(Refused::Busy) };
        aboard.outcome.get_or_init(|| check).await.clone()
    }

    fn enter(&self, key: [u8; 32]) -> Option<Aboard<'_>> {
        let state = &mut *self.state.lock();
        if state.attempts >= self.most {
            return None;
        }
        state.attempts += 1;
        let flight =
            state.flights.entry(key).or_insert_with(|| Flight { attempts: 0, outcome: Arc::default() });
        flight.attempts += 1;
        // Who comes after the outcome is no part of it: what was true then may have changed.
        if flight.outcome.initialized() {
            flight.outcome = Arc::default();
        }
        Some(Aboard { flights: self, key, outcome: flight.outcome.clone() })
    }
}

struct Aboard<'a> {
    flights: &'a Flights,
    key: [u8; 32],
    outcome: Arc<OnceCell<Result<Known, Refused>>>,
}

impl Drop for Aboard<'_> {
    fn drop(&mut self) {
        let state = &mut *self.flights.state.lock();
        state.attempts -= 1;
        if let Some(flight) = state.flights.get_mut(&self.key) {
            flight.attempts -= 1;
            if flight.attempts == 0 {
                state.flights.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Poll;

    use super::super::digest::Keyed;
    use super::super::{Identity, Kind};
    use super::*;

    fn known() -> Known {
        Known { identity: Identity { id: "1001".into(), kind: Kind::Person }, version: 0 }
    }

    #[tokio::test]
    async fn one_of_many_asks_and_all_hear() {
        let key = Keyed::random().unwrap();
        let (flights, asked) = (Flights::new(100), AtomicUsize::new(0));
        let (credentials, others) = (key.digest("1001", "a"), key.digest("1001", "b"));
        let check = || async {
            asked.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
            Ok(known())
        };
        let (one, two, three) = tokio::join!(
            flights.join(&credentials, check()),
            flights.join(&credentials, check()),
            flights.join(&others, check()),
        );
        assert_eq!((one, two, three), (Ok(known()), Ok(known()), Ok(known())));
        assert_eq!(asked.load(Ordering::Relaxed), 2, "one for each pair of user and password");
        assert!(flights.state.lock().flights.is_empty());
    }

    #[tokio::test]
    async fn when_the_one_that_asks_hangs_up_the_next_asks() {
        let key = Keyed::random().unwrap();
        let flights = Flights::new(100);
        let credentials = key.digest("1001", "a");
        let mut first = Box::pin(flights.join(&credentials, std::future::pending()));
        let mut second = Box::pin(flights.join(&credentials, async { Ok(known()) }));
        let polled =
            std::future::poll_fn(|cx| Poll::Ready((first.as_mut().poll(cx), second.as_mut().poll(cx)))).await;
        assert_eq!(polled, (Poll::Pending, Poll::Pending));
        drop(first);
        assert_eq!(second.await, Ok(known()));
    }

    #[tokio::test]
    async fn no_more_than_so_many_wait() {
        let key = Keyed::random().unwrap();
        let flights = Flights::new(1);
        let credentials = key.digest("1001", "a");
        let mut first = Box::pin(flights.join(&credentials, std::future::pending()));
        assert!(std::future::poll_fn(|cx| Poll::Ready(first.as_mut().poll(cx).is_pending())).await);
        assert_eq!(flights.join(&credentials, async { Ok(known()) }).await, Err(Refused::Busy));
        drop(first);
        assert_eq!(flights.join(&credentials, async { Ok(known()) }).await, Ok(known()));
    }
}
