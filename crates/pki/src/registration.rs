//! The self-signed certificate a client registers with (mp-wire section 3.2).
//!
//! Fidelity: observed. RSA-2048, common name `ConfigMgr Client`, key usage digitalSignature and
//! dataEncipherment, extended key usage SMS encryption and SMS signing. The same certificate serves for
//! both purposes.

use cmglab_ids::Ids;
use jiff::Timestamp;

use crate::issue::self_signed;
use crate::{Identity, Overrides, PkiError, PrivateKey, Profiles};

/// The profile that shapes it.
pub const PROFILE: &str = "client-registration";

/// Makes the certificate for `key`, which must be RSA: clients sign messages with it.
///
/// # Errors
/// [`PkiError::KeyKind`] for another kind of key; else as [`Authority::issue`](crate::Authority::issue).
pub fn certificate(
    profiles: &Profiles,
    key: &PrivateKey,
    now: Timestamp,
    ids: &Ids,
) -> Result<Identity, PkiError> {
    certificate_with(profiles, &Overrides::default(), key, now, ids)
}

/// As [`certificate`], departing from the profile: expired, or with other purposes.
///
/// # Errors
/// As [`certificate`].
pub fn certificate_with(
    profiles: &Profiles,
    overrides: &Overrides,
    key: &PrivateKey,
    now: Timestamp,
    ids: &Ids,
) -> Result<Identity, PkiError> {
    let (wanted, found) = (profiles.leaf(PROFILE)?.key, key.kind());
    if found != wanted {
        return Err(PkiError::KeyKind { wanted, found });
    }
    self_signed(profiles, PROFILE, &[], overrides, key, now, ids)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::KeyKind;

    #[test]
    fn has_the_observed_shape() {
        let (now, ids) = ("2026-03-01T12:00:00Z".parse().unwrap(), Ids::seeded(1));
        let key = PrivateKey::generate(KeyKind::Rsa2048).unwrap();
        let identity = certificate(&Profiles::builtin(), &key, now, &ids).unwrap();
        let read = identity.certificate().unwrap();
        assert_eq!(read.subject_common_name.as_deref(), Some("ConfigMgr Client"));
        assert_eq!(read.eku, ["1.3.6.1.4.1.311.101.2", "1.3.6.1.4.1.311.101"]);
        assert_eq!(read.key_usage, ["digitalSignature", "dataEncipherment"]);
        assert_eq!(read.rsa.as_ref().unwrap().modulus_bits, 2048);
        assert!(read.is_signed_by(&read).is_ok());
        assert!(read.crl_urls.is_empty() && !read.is_ca);
    }

    #[test]
    fn needs_rsa() {
        let (now, ids) = ("2026-03-01T12:00:00Z".parse().unwrap(), Ids::seeded(1));
        let key = PrivateKey::generate(KeyKind::P256).unwrap();
        let result = certificate(&Profiles::builtin(), &key, now, &ids);
        assert!(matches!(result, Err(PkiError::KeyKind { .. })));
    }
}
