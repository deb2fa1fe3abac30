use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::civil::date;
use proptest::prelude::*;

use super::block::{BLOCK, checksum};
use super::*;

/// Bytes that do not compress.
fn noise(length: usize) -> Vec<u8> {
    let step = |state: &mut u32| {
        *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        Some(state.to_be_bytes()[0])
    };
    std::iter::repeat(()).scan(1, |state, ()| step(state)).take(length).collect()
}

fn files() -> Vec<File> {
    let text = b"all work and no play ".repeat(5000);
    vec![
        File { modified: date(2026, 1, 2).at(3, 4, 6, 0), ..File::new("ccmsetup.exe", noise(BLOCK + 100)) },
        File::new("x64/client.msi", text),
        File::new("empty.txt", ""),
        File::new("gr\u{fc}n.txt", "green"),
    ]
}

fn read_all(cabinet: &[u8]) -> Result<Vec<File>, CabError> {
    read(cabinet, &Limits::default())
}

#[test]
fn a_cabinet_round_trips() {
    let cabinet = write(&files()).unwrap();
    assert_eq!(read_all(&cabinet), Ok(files()));
    let signed = [cabinet, b"signature".to_vec()].concat();
    assert_eq!(read_all(&signed), Ok(files()));
    assert_eq!(read_all(&write(&[]).unwrap()), Ok(vec![]));
}

#[test]
fn an_mszip_cabinet_of_another_tool_is_read() {
    let files = read_all(&foreign()).unwrap();
    let work: String = (0..2400).map(|index| format!("line {} of work\n", index % 7)).collect();
    let modified = date(2026, 1, 2).at(3, 4, 6, 0);
    assert_eq!(
        files,
        [
            File { modified, ..File::new("hello.txt", "hello from another tool\r\n") },
            File { modified, ..File::new("work.txt", work) },
        ]
    );
}

/// What gcab 1.5 made of two files; the folder has two MSZIP blocks.
fn foreign() -> Vec<u8> {
    STANDARD.decode(FOREIGN).unwrap()
}

#[test]
fn a_small_cabinet_is_written_byte_by_byte_as_the_format_says() {
    let cabinet = write(&[File::new("a/b", "hello")]).unwrap();
    #[rustfmt::skip]
    let expected = [
        b"MSCF".as_slice(), &[0; 4], &[77, 0, 0, 0], &[0; 4], &[44, 0, 0, 0], &[0; 4],
        &[3, 1], &[1, 0], &[1, 0], &[0, 0], &[0, 0], &[0, 0], // version, folders, files, flags, set, place
        &[64, 0, 0, 0], &[1, 0], &[0, 0],                     // folder: first block, blocks, packing
        &[5, 0, 0, 0], &[0, 0, 0, 0], &[0, 0], &[0x21, 0], &[0, 0], &[0x20, 0], b"a\\b\0",
        &0x6c69_6502_u32.to_le_bytes(), &[5, 0], &[5, 0], b"hello",
    ]
    .concat();
    assert_eq!(cabinet, expected);
}

#[test]
fn the_checksum_counts_a_short_last_word_from_its_front() {
    assert_eq!(checksum(&[], 0, 0), 0);
    assert_eq!(checksum(&[1, 2, 3, 4, 5, 6], 0, 0), 0x0403_0201 ^ 0x0506);
    assert_eq!(checksum(&[1, 2, 3], 0x1122, 0x3344), 0x0001_0203 ^ 0x3344_1122);
}

#[test]
fn a_block_may_look_back_into_the_one_before() {
    // Two equal blocks, the second as one deflate match of the whole of the first: zlib writes that only
    // across blocks, so the stream is made with one encoder and a flush between.
    use std::io::Write as _;
    let plain = noise(300);
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&plain).unwrap();
    encoder.flush().unwrap();
    let first = encoder.get_ref().len();
    encoder.write_all(&plain).unwrap();
    let stream = encoder.finish().unwrap();
    assert!(stream.len() - first < 50, "the second block refers to the first");
    let second = [b"CK", &stream[first..]].concat();
    assert_eq!(block::inflate(&second, &plain, 300).as_deref(), Some(plain.as_slice()));
    assert_ne!(block::inflate(&second, &[], 300).as_deref(), Some(plain.as_slice()));
    assert_eq!(block::inflate(&second, &plain, 299), None);
}

#[test]
fn damage_is_found_and_named() {
    let cabinet = write(&files()).unwrap();
    let changed = |at: usize, byte: u8| {
        let mut changed = cabinet.clone();
        changed[at] = byte;
        read_all(&changed).unwrap_err()
    };
    assert_eq!(changed(0, b'X'), CabError::NotACabinet);
    assert_eq!(changed(25, 2), CabError::UnknownVersion { major: 2, minor: 3 });
    assert_eq!(changed(30, 1), CabError::PartOfASet);
    assert_eq!(changed(42, 3), CabError::UnsupportedCompression { kind: 3 });
    let last = cabinet.len() - 1;
    assert_eq!(changed(last, !cabinet[last]), CabError::Checksum { folder: 0, block: 4 });
    assert!(matches!(read_all(&cabinet[..last]), Err(CabError::Truncated { .. })));
    // The first file's size, past the end of its folder.
    assert!(matches!(changed(46, 0xff), CabError::OutsideFolder { .. }));
}

#[test]
fn a_block_that_lies_about_its_length_is_refused() {
    let first = |cabinet: &[u8]| usize::from(u16::from_le_bytes([cabinet[36], cabinet[37]]));
    let (stored, mszip) = (write(&files()).unwrap(), foreign());
    let (at_stored, at_mszip) = (first(&stored), first(&mszip) + 8 + 188);
    for (mut cabinet, at, block) in [(stored, at_stored, 0), (mszip, at_mszip, 1)] {
        cabinet[at..at + 4].fill(0); // without a checksum
        assert!(read_all(&cabinet).is_ok());
        cabinet[at + 6] ^= 1;
        assert_eq!(read_all(&cabinet), Err(CabError::BadBlock { folder: 0, block }));
    }
}

#[test]
fn names_that_lead_elsewhere_are_refused_in_both_directions() {
    for name in [
        "",
        "..",
        "../a",
        "a/../b",
        "/a",
        "a//b",
        "C:/a",
        "a\\b",
        "a.",
        "a ",
        "a\0b",
        "a|b",
        &"n".repeat(256),
    ] {
        let error = write(&[File::new(name, "")]).unwrap_err();
        assert_eq!(error, CabError::BadName { name: name.into() });
    }
    let mut cabinet = write(&[File::new("aa/b", "")]).unwrap();
    assert!(read_all(&cabinet).is_ok());
    cabinet[36 + 8 + 16..][..2].copy_from_slice(b"..");
    assert_eq!(read_all(&cabinet), Err(CabError::BadName { name: "../b".into() }));
    let twice = [File::new("a", ""), File::new("A", "")];
    assert_eq!(write(&twice), Err(CabError::DuplicateName { name: "A".into() }));
}

#[test]
fn limits_hold_before_anything_is_unpacked() {
    let cabinet = write(&files()).unwrap();
    let total = files().iter().map(|file| file.data.len()).sum::<usize>();
    let with = |files, total| read(&cabinet, &Limits { files, total });
    assert!(with(4, total).is_ok());
    assert_eq!(with(3, total), Err(CabError::TooManyFiles { files: 4, limit: 3 }));
    assert_eq!(with(4, total - 1), Err(CabError::TooLarge { limit: total - 1 }));
}

#[test]
fn times_are_kept_as_far_as_a_cabinet_can() {
    let stamp = |modified| {
        let cabinet = write(&[File { modified, ..File::new("a", "") }]).unwrap();
        read_all(&cabinet).unwrap()[0].modified
    };
    assert_eq!(stamp(date(2026, 12, 31).at(23, 59, 59, 9)), date(2026, 12, 31).at(23, 59, 58, 0));
    assert_eq!(stamp(date(1601, 1, 1).at(0, 0, 0, 0)), date(1980, 1, 1).at(0, 0, 0, 0));
    assert_eq!(stamp(date(9999, 1, 1).at(0, 0, 0, 0)), date(2107, 12, 31).at(23, 59, 58, 0));
}

const FOREIGN: &str = "TVNDRgAAAABtAQAAAAAAACwAAAAAAAAAAwEBAAIAAAAAAAAAXwAAAAIAAQAZAAAAAAAAAAAAIlyDGCAAaGVsbG8udHh0AKCMAAAZ\
AAAAAAAiXIMYIAB3b3JrLnR4dABfOH0rvAAAgENL7c25DcJAEADAHIketgTzmH4IzjLy4ZVOlmifgGgrIJlwollb7xnLyHc89zzWNuLI\
7OdTf+0tpsglPjm2Hy+V18pb5b1yrnxUikQikUgkEolEIpFIJBKJRCKRSCQSiUQikUgkEolEIpFIJBKJRCKRSCQSiUQikUgkEolEIpFI\
JBKJRCKRSCQSiUQikUgkEolEIpFIJBKJRCKRSCQSiUQikUgkEolEIpFIJBKJRCKRSCQSiUQikUj01+gLoD+6eEIAuQxDS+3Nqw0AIRRF\
QU8VrwT+HbHJBgIJZttHrLoSf+So6W68s1m19di3dv/plUEZlUmZlUVJRERERERERERERER0HR0=";

proptest! {
    #[test]
    fn any_files_round_trip(files in proptest::collection::btree_map("[a-z]{1,8}", any::<Vec<u8>>(), 0..6)) {
        let files: Vec<File> = files.into_iter().map(|(name, data)| File::new(name, data)).collect();
        let cabinet = write(&files).unwrap();
        prop_assert_eq!(read_all(&cabinet), Ok(files));
    }

    #[test]
    fn any_bytes_are_read_without_panic(bytes: Vec<u8>) {
        let _ = read_all(&[SIGNATURE, bytes.as_slice()].concat());
    }

    #[test]
    fn damaged_cabinets_are_read_without_panic(mszip: bool, changes: Vec<(prop::sample::Index, u8)>) {
        let files = [File::new("a/b", "hello hello hello"), File::new("c", "x")];
        let mut cabinet = if mszip { foreign() } else { write(&files).unwrap() };
        for (at, byte) in changes {
            let at = at.index(cabinet.len());
            cabinet[at] = byte;
        }
        let _ = read(&cabinet, &Limits { files: 8, total: 1 << 20 });
    }
}
