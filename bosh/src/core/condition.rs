//! Terminal conditions of a binding (XEP-0124 §17.2).

/// Why a session, or a request that never found one, ends with `type="terminate"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Condition {
    /// Malformed request: XML, root element or an attribute.
    BadRequest,
    /// The domain in `to` is no longer served.
    HostGone,
    /// The domain in `to` is not served.
    HostUnknown,
    /// The session creation request names no domain.
    ImproperAddressing,
    /// A fault of this server.
    InternalServerError,
    /// Unknown session, request id outside the window or no longer buffered, wrong key.
    ItemNotFound,
    /// Another request of the same session, processed at the same time, ended it.
    OtherRequest,
    /// Overactivity, size, rate.
    PolicyViolation,
    /// A request of the sequence never arrived, or the service behind us is gone.
    RemoteConnectionFailed,
    /// A stream error; the body carries it.
    RemoteStreamError,
    /// The client shall go elsewhere; the body carries the `<uri/>`.
    SeeOtherUri,
    /// The server stops.
    SystemShutdown,
    /// Anything else.
    UndefinedCondition,
}

impl Condition {
    /// The value of the `condition` attribute.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BadRequest => "bad-request",
            Self::HostGone => "host-gone",
            Self::HostUnknown => "host-unknown",
            Self::ImproperAddressing => "improper-addressing",
            Self::InternalServerError => "internal-server-error",
            Self::ItemNotFound => "item-not-found",
            Self::OtherRequest => "other-request",
            Self::PolicyViolation => "policy-violation",
            Self::RemoteConnectionFailed => "remote-connection-failed",
            Self::RemoteStreamError => "remote-stream-error",
            Self::SeeOtherUri => "see-other-uri",
            Self::SystemShutdown => "system-shutdown",
            Self::UndefinedCondition => "undefined-condition",
        }
    }

    /// The HTTP status that tells a legacy client (one without `ver`) the same, where there is one
    /// (XEP-0124 §17.1).
    pub const fn legacy_status(self) -> Option<u16> {
        match self {
            Self::BadRequest => Some(400),
            Self::PolicyViolation => Some(403),
            Self::ItemNotFound => Some(404),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Condition;

    #[test]
    fn only_the_three_old_conditions_have_a_status() {
        assert_eq!(Condition::BadRequest.legacy_status(), Some(400));
        assert_eq!(Condition::PolicyViolation.legacy_status(), Some(403));
        assert_eq!(Condition::ItemNotFound.legacy_status(), Some(404));
        assert_eq!(Condition::SystemShutdown.legacy_status(), None);
    }
}
