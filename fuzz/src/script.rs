//! Scripts of dialogues: text, one step a line, so that seeds can be read and written by hand.
//!
//! The first line may be `%` and a character whose bits choose the service (1 strict, 2 narrow limits,
//! 4 STARTTLS is offered). Steps:
//!
//! | line | what happens |
//! | --- | --- |
//! | `L` | the whole login: stream, PLAIN, verdict, stream, resource `r`, presence |
//! | `H` | the client opens a stream |
//! | `S<xml>` | it sends XML |
//! | `R<bytes>` | it sends bytes (`\n` and `\\` stand for line feed and backslash) |
//! | `F<byte><text>` | it sends a WebSocket frame with that first byte |
//! | `Q<choices>`, `O<choices>` | it, or its neighbour, sends a stanza of the grammar |
//! | `V+`, `V-`, `Vt`, `Vd` | the realm says yes, no, later, disabled |
//! | `P<text>`, `p<text>` | the server publishes to the first or second of its nodes |
//! | `T<tenths>` | time passes |
//! | `/<n>` | input is handed in by pieces of n bytes |
//! | `K`, `k` | the client stops reading, or reads again |
//! | `D` | it reads everything once |
//! | `X` | another session takes its address |
//! | `C` | the server stops |
//! | `E` | the connection breaks |

use xmpp::AuthFailure;

use crate::dialogue::Dialogue;
use crate::grammar::{self, Choices};
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
    let choice = lines.next_if(|line| line.first() == Some(&b'%')).and_then(|line| line.get(1).copied());
    let choice = choice.unwrap_or(0);
    let mut dialogue = Dialogue::<W>::new(Setting::new(choice), choice & 4 != 0);
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
        b'V' => dialogue.verdict(match text.first() {
            Some(b'-') => Err(AuthFailure::NotAuthorized),
            Some(b't') => Err(AuthFailure::Temporary),
            Some(b'd') => Err(AuthFailure::Disabled),
            _ => Ok(()),
        }),
        b'P' => dialogue.publish(NODES[0], &String::from_utf8_lossy(text)),
        b'p' => dialogue.publish(NODES[1], &String::from_utf8_lossy(text)),
        b'T' => dialogue.pass(world::tenths(text)),
        b'/' => {
            let bytes = std::str::from_utf8(text).ok().and_then(|text| text.parse::<u16>().ok());
            dialogue.cut(usize::from(bytes.unwrap_or(0)));
        }
        b'K' => dialogue.set_lazy(true),
        b'k' => dialogue.set_lazy(false),
        b'D' => dialogue.drain(),
        b'X' => dialogue.replace(),
        b'C' => dialogue.shut_down(),
        b'E' => dialogue.break_off(),
        _ => {}
    }
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
