use std::fs;
use std::path::Path;

use proptest::prelude::*;

use super::*;

fn token() -> CcmToken {
    CcmToken {
        token: "eyJhbGciOiJSUzI1NiJ9.eyJleHAiOjB9.c2lnbmF0dXJl".parse().unwrap(),
        expires: "2026-03-01T20:00:00Z".parse().unwrap(),
        client: "GUID:5DD100CD-DF1D-45F5-BA17-A327F43465F8".parse().ok(),
    }
}

fn cache(place: &Path) -> TokenCache {
    TokenCache::open(&Folder::open(place).unwrap()).unwrap()
}

fn user() -> Sid {
    "S-1-5-21-1-2-3-1604".parse().unwrap()
}

#[test]
fn a_token_survives_a_restart_and_never_stands_in_clear() {
    let place = tempfile::tempdir().unwrap();
    cache(place.path()).store(&Sid::system(), &token()).unwrap();
    assert_eq!(cache(place.path()).load(&Sid::system()), Ok(Ok(Some(token()))));
    assert_eq!(cache(place.path()).load(&user()), Ok(Ok(None)));
    for file in fs::read_dir(place.path()).unwrap() {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        for part in token().token.expose().split('.') {
            assert!(!bytes.windows(part.len()).any(|window| window == part.as_bytes()));
        }
    }
}

#[test]
fn a_file_of_another_account_does_not_open() {
    let place = tempfile::tempdir().unwrap();
    let cache = cache(place.path());
    cache.store(&Sid::system(), &token()).unwrap();
    let (from, to) = (file_name(&Sid::system()), file_name(&user()));
    fs::rename(place.path().join(from), place.path().join(to)).unwrap();
    assert_eq!(cache.load(&user()), Ok(Err(CacheFault::NotAuthentic)));
}

#[test]
fn every_flipped_bit_is_noticed() {
    let place = tempfile::tempdir().unwrap();
    let cache = cache(place.path());
    cache.store(&Sid::system(), &token()).unwrap();
    let path = place.path().join(file_name(&Sid::system()));
    let good = fs::read(&path).unwrap();
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1 << (at % 8);
        fs::write(&path, &bad).unwrap();
        assert!(cache.load(&Sid::system()).unwrap().is_err(), "byte {at}");
    }
    fs::write(&path, &good).unwrap();
    assert_eq!(cache.load(&Sid::system()), Ok(Ok(Some(token()))));
}

#[test]
fn another_key_opens_nothing_and_a_short_one_is_refused() {
    let place = tempfile::tempdir().unwrap();
    cache(place.path()).store(&Sid::system(), &token()).unwrap();
    fs::write(place.path().join(KEY_FILE), [7; KEY_BYTES]).unwrap();
    assert_eq!(cache(place.path()).load(&Sid::system()), Ok(Err(CacheFault::NotAuthentic)));
    fs::write(place.path().join(KEY_FILE), [7; 3]).unwrap();
    let opened = TokenCache::open(&Folder::open(place.path()).unwrap());
    assert!(matches!(opened, Err(ClientError::Storage { .. })));
}

#[test]
fn two_seals_of_one_token_differ() {
    let place = tempfile::tempdir().unwrap();
    let cache = cache(place.path());
    let sealed = || {
        cache.store(&Sid::system(), &token()).unwrap();
        fs::read(place.path().join(file_name(&Sid::system()))).unwrap()
    };
    assert_ne!(sealed(), sealed());
    cache.remove(&Sid::system()).unwrap();
    assert_eq!(cache.load(&Sid::system()), Ok(Ok(None)));
}

#[test]
fn a_token_is_due_within_the_margin() {
    let (token, margin) = (token(), SignedDuration::from_mins(10));
    let due = |at: &str| token.is_due(at.parse().unwrap(), margin);
    assert!(!due("2026-03-01T19:49:59Z"));
    assert!(due("2026-03-01T19:50:00Z") && due("2026-03-02T00:00:00Z"));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_file_is_read_without_panic(file: Vec<u8>) {
        let key = RandomizedNonceKey::new(&AES_256_GCM, &[1; KEY_BYTES]).unwrap();
        prop_assert!(unseal(&key, &Sid::system(), &file).is_err());
    }
}
