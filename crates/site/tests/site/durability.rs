//! What a restart, an end without warning, and a second program leave behind.

use std::fs;

use cmglab_ids::Ids;
use cmglab_site::{Location, Site, SiteError};
use tempfile::TempDir;

use crate::shared::{at, config, details, device, open, tenant};

#[tokio::test]
async fn a_restart_keeps_the_data() {
    let (folder, ids) = (TempDir::new().unwrap(), Ids::seeded(2));
    let path = folder.path().join("site.db");
    let device = device(&ids);

    let site = open(&path).await.unwrap();
    site.onboard_tenant(tenant("Lab")).await.unwrap();
    let client = site.client_for_aad_device(device, &ids, at(0)).await.unwrap();
    let before = site.settings().await.unwrap();
    drop(site);

    // Another seed: the hierarchy must stay the one that tokens were issued for.
    let site = Site::open(Location::File(path), config("LAB", 99)).await.unwrap();
    assert_eq!(*site.watch_settings().borrow(), 2);
    assert_eq!(site.settings().await.unwrap(), before);
    assert_eq!(site.find_client(device).await, Ok(Some(client)));
}

#[tokio::test]
async fn files_copied_from_under_a_running_site_hold_every_finished_write() {
    let (folder, ids) = (TempDir::new().unwrap(), Ids::seeded(3));
    let (path, copy) = (folder.path().join("site.db"), folder.path().join("copy.db"));
    let site = open(&path).await.unwrap();
    for key in 1..=20 {
        site.register(details(key, None), None, &ids, at(0)).await.unwrap();
    }
    // What a machine finds on its disk when the process ends here.
    fs::copy(&path, &copy).unwrap();
    fs::copy(folder.path().join("site.db-wal"), folder.path().join("copy.db-wal")).unwrap();

    let found = open(&copy).await.unwrap().registrations(None, 100).await.unwrap();
    assert_eq!(found, site.registrations(None, 100).await.unwrap());
    assert_eq!(found.len(), 20);
}

#[tokio::test]
async fn a_log_cut_off_in_the_middle_of_a_write_leaves_the_state_before_it() {
    let (folder, ids) = (TempDir::new().unwrap(), Ids::seeded(4));
    let (path, copy) = (folder.path().join("site.db"), folder.path().join("copy.db"));
    let site = open(&path).await.unwrap();
    let first = site.register(details(1, None), None, &ids, at(0)).await.unwrap();
    site.register(details(2, None), None, &ids, at(0)).await.unwrap();
    let log = fs::read(folder.path().join("site.db-wal")).unwrap();
    fs::copy(&path, &copy).unwrap();
    fs::write(folder.path().join("copy.db-wal"), &log[..log.len() - 100]).unwrap();

    assert_eq!(open(&copy).await.unwrap().registrations(None, 100).await.unwrap(), [first]);
}

#[tokio::test]
async fn two_handles_on_one_file_take_turns_and_see_each_others_writes() {
    let (folder, ids) = (TempDir::new().unwrap(), Ids::seeded(5));
    let path = folder.path().join("site.db");
    let (one, two) = (open(&path).await.unwrap(), open(&path).await.unwrap());
    for _ in 0..100 {
        let device = device(&ids);
        let (first, second) = tokio::join!(
            one.client_for_aad_device(device, &ids, at(0)),
            two.client_for_aad_device(device, &ids, at(0))
        );
        assert_eq!(first.unwrap(), second.unwrap());
    }

    one.onboard_tenant(tenant("Lab")).await.unwrap();
    let watch = two.watch_settings();
    assert_eq!(two.settings().await.unwrap(), one.settings().await.unwrap());
    assert_eq!(*watch.borrow(), 2);
}

#[tokio::test]
async fn a_closed_site_releases_its_file_and_says_so() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("site.db");
    let site = open(&path).await.unwrap();
    let clone = site.clone();
    site.onboard_tenant(tenant("Lab")).await.unwrap();
    site.close().await;
    site.close().await;
    assert_eq!(clone.settings().await, Err(SiteError::Closed));
    assert_eq!(clone.remove_tenant(crate::shared::tenant_id()).await, Err(SiteError::Closed));
    // The last connection folds the log into the file.
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}
