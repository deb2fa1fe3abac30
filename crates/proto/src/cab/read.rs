use std::ops::Range;

use jiff::civil::{Date, DateTime, Time};

use super::block::{BLOCK, checksum, inflate};
use super::name::{MAX_NAME, Names};
use super::{CabError, EARLIEST, File, NAME_IS_UTF8, SIGNATURE};

/// What a reader is willing to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most files, and the most folders.
    pub files: usize,
    /// The most bytes of all files together, and of all folders together.
    pub total: usize,
}

impl Default for Limits {
    /// 1024 files, 256 MiB.
    fn default() -> Self {
        Self { files: 1024, total: 256 * 1024 * 1024 }
    }
}

/// Reads every file of a cabinet. Checksums are verified where the cabinet has them (a sum of 0 means
/// none, as [MS-CAB] has it). Bytes behind the cabinet, such as a signature, are passed over.
///
/// # Errors
/// [`CabError`] names the first thing that is wrong; nothing is returned of a damaged cabinet.
pub fn read(cabinet: &[u8], limits: &Limits) -> Result<Vec<File>, CabError> {
    let header = Header::read(cabinet, limits)?;
    let cabinet = cabinet.get(..header.size).ok_or(CabError::Truncated { at: cabinet.len() })?;
    let mut budget = limits.total;
    let folders = header
        .folders
        .iter()
        .enumerate()
        .map(|(index, folder)| folder.unpack(cabinet, index, &header, &mut budget, limits))
        .collect::<Result<Vec<_>, _>>()?;

    let mut bytes = Bytes { of: cabinet, at: header.first_file };
    let mut names = Names::default();
    let mut budget = limits.total;
    let mut files = Vec::with_capacity(header.files);
    for _ in 0..header.files {
        let entry = Entry::read(&mut bytes)?;
        names.add(&entry.name)?;
        budget = budget.checked_sub(entry.range.len()).ok_or(CabError::TooLarge { limit: limits.total })?;
        let data = folders.get(entry.folder).and_then(|folder| folder.get(entry.range.clone()));
        match data {
            Some(data) => {
                files.push(File { name: entry.name, data: data.to_vec(), modified: entry.modified })
            }
            None => return Err(CabError::OutsideFolder { name: entry.name }),
        }
    }
    Ok(files)
}

struct Header {
    size: usize,
    first_file: usize,
    files: usize,
    folders: Vec<Folder>,
    block_reserve: usize,
}

impl Header {
    fn read(cabinet: &[u8], limits: &Limits) -> Result<Self, CabError> {
        if !cabinet.starts_with(SIGNATURE) {
            return Err(CabError::NotACabinet);
        }
        let mut bytes = Bytes { of: cabinet, at: 8 };
        let size = bytes.u32()?;
        bytes.skip(4);
        let first_file = bytes.u32()?;
        bytes.skip(4);
        let [minor, major] = bytes.array()?;
        if (major, minor) != (1, 3) {
            return Err(CabError::UnknownVersion { major, minor });
        }
        let (folders, files, flags) = (bytes.u16()?, bytes.u16()?, bytes.u16()?);
        if flags & (HAS_PREVIOUS | HAS_NEXT) != 0 {
            return Err(CabError::PartOfASet);
        }
        let (folders, files) = (usize::from(folders), usize::from(files));
        if files.max(folders) > limits.files {
            return Err(CabError::TooManyFiles { files: files.max(folders), limit: limits.files });
        }
        bytes.skip(4); // set and place in the set
        let (mut folder_reserve, mut block_reserve) = (0, 0);
        if flags & HAS_RESERVE != 0 {
            let header_reserve = usize::from(bytes.u16()?);
            let [folder, block] = bytes.array()?;
            (folder_reserve, block_reserve) = (usize::from(folder), usize::from(block));
            bytes.skip(header_reserve);
        }
        let folders =
            (0..folders).map(|_| Folder::read(&mut bytes, folder_reserve)).collect::<Result<_, _>>()?;
        Ok(Self { size, first_file, files, folders, block_reserve })
    }
}

struct Folder {
    first_block: usize,
    blocks: usize,
    mszip: bool,
}

impl Folder {
    fn read(bytes: &mut Bytes<'_>, reserve: usize) -> Result<Self, CabError> {
        let first_block = bytes.u32()?;
        let blocks = usize::from(bytes.u16()?);
        let kind = bytes.u16()? & 0x0f;
        bytes.skip(reserve);
        match kind {
            0 | 1 => Ok(Self { first_block, blocks, mszip: kind == 1 }),
            kind => Err(CabError::UnsupportedCompression { kind }),
        }
    }

    fn unpack(
        &self,
        cabinet: &[u8],
        folder: usize,
        header: &Header,
        budget: &mut usize,
        limits: &Limits,
    ) -> Result<Vec<u8>, CabError> {
        let mut bytes = Bytes { of: cabinet, at: self.first_block };
        let mut plain = Vec::new();
        let mut history = 0..0;
        for block in 0..self.blocks {
            let sum = u32::from_le_bytes(bytes.array()?);
            let (packed_len, plain_len) = (bytes.u16()?, bytes.u16()?);
            bytes.skip(header.block_reserve);
            let data = bytes.take(usize::from(packed_len))?;
            // With reserved bytes in front of the data the sum covers them too; those are not kept here.
            if sum != 0 && header.block_reserve == 0 && sum != checksum(data, packed_len, plain_len) {
                return Err(CabError::Checksum { folder, block });
            }
            let plain_len = usize::from(plain_len);
            *budget = budget.checked_sub(plain_len).ok_or(CabError::TooLarge { limit: limits.total })?;
            let bad = CabError::BadBlock { folder, block };
            if plain_len > BLOCK {
                return Err(bad);
            }
            let unpacked =
                if self.mszip { inflate(data, &plain[history], plain_len) } else { Some(data.to_vec()) };
            let unpacked = unpacked.filter(|unpacked| unpacked.len() == plain_len).ok_or(bad)?;
            history = plain.len()..plain.len() + unpacked.len();
            plain.extend(unpacked);
        }
        Ok(plain)
    }
}

struct Entry {
    name: String,
    folder: usize,
    range: Range<usize>,
    modified: DateTime,
}

impl Entry {
    fn read(bytes: &mut Bytes<'_>) -> Result<Self, CabError> {
        let (size, start, folder) = (bytes.u32()?, bytes.u32()?, bytes.u16()?);
        let (date, time, attributes) = (bytes.u16()?, bytes.u16()?, bytes.u16()?);
        if folder >= CONTINUED {
            return Err(CabError::PartOfASet);
        }
        let name = decode_name(bytes.until_nul()?, attributes);
        let end = start.checked_add(size).ok_or_else(|| CabError::OutsideFolder { name: name.clone() })?;
        Ok(Self { name, folder: usize::from(folder), range: start..end, modified: from_dos(date, time) })
    }
}

/// Names without the UTF-8 mark are in some code page; bytes above 0x7f are read as Latin-1.
fn decode_name(name: &[u8], attributes: u16) -> String {
    let text = if attributes & NAME_IS_UTF8 != 0 {
        String::from_utf8_lossy(name).into_owned()
    } else {
        name.iter().copied().map(char::from).collect()
    };
    text.replace('\\', "/")
}

/// A date that does not exist becomes the earliest.
fn from_dos(date: u16, time: u16) -> DateTime {
    let field = |value: u16, shift: u32, mask: u16| i8::try_from((value >> shift) & mask).unwrap_or_default();
    let year = i16::try_from(date >> 9).unwrap_or_default() + EARLIEST.year();
    let date = Date::new(year, field(date, 5, 0x0f), field(date, 0, 0x1f));
    let time = Time::new(field(time, 11, 0x1f), field(time, 5, 0x3f), field(time, 0, 0x1f) * 2, 0);
    match (date, time) {
        (Ok(date), Ok(time)) => date.to_datetime(time),
        _ => EARLIEST,
    }
}

struct Bytes<'a> {
    of: &'a [u8],
    at: usize,
}

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], CabError> {
        let end = self.at.saturating_add(count);
        let taken = self.of.get(self.at..end).ok_or(CabError::Truncated { at: self.at })?;
        self.at = end;
        Ok(taken)
    }

    fn skip(&mut self, count: usize) {
        self.at = self.at.saturating_add(count);
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], CabError> {
        let at = self.at;
        self.take(N)?.try_into().map_err(|_| CabError::Truncated { at })
    }

    fn u16(&mut self) -> Result<u16, CabError> {
        self.array().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Result<usize, CabError> {
        let at = self.at;
        let value = self.array().map(u32::from_le_bytes)?;
        usize::try_from(value).map_err(|_| CabError::Truncated { at })
    }

    fn until_nul(&mut self) -> Result<&'a [u8], CabError> {
        let rest = self.of.get(self.at..).unwrap_or_default();
        let length = rest
            .iter()
            .take(MAX_NAME + 1)
            .position(|byte| *byte == 0)
            .ok_or(CabError::Truncated { at: self.at })?;
        let name = self.take(length)?;
        self.skip(1);
        Ok(name)
    }
}

const HAS_PREVIOUS: u16 = 1;
const HAS_NEXT: u16 = 2;
const HAS_RESERVE: u16 = 4;
/// Folder numbers from here on mean a file that continues from or into another cabinet.
const CONTINUED: u16 = 0xfffd;
