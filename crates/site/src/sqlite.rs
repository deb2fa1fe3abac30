//! SQLite behind [`Store`]: opening, migrating, and one transaction for each call.
//!
//! Every statement is a constant and every value a parameter: nothing that came from a request is ever
//! part of the SQL text.

mod clients;
mod column;
mod keys;
mod migrations;
mod options;
mod registrations;
mod settings;
mod tokens;
mod traffic;
mod users;

use std::path::Path;
use std::time::Duration;

use rusqlite::{
    Connection, ErrorCode, OpenFlags, OptionalExtension, Transaction, TransactionBehavior, params,
};

use crate::error::SiteError;
use crate::site::SiteConfig;
use crate::store::{Identity, Store};

/// One connection to a site database.
#[derive(Debug)]
pub(crate) struct Sqlite {
    connection: Connection,
    path: String,
}

impl Sqlite {
    /// A fresh site that lives as long as the connection.
    pub(crate) fn in_memory(config: SiteConfig) -> Result<Self, SiteError> {
        Self::connect(MEMORY.to_owned(), Connection::open_in_memory())?.prepared(config)
    }

    /// Opens the site in a file, or makes one there.
    pub(crate) fn open(path: &Path, config: SiteConfig) -> Result<Self, SiteError> {
        let mut store = Self::connect(path.display().to_string(), Connection::open(path))?;
        store.run(|connection| migrations::refuse_foreign(connection))?;
        store.run(|connection| Ok(connection.pragma_update(None, "journal_mode", "WAL")?))?;
        store.prepared(config)
    }

    /// A second connection to a file that [`Sqlite::open`] has prepared; it cannot write.
    pub(crate) fn open_reader(path: &Path) -> Result<Self, SiteError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Self::connect(path.display().to_string(), Connection::open_with_flags(path, flags))
    }

    fn connect(path: String, opened: rusqlite::Result<Connection>) -> Result<Self, SiteError> {
        let connection = opened.map_err(|error| Fault::Engine(error).at(&path))?;
        let mut store = Self { connection, path };
        store.run(|connection| {
            connection.busy_timeout(BUSY)?;
            connection.set_prepared_statement_cache_capacity(STATEMENTS);
            connection.pragma_update(None, "foreign_keys", true)?;
            connection.pragma_update(None, "trusted_schema", false)?;
            // With WAL this survives the end of the process at any point; a power cut may cost the last
            // few commits, never the file.
            connection.pragma_update(None, "synchronous", "NORMAL")?;
            Ok(())
        })?;
        Ok(store)
    }

    fn prepared(mut self, config: SiteConfig) -> Result<Self, SiteError> {
        self.write(migrations::run)?;
        self.write(|tx| {
            tx.execute(NEW_SITE, params![config.site_code.as_str(), config.new_hierarchy.to_string()])?;
            Ok(())
        })?;
        let found = self.identity()?.site_code;
        if found == config.site_code {
            Ok(self)
        } else {
            Err(SiteError::OtherSite { path: self.path, found, wanted: config.site_code })
        }
    }

    fn run<T>(&mut self, job: impl FnOnce(&mut Connection) -> Result<T, Fault>) -> Result<T, SiteError> {
        job(&mut self.connection).map_err(|fault| fault.at(&self.path))
    }

    /// One transaction that only reads: several statements see one state.
    fn read<T>(&mut self, job: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>) -> Result<T, SiteError> {
        self.run(|connection| job(&connection.transaction()?))
    }

    /// One transaction that writes; it takes the write lock at once, so that it never fails halfway for
    /// want of it.
    fn write<T>(&mut self, job: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>) -> Result<T, SiteError> {
        self.run(|connection| {
            let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let done = job(&tx)?;
            tx.commit()?;
            Ok(done)
        })
    }
}

impl Store for Sqlite {
    fn identity(&mut self) -> Result<Identity, SiteError> {
        self.read(|tx| {
            let identity = tx
                .query_row("SELECT site_code, hierarchy_id FROM site", [], |row| {
                    Ok(Identity {
                        site_code: column::id(row, "site_code")?,
                        hierarchy: column::id(row, "hierarchy_id")?,
                    })
                })
                .optional()?;
            identity.ok_or_else(|| Fault::Damaged("the site has no row of its own".to_owned()))
        })
    }
}

/// What can go wrong inside a transaction, before the path is added.
#[derive(Debug)]
enum Fault {
    Engine(rusqlite::Error),
    Site(SiteError),
    Damaged(String),
}

impl Fault {
    fn at(self, path: &str) -> SiteError {
        let path = path.to_owned();
        let error = match self {
            Self::Site(error) => return error,
            Self::Damaged(cause) => return SiteError::Corrupt { path, cause },
            Self::Engine(error) => error,
        };
        match error {
            rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::InvalidColumnType(..) => SiteError::Corrupt { path, cause: error.to_string() },
            _ => match error.sqlite_error_code() {
                Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => SiteError::Busy { path },
                Some(ErrorCode::NotADatabase) => SiteError::NotASite { path },
                Some(ErrorCode::DatabaseCorrupt) => SiteError::Corrupt { path, cause: error.to_string() },
                _ => SiteError::Unavailable { path, cause: error.to_string() },
            },
        }
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Engine(error)
    }
}

impl From<SiteError> for Fault {
    fn from(error: SiteError) -> Self {
        Self::Site(error)
    }
}

const NEW_SITE: &str =
    "INSERT INTO site (only_row, site_code, hierarchy_id, settings_version, clients_check_crl)
    VALUES (1, ?1, ?2, 1, 1) ON CONFLICT DO NOTHING";

/// How the database is called in errors when it has no file.
const MEMORY: &str = "memory";
/// How long a write waits for another program's.
const BUSY: Duration = Duration::from_secs(5);
/// More than the crate has statements, so that each is prepared once.
const STATEMENTS: usize = 64;
