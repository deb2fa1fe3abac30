//! `ContentLocationRequest`.

use super::{SITE_CODE, document, switch};
use crate::ccm::xml::{self, Element, parse_value};
use crate::ccm::{CcmError, Limits};
use crate::ids::SiteCode;

/// Asks where to download something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentLocationRequest {
    /// What is wanted.
    pub content: ContentWanted,
    /// The site of the client.
    pub site_code: SiteCode,
    /// Where the client is and what it can use.
    pub client: ClientLocation,
}

/// What is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContentWanted {
    /// A package of the site.
    Package {
        /// Its id, such as `ABC00002`.
        id: String,
        /// Its version.
        version: u32,
    },
    /// The client itself, which ccmsetup asks for without knowing its package.
    ClientPackage {
        /// Whether the newest version is wanted, or the one that is deployed.
        request_for_latest: bool,
        /// Bits of unknown meaning; ccmsetup sends 4098.
        deployment_flags: u32,
    },
}

/// Where a client is and what it can use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientLocation {
    /// `SMSPACKAGE`, …
    pub location_type: String,
    /// What it accepts.
    pub flags: LocationFlags,
    /// The Active Directory site.
    pub ad_site: String,
    /// The forest.
    pub forest: String,
    /// The domain.
    pub domain: String,
    /// Its addresses.
    pub addresses: Vec<NetworkAddress>,
}

/// The switches of a request, each an attribute of `ClientLocationInfo`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LocationFlags {
    /// `DistributeOnDemand`.
    pub distribute_on_demand: bool,
    /// `UseProtected`.
    pub use_protected: bool,
    /// `AllowCaching`.
    pub allow_caching: bool,
    /// `BranchDPFlags`, bits.
    pub branch_dp_flags: u32,
    /// `UseInternetDP`: the client is on the internet.
    pub use_internet_dp: bool,
    /// `UseAzure`: a cloud distribution point will do.
    pub use_azure: bool,
    /// `DPTokenAuth`: the client can show a token to a distribution point.
    pub dp_token_auth: bool,
    /// `AllowHTTP`.
    pub allow_http: bool,
    /// `AllowSMB`.
    pub allow_smb: bool,
    /// `AllowMulticast`.
    pub allow_multicast: bool,
}

/// One address of a client. Foreign text: parse it before use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkAddress {
    /// The network.
    pub subnet: String,
    /// The address.
    pub address: String,
}

impl ContentWanted {
    /// The client's own package in the form that ccmsetup sends.
    #[must_use]
    pub fn client_package() -> Self {
        Self::ClientPackage { request_for_latest: false, deployment_flags: CCMSETUP_FLAGS }
    }

    fn parse(root: &Element) -> Result<Self, CcmError> {
        match (root.child("Package")?, root.child("ClientPackage")?) {
            (Some(package), None) => Ok(Self::Package {
                id: package.required_attribute("ID")?.to_owned(),
                version: package.parsed_attribute("Version", NUMBER)?.unwrap_or(0),
            }),
            (None, Some(client)) => Ok(Self::ClientPackage {
                request_for_latest: client.flag("RequestForLatest")?,
                deployment_flags: client.parsed_attribute("DeploymentFlags", NUMBER)?.unwrap_or(0),
            }),
            (None, None) => Err(CcmError::Missing { parent: REQUEST.to_owned(), name: "Package" }),
            (Some(_), Some(_)) => Err(CcmError::Ambiguous { name: "Package".to_owned() }),
        }
    }

    fn to_element(&self) -> Element {
        match self {
            Self::Package { id, version } => {
                Element::new("Package").with_attribute("ID", id).with_attribute("Version", version)
            }
            Self::ClientPackage { request_for_latest, deployment_flags } => Element::new("ClientPackage")
                .with_attribute("RequestForLatest", switch(*request_for_latest))
                .with_attribute("DeploymentFlags", deployment_flags),
        }
    }
}

impl LocationFlags {
    /// A client on the internet with a token: cloud distribution points, HTTP, nothing local.
    #[must_use]
    pub fn internet() -> Self {
        Self {
            use_internet_dp: true,
            use_azure: true,
            dp_token_auth: true,
            allow_http: true,
            ..Self::default()
        }
    }

    fn parse(info: &Element) -> Result<Self, CcmError> {
        Ok(Self {
            distribute_on_demand: info.flag("DistributeOnDemand")?,
            use_protected: info.flag("UseProtected")?,
            allow_caching: info.flag("AllowCaching")?,
            branch_dp_flags: info.parsed_attribute("BranchDPFlags", NUMBER)?.unwrap_or(0),
            use_internet_dp: info.flag("UseInternetDP")?,
            use_azure: info.flag("UseAzure")?,
            dp_token_auth: info.flag("DPTokenAuth")?,
            allow_http: info.flag("AllowHTTP")?,
            allow_smb: info.flag("AllowSMB")?,
            allow_multicast: info.flag("AllowMulticast")?,
        })
    }

    fn write(self, info: Element) -> Element {
        info.with_attribute("DistributeOnDemand", switch(self.distribute_on_demand))
            .with_attribute("UseProtected", switch(self.use_protected))
            .with_attribute("AllowCaching", switch(self.allow_caching))
            .with_attribute("BranchDPFlags", self.branch_dp_flags)
            .with_attribute("UseInternetDP", switch(self.use_internet_dp))
            .with_attribute("UseAzure", switch(self.use_azure))
            .with_attribute("DPTokenAuth", switch(self.dp_token_auth))
            .with_attribute("AllowHTTP", switch(self.allow_http))
            .with_attribute("AllowSMB", switch(self.allow_smb))
            .with_attribute("AllowMulticast", switch(self.allow_multicast))
    }
}

impl ClientLocation {
    fn parse(info: &Element) -> Result<Self, CcmError> {
        let name = |child: &'static str| -> Result<String, CcmError> {
            let name = info.child(child)?.and_then(|element| element.attribute("Name"));
            Ok(name.unwrap_or_default().to_owned())
        };
        let addresses = info.child("IPAddresses")?.map(Element::children).unwrap_or_default();
        let text = |address: &Element, name| address.attribute(name).unwrap_or_default().to_owned();
        let addresses = addresses.iter().filter(|child| child.name() == "IPAddress");
        Ok(Self {
            location_type: info.required_attribute("LocationType")?.to_owned(),
            flags: LocationFlags::parse(info)?,
            ad_site: name("ADSite")?,
            forest: name("Forest")?,
            domain: name("Domain")?,
            addresses: addresses
                .map(|ip| NetworkAddress { subnet: text(ip, "SubnetAddress"), address: text(ip, "Address") })
                .collect(),
        })
    }

    fn to_element(&self) -> Element {
        let name = |element: &str, name: &str| Element::new(element).with_attribute("Name", name);
        let addresses = self.addresses.iter().map(|ip| {
            Element::new("IPAddress")
                .with_attribute("SubnetAddress", &ip.subnet)
                .with_attribute("Address", &ip.address)
        });
        let info = Element::new("ClientLocationInfo").with_attribute("LocationType", &self.location_type);
        self.flags
            .write(info)
            .with_child(name("ADSite", &self.ad_site))
            .with_child(name("Forest", &self.forest))
            .with_child(name("Domain", &self.domain))
            .with_child(Element::new("IPAddresses").with_children(addresses))
    }
}

impl ContentLocationRequest {
    /// Reads the payload of a request.
    ///
    /// # Errors
    ///
    /// What [`xml::parse`] refuses, [`CcmError::WrongRoot`], [`CcmError::Missing`],
    /// [`CcmError::Ambiguous`], [`CcmError::BadValue`].
    pub fn parse(text: &str, limits: &Limits) -> Result<Self, CcmError> {
        Self::from_element(&xml::parse(text, limits)?.expect_root(REQUEST)?)
    }

    /// The payload of a request.
    #[must_use]
    pub fn to_xml(&self) -> String {
        document(REQUEST)
            .with_attribute("BGRVersion", "1")
            .with_child(self.content.to_element())
            .with_child(Element::new("AssignedSite").with_attribute("SiteCode", self.site_code))
            .with_child(self.client.to_element())
            .to_xml()
    }

    pub(super) fn from_element(root: &Element) -> Result<Self, CcmError> {
        let site_code = root.required("AssignedSite")?.required_attribute("SiteCode")?;
        Ok(Self {
            content: ContentWanted::parse(root)?,
            site_code: parse_value("SiteCode", SITE_CODE, site_code)?,
            client: ClientLocation::parse(root.required("ClientLocationInfo")?)?,
        })
    }
}

pub(super) const REQUEST: &str = "ContentLocationRequest";
const CCMSETUP_FLAGS: u32 = 4098;
const NUMBER: &str = "a number";
