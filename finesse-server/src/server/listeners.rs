//! All sockets of the server, bound before anything starts or changes, so that a taken port is an error and not a
//! surprise.

use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpSocket};
use toml::Spanned;

use super::Addresses;
use crate::config::{Config, ConfigError, ListenerName};

/// Connections that wait to be accepted: a storm of reconnecting clients fits.
const BACKLOG: u32 = 4096;

/// Bound listeners, in the order of the configuration.
#[derive(Debug, Default)]
pub struct Listeners {
    pub(super) doors: Vec<Bound>,
    /// External components; these stay as they are until the server ends.
    pub(super) component: Vec<TcpListener>,
}

/// One of them.
#[derive(Debug)]
pub(super) struct Bound {
    pub(super) kind: ListenerName,
    /// As the configuration writes it: port 0 stands for any.
    pub(super) configured: SocketAddr,
    pub(super) local: SocketAddr,
    pub(super) listener: TcpListener,
}

impl Listeners {
    /// Binds everything the configuration lists.
    ///
    /// # Errors
    /// An address cannot be listened on, with the line that names it.
    pub fn bind(config: &Config) -> Result<Listeners, ConfigError> {
        let all = ListenerName::ALL.into_iter().flat_map(|kind| {
            config.listen.of(kind).iter().map(move |address| Bound::new(config, kind, address))
        });
        let doors = all.collect::<Result<Vec<_>, _>>()?;
        let component = config.listen.component.iter().map(|address| bind(config, "component", address));
        Ok(Listeners { doors, component: component.collect::<Result<Vec<_>, _>>()? })
    }

    /// Where they can be reached.
    pub(super) fn addresses(&self) -> Addresses {
        let doors = self.doors.iter().map(|bound| (bound.kind, bound.local));
        Addresses { component: self.component_address(), ..addresses(doors) }
    }

    pub(super) fn component_address(&self) -> Option<SocketAddr> {
        self.component.first().and_then(|listener| listener.local_addr().ok())
    }
}

impl Bound {
    pub(super) fn new(
        config: &Config,
        kind: ListenerName,
        address: &Spanned<SocketAddr>,
    ) -> Result<Bound, ConfigError> {
        let listener = bind(config, kind.key(), address)?;
        let configured = *address.get_ref();
        // It is bound: it has an address.
        let local = listener.local_addr().unwrap_or(configured);
        Ok(Bound { kind, configured, local, listener })
    }
}

fn bind(config: &Config, key: &str, address: &Spanned<SocketAddr>) -> Result<TcpListener, ConfigError> {
    let socket_address = *address.get_ref();
    listen(socket_address).map_err(|error| {
        let message = format!("listen.{key}: cannot listen on {socket_address}: {error}");
        config.source.error(address.span(), message)
    })
}

/// The first address of each kind.
pub(super) fn addresses(open: impl Iterator<Item = (ListenerName, SocketAddr)>) -> Addresses {
    let mut addresses = Addresses::default();
    for (kind, local) in open {
        let first = match kind {
            ListenerName::Http => &mut addresses.http,
            ListenerName::Https => &mut addresses.https,
            ListenerName::Bosh => &mut addresses.bosh,
            ListenerName::BoshTls => &mut addresses.bosh_tls,
            ListenerName::Xmpp => &mut addresses.xmpp,
            ListenerName::XmppTls => &mut addresses.xmpp_tls,
        };
        first.get_or_insert(local);
    }
    addresses
}

fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // Connections of an earlier process that linger in TIME_WAIT must not prevent a restart.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}
