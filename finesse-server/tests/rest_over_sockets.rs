//! The REST API over real sockets: credentials, order of checks, bodies, headers. The model behind it notes what it
//! is asked, so that these tests are about HTTP alone.

mod support;

use finesse_server::model::command::{ApiError, Reply, What};
use support::{Response, anna, basic, settings, start};

const XML: &str = "Content-Type: application/xml\r\n";
const READY: &[u8] = b"<User><state>READY</state></User>";

fn state(what: &What) -> Option<&str> {
    match what {
        What::ChangeUser { body: Ok(body), .. } => body.state.as_deref(),
        _ => None,
    }
}

#[tokio::test]
async fn a_state_change_reaches_the_model_and_is_answered_202_without_a_body() {
    let server = start(settings()).await;
    let headers = format!("{}{XML}requestId: r-1\r\n", anna());
    let response = server.send("PUT", "/finesse/api/User/1001", &headers, READY).await;
    assert_eq!((response.status, response.body.as_str()), (202, ""));
    assert_eq!(response.headers["requestid"], "r-1");
    assert_eq!(response.headers["content-length"], "0");
    assert!(!response.headers.contains_key("set-cookie"));
    let command = server.only_command();
    assert_eq!((&*command.caller, command.request_id.as_deref()), ("1001", Some("r-1")));
    assert_eq!(state(&command.what), Some("READY"));
}

#[tokio::test]
async fn a_document_is_sent_as_xml_in_utf_8() {
    let server = start(settings()).await;
    *server.model.reply.lock().unwrap() = Reply::Document("<User><lastName>Grün</lastName></User>".into());
    let headers = format!("{}requestId: ignored\r\n", basic("1002", "grün"));
    let response = server.send("GET", "/finesse/api/User/1002/?nocache=1", &headers, b"").await;
    assert_eq!((response.status, response.body.as_str()), (200, "<User><lastName>Grün</lastName></User>"));
    assert_eq!(response.headers["content-type"], "application/xml;charset=UTF-8");
    assert_eq!(response.headers["x-content-type-options"], "nosniff");
    let command = server.only_command();
    assert_eq!((command.request_id, command.what), (None, What::User("1002".into())));
    let head = server.send("HEAD", "/finesse/api/User/1002", &headers, b"").await;
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    assert_eq!(head.headers["content-length"], "39");
}

#[tokio::test]
async fn bad_credentials_are_answered_401_with_a_challenge() {
    let server = start(settings()).await;
    let latin = "Authorization: Basic MTAwMjpncvxu\r\n".to_owned();
    assert_eq!(server.send("GET", "/finesse/api/User/1002", &latin, b"").await.status, 202, "ISO-8859-1");
    server.only_command();
    for headers in [
        String::new(),
        "Authorization: Basic !!!\r\n".into(),
        "Authorization: Bearer abc\r\n".into(),
        basic("1001", ""),
        basic("1001", "p"),
        basic("1001", "P:1"),
        basic("nobody", "p:1"),
        basic("u0", "x"),
    ] {
        let response = server.send("GET", "/finesse/api/User/1001", &headers, b"").await;
        assert_eq!(response.kind(), (401, "Authorization Failure"), "{headers}");
        assert_eq!(response.error("ErrorMessage"), "UNAUTHORIZED");
        assert_eq!(response.headers["www-authenticate"], "Basic realm=\"Finesse\", charset=\"UTF-8\"");
    }
    assert!(server.nothing_asked());
}

#[tokio::test]
async fn the_login_name_signs_in_and_the_error_names_the_user_given() {
    let server = start(settings()).await;
    server.send("GET", "/finesse/api/User/anna", &basic("ANNA", "p:1"), b"").await;
    let command = server.only_command();
    assert_eq!((&*command.caller, command.what), ("1001", What::User("anna".into())));
    let response = server.send("GET", "/finesse/api/User/anna", &basic("a<b", "x"), b"").await;
    assert_eq!(response.error("ErrorData"), "a&lt;b");
}

#[tokio::test]
async fn credentials_come_before_path_before_method() {
    let server = start(settings()).await;
    let kind = async |method, path: &str, headers: &str| -> (u16, String) {
        let response = server.send(method, path, headers, b"").await;
        (response.status, response.error("ErrorType").to_owned())
    };
    assert_eq!(kind("DELETE", "/finesse/api/Nothing", "").await.0, 401);
    assert_eq!(kind("DELETE", "/finesse/api/Nothing", &anna()).await, (404, "Not Found".into()));
    assert_eq!(kind("GET", "/finesse/api", &anna()).await, (404, "Not Found".into()));
    assert_eq!(kind("GET", "/finesse/api/user/1001", &anna()).await.0, 404);
    let response = server.send("DELETE", "/finesse/api/User/1001", &anna(), b"").await;
    assert_eq!(response.kind(), (405, "Method Not Allowed"));
    assert_eq!(response.headers["allow"], "GET, HEAD, PUT, OPTIONS");
    assert!(server.nothing_asked());
}

#[tokio::test]
async fn what_is_wrong_with_a_body_travels_to_the_model() {
    let server = start(settings()).await;
    *server.model.reply.lock().unwrap() = Reply::Refused(ApiError::other_user("1002"));
    for (content_type, body, status) in [
        (XML, &b"<User><state>"[..], 400),
        (XML, b"", 400),
        (XML, b"<Dialog/>", 400),
        (XML, b"<!DOCTYPE User [<!ENTITY a 'x'>]><User>&a;</User>", 400),
        ("Content-Type: application/json\r\n", b"{}", 415),
        ("Content-Type: application/json\r\n", READY, 415),
        ("", b"state=READY", 415),
        ("", b"", 400),
    ] {
        let response = server.send("PUT", "/finesse/api/User/1002", &(anna() + content_type), body).await;
        assert_eq!(response.kind(), (401, "Invalid Authorization User Specified"), "rights come first");
        let What::ChangeUser { body: Err(error), .. } = server.only_command().what else { panic!() };
        assert_eq!(
            (error.status, error.kind),
            (status, "Bad Request"),
            "{content_type}{}",
            String::from_utf8_lossy(body)
        );
    }
}

#[tokio::test]
async fn xml_is_taken_under_several_names() {
    let server = start(settings()).await;
    for content_type in [
        "",
        XML,
        "content-type: Application/XML\r\n",
        "Content-Type: text/xml; charset=utf-8\r\n",
        "Content-Type: application/xml;charset=ISO-8859-1\r\n",
    ] {
        let body = b"\r\n\n<?xml version=\"1.0\"?>\n<User><state>READY</state></User>";
        let response = server.send("PUT", "/finesse/api/User/1001", &(anna() + content_type), body).await;
        assert_eq!(response.status, 202, "{content_type}");
        assert_eq!(state(&server.only_command().what), Some("READY"));
    }
}

#[tokio::test]
async fn a_length_that_lies_is_refused_before_anything_arrives() {
    let server = start(settings()).await;
    let head = format!(
        "PUT /finesse/api/User/1001 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{}\
         Content-Type: application/xml\r\nContent-Length: 99999999999\r\n\r\n",
        anna()
    );
    let begun = std::time::Instant::now();
    server.raw(head.as_bytes()).await;
    assert!(begun.elapsed() < settings().body_timeout, "it was waited for");
    let What::ChangeUser { body: Err(error), .. } = server.only_command().what else { panic!() };
    assert_eq!(error.status, 413);
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_413() {
    let server = start(settings()).await;
    *server.model.reply.lock().unwrap() = Reply::Accepted;
    let body =
        [b"<User><state>READY</state><x>".as_slice(), &vec![b'x'; 300 * 1024], b"</x></User>"].concat();
    server.send("PUT", "/finesse/api/User/1001", &(anna() + XML), &body).await;
    let What::ChangeUser { body: Err(error), .. } = server.only_command().what else { panic!() };
    assert_eq!((error.status, error.kind, error.data.as_str()), (413, "Bad Request", "262144"));
}

#[tokio::test]
async fn a_body_that_does_not_arrive_is_given_up() {
    let server = start(finesse_server::rest::Settings {
        body_timeout: std::time::Duration::from_millis(200),
        ..settings()
    })
    .await;
    let head = format!(
        "PUT /finesse/api/User/1001 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{}{XML}Content-Length: 50\r\n\r\n<User>",
        anna()
    );
    server.raw(head.as_bytes()).await;
    let What::ChangeUser { body: Err(error), .. } = server.only_command().what else { panic!() };
    assert_eq!(error.status, 408);
}

#[tokio::test]
async fn system_info_needs_no_credentials_unless_configured() {
    let server = start(settings()).await;
    *server.model.reply.lock().unwrap() = Reply::Document("<SystemInfo/>".into());
    let response = server.send("GET", "/finesse/api/SystemInfo", "", b"").await;
    assert_eq!((response.status, response.body.as_str()), (200, "<SystemInfo/>"));
    assert_eq!(&*server.only_command().caller, "");
    let closed = start(finesse_server::rest::Settings { public_system_info: false, ..settings() }).await;
    assert_eq!(closed.send("GET", "/finesse/api/SystemInfo", "", b"").await.status, 401);
    assert_eq!(closed.send("GET", "/finesse/api/SystemInfo", &anna(), b"").await.status, 202);
}

#[tokio::test]
async fn too_many_requests_of_one_user_are_429() {
    let server = start(finesse_server::rest::Settings { rate: 1, burst: 3, ..settings() }).await;
    let mut responses: Vec<Response> = Vec::new();
    for _ in 0..4 {
        responses.push(server.send("GET", "/finesse/api/User/1001", &anna(), b"").await);
    }
    assert!(responses[..3].iter().all(|response| response.status == 202));
    assert_eq!(responses[3].kind(), (429, "Too Many Requests"));
    assert_eq!(
        (responses[3].error("ErrorData"), responses[3].headers["retry-after"].as_str()),
        ("1001", "1")
    );
    let other = server.send("GET", "/finesse/api/User/1002", &basic("1002", "grün"), b"").await;
    assert_eq!(other.status, 202, "others are not affected");
}

#[tokio::test]
async fn out_of_service_says_when_to_come_back() {
    let server = start(settings()).await;
    *server.model.reply.lock().unwrap() = Reply::Refused(ApiError::out_of_service());
    let response = server.send("GET", "/finesse/api/User/1001", &anna(), b"").await;
    assert_eq!(response.kind(), (503, "Service Unavailable"));
    assert_eq!((response.error("ErrorMessage"), response.error("ErrorData")), ("SERVER_OUT_OF_SERVICE", ""));
    assert_eq!(response.headers["retry-after"], "5");
}

#[tokio::test]
async fn pages_of_listed_origins_may_call() {
    let server = start(settings()).await;
    let preflight = "Origin: http://localhost:3000\r\nAccess-Control-Request-Method: PUT\r\n\
                     Access-Control-Request-Headers: authorization,content-type,requestid\r\n";
    let response = server.send("OPTIONS", "/finesse/api/User/1001", preflight, b"").await;
    assert_eq!(response.status, 204);
    assert_eq!(response.headers["access-control-allow-origin"], "http://localhost:3000");
    assert!(response.headers["access-control-allow-methods"].contains("PUT"));
    assert!(response.headers["access-control-allow-headers"].to_lowercase().contains("requestid"));
    let call = format!("{}Origin: http://localhost:3000\r\n", anna());
    let response = server.send("GET", "/finesse/api/User/1001", &call, b"").await;
    assert_eq!(response.headers["access-control-allow-origin"], "http://localhost:3000");
    assert!(response.headers["access-control-expose-headers"].contains("requestId"));
    assert_eq!(response.headers["vary"], "Origin");
    let refused =
        server.send("GET", "/finesse/api/User/1001", "Origin: http://localhost:3000\r\n", b"").await;
    assert_eq!(
        refused.headers["access-control-allow-origin"], "http://localhost:3000",
        "errors are readable too"
    );
    let foreign = preflight.replace("localhost:3000", "evil.example");
    let response = server.send("OPTIONS", "/finesse/api/User/1001", &foreign, b"").await;
    assert!(!response.headers.contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn a_call_is_read_from_a_dialog_body() {
    let server = start(settings()).await;
    let body = b"<Dialog><toAddress>0305550123</toAddress><fromAddress>2001</fromAddress><requestedAction>MAKE_CALL</requestedAction></Dialog>";
    let response = server.send("POST", "/finesse/api/User/1001/Dialogs", &(anna() + XML), body).await;
    assert_eq!(response.status, 202);
    let What::CreateDialog { user, body: Ok(body) } = server.only_command().what else { panic!() };
    assert_eq!((user.as_str(), body.requested_action.as_deref()), ("1001", Some("MAKE_CALL")));
    let body = b"<Dialog><targetMediaAddress>2001</targetMediaAddress><requestedAction>HOLD</requestedAction></Dialog>";
    server.send("PUT", "/finesse/api/Dialog/17", &(anna() + XML), body).await;
    let What::ActOnDialog { dialog, body: Ok(body) } = server.only_command().what else { panic!() };
    assert_eq!((dialog.as_str(), body.target_media_address.as_deref()), ("17", Some("2001")));
}

#[tokio::test]
async fn the_api_goes_on_after_nonsense() {
    let server = start(settings()).await;
    for bytes in [
        &b"\0\0\0\0\r\n\r\n"[..],
        b"GET / HTTP/9.9\r\n\r\n",
        b"PUT /finesse/api/User/1001 HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    ] {
        assert_eq!(server.raw(bytes).await.status, 400, "{bytes:?}");
    }
    let long = format!("requestId: {}\r\n{}", "x".repeat(3000), anna());
    let response = server.send("PUT", "/finesse/api/User/1001", &(long + XML), READY).await;
    assert_eq!(response.status, 202);
    assert_eq!(server.only_command().request_id, None, "too long to stand in an event");
}
