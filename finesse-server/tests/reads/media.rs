//! Other media than voice: endpoints 33 and 34 of the guide, which are known but not here.

use crate::centre::Centre;

const OTHER: &str = "401 Invalid Authorization User Specified";

#[tokio::test]
async fn what_is_known_but_not_here_is_501_to_those_who_may_ask() {
    let centre = Centre::new("");
    for (user, method, path, error) in [
        ("1002", "GET", "User/1002/Media", "501 Not Implemented"),
        ("1002", "GET", "User/1002/Media/5007", "501 Not Implemented"),
        ("1002", "PUT", "User/1002/Media/5007", "501 Not Implemented"),
        ("1002", "PUT", "User/1002/Media", "501 Not Implemented"),
        ("1001", "GET", "User/1002/Dialogs/Media", "501 Not Implemented"),
        ("1002", "GET", "User/1001/Media", OTHER),
        ("1002", "GET", "User/9999/Media", OTHER),
        ("1001", "PUT", "User/1003/Media/5007", "401 Invalid Supervisor"),
        ("admin", "PUT", "User/1002/Media/5007", OTHER),
        ("admin", "GET", "User/9999/Media", "404 User Not Found"),
        ("1002", "DELETE", "User/1002/Media", "405 Method Not Allowed"),
    ] {
        let got = centre.send(user, method, path, &[], "<Media><state>READY</state></Media>").await;
        assert_eq!(got.error(), error, "{user} {method} {path}");
    }
    centre.out_of_service();
    assert_eq!(centre.refused("1002", "User/1002/Media").await, "503 Service Unavailable");
}
