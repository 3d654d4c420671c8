//! The locks and atomics on which the correctness of this crate rests, under one name.
//!
//! Ordinary builds get parking_lot and the standard atomics. Builds with `--cfg broker_loom` get
//! loom's instrumented ones, so that `tests/loom.rs` explores every interleaving of the very code
//! that ships. Nothing else in the crate names a lock or an atomic.

#[cfg(not(broker_loom))]
mod imp {
    pub(crate) use parking_lot::{Mutex, MutexGuard, RwLock};
    pub(crate) use std::sync::atomic::{AtomicU64, AtomicUsize};
}

#[cfg(broker_loom)]
mod imp {
    pub(crate) use loom::sync::MutexGuard;
    pub(crate) use loom::sync::atomic::{AtomicU64, AtomicUsize};

    /// Loom's mutex with parking_lot's interface: a poisoned lock is a failed model.
    #[derive(Debug)]
    pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(loom::sync::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
            self.0.lock().expect("a model thread panicked")
        }
    }

    /// Loom's read-write lock with parking_lot's interface.
    #[derive(Debug)]
    pub(crate) struct RwLock<T>(loom::sync::RwLock<T>);

    impl<T> RwLock<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(loom::sync::RwLock::new(value))
        }

        pub(crate) fn read(&self) -> loom::sync::RwLockReadGuard<'_, T> {
            self.0.read().expect("a model thread panicked")
        }

        pub(crate) fn write(&self) -> loom::sync::RwLockWriteGuard<'_, T> {
            self.0.write().expect("a model thread panicked")
        }
    }
}

pub(crate) use imp::*;
pub(crate) use std::sync::atomic::Ordering;
