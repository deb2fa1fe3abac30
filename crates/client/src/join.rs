//! Joining a device to Azure AD, or registering it (entra §1.6, §2.1, §2.2).
//!
//! Fidelity: documented. The user who joins signs in by password; the device makes a key and asks for the
//! workplace join certificate of that key.

use aws_lc_rs::rsa::{PublicKey, PublicKeyComponents};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cmglab_events::Role;
use cmglab_events::kinds::ClientEvent;
use cmglab_net::{Answer, Call};
use cmglab_pki::{Identity, KeyKind, PrivateKey, wpj};
use cmglab_proto::ids::DeviceId;
use cmglab_proto::wpj::JoinType;
use http::Method;
use http::header::USER_AGENT;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::machine::{Machine, device_id};
use crate::{Client, ClientError, Wpj};

impl Client {
    /// Joins the device ([`JoinType::Join`]) or registers it ([`JoinType::Register`]) as the user `upn`.
    /// Joining leaves a workplace join certificate; registering leaves none that gets a device token.
    ///
    /// # Errors
    /// [`ClientError`] with the hop that failed.
    pub async fn join(
        &mut self,
        join_type: JoinType,
        upn: &str,
        password: &SecretString,
    ) -> Result<DeviceId, ClientError> {
        match self.enrol(join_type, upn, password).await {
            Ok(identity) => {
                let device = device_id(&identity)?;
                let joined = join_type != JoinType::Register;
                if joined {
                    self.machine.keep(identity, &self.folder)?;
                } else {
                    self.machine.forget(Wpj::Registered { device_id: device }, &self.folder)?;
                }
                self.transport.deps.events.emit(ClientEvent::Joined { device, joined });
                Ok(device)
            }
            Err(error) => {
                self.transport.deps.events.emit(ClientEvent::JoinFailed { cause: error.to_string() });
                Err(error)
            }
        }
    }

    async fn enrol(
        &self,
        join_type: JoinType,
        upn: &str,
        password: &SecretString,
    ) -> Result<Identity, ClientError> {
        let token = self.aad().registration_token(&self.machine.domain, upn, password).await?;
        let key = rsa_key().await?;
        let request = request(&self.machine, join_type, &key, &self.config.windows_version)?;
        let url =
            format!("https://{}/EnrollmentServer/device/?api-version=2.0", self.config.registration_host);
        let call = Call::new(Method::POST, url.clone())
            .header(USER_AGENT, &format!("Dsreg/10.0 (Windows {})", self.config.windows_version))
            .bearer(token.expose())
            .body("application/json", request)
            .largest_answer(LARGEST_ANSWER);
        let answer = self.transport.send(&self.transport.voice(), &call).await;
        let answer =
            answer.map_err(|call| ClientError::Unanswered { hop: Role::Aad, url: url.clone(), call })?;
        if answer.status != 200 {
            return Err(refused(url, &answer));
        }
        certificate(&answer.body, key)
    }
}

/// A new RSA key, made off the threads that serve requests.
pub(crate) async fn rsa_key() -> Result<PrivateKey, ClientError> {
    let made = tokio::task::spawn_blocking(|| PrivateKey::generate(KeyKind::Rsa2048)).await;
    Ok(made.map_err(|_| ClientError::Crypto { doing: "making a key" })??)
}

fn request(
    machine: &Machine,
    join_type: JoinType,
    key: &PrivateKey,
    windows_version: &str,
) -> Result<String, ClientError> {
    let data = STANDARD.encode(wpj::certificate_request(key)?);
    let request = JoinRequest {
        certificate_request: CertificateRequest { kind: "pkcs10", data },
        // One key serves for both, as with other clients that keep no session key.
        transport_key: STANDARD.encode(bcrypt_blob(key)?),
        target_domain: &machine.domain,
        device_type: "Windows",
        os_version: windows_version,
        device_display_name: &machine.host_name,
        join_type,
        attributes: Attributes { reuse_device: "true", return_client_sid: "true", shared_device: "false" },
    };
    serde_json::to_string(&request)
        .map_err(|error| ClientError::Storage { file: "join request".to_owned(), reason: error.to_string() })
}

/// A BCRYPT_RSAKEY_BLOB of the public key: magic, then little-endian bit length and sizes of exponent,
/// modulus and the two primes (none here), then exponent and modulus, big-endian.
fn bcrypt_blob(key: &PrivateKey) -> Result<Vec<u8>, ClientError> {
    let failed = || ClientError::Crypto { doing: "writing a public key" };
    let key = PublicKey::from_der(key.spki_der()).map_err(|_| failed())?;
    let PublicKeyComponents { n, e }: PublicKeyComponents<Vec<u8>> = (&key).into();
    let mut blob = b"RSA1".to_vec();
    for word in [n.len() * 8, e.len(), n.len(), 0, 0] {
        blob.extend(u32::try_from(word).map_err(|_| failed())?.to_le_bytes());
    }
    blob.extend(e);
    blob.extend(n);
    Ok(blob)
}

/// The certificate of the answer, which must be for the key that was sent.
fn certificate(body: &[u8], key: PrivateKey) -> Result<Identity, ClientError> {
    let unusable = |reason: String| ClientError::answer(Role::Aad, "a workplace join certificate", reason);
    let answer: JoinAnswer = serde_json::from_slice(body).map_err(|error| unusable(error.to_string()))?;
    let der = STANDARD.decode(answer.certificate.raw_body).map_err(|error| unusable(error.to_string()))?;
    let identity = Identity::new(vec![der], key);
    if identity.certificate()?.spki_der != identity.key().spki_der() {
        return Err(unusable("it is for another key".to_owned()));
    }
    Ok(identity)
}

fn refused(url: String, answer: &Answer) -> ClientError {
    let body: JoinRefusal = serde_json::from_slice(&answer.body).unwrap_or_default();
    let detail: String = body.message.chars().filter(|char| !char.is_control()).take(512).collect();
    let reason = if detail.is_empty() { answer.reason.clone() } else { detail };
    ClientError::Refused { hop: Role::Aad, url, status: answer.status, reason }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct JoinRequest<'a> {
    certificate_request: CertificateRequest,
    transport_key: String,
    target_domain: &'a str,
    device_type: &'static str,
    #[serde(rename = "OSVersion")]
    os_version: &'a str,
    device_display_name: &'a str,
    join_type: JoinType,
    #[serde(rename = "attributes")]
    attributes: Attributes,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct CertificateRequest {
    #[serde(rename = "Type")]
    kind: &'static str,
    data: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Attributes {
    reuse_device: &'static str,
    return_client_sid: &'static str,
    shared_device: &'static str,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct JoinAnswer {
    certificate: AnsweredCertificate,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AnsweredCertificate {
    raw_body: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct JoinRefusal {
    message: String,
}

const LARGEST_ANSWER: usize = 256 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_has_the_documented_members() {
        let machine = Machine {
            host_name: "PC1".to_owned(),
            tenant: "0fdd4c0a-6d7e-4c93-9b2b-1f0f0d1c2b3a".parse().unwrap(),
            domain: "lab.test".to_owned(),
            wpj: Wpj::None,
            session: None,
            folder: std::path::PathBuf::new(),
        };
        let key = PrivateKey::generate(KeyKind::Rsa2048).unwrap();
        let text = request(&machine, JoinType::Join, &key, "10.0.22631.0").unwrap();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(json["CertificateRequest"]["Type"], "pkcs10");
        assert_eq!((&json["JoinType"], &json["TargetDomain"]), (&0.into(), &"lab.test".into()));
        assert_eq!((&json["OSVersion"], &json["DeviceDisplayName"]), (&"10.0.22631.0".into(), &"PC1".into()));
        assert_eq!(json["attributes"]["ReuseDevice"], "true");
        let blob = STANDARD.decode(json["TransportKey"].as_str().unwrap()).unwrap();
        assert_eq!(blob.len(), 24 + 3 + 256);
        assert_eq!(&blob[..8], b"RSA1\x00\x08\x00\x00");
        assert_eq!(&blob[24..27], [1, 0, 1]);
    }

    #[test]
    fn a_certificate_for_another_key_is_refused() {
        let (now, ids) = ("2026-03-01T12:00:00Z".parse().unwrap(), cmglab_ids::Ids::seeded(1));
        let profiles = cmglab_pki::Profiles::builtin();
        let (key, other) = [(); 2].map(|()| PrivateKey::generate(KeyKind::Rsa2048).unwrap()).into();
        let made = cmglab_pki::registration::certificate(&profiles, &key, now, &ids).unwrap();
        let body = format!(r#"{{"Certificate":{{"RawBody":"{}"}}}}"#, STANDARD.encode(made.leaf()));
        assert!(certificate(body.as_bytes(), key).is_ok());
        assert!(matches!(certificate(body.as_bytes(), other), Err(ClientError::Answer { .. })));
        assert!(certificate(b"{}", PrivateKey::generate(KeyKind::P256).unwrap()).is_err());
    }
}
