//! The realm of Unified CCE in front of a real PostgreSQL with the tables of the AWDB.

#[path = "support/live.rs"]
#[allow(dead_code, reason = "shared with other tests, each of which uses its part")]
mod live;
#[path = "support/postgres.rs"]
mod postgres;

use std::time::{Duration, Instant};

use finesse_server::config::Config;
use finesse_server::realm::{Case, Realm, Refused};
use finesse_server::server::{Listeners, Server, Setup};
use live::*;
use postgres::Postgres;
use tokio::net::TcpStream;

const PERSONS: &[(&str, &str, &str, &str)] =
    &[("1001", "anna", "p:1", "Y"), ("1002", "ben", "grün", "Y"), ("1003", "Cleo", "c", "N")];

fn config(postgres: &Postgres, more: &str) -> Config {
    live::config(&format!(
        "[realm]\nkind = \"cce\"\nnegative_seconds = 1\n{more}\n[realm.cce]\ndatabase = \"postgres\"\n{}\n\
         name = \"awdb\"\nuser = \"awdb\"\npassword = \"db secret\"\ntls = \"off\"\nretry_seconds = 1\n\
         refresh_seconds = 3600\n[xmpp]\nstarttls = \"off\"\n[server]\nplain_http = \"serve\"\n{}",
        postgres.keys(),
        listen(&[("xmpp", any()), ("http", any())]),
    ))
}

/// A server whose directory has the agents of the database.
async fn serve(config: Config) -> (Server, std::sync::Arc<Realm>) {
    let realm = std::sync::Arc::new(finesse_server::server::realm(&config).unwrap());
    let server = Server::start(Setup {
        directory: config.directory().unwrap().into(),
        realm: realm.clone(),
        listeners: Listeners::bind(&config).unwrap(),
        tls: finesse_server::http::tls::load(&config).unwrap(),
        config,
    });
    (server, realm)
}

async fn sign_in(realm: &Realm, name: &str, password: &str) -> Result<String, Refused> {
    let outcome = realm.verify(name, Case::Exact, password, None, Instant::now()).await;
    outcome.map(|identity| identity.id.to_string())
}

/// Waits until `found` finds something.
async fn eventually<T>(what: &str, mut found: impl AsyncFnMut() -> Option<T>) -> T {
    let limit = tokio::time::Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(found) = found().await {
            return found;
        }
        assert!(tokio::time::Instant::now() < limit, "{what} did not happen");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Waits until the directory has so many users and the realm, which is last, lets them in.
async fn loaded(server: &Server, realm: &Realm, users: usize) {
    let read = || server.directory().user_count() == users && realm.find("1001", Case::Exact).is_some();
    eventually("the first reading", async || read().then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_of_the_database_sign_in_by_either_name_without_a_question() {
    let postgres = Postgres::start(PERSONS).await;
    let (server, realm) = serve(config(&postgres, "")).await;
    loaded(&server, &realm, 2).await;
    let asked = realm.questions();
    for (name, password) in [("1001", "p:1"), ("ANNA", "p:1"), ("1002", "grün"), ("ben", "grün")] {
        sign_in(&realm, name, password).await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
    }
    for _ in 0..10_000 {
        assert!(realm.verify_now("1001", Case::Exact, "p:1", None, Instant::now()).is_some());
    }
    assert_eq!(realm.questions(), asked, "no statement for a password that fits");
    assert_eq!(sign_in(&realm, "1001", "").await, Err(Refused::Credentials));
    assert_eq!(sign_in(&realm, "1003", "c").await, Err(Refused::Credentials), "signing in is switched off");
    let directory = server.directory();
    let anna = directory.user("1001").unwrap();
    assert!(anna.roles.supervisor && anna.supervises == [1] && anna.team == Some(1));
    assert_eq!(directory.team(1).unwrap().name, "Sales");
    assert_eq!(directory.queue(10).unwrap().members.len(), 2);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rest_and_xmpp_let_agents_of_the_database_in() {
    let postgres = Postgres::start(PERSONS).await;
    let (server, realm) = serve(config(&postgres, "")).await;
    loaded(&server, &realm, 2).await;
    let at = server.addresses();
    let mut rest = Client::stream(TcpStream::connect(at.http.unwrap()).await.unwrap()).await;
    let request = |credentials: &str| {
        use base64::Engine as _;
        let text = base64::engine::general_purpose::STANDARD.encode(credentials);
        format!(
            "GET /finesse/api/User/1001/Nothing HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {text}\r\n\r\n"
        )
    };
    assert_eq!(rest.http(&request("anna:p:1")).await.0, 404, "past the credentials");
    assert_eq!(rest.http(&request("anna:p:2")).await.0, 401);
    let mut client = Client::stream(TcpStream::connect(at.xmpp.unwrap()).await.unwrap()).await;
    client.login_as("1002", "grün", "desk").await;
    server.stop().await;
}

/// Requirements 9 and 10: a change in the database counts at once for the new password, and within a period for the old.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_counts_at_once_and_the_old_one_no_longer() {
    let postgres = Postgres::start(PERSONS).await;
    let (server, realm) = serve(config(&postgres, "")).await;
    loaded(&server, &realm, 2).await;
    sign_in(&realm, "1001", "p:1").await.unwrap();
    postgres.password("1001", "new").await;
    sign_in(&realm, "1001", "p:1").await.expect("nobody has told yet");
    sign_in(&realm, "1001", "new").await.unwrap();
    assert_eq!(sign_in(&realm, "1001", "p:1").await, Err(Refused::Credentials));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_background_takes_over_what_has_changed_without_anybody_asking() {
    let postgres = Postgres::start(PERSONS).await;
    let mut of = config(&postgres, "");
    of.realm.cce.refresh_seconds = 1;
    let (server, realm) = serve(of).await;
    loaded(&server, &realm, 2).await;
    sign_in(&realm, "1001", "p:1").await.unwrap();
    let mut client =
        Client::stream(TcpStream::connect(server.addresses().xmpp.unwrap()).await.unwrap()).await;
    client.login_as("1002", "grün", "desk").await;
    postgres.password("1001", "new").await;
    eventually("the refusal of the old password", async || sign_in(&realm, "1001", "p:1").await.err()).await;
    postgres.run("UPDATE Person SET LoginEnabled = 'N' WHERE LoginName = 'ben'").await;
    client.until("</stream:stream>").await;
    assert_eq!(sign_in(&realm, "1002", "grün").await, Err(Refused::Credentials));
    postgres.run("UPDATE Agent_Team SET EnterpriseName = 'Vertrieb' WHERE AgentTeamID = 1").await;
    let renamed = async || server.directory().team(1).filter(|team| team.name == "Vertrieb").map(|_| ());
    eventually("the new name of the team", renamed).await;
    server.stop().await;
}

/// Requirement 7 and 8: memory serves on, who is not in it is told at once that nobody can say, and when the database is
/// back he gets in.
#[tokio::test(flavor = "multi_thread")]
async fn while_the_database_is_away_memory_serves_and_when_it_is_back_all_is_well() {
    let mut postgres = Postgres::start(PERSONS).await;
    let (server, realm) = serve(config(&postgres, "")).await;
    loaded(&server, &realm, 2).await;
    postgres.stop().await;
    assert_eq!(sign_in(&realm, "2000", "x").await, Err(Refused::Unavailable));
    sign_in(&realm, "1001", "p:1").await.expect("not verified before, but in memory");
    for _ in 0..20 {
        assert_eq!(sign_in(&realm, "2000", "x").await, Err(Refused::Unavailable), "counts against nobody");
    }
    assert_eq!(sign_in(&realm, "1002", "wrong").await, Err(Refused::Credentials));
    assert!(realm.locked(Instant::now()).is_empty());
    postgres.start_again().await;
    postgres.add("2000", "x").await;
    eventually("the sign-in after the outage", async || sign_in(&realm, "2000", "x").await.ok()).await;
    assert!(server.directory().user("2000").is_some(), "and the directory has him");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_older_than_configured_is_not_gone_by() {
    let mut postgres = Postgres::start(PERSONS).await;
    let (server, realm) = serve(config(&postgres, "stale_seconds = 0")).await;
    loaded(&server, &realm, 2).await;
    postgres.stop().await;
    assert_eq!(sign_in(&realm, "1001", "p:1").await, Err(Refused::Unavailable));
    server.stop().await;
}

/// A name that is guessed at with many passwords costs one statement a period, as does one that nobody has.
#[tokio::test(flavor = "multi_thread")]
async fn guessing_costs_the_database_one_statement_for_each_name() {
    let postgres = Postgres::start(PERSONS).await;
    let mut of = config(&postgres, "");
    of.realm.negative_seconds = 3600;
    of.auth.lockout_failures = 0;
    let (server, realm) = serve(of).await;
    loaded(&server, &realm, 2).await;
    let asked = realm.questions();
    let guesses: Vec<_> = (0..100)
        .map(|n| {
            let realm = realm.clone();
            tokio::spawn(async move {
                let name = if n % 2 == 0 { "1001" } else { "nobody" };
                // Dropped where it would be delayed: only the question is counted.
                let _ =
                    tokio::time::timeout(Duration::from_secs(5), sign_in(&realm, name, &format!("guess{n}")))
                        .await;
            })
        })
        .collect();
    for guess in guesses {
        guess.await.unwrap();
    }
    assert_eq!(realm.questions() - asked, 2);
    server.stop().await;
}

/// Requirement 32 in small: many at once, after a start with everything in memory, ask nobody.
#[tokio::test(flavor = "multi_thread")]
async fn a_login_storm_asks_nobody() {
    let postgres = Postgres::start(PERSONS).await;
    postgres.many(2000).await;
    let (server, realm) = serve(config(&postgres, "")).await;
    loaded(&server, &realm, 2002).await;
    let asked = realm.questions();
    let logins: Vec<_> = (0..2000)
        .map(|n| {
            let realm = realm.clone();
            tokio::spawn(async move { sign_in(&realm, &format!("{}", 50_000 + n), "storm").await.is_ok() })
        })
        .collect();
    for login in logins {
        assert!(login.await.unwrap());
    }
    assert_eq!(realm.questions(), asked);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_other_host_is_asked_when_the_first_does_not_answer() {
    let postgres = Postgres::start(PERSONS).await;
    let mut of = config(&postgres, "");
    // Nobody listens there.
    of.realm.cce.backup_host = std::mem::replace(&mut of.realm.cce.host, "127.0.0.2".into());
    let (server, realm) = serve(of).await;
    loaded(&server, &realm, 2).await;
    sign_in(&realm, "1001", "p:1").await.unwrap();
    server.stop().await;
}
