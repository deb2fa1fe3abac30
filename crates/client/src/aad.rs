//! Tokens of Azure AD: of the device, else of the user who is logged on (entra §3, §4).

mod codec;
mod failure;
mod prt;

use cmglab_events::kinds::{AadAccount, AadIdentity, ClientEvent, ClientLog};
use cmglab_events::{Role, Source};
use cmglab_net::{Answer, Call};
use cmglab_pki::Identity;
use cmglab_proto::claims::AadClaims;
use cmglab_proto::ids::{AppId, TenantId};
use cmglab_proto::sts::BearerToken;
use secrecy::{ExposeSecret as _, SecretString};

pub use failure::AadRefusal;
pub(crate) use prt::PrtSlot;

use crate::machine::{Machine, UserSession};
use crate::transport::Transport;
use crate::{ClientConfig, ClientError, Sid, Wpj};

/// The apps of a tenant that is onboarded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AadApp {
    pub(crate) tenant: TenantId,
    /// The native app, which asks.
    pub(crate) client_app: AppId,
    /// App ID URI of the server app.
    pub(crate) resource: String,
}

/// A token, and whose it says it is; the client does not verify it, whoever takes it does.
#[derive(Debug)]
pub(crate) struct AadToken {
    pub(crate) token: BearerToken,
    pub(crate) identity: AadIdentity,
}

/// The token service, as one client asks it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Aad<'a> {
    pub(crate) transport: &'a Transport,
    pub(crate) config: &'a ClientConfig,
    pub(crate) prt: &'a PrtSlot,
}

impl Aad<'_> {
    /// A token of the device, else of the user who is logged on. Without a workplace join certificate
    /// nothing is asked at all.
    pub(crate) async fn token(
        &self,
        log: ClientLog,
        app: &AadApp,
        machine: &Machine,
    ) -> Result<AadToken, ClientError> {
        let voice = &self.transport.deps.events;
        let Some(device) = machine.wpj_identity() else {
            let registered = matches!(machine.wpj, Wpj::Registered { .. });
            voice.emit(ClientEvent::WpjCertificateMissing { registered });
            return Err(ClientError::NoWpjCertificate { machine: machine.host_name.clone() });
        };
        let refused = match self.device_token(log, app, device).await {
            Ok(token) => return Ok(token),
            Err(error) => error,
        };
        let Some(session) = &machine.session else { return Err(refused) };
        voice.emit(ClientEvent::FallingBackToUser { log, sid: session.sid.to_string() });
        self.user_token(log, app, session, device).await
    }

    /// A token of the device, against its workplace join certificate.
    async fn device_token(
        &self,
        log: ClientLog,
        app: &AadApp,
        device: &Identity,
    ) -> Result<AadToken, ClientError> {
        let account = AadAccount::Device { endpoint: self.token_url("common") };
        let voice = self.asking(log, app, account);
        let asked = async {
            let nonce = self.nonce().await?;
            let request = codec::device_request(app, &nonce, &self.config.windows_version, device)?;
            let form =
                [("windows_api_version", "2.2"), ("grant_type", codec::JWT_BEARER), ("request", &request)];
            let token = self.post(&voice, &app.tenant.to_string(), &form).await?;
            let device = claims(&token)?.deviceid.ok_or_else(|| unusable("it names no device"))?;
            Ok(AadToken { token, identity: AadIdentity::Device { device } })
        };
        self.tell(&voice, log, &Sid::system(), asked.await)
    }

    /// A token of a user, bound to the device.
    async fn user_token(
        &self,
        log: ClientLog,
        app: &AadApp,
        session: &UserSession,
        device: &Identity,
    ) -> Result<AadToken, ClientError> {
        let voice = self.asking(log, app, AadAccount::User { account: session.account });
        let asked = async {
            let token = self.by_session(&voice, app, session, device).await?;
            let user = claims(&token)?.oid.ok_or_else(|| unusable("it names no user"))?;
            Ok(AadToken { token, identity: AadIdentity::User { user } })
        };
        self.tell(&voice, log, &session.sid, asked.await)
    }

    /// A token for device registration, of the user who joins a device.
    pub(crate) async fn registration_token(
        &self,
        domain: &str,
        upn: &str,
        password: &SecretString,
    ) -> Result<BearerToken, ClientError> {
        let form = [
            ("grant_type", "password"),
            ("client_id", codec::BROKER),
            ("resource", codec::REGISTRATION),
            ("scope", "openid"),
            ("username", upn),
            ("password", password.expose_secret()),
        ];
        self.post(&self.transport.voice(), domain, &form).await
    }

    async fn nonce(&self) -> Result<String, ClientError> {
        let form = [("grant_type", "srv_challenge")];
        let answer = self.send(&self.transport.voice(), "common", &form).await?;
        codec::nonce(&answer.body)
    }

    async fn post(
        &self,
        voice: &Source,
        tenant: &str,
        form: &[(&str, &str)],
    ) -> Result<BearerToken, ClientError> {
        let answer = self.send(voice, tenant, form).await?;
        codec::access_token(&answer.body)
    }

    async fn send(&self, voice: &Source, tenant: &str, form: &[(&str, &str)]) -> Result<Answer, ClientError> {
        let url = self.token_url(tenant);
        let call = Call::new(http::Method::POST, url.clone())
            .body("application/x-www-form-urlencoded", codec::form(form))
            .largest_answer(LARGEST_ANSWER);
        let answer = self.transport.send(voice, &call).await;
        let answer = answer.map_err(|call| ClientError::Unanswered { hop: Role::Aad, url, call })?;
        if answer.status == 200 { Ok(answer) } else { Err(codec::refusal(&answer).into()) }
    }

    fn token_url(&self, tenant: &str) -> String {
        format!("https://{}/{tenant}/oauth2/token", self.config.login_host)
    }

    fn asking(&self, log: ClientLog, app: &AadApp, account: AadAccount) -> Source {
        let voice = self.transport.voice();
        let (client_app, resource) = (app.client_app, app.resource.clone());
        voice.emit(ClientEvent::AadTokenRequested { log, client_app, resource, account });
        voice
    }

    fn tell(
        &self,
        voice: &Source,
        log: ClientLog,
        sid: &Sid,
        asked: Result<AadToken, ClientError>,
    ) -> Result<AadToken, ClientError> {
        voice.emit(match &asked {
            Ok(token) => ClientEvent::AadTokenRetrieved { log, identity: token.identity },
            Err(error) => {
                let (details, hresult) = failure::as_windows_says(error);
                ClientEvent::AadTokenFailed { log, sid: sid.to_string(), details, hresult }
            }
        });
        asked
    }
}

fn claims(token: &BearerToken) -> Result<AadClaims, ClientError> {
    let (_header, claims) = cmglab_token::peek(token.expose())?;
    serde_json::from_value(claims).map_err(|error| unusable(&error.to_string()))
}

fn unusable(reason: &str) -> ClientError {
    ClientError::answer(Role::Aad, "a token", reason)
}

const LARGEST_ANSWER: usize = 256 * 1024;
