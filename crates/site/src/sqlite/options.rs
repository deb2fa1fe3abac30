//! SQL for [`Options`].

use rusqlite::{OptionalExtension, params};

use super::Sqlite;
use crate::error::SiteError;
use crate::options::{ClientPackage, Options};

impl Options for Sqlite {
    fn clients_check_crl(&mut self) -> Result<bool, SiteError> {
        self.read(|tx| Ok(tx.prepare_cached(CHECK_CRL)?.query_row([], |row| row.get(0))?))
    }

    fn set_clients_check_crl(&mut self, check: bool) -> Result<(), SiteError> {
        self.write(|tx| {
            tx.prepare_cached(SET_CHECK_CRL)?.execute(params![check])?;
            Ok(())
        })
    }

    fn client_package(&mut self) -> Result<Option<ClientPackage>, SiteError> {
        self.read(|tx| {
            let package = tx.prepare_cached(PACKAGE)?.query_row([], |row| {
                Ok(ClientPackage {
                    package_id: row.get("package_id")?,
                    version: row.get("version")?,
                    sha256: row.get("sha256")?,
                })
            });
            Ok(package.optional()?)
        })
    }

    fn set_client_package(&mut self, package: &ClientPackage) -> Result<(), SiteError> {
        self.write(|tx| {
            let values = params![package.package_id, package.version, package.sha256];
            tx.prepare_cached(SET_PACKAGE)?.execute(values)?;
            Ok(())
        })
    }
}

const CHECK_CRL: &str = "SELECT clients_check_crl FROM site";

const SET_CHECK_CRL: &str = "UPDATE site SET clients_check_crl = ?1";

const PACKAGE: &str = "SELECT * FROM client_package";

const SET_PACKAGE: &str = "INSERT INTO client_package (only_row, package_id, version, sha256)
    VALUES (1, ?1, ?2, ?3)
    ON CONFLICT (only_row) DO UPDATE SET package_id = excluded.package_id, version = excluded.version,
        sha256 = excluded.sha256";
