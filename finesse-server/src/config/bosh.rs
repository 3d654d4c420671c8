//! `[bosh]`: what BOSH sessions are offered (XEP-0124 §7) and what they may use.

use serde::Deserialize;

/// `[bosh]`. Times are in seconds, sizes in bytes.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Bosh {
    /// Longest time that a request is held.
    pub wait: u32,
    /// Most requests held at once.
    pub hold: u32,
    /// Shortest interval between empty requests of a polling client.
    pub polling: u32,
    /// How long a session lives without a request.
    pub inactivity: u32,
    /// The same for polling sessions.
    pub inactivity_polling: u32,
    /// Longest pause; 0: none is offered.
    pub max_pause: u32,
    /// How much longer than `wait` a missing request id is waited for.
    pub gap_grace: u32,
    /// How often one request may be repeated.
    pub max_repeats: u32,
    /// Tolerates clients that poll too often.
    pub ignore_overactivity: bool,
    /// Judges bad attributes as the standard says.
    pub strict: bool,
    /// Writes the historic `secure` attribute.
    pub secure_attribute: bool,
    /// Tells errors by HTTP status to everybody.
    pub legacy_http_errors: bool,
    /// Sessions may only be used from the address that created them.
    pub pin_address: bool,
    /// Largest request body of an authenticated session.
    pub body_bytes: u32,
    /// Largest request body of anybody else.
    pub body_bytes_before_auth: u32,
    /// About how much payload goes into one answer.
    pub answer_bytes: u32,
    /// Sessions of one address that have not authenticated.
    pub unauthenticated_per_address: u32,
    /// Unknown session ids from one address in five minutes before answers are delayed.
    pub guesses_delayed: u32,
    /// The same before they are refused.
    pub guesses_refused: u32,
    /// Addresses that are kept apart.
    pub addresses: u32,
}

impl Default for Bosh {
    fn default() -> Bosh {
        Bosh {
            wait: 60,
            hold: 2,
            polling: 2,
            inactivity: 60,
            inactivity_polling: 90,
            max_pause: 120,
            gap_grace: 5,
            max_repeats: 10,
            ignore_overactivity: false,
            strict: false,
            secure_attribute: false,
            legacy_http_errors: false,
            pin_address: false,
            body_bytes: 512 << 10,
            body_bytes_before_auth: 64 << 10,
            answer_bytes: 256 << 10,
            unauthenticated_per_address: 50,
            guesses_delayed: 20,
            guesses_refused: 100,
            addresses: 100_000,
        }
    }
}
