//! Channel binding over real TLS connections: what the client's library exports is what the server binds to.
#![cfg(feature = "tcp")]

mod scram_client;
mod support;

use std::sync::Arc;
use std::time::Duration;

use scram_client::{Scram, ScramRealm, service_of, text_of};
use sha2::{Digest, Sha256};
use support::{DOMAIN, config, open_tcp};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::{self, SupportedProtocolVersion};
use xmpp::sasl::scram::Hash;
use xmpp::tcp::TcpOptions;
use xmpp::{Config, StartTls};

const PATIENCE: Duration = Duration::from_secs(10);
const SASL: &str = "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'";

struct Tls {
    server: Arc<rustls::ServerConfig>,
    connector: tokio_rustls::TlsConnector,
    certificate: Vec<u8>,
}

fn tls(version: &'static SupportedProtocolVersion) -> Tls {
    let made = rcgen::generate_simple_self_signed([DOMAIN.to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let server = rustls::ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let client = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Tls {
        server: Arc::new(server),
        connector: Arc::new(client).into(),
        certificate: made.cert.der().to_vec(),
    }
}

async fn until<S: AsyncReadExt + Unpin>(socket: &mut S, end: &str) -> String {
    let mut said = String::new();
    let mut buffer = [0; 4096];
    while !said.contains(end) {
        let read = tokio::time::timeout(PATIENCE, socket.read(&mut buffer)).await;
        let count = read.unwrap_or_else(|_| panic!("no {end} in {said}")).unwrap();
        assert!(count > 0, "ended without {end}: {said}");
        said += std::str::from_utf8(&buffer[..count]).unwrap();
    }
    said
}

/// A TLS connection to a new server; over STARTTLS or from the first byte.
async fn connect(tls: &Tls, starttls: bool) -> TlsStream<TcpStream> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = service_of(ScramRealm::new(&Hash::ALL), Config { scram: true, ..config() });
    let options = TcpOptions {
        tls: Some(tls.server.clone()),
        direct_tls: !starttls,
        starttls: if starttls { StartTls::Required } else { StartTls::Off },
        ..TcpOptions::default()
    };
    tokio::spawn(xmpp::tcp::serve(listener, service, options, std::future::pending()));
    let mut socket = TcpStream::connect(address).await.unwrap();
    if starttls {
        socket.write_all(open_tcp(DOMAIN).as_bytes()).await.unwrap();
        assert!(!until(&mut socket, "</stream:features>").await.contains("sasl-cb"));
        socket.write_all(b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>").await.unwrap();
        until(&mut socket, "<proceed ").await;
    }
    tls.connector.connect(DOMAIN.try_into().unwrap(), socket).await.unwrap()
}

async fn logs_in(socket: &mut TlsStream<TcpStream>, name: &str, data: &[u8]) -> bool {
    let scram = Scram::new(&format!("p={name},,"), data, "1001", "secret");
    let auth = format!("<auth {SASL} mechanism='SCRAM-SHA-256-PLUS'>{}</auth>", scram.first());
    socket.write_all(auth.as_bytes()).await.unwrap();
    let challenge = until(socket, "</challenge>").await;
    let (last, _) = scram.last(text_of(&challenge, "challenge"));
    socket.write_all(format!("<response {SASL}>{last}</response>").as_bytes()).await.unwrap();
    until(socket, ">").await.starts_with("<success")
}

fn exported(socket: &TlsStream<TcpStream>) -> [u8; 32] {
    let connection = socket.get_ref().1;
    connection.export_keying_material([0; 32], b"EXPORTER-Channel-Binding", Some(b"")).unwrap()
}

#[tokio::test]
async fn x15_plus_over_tls_1_3_binds_to_connection_and_certificate() {
    for starttls in [false, true] {
        let tls = tls(&rustls::version::TLS13);
        let mut socket = connect(&tls, starttls).await;
        socket.write_all(open_tcp(DOMAIN).as_bytes()).await.unwrap();
        let features = until(&mut socket, "</stream:features>").await;
        assert!(features.contains("<mechanism>SCRAM-SHA-256-PLUS</mechanism>"), "{features}");
        assert!(features.contains("<channel-binding type=\"tls-exporter\"/>"));
        assert!(features.contains("<channel-binding type=\"tls-server-end-point\"/>"));
        let here = exported(&socket);
        let elsewhere = exported(&connect(&tls, starttls).await);
        assert!(!logs_in(&mut socket, "tls-exporter", &elsewhere).await, "another connection");
        assert!(!logs_in(&mut socket, "tls-server-end-point", &here).await, "another certificate");
        assert!(logs_in(&mut socket, "tls-exporter", &here).await);
        let mut socket = connect(&tls, starttls).await;
        socket.write_all(open_tcp(DOMAIN).as_bytes()).await.unwrap();
        until(&mut socket, "</stream:features>").await;
        assert!(logs_in(&mut socket, "tls-server-end-point", &Sha256::digest(&tls.certificate)).await);
    }
}

#[tokio::test]
async fn x15_plus_over_tls_1_2_binds_to_the_certificate_only() {
    let tls = tls(&rustls::version::TLS12);
    let mut socket = connect(&tls, false).await;
    socket.write_all(open_tcp(DOMAIN).as_bytes()).await.unwrap();
    let features = until(&mut socket, "</stream:features>").await;
    assert!(!features.contains("tls-exporter") && features.contains("tls-server-end-point"), "{features}");
    assert!(logs_in(&mut socket, "tls-server-end-point", &Sha256::digest(&tls.certificate)).await);
}
