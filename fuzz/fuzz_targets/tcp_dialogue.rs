//! Whole dialogues over TCP: a script of what a client, its neighbour, the realm, the clock and the server do.
//! See `fuzz::script` for the language of seeds and `fuzz::dialogue` for what is checked.
#![no_main]

use fuzz::script;
use fuzz::wire::Tcp;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| script::play::<Tcp>(data));
