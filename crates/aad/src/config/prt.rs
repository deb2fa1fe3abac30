//! How primary refresh tokens are given out.

use cmglab_token::jwe::AnswerCipher;
use serde::Deserialize;

/// Where clients and documents differ about primary refresh tokens (entra §4.2, §4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PrtOptions {
    /// How answers under a session key are encrypted.
    pub answer_cipher: PrtCipher,
    /// What answers call the type of the token.
    pub token_type: PrtTokenType,
}

/// How answers under a session key are encrypted; their header is the same for both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PrtCipher {
    /// AES-256-CBC under the name of A256GCM, as the real service; observed.
    #[default]
    Cbc,
    /// AES-256-GCM, as the header says.
    Gcm,
}

/// The `token_type` of a primary refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PrtTokenType {
    /// `Bearer`; observed.
    #[default]
    Bearer,
    /// `pop`; documented.
    Pop,
}

impl PrtTokenType {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Bearer => "Bearer",
            Self::Pop => "pop",
        }
    }
}

impl From<PrtCipher> for AnswerCipher {
    fn from(cipher: PrtCipher) -> Self {
        match cipher {
            PrtCipher::Cbc => Self::Cbc,
            PrtCipher::Gcm => Self::Gcm,
        }
    }
}
