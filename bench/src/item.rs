//! What an item carries: `@node.seq.nanos.` and filling. `nanos` counts from the start of the process.

use std::cell::RefCell;
use std::time::Instant;

use hdrhistogram::Histogram;
use memchr::memmem;

/// Checks and counts what arrives; shared by all tasks of the one thread.
pub struct Ledger {
    start: Instant,
    inner: RefCell<Inner>,
    pub progress: tokio::sync::Notify,
}

struct Inner {
    /// Deliveries still missing for each item, by node and sequence number.
    missing: Vec<Vec<u32>>,
    latency: Histogram<u64>,
    deliveries: u64,
    measured_from: u32,
    open_items: usize,
    errors: Vec<String>,
}

impl Ledger {
    pub fn new(nodes: usize) -> anyhow::Result<Ledger> {
        Ok(Ledger {
            start: Instant::now(),
            inner: RefCell::new(Inner {
                missing: vec![Vec::new(); nodes],
                latency: Histogram::new_with_bounds(1, 60_000_000_000, 3)?,
                deliveries: 0,
                measured_from: u32::MAX,
                open_items: 0,
                errors: Vec::new(),
            }),
            progress: tokio::sync::Notify::new(),
        })
    }

    /// Starts measuring: later items count.
    pub fn measure(&self) {
        let mut inner = self.inner.borrow_mut();
        inner.measured_from = 0;
        inner.deliveries = 0;
        inner.latency.reset();
    }

    /// Enters a new item of `node` for `subscribers` and gives its text.
    pub fn enter(&self, node: usize, subscribers: usize, size: usize) -> String {
        let mut inner = self.inner.borrow_mut();
        let seq = inner.missing[node].len();
        inner.missing[node].push(subscribers as u32);
        inner.open_items += 1;
        let mut text = format!("@{node}.{seq}.{}.", self.start.elapsed().as_nanos());
        text.extend(std::iter::repeat_n('x', size.saturating_sub(text.len())));
        text
    }

    /// Items that some subscriber still misses.
    pub fn open_items(&self) -> usize {
        self.inner.borrow().open_items
    }

    pub fn fail(&self, text: String) {
        self.inner.borrow_mut().errors.push(text);
        self.progress.notify_one();
    }

    /// Reads the items in `text`, which holds whole stanzas, for a subscriber whose next expected sequence number
    /// is `next`.
    pub fn read(&self, text: &[u8], node: usize, next: &mut usize) {
        let now = self.start.elapsed().as_nanos() as u64;
        for at in memmem::find_iter(text, b"@") {
            let Some((got, seq, sent)) = parse(&text[at + 1..]) else { continue };
            let mut inner = self.inner.borrow_mut();
            if got != node || seq != *next {
                inner.errors.push(format!("node {node} expects {next}, got {got}.{seq}"));
            }
            *next = seq + 1;
            inner.deliveries += 1;
            if inner.measured_from == 0 {
                inner.latency.saturating_record(now.saturating_sub(sent));
            }
            match inner.missing.get_mut(got).and_then(|n| n.get_mut(seq)) {
                Some(left) if *left > 0 => {
                    *left -= 1;
                    if *left == 0 {
                        inner.open_items -= 1;
                        self.progress.notify_one();
                    }
                }
                _ => inner.errors.push(format!("item {got}.{seq} came once too often")),
            }
        }
    }

    /// Deliveries since [`Ledger::measure`], latencies in ns, and what went wrong.
    pub fn result(&self) -> (u64, Histogram<u64>, Vec<String>) {
        let inner = self.inner.borrow();
        (inner.deliveries, inner.latency.clone(), inner.errors.clone())
    }
}

/// `node.seq.nanos.` at the start of `text`; an `@` in a JID parses as nothing.
fn parse(text: &[u8]) -> Option<(usize, usize, u64)> {
    let end = memmem::find_iter(&text[..text.len().min(64)], b".").nth(2)?;
    let mut parts = std::str::from_utf8(&text[..end]).ok()?.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loss_reordering_and_doubles_are_noticed() {
        let ledger = Ledger::new(1).unwrap();
        let items: Vec<String> = (0..4).map(|_| ledger.enter(0, 1, 64)).collect();
        let mut next = 0;
        ledger.read(items[0].as_bytes(), 0, &mut next);
        assert!(ledger.result().2.is_empty());
        ledger.read(items[2].as_bytes(), 0, &mut next);
        ledger.read(items[2].as_bytes(), 0, &mut next);
        let (deliveries, _, errors) = ledger.result();
        assert_eq!((deliveries, errors.len(), ledger.open_items()), (3, 3, 2));
    }

    #[test]
    fn an_address_is_no_item() {
        assert_eq!(parse(b"localhost/x.y.z."), None);
        assert_eq!(parse(b"1.2.3.xxx"), Some((1, 2, 3)));
    }
}
