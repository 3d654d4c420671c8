//! What ties an authentication to the TLS connection it happens on (RFC 5056): `tls-exporter` (RFC 9266) and
//! `tls-server-end-point` (RFC 5929 §4).
//!
//! Owns the data and the choice of the hash for a certificate. Getting keying material out of a connection is the
//! shell's work.

use sha2::{Digest, Sha256, Sha384, Sha512};

/// Label of the exporter (RFC 9266 §4.2); its context is empty, its output has 32 bytes.
pub const EXPORTER_LABEL: &[u8] = b"EXPORTER-Channel-Binding";

/// Channel-binding data of one connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChannelBinding {
    /// `tls-exporter`: only with TLS 1.3, or with TLS 1.2 and the extended master secret.
    pub exporter: Option<[u8; 32]>,
    /// `tls-server-end-point`: the hash of the server's certificate, see [`end_point`].
    pub end_point: Option<Vec<u8>>,
}

impl ChannelBinding {
    /// The data of a type by its registered name, if the connection has it.
    pub fn data(&self, name: &str) -> Option<&[u8]> {
        match name {
            "tls-exporter" => self.exporter.as_ref().map(<[u8; 32]>::as_slice),
            "tls-server-end-point" => self.end_point.as_deref(),
            _ => None,
        }
    }

    /// Names of the types there are data for, the stronger first.
    pub fn types(&self) -> impl Iterator<Item = &'static str> {
        ["tls-exporter", "tls-server-end-point"].into_iter().filter(|name| self.data(name).is_some())
    }

    /// True if there are no data at all.
    pub fn is_empty(&self) -> bool {
        self.types().next().is_none()
    }
}

/// `tls-server-end-point` of a certificate (DER): its hash by the function of its own signature, SHA-256 where that
/// is MD5 or SHA-1 (RFC 5929 §4.1). `None` where the signature uses no hash or it cannot be read: the type is not
/// defined then.
pub fn end_point(certificate: &[u8]) -> Option<Vec<u8>> {
    Some(match signature_hash(certificate)? {
        Bits::B256 => Sha256::digest(certificate).to_vec(),
        Bits::B384 => Sha384::digest(certificate).to_vec(),
        Bits::B512 => Sha512::digest(certificate).to_vec(),
    })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bits {
    B256,
    B384,
    B512,
}

const SEQUENCE: u8 = 0x30;
const OBJECT: u8 = 0x06;
/// `[0]`, explicit: the hash algorithm in the parameters of RSASSA-PSS.
const CONTEXT_0: u8 = 0xa0;

/// Object identifiers as DER has them, with the hash they stand for.
const SIGNATURES: &[(&[u8], Bits)] = &[
    // RSA with MD5, SHA-1, SHA-256, SHA-384, SHA-512 (RFC 8017 appendix A.2.4).
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 4], Bits::B256),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 5], Bits::B256),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11], Bits::B256),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 12], Bits::B384),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 13], Bits::B512),
    // ECDSA with SHA-1, SHA-256, SHA-384, SHA-512 (RFC 3279, RFC 5758).
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1], Bits::B256),
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2], Bits::B256),
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3], Bits::B384),
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 4], Bits::B512),
];
const RSASSA_PSS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10];
/// Hash functions by themselves (RFC 8017 appendix B.1), as RSASSA-PSS names them.
const HASHES: &[(&[u8], Bits)] = &[
    (&[0x2b, 0x0e, 3, 2, 26], Bits::B256),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1], Bits::B256),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2], Bits::B384),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 3], Bits::B512),
];

/// `Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm, signature }` (RFC 5280 §4.1).
fn signature_hash(certificate: &[u8]) -> Option<Bits> {
    let (body, _) = element(certificate, SEQUENCE)?;
    let (_, rest) = element(body, SEQUENCE)?;
    let (algorithm, _) = element(rest, SEQUENCE)?;
    let (object, parameters) = element(algorithm, OBJECT)?;
    if object != RSASSA_PSS {
        return find(SIGNATURES, object);
    }
    let (parameters, _) = element(parameters, SEQUENCE)?;
    // Left out it is SHA-1 (RFC 4055 §3.1).
    let Some((hash, _)) = element(parameters, CONTEXT_0) else { return Some(Bits::B256) };
    let (hash, _) = element(hash, SEQUENCE)?;
    find(HASHES, element(hash, OBJECT)?.0)
}

fn find(table: &[(&[u8], Bits)], object: &[u8]) -> Option<Bits> {
    table.iter().find(|(known, _)| *known == object).map(|(_, bits)| *bits)
}

/// Content of the DER element that `input` begins with, and what is behind it.
fn element(input: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&found, rest) = input.split_first()?;
    let (&first, rest) = rest.split_first()?;
    if found != tag {
        return None;
    }
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (length, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn certificate(algorithm: &'static rcgen::SignatureAlgorithm) -> Vec<u8> {
        let key = rcgen::KeyPair::generate_for(algorithm).unwrap();
        rcgen::CertificateParams::new(vec!["a.example".into()])
            .unwrap()
            .self_signed(&key)
            .unwrap()
            .der()
            .to_vec()
    }

    #[test]
    fn x15_the_hash_is_that_of_the_signature() {
        let p256 = certificate(&rcgen::PKCS_ECDSA_P256_SHA256);
        assert_eq!(end_point(&p256), Some(Sha256::digest(&p256).to_vec()));
        let p384 = certificate(&rcgen::PKCS_ECDSA_P384_SHA384);
        assert_eq!(end_point(&p384), Some(Sha384::digest(&p384).to_vec()));
        assert_eq!(end_point(&certificate(&rcgen::PKCS_ED25519)), None, "no hash, no binding");
        assert_eq!(end_point(b""), None);
    }

    #[test]
    fn x15_rsassa_pss_names_its_hash_in_the_parameters() {
        let der = |tag: u8, content: &[u8]| [&[tag, content.len() as u8], content].concat();
        let sha512 = der(OBJECT, HASHES[3].0);
        for (parameters, bits) in
            [(der(CONTEXT_0, &der(SEQUENCE, &sha512)), Bits::B512), (Vec::new(), Bits::B256)]
        {
            let algorithm = [der(OBJECT, RSASSA_PSS), der(SEQUENCE, &parameters)].concat();
            let body = [der(SEQUENCE, b""), der(SEQUENCE, &algorithm)].concat();
            assert_eq!(signature_hash(&der(SEQUENCE, &body)), Some(bits));
        }
    }

    proptest! {
        #[test]
        fn x15_any_certificate_is_read_or_not(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let mut der = vec![SEQUENCE, 0x40, SEQUENCE, 0];
            der.extend_from_slice(&bytes);
            let _ = (end_point(&bytes), end_point(&der));
        }
    }
}
