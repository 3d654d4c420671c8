//! HTTP Basic (RFC 7617), as tolerant as old clients need it.

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

/// Longest `Authorization` value looked at, in bytes.
const LONGEST: usize = 4096;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// User and password of an `Authorization` header.
pub struct Basic {
    text: Zeroizing<String>,
    colon: usize,
}

impl std::fmt::Debug for Basic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Basic").field("user", &self.user()).finish_non_exhaustive()
    }
}

impl Basic {
    /// Parses a header value: `Basic` in any case, base64 of `user:password`, split at the first colon. The bytes
    /// are UTF-8 or, where they cannot be, ISO-8859-1. `None` if it is anything else.
    pub fn parse(value: &[u8]) -> Option<Basic> {
        let value = std::str::from_utf8(value).ok().filter(|value| value.len() <= LONGEST)?.trim();
        let (scheme, rest) = value.split_once([' ', '\t'])?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let bytes = Zeroizing::new(BASE64.decode(rest.trim()).ok()?);
        let text = match std::str::from_utf8(&bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => bytes.iter().map(|&byte| char::from(byte)).collect(),
        };
        let text = Zeroizing::new(text);
        let colon = text.find(':')?;
        Some(Basic { text, colon })
    }

    /// The name before the first colon.
    pub fn user(&self) -> &str {
        &self.text[..self.colon]
    }

    /// Everything after it.
    pub fn password(&self) -> &str {
        &self.text[self.colon + 1..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(bytes: &[u8]) -> Option<(String, String)> {
        let header = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(bytes));
        Basic::parse(header.as_bytes()).map(|basic| (basic.user().into(), basic.password().into()))
    }

    fn pair(user: &str, password: &str) -> Option<(String, String)> {
        Some((user.into(), password.into()))
    }

    #[test]
    fn the_first_colon_divides() {
        assert_eq!(parse(b"1001:a:b:c"), pair("1001", "a:b:c"));
        assert_eq!(parse(b"1001:"), pair("1001", ""));
        assert_eq!(parse(b":x"), pair("", "x"));
        assert_eq!(parse(b"1001"), None);
    }

    #[test]
    fn utf_8_and_latin_1_say_the_same() {
        assert_eq!(parse("1001:grün".as_bytes()), pair("1001", "grün"));
        assert_eq!(parse(b"1001:gr\xFCn"), pair("1001", "grün"));
        assert_eq!(parse("1001:§€😀".as_bytes()), pair("1001", "§€😀"));
    }

    #[test]
    fn forms_of_the_header() {
        assert!(Basic::parse(b"basic MTAwMTp4").is_some());
        assert!(Basic::parse(b"BASIC   MTAwMTp4  ").is_some());
        assert!(Basic::parse(b"Basic MTAwMTp4eA").is_some(), "without padding");
        for bad in [&b"Basic"[..], b"Basic !!!", b"Bearer MTAwMTp4", b"MTAwMTp4", b"", b"Basic \xff"] {
            assert!(Basic::parse(bad).is_none(), "{bad:?}");
        }
        let long = format!("Basic {}", "QUFB".repeat(2000));
        assert!(Basic::parse(long.as_bytes()).is_none());
    }

    #[test]
    fn the_password_does_not_show() {
        let basic = Basic::parse(b"Basic MTAwMTpodXNo").unwrap();
        assert_eq!(basic.password(), "hush");
        assert!(!format!("{basic:?}").contains("hush"));
    }
}
