use std::collections::BTreeMap;

use jiff::ToSpan as _;
use tempfile::TempDir;

use super::*;

const NOW: Timestamp = Timestamp::constant(1_593_012_706, 376_000_000);

/// Names and contents of a folder.
fn files(folder: &TempDir) -> BTreeMap<String, String> {
    let entries = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap());
    entries
        .map(|entry| {
            let name = entry.file_name().into_string().unwrap();
            (name, fs::read_to_string(entry.path()).unwrap())
        })
        .collect()
}

fn expected<const N: usize>(files: [(&str, &str); N]) -> BTreeMap<String, String> {
    files.into_iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect()
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// Holds two lines of three characters.
fn small(folder: &TempDir, rollover: Rollover) -> LogFile {
    LogFile::create(folder.path().join("x.log"), rollover).unwrap().with_max_bytes(10)
}

fn append(log: &mut LogFile, lines: &[&str]) {
    for line in lines {
        log.append(line, NOW).unwrap();
    }
}

#[test]
fn lines_end_in_crlf_and_add_to_what_is_there() {
    let folder = folder();
    let path = folder.path().join("deep/er/x.log");
    append(&mut LogFile::create(&path, Rollover::default()).unwrap(), &["one", "two\r\n"]);
    let mut log = LogFile::create(&path, Rollover::default()).unwrap();
    append(&mut log, &["three\n"]);
    assert_eq!(fs::read(&path).unwrap(), b"one\r\ntwo\r\nthree\r\n");
    assert_eq!((log.bytes(), log.path()), (17, path.as_path()));
}

#[test]
fn a_full_file_becomes_lo_underscore() {
    let folder = folder();
    let mut log = small(&folder, Rollover::LoUnderscore);
    append(&mut log, &["111", "222"]);
    assert_eq!(files(&folder), expected([("x.log", "111\r\n222\r\n")]));
    append(&mut log, &["333"]);
    assert_eq!(files(&folder), expected([("x.lo_", "111\r\n222\r\n"), ("x.log", "333\r\n")]));
    append(&mut log, &["444", "555"]);
    assert_eq!(files(&folder), expected([("x.lo_", "333\r\n444\r\n"), ("x.log", "555\r\n")]));
}

#[test]
fn the_size_found_at_opening_counts() {
    let folder = folder();
    append(&mut small(&folder, Rollover::LoUnderscore), &["111", "222"]);
    append(&mut small(&folder, Rollover::LoUnderscore), &["333"]);
    assert_eq!(files(&folder), expected([("x.lo_", "111\r\n222\r\n"), ("x.log", "333\r\n")]));
}

#[test]
fn the_default_limit_is_250_000_bytes() {
    let folder = folder();
    let mut log = LogFile::create(folder.path().join("x.log"), Rollover::default()).unwrap();
    append(&mut log, &[&"x".repeat(249_990), "123456"]);
    assert_eq!(log.bytes(), 250_000);
    append(&mut log, &[""]);
    assert_eq!(log.bytes(), 2);
}

#[test]
fn a_line_past_the_limit_gets_a_file_of_its_own() {
    let folder = folder();
    let mut log = small(&folder, Rollover::LoUnderscore).with_bom();
    append(&mut log, &["longer than ten", "1"]);
    assert_eq!(
        files(&folder),
        expected([("x.lo_", "\u{feff}longer than ten\r\n"), ("x.log", "\u{feff}1\r\n")])
    );
}

#[test]
fn history_keeps_the_newest_in_order_under_a_clock_that_stands_still() {
    let folder = folder();
    fs::write(folder.path().join("x-notes.log"), "kept").unwrap();
    let mut log = small(&folder, Rollover::History(2)).with_bias(Bias::new(-120).unwrap());
    append(&mut log, &["111 111", "222 222", "333 333"]);
    let kept = ("x-notes.log", "kept");
    assert_eq!(
        files(&folder),
        expected([
            ("x-20200624-173146.log", "111 111\r\n"),
            ("x-20200624-173147.log", "222 222\r\n"),
            ("x.log", "333 333\r\n"),
            kept,
        ])
    );
    log.append("444 444", NOW + 1.hour()).unwrap();
    assert_eq!(
        files(&folder),
        expected([
            ("x-20200624-173147.log", "222 222\r\n"),
            ("x-20200624-183146.log", "333 333\r\n"),
            ("x.log", "444 444\r\n"),
            kept,
        ])
    );
}

#[test]
fn short_histories() {
    for (keep, old) in [(0, None), (1, Some(("x.lo_", "222 222\r\n")))] {
        let folder = folder();
        append(&mut small(&folder, Rollover::History(keep)), &["111 111", "222 222", "333 333"]);
        let mut left = expected([("x.log", "333 333\r\n")]);
        left.extend(old.map(|(name, text)| (name.to_owned(), text.to_owned())));
        assert_eq!(files(&folder), left, "{keep}");
    }
}

#[test]
fn never_means_never() {
    let folder = folder();
    append(&mut small(&folder, Rollover::Never), &["111", "222", "333"]);
    assert_eq!(files(&folder), expected([("x.log", "111\r\n222\r\n333\r\n")]));
}

#[test]
fn a_line_past_a_mebibyte_is_refused() {
    let folder = folder();
    let mut log = small(&folder, Rollover::Never);
    let longest = "x".repeat(crate::MAX_LINE_BYTES);
    let (bytes, limit) = (crate::MAX_LINE_BYTES + 1, crate::MAX_LINE_BYTES);
    assert_eq!(log.append(format!("{longest}x"), NOW), Err(Error::LineTooLong { bytes, limit }));
    assert_eq!(log.bytes(), 0);
    assert_eq!(log.append(longest, NOW), Ok(()));
}

#[test]
fn a_refusal_of_the_system_names_the_path_and_passes() {
    let folder = folder();
    let taken = folder.path().join("x.log");
    fs::create_dir(&taken).unwrap();
    let error = LogFile::create(&taken, Rollover::Never).unwrap_err();
    assert!(matches!(error, Error::Io { path, .. } if path == taken));
    fs::remove_dir(&taken).unwrap();

    let mut log = small(&folder, Rollover::LoUnderscore);
    append(&mut log, &["111", "222"]);
    let block = folder.path().join("x.lo_");
    fs::create_dir(&block).unwrap();
    assert!(matches!(log.append("333", NOW), Err(Error::Io { .. })));
    fs::remove_dir(&block).unwrap();
    append(&mut log, &["333"]);
    assert_eq!(files(&folder), expected([("x.lo_", "111\r\n222\r\n"), ("x.log", "333\r\n")]));
}

#[test]
fn a_full_file_that_was_taken_away_is_begun_anew() {
    let folder = folder();
    let mut log = small(&folder, Rollover::LoUnderscore);
    append(&mut log, &["111", "222"]);
    fs::remove_file(log.path()).unwrap();
    append(&mut log, &["333"]);
    assert_eq!(files(&folder), expected([("x.log", "333\r\n")]));
}

#[test]
fn a_daily_file_is_put_aside_under_the_name_that_iis_gives_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("IIS.log");
    let mut log = LogFile::create(&path, Rollover::Daily).unwrap();
    let at = |text: &str| text.parse::<jiff::Timestamp>().unwrap();
    for (when, new) in [
        ("2026-01-31T23:59:58Z", false),
        ("2026-01-31T23:59:59Z", false),
        ("2026-02-01T00:00:00Z", true),
        ("2026-02-01T00:00:01Z", false),
    ] {
        assert_eq!(log.next_day(at(when)), Ok(new), "{when}");
        log.append(when, at(when)).unwrap();
    }
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    assert_eq!(read("u_ex260131.log"), "2026-01-31T23:59:58Z\r\n2026-01-31T23:59:59Z\r\n");
    assert_eq!(read("IIS.log"), "2026-02-01T00:00:00Z\r\n2026-02-01T00:00:01Z\r\n");
}
