//! `SiteInformationRequest` and `SiteInfoReply`.

use super::{OperationalSettings, SITE_CODE, document};
use crate::ccm::xml::{self, Element, parse_value};
use crate::ccm::{CcmError, Limits};
use crate::ids::SiteCode;

/// Asks about a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SiteInformationRequest {
    /// The site.
    pub site_code: SiteCode,
}

/// Tells about sites.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteInfoReply {
    /// One entry for a site that is known, none otherwise.
    pub sites: Vec<SiteInfo>,
}

/// One site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteInfo {
    /// Its code.
    pub site_code: SiteCode,
    /// Version of the site, such as `5.00.9128.1000`.
    pub version: String,
    /// Build of the site, such as `9128`.
    pub build: u32,
    /// Host name of its management point.
    pub default_mp: String,
    /// What its management point can do.
    pub capabilities: Vec<Capability>,
    /// What clients are to do; `None` is written as an empty element.
    pub settings: Option<OperationalSettings>,
}

/// A named ability; sources differ in which of the two values they give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capability {
    /// Its name, such as `SSL` or `SSLState`.
    pub name: String,
    /// Its version.
    pub version: Option<String>,
    /// Its value.
    pub value: Option<String>,
}

impl SiteInformationRequest {
    /// Reads the payload of a request.
    ///
    /// # Errors
    ///
    /// What [`xml::parse`] refuses, [`CcmError::WrongRoot`], [`CcmError::Missing`],
    /// [`CcmError::BadValue`].
    pub fn parse(text: &str, limits: &Limits) -> Result<Self, CcmError> {
        Self::from_element(&xml::parse(text, limits)?.expect_root(REQUEST)?)
    }

    /// The payload of a request.
    #[must_use]
    pub fn to_xml(&self) -> String {
        let site = Element::new("SiteCode").with_attribute("Name", self.site_code);
        document(REQUEST).with_child(site).to_xml()
    }

    pub(super) fn from_element(root: &Element) -> Result<Self, CcmError> {
        let name = root.required("SiteCode")?.required_attribute("Name")?;
        Ok(Self { site_code: parse_value("SiteCode", SITE_CODE, name)? })
    }
}

impl SiteInfoReply {
    /// Reads the payload of a reply.
    ///
    /// # Errors
    ///
    /// As [`SiteInformationRequest::parse`].
    pub fn parse(text: &str, limits: &Limits) -> Result<Self, CcmError> {
        let root = xml::parse(text, limits)?.expect_root(REPLY)?;
        let sites = root.required("Sites")?;
        Ok(Self { sites: sites.children_named("Site").map(SiteInfo::parse).collect::<Result<_, _>>()? })
    }

    /// The payload of a reply.
    #[must_use]
    pub fn to_xml(&self) -> String {
        let sites = Element::new("Sites").with_children(self.sites.iter().map(SiteInfo::to_element));
        document(REPLY).with_child(sites).to_xml()
    }
}

impl SiteInfo {
    fn parse(site: &Element) -> Result<Self, CcmError> {
        let settings = site.child("OperationalSettings")?;
        Ok(Self {
            site_code: parse_value("SiteCode", SITE_CODE, site.required("SiteCode")?.text())?,
            version: site.child_text("Version")?.to_owned(),
            build: parse_value("BuildNumber", "a number", site.required("BuildNumber")?.text())?,
            default_mp: site.required("DefaultMP")?.text().to_owned(),
            capabilities: Capability::parse_all(site)?,
            settings: settings.map(OperationalSettings::from_element).transpose()?.flatten(),
        })
    }

    fn to_element(&self) -> Element {
        let settings = self.settings.map(OperationalSettings::to_element);
        Element::new("Site")
            .with_leaf("SiteCode", self.site_code)
            .with_leaf("Version", &self.version)
            .with_leaf("BuildNumber", self.build)
            .with_leaf("DefaultMP", &self.default_mp)
            .with_child(Capability::to_element(&self.capabilities))
            .with_child(Element::new("OperationalSettings").with_children(settings))
    }
}

impl Capability {
    /// An ability with a version: `Name="SSL" Version="1"`.
    #[must_use]
    pub fn with_version(name: &str, version: &str) -> Self {
        Self { name: name.to_owned(), version: Some(version.to_owned()), value: None }
    }

    /// An ability with a value: `Name="SSLState" Value="63"`.
    #[must_use]
    pub fn with_value(name: &str, value: &str) -> Self {
        Self { name: name.to_owned(), version: None, value: Some(value.to_owned()) }
    }

    pub(super) fn parse_all(parent: &Element) -> Result<Vec<Self>, CcmError> {
        let Some(all) = parent.child("Capabilities")? else { return Ok(Vec::new()) };
        let all = all.children_named("Property").map(|property| {
            Ok(Self {
                name: property.required_attribute("Name")?.to_owned(),
                version: property.attribute("Version").map(str::to_owned),
                value: property.attribute("Value").map(str::to_owned),
            })
        });
        all.collect()
    }

    pub(super) fn to_element(all: &[Self]) -> Element {
        let properties = all.iter().map(|capability| {
            Element::new("Property")
                .with_attribute("Name", &capability.name)
                .with_optional("Version", capability.version.as_ref())
                .with_optional("Value", capability.value.as_ref())
        });
        Element::new("Capabilities").with_attribute("SchemaVersion", "1.0").with_children(properties)
    }
}

pub(super) const REQUEST: &str = "SiteInformationRequest";
const REPLY: &str = "SiteInfoReply";
