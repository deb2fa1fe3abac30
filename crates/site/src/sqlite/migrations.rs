//! The schema's steps. `PRAGMA user_version` counts the ones a file has taken.

use rusqlite::{Connection, Transaction};

use super::Fault;
use crate::error::SiteError;

/// Refuses a file of another program before anything is written to it.
pub(super) fn refuse_foreign(connection: &Connection) -> Result<(), Fault> {
    let application: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let objects: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if application == APPLICATION || (application == 0 && objects == 0) {
        Ok(())
    } else {
        Err(SiteError::NotASite { path: connection.path().unwrap_or_default().to_owned() }.into())
    }
}

/// Takes the steps that the file has not taken, all or none.
pub(super) fn run(tx: &Transaction<'_>) -> Result<(), Fault> {
    let taken: u32 = tx.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let known = u32::try_from(STEPS.len()).unwrap_or(u32::MAX);
    if taken > known {
        let path = tx.path().unwrap_or_default().to_owned();
        return Err(SiteError::NewerSchema { path, found: taken, known }.into());
    }
    for step in STEPS.iter().skip(taken as usize) {
        tx.execute_batch(step)?;
    }
    if taken < known {
        tx.pragma_update(None, "user_version", known)?;
        tx.pragma_update(None, "application_id", APPLICATION)?;
    }
    Ok(())
}

/// In the order taken. A step that has been released never changes; add another instead.
const STEPS: [&str; 4] = [
    include_str!("../../migrations/0001_settings.sql"),
    include_str!("../../migrations/0002_clients.sql"),
    include_str!("../../migrations/0003_tokens.sql"),
    include_str!("../../migrations/0004_gateway.sql"),
];

/// Marks a file as ours: "CMGL".
const APPLICATION: i32 = i32::from_be_bytes(*b"CMGL");

#[cfg(test)]
mod tests {
    use super::*;

    fn version(connection: &Connection) -> u32 {
        connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
    }

    fn migrate(connection: &mut Connection) -> Result<(), Fault> {
        let tx = connection.transaction()?;
        run(&tx)?;
        tx.commit()?;
        Ok(())
    }

    #[test]
    fn a_file_that_took_the_first_step_takes_the_rest_and_keeps_its_rows() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(STEPS[0]).unwrap();
        connection.pragma_update(None, "user_version", 1).unwrap();
        connection.execute("INSERT INTO client_authorities VALUES (x'30')", []).unwrap();

        migrate(&mut connection).unwrap();
        migrate(&mut connection).unwrap();

        assert_eq!(version(&connection), 4);
        let rows: i64 =
            connection.query_row("SELECT count(*) FROM client_authorities", [], |row| row.get(0)).unwrap();
        assert_eq!(rows, 1);
        assert!(connection.prepare("SELECT * FROM bulk_tokens").is_ok());
    }

    #[test]
    fn a_failing_step_leaves_the_file_as_it_was() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE bulk_tokens (in_the_way INTEGER)").unwrap();

        assert!(migrate(&mut connection).is_err());

        assert_eq!(version(&connection), 0);
        assert!(connection.prepare("SELECT * FROM tenants").is_err());
    }
}
