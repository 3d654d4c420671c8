//! Passwords as the database stores them: an MD5 digest. What is kept of it in memory is sealed under the key of this
//! process, so that nobody who reads the memory can try passwords offline without it.
//!
//! In which form the digest stands in the column, and in which characters the password was hashed, is not published:
//! the form is recognised (32 hexadecimal digits, base64, or 16 bytes in binary), and a password is tried in UTF-8, in
//! ISO-8859-1 and in UTF-16.

use base64::Engine as _;
use md5::{Digest as _, Md5};
use zeroize::Zeroizing;

use super::super::Digest;
use super::super::digest::Keyed;

/// A digest of the column, sealed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sealed(Digest);

impl Sealed {
    /// Seals what the column says; `None`: nothing, or something in an unknown form.
    pub(super) fn new(key: &Keyed, id: &str, column: &str) -> Option<Sealed> {
        Some(Sealed::of(key, id, &*read(column)?))
    }

    fn of(key: &Keyed, id: &str, digest: &[u8; 16]) -> Sealed {
        let text: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Sealed(key.digest(id, &Zeroizing::new(text)))
    }

    /// Whether this is the digest of `password`. Costs the same whatever the answer.
    pub(super) fn is_of(&self, key: &Keyed, id: &str, password: &str) -> bool {
        let forms = [utf_8(password), latin_1(password), utf_16(password)];
        let sealed = forms.map(|bytes| Sealed::of(key, id, &Md5::digest(&*bytes).into()));
        sealed.iter().fold(false, |found, one| found | (one == self))
    }

    /// Another for another password.
    pub(super) fn version(&self) -> u64 {
        self.0.as_bytes().iter().take(8).fold(0, |all, &byte| all << 8 | u64::from(byte))
    }
}

fn utf_8(password: &str) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(password.as_bytes().to_vec())
}

/// Where a character does not exist there the UTF-8 form stands again.
fn latin_1(password: &str) -> Zeroizing<Vec<u8>> {
    let bytes: Option<Vec<u8>> = password.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
    bytes.map_or_else(|| utf_8(password), Zeroizing::new)
}

fn utf_16(password: &str) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(password.encode_utf16().flat_map(u16::to_le_bytes).collect())
}

/// The sixteen bytes that a column means.
fn read(column: &str) -> Option<Zeroizing<[u8; 16]>> {
    let column = column.trim();
    let column = column.strip_prefix("0x").unwrap_or(column);
    let bytes = match column.len() {
        32 => (0..16).map(|at| u8::from_str_radix(column.get(2 * at..2 * at + 2)?, 16).ok()).collect(),
        22 | 24 => base64::engine::general_purpose::STANDARD_NO_PAD.decode(column.trim_end_matches('=')).ok(),
        _ => None,
    };
    Some(Zeroizing::new(bytes?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_of_a_digest_and_each_charset_is_understood() {
        let key = Keyed::random().unwrap();
        // MD5 of "grün" in UTF-8, ISO-8859-1 and UTF-16LE.
        for bytes in ["grün".as_bytes(), b"gr\xFCn", b"g\0r\0\xFC\0n\0"] {
            let digest: [u8; 16] = Md5::digest(bytes).into();
            let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
            let base64 = base64::engine::general_purpose::STANDARD.encode(digest);
            for column in [hex.clone(), hex.to_uppercase(), format!("0x{hex}"), base64, format!(" {hex} ")] {
                let sealed = Sealed::new(&key, "1001", &column).unwrap();
                assert!(sealed.is_of(&key, "1001", "grün"), "{column}");
                assert!(!sealed.is_of(&key, "1001", "grun") && !sealed.is_of(&key, "1002", "grün"));
            }
        }
    }

    #[test]
    fn what_is_no_digest_fits_nothing() {
        let key = Keyed::random().unwrap();
        for column in
            ["", "secret", "zz00000000000000000000000000000", &"g".repeat(32), "ü".repeat(16).as_str()]
        {
            assert_eq!(Sealed::new(&key, "1001", column), None, "{column}");
        }
    }

    #[test]
    fn the_version_is_that_of_the_password() {
        let key = Keyed::random().unwrap();
        let sealed = |password: &str| {
            let hex: String = Md5::digest(password).iter().map(|byte| format!("{byte:02x}")).collect();
            Sealed::new(&key, "1001", &hex).unwrap().version()
        };
        assert_eq!(sealed("a"), sealed("a"));
        assert_ne!(sealed("a"), sealed("b"));
    }
}
