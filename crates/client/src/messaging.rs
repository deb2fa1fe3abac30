//! CCM messages of the client, over `ccm_system_tokenauth` (mp-wire §1, §2).

use cmglab_events::Source;
use cmglab_pki::PrivateKey;
use cmglab_proto::ccm::sign::{PublicKey, Signer};
use cmglab_proto::ccm::{self, CcmError, Endpoint, Limits, Msg, Reply, ReplyMode, Request, SourceId};
use cmglab_proto::ids::{ClientGuid, MessageId};
use cmglab_proto::url::CcmHostName;
use http::Method;
use http::header::CONTENT_TYPE;

use crate::ClientError;
use crate::cmg::{CmgRequest, Proof, Speaker};
use crate::transport::Transport;

/// One message on its way.
#[derive(Debug)]
pub(crate) struct Mail<'a> {
    pub(crate) id: MessageId,
    /// The CMG and the management point that it goes to.
    pub(crate) name: &'a CcmHostName,
    pub(crate) proof: Proof<'a>,
    pub(crate) endpoint: Endpoint,
    pub(crate) payload: &'a str,
    pub(crate) attachments: &'a [(&'a str, &'a str)],
    pub(crate) mode: ReplyMode,
    /// The computer's NetBIOS name.
    pub(crate) sender: &'a str,
    /// A registered client, and the key it signs with.
    pub(crate) signed_by: Option<(ClientGuid, &'a PrivateKey)>,
}

impl Mail<'_> {
    /// Where it goes.
    pub(crate) fn url(&self) -> String {
        format!("https://{}{}", self.name.host(), self.path())
    }

    fn path(&self) -> String {
        format!("{}{REQUEST_PATH}", self.name.server_auth_path())
    }
}

impl Transport {
    /// Sends a message; `None` is the empty answer that an asynchronous one gets.
    pub(crate) async fn post(
        &self,
        voice: &Source,
        speaker: Speaker,
        mail: &Mail<'_>,
    ) -> Result<Option<Reply>, ClientError> {
        let message = self.message(mail).map_err(ClientError::Message)?;
        let request = CmgRequest {
            method: Method::from_bytes(ccm::METHOD.as_bytes()).unwrap_or(Method::POST),
            proof: mail.proof,
            body: Some(message.encode()),
            user_agent: ccm::USER_AGENT,
            largest_answer: LARGEST_REPLY,
            ..CmgRequest::get(mail.name.host(), mail.path())
        };
        let answer = self.ask_cmg(voice, speaker, &request).await?;
        if answer.body.is_empty() {
            return match mail.mode {
                ReplyMode::Async => Ok(None),
                ReplyMode::Sync => {
                    Err(ClientError::NoReply { url: mail.url(), endpoint: mail.endpoint.to_string() })
                }
            };
        }
        let content_type = answer.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let reply = Reply::decode(content_type.unwrap_or_default(), &answer.body, &Limits::default())
            .map_err(|error| ClientError::reply(&error))?;
        if reply.msg.correlation != mail.id {
            let reason = format!("it answers message {}, not {}", reply.msg.correlation, mail.id);
            return Err(ClientError::answer(cmglab_events::Role::ManagementPoint, "a message", reason));
        }
        Ok(Some(reply))
    }

    fn message(&self, mail: &Mail<'_>) -> Result<Request, CcmError> {
        let client = mail.signed_by.map(|(client, _)| client);
        let mut msg = Msg::new(mail.id, mail.endpoint.clone(), self.deps.clock.now());
        msg.reply_mode = mail.mode;
        msg.reply_to = format!("direct:{}:SccmMessaging", mail.sender);
        msg.source_id = client.map(SourceId::Client);
        mail.sender.clone_into(&mut msg.source_host);
        mail.name.host().clone_into(&mut msg.target_host);
        let mut message = Request::with_attachments(msg, mail.payload, mail.attachments);
        if let Some((client, key)) = mail.signed_by {
            message.sign(&MessageKey(key), mail.sender, Some(client))?;
        }
        Ok(message)
    }
}

/// The key of a registration certificate, as messages are signed with it.
pub(crate) struct MessageKey<'a>(pub(crate) &'a PrivateKey);

impl Signer for MessageKey<'_> {
    fn sign_pkcs1_sha256(&self, message: &[u8]) -> Result<Vec<u8>, CcmError> {
        self.0.sign_rs256(message).map_err(|_| CcmError::CannotSign)
    }

    fn public_key(&self) -> Result<PublicKey, CcmError> {
        PublicKey::from_der(self.0.spki_der())
    }
}

const REQUEST_PATH: &str = "/ccm_system_tokenauth/request";
const LARGEST_REPLY: usize = 2 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use cmglab_pki::KeyKind;
    use cmglab_proto::ccm::sign::{self, HashAlgorithm};

    use super::*;

    #[test]
    fn messages_are_signed_as_the_wire_wants() {
        let key = PrivateKey::generate(KeyKind::Rsa2048).unwrap();
        let signature = sign::sign(&MessageKey(&key), b"payload").unwrap();
        let public = MessageKey(&key).public_key().unwrap();
        assert_eq!(public.verify(HashAlgorithm::Sha256, b"payload", &signature, "it"), Ok(()));
        assert!(public.verify(HashAlgorithm::Sha256, b"other", &signature, "it").is_err());
    }
}
