//! A client: its key, its certificate and the messages it sends.

use std::sync::LazyLock;

use aws_lc_rs::rsa::KeyPair;
use cmglab_pki::{Identity, KeyKind, Overrides, PrivateKey, Profiles, registration};
use cmglab_proto::ccm::registration::{
    AgentInformation, Certificates, ClientRegistrationRequest, ClientRegistrationResponse, RegistrationData,
    RequestType,
};
use cmglab_proto::ccm::sign::HashAlgorithm;
use cmglab_proto::ccm::{self, Endpoint, Limits, Msg, Reply};
use cmglab_proto::ids::ClientGuid;

use crate::lab::{Answer, Ask, Lab, NOW};

pub(crate) const MESSAGES: &str = "/ccm_system_tokenauth/request";

pub(crate) static KEY: LazyLock<PrivateKey> =
    LazyLock::new(|| PrivateKey::generate(KeyKind::Rsa2048).unwrap());
pub(crate) static OTHER_KEY: LazyLock<PrivateKey> =
    LazyLock::new(|| PrivateKey::generate(KeyKind::Rsa2048).unwrap());

/// What a client registers with.
pub(crate) struct Client {
    pub(crate) certificate: Vec<u8>,
    key: KeyPair,
}

impl Client {
    pub(crate) fn new(lab: &Lab) -> Self {
        Self::with(lab, &KEY, Overrides::default())
    }

    pub(crate) fn with(lab: &Lab, key: &PrivateKey, overrides: Overrides) -> Self {
        let now = NOW.parse().unwrap();
        let identity =
            registration::certificate_with(&Profiles::builtin(), &overrides, key, now, &lab.ids).unwrap();
        Self::of(&identity)
    }

    pub(crate) fn of(identity: &Identity) -> Self {
        Self {
            certificate: identity.leaf().to_vec(),
            key: KeyPair::from_pkcs8(identity.key().pkcs8_der()).unwrap(),
        }
    }

    pub(crate) fn data(&self, smsid: Option<ClientGuid>) -> RegistrationData {
        let certificates =
            Certificates { signing: self.certificate.clone(), encryption: self.certificate.clone() };
        RegistrationData {
            request_type: RequestType::Registration,
            smsid,
            hash_algorithm: HashAlgorithm::Sha256,
            timestamp: NOW.parse().unwrap(),
            agent: AgentInformation {
                identity: "CCMSetup.exe".to_owned(),
                version: "5.00.9128.1000".to_owned(),
                agent_type: 0,
            },
            certificates: Some(certificates),
            properties: vec![
                ("Netbios Name".to_owned(), "LABPC1".to_owned()),
                ("FQ Name".to_owned(), "labpc1.lab.test".to_owned()),
            ],
            registration_hint: None,
        }
    }

    pub(crate) fn request(&self, smsid: Option<ClientGuid>) -> String {
        self.signed(self.data(smsid))
    }

    pub(crate) fn signed(&self, data: RegistrationData) -> String {
        ClientRegistrationRequest::sign(data, &self.key).unwrap().to_xml()
    }
}

/// A message with this document.
pub(crate) fn message(lab: &Lab, endpoint: Endpoint, payload: &str) -> ccm::Request {
    let mut msg = Msg::new(lab.ids.guid().into(), endpoint, NOW.parse().unwrap());
    msg.reply_to = "direct:LABPC1:SccmMessaging".to_owned();
    ccm::Request::new(msg, payload)
}

pub(crate) fn ask(message: &ccm::Request, token: &str) -> Ask {
    let (content_type, body) = message.encode();
    raw(content_type, body, token)
}

pub(crate) fn raw(content_type: String, body: Vec<u8>, token: &str) -> Ask {
    Ask::new(ccm::METHOD, MESSAGES).bearer(token).header(http::header::CONTENT_TYPE, &content_type).body(body)
}

/// The document of a reply, which must be one that every public client can read.
pub(crate) fn document(answer: &Answer) -> String {
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header(http::header::CONTENT_LENGTH), answer.body.len().to_string());
    let content_type = answer.header(http::header::CONTENT_TYPE);
    Reply::decode(content_type, &answer.body, &Limits::default()).unwrap().payload
}

pub(crate) async fn register(lab: &Lab, payload: &str, token: &str) -> ClientRegistrationResponse {
    let answer = lab.send(ask(&message(lab, Endpoint::ClientRegistration, payload), token)).await;
    ClientRegistrationResponse::parse(&document(&answer), &Limits::default()).unwrap()
}

/// Checks that a message was dropped: 200, no body, and a length that says so.
pub(crate) fn assert_dropped(answer: &Answer) {
    assert_eq!((answer.status, answer.body.len()), (200, 0));
    assert_eq!(answer.header(http::header::CONTENT_LENGTH), "0");
}
