//! One TCP connection: bytes in, bytes out, events to the owner.

use std::collections::VecDeque;
use std::io;

use bytes::{Buf, BytesMut};
use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::time::sleep_until;

use super::task::{Ended, Link, closed, now};
use super::{Command, LinkEvent};
use crate::client::{Client, Event, Loss};
use crate::failover::Side;

/// Room for a read; a burst of events takes few reads.
const READ: usize = 64 * 1024;

/// Requests wait in their queue while this many bytes wait for the socket.
const MAX_OUTPUT: usize = 64 * 1024;

/// Most requests taken before the socket is looked at again.
const COMMANDS: usize = 64;

pub(super) struct Session {
    side: Side,
    stream: TcpStream,
    client: Client,
    input: BytesMut,
    /// Events of one read that the owner has no room for yet. Nothing more is read before they are gone.
    pending: VecDeque<LinkEvent>,
    over: Option<Loss>,
    queue_open: bool,
}

enum Step {
    Socket(io::Result<()>),
    Time,
    Command(Option<Command>),
    Room,
    Close,
    Gone,
}

impl Session {
    pub(super) fn new(side: Side, stream: TcpStream, client: Client) -> Self {
        let (input, pending) = (BytesMut::new(), VecDeque::new());
        Self { side, stream, client, input, pending, over: None, queue_open: true }
    }

    /// Runs until the session is over and its events are delivered.
    pub(super) async fn run(&mut self, link: &mut Link) -> Result<Loss, Ended> {
        loop {
            self.write();
            self.collect(link);
            self.deliver(link)?;
            if let Some(loss) = self.over.filter(|_| self.pending.is_empty()) {
                return Ok(loss);
            }
            match self.step(link).await {
                Step::Socket(Ok(())) => self.read(),
                Step::Socket(Err(error)) => self.client.handle_loss(Loss::Socket(error.kind())),
                Step::Time | Step::Room => {}
                Step::Command(command) => self.command(link, command),
                Step::Close => self.client.close(now()),
                Step::Gone => return Err(Ended),
            }
            // A busy socket must starve neither the timers nor the requests; those that wait go out in one write.
            if self.client.deadline().is_some_and(|at| at <= now()) {
                self.client.handle_timeout(now());
            }
            self.take_commands(link);
        }
    }

    fn command(&mut self, link: &mut Link, command: Option<Command>) {
        match command {
            Some(Command::Prefer(side)) => {
                if side != self.side && link.has_two_sides() && self.client.closable() {
                    link.preferred = Some(side);
                    self.client.close(now());
                }
            }
            Some(Command::Request(invoke_id, message)) => self.client.request(now(), invoke_id, message),
            // Without a session there is nobody to tell.
            Some(Command::Tell(message)) => drop(self.client.tell(&message)),
            None => {
                self.queue_open = false;
                self.client.close(now());
            }
        }
    }

    /// Whether requests are taken: while the owner takes their answers and the socket their bytes.
    fn takes_commands(&mut self) -> bool {
        let room = self.client.output().len() < MAX_OUTPUT;
        room && self.queue_open && self.pending.is_empty() && !self.client.is_over()
    }

    fn take_commands(&mut self, link: &mut Link) {
        for _ in 0..COMMANDS {
            if !self.takes_commands() {
                return;
            }
            let Ok(command) = link.queue.try_recv() else { return };
            self.command(link, Some(command));
        }
    }

    /// Waits for the next thing to do. Input goes before time: an answer that waits in the socket is not late.
    async fn step(&mut self, link: &mut Link) -> Step {
        let stalled = !self.pending.is_empty();
        let output = self.client.output().len();
        let interest = match (stalled, output > 0) {
            (false, false) => Some(Interest::READABLE),
            (false, true) => Some(Interest::READABLE | Interest::WRITABLE),
            (true, true) => Some(Interest::WRITABLE),
            (true, false) => None,
        };
        let live = !self.client.is_over();
        let takes = self.takes_commands();
        let deadline = self.client.deadline();
        let ready = async {
            match interest {
                Some(interest) => self.stream.ready(interest).await.map(drop),
                None => std::future::pending().await,
            }
        };
        let timer = async {
            match deadline {
                Some(at) => sleep_until(at.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            ready = ready, if live => Step::Socket(ready),
            () = timer => Step::Time,
            () = closed(&mut link.closing), if live && self.client.closable() => Step::Close,
            room = link.events.reserve(), if stalled => if room.is_ok() { Step::Room } else { Step::Gone },
            () = link.events.closed(), if !stalled => Step::Gone,
            command = link.queue.recv(), if takes => Step::Command(command),
        }
    }

    /// Reads what is there and lets the client work on it.
    fn read(&mut self) {
        if !self.pending.is_empty() {
            return;
        }
        self.input.reserve(READ);
        match self.stream.try_read_buf(&mut self.input) {
            Ok(0) => {
                self.client.handle_input(now(), &mut self.input);
                self.client.handle_loss(Loss::Eof);
            }
            Ok(_) => self.client.handle_input(now(), &mut self.input),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => self.client.handle_loss(Loss::Socket(error.kind())),
        }
    }

    /// Writes what the socket takes.
    fn write(&mut self) {
        let output = self.client.output();
        while !output.is_empty() {
            match self.stream.try_write(output) {
                Ok(written) => output.advance(written),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) => return self.client.handle_loss(Loss::Socket(error.kind())),
            }
        }
    }

    /// Takes the client's events over.
    fn collect(&mut self, link: &mut Link) {
        while let Some(event) = self.client.poll_event() {
            let event = match event {
                Event::Up { open_conf, health } => {
                    link.is_up(self.side);
                    LinkEvent::Up { side: self.side, open_conf, health }
                }
                Event::Health(health) => LinkEvent::Health(health),
                Event::Message(message) => LinkEvent::Message(message),
                Event::Confirm { invoke_id, message } => LinkEvent::Confirm { invoke_id, message },
                Event::Refused { invoke_id, refusal } => LinkEvent::Refused { invoke_id, refusal },
                Event::TimedOut { invoke_id } => LinkEvent::TimedOut { invoke_id },
                Event::Skipped(bad) => LinkEvent::Skipped(bad),
                Event::Down(loss) => {
                    let moves = loss == Loss::Closed && link.preferred.is_some();
                    self.over = Some(if moves { Loss::Preferred } else { loss });
                    continue;
                }
            };
            self.pending.push_back(event);
        }
    }

    /// Hands events to the owner as far as there is room.
    fn deliver(&mut self, link: &mut Link) -> Result<(), Ended> {
        use tokio::sync::mpsc::error::TrySendError;
        while let Some(event) = self.pending.pop_front() {
            match link.events.try_send(event) {
                Ok(()) => {}
                Err(TrySendError::Full(event)) => {
                    self.pending.push_front(event);
                    break;
                }
                Err(TrySendError::Closed(_)) => return Err(Ended),
            }
        }
        self.client.set_stalled(!self.pending.is_empty());
        Ok(())
    }

    /// Ends the connection. A side given up is reset, so that neither end keeps it in a closing state.
    pub(super) fn give_up(&mut self, loss: &Result<Loss, Ended>) {
        self.write();
        if !matches!(loss, Ok(Loss::Closed)) {
            // If the option cannot be set the connection ends the ordinary way.
            let _ = self.stream.set_zero_linger();
        }
    }
}
