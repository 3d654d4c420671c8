//! TLS of the link between two nodes: 1.3, with certificates on both sides. The other node is known by a fingerprint of its
//! certificate, or by an authority and a name; nobody else gets further than the handshake.

use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, Error, RootCertStore,
    ServerConfig, SignatureScheme,
};
use sha2::{Digest, Sha256};
use toml::Spanned;

use crate::config::{Config, ConfigError};

/// Both ends of the link.
#[derive(Clone, Debug)]
pub struct Ends {
    /// For calling the other node.
    pub client: Arc<ClientConfig>,
    /// For being called.
    pub server: Arc<ServerConfig>,
    /// The name by which the other node is called.
    pub name: ServerName<'static>,
}

/// The ends as configured; `None` without another node.
///
/// # Errors
/// A file cannot be read or does not fit; with the line that names it.
pub fn load(config: &Config) -> Result<Option<Ends>, ConfigError> {
    let peer = &config.peer;
    let (true, Some(certificate), Some(key)) = (peer.is_configured(), &peer.certificate, &peer.key) else {
        return Ok(None);
    };
    let whole = |what: &dyn std::fmt::Display| {
        ConfigError::whole_file(config.source.name.clone(), format!("peer: {what}"))
    };
    let chain = certificates(config, certificate)?;
    let private =
        PrivateKeyDer::from_pem_file(Path::new(key.get_ref())).map_err(|error| blame(config, key, &error))?;
    let name = ServerName::try_from(peer.name().to_owned()).map_err(|error| whole(&error))?;
    let provider = Arc::new(crate::http::tls::provider());
    let known = match &peer.ca {
        Some(ca) => {
            let mut roots = RootCertStore::empty();
            for authority in certificates(config, ca)? {
                roots.add(authority).map_err(|error| blame(config, ca, &error))?;
            }
            let roots = Arc::new(roots);
            let server = WebPkiClientVerifier::builder_with_provider(roots.clone(), provider.clone())
                .build()
                .map_err(|error| blame(config, ca, &error))?;
            let client = rustls::client::WebPkiServerVerifier::builder_with_provider(roots, provider.clone())
                .build()
                .map_err(|error| blame(config, ca, &error))?;
            Known::Signed { server, client, name: name.clone() }
        }
        None => Known::Pinned(fingerprint(&peer.fingerprint).ok_or_else(|| whole(&"no fingerprint"))?),
    };
    let verifier = Arc::new(Verifier { known, provider: provider.clone() });
    let one_three = [&rustls::version::TLS13];
    let client = ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&one_three)
        .map_err(|error| whole(&error))?
        .dangerous()
        .with_custom_certificate_verifier(verifier.clone())
        .with_client_auth_cert(chain.clone(), private.clone_key())
        .map_err(|error| blame(config, key, &error))?;
    let server = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&one_three)
        .map_err(|error| whole(&error))?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, private)
        .map_err(|error| blame(config, key, &error))?;
    Ok(Some(Ends { client: Arc::new(client), server: Arc::new(server), name }))
}

fn certificates(
    config: &Config,
    path: &Spanned<String>,
) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
    let chain: Vec<_> = CertificateDer::pem_file_iter(Path::new(path.get_ref()))
        .and_then(Iterator::collect)
        .map_err(|error| blame(config, path, &error))?;
    match chain.is_empty() {
        true => Err(blame(config, path, &"holds no certificate")),
        false => Ok(chain),
    }
}

fn blame(config: &Config, path: &Spanned<String>, what: &dyn std::fmt::Display) -> ConfigError {
    config.source.error(path.span(), format!("{}: {what}", path.get_ref()))
}

/// 32 bytes in hexadecimal, colons allowed between them, and what `openssl x509 -fingerprint -sha256` prints in front.
pub(crate) fn fingerprint(text: &str) -> Option<[u8; 32]> {
    let digits = text.rsplit('=').next()?;
    let digits: String = digits.chars().filter(|c| *c != ':').collect();
    if digits.len() != 64 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; 32];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(bytes)
}

/// How the other node is known.
#[derive(Debug)]
enum Known {
    Pinned([u8; 32]),
    Signed {
        server: Arc<dyn ClientCertVerifier>,
        client: Arc<rustls::client::WebPkiServerVerifier>,
        name: ServerName<'static>,
    },
}

/// Lets in the one certificate, whichever end shows it.
#[derive(Debug)]
struct Verifier {
    known: Known,
    provider: Arc<CryptoProvider>,
}

impl Verifier {
    fn is_pinned(pin: &[u8; 32], shown: &CertificateDer<'_>) -> Result<(), Error> {
        match Sha256::digest(shown.as_ref()).as_slice() == pin {
            true => Ok(()),
            false => Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure)),
        }
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match &self.known {
            Known::Pinned(pin) => Self::is_pinned(pin, end_entity).map(|()| ServerCertVerified::assertion()),
            Known::Signed { client, .. } => {
                client.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

impl ClientCertVerifier for Verifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        match &self.known {
            Known::Pinned(pin) => Self::is_pinned(pin, end_entity).map(|()| ClientCertVerified::assertion()),
            // An authority signs for others as well: the name has to be that of the other node.
            Known::Signed { server, name, .. } => {
                let verified = server.verify_client_cert(end_entity, intermediates, now)?;
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, name)?;
                Ok(verified)
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        ServerCertVerifier::verify_tls12_signature(self, message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        ServerCertVerifier::verify_tls13_signature(self, message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ServerCertVerifier::supported_verify_schemes(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_read_with_and_without_colons() {
        let plain = "00ff".repeat(16);
        let colons = ["00:FF"; 16].join(":");
        assert_eq!(fingerprint(&plain), fingerprint(&colons));
        assert_eq!(fingerprint(&plain), fingerprint(&format!("sha256 Fingerprint={colons}")));
        assert_eq!(fingerprint(&plain).unwrap()[..2], [0, 255]);
        for bad in ["", "00", &"0g".repeat(32), &"é".repeat(32), &"00".repeat(33), &"+1".repeat(32)] {
            assert_eq!(fingerprint(bad), None, "{bad}");
        }
    }
}
