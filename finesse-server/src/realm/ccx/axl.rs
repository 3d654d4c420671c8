//! `doAuthenticateUser` of the Administrative XML interface (AXL) of Unified CM: the request's bytes, and what an answer
//! means. Source: the AXL schema and developer guide (developer.cisco.com/docs/axl).

use std::fmt::Write as _;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use quick_xml::escape::escape;
use quick_xml::events::Event;
use zeroize::Zeroizing;

/// Schema versions that the request can carry, the newest first.
pub const VERSIONS: [&str; 8] = ["15.0", "14.0", "12.5", "12.0", "11.5", "11.0", "10.5", "10.0"];

/// What faults say when the password was wrong, in lower case. Releases differ in whether a wrong password is a fault.
const REJECTIONS: [&str; 4] =
    ["authentication failed", "invalid credentials", "invalid password", "could not authenticate"];

/// What an answer means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The password is right.
    Right,
    /// It is not, or the account is locked or expired.
    Wrong,
    /// The account by which AXL is asked is wrong or lacks rights: the same on every node.
    Misconfigured(u16),
    /// Too much is going on there: later.
    Throttled,
    /// The schema version is not known there.
    Version,
    /// No answer to the question.
    Broken(String),
}

/// The body of a request.
pub(super) fn envelope(version: &str, sequence: u64, user: &str, password: &str) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(512 + user.len() + 6 * password.len()));
    // Writing to a String cannot fail.
    let _ = write!(
        text,
        "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:ns=\"http://www.cisco.com/AXL/API/{version}\"><soapenv:Header/><soapenv:Body>\
         <ns:doAuthenticateUser sequence=\"{sequence}\"><userid>{}</userid><password>{}</password>\
         </ns:doAuthenticateUser></soapenv:Body></soapenv:Envelope>",
        escape(user),
        escape(password)
    );
    text
}

/// The whole request; `basic` is the value of `Authorization`.
pub(super) fn request(
    version: &str,
    sequence: u64,
    user: &str,
    password: &str,
    basic: &HeaderValue,
) -> Request<Full<Bytes>> {
    let body = envelope(version, sequence, user, password);
    let mut request = Request::new(Full::new(Bytes::copy_from_slice(body.as_bytes())));
    *request.method_mut() = hyper::Method::POST;
    let headers = request.headers_mut();
    headers.insert(AUTHORIZATION, basic.clone());
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/xml; charset=utf-8"));
    if let Ok(action) = HeaderValue::from_str(&format!("\"CUCM:DB ver={version} doAuthenticateUser\"")) {
        headers.insert("soapaction", action);
    }
    request
}

/// Reads an answer.
pub(super) fn judge(status: u16, body: &[u8]) -> Verdict {
    match status {
        200 => match texts(body) {
            Some(Texts { authenticated: Some(word), .. }) => match word.as_str() {
                "true" | "t" | "1" => Verdict::Right,
                "false" | "f" | "0" => Verdict::Wrong,
                _ => Verdict::Broken("userAuthenticated is neither true nor false".into()),
            },
            Some(Texts { fault: Some(fault), .. }) => of_fault(&fault),
            _ => Verdict::Broken("the answer is no doAuthenticateUserResponse".into()),
        },
        401 | 403 => Verdict::Misconfigured(status),
        500 => match texts(body) {
            Some(Texts { fault: Some(fault), .. }) => of_fault(&fault),
            _ => Verdict::Broken("status 500 without a fault".into()),
        },
        503 => Verdict::Throttled,
        599 => Verdict::Version,
        status => Verdict::Broken(format!("status {status}")),
    }
}

fn of_fault(fault: &str) -> Verdict {
    let folded = fault.to_lowercase();
    match REJECTIONS.iter().any(|text| folded.contains(text)) {
        true => Verdict::Wrong,
        false => Verdict::Broken(format!("fault: {}", fault.chars().take(200).collect::<String>())),
    }
}

#[derive(Default)]
struct Texts {
    authenticated: Option<String>,
    fault: Option<String>,
}

/// The texts that matter, whatever the prefixes; `None`: the document is not whole.
fn texts(body: &[u8]) -> Option<Texts> {
    let mut reader = quick_xml::Reader::from_str(std::str::from_utf8(body).ok()?);
    let (mut found, mut text, mut depth) = (Texts::default(), String::new(), 0usize);
    loop {
        match reader.read_event().ok()? {
            Event::Start(_) => {
                depth += 1;
                text.clear();
            }
            Event::Text(part) => text.push_str(&part),
            Event::GeneralRef(reference) => match reference.resolve_char_ref().ok()? {
                Some(c) => text.push(c),
                None => text.push_str(quick_xml::escape::resolve_predefined_entity(&reference)?),
            },
            Event::End(end) => {
                depth = depth.checked_sub(1)?;
                let said = std::mem::take(&mut text).trim().to_owned();
                match end.local_name().as_ref() {
                    "userAuthenticated" => found.authenticated = Some(said.to_lowercase()),
                    "faultstring" | "axlmessage" => found.fault = found.fault.or(Some(said)),
                    _ => {}
                }
            }
            Event::DocType(_) => return None,
            Event::Eof => return (depth == 0).then_some(found),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(word: &str) -> String {
        format!(
            "<?xml version='1.0' encoding='UTF-8'?><s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\">\
             <s:Body><ns:doAuthenticateUserResponse sequence=\"7\" xmlns:ns=\"http://www.cisco.com/AXL/API/14.0\">\
             <return><userAuthenticated>{word}</userAuthenticated><code>0</code><daysToExpiry>23</daysToExpiry>\
             <isWarningNeeded>false</isWarningNeeded></return></ns:doAuthenticateUserResponse></s:Body></s:Envelope>"
        )
    }

    fn fault(text: &str) -> String {
        format!(
            "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><s:Fault><faultcode>s:Client\
             </faultcode><faultstring>{text}</faultstring><detail><axlError><axlcode>5007</axlcode><axlmessage>x\
             </axlmessage><request>doAuthenticateUser</request></axlError></detail></s:Fault></s:Body></s:Envelope>"
        )
    }

    /// Requirement 14 of the realms.
    #[test]
    fn namespace_and_action_carry_the_same_version() {
        for version in VERSIONS {
            let basic = HeaderValue::from_static("Basic eA==");
            let request = request(version, 71, "m.koval", "x", &basic);
            assert_eq!(
                request.headers()["soapaction"].to_str().unwrap(),
                format!("\"CUCM:DB ver={version} doAuthenticateUser\"")
            );
            assert_eq!(request.headers()[CONTENT_TYPE], "text/xml; charset=utf-8");
            assert_eq!(
                envelope(version, 71, "m.koval", "grün&3").as_str(),
                format!(
                    "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" \
                     xmlns:ns=\"http://www.cisco.com/AXL/API/{version}\"><soapenv:Header/><soapenv:Body>\
                     <ns:doAuthenticateUser sequence=\"71\"><userid>m.koval</userid><password>grün&amp;3</password>\
                     </ns:doAuthenticateUser></soapenv:Body></soapenv:Envelope>"
                )
            );
        }
    }

    /// Requirement 16.
    #[test]
    fn words_for_yes_and_no() {
        for word in ["true", "t", "1", "TRUE", " true "] {
            assert_eq!(judge(200, answer(word).as_bytes()), Verdict::Right, "{word}");
        }
        for word in ["false", "f", "0"] {
            assert_eq!(judge(200, answer(word).as_bytes()), Verdict::Wrong, "{word}");
        }
        for word in ["", "maybe", "2"] {
            assert!(matches!(judge(200, answer(word).as_bytes()), Verdict::Broken(_)), "{word}");
        }
    }

    #[test]
    fn a_fault_is_a_refusal_only_if_it_says_so() {
        assert_eq!(judge(500, fault("User Authentication Failed").as_bytes()), Verdict::Wrong);
        assert!(matches!(judge(500, fault("The database is not available").as_bytes()), Verdict::Broken(_)));
        assert!(matches!(judge(500, b"oops"), Verdict::Broken(_)));
    }

    #[test]
    fn other_statuses_and_halves_of_answers() {
        assert_eq!(judge(401, b""), Verdict::Misconfigured(401));
        assert_eq!(judge(403, b""), Verdict::Misconfigured(403));
        assert_eq!(judge(503, b""), Verdict::Throttled);
        assert_eq!(judge(599, b""), Verdict::Version);
        assert!(matches!(judge(302, b""), Verdict::Broken(_)));
        let whole = answer("true");
        for end in 0..whole.len() {
            let half = judge(200, &whole.as_bytes()[..end]);
            assert!(matches!(half, Verdict::Broken(_)), "{end} bytes: {half:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_an_answer(status in 100u16..600, body in proptest::collection::vec(proptest::num::u8::ANY, 0..400)) {
            let _ = judge(status, &body);
        }
    }
}
