//! A certificate authority: signs certificates and keeps its list of revoked ones.

use std::fmt;
use std::sync::Arc;

use cmglab_ids::Ids;
use jiff::Timestamp;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyUsagePurpose};

use crate::crl::Ledger;
use crate::dates::Validity;
use crate::issue::{self, Overrides, Signer, SubjectName};
use crate::{AuthorityProfile, Identity, PkiError, PrivateKey, Profiles, Serial, pem, verify};

/// A root or intermediate CA. Cloning shares it, its list of revoked certificates included.
#[derive(Clone)]
pub struct Authority(Arc<Inner>);

struct Inner {
    profiles: Profiles,
    profile: AuthorityProfile,
    issuer: Issuer<'static, Signer>,
    der: Vec<u8>,
    /// This certificate and those above it, without the root; empty for a root.
    chain: Vec<Vec<u8>>,
    crl_url: Option<String>,
    ledger: Ledger,
}

impl Authority {
    /// Makes the self-signed authority `profile` with a new key.
    ///
    /// # Errors
    /// [`PkiError::UnknownAuthority`]; [`PkiError::Date`]; [`PkiError::Key`] or [`PkiError::Signing`] when the
    /// provider fails.
    pub fn create_root(
        profiles: &Profiles,
        profile: &str,
        now: Timestamp,
        ids: &Ids,
    ) -> Result<Self, PkiError> {
        let profile = profiles.authority(profile)?;
        let (params, signer) = ca_params(profile, now, ids)?;
        let certificate = params.self_signed(&signer).map_err(PkiError::signing)?;
        Ok(Self::assemble(profiles, profile, Issuer::new(params, signer), certificate.der().to_vec(), None))
    }

    /// Makes the authority `profile` with a new key, signed by `parent`.
    ///
    /// # Errors
    /// As [`Authority::create_root`].
    pub fn create_intermediate(
        parent: &Self,
        profile: &str,
        now: Timestamp,
        ids: &Ids,
    ) -> Result<Self, PkiError> {
        let profiles = &parent.0.profiles;
        let profile = profiles.authority(profile)?;
        let (mut params, signer) = ca_params(profile, now, ids)?;
        issue::name_issuer(&mut params, parent.crl_url());
        let certificate = params.signed_by(&signer, &parent.0.issuer).map_err(PkiError::signing)?;
        let der = certificate.der().to_vec();
        Ok(Self::assemble(profiles, profile, Issuer::new(params, signer), der, Some(parent)))
    }

    /// The name of its profile.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.profile.name
    }

    /// Its subject common name, which is its whole subject.
    #[must_use]
    pub fn common_name(&self) -> &str {
        &self.0.profile.common_name
    }

    /// Whether it signed itself.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0.chain.is_empty()
    }

    /// Its certificate in DER.
    #[must_use]
    pub fn cert_der(&self) -> &[u8] {
        &self.0.der
    }

    /// Its certificate in PEM.
    #[must_use]
    pub fn cert_pem(&self) -> String {
        pem::encode("CERTIFICATE", &self.0.der)
    }

    /// Where its CRL is to be found; the distribution point of what it issues.
    #[must_use]
    pub fn crl_url(&self) -> Option<&str> {
        self.0.crl_url.as_deref()
    }

    /// The profiles it issues from.
    #[must_use]
    pub fn profiles(&self) -> &Profiles {
        &self.0.profiles
    }

    /// Issues a certificate of `profile` for `key`.
    ///
    /// `names` that are missing come from the profile.
    ///
    /// # Errors
    /// [`PkiError::UnknownProfile`]; [`PkiError::Name`] when a name cannot stand in a certificate or none is
    /// known; [`PkiError::Date`]; [`PkiError::Signing`].
    pub fn issue(
        &self,
        profile: &str,
        names: &[SubjectName],
        key: &PrivateKey,
        now: Timestamp,
        ids: &Ids,
    ) -> Result<Identity, PkiError> {
        self.issue_with(profile, names, &Overrides::default(), key, now, ids)
    }

    /// Issues a certificate that departs from its profile.
    ///
    /// # Errors
    /// As [`Authority::issue`].
    pub fn issue_with(
        &self,
        profile: &str,
        names: &[SubjectName],
        overrides: &Overrides,
        key: &PrivateKey,
        now: Timestamp,
        ids: &Ids,
    ) -> Result<Identity, PkiError> {
        let params = issue::leaf_params(self.0.profiles.leaf(profile)?, names, overrides, now, ids)?;
        let leaf = self.sign(params, &Signer(key.clone()))?;
        let chain = std::iter::once(leaf).chain(self.0.chain.iter().cloned()).collect();
        Ok(Identity::new(chain, key.clone()))
    }

    /// Issues a certificate of `profile` for someone else's public key, given as SubjectPublicKeyInfo DER.
    /// Returns the certificate in DER.
    ///
    /// # Errors
    /// As [`Authority::issue`]; [`PkiError::PublicKey`] when the key is of a kind the lab does not certify.
    pub fn issue_for_public_key(
        &self,
        profile: &str,
        names: &[SubjectName],
        spki_der: &[u8],
        now: Timestamp,
        ids: &Ids,
    ) -> Result<Vec<u8>, PkiError> {
        let profile = self.0.profiles.leaf(profile)?;
        let params = issue::leaf_params(profile, names, &Overrides::default(), now, ids)?;
        self.sign(params, &verify::certifiable(spki_der)?)
    }

    /// Revokes a certificate as of `now`. Revoking it again changes nothing.
    ///
    /// The authority keeps no list of what it issued: any serial number can be revoked.
    pub fn revoke(&self, serial: &Serial, now: Timestamp) {
        self.0.ledger.revoke(serial, now);
    }

    /// Whether a CRL issued at `now` says that a certificate is revoked.
    #[must_use]
    pub fn is_revoked(&self, serial: &Serial, now: Timestamp) -> bool {
        self.0.ledger.is_revoked(serial, now)
    }

    /// Issues CRL `number` (RFC 5280 section 5) as of `now`, in DER. Revocations later than `now` are not on it.
    ///
    /// # Errors
    /// [`PkiError::NoCrl`] when its profile has none; [`PkiError::Date`]; [`PkiError::Signing`].
    pub fn crl(&self, now: Timestamp, number: u64) -> Result<Vec<u8>, PkiError> {
        let profile = &self.0.profile;
        let crl = profile.crl.as_ref().ok_or_else(|| PkiError::NoCrl { authority: profile.name.clone() })?;
        self.0.ledger.crl(&self.0.issuer, &crl.lifetime, now, number)
    }

    pub(crate) fn sign(
        &self,
        mut params: CertificateParams,
        public_key: &impl rcgen::PublicKeyData,
    ) -> Result<Vec<u8>, PkiError> {
        issue::name_issuer(&mut params, self.crl_url());
        let certificate = params.signed_by(public_key, &self.0.issuer).map_err(PkiError::signing)?;
        Ok(certificate.der().to_vec())
    }

    fn assemble(
        profiles: &Profiles,
        profile: &AuthorityProfile,
        issuer: Issuer<'static, Signer>,
        der: Vec<u8>,
        parent: Option<&Self>,
    ) -> Self {
        let chain = parent.map_or_else(Vec::new, |parent| {
            std::iter::once(der.clone()).chain(parent.0.chain.iter().cloned()).collect()
        });
        Self(Arc::new(Inner {
            profiles: profiles.clone(),
            profile: profile.clone(),
            issuer,
            der,
            chain,
            crl_url: profiles.crl_url(profile),
            ledger: Ledger::default(),
        }))
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority")
            .field("name", &self.name())
            .field("common_name", &self.common_name())
            .field("crl_url", &self.crl_url())
            .finish_non_exhaustive()
    }
}

fn ca_params(
    profile: &AuthorityProfile,
    now: Timestamp,
    ids: &Ids,
) -> Result<(CertificateParams, Signer), PkiError> {
    let validity = Validity::around(now, &profile.backdate, &profile.lifetime)?;
    let mut params = issue::base_params(&profile.common_name, validity, ids)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages =
        vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok((params, Signer(PrivateKey::generate(profile.key)?)))
}

#[cfg(test)]
mod tests;
