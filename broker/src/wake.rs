//! Wakers collected under locks and woken after them.

use std::cell::RefCell;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Waker;

/// A longer list is given back to the allocator instead of kept for the thread's next publish.
const KEEP: usize = 4096;

thread_local! {
    static SPARE: RefCell<Vec<Waker>> = const { RefCell::new(Vec::new()) };
    /// Where wakers go while a [`WakeLater`] lives on this thread.
    static LATER: RefCell<Option<Vec<Waker>>> = const { RefCell::new(None) };
}

/// While this lives, what this thread does to outboxes and nodes wakes nobody; dropping it does.
///
/// For callers with locks of their own, which must not be held while foreign code runs: declare it
/// before the guard, since locals drop in reverse order. Scopes nest, the outermost counts.
#[derive(Debug)]
#[must_use = "it ends when it is dropped"]
pub struct WakeLater {
    outermost: bool,
    /// Belongs to its thread.
    _thread: PhantomData<*const ()>,
}

impl WakeLater {
    /// Begins to collect.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        let begin = |later: &RefCell<Option<Vec<Waker>>>| {
            let mut later = later.borrow_mut();
            later.is_none() && {
                // Room comes with the first waker; most scopes wake nobody.
                *later = Some(Vec::new());
                true
            }
        };
        Self { outermost: LATER.try_with(begin).unwrap_or(false), _thread: PhantomData }
    }
}

impl WakeLater {
    /// Wakes `waker` at once, or at the end of the outermost scope of this thread: for work that may
    /// call foreign code and must not be done under whatever locks the caller's callers hold.
    pub fn wake(waker: Waker) {
        wake(Some(waker));
    }
}

impl Drop for WakeLater {
    fn drop(&mut self) {
        if self.outermost {
            let list = LATER.try_with(RefCell::take).ok().flatten().unwrap_or_default();
            if list.capacity() != 0 {
                drop(Wakers(list));
            }
        }
    }
}

/// The list that this thread keeps, if it is not in use.
fn spare() -> Vec<Waker> {
    SPARE.try_with(RefCell::take).unwrap_or_default()
}

/// Wakes at once, or at the end of the [`WakeLater`] of this thread.
pub(crate) fn wake(waker: Option<Waker>) {
    let Some(waker) = waker else { return };
    let mut waker = Some(waker);
    let _ = LATER.try_with(|later| {
        if let Some(list) = &mut *later.borrow_mut() {
            if list.capacity() == 0 {
                *list = spare();
            }
            list.extend(waker.take());
        }
    });
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// Wakers to be woken when this is dropped, after the locks under which they were collected.
///
/// Declare it before the guards: locals drop in reverse order. The list is kept for the thread's
/// next use, so that a publisher does not allocate. A waker that panics concerns its own session:
/// the panic stops here and the others are woken all the same.
pub(crate) struct Wakers(Vec<Waker>);

impl Wakers {
    pub(crate) fn new() -> Self {
        Self(spare())
    }

    #[inline]
    pub(crate) fn add(&mut self, waker: Option<Waker>) {
        if let Some(waker) = waker {
            self.0.push(waker);
        }
    }
}

impl Drop for Wakers {
    fn drop(&mut self) {
        let mut list = std::mem::take(&mut self.0);
        let _ = LATER.try_with(|later| {
            if let Some(later) = &mut *later.borrow_mut() {
                if later.capacity() == 0 {
                    std::mem::swap(later, &mut list);
                } else {
                    later.append(&mut list);
                }
            }
        });
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
    fn nobody_is_woken_before_the_outermost_scope_ends() {
        let good = Arc::new(Count(AtomicUsize::new(0), false));
        let count = || good.0.load(Ordering::Relaxed);
        let outer = WakeLater::new();
        wake(Some(good.clone().into()));
        let inner = WakeLater::new();
        let mut wakers = Wakers::new();
        wakers.add(Some(good.clone().into()));
        drop(wakers);
        drop(inner);
        assert_eq!(count(), 0);
        drop(outer);
        assert_eq!(count(), 2);
        wake(Some(good.clone().into()));
        assert_eq!(count(), 3, "afterwards at once");
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
