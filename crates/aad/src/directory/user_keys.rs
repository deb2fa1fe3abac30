//! The keys that users have registered on their devices: Windows Hello for Business (entra §1.6, §4.2).

use std::collections::HashMap;

use cmglab_proto::ids::{DeviceId, ObjectId};

use super::Directory;

/// A public key that stands for a user on one device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UserKey {
    pub(crate) user: ObjectId,
    /// The device that holds the private key.
    pub(crate) device: DeviceId,
    /// SHA-256 of the key as a BCRYPT_RSAKEY_BLOB, in standard base64.
    pub(crate) kid: String,
    /// RSAPublicKey in DER (PKCS#1).
    pub(crate) public_key: Vec<u8>,
}

/// The registered keys by user and id.
pub(crate) type UserKeys = HashMap<(ObjectId, String), UserKey>;

impl Directory {
    /// Registers a key, in place of an earlier one of that id; `false` when the directory is full.
    pub(crate) fn add_user_key(&mut self, key: UserKey) -> bool {
        let room = self.user_keys.len() < MAX_KEYS;
        if room {
            self.user_keys.insert((key.user, key.kid.clone()), key);
        }
        room
    }

    /// The key of a user by its id.
    pub(crate) fn user_key(&self, user: ObjectId, kid: &str) -> Option<UserKey> {
        self.user_keys.get(&(user, kid.to_owned())).cloned()
    }
}

const MAX_KEYS: usize = 100_000;
