//! SASL2 (XEP-0388) with inline binding (XEP-0386) and tokens (XEP-0484): what a client may ask for together with its
//! login, and the one answer it gets.
//!
//! Beside RFC 6120, never in its way: a client that sends `<auth/>` sees nothing of this but one more feature.

use std::time::Instant;

use minidom::Element;
use sha2::{Digest, Sha256};

use super::login::{Login, Profile};
use super::sm::Resumed;
use super::{Framing, Phase, StartTls, Stream};
use crate::StreamError;
use crate::auth::Principal;
use crate::sasl::ht::Ht;
use crate::sasl::{self, Failure, Mechanism};
use crate::service::{Agent, BindError};
use crate::sm;
use crate::splice::Splicer;
use crate::stats::Refusal;
use crate::xml;

/// Namespace of SASL2.
pub(super) const NS: &str = "urn:xmpp:sasl:2";
const NS_BIND2: &str = "urn:xmpp:bind:0";
const NS_FAST: &str = "urn:xmpp:fast:0";

/// What came with `<authenticate/>`.
#[derive(Default)]
pub(super) struct Request {
    /// Which installation of a client this is.
    agent: Option<Agent>,
    bind: Option<Bind>,
    /// An earlier session is to go on (XEP-0198 §6.2).
    resume: Option<Element>,
    /// Mechanism of the token the client wants.
    token: Option<Ht>,
    fast: Option<Fast>,
}

/// `<bind/>`.
struct Bind {
    tag: Option<String>,
    /// Stream management is wanted (XEP-0198 §6.1).
    enable: Option<Element>,
}

/// `<fast/>`: the client authenticates with a token.
#[derive(Clone, Copy)]
pub(super) struct Fast {
    pub(super) count: Option<u64>,
    invalidate: bool,
}

/// `<success/>` in the making.
struct Success {
    framing: Framing,
    /// The mechanism's last message.
    data: Option<Vec<u8>>,
    /// Full address once a resource is bound or a session resumed, bare before (XEP-0388 §2.6.1); escaped.
    identity: String,
    /// `<token/>` or nothing.
    token: String,
    /// Why a session could not be resumed, if that was asked for.
    failed: String,
}

impl Success {
    /// Success with what became of inline requests, and the features behind it: at least one parcel, two where each has to
    /// be a message of its own.
    fn parcels(&self, inline: &str, features: &str) -> Vec<String> {
        let data = self.data.as_ref().map(|data| sasl::encode(data));
        let data = data.map(|data| format!("<additional-data>{data}</additional-data>")).unwrap_or_default();
        let Self { framing, identity, token, failed, .. } = self;
        let success = format!(
            "<success xmlns=\"{NS}\">{data}<authorization-identifier>{identity}</authorization-identifier>\
             {failed}{inline}{token}</success>"
        );
        match framing {
            Framing::WebSocket => vec![success, features.to_owned()],
            _ => vec![success + features],
        }
    }
}

/// How a login came about, as far as tokens are concerned.
pub(super) struct TokenUse {
    /// Local part of the name that logged in.
    pub(super) account: String,
    /// Mechanism of the token that was used, if one was.
    pub(super) used: Option<Ht>,
    /// It is time for another.
    pub(super) due: bool,
}

impl Request {
    fn read(element: &Element) -> Result<Self, Failure> {
        let agent = element.get_child("user-agent", NS).and_then(|agent| agent.attr("id"));
        let bind = element.get_child("bind", NS_BIND2).map(|bind| Bind {
            tag: bind.get_child("tag", NS_BIND2).map(Element::text).filter(|tag| !tag.trim().is_empty()),
            enable: bind.get_child("enable", sm::NS).cloned(),
        });
        let token = element.get_child("request-token", NS_FAST).and_then(|wish| wish.attr("mechanism"));
        let fast = element.get_child("fast", NS_FAST).map(Fast::read).transpose()?;
        Ok(Self {
            agent: agent.map(|id| Sha256::digest(id).into()),
            bind,
            resume: element.get_child("resume", sm::NS).cloned(),
            token: token.and_then(Ht::from_name),
            fast,
        })
    }

    pub(super) fn agent(&self) -> Option<&Agent> {
        self.agent.as_ref()
    }

    pub(super) fn fast(&self) -> Option<Fast> {
        self.fast
    }
}

impl Fast {
    fn read(element: &Element) -> Result<Self, Failure> {
        let count =
            element.attr("count").map(str::parse).transpose().map_err(|_| Failure::MalformedRequest)?;
        Ok(Self { count, invalidate: matches!(element.attr("invalidate"), Some("true" | "1")) })
    }
}

impl Stream {
    /// The feature, where SASL2 is on (XEP-0388 §2.1).
    pub(super) fn sasl2_feature(&self) -> String {
        if !self.service.config().sasl2 {
            return String::new();
        }
        let list = |names: Vec<&str>| -> String {
            names.iter().map(|name| format!("<mechanism>{name}</mechanism>")).collect()
        };
        let mechanisms = list(self.mechanisms().into_iter().map(Mechanism::name).collect());
        let fast = list(self.token_mechanisms().map(Ht::name).collect());
        let fast = if fast.is_empty() { fast } else { format!("<fast xmlns=\"{NS_FAST}\">{fast}</fast>") };
        let sm = self.sm_feature();
        let bind = match sm {
            "" => format!("<bind xmlns=\"{NS_BIND2}\"/>"),
            _ => format!("<bind xmlns=\"{NS_BIND2}\"><inline><feature var=\"{}\"/></inline></bind>", sm::NS),
        };
        format!(
            "<authentication xmlns=\"{NS}\">{mechanisms}<inline>{sm}{bind}{fast}</inline></authentication>"
        )
    }

    /// Mechanisms for tokens. They are secrets like passwords and never travel in clear.
    fn token_mechanisms(&self) -> impl Iterator<Item = Ht> {
        let on = self.service.tokens().is_some() && self.channel.secure;
        let binding = self.channel.binding.as_deref().filter(|_| self.binds_channel());
        Ht::ALL.into_iter().filter(move |ht| on && ht.data(binding).is_some())
    }

    /// An element of SASL2. While an exchange is under way nothing else may come (XEP-0388 §2.4).
    pub(super) fn sasl2(&mut self, now: Instant, element: &Element) {
        match (element.name(), self.login.take()) {
            ("authenticate", None) => self.authenticate(now, element),
            ("response", Some(login)) if login.is_sasl2() => self.message(now, *login, element.text()),
            ("abort", _) => self.refuse(&Profile::sasl2(), Failure::Aborted),
            ("response", None) => self.refuse(&Profile::sasl2(), Failure::MalformedRequest),
            _ => self.fail(StreamError::PolicyViolation("authentication is under way")),
        }
    }

    fn authenticate(&mut self, now: Instant, element: &Element) {
        if self.starttls() == StartTls::Required {
            return self.refuse(&Profile::sasl2(), Failure::EncryptionRequired);
        }
        let request = match Request::read(element) {
            Ok(request) => request,
            Err(failure) => return self.refuse(&Profile::sasl2(), failure),
        };
        let name = element.attr("mechanism").unwrap_or_default();
        let offered = self.mechanisms().into_iter().chain(self.token_mechanisms().map(Mechanism::Ht));
        let Some(mechanism) = offered.into_iter().find(|known| known.name() == name) else {
            return self.refuse(&Profile::sasl2(), Failure::InvalidMechanism);
        };
        let login = Login::new(Profile::Sasl2(Box::new(request)), mechanism);
        match element.get_child("initial-response", NS) {
            Some(message) => self.message(now, login, message.text()),
            None => self.ask_for_message(login, None),
        }
    }

    /// The one answer to a successful login: who the client is now, what became of its other wishes, and the features
    /// of the stream, which goes on without a restart. A session that is resumed needs no binding (XEP-0386 §4.2).
    /// `token` as [`next_token`](Self::next_token) makes it.
    pub(super) fn admit(&mut self, now: Instant, request: &Request, data: Option<Vec<u8>>, token: String) {
        let Some(principal) = self.principal.clone() else { return };
        self.channel.binding = None;
        self.phase = Phase::Binding;
        let max_bytes = self.max_bytes();
        if let Some(reader) = &mut self.reader {
            reader.set_max_bytes(max_bytes);
        }
        let bare = xml::attribute(&self.service.account_of(&principal).unwrap_or_default());
        let mut success =
            Success { framing: self.framing, data, identity: bare, token, failed: String::new() };
        if let Some(resume) = request.resume.as_ref().filter(|_| !self.sm_feature().is_empty()) {
            let features = self.features_with("");
            let carry = |resumed: &str, full: &str| {
                full.clone_into(&mut success.identity);
                success.parcels(resumed, &features)
            };
            match self.sm_resume(now, resume, carry) {
                Resumed::Done => return,
                Resumed::Refused(failed) => success.failed = failed,
                Resumed::Fatal(error) => return self.fail(error),
            }
        }
        match &request.bind {
            None => self.say_success(&success, ""),
            Some(bind) => {
                self.admit_and_bind(&principal, bind, request.agent(), success);
                // Not before success is on its way: nothing else may come first.
                if let Some(bound) = self.bound() {
                    bound.open();
                }
            }
        }
    }

    /// Binds a resource of the server's choice (XEP-0386 §4.2). Success of the login does not depend on it: a client that
    /// reads `<failed/>` may still bind the old way.
    fn admit_and_bind(
        &mut self,
        principal: &Principal,
        bind: &Bind,
        agent: Option<&Agent>,
        mut success: Success,
    ) {
        match self.service.bind_client(principal, bind.tag.as_deref(), agent, self.outbox.clone()) {
            Ok(bound) => {
                bound.carried_by(self.framing);
                success.identity = bound.full().as_ref().to_owned();
                self.splicer = Some(Splicer::new(bound.bare().clone(), bound.full().clone()));
                self.bound = Some(bound);
                self.phase = Phase::Bound;
            }
            Err(error) => {
                if error == BindError::TooManyResources {
                    self.service.count_refusal(Refusal::Resources);
                }
                return self.say_success(
                    &success,
                    &format!("<failed xmlns=\"{NS_BIND2}\">{}</failed>", error.to_xml()),
                );
            }
        }
        let Some(enable) = bind.enable.as_ref().filter(|_| !self.sm_feature().is_empty()) else {
            return self.say_success(&success, &format!("<bound xmlns=\"{NS_BIND2}\"/>"));
        };
        let features = self.features_with("");
        let mut rest = Vec::new();
        self.sm_enable(enable, |enabled| {
            let bound = format!("<bound xmlns=\"{NS_BIND2}\">{enabled}</bound>");
            let mut parcels = success.parcels(&bound, &features);
            rest = parcels.split_off(1);
            parcels.remove(0)
        });
        rest.into_iter().for_each(|parcel| self.say(parcel));
    }

    fn say_success(&self, success: &Success, inline: &str) {
        // Binding is not offered again to who has done it.
        let features = if self.is_bound() { self.features_with("") } else { self.features() };
        success.parcels(inline, &features).into_iter().for_each(|parcel| self.say(parcel));
    }

    /// `<token/>`, if one was asked for or is due (XEP-0484 §3.3, §3.5, §3.6).
    pub(super) fn next_token(&self, now: Instant, request: &Request, by: &TokenUse) -> Option<String> {
        let (tokens, agent) = (self.service.tokens()?, request.agent.as_ref()?);
        let principal = self.principal.as_ref()?;
        let invalidates = by.used.is_some() && request.fast.is_some_and(|fast| fast.invalidate);
        if invalidates {
            tokens.forget(&by.account, agent);
        }
        let wanted = request.token.filter(|ht| self.token_mechanisms().any(|offered| offered == *ht));
        let ht = wanted.or(by.used.filter(|_| by.due && !invalidates))?;
        let text = tokens.issue(now, &by.account, agent, ht, principal)?;
        let expiry = crate::service::ahead(tokens.lifetime());
        Some(format!("<token xmlns=\"{NS_FAST}\" expiry=\"{expiry}\" token=\"{}\"/>", *text))
    }
}
