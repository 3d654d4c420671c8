//! Where clients are sent when the server stops or empties itself.

mod support;

use support::*;
use xmpp::{Alternate, Service};

const OPEN: &str = "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='fin-a.example.net' version='1.0'/>";

fn alternate() -> Alternate {
    Alternate {
        host: Some("fin-b.example.net:5222".into()),
        websocket: Some("wss://fin-b.example.net:7443/ws/?a&b".into()),
        bosh: None,
    }
}

fn websocket(service: &Service, user: &str) -> Client {
    let mut client = Client::websocket(service);
    client.message(OPEN);
    client.message(&auth(&plain("", user, "secret")));
    client.message(OPEN);
    assert!(client.message(&bind("desk")).contains("<jid>"));
    client
}

#[test]
fn a_stop_sends_clients_to_the_alternate() {
    let service = service();
    service.redirect(Some(alternate()));
    let mut tcp = Client::bound(&service, "1001", "desk");
    let mut web = websocket(&service, "1002");
    let mut early = Client::tcp(&service);
    service.shutdown();
    assert_eq!(
        tcp.take(),
        "<stream:error><see-other-host xmlns=\"urn:ietf:params:xml:ns:xmpp-streams\">fin-b.example.net:5222\
         </see-other-host></stream:error></stream:stream>"
    );
    assert_eq!(
        web.take(),
        "<close xmlns=\"urn:ietf:params:xml:ns:xmpp-framing\" \
         see-other-uri=\"wss://fin-b.example.net:7443/ws/?a&amp;b\" />"
    );
    early.stream.handle_shutdown();
    let said = early.send("");
    assert!(said.starts_with("<?xml") && said.contains("fin-b.example.net:5222</see-other-host>"), "{said}");
    assert_eq!(service.sessions(), 0);
}

#[test]
fn without_an_alternate_for_the_transport_it_is_system_shutdown() {
    let service = service();
    let mut tcp = Client::bound(&service, "1001", "desk");
    service.redirect(Some(Alternate { host: None, ..alternate() }));
    let mut web = websocket(&service, "1002");
    assert_eq!(service.move_sessions(usize::MAX), 2);
    assert!(tcp.take().contains("<system-shutdown "));
    assert!(web.take().contains("see-other-uri"));
    service.redirect(None);
    let mut web = websocket(&service, "1002");
    service.shutdown();
    assert!(web.take().contains("<system-shutdown "));
}

#[test]
fn sessions_are_moved_in_batches_and_may_come_back() {
    let service = service();
    service.redirect(Some(alternate()));
    let mut clients: Vec<_> = (0..5).map(|n| Client::bound(&service, &n.to_string(), "desk")).collect();
    let mut moved = 0;
    for (batch, left) in [(2, 3), (2, 1), (2, 0), (0, 0)] {
        let ended = service.move_sessions(2);
        moved += ended;
        for client in &mut clients {
            client.take();
        }
        clients.retain(|client| !client.stream.is_closed());
        assert_eq!((clients.len(), service.sessions()), (left, left), "after a batch of {batch}");
    }
    assert_eq!(moved, 5);
    assert!(Client::bound(&service, "0", "desk").stream.is_bound(), "nobody is shut out");
}
