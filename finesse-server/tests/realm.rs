//! The realm over its public face: odd passwords, look-up of names, lock-out, memory, equal cost.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use argon2::{Argon2, Params, PasswordHasher};
use finesse_server::realm::{Account, Builder, Case, Kind, Proof, Realm, Refused, Rules, XmppRealm};

/// Operators meet all of these; the same table goes over Basic and over XMPP (RFC 7617, RFC 4616).
const ODD_PASSWORDS: [&str; 24] = [
    "a",
    "a:b:c",
    ":",
    "::x",
    "grün",
    "Straße",
    "§§",
    "pass word",
    " leading",
    "trailing ",
    "\"quoted\"",
    "back\\slash",
    "a@b",
    "a+b",
    "100%",
    "%20",
    "<&>'",
    "naïve",
    "пароль",
    "密码",
    "😀🎧",
    "e\u{301}",
    "tab\there",
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789",
];

/// The cheapest argon2id there is, so that tests do not wait.
fn cheap(password: &str) -> Proof {
    let argon = Argon2::from(Params::new(8, 1, 1, None).unwrap());
    Proof::Argon2(argon.hash_password(password.as_bytes()).unwrap().to_string().into())
}

fn account(id: &str, login_name: &str, proof: Proof) -> Account {
    Account {
        id: id.into(),
        login_name: Some(login_name.into()),
        kind: Kind::Person,
        proof,
        scram: Vec::new(),
    }
}

fn realm(accounts: impl IntoIterator<Item = Account>) -> Arc<Realm> {
    let mut builder = Builder::new(Rules::default()).unwrap();
    accounts.into_iter().for_each(|account| builder.add(account));
    Arc::new(builder.build())
}

fn peer(last: u8) -> Option<IpAddr> {
    Some([192, 0, 2, last].into())
}

#[tokio::test(start_paused = true)]
async fn odd_passwords_are_right_as_they_are_and_in_no_other_form() {
    let accounts =
        ODD_PASSWORDS.iter().enumerate().map(|(n, text)| account(&format!("{n}"), "", cheap(text)));
    let realm = realm(accounts);
    let now = Instant::now();
    for (n, password) in ODD_PASSWORDS.iter().enumerate() {
        let id = n.to_string();
        let identity = realm.verify(&id, Case::Exact, password, None, now).await.unwrap();
        assert_eq!(&*identity.id, id);
        for wrong in [format!("{password} "), format!("{password}x")] {
            assert_eq!(
                realm.verify(&id, Case::Exact, &wrong, None, now).await,
                Err(Refused::Credentials),
                "{wrong:?}"
            );
        }
    }
    assert_eq!(
        realm.verify("21", Case::Exact, "\u{e9}", None, now).await,
        Err(Refused::Credentials),
        "no normalisation"
    );
}

#[tokio::test]
async fn an_empty_password_is_refused_even_where_it_was_hashed() {
    let realm = realm([account("1001", "x", cheap(""))]);
    assert_eq!(realm.verify("1001", Case::Exact, "", None, Instant::now()).await, Err(Refused::Credentials));
}

#[tokio::test]
async fn names_are_matched_as_documented() {
    let realm = realm([
        account("Anna.B", "abauer", cheap("a")),
        account("1002", "anna.b", cheap("b")),
        account("1003", "Über", cheap("c")),
    ]);
    let id = |name: &str, case| realm.find(name, case).map(|identity| identity.id.to_string());
    assert_eq!(id("Anna.B", Case::Exact).as_deref(), Some("Anna.B"), "the id wins over a login name");
    assert_eq!(id("anna.b", Case::Exact).as_deref(), Some("1002"), "ids are exact in REST, login names fold");
    assert_eq!(id("anna.b", Case::Folded).as_deref(), Some("Anna.B"), "ids fold in XMPP");
    assert_eq!(id("ABAUER", Case::Exact).as_deref(), Some("Anna.B"));
    assert_eq!(id("üBER", Case::Exact).as_deref(), Some("1003"));
    assert_eq!(id("nobody", Case::Folded), None);
}

#[tokio::test]
async fn login_names_can_be_switched_off() {
    let mut builder = Builder::new(Rules { login_names: false, ..Rules::default() }).unwrap();
    builder.add(account("1001", "abauer", cheap("a")));
    let realm = builder.build();
    assert!(realm.find("abauer", Case::Exact).is_none());
    assert!(realm.find("1001", Case::Exact).is_some());
}

#[tokio::test]
async fn a_verified_password_is_remembered_for_a_while() {
    let realm = realm([account("1001", "x", cheap("right"))]);
    let now = Instant::now();
    assert!(realm.verify_now("1001", Case::Exact, "right", peer(1), now).is_none(), "not verified yet");
    realm.verify("1001", Case::Exact, "right", peer(1), now).await.unwrap();
    let known = |password, after| {
        realm.verify_now("1001", Case::Exact, password, peer(1), now + Duration::from_secs(after)).is_some()
    };
    assert!(known("right", 0) && known("right", 1799));
    assert!(!known("right", 1800), "counted from the verification, not from the last use");
    assert!(!known("wrong", 0));
    realm.verify("X", Case::Exact, "right", peer(1), now + Duration::from_secs(1801)).await.unwrap();
    assert!(known("right", 1802), "by either name");
}

#[tokio::test(start_paused = true)]
async fn five_wrong_passwords_lock_for_five_minutes_on_both_doors() {
    let realm = realm([account("1001", "x", cheap("right"))]);
    let now = Instant::now();
    for n in 0..5 {
        let case = if n % 2 == 0 { Case::Exact } else { Case::Folded };
        assert!(realm.verify("1001", case, "wrong", peer(1), now).await.is_err());
    }
    let at = |seconds| now + Duration::from_secs(seconds);
    assert!(realm.verify("1001", Case::Exact, "right", peer(1), at(299)).await.is_err());
    assert!(realm.verify("1001", Case::Folded, "right", peer(2), at(299)).await.is_err());
    assert!(realm.verify("1001", Case::Exact, "right", peer(1), at(300)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn third_and_fourth_failure_are_answered_late() {
    let realm = realm([account("1001", "x", cheap("right"))]);
    let now = Instant::now();
    let mut waited = Vec::new();
    for _ in 0..4 {
        let start = tokio::time::Instant::now();
        let _ = realm.verify("1001", Case::Exact, "wrong", peer(1), now).await;
        waited.push(start.elapsed().as_secs());
    }
    assert_eq!(waited, [0, 0, 1, 2]);
}

#[tokio::test(start_paused = true)]
async fn somebody_elses_guesses_do_not_lock_out_a_user_at_work() {
    let realm = realm([account("1001", "x", cheap("right"))]);
    let now = Instant::now();
    realm.verify("1001", Case::Exact, "right", peer(1), now).await.unwrap();
    for _ in 0..6 {
        assert!(realm.verify("1001", Case::Exact, "guess", peer(9), now).await.is_err());
    }
    assert!(
        realm.verify("1001", Case::Exact, "right", peer(9), now).await.is_err(),
        "the guesser is locked out"
    );
    assert!(realm.verify("1001", Case::Exact, "right", peer(1), now).await.is_ok(), "the user is not");
}

#[tokio::test(start_paused = true)]
async fn unknown_users_count_for_nobody() {
    let realm = realm([account("1001", "x", cheap("right"))]);
    let now = Instant::now();
    for _ in 0..10 {
        assert!(realm.verify("nobody", Case::Exact, "right", peer(1), now).await.is_err());
    }
    assert!(realm.verify("1001", Case::Exact, "right", peer(1), now).await.is_ok());
}

/// Both ways end in one computation of the same hash; of some dozens the fastest were disturbed by nothing else.
/// Equal work, so that nobody learns from the time of an answer who exists.
#[tokio::test]
async fn unknown_users_cost_what_wrong_passwords_cost() {
    let argon = Argon2::from(Params::new(2048, 2, 1, None).unwrap());
    let proof = || Proof::Argon2(argon.hash_password(b"right").unwrap().to_string().into());
    let realm = realm((0..5).map(|n| account(&n.to_string(), "", proof())));
    for n in 0..5u64 {
        for (turn, name) in [(1, n.to_string()), (2, format!("nobody{n}"))] {
            assert!(realm.verify(&name, Case::Exact, "wrong", None, Instant::now()).await.is_err());
            assert_eq!(realm.hashes(), (2 * n + turn, (2 * n + turn) * 2048), "{name}");
        }
    }
}

#[tokio::test]
async fn many_first_requests_of_one_user_compute_few_hashes() {
    let realm = realm([account("1001", "", cheap("p"))]);
    let start = Instant::now();
    realm.verify("1001", Case::Exact, "p", None, start).await.unwrap();
    // Another peer and time, with nothing remembered: a day later.
    let later = start + Duration::from_secs(86_400);
    let tasks: Vec<_> = (0..200)
        .map(|_| {
            let realm = realm.clone();
            tokio::spawn(async move { realm.verify("1001", Case::Exact, "p", None, later).await.is_ok() })
        })
        .collect();
    for task in tasks {
        assert!(task.await.unwrap());
    }
    // Some more than there are processors: the next may begin before the first has told what it found.
    assert!(realm.hashes().0 < 50, "{:?} for 201 requests", realm.hashes());
}

#[tokio::test]
async fn xmpp_gets_the_canonical_id_and_the_kind() {
    use xmpp::Authenticator as _;
    let mut builder = Builder::new(Rules::default()).unwrap();
    let digest = builder.digest("Pub0", "p");
    builder.add(Account {
        id: "Pub0".into(),
        login_name: None,
        kind: Kind::Publisher,
        proof: Proof::Keyed(digest),
        scram: Vec::new(),
    });
    let realm = XmppRealm(Arc::new(builder.build()));
    let ask = |user: &str, password: &str| {
        let password = xmpp::Password::new(password.into());
        realm.authenticate(xmpp::Credentials { user: user.into(), password, peer: None })
    };
    let principal = ask("pub0", "p").await.unwrap();
    assert_eq!((&*principal.user, principal.tag), ("Pub0", finesse_server::realm::tag(Kind::Publisher)));
    assert_eq!(ask("pub0", "q").await, Err(xmpp::AuthFailure::NotAuthorized));
}

#[tokio::test]
async fn a_printed_hash_verifies() {
    let hash = finesse_server::realm::hash_password("grün: 1").unwrap();
    assert!(hash.starts_with("$argon2id$v=19$"));
    let realm = realm([account("1001", "", Proof::Argon2(hash.into()))]);
    assert!(realm.verify("1001", Case::Exact, "grün: 1", None, Instant::now()).await.is_ok());
}

#[test]
fn nothing_secret_shows() {
    let mut builder = Builder::new(Rules::default()).unwrap();
    let digest = builder.digest("1001", "hush");
    let account = account("1001", "x", Proof::Keyed(digest));
    assert!(!format!("{account:?}").contains("hush"));
    builder.add(account);
    assert!(!format!("{:?}", builder.build()).contains("1001"));
}
