//! Logs of desktops: `POST User/{id}/ClientLog` and `CompressedClientLog` (guide, "ClientLog"). Each becomes a file in one
//! directory, which has a bound in files and in bytes: the oldest make room. Names of files come from the user's id and
//! the time and cannot leave the directory, whatever the id is. What is compressed is stored as it came and never unpacked.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use tokio::sync::Semaphore;

use super::body::Element;
use crate::api::bodies::CLIENT_LOG;
use crate::model::command::ApiError;

/// How every name begins: other files in the directory are none of ours.
const PREFIX: &str = "clientlog_";

/// Longest part of a name that comes from an id, in bytes.
const ID_BYTES: usize = 96;

/// Logs that are received and written at once.
const AT_ONCE: usize = 16;

/// Where logs are kept and how much of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientLogs {
    /// The directory; `None`: no logs are taken.
    pub directory: Option<PathBuf>,
    /// Most files.
    pub files: usize,
    /// Most bytes of all files together.
    pub bytes: u64,
    /// Longest log, in bytes.
    pub bytes_each: usize,
}

impl Default for ClientLogs {
    fn default() -> ClientLogs {
        ClientLogs { directory: None, files: 1000, bytes: 256 << 20, bytes_each: 1 << 20 }
    }
}

/// Keeps those who write from getting in each other's way.
pub(super) struct Writers {
    /// Bounds what is held in memory.
    pub(super) received: Semaphore,
    written: Semaphore,
}

impl Default for Writers {
    fn default() -> Writers {
        Writers { received: Semaphore::new(AT_ONCE), written: Semaphore::new(1) }
    }
}

/// One log, as it will be stored.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Log {
    content: Bytes,
    /// `log`, `zip` or `gz`.
    kind: &'static str,
}

impl Log {
    /// The log in a `ClientLog` element.
    ///
    /// # Errors
    /// 400 for another element, or without text in `logData`.
    pub(super) fn of_element(element: &Element) -> Result<Log, ApiError> {
        let data = CLIENT_LOG.read(element)?.log_data.filter(|text| !text.trim().is_empty());
        let data = data.ok_or_else(|| ApiError::invalid_input("There is nothing in the log", "logData"))?;
        Ok(Log { content: data.into(), kind: "log" })
    }

    /// A log that came compressed: a part of a form, or the body itself.
    ///
    /// # Errors
    /// 400 for a form that cannot be read and for what is neither ZIP nor GZIP.
    pub(super) async fn of_bytes(content_type: &str, body: Bytes) -> Result<Log, ApiError> {
        let content = match multer::parse_boundary(content_type) {
            Ok(boundary) => part(&body, boundary).await?,
            Err(_) => body,
        };
        let kind = match &content[..] {
            [b'P', b'K', 3, 4, ..] => "zip",
            [0x1f, 0x8b, ..] => "gz",
            _ => {
                return Err(ApiError::invalid_input(
                    "The log is neither ZIP nor GZIP",
                    "CompressedClientLog",
                ));
            }
        };
        Ok(Log { content, kind })
    }
}

/// The first part of a form that is a file; without one the first that is not empty.
async fn part(body: &[u8], boundary: String) -> Result<Bytes, ApiError> {
    let unreadable = |_| ApiError::bad_request("The form cannot be read", "");
    let mut form = multer::Multipart::with_reader(body, boundary);
    let mut plain = None;
    while let Some(field) = form.next_field().await.map_err(unreadable)? {
        let is_file = field.file_name().is_some();
        let content = field.bytes().await.map_err(unreadable)?;
        match is_file && !content.is_empty() {
            true => return Ok(content),
            false if plain.is_none() && !content.is_empty() => plain = Some(content),
            false => {}
        }
    }
    plain.ok_or_else(|| ApiError::invalid_input("There is nothing in the log", "CompressedClientLog"))
}

impl ClientLogs {
    /// Stores a log of `user` that came at `utc_ms`; answers with the name of the file.
    ///
    /// # Errors
    /// 501 without a directory, 500 when it cannot be written.
    pub(super) async fn store(
        &self,
        writers: &Writers,
        user: &str,
        utc_ms: i64,
        log: Log,
    ) -> Result<String, ApiError> {
        let directory = self.directory.clone().ok_or_else(|| ApiError::not_implemented("ClientLog"))?;
        let (most_files, most_bytes, user) = (self.files, self.bytes, user.to_owned());
        let _turn = writers.written.acquire().await.map_err(|_| ApiError::internal())?;
        let written = tokio::task::spawn_blocking(move || {
            fs::create_dir_all(&directory)?;
            make_room(&directory, most_files, most_bytes, log.content.len() as u64)?;
            write(&directory, &user, utc_ms, &log)
        });
        match written.await {
            Ok(Ok(name)) => Ok(name),
            Ok(Err(error)) => {
                tracing::error!(%error, "client log not stored");
                Err(ApiError::internal())
            }
            Err(_) => Err(ApiError::internal()),
        }
    }
}

/// Writes a file of its own; a second log of the same millisecond gets a number.
fn write(directory: &Path, user: &str, utc_ms: i64, log: &Log) -> io::Result<String> {
    let stem = stem(user, utc_ms);
    for number in 0..=u16::MAX {
        let name = match number {
            0 => format!("{stem}.{}", log.kind),
            number => format!("{stem}-{number}.{}", log.kind),
        };
        let path = directory.join(&name);
        let mut file = match create(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            file => file?,
        };
        if let Err(error) = file.write_all(&log.content) {
            drop(file);
            // Half a log helps nobody and would count against the bound.
            fs::remove_file(&path).ok();
            return Err(error);
        }
        return Ok(name);
    }
    Err(io::Error::other("too many logs at the same moment"))
}

/// What agents did is nobody's business on the machine but the server's.
fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// `clientlog_{time}_{id}`, so that names sort by time. Of an id only letters, digits, `-` and `_` stand for themselves.
fn stem(user: &str, utc_ms: i64) -> String {
    let mut id = String::new();
    for byte in user.bytes() {
        let next = match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        };
        if id.len() + next.len() > ID_BYTES {
            break;
        }
        id.push_str(&next);
    }
    let time = crate::model::time::Utc(utc_ms).to_string().replace(':', "");
    format!("{PREFIX}{time}_{id}")
}

/// Removes the oldest of our files until one more of `next` bytes fits.
fn make_room(directory: &Path, most_files: usize, most_bytes: u64, next: u64) -> io::Result<()> {
    let mut ours: Vec<(String, u64)> = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let of_a_file = entry.metadata().ok().filter(fs::Metadata::is_file);
        if let Some(metadata) = of_a_file.filter(|_| name.starts_with(PREFIX)) {
            ours.push((name, metadata.len()));
        }
    }
    ours.sort_unstable();
    let mut bytes: u64 = ours.iter().map(|(_, bytes)| bytes).sum();
    let mut files = ours.len();
    for (name, size) in ours {
        if files < most_files && bytes + next <= most_bytes {
            break;
        }
        fs::remove_file(directory.join(name))?;
        (files, bytes) = (files - 1, bytes - size);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(text: &str) -> Log {
        Log { content: Bytes::copy_from_slice(text.as_bytes()), kind: "log" }
    }

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort_unstable();
        names
    }

    /// A directory that does not exist yet and is removed at the end.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Scratch {
            Scratch(std::env::temp_dir().join(format!("finesse-logs-{name}-{}", std::process::id())))
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).ok();
        }
    }

    #[test]
    fn no_id_leads_out_of_the_directory() {
        for (id, expected) in [
            ("1002", "1002"),
            ("a b", "a%20b"),
            ("../../etc/passwd", "%2E%2E%2F%2E%2E%2Fetc%2Fpasswd"),
            ("C:\\x\0", "C%3A%5Cx%00"),
            ("grün", "gr%C3%BCn"),
        ] {
            assert_eq!(stem(id, 1_707_124_443_120), format!("clientlog_2024-02-05T091403.120Z_{expected}"));
        }
        assert!(stem(&"/".repeat(500), 0).len() < 150);
    }

    #[tokio::test]
    async fn the_oldest_make_room_and_strangers_stay() {
        let scratch = Scratch::new("room");
        let logs =
            ClientLogs { directory: Some(scratch.0.clone()), files: 3, bytes: 25, bytes_each: 1 << 20 };
        let writers = Writers::default();
        fs::create_dir_all(&scratch.0).unwrap();
        fs::write(scratch.0.join("notes.txt"), "x".repeat(100)).unwrap();
        let mut stored = Vec::new();
        for (at, user) in [(1, "1002"), (2, "1001"), (2, "1001"), (3, "1003")] {
            stored.push(logs.store(&writers, user, at, log("0123456")).await.unwrap());
        }
        let mut expected = stored[1..].to_vec();
        expected.push("notes.txt".into());
        expected.sort_unstable();
        assert_eq!(names(&scratch.0), expected, "a fourth is one too many");
        let last = logs.store(&writers, "1004", 4, log(&"y".repeat(20))).await.unwrap();
        assert_eq!(names(&scratch.0), [last.as_str(), "notes.txt"], "more than 25 bytes");
        let file = scratch.0.join(&last);
        assert_eq!(fs::read_to_string(&file).unwrap(), "y".repeat(20));
        #[cfg(unix)]
        assert_eq!(
            std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&file).unwrap().permissions()) & 0o777,
            0o600
        );
    }

    #[tokio::test]
    async fn what_cannot_be_written_is_an_error_of_the_servers() {
        let scratch = Scratch::new("file");
        fs::write(&scratch.0, "no directory").unwrap();
        let logs = ClientLogs { directory: Some(scratch.0.clone()), ..ClientLogs::default() };
        let error = logs.store(&Writers::default(), "1002", 1, log("x")).await.unwrap_err();
        assert_eq!((error.status, error.kind), (500, "Internal Server Error"));
        fs::remove_file(&scratch.0).unwrap();
        let error = ClientLogs::default().store(&Writers::default(), "1002", 1, log("x")).await.unwrap_err();
        assert_eq!(error.status, 501);
    }

    #[tokio::test]
    async fn compressed_logs_come_as_they_are_or_in_a_form() {
        let zip = Bytes::from_static(b"PK\x03\x04rest");
        let plain = Log::of_bytes("application/zip", zip.clone()).await.unwrap();
        assert_eq!(plain, Log { content: zip.clone(), kind: "zip" });
        let gz =
            Log::of_bytes("application/octet-stream", Bytes::from_static(b"\x1f\x8b\x08")).await.unwrap();
        assert_eq!(gz.kind, "gz");
        let form = [
            &b"--b\r\nContent-Disposition: form-data; name=\"about\"\r\n\r\nnote\r\n--b\r\n\
            Content-Disposition: form-data; name=\"log\"; filename=\"../x.zip\"\r\n\
            Content-Type: application/zip\r\n\r\n"[..],
            &zip,
            b"\r\n--b--\r\n",
        ]
        .concat();
        let part = Log::of_bytes("multipart/form-data; boundary=b", form.clone().into()).await.unwrap();
        assert_eq!(part, plain);
        for (content_type, body, kind) in [
            ("application/zip", &b"text"[..], "Invalid Input"),
            ("application/zip", b"", "Invalid Input"),
            ("multipart/form-data; boundary=b", &form[..60], "Bad Request"),
            ("multipart/form-data; boundary=b", b"--b--\r\n", "Invalid Input"),
            ("multipart/form-data; boundary=c", &form, "Bad Request"),
        ] {
            let error = Log::of_bytes(content_type, Bytes::copy_from_slice(body)).await.unwrap_err();
            assert_eq!((error.status, error.kind), (400, kind), "{content_type} {body:?}");
        }
    }
}
