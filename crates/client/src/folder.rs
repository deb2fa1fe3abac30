//! The client's folder: small files, written whole or not at all, readable by their owner alone.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::{Component, Path, PathBuf};

use crate::ClientError;

/// The folder of one client. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// The folder at `path`, made where it is missing.
    pub(crate) fn open(path: &Path) -> Result<Self, ClientError> {
        make(path).map_err(|error| failed(path, &error))?;
        Ok(Self(path.to_owned()))
    }

    /// The folder `name` in this one.
    pub(crate) fn inner(&self, name: &str) -> Result<Self, ClientError> {
        Self::open(&self.path(name)?)
    }

    /// The bytes of a file of at most `limit` bytes; `None` when there is no such file.
    pub(crate) fn read(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, ClientError> {
        let path = self.path(name)?;
        let file = match fs::File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(&path, &error)),
        };
        let mut bytes = Vec::new();
        file.take(limit + 1).read_to_end(&mut bytes).map_err(|error| failed(&path, &error))?;
        if bytes.len() as u64 > limit {
            let reason = format!("it has more than {limit} bytes");
            return Err(ClientError::Storage { file: path.display().to_string(), reason });
        }
        Ok(Some(bytes))
    }

    /// Writes a file: first under another name, then in place, so that nobody sees half of it.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), ClientError> {
        let path = self.path(name)?;
        let partial = self.path(&format!("{name}.partial"))?;
        let written = (|| {
            path.parent().map_or(Ok(()), make)?;
            let mut file = private().create(true).truncate(true).write(true).open(&partial)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&partial, &path)
        })();
        written.map_err(|error| failed(&path, &error))
    }

    /// Writes a file that must not be there yet; answers whether it was not.
    pub(crate) fn write_new(&self, name: &str, bytes: &[u8]) -> Result<bool, ClientError> {
        let path = self.path(name)?;
        let mut file = match private().create_new(true).write(true).open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(false),
            Err(error) => return Err(failed(&path, &error)),
        };
        file.write_all(bytes).map_err(|error| failed(&path, &error))?;
        Ok(true)
    }

    /// Removes a file, if it is there.
    pub(crate) fn remove(&self, name: &str) -> Result<(), ClientError> {
        let path = self.path(name)?;
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(failed(&path, &error)),
            _ => Ok(()),
        }
    }

    /// Names come from a cabinet too, so none may lead out of the folder.
    fn path(&self, name: &str) -> Result<PathBuf, ClientError> {
        let relative = Path::new(name);
        let plain = relative.components().all(|part| matches!(part, Component::Normal(_)));
        if plain && !name.is_empty() {
            return Ok(self.0.join(relative));
        }
        let reason = "its name leads out of the client's folder".to_owned();
        Err(ClientError::Storage { file: name.chars().take(128).collect(), reason })
    }
}

fn make(path: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn failed(path: &Path, error: &std::io::Error) -> ClientError {
    ClientError::Storage { file: path.display().to_string(), reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_private_whole_and_inside() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(&place.path().join("client")).unwrap();
        assert_eq!(folder.read("a", 10), Ok(None));
        folder.write("x64/a.dll", b"1234").unwrap();
        folder.write("x64/a.dll", b"12345").unwrap();
        assert_eq!(folder.read("x64/a.dll", 5), Ok(Some(b"12345".to_vec())));
        assert!(folder.read("x64/a.dll", 4).is_err());
        assert_eq!(folder.write_new("key", b"k"), Ok(true));
        assert_eq!(folder.write_new("key", b"other"), Ok(false));
        assert_eq!(folder.read("key", 9), Ok(Some(b"k".to_vec())));
        folder.remove("key").unwrap();
        folder.remove("key").unwrap();
        for bad in ["", "..", "../a", "/etc/passwd", "a/../../b"] {
            assert!(folder.write(bad, b"").is_err(), "{bad}");
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = |name: &str| {
                fs::metadata(place.path().join("client").join(name)).unwrap().permissions().mode() & 0o777
            };
            assert_eq!((mode("x64/a.dll"), mode("x64")), (0o600, 0o700));
        }
    }
}
