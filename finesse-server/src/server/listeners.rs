//! All sockets of the server, bound before anything starts or changes, so that a taken port is an error and not a
//! surprise.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};
use toml::Spanned;

use super::Addresses;
use crate::config::{Config, ConfigError, ListenerName};
use crate::peer::{Rules, link, tls};

/// Connections that wait to be accepted: a storm of reconnecting clients fits.
const BACKLOG: u32 = 4096;

/// Bound listeners, in the order of the configuration, and the link to the other node of a pair.
#[derive(Debug, Default)]
pub struct Listeners(pub(super) Vec<Bound>, pub(super) Option<link::Settings>);

/// One of them.
#[derive(Debug)]
pub(super) struct Bound {
    pub(super) kind: ListenerName,
    /// As the configuration writes it: port 0 stands for any.
    pub(super) configured: SocketAddr,
    pub(super) local: SocketAddr,
    pub(super) listener: TcpListener,
    /// The same socket once more, for whoever serves the address next.
    pub(super) spare: std::net::TcpListener,
}

impl Listeners {
    /// Binds everything the configuration lists.
    ///
    /// # Errors
    /// An address cannot be listened on, or the certificates of the link to the other node do not fit; with the line that
    /// is to blame.
    pub fn bind(config: &Config) -> Result<Listeners, ConfigError> {
        let all = ListenerName::ALL.into_iter().flat_map(|kind| {
            config.listen.of(kind).iter().map(move |address| Bound::new(config, kind, address))
        });
        Ok(Listeners(all.collect::<Result<Vec<_>, _>>()?, peer(config)?))
    }
}

impl Bound {
    pub(super) fn new(
        config: &Config,
        kind: ListenerName,
        address: &Spanned<SocketAddr>,
    ) -> Result<Bound, ConfigError> {
        Bound::with(config, kind, address, || listen(*address.get_ref()))
    }

    /// The socket behind `spare`, for a listener of another kind. Connections that wait to be accepted stay.
    pub(super) fn again(
        config: &Config,
        kind: ListenerName,
        address: &Spanned<SocketAddr>,
        spare: &std::net::TcpListener,
    ) -> Result<Bound, ConfigError> {
        Bound::with(config, kind, address, || TcpListener::from_std(spare.try_clone()?))
    }

    fn with(
        config: &Config,
        kind: ListenerName,
        address: &Spanned<SocketAddr>,
        listener: impl FnOnce() -> std::io::Result<TcpListener>,
    ) -> Result<Bound, ConfigError> {
        let configured = *address.get_ref();
        let bound = || {
            let listener = listener()?;
            let spare = socket2::SockRef::from(&listener).try_clone()?.into();
            Ok(Bound { kind, configured, local: listener.local_addr()?, listener, spare })
        };
        bound().map_err(|error: std::io::Error| {
            let message = format!("listen.{}: cannot listen on {configured}: {error}", kind.key());
            config.source.error(address.span(), message)
        })
    }
}

/// The link to the other node of a pair, its socket bound; `None` on a single node.
fn peer(config: &Config) -> Result<Option<link::Settings>, ConfigError> {
    let (Some(ends), Some(listen)) = (tls::load(config)?, &config.peer.listen) else { return Ok(None) };
    let listener = self::listen(*listen.get_ref()).map_err(|error| {
        let message = format!("peer.listen: cannot listen on {}: {error}", listen.get_ref());
        config.source.error(listen.span(), message)
    })?;
    let rules = Rules {
        beat: Duration::from_millis(config.peer.beat_ms.into()),
        lost: Duration::from_secs(config.peer.lost_seconds.into()),
        ..Rules::default()
    };
    Ok(Some(link::Settings { address: config.peer.address.clone(), listener, ends, rules }))
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
            ListenerName::Component => &mut addresses.component,
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
