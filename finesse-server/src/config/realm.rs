//! Where the accounts are that are not in the file.

use serde::Deserialize;

use super::Secret;

/// `[realm]`.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Realm {
    /// Who knows agents and supervisors.
    pub kind: RealmKind,
    /// Seconds for which what was known is gone by while nobody answers.
    pub stale_seconds: u32,
    /// Seconds for which a refusal is not asked about again.
    pub negative_seconds: u32,
    /// Users of whom something is remembered at once.
    pub users: u32,
    /// Passwords that are being verified at once.
    pub attempts: u32,
    /// The database of Unified CCE.
    pub cce: CceRealm,
    /// Unified CM, which verifies the passwords of Unified CCX.
    pub ccx: CcxRealm,
}

impl Default for Realm {
    fn default() -> Realm {
        Realm {
            kind: RealmKind::default(),
            stale_seconds: 12 * 60 * 60,
            negative_seconds: 5,
            users: 50_000,
            attempts: 16_384,
            cce: CceRealm::default(),
            ccx: CcxRealm::default(),
        }
    }
}

/// Who knows agents and supervisors.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum RealmKind {
    /// The configuration file.
    #[default]
    File,
    /// The database of Unified CCE.
    Cce,
    /// Unified CM, asked by AXL; the file says who they are.
    Ccx,
}

/// `[realm.cce]`.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct CceRealm {
    /// What kind of database it is.
    pub database: DatabaseKind,
    /// Name or address of the first host.
    pub host: String,
    /// The one that is asked when the first does not answer; empty: there is none.
    pub backup_host: String,
    /// Port of both.
    pub port: u16,
    /// Name of the database.
    pub name: String,
    /// Account of the database.
    pub user: String,
    /// Its password.
    pub password: Secret,
    /// TLS to the database.
    pub tls: DatabaseTls,
    /// PEM file of the authorities that sign its certificate; empty: those of the system.
    pub authorities: String,
    /// Seconds between two readings of all tables.
    pub refresh_seconds: u32,
    /// Seconds until the next attempt while no host answers.
    pub retry_seconds: u32,
    /// Seconds that a statement may take.
    pub query_seconds: u32,
    /// Statement for the agents; empty: the one that is built in.
    pub agents: String,
    /// Statement for the teams.
    pub teams: String,
    /// Statement for the supervisors of the teams.
    pub supervisors: String,
    /// Statement for the skill groups.
    pub queues: String,
}

impl Default for CceRealm {
    fn default() -> CceRealm {
        CceRealm {
            database: DatabaseKind::default(),
            host: String::new(),
            backup_host: String::new(),
            port: 1433,
            name: String::new(),
            user: String::new(),
            password: Secret::default(),
            tls: DatabaseTls::default(),
            authorities: String::new(),
            refresh_seconds: 60,
            retry_seconds: 2,
            query_seconds: 5,
            agents: String::new(),
            teams: String::new(),
            supervisors: String::new(),
            queues: String::new(),
        }
    }
}

/// `[realm.ccx]`.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct CcxRealm {
    /// Addresses of AXL on the nodes of Unified CM, in the order in which they are asked.
    pub nodes: Vec<String>,
    /// Application user with the role to use AXL.
    pub user: String,
    /// Its password.
    pub password: Secret,
    /// Schema version to begin with.
    pub version: String,
    /// SHA-256 of the certificates of the nodes; none: they have to be signed by an authority.
    pub pins: Vec<Pin>,
    /// PEM file of the authorities; empty: those of the system.
    pub authorities: String,
    /// Seconds that a connection may take.
    pub connect_seconds: u32,
    /// Seconds that an answer may take.
    pub answer_seconds: u32,
    /// Seconds for which a node that did not answer is left alone.
    pub node_retry_seconds: u32,
    /// Questions a second at most.
    pub per_second: u32,
    /// Questions at once.
    pub at_once: u32,
    /// Longest wait of a question for its turn, in seconds.
    pub wait_seconds: u32,
}

impl Default for CcxRealm {
    fn default() -> CcxRealm {
        CcxRealm {
            nodes: Vec::new(),
            user: String::new(),
            password: Secret::default(),
            version: "14.0".into(),
            pins: Vec::new(),
            authorities: String::new(),
            connect_seconds: 1,
            answer_seconds: 5,
            node_retry_seconds: 30,
            per_second: 20,
            at_once: 8,
            wait_seconds: 10,
        }
    }
}

/// SHA-256 of a certificate: 64 hexadecimal digits, with colons between them or without.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(try_from = "String")]
pub struct Pin(pub [u8; 32]);

impl TryFrom<String> for Pin {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Pin, &'static str> {
        const ADVICE: &str = "is no SHA-256 of a certificate: 64 hexadecimal digits";
        let digits = text.replace(':', "");
        if digits.len() != 64 {
            return Err(ADVICE);
        }
        let byte = |at: usize| u8::from_str_radix(digits.get(2 * at..2 * at + 2)?, 16).ok();
        let bytes: Option<Vec<u8>> = (0..32).map(byte).collect();
        bytes.and_then(|bytes| bytes.try_into().ok()).map(Pin).ok_or(ADVICE)
    }
}

/// What kind of database has the tables.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum DatabaseKind {
    /// Microsoft SQL Server, as the Administration & Data Server has it.
    #[default]
    Sqlserver,
    /// PostgreSQL with tables or views of the same names.
    Postgres,
}

/// TLS to a database.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum DatabaseTls {
    /// None but for the sign-in to SQL Server.
    Off,
    /// With any certificate.
    Unverified,
    /// With a certificate of a known authority for this host.
    #[default]
    Verify,
}
