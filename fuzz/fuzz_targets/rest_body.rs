//! Any bytes as the body of a REST request: no panic, every refusal a 4xx, and what is accepted keeps the bounds.

#![no_main]

use finesse_server::api::bodies::{DIALOG, USER};
use finesse_server::rest::body::{Charset, Element, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    for charset in [Charset::Utf8, Charset::Latin1] {
        match parse(data, charset) {
            Ok(root) => {
                check(&root, 1);
                if let Ok(body) = USER.read(&root) {
                    assert!(body.state.is_none_or(|state| !state.trim().is_empty()));
                }
                if let Ok(body) = DIALOG.read(&root) {
                    assert!(body.call_variables.iter().all(|(name, _)| name.trim() == name));
                }
            }
            Err(error) => assert_eq!((error.status, error.kind), (400, "Bad Request")),
        }
    }
    let _ = finesse_server::realm::basic::Basic::parse(data);
});

fn check(element: &Element, depth: usize) {
    assert!(depth <= 16 && !element.name.is_empty());
    assert!(element.text.chars().all(|c| c >= ' ' || matches!(c, '\t' | '\n' | '\r')));
    element.children.iter().for_each(|child| check(child, depth + 1));
}
