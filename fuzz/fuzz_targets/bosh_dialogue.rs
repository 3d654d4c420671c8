//! Whole BOSH dialogues: a script of what a client, its connections, the realm, the clock and the server do.
//! See `fuzz::bosh` for the language of seeds and for what is checked.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| fuzz::bosh::play(data));
