//! What a client sends to be registered, and again to ask how that went.

use jiff::Timestamp;

use crate::ccm::msg::{CLIENT, TIME, format_time};
use crate::ccm::payload::utf16;
use crate::ccm::sign::{self, HashAlgorithm, PublicKey, Signer};
use crate::ccm::xml::{self, Element, parse_value};
use crate::ccm::{CcmError, Limits};
use crate::ids::ClientGuid;

/// A registration request: data, and a signature over the data exactly as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientRegistrationRequest {
    data: RegistrationData,
    raw: String,
    signature: String,
}

/// What a client says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistrationData {
    /// Whether this registers or asks after a pending registration.
    pub request_type: RequestType,
    /// The id the client has or proposes; `None` for one that has none yet.
    pub smsid: Option<ClientGuid>,
    /// The hash of the signature.
    pub hash_algorithm: HashAlgorithm,
    /// When it was written, by the client's clock.
    pub timestamp: Timestamp,
    /// The program that registers.
    pub agent: AgentInformation,
    /// The client's certificates; a request that registers always has them.
    pub certificates: Option<Certificates>,
    /// Discovery properties, names and values in their order. `Netbios Name` and `FQ Name` are always
    /// there when a client registers.
    pub properties: Vec<(String, String)>,
    /// The signature of a key that is registered already over the id, in hexadecimal.
    pub registration_hint: Option<String>,
}

/// What the request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestType {
    /// Register this client.
    Registration,
    /// Tell how a pending registration went.
    Confirmation,
}

/// The program that registers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentInformation {
    /// Its name, such as `CCMSetup.exe`.
    pub identity: String,
    /// Its version, such as `5.00.9128.1000`.
    pub version: String,
    /// 0 client, 1 boot media, 2 or 3 device, 4 proxy, 8 client of a proxy.
    pub agent_type: u32,
}

/// The client's X.509 certificates in DER; both may be the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificates {
    /// Verifies what the client signs.
    pub signing: Vec<u8>,
    /// Encrypts what only the client may read.
    pub encryption: Vec<u8>,
}

impl ClientRegistrationRequest {
    /// Writes `data` and signs it.
    ///
    /// # Errors
    ///
    /// [`CcmError::CannotSign`]; [`CcmError::UnsupportedHash`] unless the data declares SHA-256, the only
    /// hash that is signed with.
    pub fn sign(data: RegistrationData, key: &dyn Signer) -> Result<Self, CcmError> {
        if data.hash_algorithm != HashAlgorithm::Sha256 {
            return Err(CcmError::UnsupportedHash { oid: "SHA-1".to_owned() });
        }
        let raw = data.to_element().to_xml();
        let signature = sign::sign(key, &utf16(&raw))?;
        Ok(Self { data, raw, signature })
    }

    /// Reads the payload of a request. The signature is read, not verified.
    ///
    /// # Errors
    ///
    /// What [`xml::parse`] refuses, [`CcmError::WrongRoot`], [`CcmError::Missing`],
    /// [`CcmError::BadValue`], [`CcmError::UnsupportedHash`]; [`CcmError::Ambiguous`] when the text holds
    /// a second `<Data>`, wherever it is.
    pub fn parse(text: &str, limits: &Limits) -> Result<Self, CcmError> {
        let root = xml::parse(text, limits)?.expect_root("ClientRegistrationRequest")?;
        let element = root.required("Data")?;
        let raw = raw_data(text, element)?.to_owned();
        let data = RegistrationData::parse(element)?;
        let signature = root.required("Signature")?.required("SignatureValue")?.text().to_owned();
        Ok(Self { data, raw, signature })
    }

    /// The payload of a request, the data in it byte for byte what was signed.
    #[must_use]
    pub fn to_xml(&self) -> String {
        let signature = Element::new("Signature").with_leaf("SignatureValue", &self.signature).to_xml();
        format!("<ClientRegistrationRequest>{}{signature}</ClientRegistrationRequest>", self.raw)
    }

    /// What the client says about itself; believe it after [`Self::verify_signature`].
    #[must_use]
    pub fn data(&self) -> &RegistrationData {
        &self.data
    }

    /// The text of the data as it was written, the bytes under the signature.
    #[must_use]
    pub fn raw_data(&self) -> &str {
        &self.raw
    }

    /// The signature in hexadecimal.
    #[must_use]
    pub fn signature(&self) -> &str {
        &self.signature
    }

    /// Verifies that the holder of `key` wrote the data. Take the key from the signing certificate in the
    /// data, or from the one on record.
    ///
    /// # Errors
    ///
    /// [`CcmError::BadSignature`].
    pub fn verify_signature(&self, key: &PublicKey) -> Result<(), CcmError> {
        key.verify(self.data.hash_algorithm, &utf16(&self.raw), &self.signature, "registration data")
    }
}

impl RegistrationData {
    /// The value of a discovery property.
    #[must_use]
    pub fn property(&self, name: &str) -> Option<&str> {
        self.properties.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn parse(element: &Element) -> Result<Self, CcmError> {
        let request_type = RequestType::from_name(element.required_attribute("RequestType")?)?;
        let certificates = element.child("Certificates")?.map(Certificates::parse).transpose()?;
        if request_type == RequestType::Registration && certificates.is_none() {
            return Err(CcmError::Missing { parent: "Data".to_owned(), name: "Certificates" });
        }
        let hint = element.child_text("RegistrationHint")?;
        Ok(Self {
            request_type,
            smsid: element.parsed_attribute("SMSID", CLIENT)?,
            hash_algorithm: HashAlgorithm::from_oid(element.attribute("HashAlgorithm"))?,
            timestamp: parse_value("TimeStamp", TIME, element.required_attribute("TimeStamp")?)?,
            agent: AgentInformation::parse(element.required("AgentInformation")?)?,
            certificates,
            properties: match element.child("DiscoveryProperties")? {
                Some(properties) => parse_properties(properties)?,
                None => Vec::new(),
            },
            registration_hint: Some(hint).filter(|hint| !hint.is_empty()).map(str::to_owned),
        })
    }

    fn to_element(&self) -> Element {
        let properties = self.properties.iter().map(|(name, value)| {
            Element::new("Property").with_attribute("Name", name).with_attribute("Value", value)
        });
        let hint = self.registration_hint.as_ref();
        Element::new("Data")
            .with_optional("HashAlgorithm", self.hash_algorithm.oid())
            .with_attribute("SMSID", self.smsid.map(|id| id.to_string()).unwrap_or_default())
            .with_attribute("RequestType", self.request_type.as_str())
            .with_attribute("TimeStamp", format_time(self.timestamp))
            .with_child(self.agent.to_element())
            .with_children(self.certificates.as_ref().map(Certificates::to_element))
            .with_child(Element::new("DiscoveryProperties").with_children(properties))
            .with_children(hint.map(|hint| Element::new("RegistrationHint").with_text(hint)))
    }
}

impl RequestType {
    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Registration => "Registration",
            Self::Confirmation => "Confirmation",
        }
    }

    pub(super) fn from_name(name: &str) -> Result<Self, CcmError> {
        [Self::Registration, Self::Confirmation]
            .into_iter()
            .find(|known| known.as_str() == name)
            .ok_or_else(|| CcmError::bad_value("RequestType", "Registration or Confirmation", name))
    }
}

impl AgentInformation {
    fn parse(element: &Element) -> Result<Self, CcmError> {
        Ok(Self {
            identity: element.attribute("AgentIdentity").unwrap_or_default().to_owned(),
            version: element.attribute("AgentVersion").unwrap_or_default().to_owned(),
            agent_type: element.parsed_attribute("AgentType", "a number")?.unwrap_or(0),
        })
    }

    fn to_element(&self) -> Element {
        Element::new("AgentInformation")
            .with_attribute("AgentIdentity", &self.identity)
            .with_attribute("AgentVersion", &self.version)
            .with_attribute("AgentType", self.agent_type)
    }
}

impl Certificates {
    // Documentation and public clients differ in the order, so both are read by name.
    fn parse(element: &Element) -> Result<Self, CcmError> {
        let der = |name: &'static str| {
            let text = element.required(name)?.text();
            let der = sign::from_hex(text).filter(|der| !der.is_empty());
            der.ok_or_else(|| CcmError::bad_value(name, "a DER certificate in hexadecimal", text))
        };
        Ok(Self { signing: der("Signing")?, encryption: der("Encryption")? })
    }

    fn to_element(&self) -> Element {
        let leaf = |name: &str, der: &[u8]| {
            Element::new(name)
                .with_attribute("Encoding", "HexBinary")
                .with_attribute("KeyType", "1")
                .with_text(sign::to_hex(der))
        };
        Element::new("Certificates")
            .with_child(leaf("Encryption", &self.encryption))
            .with_child(leaf("Signing", &self.signing))
    }
}

// The signed text. It must be the element that was parsed and also the only thing that a plain search
// for the tags could find, so that no two readers can mean different data.
fn raw_data<'a>(text: &'a str, element: &Element) -> Result<&'a str, CcmError> {
    let ambiguous = || CcmError::Ambiguous { name: "Data".to_owned() };
    let openings = text.match_indices(OPENING).filter(|(at, _)| {
        let next = text[at + OPENING.len()..].chars().next();
        next.is_none_or(|c| c.is_whitespace() || matches!(c, '>' | '/'))
    });
    if openings.count() != 1 || text.matches(CLOSING).count() != 1 {
        return Err(ambiguous());
    }
    let raw = text.get(element.span()).ok_or_else(ambiguous)?;
    if raw.starts_with(OPENING) && raw.ends_with(CLOSING) { Ok(raw) } else { Err(ambiguous()) }
}

fn parse_properties(element: &Element) -> Result<Vec<(String, String)>, CcmError> {
    let mut all: Vec<(String, String)> = Vec::new();
    for property in element.children_named("Property") {
        if all.len() == MAX_PROPERTIES {
            return Err(CcmError::TooMany { what: "discovery properties", limit: MAX_PROPERTIES });
        }
        let name = property.required_attribute("Name")?;
        if all.iter().any(|(known, _)| known == name) {
            return Err(CcmError::Ambiguous { name: crate::ccm::error::cut(name) });
        }
        all.push((name.to_owned(), property.attribute("Value").unwrap_or_default().to_owned()));
    }
    Ok(all)
}

const OPENING: &str = "<Data";
const CLOSING: &str = "</Data>";
const MAX_PROPERTIES: usize = 64;
