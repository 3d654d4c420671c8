//! Logs of desktops: endpoint 36 of the guide.

use std::path::PathBuf;

use crate::centre::{Centre, Got};

const LOG: &str = "<ClientLog><logData>09:14 &lt;error&gt; no route\n</logData></ClientLog>";
const XML: (&str, &str) = ("Content-Type", "application/xml");
const ZIP: (&str, &str) = ("Content-Type", "application/zip");
const OTHER: &str = "401 Invalid Authorization User Specified";

/// A centre that keeps logs, and where; removed at the end.
struct Kept(Centre, PathBuf);

impl Kept {
    fn new(name: &str) -> Kept {
        let directory = std::env::temp_dir().join(format!("finesse-kept-{name}-{}", std::process::id()));
        let text = format!("[client_logs]\ndirectory = {:?}\nbytes_each = 1024\n", directory);
        Kept(Centre::new(&text), directory)
    }

    async fn post(&self, user: &str, path: &str, header: (&str, &str), body: &str) -> Got {
        self.0.send(user, "POST", path, &[header, ("requestId", "r-1")], body).await
    }

    /// Names without the time, and contents.
    fn stored(&self) -> Vec<(String, String)> {
        let Ok(entries) = std::fs::read_dir(&self.1) else { return Vec::new() };
        let mut all: Vec<(String, String)> = entries
            .map(|entry| {
                let path = entry.unwrap().path();
                let name = path.file_name().unwrap().to_str().unwrap().to_owned();
                assert!(name.starts_with("clientlog_2"), "{name}");
                (name.rsplit('_').next().unwrap().to_owned(), std::fs::read_to_string(path).unwrap())
            })
            .collect();
        all.sort();
        all
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.1).ok();
    }
}

#[tokio::test]
async fn a_log_is_stored_under_the_users_id() {
    let kept = Kept::new("one");
    let got = kept.post("1002", "User/1002/ClientLog", XML, LOG).await;
    assert_eq!((got.status, got.body.as_str()), (202, ""));
    assert_eq!(got.headers["requestid"], "r-1");
    let got = kept.post("1002", "User/1002/CompressedClientLog", ZIP, "PK\x03\x04...").await;
    assert_eq!(got.status, 202);
    let expected = [("1002.log", "09:14 <error> no route\n"), ("1002.zip", "PK\x03\x04...")];
    assert_eq!(kept.stored(), expected.map(|(name, text)| (name.to_owned(), text.to_owned())));
}

#[tokio::test]
async fn what_is_no_log_of_the_caller_is_refused() {
    let kept = Kept::new("none");
    let long = format!("<ClientLog><logData>{}</logData></ClientLog>", "x".repeat(2000));
    for (user, path, header, body, error) in [
        ("1001", "User/1002/ClientLog", XML, LOG, OTHER),
        ("1002", "User/9999/ClientLog", XML, LOG, OTHER),
        ("admin", "User/1002/ClientLog", XML, "", OTHER),
        ("1002", "User/1002/ClientLog", XML, "", "400 Bad Request"),
        ("1002", "User/1002/ClientLog", XML, "<ClientLog>", "400 Bad Request"),
        ("1002", "User/1002/ClientLog", XML, "<User/>", "400 Bad Request"),
        ("1002", "User/1002/ClientLog", XML, "<ClientLog><logData/></ClientLog>", "400 Invalid Input"),
        ("1002", "User/1002/ClientLog", ZIP, LOG, "415 Bad Request"),
        ("1002", "User/1002/ClientLog", XML, &long, "413 Bad Request"),
        ("1001", "User/1002/CompressedClientLog", ZIP, "PK\x03\x04", OTHER),
        ("1002", "User/1002/CompressedClientLog", ZIP, LOG, "400 Invalid Input"),
        ("1002", "User/1002/CompressedClientLog", ZIP, &long, "413 Bad Request"),
    ] {
        assert_eq!(kept.post(user, path, header, body).await.error(), error, "{user} {path} {body}");
    }
    assert!(kept.stored().is_empty());
    let got = kept.0.get("1002", "User/1002/ClientLog").await;
    assert_eq!(
        (got.error().as_str(), &got.headers["allow"]),
        ("405 Method Not Allowed", &"POST, OPTIONS".parse().unwrap())
    );
    kept.0.out_of_service();
    let got = kept.post("1002", "User/1002/ClientLog", XML, LOG).await;
    assert_eq!(got.error(), "503 Service Unavailable");
}

#[tokio::test]
async fn without_a_directory_no_log_is_taken() {
    let centre = Centre::new("");
    let got = centre.send("1002", "POST", "User/1002/ClientLog", &[XML], LOG).await;
    assert_eq!(got.error(), "501 Not Implemented");
}
