//! Registration with the site (mp-wire §3).

use cmglab_events::kinds::{ClientEvent, ClientLog, StsServer};
use cmglab_pki::{Identity, PrivateKey};
use cmglab_proto::ccm::registration::{
    AgentInformation, Certificates, RegistrationData, RegistrationStatus, RequestType,
};
use cmglab_proto::ccm::sign::HashAlgorithm;
use cmglab_proto::ccm::{ClientRegistrationRequest, ClientRegistrationResponse, Endpoint, Limits};
use cmglab_proto::ids::ClientGuid;

use super::Message;
use crate::assignment::RegistrationState;
use crate::cmg::Proof;
use crate::folder::Folder;
use crate::join::rsa_key;
use crate::messaging::MessageKey;
use crate::sts::TokenRequest;
use crate::{Client, ClientError};

/// What came of a registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Registration {
    /// Registered, now or before.
    Registered {
        /// The id that the site assigned.
        client: ClientGuid,
        /// Approval status: 3 approved by Azure AD.
        approval: i8,
    },
    /// Not decided; registering again asks how it stands.
    Pending {
        /// The id that the site assigned.
        client: ClientGuid,
    },
    /// The site could not process the request; register again.
    Retry,
    /// Turned away.
    Rejected,
}

impl Client {
    /// Registers with the site by a fresh token of Azure AD, then gets a new CCM token as the registered
    /// client. While a registration is pending it asks how that stands.
    ///
    /// # Errors
    /// [`ClientError::NotInstalled`]; else [`ClientError`] with the hop that failed. A client that is
    /// registered and then gets no CCM token stays registered.
    pub async fn register(&mut self) -> Result<Registration, ClientError> {
        let mut assignment = self.installed()?.clone();
        let (kind, proposed) = match assignment.registration {
            RegistrationState::Registered { client, approval } => {
                self.say(ClientEvent::AlreadyRegistered { client });
                return Ok(Registration::Registered { client, approval });
            }
            RegistrationState::Pending { client } => (RequestType::Confirmation, client),
            RegistrationState::None => {
                let own = || ClientGuid::new(self.transport.deps.ids.guid());
                (RequestType::Registration, assignment.proposed.unwrap_or_else(own))
            }
        };
        self.say(ClientEvent::RegistrationSending { client: proposed });
        self.say(ClientEvent::RegistrationUsesAad);
        let app = assignment.app();
        let aad = self.aad().token(ClientLog::AdalOperationProvider, &app, &self.machine).await?;
        let identity = self.identity().await?;
        let request = self.request(kind, proposed, &assignment.version, &identity)?;
        let message = Message::sync(Endpoint::ClientRegistration, request);
        let reply = self.mail(&message, Proof::Aad(&aad.token), None).await?;
        let reply = reply.map(|reply| reply.payload).unwrap_or_default();
        let answered = answered(&reply)?;
        self.tell(answered);
        assignment.registration = match answered {
            Registration::Registered { client, approval } => {
                RegistrationState::Registered { client, approval }
            }
            Registration::Pending { client } => RegistrationState::Pending { client },
            Registration::Retry | Registration::Rejected => RegistrationState::None,
        };
        let host = assignment.management_point.clone();
        let name = assignment.ccm_host_name.clone();
        self.remember(assignment)?;
        if let Registration::Registered { .. } = answered {
            // The log names the assigned management point; the way there is through the CMG.
            let server = StsServer::ManagementPoint { host };
            let log = ClientLog::ClientIdManagerStartup;
            let request = TokenRequest { log, server, name: &name, aad: &aad.token };
            request.send(&self.transport, &self.cache).await?;
        }
        Ok(answered)
    }

    fn tell(&self, answered: Registration) {
        self.say(match answered {
            Registration::Registered { client, approval } => ClientEvent::Registered { client, approval },
            Registration::Pending { client } => ClientEvent::RegistrationPending { client },
            Registration::Retry => {
                ClientEvent::RegistrationRetry { status: RegistrationStatus::Retry.code() }
            }
            Registration::Rejected => {
                ClientEvent::RegistrationRejected { status: RegistrationStatus::Rejected.code() }
            }
        });
    }

    /// The self-signed certificate to register with, made at the first registration.
    async fn identity(&self) -> Result<Identity, ClientError> {
        if let Some(identity) = recall(&self.folder)? {
            return Ok(identity);
        }
        let key = rsa_key().await?;
        let deps = &self.transport.deps;
        let now = deps.clock.now();
        let identity = cmglab_pki::registration::certificate(&self.profiles, &key, now, &deps.ids)?;
        self.folder.write(KEY, identity.key().pkcs8_der())?;
        self.folder.write(CERTIFICATE, identity.leaf())?;
        Ok(identity)
    }

    fn request(
        &self,
        request_type: RequestType,
        proposed: ClientGuid,
        version: &str,
        identity: &Identity,
    ) -> Result<String, ClientError> {
        let property = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let data = RegistrationData {
            request_type,
            smsid: Some(proposed),
            hash_algorithm: HashAlgorithm::Sha256,
            timestamp: self.transport.deps.clock.now(),
            agent: AgentInformation {
                identity: "CCMSetup.exe".to_owned(),
                version: version.to_owned(),
                agent_type: 0,
            },
            certificates: Some(Certificates {
                signing: identity.leaf().to_vec(),
                encryption: identity.leaf().to_vec(),
            }),
            properties: vec![
                property("Netbios Name", &self.machine.host_name),
                property("FQ Name", &self.machine.fq_name()),
                property("Locale ID", "1033"),
                property("InternetFlag", "1"),
            ],
            registration_hint: None,
        };
        let request = ClientRegistrationRequest::sign(data, &MessageKey(identity.key()));
        Ok(request.map_err(ClientError::Message)?.to_xml())
    }
}

/// The registration certificate of the folder.
pub(super) fn recall(folder: &Folder) -> Result<Option<Identity>, ClientError> {
    let files = (folder.read(CERTIFICATE, LARGEST)?, folder.read(KEY, LARGEST)?);
    let (Some(certificate), Some(key)) = files else { return Ok(None) };
    Ok(Some(Identity::new(vec![certificate], PrivateKey::from_pkcs8_der(&key)?)))
}

fn answered(reply: &str) -> Result<Registration, ClientError> {
    let response = ClientRegistrationResponse::parse(reply, &Limits::default());
    let response = response.map_err(|error| ClientError::reply(&error))?;
    let client = || {
        let missing = "it assigns no id";
        let hop = cmglab_events::Role::ManagementPoint;
        response.smsid.ok_or_else(|| ClientError::answer(hop, "a registration", missing))
    };
    Ok(match response.status {
        RegistrationStatus::Success => {
            Registration::Registered { client: client()?, approval: response.approval.code() }
        }
        RegistrationStatus::Pending => Registration::Pending { client: client()? },
        RegistrationStatus::Retry => Registration::Retry,
        RegistrationStatus::Rejected => Registration::Rejected,
    })
}

const CERTIFICATE: &str = "registration.cer";
const KEY: &str = "registration.key";
const LARGEST: u64 = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_status_has_its_meaning() {
        let client = "GUID:5DD100CD-DF1D-45F5-BA17-A327F43465F8";
        let reply = |status: u8, smsid: &str, approval: i8| {
            format!(
                "<ClientRegistrationResponse ResponseType=\"Registration\" TimeStamp=\"2026-01-02T03:04:06Z\" \
                 Status=\"{status}\"{smsid} ApprovalStatus=\"{approval}\"/>"
            )
        };
        let id = format!(" SMSID=\"{client}\"");
        let guid = client.parse().unwrap();
        assert_eq!(answered(&reply(0, &id, 3)), Ok(Registration::Registered { client: guid, approval: 3 }));
        assert_eq!(answered(&reply(1, &id, 0)), Ok(Registration::Pending { client: guid }));
        assert_eq!(answered(&reply(2, "", -1)), Ok(Registration::Retry));
        assert_eq!(answered(&reply(3, "", -1)), Ok(Registration::Rejected));
        assert!(answered(&reply(0, "", 3)).is_err());
        assert!(answered("<x/>").is_err());
    }
}
