use std::borrow::Cow;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{ClaimsError, NumericDate, from_payload};
use crate::ids::{BulkTokenId, ClientGuid, HierarchyId, UserId};

/// The claims of a token that the site issues to a client it knows. Lab (mp-wire §8.4, OPEN-3): the form
/// follows the bulk registration token, whose claims are public. The fields stand in the order of the
/// JSON members.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CcmClaims {
    /// `SCCMTokenCategory`, always `SCCMToken`.
    #[serde(rename = "SCCMTokenCategory")]
    pub category: Cow<'static, str>,
    /// `Authority`, always `SCCM`.
    #[serde(rename = "Authority")]
    pub authority: Cow<'static, str>,
    /// `License`, always `SCCM`.
    #[serde(rename = "License")]
    pub license: Cow<'static, str>,
    /// `Type`: what the token was issued for.
    #[serde(rename = "Type")]
    pub token_type: CcmTokenType,
    /// `TenantId`, in capitals: the hierarchy, in spite of its name.
    #[serde(rename = "TenantId", with = "capitals")]
    pub hierarchy: HierarchyId,
    /// `UserId`: the site's own id of the user, zeros without one.
    #[serde(rename = "UserId")]
    pub user: UserId,
    /// `DeviceId`: the client, `GUID:…`; empty for a user without a device.
    #[serde(rename = "DeviceId", with = "maybe_client")]
    pub device: Option<ClientGuid>,
    /// The issuer, [`issuer`] of the hierarchy.
    pub iss: String,
    /// The audience, [`AUDIENCE`].
    pub aud: Cow<'static, str>,
    /// Not valid from then on.
    pub exp: NumericDate,
    /// Not valid before.
    pub nbf: NumericDate,
}

impl CcmClaims {
    /// The claims of a token valid from `now` on for `lifetime`.
    #[must_use]
    pub fn new(
        hierarchy: HierarchyId,
        token_type: CcmTokenType,
        user: UserId,
        device: Option<ClientGuid>,
        now: Timestamp,
        lifetime: SignedDuration,
    ) -> Self {
        Self {
            category: CCM_CATEGORY.into(),
            authority: SCCM.into(),
            license: SCCM.into(),
            token_type,
            hierarchy,
            user,
            device,
            iss: issuer(&hierarchy),
            aud: AUDIENCE.into(),
            exp: after(now, lifetime),
            nbf: now.into(),
        }
    }
}

/// What a token of the site was issued for, its `Type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum CcmTokenType {
    /// A device.
    Device,
    /// A user on a device.
    #[serde(rename = "UDA")]
    Uda,
    /// A user.
    User,
    /// A registered client, against its own signature (mp-wire OPEN-6): 90 days.
    ClientToken,
}

impl CcmTokenType {
    /// The word in the claim and in the log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Device => "Device",
            Self::Uda => "UDA",
            Self::User => "User",
            Self::ClientToken => "ClientToken",
        }
    }
}

/// The claims of a bulk registration token. Documented (mp-wire §8.4, decoded from the published
/// sample). The fields stand in the order of the JSON members.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BulkRegistrationClaims {
    /// `SCCMTokenCategory`, always `SCCMPreAuthToken`.
    #[serde(rename = "SCCMTokenCategory")]
    pub category: Cow<'static, str>,
    /// `Authority`, always `SCCM`.
    #[serde(rename = "Authority")]
    pub authority: Cow<'static, str>,
    /// `License`, always `SCCM`.
    #[serde(rename = "License")]
    pub license: Cow<'static, str>,
    /// `Type`, always `BulkRegistration`.
    #[serde(rename = "Type")]
    pub token_type: Cow<'static, str>,
    /// `TenantId`, in capitals: the hierarchy.
    #[serde(rename = "TenantId", with = "capitals")]
    pub hierarchy: HierarchyId,
    /// `UniqueId`: what the console lists and blocks.
    #[serde(rename = "UniqueId")]
    pub unique_id: BulkTokenId,
    /// The issuer, [`issuer`] of the hierarchy.
    pub iss: String,
    /// The audience, [`AUDIENCE`].
    pub aud: Cow<'static, str>,
    /// Not valid from then on.
    pub exp: NumericDate,
    /// Not valid before.
    pub nbf: NumericDate,
}

impl BulkRegistrationClaims {
    /// The claims of a token valid from `now` on for `lifetime`, which the caller keeps within
    /// [`MAX_BULK_LIFETIME`].
    #[must_use]
    pub fn new(
        hierarchy: HierarchyId,
        unique_id: BulkTokenId,
        now: Timestamp,
        lifetime: SignedDuration,
    ) -> Self {
        Self {
            category: BULK_CATEGORY.into(),
            authority: SCCM.into(),
            license: SCCM.into(),
            token_type: BULK_TYPE.into(),
            hierarchy,
            unique_id,
            iss: issuer(&hierarchy),
            aud: AUDIENCE.into(),
            exp: after(now, lifetime),
            nbf: now.into(),
        }
    }
}

/// Either kind of token that the site signs, told apart by `SCCMTokenCategory`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SiteClaims {
    /// A token of a client that the site knows.
    Ccm(CcmClaims),
    /// A bulk registration token.
    Bulk(BulkRegistrationClaims),
}

impl SiteClaims {
    /// Reads a token's decoded payload and checks that its fixed claims have the values the site writes,
    /// issuer and hierarchy in agreement. Times are left to the caller's clock.
    ///
    /// # Errors
    /// [`ClaimsError`] names the first claim that is wrong.
    pub fn parse(payload: &[u8]) -> Result<Self, ClaimsError> {
        let claims = match from_payload::<Category<'_>>(payload)?.category.as_deref() {
            Some(CCM_CATEGORY) => Self::Ccm(from_payload(payload)?),
            Some(BULK_CATEGORY) => Self::Bulk(from_payload(payload)?),
            other => {
                let got = other.unwrap_or_default().chars().take(64).collect();
                return Err(ClaimsError::UnknownCategory { got });
            }
        };
        claims.check()?;
        Ok(claims)
    }

    /// The hierarchy that issued the token.
    #[must_use]
    pub fn hierarchy(&self) -> HierarchyId {
        match self {
            Self::Ccm(claims) => claims.hierarchy,
            Self::Bulk(claims) => claims.hierarchy,
        }
    }

    /// From when on and until when the token is valid.
    #[must_use]
    pub fn validity(&self) -> (NumericDate, NumericDate) {
        match self {
            Self::Ccm(claims) => (claims.nbf, claims.exp),
            Self::Bulk(claims) => (claims.nbf, claims.exp),
        }
    }

    fn check(&self) -> Result<(), ClaimsError> {
        let (authority, license, iss, aud) = match self {
            Self::Ccm(claims) => (&claims.authority, &claims.license, &claims.iss, &claims.aud),
            Self::Bulk(claims) => {
                expect("Type", &claims.token_type, BULK_TYPE)?;
                (&claims.authority, &claims.license, &claims.iss, &claims.aud)
            }
        };
        expect("Authority", authority, SCCM)?;
        expect("License", license, SCCM)?;
        expect("iss", iss, &issuer(&self.hierarchy()))?;
        expect("aud", aud, AUDIENCE)
    }
}

#[derive(Deserialize)]
struct Category<'a> {
    #[serde(rename = "SCCMTokenCategory", borrow, default)]
    category: Option<Cow<'a, str>>,
}

/// The issuer of a hierarchy's tokens, `urn:sccm:oauth2:<guid>` in lower case.
#[must_use]
pub fn issuer(hierarchy: &HierarchyId) -> String {
    format!("urn:sccm:oauth2:{hierarchy}")
}

fn expect(claim: &'static str, got: &str, expected: &str) -> Result<(), ClaimsError> {
    if got == expected {
        return Ok(());
    }
    Err(ClaimsError::Unexpected {
        claim,
        got: got.chars().take(128).collect(),
        expected: expected.to_owned(),
    })
}

fn after(now: Timestamp, lifetime: SignedDuration) -> NumericDate {
    NumericDate(now.as_second().saturating_add(lifetime.as_secs()))
}

mod capitals {
    use super::{Deserialize, Deserializer, HierarchyId, Serializer};

    pub(super) fn serialize<S: Serializer>(id: &HierarchyId, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&id.upper())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<HierarchyId, D::Error> {
        HierarchyId::deserialize(deserializer)
    }
}

mod maybe_client {
    use super::{ClientGuid, Cow, Deserialize, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(
        id: &Option<ClientGuid>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match id {
            Some(id) => serializer.collect_str(id),
            None => serializer.serialize_str(""),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<ClientGuid>, D::Error> {
        match Cow::<str>::deserialize(deserializer)?.as_ref() {
            "" => Ok(None),
            text => text.parse().map(Some).map_err(de::Error::custom),
        }
    }
}

/// The audience of every token that the site issues.
pub const AUDIENCE: &str = "urn:sccm:service";
/// How long a CCM token is valid: 8 hours. Documented.
pub const CCM_TOKEN_LIFETIME: SignedDuration = SignedDuration::from_hours(8);
/// How long a client's own token is valid: 90 days. Documented.
pub const CLIENT_TOKEN_LIFETIME: SignedDuration = SignedDuration::from_hours(90 * 24);
/// How old a client's own token grows before it is renewed: 30 days. Documented.
pub const CLIENT_TOKEN_RENEWAL: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How long a bulk registration token is valid unless told otherwise: 4320 minutes. Documented.
pub const DEFAULT_BULK_LIFETIME: SignedDuration = SignedDuration::from_mins(4320);
/// How long a bulk registration token may be valid: 10080 minutes. Documented.
pub const MAX_BULK_LIFETIME: SignedDuration = SignedDuration::from_mins(10080);
const CCM_CATEGORY: &str = "SCCMToken";
const BULK_CATEGORY: &str = "SCCMPreAuthToken";
const BULK_TYPE: &str = "BulkRegistration";
const SCCM: &str = "SCCM";
