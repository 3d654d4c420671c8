//! bosh
