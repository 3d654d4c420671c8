//! Requests to other servers over HTTP and TLS: each on a connection of its own, bounded in time and size. What comes
//! back may be anything; what goes wrong is said without any secret.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::Request;
use hyper::header::{CONNECTION, HOST, HeaderValue};
use hyper_util::rt::TokioIo;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use sha2::{Digest as _, Sha256};
use tokio::net::TcpStream;

/// Longest answer that is read, in bytes.
const LONGEST: usize = 1 << 20;

/// Where the system keeps the authorities it trusts.
const SYSTEM: &str = "/etc/ssl/certs/ca-certificates.crt";

/// Whose certificates are believed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trust {
    /// PEM file of authorities; empty: those of the system.
    pub(crate) authorities: String,
    /// SHA-256 of the certificates that are believed, whoever signed them, and no others.
    pub(crate) pins: Vec<[u8; 32]>,
    /// Any certificate is.
    pub(crate) unverified: bool,
}

impl Trust {
    /// Settings of a client that believes these.
    ///
    /// # Errors
    /// The authorities cannot be read.
    pub(crate) fn client(&self) -> Result<Arc<ClientConfig>, String> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let client = ClientConfig::builder_with_provider(provider.clone());
        let client = client.with_safe_default_protocol_versions().map_err(|error| error.to_string())?;
        if self.unverified || !self.pins.is_empty() {
            let pinned = Pinned { pins: self.pins.clone(), provider };
            let client = client.dangerous().with_custom_certificate_verifier(Arc::new(pinned));
            return Ok(Arc::new(client.with_no_client_auth()));
        }
        let file = if self.authorities.is_empty() { SYSTEM } else { &self.authorities };
        let mut roots = RootCertStore::empty();
        let certificates = CertificateDer::pem_file_iter(file).map_err(|error| format!("{file}: {error}"))?;
        roots.add_parsable_certificates(certificates.filter_map(Result::ok));
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
        let verifier = verifier.map_err(|error| format!("{file}: {error}"))?;
        Ok(Arc::new(client.with_webpki_verifier(verifier).with_no_client_auth()))
    }
}

/// Believes certificates by their digest, or all of them when there is none.
#[derive(Debug)]
struct Pinned {
    pins: Vec<[u8; 32]>,
    provider: Arc<rustls::crypto::CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let digest: [u8; 32] = Sha256::digest(end_entity).into();
        match self.pins.is_empty() || self.pins.contains(&digest) {
            true => Ok(ServerCertVerified::assertion()),
            false => Err(rustls::Error::General("the certificate is not the one that is pinned".into())),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Url {
    secure: bool,
    /// Name or address, without brackets.
    host: String,
    port: u16,
    /// With the query, from the slash on.
    pub(crate) path: String,
}

impl std::str::FromStr for Url {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Url, &'static str> {
        let (secure, rest) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
            (Some(rest), _) => (true, rest),
            (_, Some(rest)) => (false, rest),
            _ => return Err("must begin with https:// or http://"),
        };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => {
                (host, port.parse().map_err(|_| "has a port that is no number")?)
            }
            _ => (authority, if secure { 443 } else { 80 }),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:".contains(&byte);
        if host.is_empty() || !host.bytes().all(fits) || !path.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("is no URL");
        }
        let path = if path.is_empty() { "/" } else { path };
        Ok(Url { secure, host: host.to_owned(), port, path: path.to_owned() })
    }
}

impl Url {
    fn authority(&self) -> String {
        match self.host.contains(':') {
            true => format!("[{}]:{}", self.host, self.port),
            false => format!("{}:{}", self.host, self.port),
        }
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Bytes,
}

/// A client with its own idea of whom to believe.
#[derive(Clone)]
pub(crate) struct Outbound {
    tls: Arc<ClientConfig>,
    connect: Duration,
    limit: Duration,
}

impl Outbound {
    /// One whose connections are there within `connect`, and whose answers within `limit` of the beginning.
    ///
    /// # Errors
    /// The authorities cannot be read.
    pub(crate) fn new(trust: &Trust, connect: Duration, limit: Duration) -> Result<Outbound, String> {
        Ok(Outbound { tls: trust.client()?, connect, limit })
    }

    /// Sends a request and reads the whole answer. Cancel safe: dropping it closes the connection.
    ///
    /// # Errors
    /// What went wrong before there was a whole answer.
    pub(crate) async fn send(&self, url: &Url, mut request: Request<Full<Bytes>>) -> Result<Answer, String> {
        let host = HeaderValue::from_str(&url.authority()).map_err(|error| error.to_string())?;
        request.headers_mut().insert(HOST, host);
        request.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        *request.uri_mut() = url.path.parse().map_err(|_| "the path is no path".to_owned())?;
        match tokio::time::timeout(self.limit, self.exchange(url, request)).await {
            Ok(answer) => answer,
            Err(_) => Err(format!("no answer in {} s", self.limit.as_secs_f32())),
        }
    }

    async fn exchange(&self, url: &Url, request: Request<Full<Bytes>>) -> Result<Answer, String> {
        let tcp = async {
            let socket = TcpStream::connect((url.host.as_str(), url.port)).await.map_err(text)?;
            let _ = socket.set_nodelay(true);
            Ok(socket)
        };
        if !url.secure {
            return speak(self.in_time(tcp).await?, request).await;
        }
        let tls = async {
            let name = ServerName::try_from(url.host.clone()).map_err(text)?;
            let connector = tokio_rustls::TlsConnector::from(self.tls.clone());
            connector.connect(name, tcp.await?).await.map_err(text)
        };
        speak(self.in_time(tls).await?, request).await
    }

    async fn in_time<T>(&self, connect: impl Future<Output = Result<T, String>>) -> Result<T, String> {
        let connected = tokio::time::timeout(self.connect, connect).await;
        connected.unwrap_or_else(|_| Err(format!("no connection in {} s", self.connect.as_secs_f32())))
    }
}

async fn speak<S>(stream: S, request: Request<Full<Bytes>>) -> Result<Answer, String>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin + 'static,
{
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(text)?;
    let answer = async {
        let answer = sender.send_request(request).await.map_err(text)?;
        let status = answer.status().as_u16();
        let body = Limited::new(answer.into_body(), LONGEST).collect().await.map_err(text)?.to_bytes();
        Ok(Answer { status, body })
    };
    let mut connection = std::pin::pin!(connection);
    let mut answer = std::pin::pin!(answer);
    tokio::select! {
        answer = &mut answer => answer,
        ended = &mut connection => match ended {
            // The answer may be whole although the connection has ended.
            Ok(()) => answer.await,
            Err(error) => Err(text(error)),
        },
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        let url = |text: &str| text.parse::<Url>().map(|url| (url.secure, url.host, url.port, url.path));
        assert_eq!(url("https://ids.example"), Ok((true, "ids.example".into(), 443, "/".into())));
        assert_eq!(url("http://[::1]:8080/a?b=c"), Ok((false, "::1".into(), 8080, "/a?b=c".into())));
        assert_eq!(url("https://[::1]/x"), Ok((true, "::1".into(), 443, "/x".into())));
        for bad in ["ftp://x", "https://", "https://a b/", "https://x:y/", "https://a@b/", "x"] {
            assert!(url(bad).is_err(), "{bad}");
        }
    }
}
