//! A coarse timer wheel for tens of thousands of deadlines that are mostly pushed back.

use std::sync::Arc;
use std::time::{Duration, Instant};

use slab::Slab;

use crate::sync::{AtomicU64, Mutex, Ordering};

/// Slots of a wheel: deadlines further ahead are filed at the horizon and looked at again there.
#[cfg(not(broker_loom))]
const SLOTS: u32 = 1024;
#[cfg(broker_loom)]
const SLOTS: u32 = 4;

/// Deadline words that are none.
const FIRED: u64 = u64::MAX;
const CANCELLED: u64 = u64::MAX - 1;

/// The last tick that can be told from those: with 250 ms, 34 years after the start.
const LAST_TICK: u32 = u32::MAX - 1;

/// Lists beyond this capacity are given back instead of kept.
const KEEP: usize = 1024;

/// `filed` of an entry that waits in the list of those to be filed anew.
const IN_LIST: u32 = 0;

/// A timer wheel of one level.
///
/// Arming, moving, cancelling and firing are O(1) amortised. Moving a deadline back, by far the
/// commonest operation, is one atomic update: the entry stays where it is filed, and is filed anew
/// only when the wheel comes to it. The wheel has no clock and no task: somebody calls
/// [`advance`](Self::advance) every tick or so. An item fires not before its deadline, and with
/// the first `advance` a tick or more after it.
pub struct Wheel<T> {
    shared: Arc<Shared>,
    state: Mutex<State<T>>,
}

/// What timers and their wheel share.
struct Shared {
    start: Instant,
    tick_nanos: u64,
    /// Entries whose deadline was moved forward or cancelled, to be looked at by the next advance.
    list: Mutex<Vec<u32>>,
}

struct State<T> {
    /// The keys filed for a tick are in the slot of its remainder; a key whose entry says that it
    /// is filed elsewhere is stale and means nothing.
    slots: Box<[Vec<u32>]>,
    entries: Slab<Entry<T>>,
    /// The last tick that was worked on; entries are filed at `now + 1 ..= now + SLOTS`.
    now: u32,
    /// Scratch of `advance`: keys that are due, with the tick in whose slot they were.
    due: Vec<(u32, u32)>,
}

struct Entry<T> {
    item: T,
    cell: Arc<Cell>,
}

/// One timer: its deadline and the slot in which it is filed, both ticks, in one word, so that no
/// change of the one can miss a change of the other.
struct Cell {
    word: AtomicU64,
    key: u32,
}

/// Handle to an armed item. Dropping it leaves the item armed.
#[derive(Clone)]
pub struct Timer {
    cell: Arc<Cell>,
    shared: Arc<Shared>,
}

fn pack(deadline: u32, filed: u32) -> u64 {
    u64::from(deadline) << 32 | u64::from(filed)
}

fn unpack(word: u64) -> (u32, u32) {
    ((word >> 32) as u32, word as u32)
}

impl<T> Wheel<T> {
    /// A wheel whose time begins at `start` and goes on in steps of `tick` (250 ms is ample for
    /// waits of many seconds). It looks ahead 1024 ticks at once; deadlines beyond are fine.
    ///
    /// # Panics
    ///
    /// If the tick is zero.
    pub fn new(start: Instant, tick: Duration) -> Self {
        let tick_nanos = u64::try_from(tick.as_nanos()).unwrap_or(u64::MAX);
        assert_ne!(tick_nanos, 0, "a wheel needs a tick");
        let slots = (0..SLOTS).map(|_| Vec::new()).collect();
        Self {
            shared: Arc::new(Shared { start, tick_nanos, list: Mutex::new(Vec::new()) }),
            state: Mutex::new(State { slots, entries: Slab::new(), now: 0, due: Vec::new() }),
        }
    }

    /// Files an item to be fired at `deadline`.
    pub fn arm(&self, deadline: Instant, item: T) -> Timer {
        let deadline = self.shared.tick_of(deadline);
        let mut state = self.state.lock();
        let filed = state.place(deadline);
        let vacant = state.entries.vacant_entry();
        let key = u32::try_from(vacant.key()).expect("2^32 timers do not fit the memory");
        let cell = Arc::new(Cell { word: AtomicU64::new(pack(deadline, filed)), key });
        vacant.insert(Entry { item, cell: cell.clone() });
        state.file(key, filed);
        Timer { cell, shared: self.shared.clone() }
    }

    /// Moves the items whose deadline has come by `now` to the back of `fired`, in no particular
    /// order. An item that [`Timer::set`] moves at the same time either fires here or makes that
    /// call return true, never both and never neither.
    pub fn advance(&self, now: Instant, fired: &mut Vec<T>) {
        let until = self.shared.elapsed_ticks(now);
        // Dropped after the guard: items may have drop code of their own.
        let mut cancelled = Vec::new();
        let mut state = self.state.lock();
        let mut due = std::mem::take(&mut state.due);
        due.extend(self.shared.list.lock().drain(..).map(|key| (IN_LIST, key)));
        state.collect(until, &mut due);
        for (filed, key) in due.drain(..) {
            state.settle(key, filed, fired, &mut cancelled);
        }
        if due.capacity() <= KEEP {
            state.due = due;
        }
        drop(state);
    }

    /// Items armed, including cancelled ones that the next [`advance`](Self::advance) drops.
    pub fn len(&self) -> usize {
        self.state.lock().entries.len()
    }

    /// Whether nothing is armed.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T> State<T> {
    /// Where an entry with this deadline is filed from here.
    fn place(&self, deadline: u32) -> u32 {
        deadline.clamp(self.now.saturating_add(1), self.now.saturating_add(SLOTS))
    }

    fn file(&mut self, key: u32, filed: u32) {
        self.slots[(filed % SLOTS) as usize].push(key);
    }

    /// Empties the slots of the ticks until then. All of them before any entry is filed anew: the
    /// new place may be the same slot, one turn later.
    fn collect(&mut self, until: u32, due: &mut Vec<(u32, u32)>) {
        if until <= self.now {
            return;
        }
        for tick in self.now + 1..=until.min(self.now.saturating_add(SLOTS)) {
            let slot = &mut self.slots[(tick % SLOTS) as usize];
            due.extend(slot.drain(..).map(|key| (tick, key)));
            if slot.capacity() > KEEP {
                *slot = Vec::new();
            }
        }
        self.now = until;
    }

    /// Fires an entry or files it anew, whichever its deadline says at this very moment.
    fn settle(&mut self, key: u32, filed: u32, fired: &mut Vec<T>, cancelled: &mut Vec<T>) {
        let Some(entry) = self.entries.get(key as usize) else { return };
        let cell = &entry.cell;
        let mut word = cell.word.load(Ordering::Relaxed);
        loop {
            if word == CANCELLED {
                cancelled.push(self.entries.remove(key as usize).item);
                return;
            }
            let (deadline, place) = unpack(word);
            if place != filed {
                return;
            }
            let due = deadline <= self.now;
            let place = self.place(deadline);
            let next = if due { FIRED } else { pack(deadline, place) };
            match cell.word.compare_exchange_weak(word, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) if due => return fired.push(self.entries.remove(key as usize).item),
                Ok(_) => return self.file(key, place),
                Err(changed) => word = changed,
            }
        }
    }
}

impl Timer {
    /// Moves the deadline. Returns false, and changes nothing, if the item has fired or was
    /// cancelled.
    pub fn set(&self, deadline: Instant) -> bool {
        let deadline = self.shared.tick_of(deadline);
        self.update(|filed| pack(deadline, if deadline < filed { IN_LIST } else { filed }))
    }

    /// Takes the item out; the next advance drops it. Returns false if it has fired or was
    /// cancelled before.
    pub fn cancel(&self) -> bool {
        self.update(|_| CANCELLED)
    }

    /// Replaces the word as long as the item is armed, and has the entry looked at by the next
    /// advance unless it can stay where it is filed.
    fn update(&self, next: impl Fn(u32) -> u64) -> bool {
        let word = &self.cell.word;
        let mut old = word.load(Ordering::Relaxed);
        loop {
            if old == FIRED || old == CANCELLED {
                return false;
            }
            let (_, filed) = unpack(old);
            let new = next(filed);
            match word.compare_exchange_weak(old, new, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => {
                    let stays = new != CANCELLED && unpack(new).1 == filed;
                    if !stays && filed != IN_LIST {
                        self.shared.list.lock().push(self.cell.key);
                    }
                    return true;
                }
                Err(changed) => old = changed,
            }
        }
    }
}

impl Shared {
    /// The first tick at which this instant has passed.
    fn tick_of(&self, deadline: Instant) -> u32 {
        self.ticks(deadline, self.tick_nanos - 1)
    }

    /// The ticks that have passed by this instant.
    fn elapsed_ticks(&self, now: Instant) -> u32 {
        self.ticks(now, 0)
    }

    fn ticks(&self, at: Instant, round: u64) -> u32 {
        let nanos = at.saturating_duration_since(self.start).as_nanos();
        let nanos = u64::try_from(nanos).unwrap_or(u64::MAX).saturating_add(round);
        u32::try_from(nanos / self.tick_nanos).unwrap_or(LAST_TICK).min(LAST_TICK)
    }
}

impl<T> std::fmt::Debug for Wheel<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wheel").field("len", &self.len()).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Timer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let word = self.cell.word.load(Ordering::Relaxed);
        let armed = word != FIRED && word != CANCELLED;
        f.debug_struct("Timer").field("armed", &armed).finish_non_exhaustive()
    }
}

#[cfg(all(test, not(broker_loom)))]
mod tests {
    use super::*;

    const TICK: Duration = Duration::from_millis(250);

    fn wheel<T>() -> (Wheel<T>, Instant) {
        let start = Instant::now();
        (Wheel::new(start, TICK), start)
    }

    fn fired<T>(wheel: &Wheel<T>, now: Instant) -> Vec<T> {
        let mut fired = Vec::new();
        wheel.advance(now, &mut fired);
        fired
    }

    #[test]
    fn fires_not_before_its_deadline_and_within_a_tick_after() {
        let (wheel, start) = wheel();
        wheel.arm(start + Duration::from_millis(600), "a");
        wheel.arm(start, "past");
        assert!(fired(&wheel, start).is_empty());
        assert_eq!(fired(&wheel, start + TICK), ["past"]);
        assert!(fired(&wheel, start + Duration::from_millis(600)).is_empty(), "between two ticks");
        assert_eq!(fired(&wheel, start + Duration::from_millis(750)), ["a"]);
        assert!(wheel.is_empty());
    }

    #[test]
    fn moving_back_is_lazy_and_moving_forward_is_not_missed() {
        let (wheel, start) = wheel();
        let back = wheel.arm(start + 4 * TICK, "back");
        let forward = wheel.arm(start + 500 * TICK, "forward");
        assert!(back.set(start + 8 * TICK));
        assert!(forward.set(start + 6 * TICK) && forward.set(start + 5 * TICK));
        assert!(fired(&wheel, start + 4 * TICK).is_empty());
        assert_eq!(fired(&wheel, start + 5 * TICK), ["forward"]);
        assert_eq!(fired(&wheel, start + 8 * TICK), ["back"]);
        assert!(!back.set(start + 9 * TICK) && !back.cancel(), "a timer that has fired is spent");
        assert!(fired(&wheel, start + 600 * TICK).is_empty());
    }

    #[test]
    fn cancelled_items_are_dropped_by_the_next_advance() {
        let (wheel, start) = wheel();
        let item = Arc::new(());
        let timer = wheel.arm(start + 1000 * TICK, item.clone());
        assert!(timer.cancel() && !timer.cancel() && !timer.set(start));
        assert_eq!(Arc::strong_count(&item), 2);
        assert!(fired(&wheel, start).is_empty());
        assert_eq!((Arc::strong_count(&item), wheel.len()), (1, 0));
        // The place in the old slot is stale now and must not disturb whoever has its key.
        wheel.arm(start + 1001 * TICK, item.clone());
        assert!(fired(&wheel, start + 1000 * TICK).is_empty());
        assert_eq!(fired(&wheel, start + 1001 * TICK).len(), 1);
    }

    #[test]
    fn deadlines_beyond_the_horizon_and_long_pauses_are_fine() {
        let (wheel, start) = wheel();
        let far = 3 * SLOTS + 7;
        wheel.arm(start + far * TICK, far);
        wheel.arm(start + SLOTS * TICK, SLOTS);
        wheel.arm(start + (SLOTS + 1) * TICK, SLOTS + 1);
        let mut seen = Vec::new();
        for now in 1..=far {
            seen.extend(fired(&wheel, start + now * TICK).into_iter().map(|at| (at, now)));
        }
        assert_eq!(seen, [(SLOTS, SLOTS), (SLOTS + 1, SLOTS + 1), (far, far)]);
        wheel.arm(start + (far + 1) * TICK, 1);
        wheel.arm(start + (far + 2 * SLOTS) * TICK, 2);
        wheel.arm(start + (far + 9 * SLOTS) * TICK, 3);
        let mut woken = fired(&wheel, start + (far + 5 * SLOTS) * TICK);
        woken.sort_unstable();
        assert_eq!(woken, [1, 2]);
        assert_eq!(fired(&wheel, start + (far + 9 * SLOTS) * TICK), [3]);
    }

    /// 50 000 sessions that poll every half minute for ten minutes of virtual time: each advance
    /// looks at no more entries than were filed for its tick, whatever the number of polls.
    #[test]
    fn tens_of_thousands_are_moved_without_being_touched() {
        const MANY: u32 = 50_000;
        let (wheel, start) = wheel();
        let at = |tick: u32| start + tick * TICK;
        let timers: Vec<_> = (0..MANY).map(|n| wheel.arm(at(240 + n % 120), n)).collect();
        for now in 1..=2400 {
            for n in (now % 120..MANY).step_by(120) {
                assert!(timers[n as usize].set(at(now + 240)));
            }
            assert!(fired(&wheel, at(now)).is_empty());
        }
        assert_eq!(wheel.len(), MANY as usize);
        let filed: usize = wheel.state.lock().slots.iter().map(Vec::len).sum();
        assert_eq!(filed, MANY as usize, "one place each, however often moved");
        let mut last: Vec<_> = (2401..=2640).flat_map(|now| fired(&wheel, at(now))).collect();
        last.sort_unstable();
        assert!(last.into_iter().eq(0..MANY));
    }

    /// Random operations against a sorted list of deadlines.
    #[test]
    fn agrees_with_a_list_of_deadlines() {
        let (wheel, start) = wheel();
        let at = |tick: u32| start + tick * TICK;
        let mut random = 0x2545_f491_4f6c_dd1d_u64;
        let mut next = |below: u32| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            (random >> 33) as u32 % below
        };
        let mut live: Vec<(u32, u32, Timer)> = Vec::new();
        let mut now = 0;
        for n in 0..20_000 {
            let deadline = now + 1 + next(3 * SLOTS);
            match next(8) {
                0..=2 => live.push((n, deadline, wheel.arm(at(deadline), n))),
                3..=4 if !live.is_empty() => {
                    let index = next(live.len() as u32) as usize;
                    assert!(live[index].2.set(at(deadline)));
                    live[index].1 = deadline;
                }
                5 if !live.is_empty() => {
                    let index = next(live.len() as u32) as usize;
                    assert!(live.swap_remove(index).2.cancel());
                }
                _ => {
                    now += if next(100) == 0 { 2 * SLOTS } else { next(4) };
                    let mut got = fired(&wheel, at(now));
                    let mut expected: Vec<_> =
                        live.extract_if(.., |(_, deadline, _)| *deadline <= now).map(|(n, ..)| n).collect();
                    got.sort_unstable();
                    expected.sort_unstable();
                    assert_eq!(got, expected, "at tick {now}");
                    assert_eq!(wheel.len(), live.len());
                }
            }
        }
    }
}
