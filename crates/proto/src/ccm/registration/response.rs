//! What the management point answers.

use jiff::Timestamp;

use super::RequestType;
use crate::ccm::msg::{CLIENT, TIME, format_time};
use crate::ccm::xml::{self, Element, parse_value};
use crate::ccm::{CcmError, Limits};
use crate::ids::ClientGuid;

/// The answer to a registration request (mp-wire §3.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientRegistrationResponse {
    /// The kind of request that is answered.
    pub response_type: RequestType,
    /// When it was answered.
    pub timestamp: Timestamp,
    /// What came of the request.
    pub status: RegistrationStatus,
    /// The client's id. Written only when the status leaves the client one.
    pub smsid: Option<ClientGuid>,
    /// What the site thinks of the client.
    pub approval: Approval,
}

/// What came of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegistrationStatus {
    /// 0: registered.
    Success,
    /// 1: not decided; the client asks again after 30 seconds to 5 minutes.
    Pending,
    /// 2: could not be processed; the client sends the request again.
    Retry,
    /// 3: refused.
    Rejected,
}

/// What the site thinks of a client; the numbers are mp-wire §3.4 and §10, point 9.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Approval {
    /// -1.
    Unknown,
    /// 0.
    Pending,
    /// 1: approved by hand, or over Windows authentication.
    Approved,
    /// 2: blocked, or not applicable.
    Blocked,
    /// 3: approved by a token of Azure AD or a certificate.
    Automatic,
}

impl ClientRegistrationResponse {
    /// Reads the payload of a reply.
    ///
    /// # Errors
    ///
    /// What [`xml::parse`] refuses, [`CcmError::WrongRoot`], [`CcmError::Missing`],
    /// [`CcmError::BadValue`].
    pub fn parse(text: &str, limits: &Limits) -> Result<Self, CcmError> {
        let root = xml::parse(text, limits)?.expect_root("ClientRegistrationResponse")?;
        let approval = root.parsed_attribute("ApprovalStatus", APPROVAL)?;
        Ok(Self {
            response_type: RequestType::from_name(root.required_attribute("ResponseType")?)?,
            timestamp: parse_value("TimeStamp", TIME, root.required_attribute("TimeStamp")?)?,
            status: RegistrationStatus::from_code(root.required_attribute("Status")?)?,
            smsid: root.parsed_attribute("SMSID", CLIENT)?,
            approval: approval.map_or(Ok(Approval::Unknown), Approval::from_code)?,
        })
    }

    /// The payload of a reply. Public clients look for `SMSID="GUID:…"` in this very order.
    #[must_use]
    pub fn to_xml(&self) -> String {
        let known = matches!(self.status, RegistrationStatus::Success | RegistrationStatus::Pending);
        Element::new("ClientRegistrationResponse")
            .with_attribute("ResponseType", self.response_type.as_str())
            .with_attribute("TimeStamp", format_time(self.timestamp))
            .with_attribute("Status", self.status.code())
            .with_optional("SMSID", self.smsid.filter(|_| known))
            .with_attribute("ApprovalStatus", self.approval.code())
            .to_xml()
    }
}

impl RegistrationStatus {
    /// The number on the wire and in client logs (`Server rejected registration 3`).
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Pending => 1,
            Self::Retry => 2,
            Self::Rejected => 3,
        }
    }

    fn from_code(text: &str) -> Result<Self, CcmError> {
        match text.trim() {
            "0" => Ok(Self::Success),
            "1" => Ok(Self::Pending),
            "2" => Ok(Self::Retry),
            "3" => Ok(Self::Rejected),
            other => Err(CcmError::bad_value("Status", "0, 1, 2 or 3", other)),
        }
    }
}

impl Approval {
    /// The number on the wire and in client logs (`Approval status 3`).
    #[must_use]
    pub fn code(self) -> i8 {
        match self {
            Self::Unknown => -1,
            Self::Pending => 0,
            Self::Approved => 1,
            Self::Blocked => 2,
            Self::Automatic => 3,
        }
    }

    fn from_code(code: i8) -> Result<Self, CcmError> {
        [Self::Unknown, Self::Pending, Self::Approved, Self::Blocked, Self::Automatic]
            .into_iter()
            .find(|known| known.code() == code)
            .ok_or_else(|| CcmError::bad_value("ApprovalStatus", APPROVAL, &code.to_string()))
    }
}

const APPROVAL: &str = "a number from -1 to 3";
