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
