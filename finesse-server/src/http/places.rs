//! How many connections there may be: of all listeners together, and of one address.
//!
//! A connection costs memory and a descriptor before its first request; without a bound of its own one address could
//! take every place there is.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use parking_lot::Mutex;

/// Who is in. A leaf in the order of locks, taken when connections begin and end.
#[derive(Debug, Default)]
pub(super) struct Places(Mutex<Open>);

#[derive(Debug, Default)]
struct Open {
    all: usize,
    /// Connections of each address that has a bound; no entry is zero.
    by_address: HashMap<IpAddr, usize>,
}

/// One of the connections, until dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    address: Option<IpAddr>,
}

impl Places {
    /// A place among at most `most`.
    pub(super) fn enter(self: &Arc<Self>, most: usize) -> Option<Place> {
        let mut open = self.0.lock();
        if open.all >= most {
            return None;
        }
        open.all += 1;
        Some(Place { places: self.clone(), address: None })
    }
}

impl Place {
    /// The connection is one of `address`, which may have `most`. Returns whether it has no more than that. IPv6
    /// addresses count by their /64.
    pub(super) fn belongs_to(&mut self, address: IpAddr, most: usize) -> bool {
        let key = match address.to_canonical() {
            IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
            v4 => v4,
        };
        let mut open = self.places.0.lock();
        let count = open.by_address.entry(key).or_default();
        *count += 1;
        let fits = *count <= most;
        drop(open);
        self.address = Some(key);
        fits
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.places.0.lock();
        open.all -= 1;
        let Some(address) = self.address else { return };
        if let Some(count) = open.by_address.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                open.by_address.remove(&address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_bounded_and_come_back() {
        let places = Arc::new(Places::default());
        let enter = |address: &str| {
            let mut place = places.enter(4)?;
            place.belongs_to(address.parse().unwrap(), 2).then_some(place)
        };
        let held = [enter("2001:db8::1").unwrap(), enter("2001:db8::2").unwrap()];
        assert!(enter("2001:db8::3").is_none(), "one /64 is one address");
        let others = [enter("192.0.2.1").unwrap(), enter("::ffff:192.0.2.1").unwrap()];
        assert!(enter("192.0.2.2").is_none(), "all are taken");
        drop(held);
        assert!(enter("192.0.2.1").is_none() && enter("192.0.2.2").is_some());
        drop(others);
        let open = places.0.lock();
        assert!(open.all == 0 && open.by_address.is_empty());
    }
}
