//! A connection to the database: SQL Server, or PostgreSQL with views of the same names. Rows come as text.

use std::collections::HashMap;
use std::time::Duration;

use tiberius::{AuthMethod, ColumnData, EncryptionLevel};
use tokio::net::TcpStream;
use tokio_postgres::types::Type;
use tokio_util::compat::{Compat, TokioAsyncWriteCompatExt as _};

use crate::config::{CceRealm, DatabaseKind, DatabaseTls};

/// An open connection. Dropping it closes it.
pub(super) enum Connection {
    SqlServer(Box<tiberius::Client<Compat<TcpStream>>>),
    Postgres(tokio_postgres::Client, tokio::task::JoinHandle<()>),
}

/// What a statement gave.
#[derive(Debug, Default)]
pub(super) struct Rows {
    /// Place of each column, by its name in lower case.
    columns: HashMap<String, usize>,
    cells: Vec<Vec<Option<String>>>,
}

impl Rows {
    pub(super) fn iter(&self) -> impl Iterator<Item = Row<'_>> {
        self.cells.iter().map(|cells| Row { columns: &self.columns, cells })
    }

    #[cfg(test)]
    pub(super) fn of(columns: &[&str], rows: &[&[&str]]) -> Rows {
        let columns = columns.iter().enumerate().map(|(at, name)| (name.to_lowercase(), at)).collect();
        let cell = |text: &&str| Some((*text).to_owned()).filter(|text| !text.is_empty());
        Rows { columns, cells: rows.iter().map(|row| row.iter().map(cell).collect()).collect() }
    }
}

/// One row.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    columns: &'a HashMap<String, usize>,
    cells: &'a [Option<String>],
}

impl<'a> Row<'a> {
    /// A column by its name in lower case; `None`: NULL, or there is no such column.
    pub(super) fn text(&self, column: &str) -> Option<&'a str> {
        self.cells.get(*self.columns.get(column)?)?.as_deref().map(str::trim_end)
    }

    pub(super) fn number<T: std::str::FromStr>(&self, column: &str) -> Option<T> {
        self.text(column)?.parse().ok()
    }

    /// Whether a flag is set: `Y`, or what else databases make of yes.
    pub(super) fn is(&self, column: &str) -> bool {
        matches!(self.text(column), Some("Y" | "y" | "1" | "true" | "t"))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Connection::Postgres(_, task) = self {
            task.abort();
        }
    }
}

impl Connection {
    /// Opens a connection to one of the hosts.
    ///
    /// # Errors
    /// Why there is none, without any secret.
    pub(super) async fn open(config: &CceRealm, host: &str) -> Result<Connection, String> {
        match config.database {
            DatabaseKind::Sqlserver => sql_server(config, host).await,
            DatabaseKind::Postgres => postgres(config, host).await,
        }
    }

    /// Runs a statement in which `@name` may stand for a text.
    ///
    /// # Errors
    /// What the database says, or that it says nothing.
    pub(super) async fn rows(&mut self, statement: &str, name: Option<&str>) -> Result<Rows, String> {
        match self {
            Connection::SqlServer(client) => {
                let mut query = tiberius::Query::new(statement.replace("@name", "@P1"));
                name.into_iter().for_each(|name| query.bind(name));
                let stream = query.query(client).await.map_err(|error| error.to_string())?;
                let rows = stream.into_first_result().await.map_err(|error| error.to_string())?;
                Ok(of_sql_server(rows))
            }
            Connection::Postgres(client, _) => {
                let statement = client.prepare_typed(&statement.replace("@name", "$1"), &[]).await;
                let statement = statement.map_err(|error| plain(&error))?;
                let parameters: Vec<&(dyn tokio_postgres::types::ToSql + Sync)> =
                    name.iter().map(|name| name as &(dyn tokio_postgres::types::ToSql + Sync)).collect();
                let rows = client.query(&statement, &parameters).await.map_err(|error| plain(&error))?;
                Ok(of_postgres(&rows))
            }
        }
    }
}

async fn sql_server(config: &CceRealm, host: &str) -> Result<Connection, String> {
    let mut of = tiberius::Config::new();
    of.host(host);
    of.port(config.port);
    of.database(&config.name);
    of.application_name("finesse-server");
    of.readonly(true);
    of.authentication(AuthMethod::sql_server(&config.user, config.password.expose()));
    match config.tls {
        DatabaseTls::Off => of.encryption(EncryptionLevel::Off),
        DatabaseTls::Unverified => {
            of.encryption(EncryptionLevel::Required);
            of.trust_cert();
        }
        DatabaseTls::Verify => {
            of.encryption(EncryptionLevel::Required);
            if !config.authorities.is_empty() {
                of.trust_cert_ca(&config.authorities);
            }
        }
    }
    let socket = TcpStream::connect(of.get_addr()).await.map_err(|error| error.to_string())?;
    let _ = socket.set_nodelay(true);
    let client = tiberius::Client::connect(of, socket.compat_write()).await;
    Ok(Connection::SqlServer(Box::new(client.map_err(|error| error.to_string())?)))
}

async fn postgres(config: &CceRealm, host: &str) -> Result<Connection, String> {
    let mut of = tokio_postgres::Config::new();
    of.host(host).port(config.port).dbname(&config.name).user(&config.user);
    of.password(config.password.expose()).application_name("finesse-server");
    of.connect_timeout(Duration::from_secs(config.query_seconds.into()));
    let tls = config.tls != DatabaseTls::Off;
    of.ssl_mode(match tls {
        true => tokio_postgres::config::SslMode::Require,
        false => tokio_postgres::config::SslMode::Disable,
    });
    let client = match tls {
        true => {
            let trust = crate::realm::outbound::Trust {
                authorities: config.authorities.clone(),
                pins: Vec::new(),
                unverified: config.tls == DatabaseTls::Unverified,
            };
            let connector = tokio_postgres_rustls::MakeRustlsConnect::new((*trust.client()?).clone());
            let (client, connection) = of.connect(connector).await.map_err(|error| plain(&error))?;
            (client, tokio::spawn(async move { drop(connection.await) }))
        }
        false => {
            let (client, connection) =
                of.connect(tokio_postgres::NoTls).await.map_err(|error| plain(&error))?;
            (client, tokio::spawn(async move { drop(connection.await) }))
        }
    };
    Ok(Connection::Postgres(client.0, client.1))
}

/// An error with its cause, which says more.
fn plain(error: &tokio_postgres::Error) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

fn of_sql_server(rows: Vec<tiberius::Row>) -> Rows {
    let mut all = Rows::default();
    if let Some(first) = rows.first() {
        let names = first.columns().iter().enumerate();
        all.columns = names.map(|(at, column)| (column.name().to_lowercase(), at)).collect();
    }
    all.cells = rows.into_iter().map(|row| row.into_iter().map(|cell| of_cell(&cell)).collect()).collect();
    all
}

fn of_cell(cell: &ColumnData<'_>) -> Option<String> {
    match cell {
        ColumnData::U8(n) => n.map(|n| n.to_string()),
        ColumnData::I16(n) => n.map(|n| n.to_string()),
        ColumnData::I32(n) => n.map(|n| n.to_string()),
        ColumnData::I64(n) => n.map(|n| n.to_string()),
        ColumnData::Bit(flag) => flag.map(|flag| if flag { "Y" } else { "N" }.to_owned()),
        ColumnData::String(text) => text.as_ref().map(|text| text.clone().into_owned()),
        ColumnData::Binary(bytes) => bytes.as_ref().map(|bytes| hex(bytes)),
        ColumnData::Numeric(number) => number.map(|number| number.to_string()),
        _ => None,
    }
}

fn of_postgres(rows: &[tokio_postgres::Row]) -> Rows {
    let mut all = Rows::default();
    if let Some(first) = rows.first() {
        let names = first.columns().iter().enumerate();
        all.columns = names.map(|(at, column)| (column.name().to_lowercase(), at)).collect();
    }
    let cell = |row: &tokio_postgres::Row, at: usize, of: &Type| match *of {
        Type::INT2 => row.get::<_, Option<i16>>(at).map(|n| n.to_string()),
        Type::INT4 => row.get::<_, Option<i32>>(at).map(|n| n.to_string()),
        Type::INT8 => row.get::<_, Option<i64>>(at).map(|n| n.to_string()),
        Type::BOOL => row.get::<_, Option<bool>>(at).map(|flag| if flag { "Y" } else { "N" }.to_owned()),
        Type::BYTEA => row.get::<_, Option<&[u8]>>(at).map(hex),
        _ => row.try_get::<_, Option<String>>(at).ok().flatten(),
    };
    let cells = |row| -> Vec<_> {
        let row: &tokio_postgres::Row = row;
        row.columns().iter().enumerate().map(|(at, column)| cell(row, at, column.type_())).collect()
    };
    all.cells = rows.iter().map(cells).collect();
    all
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
