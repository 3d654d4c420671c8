//! What publishing over XMPP and an idle bound session cost the allocator.
#![allow(unsafe_code)] // a counting allocator cannot be written without

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::collections::VecDeque;
use std::time::Instant;

use common::{Client, bind, client, finesse};
use minidom::Element;

thread_local! {
    static CALLS: Cell<u64> = const { Cell::new(0) };
    static BYTES: Cell<i64> = const { Cell::new(0) };
}

struct Counting;

fn count(calls: u64, bytes: i64) {
    // Fails while a thread ends; what happens then is nobody's measurement.
    let _ = CALLS.try_with(|cell| cell.set(cell.get() + calls));
    let _ = BYTES.try_with(|cell| cell.set(cell.get() + bytes));
}

// SAFETY: every call is handed on to the system allocator with its arguments unchanged; the counters are
// thread-local cells without drop code, which neither allocate nor unwind.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(1, layout.size() as i64);
        // SAFETY: the caller's contract is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        count(0, -(layout.size() as i64));
        // SAFETY: the caller's contract is the same.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(1, size as i64 - layout.size() as i64);
        // SAFETY: the caller's contract is the same.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A publication of 1 KiB of escaped text, as a load generator sends it.
fn publication(n: usize) -> Element {
    let update = "&lt;Update&gt;some text of an update&lt;/Update&gt;".repeat(28);
    format!(
        "<iq xmlns='jabber:client' type='set' to='pubsub.localhost' id='p{n}'>\
         <pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='/x'><item>\
         <notification xmlns='http://jabber.org/protocol/pubsub'>{update}</notification></item></publish></pubsub></iq>"
    )
    .parse()
    .unwrap()
}

/// Allocations of one publication in the steady state, with `subscribers` that keep up.
fn publish_with(subscribers: usize) -> u64 {
    let service = finesse();
    let mut publisher = client(&service, "pub0", "p");
    publisher.create("/x", &[]);
    let mut all: Vec<Client> = (0..subscribers)
        .map(|n| {
            let mut subscriber = client(&service, &format!("agent{n}"), "x");
            subscriber.subscribe("/x").ok();
            subscriber
        })
        .collect();
    let mut parcels = VecDeque::new();
    let mut last = 0;
    for n in 0..20 {
        let stanza = publication(n);
        let before = CALLS.get();
        publisher.bound.handle(Instant::now(), stanza).unwrap();
        last = CALLS.get() - before;
        for client in all.iter_mut().chain([&mut publisher]) {
            client.outbox.try_take(&mut parcels, usize::MAX).unwrap();
            assert_eq!(parcels.len(), 1);
            parcels.clear();
        }
    }
    last
}

#[test]
fn a_publication_costs_a_handful_of_allocations_and_a_delivery_none() {
    let (unheard, one, fifty) = (publish_with(0), publish_with(1), publish_with(50));
    println!("allocations per publish: unheard {unheard}, one subscriber {one}, fifty {fifty}");
    assert!(unheard <= 3, "{unheard}");
    assert!(one <= 6, "{one}");
    assert_eq!(fifty, one, "a delivery costs");
}

#[test]
fn an_idle_session_is_small() {
    let service = finesse();
    let sessions = 1000;
    let before = BYTES.get();
    let all: Vec<Client> = (0..sessions)
        .map(|n| {
            let mut client = bind(&service, &format!("agent{n}"), Some("desktop")).unwrap();
            client.send("<presence><priority>0</priority></presence>");
            client.read();
            client
        })
        .collect();
    let each = (BYTES.get() - before) / sessions;
    println!("bytes per idle bound session: {each}");
    assert!(each < 1500, "{each}");
    drop(all);
    // Tables keep their capacity, nothing else.
    let left = (BYTES.get() - before) / sessions;
    assert!(left < 300, "{left}");
}
