//! Wakers collected under locks and woken after them.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Waker;

/// A longer list is given back to the allocator instead of kept for the thread's next publish.
const KEEP: usize = 4096;

thread_local! {
    static SPARE: RefCell<Vec<Waker>> = const { RefCell::new(Vec::new()) };
}

/// Wakers to be woken when this is dropped, after the locks under which they were collected.
///
/// Declare it before the guards: locals drop in reverse order. The list is kept for the thread's
/// next use, so that a publisher does not allocate. A waker that panics concerns its own session:
/// the panic stops here and the others are woken all the same.
pub(crate) struct Wakers(Vec<Waker>);

impl Wakers {
    pub(crate) fn new() -> Self {
        Self(SPARE.try_with(RefCell::take).unwrap_or_default())
    }

    pub(crate) fn add(&mut self, waker: Option<Waker>) {
        self.0.extend(waker);
    }
}

impl Drop for Wakers {
    fn drop(&mut self) {
        let mut list = std::mem::take(&mut self.0);
        for waker in list.drain(..) {
            // The hook has reported it; there is nobody here to whom it could be handed.
            let _ = catch_unwind(AssertUnwindSafe(|| waker.wake()));
        }
        if list.capacity() != 0 && list.capacity() <= KEEP {
            let _ = SPARE.try_with(|spare| spare.replace(list));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;

    struct Count(AtomicUsize, bool);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
            assert!(!self.1, "this waker always panics");
        }
    }

    #[test]
    fn a_panicking_waker_does_not_keep_the_others_asleep() {
        let bad = Arc::new(Count(AtomicUsize::new(0), true));
        let good = Arc::new(Count(AtomicUsize::new(0), false));
        let mut wakers = Wakers::new();
        wakers.add(Some(good.clone().into()));
        wakers.add(Some(bad.clone().into()));
        wakers.add(None);
        wakers.add(Some(good.clone().into()));
        drop(wakers);
        assert_eq!((good.0.load(Ordering::Relaxed), bad.0.load(Ordering::Relaxed)), (2, 1));
    }

    #[test]
    fn the_list_is_used_again_unless_it_is_huge() {
        let good = Arc::new(Count(AtomicUsize::new(0), false));
        let mut wakers = Wakers::new();
        (0..100).for_each(|_| wakers.add(Some(good.clone().into())));
        drop(wakers);
        assert!(Wakers::new().0.capacity() >= 100);
        let mut wakers = Wakers::new();
        (0..2 * KEEP).for_each(|_| wakers.add(Some(good.clone().into())));
        drop(wakers);
        assert!(Wakers::new().0.capacity() <= KEEP);
    }
}
