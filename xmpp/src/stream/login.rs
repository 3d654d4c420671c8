//! The SASL conversation of a stream (RFC 6120 §6, XEP-0388): which mechanisms there are, whose turn it is, what
//! follows.
//!
//! Messages of the mechanisms are read by [`crate::sasl`]; whatever the realm has to say is asked for by an action.
//! What a client of SASL2 may ask for beside its login is in `sasl2`.

use std::time::Instant;

use minidom::Element;

use super::sasl2::{self, Request, TokenUse};
use super::{Action, Phase, StartTls, Stream};
use crate::StreamError;
use crate::auth::{Answer, Attempt, AuthFailure, Credentials, Principal, Question};
use crate::sasl::ht::{Ht, Message};
use crate::sasl::scram::{First, Hash, Pending, Verifier};
use crate::sasl::{self, Failure, Mechanism};
use crate::service::{Admitted, Shown};
use crate::stats::Refusal;

/// Whose elements carry an exchange.
pub(super) enum Profile {
    /// RFC 6120.
    Sasl1,
    /// XEP-0388, with what the client asked for beside.
    Sasl2(Box<Request>),
}

impl Profile {
    /// SASL2 before a request was understood.
    pub(super) fn sasl2() -> Self {
        Self::Sasl2(Box::default())
    }

    fn namespace(&self) -> &'static str {
        match self {
            Self::Sasl1 => sasl::NS,
            Self::Sasl2(_) => sasl2::NS,
        }
    }

    fn failure(&self, failure: Failure) -> String {
        match self {
            Self::Sasl1 => failure.to_xml(),
            Self::Sasl2(_) => {
                let name = failure.name();
                format!("<failure xmlns=\"{}\"><{name} xmlns=\"{}\"/></failure>", sasl2::NS, sasl::NS)
            }
        }
    }
}

/// An attempt under way.
pub(super) struct Login {
    profile: Profile,
    mechanism: Mechanism,
    step: Step,
}

enum Step {
    /// The mechanism is chosen, its first message has to come.
    Start,
    /// The realm looks for the verifier.
    Lookup(First),
    /// The challenge is out.
    Proof(Pending, Attempt),
    /// The realm decides.
    Verdict(Reply),
}

/// What success brings from the mechanism.
#[derive(Default)]
struct Reply {
    /// Its last message.
    data: Option<Vec<u8>>,
    /// The name that logs in, as a local part: tokens are kept under the name that the client will use again.
    account: Option<String>,
    /// A token was right.
    by_token: bool,
    /// It is time for another.
    due: bool,
}

impl Login {
    pub(super) fn new(profile: Profile, mechanism: Mechanism) -> Self {
        Self { profile, mechanism, step: Step::Start }
    }

    pub(super) fn is_sasl2(&self) -> bool {
        matches!(self.profile, Profile::Sasl2(_))
    }
}

impl From<AuthFailure> for Failure {
    fn from(failure: AuthFailure) -> Self {
        match failure {
            AuthFailure::NotAuthorized => Self::NotAuthorized,
            AuthFailure::Temporary => Self::TemporaryAuthFailure,
            AuthFailure::Disabled => Self::AccountDisabled,
        }
    }
}

impl Stream {
    /// Mechanisms for this connection, the strongest first.
    pub(super) fn mechanisms(&self) -> Vec<Mechanism> {
        if self.starttls() == StartTls::Required {
            return Vec::new();
        }
        let hashes = self.service.scram_hashes();
        let scram = |plus: bool| hashes.iter().map(move |&hash| Mechanism::Scram { hash, plus });
        let plus = scram(true).filter(|_| self.binds_channel());
        plus.chain(scram(false)).chain([Mechanism::Plain]).collect()
    }

    /// Whether `-PLUS` mechanisms are offered.
    pub(super) fn binds_channel(&self) -> bool {
        self.channel.binding.is_some() && !self.service.scram_hashes().is_empty()
    }

    /// An element in the namespace of RFC 6120's SASL.
    pub(super) fn sasl(&mut self, now: Instant, element: &Element) {
        let login = self.login.take();
        match element.name() {
            "auth" => {
                // An attempt given up without a word counts like one that failed.
                if login.is_none() || self.may_try_again() {
                    self.auth(now, element);
                }
            }
            "response" => match login {
                Some(login) if !login.is_sasl2() => self.message(now, *login, element.text()),
                _ => self.refuse(&Profile::Sasl1, Failure::MalformedRequest),
            },
            "abort" => self.refuse(&Profile::Sasl1, Failure::Aborted),
            _ => self.fail(StreamError::UnsupportedStanzaType),
        }
    }

    fn auth(&mut self, now: Instant, element: &Element) {
        if self.starttls() == StartTls::Required {
            return self.refuse(&Profile::Sasl1, Failure::EncryptionRequired);
        }
        let name = element.attr("mechanism").unwrap_or_default();
        let Some(mechanism) = self.mechanisms().into_iter().find(|known| known.name() == name) else {
            return self.refuse(&Profile::Sasl1, Failure::InvalidMechanism);
        };
        let login = Login::new(Profile::Sasl1, mechanism);
        let text = element.text();
        if text.is_empty() {
            self.ask_for_message(login, None);
        } else {
            self.message(now, login, text);
        }
    }

    /// Sends a challenge; the next message belongs to `login`.
    pub(super) fn ask_for_message(&mut self, login: Login, challenge: Option<&str>) {
        let ns = login.profile.namespace();
        self.login = Some(Box::new(login));
        self.say(match challenge {
            None => format!("<challenge xmlns=\"{ns}\"/>"),
            Some(text) => format!("<challenge xmlns=\"{ns}\">{}</challenge>", sasl::encode(text.as_bytes())),
        });
    }

    /// A message of the client's.
    pub(super) fn message(&mut self, now: Instant, login: Login, text: String) {
        let text = zeroize::Zeroizing::new(text);
        let Login { profile, mechanism, step } = login;
        let message = sasl::decode(&text, self.limits().sasl_text);
        match message.and_then(|message| self.judge_message(now, &profile, mechanism, step, message)) {
            Ok((question, step)) => {
                self.login = Some(Box::new(Login { profile, mechanism, step }));
                self.phase = Phase::Authentication;
                self.clock.pause_login(now);
                self.action = Some(Action::Authenticate(question));
            }
            Err(failure) => self.refuse(&profile, failure),
        }
    }

    /// What the realm has to be asked now, and what its answer will be for.
    fn judge_message(
        &self,
        now: Instant,
        profile: &Profile,
        mechanism: Mechanism,
        step: Step,
        message: Vec<u8>,
    ) -> Result<(Question, Step), Failure> {
        let peer = self.channel.peer;
        match (mechanism, step) {
            (Mechanism::Plain, Step::Start) => {
                let sasl::Plain { user, password } = sasl::plain(message, &self.domains())?;
                self.check_claim(profile, &user)?;
                let reply = Reply { account: self.service.local_of(&user), ..Reply::default() };
                Ok((Question::Password(Credentials { user, password, peer }), Step::Verdict(reply)))
            }
            (Mechanism::Scram { hash, plus }, Step::Start) => {
                let binding = self.channel.binding.as_deref();
                let first = First::read(&message, hash, plus, binding, &self.domains())?;
                self.check_claim(profile, first.user())?;
                Ok((Question::Verifier(attempt(&first, peer)), Step::Lookup(first)))
            }
            (_, Step::Proof(pending, attempt)) => {
                let outcome = pending.finish(&message)?;
                let account = self.service.local_of(&attempt.user);
                let question = Question::Outcome { attempt, proven: outcome.proven };
                let data = Some(outcome.message.into_bytes());
                Ok((question, Step::Verdict(Reply { data, account, ..Reply::default() })))
            }
            (Mechanism::Ht(ht), Step::Start) => self.judge_token(now, profile, ht, &message),
            // Only BOSH could bring it, and it holds input back while the realm works.
            _ => Err(Failure::MalformedRequest),
        }
    }

    /// A token is looked up here and now; the realm is asked whether its owner may still come in.
    fn judge_token(
        &self,
        now: Instant,
        profile: &Profile,
        ht: Ht,
        message: &[u8],
    ) -> Result<(Question, Step), Failure> {
        let Profile::Sasl2(request) = profile else { return Err(Failure::InvalidMechanism) };
        let (Some(fast), Some(agent)) = (request.fast(), request.agent()) else {
            return Err(Failure::MalformedRequest);
        };
        let Message { user, hash } = Message::read(message, &self.domains())?;
        self.check_claim(profile, &user)?;
        let (Some(tokens), Some(data)) = (self.service.tokens(), ht.data(self.channel.binding.as_deref()))
        else {
            return Err(Failure::InvalidMechanism);
        };
        let account = self.service.local_of(&user);
        let shown = Shown { ht, hash: &hash, data, count: fast.count };
        let known = account.as_deref().ok_or(Failure::NotAuthorized);
        let peer = self.channel.peer;
        match known.and_then(|account| tokens.verify(now, account, agent, &shown)) {
            Ok(Admitted { principal, message, due }) => {
                let reply = Reply { data: Some(message.to_vec()), account, by_token: true, due };
                Ok((Question::Token { owner: Ok(principal), peer }, Step::Verdict(reply)))
            }
            // Answered by way of the realm all the same, so that shells see a failure among others.
            Err(Failure::NotAuthorized) => {
                let owner = Err(AuthFailure::NotAuthorized);
                Ok((Question::Token { owner, peer }, Step::Verdict(Reply::default())))
            }
            Err(failure) => Err(failure),
        }
    }

    /// Names under which this server goes in user names.
    fn domains(&self) -> [&str; 2] {
        let domain = self.service.config().domain.as_str();
        [domain, self.requested.as_deref().filter(|_| !self.is_strict()).unwrap_or(domain)]
    }

    /// A client of SASL2 logs in as who it said it was in its header (XEP-0388 §2.3).
    fn check_claim(&self, profile: &Profile, user: &str) -> Result<(), Failure> {
        let (Profile::Sasl2(_), Some(claimed)) = (profile, &self.claimed) else { return Ok(()) };
        let bare = claimed.split('/').next().unwrap_or_default();
        let claimed = sasl::user_id(bare, &self.domains());
        if claimed.to_lowercase() == user.to_lowercase() { Ok(()) } else { Err(Failure::InvalidAuthzid) }
    }

    /// The realm has answered.
    pub fn handle_auth(&mut self, now: Instant, answer: impl Into<Answer>) {
        if self.phase != Phase::Authentication {
            return;
        }
        self.clock.resume_login(now);
        self.phase = Phase::Negotiation;
        let Some(login) = self.login.take() else { return };
        let Login { profile, mechanism, step } = *login;
        match (step, answer.into()) {
            (step, Answer::Verdict(Err(failure)) | Answer::Verifier(Err(failure))) => {
                self.dismiss(&step, failure);
                self.refuse(&profile, failure.into());
            }
            (Step::Lookup(first), Answer::Verifier(Ok(verifier))) => {
                self.challenge(profile, mechanism, first, verifier);
            }
            (Step::Verdict(reply), Answer::Verdict(Ok(principal))) => {
                self.authenticated(now, &profile, mechanism, principal, reply);
            }
            // An answer to another question: the shell has mixed something up.
            _ => self.refuse(&profile, Failure::TemporaryAuthFailure),
        }
    }

    /// Who is not let in with a right token loses all of them.
    fn dismiss(&self, step: &Step, failure: AuthFailure) {
        if let (Step::Verdict(Reply { account: Some(account), by_token: true, .. }), Some(tokens)) =
            (step, self.service.tokens())
            && failure != AuthFailure::Temporary
        {
            tokens.clear(account);
        }
    }

    fn challenge(&mut self, profile: Profile, mechanism: Mechanism, first: First, verifier: Verifier) {
        let Some(nonce) = super::negotiate::random_id() else {
            return self.refuse(&profile, Failure::TemporaryAuthFailure);
        };
        let attempt = attempt(&first, self.channel.peer);
        let (pending, message) = first.challenge(verifier, &nonce);
        self.ask_for_message(
            Login { profile, mechanism, step: Step::Proof(pending, attempt) },
            Some(&message),
        );
    }

    /// Answers a failed attempt; after the configured number of them the stream ends (RFC 6120 §6.4.5). An
    /// unreachable realm is not the client's fault and does not count.
    pub(super) fn refuse(&mut self, profile: &Profile, failure: Failure) {
        self.say(profile.failure(failure));
        if failure != Failure::TemporaryAuthFailure {
            self.may_try_again();
        }
    }

    /// Counts a failed attempt; false, and the end of the stream, if it was the last one.
    fn may_try_again(&mut self) -> bool {
        self.service.count_refusal(Refusal::Login);
        self.failures += 1;
        let may = self.failures < self.service.config().auth_retries.max(1);
        if !may {
            self.fail(StreamError::PolicyViolation("too many failed logins"));
        }
        may
    }

    fn authenticated(
        &mut self,
        now: Instant,
        profile: &Profile,
        mechanism: Mechanism,
        principal: Principal,
        reply: Reply,
    ) {
        if self.service.policy().may_flood(&principal) {
            self.clock.lift_rate();
        }
        self.service.0.counters.login();
        self.principal = Some(principal);
        self.claimed = None;
        let timeouts = &self.service.config().timeouts;
        self.clock.start_binding(now, timeouts);
        match profile {
            Profile::Sasl1 => self.succeed(reply.data),
            Profile::Sasl2(request) => {
                let used = if let Mechanism::Ht(ht) = mechanism { Some(ht) } else { None };
                let account = reply.account.unwrap_or_default();
                let token = self.next_token(now, request, &TokenUse { account, used, due: reply.due });
                self.admit(now, request, reply.data, token.unwrap_or_default());
            }
        }
    }

    /// Success by RFC 6120: a new stream follows.
    fn succeed(&mut self, data: Option<Vec<u8>>) {
        self.channel.binding = None;
        let ns = sasl::NS;
        self.say(match data {
            None => format!("<success xmlns=\"{ns}\"/>"),
            Some(data) => format!("<success xmlns=\"{ns}\">{}</success>", sasl::encode(&data)),
        });
        self.restart();
    }
}

fn attempt(first: &First, peer: Option<std::net::IpAddr>) -> Attempt {
    Attempt { user: first.user().to_owned(), hash: first.hash(), peer }
}

/// The mechanisms of a realm that are offered, in their order.
pub(crate) fn offered(hashes: &[Hash]) -> Box<[Hash]> {
    Hash::ALL.into_iter().filter(|hash| hashes.contains(hash)).collect()
}
