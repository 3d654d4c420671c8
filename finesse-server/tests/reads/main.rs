//! What clients read of the configuration, over the real router: documents to the letter, rights, errors, JSON.

mod centre;
mod client_logs;
mod desktop;
mod extensions;
mod media;
mod messages;
mod phone_books;
mod reasons;
mod shared;
