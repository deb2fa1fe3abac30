//! Hooks: what was done to a payload on its way out (mp-wire §1.4).

use std::fmt;

use super::error::cut;
use super::sign::HashAlgorithm;
use super::xml::Element;
use super::{CcmError, Limits};

/// One hook of a message. On the wire its element is `Hook`, `Hook1`, `Hook2` or `Hook3`; only the name
/// attribute counts.
#[derive(Clone, PartialEq, Eq)]
pub struct Hook {
    /// What the hook does: [`Hook::ZLIB`], [`Hook::CLIENT_AUTH`].
    pub name: String,
    /// Names and values in their order.
    pub properties: Vec<(String, String)>,
}

impl Hook {
    /// The payload is a zlib stream.
    pub const ZLIB: &str = "zlib-compress";
    /// The payload is signed by a client.
    pub const CLIENT_AUTH: &str = "clientauth";

    /// The hook of a compressed payload.
    #[must_use]
    pub fn zlib() -> Self {
        Self { name: Self::ZLIB.to_owned(), properties: Vec::new() }
    }

    /// Whether this is the hook of that name, in any case.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// The value of a property.
    #[must_use]
    pub fn property(&self, name: &str) -> Option<&str> {
        self.properties.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn parse_all(hooks: &Element, limits: &Limits) -> Result<Vec<Self>, CcmError> {
        let mut all: Vec<Self> = Vec::new();
        for element in hooks.children().iter().filter(|child| ELEMENTS.contains(&child.name())) {
            if all.len() == limits.hooks {
                return Err(CcmError::TooMany { what: "hooks", limit: limits.hooks });
            }
            let hook = Self::parse(element, limits)?;
            if all.iter().any(|known| known.is(&hook.name)) {
                return Err(CcmError::Ambiguous { name: cut(&hook.name) });
            }
            all.push(hook);
        }
        Ok(all)
    }

    fn parse(element: &Element, limits: &Limits) -> Result<Self, CcmError> {
        let mut hook = Self { name: element.required_attribute("Name")?.to_owned(), properties: Vec::new() };
        for property in element.children_named("Property") {
            if hook.properties.len() == limits.properties {
                return Err(CcmError::TooMany { what: "properties of a hook", limit: limits.properties });
            }
            let name = property.required_attribute("Name")?;
            if hook.property(name).is_some() {
                return Err(CcmError::Ambiguous { name: cut(name) });
            }
            hook.properties.push((name.to_owned(), property.text().to_owned()));
        }
        Ok(hook)
    }

    // Requests carry the numbered names that clients send, replies the plain one.
    pub(super) fn to_xml(&self, reply: bool) -> Element {
        let element = match (reply, self.is(Self::CLIENT_AUTH), self.is(Self::ZLIB)) {
            (false, true, _) => "Hook2",
            (false, _, true) => "Hook3",
            _ => "Hook",
        };
        let properties = self
            .properties
            .iter()
            .map(|(name, value)| Element::new("Property").with_attribute("Name", name).with_text(value));
        Element::new(element).with_attribute("Name", &self.name).with_children(properties)
    }
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Values are signatures and tokens, which let their reader pass for the client.
        let names: Vec<_> = self.properties.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Hook").field("name", &self.name).field("properties", &names).finish()
    }
}

/// What the `clientauth` hook says. Signatures are upper-case hexadecimal, see [`sign`](super::sign).
#[derive(Clone, PartialEq, Eq, Default)]
pub struct ClientAuth {
    /// The name of the computer, mostly its NetBIOS name.
    pub sender: String,
    /// The signing key as a hexadecimal PUBLICKEYBLOB. A hint only: what counts is the certificate that
    /// the client registered.
    pub public_key: Option<String>,
    /// Over the client's id as UTF-16 and one NUL.
    pub client_id_signature: Option<String>,
    /// Over the payload exactly as it is transmitted.
    pub payload_signature: Option<String>,
    /// `NonSSL` from clients without a certificate of a PKI.
    pub capabilities: Option<String>,
    /// The hash of both signatures; a hook that names none means SHA-1.
    pub hash_algorithm: HashAlgorithm,
    /// Stands in for the signatures on boot media.
    pub token: Option<String>,
}

impl ClientAuth {
    /// Reads a hook.
    ///
    /// # Errors
    ///
    /// [`CcmError::UnsupportedHash`].
    pub fn from_hook(hook: &Hook) -> Result<Self, CcmError> {
        let text = |name: &str| hook.property(name).filter(|value| !value.is_empty()).map(str::to_owned);
        Ok(Self {
            sender: text("AuthSenderMachine").unwrap_or_default(),
            public_key: text("PublicKey"),
            client_id_signature: text("ClientIDSignature"),
            payload_signature: text("PayloadSignature"),
            // One client leaves out the plural.
            capabilities: text("ClientCapabilities").or_else(|| text("ClientCapability")),
            hash_algorithm: HashAlgorithm::from_oid(hook.property("HashAlgorithm"))?,
            token: text("Token"),
        })
    }

    /// The hook that says this.
    #[must_use]
    pub fn to_hook(&self) -> Hook {
        let given =
            |name: &str, value: &Option<String>| value.as_ref().map(|value| (name.to_owned(), value.clone()));
        let hash = self.hash_algorithm.oid().map(str::to_owned);
        let properties = [
            Some(("AuthSenderMachine".to_owned(), self.sender.clone())),
            given("PublicKey", &self.public_key),
            given("ClientIDSignature", &self.client_id_signature),
            given("PayloadSignature", &self.payload_signature),
            given("ClientCapabilities", &self.capabilities),
            given("HashAlgorithm", &hash),
            given("Token", &self.token),
        ];
        Hook { name: Hook::CLIENT_AUTH.to_owned(), properties: properties.into_iter().flatten().collect() }
    }
}

impl fmt::Debug for ClientAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientAuth")
            .field("sender", &self.sender)
            .field("hash_algorithm", &self.hash_algorithm)
            .finish_non_exhaustive()
    }
}

const ELEMENTS: [&str; 4] = ["Hook", "Hook1", "Hook2", "Hook3"];
