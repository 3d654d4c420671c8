//! Certificates: from files, or made at start.

use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::config::{Config, ConfigError};

/// TLS settings with the configured certificate, or with one made for `server.host` and the domain.
///
/// # Errors
/// A file cannot be read or does not fit; named with the line of the configuration.
pub fn load(config: &Config) -> Result<Arc<ServerConfig>, ConfigError> {
    let (Some(certificate), Some(key)) = (&config.tls.certificate, &config.tls.key) else {
        return self_signed(&[config.server.host(), &config.server.domain, "localhost"])
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
    settings(chain, private).map_err(|error| fail(key.span(), key.get_ref(), &error))
}

/// TLS settings with a certificate made now, signed by itself, for `names`.
///
/// # Errors
/// A name cannot stand in a certificate.
pub fn self_signed(names: &[&str]) -> anyhow::Result<Arc<ServerConfig>> {
    let mut names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    names.sort();
    names.dedup();
    let certified = rcgen::generate_simple_self_signed(names)?;
    let key = PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der());
    Ok(settings(vec![certified.cert.der().clone()], key.into())?)
}

fn settings(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<Arc<ServerConfig>, rustls::Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let settings = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    Ok(Arc::new(settings))
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
