//! The `<Msg>` header of a message (mp-wire §1.3; of a reply §2).

use jiff::Timestamp;

use super::xml::{self, Element, parse_value};
use super::{CcmError, ClientAuth, Endpoint, Hook, Limits};
use crate::ids::{ClientGuid, MessageId};

/// The header. Elements are read by name in any order and written in the order of public captures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Msg {
    /// This message.
    pub id: MessageId,
    /// In a reply, the request it answers; all zeros otherwise.
    pub correlation: MessageId,
    /// How the sender wants the reply.
    pub reply_compression: Option<ReplyCompression>,
    /// Where the first document stands in the uncompressed payload.
    pub body: Option<ByteRange>,
    /// Where further documents stand.
    pub attachments: Vec<Attachment>,
    /// What was done to the payload.
    pub hooks: Vec<Hook>,
    /// 0 to 3.
    pub priority: u8,
    /// `http`.
    pub protocol: String,
    /// Whether the reply is wanted in the same exchange.
    pub reply_mode: ReplyMode,
    /// Where a reply goes: `direct:<host>:<endpoint>`.
    pub reply_to: String,
    /// Where the client takes an order to register anew: `direct:<host>:<endpoint>`.
    pub allow_registration_reset: Option<String>,
    /// When the sender says it was sent; the sender's clock, so not to be trusted.
    pub sent_time: Option<Timestamp>,
    /// Who sent it; `None` before registration.
    pub source_id: Option<SourceId>,
    /// The computer that sent it.
    pub source_host: String,
    /// The address, such as `mp:MP_ClientRegistration`.
    pub target_address: String,
    /// The endpoint it is for, the routing key.
    pub target_endpoint: Endpoint,
    /// The host it is for.
    pub target_host: String,
    /// How long the sender waits, in milliseconds.
    pub timeout_ms: u32,
}

/// The wish of a sender about its reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplyCompression {
    /// A zlib stream.
    Zlib,
    /// Plain UTF-16.
    None,
}

/// Whether a reply comes in the same exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplyMode {
    /// In the HTTP response.
    Sync,
    /// Later, if ever; the HTTP response is empty.
    Async,
}

/// The `SourceID` of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceId {
    /// A client of the site.
    Client(ClientGuid),
    /// Anything else (`UID:…`). Foreign text: never part of a query or a path.
    Other(String),
}

/// Some bytes of the uncompressed payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByteRange {
    /// First byte.
    pub offset: usize,
    /// Number of bytes, the closing NUL included.
    pub length: usize,
}

/// A further document in the payload (mp-wire §1.5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Its name, mostly a GUID in braces.
    pub name: String,
    /// Its bytes in the uncompressed payload.
    pub range: ByteRange,
}

impl Msg {
    /// A header as a client of the lab sends it: compressed both ways, synchronous, unsigned, from
    /// nobody. Set what differs.
    #[must_use]
    pub fn new(id: MessageId, endpoint: Endpoint, sent_time: Timestamp) -> Self {
        Self {
            id,
            correlation: MessageId::zero(),
            reply_compression: Some(ReplyCompression::Zlib),
            body: None,
            attachments: Vec::new(),
            hooks: vec![Hook::zlib()],
            priority: 0,
            protocol: "http".to_owned(),
            reply_mode: ReplyMode::Sync,
            reply_to: String::new(),
            allow_registration_reset: None,
            sent_time: Some(sent_time),
            source_id: None,
            source_host: String::new(),
            target_address: format!("mp:{endpoint}"),
            target_endpoint: endpoint,
            target_host: String::new(),
            timeout_ms: DEFAULT_TIMEOUT_MS,
        }
    }

    /// Reads a header.
    ///
    /// # Errors
    ///
    /// What [`xml::parse`] refuses; [`CcmError::WrongRoot`]; [`CcmError::Missing`] without an id or an
    /// endpoint; [`CcmError::Ambiguous`] for doubled elements and hooks; [`CcmError::BadValue`].
    pub fn parse(text: &str, limits: &Limits) -> Result<Self, CcmError> {
        let root = xml::parse(text, limits)?.expect_root("Msg")?;
        let target_address = root.child_text("TargetAddress")?.to_owned();
        let target_endpoint = match (root.child_text("TargetEndpoint")?, target_address.as_str()) {
            ("", "") => return Err(CcmError::Missing { parent: "Msg".to_owned(), name: "TargetEndpoint" }),
            ("", address) => Endpoint::from_address(address),
            (name, _) => Endpoint::from_name(name),
        };
        let reset = root.child("ReplyCapabilities")?.map(|all| all.child_text("AllowRegistrationReset"));
        Ok(Self {
            id: parse_value("ID", GUID, root.required("ID")?.text())?,
            correlation: value(&root, "CorrelationID", GUID)?.unwrap_or_else(MessageId::zero),
            reply_compression: root.attribute("ReplyCompression").map(compression).transpose()?,
            body: root.child("Body")?.map(ByteRange::parse).transpose()?,
            attachments: attachments(&root, limits)?,
            hooks: match root.child("Hooks")? {
                Some(hooks) => Hook::parse_all(hooks, limits)?,
                None => Vec::new(),
            },
            priority: value(&root, "Priority", "a number from 0 to 255")?.unwrap_or(0),
            protocol: root.child_text("Protocol")?.to_owned(),
            reply_mode: reply_mode(root.child_text("ReplyMode")?)?,
            reply_to: root.child_text("ReplyTo")?.to_owned(),
            allow_registration_reset: reset.transpose()?.filter(|text| !text.is_empty()).map(str::to_owned),
            sent_time: value(&root, "SentTime", TIME)?,
            source_id: SourceId::from_text(root.child_text("SourceID")?)?,
            source_host: root.child_text("SourceHost")?.to_owned(),
            target_address,
            target_endpoint,
            target_host: root.child_text("TargetHost")?.to_owned(),
            timeout_ms: value(&root, "Timeout", "milliseconds")?.unwrap_or(DEFAULT_TIMEOUT_MS),
        })
    }

    /// The header as a request carries it.
    #[must_use]
    pub fn to_request_xml(&self) -> String {
        self.to_element(false).to_xml()
    }

    /// The header as a reply carries it. Fidelity: lab, mirrored from the request (mp-wire §2).
    #[must_use]
    pub fn to_reply_xml(&self) -> String {
        self.to_element(true).to_xml()
    }

    /// The hook of that name.
    #[must_use]
    pub fn hook(&self, name: &str) -> Option<&Hook> {
        self.hooks.iter().find(|hook| hook.is(name))
    }

    /// Whether the payload is a zlib stream.
    #[must_use]
    pub fn is_compressed(&self) -> bool {
        self.hook(Hook::ZLIB).is_some()
    }

    /// Whether the reply to this message is to be compressed: as it says, or, when it says nothing, as
    /// it is itself (mp-wire §2, rule 6; that `none` wins over the hook is lab).
    #[must_use]
    pub fn wants_compressed_reply(&self) -> bool {
        match self.reply_compression {
            Some(ReplyCompression::Zlib) => true,
            Some(ReplyCompression::None) => false,
            None => self.is_compressed(),
        }
    }

    /// The client that says it sent this; unproven until its signature is verified.
    #[must_use]
    pub fn source_client(&self) -> Option<ClientGuid> {
        match self.source_id {
            Some(SourceId::Client(client)) => Some(client),
            _ => None,
        }
    }

    /// What the `clientauth` hook says, if there is one.
    ///
    /// # Errors
    ///
    /// [`CcmError::UnsupportedHash`].
    pub fn client_auth(&self) -> Result<Option<ClientAuth>, CcmError> {
        self.hook(Hook::CLIENT_AUTH).map(ClientAuth::from_hook).transpose()
    }

    /// Puts a `clientauth` hook in front of the others, in place of the one there may be.
    pub fn set_client_auth(&mut self, auth: &ClientAuth) {
        self.hooks.retain(|hook| !hook.is(Hook::CLIENT_AUTH));
        self.hooks.insert(0, auth.to_hook());
    }

    fn to_element(&self, reply: bool) -> Element {
        let compression = self.reply_compression.map(|wish| match wish {
            ReplyCompression::Zlib => "zlib",
            ReplyCompression::None => "none",
        });
        let mode = match self.reply_mode {
            ReplyMode::Sync => "Sync",
            ReplyMode::Async => "ASync",
        };
        let reset = self
            .allow_registration_reset
            .as_ref()
            .map(|to| Element::new("ReplyCapabilities").with_leaf("AllowRegistrationReset", to));
        let leaf = |name: &str, text: String| Element::new(name).with_text(text);
        Element::new("Msg")
            .with_optional("ReplyCompression", compression)
            .with_attribute("SchemaVersion", "1.1")
            .with_children(self.attachments.iter().map(Attachment::to_element))
            .with_children(self.body.map(ByteRange::to_body))
            .with_leaf("CorrelationID", self.correlation.braced())
            .with_child(Element::new("Hooks").with_children(self.hooks.iter().map(|hook| hook.to_xml(reply))))
            .with_leaf("ID", self.id.braced())
            .with_child(Element::new("Payload").with_attribute("Type", "inline"))
            .with_leaf("Priority", self.priority)
            .with_leaf("Protocol", &self.protocol)
            .with_children(reset)
            .with_leaf("ReplyMode", mode)
            .with_leaf("ReplyTo", &self.reply_to)
            .with_children(self.sent_time.map(|time| leaf("SentTime", format_time(time))))
            .with_children(self.source_id.as_ref().map(|id| leaf("SourceID", id.to_text())))
            .with_leaf("SourceHost", &self.source_host)
            .with_leaf("TargetAddress", &self.target_address)
            .with_leaf("TargetEndpoint", &self.target_endpoint)
            .with_leaf("TargetHost", &self.target_host)
            .with_leaf("Timeout", self.timeout_ms)
    }
}

impl SourceId {
    fn from_text(text: &str) -> Result<Option<Self>, CcmError> {
        let is_client = text.get(..5).is_some_and(|prefix| prefix.eq_ignore_ascii_case("GUID:"));
        match text {
            "" => Ok(None),
            text if is_client => parse_value("SourceID", CLIENT, text).map(|id| Some(Self::Client(id))),
            other => Ok(Some(Self::Other(other.to_owned()))),
        }
    }

    fn to_text(&self) -> String {
        match self {
            Self::Client(client) => client.to_string(),
            Self::Other(text) => text.clone(),
        }
    }
}

impl ByteRange {
    fn parse(element: &Element) -> Result<Self, CcmError> {
        Ok(Self {
            offset: element.parsed_attribute("Offset", BYTES)?.unwrap_or(0),
            length: element.parsed_attribute("Length", BYTES)?.unwrap_or(0),
        })
    }

    fn to_body(self) -> Element {
        Element::new("Body")
            .with_attribute("Type", "ByteRange")
            .with_attribute("Length", self.length)
            .with_attribute("Offset", self.offset)
    }
}

impl Attachment {
    fn to_element(&self) -> Element {
        Element::new("Attachment")
            .with_attribute("Name", &self.name)
            .with_attribute("Offset", self.range.offset)
            .with_attribute("Length", self.range.length)
    }
}

/// A time as every message writes it: UTC, whole seconds, `Z`.
pub(crate) fn format_time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn attachments(root: &Element, limits: &Limits) -> Result<Vec<Attachment>, CcmError> {
    let all = root.children_named("Attachment").map(|element| {
        let name = element.required_attribute("Name")?.to_owned();
        Ok(Attachment { name, range: ByteRange::parse(element)? })
    });
    let all = all.take(limits.attachments + 1).collect::<Result<Vec<_>, CcmError>>()?;
    if all.len() > limits.attachments {
        return Err(CcmError::TooMany { what: "attachments", limit: limits.attachments });
    }
    Ok(all)
}

fn value<T: std::str::FromStr>(
    root: &Element,
    name: &'static str,
    expected: &'static str,
) -> Result<Option<T>, CcmError> {
    match root.child_text(name)? {
        "" => Ok(None),
        text => parse_value(name, expected, text).map(Some),
    }
}

fn compression(wish: &str) -> Result<ReplyCompression, CcmError> {
    match wish {
        "zlib" => Ok(ReplyCompression::Zlib),
        "" | "none" => Ok(ReplyCompression::None),
        other => Err(CcmError::bad_value("ReplyCompression", "zlib or none", other)),
    }
}

fn reply_mode(mode: &str) -> Result<ReplyMode, CcmError> {
    match mode {
        mode if mode.is_empty() || mode.eq_ignore_ascii_case("sync") => Ok(ReplyMode::Sync),
        mode if mode.eq_ignore_ascii_case("async") => Ok(ReplyMode::Async),
        other => Err(CcmError::bad_value("ReplyMode", "Sync or ASync", other)),
    }
}

const DEFAULT_TIMEOUT_MS: u32 = 60_000;
const BYTES: &str = "a number of bytes";
const GUID: &str = "a GUID in braces";
pub(crate) const CLIENT: &str = "GUID: and a GUID";
pub(crate) const TIME: &str = "a time such as 2026-01-02T03:04:05Z";
