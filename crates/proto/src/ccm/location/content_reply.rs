//! `ContentLocationReply`.

use super::{Capability, SITE_CODE, document};
use crate::ccm::xml::{self, Element, parse_value};
use crate::ccm::{CcmError, Limits};
use crate::ids::SiteCode;

/// Tells where to download something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentLocationReply {
    /// Hash of the content in hexadecimal; `None` when the content is not known.
    pub hash: Option<String>,
    /// The algorithm of the hash as CryptoAPI numbers it; [`ContentLocationReply::SHA256`].
    pub hash_algorithm: Option<u32>,
    /// Flags of the package, bits of unknown meaning.
    pub package_flags: u32,
    /// The sites that have it.
    pub sites: Vec<ContentSite>,
}

/// What one site has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentSite {
    /// The site.
    pub site_code: SiteCode,
    /// Its parent, or itself.
    pub master_site_code: SiteCode,
    /// `LOCAL`, `REMOTE`.
    pub locality: String,
    /// Port for HTTP.
    pub http_port: u16,
    /// Port for HTTPS.
    pub https_port: u16,
    /// Distribution points; none when the client is in no boundary that has any.
    pub records: Vec<LocationRecord>,
}

/// One distribution point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocationRecord {
    /// Where the content is. From a management point that may be compromised: check it before use.
    pub url: String,
    /// Where the signature of the content is.
    pub signature_url: Option<String>,
    /// The Active Directory site.
    pub ad_site: String,
    /// Networks.
    pub subnets: Vec<String>,
    /// Build of the distribution point.
    pub build: u32,
    /// What it can do.
    pub capabilities: Vec<Capability>,
    /// Its host name.
    pub server: String,
    /// `SERVER`, …
    pub kind: String,
    /// Whether Windows trusts it (`Windows Trust`).
    pub trusted: bool,
    /// `LOCAL`, `REMOTE`, …
    pub locality: String,
}

impl ContentLocationReply {
    /// The number of SHA-256 (`CALG_SHA_256`, 0x800C).
    pub const SHA256: u32 = 32_780;

    /// Reads the payload of a reply.
    ///
    /// # Errors
    ///
    /// What [`xml::parse`] refuses, [`CcmError::WrongRoot`], [`CcmError::Missing`],
    /// [`CcmError::Ambiguous`], [`CcmError::BadValue`].
    pub fn parse(text: &str, limits: &Limits) -> Result<Self, CcmError> {
        let root = xml::parse(text, limits)?.expect_root(REPLY)?;
        let flags = root.child("ContentInfo")?.map(|info| info.parsed_attribute("PackageFlags", NUMBER));
        let sites = root.child("Sites")?.map(Element::children).unwrap_or_default();
        let sites = sites.iter().filter(|child| child.name() == "Site").map(ContentSite::parse);
        Ok(Self {
            hash: root.attribute("Hash").filter(|hash| !hash.is_empty()).map(str::to_owned),
            hash_algorithm: root.parsed_attribute("HashAlgorithm", NUMBER)?,
            package_flags: flags.transpose()?.flatten().unwrap_or(0),
            sites: sites.collect::<Result<_, _>>()?,
        })
    }

    /// The payload of a reply.
    #[must_use]
    pub fn to_xml(&self) -> String {
        let info = Element::new("ContentInfo")
            .with_attribute("PackageFlags", self.package_flags)
            .with_child(Element::new("ContentHashValues"));
        let sites = self.sites.iter().map(ContentSite::to_element);
        document(REPLY)
            .with_attribute("BGRVersion", "1")
            .with_optional("HashAlgorithm", self.hash_algorithm)
            .with_optional("AlgorithmPreference", self.hash_algorithm.map(|_| ALGORITHM_PREFERENCE))
            .with_optional("Hash", self.hash.as_ref())
            .with_child(info)
            .with_child(Element::new("Sites").with_children(sites))
            .with_child(Element::new("RelatedContentIDs"))
            .to_xml()
    }

    /// Every distribution point, in the order of the reply.
    pub fn records(&self) -> impl Iterator<Item = &LocationRecord> {
        self.sites.iter().flat_map(|site| &site.records)
    }
}

impl ContentSite {
    fn parse(site: &Element) -> Result<Self, CcmError> {
        let head = site.required("MPSite")?;
        let code = |name| parse_value(name, SITE_CODE, head.required_attribute(name)?);
        let records = site.child("LocationRecords")?.map(Element::children).unwrap_or_default();
        let records = records.iter().filter(|child| child.name() == "LocationRecord");
        Ok(Self {
            site_code: code("SiteCode")?,
            master_site_code: code("MasterSiteCode")?,
            locality: head.attribute("SiteLocality").unwrap_or_default().to_owned(),
            http_port: head.parsed_attribute("IISPreferedPort", PORT)?.unwrap_or(80),
            https_port: head.parsed_attribute("IISSSLPreferedPort", PORT)?.unwrap_or(443),
            records: records.map(LocationRecord::parse).collect::<Result<_, _>>()?,
        })
    }

    fn to_element(&self) -> Element {
        let head = Element::new("MPSite")
            .with_attribute("SiteCode", self.site_code)
            .with_attribute("MasterSiteCode", self.master_site_code)
            .with_attribute("SiteLocality", &self.locality)
            // The product's own spelling.
            .with_attribute("IISPreferedPort", self.http_port)
            .with_attribute("IISSSLPreferedPort", self.https_port);
        let records = self.records.iter().map(LocationRecord::to_element);
        Element::new("Site")
            .with_child(head)
            .with_child(Element::new("LocationRecords").with_children(records))
    }
}

impl LocationRecord {
    fn parse(record: &Element) -> Result<Self, CcmError> {
        let url = record.required("URL")?;
        let text = |name: &'static str| record.child_text(name).map(str::to_owned);
        let subnets = record.child("IPSubnets")?.map(Element::children).unwrap_or_default();
        let subnets = subnets.iter().filter_map(|subnet| subnet.attribute("Address"));
        let build = record.child_text("Version")?;
        Ok(Self {
            url: url.required_attribute("Name")?.to_owned(),
            signature_url: url.attribute("Signature").filter(|url| !url.is_empty()).map(str::to_owned),
            ad_site: record
                .child("ADSite")?
                .and_then(|site| site.attribute("Name"))
                .unwrap_or_default()
                .to_owned(),
            subnets: subnets.filter(|address| !address.is_empty()).map(str::to_owned).collect(),
            build: if build.is_empty() { 0 } else { parse_value("Version", NUMBER, build)? },
            capabilities: Capability::parse_all(record)?,
            server: text("ServerRemoteName")?,
            kind: text("DPType")?,
            trusted: record.child("Windows")?.map_or(Ok(false), |windows| windows.flag("Trust"))?,
            locality: text("Locality")?,
        })
    }

    fn to_element(&self) -> Element {
        let subnets =
            self.subnets.iter().map(|subnet| Element::new("IPSubnet").with_attribute("Address", subnet));
        let url = Element::new("URL")
            .with_attribute("Name", &self.url)
            .with_optional("Signature", self.signature_url.as_ref());
        Element::new("LocationRecord")
            .with_child(url)
            .with_child(Element::new("ADSite").with_attribute("Name", &self.ad_site))
            .with_child(Element::new("IPSubnets").with_children(subnets))
            .with_child(Element::new("Metric").with_attribute("Value", ""))
            .with_leaf("Version", self.build)
            .with_child(Capability::to_element(&self.capabilities))
            .with_leaf("ServerRemoteName", &self.server)
            .with_leaf("DPType", &self.kind)
            .with_child(Element::new("Windows").with_attribute("Trust", super::switch(self.trusted)))
            .with_leaf("Locality", &self.locality)
    }
}

const REPLY: &str = "ContentLocationReply";
const ALGORITHM_PREFERENCE: u32 = 4;
const NUMBER: &str = "a number";
const PORT: &str = "a port number";
