//! The installed agent: messages to the management point, location refresh, renewal of its token.

mod ddr;
mod registration;

use cmglab_events::kinds::{ClientEvent, ClientLog, CrlCheckBy, HttpCaller, StsServer};
use cmglab_pki::{Identity, PrivateKey};
use cmglab_proto::ccm::location::SiteInfo;
use cmglab_proto::ccm::{Endpoint, Reply, ReplyMode};
use cmglab_proto::ids::{ClientGuid, MessageId};
use cmglab_proto::sts::BearerToken;

use crate::assignment::Assignment;
use crate::cmg::{Proof, Speaker};
use crate::error::TRANSIENT;
use crate::location::Asker;
use crate::messaging::Mail;
use crate::sts::TokenRequest;
use crate::token_cache::CcmToken;
use crate::{Client, ClientError, Sid};

pub use registration::Registration;

/// A message of the agent, signed by the registered client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The endpoint it is for.
    pub endpoint: Endpoint,
    /// The document.
    pub payload: String,
    /// Further documents, each a name and a text.
    pub attachments: Vec<(String, String)>,
    /// Whether the reply is wanted in the same exchange.
    pub mode: ReplyMode,
}

impl Message {
    /// A message that wants its reply at once.
    #[must_use]
    pub fn sync(endpoint: Endpoint, payload: impl Into<String>) -> Self {
        Self { endpoint, payload: payload.into(), attachments: Vec::new(), mode: ReplyMode::Sync }
    }
}

impl Client {
    /// Sends a message with a CCM token, which is renewed first when it is due. `None` is the empty
    /// answer to a message that wants no reply.
    ///
    /// # Errors
    /// [`ClientError::NotRegistered`]; else [`ClientError`] with the hop that failed.
    pub async fn send_message(&mut self, message: &Message) -> Result<Option<Reply>, ClientError> {
        let (client, identity) = self.registered()?;
        let token = self.fresh_token().await?;
        self.mail(message, Proof::Ccm(&token), Some((client, identity.key()))).await
    }

    /// Sends a heartbeat: a discovery record, to which there is no reply (mp-wire §7.1).
    ///
    /// # Errors
    /// As [`Client::send_message`].
    pub async fn heartbeat(&mut self) -> Result<(), ClientError> {
        let (client, _) = self.registered()?;
        let assignment = self.installed()?;
        let message =
            ddr::heartbeat(client, &assignment.version, &self.machine, self.transport.deps.clock.now());
        self.send_message(&message).await.map(|_none| ())
    }

    /// Asks the management point about the site again and takes over its settings, of which one decides
    /// whether certificates are checked for revocation from the next message on.
    ///
    /// # Errors
    /// [`ClientError::NotInstalled`]; else [`ClientError`] with the hop that failed; the old settings then
    /// stay.
    pub async fn refresh_location(&mut self) -> Result<SiteInfo, ClientError> {
        let server = self.installed()?.ccm_host_name.clone();
        let asked = self.ask_site().await;
        let site = match asked {
            Ok(site) => site,
            Err(error) => {
                self.say(ClientEvent::LocationRefreshFailed { server, hresult: TRANSIENT });
                return Err(error);
            }
        };
        let mut assignment = self.installed()?.clone();
        if assignment.management_point != site.default_mp {
            assignment.management_point.clone_from(&site.default_mp);
            self.remember(assignment)?;
        }
        if let Some(settings) = site.settings {
            let on = settings.clients_check_crl;
            self.transport.deps.store.check_crl(on);
            self.say(ClientEvent::CrlCheckSet { on, by: CrlCheckBy::Site });
        }
        Ok(site)
    }

    async fn ask_site(&mut self) -> Result<SiteInfo, ClientError> {
        let token = self.fresh_token().await?;
        let assignment = self.installed()?;
        let asker = Asker {
            transport: &self.transport,
            speaker: MESSAGING,
            log: ClientLog::LocationServices,
            name: &assignment.ccm_host_name,
            token: &token,
            host_name: &self.machine.host_name,
            domain: &self.machine.domain,
        };
        asker.site(assignment.site_code).await
    }

    /// The cached CCM token, renewed when it expires within the configured margin or does not open.
    async fn fresh_token(&mut self) -> Result<BearerToken, ClientError> {
        let (sid, now) = (Sid::system(), self.transport.deps.clock.now());
        match self.cache.load(&sid)? {
            Ok(Some(token)) if !token.is_due(now, self.config.renew_before) => return Ok(token.token),
            Ok(Some(token)) => self.say(ClientEvent::CcmTokenExpiring {
                log: ClientLog::CcmMessaging,
                sid: sid.to_string(),
                expires: token.expires,
            }),
            Ok(None) => {}
            Err(fault) => {
                self.say(ClientEvent::CachedTokenUnreadable {
                    sid: sid.to_string(),
                    cause: fault.to_string(),
                });
                self.cache.remove(&sid)?;
            }
        }
        Ok(self.renew(ClientLog::CcmMessaging, StsServer::Url).await?.token)
    }

    /// A new CCM token against a new token of Azure AD.
    async fn renew(&mut self, log: ClientLog, server: StsServer) -> Result<CcmToken, ClientError> {
        let assignment = self.installed()?;
        let app = assignment.app();
        let asked = self.aad().token(ClientLog::AdalOperationProvider, &app, &self.machine).await;
        if asked.is_err() {
            self.say(ClientEvent::NoAccessToken { log });
        }
        let aad = asked?.token;
        let name = &assignment.ccm_host_name;
        TokenRequest { log, server, name, aad: &aad }.send(&self.transport, &self.cache).await
    }

    /// Sends one message and tells how it went.
    async fn mail(
        &self,
        message: &Message,
        proof: Proof<'_>,
        signed_by: Option<(ClientGuid, &PrivateKey)>,
    ) -> Result<Option<Reply>, ClientError> {
        let name = &self.installed()?.ccm_host_name;
        let (voice, id) = (self.transport.voice(), MessageId::new(self.transport.deps.ids.guid()));
        voice.emit(ClientEvent::MessageSending {
            message: id,
            server: name.clone(),
            endpoint: message.endpoint.to_string(),
            sid: Sid::system().to_string(),
        });
        let attachments: Vec<_> =
            message.attachments.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        let mail = Mail {
            id,
            name,
            proof,
            endpoint: message.endpoint.clone(),
            payload: &message.payload,
            attachments: &attachments,
            mode: message.mode,
            sender: &self.machine.host_name,
            signed_by,
        };
        let sent = self.transport.post(&voice, MESSAGING, &mail).await;
        voice.emit(match &sent {
            Ok(reply) => {
                let reply = reply.as_ref().map(|reply| reply.msg.id);
                ClientEvent::MessageAnswered { message: id, reply }
            }
            Err(error) => {
                let hresult = match error {
                    ClientError::NoReply { .. } => error.hresult(),
                    _ => TRANSIENT,
                };
                ClientEvent::MessageFailed { url: mail.url(), hresult }
            }
        });
        sent
    }

    fn installed(&self) -> Result<&Assignment, ClientError> {
        self.assignment.as_ref().ok_or(ClientError::NotInstalled)
    }

    fn registered(&self) -> Result<(ClientGuid, Identity), ClientError> {
        let client = self.installed()?.client().ok_or(ClientError::NotRegistered)?;
        let identity = registration::recall(&self.folder)?.ok_or(ClientError::NotRegistered)?;
        Ok((client, identity))
    }
}

const MESSAGING: Speaker = Speaker { log: ClientLog::CcmMessaging, caller: HttpCaller::CcmHttp };
