//! A lab as data: every field has a default, so that `{}` is a whole lab.

use std::net::Ipv4Addr;

use cmglab_fault::Rule;
use cmglab_proto::editions::Edition;
use cmglab_proto::ids::{AppId, ObjectId, RoleId, SiteCode, TenantId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The whole lab.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
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
    /// The CMG connection point.
    pub connection_point: ConnectionPointTopology,
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
    /// The site's option "Clients check the certificate revocation list (CRL) for site systems".
    pub clients_check_crl: bool,
}

/// The tenants of Azure AD.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AzureAdTopology {
    /// The tenants; the first is the organisation's own.
    pub tenants: Vec<TenantTopology>,
}

/// One tenant with its ConfigMgr apps and users.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TenantTopology {
    /// Tenant id.
    pub id: TenantId,
    /// Verified domain.
    pub domain: String,
    /// Whether the site knows this tenant ("Azure services" in the console).
    #[serde(default = "yes")]
    pub onboarded: bool,
    /// Whether the server app is enabled for device tokens ("Update application settings").
    #[serde(default = "yes")]
    pub device_tokens: bool,
    /// The native app (`AADCLIENTAPPID`).
    pub client_app: AppId,
    /// The web app.
    pub server_app: AppId,
    /// App ID URI of the web app (`AADRESOURCEURI`).
    #[serde(default = "default_resource")]
    pub resource: String,
    /// Users.
    #[serde(default)]
    pub users: Vec<UserTopology>,
}

/// One user.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserTopology {
    /// Object id.
    pub id: ObjectId,
    /// User principal name.
    pub upn: String,
    /// Password; these are the lab's own, never real ones.
    #[serde(default = "default_password")]
    pub password: String,
    /// Whether the site has discovered the user.
    #[serde(default = "yes")]
    pub discovered: bool,
    /// SID of a user synchronised from on premises.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub onprem_sid: Option<String>,
}

impl std::fmt::Debug for UserTopology {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UserTopology")
            .field("upn", &self.upn)
            .field("password", &"[REDACTED]")
            .finish_non_exhaustive()
    }
}

/// The gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CmgTopology {
    /// Service name.
    pub host: String,
    /// Role instance name of its virtual machine, which is also its folder of logs.
    pub instance: String,
    /// The virtual machine's address, as IIS.log shows it.
    pub internal_ip: Ipv4Addr,
    /// Who issued its server certificate.
    pub certificate: CmgCertificate,
}

/// Who issued the gateway's server certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CmgCertificate {
    /// The organisation's own PKI: clients need its root.
    #[default]
    Pki,
    /// A public CA: clients obtain its root by themselves.
    ThirdParty,
}

/// The management point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ManagementPointTopology {
    /// Host name.
    pub host: String,
    /// MP role id.
    pub role_id: RoleId,
}

/// The connection point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConnectionPointTopology {
    /// Host name.
    pub host: String,
    /// Whether it runs from the start.
    pub running: bool,
    /// Whether it has a certificate for client authentication, which a management point in HTTPS mode asks
    /// for on some of its paths.
    pub client_certificate: bool,
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

impl Default for SiteTopology {
    fn default() -> Self {
        Self { code: default_site_code(), clients_check_crl: true }
    }
}

impl Default for AzureAdTopology {
    fn default() -> Self {
        Self { tenants: vec![home_tenant()] }
    }
}

impl Default for CmgTopology {
    fn default() -> Self {
        Self {
            host: "CMG.LAB.TEST".to_owned(),
            instance: "RD0003FF74AB12".to_owned(),
            internal_ip: Ipv4Addr::new(10, 0, 0, 4),
            certificate: CmgCertificate::Pki,
        }
    }
}

impl Default for ManagementPointTopology {
    fn default() -> Self {
        Self { host: "MP.LAB.TEST".to_owned(), role_id: RoleId::new(1, 10_280) }
    }
}

impl Default for ConnectionPointTopology {
    fn default() -> Self {
        Self { host: "CP.LAB.TEST".to_owned(), running: true, client_certificate: true }
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

/// The organisation of a lab that names none.
fn home_tenant() -> TenantTopology {
    TenantTopology {
        id: TenantId::new(HOME_TENANT),
        domain: "lab.test".to_owned(),
        onboarded: true,
        device_tokens: true,
        client_app: AppId::new(HOME_CLIENT_APP),
        server_app: AppId::new(HOME_SERVER_APP),
        resource: default_resource(),
        users: vec![UserTopology {
            id: ObjectId::new(HOME_USER),
            upn: DEFAULT_USER.to_owned(),
            password: default_password(),
            discovered: true,
            onprem_sid: Some("S-1-5-21-1004336348-1177238915-682003330-1604".to_owned()),
        }],
    }
}

fn default_site_code() -> SiteCode {
    #[expect(clippy::expect_used, reason = "a constant with a test")]
    "LAB".parse().expect("LAB is a site code")
}

fn default_resource() -> String {
    "https://ConfigMgrService".to_owned()
}

fn default_password() -> String {
    "Lab-Password-1".to_owned()
}

fn yes() -> bool {
    true
}

const DEFAULT_USER: &str = "alice@lab.test";
const HOME_TENANT: Uuid = Uuid::from_u128(0x7a8e_e388_0000_485c_8000_e8e4_eb41_0001);
const HOME_CLIENT_APP: Uuid = Uuid::from_u128(0x22ed_38d9_0000_4036_8000_a984_52fd_a4fc);
const HOME_SERVER_APP: Uuid = Uuid::from_u128(0xf1f9_b14e_0000_4f17_8000_2593_f6ee_e91e);
const HOME_USER: Uuid = Uuid::from_u128(0x2391_ff2a_0000_4c1b_8000_5a63_35f0_35a6);

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
        assert!(serde_json::from_str::<Topology>(r#"{"cgm":{}}"#).is_err());
    }
}
