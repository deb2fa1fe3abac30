use jiff::civil::DateTime;

use super::block::{BLOCK, checksum};
use super::name::Names;
use super::{ARCHIVE, CabError, EARLIEST, File, NAME_IS_UTF8, SIGNATURE};

/// Writes a cabinet of one stored folder. Stored, because every extractor reads that: what our deflate
/// makes of very regular data, some refuse.
///
/// # Errors
/// [`CabError`] for a name that cannot stand in a cabinet and for more than it can hold.
pub fn write(files: &[File]) -> Result<Vec<u8>, CabError> {
    check(files)?;
    let content: Vec<u8> = files.iter().flat_map(|file| &file.data).copied().collect();
    let blocks: Vec<Vec<u8>> = content.chunks(BLOCK).map(block).collect();
    let entries = entries(files);

    let first_file = HEADER + FOLDER;
    let first_block = first_file + entries.len();
    let size = first_block + blocks.iter().map(Vec::len).sum::<usize>();

    let mut cabinet = Vec::with_capacity(size);
    cabinet.extend(SIGNATURE);
    for field in [0, size, 0, first_file, 0] {
        cabinet.extend(to_u32(field));
    }
    cabinet.extend([3, 1]); // format 1.3, minor first
    for field in [1, files.len(), 0, 0, 0] {
        cabinet.extend(to_u16(field)); // folders, files, flags, set, place in the set
    }
    cabinet.extend(to_u32(first_block));
    cabinet.extend(to_u16(blocks.len()));
    cabinet.extend(to_u16(STORED));
    cabinet.extend(entries);
    cabinet.extend(blocks.concat());
    Ok(cabinet)
}

fn check(files: &[File]) -> Result<(), CabError> {
    if files.len() > MAX_FILES {
        return Err(CabError::TooManyFiles { files: files.len(), limit: MAX_FILES });
    }
    let mut names = Names::default();
    files.iter().try_for_each(|file| names.add(&file.name))?;
    let total = files.iter().try_fold(0_usize, |sum, file| sum.checked_add(file.data.len()));
    match total {
        Some(total) if total <= MAX_TOTAL => Ok(()),
        _ => Err(CabError::TooLarge { limit: MAX_TOTAL }),
    }
}

fn entries(files: &[File]) -> Vec<u8> {
    let mut entries = Vec::new();
    let mut offset = 0;
    for file in files {
        let (date, time) = dos(file.modified);
        let utf8 = if file.name.is_ascii() { 0 } else { NAME_IS_UTF8 };
        entries.extend(to_u32(file.data.len()));
        entries.extend(to_u32(offset));
        for field in [0, date, time, ARCHIVE | utf8] {
            entries.extend(field.to_le_bytes());
        }
        entries.extend(file.name.replace('/', "\\").bytes());
        entries.push(0);
        offset += file.data.len();
    }
    entries
}

fn block(data: &[u8]) -> Vec<u8> {
    let length = to_u16(data.len());
    let sum = checksum(data, u16::from_le_bytes(length), u16::from_le_bytes(length));
    [&sum.to_le_bytes()[..], &length, &length, data].concat()
}

/// Date and time in the form of MS-DOS.
fn dos(modified: DateTime) -> (u16, u16) {
    let time = modified.clamp(EARLIEST, LATEST);
    let part = |value: i8| u16::try_from(value).unwrap_or_default();
    let year = u16::try_from(time.year() - EARLIEST.year()).unwrap_or_default();
    (
        (year << 9) | (part(time.month()) << 5) | part(time.day()),
        (part(time.hour()) << 11) | (part(time.minute()) << 5) | (part(time.second()) / 2),
    )
}

/// Every number written here was bounded by `check`, so none is cut.
fn to_u32(value: usize) -> [u8; 4] {
    u32::try_from(value).unwrap_or(u32::MAX).to_le_bytes()
}

fn to_u16(value: usize) -> [u8; 2] {
    u16::try_from(value).unwrap_or(u16::MAX).to_le_bytes()
}

const LATEST: DateTime = jiff::civil::date(2107, 12, 31).at(23, 59, 58, 0);
const HEADER: usize = 36;
const FOLDER: usize = 8;
const STORED: usize = 0;
const MAX_FILES: usize = 65_535;
/// What 65535 blocks hold, 2 GiB less one block.
const MAX_TOTAL: usize = 65_535 * BLOCK;
