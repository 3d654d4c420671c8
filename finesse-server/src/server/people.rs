//! Another directory while the server runs, and everybody who has to know of it.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use xmpp::{Access, AccessPolicy, Principal};

use crate::config::Config;
use crate::core::Core;
use crate::directory::{Directory, Shared};
use crate::realm::cce::News;
use crate::realm::{Case, Realm, tag};

/// Contradictions of a realm that are told one by one.
const TOLD: usize = 20;

/// Everybody who looks at the directory, and what hangs on it.
#[derive(Clone)]
pub(super) struct People {
    pub(super) directory: Shared,
    pub(super) core: Core,
    pub(super) service: xmpp::Service,
    pub(super) rights: Arc<dyn AccessPolicy>,
    pub(super) realm: Arc<Realm>,
}

impl People {
    /// Lets what a realm tells hold together with what the file says, until the server stops.
    pub(super) async fn follow(
        self,
        mut news: mpsc::Receiver<News>,
        config: Arc<Config>,
        stop: watch::Receiver<bool>,
    ) {
        let follow = async {
            while let Some(News { roster, done }) = news.recv().await {
                let (directory, left_out) =
                    config.directory_builder().build_with(&roster, &self.directory.load());
                for error in left_out.iter().take(TOLD) {
                    tracing::warn!(%error, "left out of the directory");
                }
                if left_out.len() > TOLD {
                    tracing::warn!(more = left_out.len() - TOLD, "left out of the directory");
                }
                tracing::info!(users = directory.user_count(), "directory read");
                self.exchange(Arc::new(directory)).await;
                // Who does not wait any more need not know.
                let _ = done.send(());
            }
        };
        tokio::select! {
            () = follow => {}
            () = super::stopped(stop) => {}
        }
    }

    /// Lets this directory hold, built after the present one. When it returns, everybody has taken it over: REST, the
    /// nodes and the model; who is gone has no session any more, and nobody a subscription that he could not make now.
    pub(super) async fn exchange(&self, directory: Arc<Directory>) {
        let former = self.directory.load();
        // First whoever decides what may be asked, so that the newcomer's first question finds him known.
        self.directory.exchange(directory.clone());
        self.core.exchange(directory.clone()).await;
        let gone = former.users().filter(|user| directory.user(&user.id).is_none());
        for user in gone {
            if self.service.remove_user(&user.id) {
                tracing::info!(target: "journal", user = %user.id, cause = "not configured any more", "user removed");
            }
        }
        for user in directory.users() {
            self.withdraw(&user.id);
        }
    }

    /// Ends a user's subscriptions that he may not have any more.
    fn withdraw(&self, user: &Arc<str>) {
        let Some(bare) = self.service.bare_address(user) else { return };
        let broker = self.service.broker();
        let held = broker.subscriptions(&bare);
        if held.is_empty() {
            return;
        }
        let Some(identity) = self.realm.find(user, Case::Exact) else { return };
        let who = Principal { user: user.clone(), tag: tag(identity.kind) };
        for (address, node) in held {
            if matches!(self.rights.subscribe(&who, &node), Access::Forbidden | Access::NotAllowed) {
                // An error says that it has ended meanwhile.
                let _ = broker.unsubscribe(&address, &node);
                tracing::info!(target: "journal", %user, node = %node, cause = "no right any more", "subscription ended");
            }
        }
    }
}
