//! The self-signed certificate that an application registered in Azure AD proves itself with
//! (entra section 4.5).
//!
//! Fidelity: documented. Azure AD takes any certificate; self-signed ones are common.

use cmglab_ids::Ids;
use jiff::Timestamp;

use crate::issue::self_signed;
use crate::{Identity, Overrides, PkiError, PrivateKey, Profiles, SubjectName};

/// The profile that shapes it.
pub const PROFILE: &str = "app-credential";

/// Makes the certificate for `key`, RSA or P-256, with the application's name as common name.
///
/// # Errors
/// As [`Authority::issue`](crate::Authority::issue).
pub fn certificate(
    profiles: &Profiles,
    name: &str,
    key: &PrivateKey,
    now: Timestamp,
    ids: &Ids,
) -> Result<Identity, PkiError> {
    self_signed(profiles, PROFILE, &[SubjectName::common(name)], &Overrides::default(), key, now, ids)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::KeyKind;

    #[test]
    fn it_is_its_own_issuer_and_names_the_app() {
        let (now, ids) = ("2026-03-01T12:00:00Z".parse().unwrap(), Ids::seeded(1));
        let key = PrivateKey::generate(KeyKind::P256).unwrap();
        let made = certificate(&Profiles::builtin(), "Lab daemon", &key, now, &ids).unwrap();
        let read = made.certificate().unwrap();
        assert_eq!(read.subject_common_name.as_deref(), Some("Lab daemon"));
        assert!(read.is_signed_by(&read).is_ok() && !read.is_ca);
    }
}
