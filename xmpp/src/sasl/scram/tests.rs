use proptest::prelude::*;

use super::*;

const DOMAINS: &[&str] = &["example.net"];

fn read(message: &str) -> Result<String, Failure> {
    First::read(message.as_bytes(), Hash::Sha1, false, None, DOMAINS).map(|first| first.user)
}

/// One whole exchange: the challenge, whether the proof was right, and the server's last message.
fn exchange(hash: Hash, salt: &str, nonce: &str, first: &str, last: &str) -> (String, bool, String) {
    let salt = STANDARD.decode(salt).unwrap();
    let verifier = Verifier::derive(hash, "pencil", &salt, 4096).unwrap();
    let first = First::read(first.as_bytes(), hash, false, None, DOMAINS).unwrap();
    assert_eq!(first.user(), "user");
    let (pending, challenge) = first.challenge(verifier, nonce);
    let outcome = pending.finish(last.as_bytes()).unwrap();
    (challenge, outcome.proven, outcome.message)
}

#[test]
fn x15_scram_vectors_of_rfc_5802() {
    let (challenge, proven, message) = exchange(
        Hash::Sha1,
        "QSXCR+Q6sek8bf92",
        "3rfcNHYJY1ZVvWVs7j",
        "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
        "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
    );
    assert_eq!(challenge, "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096");
    assert!(proven);
    assert_eq!(message, "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=");
}

#[test]
fn x15_scram_vectors_of_rfc_7677() {
    let (challenge, proven, message) = exchange(
        Hash::Sha256,
        "W22ZaJ0SNY7soEsUEjb6gQ==",
        "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
        "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
        "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
         p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
    );
    assert_eq!(
        challenge,
        "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
    );
    assert!(proven);
    assert_eq!(message, "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
}

#[test]
fn x15_a_wrong_proof_another_nonce_and_another_channel_fail() {
    let pending = |message: &str| {
        let salt = STANDARD.decode("QSXCR+Q6sek8bf92").unwrap();
        let verifier = Verifier::derive(Hash::Sha1, "pencil", &salt, 4096).unwrap();
        let first = First::read(message.as_bytes(), Hash::Sha1, false, None, DOMAINS).unwrap();
        first.challenge(verifier, "3rfcNHYJY1ZVvWVs7j").0
    };
    let first = "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL";
    let nonce = "fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j";
    let wrong = pending(first).finish(format!("c=biws,r={nonce},p=v0X8v3Bz2T0CJGbJQyF0X+HI4Tt=").as_bytes());
    assert!(matches!(wrong, Err(Failure::MalformedRequest)), "not canonical base64");
    let wrong = pending(first).finish(format!("c=biws,r={nonce},p=w0X8v3Bz2T0CJGbJQyF0X+HI4Ts=").as_bytes());
    assert!(!wrong.unwrap().proven);
    let refusal = |last: &str| pending(first).finish(last.as_bytes()).err();
    assert_eq!(refusal("c=biws,r=other,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="), Some(Failure::NotAuthorized));
    let y = format!("c=eSws,r={nonce},p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=");
    assert_eq!(refusal(&y), Some(Failure::NotAuthorized), "the header has changed on the way");
    for last in
        ["", "c=biws", "c=biws,r=x", "c=biws,r=x,p=", "c=biws,r=x,p=AAAA", "r=x,c=biws,p=AAAA", "c=b,r=x,p=A"]
    {
        assert_eq!(refusal(last), Some(Failure::MalformedRequest), "{last}");
    }
}

#[test]
fn x11_x15_identities_as_with_plain() {
    for message in [
        "n,,n=a@b,r=x",
        "n,a=a@b,n=a@b@example.net,r=x",
        "n,a=A@B@Example.Net,n=a\\40b,r=x",
        "y,,n=a@b,r=x,e=1",
    ] {
        assert_eq!(read(message).as_deref(), Ok("a@b"), "{message}");
    }
    assert_eq!(read("n,,n=a=2Cb=3Dc,r=x").as_deref(), Ok("a,b=c"));
    assert_eq!(read("n,a=other,n=user,r=x"), Err(Failure::InvalidAuthzid));
    assert_eq!(read("n,a=user@elsewhere,n=user,r=x"), Err(Failure::InvalidAuthzid));
    for message in [
        "",
        "n",
        "n,",
        "n,,",
        "n,,n=,r=x",
        "n,,n=user,r=",
        "n,,n=user,r=x y",
        "n,,n=us=er,r=x",
        "n,,n=us=2cer,r=x",
        "n,x=a,n=user,r=x",
        "n,,m=ext,n=user,r=x",
        "n,,n=user,r=x,m=ext",
        "n,,n=user,r=x,",
        "N,,n=user,r=x",
        "n,,r=x,n=user",
        "p=tls-exporter,,n=user,r=x",
        "n,a=,n=user,r=x",
    ] {
        assert_eq!(read(message), Err(Failure::MalformedRequest), "{message}");
    }
    assert_eq!(read(&format!("n,,n=user,r={}", "x".repeat(NONCE + 1))), Err(Failure::MalformedRequest));
}

fn plus(message: &str, plus: bool) -> Option<Failure> {
    let binding = ChannelBinding { exporter: Some([7; 32]), end_point: None };
    First::read(message.as_bytes(), Hash::Sha256, plus, Some(&binding), DOMAINS).err()
}

#[test]
fn x15_plus_needs_an_offered_type_and_downgrades_are_seen() {
    assert_eq!(plus("p=tls-exporter,,n=user,r=x", true), None);
    assert_eq!(plus("p=tls-unique,,n=user,r=x", true), Some(Failure::MalformedRequest));
    assert_eq!(plus("p=tls-server-end-point,,n=user,r=x", true), Some(Failure::MalformedRequest));
    assert_eq!(plus("n,,n=user,r=x", true), Some(Failure::MalformedRequest));
    assert_eq!(plus("y,,n=user,r=x", true), Some(Failure::MalformedRequest));
    assert_eq!(plus("p=tls-exporter,,n=user,r=x", false), Some(Failure::MalformedRequest));
    assert_eq!(plus("n,,n=user,r=x", false), None, "the client cannot");
    assert_eq!(plus("y,,n=user,r=x", false), Some(Failure::NotAuthorized), "the client was not told");
}

#[test]
fn x15_the_channel_is_part_of_the_proof() {
    let here = ChannelBinding { exporter: Some([7; 32]), end_point: Some(vec![9; 32]) };
    for (name, data) in [("tls-exporter", [7; 32]), ("tls-server-end-point", [9; 32])] {
        for (seen, proven) in [(data, Some(true)), ([8; 32], None)] {
            let verifier = Verifier::derive(Hash::Sha256, "pencil", b"salt", 4096).unwrap();
            let header = format!("p={name},,");
            let message = format!("{header}n=user,r=abc");
            let first = First::read(message.as_bytes(), Hash::Sha256, true, Some(&here), DOMAINS).unwrap();
            let (pending, challenge) = first.challenge(verifier, "def");
            let bound = STANDARD.encode([header.as_bytes(), &seen].concat());
            let last = client_last(Hash::Sha256, "pencil", "n=user,r=abc", &challenge, &bound);
            assert_eq!(pending.finish(last.as_bytes()).ok().map(|outcome| outcome.proven), proven);
        }
    }
}

/// What a client answers to `challenge`, computed from the password as RFC 5802 §3 says.
fn client_last(hash: Hash, password: &str, bare: &str, challenge: &str, bound: &str) -> String {
    let field = |name: &str| challenge.split(',').find_map(|field| field.strip_prefix(name)).unwrap();
    let salt = STANDARD.decode(field("s=")).unwrap();
    let verifier = Verifier::derive(hash, password, &salt, field("i=").parse().unwrap()).unwrap();
    let without = format!("c={bound},r={}", field("r="));
    // A verifier does not hold the client's key, so it is computed here, by brute RFC.
    let client_key = client_key(hash, password, &salt, field("i=").parse().unwrap());
    assert_eq!(hash.digest(&client_key), verifier.stored_key);
    let signature = hash.hmac(&verifier.stored_key, &[format!("{bare},{challenge},{without}").as_bytes()]);
    let proof: Vec<u8> = client_key.iter().zip(signature.iter()).map(|(key, sign)| key ^ sign).collect();
    format!("{without},p={}", STANDARD.encode(proof))
}

fn client_key(hash: Hash, password: &str, salt: &[u8], iterations: u32) -> Vec<u8> {
    let mut last = hash.hmac(password.as_bytes(), &[salt, &1u32.to_be_bytes()]);
    let mut salted = last.to_vec();
    for _ in 1..iterations {
        last = hash.hmac(password.as_bytes(), &[&last]);
        salted.iter_mut().zip(last.iter()).for_each(|(sum, last)| *sum ^= last);
    }
    hash.hmac(&salted, &[b"Client Key"]).to_vec()
}

#[test]
fn x15_an_unknown_user_gets_a_challenge_and_never_gets_in() {
    let decoys = Decoys::new(b"key", None);
    let challenge_of = |user: &str, verifier| {
        let message = format!("n,,n={user},r=abc");
        let first = First::read(message.as_bytes(), Hash::Sha256, false, None, DOMAINS).unwrap();
        first.challenge(verifier, "def")
    };
    let (_, real) = challenge_of("user", Verifier::new(Hash::Sha256, "pencil").unwrap());
    let (pending, decoy) = challenge_of("nobody", decoys.verifier(Hash::Sha256, "nobody"));
    let shape =
        |text: &str| text.split(',').map(|field| (field[..1].to_owned(), field.len())).collect::<Vec<_>>();
    assert_eq!(shape(&real), shape(&decoy));
    let proof = client_last(Hash::Sha256, "pencil", "n=nobody,r=abc", &decoy, "biws");
    let outcome = pending.finish(proof.as_bytes()).unwrap();
    assert!(!outcome.proven);
}

proptest! {
    #[test]
    fn x15_garbage_never_panics_nor_proves_anything(
        first in prop_oneof!["[ -~]{0,80}", "[nyp]=?[a-z-]{0,10},(a=[a-z=]{0,5})?,n=[a-z=,]{0,8},r=[ -~]{0,8}(,[a-z]=.{0,4})?"],
        last in prop_oneof!["[ -~]{0,80}", "c=[A-Za-z0-9=]{0,12},r=[a-z]{0,8}(,[a-z]=.{0,4})?,p=[A-Za-z0-9+/]{43}="],
    ) {
        let binding = ChannelBinding { exporter: Some([1; 32]), end_point: None };
        for (plus, binding) in [(false, None), (true, Some(&binding))] {
            if let Ok(first) = First::read(first.as_bytes(), Hash::Sha256, plus, binding, DOMAINS) {
                prop_assert!(!first.user().is_empty());
                let verifier = Decoys::new(b"key", None).verifier(Hash::Sha256, first.user());
                let (pending, challenge) = first.challenge(verifier, "abc");
                prop_assert!(challenge.starts_with("r="));
                prop_assert!(!pending.finish(last.as_bytes()).is_ok_and(|outcome| outcome.proven));
            }
        }
    }

    #[test]
    fn x15_any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = First::read(&bytes, Hash::Sha1, false, None, DOMAINS);
    }
}
