//! JSON and the description of the API, where they are switched on.

use serde_json::{Value, json};

use crate::centre::{Centre, Got};

const ON: &str = "[server]\nrest_extensions = true\n[[reason_code]]\nid = 7\ncategory = \"NOT_READY\"\ncode = 21\n\
                  label = \"A \\\"b\\\" & c\"\n";
const CODES: &str = "User/1002/ReasonCodes?category=NOT_READY";

async fn json_of(centre: &Centre, user: &str, path: &str) -> (Got, Value) {
    let got = centre.send(user, "GET", path, &[("Accept", "application/json")], "").await;
    let value = serde_json::from_str(&got.body).unwrap_or_else(|_| panic!("no JSON: {got:?}"));
    assert_eq!(got.headers["content-type"], "application/json");
    (got, value)
}

#[tokio::test]
async fn a_document_in_json_has_numbers_and_booleans() {
    let centre = Centre::new(ON);
    let (got, value) = json_of(&centre, "1002", CODES).await;
    let code = json!({
        "category": "NOT_READY", "code": 21, "forAll": true, "id": 7, "label": "A \"b\" & c", "systemCode": false,
        "uri": "/finesse/api/ReasonCode/7",
    });
    assert_eq!((got.status, value), (200, json!({ "category": "NOT_READY", "ReasonCode": [code] })));
    assert_eq!(got.headers["vary"], "Accept");
    assert!(centre.document("1002", CODES).await.starts_with("<ReasonCodes "));
}

#[tokio::test]
async fn errors_are_json_too() {
    let centre = Centre::new(ON);
    for (user, path, status, kind) in [
        ("1002", "User/1003/WrapUpReasons", 401, "Invalid Authorization User Specified"),
        ("1002", "Nothing", 404, "Not Found"),
        ("nobody", "WrapUpReasons", 401, "Authorization Failure"),
        ("1002", "User/1002/ReasonCodes", 400, "Bad Request"),
    ] {
        let (got, value) = json_of(&centre, user, path).await;
        assert_eq!((got.status, &value["ApiError"][0]["ErrorType"]), (status, &kind.into()), "{path}");
    }
}

#[tokio::test]
async fn the_api_describes_itself_to_its_users() {
    let centre = Centre::new(ON);
    let (_, description) = json_of(&centre, "1002", "openapi.json").await;
    assert_eq!(description["openapi"], "3.1.0");
    assert!(description["paths"]["/finesse/api/User/{id}/ReasonCodes"]["get"].is_object());
    let stranger = centre.get("nobody", "openapi.json").await;
    assert_eq!(stranger.error(), "401 Authorization Failure");
}

/// Off unless switched on: byte for byte what the original answers.
#[tokio::test]
async fn without_the_extensions_everything_is_xml() {
    let centre = Centre::new(&ON.replace("true", "false"));
    let got = centre.send("1002", "GET", CODES, &[("Accept", "application/json")], "").await;
    assert_eq!(got.headers["content-type"], "application/xml;charset=UTF-8");
    assert!(!got.headers.contains_key("vary"));
    assert_eq!(centre.refused("1002", "openapi.json").await, "404 Not Found");
}
