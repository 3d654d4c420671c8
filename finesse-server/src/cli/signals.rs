//! The wishes of whoever started the process.

/// Ctrl-C and SIGTERM. Made before anything is announced: once it exists no signal is lost, however early.
pub struct End {
    #[cfg(unix)]
    signals: [tokio::signal::unix::Signal; 2],
}

impl End {
    /// Starts listening for both signals.
    ///
    /// # Errors
    /// The operating system refuses the handler.
    pub fn new() -> std::io::Result<End> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            Ok(End { signals: [signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?] })
        }
        #[cfg(not(unix))]
        Ok(End {})
    }

    /// Waits for one of them. Cancel safe: a signal that comes in between is not lost.
    pub async fn wait(&mut self) {
        #[cfg(unix)]
        {
            let [interrupt, terminate] = &mut self.signals;
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        }
        #[cfg(not(unix))]
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// SIGHUP: the wish that the configuration be read again. Once it exists the signal does not end the process.
pub struct Reload {
    #[cfg(unix)]
    hangup: tokio::signal::unix::Signal,
}

impl Reload {
    /// Starts listening for it; never comes where there is no such signal.
    ///
    /// # Errors
    /// The operating system refuses the handler.
    pub fn new() -> std::io::Result<Reload> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            Ok(Reload { hangup: signal(SignalKind::hangup())? })
        }
        #[cfg(not(unix))]
        Ok(Reload {})
    }

    /// Waits for the next one. Cancel safe.
    pub async fn wait(&mut self) {
        #[cfg(unix)]
        if self.hangup.recv().await.is_some() {
            return;
        }
        std::future::pending().await
    }
}

/// SIGUSR1: the wish that the clients be moved to the other node; SIGUSR2: that they may stay.
pub struct Drain {
    #[cfg(unix)]
    signals: [tokio::signal::unix::Signal; 2],
}

impl Drain {
    /// Starts listening for both; they never come where there are no such signals.
    ///
    /// # Errors
    /// The operating system refuses the handler.
    pub fn new() -> std::io::Result<Drain> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let signals = [signal(SignalKind::user_defined1())?, signal(SignalKind::user_defined2())?];
            Ok(Drain { signals })
        }
        #[cfg(not(unix))]
        Ok(Drain {})
    }

    /// Waits for the next one; whether clients are to be moved. Cancel safe.
    pub async fn wait(&mut self) -> bool {
        #[cfg(unix)]
        {
            let [start, cancel] = &mut self.signals;
            tokio::select! {
                Some(()) = start.recv() => return true,
                Some(()) = cancel.recv() => return false,
                else => {}
            }
        }
        std::future::pending().await
    }
}
