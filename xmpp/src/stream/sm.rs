//! Stream management on one stream (XEP-0198): its elements, and what becomes of the session when the
//! connection is lost.
//!
//! Offered on TCP and WebSocket where the configuration says so. A shell has to take what it writes with
//! [`Stream::poll_take`] and, after [`Stream::handle_eof`], to look at [`Stream::is_detached`].

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use broker::{EndReason, Outbox, OutboxLimits, Parcel};
use bytes::Bytes;
use minidom::Element;

use super::{Framing, Phase, Stream};
use crate::StreamError;
use crate::config::StreamManagement;
use crate::sm::{Adopted, Key, NS, Slot, Superseded, Taken, TooHigh};
use crate::splice::Splicer;

const NS_STANZAS: &str = "urn:ietf:params:xml:ns:xmpp-stanzas";

/// A managed session as its stream sees it. On the heap: most streams have none.
pub(super) struct Managed {
    /// The session; `None` once the stream has lost it or ended it.
    slot: Option<Arc<Slot>>,
    owner: u32,
    /// Written before anything that is in the outbox.
    preface: VecDeque<Parcel>,
    /// `<r/>` of the client that were not answered yet.
    answers_due: u32,
    /// Stanzas since the client was last asked.
    unasked: usize,
    /// When it is asked at the latest.
    ask_at: Option<Instant>,
    /// That time has come.
    ask_now: bool,
    /// Until when the session waits without a connection; set by the first look at the clock.
    until: Option<Instant>,
    /// The outbox is another one than before.
    adopted: bool,
    /// The stream that had the session before may be in the middle of a stanza: no other is handled until it
    /// is done.
    behind: bool,
}

/// What came of a request to resume.
pub(super) enum Resumed {
    /// The stream has the session, and what carries `<resumed/>` is on its way.
    Done,
    /// Nothing has changed; this `<failed/>` is the answer.
    Refused(String),
    /// The stream has to end.
    Fatal(StreamError),
}

fn failed(condition: &str, handled: Option<u32>) -> String {
    let h = handled.map(|h| format!(" h=\"{h}\"")).unwrap_or_default();
    format!("<failed xmlns=\"{NS}\"{h}><{condition} xmlns=\"{NS_STANZAS}\"/></failed>")
}

fn count(element: &Element) -> Option<u32> {
    element.attr("h")?.parse().ok()
}

impl Managed {
    fn new(slot: Arc<Slot>, owner: u32) -> Self {
        Self {
            slot: Some(slot),
            owner,
            preface: VecDeque::new(),
            answers_due: 0,
            unasked: 0,
            ask_at: None,
            ask_now: false,
            until: None,
            adopted: false,
            behind: false,
        }
    }

    pub(super) fn slot(&self) -> Option<&Arc<Slot>> {
        self.slot.as_ref()
    }

    /// Whether input has to wait until the stream that had the session before is done with its last stanza.
    pub(super) fn is_behind(&self) -> bool {
        self.behind
    }

    /// Looks again whether it has to.
    fn catch_up(&mut self) {
        if self.behind {
            self.behind = self.slot.as_ref().is_some_and(|slot| slot.is_busy());
        }
    }

    /// About how many bytes are kept in case the client does not get them.
    pub(super) fn held(&self) -> usize {
        self.slot.as_ref().map_or(0, |slot| slot.held())
    }

    /// Ends the session. False if it belongs to another stream by now.
    pub(super) fn end(&mut self, reason: EndReason) -> bool {
        self.ask_at = None;
        self.slot.take().is_none_or(|slot| slot.end(self.owner, reason).is_ok())
    }

    /// Counts what was taken, and asks for an acknowledgement if it is time to. Only a session that can be
    /// resumed has any use for one.
    fn taken(&mut self, now: Instant, stanzas: usize, options: &StreamManagement) -> bool {
        let resumable = self.slot.as_ref().is_some_and(|slot| !slot.max().is_zero());
        if !resumable {
            return false;
        }
        self.unasked += stanzas;
        if self.ask_now || self.unasked >= options.request_every.max(1) {
            (self.unasked, self.ask_at, self.ask_now) = (0, None, false);
            return true;
        }
        if stanzas > 0 {
            self.ask_at.get_or_insert(now + options.request_after);
        }
        false
    }
}

impl Stream {
    fn management(&self) -> Option<StreamManagement> {
        let options = self.service.config().stream_management;
        options.filter(|_| matches!(self.framing, Framing::Tcp | Framing::WebSocket))
    }

    /// The feature, where there is one.
    pub(super) fn sm_feature(&self) -> &'static str {
        if self.management().is_some() { "<sm xmlns=\"urn:xmpp:sm:3\"/>" } else { "" }
    }

    /// Whether the element belongs to stream management and that is spoken here.
    pub(super) fn is_sm(&self, element: &Element) -> bool {
        self.management().is_some() && element.has_ns(NS)
    }

    /// An element of stream management before a resource is bound: only `<resume/>` makes sense.
    pub(super) fn sm_before_bind(&mut self, now: Instant, element: &Element) {
        if element.name() != "resume" {
            return self.say(failed("unexpected-request", None));
        }
        match self.sm_resume(now, element, |resumed, _| vec![resumed.to_owned()]) {
            Resumed::Done => {}
            Resumed::Refused(xml) => self.say(xml),
            Resumed::Fatal(error) => self.fail(error),
        }
    }

    /// A stanza of a managed session, or an element of stream management in any bound one.
    pub(super) fn sm_element(&mut self, now: Instant, element: Element) {
        if element.has_ns(NS) {
            match element.name() {
                "enable" => self.sm_enable(&element, str::to_owned),
                "r" => self.sm_request(),
                "a" => self.sm_answer(&element),
                _ => self.say(failed("unexpected-request", None)),
            }
            return;
        }
        let Some(sm) = &self.sm else { return };
        let Some(slot) = sm.slot().cloned() else { return };
        let is_stanza = element.has_ns(super::render::NS_CLIENT);
        let Ok(handling) = is_stanza.then(|| slot.receive(sm.owner)).transpose() else {
            return self.superseded();
        };
        let taken = slot.bound().take(now, element);
        drop(handling);
        if let Err(error) = taken {
            self.fail(error);
        }
    }

    /// Switches stream management on for the bound session and queues the answer, `<enabled/>` or
    /// `<failed/>`, as `wrap` puts it (into the element that carries it, if the request was inside of
    /// another one). Counting begins behind that parcel.
    pub(super) fn sm_enable(&mut self, request: &Element, wrap: impl FnOnce(&str) -> String) {
        let options = self.management();
        let (Some(options), None, true) = (options, &self.sm, self.bound.is_some()) else {
            return self.say(wrap(&failed("unexpected-request", None)));
        };
        let wanted = matches!(request.attr("resume"), Some("true" | "1"));
        // A number that cannot be read is no preference.
        let wish = request.attr("max").and_then(|max| max.parse().ok()).map(Duration::from_secs);
        let max = wish.map_or(options.max_resume, |wish| wish.min(options.max_resume));
        let key = if wanted && !max.is_zero() { Key::random() } else { None };
        let resumption = key
            .as_ref()
            .map(|key| format!(" id=\"{}\" resume=\"true\" max=\"{}\"", key.text(), max.as_secs()));
        let enabled = format!("<enabled xmlns=\"{NS}\"{}/>", resumption.unwrap_or_default());
        let marker = Bytes::from(wrap(&enabled));
        let next_id = self.splicer.as_ref().map_or(0, Splicer::next_id);
        if let Some(bound) = self.bound.take() {
            let slot = Slot::new(bound, key.map(|key| (key, max)), marker.clone(), next_id);
            self.sm = Some(Box::new(Managed::new(slot, 0)));
        }
        self.say(marker);
    }

    /// Takes over the session that `request` names, for an authenticated client without a resource. If that
    /// works, everything this stream has said so far goes first, then `<resumed/>` as `wrap` puts it (in one
    /// or several parcels, given the session's full address), then what the client has not acknowledged, then
    /// what waits.
    pub(super) fn sm_resume(
        &mut self,
        now: Instant,
        request: &Element,
        wrap: impl FnOnce(&str, &str) -> Vec<String>,
    ) -> Resumed {
        let (Some(_), Some(principal)) = (self.management(), &self.principal) else {
            return Resumed::Refused(failed("unexpected-request", None));
        };
        let (Some(previd), Some(h)) = (request.attr("previd"), count(request)) else {
            return Resumed::Refused(failed("bad-request", None));
        };
        let account = self.service.account_of(principal);
        let key = Key::parse(previd);
        let (Some(account), Some(key)) = (account, key) else {
            return Resumed::Refused(failed("item-not-found", None));
        };
        let slot = self.service.0.resumable.find(&key).filter(|slot| *slot.bound().account == *account);
        let adopted = slot.as_ref().map(|slot| slot.adopt(h));
        match (slot, adopted) {
            (Some(slot), Some(Ok(Ok(adopted)))) => {
                let resumed =
                    format!("<resumed xmlns=\"{NS}\" previd=\"{previd}\" h=\"{}\"/>", adopted.handled);
                let resumed = wrap(&resumed, slot.bound().full());
                self.adopt(now, slot, adopted, resumed);
                Resumed::Done
            }
            (_, Some(Ok(Err(TooHigh { h, sent })))) => {
                Resumed::Fatal(StreamError::HandledCountTooHigh { h, sent })
            }
            _ => {
                let handled = self.service.0.resumable.handled(&key, &account);
                Resumed::Refused(failed("item-not-found", handled))
            }
        }
    }

    fn adopt(&mut self, now: Instant, slot: Arc<Slot>, adopted: Adopted, resumed: Vec<String>) {
        let Adopted { owner, unacked, first_id, .. } = adopted;
        let (bare, full) = (slot.bound().bare().clone(), slot.bound().full().clone());
        slot.bound().carried_by(self.framing);
        self.splicer = Some(Splicer::new(bare, full).continue_at(first_id));
        let own = std::mem::replace(&mut self.outbox, slot.outbox().clone());
        let mut managed = Managed::new(slot, owner);
        let _ = own.try_take(&mut managed.preface, usize::MAX);
        own.end(EndReason::Closed);
        managed.preface.extend(resumed.into_iter().map(Parcel::answer));
        managed.preface.extend(unacked);
        managed.adopted = true;
        managed.behind = true;
        managed.catch_up();
        // Nobody has asked for the second copies yet.
        managed.ask_now = true;
        self.sm = Some(Box::new(managed));
        self.phase = Phase::Bound;
        self.clock.heard(now);
    }

    fn sm_request(&mut self) {
        match &mut self.sm {
            Some(sm) => sm.answers_due = sm.answers_due.saturating_add(1),
            None => self.say(failed("unexpected-request", None)),
        }
    }

    fn sm_answer(&mut self, element: &Element) {
        let Some(sm) = &self.sm else { return self.say(failed("unexpected-request", None)) };
        let Some(slot) = sm.slot() else { return };
        let Some(h) = count(element) else { return self.fail(StreamError::InvalidXml) };
        match slot.acknowledge(sm.owner, h) {
            Ok(Ok(())) => {}
            Ok(Err(TooHigh { h, sent })) => self.fail(StreamError::HandledCountTooHigh { h, sent }),
            Err(Superseded) => self.superseded(),
        }
    }

    /// Another stream has the session now.
    fn superseded(&mut self) {
        if self.phase == Phase::Detached {
            self.end(None);
        } else {
            self.fail(StreamError::Conflict);
        }
    }

    /// Ends the stream if its session was resumed on another one. To be called whenever the task that owns
    /// the stream is woken.
    pub fn check_owner(&mut self) {
        if let Some(sm) = &mut self.sm {
            sm.catch_up();
        }
        let lost = |sm: &Managed| sm.slot().is_some_and(|slot| !slot.belongs_to(sm.owner));
        if self.sm.as_deref().is_some_and(lost) {
            self.superseded();
        }
    }

    /// Gives up an outbox that has to go on without this stream.
    pub(super) fn part_from_outbox(&mut self) {
        let limits = OutboxLimits { max_items: 1, ..OutboxLimits::default() };
        self.outbox = Outbox::new(limits);
        self.outbox.end(EndReason::Closed);
    }

    /// Whether [`outbox`](Self::outbox) is another one since this was last asked, because a session was
    /// resumed.
    pub fn has_new_outbox(&mut self) -> bool {
        self.sm.as_mut().is_some_and(|sm| std::mem::take(&mut sm.adopted))
    }

    /// Moves what has to be written to the back of `into`, as [`Outbox::poll_take`] does. A stream with
    /// stream management adds its own elements here, and counts.
    pub fn poll_take(
        &mut self,
        now: Instant,
        cx: &mut Context<'_>,
        into: &mut VecDeque<Parcel>,
        max_bytes: usize,
    ) -> Poll<Result<usize, EndReason>> {
        if self.sm.is_none() {
            return self.outbox.poll_take(cx, into, max_bytes);
        }
        self.sm_take(now, Some(cx), into, max_bytes)
    }

    /// Like [`poll_take`](Self::poll_take) without parking: 0 if there is nothing.
    ///
    /// # Errors
    ///
    /// The reason once the outbox has ended and everything queued before that was taken.
    pub fn try_take(
        &mut self,
        now: Instant,
        into: &mut VecDeque<Parcel>,
        max_bytes: usize,
    ) -> Result<usize, EndReason> {
        match self.sm_take(now, None, into, max_bytes) {
            Poll::Ready(taken) => taken,
            Poll::Pending => Ok(0),
        }
    }

    fn sm_take(
        &mut self,
        now: Instant,
        cx: Option<&mut Context<'_>>,
        into: &mut VecDeque<Parcel>,
        max_bytes: usize,
    ) -> Poll<Result<usize, EndReason>> {
        let start = into.len();
        let options = self.management().unwrap_or_default();
        let Some(sm) = &mut self.sm else { return take(&self.outbox, cx, into, max_bytes) };
        into.append(&mut sm.preface);
        let Some(slot) = sm.slot.clone() else {
            let queued = take(&self.outbox, cx, into, max_bytes);
            return if into.len() > start { Poll::Ready(Ok(into.len() - start)) } else { queued };
        };
        // With something to say of its own the stream is not parked, but a resume has to find its task.
        let parks = into.len() == start && sm.answers_due == 0;
        let taken = slot.poll_take(sm.owner, cx, parks, into, max_bytes);
        sm.catch_up();
        let stanzas = match taken {
            Err(Superseded) => return Poll::Ready(Err(EndReason::Replaced)),
            Ok(Poll::Ready(Taken::Ended(reason))) if into.len() == start => return Poll::Ready(Err(reason)),
            Ok(Poll::Ready(Taken::Full)) => {
                self.fail(StreamError::PolicyViolation("too many unacknowledged stanzas"));
                // What waits behind those that could not be kept is lost as well: no gap before the end.
                self.part_from_outbox();
                return Poll::Ready(Ok(into.len() - start));
            }
            Ok(Poll::Ready(Taken::Stanzas(stanzas))) => stanzas,
            Ok(Poll::Ready(Taken::Ended(_)) | Poll::Pending) => 0,
        };
        // Nothing of stream management comes before the client was told that it is on: `<enabled/>` is among what
        // was taken, or waits still, and these go out behind it.
        if let Ok(Some(h)) = slot.received(sm.owner) {
            let answer = || Parcel::answer(format!("<a xmlns=\"{NS}\" h=\"{h}\"/>"));
            into.extend(std::iter::repeat_with(answer).take(std::mem::take(&mut sm.answers_due) as usize));
        }
        if sm.taken(now, stanzas, &options) {
            into.push_back(Parcel::notice(format!("<r xmlns=\"{NS}\"/>")));
        }
        let count = into.len() - start;
        if count == 0 { Poll::Pending } else { Poll::Ready(Ok(count)) }
    }

    /// The connection is lost: the session waits for another one, if it can be resumed.
    pub(super) fn detach(&mut self) -> bool {
        let Some(sm) = &mut self.sm else { return false };
        let detached =
            self.phase == Phase::Bound && sm.slot.as_ref().is_some_and(|slot| slot.detach(sm.owner));
        if detached {
            self.phase = Phase::Detached;
            (sm.preface, sm.ask_at, sm.until) = (VecDeque::new(), None, None);
            self.reader = None;
        }
        detached
    }

    /// True while the session waits for another connection: this one is to be closed, but the stream has to
    /// be kept until [`is_closed`](Self::is_closed). [`poll_detached`](Self::poll_detached) and the deadline
    /// are all that is left to serve.
    pub fn is_detached(&self) -> bool {
        self.phase == Phase::Detached
    }

    /// Waits, while the stream is detached, for its session to end or to be resumed elsewhere; the stream is
    /// closed then.
    pub fn poll_detached(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(sm) = self.sm.as_ref().filter(|_| self.is_detached()) else { return Poll::Ready(()) };
        let Some(slot) = sm.slot() else { return Poll::Ready(()) };
        match slot.poll_ended(sm.owner, cx) {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(_)) => self.end(None),
            Err(Superseded) => self.superseded(),
        }
        Poll::Ready(())
    }

    /// When stream management has something to do.
    pub(super) fn sm_deadline(&self) -> Option<Instant> {
        let sm = self.sm.as_ref()?;
        // Without an end the wait has just begun: the clock has to be looked at.
        if self.is_detached() { sm.until.or(Some(self.clock.begun())) } else { sm.ask_at }
    }

    /// The time to ask for an acknowledgement may have come; it goes out with what is taken next.
    pub(super) fn sm_timeout(&mut self, now: Instant) {
        if let Some(sm) = &mut self.sm
            && sm.ask_at.take_if(|at| *at <= now).is_some()
        {
            sm.ask_now = true;
        }
    }

    /// The clock of a stream without a connection.
    pub(super) fn wait_detached(&mut self, now: Instant) {
        let Some(sm) = &mut self.sm else { return };
        let max = sm.slot().map_or(Duration::ZERO, |slot| slot.max());
        if now >= *sm.until.get_or_insert(now + max) {
            self.end(None);
        }
    }
}

/// Takes from an outbox, with or without parking.
fn take(
    outbox: &Outbox,
    cx: Option<&mut Context<'_>>,
    into: &mut VecDeque<Parcel>,
    max_bytes: usize,
) -> Poll<Result<usize, EndReason>> {
    match cx {
        Some(cx) => outbox.poll_take(cx, into, max_bytes),
        None => match outbox.try_take(into, max_bytes) {
            Ok(0) => Poll::Pending,
            taken => Poll::Ready(taken),
        },
    }
}
