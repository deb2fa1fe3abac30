//! The primary refresh token of the user who is logged on, and its use (entra §4.2, §4.3).
//!
//! Fidelity: documented and observed. Windows gets it when the user logs on and keeps it with the session
//! key in its token broker; here it is got when it is first needed, by the password of the session, and
//! kept in memory.

use std::sync::{Mutex, PoisonError};

use cmglab_events::Role;
use cmglab_net::Answer;
use cmglab_pki::Identity;
use cmglab_proto::sts::BearerToken;
use cmglab_token::session::{KdfVersion, SessionKey};
use cmglab_token::{jwe, session_jws};
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::Map;

use super::{Aad, AadApp, codec};
use crate::ClientError;
use crate::machine::UserSession;

/// The primary refresh token of one user on one device.
#[derive(Clone)]
pub(super) struct Prt {
    upn: String,
    device: Vec<u8>,
    token: SecretString,
    key: SessionKey,
    expires: Timestamp,
}

/// Where it is kept while the session lasts.
#[derive(Default)]
pub(crate) struct PrtSlot(Mutex<Option<Prt>>);

impl PrtSlot {
    fn get(&self, upn: &str, device: &Identity, now: Timestamp) -> Option<Prt> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        kept.filter(|prt| prt.upn == upn && prt.device == device.leaf() && now < prt.expires)
    }

    fn set(&self, prt: Option<Prt>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = prt;
    }
}

impl std::fmt::Debug for PrtSlot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PrtSlot").finish_non_exhaustive()
    }
}

impl Aad<'_> {
    /// A token of the user who is logged on, bound to the device. A primary refresh token that has ended is
    /// got anew, once; what else is refused would be refused again.
    pub(super) async fn by_session(
        &self,
        voice: &cmglab_events::Source,
        app: &AadApp,
        session: &UserSession,
        device: &Identity,
    ) -> Result<BearerToken, ClientError> {
        let now = self.transport.deps.clock.now();
        if let Some(prt) = self.prt.get(&session.upn, device, now) {
            match self.redeem(voice, app, &prt).await {
                Err(ClientError::Aad(refusal)) if refusal.code.is_some_and(|code| ENDED.contains(&code)) => {
                    self.prt.set(None);
                }
                other => return other,
            }
        }
        let prt = self.log_on(voice, app, session, device).await?;
        self.prt.set(Some(prt.clone()));
        self.redeem(voice, app, &prt).await
    }

    /// Gets a primary refresh token, with the key of the session wrapped for this device.
    async fn log_on(
        &self,
        voice: &cmglab_events::Source,
        app: &AadApp,
        session: &UserSession,
        device: &Identity,
    ) -> Result<Prt, ClientError> {
        let payload = PrtRequest {
            client_id: codec::SIGN_IN,
            request_nonce: &self.nonce().await?,
            scope: "openid aza ugs",
            win_ver: &self.config.windows_version,
            grant_type: "password",
            username: &session.upn,
            password: session.password.expose_secret(),
        };
        let request = codec::sign(None, &payload, device)?;
        let form = [
            ("windows_api_version", "2.2"),
            ("grant_type", codec::JWT_BEARER),
            ("request", &request),
            ("client_info", "1"),
            ("tgt", "true"),
        ];
        let answer = self.send(voice, &app.tenant.to_string(), &form).await?;
        let answer: PrtAnswer = codec::read(&answer.body, "a primary refresh token")?;
        let lifetime = SignedDuration::from_secs(answer.refresh_token_expires_in.min(MOST_SECONDS));
        let now = self.transport.deps.clock.now();
        Ok(Prt {
            upn: session.upn.clone(),
            device: device.leaf().to_vec(),
            key: jwe::unwrap_session_key(&answer.session_key_jwe, device.key().pkcs8_der())?,
            token: answer.refresh_token.into(),
            expires: now.saturating_add(lifetime).unwrap_or(Timestamp::MAX),
        })
    }

    /// Trades the primary refresh token for a token, by a request signed with a key derived from the
    /// session's; the answer is encrypted with another.
    async fn redeem(
        &self,
        voice: &cmglab_events::Source,
        app: &AadApp,
        prt: &Prt,
    ) -> Result<BearerToken, ClientError> {
        let client_id = app.client_app.to_string();
        let payload = Redemption {
            refresh_token: prt.token.expose_secret(),
            grant_type: "refresh_token",
            client_id: &client_id,
            resource: &app.resource,
            scope: "openid",
            request_nonce: &self.nonce().await?,
            redirect_uri: codec::broker_redirect(&client_id),
            iss: "aad:brokerplugin",
            aud: &self.config.login_host,
            win_ver: &self.config.windows_version,
        };
        let ctx = self.transport.deps.ids.bytes::<CONTEXT>();
        let request = session_jws::sign(&payload, &prt.key, &ctx, KdfVersion::V2, &Map::new())?;
        let form = [("windows_api_version", "2.2"), ("grant_type", codec::JWT_BEARER), ("request", &request)];
        let answer = self.send(voice, &app.tenant.to_string(), &form).await?;
        codec::access_token(&opened(&answer, &prt.key)?)
    }
}

/// The JSON of an answer that is encrypted for the session.
fn opened(answer: &Answer, key: &SessionKey) -> Result<Vec<u8>, ClientError> {
    let text = std::str::from_utf8(&answer.body)
        .map_err(|error| ClientError::answer(Role::Aad, "an encrypted answer", error))?;
    Ok(jwe::open(text.trim(), key)?)
}

#[derive(Serialize)]
struct PrtRequest<'a> {
    client_id: &'static str,
    request_nonce: &'a str,
    scope: &'static str,
    win_ver: &'a str,
    grant_type: &'static str,
    username: &'a str,
    password: &'a str,
}

#[derive(Deserialize)]
struct PrtAnswer {
    refresh_token: String,
    refresh_token_expires_in: i64,
    session_key_jwe: String,
}

#[derive(Serialize)]
struct Redemption<'a> {
    refresh_token: &'a str,
    grant_type: &'static str,
    client_id: &'a str,
    resource: &'a str,
    scope: &'static str,
    request_nonce: &'a str,
    redirect_uri: String,
    iss: &'static str,
    aud: &'a str,
    win_ver: &'a str,
}

/// The token is revoked, too old, not known, or its sign-in is too long ago.
const ENDED: [u32; 4] = [50173, 700_082, 70000, 70043];
/// In bytes.
const CONTEXT: usize = 24;
/// A year.
const MOST_SECONDS: i64 = 365 * 86_400;
