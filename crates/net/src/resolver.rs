//! The lab's names: (name, port) → socket address, and nothing else.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};

use crate::{CallError, CallFailure};

/// Maps documented names and ports to the lab's sockets, so that no lab port leaks into a URL, a
/// certificate or a log. Names it does not know are errors: it never asks DNS, so nothing that a role does
/// can reach a real host. Cheap to clone; clones share the table.
#[derive(Debug, Clone, Default)]
pub struct Resolver {
    table: Arc<RwLock<HashMap<(String, u16), SocketAddr>>>,
}

impl Resolver {
    /// An empty table.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes `name:port` lead to `address`. Only loopback addresses are taken; the answer tells whether
    /// it was.
    pub fn point(&self, name: &str, port: u16, address: SocketAddr) -> bool {
        if !address.ip().is_loopback() {
            return false;
        }
        self.table
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert((name.to_ascii_lowercase(), port), address);
        true
    }

    /// Takes a name off the table.
    pub fn forget(&self, name: &str, port: u16) {
        let key = (name.to_ascii_lowercase(), port);
        self.table.write().unwrap_or_else(PoisonError::into_inner).remove(&key);
    }

    /// Where `name:port` leads.
    ///
    /// # Errors
    /// [`CallFailure::UnknownName`] when the lab has no such name.
    pub fn lookup(&self, name: &str, port: u16) -> Result<SocketAddr, CallError> {
        let key = (name.to_ascii_lowercase(), port);
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        table.get(&key).copied().ok_or_else(|| {
            CallError::new(
                CallFailure::UnknownName,
                format!(
                    "{name}:{port} is not a name of this lab, and the lab never asks DNS; check its spelling"
                ),
            )
        })
    }

    /// Every entry, sorted by name and port.
    #[must_use]
    pub fn entries(&self) -> Vec<(String, u16, SocketAddr)> {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        let mut entries: Vec<_> =
            table.iter().map(|((name, port), address)| (name.clone(), *port, *address)).collect();
        entries.sort();
        entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_case_insensitive_and_unknown_ones_refused() {
        let resolver = Resolver::new();
        let address = SocketAddr::from(([127, 0, 0, 1], 4433));
        assert!(resolver.point("CMG.LAB.TEST", 443, address));
        assert_eq!(resolver.lookup("cmg.lab.test", 443), Ok(address));
        let error = resolver.lookup("login.microsoftonline.com", 443).unwrap_err();
        assert_eq!(error.failure, CallFailure::UnknownName);
    }

    #[test]
    fn only_loopback_is_taken() {
        let resolver = Resolver::new();
        assert!(!resolver.point("cmg.lab.test", 443, SocketAddr::from(([192, 0, 2, 1], 443))));
        assert!(resolver.entries().is_empty());
    }
}
