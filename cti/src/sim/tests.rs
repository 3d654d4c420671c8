//! Dialogues with the simulator in virtual time, through the real codec.

mod agents;
mod assist;
mod calls;
mod express;
mod outbound;
mod pair;
mod queries;
mod random;
mod recording;
mod robots;
mod rules;
mod scenarios;
mod sessions;
mod sides;
mod statistics;
mod supervise;
