//! SCRAM in the realm: who has verifiers, and that lock-out counts SCRAM and PLAIN together.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use argon2::{Argon2, Params, PasswordHasher};
use finesse_server::config::Config;
use finesse_server::realm::{Account, Builder, Case, Kind, Proof, Realm, Refused, Rules, XmppRealm};
use xmpp::auth::Attempt;
use xmpp::sasl::scram::{Hash, Verifier};
use xmpp::{AuthFailure, Principal, Verifiers};

fn account(id: &str, hashes: &[Hash]) -> Account {
    let argon = Argon2::from(Params::new(8, 1, 1, None).unwrap());
    let hash = argon.hash_password(b"secret").unwrap().to_string();
    Account {
        id: id.into(),
        login_name: Some(format!("login-{id}")),
        kind: Kind::Person,
        proof: Proof::Argon2(hash.into()),
        scram: hashes.iter().map(|&hash| Verifier::derive(hash, "secret", b"salt", 4096).unwrap()).collect(),
    }
}

fn realm(accounts: impl IntoIterator<Item = Account>) -> XmppRealm {
    let mut builder = Builder::new(Rules::default()).unwrap();
    accounts.into_iter().for_each(|account| builder.add(account));
    XmppRealm(Arc::new(builder.build()))
}

fn peer(last: u8) -> Option<IpAddr> {
    Some([192, 0, 2, last].into())
}

fn attempt(user: &str, peer: Option<IpAddr>) -> Attempt {
    Attempt { user: user.into(), hash: Hash::Sha256, peer }
}

#[test]
fn x15_a_hash_is_offered_when_every_account_has_it() {
    let [strong, weak] = Hash::ALL;
    for (first, second, common) in [
        (&Hash::ALL[..], &Hash::ALL[..], &Hash::ALL[..]),
        (&[strong], &[strong, weak], &[strong]),
        (&[strong], &[weak], &[]),
        (&[strong], &[], &[]),
    ] {
        assert_eq!(realm([account("1001", first), account("1002", second)]).hashes(), common);
    }
    assert!(realm([]).hashes().is_empty());
}

#[tokio::test]
async fn x15_verifiers_are_found_by_id_and_login_name_and_decoys_stay() {
    let make = || realm([account("1001", &Hash::ALL), account("1002", &Hash::ALL)]);
    let realm = make();
    let expected = Verifier::derive(Hash::Sha256, "secret", b"salt", 4096).unwrap();
    for name in ["1001", "LOGIN-1001"] {
        assert_eq!(realm.lookup(&attempt(name, None)).await.unwrap().as_ref(), Some(&expected));
    }
    assert_eq!(realm.lookup(&attempt("1003", None)).await, Ok(None));
    let decoy = |realm: &XmppRealm| realm.decoys().verifier(Hash::Sha256, "1003");
    assert_eq!(decoy(&realm), decoy(&make()), "the same after a restart");
    assert_eq!(decoy(&realm).iterations(), expected.iterations());
    assert_eq!(decoy(&realm).salt_size(), expected.salt_size());
}

async fn password(realm: &Realm, peer: Option<IpAddr>) -> Result<(), Refused> {
    realm.verify("1001", Case::Folded, "secret", peer, Instant::now()).await.map(|_| ())
}

#[tokio::test(start_paused = true)]
async fn x15_failures_by_scram_lock_out_like_wrong_passwords() {
    let realm = realm([account("1001", &Hash::ALL)]);
    let refused = Err(AuthFailure::NotAuthorized);
    let mut delays = Vec::new();
    for _ in 0..5 {
        let before = tokio::time::Instant::now();
        assert_eq!(realm.conclude(attempt("1001", peer(1)), false).await, refused);
        delays.push(before.elapsed().as_secs());
    }
    assert_eq!(delays, [0, 0, 1, 2, 2]);
    assert_eq!(realm.conclude(attempt("1001", peer(1)), true).await, refused, "locked, although proven");
    assert_eq!(password(&realm.0, peer(2)).await, Err(Refused::Credentials), "PLAIN is locked with it");
    let mut delays = Vec::new();
    for _ in 0..5 {
        let before = tokio::time::Instant::now();
        assert_eq!(realm.conclude(attempt("nobody", peer(1)), false).await, refused);
        delays.push(before.elapsed().as_secs());
    }
    assert_eq!(delays, [0, 0, 1, 2, 2], "the time does not tell who exists");
}

#[tokio::test(start_paused = true)]
async fn x15_wrong_passwords_in_clear_lock_scram_out() {
    let realm = realm([account("1001", &Hash::ALL)]);
    let ok = Ok(Principal { user: "1001".into(), tag: 0 });
    assert_eq!(realm.conclude(attempt("1001", peer(1)), true).await, ok);
    for _ in 0..5 {
        let wrong = realm.0.verify("1001", Case::Folded, "wrong", peer(2), Instant::now()).await;
        assert_eq!(wrong, Err(Refused::Credentials));
    }
    assert_eq!(realm.conclude(attempt("1001", peer(3)), true).await, Err(AuthFailure::NotAuthorized));
    assert_eq!(
        realm.conclude(attempt("1001", peer(1)), true).await,
        ok,
        "his own address was verified lately"
    );
    assert_eq!(realm.conclude(attempt("nobody", peer(1)), true).await, Err(AuthFailure::NotAuthorized));
}

#[tokio::test(start_paused = true)]
async fn an_unknown_user_is_delayed_like_a_known_one() {
    let realm = realm([account("1001", &[])]);
    for name in ["1001", "nobody"] {
        let mut delays = Vec::new();
        for _ in 0..4 {
            let before = tokio::time::Instant::now();
            let wrong = realm.0.verify(name, Case::Folded, "wrong", peer(1), Instant::now()).await;
            assert_eq!(wrong, Err(Refused::Credentials));
            delays.push(before.elapsed());
        }
        let seconds = Duration::from_secs;
        assert_eq!(delays, [seconds(0), seconds(0), seconds(1), seconds(2)], "{name}");
    }
}

#[test]
fn x15_scram_needs_a_verifier_for_every_user() {
    let argon = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$ENZTpHpJLWqvfXL0pVX6mvJWqHp6sEeVvSuBc4MSaNc";
    let user = |id: &str, hashes: &[Hash]| {
        let verifier = |&hash| Verifier::derive(hash, "secret", b"salt", 4096).unwrap().to_text();
        let scram: Vec<String> = hashes.iter().map(verifier).collect();
        format!("[[user]]\nid = \"{id}\"\npassword_hash = \"{argon}\"\nscram = {scram:?}\n")
    };
    let check = |scram: bool, users: [&[Hash]; 2]| {
        let [first, second] = users;
        let text = format!("[xmpp]\nscram = {scram}\n{}{}", user("1001", first), user("1002", second));
        Config::parse("f.toml", &text).map_err(|error| error.to_string())
    };
    let [strong, weak] = Hash::ALL;
    assert!(check(true, [&[strong], &[strong]]).is_ok());
    assert!(check(true, [&Hash::ALL, &Hash::ALL]).is_ok());
    assert!(check(false, [&[], &[weak]]).is_ok());
    for (users, line, what) in [
        ([&[strong][..], &[]], 7, "user \"1002\": xmpp.scram is on and scram lacks SCRAM-SHA-256"),
        ([&[strong], &Hash::ALL], 3, "user \"1001\": xmpp.scram is on and scram lacks SCRAM-SHA-1"),
        ([&[weak], &[weak]], 3, "lacks SCRAM-SHA-256"),
        ([&[strong, strong], &[strong]], 3, "two verifiers for SCRAM-SHA-256"),
    ] {
        let error = check(true, users).unwrap_err();
        assert!(error.starts_with(&format!("f.toml:{line}:")) && error.contains(what), "{error}");
    }
    let broken = user("1001", &[strong]).replace("$4096:", "$1:");
    let error = Config::parse("f.toml", &broken).unwrap_err().to_string();
    assert!(error.starts_with("f.toml:4:") && error.contains("from 4096"), "{error}");
    assert!(
        !format!("{:?}", check(false, [&[strong], &[]]).unwrap()).contains("$4096"),
        "no secret in Debug"
    );
}

#[tokio::test]
async fn x80_a_token_lets_in_who_still_has_an_account() {
    use xmpp::Authenticator;
    let realm = realm([account("1001", &[])]);
    let principal = |user: &str| Principal { user: user.into(), tag: 0 };
    assert_eq!(realm.readmit(principal("1001"), None).await, Ok(principal("1001")));
    assert_eq!(realm.readmit(principal("1002"), None).await, Err(AuthFailure::NotAuthorized));
}

#[test]
fn x80_tokens_need_sasl2() {
    let parse = |text: &str| Config::parse("f.toml", text).map_err(|error| error.to_string());
    assert!(parse("[xmpp]\nsasl2 = true\nfast = true\n").is_ok());
    let error = parse("[xmpp]\nfast = true\n").unwrap_err();
    assert!(error.starts_with("f.toml:2:") && error.contains("xmpp.fast needs xmpp.sasl2"), "{error}");
}
