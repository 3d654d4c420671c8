//! Dialogues with the simulator in virtual time, through the real codec.

mod calls;
mod pair;
