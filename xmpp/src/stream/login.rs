//! The SASL conversation of a stream (RFC 6120 §6): which mechanisms there are, whose turn it is, what follows.
//!
//! Messages of the mechanisms are read by [`crate::sasl`]; whatever the realm has to say is asked for by an action.

use std::time::Instant;

use minidom::Element;

use super::{Action, Phase, StartTls, Stream};
use crate::StreamError;
use crate::auth::{Answer, Attempt, AuthFailure, Credentials, Principal, Question};
use crate::sasl::scram::{First, Hash, Pending, Verifier};
use crate::sasl::{self, Failure, Mechanism};
use crate::stats::Refusal;

/// An attempt under way.
pub(super) struct Login {
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
    /// The realm decides. With the mechanism's last message, for success.
    Verdict(Option<String>),
}

/// What a client's message leads to.
enum Next {
    Ask(Question, Step),
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
        let hashes = self.service.scram_hashes();
        let scram = |plus: bool| hashes.iter().map(move |&hash| Mechanism::Scram { hash, plus });
        let plus = scram(true).filter(|_| self.binds_channel());
        plus.chain(scram(false)).chain([Mechanism::Plain]).collect()
    }

    /// Whether `-PLUS` mechanisms are offered.
    pub(super) fn binds_channel(&self) -> bool {
        self.channel.binding.is_some() && !self.service.scram_hashes().is_empty()
    }

    /// An element in the namespace of SASL.
    pub(super) fn sasl(&mut self, now: Instant, element: &Element) {
        let login = self.login.take();
        match element.name() {
            "auth" => self.auth(now, element),
            "response" => match login {
                Some(login) => self.message(now, *login, element.text()),
                None => self.refuse(Failure::MalformedRequest),
            },
            "abort" => self.refuse(Failure::Aborted),
            _ => self.fail(StreamError::UnsupportedStanzaType),
        }
    }

    fn auth(&mut self, now: Instant, element: &Element) {
        if self.starttls() == StartTls::Required {
            return self.refuse(Failure::EncryptionRequired);
        }
        let name = element.attr("mechanism").unwrap_or_default();
        let Some(mechanism) = self.mechanisms().into_iter().find(|known| known.name() == name) else {
            return self.refuse(Failure::InvalidMechanism);
        };
        let login = Login { mechanism, step: Step::Start };
        let text = element.text();
        if text.is_empty() {
            self.login = Some(Box::new(login));
            self.say(format!("<challenge xmlns=\"{}\"/>", sasl::NS));
        } else {
            self.message(now, login, text);
        }
    }

    /// A message of the client's.
    fn message(&mut self, now: Instant, login: Login, text: String) {
        let text = zeroize::Zeroizing::new(text);
        let mechanism = login.mechanism;
        match sasl::decode(&text, self.limits().sasl_text)
            .and_then(|message| self.judge_message(login, message))
        {
            Ok(Next::Ask(question, step)) => {
                self.login = Some(Box::new(Login { mechanism, step }));
                self.phase = Phase::Authentication;
                self.clock.pause_login(now);
                self.action = Some(Action::Authenticate(question));
            }
            Err(failure) => self.refuse(failure),
        }
    }

    fn judge_message(&self, login: Login, message: Vec<u8>) -> Result<Next, Failure> {
        let peer = self.channel.peer;
        match (login.mechanism, login.step) {
            (Mechanism::Plain, Step::Start) => {
                let sasl::Plain { user, password } = sasl::plain(message, &self.domains())?;
                Ok(Next::Ask(Question::Password(Credentials { user, password, peer }), Step::Verdict(None)))
            }
            (Mechanism::Scram { hash, plus }, Step::Start) => {
                let binding = self.channel.binding.as_deref();
                let first = First::read(&message, hash, plus, binding, &self.domains())?;
                let attempt = attempt(&first, peer);
                Ok(Next::Ask(Question::Verifier(attempt), Step::Lookup(first)))
            }
            (_, Step::Proof(pending, attempt)) => {
                let outcome = pending.finish(&message)?;
                let question = Question::Outcome { attempt, proven: outcome.proven };
                Ok(Next::Ask(question, Step::Verdict(Some(outcome.message))))
            }
            // Only BOSH could bring it, and it holds input back while the realm works.
            _ => Err(Failure::MalformedRequest),
        }
    }

    /// Names under which this server goes in user names.
    fn domains(&self) -> [&str; 2] {
        let domain = self.service.config().domain.as_str();
        [domain, self.requested.as_deref().filter(|_| !self.is_strict()).unwrap_or(domain)]
    }

    /// The realm has answered.
    pub fn handle_auth(&mut self, now: Instant, answer: impl Into<Answer>) {
        if self.phase != Phase::Authentication {
            return;
        }
        self.clock.resume_login(now);
        self.phase = Phase::Negotiation;
        let Some(login) = self.login.take() else { return };
        match (login.step, answer.into()) {
            (_, Answer::Verdict(Err(failure)) | Answer::Verifier(Err(failure))) => {
                self.refuse(failure.into())
            }
            (Step::Lookup(first), Answer::Verifier(Ok(verifier))) => {
                self.challenge(login.mechanism, first, verifier);
            }
            (Step::Verdict(message), Answer::Verdict(Ok(principal))) => {
                self.authenticated(now, principal, message);
            }
            // An answer to another question: the shell has mixed something up.
            _ => self.refuse(Failure::TemporaryAuthFailure),
        }
    }

    fn challenge(&mut self, mechanism: Mechanism, first: First, verifier: Verifier) {
        let Some(nonce) = super::negotiate::random_id() else {
            return self.refuse(Failure::TemporaryAuthFailure);
        };
        let attempt = attempt(&first, self.channel.peer);
        let (pending, message) = first.challenge(verifier, &nonce);
        self.login = Some(Box::new(Login { mechanism, step: Step::Proof(pending, attempt) }));
        self.say(format!(
            "<challenge xmlns=\"{}\">{}</challenge>",
            sasl::NS,
            sasl::encode(message.as_bytes())
        ));
    }

    /// Answers a failed attempt; after the configured number of them the stream ends (RFC 6120 §6.4.5). An
    /// unreachable realm is not the client's fault and does not count.
    fn refuse(&mut self, failure: Failure) {
        self.say(failure.to_xml());
        if failure != Failure::TemporaryAuthFailure {
            self.service.count_refusal(Refusal::Login);
            self.failures += 1;
        }
        if self.failures >= self.service.config().auth_retries.max(1) {
            self.fail(StreamError::PolicyViolation("too many failed logins"));
        }
    }

    fn authenticated(&mut self, now: Instant, principal: Principal, message: Option<String>) {
        if self.service.policy().may_flood(&principal) {
            self.clock.lift_rate();
        }
        self.principal = Some(principal);
        self.service.0.counters.login();
        self.channel.binding = None;
        let timeouts = &self.service.config().timeouts;
        self.clock.start_binding(now, timeouts);
        let ns = sasl::NS;
        self.say(match message {
            None => format!("<success xmlns=\"{ns}\"/>"),
            Some(message) => {
                format!("<success xmlns=\"{ns}\">{}</success>", sasl::encode(message.as_bytes()))
            }
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
