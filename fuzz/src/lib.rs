//! What the fuzz targets of whole dialogues share: the dialogue, the wires it runs over and a grammar of
//! requests. Run one with `cargo fuzz run tcp_dialogue fuzz/seeds/tcp_dialogue -- -dict=fuzz/dialogue.dict`
//! (a copy of the seeds is better: new finds are put beside them).

pub mod bosh;
pub mod connections;
pub mod dialogue;
pub mod due;
pub mod grammar;
pub mod login;
pub mod managed;
pub mod script;
pub mod wire;
pub mod world;
