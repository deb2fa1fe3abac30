//! CCM tokens: asked for against a token of Azure AD, read as far as the client needs, and cached.

use cmglab_events::kinds::{ClientEvent, ClientLog, HttpCaller, StsServer};
use cmglab_events::{Role, Source};
use cmglab_proto::claims::SiteClaims;
use cmglab_proto::sts::{self, BearerToken};
use cmglab_proto::url::CcmHostName;

use crate::cmg::{CmgRequest, Proof, Speaker};
use crate::token_cache::{CcmToken, TokenCache};
use crate::transport::Transport;
use crate::{ClientError, Sid};

/// A request for a CCM token. Whatever the log says of the server, the CMG is asked.
#[derive(Debug)]
pub(crate) struct TokenRequest<'a> {
    pub(crate) log: ClientLog,
    /// The server as the log names it.
    pub(crate) server: StsServer,
    /// The CMG and the management point that are asked.
    pub(crate) name: &'a CcmHostName,
    pub(crate) aad: &'a BearerToken,
}

impl TokenRequest<'_> {
    /// Asks, and keeps the token for the machine's account.
    pub(crate) async fn send(
        &self,
        transport: &Transport,
        cache: &TokenCache,
    ) -> Result<CcmToken, ClientError> {
        let (voice, log) = (transport.voice(), self.log);
        match self.ask(transport, &voice).await {
            Ok(token) => {
                let sid = Sid::system();
                cache.store(&sid, &token)?;
                let CcmToken { expires, client, .. } = token;
                voice.emit(ClientEvent::CcmTokenCached { log, sid: sid.to_string(), expires, client });
                Ok(token)
            }
            Err(error) => {
                voice.emit(ClientEvent::CcmTokenFailed { log, hresult: error.hresult() });
                voice.emit(ClientEvent::NoAccessToken { log });
                Err(error)
            }
        }
    }

    async fn ask(&self, transport: &Transport, voice: &Source) -> Result<CcmToken, ClientError> {
        let path = format!("{}{}", self.name.server_auth_path(), sts::PATH);
        let caller = match self.log {
            ClientLog::CcmSetup => HttpCaller::SmsCcm,
            _ => HttpCaller::CcmHttp,
        };
        let request = CmgRequest {
            proof: Proof::Aad(self.aad),
            announced: false,
            ..CmgRequest::get(self.name.host(), path)
        };
        let (log, server) = (self.log, self.server.clone());
        voice.emit(ClientEvent::CcmTokenRequested { log, server, url: request.url() });
        let answer = transport.ask_cmg(voice, Speaker { log, caller }, &request).await?;
        read(sts::read_answer(&answer.headers, &answer.body).map_err(|error| ClientError::sts(&error))?)
    }
}

/// Looks up what the client needs to know. It has no key to verify the token with; whoever takes it has.
fn read(token: BearerToken) -> Result<CcmToken, ClientError> {
    let (_header, claims) = cmglab_token::peek(token.expose())?;
    let claims =
        SiteClaims::parse(claims.to_string().as_bytes()).map_err(|error| ClientError::claims(&error))?;
    let SiteClaims::Ccm(claims) = claims else {
        return Err(unusable("it is a bulk registration token"));
    };
    let expires = claims.exp.timestamp().ok_or_else(|| unusable("it expires at no date"))?;
    Ok(CcmToken { token, expires, client: claims.device })
}

fn unusable(reason: &str) -> ClientError {
    ClientError::answer(Role::ManagementPoint, "a CCM token", reason)
}
