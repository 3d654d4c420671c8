//! Tokens that were given to clients for their next login (XEP-0484): who has one, which is right, for how long.
//!
//! Bounded: two tokens for each installation of a client, a number of installations for each account, and a number in
//! total. Only in memory: after a restart clients log in by password once. No clock, no I/O.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::auth::Principal;
use crate::config::FastOptions;
use crate::sasl::Failure;
use crate::sasl::ht::{Ht, Kept};

/// How often expired tokens are looked for when there is no room.
const SWEEP: Duration = Duration::from_secs(60);

/// Digest of what a client calls its installation (the id of its `<user-agent/>`).
pub(crate) type Agent = [u8; 32];

struct Token {
    ht: Ht,
    kept: Kept,
    principal: Principal,
    issued: Instant,
    expires: Instant,
    /// Highest `count` seen.
    count: u64,
}

/// One installation of a client. The token that was given last may have got lost on its way, so that the one before
/// stays good until the new one is used (XEP-0484 §3.5).
struct Client {
    agent: Agent,
    new: Option<Token>,
    current: Option<Token>,
    used: Instant,
}

#[derive(Default)]
struct Table {
    /// By local part of the name that the client logs in by.
    accounts: HashMap<String, Vec<Client>>,
    clients: usize,
    swept: Option<Instant>,
}

/// The tokens of a service.
pub(crate) struct Tokens {
    options: FastOptions,
    table: Mutex<Table>,
}

/// What a client shows.
pub(crate) struct Shown<'a> {
    pub(crate) ht: Ht,
    pub(crate) hash: &'a [u8; 32],
    /// Data of the channel that go into the hash.
    pub(crate) data: &'a [u8],
    pub(crate) count: Option<u64>,
}

/// A token was right.
pub(crate) struct Admitted {
    pub(crate) principal: Principal,
    /// The server's message.
    pub(crate) message: [u8; 32],
    /// It is time for another token.
    pub(crate) due: bool,
}

impl Tokens {
    pub(crate) fn new(options: FastOptions) -> Self {
        Self { options, table: Mutex::default() }
    }

    /// How long a token is good.
    pub(crate) fn lifetime(&self) -> Duration {
        self.options.lifetime
    }

    /// Looks whether `shown` is a token of this installation. The newer one counts from its first use on.
    ///
    /// # Errors
    /// [`Failure::NotAuthorized`], for a `count` that has been used as well; [`Failure::CredentialsExpired`] for a right
    /// one that is too old.
    pub(crate) fn verify(
        &self,
        now: Instant,
        account: &str,
        agent: &Agent,
        shown: &Shown<'_>,
    ) -> Result<Admitted, Failure> {
        let table = &mut *self.table.lock();
        let clients = table.accounts.get_mut(account).ok_or(Failure::NotAuthorized)?;
        let client =
            clients.iter_mut().find(|client| client.agent == *agent).ok_or(Failure::NotAuthorized)?;
        let right =
            |token: &Token| (token.ht == shown.ht).then(|| token.kept.verify(shown.hash, shown.data))?;
        let message = if let Some(message) = client.new.as_ref().and_then(right) {
            client.current = client.new.take();
            message
        } else {
            client.current.as_ref().and_then(right).ok_or(Failure::NotAuthorized)?
        };
        let Some(token) = &mut client.current else { return Err(Failure::NotAuthorized) };
        if token.expires <= now {
            client.current = None;
            return Err(Failure::CredentialsExpired);
        }
        if shown.count.is_some_and(|count| count <= token.count) {
            return Err(Failure::NotAuthorized);
        }
        token.count = shown.count.unwrap_or(token.count);
        client.used = now;
        let due = now.saturating_duration_since(token.issued) >= self.options.rotate_after;
        Ok(Admitted { principal: token.principal.clone(), message, due })
    }

    /// A new token for an installation; `None` if there is no room or no randomness. When an account has as many
    /// installations as it may have, the one unused for longest loses its tokens.
    pub(crate) fn issue(
        &self,
        now: Instant,
        account: &str,
        agent: &Agent,
        ht: Ht,
        principal: &Principal,
    ) -> Option<zeroize::Zeroizing<String>> {
        let text = random_token()?;
        let token = Token {
            ht,
            kept: Kept::new(ht, &text),
            principal: principal.clone(),
            issued: now,
            expires: now + self.options.lifetime,
            count: 0,
        };
        let table = &mut *self.table.lock();
        let known =
            table.accounts.get_mut(account).and_then(|all| all.iter_mut().find(|c| c.agent == *agent));
        if let Some(client) = known {
            (client.new, client.used) = (Some(token), now);
            return Some(text);
        }
        table.make_room(now, account, &self.options)?;
        let client = Client { agent: *agent, new: Some(token), current: None, used: now };
        table.accounts.entry(account.to_owned()).or_default().push(client);
        table.clients += 1;
        Some(text)
    }

    /// Takes the tokens of one installation away.
    pub(crate) fn forget(&self, account: &str, agent: &Agent) {
        self.table.lock().retain(account, |client| client.agent != *agent);
    }

    /// Takes all tokens away that were given under this name.
    pub(crate) fn clear(&self, account: &str) {
        self.table.lock().retain(account, |_| false);
    }

    /// Takes all tokens of a user away, whatever name he logged in by. Looks at all tokens.
    pub(crate) fn revoke(&self, user: &str) {
        let user = user.to_lowercase();
        let is_his = |token: &Option<Token>| {
            token.as_ref().is_some_and(|token| token.principal.user.to_lowercase() == user)
        };
        self.table.lock().keep(|client| !is_his(&client.new) && !is_his(&client.current));
    }
}

impl Table {
    fn retain(&mut self, account: &str, keeps: impl FnMut(&Client) -> bool) {
        let Some(clients) = self.accounts.get_mut(account) else { return };
        let before = clients.len();
        clients.retain(keeps);
        self.clients -= before - clients.len();
        if clients.is_empty() {
            self.accounts.remove(account);
        }
    }

    /// Makes room for one more installation of `account`; `None`: there is none.
    fn make_room(&mut self, now: Instant, account: &str, options: &FastOptions) -> Option<()> {
        let own = self.accounts.get(account).map_or(&[][..], Vec::as_slice);
        if own.len() >= options.per_account.max(1) {
            let oldest = own.iter().min_by_key(|client| client.used).map(|client| client.agent)?;
            self.retain(account, |client| client.agent != oldest);
        }
        if self.clients >= options.total && self.swept.is_none_or(|at| now >= at + SWEEP) {
            self.swept = Some(now);
            self.sweep(now);
        }
        (self.clients < options.total).then_some(())
    }

    fn sweep(&mut self, now: Instant) {
        let is_live = |token: &Option<Token>| token.as_ref().is_some_and(|token| token.expires > now);
        self.keep(|client| is_live(&client.new) || is_live(&client.current));
    }

    fn keep(&mut self, mut keeps: impl FnMut(&Client) -> bool) {
        for clients in self.accounts.values_mut() {
            clients.retain(&mut keeps);
        }
        self.accounts.retain(|_, clients| !clients.is_empty());
        self.clients = self.accounts.values().map(Vec::len).sum();
    }
}

/// 256 random bits.
fn random_token() -> Option<zeroize::Zeroizing<String>> {
    use base64::Engine;
    let mut bytes = zeroize::Zeroizing::new([0; 32]);
    getrandom::fill(&mut *bytes).ok()?;
    Some(zeroize::Zeroizing::new(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(*bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sasl::ht::hash;

    const DAY: Duration = Duration::from_secs(24 * 3600);
    const HERE: Agent = [1; 32];

    fn options() -> FastOptions {
        FastOptions { per_account: 2, total: 5, ..FastOptions::default() }
    }

    fn who(user: &str) -> Principal {
        Principal { user: user.into(), tag: 7 }
    }

    struct World {
        tokens: Tokens,
        start: Instant,
    }

    impl World {
        fn new() -> Self {
            Self { tokens: Tokens::new(options()), start: Instant::now() }
        }

        fn issue(&self, after: Duration, account: &str, agent: &Agent) -> Option<String> {
            let issued = self.tokens.issue(self.start + after, account, agent, Ht::None, &who(account));
            issued.map(|text| text.to_string())
        }

        fn counted(
            &self,
            after: Duration,
            agent: &Agent,
            token: &str,
            count: Option<u64>,
        ) -> Option<Failure> {
            let hash = hash(token.as_bytes(), b"Initiator", &[]);
            let shown = Shown { ht: Ht::None, hash: &hash, data: &[], count };
            self.tokens.verify(self.start + after, "1001", agent, &shown).err()
        }

        fn shows(&self, after: Duration, agent: &Agent, token: &str) -> Option<Failure> {
            self.counted(after, agent, token, None)
        }
    }

    #[test]
    fn a_token_is_good_for_its_installation_its_account_and_its_time() {
        let world = World::new();
        let token = world.issue(Duration::ZERO, "1001", &HERE).unwrap();
        assert!(token.len() >= 43, "256 bits");
        assert_ne!(world.issue(Duration::ZERO, "1002", &HERE), Some(token.clone()));
        assert_eq!(world.shows(DAY, &HERE, &token), None);
        assert_eq!(world.shows(DAY, &[2; 32], &token), Some(Failure::NotAuthorized));
        assert_eq!(world.shows(DAY, &HERE, "other"), Some(Failure::NotAuthorized));
        assert_eq!(world.shows(14 * DAY, &HERE, &token), Some(Failure::CredentialsExpired));
        assert_eq!(world.shows(14 * DAY, &HERE, &token), Some(Failure::NotAuthorized), "it is gone");
    }

    #[test]
    fn a_token_works_with_its_mechanism_only() {
        let world = World::new();
        let issued = world.tokens.issue(world.start, "1001", &HERE, Ht::Exporter, &who("1001")).unwrap();
        let verify = |ht, data: &[u8]| {
            let hash = hash(issued.as_bytes(), b"Initiator", data);
            let shown = Shown { ht, hash: &hash, data, count: None };
            world.tokens.verify(world.start, "1001", &HERE, &shown).map(|admitted| admitted.message)
        };
        assert_eq!(verify(Ht::None, &[]), Err(Failure::NotAuthorized), "no way around channel binding");
        assert_eq!(verify(Ht::EndPoint, &[7; 32]), Err(Failure::NotAuthorized));
        assert_eq!(verify(Ht::Exporter, &[7; 32]), Ok(hash(issued.as_bytes(), b"Responder", &[7; 32])));
    }

    #[test]
    fn the_old_token_is_good_until_the_new_one_is_used() {
        let world = World::new();
        let first = world.issue(Duration::ZERO, "1001", &HERE).unwrap();
        assert_eq!(world.shows(DAY, &HERE, &first), None);
        let lost = world.issue(DAY, "1001", &HERE).unwrap();
        let second = world.issue(DAY, "1001", &HERE).unwrap();
        assert_eq!(world.shows(DAY, &HERE, &first), None);
        assert_eq!(world.shows(DAY, &HERE, &lost), Some(Failure::NotAuthorized), "never used, replaced");
        assert_eq!(world.shows(DAY, &HERE, &second), None);
        assert_eq!(world.shows(DAY, &HERE, &first), Some(Failure::NotAuthorized));
        assert_eq!(world.shows(DAY, &HERE, &second), None);
    }

    #[test]
    fn a_count_is_taken_once() {
        let world = World::new();
        let token = world.issue(Duration::ZERO, "1001", &HERE).unwrap();
        let with = |count| world.counted(DAY, &HERE, &token, Some(count));
        assert_eq!(with(0), Some(Failure::NotAuthorized), "has to be positive");
        assert_eq!([with(1), with(5)], [None, None]);
        assert_eq!([with(5), with(4)], [Some(Failure::NotAuthorized); 2], "replayed");
        assert_eq!(world.shows(DAY, &HERE, &token), None, "needed with early data only, which is not taken");
        assert_eq!(with(6), None);
    }

    #[test]
    fn tokens_are_due_after_a_while() {
        let world = World::new();
        let token = world.issue(Duration::ZERO, "1001", &HERE).unwrap();
        let due = |after| {
            let hash = hash(token.as_bytes(), b"Initiator", &[]);
            let shown = Shown { ht: Ht::None, hash: &hash, data: &[], count: None };
            world.tokens.verify(world.start + after, "1001", &HERE, &shown).map(|admitted| admitted.due)
        };
        assert_eq!((due(DAY / 2), due(DAY)), (Ok(false), Ok(true)));
    }

    #[test]
    fn the_number_is_bounded() {
        let world = World::new();
        let agents: Vec<Agent> = (10..13).map(|n| [n; 32]).collect();
        let tokens: Vec<String> = (0..3)
            .map(|n| world.issue(Duration::from_secs(n), "1001", &agents[n as usize]).unwrap())
            .collect();
        assert_eq!(
            world.shows(DAY, &agents[0], &tokens[0]),
            Some(Failure::NotAuthorized),
            "unused for longest"
        );
        assert_eq!(world.shows(DAY, &agents[1], &tokens[1]), None);
        assert_eq!(world.shows(DAY, &agents[2], &tokens[2]), None);
        for user in ["a", "b", "c"] {
            assert!(world.issue(DAY, user, &HERE).is_some());
        }
        assert_eq!(world.issue(DAY, "d", &HERE), None, "no room: the client goes on with its password");
        assert!(world.issue(DAY, "c", &HERE).is_some(), "who has one gets the next");
        assert!(world.issue(15 * DAY, "d", &HERE).is_some(), "the others have expired");
        assert_eq!(world.tokens.table.lock().clients, 1);
    }

    #[test]
    fn tokens_are_forgotten_and_revoked() {
        let world = World::new();
        let there = [2; 32];
        let [here, away] = [HERE, there].map(|agent| world.issue(Duration::ZERO, "1001", &agent).unwrap());
        world.tokens.forget("1001", &HERE);
        assert_eq!(world.shows(DAY, &HERE, &here), Some(Failure::NotAuthorized));
        assert_eq!(world.shows(DAY, &there, &away), None);
        let alias = world.tokens.issue(world.start, "login", &HERE, Ht::None, &who("1001"));
        assert!(alias.is_some());
        world.issue(Duration::ZERO, "1002", &HERE);
        world.tokens.revoke("1001");
        assert_eq!(world.shows(DAY, &there, &away), Some(Failure::NotAuthorized));
        assert_eq!(world.tokens.table.lock().clients, 1, "those of others stay");
        world.tokens.clear("1002");
        let table = world.tokens.table.lock();
        assert!(table.accounts.is_empty() && table.clients == 0);
    }
}
