//! The resources of the API, each described once: a [`Resource`] lists the children of an element with what they
//! mean and how they are read off a value. From that one description come the XML document, the JSON document and the
//! schema in the OpenAPI description; that children are in alphabetical order without regard to case is a property
//! of the description, and tested.
//!
//! A description writes XML directly. JSON is made from the finished XML and the [`Shape`], the description without
//! its functions; so documents that the model writes on its way to the feeds need a shape only ([`runtime`]).

pub mod bodies;
pub mod define;
pub mod desktop;
pub mod intake;
pub mod json;
pub mod messages;
pub mod openapi;
pub mod reasons;
pub mod runtime;
pub mod shape;
pub mod shared;
pub mod workflows;

pub use define::{Collection, Field, Resource};
pub use shape::{Form, Member, Shape};
