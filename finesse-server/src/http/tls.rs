//! Certificates: from files, or made at start; exchanged while the server runs.

use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use parking_lot::RwLock;
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use crate::config::{Config, ConfigError};

/// TLS of all listeners: one certificate, which can be exchanged. Clones share it.
#[derive(Clone, Debug)]
pub struct Tls {
    /// For HTTP listeners: HTTP/2 and HTTP/1.1 by ALPN.
    pub http: Arc<ServerConfig>,
    /// For XMPP listeners.
    pub xmpp: Arc<ServerConfig>,
    current: Arc<Current>,
}

/// The certificate of handshakes from now on.
#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.read().clone())
    }
}

/// What tells whether the files have changed: time and length of each.
pub type Stamp = [Option<(SystemTime, u64)>; 2];

/// The present stamp of the configured files; nothing where there is none.
pub fn stamp(config: &Config) -> Stamp {
    [&config.tls.certificate, &config.tls.key].map(|path| {
        let metadata = std::fs::metadata(path.as_ref()?.get_ref()).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    })
}

/// TLS with the configured certificate, or with one made for `server.host` and the domain.
///
/// # Errors
/// A file cannot be read or does not fit; named with the line of the configuration.
pub fn load(config: &Config) -> Result<Tls, ConfigError> {
    let certified = certificate(config)?;
    Tls::new(certified)
        .map_err(|error| ConfigError::whole_file(config.source.name.clone(), error.to_string()))
}

/// TLS with a certificate made now, signed by itself, for `names`.
///
/// # Errors
/// A name cannot stand in a certificate.
pub fn self_signed(names: &[&str]) -> anyhow::Result<Tls> {
    Ok(Tls::new(made(names)?)?)
}

/// The configured certificate with its key, or one made now.
///
/// # Errors
/// As [`load`].
pub fn certificate(config: &Config) -> Result<CertifiedKey, ConfigError> {
    let (Some(certificate), Some(key)) = (&config.tls.certificate, &config.tls.key) else {
        return made(&[config.server.host(), &config.server.domain, "localhost"])
            .map_err(|error| ConfigError::whole_file(config.source.name.clone(), format!("{error:#}")));
    };
    let fail =
        |span, path: &str, what: &dyn std::fmt::Display| config.source.error(span, format!("{path}: {what}"));
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(Path::new(certificate.get_ref()))
        .and_then(Iterator::collect)
        .map_err(|error| fail(certificate.span(), certificate.get_ref(), &error))?;
    if chain.is_empty() {
        return Err(fail(certificate.span(), certificate.get_ref(), &"holds no certificate"));
    }
    let private = PrivateKeyDer::from_pem_file(Path::new(key.get_ref()))
        .map_err(|error| fail(key.span(), key.get_ref(), &error))?;
    CertifiedKey::from_der(chain, private, &provider())
        .map_err(|error| fail(key.span(), key.get_ref(), &error))
}

fn made(names: &[&str]) -> anyhow::Result<CertifiedKey> {
    let mut names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    names.sort();
    names.dedup();
    let certified = rcgen::generate_simple_self_signed(names)?;
    let key = PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der());
    Ok(CertifiedKey::from_der(vec![certified.cert.der().clone()], key.into(), &provider())?)
}

/// The cryptography of all TLS.
pub(crate) fn provider() -> CryptoProvider {
    rustls::crypto::aws_lc_rs::default_provider()
}

impl Tls {
    fn new(certified: CertifiedKey) -> Result<Tls, rustls::Error> {
        let current = Arc::new(Current(RwLock::new(Arc::new(certified))));
        let xmpp = ServerConfig::builder_with_provider(Arc::new(provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(current.clone());
        let mut http = xmpp.clone();
        http.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Tls { http: Arc::new(http), xmpp: Arc::new(xmpp), current })
    }

    /// From now on handshakes show this certificate. Connections that are open keep theirs. Returns whether it is
    /// another than before.
    pub fn exchange(&self, certified: CertifiedKey) -> bool {
        let mut current = self.current.0.write();
        let other = current.cert != certified.cert;
        *current = Arc::new(certified);
        other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_made_for_names_and_addresses() {
        assert!(self_signed(&["localhost", "127.0.0.1", "localhost"]).is_ok());
    }

    #[test]
    fn files_that_do_not_fit_are_named_with_their_line() {
        let text = "[tls]\ncertificate = \"/nowhere/a.pem\"\nkey = \"/nowhere/a.key\"\n";
        let error = load(&Config::parse("f.toml", text).unwrap()).unwrap_err().to_string();
        assert!(error.starts_with("f.toml:2:15: /nowhere/a.pem: "), "{error}");
    }
}
