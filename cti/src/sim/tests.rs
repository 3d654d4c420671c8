//! Dialogues with the simulator in virtual time, through the real codec.

mod agents;
mod assist;
mod calls;
mod outbound;
mod pair;
mod queries;
mod random;
mod recording;
mod rules;
mod sessions;
mod sides;
mod statistics;
mod supervise;
