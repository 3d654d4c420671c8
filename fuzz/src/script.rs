//! Scripts of dialogues: text, one step a line, so that seeds can be read and written by hand.
//!
//! The first line may be `%` and two characters whose bits choose the service and the connection, see
//! [`Setting::new`]. First: 1 strict, 2 narrow limits, 4 STARTTLS is offered. Second: 1 stream management, 2 SASL2
//! with Bind 2 and tokens, 4 SCRAM, 8 several subscriptions of one address, 16 subscription options, 32
//! collections, 64 TLS. Steps:
//!
//! | line | what happens |
//! | --- | --- |
//! | `L` | the whole login: stream, PLAIN, verdict, stream, resource `r`, presence |
//! | `l<mechanism><wishes>` | a whole login in another way, see [`Way`] |
//! | `c` | the client answers the last challenge |
//! | `H` | the client opens a stream |
//! | `S<xml>` | it sends XML; `$subid` in it is the id of the subscription made last |
//! | `R<bytes>` | it sends bytes (`\n` and `\\` stand for line feed and backslash) |
//! | `F<byte><text>` | it sends a WebSocket frame with that first byte |
//! | `Q<choices>`, `O<choices>` | it, or its neighbour, sends a stanza of the grammar |
//! | `V+`, `V-`, `Vt`, `Vd`, `Vx` | the realm says yes, no, later, disabled, or something else |
//! | `P<text>`, `p<text>` | the server publishes to the first or second of its nodes |
//! | `T<tenths>` | time passes |
//! | `/<n>` | input is handed in by pieces of n bytes |
//! | `K`, `k` | the client stops reading, or reads again |
//! | `D` | it reads everything once |
//! | `X` | another session takes its address |
//! | `C` | the server stops |
//! | `E` | the connection breaks |
//! | `U<n>` | it breaks, and of what was written last the client gets n parcels |
//! | `J`, `j` | the client comes on another connection; the server does not know, or writes to the old one too |
//! | `M`, `M<seconds>` | it switches stream management on, `M0` without resumption |
//! | `A<off>`, `G` | it acknowledges what it has heard, and so many more; it asks for an acknowledgement |
//! | `Z<off>` | it resumes the session that waits, miscounting by so many |

use xmpp::AuthFailure;

use crate::dialogue::Dialogue;
use crate::grammar::{self, Choices};
use crate::login::Way;
use crate::managed::SM;
use crate::wire::{self, Wire};
use crate::world::{self, NODES, Setting};

const AUTH: &[u8] =
    b"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>ADEwMDEAc2VjcmV0</auth>";
const BIND: &[u8] = b"<iq xmlns='jabber:client' type='set' id='bind'>\
    <bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>r</resource></bind></iq>";
const PRESENCE: &[u8] = b"<presence xmlns='jabber:client'/>";

/// Steps of one script, so that a run stays short.
const STEPS: usize = 200;

/// Plays a script.
pub fn play<W: Wire>(script: &[u8]) {
    let mut lines = script.split(|byte| *byte == b'\n').peekable();
    let choices = lines.next_if(|line| line.first() == Some(&b'%')).unwrap_or_default();
    let choice = |at: usize| choices.get(at).copied().unwrap_or(0);
    let mut dialogue = Dialogue::<W>::new(Setting::new(choice(1), choice(2)));
    for line in lines.take(STEPS) {
        if let Some((&step, text)) = line.split_first() {
            take(&mut dialogue, step, text);
        }
    }
    dialogue.finish();
}

fn take<W: Wire>(dialogue: &mut Dialogue<W>, step: u8, text: &[u8]) {
    match step {
        b'L' => log_in(dialogue),
        b'l' => dialogue.log_in(Way::new(text), BIND, PRESENCE),
        b'c' => dialogue.respond(),
        b'H' => dialogue.open(),
        b'S' => dialogue.send(text),
        b'R' => dialogue.send_raw(&unescaped(text)),
        b'F' if W::FRAMING == xmpp::Framing::WebSocket => {
            let Some((&first, payload)) = text.split_first() else { return };
            dialogue.send_raw(&wire::frame(first, payload));
        }
        b'Q' => {
            let stanza = grammar::stanza(&mut Choices::new(text), dialogue.serial());
            dialogue.send(stanza.as_bytes());
        }
        b'O' => {
            let stanza = grammar::stanza(&mut Choices::new(text), dialogue.serial());
            dialogue.elsewhere(&stanza);
        }
        b'V' if text.first() == Some(&b'x') => dialogue.mix_up(),
        b'V' => dialogue.verdict(verdict(text)),
        b'P' => dialogue.publish(NODES[0], &String::from_utf8_lossy(text)),
        b'p' => dialogue.publish(NODES[1], &String::from_utf8_lossy(text)),
        b'T' => dialogue.pass(world::tenths(text)),
        b'/' => dialogue.cut(number(text).into()),
        b'K' => dialogue.set_lazy(true),
        b'k' => dialogue.set_lazy(false),
        b'D' => dialogue.drain(),
        b'X' => dialogue.replace(),
        b'C' => dialogue.shut_down(),
        b'E' => dialogue.break_off(),
        b'U' => dialogue.lose(number(text).into()),
        b'J' => dialogue.connect(false),
        b'j' => dialogue.connect(true),
        b'M' => {
            let (resume, max) = match std::str::from_utf8(text).ok().and_then(|text| text.parse::<u16>().ok())
            {
                None => ("true", String::new()),
                Some(0) => ("false", String::new()),
                Some(seconds) => ("true", format!(" max='{seconds}'")),
            };
            dialogue.send(format!("<enable xmlns='{SM}' resume='{resume}'{max}/>").as_bytes());
        }
        b'A' => dialogue.acknowledge(number(text).into()),
        b'G' => dialogue.send(format!("<r xmlns='{SM}'/>").as_bytes()),
        b'Z' => dialogue.resume(number(text).into()),
        _ => {}
    }
}

/// What the realm says.
pub(crate) fn verdict(text: &[u8]) -> Result<(), AuthFailure> {
    match text.first() {
        Some(b'-') => Err(AuthFailure::NotAuthorized),
        Some(b't') => Err(AuthFailure::Temporary),
        Some(b'd') => Err(AuthFailure::Disabled),
        _ => Ok(()),
    }
}

/// A number behind a step; 0 if there is none.
fn number(text: &[u8]) -> u16 {
    std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).unwrap_or(0)
}

fn log_in<W: Wire>(dialogue: &mut Dialogue<W>) {
    dialogue.open();
    dialogue.send(AUTH);
    dialogue.verdict(Ok(()));
    dialogue.open();
    dialogue.send(BIND);
    dialogue.send(PRESENCE);
}

fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter();
    while let Some(&byte) = bytes.next() {
        match byte {
            b'\\' => match bytes.next() {
                Some(b'n') => out.push(b'\n'),
                Some(&other) => out.push(other),
                None => {}
            },
            _ => out.push(byte),
        }
    }
    out
}
