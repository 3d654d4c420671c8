//! The sockets: two listeners, a task for each connection, a task for the alarms. All of them share the exchange
//! under one lock, which is never held across a wait.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use super::config::Config;
use super::exchange::{Exchange, Next};
use super::session::SessionId;
use super::{Control, Side, door};

/// Bytes read at a time.
const READ: usize = 16 * 1024;

/// The simulator cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration contradicts itself.
    #[error("simulator configuration: {0}")]
    Config(String),
    /// A port cannot be had.
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, #[source] io::Error),
}

/// What the tasks share.
#[derive(Debug)]
pub(crate) struct Shared {
    exchange: Mutex<Exchange>,
    /// Wakes the connection tasks that have something to write.
    writers: Mutex<HashMap<SessionId, Arc<Notify>>>,
    /// Wakes the alarm task.
    alarm: Notify,
    /// Whether each side's port is to be open.
    open: [watch::Sender<bool>; 2],
}

impl Shared {
    /// Runs `action` on the exchange, tells everybody of its consequences and wakes whom they concern.
    pub(super) fn act<T>(&self, action: impl FnOnce(&mut Exchange, Instant) -> T) -> T {
        let now = Instant::now();
        let mut exchange = self.exchange.lock();
        let (before, sides) = (exchange.deadline(), exchange.sides);
        let result = action(&mut exchange, now);
        exchange.settle(now);
        let sooner = exchange.deadline() != before;
        let pending: Vec<SessionId> = exchange.pending().collect();
        let modes = exchange.sides;
        drop(exchange);
        for (open, mode) in self.open.iter().zip(modes) {
            open.send_if_modified(|open| std::mem::replace(open, !mode.stopped) == mode.stopped);
        }
        if modes.map(|m| m.frozen) != sides.map(|m| m.frozen) {
            // Whoever waits for bytes may have to stop reading, or to go on.
            self.writers.lock().values().for_each(|writer| writer.notify_one());
        } else if !pending.is_empty() {
            let writers = self.writers.lock();
            for writer in pending.iter().filter_map(|id| writers.get(id)) {
                writer.notify_one();
            }
        }
        if sooner {
            self.alarm.notify_one();
        }
        result
    }
}

/// A running contact centre. It ends when this value is dropped; [`Simulator::shutdown`] ends it in good order.
#[derive(Debug)]
pub struct Simulator {
    shared: Arc<Shared>,
    addrs: [SocketAddr; 2],
    door: Option<SocketAddr>,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Simulator {
    /// Binds the ports and starts. Needs a tokio runtime with time and I/O. Cancel safe: dropping the future closes
    /// what it has opened.
    ///
    /// # Errors
    /// A contradictory configuration, or a port that cannot be bound.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        config.check().map_err(StartError::Config)?;
        let [a, b] = config.ports.map(|port| SocketAddr::new(config.bind, port));
        let listeners = [listen(a).await?, listen(b).await?];
        let door = match config.control_port {
            Some(port) => Some(listen(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?),
            None => None,
        };
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
        let exchange = Exchange::new(config, Instant::now(), u32::try_from(unix).unwrap_or(u32::MAX));
        let shared = Arc::new(Shared {
            exchange: Mutex::new(exchange),
            writers: Mutex::new(HashMap::new()),
            alarm: Notify::new(),
            open: [watch::channel(true).0, watch::channel(true).0],
        });
        let (stop, stopped) = watch::channel(false);
        let addrs = [listeners[0].1, listeners[1].1];
        let door_addr = door.as_ref().map(|(_, addr)| *addr);
        let mut tasks = JoinSet::new();
        for ((listener, _), side) in listeners.into_iter().zip([Side::A, Side::B]) {
            tasks.spawn(accept(listener, side, shared.clone(), stopped.clone()));
        }
        tasks.spawn(ring(shared.clone(), stopped.clone()));
        if let Some((listener, _)) = door {
            tasks.spawn(door::serve(listener, Control(shared.clone()), stopped));
        }
        Ok(Self { shared, addrs, door: door_addr, stop, tasks })
    }

    /// Where side A and side B listen.
    pub fn addrs(&self) -> [SocketAddr; 2] {
        self.addrs
    }

    /// Where the control door listens, if there is one.
    pub fn control_addr(&self) -> Option<SocketAddr> {
        self.door
    }

    /// A handle to act on the centre.
    pub fn control(&self) -> Control {
        Control(self.shared.clone())
    }

    /// Tells every client that the server ends (FAILURE_EVENT with status 15), closes the connections and waits for
    /// the tasks. Not cancel safe in the sense that a cancelled shutdown cuts the connections without farewell.
    pub async fn shutdown(mut self) {
        self.shared.act(|exchange, _| exchange.shut_down());
        self.stop.send_replace(true);
        while self.tasks.join_next().await.is_some() {}
    }
}

async fn listen(addr: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let wrap = |error| StartError::Listen(addr, error);
    let listener = TcpListener::bind(addr).await.map_err(wrap)?;
    let addr = listener.local_addr().map_err(wrap)?;
    Ok((listener, addr))
}

/// Accepts connections of a side while its port is open.
async fn accept(listener: TcpListener, side: Side, shared: Arc<Shared>, mut stopped: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    let mut open = shared.open[side.index()].subscribe();
    let Ok(addr) = listener.local_addr() else { return };
    let mut listener = Some(listener);
    loop {
        let Some(socket) = &listener else {
            tokio::select! {
                () = told_to_stop(&mut stopped) => break,
                Some(_) = connections.join_next() => {}
                again = reopen(addr, &mut open) => listener = again,
            }
            continue;
        };
        tokio::select! {
            () = told_to_stop(&mut stopped) => break,
            () = told(&mut open, false) => listener = None,
            Some(_) = connections.join_next() => {}
            accepted = socket.accept() => match accepted {
                Ok((stream, _)) => {
                    let session = shared.act(|exchange, now| exchange.accept(now, side));
                    match session {
                        Some(id) => {
                            connections.spawn(serve(stream, id, shared.clone()));
                        }
                        None => reset(stream),
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "simulator cannot accept a connection");
                    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                }
            },
        }
    }
    while connections.join_next().await.is_some() {}
}

/// Binds a side's port again as soon as it is to be open; a port that cannot be had is tried again a moment later.
async fn reopen(addr: SocketAddr, open: &mut watch::Receiver<bool>) -> Option<TcpListener> {
    told(open, true).await;
    match TcpListener::bind(addr).await {
        Ok(listener) => Some(listener),
        Err(error) => {
            tracing::warn!(%error, %addr, "simulator cannot listen again");
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            None
        }
    }
}

/// Closes abortively, as CTI servers do.
fn reset(stream: TcpStream) {
    let _ = stream.set_zero_linger();
}

/// One connection, until either end closes it.
async fn serve(mut stream: TcpStream, id: SessionId, shared: Arc<Shared>) {
    let _ = stream.set_nodelay(true);
    let wake = Arc::new(Notify::new());
    shared.writers.lock().insert(id, wake.clone());
    let next = converse(&mut stream, id, &shared, &wake).await;
    shared.writers.lock().remove(&id);
    shared.act(|exchange, _| exchange.lost(id));
    match next {
        Ok(Next::Reset) => reset(stream),
        Ok(_) => {
            let _ = stream.shutdown().await;
        }
        Err(error) => tracing::debug!(%error, "connection of a CTI client ended"),
    }
}

async fn converse(stream: &mut TcpStream, id: SessionId, shared: &Shared, wake: &Notify) -> io::Result<Next> {
    let mut buffer = vec![0; READ];
    loop {
        let frozen = shared.exchange.lock().is_frozen(id);
        tokio::select! {
            read = stream.read(&mut buffer), if !frozen => match read? {
                0 => return Ok(Next::Close),
                count => shared.act(|exchange, now| exchange.receive(now, id, &buffer[..count])),
            },
            () = wake.notified() => {}
        }
        let (bytes, split, next) = shared.exchange.lock().take_output(id);
        write(stream, &bytes, split).await?;
        if next != Next::GoOn {
            return Ok(next);
        }
    }
}

/// Writes everything, in pieces of `split` bytes when that is not 0.
async fn write(stream: &mut TcpStream, bytes: &[u8], split: usize) -> io::Result<()> {
    if split == 0 {
        return stream.write_all(bytes).await;
    }
    for piece in bytes.chunks(split) {
        stream.write_all(piece).await?;
        tokio::task::yield_now().await;
    }
    Ok(())
}

/// Ends when the simulator ends.
pub(super) async fn told_to_stop(stopped: &mut watch::Receiver<bool>) {
    told(stopped, true).await;
}

/// Ends when `what` has this value, or will not change any more.
async fn told(what: &mut watch::Receiver<bool>, value: bool) {
    let _ = what.wait_for(|now| *now == value).await;
}

/// Rings the alarms of the exchange.
async fn ring(shared: Arc<Shared>, mut stopped: watch::Receiver<bool>) {
    loop {
        let deadline = shared.exchange.lock().deadline();
        let due = async {
            match deadline {
                Some(when) => tokio::time::sleep_until(when.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = told_to_stop(&mut stopped) => return,
            () = shared.alarm.notified() => {}
            () = due => shared.act(|exchange, now| exchange.handle_timeout(now)),
        }
    }
}
