//! What the model knows and does.

pub mod command;
