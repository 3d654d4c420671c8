//! Contact-centre desktop server.

pub mod directory;
pub mod model;
