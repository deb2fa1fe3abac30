//! Every authority of a lab at once.

use std::collections::BTreeMap;

use cmglab_ids::Ids;
use jiff::Timestamp;

use crate::issue::self_signed;
use crate::{Authority, Identity, Overrides, PkiError, PrivateKey, Profiles, SubjectName, TrustBundle};

/// The authorities of the profiles, each with a key of its own.
#[derive(Debug, Clone)]
pub struct Authorities {
    profiles: Profiles,
    by_name: BTreeMap<String, Authority>,
}

impl Authorities {
    /// Makes every authority of `profiles`. Takes a few hundred milliseconds, for the RSA keys among them.
    ///
    /// # Errors
    /// As [`Authority::create_root`].
    pub fn create(profiles: &Profiles, now: Timestamp, ids: &Ids) -> Result<Self, PkiError> {
        let mut all = Self { profiles: profiles.clone(), by_name: BTreeMap::new() };
        for profile in profiles.authorities() {
            let authority = match &profile.parent {
                None => Authority::create_root(profiles, &profile.name, now, ids)?,
                Some(parent) => Authority::create_intermediate(all.get(parent)?, &profile.name, now, ids)?,
            };
            all.by_name.insert(profile.name.clone(), authority);
        }
        Ok(all)
    }

    /// The authority called `name`.
    ///
    /// # Errors
    /// [`PkiError::UnknownAuthority`], with the names that exist.
    pub fn get(&self, name: &str) -> Result<&Authority, PkiError> {
        let profile = self.profiles.authority(name)?;
        self.by_name.get(name).ok_or_else(|| PkiError::UnknownAuthority {
            name: profile.name.clone(),
            known: self.by_name.keys().cloned().collect::<Vec<_>>().join(", "),
        })
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Authority> {
        self.by_name.values()
    }

    /// The profiles they were made from.
    #[must_use]
    pub fn profiles(&self) -> &Profiles {
        &self.profiles
    }

    /// Issues a certificate of `profile` from the authority its profile names, with a new key.
    ///
    /// # Errors
    /// As [`Authority::issue`]; [`PkiError::Key`].
    pub fn issue(
        &self,
        profile: &str,
        names: &[SubjectName],
        now: Timestamp,
        ids: &Ids,
    ) -> Result<Identity, PkiError> {
        self.issue_with(profile, names, &Overrides::default(), now, ids)
    }

    /// As [`Authorities::issue`], departing from the profile.
    ///
    /// # Errors
    /// As [`Authorities::issue`].
    pub fn issue_with(
        &self,
        profile: &str,
        names: &[SubjectName],
        overrides: &Overrides,
        now: Timestamp,
        ids: &Ids,
    ) -> Result<Identity, PkiError> {
        let leaf = self.profiles.leaf(profile)?;
        let key = PrivateKey::generate(leaf.key)?;
        match &leaf.issuer {
            Some(issuer) => self.get(issuer)?.issue_with(profile, names, overrides, &key, now, ids),
            None => self_signed(&self.profiles, profile, names, overrides, &key, now, ids),
        }
    }

    /// The certificates of `names`, for a trust store or an upload of CA certificates.
    ///
    /// # Errors
    /// [`PkiError::UnknownAuthority`].
    pub fn bundle(&self, names: &[&str]) -> Result<TrustBundle, PkiError> {
        names.iter().map(|name| Ok(self.get(name)?.cert_der().to_vec())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_profile_can_be_issued() {
        let (now, ids) = ("2026-03-01T12:00:00Z".parse().unwrap(), Ids::seeded(1));
        let all = Authorities::create(&Profiles::builtin(), now, &ids).unwrap();
        for leaf in all.profiles().leaves() {
            let names = [SubjectName::dns("host.lab.test")];
            let identity = all.issue(&leaf.name, &names, now, &ids).unwrap();
            let certificate = identity.certificate().unwrap();
            assert!(certificate.validity.contains(now), "{}", leaf.name);
            assert_eq!(certificate.eku, leaf.eku.iter().map(|eku| eku.oid()).collect::<Vec<_>>());
            let issuer = leaf.issuer.as_deref().map(|issuer| all.get(issuer).unwrap());
            let expected = issuer.map_or(certificate.subject.as_str(), |issuer| issuer.common_name());
            assert_eq!(certificate.issuer_common_name.as_deref(), Some(expected.trim_start_matches("CN=")));
            assert_eq!(certificate.crl_urls.first().map(String::as_str), issuer.and_then(Authority::crl_url));
        }
    }

    #[test]
    fn bundles_name_authorities() {
        let (now, ids) = ("2026-03-01T12:00:00Z".parse().unwrap(), Ids::seeded(1));
        let all = Authorities::create(&Profiles::builtin(), now, &ids).unwrap();
        assert_eq!(all.bundle(&["site", "cmg-root"]).unwrap().certificates().len(), 2);
        assert!(matches!(all.bundle(&["sight"]), Err(PkiError::UnknownAuthority { .. })));
        assert_eq!(all.iter().count(), all.profiles().authorities().len());
    }
}
