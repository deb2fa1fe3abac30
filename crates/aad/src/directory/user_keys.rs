//! The keys that users sign in with on a device (Windows Hello for Business).

use std::collections::HashMap;

use cmglab_proto::ids::{DeviceId, ObjectId};

use super::Directory;

/// A user's public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UserKey {
    pub(crate) user: ObjectId,
    /// Where it was made and registered.
    pub(crate) device: DeviceId,
    /// Standard base64 of the SHA-256 of its BCRYPT blob.
    pub(crate) kid: String,
    /// RSAPublicKey in DER (RFC 8017 appendix A.1.1).
    pub(crate) public_key: Vec<u8>,
}

/// Keys by user, oldest first.
#[derive(Default)]
pub(super) struct UserKeys(HashMap<ObjectId, Vec<UserKey>>);

impl UserKeys {
    pub(super) fn forget_user(&mut self, user: ObjectId) {
        self.0.remove(&user);
    }

    pub(super) fn forget_device(&mut self, device: DeviceId) {
        self.0.retain(|_, keys| {
            keys.retain(|key| key.device != device);
            !keys.is_empty()
        });
    }
}

impl Directory {
    /// Takes a key in, in place of the same key; `false` when the user has too many.
    pub(crate) fn add_user_key(&mut self, key: UserKey) -> bool {
        let keys = self.user_keys.0.entry(key.user).or_default();
        keys.retain(|known| known.kid != key.kid);
        let room = keys.len() < MAX_KEYS;
        if room {
            keys.push(key);
        }
        room
    }

    pub(crate) fn user_key(&self, user: ObjectId, kid: &str) -> Option<&UserKey> {
        self.user_keys.0.get(&user)?.iter().find(|key| key.kid == kid)
    }
}

/// Lab: the real limit is not public.
const MAX_KEYS: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::lab::config;

    fn key(kid: usize) -> UserKey {
        let (user, device) = (ObjectId::zero(), DeviceId::zero());
        UserKey { user, device, kid: kid.to_string(), public_key: vec![1] }
    }

    #[test]
    fn keys_are_found_by_user_and_id_and_are_not_without_number() {
        let mut directory = Directory::new(&config()).unwrap();
        assert!((0..MAX_KEYS).all(|kid| directory.add_user_key(key(kid))));
        assert!(!directory.add_user_key(key(MAX_KEYS)));
        assert!(directory.add_user_key(UserKey { public_key: vec![2], ..key(3) }));
        let user = ObjectId::zero();
        assert_eq!(directory.user_key(user, "3").map(|key| key.public_key[0]), Some(2));
        assert_eq!(directory.user_key(user, "20"), None);
        assert_eq!(directory.user_key(ObjectId::new(uuid::Uuid::from_u128(1)), "3"), None);
    }

    #[test]
    fn they_go_with_their_user_and_with_their_device() {
        let of = |user, device: u128, kid: &str| UserKey {
            user,
            device: DeviceId::new(uuid::Uuid::from_u128(device)),
            kid: kid.to_owned(),
            public_key: vec![1],
        };
        let mut directory = Directory::new(&config()).unwrap();
        let users = ["alice@lab.test", "bob@lab.test"];
        let [alice, bob] = users.map(|upn| directory.user_mut(upn).unwrap().object_id);
        for user in [alice, bob] {
            assert!((1..=2).all(|device| directory.add_user_key(of(user, device, &device.to_string()))));
            directory.revoke_sessions(user, jiff::Timestamp::UNIX_EPOCH);
        }
        directory.remove_user(users[0]).unwrap();
        assert_eq!((directory.user_key(alice, "1"), directory.revoked(alice)), (None, None));
        assert!(directory.user_key(bob, "1").is_some() && directory.revoked(bob).is_some());
        directory.user_keys.forget_device(DeviceId::new(uuid::Uuid::from_u128(1)));
        assert_eq!(directory.user_key(bob, "1"), None);
        assert!(directory.user_key(bob, "2").is_some());
    }
}
