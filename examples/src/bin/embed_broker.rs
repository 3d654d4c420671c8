//! The broker in a program of your own: no XMPP, no async runtime, no sockets.
//!
//! `cargo run -p examples --bin embed_broker`

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use broker::{Address, Broker, Config, EndReason, Event, OnConflict, Outbox, Parcel, Reach, Via};

fn main() -> Result<(), broker::Error> {
    let broker = Broker::new(Config::default());
    broker.create_node("/queue/sales")?;

    let session = broker.bind(Address::full("wallboard", "hall"), broker.outbox(), OnConflict::Replace)?;
    session.set_reach(Reach::All);
    session.subscribe("/queue/sales", Via::Full, Some(Parcel::answer("subscribed")))?;

    let outbox = session.outbox().clone();
    let wallboard = thread::spawn(move || print_until_the_end(&outbox));
    for waiting in [3, 2, 4] {
        let told = broker.publish("/queue/sales", Event::new(format!("{waiting} callers wait"))).sessions;
        assert_eq!(told, 1);
    }
    broker.shutdown();
    let reason = wallboard.join().expect("the wallboard only prints");
    println!("-- {reason}; {:?}", broker.stats());
    Ok(())
}

/// A consumer is whatever empties an outbox: here a thread that sleeps while there is nothing, in
/// an async program a task that polls.
fn print_until_the_end(outbox: &Outbox) -> EndReason {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut inbox = VecDeque::new();
    loop {
        match outbox.poll_take(&mut Context::from_waker(&waker), &mut inbox, 64 * 1024) {
            Poll::Pending => thread::park(),
            Poll::Ready(Err(reason)) => return reason,
            Poll::Ready(Ok(_)) => {
                for parcel in inbox.drain(..) {
                    println!("{}", String::from_utf8_lossy(parcel.bytes()));
                }
            }
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
