use std::collections::HashSet;

use super::CabError;

/// The names of one cabinet, checked as they come.
#[derive(Debug, Default)]
pub(super) struct Names(HashSet<String>);

impl Names {
    /// Takes a name with `/` between folders.
    pub(super) fn add(&mut self, name: &str) -> Result<(), CabError> {
        if !is_plain(name) {
            return Err(CabError::BadName { name: name.to_owned() });
        }
        if self.0.insert(name.to_lowercase()) {
            Ok(())
        } else {
            Err(CabError::DuplicateName { name: name.to_owned() })
        }
    }
}

/// A relative path that means the same file to every extractor: no root, no drive, no way up, nothing
/// that Windows drops or reserves.
fn is_plain(name: &str) -> bool {
    let component = |component: &str| {
        !component.is_empty()
            && !component.ends_with(['.', ' '])
            && !component.chars().any(|char| char.is_control() || "\\:*?\"<>|".contains(char))
    };
    name.len() <= MAX_NAME && name.split('/').all(component)
}

/// The longest name, in bytes, that [MS-CAB] allows before its NUL.
pub(super) const MAX_NAME: usize = 255;
