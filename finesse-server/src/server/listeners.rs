//! All sockets of the server, bound before anything starts, so that a taken port is an error and not a surprise.

use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpSocket};
use toml::Spanned;

use super::Addresses;
use crate::config::{Config, ConfigError};

/// Connections that wait to be accepted: a storm of reconnecting clients fits.
const BACKLOG: u32 = 4096;

/// Bound listeners by purpose.
#[derive(Debug, Default)]
pub struct Listeners {
    /// HTTP in clear.
    pub http: Vec<TcpListener>,
    /// HTTPS.
    pub https: Vec<TcpListener>,
    /// BOSH and WebSocket in clear.
    pub bosh: Vec<TcpListener>,
    /// BOSH and WebSocket over TLS.
    pub bosh_tls: Vec<TcpListener>,
    /// XMPP in clear.
    pub xmpp: Vec<TcpListener>,
    /// XMPP with TLS from the first byte.
    pub xmpp_tls: Vec<TcpListener>,
    /// External components.
    pub component: Vec<TcpListener>,
}

impl Listeners {
    /// Binds everything the configuration lists.
    ///
    /// # Errors
    /// An address cannot be listened on, with the line that names it.
    pub fn bind(config: &Config) -> Result<Listeners, ConfigError> {
        let all = |key: &str, list: &[Spanned<SocketAddr>]| {
            list.iter().map(|address| one(config, key, address)).collect::<Result<Vec<_>, _>>()
        };
        let listen = &config.listen;
        Ok(Listeners {
            http: all("http", &listen.http)?,
            https: all("https", &listen.https)?,
            bosh: all("bosh", &listen.bosh)?,
            bosh_tls: all("bosh_tls", &listen.bosh_tls)?,
            xmpp: all("xmpp", &listen.xmpp)?,
            xmpp_tls: all("xmpp_tls", &listen.xmpp_tls)?,
            component: all("component", &listen.component)?,
        })
    }

    /// Where they can be reached.
    pub(super) fn addresses(&self) -> Addresses {
        let first = |list: &[TcpListener]| list.first().and_then(|listener| listener.local_addr().ok());
        Addresses {
            http: first(&self.http),
            https: first(&self.https),
            bosh: first(&self.bosh),
            bosh_tls: first(&self.bosh_tls),
            xmpp: first(&self.xmpp),
            xmpp_tls: first(&self.xmpp_tls),
            component: first(&self.component),
        }
    }
}

fn one(config: &Config, key: &str, address: &Spanned<SocketAddr>) -> Result<TcpListener, ConfigError> {
    let socket_address = *address.get_ref();
    listen(socket_address).map_err(|error| {
        config
            .source
            .error(address.span(), format!("listen.{key}: cannot listen on {socket_address}: {error}"))
    })
}

fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // Connections of an earlier process that linger in TIME_WAIT must not prevent a restart.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}
