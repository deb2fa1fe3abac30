//! Location services, the conversation with `MP_LocationManager` (mp-wire §7).
//!
//! Fidelity: the names of roots and attributes are documented by log samples; the set of elements in
//! `SiteInfoReply` is observed, the content of its operational settings is lab.

mod content;
mod content_reply;
mod settings;
mod site;

pub use content::{ClientLocation, ContentLocationRequest, ContentWanted, LocationFlags, NetworkAddress};
pub use content_reply::{ContentLocationReply, ContentSite, LocationRecord};
pub use settings::OperationalSettings;
pub use site::{Capability, SiteInfo, SiteInfoReply, SiteInformationRequest};

use super::xml::{self, Element};
use super::{CcmError, Limits};

/// A request to location services, told apart by its root.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LocationRequest {
    /// What is there to know about a site.
    Site(SiteInformationRequest),
    /// Where to download something.
    Content(ContentLocationRequest),
    /// A kind that is not modelled, by the name of its root (`AssignedSiteRequest`, …).
    Other(String),
}

impl LocationRequest {
    /// Reads the payload of a request.
    ///
    /// # Errors
    ///
    /// What [`xml::parse`] refuses, [`CcmError::Missing`], [`CcmError::Ambiguous`],
    /// [`CcmError::BadValue`].
    pub fn parse(text: &str, limits: &Limits) -> Result<Self, CcmError> {
        let root = xml::parse(text, limits)?;
        match root.name() {
            site::REQUEST => SiteInformationRequest::from_element(&root).map(Self::Site),
            content::REQUEST => ContentLocationRequest::from_element(&root).map(Self::Content),
            other => Ok(Self::Other(other.to_owned())),
        }
    }
}

fn document(root: &str) -> Element {
    Element::new(root).with_attribute("SchemaVersion", "1.00")
}

fn switch(on: bool) -> u8 {
    u8::from(on)
}

const SITE_CODE: &str = "a site code of three characters";
