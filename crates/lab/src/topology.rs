//! A lab as data: every field has a default, so that `{}` is a whole lab.

mod azure_ad;
mod gateway;

use std::collections::BTreeSet;

use cmglab_fault::Rule;
use cmglab_management_point::{Mode, StsAssembly};
use cmglab_proto::editions::Edition;
use cmglab_proto::ids::{RoleId, SiteCode, TenantId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::LabError;

pub use azure_ad::{
    AppTopology, AzureAdTopology, DeviceTopology, PermissionTopology, TenantTopology, UserTopology,
};
pub use gateway::{
    CmgCertificate, CmgInstance, CmgTopology, ConnectionPointTopology, Deployment, UploadedAuthorities,
};

/// The whole lab.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Topology {
    /// Which edition of the documented logs the client speaks.
    pub edition: Edition,
    /// Seed of every GUID, nonce and jitter.
    pub seed: u64,
    /// The ConfigMgr site.
    pub site: SiteTopology,
    /// Azure AD.
    pub azure_ad: AzureAdTopology,
    /// The cloud management gateway.
    pub cmg: CmgTopology,
    /// The management point.
    pub management_point: ManagementPointTopology,
    /// The CMG connection points; each needs a host name of its own.
    pub connection_points: Vec<ConnectionPointTopology>,
    /// The host of CRLs.
    pub revocation: RevocationTopology,
    /// The device.
    pub client: ClientTopology,
    /// Faults in force from the start.
    pub faults: Vec<Rule>,
}

/// Options of the site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SiteTopology {
    /// Site code.
    pub code: SiteCode,
    /// The site server, which also manages the gateway's virtual machines.
    pub server: String,
    /// The site's option "Clients check the certificate revocation list (CRL) for site systems".
    pub clients_check_crl: bool,
}

/// The management point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ManagementPointTopology {
    /// Host name.
    pub host: String,
    /// MP role id.
    pub role_id: RoleId,
    /// HTTPS, or enhanced HTTP.
    pub mode: Mode,
    /// Which certificate is bound to its HTTPS port.
    pub bound: BoundCertificate,
    /// Where IIS redirects every request; nowhere when absent.
    pub redirect: Option<String>,
    /// The token library of CCM_STS.
    pub sts_assembly: StsAssembly,
}

/// Which certificate is bound to the HTTPS port of a management point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BoundCertificate {
    /// The one that its mode wants.
    #[default]
    OfItsMode,
    /// The one of the organisation's PKI, although the management point has moved to enhanced HTTP.
    Stale,
}

/// The host of CRLs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RevocationTopology {
    /// Host name, in every distribution point.
    pub host: String,
    /// Authorities whose CRL is not published (names as in `certs/profiles.yaml`).
    pub unpublished: Vec<String>,
}

/// The device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClientTopology {
    /// NetBIOS name.
    pub host: String,
    /// The tenant it belongs to.
    pub tenant: TenantId,
    /// Whether, and how, Azure AD knows it.
    pub join: Join,
    /// UPN of the user who joined or registered it.
    pub joined_by: String,
    /// UPN of the user who is logged on; nobody when absent.
    pub logged_on: Option<String>,
    /// Whether it has the root of the organisation's own PKI.
    pub has_private_root: bool,
}

/// How Azure AD knows a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Join {
    /// Joined (JoinType 0): it has a WPJ certificate.
    #[default]
    Joined,
    /// Registered only (JoinType 4).
    Registered,
    /// Not at all.
    Unknown,
}

impl Topology {
    /// Checks what no field can check alone: numbers of machines, names, transports.
    ///
    /// # Errors
    /// [`LabError`] says which field to change.
    pub fn check(&self) -> Result<(), LabError> {
        let machines = self.cmg.machines()?;
        self.cmg.check()?;
        ConnectionPointTopology::check(&self.connection_points)?;
        let hosts =
            [&self.management_point.host, &self.site.server, &self.client.host, &self.revocation.host];
        let points = self.connection_points.iter().map(|one| &one.host);
        let all = hosts.into_iter().chain(points).chain(machines.iter().map(|one| &one.name));
        let mut names = BTreeSet::new();
        match all.into_iter().find(|name| !names.insert(name.to_ascii_lowercase())) {
            Some(twice) => {
                let cause =
                    format!("two machines are named {twice}, and each has logs of its own; rename one");
                Err(LabError { part: "topology".to_owned(), cause })
            }
            None => Ok(()),
        }
    }

    /// The tenant with this id.
    #[must_use]
    pub fn tenant(&self, id: TenantId) -> Option<&TenantTopology> {
        self.azure_ad.tenants.iter().find(|tenant| tenant.id == id)
    }

    /// The user with this UPN.
    #[must_use]
    pub fn user(&self, upn: &str) -> Option<&UserTopology> {
        let users = self.azure_ad.tenants.iter().flat_map(|tenant| &tenant.users);
        users.into_iter().find(|user| user.upn.eq_ignore_ascii_case(upn))
    }

    /// What a client of this lab is given as `CCMHOSTNAME`.
    #[must_use]
    pub fn ccm_host_name(&self) -> String {
        format!("{}/CCM_Proxy_MutualAuth/{}", self.cmg.host, self.management_point.role_id)
    }
}

impl Default for Topology {
    fn default() -> Self {
        Self {
            edition: Edition::default(),
            seed: 0,
            site: SiteTopology::default(),
            azure_ad: AzureAdTopology::default(),
            cmg: CmgTopology::default(),
            management_point: ManagementPointTopology::default(),
            connection_points: vec![ConnectionPointTopology::default()],
            revocation: RevocationTopology::default(),
            client: ClientTopology::default(),
            faults: Vec::new(),
        }
    }
}

impl Default for SiteTopology {
    fn default() -> Self {
        Self { code: default_site_code(), server: "SITE.LAB.TEST".to_owned(), clients_check_crl: true }
    }
}

impl Default for ManagementPointTopology {
    fn default() -> Self {
        Self {
            host: "MP.LAB.TEST".to_owned(),
            role_id: RoleId::new(1, 10_280),
            mode: Mode::default(),
            bound: BoundCertificate::default(),
            redirect: None,
            sts_assembly: StsAssembly::default(),
        }
    }
}

impl Default for RevocationTopology {
    fn default() -> Self {
        Self { host: "crl.lab.test".to_owned(), unpublished: Vec::new() }
    }
}

impl Default for ClientTopology {
    fn default() -> Self {
        Self {
            host: "LABPC1".to_owned(),
            tenant: TenantId::new(HOME_TENANT),
            join: Join::Joined,
            joined_by: DEFAULT_USER.to_owned(),
            logged_on: Some(DEFAULT_USER.to_owned()),
            has_private_root: true,
        }
    }
}

fn default_site_code() -> SiteCode {
    #[expect(clippy::expect_used, reason = "a constant with a test")]
    "LAB".parse().expect("LAB is a site code")
}

const DEFAULT_USER: &str = "alice@lab.test";
const HOME_TENANT: Uuid = Uuid::from_u128(0x7a8e_e388_0000_485c_8000_e8e4_eb41_0001);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_a_whole_lab_and_unknown_keys_are_refused() {
        let lab: Topology = serde_json::from_str("{}").unwrap();
        assert_eq!(lab, Topology::default());
        assert_eq!(lab.ccm_host_name(), "CMG.LAB.TEST/CCM_Proxy_MutualAuth/72057594037938216");
        assert_eq!(lab.user("ALICE@lab.test").unwrap().upn, DEFAULT_USER);
        assert!(lab.tenant(lab.client.tenant).unwrap().onboarded);
        assert_eq!(lab.azure_ad.tenants[0].id, lab.client.tenant);
        assert!(serde_json::from_str::<Topology>(r#"{"cgm":{}}"#).is_err());
    }

    #[test]
    fn what_contradicts_itself_is_refused_by_name() {
        let refused = |change: fn(&mut Topology)| {
            let mut lab = Topology::default();
            change(&mut lab);
            lab.check().map_err(|error| error.cause).unwrap_err()
        };
        assert_eq!(Topology::default().check(), Ok(()));
        assert!(
            refused(|lab| lab.connection_points[0].host = "mp.lab.test".to_owned()).contains("mp.lab.test")
        );
        assert!(refused(|lab| lab.cmg.instance = "CP.LAB.TEST".to_owned()).contains("rename one"));
        assert!(refused(|lab| lab.cmg.instances = 17).contains("1 to 16"));
        assert!(refused(|lab| lab.cmg.cost_alert.critical_percent = 150).contains("critical_percent"));
        let scale_set_with_tcp = |lab: &mut Topology| {
            lab.cmg.deployment = Deployment::ScaleSet;
            lab.cmg.transports = vec![cmglab_proto::transport::Transport::TcpTls];
        };
        assert!(refused(scale_set_with_tcp).contains("scale set"));
    }
}
