//! `[client_logs]`: what becomes of logs that desktops send.

use serde::Deserialize;

use crate::rest::client_logs;

/// `[client_logs]`.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct ClientLogs {
    /// Directory in which they are stored; empty: none are taken.
    pub directory: String,
    /// Most files in it.
    pub files: u32,
    /// Most MiB of all files together.
    pub mib: u32,
    /// Longest log, in bytes.
    pub bytes_each: u32,
}

impl Default for ClientLogs {
    fn default() -> ClientLogs {
        ClientLogs { directory: String::new(), files: 1000, mib: 256, bytes_each: 1 << 20 }
    }
}

impl From<&ClientLogs> for client_logs::ClientLogs {
    fn from(of: &ClientLogs) -> Self {
        Self {
            directory: (!of.directory.is_empty()).then(|| of.directory.clone().into()),
            files: of.files as usize,
            bytes: u64::from(of.mib) << 20,
            bytes_each: of.bytes_each as usize,
        }
    }
}
