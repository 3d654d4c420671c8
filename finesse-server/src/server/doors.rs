//! The open listeners: each with the means to change and to close it while its connections go on.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;
use toml::Spanned;
use xmpp::tcp::TcpOptions;

use super::listeners::Bound;
use super::{Addresses, listeners, settings, stopped};
use crate::config::{Config, ConfigError, ListenerName, PlainHttp, Protocol};
use crate::http::tls::Tls;
use crate::http::{Door, Interfaces};
use crate::realm::Realm;

/// What listeners need of the server.
#[derive(Clone)]
pub(super) struct Behind {
    pub(super) interfaces: Arc<Interfaces>,
    pub(super) realm: Arc<Realm>,
    pub(super) tls: Tls,
    pub(super) stop: watch::Sender<bool>,
}

/// An open listener.
struct Open {
    kind: ListenerName,
    configured: SocketAddr,
    local: SocketAddr,
    options: Options,
    /// Its socket once more. Closed with the listener, unless another goes on with it.
    spare: std::net::TcpListener,
    /// Dropping it closes the listener, not its connections.
    _close: oneshot::Sender<()>,
}

enum Options {
    Http(watch::Sender<Door>),
    Xmpp(watch::Sender<TcpOptions>),
    Component,
}

/// All of them.
#[derive(Default)]
pub(super) struct Doors(Vec<Open>);

/// What a configuration asks for and is not there yet: sockets that are bound and accept nothing so far.
pub(super) struct Plan {
    bound: Vec<Bound>,
    /// For each open listener, what becomes of it; `None`: it is closed.
    kept: Vec<Option<ListenerName>>,
}

impl Doors {
    /// Works out what `config` changes and binds what is new. Dropping the plan changes nothing.
    ///
    /// # Errors
    /// An address cannot be listened on.
    pub(super) fn plan(&self, config: &Config) -> Result<Plan, ConfigError> {
        let mut kept = vec![None; self.0.len()];
        let mut bound = Vec::new();
        for kind in ListenerName::ALL {
            for address in config.listen.of(kind) {
                match (0..kept.len()).find(|&at| kept[at].is_none() && self.0[at].serves(kind, address)) {
                    Some(at) => kept[at] = Some(kind),
                    None => bound.push(self.bind(config, kind, address)?),
                }
            }
        }
        Ok(Plan { bound, kept })
    }

    /// A listener on this address; one that spoke another protocol there gives its socket to it.
    fn bind(
        &self,
        config: &Config,
        kind: ListenerName,
        address: &Spanned<SocketAddr>,
    ) -> Result<Bound, ConfigError> {
        let same = |open: &&Open| open.configured == *address.get_ref() && open.configured.port() != 0;
        match self.0.iter().find(same) {
            Some(open) => Bound::again(config, kind, address, &open.spare),
            None => Bound::new(config, kind, address),
        }
    }

    /// Carries a plan out: closes, changes and opens listeners. Cannot fail.
    pub(super) fn carry_out(
        &mut self,
        plan: Plan,
        config: &Config,
        behind: &Behind,
        tasks: &mut JoinSet<()>,
    ) {
        let mut kept = plan.kept.into_iter();
        self.0.retain_mut(|open| match kept.next().flatten() {
            Some(kind) => {
                open.kind = kind;
                true
            }
            None => {
                tracing::info!(listener = open.kind.key(), address = %open.local, "closed");
                false
            }
        });
        let coming = plan.bound.iter().map(|bound| (bound.kind, bound.local));
        let addresses = listeners::addresses(self.list().chain(coming));
        for open in &self.0 {
            match &open.options {
                Options::Http(door) => drop(door.send_replace(door_of(open.kind, config, behind, addresses))),
                Options::Xmpp(options) => drop(options.send_replace(tcp_of(open.kind, config, behind))),
                Options::Component => {}
            }
        }
        for bound in plan.bound {
            self.0.push(open(bound, config, behind, addresses, tasks));
        }
    }

    pub(super) fn addresses(&self) -> Addresses {
        listeners::addresses(self.list())
    }

    fn list(&self) -> impl Iterator<Item = (ListenerName, SocketAddr)> {
        self.0.iter().map(|open| (open.kind, open.local))
    }
}

impl Open {
    /// Whether it can go on as one of `kind` on this address: one that speaks the same protocol there does, whatever
    /// its list is called.
    fn serves(&self, kind: ListenerName, address: &Spanned<SocketAddr>) -> bool {
        let address = address.get_ref();
        let fits = match address.port() {
            0 => self.kind == kind,
            _ => self.kind.protocol() == kind.protocol(),
        };
        fits && self.configured == *address
    }
}

impl From<Vec<Bound>> for Plan {
    fn from(bound: Vec<Bound>) -> Plan {
        Plan { bound, kept: Vec::new() }
    }
}

fn open(
    bound: Bound,
    config: &Config,
    behind: &Behind,
    addresses: Addresses,
    tasks: &mut JoinSet<()>,
) -> Open {
    let Bound { kind, configured, local, listener, spare } = bound;
    let (close, closed) = oneshot::channel();
    let closed = async {
        // An error says that the sender is gone, which is the signal.
        let _ = closed.await;
    };
    let stop = behind.stop.subscribe();
    let service = behind.interfaces.xmpp.clone();
    let options = match kind.protocol() {
        Protocol::Xmpp => {
            let (sender, options) = watch::channel(tcp_of(kind, config, behind));
            tasks.spawn(xmpp::tcp::serve_changing(listener, service, options, closed, stopped(stop)));
            Options::Xmpp(sender)
        }
        Protocol::Http => {
            let (sender, door) = watch::channel(door_of(kind, config, behind, addresses));
            tasks.spawn(crate::http::serve(listener, door, behind.interfaces.clone(), closed, stop));
            Options::Http(sender)
        }
        Protocol::Component => {
            let admission = behind.interfaces.admission.clone();
            let stop = stopped(stop);
            tasks.spawn(xmpp::component::serve_closing(listener, service, admission, closed, stop));
            Options::Component
        }
    };
    Open { kind, configured, local, options, spare, _close: close }
}

fn door_of(kind: ListenerName, config: &Config, behind: &Behind, addresses: Addresses) -> Door {
    let secure = matches!(kind, ListenerName::Https | ListenerName::BoshTls);
    let redirects = !secure && config.server.plain_http == PlainHttp::Redirect;
    Door {
        tls: secure.then(|| behind.tls.http.clone()),
        redirect: addresses.https.filter(|_| redirects).map(|address| address.port()),
        proxies: settings::proxies(config, kind),
    }
}

fn tcp_of(kind: ListenerName, config: &Config, behind: &Behind) -> TcpOptions {
    let direct_tls = kind == ListenerName::XmppTls;
    TcpOptions {
        tls: Some(behind.tls.xmpp.clone()),
        direct_tls,
        starttls: settings::starttls(config.xmpp.starttls),
        coalesce: config.xmpp.coalesce,
        admission: behind.interfaces.admission.clone(),
        allow: direct_tls.then(|| settings::xmpp_tls_allow(config)).flatten(),
        proxies: settings::proxies(config, kind),
    }
}
