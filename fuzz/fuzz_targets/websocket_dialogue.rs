//! Whole dialogues over WebSocket, frames included: a script of what a client, its neighbour, the realm, the clock and the server do.
//! See `fuzz::script` for the language of seeds and `fuzz::dialogue` for what is checked.
#![no_main]

use fuzz::script;
use fuzz::wire::WebSocket;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| script::play::<WebSocket>(data));
