//! Files that are not to be opened.

use std::fs;

use cmglab_site::{Location, Site, SiteError};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::shared::{config, open};

#[tokio::test]
async fn a_missing_folder_is_named() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("missing").join("site.db");
    let Err(SiteError::Unavailable { path: named, cause }) = open(&path).await else {
        panic!("opened a file in a missing folder");
    };
    assert_eq!(named, path.display().to_string());
    assert!(cause.contains("unable to open"), "{cause}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_left_alone() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("notes.txt");
    fs::write(&path, "not a database, but long enough to have a header".repeat(40)).unwrap();
    let before = fs::read(&path).unwrap();
    assert_eq!(open(&path).await.unwrap_err(), SiteError::NotASite { path: path.display().to_string() });
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn a_database_of_another_program_is_left_alone() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("other.db");
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE notes (text)").unwrap();
    let before = fs::read(&path).unwrap();
    assert_eq!(open(&path).await.unwrap_err(), SiteError::NotASite { path: path.display().to_string() });
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn another_site_is_refused() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("site.db");
    open(&path).await.unwrap().close().await;
    let other = Site::open(Location::File(path.clone()), config("XYZ", 1)).await.unwrap_err();
    let (found, wanted) = ("LAB".parse().unwrap(), "XYZ".parse().unwrap());
    assert_eq!(other, SiteError::OtherSite { path: path.display().to_string(), found, wanted });
    assert!(open(&path).await.is_ok());
}

#[tokio::test]
async fn a_schema_of_a_later_build_is_refused() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("site.db");
    open(&path).await.unwrap().close().await;
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let SiteError::NewerSchema { found, known, .. } = open(&path).await.unwrap_err() else {
        panic!("took a later schema");
    };
    assert_eq!((found, known), (99, 4));
}

#[tokio::test]
async fn a_value_that_no_build_writes_is_corruption_and_not_a_panic() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("site.db");
    let site = open(&path).await.unwrap();
    assert!(site.settings().await.is_ok());
    let vandal = Connection::open(&path).unwrap();
    // A change of what is published comes with the next version; else nobody looks.
    vandal.execute("UPDATE site SET settings_version = settings_version + 1", []).unwrap();
    vandal.execute("INSERT INTO url_mappings VALUES ('nine', 'https://mp', '[]')", []).unwrap();
    assert!(matches!(site.settings().await, Err(SiteError::Corrupt { .. })));
    vandal.execute("DELETE FROM url_mappings", []).unwrap();
    assert!(site.settings().await.is_ok());
    vandal.execute("UPDATE site SET settings_version = settings_version + 1", []).unwrap();
    vandal.execute("INSERT INTO url_mappings VALUES ('9', 'https://mp', '[{]')", []).unwrap();
    assert!(matches!(site.settings().await, Err(SiteError::Corrupt { .. })));
}
