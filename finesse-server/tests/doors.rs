//! The HTTP listeners from outside: protocol versions, origins, proxies, and requests that mean two things.

#[allow(dead_code, reason = "shared with other tests, each of which uses its part")]
#[path = "support/live.rs"]
mod live;

use std::net::SocketAddr;

use live::*;
use tokio::net::TcpStream;

async fn connect(address: SocketAddr) -> Client<TcpStream> {
    Client::stream(TcpStream::connect(address).await.unwrap()).await
}

const CREATE: &str = "<body rid='1' to='localhost' wait='1' hold='1' ver='1.11' \
                      xmlns='http://jabber.org/protocol/httpbind'/>";

fn post(path: &str, headers: &str) -> String {
    let length = CREATE.len();
    format!("POST {path} HTTP/1.1\r\nHost: localhost\r\n{headers}Content-Length: {length}\r\n\r\n{CREATE}")
}

#[tokio::test(flavor = "multi_thread")]
async fn n3_x49_both_spellings_of_each_path_are_served_without_a_redirect() {
    let lists = ["http", "https", "bosh", "bosh_tls"].map(|key| (key, any()));
    let server = start(&listen(&lists));
    let at = server.addresses();
    for path in ["/http-bind", "/http-bind/"] {
        for address in [at.http, at.bosh] {
            let (status, answer) = connect(address.unwrap()).await.http(&post(path, "")).await;
            assert!(status == 200 && answer.contains("sid="), "{answer}");
        }
        for address in [at.https, at.bosh_tls] {
            let mut client = Client::stream(tls(address.unwrap(), &[]).await.0).await;
            assert_eq!(client.http(&post(path, "")).await.0, 200);
        }
    }
    server.stop().await;
}

/// Programs written by hand search the text of the answer for names in this case.
#[tokio::test(flavor = "multi_thread")]
async fn n5_names_of_http_1_header_fields_have_the_usual_case() {
    let server = start(&listen(&[("bosh", any())]));
    let mut client = connect(server.addresses().bosh.unwrap()).await;
    let (status, answer) = client.http(&post("/http-bind/", "")).await;
    assert_eq!(status, 200);
    assert!(answer.contains("\r\nContent-Length: ") && answer.contains("\r\nContent-Type: "), "{answer}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn n5_x25_x49_an_origin_that_is_not_listed_is_refused_on_bosh_and_websocket() {
    let lists = listen(&[("bosh", any())]);
    let open = start(&lists);
    let at = open.addresses().bosh.unwrap();
    let (status, answer) =
        connect(at).await.http(&post("/http-bind/", "Origin: https://x.example\r\n")).await;
    assert_eq!(status, 200);
    assert!(answer.contains("Access-Control-Allow-Origin: https://x.example\r\n"), "{answer}");
    let socket = TcpStream::connect(at).await.unwrap();
    assert_eq!(Client::websocket(socket, "Origin: https://x.example\r\n").await.0, 101);
    open.stop().await;

    let text = format!("{lists}[cors]\nnotification = [\"https://desk.example\", \"http://localhost:*\"]\n");
    let closed = start(&text);
    let at = closed.addresses().bosh.unwrap();
    for (origin, bosh, ws) in [
        ("Origin: https://desk.example\r\n", 200, 101),
        ("Origin: http://localhost:8080\r\n", 200, 101),
        ("", 200, 101),
        ("Origin: https://evil.example\r\n", 403, 403),
        ("Origin: null\r\n", 403, 403),
    ] {
        assert_eq!(connect(at).await.http(&post("/http-bind/", origin)).await.0, bosh, "{origin}");
        let socket = TcpStream::connect(at).await.unwrap();
        assert_eq!(Client::websocket(socket, origin).await.0, ws, "{origin}");
    }
    let preflight = "OPTIONS /http-bind/ HTTP/1.1\r\nHost: a\r\nOrigin: https://evil.example\r\n\r\n";
    assert_eq!(connect(at).await.http(preflight).await.0, 403);
    closed.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn x50_http_1_0_is_served_and_closed() {
    let server = start(&listen(&[("bosh", any())]));
    let mut client = connect(server.addresses().bosh.unwrap()).await;
    let length = CREATE.len();
    let request = format!("POST /http-bind/ HTTP/1.0\r\nContent-Length: {length}\r\n\r\n{CREATE}");
    let (status, answer) = client.http(&request).await;
    assert!(status == 200 && answer.starts_with("HTTP/1.0 ") && !answer.contains("chunked"), "{answer}");
    let end = tokio::io::AsyncReadExt::read_u8(&mut client.io);
    assert!(tokio::time::timeout(PATIENCE, end).await.expect("the end").is_err());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn x73_a_request_with_a_length_and_a_coding_is_refused_and_the_connection_closed() {
    let server = start(&listen(&[("bosh", any())]));
    let at = server.addresses().bosh.unwrap();
    let chunked = format!("{:x}\r\n{CREATE}\r\n0\r\n\r\n", CREATE.len());
    let request = |headers: &str| format!("POST /http-bind/ HTTP/1.1\r\nHost: a\r\n{headers}\r\n{chunked}");
    assert_eq!(connect(at).await.http(&request("Transfer-Encoding: chunked\r\n")).await.0, 200);
    for both in [
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
        "transfer-encoding: identity, chunked\r\ncontent-length: 4\r\n",
    ] {
        let mut client = connect(at).await;
        let (status, answer) = client.http(&request(both)).await;
        assert_eq!(status, 400, "{both}: {answer}");
        let end = tokio::io::AsyncReadExt::read_u8(&mut client.io);
        assert!(tokio::time::timeout(PATIENCE, end).await.expect("the end").is_err());
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn x73_framing_that_others_read_differently_ends_the_connection() {
    let server = start(&listen(&[("bosh", any())]));
    let at = server.addresses().bosh.unwrap();
    let length = CREATE.len();
    for odd in [
        format!("Content-Length: {length}\r\nContent-Length: 4\r\n"),
        format!("Content-Length: {length}, {length}\r\n"),
        format!("Content-Length: +{length}\r\n"),
        format!("Content-Length : {length}\r\n"),
        format!("Content-Length:\r\n {length}\r\n"),
        format!("Content-Length: {length}\r\nX: a\r\n b\r\n"),
        "Transfer-Encoding : chunked\r\n".to_owned(),
        "Transfer-Encoding: gzip, chunked\r\n".to_owned(),
        "Transfer-Encoding: chunked, identity\r\n".to_owned(),
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n".to_owned(),
        format!("Content-Length: {length}\r\nTransfer-Encoding\u{b}: chunked\r\n"),
    ] {
        for version in ["1.0", "1.1"] {
            let mut client = connect(at).await;
            let head = format!("POST /http-bind/ HTTP/{version}\r\nHost: a\r\n{odd}\r\n");
            let (status, answer) = client.http(&format!("{head}{CREATE}")).await;
            assert_eq!(status, 400, "{head}: {answer}");
            ended(&mut client).await;
        }
    }
    let mut old = connect(at).await;
    let (status, _) =
        old.http("POST /http-bind/ HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n").await;
    assert_eq!(status, 400, "HTTP/1.0 knows no codings");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn x73_half_a_header_sent_ahead_does_not_hide_a_length() {
    let server = start(&listen(&[("bosh", any())]));
    let mut bosh = Bosh::create(connect(server.addresses().bosh.unwrap()).await).await;
    let poll = bosh.next("", "");
    // The poll is held; what follows is read while it is under way.
    bosh.client.send(&format!("{poll}POST /http-bind/ HTTP/1.1\r\nContent-Le")).await;
    bosh.client.until("<body xmlns=\"http://jabber.org/protocol/httpbind\"/>").await;
    let rest =
        format!("ngth: 3\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{CREATE}\r\n0\r\n\r\n", CREATE.len());
    let (status, answer) = bosh.client.http(&rest).await;
    assert_eq!(status, 400, "{answer}");
    ended(&mut bosh.client).await;
    server.stop().await;
}

async fn ended<S: tokio::io::AsyncRead + Unpin>(client: &mut Client<S>) {
    let mut rest = Vec::new();
    let end = tokio::io::AsyncReadExt::read_to_end(&mut client.io, &mut rest);
    let _ = tokio::time::timeout(PATIENCE, end).await.expect("the end");
}

#[tokio::test(flavor = "multi_thread")]
async fn x73_rest_and_websocket_know_clients_behind_proxies_too() {
    let lists = listen(&[("http", any()), ("bosh", any())]);
    let text = |proxies: &str| {
        format!(
            "{lists}[server]\nplain_http = \"serve\"\n[auth]\nlockout_failures = 1\n\
             [limits]\ntrusted = []\nper_address = 1\nproxies = [{proxies}]\n"
        )
    };
    // Whether the right password of an address is taken after another address has guessed; the status of the
    // second WebSocket of one address, and of the first of another.
    let outcome = async |server: &finesse_server::server::Server| {
        let at = server.addresses();
        let ask = async |address: &str, login: &str| {
            let request = format!(
                "GET /finesse/api/User/1001 HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: {address}\r\n\
                 Authorization: Basic {login}\r\n\r\n"
            );
            connect(at.http.unwrap()).await.http(&request).await.0
        };
        // 1001:x and 1001:y.
        let (right, wrong) = ("MTAwMTp4", "MTAwMTp5");
        assert_ne!(ask("198.51.100.1", right).await, 401);
        assert_eq!(ask("198.51.100.2", wrong).await, 401);
        assert_eq!(ask("198.51.100.2", right).await, 401, "locked");
        let rest = ask("198.51.100.1", right).await != 401;
        let websocket = async |address: &str| {
            let socket = TcpStream::connect(at.bosh.unwrap()).await.unwrap();
            Client::websocket(socket, &format!("X-Forwarded-For: {address}\r\n")).await
        };
        let held = websocket("198.51.100.1").await;
        assert_eq!(held.0, 101);
        (rest, websocket("198.51.100.1").await.0, websocket("198.51.100.2").await.0)
    };
    let proxied = start(&text("\"127.0.0.1\""));
    assert_eq!(outcome(&proxied).await, (true, 503, 101));
    proxied.stop().await;
    let direct = start(&text(""));
    assert_eq!(outcome(&direct).await, (false, 503, 503), "a stranger chose his address");
    direct.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn x73_one_address_cannot_take_every_http_connection() {
    let lists = listen(&[("bosh", any())]);
    let text = format!("{lists}[limits]\ntrusted = []\nhttp_per_address = 2\n");
    let mut server = start(&text);
    let at = server.addresses().bosh.unwrap();
    // An answer shows that the connection counts.
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut client = connect(at).await;
        assert_eq!(client.http("GET /http-bind/ HTTP/1.1\r\nHost: a\r\n\r\n").await.0, 405);
        held.push(client);
    }
    ended(&mut connect(at).await).await;
    let trusted = text.replace("trusted = []", "trusted = [\"127.0.0.1\"]");
    server.reconfigure(config(&trusted)).unwrap();
    assert_eq!(connect(at).await.http(&post("/http-bind/", "")).await.0, 200);
    server.stop().await;
}

/// Frames of HTTP/2 (RFC 9113 §4.1) after the preface and empty settings.
fn frames(list: impl IntoIterator<Item = (u8, u8, u32, Vec<u8>)>) -> Vec<u8> {
    let settings = [(4, 0, 0, Vec::new())];
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    for (kind, flags, stream, payload) in settings.into_iter().chain(list) {
        bytes.extend(&(payload.len() as u32).to_be_bytes()[1..]);
        bytes.extend([kind, flags]);
        bytes.extend(stream.to_be_bytes());
        bytes.extend(payload);
    }
    bytes
}

/// Kinds of the frames that a server sends until it closes the connection, with the payloads.
async fn answered(at: SocketAddr, bytes: Vec<u8>) -> Vec<(u8, Vec<u8>)> {
    let (mut reader, mut writer) = tokio::io::split(tls(at, &["h2"]).await.0);
    let write = tokio::spawn(async move {
        let _ = tokio::io::AsyncWriteExt::write_all(&mut writer, &bytes).await;
        writer
    });
    let mut read = Vec::new();
    let end = tokio::io::AsyncReadExt::read_to_end(&mut reader, &mut read);
    let _ = tokio::time::timeout(PATIENCE, end).await.expect("the connection is closed");
    drop(write.await);
    let (mut seen, mut rest) = (Vec::new(), &read[..]);
    while let [a, b, c, kind, _, _, _, _, _, payload @ ..] = rest {
        let length = u32::from_be_bytes([0, *a, *b, *c]) as usize;
        seen.push((*kind, payload[..length].to_vec()));
        rest = &payload[length..];
    }
    seen
}

/// GET https://a/ from the static table of HPACK (RFC 7541 appendix A).
const GET: [u8; 6] = [0x82, 0x87, 0x84, 0x41, 0x01, b'a'];

#[tokio::test(flavor = "multi_thread")]
async fn x73_floods_of_http_2_frames_end_the_connection_that_sends_them() {
    const HEADERS: u8 = 1;
    const RST_STREAM: u8 = 3;
    const GOAWAY: u8 = 7;
    const CONTINUATION: u8 = 9;
    let server = start(&listen(&[("https", any())]));
    let at = server.addresses().https.unwrap();
    let resets = (0..20_000u32).flat_map(|n| {
        let stream = 2 * n + 1;
        [(HEADERS, 5, stream, GET.to_vec()), (RST_STREAM, 0, stream, 8u32.to_be_bytes().to_vec())]
    });
    // A header that never ends, of fields that need no room on the wire.
    let endless = (0..20_000).map(|_| (CONTINUATION, 0, 1, vec![0x90; 64]));
    let endless = [(HEADERS, 1, 1, GET.to_vec())].into_iter().chain(endless);
    for (what, bytes) in [("resets", frames(resets)), ("continuations", frames(endless))] {
        let seen = answered(at, bytes).await;
        let (_, goaway) = seen.iter().rev().find(|(kind, _)| *kind == GOAWAY).expect(what);
        // ENHANCE_YOUR_CALM
        assert_eq!(goaway[4..8], 11u32.to_be_bytes(), "{what}");
    }
    server.stop().await;
}

/// One unauthenticated session for each address: shows by whose address a client is known.
const ONE_EACH: &str = "[bosh]\nunauthenticated_per_address = 1\n";

#[tokio::test(flavor = "multi_thread")]
async fn x73_a_forwarded_address_is_believed_from_listed_proxies_only() {
    let lists = listen(&[("bosh", any())]);
    let create = async |at, headers: &str| connect(at).await.http(&post("/http-bind/", headers)).await.1;
    let direct = start(&format!("{lists}{ONE_EACH}[limits]\ntrusted = []\n"));
    let at = direct.addresses().bosh.unwrap();
    assert!(create(at, "X-Forwarded-For: 198.51.100.1\r\n").await.contains("sid="));
    for forged in ["X-Forwarded-For: 198.51.100.2\r\n", "Forwarded: for=198.51.100.3\r\n"] {
        let answer = create(at, forged).await;
        assert!(answer.contains("policy-violation"), "a stranger chose his address: {answer}");
    }
    direct.stop().await;

    let text = format!("{lists}{ONE_EACH}[limits]\ntrusted = []\nproxies = [\"127.0.0.1\"]\n");
    let proxied = start(&text);
    let at = proxied.addresses().bosh.unwrap();
    for good in ["X-Forwarded-For: 198.51.100.1\r\n", "X-Forwarded-For: 198.51.100.1, 198.51.100.2\r\n"] {
        assert!(create(at, good).await.contains("sid="), "{good}");
    }
    for again in [
        "X-Forwarded-For: 203.0.113.9, 198.51.100.2\r\n",
        "X-Forwarded-For: 198.51.100.2\r\nForwarded: for=203.0.113.9\r\n",
    ] {
        assert!(create(at, again).await.contains("policy-violation"), "{again}");
    }
    proxied.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn x73_a_proxy_header_comes_before_tls_and_from_listed_proxies_only() {
    let lists = listen(&[("bosh", any()), ("https", any())]);
    let text = |proxies: &str| {
        format!(
            "{lists}proxy_protocol = [\"bosh\"]\n{ONE_EACH}[limits]\ntrusted = []\nproxies = [\"{proxies}\"]\n"
        )
    };
    let server = start(&text("127.0.0.1"));
    let at = server.addresses();
    let header = |last: u8| format!("PROXY TCP4 198.51.100.{last} 192.0.2.1 4711 80\r\n");
    let create = async |last| {
        let request = format!("{}{}", header(last), post("/http-bind/", ""));
        connect(at.bosh.unwrap()).await.http(&request).await.1
    };
    assert!(create(1).await.contains("sid=") && create(2).await.contains("sid="));
    assert!(create(2).await.contains("policy-violation"));
    let mut direct = Client::stream(tls(at.https.unwrap(), &[]).await.0).await;
    assert_eq!(direct.http(&post("/http-bind/", "")).await.0, 200, "another listener needs none");
    server.stop().await;

    let server = start(&text("192.0.2.1"));
    let mut refused = TcpStream::connect(server.addresses().bosh.unwrap()).await.unwrap();
    let _ = tokio::io::AsyncWriteExt::write_all(&mut refused, header(1).as_bytes()).await;
    let end = tokio::io::AsyncReadExt::read_u8(&mut refused);
    assert!(tokio::time::timeout(PATIENCE, end).await.expect("the end").is_err());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn host_meta_tells_where_clients_can_connect() {
    let server =
        start(&format!("{}[server]\ndomain = \"localhost\"\n", listen(&[("http", any()), ("https", any())])));
    let at = server.addresses();
    let get = async |path: &str| {
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        connect(at.http.unwrap()).await.http(&request).await
    };
    let port = at.https.unwrap().port();
    for path in ["/.well-known/host-meta", "/.well-known/host-meta.json"] {
        let (status, document) = get(path).await;
        assert_eq!(status, 200, "no redirect either");
        assert!(document.contains("Access-Control-Allow-Origin: *"), "{document}");
        for url in [format!("https://localhost:{port}/http-bind/"), format!("wss://localhost:{port}/ws/")] {
            assert!(document.contains(&format!("\"{url}\"")), "{document}");
        }
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn x36_http_2_holds_many_requests_on_one_connection_and_survives_a_flood_of_resets() {
    let server = start(&listen(&[("https", any())]));
    let at = server.addresses().https.unwrap();
    for (alpn, chosen) in
        [(&["h2", "http/1.1"][..], Some("h2")), (&["http/1.1"], Some("http/1.1")), (&[], None)]
    {
        let stream = tls(at, alpn).await.0;
        assert_eq!(stream.get_ref().1.alpn_protocol(), chosen.map(str::as_bytes));
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/http2.cjs");
    let origin = format!("https://{at}");
    let node = move || std::process::Command::new("node").args([script, &origin]).output();
    let node = tokio::task::spawn_blocking(node);
    let output = tokio::time::timeout(PATIENCE * 3, node).await.expect("an end").unwrap();
    let output = output.expect("node is installed");
    let seen: serde_json::Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!(
        seen,
        serde_json::json!({ "streams": 250, "other": 200, "before": 0, "statuses": [200], "afterFlood": 200 })
    );
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn n7_scram_is_not_offered_where_accounts_have_no_verifiers() {
    let lists = listen(&[("xmpp", any()), ("xmpp_tls", any()), ("bosh", any())]);
    let server = start(&format!("{lists}[xmpp]\nscram = true\nstarttls = \"off\"\n"));
    let at = server.addresses();
    let mut clear = connect(at.xmpp.unwrap()).await;
    let mut secure = Client::stream(tls(at.xmpp_tls.unwrap(), &[]).await.0).await;
    clear.send(STREAM).await;
    secure.send(STREAM).await;
    for features in [
        clear.until("</stream:features>").await,
        secure.until("</stream:features>").await,
        connect(at.bosh.unwrap()).await.http(&post("/http-bind/", "")).await.1,
    ] {
        assert_eq!(features.matches("<mechanism>").count(), 1, "{features}");
        assert!(features.contains("<mechanism>PLAIN</mechanism>"), "{features}");
    }
    server.stop().await;
}

/// Every kind of answer, of whatever interface, says what browsers may not do with it.
#[tokio::test(flavor = "multi_thread")]
async fn every_answer_carries_the_headers_that_protect_it() {
    let lists = ["http", "https", "bosh", "bosh_tls"].map(|key| (key, any()));
    let server = start(&format!("{}[server]\nplain_http = \"serve\"\n", listen(&lists)));
    let at = server.addresses();
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let two_lengths = "POST /finesse/api/User/1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\
                       Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    let requests = [
        (get("/"), 200),
        (get("/nothing"), 404),
        (get("/finesse/api/SystemInfo"), 200),
        (get("/finesse/api/User/1001"), 401),
        (get("/finesse/api/Nothing"), 401),
        (get("/.well-known/host-meta"), 200),
        (get("/http-bind/"), 405),
        (get("/ws/"), 400),
        (post("/http-bind/", ""), 200),
        (two_lengths.to_owned(), 400),
    ];
    for (request, status) in &requests {
        for (address, secure) in [(at.http, false), (at.bosh, false), (at.https, true), (at.bosh_tls, true)] {
            let address = address.unwrap();
            let (given, answer) = match secure {
                false => connect(address).await.http(request).await,
                true => Client::stream(tls(address, &[]).await.0).await.http(request).await,
            };
            assert_eq!(given, *status, "{request}\n{answer}");
            let head = answer.split("\r\n\r\n").next().unwrap().to_ascii_lowercase();
            for header in
                ["x-content-type-options: nosniff", "referrer-policy: no-referrer", "cache-control: no-"]
            {
                assert_eq!(head.matches(header).count(), 1, "{header} in {head}");
            }
            let strict = head.contains("\r\nstrict-transport-security: max-age=31536000");
            assert_eq!(strict, secure, "{head}");
        }
    }
    server.stop().await;
}
